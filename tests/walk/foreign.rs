//! Foreign programs agree with what the embedded server signs and with what the
//! walk makes of it.

use std::process::Command;

use chrono::Utc;
use danewright::demo::authority::{Fault, Window};
use danewright::name::Name;
use danewright::propagation::evidence::Security;

use crate::lab::{Lab, NS1, NS2, RESOLVER, server};

/// What delv says of the TLSA set, asked through the embedded resolver.
fn delv(lab: &Lab) -> String {
    let ds = lab.root_key.ds(&Name::root()).unwrap();
    let mut fields = ds.split(' ');
    let numbers: Vec<&str> = fields.by_ref().take(3).collect();
    let digest: String = fields.collect();
    let anchor = format!(
        "trust-anchors {{ . static-ds {} \"{digest}\"; }};\n",
        numbers.join(" ")
    );
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), anchor).unwrap();
    let output = Command::new("delv")
        .args([
            &format!("@{}", RESOLVER),
            "-p",
            &lab.authority.port().to_string(),
            "-a",
        ])
        .arg(file.path())
        .args(["+root=.", "_25._tcp.mail.leaf.example", "TLSA"])
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
#[ignore = "needs delv"]
fn delv_validates_what_the_embedded_server_signs() {
    let mut lab = Lab::new();
    // delv goes by the clock of the system.
    lab.now = Utc::now();
    lab.window = Window::around(lab.now, 14);
    lab.publish();
    let said = delv(&lab);
    assert!(
        said.contains("; fully validated") && said.contains("3 1 1 AAAA"),
        "{said}"
    );
    assert_eq!(server(&lab.gather(), 0, NS1).security, Security::Secure);
    for fault in [
        Fault::BadSignature,
        Fault::ExpiredSignature,
        Fault::DropSignatures,
    ] {
        for address in [RESOLVER, NS1, NS2] {
            lab.authority.fault_for(address, "TLSA", fault).unwrap();
        }
        let said = delv(&lab);
        assert!(
            !said.contains("; fully validated") && !said.contains("unsigned answer"),
            "{fault:?}: {said}"
        );
        assert_eq!(
            server(&lab.gather(), 0, NS1).security,
            Security::Bogus,
            "{fault:?}"
        );
    }
}
