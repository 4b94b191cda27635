//! `lint` at the command line: each code where it belongs and not in its twin,
//! the exit statuses, the JSON document, and that no file is touched.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops where it fails"
)]

#[path = "lint/dane.rs"]
mod dane;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use danewright::lint;
use danewright::name::Name;
use danewright::text::source::Texts;
use danewright::zone::text::reader::ReadErrorKind;
use serde_json::Value;
use tempfile::TempDir;

const DIGEST: &str = "8bd1da95272f7fa4ffb24137fc0ed03aae67e5c4d8b3c50734e1050a7920b922";
const OTHER: &str = "02a5da95272f7fa4ffb24137fc0ed03aae67e5c4d8b3c50734e1050a7920b922";

/// A zone with which nothing is wrong; cases are put behind it.
const ZONE: &str = "$ORIGIN example.com.
$TTL 1h
@ IN SOA ns1 hostmaster 7 7200 1800 1209600 300
@ IN NS ns1
ns1 IN A 192.0.2.53
mail IN A 192.0.2.25
";

fn folder(zone: impl AsRef<[u8]>) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("example.com.zone"), zone).unwrap();
    folder
}

fn run(folder: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_danewright"));
    command
        .args(["lint", "example.com.zone"])
        .args(more)
        .current_dir(folder)
        .env("HOME", folder);
    command.output().unwrap()
}

/// The document about a zone, and its exit status.
fn document(folder: &Path, more: &[&str]) -> (Value, i32) {
    let output = run(folder, &[&["--json"], more].concat());
    let document = serde_json::from_slice(&output.stdout).unwrap();
    (document, output.status.code().unwrap())
}

/// `code severity line` of each finding about a zone.
fn findings(zone: &str) -> Vec<String> {
    let (document, status) = document(folder(zone).path(), &[]);
    let findings = document["findings"]
        .as_array()
        .unwrap_or_else(|| panic!("{zone}: {document}"));
    let heavy = findings.iter().any(|finding| finding["severity"] != "note");
    assert_eq!(status, i32::from(heavy), "{zone}: {document}");
    let brief = |finding: &Value| {
        let place = finding["place"].as_str().unwrap();
        let word = |name: &str| finding[name].as_str().unwrap().to_owned();
        assert!(
            finding["hint"].is_string() || finding["code"] == "syntax",
            "{finding}"
        );
        format!(
            "{} {} {}",
            word("code"),
            word("severity"),
            place.split(':').nth(1).unwrap()
        )
    };
    findings.iter().map(brief).collect()
}

/// What is found when these lines stand behind the good zone, its own six lines long.
fn behind(lines: &str) -> Vec<String> {
    findings(&format!(
        "{ZONE}{}",
        lines.replace("DIGEST", DIGEST).replace("OTHER", OTHER)
    ))
}

#[test]
fn a_record_that_is_as_it_should_be_is_not_commented_on() {
    assert_eq!(findings(ZONE), [""; 0]);
    for lines in [
        "_25._tcp.mail TLSA 3 1 1 DIGEST\n",
        "_25._tcp.mail TLSA 3 1 1 DIGEST\n\tTLSA 3 1 1 OTHER\n_465._tcp.mail TLSA 2 1 1 DIGEST\n",
        "*._tcp.mail TLSA 3 1 1 DIGEST\n",
        "mx CNAME mail\n_25._tcp.mx TLSA 3 1 1 DIGEST\n",
        "$GENERATE 1-2 mx$ A 192.0.2.$\n_25._tcp.mx1 TLSA 3 1 1 DIGEST\n; see generate\n",
        "_25._tcp.mail CNAME _dane\n_dane TLSA 3 1 1 DIGEST\n",
    ] {
        let found = behind(lines);
        assert!(
            found.iter().all(|finding| finding == "generate note 7"),
            "{lines}: {found:?}"
        );
    }
}

