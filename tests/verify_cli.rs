//! The command line of `verify`: what is wrong is said with the right status,
//! and nothing is asked of anybody but a silent port on loopback.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::net::UdpSocket;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(
            folder.path().join("new.pem"),
            rcgen::KeyPair::generate().unwrap().serialize_pem(),
        )
        .unwrap();
        fs::write(folder.path().join("notes"), "not what is asked for\n").unwrap();
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_danewright"));
        // No home folder, and no state but the one that is named.
        command
            .env_clear()
            .current_dir(self.path())
            .args(arguments)
            .output()
            .unwrap()
    }

    fn verify(&self, more: &[&str]) -> Output {
        let usual = [
            "verify",
            "new.pem",
            "--host",
            "mail.example.com",
            "--state",
            "state",
        ];
        self.run(&[&usual[..], more].concat())
    }
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// An address on loopback where nobody answers.
fn nobody() -> (UdpSocket, String) {
    // Bound and never read: silence, and no other process can take it.
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    (socket, address)
}

#[test]
fn wrong_arguments_are_status_2_and_say_which() {
    let place = Place::new();
    for (arguments, part) in [
        (&["--port", "0"][..], "--port"),
        (&["--port", "65536"], "--port"),
        (&["--port", "gopher"], "--port"),
        (&["--port", "25", "--resolver", "127.0.0.1:0"], "--resolver"),
        (
            &["--port", "25", "--resolver", "127.0.0.1:65536"],
            "--resolver",
        ),
        (&["--port", "25", "--resolver", "ns1.example"], "--resolver"),
        (&["--port", "25", "--dns-port", "0"], "--dns-port"),
        (&["--port", "25", "--dns-port", "65536"], "--dns-port"),
        (
            &["--port", "25", "--name-server", "127.0.0.1"],
            "--name-server",
        ),
        (&["--port", "25", "--hold", "soon"], "--hold"),
        (&["--port", "25", "--since", "yesterday"], "--since"),
        (&["--port", "25", "--timeout", "0"], "--timeout"),
        (&["--port", "25", "--tries", "0"], "--tries"),
        (
            &["--port", "25", "--allow-unreachable=-1"],
            "--allow-unreachable",
        ),
        (&["--port", "25", "--deadline", "1h"], "--wait"),
        (&["--port", "25", "--patience", "1h"], "--wait"),
        (
            &["--port", "25", "--wait", "--patience", "long"],
            "--patience",
        ),
        (&["--port", "25", "--exec", "'"], "--exec"),
        (
            &["--port", "25", "--exec", "no-such-program now"],
            "--exec no-such-program now",
        ),
        (
            &["--port", "25", "--exec", "./notes"],
            "may not be executed",
        ),
        (
            &["--port", "25", "--exec", "true | true"],
            "hint: run it in a shell: sh -c '...'",
        ),
        (&["--port", "25", "--ipv4", "--ipv6"], "--ipv4"),
        (&["--port", "25", "--usage", "256"], "--usage"),
        (&["--port", "25", "--trust-anchor", "missing"], "missing"),
        (&["--port", "25", "--trust-anchor", "notes"], "notes"),
        (&["--port", "25", "--trust-anchor", "."], "directory"),
        (&["--port", "25", "--current", "missing"], "missing"),
        (&["--port", "25", "--host", "a..b"], "--host"),
        (
            &["--port", "25", "--root-server", "a.root-servers.net"],
            "--root-server",
        ),
        (&["--port", "25", "--max-questions", "0"], "--max-questions"),
        (
            &["--port", "25", "--metrics", "missing/a.prom"],
            "--metrics missing/a.prom",
        ),
        (&["--port", "25", "--metrics", "."], "--metrics ."),
        (
            &["--port", "25", "465"],
            "ports are joined by commas, as --port 25,465",
        ),
        (
            &["--port", "25", "--host", "_25._tcp.mail.example.com"],
            "hint: say --host mail.example.com: ",
        ),
        (
            &["--port", "25", "--host", "192.0.2.25"],
            "this is an address",
        ),
        (&["--port", "25", "--targets", "list"], "--targets"),
    ] {
        let output = place.verify(&[&["--resolver", "127.0.0.1:9"], arguments].concat());
        assert_eq!(
            output.status.code(),
            Some(2),
            "{arguments:?}: {}",
            err(&output)
        );
        assert!(
            err(&output).contains(part),
            "{arguments:?}: {}",
            err(&output)
        );
        assert!(output.stdout.is_empty());
    }
    assert!(!place.path().join("state").exists());
}

