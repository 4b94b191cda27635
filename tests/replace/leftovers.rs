//! What a run that was killed may leave, made by hand, and the next run.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::place::{Files, Place, Shape, ends_well, outcomes, talk};

/// Where a leftover of a file lies.
fn left(place: &Place, name: &str, suffix: &str) -> PathBuf {
    let path = place.path().join(name);
    path.with_file_name(format!(
        ".{}.danewright-{suffix}",
        path.file_name().unwrap().to_str().unwrap()
    ))
}

/// Dates a file back: what stood there before is older than what took its place.
fn age(path: &Path, minutes: u64) {
    let file = fs::File::options().append(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(60 * minutes))
        .unwrap();
}

/// A folder with the files as they were some time ago.
fn place_of(files: &Files) -> Place {
    let place = Place::with(files);
    files
        .keys()
        .for_each(|name| age(&place.path().join(name), 1));
    place
}

/// The zone's files in the order in which a run replaces them.
fn in_order(shape: Shape) -> &'static [&'static str] {
    match shape {
        Shape::One => &["example.com.zone"],
        Shape::RecordsIncluded => &["example.com.zone", "tlsa.inc"],
        Shape::SoaIncluded => &["head.inc", "example.com.zone"],
        Shape::Three => &["example.com.zone", "a/mail.inc", "b/mx.inc"],
    }
}

/// Each state that a run of the program passes through, with a name for it.
fn states(shape: Shape, old: &Files, new: &Files) -> Vec<(String, Place)> {
    let names = in_order(shape);
    let mut states = Vec::new();
    // The new texts come one by one.
    for written in 0..names.len() {
        for part in [0, 1, 2] {
            let place = place_of(old);
            for (at, name) in names[..=written].iter().enumerate() {
                let length = if at == written {
                    new[*name].len() * part / 2
                } else {
                    new[*name].len()
                };
                fs::write(left(&place, name, "new"), &new[*name][..length]).unwrap();
            }
            states.push((
                format!("{shape:?}, new text {written} written to {part}/2"),
                place,
            ));
        }
    }
    // Copies for checks and backups.
    for suffix in ["check", "backup"] {
        let place = place_of(old);
        for name in names {
            fs::write(left(&place, name, "new"), &new[*name]).unwrap();
            fs::write(left(&place, name, suffix), &old[*name][..20]).unwrap();
        }
        states.push((format!("{shape:?}, a {suffix} beside each"), place));
    }
    // The files change one by one; the old texts keep a second name until the last has.
    for renamed in 0..=names.len() {
        for linked in [false, true] {
            let place = place_of(old);
            for (at, name) in names.iter().enumerate() {
                let path = place.path().join(name);
                if names.len() > 1 && (at < renamed || (at == renamed && linked)) {
                    fs::hard_link(&path, left(&place, name, "old")).unwrap();
                }
                fs::write(left(&place, name, "new"), &new[*name]).unwrap();
                if at < renamed {
                    fs::rename(left(&place, name, "new"), path).unwrap();
                }
            }
            states.push((
                format!("{shape:?}, {renamed} renamed, the next linked: {linked}"),
                place,
            ));
        }
    }
    // The files exchange their names with the new texts, one by one, and the old texts get a third one.
    for exchanged in 0..=names.len() {
        for renamed in [false, true] {
            let place = place_of(old);
            for (at, name) in names.iter().enumerate() {
                let (path, hidden) = (place.path().join(name), left(&place, name, "new"));
                fs::write(&hidden, &new[*name]).unwrap();
                if at < exchanged {
                    fs::rename(&path, place.path().join("x")).unwrap();
                    fs::rename(&hidden, &path).unwrap();
                    let third = if renamed || at + 1 < exchanged {
                        left(&place, name, "old")
                    } else {
                        hidden
                    };
                    fs::rename(place.path().join("x"), third).unwrap();
                }
            }
            states.push((
                format!("{shape:?}, {exchanged} exchanged, the last renamed: {renamed}"),
                place,
            ));
        }
    }
    // A lock is always there meanwhile.
    for (at, name) in names.iter().enumerate() {
        let place = place_of(old);
        names[..=at]
            .iter()
            .for_each(|name| fs::write(left(&place, name, "lock"), "").unwrap());
        states.push((format!("{shape:?}, locked up to {name}"), place));
    }
    // The second names go one by one.
    for gone in 0..names.len() {
        let place = place_of(new);
        for name in &names[gone..] {
            fs::write(left(&place, name, "old"), &old[*name]).unwrap();
            age(&left(&place, name, "old"), 2);
        }
        states.push((format!("{shape:?}, {gone} old names gone"), place));
    }
    states
}

