//! Live TLS services, asked for the key they present.
