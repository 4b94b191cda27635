//! What a TLSA record is for: a host, a port and a transport, and the owner
//! name made of them (RFC 6698 section 3). Reads the ports people type.

use std::fmt;
use std::str::FromStr;

use crate::name::{Name, NameError};

/// The transport in an owner name (RFC 6698 section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transport {
    /// `_tcp`
    Tcp,
    /// `_udp`
    Udp,
    /// `_sctp`
    Sctp,
}

impl Transport {
    /// The label in owner names, with its underscore.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Tcp => "_tcp",
            Self::Udp => "_udp",
            Self::Sctp => "_sctp",
        }
    }

    /// The transport of such a label.
    #[must_use]
    pub fn of(label: &[u8]) -> Option<Self> {
        [Self::Tcp, Self::Udp, Self::Sctp]
            .into_iter()
            .find(|known| known.label().as_bytes() == label)
    }
}

/// A port number with its transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Port {
    /// 1 to 65535.
    pub number: u16,
    /// TCP unless something else is said.
    pub transport: Transport,
}

/// Services that may be named instead of a port number.
pub const SERVICES: &[(&str, u16)] = &[
    ("smtp", 25),
    ("submission", 587),
    ("submissions", 465),
    ("imap", 143),
    ("imaps", 993),
    ("pop3", 110),
    ("pop3s", 995),
    ("https", 443),
    ("xmpp-client", 5222),
    ("xmpp-server", 5269),
    ("sieve", 4190),
    ("ldap", 389),
    ("ldaps", 636),
    ("dot", 853),
];

impl Port {
    /// Whether mail is spoken on this port (SMTP, submission, IMAP, POP3, ManageSieve).
    #[must_use]
    pub fn is_mail(self) -> bool {
        self.transport == Transport::Tcp
            && matches!(self.number, 25 | 465 | 587 | 143 | 993 | 110 | 995 | 4190)
    }
}

impl FromStr for Port {
    type Err = PortError;

    /// Reads `25`, `443/udp`, `smtp`.
    fn from_str(text: &str) -> Result<Self, PortError> {
        let wrong = || PortError {
            found: text.to_owned(),
        };
        let (port, transport) = match text.split_once('/') {
            None => (text, Transport::Tcp),
            Some((port, name)) => match name.to_ascii_lowercase().as_str() {
                "tcp" => (port, Transport::Tcp),
                "udp" => (port, Transport::Udp),
                "sctp" => (port, Transport::Sctp),
                _ => return Err(wrong()),
            },
        };
        if let Some((_, number)) = SERVICES
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(port))
        {
            return Ok(Self {
                number: *number,
                transport,
            });
        }
        if port.is_empty() || !port.bytes().all(|b| b.is_ascii_digit()) {
            return Err(wrong());
        }
        match port.parse() {
            Ok(0) | Err(_) => Err(wrong()),
            Ok(number) => Ok(Self { number, transport }),
        }
    }
}

/// A text that is no port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortError {
    /// What was given.
    pub found: String,
}

impl fmt::Display for PortError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is neither a port from 1 to 65535 nor a service known by name",
            self.found
        )
    }
}

impl std::error::Error for PortError {}

/// What TLSA records are for: one place that serves TLS, or an owner named as
/// it is, to which aliases lead (RFC 7671 section 7).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// A host and a port.
    Service {
        /// The TLSA base domain (RFC 7671 section 1.1).
        host: Name,
        /// The port on it.
        port: Port,
    },
    /// The owner itself, of which no host is known.
    Owner(Name),
}

impl Target {
    /// The target with this owner: a service where its first labels are a port
    /// and a transport.
    #[must_use]
    pub fn of_owner(owner: Name) -> Self {
        let (port, transport) = {
            let mut labels = owner.labels();
            (
                labels.next().and_then(port_of),
                labels.next().and_then(Transport::of),
            )
        };
        let host = owner
            .parent()
            .and_then(|up| up.parent())
            .filter(|host| !host.is_root());
        match (host, port, transport) {
            (Some(host), Some(number), Some(transport)) => Self::Service {
                host,
                port: Port { number, transport },
            },
            _ => Self::Owner(owner),
        }
    }

