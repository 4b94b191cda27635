//! A second reader of zone files, to hold the first one against: simple, slow,
//! the whole text at once, and sharing nothing with the library but the table
//! of type names. It takes for granted that the text is in order; what it says
//! of a text that the library refuses means nothing.

use danewright::zone::text::rtype::{class_code, type_code};

/// What a record means.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Record {
    /// Its owner in wire form, in lower case.
    pub(crate) owner: Vec<u8>,
    /// Its TTL as BIND takes it.
    pub(crate) ttl: Option<u32>,
    /// Its type; 0 for a `$GENERATE`.
    pub(crate) code: u16,
    /// TLSA in wire form; otherwise the words, without an SOA's serial, and the origin.
    pub(crate) data: Vec<u8>,
    /// The serial of an SOA.
    pub(crate) serial: Option<u32>,
}

/// The records of a zone, in reading order. The first file is the main one.
pub(crate) fn records(files: &[(String, Vec<u8>)], origin: &[u8]) -> Vec<Record> {
    let mut reading = Reading {
        files,
        default: None,
        last: None,
        records: Vec::new(),
    };
    reading.file(0, origin.to_vec(), None);
    reading.records
}

/// A logical line: whether a blank comes first, and its words, quotes kept.
struct Line {
    blank: bool,
    words: Vec<Vec<u8>>,
}

fn lines(text: &[u8]) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let mut line = Line {
            blank: matches!(text[at], b' ' | b'\t'),
            words: Vec::new(),
        };
        let mut inside = false;
        while at < text.len() {
            let start = at;
            at += 1;
            match text[start] {
                b'\n' if !inside => break,
                b' ' | b'\t' | b'\r' | b'\n' => {}
                b'(' => inside = true,
                b')' => inside = false,
                b';' => {
                    at += text[at..]
                        .iter()
                        .take_while(|octet| **octet != b'\n')
                        .count()
                }
                b'"' => {
                    while at < text.len() && text[at] != b'"' {
                        at += if text[at] == b'\\' { 2 } else { 1 };
                    }
                    at = (at + 1).min(text.len());
                    line.words.push(text[start..at].to_vec());
                }
                _ => {
                    at = start;
                    while at < text.len() && !b" \t\r\n();\"".contains(&text[at]) {
                        at += if text[at] == b'\\' { 2 } else { 1 };
                    }
                    at = at.min(text.len());
                    line.words.push(text[start..at].to_vec());
                }
            }
        }
        lines.push(line);
    }
    lines
}

struct Reading<'f> {
    files: &'f [(String, Vec<u8>)],
    default: Option<u32>,
    last: Option<u32>,
    records: Vec<Record>,
}

