//! `patch` and `prune` at the command line: what they write, and that whatever
//! they refuse leaves every file as it was.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops where it fails"
)]

mod before;
mod cleared;
mod edges;
mod owners;
mod refusals;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

const KEY: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAErf7LCRiQ0/cLK4CBdfmHYX1fmTsz
uY8m7pxd4+juXH3o/QKG04l3loYwlsNkzno4FoDKEJqJNmxstQTQH4eTvw==
-----END PUBLIC KEY-----
";

const DIGEST: &str = "8bd1da95272f7fa4ffb24137fc0ed03aae67e5c4d8b3c50734e1050a7920b922";

/// The digest of that key.
const NEW: &str = "70ed55a693d4776f634f0df7f859ce58f56ee75022e30c7f694ac71126b1633f";

const ZONE: &str = "$ORIGIN example.com.
$TTL 1h
@ IN SOA ns1 hostmaster 7 7200 1800 1209600 300
@ IN NS ns1
ns1 IN A 192.0.2.53
mail IN A 192.0.2.25
_25._tcp.mail IN TLSA 3 1 1 8bd1da95272f7fa4ffb24137fc0ed03aae67e5c4d8b3c50734e1050a7920b922
";

fn folder(zone: impl AsRef<[u8]>) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("example.com.zone"), zone).unwrap();
    fs::write(folder.path().join("new.pem"), KEY).unwrap();
    folder
}

fn danewright(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_danewright"));
    command
        .args(arguments)
        .current_dir(folder)
        .env("HOME", folder)
        .env_remove("XDG_STATE_HOME");
    command.output().unwrap()
}

fn patch(folder: &Path, more: &[&str]) -> Output {
    let usual = [
        "patch",
        "example.com.zone",
        "new.pem",
        "--host",
        "mail.example.com",
        "--port",
        "25",
        "--state",
        "state",
    ];
    danewright(folder, &[&usual, more].concat())
}

/// Whatever `verify` has found.
fn prune(folder: &Path, more: &[&str]) -> Output {
    prune_cleared(folder, &[&["--force"], more].concat())
}

fn prune_cleared(folder: &Path, more: &[&str]) -> Output {
    let usual = [
        "prune",
        "example.com.zone",
        "--host",
        "mail.example.com",
        "--port",
        "25",
        "--state",
        "state",
        "--no-probe",
    ];
    danewright(folder, &[&usual, more].concat())
}

/// Every file of a folder, the state aside.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let named = entries.filter(|path| path.is_file()).map(|path| {
        (
            path.file_name().unwrap().to_str().unwrap().to_owned(),
            fs::read(&path).unwrap(),
        )
    });
    named.collect()
}

fn zone(folder: &Path) -> String {
    fs::read_to_string(folder.join("example.com.zone")).unwrap()
}

/// Runs `patch`, which must refuse with this status, say this, and change nothing.
fn refused(folder: &Path, more: &[&str], status: i32, says: &str) {
    let before = files(folder);
    let output = patch(folder, more);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(status), "{says}: {stderr}");
    assert!(stderr.contains(says), "wanted {says:?}: {stderr}");
    assert_eq!(files(folder), before, "{says}: a file changed");
    assert!(output.stdout.is_empty(), "{says}");
}

#[test]
fn the_record_joins_the_old_one_and_the_serial_moves_once() {
    let folder = folder(ZONE);
    let output = patch(folder.path(), &["--port", "465"]);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let (old, new) = (ZONE.lines().collect::<Vec<_>>(), zone(folder.path()));
    let lines: Vec<&str> = new.lines().collect();
    assert_eq!(lines[2], old[2].replace(" 7 ", " 8 "));
    assert_eq!(lines[..2], old[..2]);
    assert_eq!(lines[3..7], old[3..]);
    assert!(
        lines[7].starts_with("_25._tcp.mail IN TLSA 3 1 1 ")
            && lines[8].starts_with("_465._tcp.mail IN TLSA 3 1 1 ")
    );
    assert_eq!(lines.len(), 9);
    let again = patch(folder.path(), &["--port", "465"]);
    assert_eq!(again.status.code(), Some(0));
    assert_eq!(zone(folder.path()), new, "a second run finds nothing to do");
    assert_eq!(files(folder.path()).len(), 2, "nothing is left behind");
}

