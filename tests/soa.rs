//! The serial in all the ways that an SOA can be written: in octets (RFC 3597),
//! as `TYPE6`, and twice. Only its digits change, and every copy of it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops where it fails"
)]

use std::fs;
use std::process::Command;

use danewright::name::Name;
use danewright::text::source::{Texts, read_span};
use danewright::text::splice::{Piece, pieces};
use danewright::tlsa::{Params, Target, Tlsa};
use danewright::zone::edit::error::PlanError;
use danewright::zone::edit::plan::{Change, Request, Zone};
use danewright::zone::edit::serial::Policy;

const REST: &str = "@ NS ns\nns A 192.0.2.1\nmail A 192.0.2.2\n";
/// ns.example.com and h.example.com, then 1 2 3 4.
const NAMES: &str = "026e73076578616d706c6503636f6d00 0168076578616d706c6503636f6d00";
const TIMES: &str = "00000001 00000002 00000003 00000004";

/// The zone with one TLSA record more, the serial one higher.
fn patched(text: &str) -> Result<String, PlanError> {
    let library = Texts::one("zone", text);
    let origin = Name::from_user("example.com").unwrap();
    let target = Target::combine(
        &[Name::from_user("mail.example.com").unwrap()],
        &["25".parse().unwrap()],
    );
    let zone = Zone::read(&library, Some(origin), &target)?;
    let key = Tlsa::of(b"key", Params::default()).unwrap();
    let change = Change::Add(vec![vec![key]]);
    let request = Request {
        change,
        ttl: None,
        serial: Policy::Increment,
        serial_above: None,
    };
    let patch = zone.plan(&request, "2026-11-20T12:00:00Z".parse().unwrap())?;
    let mut new = Vec::new();
    for piece in pieces(&patch.splices()[0].1, text.len() as u64) {
        match piece {
            Piece::Kept(start, end) => new.extend(read_span(&library, 0, start, end).unwrap()),
            Piece::New(text) => new.extend_from_slice(text),
        }
    }
    Ok(String::from_utf8(new).unwrap())
}

/// SOA lines before and after; the serial goes from 2026112511 (78c405ff in
/// hex) to 2026112512 (78c40600), or as it is written.
fn pairs() -> Vec<(String, String)> {
    let capitals = NAMES.to_uppercase();
    [
        ("@ SOA ns h 2026112511 1 2 3 4\n", "@ SOA ns h 2026112512 1 2 3 4\n"),
        ("@ TYPE6 ns h 09 1 2 3 4\n", "@ TYPE6 ns h 10 1 2 3 4\n"),
        (&format!("@ SOA \\# 51 {NAMES} 78c405ff {TIMES}\n"), &format!("@ SOA \\# 51 {NAMES} 78c40600 {TIMES}\n")),
        (
            &format!("@ IN 300 TYPE6 \\# 51 {NAMES}78c405ff{TIMES} ; serial 78c405ff\n"),
            &format!("@ IN 300 TYPE6 \\# 51 {NAMES}78c40600{TIMES} ; serial 78c405ff\n"),
        ),
        (
            &format!("@ SOA \\# 51 {capitals} 78C405FF {TIMES}\n"),
            &format!("@ SOA \\# 51 {capitals} 78C40600 {TIMES}\n"),
        ),
        (
            &format!("@ SOA ( \\# 51 ; octets\n  {NAMES}78c40 ; 9\n\t5 f\nf000000 01 00000002 00000003 00000004 )\n"),
            &format!("@ SOA ( \\# 51 ; octets\n  {NAMES}78c40 ; 9\n\t6 0\n0000000 01 00000002 00000003 00000004 )\n"),
        ),
        ("@ SOA ns h 7 1 2 3 4\n@ SOA ns h 7 1 2 3 4\n", "@ SOA ns h 8 1 2 3 4\n@ SOA ns h 8 1 2 3 4\n"),
        (
            "@ SOA ns h 7 60 2 3 4\n@ TYPE6 NS.example.com. h ( 07\n 1m 2 3 4 )\n",
            "@ SOA ns h 8 60 2 3 4\n@ TYPE6 NS.example.com. h ( 08\n 1m 2 3 4 )\n",
        ),
        (
            &format!("@ SOA ns h 2026112511 1 2 3 4\n@ SOA \\# 51 {NAMES} 78c405ff {TIMES}\n"),
            &format!("@ SOA ns h 2026112512 1 2 3 4\n@ SOA \\# 51 {NAMES} 78c40600 {TIMES}\n"),
        ),
    ]
    .map(|(before, after)| (before.to_owned(), after.to_owned()))
    .to_vec()
}

#[test]
fn every_digit_of_every_serial_moves_and_nothing_else() {
    for (before, after) in pairs() {
        let new = patched(&format!("$TTL 3600\n{before}{REST}"))
            .unwrap_or_else(|error| panic!("{before}: {error:?}"));
        assert!(
            new.starts_with(&format!("$TTL 3600\n{after}{REST}_25._tcp.mail ")),
            "{new}"
        );
    }
}

#[test]
fn two_soa_records_that_differ_are_refused() {
    for other in [
        "@ SOA ns h 8 1 2 3 4",
        "@ SOA ns h 7 1 2 3 5",
        "@ SOA ns2 h 7 1 2 3 4",
        "www SOA ns h 7 1 2 3 4",
        &format!("@ SOA \\# 51 {NAMES} 00000008 {TIMES}"),
    ] {
        let refused =
            patched(&format!("$TTL 3600\n@ SOA ns h 7 1 2 3 4\n{other}\n{REST}")).unwrap_err();
        let PlanError::UnequalSoas(place) = refused else {
            panic!("{other}: {refused:?}")
        };
        assert_eq!(place.to_string(), "zone:3:1", "{other}");
    }
}

#[test]
fn without_a_default_the_minimum_in_octets_is_the_ttl() {
    let text = format!("@ SOA \\# 51 {NAMES} 00000001 00000001 00000002 00000003 00000e10\n{REST}");
    let library = Texts::one("zone", text);
    let target = Target::combine(
        &[Name::from_user("mail.example.com").unwrap()],
        &["25".parse().unwrap()],
    );
    let zone = Zone::read(
        &library,
        Some(Name::from_user("example.com").unwrap()),
        &target,
    )
    .unwrap();
    assert_eq!((zone.serial(), zone.negative_ttl()), (1, 3600));
}

#[test]
#[ignore = "needs named-checkzone, named-compilezone"]
fn bind_reads_the_serial_that_was_meant() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("zone");
    for (before, after) in pairs() {
        let mut serials = Vec::new();
        for soa in [&before, &after] {
            fs::write(&file, format!("$TTL 3600\n{soa}{REST}")).unwrap();
            let mut checker = Command::new("named-compilezone");
            let output = checker
                .args(["-q", "-s", "full", "-o", "-", "example.com"])
                .arg(&file)
                .output()
                .unwrap();
            assert!(
                output.status.success(),
                "{soa}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
            let text = String::from_utf8(output.stdout).unwrap();
            let words: Vec<&str> = text.split_whitespace().collect();
            let at = words.iter().position(|word| *word == "SOA").unwrap();
            serials.push(words[at + 3].parse::<u32>().unwrap());
        }
        assert_eq!(serials[0] + 1, serials[1], "{before}");
    }
}
