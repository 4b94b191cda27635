//! Where `patch` and `prune` edit: aliases, owners named as they are, and names of
//! which the file holds nothing.

use std::path::Path;
use std::process::Output;

use serde_json::Value;

use super::{
    DIGEST, NEW, ZONE, danewright, files, folder, patch, prune, prune_cleared, refused, zone,
};

/// The zone without its TLSA record, with these lines instead.
fn with(lines: &str) -> String {
    format!("{}{lines}", ZONE.rsplit_once("_25._tcp").unwrap().0)
}

const OLD: &str = "TLSA 3 1 1 1111111111111111111111111111111111111111111111111111111111111111";

fn said(output: &Output) -> (Option<i32>, String) {
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

/// Runs `prune`, which must refuse, say this, and change nothing.
fn not_pruned(folder: &Path, more: &[&str], says: &[&str]) {
    let before = files(folder);
    let (status, stderr) = said(&prune(folder, &[&["--keep", "new.pem"], more].concat()));
    assert_eq!(status, Some(1), "{says:?}: {stderr}");
    assert!(
        says.iter().all(|says| stderr.contains(says)),
        "wanted {says:?}: {stderr}"
    );
    assert_eq!(files(folder), before, "{says:?}");
}

#[test]
fn prune_never_passes_where_it_looked_at_nothing() {
    let own = ZONE.replace(DIGEST, NEW);
    let both = format!("{own}_465._tcp.mail {OLD}\n");
    for (text, more, says) in [
        (
            own.clone(),
            ["--port", "26"],
            &[
                "no TLSA record at _26._tcp.mail.example.com.",
                "misspelt",
                "_25._tcp.mail.example.com.",
            ][..],
        ),
        (
            both.clone(),
            ["--host", "mial.example.com"],
            &[
                "no TLSA record at _25._tcp.mial.example.com.",
                "at _25._tcp.mail.example.com., _465.",
            ],
        ),
        (with(""), ["--port", "26"], &["no TLSA record at all"]),
        (
            with(&format!("*._tcp.mail {OLD}\n")),
            ["--port", "26"],
            &[
                "the wildcard *._tcp.mail.example.com. answers",
                "zone:7:",
                "--owner '*._tcp.mail.example.com.'",
            ],
        ),
        (
            with(&format!("*._tcp.mail CNAME _dane\n_dane {OLD}\n")),
            ["--port", "26"],
            &["leads to _dane.example.com.", "--owner _dane.example.com."],
        ),
        (
            with("*.mail CNAME other.example.net.\n"),
            ["--port", "26"],
            &[
                "leads out of the zone, to other.example.net.",
                "zone:7:",
                "on the zone file that holds other.example.net.",
            ],
        ),
        (
            own.clone() + "mail NS ns.example.net.\n",
            ["--port", "25"],
            &["mail.example.com. is delegated", "zone:8:"],
        ),
        (
            own.clone() + "_tcp.mail DNAME x.example.net.\n",
            ["--port", "25"],
            &["has a DNAME", "zone:8:"],
        ),
        (
            own.clone() + "$GENERATE 20-30 _$._tcp.mail TLSA \"3 1 1 aa\"\n",
            ["--port", "25"],
            &["$GENERATE for _$._tcp.mail makes records", "zone:8:"],
        ),
        (
            with("_25._tcp.mail CNAME _25._tcp.mx.example.net.\n"),
            ["--port", "25"],
            &[
                "leads out of the zone, to _25._tcp.mx.example.net.",
                "zone:7:",
                "--owner _25._tcp.mx.example.net.",
            ],
        ),
        (
            with("_25._tcp.mail CNAME _dane\n"),
            ["--port", "25"],
            &["no TLSA record at _dane.example.com."],
        ),
    ] {
        not_pruned(folder(text).path(), &more, says);
    }
}

#[test]
fn an_alias_in_the_zone_is_followed_and_told_of() {
    let text = with(&format!(
        "_25._tcp.mail CNAME _b\n_b CNAME _dane.mail\n_465._tcp.mail CNAME _dane.mail\n_dane.mail {OLD}\nwww A 192.0.2.80\n"
    ));
    let folder = folder(&text);
    let output = patch(folder.path(), &["--json"]);
    let (status, stderr) = said(&output);
    assert_eq!(status, Some(0), "{stderr}");
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["added"][0]["owner"], "_dane.mail.example.com.");
    assert_eq!(json["aliases"][0]["owner"], "_25._tcp.mail.example.com.");
    assert_eq!(json["aliases"][0]["target"], "_dane.mail.example.com.");
    let notes: Vec<&str> = json["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|note| note["code"].as_str())
        .collect();
    assert_eq!(
        notes,
        [
            "alias-followed",
            "alias-shares-records",
            "alias-shares-records"
        ],
        "{json}"
    );
    let patched = text
        .replace(" 7 ", " 8 ")
        .replace(OLD, &format!("{OLD}\n_dane.mail TLSA 3 1 1 {NEW}"));
    assert_eq!(zone(folder.path()), patched);

    // Two services that lead to one owner are one edit, and so is the owner by its name.
    let both = patch(folder.path(), &["--port", "465"]);
    assert_eq!(said(&both).0, Some(0));
    assert_eq!(zone(folder.path()), patched);

    let output = prune(folder.path(), &["--keep", "new.pem", "--port", "465"]);
    let (status, stderr) = said(&output);
    assert_eq!(status, Some(0), "{stderr}");
    assert!(
        stderr.contains(
            "_25._tcp.mail.example.com. is an alias; its records stand at _dane.mail.example.com."
        ),
        "{stderr}"
    );
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(
        stdout.starts_with("- _dane.mail.example.com. 3600 IN TLSA 3 1 1 1111"),
        "{stdout}"
    );
    assert_eq!(
        zone(folder.path()),
        text.replace(" 7 ", " 9 ")
            .replace(OLD, &format!("TLSA 3 1 1 {NEW}"))
    );
}

#[test]
fn what_two_aliases_share_is_written_once() {
    let text = with("_25._tcp.mail CNAME _dane\n_465._tcp.mail CNAME _dane\n");
    let folder = folder(&text);
    assert_eq!(said(&patch(folder.path(), &["--port", "465"])).0, Some(0));
    assert_eq!(
        zone(folder.path()).matches("TLSA").count(),
        1,
        "{}",
        zone(folder.path())
    );
}

#[test]
fn aliases_that_lead_nowhere_are_refused_with_the_command_that_helps() {
    for (lines, says) in [
        (
            "_25._tcp.mail CNAME _25._tcp.mail\n",
            "leads in circles or too far",
        ),
        (
            "_25._tcp.mail CNAME _a\n_a CNAME _b\n_b CNAME _a\n",
            "leads in circles or too far",
        ),
        (
            "_25._tcp.mail CNAME _a\n_a CNAME _x.example.net.\n",
            "--owner _x.example.net.",
        ),
        (
            "_25._tcp.mail CNAME _a.sub\nsub NS ns.example.net.\n",
            "sub.example.com. is delegated",
        ),
        (
            "_25._tcp.mail CNAME _a\n_25._tcp.mail TLSA 3 1 1 aa\n",
            "is an alias and has other records too",
        ),
        (
            "_25._tcp.mail CNAME _a\n_25._tcp.mail CNAME _b\n",
            "is an alias and has other records too",
        ),
    ] {
        refused(folder(with(lines)).path(), &[], 1, says);
    }
    let chain: String = (0..40)
        .map(|at| format!("_a{at} CNAME _a{}\n", at + 1))
        .collect();
    refused(
        folder(with(&format!("_25._tcp.mail CNAME _a0\n{chain}"))).path(),
        &[],
        1,
        "too far",
    );
    let octets = with("_25._tcp.mail TYPE5 \\# 19 055f64616e65076578616d706c6503636f6d00\n");
    let folder = folder(octets);
    assert_eq!(
        said(&patch(folder.path(), &[])).0,
        Some(0),
        "an alias in octets is one too"
    );
    assert!(
        zone(folder.path()).contains("_dane"),
        "{}",
        zone(folder.path())
    );
}

fn at_owner(folder: &Path, command: &[&str], owner: &str) -> Output {
    danewright(
        folder,
        &[command, &["--owner", owner, "--state", "state"]].concat(),
    )
}

#[test]
fn an_owner_is_named_as_it_is() {
    let text = with(&format!("_25._tcp.mail CNAME _dane\n_dane {OLD}\n"));
    let folder = folder(&text);
    let run = |command: &[&str], owner| said(&at_owner(folder.path(), command, owner));
    let (status, stderr) = run(
        &["patch", "example.com.zone", "new.pem"],
        "_dane.example.com",
    );
    assert_eq!(status, Some(0), "{stderr}");
    assert!(
        stderr.contains("_25._tcp.mail.example.com. leads to _dane.example.com. too"),
        "{stderr}"
    );
    assert!(zone(folder.path()).contains(&format!("_dane TLSA 3 1 1 {NEW}\n")));
    let prune = [
        "prune",
        "example.com.zone",
        "--no-probe",
        "--force",
        "--keep",
        "new.pem",
    ];
    assert_eq!(run(&prune, "_nada.example.com").0, Some(1));
    let (status, stderr) = run(&prune, "_dane.example.com.");
    assert_eq!(status, Some(0), "{stderr}");
    assert!(!zone(folder.path()).contains("1111"));
    let records = at_owner(folder.path(), &["tlsa", "new.pem"], "_dane.example.com");
    assert_eq!(
        said(&records),
        (Some(2), said(&records).1),
        "tlsa keeps no state"
    );
    let records = danewright(
        folder.path(),
        &["tlsa", "new.pem", "--owner", "_dane.example.com"],
    );
    assert_eq!(
        String::from_utf8(records.stdout).unwrap(),
        format!("_dane.example.com. IN TLSA 3 1 1 {NEW}\n")
    );
    for (owner, says) in [(".", "root"), ("a..b", "empty label"), ("a b", "' '")] {
        let (status, stderr) = run(&["patch", "example.com.zone", "new.pem"], owner);
        assert_eq!(status, Some(2), "{stderr}");
        assert!(
            stderr.contains(says) && stderr.contains("--owner"),
            "{stderr}"
        );
    }
    let both = [
        "patch",
        "example.com.zone",
        "new.pem",
        "--host",
        "mail.example.com",
        "--port",
        "25",
    ];
    assert_eq!(
        run(&both, "_dane.example.com").0,
        Some(2),
        "an owner is named in place of host and port"
    );
}

#[test]
fn patch_does_not_call_it_done_where_the_record_is_not_served() {
    let there = ZONE.replace(DIGEST, NEW);
    assert_eq!(said(&patch(folder(&there).path(), &[])).0, Some(0));
    refused(
        folder(format!("{there}mail NS ns.example.net.\n")).path(),
        &[],
        1,
        "is delegated",
    );
}

#[test]
fn a_wildcard_alias_is_in_the_way_only_where_it_gives_something() {
    for (lines, outcome) in [
        ("*.mail CNAME @\n", None),
        ("* CNAME @\n", None),
        ("*._tcp.mail CNAME @\n", None),
        (
            "*.mail CNAME _dane\n_dane TLSA 3 1 1 aa\n",
            Some("--owner _dane.example.com."),
        ),
        (
            "*.mail CNAME _b\n_b CNAME _dane\n_dane TLSA 3 1 1 aa\n",
            Some("leads to _b.example.com."),
        ),
        (
            "*.mail CNAME x.example.net.\n",
            Some("leads out of the zone, to x.example.net."),
        ),
        (
            "*.mail CNAME x.example.net.\n",
            Some("on the zone file that holds x.example.net., with --owner x.example.net."),
        ),
        (
            "*.mail CNAME x.sub\nsub NS ns.example.net.\n",
            Some("leads to x.sub.example.com."),
        ),
        (
            "*.mail TLSA 3 1 1 aa\n",
            Some("the wildcard *.mail.example.com. answers for the name now"),
        ),
    ] {
        let folder = folder(with(lines));
        match outcome {
            Some(says) => refused(folder.path(), &[], 1, says),
            None => {
                let (status, stderr) = said(&patch(folder.path(), &[]));
                assert_eq!(status, Some(0), "{lines}: {stderr}");
            }
        }
    }
    // The host itself is made to exist, and loses what the wildcard gave it.
    let wild = with("").replace("mail IN A 192.0.2.25\n", "* CNAME @\n");
    refused(
        folder(&wild).path(),
        &[],
        1,
        "write the wildcard's records at the host itself first",
    );
    let helped = folder(format!("{wild}mail CNAME @\n"));
    assert_eq!(
        said(&patch(helped.path(), &[])).0,
        Some(0),
        "the hint leads somewhere"
    );
}

/// The zone with these lines and the old and the new record at `_25._tcp.mail`.
fn shared(lines: &str) -> String {
    with(&format!(
        "_25._tcp.mail {OLD}\n_25._tcp.mail TLSA 3 1 1 {NEW}\n{lines}"
    ))
}

#[test]
fn prune_takes_nothing_from_names_that_were_not_asked_for() {
    let two = "_465._tcp.mail CNAME _25._tcp.mail\n_25._tcp.mx2 CNAME _465._tcp.mail\n";
    let backwards = "_25._tcp.mx2 CNAME _465._tcp.mail\n_465._tcp.mail CNAME _25._tcp.mail\n";
    let both = &["_465._tcp.mail.example.com.", "_25._tcp.mx2.example.com."][..];
    let chain: String = (1..=11)
        .rev()
        .map(|at| format!("_{at}._tcp.c CNAME _{}._tcp.c\n", at - 1))
        .collect();
    let chain = format!("{chain}_0._tcp.c CNAME _25._tcp.mail\n");
    for (lines, more, says) in [
        (two, &[][..], both),
        (backwards, &[], both),
        (two, &["--port", "465"], &both[1..]),
        (
            &chain,
            &[],
            &["_0._tcp.c.example.com.", "_11._tcp.c.example.com."],
        ),
        (
            "*._tcp.mx2 CNAME _25._tcp.mail\n",
            &[],
            &["*._tcp.mx2.example.com."],
        ),
        (
            "_465._tcp.MAIL TYPE5 \\# 27 035f3235045f746370046d61696c076578616d706c6503636f6d00\n",
            &[],
            &both[..1],
        ),
        ("_dane CNAME _25._tcp.mail\n", &[], &["_dane.example.com."]),
        (
            "$GENERATE 1-3 _25._tcp.mx$ CNAME _25._tcp.mail\n",
            &[],
            &["_25._tcp.mx$ (made by $GENERATE)"],
        ),
        (
            "$GENERATE 24-26 _465._tcp.mx$ CNAME \"_$._tcp.mail\"\n",
            &[],
            &["_465._tcp.mx$ (made by $GENERATE)"],
        ),
        (
            "x CNAME _25._tcp.mail\nx CNAME _dane\n",
            &[],
            &["x.example.com."],
        ),
    ] {
        let folder = folder(shared(lines));
        let before = files(folder.path());
        for more in [more, &[more, &["--dry-run"]].concat()] {
            let (status, stderr) = said(&prune_cleared(
                folder.path(),
                &[&["--keep", "new.pem"], more].concat(),
            ));
            assert_eq!(status, Some(1), "{lines}: {stderr}");
            // What $GENERATE makes cannot be asked for.
            assert_eq!(
                stderr.contains("--owner"),
                !says[0].contains("made by"),
                "{stderr}"
            );
            let says = says.iter().chain(&["--force", "nothing was removed"]);
            assert!(
                says.clone().all(|says| stderr.contains(says)),
                "wanted {says:?}: {stderr}"
            );
            assert_eq!(files(folder.path()), before, "{lines}");
        }
        // Whoever says so has them removed, and is told for whom else.
        let (status, stderr) = said(&prune(
            folder.path(),
            &[&["--keep", "new.pem"], more].concat(),
        ));
        assert_eq!(status, Some(0), "{lines}: {stderr}");
        assert!(
            stderr.contains(&format!(
                "{} leads to _25._tcp.mail.example.com. too",
                says[0]
            )),
            "{lines}: {stderr}"
        );
        assert!(!zone(folder.path()).contains("1111"), "{lines}");
    }
}

#[test]
fn names_below_a_dname_lose_what_is_pruned_as_well() {
    let chain = "_25._tcp.x CNAME _25._tcp.mx2\n_tcp.mx2 DNAME _tcp.mail\n";
    let two = "_tcp.mx3 DNAME _tcp.mx2\n_tcp.mx2 DNAME _tcp.mail\n";
    for (lines, says) in [
        (
            "_tcp.mx2 DNAME _tcp.mail\n",
            &["_25._tcp.mx2.example.com. (over a DNAME)"][..],
        ),
        (
            "mx2 DNAME mail\n",
            &["_25._tcp.mx2.example.com. (over a DNAME)"],
        ),
        (
            chain,
            &[
                "_25._tcp.mx2.example.com. (over a DNAME)",
                "_25._tcp.x.example.com. (over a DNAME)",
            ],
        ),
        (
            two,
            &[
                "_25._tcp.mx2.example.com. (over a DNAME)",
                "_25._tcp.mx3.example.com. (over a DNAME)",
            ],
        ),
        (
            "x.a CNAME _25._tcp.mail\n_465.b DNAME a\n_465._tcp.c CNAME x._465.b\n",
            &["_465._tcp.c.example.com. (over a DNAME)"],
        ),
        (
            "old DNAME @\n_465._tcp.c CNAME _25._tcp.mail.old\n",
            &["_465._tcp.c.example.com. (over a DNAME)"],
        ),
        (
            "_tcp.mx2 TYPE39 \\# 23 045f746370046d61696c076578616d706c6503636f6d00\n",
            &["_25._tcp.mx2.example.com."],
        ),
        (
            "$GENERATE 1-3 _tcp.mx$ DNAME _tcp.mail\n",
            &["_tcp.mx$ (made by $GENERATE)"],
        ),
    ] {
        let folder = folder(shared(lines));
        let before = files(folder.path());
        let (status, stderr) = said(&prune_cleared(folder.path(), &["--keep", "new.pem"]));
        assert_eq!(status, Some(1), "{lines}: {stderr}");
        let says = says.iter().chain(&["--force", "nothing was removed"]);
        assert!(
            says.clone().all(|says| stderr.contains(says)),
            "wanted {says:?}: {stderr}"
        );
        assert_eq!(files(folder.path()), before, "{lines}");
        let (status, stderr) = said(&prune(folder.path(), &["--keep", "new.pem"]));
        assert_eq!(status, Some(0), "{lines}: {stderr}");
        assert!(
            stderr.contains(" leads to _25._tcp.mail.example.com. too"),
            "{lines}: {stderr}"
        );
    }
}

#[test]
fn a_dname_that_moves_the_host_too_moves_no_service_of_its_own() {
    for lines in [
        "old DNAME @\n",
        "old DNAME example.com.\nolder DNAME @\n",
        "_x DNAME elsewhere\nmx2 DNAME _tcp.mx3\n",
        "_tcp.mx2 DNAME _25._tcp.mail\n",
    ] {
        let folder = folder(shared(lines));
        let (status, stderr) = said(&prune_cleared(folder.path(), &["--keep", "new.pem"]));
        assert_eq!(status, Some(4), "{lines}: {stderr}");
    }
    // It is told all the same.
    let folder = folder(shared("old DNAME @\n"));
    let (_, stderr) = said(&prune(folder.path(), &["--keep", "new.pem"]));
    assert!(
        stderr.contains(
            "_25._tcp.mail.old.example.com. (over a DNAME) leads to _25._tcp.mail.example.com. too"
        ),
        "{stderr}"
    );
}

#[test]
fn names_below_many_dnames_are_not_all_told_apart() {
    let dnames: String = (0..1100).map(|at| format!("x{at} DNAME @\n")).collect();
    let folder = folder(shared(&dnames));
    let (status, stderr) = said(&prune_cleared(folder.path(), &["--keep", "new.pem"]));
    assert_eq!(status, Some(1), "{stderr}");
    assert!(stderr.contains("(a DNAME)"), "{stderr}");
}

/// Runs `prune` at these owners, without force.
fn pruned_at(folder: &Path, owners: &[&str]) -> (Option<i32>, String) {
    let owners: Vec<&str> = owners.iter().flat_map(|owner| ["--owner", owner]).collect();
    let prune = [
        "prune",
        "example.com.zone",
        "--no-probe",
        "--keep",
        "new.pem",
        "--state",
        "state",
    ];
    said(&danewright(folder, &[&prune, &owners[..]].concat()))
}

#[test]
fn names_that_were_all_asked_for_are_left_to_the_state() {
    let two = shared("_465._tcp.mail CNAME _25._tcp.mail\n_25._tcp.mx2 CNAME _465._tcp.mail\n");
    let (mail, submission, other) = (
        "_25._tcp.mail.example.com",
        "_465._tcp.mail.example.com",
        "_25._tcp.mx2.example.com",
    );
    let folder_of = folder;
    let folder = folder_of(two);
    for (owners, status) in [
        (&[mail][..], 1),
        (&[mail, submission], 1),
        (&[mail, other], 1),
        (&[other], 1),
        (&[mail, submission, other], 4),
        (&[submission, other], 4),
    ] {
        let (got, stderr) = pruned_at(folder.path(), owners);
        assert_eq!(got, Some(status), "{owners:?}: {stderr}");
    }
    // What is only on the way is no service of its own.
    let way = folder_of(with(&format!(
        "_25._tcp.mail CNAME _b\n_b CNAME _dane\n_dane {OLD}\n_dane TLSA 3 1 1 {NEW}\n"
    )));
    assert_eq!(pruned_at(way.path(), &[mail]).0, Some(4));
    assert_eq!(pruned_at(way.path(), &["_dane.example.com"]).0, Some(1));
    // Nothing goes, so nobody loses anything; aliases that lead elsewhere lose nothing either.
    let done = with(&format!(
        "_25._tcp.mail TLSA 3 1 1 {NEW}\n_465._tcp.mail CNAME _25._tcp.mail\n"
    ));
    assert_eq!(pruned_at(folder_of(done).path(), &[mail]).0, Some(0));
    let elsewhere = shared(
        "_465._tcp.mail CNAME _26._tcp.mail\nwww CNAME mail\nx CNAME _25._tcp.mail.example.net.\n",
    );
    assert_eq!(pruned_at(folder_of(elsewhere).path(), &[mail]).0, Some(4));
}

#[test]
fn many_aliases_are_not_all_followed() {
    // Six chains of twelve are more names than are watched at once.
    let chain = |from: usize| {
        (0..12)
            .map(move |at| format!("_{from}x{at} CNAME _{from}x{}\n", at + 1))
            .collect::<String>()
    };
    let lines: String = (0..6)
        .map(|from| format!("_{from}._tcp.mail CNAME _{from}x0\n{}", chain(from)))
        .collect();
    let ports = ["--owner"]
        .repeat(6)
        .into_iter()
        .zip(0..6)
        .flat_map(|(flag, at)| [flag.to_owned(), format!("_{at}._tcp.mail.example.com")]);
    let ports: Vec<String> = ports.collect();
    let ports: Vec<&str> = ports.iter().map(String::as_str).collect();
    let folder = folder(with(&lines));
    let before = files(folder.path());
    let patch = ["patch", "example.com.zone", "new.pem", "--state", "state"];
    let (status, stderr) = said(&danewright(folder.path(), &[&patch, &ports[..]].concat()));
    assert_eq!(status, Some(1), "{stderr}");
    assert!(stderr.contains("more than 64 other names"), "{stderr}");
    assert_eq!(files(folder.path()), before);
}