#[test]
fn each_fault_of_a_record_is_found_and_the_others_are_still_looked_at() {
    let wrong =
        "_25._tcp.mail TLSA 3 1 1 abc\n_465._tcp.mail TLSA 3 1 1\n_587._tcp.mail TLSA 3 1 1 zz\n";
    let more = "_993._tcp.mail TLSA 3 1 1 abcd\n_443._tcp.mail TLSA 3 0 1 DIGEST\n_995._tcp.mail TLSA \\# 4 03010\n";
    let found = behind(&format!("{wrong}{more}"));
    let expected = [
        "odd-digest error 7",
        "empty-digest error 8",
        "bad-data error 9",
        "wrong-length error 10",
        "odd-digest error 12",
        "breaks-on-renewal warning 11",
    ];
    assert_eq!(found, expected);
}

#[test]
fn where_a_record_stands_matters() {
    for (lines, expected) in [
        (
            "_25._tcp.mail TLSA 3 1 1 DIGEST\n_25._tcp.mail CNAME x\n",
            &["beside-cname error 7"][..],
        ),
        (
            "_25._tcp.mail TLSA 3 1 1 DIGEST\n_465._tcp.mail CNAME x\n",
            &["dangling-alias warning 8"],
        ),
        (
            "sub NS ns1\n_25._tcp.mx.sub TLSA 3 1 1 DIGEST\n",
            &["below-cut warning 8"],
        ),
        (
            "sub2 NS ns1\nmx.sub A 192.0.2.1\n_25._tcp.mx.sub TLSA 3 1 1 DIGEST\n",
            &[],
        ),
        (
            "sub DNAME other.example.\n_25._tcp.mx.sub TLSA 3 1 1 DIGEST\n",
            &["below-dname error 8"],
        ),
        ("_25._tcp.gone TLSA 3 1 1 DIGEST\n", &["no-host warning 7"]),
        ("_25._tcp.MAIL.Example.COM. TLSA 3 1 1 DIGEST\n", &[]),
        ("_25._tcp.\\109ail TLSA 3 1 1 DIGEST\n", &[]),
        (
            "gone TXT x\n_25._tcp.gone TLSA 3 1 1 DIGEST\n",
            &["no-host warning 8"],
        ),
        (
            "* A 192.0.2.9\n_25._tcp.mx TLSA 3 1 1 DIGEST\n",
            &["hidden-host error 8"],
        ),
        (
            "_25._tcp.mail.example.com TLSA 3 1 1 DIGEST\n",
            &["doubled-name error 7"],
        ),
        (
            "mail.example.com A 192.0.2.1\n_25._tcp.mail.example.com TLSA 3 1 1 DIGEST\n",
            &[],
        ),
        ("_25.tcp.mail TLSA 3 1 1 DIGEST\n", &["odd-owner warning 7"]),
        ("_dane TLSA 3 1 1 DIGEST\n", &["odd-owner note 7"]),
        (
            "_25._tcp.mail.example.org. TLSA 3 1 1 DIGEST\n",
            &["tlsa-out-of-zone warning 7", "out-of-zone note 7"],
        ),
        (
            "www.example.org. A 192.0.2.1\nwww.badexample.com. A 192.0.2.1\n",
            &["out-of-zone note 7", "out-of-zone note 8"],
        ),
        ("$ORIGIN com.\nwww.example A 192.0.2.1\n", &[]),
    ] {
        assert_eq!(behind(lines), expected, "{lines}");
    }
}

