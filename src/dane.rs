//! The rules of DANE over TLSA records, each decided once: what a client can use, and what
//! is allowed and regretted (RFC 6698, RFC 7218, RFC 7671, RFC 7672). Words and weights
//! are for those who ask.

use crate::tlsa::{Matching, Params, Port, Selector, Tlsa, Usage};

/// Whom the three numbers of a record mean something to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// Every client (RFC 6698 section 7).
    Known,
    /// Clients of one's own: one of them is 255, which is for private use (RFC 7218).
    Private,
    /// Nobody yet.
    Unassigned,
}

/// Whom these numbers mean something to.
#[must_use]
pub fn numbers(params: Params) -> Numbers {
    let all = [
        (params.usage.0, 3),
        (params.selector.0, 1),
        (params.matching.0, 2),
    ];
    if all.iter().all(|(number, last)| number <= last) {
        Numbers::Known
    } else if all
        .iter()
        .all(|(number, last)| number <= last || *number == 255)
    {
        Numbers::Private
    } else {
        Numbers::Unassigned
    }
}

/// Whether a client can compare the record with what a server presents: it knows the
/// numbers, and the data have the length of the digest (RFC 6698 section 2.1).
#[must_use]
pub fn is_usable(record: &Tlsa) -> bool {
    let octets = record.params.matching.octets();
    numbers(record.params) == Numbers::Known
        && !record.data.is_empty()
        && octets.is_none_or(|octets| octets == record.data.len())
}

/// What is allowed and regretted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IllAdvised {
    /// The whole certificate is named, which changes with every renewal (RFC 7671 section 5.1).
    BreaksOnRenewal,
    /// The whole data is published instead of a digest (RFC 7671 section 10.1).
    FullData,
    /// A usage that rests on public CAs, at the port of SMTP between servers, where senders
    /// may treat it as unusable (RFC 7672 section 3.1.3).
    PublicCaForSmtp,
    /// Such a usage at another mail port, where it is allowed and rarely meant: a client
    /// demands a public CA besides (RFC 7671 section 4.1).
    PublicCaBesides,
    /// A number for private use.
    PrivateNumbers,
    /// A number that no client knows.
    UnassignedNumbers,
}

/// What is ill-advised about these parameters at this port; nothing for `3 1 1`.
#[must_use]
pub fn ill_advised(params: Params, port: Option<Port>) -> Vec<IllAdvised> {
    let Params {
        usage,
        selector,
        matching,
    } = params;
    let mut found = Vec::new();
    if (usage == Usage::DANE_EE || usage == Usage::PKIX_EE) && selector == Selector::CERT {
        found.push(IllAdvised::BreaksOnRenewal);
    }
    if matching == Matching::FULL {
        found.push(IllAdvised::FullData);
    }
    if usage == Usage::PKIX_TA || usage == Usage::PKIX_EE {
        found.extend(
            port.filter(|port| port.is_mail())
                .map(|port| match port.number {
                    25 => IllAdvised::PublicCaForSmtp,
                    _ => IllAdvised::PublicCaBesides,
                }),
        );
    }
    match numbers(params) {
        Numbers::Known => {}
        Numbers::Private => found.push(IllAdvised::PrivateNumbers),
        Numbers::Unassigned => found.push(IllAdvised::UnassignedNumbers),
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(usage: u8, selector: u8, matching: u8) -> Params {
        Params {
            usage: Usage(usage),
            selector: Selector(selector),
            matching: Matching(matching),
        }
    }

    #[test]
    fn sound_choices_are_not_commented_on() {
        for (choice, port) in [
            ((3, 1, 1), "25"),
            ((2, 0, 1), "25"),
            ((1, 1, 1), "443"),
            ((3, 1, 2), "993"),
        ] {
            let (usage, selector, matching) = choice;
            assert_eq!(
                ill_advised(params(usage, selector, matching), port.parse().ok()),
                [],
                "{choice:?}"
            );
        }
    }

    #[test]
    fn regretted_choices_are() {
        use IllAdvised::*;
        for (choice, port, expected) in [
            ((3, 0, 1), "25", vec![BreaksOnRenewal]),
            ((1, 0, 1), "443", vec![BreaksOnRenewal]),
            ((2, 0, 0), "25", vec![FullData]),
            ((3, 0, 0), "443", vec![BreaksOnRenewal, FullData]),
            ((1, 1, 1), "smtp", vec![PublicCaForSmtp]),
            ((0, 1, 1), "25", vec![PublicCaForSmtp]),
            ((1, 1, 1), "993", vec![PublicCaBesides]),
            ((0, 1, 1), "465", vec![PublicCaBesides]),
            ((255, 1, 1), "25", vec![PrivateNumbers]),
            ((3, 255, 255), "25", vec![PrivateNumbers]),
            ((3, 1, 9), "smtp", vec![UnassignedNumbers]),
            ((255, 2, 1), "25", vec![UnassignedNumbers]),
        ] {
            let (usage, selector, matching) = choice;
            assert_eq!(
                ill_advised(params(usage, selector, matching), port.parse().ok()),
                expected,
                "{choice:?}"
            );
        }
    }

    #[test]
    fn a_record_is_usable_when_its_numbers_are_known_and_its_digest_is_whole() {
        for (choice, octets, usable) in [
            ((3, 1, 1), 32, true),
            ((3, 1, 1), 31, false),
            ((3, 1, 2), 64, true),
            ((3, 1, 2), 32, false),
            ((3, 1, 0), 91, true),
            ((3, 1, 0), 0, false),
            ((0, 0, 1), 32, true),
            ((4, 1, 1), 32, false),
            ((3, 2, 1), 32, false),
            ((3, 1, 3), 32, false),
            ((255, 1, 1), 32, false),
        ] {
            let (usage, selector, matching) = choice;
            let record = Tlsa {
                params: params(usage, selector, matching),
                data: vec![7; octets],
            };
            assert_eq!(is_usable(&record), usable, "{choice:?} {octets}");
        }
    }
}
