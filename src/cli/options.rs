//! Options that several commands share: which keys, which targets, which records.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;

use crate::cli::{Failure, Ui};
use crate::duration;
use crate::name::Name;
use crate::tlsa::{Matching, Params, Port, Selector, Target, Usage};

/// `--host` and `--port`, or `--owner`.
#[derive(Args, Clone, Debug)]
pub struct TargetArgs {
    /// Host that serves TLS; repeats
    #[arg(long = "host", value_name = "HOST", required_unless_present = "owners")]
    pub hosts: Vec<String>,
    /// Port: 25, 443/udp, smtp, or a list of them; repeats
    #[arg(
        long = "port",
        value_name = "PORT",
        required_unless_present = "owners",
        value_delimiter = ','
    )]
    pub ports: Vec<Port>,
    /// TLSA owner as it is, in place of --host and --port; repeats
    #[arg(long = "owner", value_name = "NAME", conflicts_with_all = ["hosts", "ports"])]
    pub owners: Vec<String>,
}

/// `--usage`, `--selector` and `--matching`.
#[derive(Args, Clone, Debug)]
pub struct ParamArgs {
    /// Certificate usage, a number or its name (RFC 7218)
    #[arg(long, default_value = "3", value_name = "USAGE")]
    pub usage: Usage,
    /// Selector, a number or its name
    #[arg(long, default_value = "1", value_name = "SELECTOR")]
    pub selector: Selector,
    /// Matching type, a number or its name
    #[arg(long, default_value = "1", value_name = "TYPE")]
    pub matching: Matching,
}

/// `FILE…` and `--passphrase-file`.
#[derive(Args, Clone, Debug)]
pub struct KeyArgs {
    /// Certificate, chain, request, public or private key, PEM or DER; - is stdin
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// File whose first line opens encrypted private keys
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
}

/// Reads a TTL: seconds or a duration, up to 2^31 - 1 seconds (RFC 2181 section 8).
///
/// # Errors
///
/// What keeps the text from being a TTL.
pub fn ttl(text: &str) -> Result<u32, String> {
    let duration = duration::parse(text).map_err(|error| error.to_string())?;
    let seconds = u32::try_from(duration.num_seconds())
        .ok()
        .filter(|seconds| *seconds < 1 << 31);
    seconds.ok_or_else(|| {
        format!(
            "{text:?} is more than {} seconds, the largest TTL (RFC 2181)",
            i32::MAX
        )
    })
}

/// Reads a host as it is typed: a name that a service is reached by.
///
/// # Errors
///
/// What is no domain name, and what is the name or address of something else.
pub(crate) fn host(text: &str) -> Result<Name, Failure> {
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(text);
    if bare.trim_end_matches('.').parse::<IpAddr>().is_ok() {
        let hint = "name the host as senders know it: for mail, the name that the MX record has";
        return Err(
            Failure::wrong("this is an address, and TLSA records belong to names").hint(hint),
        );
    }
    let host = Name::from_user(text).map_err(Failure::wrong)?;
    if host.is_root() {
        return Err(
            Failure::wrong("the root is no host").hint("name the host, as mail.example.com")
        );
    }
    if host
        .labels()
        .next()
        .is_some_and(|label| label.starts_with(b"_"))
    {
        let base = host.ancestors().find(|name| {
            name.labels()
                .next()
                .is_none_or(|label| !label.starts_with(b"_"))
        });
        let base = base
            .filter(|name| !name.is_root())
            .map_or_else(|| "HOST".to_owned(), |name| spoken(&name));
        let hint = format!("say --host {base}: the labels _25._tcp are made of --port");
        return Err(Failure::wrong("a host does not begin with an underscore").hint(hint));
    }
    Ok(host)
}

/// A name without its final dot, as people type it.
pub(crate) fn spoken(name: &Name) -> String {
    name.to_string().trim_end_matches('.').to_owned()
}

/// Warns of hosts that lack the rest of their name.
pub(crate) fn warn_of_short_hosts<'a>(
    targets: impl IntoIterator<Item = &'a Target>,
    ui: &mut Ui<'_>,
) {
    let mut short: Vec<String> = targets
        .into_iter()
        .filter_map(Target::host)
        .filter(|host| is_short(host))
        .map(spoken)
        .collect();
    short.dedup();
    for host in short {
        ui.warn(format!(
            "the host {host} is a single label: name it in full, as {host}.example.com"
        ));
    }
}

/// Whether a name has one label: nearly always one that a search list was to complete.
pub(crate) fn is_short(host: &Name) -> bool {
    host.labels().count() == 1
}

/// What to say where there is no such file and the name is that of a port:
/// `--port 25 465` makes a file of the second.
pub(crate) fn ports_are_joined(word: &str) -> Option<String> {
    let is_port = word.split(',').all(|port| port.parse::<Port>().is_ok());
    is_port.then(|| format!("if {word} is a port: ports are joined by commas, as --port 25,{word}"))
}

impl TargetArgs {
    /// Every host with every port, or every owner, in the order given.
    ///
    /// # Errors
    ///
    /// A host that is no domain name, or too long to have TLSA records.
    pub fn targets(&self) -> Result<Vec<Target>, Failure> {
        let owner = |text: &String| {
            let owner = Name::zone_from_user(text)
                .map_err(|error| Failure::wrong(error).at(format!("--owner {text}")))?;
            let no_root = || {
                Failure::wrong("the root is no owner of TLSA records").at(format!("--owner {text}"))
            };
            if owner.is_root() {
                Err(no_root())
            } else {
                Ok(Target::of_owner(owner))
            }
        };
        let mut owners = self
            .owners
            .iter()
            .map(owner)
            .collect::<Result<Vec<_>, _>>()?;
        if !owners.is_empty() {
            let mut seen = std::collections::HashSet::new();
            owners.retain(|target| seen.insert(target.clone()));
            return Ok(owners);
        }
        let mut hosts = Vec::new();
        for text in &self.hosts {
            hosts.push(host(text).map_err(|failure| failure.at(format!("--host {text}")))?);
        }
        let targets = Target::combine(&hosts, &self.ports);
        for target in &targets {
            target.owner().map_err(|error| {
                Failure::wrong(format!(
                    "the TLSA owner of {} is no name: {error}",
                    target.base()
                ))
                .at("--host")
            })?;
        }
        Ok(targets)
    }
}

impl ParamArgs {
    /// The three numbers.
    #[must_use]
    pub fn params(&self) -> Params {
        Params {
            usage: self.usage,
            selector: self.selector,
            matching: self.matching,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ttl_has_31_bits() {
        assert_eq!(ttl("1h"), Ok(3600));
        assert_eq!(ttl("0"), Ok(0));
        assert_eq!(ttl("2147483647"), Ok(i32::MAX as u32));
        for wrong in ["2147483648", "-1", "", "1x"] {
            assert!(ttl(wrong).is_err(), "{wrong}");
        }
    }
}
