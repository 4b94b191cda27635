//! What lint found, for people and for programs: each finding with its place as
//! compilers write it, so that editors can go there, the heaviest first.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use serde_json::{Map, Value, json};

use crate::lint::{Finding, Lint, Severity};
use crate::propagation::brief;
use crate::report::table::{cell, table};

/// How many findings with one code, and further places of one finding, are printed.
const FEW: usize = 5;

/// How the report is to look.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look {
    /// Columns that tables may fill; `None` when no terminal shows them.
    pub width: Option<usize>,
    /// Whether the words for severities are coloured.
    pub color: bool,
    /// Whether keys were given, so that each record's is to be shown.
    pub keys: bool,
}

/// The whole report about the zone file called `file`.
#[must_use]
pub fn text(lint: &Lint, findings: &[Finding], file: &str, look: Look) -> String {
    let mut text = format!(
        "{}: {}; {}\n",
        cell(file),
        weighed(findings),
        inventory(lint)
    );
    let groups = groups(findings);
    // Of each code: its groups, and the places in those that are not printed.
    let mut codes: HashMap<(&str, Severity), (usize, u64)> = HashMap::new();
    for (first, rest) in &groups {
        let (count, unprinted) = codes.entry((first.code, first.severity)).or_default();
        *count += 1;
        *unprinted += if *count > FEW {
            1 + rest.len() as u64
        } else {
            0
        };
    }
    let mut printed: HashMap<(&str, Severity), usize> = HashMap::new();
    for (first, rest) in &groups {
        let code = (first.code, first.severity);
        let count = printed.entry(code).or_default();
        *count += 1;
        if *count > FEW {
            continue;
        }
        text.push('\n');
        text.push_str(&one(first, look));
        text.push_str(&elsewhere(first, rest));
        let (_, unprinted) = codes.get(&code).copied().unwrap_or_default();
        if *count == FEW && unprinted > 0 {
            text.push_str(&format!(
                "\nand {} more {}[{}]; --json has them all\n",
                unprinted, first.severity, first.code
            ));
        }
    }
    if look.keys && !lint.records.is_empty() {
        text.push('\n');
        text.push_str(&keys(lint, look));
    }
    text
}

/// Findings that say the same, each group where its first one stands.
fn groups(findings: &[Finding]) -> Vec<(&Finding, Vec<&Finding>)> {
    let mut known: HashMap<(&str, Severity, &str), usize> = HashMap::new();
    let mut groups: Vec<(&Finding, Vec<&Finding>)> = Vec::new();
    for finding in findings {
        match known.entry((finding.code, finding.severity, finding.message.as_str())) {
            Entry::Occupied(group) => groups[*group.get()].1.push(finding),
            Entry::Vacant(group) => {
                group.insert(groups.len());
                groups.push((finding, Vec::new()));
            }
        }
    }
    groups
}

/// The other places of a group, as far as one likes to read on.
fn elsewhere(first: &Finding, rest: &[&Finding]) -> String {
    let place = |finding: &&Finding| {
        let place = &finding.place;
        let here = if place.file == first.place.file {
            String::new()
        } else {
            format!("{}:", cell(&place.file))
        };
        let owner = finding
            .owner
            .as_ref()
            .filter(|owner| first.owner.as_ref() != Some(owner));
        let owner = owner.map_or_else(String::new, |owner| format!(" ({owner})"));
        format!("{here}{}:{}{owner}", place.line, place.column)
    };
    let places: Vec<String> = rest.iter().take(FEW).map(place).collect();
    let left_out = rest.len().saturating_sub(FEW) as u64;
    let more = left_out + first.more + rest.iter().map(|finding| finding.more).sum::<u64>();
    match (places.is_empty(), more) {
        (true, 0) => String::new(),
        (true, _) => format!("  and at {}\n", plural(more, "more place")),
        (false, 0) => format!("  also at {}\n", places.join(", ")),
        (false, _) => format!(
            "  also at {} and {}\n",
            places.join(", "),
            plural(more, "more place")
        ),
    }
}

