//! Zones, files and commands that would cost more than anybody has.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::time::{Duration, Instant};

use crate::place::{NEW, Place, Shape, talk};

/// As long as none of these may take on a busy machine.
const LONG: Duration = Duration::from_secs(60);

#[test]
fn two_thousand_includes_need_no_two_thousand_open_files() {
    let mut files = Shape::One.files(0);
    let main = files.get_mut("example.com.zone").unwrap();
    for number in 0..2000 {
        main.extend(format!("$INCLUDE inc/{number}\n").bytes());
    }
    for number in 0..2000 {
        files.insert(
            format!("inc/{number}"),
            format!("host-{number} IN A 192.0.2.1\n").into_bytes(),
        );
    }
    let place = Place::with(&files);
    let output = place
        .command(
            &["sh", "-c", "ulimit -n 200; \"$@\"", "sh"],
            &["--check", "true"],
        )
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", talk(&output));
    let text = place.files()["example.com.zone"].clone();
    assert_eq!(String::from_utf8(text).unwrap().matches(NEW).count(), 2);
    assert_eq!(place.files().len(), files.len());
}

/// A chain of included files, `depth` below the main one, each of which includes the next `times` times.
fn chain(depth: usize, times: usize) -> Place {
    let mut files = Shape::One.files(0);
    let include = |next: usize| format!("$INCLUDE {next}\n").repeat(times);
    files
        .get_mut("example.com.zone")
        .unwrap()
        .extend(include(1).bytes());
    for level in 1..=depth {
        let text = if level == depth {
            "; the last\n".to_owned()
        } else {
            include(level + 1)
        };
        files.insert(level.to_string(), text.into_bytes());
    }
    Place::with(&files)
}

#[test]
fn includes_nest_ten_deep_and_no_deeper() {
    let output = chain(10, 1).patch(&[]);
    assert_eq!(output.status.code(), Some(0), "{}", talk(&output));
    let place = chain(11, 1);
    let before = place.files();
    let output = place.patch(&[]);
    assert_eq!(
        (output.status.code(), place.files()),
        (Some(2), before),
        "{}",
        talk(&output)
    );
    assert!(talk(&output).contains("nest too deep"), "{}", talk(&output));
}

#[test]
fn includes_that_multiply_come_to_an_end() {
    let place = chain(10, 30);
    let before = place.files();
    let begun = Instant::now();
    for arguments in [
        &["lint", "example.com.zone"][..],
        &["patch", "example.com.zone", "new.pem"],
    ] {
        let targets = [
            "--host",
            "mail.example.com",
            "--port",
            "25",
            "--state",
            "state",
        ];
        let more = if arguments[0] == "lint" {
            &[][..]
        } else {
            &targets[..]
        };
        let output = place
            .any(&["timeout", "60"], &[arguments, more].concat())
            .output()
            .unwrap();
        assert!(
            matches!(output.status.code(), Some(1 | 2)),
            "{arguments:?}: {}",
            talk(&output)
        );
        let said = talk(&output) + &String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("includes more than 20000 files"), "{said}");
    }
    assert!(begun.elapsed() < LONG);
    assert_eq!(place.files(), before);
}

#[test]
fn a_check_that_hangs_or_never_stops_printing_refuses_the_file() {
    for (check, limit, says) in [
        ("sleep 3600", "1s", "still running after 1s"),
        ("yes", "10m", "printed more than"),
        ("cat", "10m", ""),
    ] {
        let old = Shape::RecordsIncluded.files(0);
        let place = Place::with(&old);
        let begun = Instant::now();
        let output = place.patch(&[
            "--check",
            check,
            "--check",
            "false",
            "--command-timeout",
            limit,
        ]);
        assert_eq!(
            (output.status.code(), place.files()),
            (Some(1), old),
            "{check}: {}",
            talk(&output)
        );
        assert!(talk(&output).contains(says), "{check}: {}", talk(&output));
        assert!(begun.elapsed() < LONG, "{check}");
    }
}

