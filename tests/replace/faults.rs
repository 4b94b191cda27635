//! Every system call that touches files, in turn: the run is killed there, or
//! the call fails there. strace does both.

use std::fs;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::place::{Files, Place, Shape, ends_well, outcomes, talk};

/// What changes files.
const CHANGES: [&str; 12] = [
    "flock",
    "write",
    "copy_file_range",
    "fsync",
    "fchown",
    "fchmod",
    "linkat",
    "renameat2",
    "rename",
    "renameat",
    "unlink",
    "unlinkat",
];

/// What else can fail on the way.
const OTHERS: [&str; 2] = ["openat", "statx"];

/// What is tried: a zone and whether it is pruned.
const CASES: [(Shape, bool); 4] = [
    (Shape::One, false),
    (Shape::RecordsIncluded, true),
    (Shape::SoaIncluded, false),
    (Shape::Three, false),
];

/// How a new text takes the place of the old one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// In an exchange of names.
    Exchange,
    /// As on a file system that knows none.
    Rename,
}

impl Way {
    const ALL: [Self; 2] = [Self::Exchange, Self::Rename];

    /// What else strace does.
    fn inject(self) -> &'static [&'static str] {
        match self {
            Self::Exchange => &[],
            Self::Rename => &["-e", "inject=renameat2:error=EINVAL"],
        }
    }

    /// Whether a call is worth spoiling: the way there is the same for both.
    fn spoils(self, call: &str) -> bool {
        match self {
            Self::Exchange => true,
            Self::Rename => [
                "fsync", "linkat", "rename", "renameat", "unlink", "unlinkat",
            ]
            .contains(&call),
        }
    }
}

/// Runs `patch` with the nth call of a name spoilt. `None` when there are not so many.
fn spoilt(
    place: &Place,
    call: &str,
    nth: usize,
    spoil: &str,
    (prune, way): (bool, Way),
) -> Option<Output> {
    let inject = format!("inject=?{call}:{spoil}:when={nth}");
    let trace = format!("trace=?{call},renameat2");
    // No -f: one thread does it all.
    let wrapper = [
        "strace",
        "-qq",
        "-o",
        "state/trace",
        "-e",
        &trace,
        "-e",
        &inject,
    ];
    let wrapper = &[&wrapper[..], way.inject()].concat();
    fs::create_dir_all(place.path().join("state")).unwrap();
    let mut command = if prune {
        place.prune(wrapper)
    } else {
        place.command(wrapper, &[])
    };
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("strace: {error}"));
    let trace = fs::read_to_string(place.path().join("state/trace"));
    let trace =
        trace.unwrap_or_else(|error| panic!("strace left no trace: {error}: {}", talk(&output)));
    (trace
        .lines()
        .filter(|line| line.starts_with(&format!("{call}(")))
        .count()
        >= nth)
        .then_some(output)
}

/// Which call of this name puts a file's new text in its place; others rename the state's files.
fn step_of(shape: Shape, way: Way, call: &str, name: &str) -> usize {
    let place = Place::with(&shape.files(0));
    let trace = format!("trace={call},renameat2");
    let wrapper = [
        &["strace", "-qq", "-o", "state/trace", "-e", &trace][..],
        way.inject(),
    ]
    .concat();
    fs::create_dir_all(place.path().join("state")).unwrap();
    assert!(place.command(&wrapper, &[]).status().unwrap().success());
    let trace = fs::read_to_string(place.path().join("state/trace")).unwrap();
    let mut calls = trace
        .lines()
        .filter(|line| line.starts_with(&format!("{call}(")));
    let new = format!("\".{name}.danewright-new\", ");
    1 + calls
        .position(|line| line.contains(&new))
        .unwrap_or_else(|| panic!("{call} of {name}: {trace}"))
}

fn again(place: &Place, prune: bool) -> Command {
    if prune {
        place.prune(&[])
    } else {
        place.command(&[], &[])
    }
}