    /// The owner of the target's TLSA records, `_25._tcp.mail.example.com.`.
    ///
    /// # Errors
    ///
    /// When the host leaves no room for the two labels.
    pub fn owner(&self) -> Result<Name, NameError> {
        match self {
            Self::Service { host, port } => {
                let base = host.prepend(port.transport.label().as_bytes())?;
                base.prepend(format!("_{}", port.number).as_bytes())
            }
            Self::Owner(owner) => Ok(owner.clone()),
        }
    }

    /// The host that serves TLS, where one is known.
    #[must_use]
    pub fn host(&self) -> Option<&Name> {
        match self {
            Self::Service { host, .. } => Some(host),
            Self::Owner(_) => None,
        }
    }

    /// The port on it, where one is known.
    #[must_use]
    pub fn port(&self) -> Option<Port> {
        match self {
            Self::Service { port, .. } => Some(*port),
            Self::Owner(_) => None,
        }
    }

    /// The name at and below which the target's records stand: its host, or the owner.
    #[must_use]
    pub fn base(&self) -> &Name {
        match self {
            Self::Service { host, .. } => host,
            Self::Owner(owner) => owner,
        }
    }

    /// Combines every host with every port, in the order given, without repeats.
    #[must_use]
    pub fn combine(hosts: &[Name], ports: &[Port]) -> Vec<Self> {
        let mut targets = Vec::new();
        for host in hosts {
            for port in ports {
                let target = Self::Service {
                    host: host.clone(),
                    port: *port,
                };
                if !targets.contains(&target) {
                    targets.push(target);
                }
            }
        }
        targets
    }
}

/// The port of `_25`. Clients write no zeros in front, so `_025` is none.
fn port_of(label: &[u8]) -> Option<u16> {
    let digits = label
        .strip_prefix(b"_")
        .filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
    let number: u16 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (number > 0 && digits.first() != Some(&b'0')).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_numbers_names_and_transports() {
        for (text, number, transport) in [
            ("25", 25, Transport::Tcp),
            ("443/udp", 443, Transport::Udp),
            ("SMTP", 25, Transport::Tcp),
            ("dot/tcp", 853, Transport::Tcp),
            ("65535/sctp", 65535, Transport::Sctp),
        ] {
            assert_eq!(text.parse(), Ok(Port { number, transport }), "{text}");
        }
        for wrong in [
            "", "0", "65536", "-1", "+25", "25/", "25/quic", "/tcp", "gopher", "25 ",
        ] {
            assert_eq!(
                wrong.parse::<Port>(),
                Err(PortError {
                    found: wrong.to_owned()
                })
            );
        }
    }

    #[test]
    fn every_host_meets_every_port_once_and_in_order() {
        let hosts = ["b.example", "a.example", "b.example"].map(|h| Name::from_user(h).unwrap());
        let ports = ["465", "25"].map(|p| p.parse().unwrap());
        let owners: Vec<String> = Target::combine(&hosts, &ports)
            .iter()
            .map(|t| t.owner().unwrap().to_string())
            .collect();
        assert_eq!(
            owners,
            [
                "_465._tcp.b.example.",
                "_25._tcp.b.example.",
                "_465._tcp.a.example.",
                "_25._tcp.a.example."
            ]
        );
    }

    #[test]
    fn an_owner_of_the_common_form_is_a_service() {
        for (owner, service) in [
            (
                "_25._tcp.mail.example.com",
                Some(("mail.example.com.", "25/tcp")),
            ),
            ("_853._udp.example.com", Some(("example.com.", "853/udp"))),
            ("_dane.mail.example.com", None),
            ("_025._tcp.mail.example.com", None),
            ("_0._tcp.mail.example.com", None),
            ("_65536._tcp.mail.example.com", None),
            ("_smtp._tcp.mail.example.com", None),
            ("*._tcp.mail.example.com", None),
            ("_25._tcp", None),
            ("_25", None),
        ] {
            let name = Name::from_user(owner).unwrap();
            let target = Target::of_owner(name.clone());
            assert_eq!(target.owner(), Ok(name.clone()), "{owner}");
            assert_eq!(
                target.host().map(ToString::to_string).as_deref(),
                service.map(|(host, _)| host),
                "{owner}"
            );
            assert_eq!(
                target.port(),
                service.map(|(_, port)| port.parse().unwrap()),
                "{owner}"
            );
            assert_eq!(target.base(), target.host().unwrap_or(&name));
        }
    }
}