#[test]
fn a_dry_run_prints_the_diff_and_writes_nothing() {
    let folder = folder(ZONE);
    let before = files(folder.path());
    let output = patch(folder.path(), &["--dry-run"]);
    assert_eq!(output.status.code(), Some(0));
    let diff = String::from_utf8(output.stdout).unwrap();
    assert!(
        diff.starts_with("--- example.com.zone\n+++ example.com.zone\n@@ "),
        "{diff}"
    );
    assert!(diff.contains("\n+_25._tcp.mail IN TLSA 3 1 1 "), "{diff}");
    assert_eq!(files(folder.path()), before);
    assert!(
        !folder.path().join("state").exists(),
        "nothing is remembered of what was not done"
    );
}

#[test]
fn json_is_one_document_on_success_and_on_failure() {
    let folder = folder(ZONE);
    let output = patch(folder.path(), &["--json", "--dry-run"]);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (
            &document["schema"],
            &document["command"],
            &document["status"]
        ),
        (&1.into(), &"patch".into(), &0.into())
    );
    assert_eq!(document["added"][0]["owner"], "_25._tcp.mail.example.com.");
    assert_eq!(document["serial"]["after"], 8);
    let output = patch(folder.path(), &["--json", "--origin", "example.org"]);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["status"], 2);
    assert!(
        document["error"]["message"]
            .as_str()
            .unwrap()
            .contains("example.com."),
        "{document}"
    );
    assert!(output.stderr.is_empty());
}

#[test]
fn a_check_that_fails_keeps_the_old_file_and_a_reload_sees_the_new_one() {
    let folder = folder(ZONE);
    refused(
        folder.path(),
        &["--check", "grep -q absent {file}"],
        1,
        "the check refused the new file",
    );
    refused(
        folder.path(),
        &["--check", "no-such-program {file}"],
        2,
        "there is no program no-such-program",
    );
    let output = patch(
        folder.path(),
        &[
            "--check",
            "grep -c TLSA {file}",
            "--check",
            "test {zone} = example.com",
            "--reload",
            "cp {file} seen",
            "--backup",
            ".bak",
        ],
    );
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let files = files(folder.path());
    assert_eq!(files["seen"], files["example.com.zone"]);
    assert_eq!(files["example.com.zone.bak"], ZONE.as_bytes());
    let output = prune(folder.path(), &["--keep", "new.pem", "--reload", "false"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        !zone(folder.path()).contains(DIGEST),
        "the file was written before the reload failed"
    );
    assert!(String::from_utf8_lossy(&output.stderr).contains("the zone file is written"));
}

#[test]
fn mode_and_links_survive_and_a_changed_file_is_not_overwritten() {
    let folder = folder(ZONE);
    let path = folder.path().join("example.com.zone");
    fs::rename(&path, folder.path().join("real")).unwrap();
    symlink("real", &path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    refused(
        folder.path(),
        &["--check", "touch real"],
        1,
        "changed while it was being edited",
    );
    assert_eq!(
        patch(folder.path(), &["--origin", "example.com"])
            .status
            .code(),
        Some(0)
    );
    assert!(path.is_symlink());
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o640
    );
    assert!(zone(folder.path()).contains(" 8 "));
}

#[test]
fn output_elsewhere_leaves_the_zone_alone() {
    let folder = folder(ZONE);
    let output = patch(folder.path(), &["--output", "-"]);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.starts_with("$ORIGIN example.com.\n") && text.lines().count() == 8,
        "{text}"
    );
    assert_eq!(zone(folder.path()), ZONE);
    assert_eq!(
        patch(folder.path(), &["--output", "copy"]).status.code(),
        Some(0)
    );
    assert_eq!(
        fs::read_to_string(folder.path().join("copy")).unwrap(),
        text
    );
    assert_eq!(zone(folder.path()), ZONE);
    refused(
        folder.path(),
        &["--output", "./example.com.zone"],
        2,
        "the output is the zone itself",
    );
    for (flag, value) in [
        ("--check", "false"),
        ("--reload", "false"),
        ("--backup", ".bak"),
    ] {
        refused(
            folder.path(),
            &["--output", "other", flag, value],
            2,
            "cannot be used with",
        );
    }
}

