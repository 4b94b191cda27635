//! The data of records, read here and by real name servers: a table of some
//! hundred records with what BIND and NSD say, and mutations of good ones.
//!
//! A line of the table is a mark and a record. `good`: one server takes it at
//! least, and so do we. `bad`: both refuse it, and so do we. `odd`: one takes it
//! by accident and we refuse it. `lax`: both refuse it and we let it pass.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops where it fails"
)]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use danewright::name::Name;
use danewright::text::source::Texts;
use danewright::zone::edit::index;
use danewright::zone::text::dialect::{self, Difference};
use danewright::zone::text::scan;

const TABLE: &str = include_str!("rdata/table.txt");

/// Types of which mutations are let pass that both servers refuse, and why.
const LAX: &[(&str, &str)] = &[
    (
        "LOC",
        "sizes and precisions are only looked at by BIND, which says how many digits it wants",
    ),
    (
        "SVCB",
        "registered keys are let pass that are newer than the servers, and values of numbered keys",
    ),
    ("HTTPS", "as SVCB"),
    (
        "$GENERATE",
        "data that would have to be split is not looked at",
    ),
    (
        "WKS",
        "protocols and services come from the machine's own tables",
    ),
    (
        "DS",
        "names of digests are BIND's own, and then it measures the digest",
    ),
    ("CDS", "as DS"),
    ("DLV", "as DS"),
    ("TA", "as DS"),
    ("DNSKEY", "names of flags and protocols are BIND's own"),
    ("CDNSKEY", "as DNSKEY"),
    ("KEY", "as DNSKEY, and the key may be absent"),
    ("RKEY", "as KEY"),
    ("X25", "NSD takes any text, BIND counts the digits"),
    (
        "EUI48",
        "BIND does not look at what follows the last group, NSD takes quotes",
    ),
    ("EUI64", "as EUI48"),
    ("HIP", "unknown to NSD 4.6; BIND takes no escapes in it"),
    ("A6", "not looked at: historic (RFC 6563), unknown to NSD"),
    ("AMTRELAY", "not looked at: unknown to NSD 4.6"),
    ("ATMA", "as AMTRELAY"),
    ("DOA", "as AMTRELAY"),
    ("DSYNC", "as AMTRELAY"),
    ("EID", "as AMTRELAY"),
    ("NIMLOC", "as AMTRELAY"),
    (
        "SINK",
        "unknown to NSD; BIND takes no quotes and escapes in it",
    ),
];

/// The marks and records of the table; `⏎` is a line end, `{a*255}` so many letters.
fn table() -> Vec<(&'static str, String)> {
    let lines = TABLE
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let record = |line: &'static str| {
        let (mark, record) = line.split_once(' ').unwrap();
        let mut text = record.trim_start().replace('⏎', "\n");
        while let Some(start) = text.find("{a*") {
            let end = start + text[start..].find('}').unwrap();
            let letters = "a".repeat(text[start + 3..end].parse().unwrap());
            text.replace_range(start..=end, &letters);
        }
        (mark, text)
    };
    lines.map(record).collect()
}

/// A zone that holds the records, each at an owner of its own, on line 5, 7, 9
/// and so on: NSD finds some errors only when the next line begins.
fn zone(records: &[&str]) -> String {
    let top = "$TTL 3600\n@ SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n";
    let line = |(at, record): (usize, &&str)| match record.split(' ').next() {
        Some(directive) if directive.starts_with('$') => format!("{record}\n\n"),
        _ => format!("x{at} {record}\n\n"),
    };
    match records {
        [soa] if soa.starts_with("SOA ") => {
            format!("$TTL 3600\n@ {soa}\n@ NS ns\nns A 192.0.2.1\n")
        }
        _ => records
            .iter()
            .enumerate()
            .map(line)
            .fold(top.to_owned(), |zone, line| zone + &line),
    }
}

/// What we say: `None` when we read it.
fn refusal(record: &str) -> Option<String> {
    let origin = Name::from_user("example.com").unwrap();
    let read = index::read(&Texts::one("zone", zone(&[record])), Some(origin), &[]);
    read.err()
        .map(|error| format!("{} {:?}", error.place, error.what))
}

const SERVERS: [&str; 2] = ["named-checkzone", "nsd-checkzone"];

/// The lines of a zone that a server complains of; empty when it loads. BIND
/// is asked for syntax alone.
fn complaints(server: &str, records: &[&str], folder: &Path) -> Option<Vec<usize>> {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let file = folder.join(NUMBER.fetch_add(1, Ordering::Relaxed).to_string());
    fs::write(&file, zone(records)).unwrap();
    let mut checker = Command::new(server);
    if server == SERVERS[0] {
        for flag in ["-k", "-n", "-m", "-M", "-S", "-r", "-W", "-T"] {
            checker.args([flag, "ignore"]);
        }
        checker.args(["-i", "none"]);
    }
    checker.arg("example.com").arg(&file);
    let output = checker
        .output()
        .unwrap_or_else(|error| panic!("{server}: {error}"));
    fs::remove_file(&file).unwrap();
    if output.status.success() {
        return None;
    }
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let mark = format!("{}:", file.display());
    let places = said
        .lines()
        .filter(|line| !line.contains("warning"))
        .filter_map(|line| line.split_once(&mark));
    Some(
        places
            .filter_map(|(_, rest)| rest.split(':').next()?.parse().ok())
            .collect(),
    )
}

