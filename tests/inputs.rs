//! Files that are not what they should be, through the whole command line: the
//! status, the place, a hint, one JSON document, and never a panic.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop where it fails"
)]

use std::ffi::OsString;
use std::fs;

use danewright::cli::{self, Status, Streams};
use danewright::keys;
use danewright::tlsa::{Params, Tlsa};
use proptest::prelude::*;
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P384_SHA384, PKCS_ED25519};
use serde_json::Value;
use tempfile::TempDir;

/// An Ed25519 key under the passphrase `secret`, made by openssl.
const LOCKED: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAheurE8ytm2QAICA+gw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEMTzYK/XbkwV6360uEiwxTkEQHPz
dbXmJXzsG5ORpDP9Aa8Z1QuThaBC9c/r77mDS324ZNOJmAdNdVPZrb47qk9IMcBW
54BNfYNbM59jXNyrox8=
-----END ENCRYPTED PRIVATE KEY-----
";

struct Ran {
    status: Status,
    out: String,
    err: String,
}

fn run(words: &[&str]) -> Ran {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let streams = Streams {
        out: &mut out,
        err: &mut err,
        out_is_terminal: false,
        err_is_terminal: false,
    };
    let words = ["danewright"].iter().chain(words).map(OsString::from);
    let status = cli::main(words, streams);
    Ran {
        status,
        out: String::from_utf8(out).unwrap(),
        err: String::from_utf8(err).unwrap(),
    }
}

/// A certificate, its key, a key of another kind, a request.
struct Good {
    certificate: String,
    key: String,
    other_key: String,
    request: String,
}

fn good() -> Good {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["mail.example.com".to_owned()]).unwrap();
    Good {
        certificate: params.self_signed(&key).unwrap().pem(),
        request: params.serialize_request(&key).unwrap().pem().unwrap(),
        other_key: KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384)
            .unwrap()
            .serialize_pem(),
        key: key.serialize_pem(),
    }
}

fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

fn path(folder: &TempDir, name: &str) -> String {
    folder.path().join(name).to_str().unwrap().to_owned()
}

/// Runs `tlsa` on a file, for people and for programs; both must fail alike,
/// at this place, with these words and a hint.
fn fails(file: &str, more: &[&str], place: &str, words: &str) {
    let arguments = [
        &["tlsa", file, "--host", "mail.example.com", "--port", "25"],
        more,
    ]
    .concat();
    let ran = run(&arguments);
    assert_eq!(
        (ran.status, ran.out.as_str()),
        (Status::Wrong, ""),
        "{file}: {}",
        ran.err
    );
    let lines: Vec<&str> = ran
        .err
        .lines()
        .skip_while(|line| line.starts_with("warning: "))
        .collect();
    assert!(
        lines[0].starts_with("error: ") && lines[0].contains(words),
        "{file}: {}",
        ran.err
    );
    assert_eq!(lines[1], format!("  --> {place}"), "{}", ran.err);
    assert!(
        lines[2].starts_with("hint: ") && lines.len() == 3,
        "{}",
        ran.err
    );

    let ran = run(&[&["--json", "--quiet"], arguments.as_slice()].concat());
    let document: Value =
        serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}", ran.out));
    assert_eq!((ran.status, ran.err.as_str()), (Status::Wrong, ""));
    assert_eq!(
        (&document["schema"], &document["command"]),
        (&Value::from(1), &Value::from("tlsa"))
    );
    assert_eq!(
        (&document["status"], &document["error"]["place"]),
        (&Value::from(2), &Value::from(place))
    );
    assert!(
        document["error"]["message"]
            .as_str()
            .unwrap()
            .contains(words)
    );
    assert!(document["error"]["hint"].is_string());
}

/// The octets inside the first block.
fn der(pem: &str) -> Vec<u8> {
    rustls::pki_types::pem::from_buf(&mut pem.as_bytes())
        .unwrap()
        .unwrap()
        .1
}

