//! Options about whom to ask and whom to trust.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::Args;

use crate::cli::{Failure, inputs};
use crate::dns::{self, Anchors, Family, FromRoot, Reach, Settings};
use crate::duration;
use crate::name::Name;

/// Whom to ask and whom to trust.
#[derive(Args, Clone, Debug)]
pub struct AskingArgs {
    /// Resolver to find name servers with, and to look at; repeats [default: the system's]
    #[arg(long = "resolver", value_name = "IP[:PORT]")]
    pub resolvers: Vec<Address>,
    /// File of DS or DNSKEY records to trust; repeats [default: the root's]
    #[arg(long = "trust-anchor", value_name = "FILE")]
    pub trust_anchors: Vec<PathBuf>,
    /// Name server that is not listed, such as a hidden primary; repeats
    #[arg(long = "name-server", value_name = "NAME=IP[:PORT]")]
    pub name_servers: Vec<NamedAddress>,
    /// Port of all authoritative name servers
    #[arg(long, value_name = "N", default_value = "53", value_parser = clap::value_parser!(u16).range(1..))]
    pub dns_port: u16,
    /// Ask over IPv4 only
    #[arg(long, conflicts_with = "ipv6")]
    pub ipv4: bool,
    /// Ask over IPv6 only
    #[arg(long)]
    pub ipv6: bool,
    /// Find name servers from the root servers down, without a resolver [default:
    /// only when no resolver delivers DNSSEC records]
    #[arg(long)]
    pub from_root: bool,
    /// Root server to start from; repeats [default: those of IANA's root]
    #[arg(long = "root-server", value_name = "IP[:PORT]")]
    pub root_servers: Vec<Address>,
    /// Questions that one target may cost; when there are more, it is unknown
    #[arg(long, value_name = "N", default_value_t = dns::QUESTIONS, value_parser = questions)]
    pub max_questions: usize,
    /// How long one whole check may take; what is missing then is unknown
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = timeout)]
    pub check_timeout: Duration,
    /// How long one try of one question may take
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = timeout)]
    pub timeout: Duration,
    /// How often a question is asked before silence is called silence
    #[arg(long, value_name = "N", default_value = "3", value_parser = clap::value_parser!(u32).range(1..=20))]
    pub tries: u32,
}

impl AskingArgs {
    /// What the walk needs to know.
    ///
    /// # Errors
    ///
    /// A trust anchor that is none, or no resolver.
    pub fn settings(&self, now: DateTime<Utc>) -> Result<Settings, Failure> {
        Ok(Settings {
            resolvers: self.resolvers()?,
            anchors: self.anchors()?,
            name_servers: self
                .name_servers
                .iter()
                .map(|s| (s.name.clone(), s.address.with(self.dns_port)))
                .collect(),
            dns_port: self.dns_port,
            family: match (self.ipv4, self.ipv6) {
                (true, _) => Family::V4,
                (_, true) => Family::V6,
                (false, false) => Family::Both,
            },
            timeout: self.timeout,
            tries: self.tries,
            now,
        })
    }

    /// How far the walk may go, with these anchors.
    ///
    /// # Errors
    ///
    /// When the root servers of a root of one's own are needed and not named.
    pub fn reach(&self, anchors: &Anchors) -> Result<Reach, Failure> {
        let mut roots: Vec<SocketAddr> = self
            .root_servers
            .iter()
            .map(|address| address.with(self.dns_port))
            .collect();
        // Where trust starts below the root, the way may well start at IANA's, but
        // nobody goes it unasked: the zone may be one that the Internet does not know.
        let any_root = || self.from_root && anchors.zones().all(|zone| !zone.is_root());
        if roots.is_empty() && (dns::trusts_iana(anchors) || any_root()) {
            roots = dns::root_hints(self.dns_port);
        }
        if roots.is_empty() && self.from_root {
            let failure = Failure::wrong(
                "the root that is trusted is not that of IANA, and its servers are not known",
            );
            return Err(failure
                .at("--from-root")
                .hint("name them with --root-server"));
        }
        let from_root = if self.from_root {
            FromRoot::Always
        } else {
            FromRoot::AsFallback
        };
        Ok(Reach {
            roots,
            from_root,
            questions: self.max_questions,
            check: self.check_timeout,
        })
    }

