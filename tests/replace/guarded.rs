//! Locks that nobody else can hold, state that nobody else can write, files that
//! root does not write unasked.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, lchown, symlink};

use crate::place::{Place, Shape, outcomes, talk};

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

#[test]
fn whoever_may_read_the_files_cannot_keep_them_locked() {
    let old = Shape::Three.files(0);
    let place = Place::with(&old);
    let readers: Vec<File> = old
        .keys()
        .map(|name| File::open(place.path().join(name)).unwrap())
        .collect();
    for (at, reader) in readers.iter().enumerate() {
        if at == 0 {
            reader.lock().unwrap()
        } else {
            reader.lock_shared().unwrap()
        }
    }
    let output = place.patch(&[]);
    assert_eq!(
        (output.status.code(), place.files()),
        (Some(0), outcomes(&old).0),
        "{}",
        talk(&output)
    );
}

#[test]
fn locks_are_for_the_owner_alone_and_gone_afterwards() {
    let old = Shape::RecordsIncluded.files(0);
    let place = Place::with(&old);
    let output = place.patch(&["--check", "sh -c 'stat -c %a .*.danewright-lock >modes'"]);
    assert_eq!(output.status.code(), Some(0), "{}", talk(&output));
    assert_eq!(
        fs::read_to_string(place.path().join("modes")).unwrap(),
        "600\n600\n"
    );
    assert_eq!(place.files().len(), old.len() + 1);
    let lock = fs::metadata(place.path().join("state/lock")).unwrap();
    assert_eq!(lock.mode() & 0o777, 0o600);
    assert_eq!(
        fs::metadata(place.path().join("state")).unwrap().mode() & 0o777,
        0o700
    );
}

#[test]
fn the_state_is_private_whatever_the_umask() {
    for umask in ["000", "002", "022", "077", "177"] {
        let place = Place::with(&Shape::One.files(0));
        let script = format!("umask {umask}; \"$@\"");
        for _ in 0..2 {
            let output = place
                .command(&["sh", "-c", &script, "sh"], &[])
                .output()
                .unwrap();
            assert_eq!(output.status.code(), Some(0), "{umask}: {}", talk(&output));
            assert!(
                !talk(&output).contains("warning"),
                "{umask}: {}",
                talk(&output)
            );
        }
        let mode = |name: &str| fs::metadata(place.path().join(name)).unwrap().mode() & 0o777;
        assert_eq!(
            (mode("state"), mode("state/lock") & 0o177),
            (0o700, 0),
            "{umask}"
        );
        assert_eq!(mode("state/example.com.json") & 0o022, 0, "{umask}");
    }
}

#[test]
fn a_lock_of_another_user_is_called_so() {
    if !is_root() {
        println!("only root can be two users; not tried");
        return;
    }
    let old = Shape::One.files(0);
    let place = Place::with(&old);
    let left = place.path().join(".example.com.zone.danewright-lock");
    File::create_new(&left).unwrap();
    fs::set_permissions(&left, fs::Permissions::from_mode(0o600)).unwrap();
    for path in [place.path(), &place.path().join("example.com.zone")] {
        chown(path, Some(65534), None).unwrap();
    }
    let program = place.path().join("program");
    fs::copy(env!("CARGO_BIN_EXE_danewright"), &program).unwrap();
    let mut command = std::process::Command::new("setpriv");
    command
        .args(["--reuid", "65534", "--regid", "65534", "--clear-groups"])
        .arg(&program);
    command.args([
        "patch",
        "example.com.zone",
        "new.pem",
        "--host",
        "mail.example.com",
        "--port",
        "25",
    ]);
    let output = run_copy(command.args(["--state", "state"]).current_dir(place.path()));
    assert_eq!(output.status.code(), Some(1), "{}", talk(&output));
    let said = talk(&output);
    assert!(
        said.contains("another user") && said.contains("danewright-lock"),
        "{said}"
    );
    assert!(said.contains("wait until that run ends"), "{said}");
    assert!(left.exists());
    // For root it is a lock like any.
    assert_eq!(place.patch(&["--write-foreign"]).status.code(), Some(0));
    assert!(!left.exists());
}