#[test]
fn a_set_is_looked_at_as_a_whole() {
    for (lines, expected) in [
        (
            "_25._tcp.mail 60 TLSA 3 1 1 DIGEST\n 90 TLSA 3 1 1 OTHER\n",
            &["ttl-differs warning 8"][..],
        ),
        (
            "_25._tcp.mail 60 TLSA 3 1 1 DIGEST\n_26._tcp.mail 90 TLSA 3 1 1 OTHER\n",
            &[],
        ),
        (
            "_25._tcp.mail 2d TLSA 3 1 1 DIGEST\n",
            &["long-ttl warning 7"],
        ),
        (
            "_25._tcp.mail 0 TLSA 3 1 1 DIGEST\n_465._tcp.mail 1 TLSA 3 1 1 DIGEST\n",
            &["short-ttl note 7", "short-ttl note 8"],
        ),
        ("_25._tcp.mail 2 TLSA 3 1 1 DIGEST\n", &[]),
        ("_25._tcp.mail 1d TLSA 3 1 1 DIGEST\n", &[]),
        (
            "_25._tcp.mail TLSA 3 1 1 DIGEST\n_25._TCP.mail TLSA 3 1 1 ( DIGEST )\n",
            &["duplicate-record note 8"],
        ),
        (
            "_25._tcp.mail TLSA 3 1 1 DIGEST\n TLSA 3 1 2 DIGESTDIGEST\n TLSA 3 1 1 OTHER\n",
            &["unequal-parameter-sets warning 8"],
        ),
        (
            "_25._tcp.mail TLSA 1 1 1 DIGEST\n",
            &["pkix-usage warning 7"],
        ),
        ("_143._tcp.mail TLSA 1 1 1 DIGEST\n", &["pkix-usage note 7"]),
        ("_443._tcp.mail TLSA 1 1 1 DIGEST\n", &[]),
    ] {
        assert_eq!(behind(lines), expected, "{lines}");
    }
    let many = |count: usize| {
        let digest = |n: usize| format!("{n:02x}{}", &DIGEST[2..]);
        behind(
            &(0..count)
                .map(|n| format!("_25._tcp.mail TLSA 3 1 1 {}\n", digest(n)))
                .collect::<String>(),
        )
    };
    assert_eq!(many(12), [""; 0]);
    assert_eq!(many(13), ["many-records warning 7"]);
}

#[test]
fn what_servers_read_differently_is_a_note_and_one_that_loses_records_a_warning() {
    for (lines, expected) in [
        ("a A 192.0.2.1 ; old \\\n", "comment-backslash warning 7"),
        ("a 1h30m A 192.0.2.1\n", "compound-ttl note 7"),
        ("$ttl 3600\n", "lower-case-directive note 7"),
        ("a A 192.0.2.1\r\n", "carriage-return note 7"),
        ("a TXT \"m\u{fc}ller\"\n", "non-ascii note 7"),
        ("a TXT \"a\"\"b\"\n", "glued-strings note 7"),
        ("a TXT \"a\nb\"\n", "quoted-line-end error 7"),
        ("a CLASS1 A 192.0.2.1\n", "generic-class note 7"),
        ("$GENERATE 1-2 a$ A 192.0.2.$\n", "generate note 7"),
        ("$ORIGIN sub\n", "relative-origin note 7"),
        ("a A 192.0.2.1", "no-final-line-end note 7"),
        (
            "_25._tcp.mail TLSA 3 1 1 8 bd1da95272f7fa4ffb24137fc0ed03aae67e5c4d8b3c50734e1050a7920b922\n",
            "split-hex note 7",
        ),
        ("a A \"192.0.2.1\"\n", "dressed-field note 7"),
        ("a APL \"1:192.0.2.0/24\"\n", "dressed-field note 7"),
        ("a HTTPS 1 . key1=h2\n", "numbered-parameter note 7"),
        (
            "example.com. SOA ns1 hostmaster 7 7200 1800 1209600 300\n",
            "two-soas note 7",
        ),
        (
            "example.com. SOA ns1 hostmaster 8 7200 1800 1209600 300\n",
            "unequal-soas error 7",
        ),
    ] {
        assert_eq!(behind(lines), [expected], "{lines:?}");
    }
    assert_eq!(
        findings(&format!(";\n  ; remark\n{ZONE}")),
        ["blank-before-owner note 2"]
    );
    let without_ttl = ZONE.replace("$TTL 1h\n", "");
    let found = findings(&without_ttl);
    assert_eq!(
        found,
        [
            "implicit-ttl note 2",
            "implicit-ttl note 3",
            "implicit-ttl note 4"
        ]
    );
    let (document, _) = document(folder(&without_ttl).path(), &[]);
    assert_eq!(
        (
            &document["findings"][2]["more"],
            &document["counts"]["note"]
        ),
        (&1.into(), &4.into())
    );
}

