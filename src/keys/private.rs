//! Private keys: the SubjectPublicKeyInfo that belongs to them. PKCS#8 (RFC
//! 5958) with its encrypted form, PKCS#1 (RFC 8017), SEC1 (RFC 5915), RFC 8410.
//! The public half is computed, and a public half that the key carries must be
//! that one: a record for it would name a key that nobody can serve.

use pkcs8::EncryptedPrivateKeyInfoRef;
use pkcs8::der::Decode;
use pkcs8::der::zeroize::Zeroizing;
use ring::signature::{Ed25519KeyPair, KeyPair};

use crate::keys::der::{self, BIT_STRING, Element, INTEGER, OCTET_STRING, OID, SEQUENCE};
use crate::keys::form::Form;
use crate::keys::{Problem, public};

const PKCS8: Problem = Problem::Malformed { content: "a private key (PKCS#8)" };
const RSA: Problem = Problem::Malformed { content: "an RSA private key (PKCS#1)" };
const EC: Problem = Problem::Malformed { content: "an EC private key (SEC1)" };

/// PrivateKeyInfo and OneAsymmetricKey.
pub(crate) fn pkcs8(elements: &[Element<'_>]) -> Result<Vec<u8>, Problem> {
    let [_, algorithm, key, attributes @ ..] = elements else { return Err(PKCS8) };
    let parts = der::sequence(algorithm).ok_or(PKCS8)?;
    let (oid, parameters) = match parts.as_slice() {
        [oid] => (oid, None),
        [oid, parameters] => (oid, Some(parameters)),
        _ => return Err(PKCS8),
    };
    if oid.tag != OID {
        return Err(PKCS8);
    }
    let carried = attributes.iter().find(|element| element.tag == 0x81).map(|element| element.content);
    match oid.content {
        public::RSA => rsa(&inner(key.content)?, None),
        public::RSA_PSS => rsa(&inner(key.content)?, Some(algorithm.whole)),
        public::EC => {
            let spki = ec(&inner(key.content)?, parameters)?;
            same_half(&spki, carried)?;
            Ok(spki)
        }
        public::ED25519 => {
            let seed = edwards_seed(key.content, 32, "Ed25519")?;
            let pair = Ed25519KeyPair::from_seed_unchecked(seed);
            let pair = pair.map_err(|_| Problem::PrivateValue { algorithm: "Ed25519" })?;
            edwards(public::ED25519, pair.public_key().as_ref(), carried)
        }
        public::ED448 => {
            let seed = edwards_seed(key.content, 57, "Ed448")?;
            let pair = ed448_goldilocks::SigningKey::try_from(seed);
            let pair = pair.map_err(|_| Problem::PrivateValue { algorithm: "Ed448" })?;
            edwards(public::ED448, &pair.verifying_key().to_bytes(), carried)
        }
        other => Err(Problem::Algorithm { oid: der::oid_text(other) }),
    }
}

fn inner(octets: &[u8]) -> Result<Vec<Element<'_>>, Problem> {
    let (outer, rest) = der::first(octets).ok_or(PKCS8)?;
    der::sequence(&outer).filter(|_| rest.is_empty()).ok_or(PKCS8)
}

/// Opens EncryptedPrivateKeyInfo.
pub(crate) fn decrypt(der: &[u8], passphrase: Option<&[u8]>) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let passphrase = passphrase.ok_or(Problem::Encrypted)?;
    let sealed = EncryptedPrivateKeyInfoRef::from_der(der).map_err(|_| Problem::Encryption)?;
    match sealed.encryption_algorithm.decrypt(passphrase, sealed.encrypted_data.as_bytes()) {
        Ok(octets) => {
            let octets = Zeroizing::new(octets);
            // One wrong passphrase in 256 leaves padding that looks right.
            match Form::of(&octets) {
                Ok((Form::PrivateKey, _, [])) => Ok(octets),
                _ => Err(Problem::Passphrase),
            }
        }
        Err(pkcs8::pkcs5::Error::DecryptFailed) => Err(Problem::Passphrase),
        Err(_) => Err(Problem::Encryption),
    }
}

