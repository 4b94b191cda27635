//! Every system call that touches files, in turn: the run is killed there, or
//! the call fails there. strace does both.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output};

use crate::place::{Files, Place, Shape, ends_well, outcomes, talk};

/// What changes files.
const CHANGES: [&str; 11] = [
    "flock",
    "write",
    "copy_file_range",
    "fsync",
    "fchown",
    "fchmod",
    "linkat",
    "rename",
    "renameat",
    "unlink",
    "unlinkat",
];

/// What else can fail on the way.
const OTHERS: [&str; 2] = ["openat", "statx"];

/// What is tried: a zone and whether it is pruned.
const CASES: [(Shape, bool); 4] =
    [(Shape::One, false), (Shape::RecordsIncluded, true), (Shape::SoaIncluded, false), (Shape::Three, false)];

/// Runs `patch` with the nth call of a name spoilt. `None` when there are not so many.
fn spoilt(place: &Place, call: &str, nth: usize, spoil: &str, prune: bool) -> Option<Output> {
    let inject = format!("inject=?{call}:{spoil}:when={nth}");
    let trace = format!("trace=?{call}");
    // No -f: one thread does it all.
    let wrapper = ["strace", "-qq", "-o", "state/trace", "-e", &trace, "-e", &inject];
    fs::create_dir_all(place.path().join("state")).unwrap();
    let mut command = if prune { place.prune(&wrapper) } else { place.command(&wrapper, &[]) };
    let output = command.output().unwrap_or_else(|error| panic!("strace: {error}"));
    let trace = fs::read_to_string(place.path().join("state/trace"));
    let trace = trace.unwrap_or_else(|error| panic!("strace left no trace: {error}: {}", talk(&output)));
    (trace.lines().filter(|line| line.starts_with(&format!("{call}("))).count() >= nth).then_some(output)
}

fn again(place: &Place, prune: bool) -> Command {
    if prune { place.prune(&[]) } else { place.command(&[], &[]) }
}

/// The files of the zone before and after the command.
fn before_and_after(shape: Shape, prune: bool) -> (Files, Files) {
    let old = shape.files(0);
    let (patched, pruned) = outcomes(&old);
    if prune { (patched, pruned) } else { (old, patched) }
}

#[test]
#[ignore = "needs strace"]
fn killed_at_any_step_the_next_run_ends_what_was_begun() {
    let mut kills = 0;
    for (shape, prune) in CASES {
        let (old, new) = before_and_after(shape, prune);
        for call in CHANGES {
            for nth in 1.. {
                let place = Place::with(&old);
                let how = format!("{shape:?}, prune {prune}, killed at {call} {nth}");
                let Some(output) = spoilt(&place, call, nth, "signal=KILL", prune) else { break };
                assert_eq!(output.status.signal(), Some(9), "{how}: {}", talk(&output));
                kills += 1;
                ends_well(&place, &old, &new, &mut again(&place, prune), &how);
            }
        }
    }
    assert!(kills > 80, "only {kills} steps");
    println!("killed at {kills} steps");
}

#[test]
#[ignore = "needs strace"]
fn whatever_fails_all_files_change_or_none_does() {
    let mut faults = 0;
    for (shape, prune) in CASES {
        let (old, new) = before_and_after(shape, prune);
        for call in CHANGES.into_iter().chain(OTHERS) {
            for nth in 1.. {
                let place = Place::with(&old);
                let how = format!("{shape:?}, prune {prune}, {call} {nth} fails");
                let Some(output) = spoilt(&place, call, nth, "error=ENOSPC", prune) else { break };
                faults += 1;
                let said = talk(&output);
                let mut found = place.files();
                // What could not be removed is for the next run.
                found.retain(|name, _| old.contains_key(name) || !call.starts_with("unlink"));
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
    let place = Place::with(&old);
    let output = spoilt(&place, "rename", 2, "error=EIO", false).unwrap();
    assert_eq!((output.status.code(), place.files()), (Some(2), old.clone()), "{}", talk(&output));
    let output = spoilt(&place, "rename", 2, "error=EIO", false).unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", talk(&output));
    let place = Place::with(&old);
    // From the second on: the put-back fails as well.
    let inject = "inject=?rename,?renameat:error=EIO:when=2+";
    let output = place.command(&["strace", "-qq", "-o", "/dev/null", "-e", inject], &[]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(talk(&output).contains("only some of the zone's files were replaced"), "{}", talk(&output));
    assert_eq!(place.files()[".example.com.zone.danewright-old"], old["example.com.zone"]);
    ends_well(&place, &old, &new, &mut again(&place, false), "after a put-back that failed");
}
