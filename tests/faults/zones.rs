//! One zone for each fault: its text, its keys, what is done to it before,
//! while and after it is signed, and what its parent says of it. Signing is
//! done by dnssec-signzone.

use std::fs;
use std::net::IpAddr;
use std::path::Path;

use danewright::propagation::Decision;

use crate::common::process::must;

/// The key to be deployed; nobody has its other half any more.
pub(crate) const KEY: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA/n8OHHL782BptYL13csZAI9etLV19m2laYnLHqG2F/s=
-----END PUBLIC KEY-----
";
/// The record of that key as OpenSSL computes it, and that of the one before.
pub(crate) const NEW: &str =
    "3 1 1 955abda477e9bbe9b4762746b02a7ae2b024777542d6f852d3f0836be8b4956e";
pub(crate) const OLD: &str =
    "3 1 1 0000000000000000000000000000000000000000000000000000000000000000";

/// From when until when signatures are valid, as dnssec-signzone reads it.
pub(crate) type Window = (&'static str, &'static str);

pub(crate) const GOOD: Window = ("now-3600", "now+1209600");
pub(crate) const EXPIRED: Window = ("now-172800", "now-86400");
pub(crate) const NOT_YET: Window = ("now+86400", "now+1209600");
/// More than the TTL, which is an hour, and not much more.
pub(crate) const LATER: Window = ("now-3600", "now+5400");
/// Less than the TTL.
pub(crate) const SOON: Window = ("now-3600", "now+1800");

/// The keys that a zone is signed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keys {
    /// A key-signing and a zone-signing key.
    Split,
    /// One key for both.
    Combined,
    /// Split, with ECDSA and with RSA.
    TwoAlgorithms,
}

/// A place where a server is, or is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Root = 1,
    Tld = 2,
    /// The first and the second server of the zones.
    First = 3,
    Second = 4,
    /// Serves only what is laid there; else it says REFUSED.
    Side = 5,
    /// Is stopped while things are broken, and never answers then.
    Hanging = 6,
    /// Nobody is there.
    Nobody = 7,
    /// Knows every zone; is asked as a resolver.
    Oracle = 8,
}

/// What is done to signatures over one type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Damage {
    /// Some of its letters are others.
    Broken,
    /// It is not there.
    Missing,
    /// It is of another time.
    Of(Window),
}

/// What the parent says of the zone's keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ds {
    Own,
    None,
    /// The digest of a key that is not there.
    OfNobody,
    /// Its own, with another algorithm.
    Algorithm(u8),
    /// Its own, with another digest type.
    Digest(u8),
}

/// Which keys the second server's copy is signed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SecondKeys {
    Same,
    /// All others.
    Other,
    /// The same key-signing key, and another zone-signing key.
    OtherZoneKey,
}

/// A zone, and what goes wrong with it.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) what: String,
    /// The zone above.
    pub(crate) tld: &'static str,
    pub(crate) keys: Keys,
    pub(crate) nsec3: bool,
    /// Changes to the text at the first and at the second server.
    pub(crate) plain: fn(&str) -> String,
    pub(crate) second_plain: fn(&str) -> String,
    /// Not signed at all, at either server.
    pub(crate) unsigned: bool,
    /// Signatures over one type, at both servers or at the second only. Those
    /// by one algorithm, if it is named.
    pub(crate) damage: Option<(&'static str, Damage, Option<u8>)>,
    pub(crate) at_both: bool,
    pub(crate) ds: Ds,
    pub(crate) second_keys: SecondKeys,
    /// Where the second server is.
    pub(crate) second: Place,
    /// A third server, named by the parent and by the zone.
    pub(crate) third: (bool, bool),
    /// Whether that one lags.
    pub(crate) third_lags: bool,
    /// The owner is an alias into the zone of the case before.
    pub(crate) alias: bool,
    /// Only there for the next one to lead to.
    pub(crate) goal: bool,
    /// The verdict, a finding that makes it so, and the server that has it.
    pub(crate) expected: (Decision, &'static str, &'static str),
}

impl Case {
    /// A zone like all others, with which nothing goes wrong.
    pub(crate) fn sound(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            tld: "example",
            keys: Keys::Split,
            nsec3: false,
            plain: str::to_owned,
            second_plain: str::to_owned,
            unsigned: false,
            damage: None,
            at_both: false,
            ds: Ds::Own,
            second_keys: SecondKeys::Same,
            second: Place::Second,
            third: (false, false),
            third_lags: true,
            alias: false,
            goal: false,
            expected: (Decision::Safe, "", ""),
        }
    }

    /// The same zone before anything goes wrong.
    pub(crate) fn before(&self) -> Self {
        let Self {
            tld,
            keys,
            nsec3,
            alias,
            goal,
            ..
        } = *self;
        Self {
            tld,
            keys,
            nsec3,
            alias,
            goal,
            ..Self::sound(self.what.clone())
        }
    }
}

