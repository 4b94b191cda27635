//! What `patch` refuses, and that every file is as it was then.

use std::fs;

use tempfile::TempDir;

use super::{KEY, ZONE, danewright, folder, patch, refused};

#[test]
fn a_zone_that_is_not_ours_to_edit_is_left_alone() {
    let signed =
        format!("{ZONE}mail RRSIG A 13 3 3600 20270101000000 20260101000000 1 example.com. aaaa\n");
    refused(
        folder(&signed).path(),
        &[],
        1,
        "the zone is signed in this file",
    );
    refused(
        folder([0, 0, 0, 2, 0, 0, 0, 1, 9]).path(),
        &[],
        1,
        "raw format",
    );
    let journal = |end: u32| {
        [
            &b";BIND LOG V9.2\n\0"[..],
            &[7, 64, end, 99].map(u32::to_be_bytes).concat(),
            &[0; 67],
        ]
        .concat()
    };
    let dynamic = folder(ZONE);
    fs::write(dynamic.path().join("example.com.zone.jnl"), journal(8)).unwrap();
    refused(
        dynamic.path(),
        &[],
        1,
        "its journal is at serial 8, the file at 7",
    );
    fs::write(
        dynamic.path().join("example.com.zone.jnl"),
        &journal(8)[..98],
    )
    .unwrap();
    refused(
        dynamic.path(),
        &[],
        1,
        "cannot be read as one, or not to its end",
    );
    fs::write(dynamic.path().join("example.com.zone.jnl"), journal(7)).unwrap();
    assert_eq!(
        patch(dynamic.path(), &["--dry-run"]).status.code(),
        Some(0),
        "the file is as the operator wrote it"
    );
    fs::write(
        dynamic.path().join("example.com.zone"),
        format!("$ORIGIN .\n{ZONE}"),
    )
    .unwrap();
    refused(dynamic.path(), &[], 1, "the file is as named writes it");
}

#[test]
fn a_name_that_something_else_owns_is_refused_with_its_place() {
    let without = ZONE.rsplit_once("_25._tcp").unwrap().0;
    for (line, says) in [
        (
            "_25._tcp.mail CNAME tlsa.example.net.",
            "is an alias that leads out of the zone, to tlsa.example.net.",
        ),
        ("_tcp.mail DNAME tlsa.example.net.", "has a DNAME"),
        (
            "_tcp.mail NS ns.example.net.",
            "is delegated to other name servers",
        ),
        (
            "$GENERATE 1-99 _$._tcp.mail TXT x",
            "$GENERATE for _$._tcp.mail makes records at the name",
        ),
        (
            "*._tcp.mail TLSA 3 1 1 aa",
            "the wildcard *._tcp.mail.example.com. answers for the name now",
        ),
    ] {
        let folder = folder(format!("{without}{line}\n"));
        refused(folder.path(), &[], 1, says);
        refused(folder.path(), &[], 1, "example.com.zone:7:");
    }
    let below = folder(ZONE.replace("mail IN A 192.0.2.25", "mail IN NS ns.example.net."));
    refused(
        below.path(),
        &["--port", "465"],
        1,
        "mail.example.com. is delegated",
    );
}

