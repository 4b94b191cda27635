//! What was found at each target: every server's line, what resolvers hold, the
//! findings with the heaviest first, and the hold. Targets whose servers stand
//! alike, as those of several ports of one host do, share what they have in common.

use std::cmp::Reverse;
use std::collections::HashMap;

use chrono::{DateTime, Utc};

use crate::finding::Finding;
use crate::name::Name;
use crate::propagation::Judged;
use crate::report::hints;
use crate::report::sentence::sentence;
use crate::report::servers::{all_heard, resolvers, servers};
use crate::report::table::cell;
use crate::report::timeline::timeline;
use crate::report::wrap::wrapped;
use crate::tlsa::Tlsa;

/// Where what belongs to a heading begins.
const INDENT: usize = 9;

/// The details of these targets, in this order. `told` are hints that were given
/// already; none is given twice.
pub(crate) fn details(
    targets: &[&Judged],
    told: &mut Vec<&'static str>,
    now: DateTime<Utc>,
    width: Option<usize>,
) -> String {
    let mut text = String::new();
    for (group, servers) in groups(targets, now, width) {
        text.push('\n');
        group
            .iter()
            .for_each(|target| text.push_str(&title(target, width)));
        let alike = |part: &dyn Fn(&Judged) -> String| shared(&group, width, part, part);
        text.push_str(&alike(&|target| records(target, width)));
        text.push_str(&servers);
        text.push_str(&alike(&|target| {
            resolvers(
                &target.evidence.resolvers,
                target.expectation.expected(),
                width,
            )
        }));
        let said = |target: &Judged| (target.verdict.findings.clone(), target.evidence.host);
        text.push_str(&shared(&group, width, said, |target| {
            findings(target, told, width)
        }));
        text.push_str(&alike(&|target| {
            timeline(
                target.verdict.agreed_since,
                target.verdict.hold,
                all_heard(target),
                now,
                width,
            )
        }));
    }
    text
}

/// Targets of one zone and one verdict whose servers stand alike, with the table of those.
fn groups<'a>(
    targets: &[&'a Judged],
    now: DateTime<Utc>,
    width: Option<usize>,
) -> Vec<(Vec<&'a Judged>, String)> {
    let mut groups: Vec<(Vec<&Judged>, String)> = Vec::new();
    // There may be as many groups as there are targets.
    let mut known: HashMap<(Option<&Name>, &str, String), usize> = HashMap::new();
    for target in targets {
        let table = servers(target, now, width);
        let zone = target.evidence.hops.first().map(|hop| &hop.zone);
        let at = *known
            .entry((zone, target.verdict.decision.word(), table.clone()))
            .or_insert(groups.len());
        match groups.get_mut(at).filter(|_| !table.is_empty()) {
            Some((group, _)) => group.push(target),
            None => groups.push((vec![target], table)),
        }
    }
    groups
}

/// A part of the details: once where all targets have the same, else for each
/// that differs with its owner.
fn shared<K: PartialEq>(
    group: &[&Judged],
    width: Option<usize>,
    key: impl Fn(&Judged) -> K,
    mut part: impl FnMut(&Judged) -> String,
) -> String {
    let mut parts: Vec<(K, Vec<&Judged>)> = Vec::new();
    for target in group {
        let key = key(target);
        match parts.iter_mut().find(|(known, _)| *known == key) {
            Some((_, same)) => same.push(target),
            None => parts.push((key, vec![target])),
        }
    }
    let alone = parts.len() == 1;
    let mut text = String::new();
    for (_, same) in &parts {
        let Some(first) = same.first() else { continue };
        let own = part(first);
        if !alone && !own.is_empty() {
            let owners: Vec<String> = same
                .iter()
                .map(|target| target.evidence.owner.to_string())
                .collect();
            text.push_str(&format!(
                "\n{}\n",
                wrapped(&format!("at {}", owners.join(", ")), 3, width)
            ));
        }
        text.push_str(if alone {
            &own
        } else {
            own.trim_start_matches('\n')
        });
    }
    text
}

fn title(target: &Judged, width: Option<usize>) -> String {
    let Judged {
        evidence, verdict, ..
    } = target;
    let zone = evidence
        .hops
        .first()
        .map(|hop| format!(" in the zone {}", hop.zone))
        .unwrap_or_default();
    let line = format!("{}{zone}: {}", evidence.owner, verdict.decision.word());
    format!("{}\n", wrapped(&line, 2, width))
}

fn records(target: &Judged, width: Option<usize>) -> String {
    let listed = |what: &str, records: &[Tlsa]| -> String {
        let line = |record: &Tlsa| {
            format!(
                "{}\n",
                wrapped(&format!("{what:<8} {record}"), INDENT, width)
            )
        };
        records.iter().map(line).collect()
    };
    let expectation = &target.expectation;
    listed("new", expectation.expected())
        + &listed("current", expectation.current().unwrap_or_default())
}

/// The findings, those that say the same of several servers together; below the
/// last with a code what to do, unless it was `told`.
fn findings(target: &Judged, told: &mut Vec<&'static str>, width: Option<usize>) -> String {
    let all = &target.verdict.findings;
    let mut causes_first: Vec<&Finding> = all.iter().collect();
    causes_first.sort_by_key(|finding| (Reverse(finding.severity), hints::follows(finding, all)));
    let mut groups: Vec<Vec<&Finding>> = Vec::new();
    for finding in causes_first {
        let same = |group: &&mut Vec<&Finding>| {
            let first = group.first();
            first.is_some_and(|f| {
                (f.severity, f.code, &f.message)
                    == (finding.severity, finding.code, &finding.message)
            })
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(finding),
            None => groups.push(vec![finding]),
        }
    }
    let mut text = if groups.is_empty() {
        String::new()
    } else {
        "\n".to_owned()
    };
    let mut line = |line: String| text.push_str(&format!("{}\n", wrapped(&line, INDENT, width)));
    for (index, group) in groups.iter().enumerate() {
        let Some(first) = group.first() else { continue };
        let lead = format!("{:<8} {}: ", first.severity.word(), first.code);
        if group.len() > 1 {
            let servers: Vec<&str> = group
                .iter()
                .filter_map(|finding| finding.server.as_deref())
                .collect();
            line(format!("{lead}{}", cell(&first.message)));
            line(format!("{:INDENT$}at {}", "", cell(&servers.join(", "))));
        } else {
            line(format!("{lead}{}", sentence(first)));
        }
        let next = groups.get(index + 1).and_then(|group| group.first());
        let last =
            next.is_none_or(|next| (next.code, next.severity) != (first.code, first.severity));
        let hint = hints::of(target, first).filter(|hint| last && !told.contains(hint));
        if let Some(hint) = hint {
            told.push(hint);
            line(format!("{:INDENT$}to do: {hint}", ""));
        }
    }
    text
}