/// A zone as it is served, and what its parent has of it.
pub(crate) struct Built {
    pub(crate) apex: String,
    /// For the first, the second and the third server.
    pub(crate) copies: [String; 3],
    /// Lines for the zone above.
    pub(crate) delegation: String,
}

/// The apex of the zone with this number.
pub(crate) fn apex(number: usize, case: &Case) -> String {
    format!("z{number}.{}", case.tld)
}

/// Makes the keys of a zone: its own, and those that the second server may have.
pub(crate) fn make_keys(folder: &Path, number: usize, case: &Case) {
    let apex = apex(number, case);
    let keygen = |folder: &Path, algorithm: &str, ksk: bool| {
        fs::create_dir_all(folder).unwrap();
        let role: &[&str] = if ksk { &["-f", "KSK"] } else { &[] };
        must(
            folder,
            "dnssec-keygen",
            &[&["-q", "-a", algorithm], role, &[&apex]].concat(),
        )
        .trim()
        .to_owned()
    };
    let own = folder.join(format!("keys{number}"));
    let ecdsa = "ECDSAP256SHA256";
    let ksk = keygen(&own, ecdsa, true);
    if case.keys != Keys::Combined {
        keygen(&own, ecdsa, false);
    }
    if case.keys == Keys::TwoAlgorithms {
        keygen(&own, "RSASHA256", true);
        keygen(&own, "RSASHA256", false);
    }
    let other = folder.join(format!("other{number}"));
    match case.second_keys {
        SecondKeys::Same => {}
        SecondKeys::Other => {
            keygen(&other, ecdsa, true);
            keygen(&other, ecdsa, false);
        }
        SecondKeys::OtherZoneKey => {
            keygen(&other, ecdsa, false);
            for end in ["key", "private"] {
                fs::copy(
                    own.join(format!("{ksk}.{end}")),
                    other.join(format!("{ksk}.{end}")),
                )
                .unwrap();
            }
        }
    }
}

/// Writes and signs a zone.
pub(crate) fn build(
    folder: &Path,
    number: usize,
    case: &Case,
    at: impl Fn(Place) -> IpAddr,
) -> Built {
    let apex = apex(number, case);
    let mut servers = format!("ns1 A {}\nns2 A {}\n", at(Place::First), at(case.second));
    let mut delegation = format!("{apex}. NS ns1.{apex}.\n{apex}. NS ns2.{apex}.\n");
    let mut own = "@ NS ns1\n@ NS ns2\n".to_owned();
    if case.third.0 {
        delegation.push_str(&format!("{apex}. NS ns3.{apex}.\n"));
    }
    if case.third.1 {
        own.push_str("@ NS ns3\n");
    }
    if case.third != (false, false) {
        servers.push_str(&format!("ns3 A {}\n", at(Place::Side)));
    }
    for (line, address) in servers.lines().map(|line| line.split_once(" A ").unwrap()) {
        delegation.push_str(&format!("{line}.{apex}. A {address}\n"));
    }
    let tlsa = match case.alias {
        true => format!("_25._tcp.mail CNAME _dane.z{}.{}.\n", number - 1, case.tld),
        false => format!("_25._tcp.mail TLSA {OLD}\n_25._tcp.mail TLSA {NEW}\n"),
    };
    let text = format!(
        "$ORIGIN {apex}.\n$TTL 3600\n@ SOA ns1 hostmaster 2 3600 600 86400 300\n{own}{servers}\
         mail A 192.0.2.25\n{tlsa}_dane TLSA {OLD}\n_dane TLSA {NEW}\n"
    );
    let (first, second) = (
        (case.plain)(&text),
        (case.second_plain)(&(case.plain)(&text)),
    );
    let keys = |copy: usize| match (copy, case.second_keys) {
        (1, SecondKeys::Other | SecondKeys::OtherZoneKey) => format!("other{number}"),
        _ => format!("keys{number}"),
    };
    let lagging = text
        .replace(&format!("_25._tcp.mail TLSA {NEW}\n"), "")
        .replace("hostmaster 2", "hostmaster 1");
    let third = if case.third_lags {
        lagging
    } else {
        text.clone()
    };
    let mut copies = [first, second, third];
    let mut ds = String::new();
    let mut done: Option<(String, String, String)> = None;
    for (copy, text) in copies.iter_mut().enumerate() {
        if copy == 2 && case.third == (false, false) {
            continue;
        }
        let signing = Signing {
            folder,
            apex: &apex,
            case,
            keys: &keys(copy),
        };
        let signed = match &done {
            Some((keys, same, signed)) if *keys == signing.keys && same == text => signed.clone(),
            _ => signing.sign(text, GOOD),
        };
        if copy == 0 {
            ds = fs::read_to_string(folder.join(format!("dsset-{apex}."))).unwrap();
            done = Some((keys(copy), text.clone(), signed.clone()));
        }
        let spoiled = match case
            .damage
            .filter(|_| copy == 1 || (copy == 0 && case.at_both))
        {
            Some((kind, damage, algorithm)) => {
                signing.damaged(text, &signed, kind, damage, algorithm)
            }
            None => signed,
        };
        if !case.unsigned {
            *text = spoiled;
        }
    }
    delegation.push_str(&delegated(&ds, case.ds));
    Built {
        apex,
        copies,
        delegation,
    }
}

