//! Trust anchors: DS or DNSKEY records in zone-file syntax (RFC 1035 section
//! 5.1), of the root or of any other zone, and the root's own two keys as IANA
//! publishes them. Directives, TTL units and inherited owners have no place in
//! an anchor file and are errors, so that nothing is trusted by accident.

use std::fmt;

use hickory_proto::dnssec::rdata::{DNSKEY, DNSSECRData, DS};
use hickory_proto::dnssec::{Algorithm, DigestType, PublicKey};
use hickory_proto::rr::{RData, RecordType};
use hickory_proto::serialize::txt::trust_anchor::{Entry, Parser};

use crate::dns::wire::convert::to_hickory;
use crate::name::Name;

/// The keys that trust starts from.
#[derive(Clone, Debug)]
pub struct Anchors {
    all: Vec<(Name, Trust)>,
}

/// What stands for a key that is trusted: the key, or its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    Digest(DS),
    Key(DNSKEY),
}

impl Trust {
    /// Whether it stands for this key of the zone (RFC 4035 section 5.2).
    pub(crate) fn names(&self, zone: &Name, key: &DNSKEY) -> bool {
        match self {
            Self::Key(trusted) => trusted == key,
            Self::Digest(ds) => {
                ds.algorithm() == key.public_key().algorithm()
                    && key.calculate_key_tag().ok() == Some(ds.key_tag())
                    && ds.covers(&to_hickory(zone), key).unwrap_or(false)
            }
        }
    }

    /// The algorithm of the key it stands for.
    pub(crate) fn algorithm(&self) -> Algorithm {
        match self {
            Self::Digest(ds) => ds.algorithm(),
            Self::Key(key) => key.public_key().algorithm(),
        }
    }
}

/// The root's keys of 2017 and 2024, published by IANA as digests.
const ROOT: &str = "
. IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D
. IN DS 38696 8 2 683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16
";

impl Anchors {
    /// The keys of the root, both of 2017 and of 2024.
    #[must_use]
    pub fn iana() -> Self {
        Self::parse(ROOT).expect("the constant is an anchor file, and a test reads it")
    }

    /// Reads DS and DNSKEY records; all of them are trusted.
    ///
    /// # Errors
    ///
    /// The first line that is neither, or that no record at all is there.
    pub fn parse(text: &str) -> Result<Self, AnchorError> {
        let mut all = Vec::new();
        for (line, fields) in records(text)? {
            all.push(record(&fields).map_err(|reason| AnchorError { line, reason })?);
        }
        if all.is_empty() {
            return Err(AnchorError {
                line: text.lines().count().max(1),
                reason: AnchorReason::Nothing,
            });
        }
        Ok(Self { all })
    }

    /// The zones that have an anchor.
    pub fn zones(&self) -> impl Iterator<Item = &Name> {
        self.all.iter().map(|(zone, _)| zone)
    }

    /// What is trusted for exactly this zone.
    pub(crate) fn of(&self, zone: &Name) -> Vec<Trust> {
        self.all
            .iter()
            .filter(|(at, _)| at == zone)
            .map(|(_, trust)| trust.clone())
            .collect()
    }
}

/// Which line of an anchor file cannot be used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnchorError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: AnchorReason,
}

/// What is wrong with a line of an anchor file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnchorReason {
    /// There is no record in the file.
    Nothing,
    /// A parenthesis has no partner.
    Parenthesis,
    /// The line starts with white space or a directive, or ends too early.
    NoRecord,
    /// The owner is no absolute name.
    Owner,
    /// The class is not IN, or the type is neither DS nor DNSKEY.
    Type {
        /// What stands there.
        found: String,
    },
    /// The data is not that of a DS or DNSKEY record.
    Data {
        /// What the reader says.
        said: String,
    },
    /// The key is not one that zones are signed with, or is revoked.
    NotAZoneKey,
}

impl fmt::Display for AnchorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            AnchorReason::Nothing => write!(f, "there is no DS or DNSKEY record in it"),
            AnchorReason::Parenthesis => write!(f, "a parenthesis has no partner"),
            AnchorReason::NoRecord => write!(
                f,
                "the line is no record of the form `. IN DS 20326 8 2 e06d…`"
            ),
            AnchorReason::Owner => write!(f, "the owner is no absolute name"),
            AnchorReason::Type { found } => {
                write!(f, "{found:?} stands where IN and DS or DNSKEY belong")
            }
            AnchorReason::Data { said } => write!(f, "the data cannot be read: {said}"),
            AnchorReason::NotAZoneKey => write!(f, "the key is revoked or has no zone flag"),
        }
    }
}

impl std::error::Error for AnchorError {}

/// Lines, joined inside parentheses, as words, with the number of the first.
fn records(text: &str) -> Result<Vec<(usize, Vec<String>)>, AnchorError> {
    let mut found = Vec::new();
    let mut open = false;
    let mut start = 0;
    let mut fields: Vec<String> = Vec::new();
    for (line, content) in text
        .lines()
        .enumerate()
        .map(|(index, content)| (index + 1, content))
    {
        let content = content.split(';').next().unwrap_or_default();
        if !open {
            start = line;
            if content.starts_with(char::is_whitespace) && !content.trim().is_empty() {
                return Err(AnchorError {
                    line,
                    reason: AnchorReason::NoRecord,
                });
            }
        }
        let mut word = String::new();
        for c in content.chars().chain([' ']) {
            let ends = c.is_whitespace() || c == '(' || c == ')';
            if !ends {
                word.push(c);
            } else if !word.is_empty() {
                fields.push(std::mem::take(&mut word));
            }
            if c == '(' || c == ')' {
                if open == (c == '(') {
                    return Err(AnchorError {
                        line,
                        reason: AnchorReason::Parenthesis,
                    });
                }
                open = c == '(';
            }
        }
        if !open && !fields.is_empty() {
            found.push((start, std::mem::take(&mut fields)));
        }
    }
    if open {
        return Err(AnchorError {
            line: start,
            reason: AnchorReason::Parenthesis,
        });
    }
    Ok(found)
}

