//! Every input form of every key type, against what OpenSSL extracts. The keys
//! and the expected octets are made by that program in the test.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop where it fails"
)]

mod openssl;

use danewright::keys::{self, KeyError, Kind, Problem};
use openssl::{Folder, KINDS};

const PASSPHRASE: &str = "correct horse";

fn read(
    folder: &Folder,
    file: &str,
    passphrase: Option<&str>,
) -> Result<Vec<keys::Item>, KeyError> {
    keys::read(
        &std::fs::read(folder.file(file)).unwrap(),
        passphrase.map(str::as_bytes),
    )
}

/// Reads the one key of a file.
fn spki(folder: &Folder, file: &str) -> Vec<u8> {
    let items =
        read(folder, file, Some(PASSPHRASE)).unwrap_or_else(|error| panic!("{file}: {error}"));
    assert_eq!(items.len(), 1, "{file}");
    items[0].spki.clone()
}

/// The SubjectPublicKeyInfo of what openssl prints in PEM at these words.
fn expected(folder: &Folder, words: &str) -> Vec<u8> {
    std::fs::write(folder.file("reference.pem"), folder.openssl(words)).unwrap();
    folder.openssl("pkey -pubin -in reference.pem -outform DER")
}

fn problem(folder: &Folder, file: &str, passphrase: Option<&str>) -> Problem {
    read(folder, file, passphrase).expect_err(file).problem
}

fn folder() -> Folder {
    let folder = Folder::new();
    std::fs::write(folder.file("passphrase"), format!("{PASSPHRASE}\n")).unwrap();
    folder
}

/// Makes every form of the key in `key.pem` that all types have.
fn common_forms(folder: &Folder) -> Vec<&'static str> {
    folder.openssl("pkcs8 -topk8 -nocrypt -in key.pem -outform DER -out key.der");
    for (file, how) in [
        ("aes256.pem", "-v2 aes-256-cbc"),
        ("aes128.pem", "-v2 aes-128-cbc -v2prf hmacWithSHA1"),
        (
            "sha512.der",
            "-v2 aes-192-cbc -v2prf hmacWithSHA512 -outform DER",
        ),
        ("des3.pem", "-v2 des3"),
        ("scrypt.pem", "-scrypt"),
    ] {
        folder.openssl(&format!(
            "pkcs8 -topk8 -in key.pem {how} -passout file:passphrase -out {file}"
        ));
    }
    folder.openssl("pkey -in key.pem -pubout -out public.pem");
    folder.openssl("pkey -in key.pem -pubout -outform DER -out public.der");
    folder.openssl("req -new -key key.pem -subj /CN=mail.example.com -out request.pem");
    folder.openssl("req -in request.pem -outform DER -out request.der");
    folder.openssl("req -in request.pem -newhdr -text -out new-request.pem");
    folder.certificate("certificate.pem", "key.pem");
    folder.openssl("x509 -in certificate.pem -outform DER -out certificate.der");
    folder.openssl("x509 -in certificate.pem -text -out text.pem");
    folder.openssl("x509 -in certificate.pem -trustout -addtrust serverAuth -out trusted.pem");
    vec![
        "key.pem",
        "key.der",
        "aes256.pem",
        "aes128.pem",
        "sha512.der",
        "des3.pem",
        "scrypt.pem",
        "public.pem",
        "public.der",
        "request.pem",
        "request.der",
        "new-request.pem",
        "certificate.pem",
        "certificate.der",
        "text.pem",
        "trusted.pem",
    ]
}

fn rsa_forms(folder: &Folder) -> Vec<&'static str> {
    folder.openssl("rsa -in key.pem -traditional -out pkcs1.pem");
    folder.openssl("rsa -in key.pem -traditional -outform DER -out pkcs1.der");
    folder.openssl("rsa -in key.pem -RSAPublicKey_out -out rsa-public.pem");
    folder.openssl("rsa -in key.pem -RSAPublicKey_out -outform DER -out rsa-public.der");
    vec!["pkcs1.pem", "pkcs1.der", "rsa-public.pem", "rsa-public.der"]
}