#[test]
fn the_next_run_cleans_up_after_each_state_that_a_killed_one_leaves() {
    for shape in Shape::ALL {
        let old = shape.files(0);
        let (patched, pruned) = outcomes(&old);
        for (how, place) in states(shape, &old, &patched) {
            ends_well(
                &place,
                &old,
                &patched,
                &mut place.command(&[], &[]),
                &format!("patch, {how}"),
            );
        }
        for (how, place) in states(shape, &patched, &pruned) {
            ends_well(
                &place,
                &patched,
                &pruned,
                &mut place.prune(&[]),
                &format!("prune, {how}"),
            );
        }
    }
}

#[test]
fn a_run_about_another_name_cleans_up_beside_every_file_of_the_zone() {
    let old = Shape::Three.files(0);
    let place = Place::with(&old);
    fs::write(left(&place, "b/mx.inc", "new"), "half of").unwrap();
    fs::hard_link(
        place.path().join("b/mx.inc"),
        left(&place, "b/mx.inc", "old"),
    )
    .unwrap();
    let arguments = [
        "patch",
        "example.com.zone",
        "new.pem",
        "--host",
        "mail.example.com",
        "--port",
        "25",
    ];
    let output = place
        .any(&[], &[&arguments[..], &["--state", "state"]].concat())
        .output()
        .unwrap();
    assert_eq!(
        (output.status.code(), place.files().len()),
        (Some(0), 3),
        "{}",
        talk(&output)
    );
    assert_eq!(place.files()["b/mx.inc"], old["b/mx.inc"]);
}

#[test]
fn what_stood_there_before_a_killed_run_is_named_when_it_is_removed() {
    let old = Shape::One.files(0);
    for (suffix, named) in [
        ("old", true),
        ("new", true),
        ("backup", false),
        ("check", false),
    ] {
        let place = Place::with(&old);
        let path = left(&place, "example.com.zone", suffix);
        fs::write(&path, "what stood there").unwrap();
        age(&path, 1);
        let output = place.patch(&[]);
        assert_eq!(
            (output.status.code(), place.files().len()),
            (Some(0), 1),
            "{suffix}: {}",
            talk(&output)
        );
        let name = format!("/.example.com.zone.danewright-{suffix}\n");
        assert_eq!(
            talk(&output).contains(&name),
            named,
            "{suffix}: {}",
            talk(&output)
        );
    }
    // A new text that a run could not put in place is nothing to speak of, nor is a second name of the file.
    let place = place_of(&old);
    fs::write(left(&place, "example.com.zone", "new"), "half of").unwrap();
    fs::hard_link(
        place.path().join("example.com.zone"),
        left(&place, "example.com.zone", "old"),
    )
    .unwrap();
    let output = place.patch(&[]);
    assert_eq!(
        (output.status.code(), place.files().len()),
        (Some(0), 1),
        "{}",
        talk(&output)
    );
    assert!(talk(&output).is_empty(), "{}", talk(&output));
}