impl Reading<'_> {
    fn file(&mut self, number: usize, mut origin: Vec<u8>, mut owner: Option<Vec<u8>>) {
        for line in lines(&self.files[number].1) {
            let Some(first) = line.words.first() else {
                continue;
            };
            let mut rest = line.words.as_slice();
            if !line.blank {
                rest = &rest[1..];
                if first[0] == b'$' {
                    self.directive(first, rest, &mut origin, owner.as_ref());
                    continue;
                }
                owner = Some(name(first, &origin));
            }
            let Some(owner) = &owner else { continue };
            self.record(owner, rest, &origin);
        }
    }

    fn directive(
        &mut self,
        word: &[u8],
        rest: &[Vec<u8>],
        origin: &mut Vec<u8>,
        owner: Option<&Vec<u8>>,
    ) {
        match (word.to_ascii_uppercase().as_slice(), rest) {
            (b"$ORIGIN", [to]) => *origin = name(to, origin),
            (b"$TTL", [ttl]) => self.default = seconds(ttl),
            (b"$INCLUDE", [path, more @ ..]) => {
                let path = if path[0] == b'"' {
                    &path[1..path.len() - 1]
                } else {
                    path
                };
                let inside = more.first().map_or(origin.clone(), |to| name(to, origin));
                let number = self
                    .files
                    .iter()
                    .position(|(label, _)| label.as_bytes() == path);
                // One that is not there is refused; nobody asks what this made of it.
                if let Some(number) = number.filter(|number| *number > 0) {
                    self.file(number, inside, owner.cloned());
                }
            }
            (b"$GENERATE", words) => {
                let at = if words.get(2).is_some_and(|word| class_code(word).is_some()) {
                    3
                } else {
                    2
                };
                let stated = words.get(at).and_then(|word| seconds(word));
                let mut data = origin.clone();
                for (_, word) in words
                    .iter()
                    .enumerate()
                    .filter(|(number, _)| stated.is_none() || *number != at)
                {
                    data.extend([word, &b"\0"[..]].concat());
                }
                self.last = stated.or(self.last);
                let ttl = stated.or(self.default).or(self.last);
                self.records.push(Record {
                    owner: Vec::new(),
                    ttl,
                    code: 0,
                    data,
                    serial: None,
                });
            }
            _ => {}
        }
    }

    fn record(&mut self, owner: &[u8], mut words: &[Vec<u8>], origin: &[u8]) {
        let (mut ttl, mut class) = (None, false);
        let code = loop {
            let Some((word, rest)) = words.split_first() else {
                return;
            };
            words = rest;
            if ttl.is_none() && word[0].is_ascii_digit() {
                ttl = seconds(word);
            } else if !class && class_code(word).is_some() {
                class = true;
            } else {
                break type_code(word).unwrap_or(0);
            }
        };
        let mut data: Vec<u8> = words
            .iter()
            .flat_map(|word| [word, &b"\0"[..]].concat())
            .collect();
        let mut serial = None;
        let octets = (words.first().map(Vec::as_slice) == Some(b"\\#"))
            .then(|| unhex(&words[2.min(words.len())..]));
        let mut minimum = None;
        match (code, octets) {
            (52, Some(octets)) => data = octets,
            (52, None) if words.len() > 3 => {
                data = words[..3]
                    .iter()
                    .map(|word| decimal(word).unwrap_or(0) as u8)
                    .collect();
                data.extend(unhex(&words[3..]));
            }
            (6, Some(octets)) if octets.len() > 20 => {
                let number = |at: usize| {
                    octets[at..at + 4]
                        .iter()
                        .fold(0u32, |sum, octet| sum << 8 | u32::from(*octet))
                };
                let at = octets.len() - 20;
                (serial, minimum) = (Some(number(at)), Some(number(at + 16)));
                data = [&octets[..at], &octets[at + 4..]].concat();
            }
            (6, None) if words.len() == 7 => {
                (serial, minimum) = (decimal(&words[2]), seconds(&words[6]));
                data = [&words[..2], &words[3..]].concat().concat();
                data.extend_from_slice(origin);
            }
            _ => data.extend_from_slice(origin),
        }
        if ttl.is_some() {
            self.last = ttl;
        } else if code == 6 && self.default.is_none() && self.last.is_none() {
            self.default = minimum;
        }
        let ttl = ttl.or(self.default).or(self.last);
        self.records.push(Record {
            owner: owner.to_vec(),
            ttl,
            code,
            data,
            serial,
        });
    }
}

/// A name in wire form, in lower case.
fn name(text: &[u8], origin: &[u8]) -> Vec<u8> {
    if text == b"@" {
        return origin.to_vec();
    }
    let (mut wire, mut label) = (Vec::new(), Vec::new());
    let mut octets = text.iter().copied();
    let mut ended = false;
    while let Some(octet) = octets.next() {
        ended = octet == b'.';
        if ended {
            wire.push(label.len() as u8);
            wire.append(&mut label);
            continue;
        }
        let mut octet = octet;
        if octet == b'\\' {
            octet = octets.next().unwrap_or(b'\\');
            if octet.is_ascii_digit() {
                let digits = [
                    octet,
                    octets.next().unwrap_or(b'0'),
                    octets.next().unwrap_or(b'0'),
                ];
                octet = digits
                    .iter()
                    .fold(0u32, |sum, digit| sum * 10 + u32::from(digit - b'0'))
                    as u8;
            }
        }
        label.push(octet.to_ascii_lowercase());
    }
    if text == b"." {
        return vec![0];
    }
    if ended {
        wire.push(0);
        return wire;
    }
    wire.push(label.len() as u8);
    wire.extend(label);
    wire.extend_from_slice(origin);
    wire
}

fn decimal(word: &[u8]) -> Option<u32> {
    std::str::from_utf8(word).ok()?.parse().ok()
}

/// A TTL such as `90`, `1h30m`; one with the top bit set counts as 0.
fn seconds(word: &[u8]) -> Option<u32> {
    if !word.first()?.is_ascii_digit() {
        return None;
    }
    let (mut sum, mut number) = (0u64, 0u64);
    for octet in word.to_ascii_lowercase() {
        let unit = match octet {
            b'0'..=b'9' => {
                number = number * 10 + u64::from(octet - b'0');
                continue;
            }
            b's' => 1,
            b'm' => 60,
            b'h' => 60 * 60,
            b'd' => 24 * 60 * 60,
            b'w' => 7 * 24 * 60 * 60,
            _ => return None,
        };
        sum = sum.saturating_add(number.saturating_mul(unit));
        number = 0;
    }
    let sum = u32::try_from(sum.saturating_add(number)).ok()?;
    Some(if sum >> 31 == 1 { 0 } else { sum })
}

fn unhex(words: &[Vec<u8>]) -> Vec<u8> {
    let digits: Vec<u32> = words
        .concat()
        .iter()
        .filter_map(|octet| char::from(*octet).to_digit(16))
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair.iter().fold(0, |sum, digit| sum << 4 | digit) as u8)
        .collect()
}
