//! Zones as people have them, with the quirk that each has: what `patch` does with
//! it, and what it says.

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::Value;

use super::{NEW, ZONE, danewright, folder, patch, prune, refused, zone};

fn with(lines: &str) -> String {
    format!("{}{lines}", ZONE.rsplit_once("_25._tcp").unwrap().0)
}

fn said(output: &Output) -> (Option<i32>, String) {
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

/// Runs `patch`, which must do it and say all of these.
fn done(folder: &Path, more: &[&str], says: &[&str]) -> String {
    let output = patch(folder, more);
    let (status, stderr) = said(&output);
    assert_eq!(status, Some(0), "{stderr}");
    let all = format!("{stderr}{}", String::from_utf8_lossy(&output.stdout));
    assert!(
        says.iter().all(|says| all.contains(says)),
        "wanted {says:?}: {all}"
    );
    all
}

/// As the large providers export zones: every line states a TTL.
const EXPORT: &str =
    "example.com.\t3600\tIN\tSOA\tns.example.net. h.example.net. 7 10000 2400 604800 3600

;; A Records
mail.example.com.\t60\tIN\tA\t192.0.2.25 ; cf_tags=cf-proxied:false
www.example.com.\t300\tIN\tA\t192.0.2.80
example.com.\t86400\tIN\tNS\tns.example.net.
";

#[test]
fn where_all_lines_state_a_ttl_the_new_one_does_too() {
    let line = |ttl| format!("_25._tcp.mail.example.com.\t{ttl}\tIN\tTLSA\t3 1 1 {NEW}\n");
    let plain = folder(EXPORT);
    let all = done(plain.path(), &[], &[]);
    assert!(!all.contains("note"), "{all}");
    assert!(
        zone(plain.path()).contains(&line(60)),
        "{}",
        zone(plain.path())
    );
    let stated = folder(EXPORT);
    done(stated.path(), &["--ttl", "3600"], &[]);
    assert!(
        zone(stated.path()).contains(&line(3600)),
        "{}",
        zone(stated.path())
    );
}

#[test]
fn a_ttl_is_refused_only_where_a_line_behind_would_inherit_it() {
    for (behind, refuses) in [
        ("www 300 A 192.0.2.80\n", false),
        ("www A 192.0.2.80\n", true),
        ("; comment\n\nwww A 192.0.2.80\n", true),
        ("$TTL 1h\nwww A 192.0.2.80\n", false),
        ("$GENERATE 1-2 h$ A 192.0.2.$\n", true),
        ("$GENERATE 1-2 h$ 60 A 192.0.2.$\n", false),
        ("", false),
    ] {
        let text = format!(
            "@ 3600 SOA a b 7 2 3 4 5\n@ 3600 NS ns.example.net.\nmail 60 A 192.0.2.25\n{behind}"
        );
        let folder = folder(&text);
        if refuses {
            refused(
                folder.path(),
                &["--ttl", "90"],
                1,
                "would inherit the TTL given",
            );
            // What the lines behind have anyway may be said.
            done(folder.path(), &["--ttl", "60"], &[]);
        } else {
            done(folder.path(), &["--ttl", "90"], &[" 90 IN TLSA"]);
        }
        assert!(zone(folder.path()).contains(behind), "{text}");
    }
}

#[test]
fn without_a_default_a_new_set_states_no_ttl_that_others_would_inherit() {
    let text = ZONE
        .replace("$TTL 1h\n", "")
        .replace("@ IN SOA", "@ 3600 IN SOA");
    let text = text.replace("_25._tcp.mail IN", "_25._tcp.mail 60 IN");
    let folder = folder(format!("{text}www A 192.0.2.1\n"));
    let usual = [
        "patch",
        "example.com.zone",
        "new.pem",
        "--host",
        "mail.example.com",
        "--port",
        "465",
        "--state",
        "state",
    ];
    assert_eq!(danewright(folder.path(), &usual).status.code(), Some(0));
    let patched = zone(folder.path());
    let line = patched
        .lines()
        .find(|line| line.starts_with("_465._tcp.mail"))
        .unwrap();
    assert!(!line.contains(" 60 "), "{patched}");
    refused(
        folder.path(),
        &["--port", "587", "--ttl", "300"],
        1,
        "has no $TTL",
    );
    // Of two TTLs in one set, BIND hands on the first and others the last.
    let two = format!("{text}              300 IN TLSA 3 1 1 aa\nwww A 192.0.2.1\n");
    fs::write(folder.path().join("example.com.zone"), two).unwrap();
    refused(
        folder.path(),
        &["--port", "465"],
        1,
        "put a $TTL line at the top of the zone",
    );
}

#[test]
fn prune_can_remove_what_patch_wrote() {
    // Three TTLs in one set: servers disagree on what is handed on behind it.
    let text = "@ 86400 SOA a b 7 2 3 4 5\n@ 86400 NS ns.example.net.\nmail 456 A 192.0.2.1\nmail 123 A 192.0.2.2\nmail 789 A 192.0.2.3\n";
    let old = KEY_OF_OLD;
    let folder = folder(text);
    fs::write(folder.path().join("old.pem"), old).unwrap();
    let arguments = [
        "patch",
        "example.com.zone",
        "old.pem",
        "--host",
        "mail.example.com",
        "--port",
        "25",
        "--state",
        "state",
    ];
    assert_eq!(
        said(&danewright(folder.path(), &arguments)),
        (Some(0), String::new())
    );
    done(folder.path(), &[], &[]);
    let (status, stderr) = said(&prune(folder.path(), &["--keep", "new.pem"]));
    assert_eq!(status, Some(0), "{stderr}");
    let one = format!(
        "{}_25._tcp.mail 789 TLSA 3 1 1 {NEW}\n",
        text.replace(" 7 ", " 10 ")
    );
    assert_eq!(zone(folder.path()), one);
    // With an heir behind, no TTL would be sure.
    let heir = super::folder(format!("{text}www A 192.0.2.80\n"));
    refused(
        heir.path(),
        &[],
        1,
        "put a $TTL line at the top of the zone",
    );
}

/// Another key than that of the other tests.
const KEY_OF_OLD: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----
";

#[test]
fn a_ttl_that_lint_would_warn_of_is_not_taken_over_without_a_word() {
    for (ttl, code) in [
        ("0", "short-ttl"),
        ("1", "short-ttl"),
        ("172800", "long-ttl"),
    ] {
        for text in [
            with("").replace("mail IN A", &format!("mail {ttl} IN A")),
            with("").replace("$TTL 1h", &format!("$TTL {ttl}")),
            EXPORT.replace("\t60\t", &format!("\t{ttl}\t")),
        ] {
            let output = patch(folder(&text).path(), &["--json", "--dry-run"]);
            let json: Value = serde_json::from_slice(&output.stdout).unwrap();
            let codes: Vec<_> = json["findings"]
                .as_array()
                .unwrap()
                .iter()
                .map(|note| note["code"].clone())
                .collect();
            assert!(codes.contains(&code.into()), "{text}: {json}");
            assert!(
                !done(folder(&text).path(), &["--ttl", ttl], &[]).contains("take the TTL"),
                "{text}"
            );
        }
    }
}

#[test]
fn a_zone_with_a_digest_of_itself_is_refused_however_that_is_written() {
    for line in [
        "@ ZONEMD 7 1 1 aa",
        "@ NS ns1\n\tIN TYPE63 7 1 1 aa",
        "@ zonemd \\# 7 00000007010155",
        "@ TYPE63 \\# 7 00000007010155",
        "$ORIGIN com.\nexample ZONEMD 7 1 1 aa",
        "sub ZONEMD 7 1 1 aa\n@ ZONEMD 7 1 1 aa",
    ] {
        let folder = folder(format!("{ZONE}{line}\n"));
        refused(
            folder.path(),
            &[],
            1,
            "has a digest of its records (ZONEMD)",
        );
        refused(folder.path(), &[], 1, "example.com.zone:");
    }
    let above = |line: &str| ZONE.replace("$TTL 1h\n", &format!("$TTL 1h\n{line}\n"));
    refused(
        folder(above("@ ZONEMD 7 1 1 aa")).path(),
        &[],
        1,
        "example.com.zone:3:",
    );
    // Elsewhere it is a record like any other (RFC 8976 section 2).
    for line in [
        "sub ZONEMD 7 1 1 aa",
        "a ZONEMD 7 1 1 aa\nb TYPE63 \\# 7 00000007010155\n\tZONEMD 7 1 2 aa",
    ] {
        for text in [format!("{ZONE}{line}\n"), above(line)] {
            done(folder(text).path(), &[], &[]);
        }
        refused(
            folder(above(&format!("{line}\n@ ZONEMD 7 1 1 aa"))).path(),
            &[],
            1,
            "has a digest",
        );
    }
}

#[test]
fn types_of_tomorrow_are_read_and_those_of_providers_told_apart() {
    for line in [
        "@ HHIT gwppQcYgAQA=",
        "@ BRID owAAAYgA",
        "@ UNECE KGM 1",
        "@ ISO 978 1",
        "@ HTTPS 1 . oots=x",
        "@ DSYNC CDS NOTIFY 5359 ns1",
        "@ CLA \"a\"",
        "@ IPN 974848.4",
        "sub DELEG server-ipv4=192.0.2.1",
        "sub DELEGPARAM server-name=ns.example.net.",
        "@ TYPE65280 \\# 1 00",
    ] {
        done(
            folder(format!("{ZONE}{line}\n")).path(),
            &["--port", "465"],
            &[],
        );
    }
    for (line, says) in [
        (
            "www NEWTYPE x",
            "a type that is newer than this program can be written as TYPE and its number",
        ),
        ("www ALIAS x.example.net.", "of a DNS provider"),
        ("www 60 IN ANAME x.example.net.", "of a DNS provider"),
        (
            "@ 60 AWS ALIAS A x.example.net. zone false",
            "of a DNS provider",
        ),
        ("# the web server", "comments begin with ;"),
        ("#", "comments begin with ;"),
        ("www A 192.0.2.80 # the web server", "comments begin with ;"),
        ("www TXT a\n#x", "comments begin with ;"),
    ] {
        refused(folder(format!("{ZONE}{line}\n")).path(), &[], 2, says);
    }
}

#[test]
fn a_generate_refuses_only_the_names_that_it_makes() {
    for line in [
        "$GENERATE 1-100 $ A 198.51.100.$",
        "$GENERATE 1-100 mail A 192.0.2.$",
        "$GENERATE 1-3 @ NS ns$.example.net.",
        "$GENERATE 1-24 _$._tcp.mail CNAME x",
        "$GENERATE 0-255 ${0,2,x} NS ns.example.net.",
        "$GENERATE 1-3 ${0,3,n}.mail NS ns.example.net.",
    ] {
        done(folder(with(&format!("{line}\n"))).path(), &[], &[]);
    }
    for (line, says) in [
        (
            "$GENERATE 1-25 _$._tcp.mail CNAME x",
            "makes records at the name",
        ),
        (
            "$GENERATE 1-1 mail NS ns$.example.net.",
            "mail.example.com. is delegated",
        ),
        (
            "$GENERATE 1-1 _tcp.mail DNAME x$.example.net.",
            "has a DNAME",
        ),
        (
            "$GENERATE 1-1 *._tcp.mail TLSA \"3 1 1 aa\"",
            "the wildcard *._tcp.mail.example.com.",
        ),
    ] {
        refused(folder(with(&format!("{line}\n"))).path(), &[], 1, says);
    }
    for line in [
        "$GENERATE 2147483646-2147483647 h${1} A 192.0.2.1",
        "$GENERATE 1-300 h$ A 192.0.2.$",
    ] {
        refused(
            folder(with(&format!("{line}\n"))).path(),
            &[],
            2,
            "$GENERATE",
        );
    }
}

#[test]
fn the_report_names_the_file_that_got_the_record_and_who_may_share_it() {
    let folder = folder(format!(
        "{}$INCLUDE hosts.inc\n",
        with("").replace("mail IN A 192.0.2.25\n", "")
    ));
    fs::write(folder.path().join("hosts.inc"), "mail A 192.0.2.25\n").unwrap();
    let output = patch(folder.path(), &["--json", "--dry-run"]);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        json["edited"],
        serde_json::json!(["example.com.zone", "./hosts.inc"])
    );
    done(
        folder.path(),
        &[],
        &[
            "example.com.zone and ./hosts.inc written, serial 7 -> 8",
            "hosts.inc is an included file: another zone or view",
        ],
    );
}

