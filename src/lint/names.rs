//! Owners of TLSA records: what they are the owner of (RFC 6698 section 3), and
//! the mistakes that put a record where nobody looks for it.

use crate::lint::finding::{Remark, Severity};
use crate::name::Name;
use crate::tlsa::{Port, Target, Transport};

/// What an owner's labels say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `_25._tcp.mail.example.com.`
    Service(Name, Port),
    /// `*._tcp.mail.example.com.`: every port of the host.
    EveryPort(Name),
    /// `*.example.com.`: whatever does not exist below.
    Wildcard,
    /// A name that no client makes by itself; an alias may lead to it.
    Other,
    /// Nearly the name of a service.
    Nearly,
}

impl Form {
    pub(super) fn of(owner: &Name) -> Self {
        let mut labels = owner.labels();
        let (Some(first), second) = (labels.next(), labels.next()) else {
            return Self::Nearly;
        };
        if let Target::Service { host, port } = Target::of_owner(owner.clone()) {
            return Self::Service(host, port);
        }
        match (first, second.and_then(Transport::of)) {
            (b"*", Some(_)) => Self::EveryPort(
                owner
                    .parent()
                    .and_then(|up| up.parent())
                    .unwrap_or_else(Name::root),
            ),
            (b"*", None) => Self::Wildcard,
            _ if owner.labels().any(looks_like_a_service)
                || !owner.labels().any(|label| label.starts_with(b"_")) =>
            {
                Self::Nearly
            }
            _ => Self::Other,
        }
    }

    /// The host that the records are for, where there is one.
    pub(super) fn host(&self) -> Option<&Name> {
        match self {
            Self::Service(host, _) | Self::EveryPort(host) => Some(host),
            Self::Wildcard | Self::Other | Self::Nearly => None,
        }
    }

    /// The port that the records are for, where it is one.
    pub(super) fn port(&self) -> Option<Port> {
        match self {
            Self::Service(_, port) => Some(*port),
            Self::EveryPort(_) | Self::Wildcard | Self::Other | Self::Nearly => None,
        }
    }

    /// What to say of an owner to which no alias in the zone leads.
    pub(super) fn remark(&self, owner: &Name) -> Option<Remark> {
        let (severity, message) = match self {
            Self::Nearly => (
                Severity::Warning,
                format!("{owner} is not of the form _port._tcp.host, so no client looks there"),
            ),
            Self::Other => (
                Severity::Note,
                format!(
                    "{owner} is not of the form _port._tcp.host; it serves only where an alias leads to it"
                ),
            ),
            Self::Service(..) | Self::EveryPort(_) | Self::Wildcard => return None,
        };
        Some(Remark::new(
            "odd-owner",
            severity,
            message,
            "write _25._tcp.mail.example.com for port 25 of mail.example.com",
        ))
    }
}

/// Whether the zone's name stands in the owner twice, as when the dot is missing
/// at the end of a name written in full: `_25._tcp.mail.example.com.example.com.`
pub(super) fn is_doubled(owner: &Name, apex: &Name) -> bool {
    let (owner, apex): (Vec<&[u8]>, Vec<&[u8]>) =
        (owner.labels().collect(), apex.labels().collect());
    let Some(inside) = owner
        .len()
        .checked_sub(apex.len())
        .and_then(|end| owner.get(..end))
    else {
        return false;
    };
    match apex.len() {
        0 => false,
        // A single label may well be part of a host's name, unless it stands right there.
        1 => inside.ends_with(&apex),
        count => inside.windows(count).any(|labels| labels == apex),
    }
}

/// A label that somebody wrote with a port or a transport in mind.
fn looks_like_a_service(label: &[u8]) -> bool {
    let word = label.strip_prefix(b"_").unwrap_or(label);
    matches!(word, b"tcp" | b"udp" | b"sctp")
        || (label.starts_with(b"_") && !word.is_empty() && word.iter().all(u8::is_ascii_digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::from_zone_text(text.as_bytes(), Some(&Name::root())).unwrap()
    }

    #[test]
    fn a_service_has_a_port_and_a_transport() {
        let target = |host: &str, port: &str| Form::Service(name(host), port.parse().unwrap());
        for (owner, form) in [
            (
                "_25._tcp.mail.example.com",
                target("mail.example.com", "25"),
            ),
            ("_853._udp.example.com", target("example.com", "853/udp")),
            ("_443._TCP.example.com", target("example.com", "443")),
            (
                "*._tcp.mail.example.com",
                Form::EveryPort(name("mail.example.com")),
            ),
            ("*.example.com", Form::Wildcard),
            ("_dane.example.com", Form::Other),
            ("le-r3._dane.example.com", Form::Other),
            ("25._tcp.mail.example.com", Form::Nearly),
            ("_25.tcp.mail.example.com", Form::Nearly),
            ("_25.mail.example.com", Form::Nearly),
            ("_tcp._25.mail.example.com", Form::Nearly),
            ("_smtp._tcp.mail.example.com", Form::Nearly),
            ("_025._tcp.mail.example.com", Form::Nearly),
            ("_0._tcp.mail.example.com", Form::Nearly),
            ("_65536._tcp.mail.example.com", Form::Nearly),
            ("mail.example.com", Form::Nearly),
        ] {
            assert_eq!(Form::of(&name(owner)), form, "{owner}");
            assert_eq!(
                form.remark(&name(owner)).is_some(),
                form.host().is_none() && form != Form::Wildcard
            );
        }
    }

    #[test]
    fn a_doubled_name_holds_the_zone_twice() {
        for (owner, apex, doubled) in [
            ("_25._tcp.mail.example.com.example.com", "example.com", true),
            (
                "_25._tcp.mail.example.com.mail.example.com",
                "example.com",
                true,
            ),
            ("_25._tcp.mail.example.com", "example.com", false),
            ("_25._tcp.example.mail.example.com", "example.com", false),
            ("_25._tcp.mail.example.example", "example", true),
            ("_25._tcp.example.mail.example", "example", false),
            ("_25._tcp.mail.example.com", ".", false),
            (
                "_25._tcp.mail.example.org",
                "a.b.c.d.e.f.g.example.org",
                false,
            ),
        ] {
            assert_eq!(
                is_doubled(&name(owner), &name(apex)),
                doubled,
                "{owner} {apex}"
            );
        }
    }
}
