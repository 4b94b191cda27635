//! The document in the state folder: what another version finds there, and what
//! this one still reads.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::run::{danewright, folder};
use crate::world::World;
use crate::{golden, shape};

pub(crate) const NAMES: [&str; 6] = [
    "state-patched",
    "state-file",
    "state-verified",
    "state-old-verify",
    "state-old-patch",
    "state-new-verify",
];

fn read(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[track_caller]
fn same(name: &str, text: &str) {
    assert!(NAMES.contains(&name), "{name} is missing in the list above");
    golden::same(&format!("json/{name}.txt"), text);
}

#[test]
fn what_a_patch_leaves_for_verify() {
    let folder = folder();
    let words = [
        "patch",
        "example.com.zone",
        "new.pem",
        "--host",
        "mail.example.com",
        "--port",
        "25",
    ];
    let said = danewright(
        folder.path(),
        &[&words[..], &["--state", "state", "--reload", "false"]].concat(),
    );
    assert_eq!(said.status, 1, "{said:?}");
    let state = folder.path().join("state");
    same(
        "state-patched",
        &shape::of(&read(&state.join("example.com.json"))),
    );
    same(
        "state-file",
        &shape::of(&read(&state.join("example.com.file"))),
    );
}

#[test]
fn what_verify_remembers() {
    let world = World::new();
    world.second_has_none();
    assert_eq!(world.verify(&["--hold", "0s"]).status, 4);
    world.second_lags();
    assert_eq!(world.verify(&["--hold", "0s"]).status, 4);
    same(
        "state-verified",
        &shape::of(&read(&world.path().join("state/leaf.example.json"))),
    );
}

/// Puts the stored document into the state folder. It is one as version 0.1 writes it,
/// with something in every field, and `GOLDEN=write` leaves it alone: a program that
/// cannot read it starts the clocks of its users again. The port of the name servers
/// is another each time.
fn keep(world: &World, change: impl FnOnce(&mut Value)) -> Value {
    let text = fs::read_to_string(golden::path("state.json"))
        .unwrap()
        .replace("PORT", &world.port().to_string());
    let mut stored = serde_json::from_str(&text).unwrap();
    change(&mut stored);
    let state = world.path().join("state");
    fs::create_dir_all(&state).unwrap();
    fs::write(state.join("leaf.example.json"), stored.to_string()).unwrap();
    stored
}

#[test]
fn a_stored_document_is_read_back() {
    let world = World::new();
    let stored = keep(&world, |_| {});
    let verdict = world.verify(&[]).json();
    assert_eq!(verdict.get("warnings"), None, "{verdict}");
    // Without what is remembered, everything begins now and lasts a day.
    assert_eq!(verdict["verdict"], "safe", "{verdict}");
    assert_eq!(
        verdict["targets"][0]["agreed_since"],
        "2026-11-20T12:00:00Z"
    );
    let (old, new) = (
        &stored["owners"],
        read(&world.path().join("state/leaf.example.json")),
    );
    let owner = "_25._tcp.mail.leaf.example.";
    assert_eq!(
        new["owners"][owner]["changes"][0]["expected"],
        old[owner]["changes"][0]["expected"]
    );
    assert_eq!(new["version"], 2);

    keep(&world, |_| {});
    let zone =
        "leaf.example. SOA ns1 h 1 1 1 1 1\n_25._tcp.mail 60 TLSA 3 1 2 00\nmail 60 A 192.0.2.25\n";
    fs::write(
        world.path().join("leaf.example.zone"),
        format!("$ORIGIN leaf.example.\n$TTL 60\n{zone}"),
    )
    .unwrap();
    let words = [
        "patch",
        "leaf.example.zone",
        "new.pem",
        "--host",
        "mail.leaf.example",
        "--port",
        "25",
    ];
    let said = danewright(
        world.path(),
        &[&words[..], &["--state", "state", "--json"]].concat(),
    )
    .json();
    assert_eq!(
        (said.get("warnings"), &said["written"]),
        (None, &true.into()),
        "{said}"
    );
    let patched = read(&world.path().join("state/leaf.example.json"));
    assert_eq!(
        patched["owners"][owner]["resolvers"],
        old[owner]["resolvers"]
    );
    assert_ne!(patched["owners"][owner]["changes"], old[owner]["changes"]);
}

#[test]
fn a_document_of_another_version_is_refused_and_left() {
    let world = World::new();
    for (version, verify, patch) in [
        (1, "state-old-verify", Some("state-old-patch")),
        (3, "state-new-verify", None),
    ] {
        let stored = keep(&world, |state| state["version"] = json!(version));
        let text = |document: &Value| serde_json::to_string_pretty(document).unwrap();
        let verdict = world.verify(&[]).json();
        assert_eq!(verdict["status"], 2);
        same(verify, &text(&verdict));
        if let Some(patch) = patch {
            fs::write(
                world.path().join("leaf.example.zone"),
                "$ORIGIN leaf.example.\n$TTL 60\n@ SOA ns1 h 1 1 1 1 1\nmail A 192.0.2.25\n",
            )
            .unwrap();
            let words = [
                "patch",
                "leaf.example.zone",
                "new.pem",
                "--host",
                "mail.leaf.example",
                "--port",
                "25",
            ];
            same(
                patch,
                &text(
                    &danewright(
                        world.path(),
                        &[&words[..], &["--state", "state", "--json"]].concat(),
                    )
                    .json(),
                ),
            );
        }
        assert_eq!(
            read(&world.path().join("state/leaf.example.json")),
            stored,
            "it is left as it was"
        );
    }
}
