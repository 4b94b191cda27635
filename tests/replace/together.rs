//! Several runs at once.

use std::process::{Child, Output, Stdio};
use std::thread;

use crate::place::{NEW, Place, Shape, meaning, talk};

/// Starts a run for one port of both hosts.
fn start(place: &Place, port: usize, more: &[&str]) -> Child {
    let port = port.to_string();
    let usual = [
        "patch",
        "example.com.zone",
        "new.pem",
        "--host",
        "mail.example.com",
        "--host",
        "mx.example.com",
    ];
    let mut command = place.any(
        &[],
        &[&usual[..], &["--state", "state", "--port", &port], more].concat(),
    );
    command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn each_of_many_runs_adds_its_records_or_says_that_another_is_at_work() {
    for shape in Shape::ALL {
        let old = shape.files(2000);
        let place = Place::with(&old);
        let runs: Vec<Child> = (1000..1016).map(|port| start(&place, port, &[])).collect();
        let ended: Vec<Output> = thread::scope(|scope| {
            let waiting: Vec<_> = runs
                .into_iter()
                .map(|run| scope.spawn(|| run.wait_with_output().unwrap()))
                .collect();
            waiting
                .into_iter()
                .map(|waiting| waiting.join().unwrap())
                .collect()
        });
        let good = ended
            .iter()
            .filter(|output| output.status.success())
            .count();
        for output in ended.iter().filter(|output| !output.status.success()) {
            assert_eq!(output.status.code(), Some(1), "{shape:?}: {}", talk(output));
            assert!(
                talk(output).contains("another run is at work"),
                "{shape:?}: {}",
                talk(output)
            );
        }
        assert!(good > 0, "{shape:?}: nobody got through");
        let files = place.files();
        assert!(files.keys().eq(old.keys()), "{shape:?}: {:?}", files.keys());
        let (serial, lines) = meaning(&files);
        assert_eq!(
            serial,
            7 + u32::try_from(good).unwrap(),
            "{shape:?}: one step for each run that wrote"
        );
        for (port, output) in (1000..1016).zip(&ended) {
            let added = lines
                .iter()
                .filter(|line| line.starts_with(&format!("_{port}._tcp.")) && line.ends_with(NEW));
            assert_eq!(
                added.count(),
                if output.status.success() { 2 } else { 0 },
                "{shape:?}: port {port}"
            );
        }
        assert_eq!(lines.len(), meaning(&old).1.len() + 2 * good, "{shape:?}");
    }
}

#[test]
fn a_run_through_another_zone_waits_for_a_file_that_both_include() {
    let place = Place::with(&Shape::RecordsIncluded.files(0));
    let other = place.path().join("other");
    std::fs::copy(place.path().join("example.com.zone"), &other).unwrap();
    let first = start(&place, 25, &["--check", "sh -c 'touch begun; sleep 14'"]);
    while !place.path().join("begun").exists() {
        thread::sleep(std::time::Duration::from_millis(5));
    }
    let words = [
        "patch",
        "other",
        "new.pem",
        "--host",
        "mail.example.com",
        "--port",
        "465",
        "--state",
        "state",
    ];
    let second = place.any(&[], &words).output().unwrap();
    assert_eq!(second.status.code(), Some(1), "{}", talk(&second));
    assert!(
        talk(&second).contains("another run is at work"),
        "{}",
        talk(&second)
    );
    assert!(first.wait_with_output().unwrap().status.success());
    let second = place.any(&[], &words).output().unwrap();
    assert_eq!(second.status.code(), Some(0), "{}", talk(&second));
}

#[test]
fn a_run_that_waits_longer_than_it_can_says_so_and_changes_nothing() {
    let place = Place::with(&Shape::RecordsIncluded.files(0));
    let first = start(&place, 25, &["--check", "sh -c 'touch begun; sleep 14'"]);
    while !place.path().join("begun").exists() {
        thread::sleep(std::time::Duration::from_millis(5));
    }
    let second = start(&place, 465, &[]).wait_with_output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert!(
        talk(&second).contains("another run is at work"),
        "{}",
        talk(&second)
    );
    assert!(first.wait_with_output().unwrap().status.success());
    let mut files = place.files();
    files.remove("begun");
    let (serial, lines) = meaning(&files);
    assert_eq!(
        (
            serial,
            lines.iter().filter(|line| line.ends_with(NEW)).count()
        ),
        (8, 2)
    );
}
