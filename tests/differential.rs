//! Every file in `zones/` is patched and pruned, and BIND's canonical text of
//! it may differ by the records asked for and the serial, nothing else. What
//! NSD and Knot loaded before, they load after.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const PORTS: [&str; 3] = ["25", "465", "587"];

fn run(program: &str, arguments: &[&str], folder: &Path) -> Output {
    let output = Command::new(program).args(arguments).current_dir(folder).env("HOME", folder).output();
    output.unwrap_or_else(|error| panic!("{program}: {error}"))
}

fn danewright(arguments: &[&str], folder: &Path) {
    let output = run(env!("CARGO_BIN_EXE_danewright"), arguments, folder);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The zone as BIND reads it, a record a line, without the serial.
fn canonical(zone: &str, folder: &Path) -> BTreeSet<String> {
    let output = run("named-compilezone", &["-q", "-k", "ignore", "-s", "full", "-o", "-", zone, "zone"], folder);
    assert!(output.status.success(), "{zone}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with(';')).map(|line| {
        let mut words: Vec<&str> = line.split_whitespace().collect();
        if words[3] == "SOA" {
            words[6] = "SERIAL";
        }
        // Owners are compared as DNS compares names.
        words.join(" ").to_ascii_lowercase()
    });
    lines.collect()
}

/// Which of the other servers' checkers take the file.
fn accepted(zone: &str, folder: &Path) -> [bool; 2] {
    let nsd = run("nsd-checkzone", &[zone, "zone"], folder).status.success();
    let knot = run("kzonecheck", &["-o", zone, "zone"], folder).status.success();
    [nsd, knot]
}

#[test]
#[ignore = "needs named-compilezone, nsd-checkzone, kzonecheck"]
fn bind_reads_the_same_zone_with_and_without_the_records_asked_for() {
    let zones = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("zones");
    let key = zones.join("new-cert.pem");
    let key = key.to_str().unwrap();
    let mut files: Vec<PathBuf> = fs::read_dir(&zones).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "zone"));
    assert!(files.len() >= 10, "the zones are missing");
    for file in files {
        let zone = file.file_stem().unwrap().to_str().unwrap();
        let place = tempfile::tempdir().unwrap();
        let folder = place.path();
        fs::copy(&file, folder.join("zone")).unwrap();
        let host = format!("mail.{zone}");
        let (before, servers) = (canonical(zone, folder), accepted(zone, folder));
        let mut usual = vec!["--origin", zone, "--host", &host, "--state", "state"];
        for port in PORTS {
            usual.extend(["--port", port]);
        }

        danewright(&[&["patch", "zone", key], &usual[..]].concat(), folder);
        let with = canonical(zone, folder);
        assert!(before.is_subset(&with), "{zone}: a record is gone");
        let added: Vec<&String> = with.difference(&before).collect();
        assert_eq!(added.len(), PORTS.len(), "{zone}: {added:#?}");
        for port in PORTS {
            let owner = format!("_{port}._tcp.{host}. ");
            assert!(
                added.iter().any(|line| line.starts_with(&owner) && line.contains(" in tlsa 3 1 1 ")),
                "{zone}: {added:#?}"
            );
        }
        assert_eq!(accepted(zone, folder), servers, "{zone}: another server reads it no more");

        danewright(&[&["prune", "zone", "--no-probe", "--keep", key], &usual[..]].concat(), folder);
        let after = canonical(zone, folder);
        assert!(after.is_subset(&with), "{zone}: pruning added something");
        let stale: Vec<&String> = with.difference(&after).collect();
        assert!(stale.iter().all(|line| line.contains(" in tlsa ") && before.contains(*line)), "{zone}: {stale:#?}");
        assert!(added.iter().all(|line| after.contains(*line)), "{zone}: the key in use lost its record");
        assert_eq!(accepted(zone, folder), servers, "{zone}: another server reads it no more");
    }
}
