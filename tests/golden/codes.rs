//! Every code of a finding with its weight: what scripts, monitors and `lint` in
//! a pipeline match on. Codes are never renamed; a weight that changes changes
//! verdicts.
//!
//! Codes stand as words all over the source, so it is the source that is read: each
//! place that makes a finding, with what its code and its severity can be there.
//! A place that this does not understand fails the test. (With one table of codes
//! in the library, this is that table, printed.) What reweighs a finding that was
//! made elsewhere, as for a server that may be silent, is not listed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::golden;

#[test]
fn every_code_has_the_weight_it_had() {
    let sources = sources();
    let mut text = String::new();
    for (title, maker) in [
        ("verify, patch, prune", "Finding::new("),
        ("lint", "Remark::new("),
    ] {
        let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for source in &sources {
            for at in source.all(maker, 0..source.bare.len()) {
                let made = source
                    .made(at + maker.len(), &sources)
                    .filter(|made| !made.is_empty());
                let made =
                    made.unwrap_or_else(|| panic!("{}: what code and severity?", source.place(at)));
                made.into_iter().for_each(|(code, severity)| {
                    found
                        .entry(code)
                        .or_default()
                        .insert(severity.to_lowercase());
                });
            }
        }
        for source in &sources {
            let written = source.all("Finding {", 0..source.bare.len()).into_iter();
            for (code, severity) in
                written.flat_map(|at| source.written(at + 9, maker == "Remark::new(", &sources))
            {
                found
                    .entry(code)
                    .or_default()
                    .insert(severity.to_lowercase());
            }
            let renamed = source.all("code = \"", 0..source.bare.len()).into_iter();
            for (code, severities) in renamed
                .filter(|_| maker == "Finding::new(")
                .map(|at| source.renamed(at))
            {
                found.entry(code).or_default().extend(severities);
            }
        }
        text.push_str(&format!("# {title}\n"));
        for (code, severities) in found {
            let severities: Vec<String> = severities.into_iter().collect();
            text.push_str(&format!("{code} {}\n", severities.join(",")));
        }
    }
    golden::same("codes.txt", &text);
}

/// A file of the library without its tests.
struct Source {
    path: PathBuf,
    text: String,
    /// The same length, with blanks for comments and for what stands in quotes.
    bare: String,
}

/// A code and the name of a severity.
type Made = BTreeSet<(String, String)>;

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut folders, mut sources, mut of_tests) = (vec![root], Vec::new(), Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let mut text = fs::read_to_string(&path).unwrap();
                for (at, found) in text.match_indices("#[cfg(test)]\n") {
                    let item = text[at + found.len()..].lines().next().unwrap_or_default();
                    let module = item
                        .split_once("mod ")
                        .and_then(|(_, rest)| rest.strip_suffix(';'));
                    of_tests.extend(module.map(|module| path.with_extension("").join(module)));
                }
                // Tests stand at the foot.
                text.truncate(text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len()));
                sources.push(Source {
                    bare: bare(&text),
                    path,
                    text,
                });
            }
        }
    }
    sources.retain(|source| {
        !of_tests
            .iter()
            .any(|tests| source.path.with_extension("").starts_with(tests))
    });
    sources.sort_by(|one, other| one.path.cmp(&other.path));
    sources
}

/// The text with blanks for comments and for what stands in quotes.
fn bare(text: &str) -> String {
    let octets = text.as_bytes();
    let mut bare = octets.to_vec();
    let mut at = 0;
    while at < octets.len() {
        let rest = &octets[at..];
        // What to blank, and where to go on.
        let (blank, next) = if rest.starts_with(b"//") {
            let end = rest
                .iter()
                .position(|octet| *octet == b'\n')
                .unwrap_or(rest.len());
            (0..end, end)
        } else if rest[0] == b'"' {
            let mut end = 1;
            while rest.get(end).is_some_and(|octet| *octet != b'"') {
                end += if rest[end] == b'\\' { 2 } else { 1 };
            }
            (1..end, end + 1)
        } else if rest[0] == b'\'' && rest.get(1) == Some(&b'\\') {
            let end = 3 + rest[3..]
                .iter()
                .position(|octet| *octet == b'\'')
                .unwrap_or(0);
            (1..end, end + 1)
        } else if rest[0] == b'\'' && rest.get(2) == Some(&b'\'') {
            (1..2, 3)
        } else {
            (0..0, 1)
        };
        bare[at + blank.start..at + blank.end].fill(b' ');
        at += next;
    }
    String::from_utf8(bare).unwrap()
}

impl Source {
    fn place(&self, at: usize) -> String {
        format!(
            "{}:{}",
            self.path.display(),
            self.text[..at].lines().count()
        )
    }