fn ec_forms(folder: &Folder) -> Vec<&'static str> {
    folder.openssl("ec -in key.pem -out sec1.pem");
    folder.openssl("ec -in key.pem -outform DER -out sec1.der");
    folder.openssl("ec -in key.pem -no_public -out no-public.pem");
    folder.openssl("pkcs8 -topk8 -nocrypt -in no-public.pem -out no-public-pkcs8.pem");
    vec![
        "sec1.pem",
        "sec1.der",
        "no-public.pem",
        "no-public-pkcs8.pem",
    ]
}

#[test]
#[ignore = "needs openssl"]
fn every_form_of_every_key_type_has_the_spki_that_openssl_sees() {
    for (kind, how) in KINDS {
        let folder = folder();
        folder.key("key.pem", how);
        let mut forms = common_forms(&folder);
        match *kind {
            "rsa" => forms.extend(rsa_forms(&folder)),
            "p256" | "p384" | "p521" => forms.extend(ec_forms(&folder)),
            _ => {}
        }
        let spki_there = expected(&folder, "x509 -in certificate.pem -noout -pubkey");
        assert_eq!(
            expected(&folder, "req -in request.pem -noout -pubkey"),
            spki_there
        );
        for form in forms {
            assert_eq!(spki(&folder, form), spki_there, "{kind} in {form}");
        }
        assert!(matches!(
            read(&folder, "trusted.pem", None).unwrap()[0].kind,
            Kind::Certificate(_)
        ));
        assert!(matches!(
            read(&folder, "new-request.pem", None).unwrap()[0].kind,
            Kind::Request { .. }
        ));
    }
}

#[test]
#[ignore = "needs openssl"]
fn the_form_of_an_ec_point_is_kept() {
    for form in ["compressed", "hybrid"] {
        let folder = folder();
        let format = format!("ec_point_format:{form}");
        folder.openssl("ecparam -name prime256v1 -genkey -out plain.pem");
        folder.openssl(&format!("ec -in plain.pem -conv_form {form} -out sec1.pem"));
        folder.openssl("pkcs8 -topk8 -nocrypt -in sec1.pem -out key.pem");
        folder.certificate("certificate.pem", "key.pem");
        let spki_there = expected(&folder, "x509 -in certificate.pem -noout -pubkey");
        assert_ne!(
            spki(&folder, "plain.pem"),
            spki_there,
            "openssl made another form: {format}"
        );
        for file in ["sec1.pem", "key.pem", "certificate.pem"] {
            assert_eq!(spki(&folder, file), spki_there, "{form} in {file}");
        }
    }
}

#[test]
#[ignore = "needs openssl"]
fn certificates_of_other_algorithms_have_their_spki_and_their_private_keys_an_error() {
    for (how, is_expected) in [
        (
            "-algorithm EC -pkeyopt ec_paramgen_curve:brainpoolP256r1",
            is_curve as fn(&Problem) -> bool,
        ),
        (
            "-algorithm EC -pkeyopt ec_paramgen_curve:secp256k1",
            is_curve,
        ),
        (
            "-algorithm EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit",
            |problem| *problem == Problem::ExplicitCurve,
        ),
    ] {
        let folder = folder();
        folder.key("key.pem", &how.split(' ').collect::<Vec<_>>());
        folder.certificate("certificate.pem", "key.pem");
        assert_eq!(
            spki(&folder, "certificate.pem"),
            expected(&folder, "x509 -in certificate.pem -noout -pubkey"),
            "{how}"
        );
        let found = problem(&folder, "key.pem", None);
        assert!(is_expected(&found), "{how}: {found}");
    }
}

fn is_curve(problem: &Problem) -> bool {
    matches!(problem, Problem::Curve { .. })
}