#[test]
fn included_files_are_part_of_the_zone() {
    let folder = folder(format!(
        "{ZONE}$INCLUDE \"sub/tlsa.zone\"\n ; blank\n  TXT x\n  TXT y\n"
    ));
    fs::create_dir(folder.path().join("sub")).unwrap();
    fs::write(
        folder.path().join("sub/tlsa.zone"),
        "$TTL 600\n_25._tcp.mail TLSA 3 1 1 ab\n",
    )
    .unwrap();
    let (document, status) = document(folder.path(), &[]);
    assert_eq!(status, 1);
    let place = |at: usize| document["findings"][at]["place"].as_str().unwrap();
    assert_eq!(document["findings"][0]["code"], "wrong-length");
    assert!(place(0).ends_with("sub/tlsa.zone:2:15"), "{document}");
    let codes: Vec<&Value> = document["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| &finding["code"])
        .collect();
    assert_eq!(
        codes,
        [
            "wrong-length",
            "quoted-include",
            "relative-include",
            "owner-after-include",
            "ttl-in-include"
        ]
    );
    assert!(place(3).ends_with("example.com.zone:9:3"), "{document}");
    assert_eq!(document["files"].as_array().unwrap().len(), 2);
}

#[test]
fn a_syntax_error_is_a_finding_and_nothing_is_called_missing_then() {
    let lines = "_25._tcp.gone TLSA 3 1 1 ab\nbroken NOTYPE 1\n  A 192.0.2.1\n_26._tcp.mail TLSA 3 1 1 abc\n";
    assert_eq!(
        behind(lines),
        [
            "syntax error 8",
            "wrong-length error 7",
            "odd-digest error 10"
        ]
    );
    assert_eq!(
        behind("$WHAT is this\n_25._tcp.mail TLSA 3 1 1 abc\n"),
        ["syntax error 7"]
    );
    assert_eq!(
        behind("a TXT ( \"open\n_25._tcp.mail TLSA 3 1 1 abc\n"),
        ["syntax error 7"]
    );
    assert_eq!(findings("\u{feff}$TTL 1h\n"), ["syntax error 1"]);
    let (document, status) = document(
        folder(format!("{ZONE}{}", "a NOTYPE 1\n".repeat(30))).path(),
        &[],
    );
    assert_eq!((status, &document["counts"]["error"]), (1, &30.into()));
}

#[test]
fn zones_that_are_not_edited_may_be_looked_at() {
    let signed = "mail RRSIG A 13 3 3600 20270101000000 20260101000000 1 example.com. aaaa\n";
    assert_eq!(
        behind(&format!("{signed}_25._tcp.mail TLSA 3 1 1 ab\n")),
        ["wrong-length error 8"]
    );
    let dynamic = folder(ZONE);
    fs::write(
        dynamic.path().join("example.com.zone.jnl"),
        ";BIND LOG V9.2\n",
    )
    .unwrap();
    assert_eq!(run(dynamic.path(), &[]).status.code(), Some(0));
}

#[test]
fn what_cannot_be_looked_at_is_an_error_of_the_call() {
    for (zone, arguments, says) in [
        (
            ZONE.to_owned(),
            &["--origin", "example.org"][..],
            "not of example.org",
        ),
        (ZONE.to_owned(), &["--cert", "no-such.pem"], "no such file"),
        (format!("{ZONE}$INCLUDE no-such\n"), &[], "cannot be opened"),
        ("\0\0\0\u{2}\0\0\0\u{1}".to_owned(), &[], "raw format"),
    ] {
        let output = run(folder(zone).path(), arguments);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{says}: {stderr}");
        assert!(
            stderr.contains(says) && output.stdout.is_empty(),
            "wanted {says:?}: {stderr}"
        );
    }
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(run(empty.path(), &[]).status.code(), Some(2));
    assert_eq!(
        findings("$TTL 1h\nmail A 192.0.2.1\n_25._tcp.x TLSA 3 1 1 ab\n"),
        ["no-soa error 1", "wrong-length error 3"]
    );
}

#[test]
fn keys_are_compared_with_the_records() {
    const KEY: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAErf7LCRiQ0/cLK4CBdfmHYX1fmTsz
uY8m7pxd4+juXH3o/QKG04l3loYwlsNkzno4FoDKEJqJNmxstQTQH4eTvw==
-----END PUBLIC KEY-----
";
    let with = |lines: &str| {
        let folder = folder(format!("{ZONE}{lines}"));
        fs::write(folder.path().join("key.pem"), KEY).unwrap();
        folder
    };
    let own = Command::new(env!("CARGO_BIN_EXE_danewright"))
        .args([
            "tlsa",
            "key.pem",
            "--host",
            "mail.example.com",
            "--port",
            "25",
        ])
        .current_dir(with("").path())
        .output()
        .unwrap();
    let own = String::from_utf8(own.stdout).unwrap();
    let codes = |lines: &str| {
        let (document, _) = document(with(lines).path(), &["--cert", "key.pem"]);
        let codes = document["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|finding| finding["code"].clone());
        (codes.collect::<Vec<_>>(), document)
    };
    let (found, listed) = codes(&format!("{own}_25._tcp.mail TLSA 3 1 1 {DIGEST}\n"));
    assert_eq!(found, [""; 0]);
    let matches: Vec<&Value> = listed["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| &record["matches"])
        .collect();
    assert!(
        matches.contains(&&serde_json::json!(["key.pem"])),
        "{listed}"
    );
    assert_eq!(
        codes(&format!("_25._tcp.mail TLSA 3 1 1 {OTHER}\n")).0,
        ["key-without-record"]
    );
    assert_eq!(codes("").0, ["key-without-record"]);
    // A bare key cannot be compared with a certificate's digest: nothing is concluded.
    assert_eq!(
        codes(&format!("_25._tcp.mail TLSA 3 0 1 {OTHER}\n")).0,
        ["breaks-on-renewal", "key-not-compared"]
    );
    assert_eq!(
        codes(&format!("_25._tcp.mail TLSA 4 1 1 {OTHER}\n")).0,
        ["unknown-parameters", "key-without-record"]
    );
    // The key has one of the sets of parameters and lacks the other.
    let strong = format!("{own}_25._tcp.mail TLSA 3 1 2 {DIGEST}{DIGEST}\n");
    assert_eq!(codes(&strong).0, ["unequal-parameter-sets"]);
    let text = run(with(&own).path(), &["--cert", "key.pem"]).stdout;
    let text = String::from_utf8(text).unwrap();
    assert!(
        text.starts_with(
            "example.com.zone: nothing found that concerns DANE; 1 TLSA record at 1 name\n\nOWNER"
        ),
        "{text}"
    );
    assert!(text.ends_with("  key.pem\n"), "{text}");
}

#[test]
fn the_report_names_the_place_the_owner_and_what_to_do() {
    let zone = format!("{ZONE}_25._tcp.mail TLSA 3 1 1 abc\na A 192.0.2.1\r\nb A 192.0.2.1\r\n");
    let folder = folder(&zone);
    let output = run(folder.path(), &[]);
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "example.com.zone: 1 error, 2 notes; 0 TLSA records

example.com.zone:7:26: error[odd-digest] at _25._tcp.mail.example.com.
  the association data has 3 hex digits, an odd number; some NSD add a 0
  hint: a digit was lost or added: compare with danewright tlsa

example.com.zone:8:14: note[carriage-return]
  the line ends in CR LF, which Knot refuses
  hint: convert the file's line ends to LF
  also at 9:14
"
    );
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stderr.is_empty());
    assert_eq!(
        fs::read(folder.path().join("example.com.zone")).unwrap(),
        zone.as_bytes()
    );
}

#[test]
fn a_report_can_be_read_to_its_end() {
    let lines: String = (0..50)
        .map(|n| format!("_25._tcp.m{n} TLSA 3 1 1 {DIGEST}\n"))
        .collect();
    let folder = folder(format!("{ZONE}{lines}"));
    let text = String::from_utf8(run(folder.path(), &[]).stdout).unwrap();
    assert!(
        text.starts_with("example.com.zone: 50 warnings; 50 TLSA records at 50 names\n"),
        "{text}"
    );
    assert!(
        text.ends_with("\nand 45 more warning[no-host]; --json has them all\n"),
        "{text}"
    );
    assert_eq!(text.matches("has neither an address").count(), 5);
}

/// Whether a checker takes a zone; it may complain all the same.
fn takes(program: &str, arguments: &[&str], folder: &Path) -> bool {
    let path = "/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin";
    let ran = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .env("PATH", path)
        .output();
    ran.unwrap_or_else(|error| panic!("{program}: {error}"))
        .status
        .success()
}

/// Whether BIND, NSD and Knot take a zone.
fn taken(origin: &str, file: &str, folder: &Path) -> [bool; 3] {
    [
        takes("named-checkzone", &["-i", "none", origin, file], folder),
        takes("nsd-checkzone", &[origin, file], folder),
        takes("kzonecheck", &["-o", origin, file], folder),
    ]
}

#[test]
#[ignore = "needs named-checkzone, nsd-checkzone, kzonecheck"]
fn a_zone_in_which_nothing_is_found_is_taken_by_every_server() {
    let folder = tempfile::tempdir().unwrap();
    let files = zones();
    for (name, text) in &files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let mut clean = 0;
    for (name, _) in files.iter().filter(|(name, _)| name.ends_with(".zone")) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_danewright"));
        let output = command
            .args(["lint", "--json", name])
            .current_dir(folder.path())
            .output()
            .unwrap();
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        if document["findings"].as_array().unwrap().is_empty() {
            clean += 1;
            assert_eq!(
                taken(name.trim_end_matches(".zone"), name, folder.path()),
                [true; 3],
                "{name}"
            );
        }
    }
    assert!(clean >= 5, "{clean}");
}

