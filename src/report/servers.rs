//! Each name server in a few words: how it stands, since when, and what is the
//! matter, from the verdict's findings about it. One line per server where the
//! terminal is wide enough, else a short paragraph each.

use chrono::{DateTime, TimeDelta, Utc};

use crate::duration;
use crate::finding::{Finding, Severity};
use crate::propagation::evidence::address_text;
use crate::propagation::evidence::{Hop, Outcome, ResolverAnswer, ServerAnswer};
use crate::propagation::memory::ServerMemory;
use crate::propagation::{Judged, brief};
use crate::report::table::{table, worded};
use crate::report::wrap::wrapped;
use crate::tlsa::Tlsa;

/// One address of one server, with what the verdict holds against it.
pub(crate) struct Standing<'a> {
    pub(crate) answer: &'a ServerAnswer,
    /// The heaviest finding about it; a note where all is well.
    pub(crate) severity: Severity,
    findings: Vec<&'a Finding>,
    seen: Option<&'a ServerMemory>,
    /// Since when some server of the zone has agreed.
    first: Option<DateTime<Utc>>,
}

/// The servers of one zone on the way.
pub(crate) fn standings<'a>(target: &'a Judged, hop: &'a Hop) -> Vec<Standing<'a>> {
    let seen = |answer: &ServerAnswer| target.watch.servers.get(&hop.server_key(answer));
    let first = hop
        .servers
        .iter()
        .filter_map(|answer| seen(answer)?.since)
        .min();
    let standing = |answer: &'a ServerAnswer| {
        let name = answer.label();
        let about = |finding: &&Finding| finding.server.as_deref() == Some(name.as_str());
        let findings: Vec<&Finding> = target.verdict.findings.iter().filter(about).collect();
        let severity = findings
            .iter()
            .map(|finding| finding.severity)
            .max()
            .unwrap_or(Severity::Note);
        Standing {
            answer,
            severity,
            findings,
            seen: seen(answer),
            first,
        }
    };
    hop.servers.iter().map(standing).collect()
}

impl Standing<'_> {
    /// The state in a word: `ok`, or what the server makes of the verdict.
    pub(crate) fn state(&self) -> &'static str {
        match self.severity {
            Severity::Note if answered(self.answer.outcome) => "ok",
            Severity::Note => "waived",
            heavier => heavier.word(),
        }
    }

    /// What is the matter, in words.
    pub(crate) fn sentence(&self, now: DateTime<Utc>) -> String {
        let worst = self
            .findings
            .iter()
            .find(|finding| finding.severity == self.severity);
        match worst.filter(|_| self.severity > Severity::Note) {
            Some(finding) => format!("{}{}", finding.message, self.since(now)),
            None => self.well(now),
        }
    }

    /// What is the matter, as the codes that are explained elsewhere.
    fn codes(&self, now: DateTime<Utc>) -> String {
        let mut codes: Vec<&str> = self
            .findings
            .iter()
            .filter(|f| f.severity > Severity::Note)
            .map(|finding| finding.code)
            .collect();
        codes.dedup();
        if codes.is_empty() {
            self.well(now)
        } else {
            format!("{}{}", codes.join(", "), self.since(now))
        }
    }

    fn well(&self, now: DateTime<Utc>) -> String {
        match self.seen.and_then(|seen| seen.since) {
            _ if !answered(self.answer.outcome) => {
                format!("{}{}", self.answer.outcome.word(), self.since(now))
            }
            Some(since) => format!("agrees for {}", coarse(now - since)),
            None => "answers".to_owned(),
        }
    }

    /// Since when it is so, as far as that is known.
    fn since(&self, now: DateTime<Utc>) -> String {
        let heard = self.seen.and_then(|seen| seen.heard_at);
        match (self.severity, heard, self.first) {
            _ if self.answer.outcome == Outcome::Unreachable => match heard {
                Some(heard) => format!("; last heard {} ago", coarse(now - heard)),
                None => "; never heard so far".to_owned(),
            },
            (Severity::Wait, _, Some(first)) => {
                format!("; others agree for {}", coarse(now - first))
            }
            (Severity::Note, ..) => String::new(),
            _ => self.first_found(now),
        }
    }

    /// Since when checks have found what is the matter; nothing on the first.
    fn first_found(&self, now: DateTime<Utc>) -> String {
        let since = self
            .seen
            .and_then(|seen| seen.amiss.as_ref())
            .map(|amiss| amiss.since);
        let since = since.filter(|since| *since < now);
        since
            .map(|since| format!("; first found {} ago", coarse(now - since)))
            .unwrap_or_default()
    }
}

