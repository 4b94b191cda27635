//! `--wait`: what is said meanwhile, how it ends, and what remains.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use danewright::demo::authority::Fault;

use crate::lab::{LONG_AGO, Lab, NS1, NS2, Said};

const MAIL: [&str; 5] = ["new.pem", "--host", "mail.leaf.example", "--port", "25"];

/// Waits for the first line on stderr, then sends the signal.
fn interrupted(mut child: Child, signal: &str) -> (String, Said) {
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    let ended = Command::new("sh")
        .args(["-c", &format!("kill -{signal} {}", child.id())])
        .status()
        .unwrap();
    assert!(ended.success());
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    let mut said = Said::of(child);
    said.err = rest.join("\n");
    (first, said)
}

#[test]
fn a_signal_ends_the_wait_with_not_yet_and_the_clock_goes_on_in_a_new_run() {
    for signal in ["INT", "TERM"] {
        let lab = Lab::new();
        let child = lab.start(
            &[
                &MAIL[..],
                &["--hold", "1h", "--wait", "--exec", "touch ran"],
            ]
            .concat(),
        );
        let (first, said) = interrupted(child, signal);
        assert!(first.contains(" wait until "), "{first}");
        assert_eq!(said.status, 4, "{said:?}");
        assert!(said.out.starts_with("WAIT: do not deploy yet;"), "{said:?}");
        let sentence = format!("warning: SIG{signal} ended the wait; what was seen is kept");
        assert!(said.err.starts_with(&sentence), "{said:?}");
        let document = fs::read_to_string(lab.path().join("state/leaf.example.json")).unwrap();
        let kept: serde_json::Value = serde_json::from_str(&document).unwrap();
        let since = &kept["owners"]["_25._tcp.mail.leaf.example."]["changes"][0]["servers"];
        assert_eq!(since.as_object().unwrap().len(), 2, "{document}");
        let names: Vec<_> = fs::read_dir(lab.path().join("state"))
            .unwrap()
            .map(|e| e.unwrap().file_name())
            .collect();
        assert_eq!(names.len(), 2, "the document and the lock: {names:?}");
        let again = lab.verify(&["--hold", "1h", "--json"]);
        let agreed = &again.json()["targets"][0]["agreed_since"];
        assert!(
            since
                .as_object()
                .unwrap()
                .values()
                .any(|seen| seen["since"].as_str().unwrap()[..19] == agreed.as_str().unwrap()[..19])
        );
        assert!(!lab.path().join("ran").exists());
    }
}

#[test]
fn a_signal_need_not_wait_for_servers_that_are_silent() {
    let lab = Lab::new();
    let child = lab.start(&[&MAIL[..], &["--hold", "1h", "--wait", "--timeout", "1h"]].concat());
    let mut child = child;
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains(" wait until "));
    // The second look, after five seconds, gets no answer for an hour.
    for server in [NS1, NS2] {
        lab.authority.fault(server, Some(Fault::Silent));
    }
    let asked = lab.authority.asked(NS1);
    while lab.authority.asked(NS1) == asked {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert!(
        Command::new("sh")
            .args(["-c", &format!("kill {}", child.id())])
            .status()
            .unwrap()
            .success()
    );
    let last: Vec<String> = lines.map(Result::unwrap).collect();
    let said = Said::of(child);
    assert_eq!(said.status, 4, "{said:?} {last:?}");
    assert!(
        last.last()
            .unwrap()
            .starts_with("warning: SIGTERM ended the wait"),
        "{last:?}"
    );
}

#[test]
fn the_wait_ends_when_the_hold_does_and_the_command_runs_with_its_words_untouched() {
    let lab = Lab::new();
    let script = "#!/bin/sh\nfor word; do printf '%s\\n' \"$word\"; done > words\n";
    fs::write(lab.path().join("deploy"), script).unwrap();
    let exec = "sh deploy {file} '$HOME' \"a b\" '*'";
    let said = lab.verify(&["--hold", "2s", "--wait", "--exec", exec]);
    assert_eq!(said.status, 0, "{said:?}");
    assert!(said.out.starts_with("SAFE: "), "{said:?}");
    // One line for the one state that was waited in.
    assert_eq!(said.err.lines().count(), 1, "{said:?}");
    assert_eq!(
        fs::read_to_string(lab.path().join("words")).unwrap(),
        "{file}\n$HOME\na b\n*\n"
    );
    let failed = lab.verify(&[
        "--hold",
        "0",
        "--since",
        LONG_AGO,
        "--exec",
        "sh -c 'exit 7'",
        "--json",
    ]);
    assert_eq!(
        (failed.status, &failed.json()["exec"]["status"]),
        (1, &7.into()),
        "{failed:?}"
    );
    assert_eq!(failed.json()["verdict"], "safe");
}

