//! The name server is told of what was written, sooner or later; and what is
//! remembered is about the zone, not about a rehearsal.

use std::fs;

use crate::place::{Place, Shape, talk};

/// How often the reload command was run.
fn told(place: &Place) -> usize {
    fs::read_to_string(place.path().join("told"))
        .unwrap_or_default()
        .lines()
        .count()
}

/// A reload that works where there is a file `up`.
const RELOAD: [&str; 2] = ["--reload", "sh -c 'echo x >>told; test -e up'"];

#[test]
fn a_reload_that_failed_is_tried_again_until_it_works() {
    let place = Place::with(&Shape::RecordsIncluded.files(0));
    let output = place.patch(&RELOAD);
    assert_eq!(
        (output.status.code(), told(&place)),
        (Some(1), 1),
        "{}",
        talk(&output)
    );
    assert!(
        talk(&output).contains("the reload failed") && talk(&output).contains("run this again")
    );
    let written = place.files()["tlsa.inc"].clone();
    let output = place.patch(&RELOAD);
    assert_eq!(
        (output.status.code(), told(&place)),
        (Some(1), 2),
        "{}",
        talk(&output)
    );
    // Whoever leaves the reload away is reminded, also when nothing else is said.
    let output = place.patch(&["--quiet"]);
    assert_eq!((output.status.code(), told(&place)), (Some(0), 2));
    assert!(
        talk(&output).contains("an earlier change has not been told"),
        "{}",
        talk(&output)
    );
    // Nothing is told by those who only look.
    place.patch(&[&RELOAD[..], &["--dry-run"]].concat());
    assert_eq!(told(&place), 2);
    fs::write(place.path().join("up"), "").unwrap();
    let output = place.patch(&RELOAD);
    assert_eq!(
        (output.status.code(), told(&place)),
        (Some(0), 3),
        "{}",
        talk(&output)
    );
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .contains("it is told now")
    );
    let output = place.patch(&RELOAD);
    assert_eq!(
        (output.status.code(), told(&place)),
        (Some(0), 3),
        "it is told once: {}",
        talk(&output)
    );
    assert_eq!(
        place.files()["tlsa.inc"],
        written,
        "nothing was written again"
    );
}

