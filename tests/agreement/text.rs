//! A signed zone as lines that can be spoilt one at a time.

use std::fmt;

/// The text of a zone.
#[derive(Clone)]
pub(crate) struct Text {
    records: Vec<Line>,
    /// The whole of it, where nothing is signed.
    unsigned: Option<String>,
}

/// One record.
#[derive(Clone)]
pub(crate) struct Line {
    pub(crate) owner: String,
    pub(crate) ttl: String,
    kind: String,
    /// The fields of the data.
    pub(crate) data: Vec<String>,
}

/// The fields of a signature (RFC 4034 section 3.2).
pub(crate) const LABELS: usize = 2;
pub(crate) const TAG: usize = 6;
pub(crate) const SIGNER: usize = 7;
const SIGNATURE: usize = 8;

impl Text {
    /// Reads what dnssec-signzone writes with one record in each line.
    pub(crate) fn parse(text: &str) -> Self {
        let lines = text
            .lines()
            .filter(|line| !line.trim().is_empty() && !line.starts_with(';'));
        let record = |line: &str| {
            let mut fields = line.split_whitespace().map(str::to_owned);
            let mut next = || {
                fields
                    .next()
                    .expect("a record has an owner, a TTL, a class and a type")
            };
            let (owner, ttl, _, kind) = (next(), next(), next(), next());
            Line {
                owner,
                ttl,
                kind,
                data: fields.collect(),
            }
        };
        Self {
            records: lines.map(record).collect(),
            unsigned: None,
        }
    }

    /// Keeps the text of a zone that nobody signs.
    pub(crate) fn unsigned(text: &str) -> Self {
        Self {
            records: Vec::new(),
            unsigned: Some(text.to_owned()),
        }
    }

    /// The records of a type at an owner; there is at least one.
    pub(crate) fn set(&mut self, owner: &str, kind: &str) -> Vec<&mut Line> {
        let of = |line: &&mut Line| line.owner.eq_ignore_ascii_case(owner) && line.kind == kind;
        let found: Vec<&mut Line> = self.records.iter_mut().filter(of).collect();
        assert!(!found.is_empty(), "{owner} has no {kind}");
        found
    }

    /// The signatures over a set; there is at least one.
    pub(crate) fn signatures(&mut self, owner: &str, kind: &str) -> Vec<&mut Line> {
        let found: Vec<&mut Line> = self
            .records
            .iter_mut()
            .filter(|line| line.signs(owner, kind))
            .collect();
        assert!(
            !found.is_empty(),
            "{owner} has no signature over its {kind}"
        );
        found
    }

    /// Changes each signature over a set that is of this kind.
    pub(crate) fn break_signatures(&mut self, owner: &str, kind: &str, by: impl Fn(&Line) -> bool) {
        let broken: Vec<&mut Line> = self
            .signatures(owner, kind)
            .into_iter()
            .filter(|line| by(line))
            .collect();
        assert!(!broken.is_empty(), "nothing to break at {owner} {kind}");
        for line in broken {
            let field = &mut line.data[SIGNATURE];
            let other = if field.starts_with('A') { 'B' } else { 'A' };
            field.replace_range(..1, &other.to_string());
        }
    }

    /// Takes the signatures over a set away, as far as they are of this kind.
    pub(crate) fn drop_signatures(&mut self, owner: &str, kind: &str, by: impl Fn(&Line) -> bool) {
        let before = self.records.len();
        self.records
            .retain(|line| !(line.signs(owner, kind) && by(line)));
        assert!(
            self.records.len() < before,
            "nothing to drop at {owner} {kind}"
        );
    }

    /// Puts the signatures of another text in place of those here.
    pub(crate) fn take_signatures(&mut self, mut from: Self, owner: &str, kind: &str) {
        let new: Vec<Line> = from
            .signatures(owner, kind)
            .into_iter()
            .map(|line| line.clone())
            .collect();
        self.records.retain(|line| !line.signs(owner, kind));
        self.records.extend(new);
    }

    /// Takes all records of a type away, and the signatures over them.
    pub(crate) fn drop_set(&mut self, owner: &str, kind: &str) {
        let of = |line: &Line| line.owner.eq_ignore_ascii_case(owner) && line.kind == kind;
        self.records
            .retain(|line| !(of(line) || line.signs(owner, kind)));
    }

    /// Puts all records of a type in another text's place, with the signatures over them.
    pub(crate) fn take_set(&mut self, from: &Self, owner: &str, kind: &str) {
        self.drop_set(owner, kind);
        let of = |line: &&Line| {
            (line.owner.eq_ignore_ascii_case(owner) && line.kind == kind) || line.signs(owner, kind)
        };
        self.records.extend(from.records.iter().filter(of).cloned());
    }

    /// Adds records.
    pub(crate) fn add(&mut self, text: &str) {
        self.records.extend(Self::parse(text).records);
    }
}

impl Line {
    fn signs(&self, owner: &str, kind: &str) -> bool {
        self.owner.eq_ignore_ascii_case(owner)
            && self.kind == "RRSIG"
            && self.data.first().is_some_and(|of| of == kind)
    }

    /// The algorithm of a signature.
    pub(crate) fn algorithm(&self) -> &str {
        &self.data[1]
    }

    /// The tag of the key that made a signature.
    pub(crate) fn tag(&self) -> &str {
        &self.data[TAG]
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = &self.unsigned {
            return f.write_str(text);
        }
        for line in &self.records {
            writeln!(
                f,
                "{} {} IN {} {}",
                line.owner,
                line.ttl,
                line.kind,
                line.data.join(" ")
            )?;
        }
        Ok(())
    }
}