#[test]
fn an_included_file_and_the_serial_in_another_change_together() {
    let folder = folder(ZONE.replace("_25._tcp", "$INCLUDE tlsa.inc\n;_25._tcp"));
    fs::write(
        folder.path().join("tlsa.inc"),
        format!("_25._tcp.mail TLSA 3 1 1 {DIGEST}"),
    )
    .unwrap();
    let output = patch(folder.path(), &["--json"]);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["status"], 0, "{document}");
    assert_eq!(document["files"].as_array().unwrap().len(), 2);
    assert!(zone(folder.path()).contains(" 8 "));
    assert_eq!(
        fs::read_to_string(folder.path().join("tlsa.inc"))
            .unwrap()
            .lines()
            .count(),
        2
    );
    assert_eq!(files(folder.path()).len(), 3, "nothing is left behind");
}

#[test]
fn prune_removes_what_no_kept_key_matches_and_never_the_last_match() {
    let folder = folder(ZONE);
    let before = files(folder.path());
    let output = prune(folder.path(), &["--keep", "new.pem"]);
    assert_eq!(
        output.status.code(),
        Some(1),
        "the key in use has no record yet"
    );
    assert!(String::from_utf8_lossy(&output.stderr).contains("matches a key in use"));
    assert_eq!(prune(folder.path(), &[]).status.code(), Some(2));
    assert_eq!(files(folder.path()), before);
    assert_eq!(patch(folder.path(), &[]).status.code(), Some(0));
    let output = prune(folder.path(), &["--keep", "new.pem"]);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = zone(folder.path());
    assert!(
        !text.contains(DIGEST) && text.contains("TLSA 3 1 1") && text.contains(" 9 "),
        "{text}"
    );
    assert_eq!(
        prune(folder.path(), &["--keep", "new.pem"]).status.code(),
        Some(0)
    );
    assert_eq!(zone(folder.path()), text);
}

#[test]
fn removing_the_first_of_two_keeps_the_owner_of_the_second() {
    let folder = folder(ZONE);
    assert_eq!(patch(folder.path(), &[]).status.code(), Some(0));
    // The second record and a text inherit the owner of the first.
    let text = zone(folder.path()).replacen("_25._tcp.mail IN TLSA", "_25._tcp.mail IN  TLSA", 1);
    let (head, tail) = text.split_once("\n_25._tcp.mail IN TLSA").unwrap();
    let inherited = format!(
        "{head}\n ; a remark\n              IN TLSA{}  IN TXT \"x\"\n",
        tail
    );
    fs::write(folder.path().join("example.com.zone"), inherited).unwrap();
    assert_eq!(
        prune(folder.path(), &["--keep", "new.pem"]).status.code(),
        Some(0)
    );
    let text = zone(folder.path());
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[7].starts_with("_25._tcp.mail IN TLSA 3 1 1 "),
        "{text}"
    );
    assert_eq!(lines[6], " ; a remark");
    assert_eq!(lines[8], "  IN TXT \"x\"");
}

#[test]
fn a_record_that_inherits_its_owner_across_an_include_is_given_it() {
    let kept = "3 1 1 c018e29f48d0af4e0459834e1dcc34a26e0eadaca789da4ba378fd2743f8e211";
    let folder = folder(format!("{ZONE}$INCLUDE sub\n  TLSA {kept}\n"));
    fs::write(
        folder.path().join("sub"),
        "www A 192.0.2.1\nw2 A 192.0.2.2\n",
    )
    .unwrap();
    fs::copy(
        concat!(env!("CARGO_MANIFEST_DIR"), "/zones/new-cert.pem"),
        folder.path().join("kept.pem"),
    )
    .unwrap();
    let output = prune(folder.path(), &["--keep", "kept.pem"]);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = zone(folder.path());
    assert!(
        text.ends_with(&format!("$INCLUDE sub\n_25._tcp.mail  TLSA {kept}\n")),
        "{text}"
    );
}

