//! Killed at random moments, several hundred times.

use std::hash::{BuildHasher, RandomState};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::place::{Files, Place, Shape, ends_well, outcomes};

/// A random share of a span of time.
fn somewhere_in(span: Duration) -> Duration {
    let part = RandomState::new().hash_one(0) % 1_000_000;
    span * u32::try_from(part).unwrap() / 1_000_000
}

/// What the moment of the kill is counted from.
#[derive(Clone, Copy, Debug)]
enum From {
    /// The start; the span is that of a whole run.
    Start,
    /// The moment the new text begins to be written.
    NewFile,
}

/// Kills `times` runs, and says how many of them were hit.
fn kill(shape: Shape, filler: usize, prune: bool, from: From, times: usize) -> usize {
    let old = shape.files(filler);
    let (patched, pruned) = outcomes(&old);
    let (old, new) = if prune {
        (patched, pruned)
    } else {
        (old, patched)
    };
    let command = |place: &Place| {
        if prune {
            place.prune(&[])
        } else {
            place.command(&[], &[])
        }
    };
    let place = Place::with(&old);
    let start = Instant::now();
    assert!(command(&place).output().unwrap().status.success());
    let whole = start.elapsed();
    let mut hit = 0;
    for round in 0..times {
        let place = Place::with(&old);
        let run = quiet(command(&place));
        let how = format!("{shape:?}, prune {prune}, {from:?}, round {round}");
        if kill_one(run, &place, &old, whole, from) {
            hit += 1;
        }
        ends_well(&place, &old, &new, &mut command(&place), &how);
    }
    hit
}

fn quiet(mut command: Command) -> Command {
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn kill_one(mut run: Command, place: &Place, old: &Files, whole: Duration, from: From) -> bool {
    let written = |name: &String| {
        let path = place.path().join(name);
        path.with_file_name(format!(
            ".{}.danewright-new",
            path.file_name().unwrap().to_str().unwrap()
        ))
        .exists()
    };
    let mut child = run.spawn().unwrap();
    let mut start = Instant::now();
    let wait = match from {
        From::Start => somewhere_in(whole * 5 / 4),
        From::NewFile => {
            while !old.keys().any(written) && child.try_wait().unwrap().is_none() {}
            start = Instant::now();
            somewhere_in((whole / 3).min(Duration::from_millis(12)))
        }
    };
    while start.elapsed() < wait {
        std::hint::spin_loop();
    }
    // It may have ended by itself.
    let _ = child.kill();
    child.wait().unwrap().signal() == Some(9)
}

#[test]
fn a_zone_of_one_file_survives_kills_at_any_moment() {
    let hit = kill(Shape::One, 0, false, From::Start, 50)
        + kill(Shape::One, 0, false, From::NewFile, 70)
        + kill(Shape::One, 0, true, From::NewFile, 30);
    assert!(hit > 0, "no run was hit");
}

#[test]
fn an_edit_that_spans_files_survives_kills_at_any_moment() {
    let mut hit = 0;
    for shape in [Shape::RecordsIncluded, Shape::SoaIncluded, Shape::Three] {
        hit += kill(shape, 0, false, From::Start, 15);
        hit += kill(shape, 0, false, From::NewFile, 30) + kill(shape, 0, true, From::NewFile, 15);
    }
    assert!(hit > 0, "no run was hit");
}

#[test]
fn a_large_zone_survives_kills_while_it_is_written() {
    let hit = kill(Shape::One, 100_000, false, From::NewFile, 8)
        + kill(Shape::RecordsIncluded, 100_000, true, From::NewFile, 4);
    assert!(hit > 0, "no run was hit");
}

#[test]
fn a_run_ended_by_a_polite_signal_is_one_that_was_killed() {
    let old = Shape::Three.files(0);
    let (new, _) = outcomes(&old);
    // INT and HUP do the same, unless whoever started the tests has them ignored.
    for signal in ["TERM", "KILL"] {
        let place = Place::with(&old);
        // $PPID is danewright: there is no shell but the one that the check names.
        let check = format!("sh -c 'kill -{signal} $PPID; sleep 1'");
        let status = quiet(place.command(&[], &["--check", &check]))
            .status()
            .unwrap();
        assert!(!status.success(), "{signal}");
        for (name, text) in &old {
            assert_eq!(place.files()[name], *text, "{signal}: {name}");
        }
        ends_well(&place, &old, &new, &mut place.command(&[], &[]), signal);
    }
}