#[test]
fn files_that_hold_no_key_say_where_and_why() {
    let Good {
        certificate,
        key,
        other_key,
        request,
    } = good();
    let relabelled = |text: &str, from: &str, to: &str| text.replace(from, to);
    let second_line = certificate.lines().nth(1).unwrap();
    let one_line = key.replace('\n', "");
    let cases: Vec<(&str, Vec<u8>, usize, &str)> = vec![
        ("empty", vec![], 0, "empty"),
        (
            "zone",
            b"$ORIGIN example.com.\n@ IN SOA ns hostmaster 1 2 3 4 5\n".to_vec(),
            0,
            "neither a PEM block nor DER",
        ),
        (
            "text",
            b"no key here\n".to_vec(),
            0,
            "neither a PEM block nor DER",
        ),
        (
            "no-end",
            certificate.split("-----END").next().unwrap().into(),
            1,
            "has no END line",
        ),
        (
            "no-begin",
            certificate.split_once('\n').unwrap().1.into(),
            certificate.lines().count() - 1,
            "without a BEGIN",
        ),
        (
            "cut-inside",
            relabelled(&certificate, &format!("{second_line}\n"), "").into(),
            1,
            "",
        ),
        (
            "not-base64",
            relabelled(&certificate, second_line, "MII!").into(),
            2,
            "not base64",
        ),
        (
            "no-content",
            b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n".to_vec(),
            1,
            "is empty",
        ),
        (
            "key-as-certificate",
            relabelled(&key, "PRIVATE KEY", "CERTIFICATE").into(),
            1,
            "the content is a private key",
        ),
        (
            "certificate-as-key",
            relabelled(&certificate, "CERTIFICATE", "PRIVATE KEY").into(),
            1,
            "the content is a certificate",
        ),
        (
            "request-as-certificate",
            relabelled(&request, "CERTIFICATE REQUEST", "CERTIFICATE").into(),
            1,
            "a certificate request",
        ),
        (
            "pkcs8-as-sec1",
            relabelled(&key, "PRIVATE KEY", "EC PRIVATE KEY").into(),
            1,
            "a private key (PKCS#8)",
        ),
        (
            "openssh",
            b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n"
                .to_vec(),
            1,
            "OPENSSH",
        ),
        (
            "parameters",
            b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
                .to_vec(),
            0,
            "no key",
        ),
        (
            "second-of-two",
            format!("{certificate}note\n{}", &key[..key.len() - 30]).into(),
            certificate.lines().count() + 2,
            "END",
        ),
        (
            "keys-of-two",
            format!("{certificate}{other_key}").into(),
            certificate.lines().count() + 1,
            "of another key",
        ),
        ("locked", LOCKED.into(), 1, "encrypted"),
        ("one-line", one_line.clone().into(), 1, "BEGIN or END line"),
        (
            "cut-der",
            der(&certificate)[..200].to_vec(),
            0,
            "cut off: 200 octets of",
        ),
        (
            "long-der",
            [der(&certificate), vec![0]].concat(),
            0,
            "octets after the end: 1",
        ),
    ];
    let files: Vec<(&str, &[u8])> = cases
        .iter()
        .map(|(name, content, ..)| (*name, content.as_slice()))
        .collect();
    let folder = folder(&files);
    for (name, _, line, words) in &cases {
        let file = path(&folder, name);
        let place = if *line == 0 {
            file.clone()
        } else {
            format!("{file}:{line}")
        };
        fails(&file, &[], &place, words);
    }
    let secret = one_line.split("-----").nth(2).unwrap();
    let ran = run(&["spki", &path(&folder, "one-line")]);
    assert!(
        ran.err.contains("error: ") && !ran.err.contains(&secret[..16]),
        "{}",
        ran.err
    );
}

#[test]
fn paths_that_cannot_be_read_say_so() {
    let folder = folder(&[
        ("certificate", good().certificate.as_bytes()),
        ("closed", b"x"),
        ("huge", b""),
    ]);
    let certificate = path(&folder, "certificate");
    let directory = folder.path().to_str().unwrap();
    fails(directory, &[], directory, "directory");
    let huge = path(&folder, "huge");
    fs::File::options()
        .write(true)
        .open(&huge)
        .unwrap()
        .set_len((16 << 20) + 1)
        .unwrap();
    fails(&huge, &[], &huge, "16 MiB");
    let missing = path(&folder, "missing");
    fails(&missing, &[], &missing, "no such file");
    let ran = run(&["spki", &certificate, &missing]);
    assert_eq!(
        (ran.status, ran.out.as_str()),
        (Status::Wrong, ""),
        "nothing is shown before all is read"
    );
    fails("-", &["--passphrase-file", "-"], "-", "only once");
    let empty = path(&folder, "huge");
    fs::write(&empty, "\nsecret\n").unwrap();
    fails(
        &certificate,
        &["--passphrase-file", &empty],
        &empty,
        "passphrase",
    );
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read_says_so() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder(&[("closed", b"x")]);
    let closed = path(&folder, "closed");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
    // For root nothing is closed, and the one octet is no key.
    let words = if fs::read(&closed).is_ok() {
        "neither"
    } else {
        "may not be read"
    };
    fails(&closed, &[], &closed, words);
}