/// The files of the zone before and after the command.
fn before_and_after(shape: Shape, prune: bool) -> (Files, Files) {
    let old = shape.files(0);
    let (patched, pruned) = outcomes(&old);
    if prune {
        (patched, pruned)
    } else {
        (old, patched)
    }
}

/// Each call in each way in which it is made.
fn both_ways<'a>(calls: &'a [&'a str]) -> impl Iterator<Item = (&'a str, Way)> {
    let pairs = Way::ALL
        .into_iter()
        .flat_map(move |way| calls.iter().map(move |call| (*call, way)));
    pairs.filter(|(call, way)| way.spoils(call))
}

#[test]
#[ignore = "needs strace"]
fn killed_at_any_step_the_next_run_ends_what_was_begun() {
    let mut kills = 0;
    for (shape, prune) in CASES {
        let (old, new) = before_and_after(shape, prune);
        for (call, way) in both_ways(&CHANGES) {
            for nth in 1.. {
                let place = Place::with(&old);
                let how = format!("{shape:?}, prune {prune}, killed at {call} {nth}, {way:?}");
                let Some(output) = spoilt(&place, call, nth, "signal=KILL", (prune, way)) else {
                    break;
                };
                assert_eq!(output.status.signal(), Some(9), "{how}: {}", talk(&output));
                kills += 1;
                ends_well(&place, &old, &new, &mut again(&place, prune), &how);
            }
        }
    }
    assert!(kills > 80, "only {kills} steps");
    println!("killed at {kills} steps");
}

/// What the state says that stood at a host before the change.
fn stood_before(place: &Place, host: &str) -> Option<usize> {
    let text = fs::read(place.path().join("state/example.com.json")).ok()?;
    let state: serde_json::Value = serde_json::from_slice(&text).unwrap();
    Some(
        state["owners"][format!("_25._tcp.{host}.example.com.")]["changes"][0]["old"]["records"]
            .as_array()?
            .len(),
    )
}

#[test]
#[ignore = "needs strace"]
fn killed_behind_the_first_new_file_the_state_has_the_word_of_it() {
    let mut behind = 0;
    for (shape, prune) in [
        (Shape::One, false),
        (Shape::Three, false),
        (Shape::One, true),
    ] {
        let (old, _) = before_and_after(shape, prune);
        for (call, way) in both_ways(&CHANGES) {
            for nth in 1.. {
                let place = Place::with(&if prune { shape.files(0) } else { old.clone() });
                if prune {
                    assert!(place.patch(&[]).status.success());
                    assert_eq!(stood_before(&place, "mail"), Some(1));
                }
                let Some(output) = spoilt(&place, call, nth, "signal=KILL", (prune, way)) else {
                    break;
                };
                let how = format!(
                    "{shape:?}, prune {prune}, killed at {call} {nth}, {way:?}: {}",
                    talk(&output)
                );
                let found = place.files();
                if old.iter().all(|(name, text)| found[name] == *text) {
                    continue;
                }
                behind += 1;
                for again in [false, true] {
                    // Who asks once more finds the file as asked, and the word is still there.
                    assert!(
                        !again
                            || self::again(&place, prune)
                                .output()
                                .unwrap()
                                .status
                                .success(),
                        "{how}"
                    );
                    for host in ["mail", "mx"] {
                        let records = if prune { 0 } else { 1 };
                        assert_eq!(
                            stood_before(&place, host),
                            Some(records),
                            "{host}, again {again}: {how}"
                        );
                    }
                }
            }
        }
    }
    assert!(behind > 10, "only {behind} kills behind a new file");
}