/// RSAPrivateKey. The algorithm is rsaEncryption unless one is given.
pub(crate) fn rsa(elements: &[Element<'_>], algorithm: Option<&[u8]>) -> Result<Vec<u8>, Problem> {
    let [version, modulus, exponent, _, primes @ ..] = elements else { return Err(RSA) };
    if version.tag != INTEGER || primes.len() < 5 {
        return Err(RSA);
    }
    let number = |element| public::unsigned(element).ok_or(RSA);
    let (modulus, exponent) = (number(modulus)?, number(exponent)?);
    // Version 1 has more primes, in a form that nobody uses.
    if version.content == [0] && *product(number(&primes[0])?, number(&primes[1])?) != modulus {
        return Err(Problem::Modulus);
    }
    Ok(match algorithm {
        None => public::build_rsa(modulus, exponent),
        Some(algorithm) => public::build(algorithm, &public::rsa_key(modulus, exponent)),
    })
}

/// The product of two numbers, without leading zeros.
fn product(left: &[u8], right: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut digits = Zeroizing::new(vec![0u8; left.len() + right.len()]);
    for (i, a) in left.iter().enumerate().rev() {
        let mut carry = 0u32;
        for (j, b) in right.iter().enumerate().rev() {
            let sum = u32::from(digits[i + j + 1]) + u32::from(*a) * u32::from(*b) + carry;
            digits[i + j + 1] = sum as u8;
            carry = sum >> 8;
        }
        digits[i] = carry as u8;
    }
    let zeros = digits.iter().take_while(|digit| **digit == 0).count();
    Zeroizing::new(digits[zeros..].to_vec())
}

/// ECPrivateKey; the curve stands in it, or in the PKCS#8 around it.
pub(crate) fn ec(elements: &[Element<'_>], outer: Option<&Element<'_>>) -> Result<Vec<u8>, Problem> {
    let [version, value, optional @ ..] = elements else { return Err(EC) };
    if version.tag != INTEGER || value.tag != OCTET_STRING {
        return Err(EC);
    }
    let tagged = |tag: u8| -> Result<Option<Element<'_>>, Problem> {
        let Some(element) = optional.iter().find(|element| element.tag == tag) else { return Ok(None) };
        let (inside, rest) = der::first(element.content).ok_or(EC)?;
        if rest.is_empty() { Ok(Some(inside)) } else { Err(EC) }
    };
    let own = tagged(0xa0)?;
    let curve = match (outer, own.as_ref()) {
        (Some(outer), Some(own)) if outer.whole != own.whole => return Err(EC),
        (Some(curve), _) | (None, Some(curve)) => *curve,
        (None, None) => return Err(Problem::NoCurve),
    };
    let point = match curve.tag {
        OID => public_point(curve.content, value.content)?,
        SEQUENCE => return Err(Problem::ExplicitCurve),
        _ => return Err(EC),
    };
    let algorithm = der::write(SEQUENCE, &[&der::write(OID, &[public::EC]), curve.whole]);
    match tagged(0xa1)? {
        None => Ok(public::build(&algorithm, &point)),
        Some(half) => {
            let carried = half.content.strip_prefix(&[0]).filter(|_| half.tag == BIT_STRING).ok_or(EC)?;
            if !is_form_of(carried, &point) {
                return Err(Problem::PublicHalf);
            }
            // Compressed where the key says so, as in certificates made from it.
            Ok(public::build(&algorithm, carried))
        }
    }
}

/// The uncompressed point (SEC1 section 2.3.3) of a private value.
fn public_point(curve: &[u8], value: &[u8]) -> Result<Vec<u8>, Problem> {
    // The length is fixed; some programs drop leading zeros, or add some.
    let significant = &value[value.iter().take_while(|octet| **octet == 0).count()..];
    let padded = |octets: usize, algorithm: &'static str| {
        let zeros = octets.checked_sub(significant.len()).ok_or(Problem::PrivateValue { algorithm })?;
        let mut padded = Zeroizing::new(vec![0; octets]);
        padded[zeros..].copy_from_slice(significant);
        Ok(padded)
    };
    let none = |algorithm: &'static str| Problem::PrivateValue { algorithm };
    match curve {
        public::P256 => match p256::SecretKey::from_slice(&padded(32, "P-256")?) {
            Ok(key) => Ok(key.public_key().to_sec1_bytes().into_vec()),
            Err(_) => Err(none("P-256")),
        },
        public::P384 => match p384::SecretKey::from_slice(&padded(48, "P-384")?) {
            Ok(key) => Ok(key.public_key().to_sec1_bytes().into_vec()),
            Err(_) => Err(none("P-384")),
        },
        public::P521 => match p521::SecretKey::from_slice(&padded(66, "P-521")?) {
            Ok(key) => Ok(key.public_key().to_sec1_bytes().into_vec()),
            Err(_) => Err(none("P-521")),
        },
        other => Err(Problem::Curve { oid: der::oid_text(other) }),
    }
}

/// Whether these octets are the point: uncompressed, compressed or hybrid (X9.62 section 4.3.6).
fn is_form_of(carried: &[u8], point: &[u8]) -> bool {
    let half = point.len() / 2;
    let parity = point.last().is_some_and(|last| last & 1 == 1);
    match (carried, parity) {
        ([4, ..], _) => carried == point,
        ([2, x @ ..], false) | ([3, x @ ..], true) => x == &point[1..=half],
        ([6, xy @ ..], false) | ([7, xy @ ..], true) => xy == &point[1..],
        _ => false,
    }
}

/// CurvePrivateKey (RFC 8410 section 7): one octet string in another.
fn edwards_seed<'a>(key: &'a [u8], octets: usize, algorithm: &'static str) -> Result<&'a [u8], Problem> {
    match der::first(key) {
        Some((seed, [])) if seed.tag == OCTET_STRING && seed.content.len() == octets => Ok(seed.content),
        Some((seed, [])) if seed.tag == OCTET_STRING => Err(Problem::PrivateValue { algorithm }),
        _ => Err(PKCS8),
    }
}

fn edwards(oid: &[u8], half: &[u8], carried: Option<&[u8]>) -> Result<Vec<u8>, Problem> {
    let spki = public::build(&der::write(SEQUENCE, &[&der::write(OID, &[oid])]), half);
    same_half(&spki, carried)?;
    Ok(spki)
}

/// Compares the public half in a OneAsymmetricKey, a bit string, with the key's own.
fn same_half(spki: &[u8], carried: Option<&[u8]>) -> Result<(), Problem> {
    match carried {
        None => Ok(()),
        Some([0, half @ ..]) if !half.is_empty() && spki.ends_with(half) => Ok(()),
        Some(_) => Err(Problem::PublicHalf),
    }
}
