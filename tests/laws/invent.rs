//! Invents zones that look kept by hand for twenty years, all of which BIND
//! loads: several TLSA sets in mixed styles, included files, `$GENERATE`,
//! owners named like types, and every habit that [`Pen`] knows.

use super::dice::Dice;
use super::pen::{Habits, Pen};

/// The files of a zone, the main one first, each with the name it is included by.
pub(crate) type Files = Vec<(String, Vec<u8>)>;

/// An invented zone.
pub(crate) struct Invented {
    /// Its name, without the final dot.
    pub(crate) zone: &'static str,
    /// Its files, the main one first.
    pub(crate) files: Files,
}

/// A TTL of an RRset, of many sizes.
const TTLS: [u32; 8] = [3600, 300, 86_400, 5400, 60, 7200, 604_800, 1];

/// Makes a zone by dice.
pub(crate) fn zone(dice: &mut Dice<'_>) -> Invented {
    let zone = *dice.pick(&["example.com", "old.example", "a.b.c.example", "in.example"]);
    let apex = format!("{zone}.");
    let habits = Habits::by(dice);
    let mut story = Story {
        files: vec![("main".to_owned(), Vec::new())],
        habits,
        apex,
        serial: 0,
        depth: 0,
    };
    let mut pen = Pen::new(&story.habits, &story.apex.clone(), None);
    story.head(dice, &mut pen);
    let rounds = 3 + dice.below(24);
    for _ in 0..rounds {
        story.scene(dice, &mut pen);
    }
    if dice.one_in(6) {
        pen.pause(dice);
    }
    let directive_last = last_line(&pen.text).starts_with(b"$");
    if dice.one_in(6) && !directive_last {
        // No line end at the end of the file.
        let text = std::mem::take(&mut pen.text);
        pen.text = text
            .strip_suffix(b"\n")
            .map_or(text.clone(), <[u8]>::to_vec);
        if pen.text.ends_with(b"\r") {
            pen.text.pop();
        }
    }
    story.files[0].1 = pen.text;
    Invented {
        zone,
        files: story.files,
    }
}

fn last_line(text: &[u8]) -> &[u8] {
    text.strip_suffix(b"\n")
        .unwrap_or(text)
        .rsplit(|octet| *octet == b'\n')
        .next()
        .unwrap_or(&[])
}

struct Story {
    files: Files,
    habits: Habits,
    apex: String,
    serial: usize,
    depth: usize,
}

impl Story {
    fn name(&self, relative: &str) -> String {
        if relative == "@" {
            self.apex.clone()
        } else {
            format!("{relative}.{}", self.apex)
        }
    }

    /// What a zone starts with: perhaps `$ORIGIN` and `$TTL`, the SOA, the name servers.
    fn head(&mut self, dice: &mut Dice<'_>, pen: &mut Pen) {
        if dice.one_in(3) {
            pen.pause(dice);
        }
        if dice.one_in(2) {
            let apex = self.apex.clone();
            pen.move_to(dice, &apex);
        }
        if !dice.one_in(3) {
            let ttl = *dice.pick(&TTLS);
            let ttl = pen.ttl(dice, ttl);
            pen.directive(dice, "$TTL", &ttl);
        }
        let apex = self.apex.clone();
        let serial = *dice.pick(&[
            "2026112001",
            "2026111901",
            "1",
            "0",
            "4294967295",
            "1795170000",
            "0000000041",
            "199903110",
        ]);
        let mname = dice.pick(&["ns1".to_owned(), self.name("ns1")]).clone();
        let mut data = vec![
            mname,
            dice.pick(&["hostmaster", "karl\\.k"]).to_string(),
            serial.to_owned(),
        ];
        for time in [7200, 3600, 604_800, 300] {
            data.push(pen.ttl(dice, time));
        }
        let rtype = *dice.pick(&["SOA", "SOA", "SOA", "soa", "TYPE6"]);
        let ttl = dice.one_in(4).then(|| *dice.pick(&TTLS));
        let from = dice.below(3);
        if ttl.is_none() && !dice.one_in(3) {
            pen.tall_record(dice, &apex, rtype, &data, from);
        } else {
            pen.record(dice, &apex, ttl, rtype, &data);
        }
        if dice.one_in(12) {
            pen.record(dice, &apex, None, "SOA", &data);
        }
        let ns = if pen.origin == self.apex && dice.one_in(2) {
            "ns1".to_owned()
        } else {
            self.name("ns1")
        };
        pen.record(dice, &apex, None, "NS", &[ns]);
        let (ns, mail) = (self.name("ns1"), self.name("mail"));
        pen.record(dice, &ns, None, "A", &["192.0.2.53".to_owned()]);
        if !dice.one_in(8) {
            pen.record(dice, &mail, None, "A", &["192.0.2.25".to_owned()]);
        }
    }