/// Which of the records a server takes. What cannot disturb the lines after it
/// goes into one zone with others; the complaints there are believed, and what
/// is left must load as a whole.
fn accepted(server: &str, records: &[String], folder: &Path) -> Vec<bool> {
    // NSD has no $GENERATE.
    let known = |record: &str| server == SERVERS[0] || !record.starts_with('$');
    let alone = |record: &str| known(record) && complaints(server, &[record], folder).is_none();
    let tame = |record: &str| {
        let text = record.replacen(" \\# ", " ", 1);
        let whole =
            !text.contains(['(', ')', '\\', '\n']) && text.matches('"').count().is_multiple_of(2);
        whole && !text.starts_with('$')
    };
    let mut verdicts = vec![true; records.len()];
    let (together, single): (Vec<usize>, Vec<usize>) =
        (0..records.len()).partition(|at| tame(&records[*at]) && !records[*at].starts_with("SOA "));
    for chunk in together.chunks(40) {
        let texts: Vec<&str> = chunk.iter().map(|at| records[*at].as_str()).collect();
        for line in complaints(server, &texts, folder).unwrap_or_default() {
            if let Some(at) = line.checked_sub(5).and_then(|at| chunk.get(at / 2)) {
                verdicts[*at] = false;
            }
        }
        let rest: Vec<usize> = chunk.iter().copied().filter(|at| verdicts[*at]).collect();
        let texts: Vec<&str> = rest.iter().map(|at| records[*at].as_str()).collect();
        if complaints(server, &texts, folder).is_some() {
            rest.iter()
                .for_each(|at| verdicts[*at] = alone(&records[*at]));
        }
    }
    single
        .iter()
        .for_each(|at| verdicts[*at] = alone(&records[*at]));
    verdicts
}

/// What BIND and NSD say of each record.
fn all_accepted(records: &[String]) -> Vec<[bool; 2]> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::thread::scope(|scope| {
        let [bind, nsd] =
            SERVERS.map(|server| scope.spawn(move || accepted(server, records, path)));
        bind.join()
            .unwrap()
            .into_iter()
            .zip(nsd.join().unwrap())
            .map(|(bind, nsd)| [bind, nsd])
            .collect()
    })
}