#[test]
fn requests_that_make_no_sense_are_refused() {
    let Good {
        certificate, key, ..
    } = good();
    let folder = folder(&[
        ("certificate", certificate.as_bytes()),
        ("key", key.as_bytes()),
    ]);
    let (certificate, key) = (path(&folder, "certificate"), path(&folder, "key"));
    fails(
        &key,
        &["--selector", "0"],
        &format!("{key}:1"),
        "selector 0 needs a certificate",
    );
    fails(
        &key,
        &["--usage", "DANE-TA"],
        &format!("{key}:1"),
        "no CA certificate",
    );
    fails(
        &certificate,
        &["--usage", "2"],
        &format!("{certificate}:1"),
        "no CA certificate",
    );
    fails(
        &certificate,
        &["--selector", "9"],
        &format!("{certificate}:1"),
        "selector 9",
    );
    fails(
        &certificate,
        &["--matching", "9"],
        &format!("{certificate}:1"),
        "matching type 9",
    );
    let ran = run(&[
        "tlsa",
        &certificate,
        "--host",
        "a.example",
        "--port",
        "25",
        "--old",
        &key,
    ]);
    assert_eq!((ran.status, ran.out.as_str()), (Status::Wrong, ""));
    assert!(
        ran.err.contains("--> --old\nhint: add --format nsupdate"),
        "{}",
        ran.err
    );
    let long = format!(
        "{}.example",
        [
            "a".repeat(60),
            "b".repeat(60),
            "c".repeat(60),
            "d".repeat(55)
        ]
        .join(".")
    );
    for words in [
        ["--host", "mail.example.com", "--port", "0"],
        ["--host", "mail.example.com", "--port", "65536"],
        ["--host", "mail.example.com", "--port", "gopher"],
        ["--host", "mail..example.com", "--port", "25"],
        ["--host", &long, "--port", "25"],
        ["--host", ".", "--port", "25"],
    ] {
        let ran = run(&[&["tlsa", &certificate], words.as_slice()].concat());
        assert_eq!(
            (ran.status, ran.out.as_str()),
            (Status::Wrong, ""),
            "{words:?}"
        );
        assert!(ran.err.starts_with("error: "), "{words:?}: {}", ran.err);
        let ran = run(&[&["--json", "tlsa", &certificate], words.as_slice()].concat());
        let document: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(document["status"], 2, "{words:?}");
    }
    for (host, hint) in [
        (
            "_25._tcp.mail.example.com",
            "say --host mail.example.com: the labels _25._tcp are made of --port",
        ),
        ("_443", "say --host HOST: "),
        ("192.0.2.25", "name the host as senders know it"),
        ("192.0.2.25.", "name the host as senders know it"),
        ("2001:db8::25", "name the host as senders know it"),
    ] {
        let ran = run(&["tlsa", &certificate, "--host", host, "--port", "25"]);
        assert_eq!(
            (ran.status, ran.out.as_str()),
            (Status::Wrong, ""),
            "{host}"
        );
        assert!(
            ran.err
                .contains(&format!("\n  --> --host {host}\nhint: {hint}")),
            "{host}: {}",
            ran.err
        );
    }
    let ran = run(&["tlsa", &certificate, "--host", "mail", "--port", "25,465"]);
    assert_eq!(
        (
            ran.status,
            ran.err
                .matches("warning: the host mail is a single label")
                .count()
        ),
        (Status::Good, 1)
    );
    let ran = run(&["--json", "tlsa"]);
    let document: Value = serde_json::from_str(&ran.out).unwrap();
    let message = "the following required arguments were not provided: --host <HOST>, --port <PORT>, <FILE>...";
    assert_eq!(
        (&document["error"]["message"], &document["command"]),
        (&message.into(), &"tlsa".into())
    );
    for ttl in ["2147483648", "1y", "-1"] {
        let ran = run(&[
            "tlsa",
            &certificate,
            "--host",
            "a.example",
            "--port",
            "25",
            &format!("--ttl={ttl}"),
        ]);
        assert_eq!(ran.status, Status::Wrong, "{ttl}");
    }
}

