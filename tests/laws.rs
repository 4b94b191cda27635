//! The laws of the zone document, over every file in `zones/` and over
//! invented zones. `PROPTEST_CASES` sets how many of those.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops where it fails"
)]

#[path = "laws/check.rs"]
mod check;
#[path = "laws/dice.rs"]
mod dice;
#[path = "laws/invent.rs"]
mod invent;
#[path = "laws/pen.rs"]
mod pen;
#[path = "laws/plain.rs"]
mod plain;
#[path = "laws/stepping.rs"]
mod stepping;
#[path = "laws/whole.rs"]
mod whole;

use std::cell::Cell;
use std::fs;
use std::path::PathBuf;

use check::{Asked, Outcome, edits};
use danewright::name::Name;
use danewright::tlsa::{Matching, Params, Target, Tlsa};
use danewright::zone::edit::serial::Policy;
use dice::Dice;
use invent::Files;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use whole::reading;

fn zones() -> Vec<(String, Files)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("zones");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let label = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
    let texts: Files = paths
        .iter()
        .map(|path| (label(path), fs::read(path).unwrap()))
        .collect();
    let mains: Vec<&(String, Vec<u8>)> = texts
        .iter()
        .filter(|(label, _)| label.ends_with(".zone"))
        .collect();
    assert!(mains.len() >= 10, "the zones are missing");
    let files = |main: &(String, Vec<u8>)| {
        let others = texts.iter().filter(|(label, _)| label.ends_with(".part"));
        [("main".to_owned(), main.1.clone())]
            .into_iter()
            .chain(others.cloned())
            .collect()
    };
    mains
        .into_iter()
        .map(|main| (main.0.trim_end_matches(".zone").to_owned(), files(main)))
        .collect()
}

/// The edits that every zone is put through.
fn asked(zone: &str, dice: &mut Dice<'_>) -> Asked {
    let host = Name::from_user(&format!("mail.{zone}")).unwrap();
    let targets = Target::combine(
        &[host],
        &["25", "465", "587"].map(|port| port.parse().unwrap()),
    );
    let params = Params {
        matching: *dice.pick(&[Matching::SHA2_256, Matching::SHA2_512]),
        ..Params::default()
    };
    let wanted = ["new", "other"]
        .map(|seed| Tlsa::of(seed.as_bytes(), params).unwrap())
        .to_vec();
    let serial = *dice.pick(&[Policy::Auto, Policy::Increment, Policy::Keep]);
    Asked {
        targets,
        wanted,
        ttl: dice.one_in(6).then_some(1800),
        serial,
    }
}

#[test]
fn every_file_in_zones_is_read_whole_however_it_comes_in() {
    for (zone, files) in zones() {
        let origin = Name::from_user(&zone).unwrap();
        for pad in [0, 262_000, 262_100] {
            assert!(
                reading(&files, &origin, pad, pad % 7),
                "{zone} is not read to its end"
            );
        }
    }
}

#[test]
fn the_laws_hold_for_every_file_in_zones() {
    for (zone, files) in zones() {
        let origin = Name::from_user(&zone).unwrap();
        for choices in [&[][..], &[1, 1, 0], &[0, 2, 0]] {
            match edits(&files, &origin, &asked(&zone, &mut Dice::new(choices))) {
                Outcome::Held { added, kept, .. } => {
                    assert!(added > 0, "{zone}");
                    assert!(kept.is_empty(), "{zone}: {kept:?}");
                }
                Outcome::Unread(why) | Outcome::Refused(why) => panic!("{zone}: {why:?}"),
            }
        }
    }
}

/// Octets that show themselves as the zone they make.
struct Shown(Vec<u8>);

impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (label, text) in invent::zone(&mut Dice::new(&self.0[self.0.len().min(3)..])).files {
            writeln!(
                f,
                "--- {label}\n{}",
                text.escape_ascii()
                    .to_string()
                    .replace("\\n", "\n")
                    .replace("\\t", "\t")
            )?;
        }
        Ok(())
    }
}

#[test]
fn the_laws_hold_for_invented_zones_and_most_can_be_edited() {
    let config = Config {
        cases: std::env::var("PROPTEST_CASES").map_or(64, |cases| cases.parse().unwrap()),
        ..Config::default()
    };
    let mut runner = TestRunner::new(Config {
        failure_persistence: None,
        ..config
    });
    let (all, edited, removed) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let octets = proptest::collection::vec(any::<u8>(), 0..700).prop_map(Shown);
    let outcome = runner.run(&octets, |Shown(octets)| {
        let mut dice = Dice::new(&octets);
        let choices = [
            dice.below(256) as u8,
            dice.below(256) as u8,
            dice.below(256) as u8,
        ];
        let invented = invent::zone(&mut dice);
        let origin = Name::from_user(invented.zone).unwrap();
        assert!(
            reading(
                &invented.files,
                &origin,
                usize::from(choices[0]),
                usize::from(choices[1])
            ),
            "not read"
        );
        let asked = asked(invented.zone, &mut Dice::new(&choices));
        all.set(all.get() + 1);
        match edits(&invented.files, &origin, &asked) {
            Outcome::Held {
                removed: gone,
                kept,
                ..
            } => {
                edited.set(edited.get() + 1);
                removed.set(removed.get() + gone);
                for why in kept {
                    prop_assert!(check::may_decline(&why), "{why:?}");
                }
            }
            Outcome::Unread(why) | Outcome::Refused(why) => {
                prop_assert!(check::may_decline(&why), "{why:?}")
            }
        }
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
    assert!(
        edited.get() * 10 > all.get() * 7,
        "only {} of {} zones were edited",
        edited.get(),
        all.get()
    );
    assert!(
        removed.get() > all.get() / 2,
        "only {} removals in {} zones",
        removed.get(),
        all.get()
    );
}