#[test]
fn what_somebody_wrote_to_the_old_text_when_the_run_was_killed_is_kept() {
    let old = Shape::One.files(0);
    let place = place_of(&old);
    for (text, name) in [
        ("one", "example.com.zone.danewright-kept"),
        ("two", "example.com.zone.danewright-kept-2"),
    ] {
        fs::write(left(&place, "example.com.zone", "old"), text).unwrap();
        // Whether or not there is something to change.
        let output = place.patch(&[]);
        assert_eq!(output.status.code(), Some(0), "{}", talk(&output));
        assert!(
            talk(&output).contains("warning") && talk(&output).contains(name),
            "{}",
            talk(&output)
        );
        age(&place.path().join("example.com.zone"), 1);
        assert_eq!(place.files()[name], text.as_bytes());
        assert!(!left(&place, "example.com.zone", "old").exists());
    }
    let last = place.files();
    assert_eq!(
        (last.len(), &last["example.com.zone"]),
        (3, &outcomes(&old).0["example.com.zone"])
    );
    assert_eq!(last["example.com.zone.danewright-kept"], b"one");
    assert!(talk(&place.patch(&[])).is_empty());
}

#[test]
fn a_dry_run_leaves_what_it_finds() {
    let old = Shape::One.files(0);
    let place = Place::with(&old);
    fs::write(left(&place, "example.com.zone", "new"), "half of").unwrap();
    let before = place.files();
    assert_eq!(place.patch(&["--dry-run"]).status.code(), Some(0));
    assert_eq!(place.files(), before);
}

#[test]
fn a_link_in_the_place_of_a_leftover_goes_and_what_it_names_stays() {
    for suffix in ["new", "old", "backup", "check"] {
        let old = Shape::RecordsIncluded.files(0);
        let place = Place::with(&old);
        fs::write(place.path().join("precious"), "kept").unwrap();
        symlink("precious", left(&place, "example.com.zone", suffix)).unwrap();
        let output = place.patch(&["--backup", ".bak", "--check", "test -e {file}"]);
        assert_eq!(output.status.code(), Some(0), "{suffix}: {}", talk(&output));
        let files = place.files();
        assert_eq!(files["precious"], b"kept", "{suffix}");
        assert!(
            !files.keys().any(|name| name.starts_with('.')),
            "{suffix}: {:?}",
            files.keys()
        );
    }
}

#[test]
fn a_file_of_the_zone_with_the_name_of_a_leftover_is_kept() {
    for suffix in ["new", "old", "backup", "check", "lock"] {
        for linked in [false, true] {
            let mut old = Shape::One.files(0);
            let name = format!(".example.com.zone.danewright-{suffix}");
            old.get_mut("example.com.zone")
                .unwrap()
                .extend(format!("$INCLUDE {name}\n").bytes());
            old.insert("www.inc".to_owned(), b"www A 192.0.2.80\n".to_vec());
            let place = Place::with(&old);
            if linked {
                symlink("www.inc", place.path().join(&name)).unwrap();
            } else {
                fs::copy(place.path().join("www.inc"), place.path().join(&name)).unwrap();
            }
            let before = place.files();
            let output = place.patch(&["--backup", ".bak", "--check", "test -e {file}"]);
            assert_eq!(output.status.code(), Some(2), "{name}: {}", talk(&output));
            assert!(talk(&output).contains(&name), "{}", talk(&output));
            assert!(
                fs::symlink_metadata(place.path().join(&name)).is_ok(),
                "{name} is gone"
            );
            assert_eq!(place.files(), before, "{name}");
        }
    }
}

#[test]
fn a_folder_in_the_way_of_the_new_text_is_an_error_and_nothing_is_written() {
    for suffix in ["new"] {
        let old = Shape::RecordsIncluded.files(0);
        let place = Place::with(&old);
        for name in ["example.com.zone", "tlsa.inc"] {
            fs::create_dir(left(&place, name, suffix)).unwrap();
            let output = place.patch(&[]);
            assert_eq!(
                (output.status.code(), place.files()),
                (Some(2), old.clone()),
                "{}",
                talk(&output)
            );
            assert!(talk(&output).contains(name), "{}", talk(&output));
            fs::remove_dir(left(&place, name, suffix)).unwrap();
        }
    }
}
