//! A zone file as a person keeps it, for the zone in the tree, and the small
//! edits that tests make to it by hand.

use std::fs;
use std::path::Path;

use super::place::{Place, Role};

/// The zone, without its final dot.
pub(crate) const ZONE: &str = "post.example";

/// The mail server in it.
pub(crate) const HOST: &str = "mail.post.example";

/// The serial that the file starts with.
pub(crate) const FIRST_SERIAL: u32 = 2_026_010_101;

/// The text of the zone file, with `tlsa` as the records of port 25. TTLs are
/// short, so that what caches hold is gone within seconds.
pub(crate) fn text(place: Place, tlsa: &[&str]) -> String {
    let servers = [("ns1", Role::Bind), ("ns2", Role::Nsd), ("ns3", Role::Knot)];
    let addresses: String = servers
        .iter()
        .map(|(ns, role)| format!("{ns}\tIN A\t{}\n", place.address(*role)))
        .collect();
    let mut records = String::new();
    for (index, data) in tlsa.iter().enumerate() {
        let owner = if index == 0 {
            "_25._tcp.mail"
        } else {
            "             "
        };
        records.push_str(&format!("{owner}   IN TLSA {data}\n"));
    }
    format!(
        "; post.example -- kept by hand, please bump the serial ;-)
$ORIGIN post.example.
$TTL 2
@\tIN SOA ns1 hostmaster (
\t\t{FIRST_SERIAL}\t; serial, 2026010101 was the first
\t\t1h\t\t; refresh
\t\t5m\t\t; retry
\t\t4w\t\t; expire
\t\t2 )\t\t; negative answers
\tIN NS\tns1
\tIN NS\tns2
\tIN NS\tns3
\tIN MX\t10 mail
\tIN TXT\t\"v=spf1 mx -all; (no other host)\"
{addresses}
; the mail server
mail\tIN A\t127.0.0.1
{records}www\tIN CNAME mail   ; the webmail
"
    )
}

/// Changes the serial in the file, as a person would before a reload.
pub(crate) fn set_serial(file: &Path, from: u32, to: u32) {
    let text = fs::read_to_string(file).expect("the zone file can be read");
    let (old, new) = (
        format!("\t\t{from}\t; serial"),
        format!("\t\t{to}\t; serial"),
    );
    assert!(text.contains(&old), "the zone file has no serial {from}");
    fs::write(file, text.replace(&old, &new)).expect("the zone file can be written");
}
