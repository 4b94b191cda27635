//! Somebody else changes the files while an edit is under way: nothing of
//! theirs is lost, and nothing of the edit is written.

use std::fs;

use crate::place::{Place, Shape, talk};

#[test]
fn a_file_that_changed_meanwhile_is_not_overwritten() {
    for shape in Shape::ALL {
        let old = shape.files(0);
        for name in old.keys() {
            for (how, change) in [
                ("written to", format!("sh -c 'echo \"; by hand\" >>{name}'")),
                ("touched", format!("touch {name}")),
                ("given another mode", format!("chmod 600 {name}")),
                (
                    "replaced by an editor",
                    format!("sh -c 'cp {name} x; mv x {name}'"),
                ),
                (
                    "written in place and dated back",
                    format!("sh -c 'cp -p {name} x; tr 2 3 <x >{name}; touch -r x {name}; rm x'"),
                ),
                (
                    "replaced by a folder",
                    format!("sh -c 'rm {name}; mkdir {name}; touch {name}/x'"),
                ),
                (
                    "replaced by a pipe",
                    format!("sh -c 'rm {name}; mkfifo {name}'"),
                ),
            ] {
                let place = Place::with(&old);
                let output = place.patch(&["--check", &change]);
                assert_eq!(
                    output.status.code(),
                    Some(1),
                    "{shape:?}: {name} {how}: {}",
                    talk(&output)
                );
                assert!(
                    talk(&output).contains("changed while it was being edited"),
                    "{}",
                    talk(&output)
                );
                if how.contains("pipe") {
                    fs::remove_file(place.path().join(name)).unwrap();
                }
                let files = place.files();
                for (other, text) in old.iter().filter(|(other, _)| *other != name) {
                    assert_eq!(
                        files[other], *text,
                        "{shape:?}: {name} {how}: {other} changed as well"
                    );
                }
                assert!(
                    !files.keys().any(|name| name.contains("danewright")),
                    "{:?}",
                    files.keys()
                );
            }
        }
    }
}

#[test]
fn a_file_that_went_away_meanwhile_is_not_made_again() {
    for shape in Shape::ALL {
        let mut old = shape.files(0);
        let place = Place::with(&old);
        let name = old.keys().next().unwrap().clone();
        let output = place.patch(&["--check", &format!("rm {name}")]);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{shape:?}: {}",
            talk(&output)
        );
        assert!(talk(&output).contains(&name), "{}", talk(&output));
        old.remove(&name);
        assert_eq!(place.files(), old, "{shape:?}");
    }
}

#[test]
fn a_backup_takes_the_place_of_no_file_of_the_zone() {
    let mut old = Shape::RecordsIncluded.files(0);
    let text = String::from_utf8(old["example.com.zone"].clone()).unwrap()
        + "$INCLUDE example.com.zone.hosts\n";
    old.insert("example.com.zone".to_owned(), text.into_bytes());
    old.insert(
        "example.com.zone.hosts".to_owned(),
        b"www IN A 192.0.2.80\n".to_vec(),
    );
    let place = Place::with(&old);
    let output = place.patch(&["--backup", ".hosts"]);
    assert_eq!(
        (output.status.code(), place.files()),
        (Some(2), old.clone()),
        "{}",
        talk(&output)
    );
    assert!(
        talk(&output).contains("the backup would replace a file of the zone"),
        "{}",
        talk(&output)
    );
    let output = place.patch(&["--backup", ".bak"]);
    assert_eq!(output.status.code(), Some(0), "{}", talk(&output));
    let files = place.files();
    for name in ["example.com.zone", "tlsa.inc"] {
        assert_eq!(files[&format!("{name}.bak")], old[name]);
    }
    assert_eq!(files.len(), 5);
}