#[test]
fn the_run_of_another_user_is_waited_for() {
    if !is_root() {
        println!("only root can be two users; not tried");
        return;
    }
    let place = Place::with(&Shape::One.files(0));
    for path in [place.path(), &place.path().join("example.com.zone")] {
        chown(path, Some(65534), None).unwrap();
    }
    let program = place.path().join("program");
    fs::copy(env!("CARGO_BIN_EXE_danewright"), &program).unwrap();
    let check = ["--write-foreign", "--check", "sh -c 'touch begun; sleep 3'"];
    let mut first = place
        .command(&[], &check)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    while !place.path().join("begun").exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let mut command = std::process::Command::new("setpriv");
    command
        .args(["--reuid", "65534", "--regid", "0", "--clear-groups"])
        .arg(&program);
    command.args([
        "patch",
        "example.com.zone",
        "new.pem",
        "--host",
        "mail.example.com",
        "--port",
        "465",
    ]);
    let output = run_copy(
        command
            .args(["--state", "theirs"])
            .current_dir(place.path()),
    );
    assert!(first.wait().unwrap().success());
    assert_eq!(output.status.code(), Some(0), "{}", talk(&output));
    let text = fs::read_to_string(place.path().join("example.com.zone")).unwrap();
    assert!(
        text.contains("_465._tcp.mail") && text.contains(" 9 7200 "),
        "{text}"
    );
    assert!(
        !place
            .path()
            .join(".example.com.zone.danewright-lock")
            .exists()
    );
}

#[test]
fn where_nothing_is_to_be_written_no_lock_is_needed() {
    let old = Shape::RecordsIncluded.files(0);
    let place = Place::with(&old);
    let held = File::create_new(place.path().join(".example.com.zone.danewright-lock")).unwrap();
    held.lock().unwrap();
    let before = place.files();
    for more in [
        &["--dry-run"][..],
        &["--output", "-", "--host", "www.example.com"],
    ] {
        let begun = std::time::Instant::now();
        place.patch(more);
        assert!(
            begun.elapsed() < std::time::Duration::from_secs(8),
            "{more:?} waited"
        );
    }
    let lint = place
        .any(&[], &["lint", "example.com.zone"])
        .output()
        .unwrap();
    assert!(lint.status.code() < Some(2), "{}", talk(&lint));
    assert_eq!(place.files(), before);
}

#[test]
fn what_cannot_be_remembered_is_said_even_to_the_quiet() {
    let old = Shape::One.files(0);
    for more in [&["--quiet"][..], &["--quiet", "--diff"]] {
        let place = Place::with(&old);
        fs::create_dir(place.path().join("state")).unwrap();
        fs::set_permissions(
            place.path().join("state"),
            fs::Permissions::from_mode(0o777),
        )
        .unwrap();
        let output = place.patch(more);
        assert_eq!(output.status.code(), Some(0), "{}", talk(&output));
        let said = talk(&output);
        assert!(
            said.contains("what changed could not be remembered: others may write the state"),
            "{said}"
        );
    }
    let place = Place::with(&old);
    fs::create_dir(place.path().join("state")).unwrap();
    fs::set_permissions(
        place.path().join("state"),
        fs::Permissions::from_mode(0o777),
    )
    .unwrap();
    let output = place.patch(&["--quiet", "--json"]);
    assert!(talk(&output).is_empty(), "{}", talk(&output));
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .contains("could not be remembered")
    );
}

#[test]
fn root_writes_no_file_of_another_owner_unasked() {
    if !is_root() {
        println!("only root can make files of other owners; not tried");
        return;
    }
    for owner_of in ["example.com.zone", "tlsa.inc"] {
        let old = Shape::RecordsIncluded.files(0);
        let place = Place::with(&old);
        chown(place.path().join(owner_of), Some(4444), None).unwrap();
        let output = place.patch(&[]);
        assert_eq!(
            (output.status.code(), place.files()),
            (Some(1), old.clone()),
            "{owner_of}: {}",
            talk(&output)
        );
        assert!(
            talk(&output).contains("--write-foreign") && talk(&output).contains("tlsa.inc"),
            "{}",
            talk(&output)
        );
        let output = place.patch(&["--write-foreign"]);
        assert_eq!(
            (output.status.code(), place.files()),
            (Some(0), outcomes(&old).0),
            "{}",
            talk(&output)
        );
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(
            said.contains("new text in example.com.zone\nnew text in ./tlsa.inc\n"),
            "{said}"
        );
        assert_eq!(
            fs::metadata(place.path().join(owner_of)).unwrap().uid(),
            4444
        );
    }
}

