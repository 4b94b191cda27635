//! Disks, folders and files that do not take the new text, or are no files.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use xattr::FileExt;

use crate::place::{Files, Place, Shape, ends_well, outcomes, talk};

fn run(program: &str, arguments: &[&str]) {
    let status = Command::new(program).args(arguments).status();
    assert!(
        status
            .unwrap_or_else(|error| panic!("{program}: {error}"))
            .success(),
        "{program} {arguments:?}"
    );
}

#[test]
#[ignore = "needs unshare, and a kernel that lets users mount"]
fn a_full_disk_is_an_error_and_changes_nothing() {
    for (shape, size) in [
        (Shape::One, "1500k"),
        (Shape::RecordsIncluded, "1300k"),
        (Shape::One, "2000k"),
    ] {
        let old = shape.files(20_000);
        let (new, _) = outcomes(&old);
        let place = Place::with(&old);
        let script = format!(
            "mkdir disk && mount -t tmpfs -o size={size} tmpfs disk || {{ echo no mount >&2; exit 99; }}
            cp *.* disk; cd disk; while cat ../example.com.zone >>filler; do :; done 2>/dev/null
            \"$@\"; echo $?; rm filler; cp -a . ../result; \"$@\" >/dev/null 2>&1; rm new.pem; cp -a . ../second"
        );
        let binary = env!("CARGO_BIN_EXE_danewright");
        let mut command = Command::new("unshare");
        command.args([
            "-rm",
            "sh",
            "-c",
            &script,
            "sh",
            binary,
            "patch",
            "example.com.zone",
            "new.pem",
        ]);
        command.args([
            "--host",
            "mail.example.com",
            "--host",
            "mx.example.com",
            "--port",
            "25",
            "--state",
            "../state",
        ]);
        let output = command
            .current_dir(place.path())
            .output()
            .unwrap_or_else(|error| panic!("unshare: {error}"));
        assert!(
            output.status.code() != Some(99),
            "this kernel lets no user mount a small disk: {}",
            talk(&output)
        );
        let said = talk(&output);
        assert!(
            said.contains("No space left on device") && said.contains("as it was"),
            "{shape:?}: {said}"
        );
        assert_eq!(output.stdout, b"2\n", "{said}");
        let files = |folder: &str| -> Files {
            let files = place.files().into_iter();
            let there = files
                .filter_map(|(name, text)| Some((name.strip_prefix(folder)?.to_owned(), text)));
            there.filter(|(name, _)| name != "new.pem").collect()
        };
        assert_eq!(files("result/"), old, "{shape:?}: after the full disk");
        // The second run writes, or fails as well when there is not room for both.
        assert!(
            files("second/") == new || files("second/") == old,
            "{shape:?}: after the second run"
        );
    }
}

#[test]
fn a_run_that_the_limit_on_file_sizes_ends_leaves_the_old_file() {
    for shape in [Shape::One, Shape::RecordsIncluded] {
        let old = shape.files(5000);
        let (new, _) = outcomes(&old);
        let place = Place::with(&old);
        // Blocks of 512 or 1024 octets: less than the file in either case.
        let output = place
            .command(&["sh", "-c", "ulimit -f 60; \"$@\"", "sh"], &[])
            .output()
            .unwrap();
        assert!(!output.status.success());
        ends_well(
            &place,
            &old,
            &new,
            &mut place.command(&[], &[]),
            &format!("{shape:?}: {}", talk(&output)),
        );
    }
}

/// Copies the program through another one: while this process has a copy open
/// for writing, a child of another test may, and then nobody can run it.
fn copy_program(to: &Path) {
    run(
        "cp",
        &[env!("CARGO_BIN_EXE_danewright"), to.to_str().unwrap()],
    );
}

/// A command line's start that takes root's powers from what follows: root may do anything.
fn without_powers() -> &'static [&'static str] {
    match fs::metadata("/proc/self").unwrap().uid() {
        0 => &[
            "setpriv",
            "--reuid",
            "65534",
            "--regid",
            "65534",
            "--clear-groups",
        ],
        _ => &["setpriv"],
    }
}