    /// One thing that somebody once put into the file.
    fn scene(&mut self, dice: &mut Dice<'_>, pen: &mut Pen) {
        match dice.below(20) {
            0..=5 => self.tlsa_set(dice, pen),
            6 | 7 => self.host(dice, pen),
            8 => self.apex_data(dice, pen),
            9 => self.alias(dice, pen),
            10 | 11 => {
                let to = *dice.pick(&["@", "mail", "_tcp.mail", "x.y", "@"]);
                let to = self.name(to);
                pen.move_to(dice, &to);
            }
            12 => {
                let ttl = *dice.pick(&TTLS);
                let ttl = pen.ttl(dice, ttl);
                // Where there was none, one in the middle starts another regime.
                if dice.one_in(3) {
                    pen.directive(dice, "$TTL", &ttl);
                }
            }
            13 => self.include(dice, pen),
            14 => self.generate(dice, pen),
            15 => self.delegation(dice, pen),
            16 => self.odd_owner(dice, pen),
            _ => pen.pause(dice),
        }
    }

    fn rrset_ttl(dice: &mut Dice<'_>) -> Option<u32> {
        dice.one_in(3).then(|| *dice.pick(&TTLS))
    }

    /// TLSA records at one port of one host.
    fn tlsa_set(&mut self, dice: &mut Dice<'_>, pen: &mut Pen) {
        let port = *dice.pick(&["25", "465", "587", "443", "25"]);
        let host = *dice.pick(&["mail", "mail", "mail", "www", "mx2", "@"]);
        let owner = if host == "@" {
            format!("_{port}._tcp.{}", self.apex)
        } else {
            self.name(&format!("_{port}._tcp.{host}"))
        };
        let ttl = Self::rrset_ttl(dice);
        for _ in 0..1 + dice.below(4) {
            let (params, octets) = *dice.pick(&[
                ([3, 1, 1], 32),
                ([3, 1, 1], 32),
                ([3, 1, 1], 32),
                ([2, 1, 1], 32),
                ([3, 0, 1], 32),
                ([3, 1, 2], 64),
                ([3, 0, 0], 150),
                ([255, 1, 1], 32),
            ]);
            let seed = dice.below(6) as u8;
            let data: Vec<u8> = (0..octets as u32)
                .map(|at| (at as u8).wrapping_mul(7).wrapping_add(seed * 31))
                .collect();
            let (rtype, words) = tlsa(dice, params, &data);
            // A TTL of its own is rare: servers disagree on what it means.
            let ttl = if dice.one_in(40) { Some(77) } else { ttl };
            pen.record(dice, &owner, ttl, rtype, &words);
            if dice.one_in(5) {
                pen.pause(dice);
            }
        }
    }

    fn host(&mut self, dice: &mut Dice<'_>, pen: &mut Pen) {
        let host = *dice.pick(&["mail", "www", "mx2", "ftp", "x.y", "a.very.deep.name"]);
        let owner = self.name(host);
        let ttl = Self::rrset_ttl(dice);
        let number = dice.below(250).to_string();
        for _ in 0..1 + dice.below(3) {
            let (rtype, data): (&str, Vec<&str>) = match dice.below(8) {
                0 => ("A", vec!["192.0.2.7"]),
                1 => ("AAAA", vec!["2001:db8::7"]),
                2 => (
                    "TXT",
                    vec![
                        "\"v=spf1 mx -all; (no other)\"",
                        "\"with \\\" quote \\059 and \\\\ \"",
                    ],
                ),
                3 => ("HINFO", vec!["SUN", "\"Solaris 2.6\""]),
                4 => (
                    "SSHFP",
                    vec!["4", "1", "0123456789abcdef0123", "456789abcdef01234567"],
                ),
                5 => ("SRV", vec!["0", "5", "5269", "ftp"]),
                6 => ("TYPE65280", vec!["\\#", "4", "0a00", "0001"]),
                _ => ("TXT", vec![&number, "caf\u{e9}"]),
            };
            pen.record(
                dice,
                &owner,
                ttl,
                rtype,
                &data.into_iter().map(str::to_owned).collect::<Vec<_>>(),
            );
        }
    }

    fn apex_data(&mut self, dice: &mut Dice<'_>, pen: &mut Pen) {
        let apex = self.apex.clone();
        let mail = self.name("mail");
        let ttl = Self::rrset_ttl(dice);
        let (rtype, data): (&str, Vec<&str>) = match dice.below(4) {
            0 => ("MX", vec!["10", &mail]),
            1 => ("TXT", vec!["\"google-site-verification=0123456789\""]),
            2 => ("CAA", vec!["0", "issue", "\"letsencrypt.org\""]),
            _ => (
                "NAPTR",
                vec![
                    "100",
                    "10",
                    "\"u\"",
                    "\"E2U+sip\"",
                    "\"!^.*$!sip:a@b.example!\"",
                    ".",
                ],
            ),
        };
        pen.record(
            dice,
            &apex,
            ttl,
            rtype,
            &data.into_iter().map(str::to_owned).collect::<Vec<_>>(),
        );
    }