fn one(finding: &Finding, look: Look) -> String {
    let Finding {
        code,
        severity,
        owner,
        place,
        message,
        hint,
        ..
    } = finding;
    let color = match severity {
        Severity::Error => "1;31",
        Severity::Warning => "1;33",
        Severity::Note => "1;36",
    };
    let word = if look.color {
        format!("\u{1b}[{color}m{severity}\u{1b}[0m")
    } else {
        severity.to_string()
    };
    let owner = owner
        .as_ref()
        .map_or_else(String::new, |owner| format!(" at {owner}"));
    let mut text = format!(
        "{}: {word}[{code}]{owner}\n  {}\n",
        cell(&place.to_string()),
        cell(message)
    );
    if let Some(hint) = hint {
        text.push_str(&format!("  hint: {}\n", cell(hint)));
    }
    text
}

/// How many findings there are of each severity, left out ones included.
fn counts(findings: &[Finding]) -> [(Severity, u64); 3] {
    [Severity::Error, Severity::Warning, Severity::Note].map(|severity| {
        let these = findings
            .iter()
            .filter(|finding| finding.severity == severity);
        (severity, these.map(|finding| 1 + finding.more).sum())
    })
}

fn weighed(findings: &[Finding]) -> String {
    let some = counts(findings).into_iter().filter(|(_, count)| *count > 0);
    let some: Vec<String> = some
        .map(|(severity, count)| plural(count, severity.word()))
        .collect();
    // Silence is not to be taken for more than it says.
    if some.is_empty() {
        "nothing found that concerns DANE".to_owned()
    } else {
        some.join(", ")
    }
}

fn inventory(lint: &Lint) -> String {
    let mut owners: Vec<_> = lint.records.iter().map(|record| &record.owner).collect();
    owners.sort_unstable();
    owners.dedup();
    let records = plural(lint.records.len() as u64, "TLSA record");
    if owners.is_empty() {
        records
    } else {
        format!("{records} at {}", plural(owners.len() as u64, "name"))
    }
}

fn plural(count: u64, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

/// A table of the records, each with the keys that it matches.
fn keys(lint: &Lint, look: Look) -> String {
    let rows: Vec<Vec<String>> = lint
        .records
        .iter()
        .zip(&lint.matches)
        .map(|(record, keys)| {
            let keys = if keys.is_empty() {
                "-".to_owned()
            } else {
                keys.join(", ")
            };
            vec![
                record.owner.to_string(),
                record.place.line.to_string(),
                brief(&record.tlsa),
                keys,
            ]
        })
        .collect();
    table(&["owner", "line", "record", "key"], &rows, look.width)
}

/// The fields `zone`, `files`, `counts`, `records` and `findings`.
#[must_use]
pub fn json(lint: &Lint, findings: &[Finding], files: &[String], keys: bool) -> Map<String, Value> {
    let mut fields = Map::new();
    fields.insert(
        "zone".to_owned(),
        json!(lint.apex.as_ref().map(ToString::to_string)),
    );
    fields.insert("files".to_owned(), json!(files));
    fields.insert("scope".to_owned(), json!("dane"));
    let counts = counts(findings)
        .into_iter()
        .map(|(severity, count)| (severity.word().to_owned(), json!(count)));
    fields.insert("counts".to_owned(), Value::Object(counts.collect()));
    let records = lint
        .records
        .iter()
        .zip(&lint.matches)
        .map(|(record, matches)| {
            json!({
                "owner": record.owner.to_string(),
                "place": record.place.to_string(),
                "ttl": record.ttl,
                "record": record.tlsa.to_string(),
                "matches": keys.then_some(matches),
            })
        });
    fields.insert("records".to_owned(), records.collect());
    fields.insert(
        "findings".to_owned(),
        findings.iter().map(finding).collect(),
    );
    fields
}

fn finding(finding: &Finding) -> Value {
    let Finding {
        code,
        severity,
        owner,
        place,
        message,
        hint,
        more,
    } = finding;
    json!({
        "code": code,
        "severity": severity.word(),
        "owner": owner.as_ref().map(ToString::to_string),
        "place": place.to_string(),
        "message": message,
        "hint": hint,
        "more": more,
    })
}
