//! The JSON documents of everything but `verify` and the demo. Keys and zones are
//! fixed, so these are compared as they are.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;

use crate::golden;
use crate::run::{danewright, folder};
use crate::{state, verdicts};

const MAIL: [&str; 4] = ["--host", "mail.example.com", "--port", "25"];
const OLD: &str = "f2e74cf0560e2824049ad60592c9ddd0857a7395bb36295fa45d5f5bb1a8734b";

/// Runs the command with `--json`, and compares the whole document.
#[track_caller]
fn same(name: &str, folder: &Path, words: &[&str], more: &[&str]) -> Value {
    assert!(NAMES.contains(&name), "{name} is missing in the list below");
    let document = danewright(folder, &[&["--json"], words, more].concat()).json();
    golden::same(
        &format!("json/{name}.txt"),
        &serde_json::to_string_pretty(&document).unwrap(),
    );
    document
}

const NAMES: [&str; 35] = [
    "spki",
    "spki-damaged",
    "spki-unreadable",
    "tlsa",
    "tlsa-delete",
    "tlsa-warned",
    "patch-dry-run",
    "patch-written",
    "patch-nothing",
    "patch-alias",
    "patch-diff",
    "patch-reload",
    "patch-reload-failed",
    "patch-check-failed",
    "patch-refused",
    "patch-unreadable",
    "patch-syntax",
    "patch-obstacle",
    "patch-elsewhere",
    "patch-state-foreign",
    "prune-done",
    "prune-nothing",
    "prune-not-cleared",
    "prune-refused",
    "prune-shared",
    "prune-unprobed",
    "lint",
    "lint-keys",
    "lint-findings",
    "lint-unreadable",
    "usage",
    "usage-argument",
    "usage-value",
    "usage-command",
    "usage-nothing",
];

#[test]
fn every_document_is_compared_by_some_test() {
    let names = [&NAMES[..], &verdicts::NAMES, &state::NAMES].concat();
    golden::nothing_else("json", &names);
}

#[test]
fn keys_and_records() {
    let folder = folder();
    let spki = |name, files: &[&str]| same(name, folder.path(), &["spki"], files);
    spki("spki", &["old.pem", "new.pem", "new.csr", "new.pub"]);
    spki("spki-damaged", &["old.pem", "damaged.pem"]);
    spki("spki-unreadable", &["missing.pem"]);
    let tlsa = |name, more: &[&str]| {
        same(
            name,
            folder.path(),
            &["tlsa", "new.pem", "--host", "mail.example.com"],
            more,
        )
    };
    tlsa("tlsa", &["--port", "25,imaps", "--ttl", "1h"]);
    tlsa("tlsa-delete", &["--port", "25", "--old", "old.pem"]);
    tlsa(
        "tlsa-warned",
        &["--port", "25", "--usage", "1", "--selector", "0"],
    );
}

#[test]
fn edits_of_a_zone() {
    let folder = folder();
    let patch = |name, zone: &str, more: &[&str]| {
        same(
            name,
            folder.path(),
            &[&["patch", zone, "new.pem", "--state", "state"], &MAIL[..]].concat(),
            more,
        )
    };
    let again = || {
        fs::copy(
            golden::path("input/example.com.zone"),
            folder.path().join("example.com.zone"),
        )
        .unwrap()
    };
    let zone = "example.com.zone";
    patch("patch-dry-run", zone, &["--dry-run"]);
    patch("patch-written", zone, &[]);
    patch("patch-nothing", zone, &[]);
    again();
    patch("patch-check-failed", zone, &["--check", "false"]);
    patch("patch-elsewhere", zone, &["--output", "other.zone"]);
    patch("patch-diff", zone, &["--diff", "--backup", ".bak"]);
    again();
    patch("patch-reload", zone, &["--reload", "true"]);
    again();
    patch("patch-reload-failed", zone, &["--reload", "false"]);
    again();
    let words = [
        "patch",
        "alias.zone",
        "new.pem",
        "--host",
        "smtp.example.com",
        "--port",
        "25",
        "--dry-run",
    ];
    same("patch-alias", folder.path(), &words, &[]);
    patch("patch-refused", "signed.zone", &[]);
    patch("patch-unreadable", "missing.zone", &[]);
    patch("patch-syntax", "odd.zone", &[]);
    let words = [
        "patch",
        zone,
        "new.pem",
        "--host",
        "mail.example.net",
        "--port",
        "25",
    ];
    same("patch-obstacle", folder.path(), &words, &[]);
    // Others may write what is remembered: the edit is done, and that is not used.
    fs::set_permissions(
        folder.path().join("state"),
        fs::Permissions::from_mode(0o777),
    )
    .unwrap();
    patch("patch-state-foreign", zone, &[]);
}

#[test]
fn records_that_go() {
    let folder = folder();
    let at = |name, zone, more: &[&str]| {
        same(
            name,
            folder.path(),
            &[&["prune", zone, "--state", "state"], &MAIL[..]].concat(),
            more,
        )
    };
    let prune = |name, more: &[&str]| at(name, "example.com.zone", more);
    prune("prune-unprobed", &[]);
    prune("prune-refused", &["--no-probe", "--keep", "new.pem"]);
    prune("prune-nothing", &["--no-probe", "--keep", "old.pem"]);
    for zone in ["example.com.zone", "alias.zone"] {
        let words = [&["patch", zone, "new.pem", "--state", "state"], &MAIL[..]].concat();
        assert_eq!(danewright(folder.path(), &words).status, 0);
    }
    at(
        "prune-shared",
        "alias.zone",
        &["--no-probe", "--keep", "new.pem"],
    );
    prune("prune-not-cleared", &["--no-probe", "--keep", "new.pem"]);
    let done = prune(
        "prune-done",
        &["--no-probe", "--keep", "new.pem", "--force", "--diff"],
    );
    assert_eq!(done["removed"][0]["record"], format!("3 1 1 {OLD}"));
}

#[test]
fn what_is_wrong_with_a_zone() {
    let folder = folder();
    let lint = |name, more: &[&str]| same(name, folder.path(), &["lint"], more);
    lint("lint", &["example.com.zone"]);
    lint(
        "lint-keys",
        &["example.com.zone", "--cert", "old.pem", "--cert", "new.pem"],
    );
    // Text that servers read differently weighs by what they make of it.
    lint("lint-findings", &["odd.zone"]);
    lint("lint-unreadable", &["missing.zone"]);
}

#[test]
fn requests_that_are_none() {
    let folder = folder();
    let usage = |name, words: &[&str]| same(name, folder.path(), words, &[]);
    usage("usage", &["verify"]);
    usage(
        "usage-argument",
        &["tlsa", "new.pem", "--hots", "mail.example.com"],
    );
    usage(
        "usage-value",
        &[
            "tlsa",
            "new.pem",
            "--host",
            "_x.example.com",
            "--port",
            "25",
        ],
    );
    usage("usage-command", &["no-such-command"]);
    usage("usage-nothing", &[]);
}