#[test]
fn a_resolver_that_does_not_answer_is_status_3_with_the_whole_document() {
    let place = Place::new();
    let (_socket, address) = nobody();
    let (_root, root) = nobody();
    let quickly = [
        "--port",
        "25,465",
        "--resolver",
        &address,
        "--root-server",
        &root,
        "--timeout",
        "1s",
        "--tries",
        "1",
    ];
    let output = place.verify(&[&quickly[..], &["--json"]].concat());
    assert_eq!(output.status.code(), Some(3), "{}", err(&output));
    assert_eq!(err(&output), "");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (
            &document["schema"],
            &document["command"],
            &document["status"]
        ),
        (&1.into(), &"verify".into(), &3.into())
    );
    assert_eq!(document["verdict"], "unknown");
    assert_eq!(document["safe_at"], Value::Null);
    let owners: Vec<&Value> = document["targets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|target| &target["owner"])
        .collect();
    assert_eq!(
        owners,
        ["_25._tcp.mail.example.com.", "_465._tcp.mail.example.com."]
    );
    assert!(
        document["targets"][0]["expected"][0]
            .as_str()
            .unwrap()
            .starts_with("3 1 1 ")
    );
    let output = place.verify(&quickly);
    assert_eq!(output.status.code(), Some(3));
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .starts_with("UNKNOWN: do not deploy;")
    );
}

#[test]
fn a_key_that_is_none_is_status_2() {
    let place = Place::new();
    fs::write(place.path().join("empty.pem"), "").unwrap();
    for file in ["empty.pem", "missing.pem", "."] {
        let output = place.run(&[
            "verify",
            file,
            "--host",
            "mail.example.com",
            "--port",
            "25",
            "--state",
            "state",
        ]);
        assert_eq!(output.status.code(), Some(2), "{file}");
        assert!(
            err(&output).contains(&format!("--> {file}")),
            "{}",
            err(&output)
        );
    }
}

#[test]
fn an_owner_is_verified_as_it_is_and_the_hosts_behind_it_are_not_vouched_for() {
    let place = Place::new();
    let (_socket, address) = nobody();
    let arguments = [
        "verify",
        "new.pem",
        "--state",
        "state",
        "--resolver",
        &address,
        "--root-server",
        &address,
    ];
    let quickly = [
        "--timeout",
        "1s",
        "--tries",
        "1",
        "--json",
        "--owner",
        "_dane.mail.example.com",
    ];
    let output = place.run(&[&arguments[..], &quickly].concat());
    assert_eq!(output.status.code(), Some(3), "{}", err(&output));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["targets"][0]["owner"], "_dane.mail.example.com.");
    let findings = document["targets"][0]["findings"].as_array().unwrap();
    assert!(
        findings
            .iter()
            .any(|finding| finding["code"] == "host-unknown"),
        "{document}"
    );
    let both = place.run(
        &[
            &arguments[..],
            &["--owner", "_dane.example.com", "--host", "mail.example.com"],
        ]
        .concat(),
    );
    assert_eq!(both.status.code(), Some(2), "{}", err(&both));
}

#[test]
fn without_a_home_the_state_has_to_be_named() {
    let place = Place::new();
    let (_socket, address) = nobody();
    let usual = [
        "verify",
        "new.pem",
        "--host",
        "mail.example.com",
        "--port",
        "25",
        "--resolver",
        &address,
    ];
    let output = place.run(
        &[
            &usual[..],
            &["--root-server", &address, "--timeout", "1s", "--tries", "1"],
        ]
        .concat(),
    );
    match output.status.code() {
        // Root has a place of its own, and nothing was found that is worth keeping there.
        Some(2) => assert!(
            err(&output).contains("hint: name a folder with --state"),
            "{}",
            err(&output)
        ),
        code => assert_eq!(code, Some(3), "{}", err(&output)),
    }
}

