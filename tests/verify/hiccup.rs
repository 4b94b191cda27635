//! A wait that real name servers disturb: one hangs, one is restarted.

use std::io::{BufRead, BufReader, Lines};
use std::process::{ChildStderr, Command, Stdio};

use crate::common::keys::{Kind, identity};
use crate::common::leaf::Signing;
use crate::common::place::Role;
use crate::common::rig::Rig;
use crate::common::zone_file::HOST;
use crate::lab::Said;

/// The next line that says this.
fn until(lines: &mut Lines<BufReader<ChildStderr>>, what: &str) -> String {
    lines
        .map(Result::unwrap)
        .find(|line| line.contains(what))
        .unwrap_or_else(|| panic!("{what} was never said"))
}

#[test]
#[ignore = "needs named, nsd, knotd, unbound, dig, openssl"]
fn servers_that_hang_or_restart_do_not_end_the_wait() {
    let keys = tempfile::tempdir().unwrap();
    let [old, new] = [("old", Kind::Rsa), ("new", Kind::Ecdsa)]
        .map(|(name, kind)| identity(keys.path(), name, kind, HOST));
    let mut rig = Rig::start(Signing::Split, &[&old.tlsa, &new.tlsa]);
    let (resolver, port) = (
        rig.at(Role::Resolver).to_string(),
        rig.at(Role::Bind).port().to_string(),
    );
    let mut command = Command::new(env!("CARGO_BIN_EXE_danewright"));
    command
        .arg("verify")
        .arg(&new.certificate)
        .arg("--current")
        .arg(&old.certificate);
    command
        .args([
            "--host",
            HOST,
            "--port",
            "25",
            "--state",
            "state",
            "--trust-anchor",
        ])
        .arg(rig.anchor());
    command.args([
        "--resolver",
        &resolver,
        "--dns-port",
        &port,
        "--timeout",
        "1s",
        "--tries",
        "2",
    ]);
    command.args([
        "--hold",
        "60s",
        "--wait",
        "--deadline",
        "10m",
        "--exec",
        "touch ran",
    ]);
    command
        .current_dir(rig.work())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    until(&mut lines, " wait until ");
    rig.pause(Role::Knot);
    until(&mut lines, " unknown; ns3");
    rig.resume(Role::Knot);
    until(&mut lines, " wait until ");
    rig.stop(Role::Nsd);
    until(&mut lines, " unknown; ns2");
    assert!(!rig.work().join("ran").exists());
    rig.repair(Role::Nsd);
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    let said = Said::of(child);
    assert_eq!(said.status, 0, "{said:?} {rest:?}");
    assert!(
        said.out.starts_with("SAFE: ") && rig.work().join("ran").exists(),
        "{said:?}"
    );
}
