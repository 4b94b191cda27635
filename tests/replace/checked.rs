//! What `--check` is shown: the zone as it will be, also where the edit spans
//! files.

use std::fs;

use crate::place::{NEW, OLD, Place, Shape, outcomes, talk};

/// Prints a file and, in their place, those that its `$INCLUDE` lines name, as
/// a name server reads them.
const FLATTEN: &str = r#"#!/bin/sh
flat() {
    while IFS= read -r line; do
        case $line in
            '$INCLUDE'*) set -- $line; path=${2#\"}; flat "${path%\"}" ;;
            *) printf '%s\n' "$line" ;;
        esac
    done <"$1"
}
flat "$1"
"#;

/// The zone that a check sees, and the one that is there when all is done.
fn seen(place: &Place, more: &[&str]) -> (String, String) {
    fs::write(place.path().join("flatten"), FLATTEN).unwrap();
    let check = "sh -c 'sh flatten {file} >seen'";
    let output = place.patch(&[&["--check", check], more].concat());
    assert_eq!(output.status.code(), Some(0), "{}", talk(&output));
    let flat = std::process::Command::new("sh")
        .args(["flatten", "example.com.zone"])
        .current_dir(place.path())
        .output();
    let seen = fs::read_to_string(place.path().join("seen")).unwrap();
    for name in ["seen", "flatten"] {
        fs::remove_file(place.path().join(name)).unwrap();
    }
    (seen, String::from_utf8(flat.unwrap().stdout).unwrap())
}

#[test]
fn a_check_sees_the_whole_edit_however_the_zone_lies_in_files() {
    for shape in Shape::ALL {
        let place = Place::with(&shape.files(0));
        let (seen, after) = seen(&place, &[]);
        assert_eq!(seen.matches(NEW).count(), 2, "{shape:?}: {seen}");
        assert_eq!(seen, after, "{shape:?}");
        assert_eq!(
            place.files(),
            outcomes(&shape.files(0)).0,
            "{shape:?}: something is left behind"
        );
    }
}

#[test]
fn a_check_sees_an_edit_that_leaves_the_main_file_alone() {
    let place = Place::with(&Shape::RecordsIncluded.files(0));
    let (seen, after) = seen(&place, &["--serial", "keep"]);
    assert_eq!((seen.matches(NEW).count(), &seen), (2, &after));
    assert_eq!(
        place.files()["example.com.zone"],
        Shape::RecordsIncluded.files(0)["example.com.zone"]
    );
}

#[test]
fn a_check_sees_through_files_that_include_files() {
    let mut files = Shape::Three.files(0);
    files.insert("other.inc".to_owned(), b"www IN A 192.0.2.80\n".to_vec());
    files.insert(
        "sub.inc".to_owned(),
        b"$INCLUDE other.inc\n$INCLUDE a/mail.inc\n".to_vec(),
    );
    let main = String::from_utf8(files["example.com.zone"].clone()).unwrap();
    files.insert(
        "example.com.zone".to_owned(),
        main.replace("a/mail.inc", "sub.inc").into_bytes(),
    );
    let place = Place::with(&files);
    let (seen, after) = seen(&place, &[]);
    assert_eq!((seen.matches(NEW).count(), &seen), (2, &after));
    assert_eq!(place.files().len(), files.len());
}

#[test]
fn a_check_of_paths_with_blanks_sees_them_in_quotes() {
    let old = Shape::RecordsIncluded.files(0);
    let place = Place::with(
        &old.iter()
            .map(|(name, text)| (format!("of the zone/{name}"), text.clone()))
            .collect(),
    );
    let arguments = [
        "patch",
        "of the zone/example.com.zone",
        "new.pem",
        "--host",
        "mail.example.com",
        "--port",
        "25",
    ];
    let output = place
        .any(
            &[],
            &[
                &arguments[..],
                &["--state", "state", "--check", "cp {file} seen"],
            ]
            .concat(),
        )
        .output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", talk(&output));
    let seen = fs::read_to_string(place.path().join("seen")).unwrap();
    assert!(
        seen.contains("/of the zone/.tlsa.inc.danewright-new\"\n"),
        "{seen}"
    );
}

#[test]
fn a_check_that_refuses_an_edit_over_files_leaves_them_all() {
    for shape in Shape::ALL {
        let old = shape.files(0);
        let place = Place::with(&old);
        let output = place.patch(&["--check", "true", "--check", "false", "--backup", ".bak"]);
        assert_eq!(
            (output.status.code(), place.files()),
            (Some(1), old),
            "{shape:?}: {}",
            talk(&output)
        );
    }
}

#[test]
#[ignore = "needs named-compilezone"]
fn named_compilezone_is_shown_the_zone_as_it_will_be() {
    for shape in Shape::ALL {
        let place = Place::with(&shape.files(0));
        let check = "named-compilezone -q -o seen {zone} {file}";
        let output = place.patch(&["--check", check]);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{shape:?}: {}",
            talk(&output)
        );
        let seen = fs::read_to_string(place.path().join("seen")).unwrap();
        assert_eq!(
            (
                seen.matches(&NEW.to_uppercase()[6..40]).count(),
                seen.matches(&OLD.to_uppercase()[6..40]).count()
            ),
            (2, 2),
            "{seen}"
        );
        assert!(seen.contains(" 8 7200 "), "{seen}");
    }
}
