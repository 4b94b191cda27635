//! The state folder's promises.

use super::*;
use crate::propagation::memory::OldTtl;
use crate::tlsa::{Params, Tlsa};

fn zone(text: &str) -> Name {
    Name::from_user(text).unwrap()
}

fn some_memory() -> Memory {
    let key = Tlsa::of(b"key", Params::default()).unwrap();
    let now = "2026-11-21T12:00:00Z".parse().unwrap();
    Memory::empty(&zone("example.com")).patched(
        &zone("_25._tcp.example.com"),
        &[],
        OldTtl::Absent(60),
        &[key],
        now,
    )
}

/// The state after this text was put in the zone's place.
fn damaged(text: &str) -> StateError {
    let folder = tempfile::tempdir().unwrap();
    let zone = zone("example.com");
    fs::write(document(folder.path(), &zone), text).unwrap();
    let error = load(folder.path(), &zone).unwrap_err();
    let refused = store_over(folder.path(), &zone);
    assert_eq!(refused, error.to_string());
    assert_eq!(
        fs::read_to_string(document(folder.path(), &zone)).unwrap(),
        text
    );
    error
}

/// An update does not overwrite what it cannot read.
fn store_over(folder: &Path, zone: &Name) -> String {
    update(folder, zone, |memory| ((), memory.clone()))
        .unwrap_err()
        .to_string()
}

#[test]
fn what_is_stored_is_loaded_and_nothing_else_stays() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("not/yet/there");
    assert_eq!(
        load(&inner, &zone("example.com")).unwrap(),
        Memory::empty(&zone("example.com"))
    );
    store(&inner, &zone("example.com"), &some_memory()).unwrap();
    store(&inner, &zone("example.com"), &some_memory()).unwrap();
    assert_eq!(load(&inner, &zone("example.com")).unwrap(), some_memory());
    let mut names: Vec<_> = fs::read_dir(&inner)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["example.com.json", "lock"]);
}

#[test]
fn a_damaged_document_is_an_error_and_is_left_alone() {
    let whole = serde_json::to_string(&some_memory()).unwrap();
    for text in [
        "",
        "{",
        "[]",
        "null",
        "{\"version\":\"1\"}",
        &whole[..whole.len() - 1],
        "\u{0}\u{0}\u{0}",
    ] {
        assert!(
            matches!(damaged(text).problem, Problem::Damaged(_)),
            "{text}"
        );
    }
    let stranger = whole.replacen("\"zone\"", "\"later\":1,\"zone\"", 1);
    assert!(matches!(damaged(&stranger).problem, Problem::Damaged(_)));
}

#[test]
fn a_document_of_another_version_or_zone_is_an_error() {
    let whole = serde_json::to_string(&some_memory()).unwrap();
    for (version, hint) in [(1, "move the file away"), (3, "use the version")] {
        let other = whole.replacen(
            "\"version\":2",
            &format!("\"version\":{version},\"unheard\":[]"),
            1,
        );
        let error = damaged(&other);
        assert!(matches!(error.problem, Problem::Version(found) if found == version));
        assert!(error.hint().contains(hint), "{}", error.hint());
    }
    let other = whole.replacen("\"zone\":\"example.com.\"", "\"zone\":\"example.org.\"", 1);
    assert!(matches!(damaged(&other).problem, Problem::Zone(_)));
}

#[test]
fn changes_at_the_same_time_are_all_kept() {
    let folder = tempfile::tempdir().unwrap();
    let add = |number: usize| {
        let owner = zone(&format!("_{number}._tcp.example.com"));
        let key = Tlsa::of(b"key", Params::default()).unwrap();
        let now = "2026-11-21T12:00:00Z".parse().unwrap();
        let change = |memory: &Memory| {
            (
                (),
                memory.patched(
                    &owner,
                    &[],
                    OldTtl::Absent(1),
                    std::slice::from_ref(&key),
                    now,
                ),
            )
        };
        update(folder.path(), &zone("example.com"), change).unwrap();
    };
    thread::scope(|scope| (1..=8).for_each(|number| drop(scope.spawn(move || add(number)))));
    assert_eq!(
        load(folder.path(), &zone("example.com"))
            .unwrap()
            .owners
            .len(),
        8
    );
}

#[test]
fn many_zones_change_together_or_not_at_all_when_one_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let zones: Vec<Name> = (0..40)
        .map(|number| zone(&format!("z{number}.example")))
        .collect();
    let key = Tlsa::of(b"key", Params::default()).unwrap();
    let change = |owner: &Name, memory: &Memory| {
        let now = "2026-11-21T12:00:00Z".parse().unwrap();
        (
            owner.clone(),
            memory.patched(
                owner,
                &[],
                OldTtl::Absent(1),
                std::slice::from_ref(&key),
                now,
            ),
        )
    };
    fs::write(document(folder.path(), &zones[39]), "{").unwrap();
    assert!(matches!(
        update_all(folder.path(), &zones, change)
            .unwrap_err()
            .problem,
        Problem::Damaged(_)
    ));
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        2,
        "the damaged one and the lock"
    );
    fs::remove_file(document(folder.path(), &zones[39])).unwrap();
    assert_eq!(update_all(folder.path(), &zones, change).unwrap(), zones);
    for zone in &zones {
        assert_eq!(load(folder.path(), zone).unwrap().owners.len(), 1);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 41);
}