#[test]
fn a_blank_owner_behind_an_include_is_a_note() {
    let text = |line| {
        format!(
            "{}www A 192.0.2.80\n$INCLUDE h.inc\n; comment\n{line}\nz A 192.0.2.1\n",
            with("")
        )
    };
    for (line, noted) in [("\tTXT \"whose\"", true), ("www TXT \"whose\"", false)] {
        let folder = folder(text(line));
        fs::write(folder.path().join("h.inc"), "ftp A 192.0.2.21\n").unwrap();
        let all = done(folder.path(), &[], &[]);
        assert_eq!(
            all.contains("example.com.zone:10:2: the owner is blank behind an $INCLUDE"),
            noted,
            "{all}"
        );
    }
}

#[test]
fn an_soa_whose_owner_lacks_its_dot_gets_that_as_its_hint() {
    let text = EXPORT.replacen("example.com.", "example.com", 1);
    for more in [&[][..], &["--origin", "example.com"]] {
        let folder = folder(&text);
        refused(
            folder.path(),
            more,
            2,
            "the owner of the SOA record lacks its final dot",
        );
        refused(folder.path(), more, 2, "example.com.zone:1:1");
    }
}

#[test]
fn a_classless_reverse_zone_is_a_zone() {
    let folder = folder("");
    let text = "$TTL 1h\n@ SOA ns.example.com. h.example.com. 1 2 3 4 5\n@ NS ns.example.com.\n1 PTR a.example.com.\n";
    fs::write(folder.path().join("db.r"), text).unwrap();
    let lint = danewright(
        folder.path(),
        &["lint", "db.r", "--origin", "0/25.2.0.192.in-addr.arpa"],
    );
    assert_eq!(said(&lint), (Some(0), String::new()));
    let arguments = [
        "--origin",
        "0/25.2.0.192.in-addr.arpa",
        "--owner",
        "_dane.0/25.2.0.192.in-addr.arpa",
        "--state",
        "s",
    ];
    let patch = danewright(
        folder.path(),
        &[&["patch", "db.r", "new.pem"][..], &arguments].concat(),
    );
    assert_eq!(said(&patch), (Some(0), String::new()));
    assert!(
        fs::read_to_string(folder.path().join("db.r"))
            .unwrap()
            .ends_with(&format!("_dane TLSA 3 1 1 {NEW}\n"))
    );
}