#[test]
#[ignore = "needs named-checkzone, nsd-checkzone, kzonecheck"]
fn what_is_said_of_the_servers_is_so() {
    // The code, lines with it, and whether BIND, NSD and Knot take the zone; NSD's versions differ.
    for (code, lines, bind, nsd, knot) in [
        (
            "carriage-return",
            "a A 192.0.2.1\r\n",
            true,
            Some(true),
            false,
        ),
        (
            "non-ascii",
            "a TXT \"m\u{fc}ller\"\n",
            true,
            Some(true),
            false,
        ),
        (
            "glued-strings",
            "a TXT \"a\"\"b\"\n",
            true,
            Some(true),
            false,
        ),
        ("glued-strings", "a TXT a\"b\"\n", true, None, false),
        (
            "quoted-line-end",
            "a TXT \"a\nb\"\n",
            false,
            Some(true),
            false,
        ),
        ("hash-owner", "#www A 192.0.2.1\n", true, Some(true), false),
        (
            "generic-class",
            "a CLASS1 A 192.0.2.1\n",
            true,
            Some(true),
            false,
        ),
        ("at-sign", "@x A 192.0.2.1\n", true, Some(true), false),
        ("group-first", "( a A 192.0.2.1 )\n", true, None, false),
        ("group-after-blank", "  ( A 192.0.2.1 )\n", true, None, true),
        (
            "generate",
            "$GENERATE 1-2 a$ A 192.0.2.$\n",
            true,
            None,
            false,
        ),
        (
            "relative-origin",
            "$ORIGIN sub\na A 192.0.2.1\n",
            true,
            Some(false),
            false,
        ),
        (
            "two-soas",
            "example.com. SOA ns1 hostmaster 7 7200 1800 1209600 300\n",
            true,
            Some(false),
            true,
        ),
        (
            "unequal-soas",
            "example.com. SOA ns1 hostmaster 8 7200 1800 1209600 300\n",
            false,
            Some(false),
            true,
        ),
        (
            "out-of-zone",
            "www.example.org. A 192.0.2.1\n",
            true,
            Some(false),
            true,
        ),
        (
            "split-hex",
            "_25._tcp.mail TLSA 3 1 1 8 DIGEST1\n",
            true,
            Some(true),
            false,
        ),
        (
            "dressed-field",
            "a MX \"10\" mail\n",
            false,
            Some(true),
            false,
        ),
        ("dressed-field", "a MX +10 mail\n", false, Some(true), false),
        (
            "dressed-field",
            "a MX \\0490 mail\n",
            false,
            Some(true),
            false,
        ),
        (
            "dressed-field",
            "a DS 1 8 2 \"DIGEST\"\n",
            false,
            Some(true),
            false,
        ),
        (
            "numbered-parameter",
            "a HTTPS 1 . key1=h2\n",
            false,
            Some(true),
            true,
        ),
        (
            "numbered-parameter",
            "a HTTPS 1 . key3=ab\n",
            true,
            Some(false),
            true,
        ),
        (
            "beside-cname",
            "_25._tcp.mail TLSA 3 1 1 DIGEST\n_25._tcp.mail CNAME x\n",
            false,
            Some(false),
            false,
        ),
        (
            "below-dname",
            "sub DNAME a.example.\n_25._tcp.mx.sub TLSA 3 1 1 DIGEST\n",
            true,
            Some(false),
            false,
        ),
        (
            "below-cut",
            "sub NS ns1\n_25._tcp.mx.sub TLSA 3 1 1 DIGEST\n",
            true,
            Some(true),
            true,
        ),
        (
            "wrong-length",
            "_25._tcp.mail TLSA 3 1 1 abcd\n",
            true,
            Some(true),
            true,
        ),
    ] {
        let lines = lines
            .replace("8 DIGEST1", &format!("{} {}", &DIGEST[..1], &DIGEST[1..]))
            .replace("DIGEST", DIGEST);
        let zone = format!("{ZONE}{lines}");
        assert!(
            findings(&zone)
                .iter()
                .any(|finding| finding.starts_with(code)),
            "{code}: {:?}",
            findings(&zone)
        );
        let folder = folder(&zone);
        let [by_bind, by_nsd, by_knot] = taken("example.com", "example.com.zone", folder.path());
        assert_eq!((by_bind, by_knot), (bind, knot), "{code}: BIND and Knot");
        assert_eq!(by_nsd, nsd.unwrap_or(by_nsd), "{code}: NSD");
    }
}

