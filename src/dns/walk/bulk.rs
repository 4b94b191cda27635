//! What evidence weighs, beyond its share in the questions: a server's records
//! and what is told of it are as long as whoever is asked makes them.

use std::mem::size_of;

use crate::finding::Finding;
use crate::propagation::evidence::Evidence;
use crate::tlsa::Tlsa;

/// The octets that the records and findings take, about.
pub(crate) fn weight(evidence: &Evidence) -> usize {
    let hops = evidence.hops.iter().map(|hop| {
        let servers = hop
            .servers
            .iter()
            .map(|server| findings(&server.findings) + records(&server.records));
        let links = hop.chain.iter().map(|link| findings(&link.findings));
        findings(&hop.findings) + servers.sum::<usize>() + links.sum::<usize>()
    });
    let resolvers = evidence
        .resolvers
        .iter()
        .map(|resolver| findings(&resolver.findings) + records(&resolver.records));
    findings(&evidence.findings) + hops.sum::<usize>() + resolvers.sum::<usize>()
}

fn findings(findings: &[Finding]) -> usize {
    let one = |finding: &Finding| {
        size_of::<Finding>()
            + finding.message.len()
            + finding.server.as_ref().map_or(0, String::len)
    };
    findings.iter().map(one).sum()
}

fn records(records: &[Tlsa]) -> usize {
    records
        .iter()
        .map(|record| size_of::<Tlsa>() + record.rdata().len())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Severity;
    use crate::name::Name;
    use crate::propagation::evidence::{Outcome, ResolverAnswer};

    #[test]
    fn long_messages_and_many_records_weigh() {
        let record = Tlsa::from_rdata(&[&[3, 0, 0][..], &[7; 1000]].concat()).unwrap();
        let resolver = ResolverAnswer {
            address: "192.0.2.1:53".parse().unwrap(),
            outcome: Outcome::Answered,
            authenticated: true,
            ttl: None,
            records: vec![record; 3],
            findings: vec![Finding::new("bogus", Severity::Note, "x".repeat(500))],
        };
        let resolvers = vec![resolver];
        let evidence = Evidence {
            owner: Name::root(),
            hops: Vec::new(),
            resolvers,
            host: None,
            findings: Vec::new(),
        };
        assert!(
            (3500..4500).contains(&weight(&evidence)),
            "{}",
            weight(&evidence)
        );
    }
}