#[test]
fn every_zone_has_a_document_of_its_own_inside_the_folder() {
    let long = [
        "a".repeat(63),
        "b".repeat(63),
        "c".repeat(63),
        "d".repeat(61),
    ];
    let other_long = [&long[..3], &["e".repeat(61)]].concat();
    let raw = |text: &[u8]| Name::from_zone_text(text, None).unwrap();
    let zones = [
        raw(b"."),
        raw(b"root."),
        raw(b"%root."),
        raw(b"a.b."),
        raw(b"a\\.b."),
        raw(b"\\.\\.\\047."),
        raw(b"\\.\\.\\047x."),
        raw(b"\\000."),
        zone(&long.join(".")),
        zone(&other_long.join(".")),
    ];
    let mut paths: Vec<PathBuf> = zones
        .iter()
        .map(|zone| document(Path::new("/state"), zone))
        .collect();
    for path in &paths {
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(name.len() <= 255 && !name.starts_with('.'), "{name}");
        assert_eq!(path.parent(), Some(Path::new("/state")));
    }
    paths.sort();
    paths.dedup();
    assert_eq!(paths.len(), zones.len());
}

#[test]
fn the_folder_is_where_state_belongs() {
    let path = |text: &str| Some(OsString::from(text));
    let found = |text: &str| Some(PathBuf::from(text));
    assert_eq!(
        default_folder(path("/v"), path("/s"), path("/h"), true),
        found("/v")
    );
    assert_eq!(
        default_folder(None, path("/s"), path("/h"), false),
        found("/s/danewright")
    );
    assert_eq!(
        default_folder(None, None, path("/h"), false),
        found("/h/.local/state/danewright")
    );
    assert_eq!(
        default_folder(None, None, path("/root"), true),
        found("/var/lib/danewright")
    );
    assert_eq!(default_folder(None, None, None, false), None);
    assert_eq!(
        first_of(&OsString::from("/var/lib/one:/var/lib/two")),
        OsString::from("/var/lib/one")
    );
    assert_eq!(
        folder(Some(Path::new("here"))).unwrap(),
        PathBuf::from("here")
    );
}

#[test]
fn a_folder_that_cannot_be_is_an_error_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = store(&file, &zone("example.com"), &some_memory()).unwrap_err();
    assert!(matches!(error.problem, Problem::Io(_)));
    assert_eq!(error.path, file);
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
}

fn allow(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn the_folder_and_its_lock_are_nobody_elses() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("outer/state");
    store(&state, &zone("example.com"), &some_memory()).unwrap();
    assert_eq!((mode(&state), mode(&state.join("lock"))), (0o700, 0o600));
    // As an older build left them, with a reader who holds the lock file open.
    allow(&state, 0o755);
    allow(&state.join("lock"), 0o644);
    let reader = File::open(state.join("lock")).unwrap();
    store(&state, &zone("example.com"), &some_memory()).unwrap();
    assert_eq!((mode(&state), mode(&state.join("lock"))), (0o755, 0o600));
    drop(reader);
}

#[test]
fn what_others_may_write_is_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let zone = zone("example.com");
    store(folder.path(), &zone, &some_memory()).unwrap();
    for (path, good) in [
        (folder.path().to_owned(), 0o700),
        (document(folder.path(), &zone), 0o644),
    ] {
        for bad in [good | 0o020, good | 0o002] {
            allow(&path, bad);
            let error = load(folder.path(), &zone).unwrap_err();
            assert!(matches!(error.problem, Problem::Writable(_)), "{error}");
            assert_eq!(error.path, path);
            assert_eq!(store_over(folder.path(), &zone), error.to_string());
            allow(&path, good);
        }
    }
    assert_eq!(load(folder.path(), &zone).unwrap(), some_memory());
}

#[test]
fn what_somebody_else_wrote_is_not_believed() {
    if user() != 0 {
        println!("only root can make files of other owners; not tried");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let zone = zone("example.com");
    store(folder.path(), &zone, &some_memory()).unwrap();
    for path in [folder.path().to_owned(), document(folder.path(), &zone)] {
        std::os::unix::fs::chown(&path, Some(4444), None).unwrap();
        let error = load(folder.path(), &zone).unwrap_err();
        assert!(matches!(error.problem, Problem::Foreign(4444)), "{error}");
        assert_eq!(store_over(folder.path(), &zone), error.to_string());
        std::os::unix::fs::chown(&path, Some(0), None).unwrap();
    }
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(folder.path(), &link).unwrap();
    assert_eq!(load(&link, &zone).unwrap(), some_memory());
    std::os::unix::fs::lchown(&link, Some(4444), None).unwrap();
    assert!(matches!(
        load(&link, &zone).unwrap_err().problem,
        Problem::Foreign(4444)
    ));
}

#[test]
fn no_link_or_pipe_is_followed_in_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let zone = zone("example.com");
    let elsewhere = folder.path().join("elsewhere");
    store(&elsewhere, &zone, &some_memory()).unwrap();
    let planted = document(&elsewhere, &zone);
    let state = folder.path().join("state");
    store(&state, &zone, &some_memory()).unwrap();
    for path in [document(&state, &zone), state.join("lock")] {
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(&planted, &path).unwrap();
        let error = update(&state, &zone, |memory| ((), memory.clone())).unwrap_err();
        assert!(matches!(error.problem, Problem::NoFile), "{error}");
        assert_eq!(error.path, path);
        fs::remove_file(&path).unwrap();
        assert!(
            std::process::Command::new("mkfifo")
                .arg(&path)
                .status()
                .unwrap()
                .success()
        );
        let error = update(&state, &zone, |memory| ((), memory.clone())).unwrap_err();
        assert!(matches!(error.problem, Problem::NoFile), "{error}");
        fs::remove_file(&path).unwrap();
    }
}
