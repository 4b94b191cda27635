//! `prune` does not believe everything: without the live services it asks the state
//! whether `verify` found the kept keys safe.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{ZONE, files, folder, patch, prune, prune_cleared};

const KEEP: [&str; 2] = ["--keep", "new.pem"];

/// Refused with status 4, and nothing changed.
fn not_yet(folder: &Path, more: &[&str]) -> String {
    let before = files(folder);
    let output = prune_cleared(folder, &[&KEEP[..], more].concat());
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(
        said.starts_with(
            "error: verify has not found the key of new.pem safe at _25._tcp.mail.example.com."
        ),
        "{said}"
    );
    assert!(
        said.contains("--force") && said.contains("until it says safe"),
        "{said}"
    );
    assert_eq!(files(folder), before);
    said
}

/// Changes the state of the one key change that there is.
fn change(folder: &Path, how: impl FnOnce(&mut Value)) {
    let path = folder.join("state/example.com.json");
    let mut document: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    how(&mut document["owners"]["_25._tcp.mail.example.com."]["changes"][0]);
    fs::write(path, document.to_string()).unwrap();
}

#[test]
fn a_key_that_verify_never_cleared_takes_no_record_away() {
    let folder = folder(ZONE);
    let path = folder.path();
    assert_eq!(patch(path, &[]).status.code(), Some(0));
    not_yet(path, &[]);
    not_yet(path, &["--dry-run"]);
    // A state that is lost or damaged has cleared nothing.
    let document = fs::read(path.join("state/example.com.json")).unwrap();
    fs::write(path.join("state/example.com.json"), "{").unwrap();
    assert!(not_yet(path, &[]).contains("the state is damaged"));
    fs::remove_file(path.join("state/example.com.json")).unwrap();
    not_yet(path, &[]);
    fs::write(path.join("state/example.com.json"), document).unwrap();
    // One that fell back since is not cleared any more.
    change(path, |change| {
        change["found_safe_at"] = "2026-11-21T12:00:00Z".into();
        change["disagreed_at"] = "2026-11-21T12:00:01Z".into();
    });
    not_yet(path, &[]);
    // Nor is one of another key.
    change(path, |change| change["disagreed_at"] = Value::Null);
    let expected = document_of(path)["expected"].clone();
    change(path, |change| {
        change["expected"] = serde_json::json!([format!("3 1 1 {}", "ab".repeat(32))])
    });
    not_yet(path, &[]);
    change(path, |change| change["expected"] = expected);
    let output = prune_cleared(path, &KEEP);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    // Where nothing would go, nothing has to be cleared.
    fs::remove_dir_all(path.join("state")).unwrap();
    assert_eq!(prune_cleared(path, &KEEP).status.code(), Some(0));
}

fn document_of(folder: &Path) -> Value {
    let document: Value =
        serde_json::from_slice(&fs::read(folder.join("state/example.com.json")).unwrap()).unwrap();
    document["owners"]["_25._tcp.mail.example.com."]["changes"][0].clone()
}

#[test]
fn what_is_remembered_of_a_ttl_is_the_largest_that_any_server_reads() {
    // BIND hands the SOA's 60 on, Knot takes 3600.
    let without = ZONE
        .replace("$TTL 1h\n", "")
        .replace("@ IN SOA", "@ 60 IN SOA");
    let folder = folder(without);
    assert_eq!(patch(folder.path(), &[]).status.code(), Some(0));
    assert_eq!(document_of(folder.path())["old"]["ttl"], 3600);
}

#[test]
fn whoever_knows_better_says_so() {
    let folder = folder(ZONE);
    assert_eq!(patch(folder.path(), &[]).status.code(), Some(0));
    assert_eq!(prune(folder.path(), &KEEP).status.code(), Some(0));
}
