//! Many targets at once: `--targets`, and what they share.

use std::fs;

use crate::lab::{LONG_AGO, Lab, NS1, NS2, RESOLVER, ROOT, Said, TLD};

fn listed(lab: &Lab, list: &str, more: &[&str]) -> Said {
    fs::write(lab.path().join("list"), list).unwrap();
    Said::of(lab.start(&[&["--targets", "list"], more].concat()))
}

#[test]
fn each_line_is_judged_by_its_own_keys_and_the_worst_decides() {
    let lab = Lab::with(&["a", "b", "c"]);
    // Of b only one server has the new record.
    lab.serve_leaf(&lab.leaf("b", 0, &["old"]), &[NS2]);
    let list = "# key        host             ports   deployed\n\
                new.pem      mail.a.example   25,465  old.pem\n\
                new.pem,old.pem  mail.b.example  smtp\n\
                other.pem    mail.c.example   25\n";
    let said = listed(&lab, list, &["--hold", "0", "--since", LONG_AGO, "--json"]);
    assert_eq!(said.status, 4, "{said:?}");
    let document = said.json();
    let seen: Vec<(&str, &str)> = document["targets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|target| {
            (
                target["owner"].as_str().unwrap(),
                target["verdict"].as_str().unwrap(),
            )
        })
        .collect();
    let expected = [
        ("_25._tcp.mail.a.example.", "safe"),
        ("_465._tcp.mail.a.example.", "safe"),
        ("_25._tcp.mail.b.example.", "wait"),
        ("_25._tcp.mail.c.example.", "wait"),
    ];
    assert_eq!(seen, expected);
    assert_eq!(document["targets"][0]["current"][0], lab.record("old"));
    assert_eq!(
        document["targets"][2]["expected"].as_array().unwrap().len(),
        2
    );
    assert_eq!(document["targets"][3]["expected"][0], lab.record("other"));
    for zone in ["a", "b", "c"] {
        assert!(
            lab.path()
                .join(format!("state/{zone}.example.json"))
                .exists()
        );
    }
    let text = listed(&lab, list, &["--hold", "0", "--since", LONG_AGO]).out;
    assert!(
        text.contains("\nwhy      _25._tcp.mail.b.example.: ns2.b.example. "),
        "{text}"
    );
}

#[test]
fn paths_start_at_the_lists_folder() {
    let lab = Lab::new();
    let folder = lab.path().join("lists");
    fs::create_dir(&folder).unwrap();
    fs::copy(lab.path().join("new.pem"), folder.join("my key.pem")).unwrap();
    fs::write(folder.join("list"), "\"my key.pem\" mail.leaf.example 25\n").unwrap();
    let said = Said::of(lab.start(&[
        "--targets",
        "lists/list",
        "--hold",
        "0",
        "--since",
        LONG_AGO,
    ]));
    assert_eq!(said.status, 0, "{said:?}");
}

#[test]
fn what_is_wrong_with_a_list_is_said_with_its_place_and_nobody_is_asked() {
    let lab = Lab::new();
    fs::write(lab.path().join("notes"), "not a key\n").unwrap();
    for (list, place, part) in [
        ("", "list", "no target"),
        ("new.pem mail.leaf.example", "list:1:26", "before its ports"),
        (
            "\nnew.pem mail.leaf.example 25 old.pem more",
            "list:2:38",
            "more than",
        ),
        ("new.pem mail..example 25", "list:1:9", "empty label"),
        ("new.pem . 25", "list:1:9", "the root is no host"),
        (
            "new.pem mail.leaf.example 25,gopher",
            "list:1:30",
            "neither a port",
        ),
        (
            "new.pem,gone.pem mail.leaf.example 25",
            "list:1:9: gone.pem",
            "no such file",
        ),
        ("notes mail.leaf.example 25", "list:1:1: notes", "neither"),
        ("- mail.leaf.example 25", "list:1:1", "standard input"),
        (
            "new.pem a.example 25\nold.pem a.example 465,25",
            "list:2:9",
            "line 1 has this target already",
        ),
    ] {
        let said = listed(&lab, list, &[]);
        assert_eq!(said.status, 2, "{list:?}: {said:?}");
        assert!(
            said.err.contains(&format!("\n  --> {place}")),
            "{list:?}: {said:?}"
        );
        assert!(
            said.err.lines().next().unwrap().contains(part) || part == "neither",
            "{list:?}: {said:?}"
        );
        let json = listed(&lab, list, &["--json"]).json();
        assert!(
            json["error"]["place"].as_str().unwrap().starts_with(place),
            "{json}"
        );
    }
    assert_eq!(lab.authority.asked(RESOLVER), 0);
    assert!(!lab.path().join("state").exists());
}

#[test]
fn what_targets_share_is_asked_once() {
    let asked = |lab: &Lab| [ROOT, TLD, NS1, RESOLVER].map(|server| lab.authority.asked(server));
    let lab = Lab::new();
    assert_eq!(
        listed(
            &lab,
            "new.pem mail.leaf.example 25",
            &["--hold", "0", "--since", LONG_AGO]
        )
        .status,
        0
    );
    let [root, tld, ns1, resolver] = asked(&lab);
    // The keys, the SOA and the NS of the zone, the server's addresses, the
    // host's, and the TLSA set eleven times.
    assert!(
        ns1 <= 22 && tld <= 6 && root <= 4 && resolver <= 24,
        "{:?}",
        asked(&lab)
    );

    let lab = Lab::new();
    assert_eq!(
        listed(
            &lab,
            "new.pem mail.leaf.example 25,465",
            &["--hold", "0", "--since", LONG_AGO]
        )
        .status,
        0
    );
    assert_eq!(asked(&lab)[..2], [root, tld]);
    // One more owner is its own eleven questions, and its ancestors' for the resolver.
    assert_eq!(asked(&lab)[2], ns1 + 11);
    assert!(asked(&lab)[3] <= resolver + 2);

    // Two zones of one parent share the parent's keys; so does the root's.
    let lab = Lab::with(&["a", "b"]);
    let list = "new.pem mail.a.example 25\nnew.pem mail.b.example 25\n";
    assert_eq!(
        listed(&lab, list, &["--hold", "0", "--since", LONG_AGO]).status,
        0
    );
    assert_eq!(asked(&lab)[0], root);
    // Of each zone the DS and the NS.
    assert_eq!(asked(&lab)[1], tld + 2);
}

#[test]
fn the_questions_of_a_verdict_have_a_limit_and_beyond_it_nothing_is_safe() {
    let lab = Lab::new();
    let safe = lab.verify(&["--hold", "0", "--since", LONG_AGO]);
    assert_eq!(safe.status, 0, "{safe:?}");
    for limit in ["1", "5", "20", "30"] {
        let said = lab.verify(&[
            "--hold",
            "0",
            "--since",
            LONG_AGO,
            "--max-questions",
            limit,
            "--json",
            "--allow-unreachable",
            "9",
        ]);
        assert_ne!(said.status, 0, "{limit}: {said:?}");
        assert!(
            said.codes(0).contains(&"limits-exceeded".to_owned()),
            "{limit}: {said:?}"
        );
    }
}
