//! Private keys: the SubjectPublicKeyInfo that belongs to them. PKCS#8 (RFC
//! 5958) with its encrypted form, PKCS#1 (RFC 8017), SEC1 (RFC 5915), RFC 8410.
//! The public half is computed, and a public half that the key carries must be
//! that one: a record for it would name a key that nobody can serve.

use p256::elliptic_curve::bigint::{Limb, Uint};
use p256::elliptic_curve::sec1::ToSec1Point;
use pkcs8::EncryptedPrivateKeyInfoRef;
use pkcs8::der::Decode;
use pkcs8::der::zeroize::Zeroizing;
use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::pkcs5::pbes2::Kdf;
use ring::signature::{Ed25519KeyPair, KeyPair};

use crate::keys::der::{self, BIT_STRING, Element, INTEGER, OCTET_STRING, OID, SEQUENCE};
use crate::keys::form::Form;
use crate::keys::{Problem, public};

const PKCS8: Problem = Problem::Malformed {
    content: "a private key (PKCS#8)",
};
const RSA: Problem = Problem::Malformed {
    content: "an RSA private key (PKCS#1)",
};
const EC: Problem = Problem::Malformed {
    content: "an EC private key (SEC1)",
};

/// PrivateKeyInfo and OneAsymmetricKey.
pub(crate) fn pkcs8(elements: &[Element<'_>]) -> Result<Vec<u8>, Problem> {
    let [_, algorithm, key, attributes @ ..] = elements else {
        return Err(PKCS8);
    };
    let parts = der::sequence(algorithm).ok_or(PKCS8)?;
    let (oid, parameters) = match parts.as_slice() {
        [oid] => (oid, None),
        [oid, parameters] => (oid, Some(parameters)),
        _ => return Err(PKCS8),
    };
    if oid.tag != OID {
        return Err(PKCS8);
    }
    // The public half of a OneAsymmetricKey, a bit string.
    let carried = attributes
        .iter()
        .find(|element| element.tag == 0x81)
        .map(|element| element.content);
    match oid.content {
        public::RSA => rsa(&inner(key.content)?, None),
        public::RSA_PSS => rsa(&inner(key.content)?, Some(algorithm.whole)),
        public::EC => ec(&inner(key.content)?, parameters, carried),
        public::ED25519 => {
            let seed = edwards_seed(key.content, 32, "Ed25519")?;
            let pair = Ed25519KeyPair::from_seed_unchecked(seed);
            let pair = pair.map_err(|_| Problem::PrivateValue {
                algorithm: "Ed25519",
            })?;
            edwards(public::ED25519, pair.public_key().as_ref(), carried)
        }
        public::ED448 => {
            let seed = edwards_seed(key.content, 57, "Ed448")?;
            let pair = ed448_goldilocks::SigningKey::try_from(seed);
            let pair = pair.map_err(|_| Problem::PrivateValue { algorithm: "Ed448" })?;
            edwards(public::ED448, &pair.verifying_key().to_bytes(), carried)
        }
        other => Err(Problem::Algorithm {
            oid: der::oid_text(other),
        }),
    }
}

fn inner(octets: &[u8]) -> Result<Vec<Element<'_>>, Problem> {
    let (outer, rest) = der::first(octets).ok_or(PKCS8)?;
    der::sequence(&outer)
        .filter(|_| rest.is_empty())
        .ok_or(PKCS8)
}