#[test]
fn root_follows_no_link_of_another_unasked() {
    if !is_root() {
        println!("only root can make links of other owners; not tried");
        return;
    }
    let old = Shape::One.files(0);
    let place = Place::with(&old);
    let zone = place.path().join("example.com.zone");
    fs::rename(&zone, place.path().join("real")).unwrap();
    symlink("real", &zone).unwrap();
    lchown(&zone, Some(4444), None).unwrap();
    let output = place.patch(&[]);
    assert_eq!(output.status.code(), Some(1), "{}", talk(&output));
    assert!(
        talk(&output).contains("a link of user 4444"),
        "{}",
        talk(&output)
    );
    assert_eq!(place.files()["real"], old["example.com.zone"]);
    let output = place.patch(&["--write-foreign"]);
    assert_eq!(output.status.code(), Some(0), "{}", talk(&output));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        said.contains("(a link to ") && said.contains("/real)"),
        "every file that is written is named: {said}"
    );
}

#[test]
fn the_owner_is_not_told_to_be_the_owner() {
    let owner = fs::metadata("/proc/self").unwrap().uid();
    let old = Shape::One.files(0);
    let place = Place::with(&old);
    let program = place.path().join("state-of-it");
    fs::copy(env!("CARGO_BIN_EXE_danewright"), &program).unwrap();
    let user = if owner == 0 { 65534 } else { owner };
    for path in [place.path(), &place.path().join("example.com.zone")] {
        if owner == 0 {
            chown(path, Some(user), None).unwrap();
        }
    }
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o555)).unwrap();
    let wrapper: &[&str] = if owner == 0 {
        &[
            "setpriv",
            "--reuid",
            "65534",
            "--regid",
            "65534",
            "--clear-groups",
        ]
    } else {
        &["env"]
    };
    let mut command = std::process::Command::new(wrapper[0]);
    command
        .args(&wrapper[1..])
        .arg(&program)
        .args(["patch", "example.com.zone", "new.pem"]);
    command
        .args(["--host", "mail.example.com", "--port", "25"])
        .current_dir(place.path());
    command
        .env("XDG_STATE_HOME", place.path().join("state"))
        .env_remove("STATE_DIRECTORY");
    let output = run_copy(&mut command);
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", talk(&output));
    assert!(
        !talk(&output).contains("owner") && talk(&output).contains("in the folder"),
        "{}",
        talk(&output)
    );
}

/// Runs a program that was just copied: while another test forks, its child has the copy open for a moment.
fn run_copy(command: &mut std::process::Command) -> std::process::Output {
    loop {
        match command.output() {
            Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => {}
            output => return output.unwrap(),
        }
    }
}

#[test]
fn an_output_that_a_killed_run_left_behind_is_swept() {
    let old = Shape::One.files(0);
    let place = Place::with(&old);
    fs::write(place.path().join(".out.danewright-new"), "half of").unwrap();
    let output = place.patch(&["--output", "out"]);
    assert_eq!(output.status.code(), Some(0), "{}", talk(&output));
    let files = place.files();
    assert_eq!(files["out"], outcomes(&old).0["example.com.zone"]);
    assert_eq!(files.len(), 2, "{:?}", files.keys());
}

#[test]
#[ignore = "needs strace"]
fn an_output_that_is_killed_is_written_by_the_next_run() {
    let place = Place::with(&Shape::One.files(0));
    let wrapper = [
        "strace",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        "inject=fsync:signal=KILL",
    ];
    let output = place
        .command(&wrapper, &["--output", "out"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(place.files().len() > 1, "the kill left nothing");
    assert_eq!(place.patch(&["--output", "out"]).status.code(), Some(0));
    assert_eq!(place.files().len(), 2, "{:?}", place.files().keys());
}