#[test]
fn a_reload_that_hangs_is_ended_and_one_that_leaves_a_child_is_not_waited_for() {
    let place = Place::with(&Shape::One.files(0));
    let begun = Instant::now();
    let output = place.patch(&["--reload", "sleep 3600", "--command-timeout", "1s"]);
    assert_eq!(output.status.code(), Some(1), "{}", talk(&output));
    assert!(
        talk(&output).contains("the reload failed (still running after 1s"),
        "{}",
        talk(&output)
    );
    let output = place.patch(&["--reload", "sh -c 'sleep 100 & echo $! >child'"]);
    assert_eq!(output.status.code(), Some(0), "{}", talk(&output));
    assert!(begun.elapsed() < LONG);
    let child = fs::read_to_string(place.path().join("child")).unwrap();
    assert!(
        std::process::Command::new("kill")
            .arg(child.trim())
            .status()
            .unwrap()
            .success()
    );
}

#[test]
fn a_limit_has_a_unit_or_is_in_seconds_and_is_no_less_than_one() {
    let place = Place::with(&Shape::One.files(0));
    for (limit, code) in [("0", 2), ("x", 2), ("1", 0), ("1h30m", 0), ("900w", 0)] {
        let output = place.patch(&["--dry-run", "--command-timeout", limit]);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{limit}: {}",
            talk(&output)
        );
    }
}

#[test]
fn a_files_name_reaches_the_commands_as_it_is() {
    let old = Shape::One.files(0);
    let place = Place::with(&old);
    let name = OsStr::from_bytes(b"z\xff{zone}");
    fs::rename(
        place.path().join("example.com.zone"),
        place.path().join(name),
    )
    .unwrap();
    let mut command = place.any(&[], &["patch"]);
    command.arg(name).args([
        "new.pem",
        "--host",
        "mail.example.com",
        "--port",
        "25",
        "--state",
        "state",
    ]);
    command.args([
        "--origin",
        "example.com",
        "--check",
        "test -s {file}",
        "--reload",
        "cp {file} seen-{zone}",
    ]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", talk(&output));
    let seen = fs::read_to_string(place.path().join("seen-example.com")).unwrap();
    assert_eq!(seen.matches(NEW).count(), 1);
}

#[test]
fn no_input_waits_for_ever() {
    let old = Shape::One.files(0);
    let place = Place::with(&old);
    assert!(
        std::process::Command::new("mkfifo")
            .arg(place.path().join("pipe"))
            .status()
            .unwrap()
            .success()
    );
    let target = [
        "--host",
        "mail.example.com",
        "--port",
        "25",
        "--state",
        "state",
    ];
    let whole = |words: &[&'static str]| -> Vec<&'static str> { [words, &target[..]].concat() };
    for arguments in [
        vec!["spki", "pipe"],
        vec!["spki", "/dev/zero"],
        vec!["spki", "/dev/tty"],
        vec!["spki", "/proc/kmsg"],
        vec!["lint", "pipe"],
        vec!["lint", "/proc/kmsg"],
        vec!["lint", "example.com.zone", "--cert", "pipe"],
        whole(&["patch", "/proc/kmsg", "new.pem", "--origin", "example.com"]),
        whole(&["patch", "pipe", "new.pem", "--origin", "example.com"]),
        whole(&["tlsa", "pipe"]),
        whole(&["verify", "pipe"]),
        whole(&["verify", "new.pem", "--trust-anchor", "pipe"]),
        vec!["verify", "--targets", "pipe"],
    ] {
        let begun = Instant::now();
        let output = place.any(&["timeout", "40"], &arguments).output().unwrap();
        assert!(
            matches!(output.status.code(), Some(1..=3)),
            "{arguments:?}: {:?} {}",
            output.status,
            talk(&output)
        );
        assert!(begun.elapsed() < Duration::from_secs(30), "{arguments:?}");
    }
}

#[test]
fn a_pipe_that_a_shell_makes_is_an_input_like_any() {
    let place = Place::with(&Shape::One.files(0));
    let script = "(sleep 0.3; cat new.pem) | \"$@\" spki /dev/stdin";
    let output = place
        .any(&["bash", "-c", script, "sh"], &[])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", talk(&output));
    let output = place
        .any(
            &["bash", "-c", "\"$@\" spki <(sleep 0.3; cat new.pem)", "sh"],
            &[],
        )
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", talk(&output));
}
