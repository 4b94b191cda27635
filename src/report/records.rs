//! TLSA records in the forms that people and programs want them: zone-file
//! lines (RFC 1035 section 5.1, RFC 6698 section 2.2), generic lines (RFC 3597
//! section 5), a script for nsupdate, a table, JSON.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::name::Name;
use crate::report::table;
use crate::tlsa::{Params, Tlsa, hex};

/// The same records at each of these owners.
#[derive(Clone, Copy, Debug)]
pub struct Records<'a> {
    /// Where they stand.
    pub owners: &'a [Name],
    /// What stands there.
    pub tlsa: &'a [Tlsa],
    /// Their TTL; the zone's own where there is none.
    pub ttl: Option<u32>,
}

impl Records<'_> {
    /// Zone-file lines: `_25._tcp.mail.example.com. 3600 IN TLSA 3 1 1 8bd1…`.
    #[must_use]
    pub fn zone(&self) -> String {
        self.lines("TLSA", Tlsa::to_string)
    }

    /// The same for programs that do not know TLSA: `TYPE52 \# 35 030101…`.
    #[must_use]
    pub fn generic(&self) -> String {
        self.lines("TYPE52", |tlsa| {
            let rdata = tlsa.rdata();
            format!("\\# {} {}", rdata.len(), hex(&rdata))
        })
    }

    fn lines(&self, kind: &str, data: impl Fn(&Tlsa) -> String) -> String {
        let owners: Vec<String> = self.owners.iter().map(Name::to_string).collect();
        let width = owners.iter().map(String::len).max().unwrap_or(0);
        let ttl = self.ttl.map(|ttl| format!("{ttl} ")).unwrap_or_default();
        let data: Vec<String> = self.tlsa.iter().map(data).collect();
        let mut text = String::new();
        for owner in &owners {
            for data in &data {
                text.push_str(&format!("{owner:width$} {ttl}IN {kind} {data}\n"));
            }
        }
        text
    }

    /// A script for nsupdate: adds these, deletes `old`, in one transaction.
    /// An addition without a TTL is none, so there `ttl` must be set.
    #[must_use]
    pub fn nsupdate(&self, old: &[Tlsa]) -> String {
        let mut text = String::new();
        let ttl = self.ttl.unwrap_or(0);
        for owner in self.owners {
            for tlsa in self.tlsa {
                text.push_str(&format!("update add {owner} {ttl} IN TLSA {tlsa}\n"));
            }
            for tlsa in old {
                text.push_str(&format!("update delete {owner} IN TLSA {tlsa}\n"));
            }
        }
        text.push_str("send\n");
        text
    }

    /// A table with the names of the numbers (RFC 7218).
    #[must_use]
    pub fn table(&self, width: Option<usize>) -> String {
        let ttl = self
            .ttl
            .map_or_else(|| "zone's".to_owned(), |ttl| ttl.to_string());
        let mut rows = Vec::with_capacity(self.owners.len() * self.tlsa.len());
        for owner in self.owners {
            for tlsa in self.tlsa {
                let [usage, selector, matching] = named(tlsa.params);
                rows.push(vec![
                    owner.to_string(),
                    ttl.clone(),
                    usage,
                    selector,
                    matching,
                    tlsa.hex(),
                ]);
            }
        }
        table::table(
            &["owner", "ttl", "usage", "selector", "matching", "data"],
            &rows,
            width,
        )
    }

    /// One object per record.
    #[must_use]
    pub fn json(&self) -> Value {
        let mut records = Vec::with_capacity(self.owners.len() * self.tlsa.len());
        for owner in self.owners {
            for tlsa in self.tlsa {
                records.push(json!({
                    "owner": owner.to_string(),
                    "ttl": self.ttl,
                    "usage": tlsa.params.usage.0,
                    "selector": tlsa.params.selector.0,
                    "matching": tlsa.params.matching.0,
                    "data": tlsa.hex(),
                    "record": tlsa.to_string(),
                }));
            }
        }
        Value::Array(records)
    }
}

/// The numbers with their names, `3 DANE-EE`.
fn named(params: Params) -> [String; 3] {
    let usage = ["PKIX-TA", "PKIX-EE", "DANE-TA", "DANE-EE"].get(usize::from(params.usage.0));
    let selector = ["Cert", "SPKI"].get(usize::from(params.selector.0));
    let matching = ["Full", "SHA2-256", "SHA2-512"].get(usize::from(params.matching.0));
    [
        (params.usage.0, usage),
        (params.selector.0, selector),
        (params.matching.0, matching),
    ]
    .map(|(number, name)| {
        let mut text = number.to_string();
        if let Some(name) = name {
            // Writing to a String does not fail.
            let _ = write!(text, " {name}");
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(ttl: Option<u32>, form: impl Fn(&Records<'_>) -> String) -> String {
        let owners = ["_25._tcp.mail.example.com", "_465._tcp.mail.example.com"]
            .map(|n| Name::from_user(n).unwrap());
        let tlsa = [vec![0xab, 1], vec![2]].map(|data| Tlsa {
            params: Params::default(),
            data,
        });
        form(&Records {
            owners: &owners,
            tlsa: &tlsa,
            ttl,
        })
    }

    #[test]
    fn zone_lines_are_aligned_and_say_a_ttl_when_there_is_one() {
        assert_eq!(
            text(Some(3600), |records| records.zone()),
            "_25._tcp.mail.example.com.  3600 IN TLSA 3 1 1 ab01\n\
             _25._tcp.mail.example.com.  3600 IN TLSA 3 1 1 02\n\
             _465._tcp.mail.example.com. 3600 IN TLSA 3 1 1 ab01\n\
             _465._tcp.mail.example.com. 3600 IN TLSA 3 1 1 02\n"
        );
        assert!(
            text(None, |records| records.zone())
                .starts_with("_25._tcp.mail.example.com.  IN TLSA 3 1 1 ab01\n")
        );
    }

    #[test]
    fn generic_lines_count_their_octets() {
        assert!(
            text(None, |records| records.generic())
                .starts_with("_25._tcp.mail.example.com.  IN TYPE52 \\# 5 030101ab01\n")
        );
    }

    #[test]
    fn a_script_adds_then_deletes_then_sends() {
        let old = [Tlsa {
            params: Params::default(),
            data: vec![9],
        }];
        let script = text(Some(60), |records| records.nsupdate(&old));
        let lines: Vec<&str> = script.lines().collect();
        assert_eq!(
            lines[0],
            "update add _25._tcp.mail.example.com. 60 IN TLSA 3 1 1 ab01"
        );
        assert_eq!(
            lines[2],
            "update delete _25._tcp.mail.example.com. IN TLSA 3 1 1 09"
        );
        assert_eq!(lines[6], "send");
        assert_eq!(lines.len(), 7);
    }

    #[test]
    fn numbers_in_tables_have_their_names() {
        assert!(
            text(None, |records| records.table(None))
                .contains("3 DANE-EE  1 SPKI    1 SHA2-256  ab01")
        );
    }
}