#[test]
#[ignore = "needs setpriv"]
fn a_folder_or_file_without_the_right_to_write_or_read_is_an_error_and_changes_nothing() {
    for (line, named) in [
        ("chmod 555 b", "b/mx.inc"),
        ("chmod 555 a", "a/mail.inc"),
        ("chmod 555 .", "example.com.zone"),
        ("chmod 000 b/mx.inc", "b/mx.inc"),
        ("chmod 000 example.com.zone", "example.com.zone"),
        ("chmod 000 b", "b/mx.inc"),
    ] {
        let old = Shape::Three.files(0);
        let place = Place::with(&old);
        let shell = |line: &str| {
            let status = Command::new("sh")
                .args(["-c", line])
                .current_dir(place.path())
                .status();
            assert!(status.unwrap().success(), "{line}");
        };
        fs::create_dir(place.path().join("state")).unwrap();
        // Where the program was built, another user may have no business.
        let program = place.path().join("state/danewright");
        copy_program(&program);
        shell("if [ $(id -u) = 0 ]; then chown -R 65534:65534 .; fi");
        shell(line);
        let words = without_powers();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).arg(&program).args([
            "patch",
            "example.com.zone",
            "new.pem",
            "--state",
            "state",
        ]);
        command.args([
            "--host",
            "mail.example.com",
            "--host",
            "mx.example.com",
            "--port",
            "25",
        ]);
        let output = command
            .current_dir(place.path())
            .output()
            .unwrap_or_else(|error| panic!("setpriv: {error}"));
        shell("chmod -R u+rwX .");
        assert_eq!(
            (output.status.code(), place.files()),
            (Some(2), old),
            "{line}: {}",
            talk(&output)
        );
        assert!(talk(&output).contains(named), "{line}: {}", talk(&output));
    }
}

#[test]
#[ignore = "needs setpriv"]
fn a_file_of_another_owner_is_not_taken_over() {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        println!("only root can make files of other owners; not tried");
        return;
    }
    let old = Shape::RecordsIncluded.files(0);
    let place = Place::with(&old);
    let program = place.path().join("danewright");
    copy_program(&program);
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o777)).unwrap();
    std::os::unix::fs::chown(
        place.path().join("example.com.zone"),
        Some(65534),
        Some(65534),
    )
    .unwrap();
    let words = without_powers();
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).arg(&program).args([
        "patch",
        "example.com.zone",
        "new.pem",
        "--state",
        "state",
    ]);
    command
        .args(["--host", "mail.example.com", "--port", "25"])
        .current_dir(place.path());
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("setpriv: {error}"));
    fs::remove_file(program).unwrap();
    assert_eq!(
        (output.status.code(), place.files()),
        (Some(2), old),
        "{}",
        talk(&output)
    );
    let said = talk(&output);
    assert!(
        said.contains("the new file cannot be given the owner and group of the old one"),
        "{said}"
    );
    assert!(said.contains("run this as its owner or as root"), "{said}");
}

#[test]
fn a_folder_in_the_place_of_the_new_text_is_named() {
    for hidden in [
        ".example.com.zone.danewright-new",
        ".tlsa.inc.danewright-new",
    ] {
        let old = Shape::RecordsIncluded.files(0);
        let place = Place::with(&old);
        fs::create_dir(place.path().join(hidden)).unwrap();
        let output = place.patch(&[]);
        assert_eq!(
            (output.status.code(), place.files()),
            (Some(2), old),
            "{}",
            talk(&output)
        );
        let said = talk(&output);
        assert!(
            said.contains(&format!("/{hidden}\n")) && said.contains("move it away"),
            "{said}"
        );
    }
}

