//! Questions to one server, asked with dig.

use std::net::SocketAddr;
use std::path::Path;

use super::process::run;

/// What dig saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    /// The response code: `NOERROR`, `SERVFAIL`.
    pub(crate) code: String,
    /// The header flags: `qr`, `aa`, `ad`.
    pub(crate) flags: Vec<String>,
    /// The records of the answer section, as dig prints them, with single blanks.
    pub(crate) answers: Vec<String>,
}

impl Reply {
    /// Whether the header has a flag.
    pub(crate) fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|set| set == flag)
    }

    /// The data of the records of a type: `3 1 1 8bd1…`.
    pub(crate) fn data(&self, rtype: &str) -> Vec<String> {
        let field = |line: &String| {
            let mut parts = line.splitn(5, ' ');
            let found = parts.nth(3)?;
            (found == rtype).then(|| parts.next().unwrap_or_default().to_owned())
        };
        self.answers.iter().filter_map(field).collect()
    }

    /// The serial, when a SOA was asked for.
    pub(crate) fn serial(&self) -> Option<u32> {
        self.data("SOA").first()?.split(' ').nth(2)?.parse().ok()
    }
}

/// Asks one server one question, with DNSSEC data and without recursion unless
/// `recurse`. `None` when nobody answers within a second.
pub(crate) fn ask(server: SocketAddr, name: &str, rtype: &str, recurse: bool) -> Option<Reply> {
    let (at, port) = (format!("@{}", server.ip()), server.port().to_string());
    let recurse = if recurse { "+recurse" } else { "+norecurse" };
    let options = [
        "+noall",
        "+comments",
        "+answer",
        "+dnssec",
        "+nosplit",
        "+nocookie",
        "+time=1",
        "+tries=1",
    ];
    let mut args = vec!["-r", &at, "-p", &port, name, rtype, recurse];
    args.extend(options);
    let ran = run(Path::new("/"), "dig", &args);
    if ran.status != 0 {
        return None;
    }
    let after = |mark: &str| ran.out.split_once(mark).map(|(_, rest)| rest);
    let word_end = |c: char| c == ',' || c == ';' || c == '\n';
    let code = after("status: ")?.split(word_end).next()?.to_owned();
    let flags = after(";; flags: ")?
        .split(word_end)
        .next()?
        .split(' ')
        .map(str::to_owned)
        .collect();
    let records = ran
        .out
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with(';'));
    let answers = records
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    Some(Reply {
        code,
        flags,
        answers,
    })
}

/// The whole zone as a server hands it out, one record per line, the SOA once.
pub(crate) fn transfer(server: SocketAddr, zone: &str) -> Vec<String> {
    let (at, port) = (format!("@{}", server.ip()), server.port().to_string());
    let args = [
        "-r", &at, "-p", &port, zone, "AXFR", "+noall", "+answer", "+nosplit", "+onesoa", "+time=5",
    ];
    let ran = run(Path::new("/"), "dig", &args);
    ran.out
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with(';'))
        .map(str::to_owned)
        .collect()
}