/// Every file in `zones/`, by its name there.
fn zones() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("zones");
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file());
    let mut files: Vec<(String, Vec<u8>)> = files
        .map(|path| {
            (
                path.file_name().unwrap().to_str().unwrap().to_owned(),
                fs::read(&path).unwrap(),
            )
        })
        .collect();
    files.sort();
    files
}

#[test]
fn no_text_is_too_strange_to_be_looked_at() {
    let files = zones();
    let zones: Vec<&Vec<u8>> = files
        .iter()
        .filter(|(name, _)| name.ends_with(".zone"))
        .map(|(_, text)| text)
        .collect();
    let apex = Name::from_user("example.com").unwrap();
    let pieces: [&[u8]; 12] = [
        b"\\",
        b"\"",
        b"(",
        b")",
        b";",
        b"\n",
        b"\r\n",
        b"\0",
        b"$",
        b"TLSA",
        b" _25._tcp ",
        b"\n* A 192.0.2.1\n",
    ];
    let mut seed = 7_u64;
    let mut random = |below: usize| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below
    };
    for _ in 0..400 {
        let mut text = zones[random(zones.len())].clone();
        for _ in 0..=random(3) {
            let at = random(text.len() + 1);
            let gone = random(4).min(text.len() - at);
            text.splice(at..at + gone, pieces[random(pieces.len())].iter().copied());
        }
        let lines = text.iter().filter(|octet| **octet == b'\n').count() as u64 + 1;
        let main = std::iter::once(("z".to_owned(), text.clone()));
        let library = Texts::of(main.chain(files.iter().cloned()));
        let found = match lint::zone(&library, &apex, &[]) {
            Ok(found) => found,
            // The damage made another file's name of it.
            Err(error) => {
                assert!(
                    matches!(error.what, ReadErrorKind::Include(..)),
                    "{error:?}"
                );
                continue;
            }
        };
        let places = found.findings.iter().map(|finding| &finding.place);
        for place in places.chain(found.faults.iter().map(|fault| &fault.place)) {
            let inside = place.file != "z" || (1..=lines).contains(&place.line);
            assert!(
                inside && place.line > 0 && place.column > 0,
                "{place}: {text:?}"
            );
        }
    }
}