#[test]
fn what_is_no_file_is_no_zone_and_nobody_waits_for_it() {
    let old = Shape::RecordsIncluded.files(0);
    let place = Place::with(&old);
    run("mkfifo", &[place.path().join("pipe").to_str().unwrap()]);
    symlink("loop", place.path().join("loop")).unwrap();
    symlink("nowhere", place.path().join("dangling")).unwrap();
    for (zone, says) in [
        ("pipe", "a device, a pipe or a socket"),
        ("/dev/zero", "a device, a pipe or a socket"),
        (".", "this is a directory"),
        ("loop", "loop"),
        ("dangling", "there is no such file"),
        ("absent", "there is no such file"),
    ] {
        let arguments = [
            "patch",
            zone,
            "new.pem",
            "--origin",
            "example.com",
            "--host",
            "mail.example.com",
            "--port",
            "25",
        ];
        let output = place.any(&["timeout", "20"], &arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{zone}: {}", talk(&output));
        assert!(talk(&output).contains(says), "{zone}: {}", talk(&output));
    }
    for included in ["pipe", "/dev/zero", ".", "loop", "dangling"] {
        let text = String::from_utf8(old["example.com.zone"].clone())
            .unwrap()
            .replace("tlsa.inc", included);
        fs::write(place.path().join("example.com.zone"), &text).unwrap();
        let output = place.command(&["timeout", "20"], &[]).output().unwrap();
        assert_eq!(
            output.status.code(),
            Some(2),
            "{included}: {}",
            talk(&output)
        );
        assert!(
            talk(&output).contains("example.com.zone:8:10"),
            "{included}: {}",
            talk(&output)
        );
        assert_eq!(
            fs::read_to_string(place.path().join("example.com.zone")).unwrap(),
            text
        );
    }
    fs::remove_file(place.path().join("pipe")).unwrap();
    fs::write(
        place.path().join("example.com.zone"),
        &old["example.com.zone"],
    )
    .unwrap();
    run(
        "mkfifo",
        &[place.path().join("example.com.zone.jnl").to_str().unwrap()],
    );
    let output = place.command(&["timeout", "20"], &[]).output().unwrap();
    assert_eq!(
        output.status.code(),
        Some(1),
        "a pipe in a journal's place: {}",
        talk(&output)
    );
}

#[test]
fn an_output_into_a_pipe_leaves_the_pipe_there() {
    let old = Shape::One.files(0);
    let place = Place::with(&old);
    let pipe = place.path().join("pipe");
    run("mkfifo", &[pipe.to_str().unwrap()]);
    let mut reader = Command::new("timeout");
    reader.args(["20", "cat", "pipe"]).current_dir(place.path());
    let reader = reader.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let output = place
        .command(&["timeout", "20"], &["--output", "pipe"])
        .output()
        .unwrap();
    let read = reader.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", talk(&output));
    assert!(
        !fs::metadata(&pipe).unwrap().is_file(),
        "a file took the place of the pipe"
    );
    fs::remove_file(pipe).unwrap();
    assert_eq!(
        (place.files(), read.stdout),
        (old.clone(), outcomes(&old).0["example.com.zone"].clone())
    );
}

#[test]
fn links_are_followed_and_stay_links() {
    let old = Shape::Three.files(0);
    let (new, _) = outcomes(&old);
    let place = Place::with(&old);
    let at = |name: &str| place.path().join(name);
    fs::create_dir_all(at("real/deep")).unwrap();
    fs::rename(at("example.com.zone"), at("real/deep/zone")).unwrap();
    fs::rename(at("b/mx.inc"), at("real/mx")).unwrap();
    symlink("deep/zone", at("real/second")).unwrap();
    symlink(at("real/second"), at("example.com.zone")).unwrap();
    symlink("../real/mx", at("b/mx.inc")).unwrap();
    let output = place.patch(&["--check", "test -e {file}"]);
    assert_eq!(output.status.code(), Some(0), "{}", talk(&output));
    for (lies, name) in [
        ("real/deep/zone", "example.com.zone"),
        ("real/mx", "b/mx.inc"),
        ("a/mail.inc", "a/mail.inc"),
    ] {
        assert_eq!(fs::read(at(lies)).unwrap(), new[name]);
        assert!(!at(lies).is_symlink());
    }
    assert!(
        at("example.com.zone").is_symlink()
            && at("real/second").is_symlink()
            && at("b/mx.inc").is_symlink()
    );
    assert_eq!(place.files().len(), 6, "{:?}", place.files().keys());
}

#[test]
fn an_included_file_outside_the_zones_folder_is_replaced_where_it_lies() {
    let old = Shape::RecordsIncluded.files(0);
    let (new, _) = outcomes(&old);
    let elsewhere = tempfile::tempdir().unwrap();
    let path = elsewhere.path().join("tlsa.inc");
    fs::write(&path, &old["tlsa.inc"]).unwrap();
    let place = Place::with(&old);
    fs::remove_file(place.path().join("tlsa.inc")).unwrap();
    let text = String::from_utf8(old["example.com.zone"].clone()).unwrap();
    let text = text.replace("tlsa.inc", path.to_str().unwrap());
    fs::write(place.path().join("example.com.zone"), text).unwrap();
    let output = place.patch(&["--check", "test -e {file}"]);
    assert_eq!(output.status.code(), Some(0), "{}", talk(&output));
    assert_eq!(fs::read(&path).unwrap(), new["tlsa.inc"]);
    assert_eq!(
        (
            place.files().len(),
            fs::read_dir(elsewhere.path()).unwrap().count()
        ),
        (1, 1)
    );
}

/// A POSIX access list, as the kernel hands it out: version 2, then tag, permissions and id of each entry.
fn access_list(named_user: u32) -> Vec<u8> {
    let entries: [(u16, u16, u32); 5] = [
        (1, 6, u32::MAX),
        (2, 4, named_user),
        (4, 4, u32::MAX),
        (16, 4, u32::MAX),
        (32, 0, u32::MAX),
    ];
    let entries = entries.iter().flat_map(|(tag, may, id)| {
        [
            &tag.to_le_bytes()[..],
            &may.to_le_bytes(),
            &id.to_le_bytes(),
        ]
        .concat()
    });
    2u32.to_le_bytes().into_iter().chain(entries).collect()
}

fn attributes(path: &Path) -> Vec<(String, Vec<u8>)> {
    let file = fs::File::open(path).unwrap();
    let names = file.list_xattr().unwrap();
    let value = |name: &std::ffi::OsStr| file.get_xattr(name).unwrap().unwrap();
    let mut found: Vec<_> = names
        .map(|name| (name.to_string_lossy().into_owned(), value(&name)))
        .collect();
    found.sort();
    found
}

#[test]
fn mode_owner_attributes_and_access_lists_are_kept_and_none_are_added() {
    let old = Shape::RecordsIncluded.files(0);
    // Not in a temporary folder of the system, which may be memory without attributes.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let root = fs::metadata("/proc/self").unwrap().uid() == 0;
    let place = Place::with(&old);
    for name in old.keys() {
        fs::write(folder.path().join(name), &old[name]).unwrap();
    }
    let (main, included) = (
        folder.path().join("example.com.zone"),
        folder.path().join("tlsa.inc"),
    );
    fs::set_permissions(&included, fs::Permissions::from_mode(0o444)).unwrap();
    xattr::set(&main, "user.origin", b"by hand").unwrap();
    xattr::set(&main, "user.empty", b"").unwrap();
    xattr::set(&main, "system.posix_acl_access", &access_list(4242)).unwrap();
    // New files in this folder would get an access list; the included file has none.
    xattr::set(
        folder.path(),
        "system.posix_acl_default",
        &access_list(4343),
    )
    .unwrap();
    if root {
        std::os::unix::fs::chown(&included, Some(4444), Some(4445)).unwrap();
    }
    let state = |path: &Path| {
        let meta = fs::metadata(path).unwrap();
        (meta.mode(), meta.uid(), meta.gid(), attributes(path))
    };
    let before = [state(&main), state(&included)];
    assert_eq!((before[0].3.len(), before[1].3.len()), (3, 0));
    let zone = main.to_str().unwrap();
    let arguments = [
        "patch",
        zone,
        "new.pem",
        "--host",
        "mail.example.com",
        "--port",
        "25",
        "--state",
        "state",
    ];
    let mut output = place.any(
        &[],
        &[&arguments[..], &["--backup", ".bak", "--write-foreign"]].concat(),
    );
    let output = output.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", talk(&output));
    assert_ne!(fs::read(&main).unwrap(), old["example.com.zone"]);
    assert_eq!([state(&main), state(&included)], before);
    let backup = |path: &Path| state(&suffixed(path));
    assert_eq!(
        [backup(&main), backup(&included)],
        before,
        "a backup is no easier to read than the zone"
    );
}

fn suffixed(path: &Path) -> std::path::PathBuf {
    path.with_file_name(format!(
        "{}.bak",
        path.file_name().unwrap().to_str().unwrap()
    ))
}

#[test]
fn other_hard_links_keep_the_old_text_and_the_user_is_told() {
    let old = Shape::RecordsIncluded.files(0);
    let (new, _) = outcomes(&old);
    let place = Place::with(&old);
    fs::hard_link(place.path().join("tlsa.inc"), place.path().join("other")).unwrap();
    let output = place.patch(&[]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        talk(&output).matches("has other hard links").count(),
        1,
        "{}",
        talk(&output)
    );
    assert!(
        talk(&output).contains("tlsa.inc has other hard links"),
        "{}",
        talk(&output)
    );
    let files = place.files();
    assert_eq!(
        (&files["other"], &files["tlsa.inc"]),
        (&old["tlsa.inc"], &new["tlsa.inc"])
    );
}