#[test]
#[ignore = "needs strace"]
fn whatever_fails_all_files_change_or_none_does() {
    let mut faults = 0;
    for (shape, prune) in CASES {
        let (old, new) = before_and_after(shape, prune);
        for (call, way) in both_ways(&[&CHANGES[..], &OTHERS].concat()) {
            for nth in 1.. {
                let place = Place::with(&old);
                let how = format!("{shape:?}, prune {prune}, {call} {nth} fails, {way:?}");
                let Some(output) = spoilt(&place, call, nth, "error=ENOSPC", (prune, way)) else {
                    break;
                };
                faults += 1;
                let said = talk(&output);
                let mut found = place.files();
                // What could not be removed is for the next run, and so is a lock that could not be looked at.
                let is_lock = |name: &str| {
                    ["statx", "openat"].contains(&call) && name.ends_with(".danewright-lock")
                };
                found.retain(|name, _| {
                    old.contains_key(name) || !(call.starts_with("unlink") || is_lock(name))
                });
                match output.status.code() {
                    Some(0) => assert_eq!(found, new, "{how}: {said}"),
                    _ if said.contains("is replaced") => assert_eq!(found, new, "{how}: {said}"),
                    // stdout is full: the answer is lost, the files are not.
                    _ if call == "write" && found == new => {}
                    _ => assert_eq!(found, old, "{how}: {said}"),
                }
                assert!(
                    output.status.code() == Some(0) || !said.is_empty() || call == "write",
                    "{how}: without a word"
                );
                ends_well(&place, &old, &new, &mut again(&place, prune), &how);
            }
        }
    }
    assert!(faults > 200, "only {faults} faults");
    println!("{faults} calls failed");
}

#[test]
#[ignore = "needs strace"]
fn files_that_cannot_be_put_back_are_named_and_their_old_text_is_kept() {
    let (old, new) = before_and_after(Shape::Three, false);
    for (way, call) in [(Way::Exchange, "renameat2"), (Way::Rename, "renameat")] {
        let second = step_of(Shape::Three, way, call, "mail.inc");
        let place = Place::with(&old);
        let output = spoilt(&place, call, second, "error=EIO", (false, way)).unwrap();
        assert_eq!(
            (output.status.code(), place.files()),
            (Some(2), old.clone()),
            "{}",
            talk(&output)
        );
        // From the second on: the put-back fails as well.
        let place = Place::with(&old);
        let inject = format!("inject={call}:error=EIO:when={second}+");
        let wrapper = [
            &["strace", "-qq", "-o", "/dev/null", "-e", &inject][..],
            way.inject(),
        ]
        .concat();
        let output = place.command(&wrapper, &[]).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let left = ".example.com.zone.danewright-old";
        assert!(
            talk(&output).contains("only some of the zone's files were replaced or put back"),
            "{}",
            talk(&output)
        );
        assert!(talk(&output).contains(left), "{}", talk(&output));
        assert_eq!(place.files()[left], old["example.com.zone"]);
        ends_well(
            &place,
            &old,
            &new,
            &mut again(&place, false),
            "after a put-back that failed",
        );
    }
}

#[test]
#[ignore = "needs strace"]
fn a_folder_in_the_way_of_the_second_name_is_an_error_where_one_is_needed() {
    let (old, _) = before_and_after(Shape::RecordsIncluded, false);
    for name in [
        ".example.com.zone.danewright-old",
        ".tlsa.inc.danewright-old",
    ] {
        let place = Place::with(&old);
        fs::create_dir(place.path().join(name)).unwrap();
        let wrapper = [
            &["strace", "-qq", "-o", "/dev/null"][..],
            Way::Rename.inject(),
        ]
        .concat();
        let output = place.command(&wrapper, &[]).output().unwrap();
        assert_eq!(
            (output.status.code(), place.files()),
            (Some(2), old.clone()),
            "{name}: {}",
            talk(&output)
        );
        // An exchange needs no second name.
        assert_eq!(place.patch(&[]).status.code(), Some(0), "{name}");
    }
}