    fn resolvers(&self) -> Result<Vec<SocketAddr>, Failure> {
        if !self.resolvers.is_empty() {
            return Ok(self
                .resolvers
                .iter()
                .map(|address| address.with(53))
                .collect());
        }
        if self.from_root {
            // They are only looked at then, where there are any.
            return Ok(dns::system_resolvers().unwrap_or_default());
        }
        dns::system_resolvers()
            .map_err(|error| Failure::wrong(error).hint("name one with --resolver"))
    }

    fn anchors(&self) -> Result<Anchors, Failure> {
        let mut all = String::new();
        for path in &self.trust_anchors {
            let place = format!("--trust-anchor {}", path.display());
            let hint = "the file holds DS or DNSKEY records in zone-file syntax";
            let text = String::from_utf8(inputs::read_file(path)?)
                .map_err(|_| Failure::wrong("this is no text").at(&place).hint(hint))?;
            Anchors::parse(&text).map_err(|error| Failure::wrong(error).at(&place).hint(hint))?;
            all.push_str(&text);
            all.push('\n');
        }
        if all.is_empty() {
            return Ok(Anchors::iana());
        }
        Anchors::parse(&all).map_err(|error| Failure::wrong(error).at("--trust-anchor"))
    }
}

/// An address as it is typed: `192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1`,
/// `[2001:db8::1]:5353`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    ip: IpAddr,
    port: Option<u16>,
}

impl Address {
    fn with(self, port: u16) -> SocketAddr {
        SocketAddr::new(self.ip, self.port.unwrap_or(port))
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bare = text
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        let bare = bare.map(|inner| inner.parse::<Ipv6Addr>().map(IpAddr::V6));
        if let Ok(ip) = bare.unwrap_or_else(|| text.parse()) {
            return Ok(Self { ip, port: None });
        }
        match text.parse::<SocketAddr>() {
            Ok(address) if address.port() == 0 => Err("port 0 is no port to ask".to_owned()),
            Ok(address) => Ok(Self {
                ip: address.ip(),
                port: Some(address.port()),
            }),
            Err(_) => Err(format!(
                "{text:?} is no address such as 192.0.2.1, 192.0.2.1:5353 or [2001:db8::1]:5353"
            )),
        }
    }
}

/// A name server with its address, `ns1.example.net=192.0.2.53`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedAddress {
    name: Name,
    address: Address,
}

impl FromStr for NamedAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, address) = text
            .split_once('=')
            .ok_or_else(|| format!("{text:?} has no \"=\""))?;
        let name = Name::from_user(name).map_err(|error| error.to_string())?;
        Ok(Self {
            name,
            address: address.parse()?,
        })
    }
}

fn questions(text: &str) -> Result<usize, String> {
    let number = text
        .parse()
        .ok()
        .filter(|number| (1..=1_000_000).contains(number));
    number.ok_or_else(|| format!("{text:?} is not between 1 and 1000000"))
}

fn timeout(text: &str) -> Result<Duration, String> {
    let length = duration::parse(text).map_err(|error| error.to_string())?;
    match length.to_std() {
        Ok(length) if (1..=3600).contains(&length.as_secs()) => Ok(length),
        _ => Err(format!("{text:?} is not between one second and one hour")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_with_and_without_a_port() {
        for (text, with_53) in [
            ("192.0.2.1", "192.0.2.1:53"),
            ("192.0.2.1:5353", "192.0.2.1:5353"),
            ("2001:db8::1", "[2001:db8::1]:53"),
            ("[2001:db8::1]", "[2001:db8::1]:53"),
            ("[2001:db8::1]:5353", "[2001:db8::1]:5353"),
        ] {
            assert_eq!(
                text.parse::<Address>().unwrap().with(53).to_string(),
                with_53
            );
        }
        for wrong in [
            "",
            "ns1.example",
            "192.0.2.1:0",
            "192.0.2.1:65536",
            "192.0.2",
            "[192.0.2.1]",
            "[::1",
            "::1]:53",
        ] {
            assert!(wrong.parse::<Address>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_named_server_needs_both_halves() {
        let read: NamedAddress = "NS1.example.net.=[::1]:5353".parse().unwrap();
        assert_eq!(read.name.to_string(), "ns1.example.net.");
        assert_eq!(read.address.with(53).to_string(), "[::1]:5353");
        for wrong in ["", "ns1", "=192.0.2.1", "ns1=", "ns1=ns2", "a b=192.0.2.1"] {
            assert!(wrong.parse::<NamedAddress>().is_err(), "{wrong}");
        }
    }
}