    /// An owner of its own, so that nothing stands beside the alias.
    fn fresh_name(&mut self, what: &str) -> String {
        self.serial += 1;
        self.name(&format!("{what}{}", self.serial))
    }

    fn alias(&mut self, dice: &mut Dice<'_>, pen: &mut Pen) {
        let (owner, to) = (self.fresh_name("alias"), self.name("www"));
        let rtype = *dice.pick(&["CNAME", "CNAME", "CNAME", "DNAME"]);
        let ttl = Self::rrset_ttl(dice);
        pen.record(dice, &owner, ttl, rtype, &[to]);
    }

    fn delegation(&mut self, dice: &mut Dice<'_>, pen: &mut Pen) {
        let owner = self.fresh_name("child");
        let ns = format!("ns.{owner}");
        pen.record(dice, &owner, None, "NS", std::slice::from_ref(&ns));
        pen.record(dice, &ns, None, "A", &["192.0.2.99".to_owned()]);
        if dice.one_in(2) {
            let data = ["4711", "13", "2", &"ab".repeat(32)].map(str::to_owned);
            pen.record(dice, &owner, None, "DS", &data);
        }
    }

    /// Names that look like types, classes, TTLs and directives.
    fn odd_owner(&mut self, dice: &mut Dice<'_>, pen: &mut Pen) {
        let label = *dice.pick(&[
            "a",
            "in",
            "tlsa",
            "3600",
            "1h",
            "ns",
            "type52",
            "soa",
            "*.wild",
            "_25._tcp.mailbox",
            "\\$ttl",
            "\\@",
        ]);
        let owner = self.name(label);
        let ttl = Self::rrset_ttl(dice);
        pen.record(
            dice,
            &owner,
            ttl,
            "TXT",
            &["in".to_owned(), "\"TLSA 3 1 1 aa\"".to_owned()],
        );
    }

    fn generate(&mut self, dice: &mut Dice<'_>, pen: &mut Pen) {
        self.serial += 1;
        let number = self.serial;
        let rest = match dice.below(12) {
            0 => format!("1-3 _$._tcp.gen{number} TXT made"),
            1..=4 => format!("1-4 gen{number}-$ A 192.0.2.$"),
            5..=8 => format!("0-6/2 gen{number}-${{0,3,d}} 300 IN A 192.0.2.$"),
            9 | 10 => format!("5-6 $.gen{number} CNAME www.{}", self.apex),
            _ => "1-2 _$._tcp.mail TXT owned".to_owned(),
        };
        pen.directive(dice, "$GENERATE", &rest);
    }

    /// A file of its own for some scenes; now and then the same one twice.
    fn include(&mut self, dice: &mut Dice<'_>, pen: &mut Pen) {
        if self.depth > 2 {
            return;
        }
        let origin = *dice.pick(&["", "", "@", "mail", "below"]);
        let inside = if origin.is_empty() {
            pen.origin.clone()
        } else {
            self.name(origin)
        };
        let number = self.files.len();
        self.files.push((format!("part{number}"), Vec::new()));
        let mut part = Pen::new(&self.habits, &inside, pen.owner.clone());
        self.depth += 1;
        for _ in 0..1 + dice.below(4) {
            self.scene(dice, &mut part);
        }
        self.depth -= 1;
        self.files[number].1 = part.text;
        let path = if dice.one_in(4) {
            format!("\"part{number}\"")
        } else {
            format!("part{number}")
        };
        let rest = if origin.is_empty() {
            path
        } else {
            format!("{path} {inside}")
        };
        pen.directive(dice, "$INCLUDE", &rest);
        if dice.one_in(12) && !self.files[number].1.is_empty() {
            pen.directive(
                dice,
                "$INCLUDE",
                &format!("part{number} again.{}", self.apex),
            );
        }
    }
}

/// TLSA data in one of its spellings: the type's name, and the words behind it.
fn tlsa(dice: &mut Dice<'_>, params: [u8; 3], data: &[u8]) -> (&'static str, Vec<String>) {
    let digits = |octets: &[u8], capitals: bool| -> String {
        octets
            .iter()
            .map(|octet| {
                if capitals {
                    format!("{octet:02X}")
                } else {
                    format!("{octet:02x}")
                }
            })
            .collect()
    };
    let capitals = dice.one_in(4);
    let generic = dice.one_in(6);
    let (mut words, digits) = if generic {
        let octets = [&params[..], data].concat();
        (
            vec!["\\#".to_owned(), octets.len().to_string()],
            digits(&octets, capitals),
        )
    } else {
        (
            params.iter().map(u8::to_string).collect(),
            digits(data, capitals),
        )
    };
    let step = *dice.pick(&[usize::MAX, usize::MAX, 32, 64, 56, 9]);
    words.extend(
        digits
            .as_bytes()
            .chunks(step)
            .map(|part| String::from_utf8_lossy(part).into_owned()),
    );
    let rtype = *dice.pick(&["TLSA", "TLSA", "TLSA", "TYPE52"]);
    (rtype, words)
}