/// Opens EncryptedPrivateKeyInfo.
pub(crate) fn decrypt(
    der: &[u8],
    passphrase: Option<&[u8]>,
) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let passphrase = passphrase.ok_or(Problem::Encrypted)?;
    let sealed = EncryptedPrivateKeyInfoRef::from_der(der).map_err(|_| Problem::Encryption)?;
    check_cost(&sealed.encryption_algorithm)?;
    match sealed
        .encryption_algorithm
        .decrypt(passphrase, sealed.encrypted_data.as_bytes())
    {
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

/// The most memory that opening a key may take, in octets: OpenSSL's SCRYPT_MAX_MEM.
const MEMORY: u64 = 32 << 20;

/// The most rounds of scrypt: 16 times those of the strongest settings that fit into the memory.
const ROUNDS: u64 = 16 << 20;

/// The most iterations of PBKDF2: what RFC 8018 section 4.2 names for especially critical keys.
const ITERATIONS: u32 = 10_000_000;

/// Whoever made the file chose what opening it costs.
fn check_cost(scheme: &EncryptionScheme) -> Result<(), Problem> {
    let too_large = Err(Problem::TooLarge {
        what: "the cost of opening the private key",
    });
    match scheme {
        EncryptionScheme::Pbes2(parameters) => match &parameters.kdf {
            Kdf::Scrypt(scrypt) => {
                let (cost, block, lanes) = (
                    scrypt.cost_parameter,
                    u64::from(scrypt.block_size),
                    u64::from(scrypt.parallelization),
                );
                // As crypto/evp/pbe_scrypt.c counts: B has 128 r p octets, V and its two neighbours 128 r (N + 2).
                let memory = cost
                    .saturating_add(2)
                    .saturating_add(lanes)
                    .saturating_mul(128 * block);
                let rounds = cost.saturating_mul(block).saturating_mul(lanes);
                if memory > MEMORY || rounds > ROUNDS {
                    too_large
                } else {
                    Ok(())
                }
            }
            Kdf::Pbkdf2(pbkdf2) if pbkdf2.iteration_count > ITERATIONS => too_large,
            _ => Ok(()),
        },
        // One of the old schemes, which are not opened.
        _ => Ok(()),
    }
}

/// RSAPrivateKey. The algorithm is rsaEncryption unless one is given. Both
/// numbers of the public key stand in it as they are.
pub(crate) fn rsa(elements: &[Element<'_>], algorithm: Option<&[u8]>) -> Result<Vec<u8>, Problem> {
    let [version, modulus, exponent, _, primes @ ..] = elements else {
        return Err(RSA);
    };
    if version.tag != INTEGER || primes.len() < 5 {
        return Err(RSA);
    }
    let number = |element| public::unsigned(element).ok_or(RSA);
    let (modulus, exponent) = (number(modulus)?, number(exponent)?);
    // Version 1 has more primes, in a form that nobody uses.
    if version.content == [0] {
        check_primes(modulus, number(&primes[0])?, number(&primes[1])?)?;
    } else if modulus.len() > MODULUS {
        return Err(Problem::TooLarge {
            what: "the modulus of the RSA key",
        });
    }
    Ok(match algorithm {
        None => public::build_rsa(modulus, exponent),
        Some(algorithm) => public::build(algorithm, &public::rsa_key(modulus, exponent)),
    })
}

/// The most octets of a modulus, as OpenSSL's OPENSSL_RSA_MAX_MODULUS_BITS has it,
/// and of each prime.
const MODULUS: usize = 16_384 / 8;
const PRIME: usize = MODULUS / 2;

/// A number as large as a prime may be.
type Prime = Uint<{ PRIME * 8 / Limb::BITS as usize }>;

/// Whether a modulus is the product of its primes.
fn check_primes(modulus: &[u8], p: &[u8], q: &[u8]) -> Result<(), Problem> {
    if modulus.len() > MODULUS || p.len() > PRIME || q.len() > PRIME {
        return Err(Problem::TooLarge {
            what: "the modulus of the RSA key",
        });
    }
    let prime = |digits: &[u8]| {
        let mut padded = Zeroizing::new([0; PRIME]);
        padded[PRIME - digits.len()..].copy_from_slice(digits);
        Zeroizing::new(Prime::from_be_slice(padded.as_slice()))
    };
    let mut padded = [0; MODULUS];
    padded[MODULUS - modulus.len()..].copy_from_slice(modulus);
    let (high, low) = padded.split_at(PRIME);
    let (found_low, found_high) = prime(p).widening_mul(&prime(q));
    if (found_high, found_low) == (Prime::from_be_slice(high), Prime::from_be_slice(low)) {
        Ok(())
    } else {
        Err(Problem::Modulus)
    }
}

/// ECPrivateKey. The curve stands in it or in the PKCS#8 around it, and so
/// does the public half, a bit string.
pub(crate) fn ec(
    elements: &[Element<'_>],
    outer_curve: Option<&Element<'_>>,
    outer_half: Option<&[u8]>,
) -> Result<Vec<u8>, Problem> {
    let [version, value, optional @ ..] = elements else {
        return Err(EC);
    };
    if version.tag != INTEGER || value.tag != OCTET_STRING {
        return Err(EC);
    }
    let (own_curve, own_half) = (tagged(optional, 0xa0)?, tagged(optional, 0xa1)?);
    let curve = match (outer_curve, own_curve.as_ref()) {
        (Some(outer), Some(own)) if outer.whole != own.whole => return Err(EC),
        (Some(curve), _) | (None, Some(curve)) => *curve,
        (None, None) => return Err(Problem::NoCurve),
    };
    let computed = match curve.tag {
        OID => public_point(curve.content, value.content)?,
        SEQUENCE => return Err(Problem::ExplicitCurve),
        _ => return Err(EC),
    };
    let own_half = match own_half {
        Some(half) if half.tag == BIT_STRING => Some(half.content),
        Some(_) => return Err(EC),
        None => None,
    };
    // Compressed where the key says so, as in certificates made from it.
    let mut point = computed.as_slice();
    for half in [outer_half, own_half].into_iter().flatten() {
        point = half
            .strip_prefix(&[0])
            .filter(|half| is_form_of(half, &computed))
            .ok_or(Problem::PublicHalf)?;
    }
    let algorithm = der::write(SEQUENCE, &[&der::write(OID, &[public::EC]), curve.whole]);
    Ok(public::build(&algorithm, point))
}

/// The element inside an explicit tag, where there is one.
fn tagged<'a>(elements: &[Element<'a>], tag: u8) -> Result<Option<Element<'a>>, Problem> {
    match elements
        .iter()
        .find(|element| element.tag == tag)
        .map(|element| der::first(element.content))
    {
        None => Ok(None),
        Some(Some((inside, []))) => Ok(Some(inside)),
        Some(_) => Err(EC),
    }
}

