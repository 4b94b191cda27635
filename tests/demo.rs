//! `danewright demo`, as somebody runs it who has nothing but the binary.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop where it fails"
)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn danewright(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_danewright"));
    command
        .args(args)
        .current_dir(folder)
        .env("TMPDIR", folder)
        .env("HOME", folder.join("home"));
    for name in ["XDG_STATE_HOME", "STATE_DIRECTORY"] {
        command.env_remove(name);
    }
    command.output().unwrap()
}

fn text(octets: &[u8]) -> &str {
    std::str::from_utf8(octets).unwrap()
}

fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn each_step_ends_with_its_status_and_the_files_stay() {
    let outside = tempfile::tempdir().unwrap();
    let ran = danewright(outside.path(), &["demo", "--keep", "kept/here", "--json"]);
    assert_eq!(ran.status.code(), Some(0), "{}", text(&ran.stdout));
    assert_eq!(text(&ran.stderr), "");
    let document: Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!(
        (
            &document["schema"],
            &document["command"],
            &document["status"]
        ),
        (&1.into(), &"demo".into(), &0.into())
    );

    let steps = document["steps"].as_array().unwrap();
    let seen: Vec<(&str, Option<u64>)> = steps
        .iter()
        .map(|step| {
            let line = step["command_line"].as_str().unwrap_or("deploy");
            (
                line.split(' ').nth(1).unwrap_or(line),
                step["status"].as_u64(),
            )
        })
        .collect();
    let expected = [
        ("tlsa", Some(0)),
        ("patch", Some(0)),
        ("verify", Some(4)),
        ("verify", Some(4)),
        ("verify", Some(0)),
        ("deploy", None),
        ("prune", Some(0)),
        ("verify", Some(0)),
    ];
    assert_eq!(seen, expected);

    // Each wait has its own reason: first the secondary, then only time.
    let stdout = |step: usize| steps[step]["stdout"].as_str().unwrap();
    assert!(
        stdout(2).contains("record-missing: ns2.demo.example. 127.0.0.6:"),
        "{}",
        stdout(2)
    );
    assert!(
        stdout(2).contains("serial-behind: ns2.demo.example. 127.0.0.6:"),
        "{}",
        stdout(2)
    );
    assert!(
        !stdout(3).contains("record-missing") && stdout(3).contains("hold-not-elapsed"),
        "{}",
        stdout(3)
    );
    assert!(stdout(4).starts_with("SAFE: ") && stdout(7).starts_with("SAFE: "));

    let shook = |step: usize, which: usize, file: &str| {
        let handshake = &steps[step]["handshakes"][which];
        assert_eq!(
            (&handshake["file"], &handshake["published"]),
            (&file.into(), &true.into()),
            "{handshake}"
        );
        handshake["presented"].as_str().unwrap().to_owned()
    };
    let (old, new) = (shook(5, 0, "old.pem"), shook(5, 1, "new.pem"));
    assert_eq!(shook(7, 0, "new.pem"), new);

    let kept = outside.path().join("kept/here");
    assert_eq!(
        document["folder"].as_str().map(Path::new),
        Some(kept.canonicalize().unwrap().as_path())
    );
    let files = [
        "demo.example.zone",
        "new.key",
        "new.pem",
        "old.key",
        "old.pem",
        "root.anchor",
        "state",
    ];
    assert_eq!(names_in(&kept), files);
    let zone = fs::read_to_string(kept.join("demo.example.zone")).unwrap();
    assert!(zone.contains(&new) && !zone.contains(&old), "{zone}");
    assert!(
        zone.contains("; name servers: ns2 takes transfers from ns1\n"),
        "{zone}"
    );

    // What was shown is what the command says in that folder.
    let line: Vec<&str> = steps[0]["command_line"]
        .as_str()
        .unwrap()
        .split(' ')
        .skip(1)
        .collect();
    assert_eq!(text(&danewright(&kept, &line).stdout), stdout(0));
    assert!(stdout(0).trim_end().ends_with(&new));
}

#[test]
fn for_people_it_shows_commands_reasons_and_what_each_status_means() {
    let outside = tempfile::tempdir().unwrap();
    let ran = danewright(outside.path(), &["demo"]);
    let shown = text(&ran.stdout);
    assert_eq!(ran.status.code(), Some(0), "{shown}{}", text(&ran.stderr));
    assert!(
        !shown.contains('\u{1b}') && !shown.contains('\r'),
        "{shown}"
    );
    let told = |line: &&str| line.starts_with("$ danewright ") || line.starts_with("exit status ");
    let told: Vec<&str> = shown
        .lines()
        .filter(told)
        .map(|line| line.split(" --").next().unwrap())
        .collect();
    let (good, not_yet) = ("exit status 0: as it should be", "exit status 4: not yet");
    let verify = "$ danewright verify new.pem";
    assert_eq!(
        told,
        [
            "$ danewright tlsa new.pem",
            good,
            "$ danewright patch demo.example.zone new.pem",
            good,
            verify,
            not_yet,
            verify,
            not_yet,
            verify,
            good,
            "$ danewright prune demo.example.zone",
            good,
            verify,
            good,
        ]
    );
    for line in [
        "      SERVER             ADDRESS",
        "+_25._tcp.mail 2 IN TLSA  3 1 1 ",
        "-_25._tcp.mail 2 IN TLSA  3 1 1 ",
    ] {
        assert!(
            shown.lines().any(|found| found.starts_with(line)),
            "{line}\nin\n{shown}"
        );
    }
    // Neither the folder nor a state stays behind.
    assert_eq!(names_in(outside.path()), Vec::<String>::new());
}

#[test]
fn a_folder_with_something_in_it_is_refused_and_left_alone() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("old.key"), "mine").unwrap();
    let ran = danewright(outside.path(), &["demo", "--keep", "."]);
    assert_eq!((ran.status.code(), text(&ran.stdout)), (Some(2), ""));
    let said = "error: the folder is not empty\n  --> .\nhint: name a new folder with --keep DIR\n";
    assert_eq!(text(&ran.stderr), said);
    assert_eq!(names_in(outside.path()), ["old.key"]);
    let ran = danewright(outside.path(), &["demo", "--keep", "old.key"]);
    assert_eq!(ran.status.code(), Some(2));
    assert!(
        text(&ran.stderr).starts_with("error: this is no folder\n  --> old.key\n"),
        "{}",
        text(&ran.stderr)
    );
}