#[test]
fn a_passphrase_is_the_first_line_of_its_file() {
    let folder = folder(&[
        ("key", LOCKED.as_bytes()),
        ("right", b"secret\r\nmore\n"),
        ("wrong", b"Secret\n"),
    ]);
    let key = path(&folder, "key");
    let ran = run(&[
        "spki",
        &key,
        "--passphrase-file",
        &path(&folder, "right"),
        "--json",
    ]);
    let document: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(document["files"][0]["items"][0]["algorithm"], "Ed25519");
    fails(
        &key,
        &["--passphrase-file", &path(&folder, "wrong")],
        &format!("{key}:1"),
        "does not open",
    );
}

#[test]
fn both_ways_to_ask_for_json_give_the_same_document() {
    let Good {
        certificate,
        key,
        other_key,
        ..
    } = good();
    let folder = folder(&[
        ("new", certificate.as_bytes()),
        ("key", key.as_bytes()),
        ("old", other_key.as_bytes()),
    ]);
    let [new, key, old] = ["new", "key", "old"].map(|name| path(&folder, name));
    let words = [
        "tlsa",
        &new,
        &key,
        "--host",
        "MAIL.example.com.",
        "--port",
        "smtp,25",
        "--old",
        &old,
        "--old",
        &key,
    ];
    let asked = run(&[&["--json"], words.as_slice()].concat());
    let formatted = run(&[words.as_slice(), &["--format", "json"]].concat());
    assert_eq!((asked.status, &asked.out), (Status::Good, &formatted.out));
    let document: Value = serde_json::from_str(&asked.out).unwrap();
    assert_eq!(
        document["records"].as_array().unwrap().len(),
        1,
        "one host, one port, one key"
    );
    assert_eq!(
        document["records"][0]["owner"],
        "_25._tcp.mail.example.com."
    );
    assert_eq!(
        document["delete"].as_array().unwrap().len(),
        1,
        "the key that stays is not deleted"
    );
    let script = run(&[words.as_slice(), &["--format", "nsupdate", "--quiet"]].concat());
    let record = |field: &str| document[field][0]["record"].as_str().unwrap().to_owned();
    assert_eq!(
        script.out,
        format!(
            "update add _25._tcp.mail.example.com. 3600 IN TLSA {}\n\
             update delete _25._tcp.mail.example.com. IN TLSA {}\nsend\n",
            record("records"),
            record("delete")
        )
    );
    assert_eq!(script.err, "");
}

#[test]
fn spki_shows_which_files_share_a_key_and_lets_no_subject_out() {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, "a\u{1b}[31m\nb");
    let certificate = params.self_signed(&key).unwrap().pem();
    let folder = folder(&[
        ("one", certificate.as_bytes()),
        ("two", key.serialize_pem().as_bytes()),
    ]);
    let ran = run(&["spki", &path(&folder, "one"), &path(&folder, "two")]);
    assert_eq!(ran.status, Status::Good);
    assert!(
        !ran.out.contains('\u{1b}') && ran.out.contains("a\\u{1b}[31m\\nb"),
        "{}",
        ran.out
    );
    let last = ran.out.lines().last().unwrap();
    let digest = Tlsa::of(
        &keys::read(certificate.as_bytes(), None).unwrap()[0].spki,
        Params::default(),
    );
    let both = format!(
        "{}  {}, {}",
        digest.unwrap().hex(),
        path(&folder, "one"),
        path(&folder, "two")
    );
    assert_eq!(last, both, "{}", ran.out);
    assert_eq!(ran.out.lines().count(), 6, "{}", ran.out);
}