/// Since when a finding about a server is so: `; first found 2h ago`.
pub(crate) fn since(target: &Judged, finding: &Finding, now: DateTime<Utc>) -> String {
    let Some(server) = finding.server.as_deref() else {
        return String::new();
    };
    let mut standings = target
        .evidence
        .hops
        .iter()
        .flat_map(|hop| standings(target, hop));
    let standing = standings.find(|s| s.answer.label() == server && s.severity == finding.severity);
    standing
        .map(|standing| standing.since(now))
        .unwrap_or_default()
}

/// Whether every name server has answered.
pub(crate) fn all_heard(target: &Judged) -> bool {
    target
        .evidence
        .hops
        .iter()
        .flat_map(|hop| &hop.servers)
        .all(|server| answered(server.outcome))
}

fn answered(outcome: Outcome) -> bool {
    matches!(
        outcome,
        Outcome::Answered | Outcome::NoData | Outcome::NoName
    )
}

/// A length in its two largest units.
pub(crate) fn coarse(length: TimeDelta) -> String {
    let seconds = length.num_seconds();
    let unit = match seconds {
        ..3_600 => 1,
        3_600..86_400 => 60,
        _ => 3_600,
    };
    duration::text(TimeDelta::seconds(seconds - seconds % unit))
}

/// All name servers of the target, zone after zone.
pub(crate) fn servers(target: &Judged, now: DateTime<Utc>, width: Option<usize>) -> String {
    let mut text = String::new();
    for (index, hop) in target.evidence.hops.iter().enumerate() {
        if index > 0 {
            let line = format!("the alias leads to {} in the zone {}", hop.owner, hop.zone);
            text.push_str(&format!("\n{}\n", wrapped(&line, 0, width)));
        }
        let standings = standings(target, hop);
        if !standings.is_empty() {
            text.push('\n');
            text.push_str(&of_zone(&standings, now, width));
        }
    }
    text
}

fn of_zone(standings: &[Standing<'_>], now: DateTime<Utc>, width: Option<usize>) -> String {
    let row = |standing: &Standing<'_>| {
        let answer = standing.answer;
        vec![
            standing.state().to_owned(),
            answer.name.to_string(),
            answer
                .address
                .map_or_else(|| "none".to_owned(), address_text),
            or_dash(answer.serial),
            or_dash(answer.ttl),
            standing.codes(now),
        ]
    };
    let rows: Vec<Vec<String>> = standings.iter().map(row).collect();
    worded(
        &["", "server", "address", "serial", "ttl", "what"],
        &rows,
        width,
        paragraph,
    )
}

fn paragraph(row: &[String]) -> Vec<String> {
    let [state, name, address, serial, ttl, what] = row else {
        return row.to_vec();
    };
    let address = if address == "none" { "" } else { address };
    let number = |what: &str, number: &str| (number != "-").then(|| format!("{what} {number}"));
    let numbers: Vec<String> = [number("serial", serial), number("ttl", ttl)]
        .into_iter()
        .flatten()
        .collect();
    vec![
        format!("{state:<8} {name} {address}").trim_end().to_owned(),
        what.clone(),
        numbers.join(", "),
    ]
}

/// What the resolvers answer; information, never proof.
pub(crate) fn resolvers(
    resolvers: &[ResolverAnswer],
    expected: &[Tlsa],
    width: Option<usize>,
) -> String {
    let row = |resolver: &ResolverAnswer| {
        vec![
            address_text(resolver.address),
            resolver.outcome.word().to_owned(),
            (if resolver.authenticated { "yes" } else { "no" }).to_owned(),
            or_dash(resolver.ttl),
            if answered(resolver.outcome) {
                missing(&resolver.records, expected)
            } else {
                "?".to_owned()
            },
        ]
    };
    let rows: Vec<Vec<String>> = resolvers.iter().map(row).collect();
    if rows.is_empty() {
        return String::new();
    }
    format!(
        "\n{}",
        table(
            &["resolver", "answer", "validates", "ttl", "missing"],
            &rows,
            width
        )
    )
}

fn missing(records: &[Tlsa], wanted: &[Tlsa]) -> String {
    if records.is_empty() {
        return "all records".to_owned();
    }
    let lacking: Vec<String> = wanted
        .iter()
        .filter(|record| !records.contains(record))
        .map(brief)
        .collect();
    match lacking.len() {
        0 => "-".to_owned(),
        1 => lacking.concat(),
        count => format!("{count} of {} records", wanted.len()),
    }
}

fn or_dash(number: Option<u32>) -> String {
    number.map_or_else(|| "-".to_owned(), |number| number.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_told_in_two_units() {
        for (seconds, text) in [
            (0, "0s"),
            (59, "59s"),
            (3599, "59m59s"),
            (7384, "2h3m"),
            (90_061, "1d1h"),
            (-5, "0s"),
        ] {
            assert_eq!(coarse(TimeDelta::seconds(seconds)), text);
        }
    }
}