    /// Where a text stands that is no comment and no string, not as the end of a longer word.
    fn all(&self, needle: &str, range: Range<usize>) -> Vec<usize> {
        let found = self.bare[range.clone()]
            .match_indices(needle)
            .map(|(at, _)| at + range.start);
        found
            .filter(|at| !self.bare[..*at].ends_with(is_letter))
            .collect()
    }

    /// From here to the bracket that closes what is open.
    fn inside(&self, start: usize) -> Range<usize> {
        start..self.end(start, &[])
    }

    /// Where one of these first stands outside brackets, or a bracket closes.
    fn end(&self, start: usize, ends: &[u8]) -> usize {
        let mut depth = 0;
        for (at, octet) in self.bare.bytes().enumerate().skip(start) {
            match octet {
                _ if depth == 0 && ends.contains(&octet) => return at,
                b'(' | b'[' | b'{' => depth += 1,
                b')' | b']' | b'}' if depth == 0 => return at,
                b')' | b']' | b'}' => depth -= 1,
                _ => {}
            }
        }
        self.bare.len()
    }

    /// The arguments of a call, from behind its bracket.
    fn arguments(&self, start: usize) -> Vec<Range<usize>> {
        let whole = self.inside(start);
        let (mut at, mut arguments) = (start, Vec::new());
        while at < whole.end {
            let end = self.end(at, b",");
            arguments.push(at..end);
            at = end + 1;
        }
        arguments
    }

    /// The body of each function of this name.
    fn bodies(&self, name: &str) -> Vec<Range<usize>> {
        let heads = ["(", "<"]
            .map(|then| self.all(&format!("fn {name}{then}"), 0..self.bare.len()))
            .concat();
        let open = heads
            .into_iter()
            .filter_map(|at| Some(at + self.bare[at..].find('{')? + 1));
        open.map(|open| self.inside(open)).collect()
    }

    /// What a call that makes a finding can give it: its arguments begin here.
    fn made(&self, start: usize, all: &[Self]) -> Option<Made> {
        let arguments = self.arguments(start);
        let (code, severity) = (arguments.first()?.clone(), arguments.get(1)?.clone());
        let codes = self.codes(code.clone(), all);
        if !codes.is_empty() {
            return self.weighed(codes, severity, all);
        }
        // A name: an argument of the closure around it, or bound before.
        let name = self.bare[code].trim();
        if let Some((closure, position)) = self.closure(start, name) {
            let calls = self.all(&format!("{closure}("), 0..self.bare.len());
            let given = calls.into_iter().filter_map(|at| {
                self.arguments(at + closure.len() + 1)
                    .get(position)
                    .cloned()
            });
            let codes = given
                .flat_map(|argument| self.codes(argument, all))
                .collect();
            return self.weighed(codes, severity, all);
        }
        let bound = self.bound(start, name)?;
        let mut pairs = self.pairs(bound.clone());
        if pairs.is_empty() {
            for word in self.bare[bound.clone()]
                .split(|letter| !is_letter(letter))
                .filter(|word| !word.is_empty())
            {
                pairs.extend(
                    self.bodies(word)
                        .into_iter()
                        .flat_map(|body| self.pairs(body)),
                );
            }
        }
        if !pairs.is_empty() {
            return Some(pairs);
        }
        self.weighed(self.codes(bound, all), severity, all)
    }

    /// A finding that is written out, field by field. Those of lint have a place.
    fn written(&self, open: usize, of_lint: bool, all: &[Self]) -> Made {
        let fields = self.inside(open);
        let text = self.bare[fields.clone()].replace(char::is_whitespace, " ");
        let before = self.bare[..open - 9].trim_end();
        let is_none = ["let", "struct", "impl", "->", "for"]
            .iter()
            .any(|word| before.ends_with(word));
        if is_none || text.contains("..") || text.contains("place") != of_lint {
            return Made::new();
        }
        let value = |name: &str| {
            let at = self
                .all(&format!("{name}: "), fields.clone())
                .into_iter()
                .next()?
                + name.len()
                + 2;
            Some(at..self.end(at, b","))
        };
        let made = match (value("code"), value("severity")) {
            (Some(code), Some(severity)) => self
                .weighed(self.codes(code, all), severity, all)
                .unwrap_or_default(),
            _ => {
                let bound = self
                    .bound(open, "code")
                    .unwrap_or_else(|| panic!("{}: what code?", self.place(open)));
                // It takes over those of what it is made of.
                if self.bare[bound.clone()].trim() == "self" {
                    return Made::new();
                }
                self.pairs(bound)
            }
        };
        assert!(
            !made.is_empty(),
            "{}: what code and severity?",
            self.place(open)
        );
        made
    }

