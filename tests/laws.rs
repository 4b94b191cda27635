//! The laws of the zone document, over every file in `zones/`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use std::fs;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use danewright::name::Name;
use danewright::tlsa::{Params, Target, Tlsa};
use danewright::zone::library::{Library, Texts, read_span};
use danewright::zone::patch::Patch;
use danewright::zone::plan::{Change, Request, Zone};
use danewright::zone::reader::Reader;
use danewright::zone::serial::Policy;
use danewright::zone::splice::{Edited, Piece, pieces};

fn zones() -> Vec<(String, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("zones");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "zone"));
    files.sort();
    assert!(files.len() >= 10, "the zones are missing");
    files.iter().map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), fs::read(path).unwrap())).collect()
}

fn now() -> DateTime<Utc> {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

fn targets(origin: &str) -> Vec<Target> {
    let host = Name::from_user(&format!("mail.{origin}")).unwrap();
    Target::combine(&[host], &["25", "465", "587"].map(|port| port.parse().unwrap()))
}

fn key(seed: &str) -> Tlsa {
    Tlsa::of(seed.as_bytes(), Params::default()).unwrap()
}

fn add(records: &[Tlsa], serial: Policy) -> Request {
    Request { change: Change::Add(vec![records.to_vec(); 3]), ttl: None, serial, serial_above: None }
}

fn remove(records: &[Tlsa], serial: Policy) -> Request {
    Request { change: Change::Remove(vec![records.to_vec(); 3]), ttl: None, serial, serial_above: None }
}

fn edited(library: &Texts, text: &[u8], patch: &Patch) -> Vec<u8> {
    let Some((_, splices)) = patch.splices().first() else { return text.to_vec() };
    let mut new = Vec::new();
    for piece in pieces(splices, text.len() as u64) {
        match piece {
            Piece::Kept(start, end) => new.extend(read_span(library, 0, start, end).unwrap()),
            Piece::New(text) => new.extend_from_slice(text),
        }
    }
    let view = Edited::new(library, patch.splices());
    assert_eq!(read_span(&view, 0, 0, new.len() as u64).unwrap(), new, "the edited view is what is written");
    new
}

fn plan(origin: &str, text: &[u8], request: &Request) -> (Vec<u8>, Patch) {
    let library = Texts::one(origin, text);
    let zone = Zone::read(&library, Some(Name::from_user(origin).unwrap()), &targets(origin))
        .unwrap_or_else(|e| panic!("{origin}: {e:?}"));
    let patch = zone.plan(request, now()).unwrap_or_else(|e| panic!("{origin}: {e:?}"));
    (edited(&library, text, &patch), patch)
}

#[test]
fn the_spans_of_the_entries_joined_are_the_text() {
    for (origin, text) in zones() {
        let library = Texts::one(&origin, text.clone());
        let mut reader = Reader::new(&library, Some(Name::from_user(&origin).unwrap()));
        let mut joined = Vec::new();
        while reader.advance().unwrap() {
            let entry = reader.entry().unwrap();
            assert_eq!(entry.offset, joined.len() as u64, "{origin}");
            joined.extend_from_slice(entry.text);
        }
        assert_eq!(joined, text, "{origin}");
    }
}

#[test]
fn what_is_already_so_yields_an_empty_patch_and_no_new_serial() {
    for (origin, text) in zones() {
        let (once, _) = plan(&origin, &text, &add(&[key("new")], Policy::Auto));
        let (twice, patch) = plan(&origin, &once, &add(&[key("new")], Policy::Auto));
        assert!(patch.is_empty(), "{origin}");
        assert_eq!(patch.serial, None, "{origin}");
        assert_eq!(twice, once, "{origin}");
    }
}

#[test]
fn adding_and_then_removing_restores_the_bytes() {
    for (origin, text) in zones() {
        let (with, patch) = plan(&origin, &text, &add(&[key("new"), key("other")], Policy::Keep));
        assert_eq!(patch.added.len(), 6, "{origin}");
        assert_ne!(with, text, "{origin}");
        let (without, patch) = plan(&origin, &with, &remove(&[key("new"), key("other")], Policy::Keep));
        assert_eq!(patch.removed.len(), 6, "{origin}");
        assert_eq!(String::from_utf8_lossy(&without), String::from_utf8_lossy(&text), "{origin}");
        assert_eq!(without, text, "{origin}");
    }
}

#[test]
fn bytes_outside_the_splices_stay_as_they_are_in_order() {
    for (origin, text) in zones() {
        let (new, patch) = plan(&origin, &text, &add(&[key("new")], Policy::Auto));
        let (_, splices) = &patch.splices()[0];
        let (mut old_at, mut new_at) = (0, 0);
        for splice in splices {
            let kept = usize::try_from(splice.start).unwrap() - old_at;
            assert_eq!(text[old_at..old_at + kept], new[new_at..new_at + kept], "{origin}");
            (old_at, new_at) = (usize::try_from(splice.end).unwrap(), new_at + kept + splice.text.len());
        }
        assert_eq!(text[old_at..], new[new_at..], "{origin}");
    }
}

#[test]
fn the_first_the_last_and_every_published_record_can_be_removed() {
    for (origin, text) in zones() {
        let library = Texts::one(&origin, text.clone());
        let zone = Zone::read(&library, Some(Name::from_user(&origin).unwrap()), &targets(&origin)).unwrap();
        let published: Vec<Tlsa> =
            (0..3).flat_map(|at| zone.published(at).map(|(tlsa, ..)| tlsa.clone()).collect::<Vec<_>>()).collect();
        for tlsa in &published {
            // `plan` proves the meaning itself, or there is no patch.
            let (_, patch) = plan(&origin, &text, &remove(std::slice::from_ref(tlsa), Policy::Auto));
            assert!(!patch.removed.is_empty(), "{origin}");
        }
        let (_, patch) = plan(&origin, &text, &remove(&published, Policy::Auto));
        assert!(published.is_empty() || !patch.removed.is_empty(), "{origin}");
    }
}

#[test]
fn an_included_file_is_found_by_its_name() {
    let library = Texts::of([
        ("main".to_owned(), b"$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns\n$INCLUDE sub\nwww A 192.0.2.1\n".to_vec()),
        ("sub".to_owned(), b"mail A 192.0.2.2\n_25._tcp.mail TLSA 3 1 1 aa\n".to_vec()),
    ]);
    let origin = Name::from_user("example.com").unwrap();
    let zone = Zone::read(&library, Some(origin), &targets("example.com")).unwrap();
    let change = Change::Add(vec![vec![key("new")], vec![], vec![]]);
    let asked = Request { change, ..add(&[], Policy::Auto) };
    let patch = zone.plan(&asked, now()).unwrap();
    let files: Vec<usize> = patch.splices().iter().map(|(file, _)| *file).collect();
    assert_eq!(files, [0, 1], "the serial changes in one file, the records in the other");
    assert_eq!(library.label(1), "sub");
}