#[test]
fn every_record_of_the_table_is_read_as_marked() {
    let table = table();
    assert!(table.len() > 600, "the table is not whole");
    let mut wrong = Vec::new();
    for (mark, record) in &table {
        let refused = refusal(record);
        let as_marked = match *mark {
            "good" | "lax" => refused.is_none(),
            "bad" | "odd" => refused.is_some(),
            _ => panic!("{mark} is no mark"),
        };
        if !as_marked {
            wrong.push(format!("{mark} {record}: {refused:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_error_stands_at_the_very_word() {
    for (record, place) in [
        ("A 192.0.2.300", "5:6"),
        ("MX 10 a..b", "5:10"),
        ("MX 10", "5:9"),
        ("TXT a {} b", "5:10"),
        ("DS 1 8 2 (\n aabb\n aacg )", "7:2"),
        ("CAA 0 issue ; x\n", "5:15"),
        ("NS a b", "5:9"),
        ("TYPE65280 \\# 2 00", "5:17"),
        ("HINFO \\# foo", "5:13"),
        ("NS \\#", "5:9"),
    ] {
        let record = record.replace("{}", &"a".repeat(256));
        let refused = refusal(&record).unwrap_or_else(|| panic!("{record} is read"));
        assert!(
            refused.starts_with(&format!("zone:{place} ")),
            "{record}: {refused}"
        );
    }
}

/// Whether a record is noted for how its data is written.
fn dressed(record: &str) -> bool {
    let text = format!("x {record}\n");
    let Some(scanned) = scan::entry(text.as_bytes(), true) else {
        return false;
    };
    let mut dressed = false;
    dialect::of_entry(text.as_bytes(), &scanned.kind, false, |difference, _| {
        dressed |= difference == Difference::DressedField;
    });
    dressed
}

#[test]
#[ignore = "needs named-checkzone, nsd-checkzone"]
fn what_is_noted_for_its_quotes_is_what_bind_refuses() {
    let table = table();
    // What NAPTR says and octets mean is another matter, and `\[` was a bit-string label once.
    let other = |record: &str| {
        record.contains("\\[") || record.contains("\\# ") || record.starts_with("NAPTR")
    };
    let suspect = |record: &str| {
        record.contains(['"', '\\', '+']) && !record.starts_with('$') && !other(record)
    };
    let read = table
        .iter()
        .filter(|(mark, record)| *mark == "good" && suspect(record));
    let records: Vec<String> = read.map(|(_, record)| record.clone()).collect();
    let mut wrong = Vec::new();
    for (record, [bind, _]) in records.iter().zip(all_accepted(&records)) {
        // BIND takes no other name in quotes.
        if dressed(record) == bind && record != "SVCB 1 \"foo\"" {
            wrong.push(format!(
                "noted: {}, BIND takes it: {bind}: {record}",
                dressed(record)
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
#[ignore = "needs named-checkzone, nsd-checkzone"]
fn servers_say_what_the_table_says() {
    let table = table();
    let records: Vec<String> = table.iter().map(|(_, record)| record.clone()).collect();
    let mut wrong = Vec::new();
    for ((mark, record), servers) in table.iter().zip(all_accepted(&records)) {
        let right = match *mark {
            "good" => servers != [false; 2],
            "bad" | "lax" => servers == [false; 2],
            _ => servers != [true; 2] && servers != [false; 2],
        };
        if !right {
            wrong.push(format!("{mark} {record}: BIND, NSD take it: {servers:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// xorshift64*: the same records in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from(self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33).unwrap() % bound
    }

    /// One change somewhere behind the type.
    fn mutate(&mut self, record: &str) -> String {
        const OCTETS: &[u8] = b"0123456789abcfgz.-+:/=,@ \"\\#!AFZ_*";
        let Some(start) = record.find(' ').map(|at| at + 1) else {
            return format!("{record} 1");
        };
        let mut octets = record.as_bytes().to_vec();
        let at = start + self.below((octets.len() - start).max(1));
        let octet = OCTETS[self.below(OCTETS.len())];
        match self.below(7) {
            0 | 1 if at < octets.len() => octets[at] = octet,
            2 => octets.insert(at.min(octets.len()), octet),
            3 if at < octets.len() => drop(octets.remove(at)),
            4 => octets.truncate(at),
            5 => {
                let mut words: Vec<&[u8]> = octets.split(|octet| *octet == b' ').collect();
                let word = 1 + self.below(words.len() - 1);
                if self.below(2) == 0 {
                    words.remove(word);
                } else {
                    words.insert(word, words[word])
                }
                octets = words.join(&b' ');
            }
            _ => {
                let digits: Vec<usize> = (start..octets.len())
                    .filter(|at| octets[*at].is_ascii_digit())
                    .collect();
                if !digits.is_empty() {
                    let at = digits[self.below(digits.len())];
                    let edges: [&[u8]; 5] = [b"256", b"65536", b"4294967296", b"00", b"-1"];
                    octets.splice(at..=at, edges[self.below(5)].iter().copied());
                }
            }
        }
        String::from_utf8_lossy(&octets).into_owned()
    }
}

/// Whether a quote begins or ends without a blank beside it: BIND and NSD then
/// differ from type to type, and the words are read as if there were one.
fn glued(record: &str) -> bool {
    let octets = record.as_bytes();
    let quotes = (0..octets.len()).filter(|at| octets[*at] == b'"' && octets[at - 1] != b'\\');
    quotes.enumerate().any(|(number, at)| {
        if number % 2 == 0 {
            // A blank with a backslash is none.
            octets.get(at - 1) != Some(&b' ') || octets.get(at - 2) == Some(&b'\\')
        } else {
            octets.get(at + 1).is_some_and(|octet| *octet != b' ')
        }
    })
}

#[test]
#[ignore = "needs named-checkzone, nsd-checkzone"]
fn of_mutated_records_we_refuse_only_what_a_server_refuses() {
    let cases = std::env::var("DANEWRIGHT_RDATA_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(400);
    let good: Vec<String> = table()
        .into_iter()
        // `\[` was a bit-string label once, and NSD still stumbles over half of one.
        .filter(|(mark, record)| *mark == "good" && record.is_ascii() && !record.contains("\\["))
        .filter(|(_, record)| !record.contains('\n') && record.len() < 300)
        .map(|(_, record)| record)
        .collect();
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let records: Vec<String> = (0..cases)
        .map(|_| {
            let record = &good[dice.below(good.len())];
            dice.mutate(record)
        })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let (mut wrong, mut refused) = (Vec::new(), 0);
    for (record, servers) in records.iter().zip(all_accepted(&records)) {
        let refusal = refusal(record);
        refused += usize::from(refusal.is_some());
        let disputed = if refusal.is_some() {
            [true; 2]
        } else {
            [false; 2]
        };
        // In one zone with others a complaint may be about the line before.
        let alone = || {
            SERVERS.map(|server| accepted(server, std::slice::from_ref(record), folder.path())[0])
        };
        if servers != disputed || alone() != disputed {
            continue;
        }
        let rtype = record.split(' ').next().unwrap_or_default();
        match refusal {
            Some(why) => wrong.push(format!("refused, and both take it: {record}: {why}")),
            None if glued(record) || LAX.iter().any(|(lax, _)| *lax == rtype) => {}
            None => wrong.push(format!("read, and both refuse it: {record}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        refused * 5 > cases,
        "only {refused} of {cases} were refused"
    );
}