    /// A code that is put in the place of another, and the severity that goes with it: both
    /// are stated in one function.
    fn renamed(&self, at: usize) -> (String, BTreeSet<String>) {
        let end = self.end(at, b";");
        let code = self
            .words(at..end)
            .into_iter()
            .next()
            .unwrap_or_else(|| panic!("{}: what code?", self.place(at)))
            .0;
        let rest = at..at + self.bare[at..].find("\n}").unwrap_or(0);
        let stated = self.all("severity: Severity::", rest).into_iter();
        let severities: BTreeSet<String> =
            stated.flat_map(|at| self.severities(at..at + 21)).collect();
        assert!(!severities.is_empty(), "{}: what severity?", self.place(at));
        (
            code,
            severities
                .into_iter()
                .map(|severity| severity.to_lowercase())
                .collect(),
        )
    }

    /// These codes with what the severity can be.
    fn weighed(
        &self,
        codes: BTreeSet<String>,
        severity: Range<usize>,
        all: &[Self],
    ) -> Option<Made> {
        let mut severities = self.severities(severity.clone());
        if severities.is_empty() {
            let bound = self.bound(severity.start, self.bare[severity].trim())?;
            if let Some(weighed) = self.by_kind(&codes, bound.clone(), all) {
                return Some(weighed);
            }
            severities = self.severities(bound);
        }
        let with = |code: &String| {
            severities
                .iter()
                .map(|severity| (code.clone(), severity.clone()))
                .collect::<Vec<_>>()
        };
        Some(codes.iter().flat_map(with).collect())
    }

    /// Codes that weigh by predicates of their kind: `kind if kind.is_refused() => Severity::Error`.
    fn by_kind(&self, codes: &BTreeSet<String>, arms: Range<usize>, all: &[Self]) -> Option<Made> {
        let kinds = kinds(all)?;
        let mut made = Made::new();
        let mut left = codes.clone();
        for arm in self.bare[arms].split_once('{')?.1.split(',') {
            let Some((pattern, severity)) = arm.split_once("=> Severity::") else {
                continue;
            };
            let severity = severity
                .trim_end_matches(|letter| !is_letter(letter))
                .trim();
            let predicate = pattern
                .split_once(" if ")
                .and_then(|(_, test)| test.split(['.', '(']).nth(1));
            let here: BTreeSet<String> = match predicate {
                Some(predicate) => kinds
                    .iter()
                    .filter(|kind| kind.2.iter().any(|one| one == predicate))
                    .map(|kind| kind.1.clone())
                    .collect(),
                None => left.clone(),
            };
            made.extend(
                here.intersection(&left)
                    .map(|code| (code.clone(), severity.to_owned())),
            );
            left = left.difference(&here).cloned().collect();
        }
        (left.is_empty() && !made.is_empty()).then_some(made)
    }

    /// The words for severities in a range.
    fn severities(&self, range: Range<usize>) -> BTreeSet<String> {
        let name = |at: usize| {
            self.bare[at + 10..]
                .chars()
                .take_while(|letter| is_letter(*letter))
                .collect()
        };
        self.all("Severity::", range)
            .into_iter()
            .map(name)
            .collect()
    }

    /// Codes that stand beside their severity: `("bogus", Severity::Unsafe`.
    fn pairs(&self, range: Range<usize>) -> Made {
        let mut pairs = Made::new();
        for (word, span) in self.words(range) {
            let then = self.bare[span.end + 1..]
                .trim_start()
                .strip_prefix(',')
                .map(str::trim_start);
            let severity = then
                .and_then(|rest| rest.strip_prefix("Severity::"))
                .map(|rest| {
                    rest.chars()
                        .take_while(|letter| is_letter(*letter))
                        .collect()
                });
            pairs.extend(severity.map(|severity| (word, severity)));
        }
        pairs
    }

