//! The JSON documents of `verify`, one for each verdict, and of the demo: their
//! shape, as times, ports and keys of the zones are new each time.

use serde_json::Value;

use crate::run::{danewright, folder};
use crate::world::World;
use crate::{golden, shape};

pub(crate) const NAMES: [&str; 10] = [
    "verify-safe",
    "verify-wait",
    "verify-hold",
    "verify-unsafe",
    "verify-unknown",
    "verify-nobody",
    "verify-exec",
    "verify-exec-failed",
    "verify-wrong",
    "demo",
];

#[track_caller]
fn same(name: &str, document: &Value) {
    assert!(NAMES.contains(&name), "{name} is missing in the list above");
    golden::same(&format!("json/{name}.txt"), &shape::of(document));
}

#[test]
fn every_verdict_has_its_document() {
    let world = World::new();
    let hold = world.verify(&["--hold", "2h"]).json();
    assert_eq!(
        (&hold["verdict"], &hold["why"]["code"]),
        (&"wait".into(), &"hold-not-elapsed".into())
    );
    same("verify-hold", &hold);
    let safe = world.verify(&["--hold", "0s"]).json();
    assert_eq!(safe["verdict"], "safe", "{safe}");
    same("verify-safe", &safe);
    same(
        "verify-exec",
        &world.verify(&["--hold", "0s", "--exec", "true"]).json(),
    );
    same(
        "verify-exec-failed",
        &world.verify(&["--hold", "0s", "--exec", "false"]).json(),
    );
    same(
        "verify-wrong",
        &world.verify(&["--since", "2999-01-01T00:00:00Z"]).json(),
    );
    world.second_lags();
    let wait = world.verify(&["--hold", "0s"]).json();
    assert_eq!(wait["verdict"], "wait", "{wait}");
    same("verify-wait", &wait);
    world.second_lost_the_old();
    let lost = world.verify(&["--hold", "0s"]).json();
    assert_eq!(lost["verdict"], "unsafe", "{lost}");
    same("verify-unsafe", &lost);
    world.second_refuses();
    let unknown = world.verify(&["--hold", "0s"]).json();
    assert_eq!(unknown["verdict"], "unknown", "{unknown}");
    same("verify-unknown", &unknown);
}

#[test]
fn nobody_answers() {
    let folder = folder();
    let key = [
        "verify",
        "--json",
        "new.pem",
        "--host",
        "mail.example.com",
        "--port",
        "25",
        "--state",
        "state",
    ];
    // Port 9 discards, where it does anything.
    let ask = [
        "--resolver",
        "127.0.0.1:9",
        "--root-server",
        "127.0.0.1:9",
        "--tries",
        "1",
        "--timeout",
        "1s",
    ];
    let nobody = danewright(folder.path(), &[&key[..], &ask].concat()).json();
    assert_eq!(nobody["verdict"], "unknown", "{nobody}");
    same("verify-nobody", &nobody);
}

#[test]
fn the_demo_tells_its_steps() {
    let folder = folder();
    let demo = danewright(folder.path(), &["demo", "--json"]);
    assert_eq!(demo.status, 0, "{demo:?}");
    same("demo", &demo.json());
}