#[test]
fn the_soa_names_the_zone_where_the_files_name_says_another() {
    let folder = folder("");
    let zone = ZONE
        .replace("$ORIGIN example.com.\n", "")
        .replace("@ IN SOA", "example.com. IN SOA");
    fs::write(
        folder.path().join("pri.example.com"),
        zone.replace(
            "_25._tcp.mail IN TLSA",
            "_25._tcp.mail IN CNAME x.example.net. ;",
        ),
    )
    .unwrap();
    let run = || {
        danewright(
            folder.path(),
            &[
                "patch",
                "pri.example.com",
                "new.pem",
                "--host",
                "mail.example.com",
                "--port",
                "25",
                "--state",
                "state",
            ],
        )
    };
    let output = run();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("is an alias"));
    fs::write(folder.path().join("pri.example.com"), zone).unwrap();
    assert_eq!(run().status.code(), Some(0));
    let text = fs::read_to_string(folder.path().join("pri.example.com")).unwrap();
    assert!(
        text.lines()
            .last()
            .unwrap()
            .starts_with("_25._tcp.mail IN TLSA 3 1 1 "),
        "{text}"
    );
}

#[test]
fn a_directive_on_a_last_line_without_a_line_end_is_an_error() {
    // NSD does not read a quoted name there, and BIND no origin.
    for line in [
        "$ORIGIN x",
        "$TTL 1h",
        "$INCLUDE sub x",
        "$INCLUDE \"sub\"",
        "$GENERATE 1-2 h$ A 192.0.2.$",
    ] {
        let folder = folder(format!("{ZONE}{line}"));
        fs::write(folder.path().join("sub"), "www A 192.0.2.1\n").unwrap();
        refused(folder.path(), &[], 2, "a directive without a line end");
        refused(folder.path(), &[], 2, "put a line end behind it");
    }
    // What follows the include may be read together with it.
    let folder = folder(format!("{ZONE}$INCLUDE middle\n"));
    fs::write(folder.path().join("middle"), "$INCLUDE sub").unwrap();
    fs::write(folder.path().join("sub"), "www A 192.0.2.1\n").unwrap();
    refused(folder.path(), &[], 2, "a directive without a line end");
}

#[test]
fn an_include_on_a_last_line_without_a_line_end_is_read_and_ended_by_what_is_added() {
    for line in ["$INCLUDE sub", "$include sub ; the hosts", "$INCLUDE sub "] {
        let folder = folder(format!("{ZONE}{line}"));
        fs::write(folder.path().join("sub"), "www A 192.0.2.1\n").unwrap();
        let output = patch(folder.path(), &[]);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{line}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let text = self::zone(folder.path());
        assert!(
            text.ends_with(&format!("{NEW}\n{line}")),
            "beside its kin: {text}"
        );
        // A host of which the zone knows nothing has its record behind the last line.
        let output = patch(folder.path(), &["--host", "new.example.com"]);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{line}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let text = self::zone(folder.path());
        let (_, behind) = text
            .split_once(&format!("{NEW}\n{line}\n"))
            .unwrap_or_else(|| panic!("{text}"));
        assert!(
            behind.starts_with("_25._tcp.new") && behind.trim_end().ends_with(NEW),
            "{text}"
        );
        assert_eq!(behind.lines().count(), 1, "{text}");
        assert_eq!(
            fs::read_to_string(folder.path().join("sub")).unwrap(),
            "www A 192.0.2.1\n"
        );
    }
}

#[test]
fn removing_the_last_line_leaves_a_directive_its_line_end() {
    let kept = "c018e29f48d0af4e0459834e1dcc34a26e0eadaca789da4ba378fd2743f8e211";
    let zone = ZONE.replace(DIGEST, kept);
    let folder = folder(format!(
        "{zone}$ORIGIN mail.example.com.\n_25._tcp TLSA 3 1 1 aa"
    ));
    fs::copy(
        concat!(env!("CARGO_MANIFEST_DIR"), "/zones/new-cert.pem"),
        folder.path().join("kept.pem"),
    )
    .unwrap();
    assert_eq!(
        prune(folder.path(), &["--keep", "kept.pem"]).status.code(),
        Some(0)
    );
    assert!(self::zone(folder.path()).ends_with("$ORIGIN mail.example.com.\n"));
}

