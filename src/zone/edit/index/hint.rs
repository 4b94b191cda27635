//! Tells quickly that an owner is far from every target, without making a
//! name of it: in a large zone nearly all are. It may take a far owner for a
//! near one, never a near one for a far one.

use std::rc::Rc;

use crate::name::Name;
use crate::tlsa::Target;
use crate::zone::text::words::Span;

/// What is known about owners under one origin.
#[derive(Default)]
pub(super) struct Hint {
    origin: Option<Rc<Name>>,
    known: bool,
    /// Whether owners under this origin have to be looked at one by one.
    all: bool,
    /// Whether absolute owners have to.
    absolute: bool,
    /// The hosts below this origin.
    hosts: Vec<Host>,
    /// Octets that an absolute name below this origin ends with.
    suffix: usize,
}

/// A host as it would stand in the zone, relative to the origin.
struct Host {
    /// The label that leads towards it.
    label: Vec<u8>,
    /// Its last octets, at most eight, behind zeros.
    tail: u64,
    /// How many octets it has.
    len: usize,
}

/// Takes letters of both cases, and some other octets, for the same.
const CASE: u64 = 0x2020_2020_2020_2020;

impl Hint {
    /// Takes note of the origin that is in force.
    pub(super) fn follow(&mut self, origin: Option<&Rc<Name>>, targets: &[Target]) {
        let same = match (&self.origin, origin) {
            (Some(ours), Some(now)) => Rc::ptr_eq(ours, now),
            (ours, now) => ours.is_none() && now.is_none(),
        };
        if !same || !self.known {
            *self = Self::at(origin, targets);
        }
    }

    /// Whether an owner has to be made a name of to know how it stands to the targets.
    pub(super) fn may_be_near(&self, token: &[u8]) -> bool {
        if self.all
            || token.last() == Some(&b'.')
            || token.contains(&b'\\')
            || token == b"@"
            || token.first() == Some(&b'*')
        {
            return true;
        }
        self.hosts.iter().any(|Host { label, .. }| {
            let Some(rest) = token.len().checked_sub(label.len()) else {
                return false;
            };
            token[rest..].eq_ignore_ascii_case(label) && (rest == 0 || token[rest - 1] == b'.')
        })
    }

    /// Whether an owner without escapes is certainly far; of a wildcard, the name below which it stands.
    ///
    /// Two absolute names that differ in an octet at the same distance from
    /// their ends are neither equal nor one above the other. Looked at are the
    /// octets where host and owner have their last label below the origin.
    #[inline]
    pub(super) fn is_far(&self, text: &[u8], owner: Span) -> bool {
        let Span { mut start, mut end } = owner;
        match text.get(start) {
            // The origin is near the hosts at, above and below it, and to no other.
            Some(b'@') => return !self.all && self.hosts.is_empty(),
            Some(b'*') => start += 2,
            _ => {}
        }
        if text.get(end.wrapping_sub(1)) == Some(&b'.') {
            if self.absolute {
                return false;
            }
            end = end.saturating_sub(self.suffix);
        }
        let Some(len) = end.checked_sub(start).filter(|len| *len > 0) else {
            return false;
        };
        let Some(tail) = text.get(..end).and_then(<[u8]>::last_chunk) else {
            return false;
        };
        let tail = u64::from_le_bytes(*tail) | CASE;
        !self.all
            && self.hosts.iter().all(|host| {
                // The octets that both have are the highest ones of the number.
                let common = len.min(host.len).min(8);
                (tail ^ host.tail) >> (64 - 8 * common) != 0
            })
    }