#[test]
fn what_no_server_loads_is_refused_or_noted() {
    for (line, says) in [
        (
            "s SVCB 1 . unknown=wha",
            "the service parameter unknown, which is not registered",
        ),
        ("s HTTPS 1 . mandatory=unknown unknown=1", "not registered"),
        ("h HIP \\# 9 04020002aaaaaaaabb", "do not make the fields"),
        ("h TYPE55 \\# 4 00020000", "do not make the fields"),
        (
            "_25._tcp.mail TYPE52 \\# 3 030101",
            "do not make the fields",
        ),
        ("x TLSA \\# 3 030101", "do not make the fields"),
        (
            "t TXT \"two\nlines\"",
            "a quoted string goes over a line end, for which BIND refuses the zone",
        ),
        (
            "t TXT ( \"two\nlines\" )",
            "a quoted string goes over a line end",
        ),
    ] {
        refused(folder(format!("{ZONE}{line}\n")).path(), &[], 2, says);
        refused(
            folder(format!("{ZONE}{line}\n")).path(),
            &[],
            2,
            "example.com.zone:8:",
        );
    }
    for line in [
        "s SVCB 1 . ohttp",
        "s SVCB 1 . key65000=wha",
        "t TXT ( \"two\"\n \"strings\" )",
        "x TLSA \\# 4 030101aa",
    ] {
        done(
            folder(format!("{ZONE}{line}\n")).path(),
            &["--port", "465"],
            &[],
        );
    }
    for line in [
        "q CNAME ns1\nq TXT x",
        "ns1 CNAME mail",
        "q CNAME a\nq CNAME b",
        "q CNAME a\nQ.EXAMPLE.com. TXT x",
    ] {
        done(
            folder(format!("{ZONE}{line}\n")).path(),
            &["--port", "465"],
            &["is an alias and has another record", "refuse the zone"],
        );
    }
}