/// The uncompressed point (SEC1 section 2.3.3) of a private value.
fn public_point(curve: &[u8], value: &[u8]) -> Result<Vec<u8>, Problem> {
    // The length is fixed; some programs drop leading zeros, or add some.
    let significant = &value[value.iter().take_while(|octet| **octet == 0).count()..];
    let padded = |octets: usize, algorithm: &'static str| {
        let zeros = octets
            .checked_sub(significant.len())
            .ok_or(Problem::PrivateValue { algorithm })?;
        let mut padded = Zeroizing::new(vec![0; octets]);
        padded[zeros..].copy_from_slice(significant);
        Ok(padded)
    };
    let none = |algorithm: &'static str| Problem::PrivateValue { algorithm };
    match curve {
        public::P256 => match p256::SecretKey::from_slice(&padded(32, "P-256")?) {
            Ok(key) => Ok(key.public_key().to_sec1_point(false).as_bytes().to_vec()),
            Err(_) => Err(none("P-256")),
        },
        public::P384 => match p384::SecretKey::from_slice(&padded(48, "P-384")?) {
            Ok(key) => Ok(key.public_key().to_sec1_point(false).as_bytes().to_vec()),
            Err(_) => Err(none("P-384")),
        },
        public::P521 => match p521::SecretKey::from_slice(&padded(66, "P-521")?) {
            Ok(key) => Ok(key.public_key().to_sec1_point(false).as_bytes().to_vec()),
            Err(_) => Err(none("P-521")),
        },
        other => Err(Problem::Curve {
            oid: der::oid_text(other),
        }),
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
fn edwards_seed<'a>(
    key: &'a [u8],
    octets: usize,
    algorithm: &'static str,
) -> Result<&'a [u8], Problem> {
    match der::first(key) {
        Some((seed, [])) if seed.tag == OCTET_STRING && seed.content.len() == octets => {
            Ok(seed.content)
        }
        Some((seed, [])) if seed.tag == OCTET_STRING => Err(Problem::PrivateValue { algorithm }),
        _ => Err(PKCS8),
    }
}