#[test]
#[ignore = "needs openssl"]
fn an_rsa_pss_key_keeps_its_algorithm() {
    let folder = folder();
    folder.openssl(
        "genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_pss_keygen_md:sha256 \
         -pkeyopt rsa_pss_keygen_mgf1_md:sha256 -pkeyopt rsa_pss_keygen_saltlen:32 -out key.pem",
    );
    folder.certificate("certificate.pem", "key.pem");
    let spki_there = expected(&folder, "x509 -in certificate.pem -noout -pubkey");
    for file in ["key.pem", "certificate.pem"] {
        assert_eq!(spki(&folder, file), spki_there, "{file}");
    }
}

#[test]
#[ignore = "needs openssl"]
fn a_locked_key_opens_with_its_passphrase_only() {
    let folder = folder();
    folder.key("key.pem", KINDS[1].1);
    common_forms(&folder);
    for file in ["aes256.pem", "scrypt.pem", "sha512.der", "des3.pem"] {
        assert_eq!(problem(&folder, file, None), Problem::Encrypted, "{file}");
        assert_eq!(
            problem(&folder, file, Some("correct")),
            Problem::Passphrase,
            "{file}"
        );
    }
    // One of 256 wrong passphrases leaves padding that looks right.
    for guess in 0..300 {
        assert_eq!(
            problem(&folder, "aes128.pem", Some(&guess.to_string())),
            Problem::Passphrase,
            "{guess}"
        );
    }
    folder.openssl(
        "pkcs8 -topk8 -in key.pem -v1 PBE-SHA1-3DES -passout file:passphrase -out old.pem",
    );
    assert_eq!(
        problem(&folder, "old.pem", Some(PASSPHRASE)),
        Problem::Encryption
    );
    folder.openssl("ec -in key.pem -aes128 -passout file:passphrase -out legacy.pem");
    assert_eq!(
        problem(&folder, "legacy.pem", Some(PASSPHRASE)),
        Problem::LegacyEncrypted
    );
}

#[test]
#[ignore = "needs openssl"]
fn what_holds_keys_in_another_wrapping_is_named() {
    let folder = folder();
    folder.key("key.pem", KINDS[1].1);
    folder.certificate("certificate.pem", "key.pem");
    folder.openssl("pkcs12 -export -inkey key.pem -in certificate.pem -passout file:passphrase -out bundle.p12");
    folder.openssl("crl2pkcs7 -nocrl -certfile certificate.pem -outform DER -out bundle.p7b");
    folder.openssl("crl2pkcs7 -nocrl -certfile certificate.pem -out bundle.pem");
    assert_eq!(
        problem(&folder, "bundle.p12", None),
        Problem::Foreign {
            content: "a PKCS#12 bundle"
        }
    );
    assert_eq!(
        problem(&folder, "bundle.p7b", None),
        Problem::Foreign {
            content: "a PKCS#7 bundle"
        }
    );
    assert_eq!(
        problem(&folder, "bundle.pem", None),
        Problem::UnknownLabel {
            label: "PKCS7".to_owned()
        }
    );
}

#[test]
#[ignore = "needs openssl"]
fn a_key_with_the_public_half_of_another_is_refused() {
    let folder = folder();
    for (name, how) in [("one", KINDS[1].1), ("two", KINDS[1].1)] {
        folder.key(&format!("{name}.pem"), how);
        folder.openssl(&format!("ec -in {name}.pem -outform DER -out {name}.der"));
    }
    let (one, two) = (
        std::fs::read(folder.file("one.der")).unwrap(),
        std::fs::read(folder.file("two.der")).unwrap(),
    );
    let half = one.len() - 65;
    std::fs::write(
        folder.file("mixed.der"),
        [&one[..half], &two[half..]].concat(),
    )
    .unwrap();
    assert_eq!(problem(&folder, "mixed.der", None), Problem::PublicHalf);
}
