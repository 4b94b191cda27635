//! The largest TTL that any server reads for a set: `verify` waits for what
//! caches may hold, so that it must be no less than what BIND, NSD or Knot serve.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops where it fails"
)]

use std::fs;
use std::path::Path;
use std::process::Command;

use danewright::name::Name;
use danewright::text::source::Texts;
use danewright::tlsa::Target;
use danewright::zone::edit::plan::Zone;

/// What is in force on top: an SOA with a minimum of 300.
const SOA: &str = "@ SOA ns h 1 2 3 4 300\n";
const REST: &str = "@ NS ns\nns A 192.0.2.1\n";

/// The largest TTL of the set at `_25._tcp.mail`, and how long absence is cached.
fn longest(text: &str, included: &str) -> (Option<u32>, u32) {
    let files = [("zone", text), ("inc", included)]
        .map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()));
    let library = Texts::of(files);
    let target = Target::combine(
        &[Name::from_user("mail.example.com").unwrap()],
        &["25".parse().unwrap()],
    );
    let zone = Zone::read(&library, Name::from_user("example.com").ok(), &target).unwrap();
    (zone.longest_ttls(0).max().unwrap(), zone.negative_ttl())
}

#[test]
fn the_largest_ttl_is_that_of_any_server() {
    let tlsa = "_25._tcp.mail TLSA 3 1 1 aa\n";
    let stated = "_25._tcp.mail 60 TLSA 3 1 1 aa\n";
    for (text, included, expected) in [
        (format!("$TTL 60\n{SOA}{REST}{tlsa}"), "", 60),
        // BIND takes the SOA's minimum, Knot 3600, and new NSD the last that was stated.
        (format!("{SOA}{REST}{tlsa}"), "", 3600),
        (format!("{SOA}{REST}x 9000 A 192.0.2.2\n{tlsa}"), "", 9000),
        (
            format!("{SOA}{REST}x 9000 A 192.0.2.2\ny 60 A 192.0.2.2\n{tlsa}"),
            "",
            3600,
        ),
        (SOA.replace("300", "7200") + REST + tlsa, "", 7200),
        // BIND the last that was stated, Knot 3600.
        (SOA.replace("SOA", "60 SOA") + REST + tlsa, "", 3600),
        (SOA.replace("SOA", "9000 SOA") + REST + tlsa, "", 9000),
        (SOA.replace("SOA", "60 SOA") + REST + stated, "", 60),
        // BIND gives a type the TTL that it had first at an owner, and hands that on.
        (
            SOA.replace("SOA", "60 SOA") + REST + "x 9000 A 192.0.2.2\nx 60 A 192.0.2.3\n" + tlsa,
            "",
            9000,
        ),
        (
            SOA.replace("SOA", "60 SOA")
                + REST
                + "x 9000 A 192.0.2.2\nX 60 A 192.0.2.3\nx A 192.0.2.4\n"
                + tlsa,
            "",
            9000,
        ),
        (
            SOA.replace("SOA", "60 SOA") + REST + "x 9000 A 192.0.2.2\ny 60 A 192.0.2.3\n" + tlsa,
            "",
            3600,
        ),
        (
            SOA.replace("SOA", "60 SOA") + REST + "x 9000 A 192.0.2.2\nx 4000 TXT a\n" + tlsa,
            "",
            4000,
        ),
        // Several TTLs in the set.
        (
            format!(
                "$TTL 60\n{SOA}{REST}{tlsa}_25._tcp.mail 9000 TLSA 3 1 1 bb\n_25._tcp.mail 5 TLSA 3 1 1 cc\n"
            ),
            "",
            9000,
        ),
        // BIND keeps what an included file says, Knot and new NSD do not.
        (
            format!("$TTL 60\n{SOA}{REST}$INCLUDE inc\n{tlsa}"),
            "$TTL 9000\n",
            9000,
        ),
        (
            format!("$TTL 9000\n{SOA}{REST}$INCLUDE inc\n{tlsa}"),
            "$TTL 60\n",
            9000,
        ),
        (
            format!("$TTL 9000\n{SOA}{REST}$INCLUDE inc\n$TTL 60\n{tlsa}"),
            "$TTL 5\n",
            60,
        ),
        (
            format!("{SOA}{REST}$INCLUDE inc\n{tlsa}"),
            "$TTL 60\n",
            3600,
        ),
        (
            SOA.replace("SOA", "9000 SOA") + "$INCLUDE inc\n" + REST + tlsa,
            "x 5 A 192.0.2.9\n$TTL 60\n",
            9000,
        ),
        (
            format!("$TTL 60\n{SOA}{REST}$INCLUDE inc\n"),
            "$TTL 9000\n_25._tcp.mail TLSA 3 1 1 aa\n",
            9000,
        ),
    ] {
        assert_eq!(longest(&text, included).0, Some(expected), "{text}");
    }
}