fn edwards(oid: &[u8], half: &[u8], carried: Option<&[u8]>) -> Result<Vec<u8>, Problem> {
    if carried.is_some_and(|carried| carried.strip_prefix(&[0]) != Some(half)) {
        return Err(Problem::PublicHalf);
    }
    Ok(public::build(
        &der::write(SEQUENCE, &[&der::write(OID, &[oid])]),
        half,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys;
    use crate::tlsa::{hex, unhex};

    // The P-256 key of RFC 6979 appendix A.2.5.
    const D: &str = "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721";
    const X: &str = "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6";
    const Y: &str = "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";
    // The first key of RFC 8410 section 10.3, and its public half.
    const SEED: &str = "d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842";
    const HALF: &str = "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1";

    fn octets(text: &str) -> Vec<u8> {
        unhex(text).unwrap()
    }

    fn sequence(parts: &[&[u8]]) -> Vec<u8> {
        der::write(SEQUENCE, parts)
    }

    fn oid(content: &[u8]) -> Vec<u8> {
        der::write(OID, &[content])
    }

    fn ec_key(value: &[u8], curve: Option<&[u8]>, half: Option<&str>) -> Vec<u8> {
        let curve = curve
            .map(|curve| der::write(0xa0, &[curve]))
            .unwrap_or_default();
        let half =
            half.map(|half| der::write(0xa1, &[&der::write(BIT_STRING, &[&[0], &octets(half)])]));
        sequence(&[
            &[2, 1, 1],
            &der::write(OCTET_STRING, &[value]),
            &curve,
            &half.unwrap_or_default(),
        ])
    }

    fn pkcs8_key(algorithm: &[&[u8]], key: &[u8], half: Option<&str>) -> Vec<u8> {
        let half = half
            .map(|half| der::write(0x81, &[&[0], &octets(half)]))
            .unwrap_or_default();
        sequence(&[
            &[2, 1, 1],
            &sequence(algorithm),
            &der::write(OCTET_STRING, &[key]),
            &half,
        ])
    }

    fn ed25519(half: Option<&str>) -> Vec<u8> {
        pkcs8_key(
            &[&oid(public::ED25519)],
            &der::write(OCTET_STRING, &[&octets(SEED)]),
            half,
        )
    }

    /// The hexadecimal digits of the public key, without what stands before it.
    fn public_half(der: &[u8], digits: usize) -> Result<String, Problem> {
        let items = keys::read(der, None).map_err(|error| error.problem)?;
        let spki = hex(&items[0].spki);
        Ok(spki[spki.len() - digits..].to_owned())
    }

    #[test]
    fn a_public_half_is_computed_where_there_is_none() {
        let curve = oid(public::P256);
        let expected = Ok(format!("04{X}{Y}"));
        assert_eq!(
            public_half(&ec_key(&octets(D), Some(&curve), None), 130),
            expected
        );
        let long = [&[0; 3][..], &octets(D)].concat();
        assert_eq!(
            public_half(&ec_key(&long, Some(&curve), None), 130),
            expected
        );
        let inside = ec_key(&octets(D), None, None);
        assert_eq!(
            public_half(&pkcs8_key(&[&oid(public::EC), &curve], &inside, None), 130),
            expected
        );
        assert_eq!(public_half(&ed25519(None), 64), Ok(HALF.to_owned()));
    }

    #[test]
    fn leading_zeros_of_a_private_value_may_be_missing() {
        let curve = oid(public::P256);
        let short = public_half(&ec_key(&[5], Some(&curve), None), 130);
        assert_eq!(
            short,
            public_half(
                &ec_key(&[&[0; 31][..], &[5]].concat(), Some(&curve), None),
                130
            )
        );
        assert!(short.is_ok());
    }

    #[test]
    fn ed448_is_as_in_rfc_8032() {
        let seed = "6c82a562cb808d10d632be89c8513ebf6c929f34ddfa8c9f63c9960ef6e348a3\
                    528c8a3fcc2f044e39a3fc5b94492f8f032e7549a20098f95b";
        let half = "5fd7449b59b461fd2ce787ec616ad46a1da1342485a70e1f8a0ea75d80e96778\
                    edf124769b46c7061bd6783df1e50f6cd1fa1abeafe8256180";
        let key = pkcs8_key(
            &[&oid(public::ED448)],
            &der::write(OCTET_STRING, &[&octets(seed)]),
            None,
        );
        assert_eq!(public_half(&key, 114), Ok(half.to_owned()));
    }

    #[test]
    fn a_carried_half_is_kept_in_its_form_when_it_is_the_keys_own() {
        let curve = oid(public::P256);
        for half in [format!("04{X}{Y}"), format!("03{X}"), format!("07{X}{Y}")] {
            let key = ec_key(&octets(D), Some(&curve), Some(&half));
            assert_eq!(public_half(&key, half.len()), Ok(half.clone()));
            let outer = pkcs8_key(
                &[&oid(public::EC), &curve],
                &ec_key(&octets(D), None, None),
                Some(&half),
            );
            assert_eq!(public_half(&outer, half.len()), Ok(half));
        }
        assert_eq!(public_half(&ed25519(Some(HALF)), 64), Ok(HALF.to_owned()));
    }

    #[test]
    fn a_carried_half_of_another_key_is_refused() {
        let curve = oid(public::P256);
        for half in [
            format!("04{Y}{X}"),
            format!("02{X}"),
            format!("06{X}{Y}"),
            format!("03{Y}"),
            "03".to_owned(),
        ] {
            let key = ec_key(&octets(D), Some(&curve), Some(&half));
            assert_eq!(public_half(&key, 2), Err(Problem::PublicHalf), "{half}");
            let outer = pkcs8_key(
                &[&oid(public::EC), &curve],
                &ec_key(&octets(D), None, None),
                Some(&half),
            );
            assert_eq!(public_half(&outer, 2), Err(Problem::PublicHalf), "{half}");
        }
        assert_eq!(public_half(&ed25519(Some(X)), 2), Err(Problem::PublicHalf));
        assert_eq!(
            public_half(&ed25519(Some("e1")), 2),
            Err(Problem::PublicHalf)
        );
    }

    #[test]
    fn a_key_that_cannot_be_one_says_why() {
        let curve = oid(public::P256);
        let order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
        let none = |algorithm| Err(Problem::PrivateValue { algorithm });
        for (key, problem) in [
            (ec_key(&octets(order), Some(&curve), None), none("P-256")),
            (ec_key(&[0; 32], Some(&curve), None), none("P-256")),
            (ec_key(&[1; 33], Some(&curve), None), none("P-256")),
            (ec_key(&[], Some(&oid(public::P521)), None), none("P-521")),
            (
                ec_key(&[1; 49], Some(&oid(public::P384)), None),
                none("P-384"),
            ),
            (ec_key(&[1], None, None), Err(Problem::NoCurve)),
            (
                ec_key(&[1], Some(&sequence(&[&[2, 1, 1]])), None),
                Err(Problem::ExplicitCurve),
            ),
            (
                ec_key(&[1], Some(&oid(&[0x2b, 0x81, 4, 0, 10])), None),
                Err(Problem::Curve {
                    oid: "1.3.132.0.10".into(),
                }),
            ),
            (
                pkcs8_key(&[&oid(&[0x2b, 0x65, 0x6e])], &[4, 1, 1], None),
                Err(Problem::Algorithm {
                    oid: "1.3.101.110".into(),
                }),
            ),
            (
                pkcs8_key(&[&oid(public::ED25519)], &[4, 1, 1], None),
                none("Ed25519"),
            ),
            (
                pkcs8_key(&[&oid(public::ED448)], &[4, 1, 1], None),
                none("Ed448"),
            ),
            (pkcs8_key(&[&oid(public::ED448)], &[5, 0], None), Err(PKCS8)),
            (
                pkcs8_key(
                    &[&oid(public::EC), &oid(public::P384)],
                    &ec_key(&[1], Some(&curve), None),
                    None,
                ),
                Err(EC),
            ),
            (
                sequence(&[&sequence(&[&curve]), &[4, 1, 1]]),
                Err(Problem::Encrypted),
            ),
        ] {
            assert_eq!(public_half(&key, 2), problem, "{}", hex(&key));
        }
    }

    #[test]
    fn a_modulus_is_the_product_of_its_primes() {
        let integer = |digits: &[u8]| der::write(INTEGER, &[digits]);
        // 65537 * 251 = 16449787
        let key = |modulus: &[u8]| {
            let rest = integer(&[1]).repeat(3);
            let (p, q) = (integer(&[1, 0, 1]), integer(&[0, 0xfb]));
            sequence(&[
                &[2, 1, 0],
                &integer(modulus),
                &[2, 1, 3],
                &[2, 1, 1],
                &p,
                &q,
                &rest,
            ])
        };
        assert_eq!(
            public_half(&key(&[0, 0xfb, 0, 0xfb]), 18),
            Ok("020400fb00fb020103".to_owned())
        );
        assert_eq!(
            public_half(&key(&[0, 0xfb, 0, 0xfc]), 2),
            Err(Problem::Modulus)
        );
        assert_eq!(public_half(&key(&[0xfb, 0, 0xfb]), 2), Err(RSA));
    }

    #[test]
    fn a_modulus_has_at_most_16384_bits_and_nobody_computes_with_more() {
        let key = |version: u8, modulus: &[u8], prime: &[u8]| {
            let integer = |digits: &[u8]| der::write(INTEGER, &[&[0], digits]);
            let rest = integer(&[1]).repeat(3);
            let prime = integer(prime);
            sequence(&[
                &[2, 1, version],
                &integer(modulus),
                &[2, 1, 3],
                &[2, 1, 1],
                &prime,
                &prime,
                &rest,
            ])
        };
        let too_large = Err(Problem::TooLarge {
            what: "the modulus of the RSA key",
        });
        // The square of the largest prime's length of ones: ff…fe 00…01.
        let square = [&[0xff; PRIME - 1][..], &[0xfe], &[0; PRIME - 1], &[1]].concat();
        assert_eq!(
            public_half(&key(0, &square, &[0xff; PRIME]), 10),
            Ok("0001020103".to_owned()),
            "largest"
        );
        for (version, modulus, prime) in [
            (0, MODULUS, 200_000),
            (0, MODULUS, PRIME + 1),
            (0, MODULUS + 1, PRIME),
            (1, MODULUS + 1, 1),
        ] {
            assert_eq!(
                public_half(&key(version, &vec![1; modulus], &vec![0xff; prime]), 2),
                too_large
            );
        }
    }

    #[test]
    fn opening_a_key_costs_no_more_than_openssl_lets_it() {
        // The parameters stand where a key derivation's do; nothing is derived from them.
        let scheme = |oid_digits: &str, parameters: &[&[u8]]| {
            let kdf = sequence(&[&oid(&octets(oid_digits)), &sequence(parameters)]);
            let cipher = sequence(&[
                &oid(&octets("60864801650304012a")),
                &der::write(OCTET_STRING, &[&[0; 16]]),
            ]);
            let pbes2 = sequence(&[
                &oid(&octets("2a864886f70d01050d")),
                &sequence(&[&kdf, &cipher]),
            ]);
            sequence(&[&pbes2, &der::write(OCTET_STRING, &[&[0; 32]])])
        };
        let salt = der::write(OCTET_STRING, &[&[0; 8]]);
        let number = |digits: &[u8]| der::write(INTEGER, &[digits]);
        let scrypt = |cost: &[u8], block: &[u8], lanes: &[u8]| {
            scheme(
                "2b06010401da47040b",
                &[&salt, &number(cost), &number(block), &number(lanes)],
            )
        };
        let pbkdf2 = |count: &[u8]| scheme("2a864886f70d01050c", &[&salt, &number(count)]);
        let costly = Err(Problem::TooLarge {
            what: "the cost of opening the private key",
        });
        let opened = |key: &[u8]| {
            keys::read(key, Some(b"secret"))
                .map(|_| ())
                .map_err(|error| error.problem)
        };
        for key in [
            scrypt(&[0x40, 0, 0, 0], &[8], &[1]),
            scrypt(&[0x40, 0], &[8], &[0x7f, 0xff]),
            scrypt(&[0x40, 0], &[0x7f, 0xff], &[1]),
            scrypt(&[0, 0x80, 0], &[8], &[1]),
            pbkdf2(&[0, 0x98, 0x96, 0x81]),
            pbkdf2(&[5, 0xf5, 0xe1, 0]),
        ] {
            assert_eq!(opened(&key), costly, "{}", hex(&key));
        }
        for key in [
            scrypt(&[0x40, 0], &[8], &[1]),
            scrypt(&[4, 0], &[8], &[16]),
            pbkdf2(&[8, 0]),
        ] {
            assert_eq!(opened(&key), Err(Problem::Passphrase), "{}", hex(&key));
        }
    }
}