fn record(fields: &[String]) -> Result<(Name, Trust), AnchorReason> {
    let (owner, mut rest) = fields.split_first().ok_or(AnchorReason::NoRecord)?;
    if owner.starts_with('$') {
        return Err(AnchorReason::NoRecord);
    }
    let owner = Name::from_zone_text(owner.as_bytes(), None).map_err(|_| AnchorReason::Owner)?;
    // TTL and class, in either order or absent.
    for _ in 0..2 {
        if let Some((word, after)) = rest.split_first()
            && (word.eq_ignore_ascii_case("IN") || word.bytes().all(|b| b.is_ascii_digit()))
        {
            rest = after;
        }
    }
    let (kind, data) = rest.split_first().ok_or(AnchorReason::NoRecord)?;
    let trust = match kind.to_ascii_uppercase().as_str() {
        "DS" => digest(data)?,
        "DNSKEY" => key(data)?,
        _ => {
            return Err(AnchorReason::Type {
                found: kind.clone(),
            });
        }
    };
    Ok((owner, trust))
}

fn digest(data: &[String]) -> Result<Trust, AnchorReason> {
    let said = |said: String| AnchorReason::Data { said };
    let read = RData::try_from_str(RecordType::DS, &data.join(" "))
        .map_err(|error| said(error.to_string()))?;
    let RData::DNSSEC(DNSSECRData::DS(ds)) = read else {
        return Err(said("it is no DS".to_owned()));
    };
    let digits: usize = data.iter().skip(3).map(String::len).sum();
    let expected = match ds.digest_type() {
        DigestType::SHA1 => Some(20),
        DigestType::SHA256 => Some(32),
        DigestType::SHA384 => Some(48),
        _ => None,
    };
    if digits % 2 == 1 || expected.is_some_and(|octets| octets * 2 != digits) {
        return Err(said(format!(
            "a digest of {digits} hex digits does not fit its type"
        )));
    }
    Ok(Trust::Digest(ds))
}

fn key(data: &[String]) -> Result<Trust, AnchorReason> {
    // hickory reads DNSKEY records nowhere else; the owner is only there for its parser.
    let line = format!(". 0 IN DNSKEY {}\n", data.join(" "));
    let entries = Parser::new(line)
        .parse()
        .map_err(|error| AnchorReason::Data {
            said: error.to_string(),
        })?;
    let Some(Entry::DNSKEY(record)) = entries.first() else {
        return Err(AnchorReason::NoRecord);
    };
    let key = record.data().clone();
    if !key.zone_key() || key.revoke() {
        return Err(AnchorReason::NotAZoneKey);
    }
    Ok(Trust::Key(key))
}

#[cfg(test)]
mod tests {
    use hickory_proto::dnssec::TrustAnchors;

    use super::*;

    #[test]
    fn the_root_digests_are_those_of_the_keys_that_hickory_carries() {
        let keys = TrustAnchors::default();
        let root = Anchors::iana().of(&Name::root());
        assert_eq!(root.len(), 2);
        assert_eq!(keys.len(), 2);
        for index in 0..keys.len() {
            let key = DNSKEY::from_key(keys.get(index).unwrap());
            assert_eq!(
                root.iter()
                    .filter(|trust| trust.names(&Name::root(), &key))
                    .count(),
                1
            );
        }
    }

    #[test]
    fn a_key_in_zone_file_syntax_is_read_with_comments_and_parentheses() {
        let key = DNSKEY::from_key(TrustAnchors::default().get(0).unwrap());
        let text = format!(
            "; the root\n.\t172800 IN DNSKEY (257 3 8 ; flags\n {} )\n\n",
            base64_of(&key)
        );
        let anchors = Anchors::parse(&text).unwrap();
        assert_eq!(anchors.of(&Name::root()), [Trust::Key(key)]);
        assert_eq!(anchors.of(&Name::from_user("example").unwrap()), []);
    }

    fn base64_of(key: &DNSKEY) -> String {
        key.to_string().split(' ').next_back().unwrap().to_owned()
    }

    #[test]
    fn what_cannot_be_an_anchor_says_its_line() {
        let ds =
            ". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D";
        for (text, line) in [
            (String::new(), 1),
            ("; nothing\n\n".to_owned(), 2),
            (format!("{ds}\n{ds}0\n"), 2),
            (format!("{ds}\n. IN A 192.0.2.1\n"), 2),
            (format!("{ds}\n\n. IN DS 20326 8\n"), 3),
            ("example IN DS 1 8 2 00\n".to_owned(), 1),
            ("$ORIGIN .\n".to_owned(), 1),
            (format!(" {ds}\n"), 1),
            (". IN DS ( 20326 8 2\n".to_owned(), 1),
            (". IN DS 20326 8 2 )\n".to_owned(), 1),
            (". CH DS 20326 8 2 00\n".to_owned(), 1),
            (". IN DNSKEY 1 3 8 AwEAAQ==\n".to_owned(), 1),
            (". IN DNSKEY 257 3 8 not-base64\n".to_owned(), 1),
        ] {
            assert_eq!(Anchors::parse(&text).unwrap_err().line, line, "{text}");
        }
    }
}