#[test]
fn a_journal_beside_the_link_or_beside_the_file_counts() {
    let folder = folder(ZONE);
    fs::create_dir(folder.path().join("real")).unwrap();
    fs::rename(
        folder.path().join("example.com.zone"),
        folder.path().join("real/z"),
    )
    .unwrap();
    symlink("real/z", folder.path().join("example.com.zone")).unwrap();
    for journal in ["example.com.zone.jnl", "real/z.jnl"] {
        let journal = folder.path().join(journal);
        fs::write(&journal, "whatever").unwrap();
        refused(folder.path(), &[], 1, "a file in the journal's place");
        fs::remove_file(journal).unwrap();
    }
    assert_eq!(patch(folder.path(), &["--dry-run"]).status.code(), Some(0));
}

#[test]
fn an_old_set_and_a_new_one_at_the_same_place_both_go_in() {
    let zone = ZONE.replace("_25._tcp", "_465._tcp") + "  TLSA 3 1 1 aa\n";
    let folder = folder(zone);
    let output = patch(folder.path(), &["--port", "465"]);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = self::zone(folder.path());
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[8].starts_with("  TLSA 3 1 1 ") && lines[9].starts_with("_25._tcp.mail "),
        "{text}"
    );
}

#[test]
fn stale_records_apart_from_each_other_go_together() {
    let kept = "3 1 1 c018e29f48d0af4e0459834e1dcc34a26e0eadaca789da4ba378fd2743f8e211";
    let folder = folder(
        ZONE.replace(
            "_25._tcp.mail IN",
            &format!("_25._tcp.mail IN TLSA {kept}\n  IN"),
        ) + " ; c\n  TLSA 3 1 1 aa\n",
    );
    fs::copy(
        concat!(env!("CARGO_MANIFEST_DIR"), "/zones/new-cert.pem"),
        folder.path().join("kept.pem"),
    )
    .unwrap();
    let output = prune(folder.path(), &["--keep", "kept.pem"]);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = self::zone(folder.path());
    assert!(
        text.ends_with(&format!("_25._tcp.mail IN TLSA {kept}\n ; c\n")),
        "{text}"
    );
}

#[test]
fn two_zones_with_one_included_file_do_not_meet_in_it() {
    let folder = folder(format!(
        "{}$INCLUDE sub\n",
        ZONE.rsplit_once("_25._tcp").unwrap().0
    ));
    let path = folder.path();
    fs::copy(path.join("example.com.zone"), path.join("other.zone")).unwrap();
    fs::write(
        path.join("sub"),
        format!("_25._tcp.mail IN TLSA 3 1 1 {DIGEST}\n"),
    )
    .unwrap();
    let run = |zone: &str| {
        let arguments = [
            "patch",
            zone,
            "new.pem",
            "--origin",
            "example.com",
            "--host",
            "mail.example.com",
            "--port",
            "25",
        ];
        let mut command = Command::new(env!("CARGO_BIN_EXE_danewright"));
        command
            .args(arguments)
            .args(["--state", "state", "--check", "sleep 1"])
            .current_dir(path);
        command.spawn().unwrap()
    };
    let runs = [run("example.com.zone"), run("other.zone")];
    let good: Vec<bool> = runs.map(|mut run| run.wait().unwrap().success()).to_vec();
    assert_eq!(
        good,
        [true, true],
        "the second waits for the first, and finds the record there"
    );
    let sub = fs::read_to_string(path.join("sub")).unwrap();
    assert_eq!(sub.lines().count(), 2, "{sub}");
    let bumped = [
        self::zone(path),
        fs::read_to_string(path.join("other.zone")).unwrap(),
    ]
    .map(|text| text.contains(" 8 "));
    assert_eq!(bumped.iter().filter(|bumped| **bumped).count(), 1);
}

#[test]
fn the_line_ends_of_the_file_are_kept_also_where_the_last_one_is_missing() {
    let folder = folder(ZONE.trim_end().replace('\n', "\r\n"));
    assert_eq!(patch(folder.path(), &[]).status.code(), Some(0));
    let text = self::zone(folder.path());
    assert_eq!(
        (
            text.matches("\r\n").count(),
            text.matches('\n').count(),
            text.ends_with('\n')
        ),
        (7, 7, false)
    );
}