    fn at(origin: Option<&Rc<Name>>, targets: &[Target]) -> Self {
        let Some(name) = origin else {
            return Self {
                known: true,
                all: true,
                ..Self::default()
            };
        };
        let mut hint = Self {
            origin: Some(Rc::clone(name)),
            known: true,
            ..Self::default()
        };
        for host in targets.iter().map(Target::base) {
            // Without making a text of it: a file may have an origin every few lines.
            if name.is_within(host) || host.labels().flatten().any(|octet| !is_plain(*octet)) {
                hint.all = true;
            } else if host.is_within(name) {
                let steps = host.labels().count() - name.labels().count();
                hint.hosts
                    .extend(Host::of(&host.labels().take(steps).collect::<Vec<_>>()));
            } else {
                hint.absolute = true;
            }
        }
        if !hint.absolute {
            // With the dot in front of it, which the root has not.
            hint.suffix = name.to_string().len() + usize::from(!name.is_root());
        }
        hint
    }
}

/// Whether an octet of a name surely stands in a text as itself.
fn is_plain(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_'
}

impl Host {
    fn of(labels: &[&[u8]]) -> Option<Self> {
        let text = labels.join(&b'.');
        let mut tail = [0; 8];
        for (to, from) in tail.iter_mut().rev().zip(text.iter().rev()) {
            *to = *from;
        }
        Some(Self {
            label: labels.last()?.to_vec(),
            tail: u64::from_le_bytes(tail) | CASE,
            len: text.len(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(text: &str) -> Name {
        Name::from_user(text).unwrap_or_else(|_| Name::root())
    }

    fn hint(origin: &str, hosts: &[&str]) -> Hint {
        let hosts: Vec<Name> = hosts.iter().map(|host| name(host)).collect();
        let mut hint = Hint::default();
        hint.follow(
            Some(&Rc::new(name(origin))),
            &Target::combine(&hosts, &["25".parse().unwrap_or_else(|_| unreachable!())]),
        );
        hint
    }

    fn is_far(hint: &Hint, owner: &str) -> bool {
        let text = format!("the line before\n{owner} A 192.0.2.1\n");
        hint.is_far(
            text.as_bytes(),
            Span {
                start: 16,
                end: 16 + owner.len(),
            },
        )
    }

    #[test]
    fn only_other_branches_of_the_tree_are_far() {
        let hint = hint("example", &["mail.example", "mx.long-enough.example"]);
        for (owner, far) in [
            ("www", true),
            ("www.example.", true),
            ("mailx.example.", true),
            ("mail", false),
            ("MAIL", false),
            ("mail.example.", false),
            ("mail.EXAMPLE.", false),
            ("_25._tcp.mail", false),
            ("_25._tcp.mail.example.", false),
            ("long-enough", false),
            ("Long-Enough.example.", false),
            ("other-enough", true),
            ("other-long-enough", false),
            ("short-enoug", true),
            ("@", false),
            ("example.", false),
            ("e.", false),
            ("www.example.com.", true),
            ("*.mail", false),
            ("*.mail.example.", false),
            ("*.long-enough", false),
            ("*.www", true),
            ("*.example.com.", true),
        ] {
            assert_eq!(is_far(&hint, owner), far, "{owner}");
        }
    }

    proptest! {
        #[test]
        fn no_near_owner_is_far(
            owner in "@|([aAb-]{1,2}\\.){0,3}[ab]{1,2}\\.?",
            origin in "([ab]{1,2}\\.){0,2}[ab]",
            hosts in proptest::collection::vec("([ab]{1,2}\\.){0,3}[ab]", 1..3),
            at_root in any::<bool>(),
        ) {
            let origin = if at_root { "." } else { origin.as_str() };
            let hint = hint(origin, &hosts.iter().map(String::as_str).collect::<Vec<_>>());
            let full = Name::from_zone_text(owner.as_bytes(), Some(&name(origin))).unwrap_or_else(|_| Name::root());
            let near = hosts.iter().map(|host| name(host)).any(|host| host.is_within(&full) || full.is_within(&host));
            prop_assert!(!near || !is_far(&hint, &owner));
            prop_assert!(!near || hint.may_be_near(owner.as_bytes()));
        }
    }
}
