//! What a check may take beside memory: time, and threads.

use std::fs;
use std::net::UdpSocket;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use danewright::demo::authority::Fault;

use crate::lab::{LONG_AGO, Lab, NOBODY, NS1, NS2, RESOLVER, Said, TLD, name};

const AGREED: [&str; 4] = ["--hold", "0", "--since", LONG_AGO];

fn timed(lab: &Lab, more: &[&str]) -> (Duration, Said) {
    let started = Instant::now();
    let said = lab.verify(&[&AGREED[..], more].concat());
    (started.elapsed(), said)
}

#[test]
fn one_clock_ends_a_check_and_says_what_is_missing() {
    // Each of them alone would take a minute and more.
    let slow = [
        "--timeout",
        "30s",
        "--check-timeout",
        "2s",
        "--json",
        "--allow-unreachable",
        "9",
    ];
    for (what, servers) in [
        ("the zone", &[NS1, NS2][..]),
        ("one of two", &[NS2]),
        ("the parent", &[TLD]),
    ] {
        for fault in [Fault::Silent, Fault::Delay(Duration::from_secs(25))] {
            let lab = Lab::new();
            servers
                .iter()
                .for_each(|server| lab.authority.fault(*server, Some(fault)));
            let (took, said) = timed(&lab, &slow);
            assert_eq!(said.status, 3, "{what} {fault:?}: {said:?}");
            assert!(took < Duration::from_secs(10), "{what} {fault:?}: {took:?}");
            assert!(
                said.codes(0).contains(&"check-timeout".to_owned()),
                "{what} {fault:?}: {said:?}"
            );
            assert!(
                said.out.contains("the check was not through after 2 s: "),
                "{said:?}"
            );
            let address = lab.socket(servers[0]);
            assert!(
                said.out.contains(&format!(" at {address}")),
                "{what} {fault:?}: {said:?}"
            );
        }
    }
    // In discovery, and where only TCP would do.
    for (what, server, fault) in [
        ("the resolver", RESOLVER, Fault::Silent),
        ("no TCP", NS2, Fault::TruncateUdpNoTcp),
    ] {
        let lab = Lab::new();
        lab.authority.fault(server, Some(fault));
        let (took, said) = timed(&lab, &slow);
        assert_eq!(said.status, 3, "{what}: {said:?}");
        assert!(took < Duration::from_secs(10), "{what}: {took:?}");
    }
}

#[test]
fn what_was_through_in_time_is_not_told_of_the_clock() {
    let mut lab = Lab::with(&["fast", "slow"]);
    let silent = UdpSocket::bind(lab.authority.socket(NOBODY)).unwrap();
    for server in ["ns1.slow", "ns2.slow"] {
        lab.tld
            .remove(server, "A")
            .unwrap()
            .add(server, 3600, "A", &NOBODY.to_string())
            .unwrap();
    }
    lab.publish();
    lab.authority.withdraw(RESOLVER, &name("slow.example"));
    fs::write(
        lab.path().join("list"),
        "new.pem mail.slow.example 25\nnew.pem mail.fast.example 25\n",
    )
    .unwrap();
    let more = [
        "--targets",
        "list",
        "--timeout",
        "30s",
        "--check-timeout",
        "3s",
        "--json",
    ];
    let said = Said::of(lab.start(&[&AGREED[..], &more[..]].concat()));
    assert!(
        said.codes(0).contains(&"check-timeout".to_owned()),
        "{said:?}"
    );
    let (fast, slow) = (&said.json()["targets"][1], &said.json()["targets"][0]);
    assert_eq!(
        (&fast["verdict"], &slow["verdict"]),
        (&"safe".into(), &"unknown".into()),
        "{said:?}"
    );
    drop(silent);
}

#[test]
fn a_length_that_is_none_is_refused() {
    let lab = Lab::new();
    for wrong in ["0", "500ms", "2h", "soon"] {
        let said = lab.verify(&["--check-timeout", wrong]);
        assert_eq!(said.status, 2, "{wrong}: {said:?}");
        assert!(said.err.contains("--check-timeout"), "{said:?}");
    }
}

#[test]
#[ignore = "needs setpriv and prlimit"]
fn where_no_thread_can_be_made_the_verdict_is_the_same() {
    let lab = Lab::new();
    let program = lab.path().join("danewright");
    // Where the program was built, another user may have no business; through another
    // process, as a copy that somebody has open for writing cannot be run.
    let copied = Command::new("cp")
        .args([env!("CARGO_BIN_EXE_danewright"), program.to_str().unwrap()])
        .status();
    assert!(copied.unwrap().success());
    fs::set_permissions(lab.path(), fs::Permissions::from_mode(0o777)).unwrap();
    for file in ["new.pem", "old.pem", "anchor"] {
        fs::set_permissions(lab.path().join(file), fs::Permissions::from_mode(0o644)).unwrap();
    }
    let (port, resolver) = (lab.authority.port().to_string(), lab.socket(RESOLVER));
    // Root has no limit, so it becomes a user that nothing else runs as.
    let words: &[&str] = match fs::metadata("/proc/self").unwrap().uid() {
        0 => &[
            "setpriv",
            "--reuid",
            "64123",
            "--regid",
            "64123",
            "--clear-groups",
        ],
        _ => &["setpriv"],
    };
    for (limit, wait) in [
        ("1", false),
        ("1", true),
        ("2", true),
        ("3", true),
        ("4", true),
    ] {
        let mut command = Command::new(words[0]);
        command
            .args(&words[1..])
            .args(["prlimit", &format!("--nproc={limit}")])
            .arg(&program);
        command.args([
            "verify",
            "new.pem",
            "--host",
            "mail.leaf.example",
            "--port",
            "25",
            "--trust-anchor",
            "anchor",
        ]);
        command.args([
            "--dns-port",
            &port,
            "--resolver",
            &resolver,
            "--state",
            &format!("state{limit}{wait}"),
        ]);
        command
            .args(AGREED)
            .args(wait.then_some("--wait"))
            .env_clear()
            .env("PATH", std::env::var("PATH").unwrap());
        command
            .current_dir(lab.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let said = Said::of(
            command
                .spawn()
                .unwrap_or_else(|error| panic!("setpriv: {error}")),
        );
        assert_eq!(said.status, 0, "{limit} {wait}: {said:?}");
        assert!(!said.err.contains("panicked"), "{limit} {wait}: {said:?}");
    }
}