#[test]
fn absence_is_cached_for_the_soas_minimum_at_most() {
    for (text, expected) in [
        (SOA.to_owned(), 300),
        (format!("$TTL 60\n{SOA}"), 60),
        (SOA.replace("SOA", "60 SOA"), 60),
        // BIND gives the SOA the 60 from above, Knot 3600.
        (format!("ns 60 A 192.0.2.9\n{SOA}"), 300),
    ] {
        assert_eq!(
            longest(&format!("{text}{REST}_25._tcp.mail TLSA 3 1 1 aa\n"), "").1,
            expected,
            "{text}"
        );
    }
}

/// The TTLs at an owner as a server prints the zone; none where it refuses it.
fn served(program: &str, arguments: &[&str], folder: &Path) -> Vec<u32> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines = text
        .lines()
        .filter(|line| line.contains("TLSA\t3 1 1") || line.contains("TLSA 3 1 1"));
    let numbers = lines.flat_map(|line| {
        line.split_whitespace()
            .take(3)
            .find_map(|word| word.parse().ok())
    });
    if output.status.success() {
        numbers.collect()
    } else {
        Vec::new()
    }
}

#[test]
#[ignore = "needs named-compilezone, nsd-checkzone"]
fn no_server_serves_a_larger_ttl() {
    const LINES: [&str; 14] = [
        "$TTL 9000\n",
        "$TTL 5\n",
        "$INCLUDE inc\n",
        "x 8000 A 192.0.2.2\n",
        "x 7 A 192.0.2.3\n",
        "X A 192.0.2.4\n",
        "y TXT a\n",
        "y 7000 TXT b\n",
        "y 6 MX 1 x\n",
        "\tTXT c\n",
        "\t3 A 192.0.2.5\n",
        "z 6000 A 192.0.2.6\n",
        "z A 192.0.2.7\n",
        "x.example.com. A 192.0.2.8\n",
    ];
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut below = |bound: usize| {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        usize::try_from(state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33).unwrap() % bound
    };
    let folder = tempfile::tempdir().unwrap();
    let mut seen = [0; 2];
    for _ in 0..200 {
        let mut some = |most: usize| {
            (0..below(most))
                .map(|_| LINES[below(LINES.len())])
                .collect::<String>()
        };
        let (top, above, between, included) = (
            some(2),
            some(6),
            some(3),
            some(3).replace("$INCLUDE inc\n", ""),
        );
        let included = format!("inside 4000 A 192.0.2.1\n{included}");
        let top = if top.starts_with('$') && !top.contains("INC") {
            top
        } else {
            String::new()
        };
        let soa = [
            "@ SOA ns h 1 2 3 4 300\n",
            "@ 10 SOA ns h 1 2 3 4 7200\n",
            "@ 8500 SOA ns h 1 2 3 4 5\n",
        ][below(3)];
        let sets = [
            "TLSA 3 1 1 aa\n",
            "TLSA 3 1 1 aa\n_25._tcp.mail TLSA 3 1 1 bb\n",
            "2 TLSA 3 1 1 aa\n_25._tcp.mail TLSA 3 1 1 bb\n",
        ];
        let text = format!(
            "{top}{soa}{REST}{above}_25._tcp.mail {}{between}_25._tcp.mail TLSA 3 1 1 cc\n",
            sets[below(3)]
        );
        fs::write(folder.path().join("zone"), &text).unwrap();
        fs::write(folder.path().join("inc"), &included).unwrap();
        let (longest, _) = longest(&text, &included);
        let bind = [
            "-q",
            "-i",
            "none",
            "-k",
            "ignore",
            "-o",
            "-",
            "example.com",
            "zone",
        ];
        let servers = [
            ("named-compilezone", &bind[..]),
            ("nsd-checkzone", &["-p", "example.com", "zone"]),
        ];
        for (at, (program, arguments)) in servers.into_iter().enumerate() {
            let ttls = served(program, arguments, folder.path());
            seen[at] += usize::from(!ttls.is_empty());
            assert!(
                ttls.iter().all(|ttl| Some(*ttl) <= longest),
                "{program} {ttls:?}, {longest:?}:\n{text}---\n{included}"
            );
        }
    }
    assert!(seen.iter().all(|seen| *seen > 50), "{seen:?}");
}