#[test]
fn warnings_are_said_once() {
    let folder = folder(&[("certificate", good().certificate.as_bytes())]);
    let words = [
        "tlsa",
        &path(&folder, "certificate"),
        "--host",
        "a.example",
        "--port",
        "25,465",
        "--selector",
        "0",
    ];
    let ran = run(&words);
    assert_eq!(
        (ran.status, ran.err.matches("warning: ").count()),
        (Status::Good, 1),
        "{}",
        ran.err
    );
    assert_eq!(run(&[words.as_slice(), &["--quiet"]].concat()).err, "");
}

#[test]
fn a_certificate_of_an_unknown_algorithm_has_an_spki() {
    let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    let octets = CertificateParams::new(Vec::new())
        .unwrap()
        .self_signed(&key)
        .unwrap()
        .der()
        .to_vec();
    let known = keys::read(&octets, None).unwrap();
    let mut changed = octets.clone();
    let oid = [0x06, 3, 0x2b, 0x65, 0x70];
    for at in 0..changed.len() - oid.len() {
        if changed[at..].starts_with(&oid) {
            changed[at + 4] = 0x7e;
        }
    }
    let unknown = keys::read(&changed, None).unwrap();
    assert_eq!(unknown[0].algorithm().to_string(), "1.3.101.126");
    let mut spki = known[0].spki.clone();
    spki[8] = 0x7e;
    assert_eq!(unknown[0].spki, spki);
}

#[test]
fn no_cut_makes_another_key_of_a_file() {
    let Good {
        certificate,
        key,
        request,
        ..
    } = good();
    for text in [certificate, key, request] {
        let whole = keys::read(text.as_bytes(), None).unwrap();
        let end = text.trim_end().len();
        for cut in 0..end {
            assert!(
                keys::read(&text.as_bytes()[..cut], None).is_err(),
                "{cut} octets of\n{text}"
            );
        }
        assert_eq!(keys::read(&text.as_bytes()[..end], None).unwrap(), whole);
        let octets = der(&text);
        for cut in 0..octets.len() {
            assert!(keys::read(&octets[..cut], None).is_err(), "{cut} octets");
        }
        assert_eq!(keys::read(&octets, None).unwrap()[0].spki, whole[0].spki);
    }
}

/// A good file with some octets changed, lost or doubled.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let Good {
        certificate,
        key,
        request,
        other_key,
    } = good();
    let mut seeds: Vec<Vec<u8>> = [&certificate, &key, &request, &other_key]
        .map(|text| der(text))
        .to_vec();
    seeds.extend([certificate, key, request, other_key, LOCKED.to_owned()].map(String::into_bytes));
    let edits = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4u8), 1..6);
    (prop::sample::select(seeds), edits).prop_map(|(mut octets, edits)| {
        for (at, octet, kind) in edits {
            let at = at.index(octets.len());
            match kind {
                0 => octets[at] = octet,
                1 => octets.insert(at, octet),
                2 => octets[at] ^= 1 << (octet % 8),
                _ => drop(octets.remove(at)),
            }
        }
        octets
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_octets_are_read_or_refused(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(items) = keys::read(&octets, Some(b"secret")) {
            prop_assert!(!items.is_empty());
        }
        let _ = keys::read(&[&[0x30, 0x82, 0x01, 0x00], octets.as_slice()].concat(), None);
    }

    #[test]
    fn damaged_files_are_read_or_refused(octets in damaged()) {
        if let Ok(items) = keys::read(&octets, None) {
            prop_assert!(items.iter().all(|item| item.spki.len() > 8));
        }
    }
}

#[test]
fn a_file_is_known_by_its_content_not_by_its_name() {
    let Good {
        certificate, key, ..
    } = good();
    let folder = folder(&[
        ("a.key", certificate.as_bytes()),
        ("a.pem", &der(&key)),
        ("a.der", key.as_bytes()),
    ]);
    let names = ["a.key", "a.pem", "a.der"].map(|name| path(&folder, name));
    let ran = run(&["spki", "--json", &names[0], &names[1], &names[2]]);
    let document: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(document["keys"].as_array().unwrap().len(), 1);
    assert_eq!(document["keys"][0]["files"].as_array().unwrap().len(), 3);
}