#[test]
fn a_lagging_server_is_waited_for_until_the_deadline_and_never_called_safe() {
    let lab = Lab::new();
    lab.serve_leaf(&lab.leaf("leaf", 0, &["old"]), &[NS2]);
    let said = lab.verify(&[
        "--hold",
        "0",
        "--since",
        LONG_AGO,
        "--wait",
        "--deadline",
        "1s",
        "--exec",
        "touch ran",
    ]);
    assert_eq!(said.status, 4, "{said:?}");
    assert!(
        said.out.contains("\nwhy      ns2.leaf.example. "),
        "{said:?}"
    );
    assert!(!lab.path().join("ran").exists());
    assert_eq!(
        lab.verify(&["--hold", "0", "--wait", "--deadline", "0"])
            .status,
        4
    );
}

/// How long the call took, and what it said.
fn timed(call: impl FnOnce() -> Said) -> (Duration, Said) {
    let started = Instant::now();
    let said = call();
    (started.elapsed(), said)
}

#[test]
fn the_deadline_cuts_a_check_that_is_under_way() {
    let lab = Lab::new();
    let wait = [
        "--hold",
        "1h",
        "--wait",
        "--deadline",
        "8s",
        "--timeout",
        "1h",
        "--exec",
        "touch ran",
    ];
    for server in [NS1, NS2] {
        lab.authority.fault(server, Some(Fault::Silent));
    }
    let (took, said) = timed(|| lab.verify(&wait));
    assert_eq!(said.status, 3, "{said:?}");
    assert!(took < Duration::from_secs(30), "{took:?}");
    assert!(!lab.path().join("ran").exists());
    // With something known before, that is the answer.
    for server in [NS1, NS2] {
        lab.authority.fault(server, None);
    }
    let mut child = lab.start(&[&MAIL[..], &wait].concat());
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains(" wait until "));
    for server in [NS1, NS2] {
        lab.authority.fault(server, Some(Fault::Silent));
    }
    let started = Instant::now();
    let last: Vec<String> = lines.map(Result::unwrap).collect();
    let said = Said::of(child);
    assert!(
        started.elapsed() < Duration::from_secs(30),
        "{:?}",
        started.elapsed()
    );
    assert_eq!(said.status, 4, "{said:?} {last:?}");
    assert!(
        last.last()
            .unwrap()
            .starts_with("warning: the deadline came before"),
        "{last:?}"
    );
}

#[test]
fn a_server_that_is_silent_for_a_while_does_not_end_the_wait() {
    let lab = Lab::new();
    let mut child =
        lab.start(&[&MAIL[..], &["--hold", "8s", "--wait", "--timeout", "1s"]].concat());
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains(" wait until "));
    lab.authority.fault(NS2, Some(Fault::Silent));
    let hiccup = lines.next().unwrap().unwrap();
    assert!(hiccup.contains(" unknown; ns2.leaf.example. "), "{hiccup}");
    lab.authority.fault(NS2, Some(Fault::ServFail));
    let hiccup = lines.next().unwrap().unwrap();
    assert!(
        hiccup.contains(" unknown; ns2.leaf.example. ") && hiccup.contains("SERVFAIL"),
        "{hiccup}"
    );
    lab.authority.fault(NS2, None);
    let said = Said::of(child);
    assert_eq!(said.status, 0, "{said:?}");
    lab.authority.fault(NS2, Some(Fault::Silent));
    let silent = lab.verify(&[
        "--hold",
        "8s",
        "--wait",
        "--patience",
        "1s",
        "--timeout",
        "1s",
    ]);
    assert_eq!(silent.status, 3, "{silent:?}");
}