#[test]
fn what_prune_could_not_tell_patch_tells_and_a_command_that_is_missing_counts() {
    let place = Place::with(&Shape::One.files(0));
    assert_eq!(place.patch(&[]).status.code(), Some(0));
    let output = place
        .prune(&[])
        .args(["--reload", "sh -c 'exit 7'"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", talk(&output));
    let output = place.patch(&[&["--json"][..], &RELOAD].concat());
    assert_eq!(
        (output.status.code(), told(&place)),
        (Some(1), 1),
        "{}",
        talk(&output)
    );
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .contains("\"told\":false")
    );
}

#[test]
fn a_run_that_is_killed_before_the_reload_leaves_it_to_the_next_one() {
    let place = Place::with(&Shape::One.files(0));
    let output = place.patch(&["--reload", "sh -c 'kill -KILL $PPID; sleep 1'"]);
    assert!(!output.status.success());
    fs::write(place.path().join("up"), "").unwrap();
    let output = place.patch(&RELOAD);
    assert_eq!(
        (output.status.code(), told(&place)),
        (Some(0), 1),
        "{}",
        talk(&output)
    );
}

#[test]
fn a_check_that_refuses_leaves_nothing_to_tell() {
    let place = Place::with(&Shape::One.files(0));
    assert_eq!(
        place
            .patch(&[&RELOAD[..], &["--check", "false"]].concat())
            .status
            .code(),
        Some(1)
    );
    place.patch(&[]);
    let output = place.patch(&RELOAD);
    assert_eq!(
        (output.status.code(), told(&place)),
        (Some(0), 0),
        "{}",
        talk(&output)
    );
}

#[test]
fn the_journal_is_warned_of_where_named_has_not_read_the_file() {
    fn header() -> Vec<u8> {
        let numbers = [7u32, 64, 7, 900].map(u32::to_be_bytes).concat();
        [&b";BIND LOG V9.2\n\0"[..], &numbers, &[0; 868]].concat()
    }
    for (more, warned) in [
        (&[][..], true),
        (&["--reload", "true"], false),
        (&["--reload", "false"], true),
        (&["--dry-run"], false),
    ] {
        let mut files = Shape::One.files(0);
        files.insert("example.com.zone.jnl".to_owned(), header());
        let place = Place::with(&files);
        let output = place.patch(more);
        assert_eq!(
            talk(&output).contains("there is a journal"),
            warned,
            "{more:?}: {}",
            talk(&output)
        );
    }
}

/// What the state remembers of the zone.
fn remembered(place: &Place) -> String {
    fs::read_to_string(place.path().join("state/example.com.json")).unwrap_or_default()
}

#[test]
fn a_rehearsal_leaves_no_word() {
    let place = Place::with(&Shape::One.files(0));
    for rehearsal in [&["--output", "out"][..], &["--output", "-"], &["--dry-run"]] {
        assert_eq!(place.patch(rehearsal).status.code(), Some(0));
        assert_eq!(remembered(&place), "", "{rehearsal:?}");
    }
    assert_eq!(place.patch(&[]).status.code(), Some(0));
    let before = remembered(&place);
    assert!(!before.is_empty());
    // A copy of the zone, with the same state.
    fs::copy(
        place.path().join("example.com.zone"),
        place.path().join("copy"),
    )
    .unwrap();
    let pruned = |zone: &str| {
        let keep = [
            "--host",
            "mail.example.com",
            "--port",
            "25",
            "--state",
            "state",
            "--no-probe",
            "--keep",
        ];
        let words = [
            &["prune", zone, "--quiet", "--origin", "example.com"][..],
            &keep,
            &["new.pem", "--force"],
        ]
        .concat();
        let output = place.any(&[], &words).output().unwrap();
        if output.status.code() == Some(2) && talk(&output).contains("--force") {
            // Without the flag where this version has none.
            return place.any(&[], &words[..words.len() - 1]).output().unwrap();
        }
        output
    };
    let output = pruned("copy");
    assert_eq!(output.status.code(), Some(0), "{}", talk(&output));
    assert!(
        talk(&output).contains("by another file"),
        "{}",
        talk(&output)
    );
    assert_eq!(remembered(&place), before);
    // The zone's file has moved.
    fs::rename(place.path().join("copy"), place.path().join("elsewhere")).unwrap();
    fs::remove_file(place.path().join("example.com.zone")).unwrap();
    fs::write(
        place.path().join("elsewhere"),
        &Shape::One.files(0)["example.com.zone"],
    )
    .unwrap();
    let words = [
        "patch",
        "elsewhere",
        "new.pem",
        "--host",
        "mail.example.com",
        "--port",
        "465",
        "--state",
        "state",
    ];
    let output = place.any(&[], &words).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", talk(&output));
    assert!(
        remembered(&place).contains("_465._tcp"),
        "{}",
        talk(&output)
    );
}

#[test]
fn systemd_names_the_folder() {
    let place = Place::with(&Shape::One.files(0));
    let words = [
        "patch",
        "example.com.zone",
        "new.pem",
        "--host",
        "mail.example.com",
        "--port",
        "25",
    ];
    let mut command = place.any(&[], &words);
    let folders = format!("{0}/state:{0}/other", place.path().display());
    command
        .env("STATE_DIRECTORY", folders)
        .env("XDG_STATE_HOME", place.path().join("nowhere"));
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", talk(&output));
    assert!(!remembered(&place).is_empty() && !place.path().join("other").exists());
    assert!(!place.path().join("nowhere").exists());
    for command in ["patch", "prune", "verify"] {
        let help = String::from_utf8(
            place
                .any(&[], &[command, "--help"])
                .output()
                .unwrap()
                .stdout,
        )
        .unwrap();
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(help.contains("[default: $STATE_DIRECTORY, else"), "{help}");
    }
}