#[test]
fn what_another_server_reads_differently_is_said_once_and_the_edit_is_made() {
    let said = |zone: String| {
        let folder = folder(zone);
        let output = patch(folder.path(), &["--json"]);
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(document["status"], 0, "{document}");
        let findings = document["findings"].as_array().unwrap();
        assert!(
            findings.iter().all(|finding| finding["severity"] == "note"),
            "{document}"
        );
        let brief = |finding: &Value| {
            let place = finding["message"]
                .as_str()
                .unwrap()
                .split(": ")
                .next()
                .unwrap()
                .to_owned();
            format!("{} {place}", finding["code"].as_str().unwrap())
        };
        findings.iter().map(brief).collect::<Vec<_>>()
    };
    assert_eq!(said(ZONE.to_owned()), [""; 0], "an ordinary zone");
    assert_eq!(
        said(ZONE.replace('\n', "\r\n")),
        ["carriage-return example.com.zone:1:21"]
    );
    assert_eq!(
        said(ZONE.replace("$TTL 1h\n", "")),
        ["implicit-ttl example.com.zone:2:6"]
    );
    assert_eq!(
        said(ZONE.replace("$TTL 1h", "$ttl 1h30m")),
        [
            "lower-case-directive example.com.zone:2:1",
            "compound-ttl example.com.zone:2:6"
        ]
    );
    // Far from the records asked for, and of no account to the edit.
    assert_eq!(
        said(format!("{ZONE}www TXT \"a\"\"b\" ; old \\\n")),
        [""; 0]
    );
    let own = ZONE.replace("_25._tcp.mail IN", "_25._tcp.mail 1h30m IN");
    assert_eq!(said(own), ["compound-ttl example.com.zone:7:15"]);
    let output = patch(folder(ZONE.replace("$TTL", "$ttl")).path(), &[]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        stderr
            .matches("note: example.com.zone:2:1: the directive is in lower case")
            .count(),
        1,
        "{stderr}"
    );
}

#[test]
fn a_ttl_handed_on_is_stated_where_bind_has_another_one_before_it() {
    // BIND gives the second TXT the TTL of the first, and would hand that on to y.
    let folder = folder(format!(
        "$ORIGIN example.com.\n@ 1h SOA ns1 h 7 7200 1800 1209600 300\n@ 1h NS ns1.example.net.\n\
         x 60 TXT a\nx 3600 TXT b\n_25._tcp.mail 3600 TLSA 3 1 1 {}\ny A 192.0.2.1\n",
        "11".repeat(32)
    ));
    assert_eq!(patch(folder.path(), &[]).status.code(), Some(0));
    let text = zone(folder.path());
    // To the end, where nobody inherits from it.
    let (new, rest): (Vec<&str>, Vec<&str>) =
        text.lines().partition(|line| line.contains("70ed55a6"));
    fs::write(
        folder.path().join("example.com.zone"),
        [rest, new].concat().join("\n") + "\n",
    )
    .unwrap();
    assert_eq!(
        prune(folder.path(), &["--keep", "new.pem"]).status.code(),
        Some(0)
    );
    assert!(
        zone(folder.path()).contains("x 3600 TXT b\ny 3600 A 192.0.2.1\n"),
        "{}",
        zone(folder.path())
    );
}

#[test]
fn a_removal_that_brings_two_ttls_of_one_set_together_is_refused() {
    let zone_with = |ttl: &str| {
        let before = format!(
            "mail 60 A 192.0.2.1\n_25._tcp.mail TLSA 3 1 1 {DIGEST}\nmail {ttl} A 192.0.2.2\n"
        );
        folder(format!(
            "$ORIGIN example.com.\n$TTL 1h\n@ SOA ns1 h 7 7200 1800 1209600 300\n@ NS ns1.example.net.\n{before}\
             www A 192.0.2.3\n_25._tcp.mail TLSA 3 1 1 70ed55a693d4776f634f0df7f859ce58f56ee75022e30c7f694ac71126b1633f\n"
        ))
    };
    let other = zone_with("3600");
    let before = files(other.path());
    let output = prune(other.path(), &["--keep", "new.pem"]);
    assert_eq!(
        output.status.code(),
        Some(1),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("mail.example.com. have different TTLs")
    );
    assert_eq!(files(other.path()), before);
    assert_eq!(
        prune(zone_with("60").path(), &["--keep", "new.pem"])
            .status
            .code(),
        Some(0)
    );
}