#[test]
fn what_cannot_be_written_is_known_before_anybody_is_asked() {
    let place = Place::new();
    let (socket, address) = nobody();
    let usual = [
        "verify",
        "new.pem",
        "--host",
        "mail.example.com",
        "--port",
        "25",
        "--resolver",
        &address,
    ];
    let output = place.run(
        &[
            &usual[..],
            &["--root-server", &address, "--state", "notes/state"],
        ]
        .concat(),
    );
    assert_eq!(output.status.code(), Some(2));
    let says = "error: the state cannot be kept there: not a directory\n  --> notes/state\nhint: ";
    assert!(err(&output).starts_with(says), "{}", err(&output));
    socket.set_nonblocking(true).unwrap();
    assert!(socket.recv(&mut [0; 512]).is_err(), "somebody was asked");
}

#[test]
fn a_short_host_and_figures_under_another_name_are_warned_of() {
    let place = Place::new();
    let (_socket, address) = nobody();
    let usual = [
        "verify",
        "new.pem",
        "--host",
        "mail",
        "--port",
        "25,465",
        "--state",
        "state",
        "--timeout",
        "1s",
    ];
    let more = [
        "--tries",
        "1",
        "--resolver",
        &address,
        "--root-server",
        &address,
        "--metrics",
    ];
    let said = |metrics: &str| {
        let output = place.run(&[&usual[..], &more[..], &[metrics]].concat());
        assert_eq!(output.status.code(), Some(3), "{}", err(&output));
        err(&output)
    };
    let short = "warning: the host mail is a single label: name it in full, as mail.example.com\n";
    assert_eq!(said("dane.prom"), short);
    assert!(
        said("dane.txt").contains("reads files that end in .prom, and dane.txt does not\n"),
        "{}",
        said("dane.txt")
    );
}

#[cfg(target_os = "linux")]
#[test]
fn an_answer_that_has_no_room_says_why() {
    let place = Place::new();
    for arguments in [
        &[
            "tlsa",
            "new.pem",
            "--host",
            "mail.example.com",
            "--port",
            "25",
        ][..],
        &["--json", "spki", "new.pem"],
        &["--json", "spki", "gone"],
        &["--json", "spki"],
        &["--help"],
    ] {
        let full = fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_danewright"));
        let output = command
            .current_dir(place.path())
            .args(arguments)
            .stdout(full)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let said = err(&output);
        assert!(
            said.starts_with("error: the answer cannot be printed: No space left"),
            "{arguments:?}: {said}"
        );
        assert!(said.ends_with("\n  --> stdout\n"), "{arguments:?}: {said}");
    }
}

#[test]
#[ignore = "needs script"]
fn a_dumb_terminal_sees_lines_without_colour_that_stay() {
    let place = Place::new();
    let (_socket, address) = nobody();
    let line = format!(
        "{} verify new.pem --host mail.example.com --port 25 --state state --resolver {address} --root-server {address} \
         --timeout 1s --tries 1 --wait --deadline 2s",
        env!("CARGO_BIN_EXE_danewright")
    );
    let seen = |term: &str| {
        let mut command = Command::new("script");
        command
            .args(["-qec", &line, "/dev/null"])
            .env("TERM", term)
            .env_remove("NO_COLOR")
            .current_dir(place.path());
        let output = command.stdin(std::process::Stdio::null()).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let dumb = seen("dumb");
    assert!(
        dumb.contains("UNKNOWN: do not deploy") && !dumb.contains('\u{1b}'),
        "{dumb:?}"
    );
    let other = seen("xterm");
    assert!(
        other.contains("\u{1b}[2K") && other.contains("\u{1b}[1;35mUNKNOWN"),
        "{other:?}"
    );
}
