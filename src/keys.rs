//! Keys, certificates and requests: bytes in, SubjectPublicKeyInfo out.
