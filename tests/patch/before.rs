//! What `patch` and `prune` look at before anything is written, and what they
//! say of a request that will not do what somebody hopes.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use super::{ZONE, danewright, files, folder, patch, prune, refused};

fn stderr(output: &std::process::Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn commands_that_cannot_run_or_need_a_shell_are_refused_before_anything_is_written() {
    let folder = folder(ZONE);
    for flag in ["--check", "--reload"] {
        for (command, says) in [
            (
                "no-such-program {file}",
                "there is no program no-such-program",
            ),
            ("./new.pem", "the program ./new.pem may not be executed"),
            ("./gone", "there is no program ./gone"),
            (
                "cat {file} | grep -q SOA",
                "the command has |, which only a shell understands",
            ),
            ("cat {file} > seen", "the command has >"),
            ("true && false", "the command has &&"),
            ("true; false", "the command has ;"),
            ("echo $(date)", "the command has $("),
            ("echo `date`", "the command has `"),
            ("ls *", "the command has *"),
        ] {
            refused(folder.path(), &[flag, command], 2, says);
            refused(
                folder.path(),
                &[flag, command],
                2,
                &format!("--> {flag} {command}\nhint: "),
            );
        }
        let output = prune(
            folder.path(),
            &["--keep", "new.pem", flag, "no-such-program"],
        );
        assert_eq!(output.status.code(), Some(2), "{output:?}");
    }
    assert!(!folder.path().join("state").exists());
    let output = patch(
        folder.path(),
        &["--check", "sh -c 'grep SOA < {file} | grep -q 8 && true'"],
    );
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[test]
fn a_dry_run_lets_the_checks_see_the_new_file_and_leaves_nothing_behind() {
    let folder = folder(ZONE);
    let before = files(folder.path());
    let output = patch(
        folder.path(),
        &["--dry-run", "--check", "grep -q ' 8 ' {file}"],
    );
    assert_eq!(
        (output.status.code(), files(folder.path())),
        (Some(0), before.clone()),
        "{output:?}"
    );
    assert!(
        stderr(&output).contains("note: the new file passes every --check\n"),
        "{output:?}"
    );
    let document = |check: &str| -> Value {
        serde_json::from_slice(
            &patch(folder.path(), &["--dry-run", "--json", "--check", check]).stdout,
        )
        .unwrap()
    };
    assert_eq!(document("true")["checked"], true);
    let failed = document("grep -q absent {file}");
    assert_eq!(
        (&failed["status"], &failed["changed"]),
        (&1.into(), &true.into()),
        "{failed}"
    );
    assert!(
        failed["error"]["message"]
            .as_str()
            .unwrap()
            .starts_with("the check refused the new file"),
        "{failed}"
    );
    assert_eq!(files(folder.path()), before);
    // What an edit spans is shown whole.
    fs::write(
        folder.path().join("example.com.zone"),
        ZONE.replace("_25._tcp", "$INCLUDE sub\n;_25._tcp"),
    )
    .unwrap();
    fs::write(folder.path().join("sub"), "_25._tcp.mail TLSA 3 1 1 aa\n").unwrap();
    let before = files(folder.path());
    let check = "sh -c 'grep -h INCLUDE {file} | grep -q danewright'";
    let output = patch(folder.path(), &["--dry-run", "--check", check]);
    assert_eq!(
        (output.status.code(), files(folder.path())),
        (Some(0), before),
        "{output:?}"
    );
}

#[test]
fn a_dry_run_that_cannot_run_the_checks_says_so() {
    let folder = folder(ZONE);
    // A file of the zone that bears the name which the new text would have.
    let taken = ".example.com.zone.danewright-new";
    fs::write(folder.path().join(taken), "www A 192.0.2.1\n").unwrap();
    fs::write(
        folder.path().join("example.com.zone"),
        format!("{ZONE}$INCLUDE {taken}\n"),
    )
    .unwrap();
    let before = files(folder.path());
    let output = patch(folder.path(), &["--dry-run", "--check", "true"]);
    assert_eq!(
        (output.status.code(), files(folder.path())),
        (Some(0), before),
        "{output:?}"
    );
    assert!(
        stderr(&output).contains("warning: --check was not run: "),
        "{output:?}"
    );
}

#[test]
fn hosts_that_are_none_are_refused_with_what_was_meant() {
    let folder = folder(ZONE);
    for (host, says) in [
        (
            "_25._tcp.mail.example.com",
            "hint: say --host mail.example.com: ",
        ),
        ("_dane.example.com", "hint: say --host example.com: "),
        ("192.0.2.25", "this is an address"),
        ("2001:db8::25", "this is an address"),
        ("[2001:db8::25]", "this is an address"),
        (
            "mail",
            "hint: name the host in full: --host mail.example.com",
        ),
    ] {
        refused(folder.path(), &["--host", host], 2, says);
    }
}

#[test]
fn a_second_port_without_a_comma_is_explained() {
    let folder = folder(ZONE);
    let before = files(folder.path());
    let hint = "hint: if 465 is a port: ports are joined by commas, as --port 25,465\n";
    let host = ["--host", "mail.example.com", "--port", "25", "465"];
    for words in [
        [&["patch", "example.com.zone", "new.pem"], &host[..]].concat(),
        [
            &["patch", "--host", "mail.example.com", "--port", "25", "465"],
            &["example.com.zone", "new.pem"][..],
        ]
        .concat(),
        [&["tlsa", "new.pem"], &host[..]].concat(),
        [&["verify", "new.pem", "--state", "state"], &host[..]].concat(),
    ] {
        let output = danewright(folder.path(), &words);
        assert_eq!(output.status.code(), Some(2), "{words:?}: {output:?}");
        assert!(
            stderr(&output).ends_with(hint),
            "{words:?}: {}",
            stderr(&output)
        );
    }
    let prune = [
        &[
            "prune",
            "example.com.zone",
            "--no-probe",
            "--force",
            "--keep",
            "new.pem",
        ],
        &host[..],
    ]
    .concat();
    let said = stderr(&danewright(folder.path(), &prune));
    assert!(
        said.contains("tip: if 465 is a port: ports are joined by commas, as --port 25,465\n"),
        "{said}"
    );
    let json: Value = serde_json::from_slice(
        &danewright(folder.path(), &[&prune[..], &["--json"]].concat()).stdout,
    )
    .unwrap();
    assert!(
        json["error"]["hint"]
            .as_str()
            .unwrap()
            .contains("--port 25,465"),
        "{json}"
    );
    assert_eq!(files(folder.path()), before);
}

#[test]
fn a_host_without_an_address_is_warned_of_as_lint_does() {
    let says = "neither an address nor an alias in this zone";
    let warned = |zone: String, more: &[&str]| {
        let output = patch(folder(&zone).path(), more);
        assert_eq!(output.status.code(), Some(0), "{zone}: {}", stderr(&output));
        stderr(&output).matches(says).count()
    };
    assert_eq!(warned(ZONE.to_owned(), &[]), 0);
    assert_eq!(
        warned(
            ZONE.replace("mail IN A 192.0.2.25", "mail IN AAAA 2001:db8::25"),
            &[]
        ),
        0
    );
    assert_eq!(
        warned(
            ZONE.replace("mail IN A 192.0.2.25\n", ""),
            &["--port", "465,587"]
        ),
        1
    );
    assert_eq!(
        warned(
            ZONE.replace(
                "mail IN A 192.0.2.25",
                "mail IN MX 10 ns1\nmx.mail A 192.0.2.25"
            ),
            &[]
        ),
        1
    );
    assert_eq!(
        warned(ZONE.replace("mail IN A", "maill IN A"), &[]),
        1,
        "the host's name is misspelt"
    );
    assert_eq!(warned(ZONE.to_owned(), &["--host", "ns1.example.com"]), 0);
}

#[test]
fn a_ttl_that_changes_nothing_is_told() {
    let says = "--ttl changes nothing at _25._tcp.mail.example.com.: the set there keeps its TTL of 3600 s";
    let said = |more: &[&str]| stderr(&patch(folder(ZONE).path(), more));
    assert!(said(&["--ttl", "300"]).contains(says));
    assert!(said(&["--ttl", "5m", "--dry-run"]).contains(says));
    assert!(!said(&["--ttl", "1h"]).contains("--ttl"), "as it is");
    let said = said(&["--ttl", "300", "--port", "465"]);
    assert!(
        said.contains(says) && !said.contains("_465"),
        "a new set has the TTL asked for: {said}"
    );
}

#[test]
fn a_state_folder_that_was_asked_for_is_tried_before_the_zone_is_written() {
    let folder = folder(ZONE);
    let path = folder.path();
    let patch = |state: &str, more: &[&str]| {
        let usual = [
            "patch",
            "example.com.zone",
            "new.pem",
            "--host",
            "mail.example.com",
            "--port",
            "25",
            "--state",
        ];
        danewright(path, &[&usual[..], &[state], more].concat())
    };
    let before = files(path);
    for state in ["new.pem", "new.pem/below"] {
        let output = patch(state, &[]);
        assert_eq!(
            (output.status.code(), files(path)),
            (Some(2), before.clone()),
            "{output:?}"
        );
        let says = format!(
            "error: the state cannot be kept there: not a directory\n  --> {state}\nhint: name another"
        );
        assert!(stderr(&output).starts_with(&says), "{output:?}");
    }
    assert_eq!(
        patch("new.pem", &["--dry-run"]).status.code(),
        Some(0),
        "nothing is kept"
    );
    let locked = path.join("locked");
    fs::create_dir(&locked).unwrap();
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o500)).unwrap();
    // For root nothing is locked.
    let closed = fs::write(locked.join("probe"), "").is_err();
    let output = patch("locked/state", &[]);
    assert_eq!(
        output.status.code(),
        Some(if closed { 2 } else { 0 }),
        "{output:?}"
    );
}