#[test]
fn a_file_that_a_program_writes_says_so() {
    let text = format!("; *** This file is automatically generated by Plesk ***\n{ZONE}");
    done(
        folder(text).path(),
        &["--port", "465"],
        &["example.com.zone:1: the file says that a program writes it"],
    );
}

#[test]
fn a_dump_by_a_server_gets_one_line_under_the_right_origin() {
    let text = "$ORIGIN .\n$TTL 3600\t; 1 hour\nexample.com\t\tIN SOA\tns1.example.com. root.example.com. (\n\t\t\t\t7 ; serial\n\
                \t\t\t\t3600 600 1209600 3600 )\n\t\t\tNS\tns1.example.com.\n$ORIGIN example.com.\n$TTL 180\nlast\t\t\tA\t192.0.2.9\n\
                $TTL 300000\nmail\t\t\tA\t192.0.2.25\n$TTL 3600\nns1\t\t\tA\t192.0.2.53\n";
    let folder = folder(text);
    done(folder.path(), &[], &["take the TTL 300000"]);
    let line = format!("_25._tcp.mail\t\tTLSA\t3 1 1 {NEW}\n$TTL 3600\nns1");
    assert_eq!(
        zone(folder.path()),
        text.replace("\t7 ;", "\t8 ;")
            .replace("$TTL 3600\nns1", &line)
    );
}