#[test]
#[ignore = "needs strace"]
fn where_there_is_no_thread_to_be_had_the_file_is_copied_all_the_same() {
    let old = Shape::One.files(200_000);
    let (new, _) = outcomes(&old);
    let place = Place::with(&old);
    let inject = "inject=clone3,?clone:error=EAGAIN";
    let trace = "trace=clone3,?clone";
    let wrapper = [
        "strace",
        "-qq",
        "-o",
        "state/trace",
        "-e",
        trace,
        "-e",
        inject,
    ];
    fs::create_dir(place.path().join("state")).unwrap();
    let output = place.command(&wrapper, &[]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", talk(&output));
    let trace = fs::read_to_string(place.path().join("state/trace")).unwrap();
    assert!(trace.contains("EAGAIN"), "no thread was asked for: {trace}");
    assert!(place.files() == new);
}

#[test]
#[ignore = "needs strace"]
fn file_systems_without_locks_or_syncs_are_called_so() {
    for (call, errno, says) in [
        ("flock", "ENOLCK", "the file system keeps no locks"),
        ("flock", "EOPNOTSUPP", "the file system keeps no locks"),
        (
            "fsync",
            "EINVAL",
            "the file system does not let files be synced",
        ),
    ] {
        let old = Shape::One.files(0);
        let place = Place::with(&old);
        let inject = format!("inject={call}:error={errno}");
        let output = place
            .command(&["strace", "-qq", "-o", "/dev/null", "-e", &inject], &[])
            .output()
            .unwrap();
        assert_eq!(
            (output.status.code(), place.files()),
            (Some(2), old),
            "{errno}: {}",
            talk(&output)
        );
        assert!(talk(&output).contains(says), "{errno}: {}", talk(&output));
    }
}

/// What somebody does while the run is held at a step.
type Deed = fn(&std::path::Path, &fs::File);

#[test]
#[ignore = "needs strace"]
fn what_somebody_writes_in_the_last_moment_is_kept() {
    let append: Deed = |zone, _| {
        let mut file = fs::OpenOptions::new().append(true).open(zone).unwrap();
        file.write_all(b"; theirs\n").unwrap();
    };
    let replace: Deed = |zone, _| {
        let new = zone.with_file_name("x");
        fs::write(&new, [&fs::read(zone).unwrap()[..], b"; theirs\n"].concat()).unwrap();
        fs::rename(new, zone).unwrap();
    };
    // Opened before the step, written to after it.
    let late: Deed = |_, mut opened| opened.write_all(b"; theirs\n").unwrap();
    for shape in Shape::ALL {
        for (way, call) in [(Way::Exchange, "renameat2"), (Way::Rename, "renameat")] {
            let step = step_of(shape, way, call, "example.com.zone");
            for (moment, what, deed) in [
                ("enter", "appends", append),
                ("enter", "replaces", replace),
                ("exit", "has it open", late),
            ] {
                if (way, what) == (Way::Rename, "replaces") {
                    // Only an exchange shows what it took away.
                    continue;
                }
                let old = shape.files(0);
                let place = Place::with(&old);
                let zone = place.path().join("example.com.zone");
                let opened = fs::OpenOptions::new().append(true).open(&zone).unwrap();
                let inject = format!("inject={call}:delay_{moment}=1500000:when={step}");
                let wrapper = [
                    &["strace", "-qq", "-o", "/dev/null", "-e", &inject][..],
                    way.inject(),
                ]
                .concat();
                let mut command = place.command(&wrapper, &[]);
                let run = command
                    .stdout(Stdio::piped())
                    .stderr(Stdio::piped())
                    .spawn()
                    .unwrap();
                // Earlier than meant, it is seen by an earlier look: never a failure, only a weaker test.
                let written = if shape == Shape::SoaIncluded {
                    "head.inc"
                } else {
                    "example.com.zone"
                };
                let text = &old[written];
                let begun = Instant::now();
                while begun.elapsed() < Duration::from_secs(30) {
                    let there = fs::read(place.path().join(format!(".{written}.danewright-new")))
                        .unwrap_or_default();
                    let done = fs::read(place.path().join(written)).unwrap() != *text;
                    if done || there.len() >= text.len() {
                        break;
                    }
                    thread::sleep(Duration::from_millis(5));
                }
                thread::sleep(Duration::from_millis(400));
                deed(&zone, &opened);
                let output = run.wait_with_output().unwrap();
                let how = format!(
                    "{shape:?}, {way:?}, at the {moment}, {what}: {}",
                    talk(&output)
                );
                assert_eq!(output.status.code(), Some(1), "{how}");
                assert!(
                    talk(&output).contains("changed while it was being edited"),
                    "{how}"
                );
                let mut files = place.files();
                let text = files.remove("example.com.zone").unwrap();
                assert_eq!(
                    text,
                    [&old["example.com.zone"][..], b"; theirs\n"].concat(),
                    "{how}"
                );
                let mut others = old.clone();
                others.remove("example.com.zone");
                assert_eq!(files, others, "{how}");
            }
        }
    }
}

#[test]
#[ignore = "needs strace"]
fn what_somebody_writes_to_the_old_text_of_a_killed_run_is_kept() {
    let (old, new) = before_and_after(Shape::One, false);
    for (way, theirs) in Way::ALL
        .into_iter()
        .flat_map(|way| [(way, ""), (way, "; theirs\n")])
    {
        let place = Place::with(&old);
        let mut opened = fs::OpenOptions::new()
            .append(true)
            .open(place.path().join("example.com.zone"))
            .unwrap();
        // The folder is synced when the new text is in its place.
        let folder = place.path().canonicalize().unwrap();
        let kill = [
            "strace",
            "-qq",
            "-o",
            "/dev/null",
            "-P",
            folder.to_str().unwrap(),
            "-e",
            "inject=fsync:signal=KILL",
        ];
        let output = place
            .command(&[&kill[..], way.inject()].concat(), &[])
            .output()
            .unwrap();
        assert_eq!(
            output.status.signal(),
            Some(9),
            "{way:?}: {}",
            talk(&output)
        );
        assert_eq!(
            place.files()["example.com.zone"],
            new["example.com.zone"],
            "{way:?}"
        );
        opened.write_all(theirs.as_bytes()).unwrap();
        let output = place.patch(&[]);
        assert_eq!(output.status.code(), Some(0), "{way:?}: {}", talk(&output));
        if theirs.is_empty() {
            assert!(
                talk(&output).contains("note: ") && talk(&output).contains("-old\n"),
                "{way:?}: {}",
                talk(&output)
            );
            assert_eq!(place.files(), new, "{way:?}");
        } else {
            let kept = "example.com.zone.danewright-kept";
            assert!(
                talk(&output).contains("warning: ") && talk(&output).contains(kept),
                "{way:?}: {}",
                talk(&output)
            );
            let text = [&old["example.com.zone"][..], theirs.as_bytes()].concat();
            assert_eq!(
                (place.files().len(), &place.files()[kept]),
                (2, &text),
                "{way:?}"
            );
        }
    }
}

#[test]
#[ignore = "needs strace"]
fn a_file_that_is_replaced_and_perhaps_not_on_the_disk_is_told_by_the_next_run() {
    let old = Shape::One.files(0);
    let place = Place::with(&old);
    let folder = place.path().canonicalize().unwrap();
    let wrapper = [
        "strace",
        "-qq",
        "-o",
        "/dev/null",
        "-P",
        folder.to_str().unwrap(),
        "-e",
        "inject=fsync:error=EIO",
    ];
    let reload = ["--reload", "sh -c 'echo x >>state/told'"];
    let output = place.command(&wrapper, &reload).output().unwrap();
    assert_eq!(
        (output.status.code(), place.files()),
        (Some(2), outcomes(&old).0),
        "{}",
        talk(&output)
    );
    assert!(
        talk(&output).contains("is replaced") && !place.path().join("state/told").exists(),
        "{}",
        talk(&output)
    );
    // What stood there before is known to nobody else.
    let state = fs::read_to_string(place.path().join("state/example.com.json")).unwrap();
    assert!(state.contains("_25._tcp.mail.example.com."), "{state}");
    let output = place.patch(&reload);
    assert_eq!(output.status.code(), Some(0), "{}", talk(&output));
    assert_eq!(
        fs::read_to_string(place.path().join("state/told")).unwrap(),
        "x\n"
    );
}