/// The DS lines that the parent publishes.
fn delegated(ds: &str, wish: Ds) -> String {
    // owner, class, type, tag, algorithm, digest type, digest
    let changed = |change: &dyn Fn(&mut Vec<String>)| {
        let line = |line: &str| {
            let mut fields: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            change(&mut fields);
            fields.join(" ") + "\n"
        };
        ds.lines().map(line).collect::<String>()
    };
    match wish {
        Ds::Own => ds.to_owned(),
        Ds::None => String::new(),
        Ds::OfNobody => changed(&|fields| fields[6] = fields[6].replace(['1', 'A'], "2")),
        Ds::Algorithm(number) => changed(&|fields| fields[4] = number.to_string()),
        Ds::Digest(number) => changed(&|fields| fields[5] = number.to_string()),
    }
}

struct Signing<'a> {
    folder: &'a Path,
    apex: &'a str,
    case: &'a Case,
    keys: &'a str,
}

impl Signing<'_> {
    fn sign(&self, text: &str, window: Window) -> String {
        fs::write(self.folder.join("plain"), text).unwrap();
        let mut args = vec![
            "-q", "-S", "-P", "-K", self.keys, "-o", self.apex, "-s", window.0, "-e", window.1,
        ];
        match self.case.keys {
            // One key signs what its flags would leave to another.
            Keys::Combined => args.push("-z"),
            Keys::Split | Keys::TwoAlgorithms => args.push("-x"),
        }
        if self.case.nsec3 {
            args.extend(["-3", "-", "-H", "0"]);
        }
        args.extend(["-O", "full", "-f", "signed", "plain"]);
        must(self.folder, "dnssec-signzone", &args);
        fs::read_to_string(self.folder.join("signed")).unwrap()
    }

    /// The zone with the signatures over one type spoiled, and everything else
    /// as it was.
    fn damaged(
        &self,
        text: &str,
        signed: &str,
        kind: &str,
        damage: Damage,
        algorithm: Option<u8>,
    ) -> String {
        let meant = |line: &&str| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            fields.get(3..5) == Some(&["RRSIG", kind])
                && algorithm
                    .is_none_or(|algorithm| fields.get(5) == Some(&algorithm.to_string().as_str()))
        };
        let mut lines: Vec<String> = signed
            .lines()
            .filter(|line| !meant(line))
            .map(str::to_owned)
            .collect();
        match damage {
            Damage::Missing => {}
            Damage::Broken => lines.extend(signed.lines().filter(meant).map(broken)),
            Damage::Of(window) => lines.extend(
                self.sign(text, window)
                    .lines()
                    .filter(meant)
                    .map(str::to_owned),
            ),
        }
        assert_ne!(
            lines.join("\n"),
            signed.trim_end(),
            "there is something to spoil"
        );
        lines.join("\n") + "\n"
    }
}

/// A signature with some of its letters changed.
fn broken(line: &str) -> String {
    let mut fields: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    let other = |letter: char| match letter {
        'A'..='Y' | 'a'..='y' => char::from(letter as u8 + 1),
        letter => letter,
    };
    // Owner, TTL, class, type, eight fields about the signature, and then its octets.
    let (first, rest) = fields[12].split_at(20);
    fields[12] = first.chars().map(other).collect::<String>() + rest;
    fields.join(" ")
}