    /// What codes an expression, or a statement with several, can come to.
    fn codes(&self, range: Range<usize>, all: &[Self]) -> BTreeSet<String> {
        let expression = self.bare[range.clone()].trim();
        let mut codes = BTreeSet::new();
        for (word, span) in self.words(range.clone()) {
            let before = self.bare[range.start..span.start - 1].trim_end();
            if ["", "(", "=>", "{", "="]
                .iter()
                .any(|end| before.ends_with(end) && (!end.is_empty() || before.is_empty()))
            {
                codes.insert(word);
            }
        }
        if expression.contains(".word()") {
            codes.extend(outcomes(all));
        }
        if expression.contains(".code()") {
            codes.extend(
                kinds(all)
                    .unwrap_or_default()
                    .into_iter()
                    .map(|kind| kind.1),
            );
        }
        if expression.len() > 1
            && expression
                .chars()
                .all(|letter| letter.is_ascii_uppercase() || letter == '_')
        {
            let declared = |source: &Self| {
                let at = source.all(&format!("const {expression}: &str ="), 0..source.bare.len());
                at.into_iter()
                    .flat_map(|at| source.words(at..source.end(at, b";")))
                    .map(|word| word.0)
                    .collect::<Vec<_>>()
            };
            let here = declared(self);
            let anywhere = || all.iter().flat_map(declared).collect();
            let found: Vec<String> = if here.is_empty() { anywhere() } else { here };
            assert_eq!(
                found.len(),
                1,
                "{}: which {expression}? {found:?}",
                self.place(range.start)
            );
            codes.extend(found);
        }
        codes
    }

    /// The strings in a range that look like codes, and where they stand.
    fn words(&self, range: Range<usize>) -> Vec<(String, Range<usize>)> {
        let quotes: Vec<usize> = self.bare[range.clone()]
            .match_indices('"')
            .map(|(at, _)| at + range.start)
            .collect();
        let spans = quotes.chunks_exact(2).map(|pair| pair[0] + 1..pair[1]);
        let is_code = |text: &str| {
            let plain =
                |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'-';
            text.len() > 2 && text.bytes().all(plain)
        };
        spans
            .map(|span| (self.text[span.clone()].to_owned(), span))
            .filter(|(text, _)| is_code(text))
            .collect()
    }

    /// The closure `let NAME = |…, name, …| …` around a place, and which of its arguments the name is.
    fn closure(&self, place: usize, name: &str) -> Option<(String, usize)> {
        let at = self.bare[..place].rfind("let ")?;
        let (closure, rest) = self.bare[at + 4..place].split_once(" =")?;
        let (parameters, body) = rest.trim_start().strip_prefix('|')?.split_once('|')?;
        let position = parameters
            .split(',')
            .position(|one| one.split(':').next().map(str::trim) == Some(name))?;
        (!body.contains(';')).then(|| (closure.to_owned(), position))
    }

    /// The expression that a name was last bound to before a place, in the same function.
    fn bound(&self, place: usize, name: &str) -> Option<Range<usize>> {
        let function = self.bare[..place].rfind("fn ")?;
        let lets = self.all("let ", function..place);
        lets.into_iter().rev().find_map(|at| {
            let equals = at
                + [" = ", " =\n"]
                    .iter()
                    .filter_map(|text| self.bare[at..place].find(text))
                    .min()?;
            let is_named = self.bare[at + 4..equals]
                .split(|letter| !is_letter(letter))
                .any(|word| word == name);
            let is_if = self.bare[..at].ends_with("if ");
            let end = self.end(equals + 2, if is_if { b"{" } else { b";" });
            (is_named && end > equals).then_some(equals + 2..end)
        })
    }
}

fn is_letter(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

/// The words for what a server came to that is no answer: they are codes, too.
fn outcomes(all: &[Source]) -> Vec<String> {
    let source = all
        .iter()
        .find(|source| source.bare.contains("enum Outcome {"))
        .expect("there is an Outcome");
    let start = source.bare.find("impl Outcome {").expect("it has words");
    let body = source
        .bodies("word")
        .into_iter()
        .find(|body| body.start > start)
        .expect("it has words");
    let words = source.words(body).into_iter().map(|word| word.0);
    words
        .filter(|word| !["answered", "no-data", "no-name"].contains(&word.as_str()))
        .collect()
}

/// The differences between name servers: name, code, and the predicates that hold of each.
fn kinds(all: &[Source]) -> Option<Vec<(String, String, Vec<String>)>> {
    let source = all
        .iter()
        .find(|source| source.bare.contains("enum Difference {"))?;
    let body = source.bodies("words").into_iter().next()?;
    let mut kinds = Vec::new();
    for at in source.all("Self::", body.clone()) {
        let name: String = source.bare[at + 6..]
            .chars()
            .take_while(|letter| is_letter(*letter))
            .collect();
        let code = source.words(at..source.end(at, b",")).into_iter().next()?.0;
        let holds = |predicate: &&str| {
            let bodies = source.bodies(predicate);
            bodies.into_iter().any(|body| {
                let text = format!("{} ", &source.bare[body]);
                text.split(|letter| !is_letter(letter))
                    .any(|word| word == name)
            })
        };
        let predicates = ["is_refused", "loses_records"]
            .iter()
            .filter(|predicate| holds(predicate));
        kinds.push((
            name.clone(),
            code,
            predicates.map(|one| (*one).to_owned()).collect(),
        ));
    }
    Some(kinds)
}