#[test]
fn a_host_that_only_a_wildcard_answers_for_is_not_made_to_exist() {
    // RFC 4592 section 2.2.2: with a record below it the host exists, and the wildcard's address is lost.
    let wild = ZONE
        .rsplit_once("_25._tcp")
        .unwrap()
        .0
        .replace("mail IN A", "* IN A");
    refused(
        folder(&wild).path(),
        &[],
        1,
        "the wildcard *.example.com. answers for the host now",
    );
    refused(
        folder(wild.replace("IN A 192.0.2.25", "IN MX 10 ns1")).path(),
        &[],
        1,
        "answers for the host now",
    );
    for fine in [
        "mail IN AAAA 2001:db8::25\n",
        "_465._tcp.mail TLSA 3 1 1 ab\n",
        "*.mail IN A 192.0.2.9\nmail IN TXT x\n",
    ] {
        let output = patch(folder(format!("{wild}{fine}")).path(), &[]);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{fine}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[test]
fn a_request_that_does_not_fit_the_zone_is_refused() {
    let folder = folder(ZONE);
    refused(
        folder.path(),
        &["--host", "mail.example.net"],
        2,
        "mail.example.net. is outside the zone example.com.",
    );
    refused(
        folder.path(),
        &["--origin", "example.org"],
        2,
        "that of example.com.",
    );
    refused(folder.path(), &["--port", "0"], 2, "0");
    refused(folder.path(), &["--port", "65536"], 2, "65536");
    refused(
        folder.path(),
        &["--host", &"a".repeat(64)],
        2,
        "label of 64 octets",
    );
    refused(
        folder.path(),
        &[
            "--host",
            &[
                ["b"; 63].concat(),
                ["c"; 63].concat(),
                ["d"; 63].concat(),
                ["e"; 58].concat(),
            ]
            .join("."),
        ],
        2,
        "255",
    );
    refused(folder.path(), &["--check", "'open"], 2, "open quote");
    refused(folder.path(), &["--backup", "a/b"], 2, "suffix");
    let far = folder_with_serial(2_026_112_001);
    refused(far.path(), &["--serial", "unixtime"], 2, "would be older");
}

fn folder_with_serial(serial: u32) -> TempDir {
    folder(ZONE.replace(" 7 ", &format!(" {serial} ")))
}

#[test]
fn a_syntax_error_anywhere_is_reported_with_line_and_column() {
    for (line, place, says) in [
        ("www IN A ( 192.0.2.1", ":8:10", "never closed"),
        ("www IN TXT \"open", ":8:12", "never closed"),
        ("www IN 3600x A 192.0.2.1", ":8:8", "no TTL"),
        ("www IN AAAAA 192.0.2.1", ":8:8", "no record type"),
        ("www IN", ":8:1", "no type"),
        ("www IN A", ":8:", "no data"),
        ("www IN A 192.0.2.1 )", ":8:20", "not opened"),
        ("a..b IN A 192.0.2.1", ":8:1", "no domain name"),
        ("$INCLUDED x", ":8:1", "no directive"),
        ("$INCLUDE absent", ":8:10", "cannot be opened"),
        ("$TTL soon", ":8:6", "no TTL"),
        ("www IN TXT \\300", ":8:12", "backslash"),
        ("_25._tcp.mail IN TLSA 3 1 1 abc", ":8:29", "odd number"),
        ("_25._tcp.mail IN TLSA 3 1", ":8:", "ends where"),
        (
            "www IN A 192.0.2.300",
            ":8:10",
            "where an IPv4 address is expected",
        ),
        ("www IN MX 10 a..b", ":8:14", "empty label"),
        ("@ CH SOA a b 1 2 3 4 5", ":8:3", "not IN"),
        ("www IN A 192.0.2.1\0", ":8:19", "0x00"),
    ] {
        let folder = folder(format!("{ZONE}{line}\n"));
        refused(folder.path(), &[], 2, says);
        refused(folder.path(), &[], 2, &format!("example.com.zone{place}"));
    }
    refused(
        folder(format!("\u{feff}{ZONE}")).path(),
        &[],
        2,
        "byte order mark",
    );
    refused(folder("hello world\n").path(), &[], 2, "no record type");
    refused(folder("; nothing\n").path(), &[], 2, "no SOA record");
    refused(folder("").path(), &[], 2, "empty");
}

#[test]
fn files_that_cannot_be_read_or_written_are_named() {
    let folder = folder(ZONE);
    fs::remove_file(folder.path().join("new.pem")).unwrap();
    refused(folder.path(), &[], 2, "new.pem");
    fs::write(folder.path().join("new.pem"), &KEY[..80]).unwrap();
    refused(folder.path(), &[], 2, "new.pem");
    let output = danewright(
        folder.path(),
        &[
            "patch",
            ".",
            "new.pem",
            "--host",
            "a.example",
            "--port",
            "25",
        ],
    );
    assert_eq!(output.status.code(), Some(2));
}
