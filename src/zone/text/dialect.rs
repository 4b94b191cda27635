//! Where name servers read a zone's text differently: what to look for in one
//! entry, and who reads it how. `text.rs` lists the readings taken here; this
//! finds the places, so that an operator with two kinds of servers hears of them.

use crate::zone::text::presentation;
use crate::zone::text::rdata::rdata_words;
use crate::zone::text::rtype::code;
use crate::zone::text::scan::{Fields, Kind};
#[cfg(feature = "tool")]
use crate::zone::text::skim::Record;
use crate::zone::text::ttl;
use crate::zone::text::words::{Span, Step, Words};

/// Something that not every name server reads alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Difference {
    /// A comment that ends in a backslash.
    CommentBackslash,
    /// A NUL in a comment.
    Nul,
    /// A TTL of several units, `1h30m`.
    CompoundTtl,
    /// `$ttl` for `$TTL`.
    LowerCaseDirective,
    /// Lines that end in CR LF.
    CarriageReturn,
    /// An octet above 127 outside comments.
    NonAscii,
    /// `"a""b"` or `a"b"`, without a blank.
    GluedStrings,
    /// A line end inside quotes.
    QuotedLineEnd,
    /// `CLASS1` for `IN`.
    GenericClass,
    /// `@x` as an owner.
    AtSign,
    /// `#www` as an owner, where a comment may have been meant.
    HashOwner,
    /// A parenthesis before the owner.
    GroupFirst,
    /// A parenthesis right after a blank owner.
    GroupAfterBlank,
    /// `$GENERATE`.
    Generate,
    /// `$ORIGIN` with a relative name or `@`.
    RelativeOrigin,
    /// `$INCLUDE` with a relative path.
    RelativeInclude,
    /// `$INCLUDE` with a path in quotes.
    QuotedInclude,
    /// `$TTL` in an included file.
    TtlInInclude,
    /// A record without a TTL before any `$TTL`.
    ImplicitTtl,
    /// A blank owner right behind an included file.
    OwnerAfterInclude,
    /// No line end after the last line.
    NoFinalLineEnd,
    /// A number, name, address or run of digits in quotes, with an escape or a plus sign.
    DressedField,
    /// `key1=…` for `alpn=…`.
    NumberedParameter,
    /// Association data split after an odd number of digits.
    SplitHex,
    /// The same SOA record twice.
    TwoSoas,
    /// A record whose owner lies outside the zone.
    OutOfZone,
    /// A line with a leading blank before the first owner of its file.
    BlankBeforeOwner,
}

impl Difference {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.words().0
    }

    /// Who reads it how, as a sentence.
    #[must_use]
    pub fn message(self) -> &'static str {
        self.words().1
    }

    /// What to write instead.
    #[must_use]
    pub fn hint(self) -> &'static str {
        self.words().2
    }

    /// Whether a server in use has lost records over it without a word.
    #[must_use]
    pub fn loses_records(self) -> bool {
        matches!(self, Self::CommentBackslash | Self::Nul)
    }

    /// Whether danewright refuses to edit a zone for it, too.
    #[must_use]
    pub fn is_refused(self) -> bool {
        matches!(self, Self::QuotedLineEnd)
    }

    /// Code, message, hint.
    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::CommentBackslash => (
                "comment-backslash",
                "the comment ends in a backslash: BIND and Knot end it there, some NSD read on and lose the next line",
                "take the backslash away",
            ),
            Self::Nul => (
                "nul-octet",
                "the comment has a NUL octet: some NSD stop reading the file there",
                "take the octet away",
            ),
            Self::CompoundTtl => (
                "compound-ttl",
                "the TTL has several units: NSD from 4.10 refuses 1h30m, others take it",
                "write it in seconds, or with one unit",
            ),
            Self::LowerCaseDirective => (
                "lower-case-directive",
                "the directive is in lower case: NSD from 4.10 refuses it, others take it",
                "write it in capitals",
            ),
            Self::CarriageReturn => (
                "carriage-return",
                "the line ends in CR LF, which Knot refuses",
                "convert the file's line ends to LF",
            ),
            Self::NonAscii => (
                "non-ascii",
                "there is an octet above 127 outside a comment, which Knot refuses",
                "write it as \\DDD",
            ),
            Self::GluedStrings => (
                "glued-strings",
                "a quote follows other text without a blank, which Knot refuses",
                "put a blank between them",
            ),
            Self::QuotedLineEnd => (
                "quoted-line-end",
                "a quoted string goes over a line end: NSD takes it, BIND and Knot refuse the zone",
                "write it as several strings, or the line end as \\010",
            ),
            Self::GenericClass => (
                "generic-class",
                "the class is written as CLASS1, which Knot refuses",
                "write IN",
            ),
            Self::AtSign => (
                "at-sign",
                "the owner begins with @ and goes on: BIND and NSD take it for a name, Knot refuses it",
                "write @ alone for the origin, or \\@ for the character",
            ),
            Self::HashOwner => (
                "hash-owner",
                "the owner begins with #, which begins no comment: NSD reads a record, Knot refuses it, and BIND refuses a host of such a name",
                "comments begin with ;",
            ),
            Self::GroupFirst => (
                "group-first",
                "a parenthesis opens before the owner: BIND takes it, Knot and older NSD refuse it",
                "begin the line with the owner",
            ),
            Self::GroupAfterBlank => (
                "group-after-blank",
                "a parenthesis opens right after a blank owner: NSD before 4.10 refuses it",
                "write the owner, or put TTL, class or type before the parenthesis",
            ),
            Self::Generate => (
                "generate",
                "$GENERATE is for BIND only; the records that it makes are not looked at here",
                "write the records out where another server reads the file",
            ),
            Self::RelativeOrigin => (
                "relative-origin",
                "$ORIGIN has a relative name: BIND completes it, NSD and Knot refuse it",
                "write the name in full, with a dot at its end",
            ),
            Self::RelativeInclude => (
                "relative-include",
                "$INCLUDE has a relative path: BIND and NSD start in their working directory, Knot beside this file",
                "write the path in full",
            ),
            Self::QuotedInclude => (
                "quoted-include",
                "the path of the $INCLUDE is in quotes: older NSD take the quotes for a part of it",
                "write the path without quotes",
            ),
            Self::TtlInInclude => (
                "ttl-in-include",
                "$TTL in an included file: BIND keeps it for the lines after the $INCLUDE, Knot and NSD from 4.10 do not",
                "state $TTL again after the $INCLUDE",
            ),
            Self::ImplicitTtl => (
                "implicit-ttl",
                "the record has no TTL and there was no $TTL: BIND takes the last one stated or the SOA's minimum, Knot 3600",
                "put a $TTL line at the top of the zone",
            ),
            Self::OwnerAfterInclude => (
                "owner-after-include",
                "the owner is blank behind an $INCLUDE: NSD before 4.10 takes the included file's last, others the one before",
                "write the owner",
            ),
            Self::NoFinalLineEnd => (
                "no-final-line-end",
                "the last line has no line end: BIND warns of it",
                "end the file with a line end",
            ),
            Self::DressedField => (
                "dressed-field",
                "a field that is no text has quotes, an escape or a plus sign: NSD takes it, BIND and Knot refuse most",
                "write it without them",
            ),
            Self::NumberedParameter => (
                "numbered-parameter",
                "a service parameter that has a name is written by its number: BIND takes its value for octets, NSD mostly for text, Knot for any octets, so that most values are refused by one of them",
                "write it by its name, as alpn=h2",
            ),
            Self::SplitHex => (
                "split-hex",
                "the association data is split after an odd number of digits, which Knot refuses",
                "split it between octets, or not at all",
            ),
            Self::TwoSoas => (
                "two-soas",
                "the SOA stands twice: BIND and Knot take it, NSD refuses the zone",
                "leave one of them",
            ),
            Self::OutOfZone => (
                "out-of-zone",
                "the owner is outside the zone: BIND ignores the record, NSD refuses the zone",
                "is a $ORIGIN left in force, or the record in the wrong file?",
            ),
            Self::BlankBeforeOwner => (
                "blank-before-owner",
                "the line begins with a blank before the file has stated an owner, which Knot refuses",
                "take the blank away",
            ),
        }
    }
}

/// What an entry has in it, each with the octet it stands at. `included` says
/// whether the entry is in an included file. What needs the lines before it
/// (`ImplicitTtl`, `OwnerAfterInclude`, `TwoSoas`, `OutOfZone`, `BlankBeforeOwner`) is for the caller to see.
pub fn of_entry(
    text: &[u8],
    kind: &Kind,
    included: bool,
    mut found: impl FnMut(Difference, usize),
) {
    if !text.ends_with(b"\n") {
        found(Difference::NoFinalLineEnd, text.len().saturating_sub(1));
    }
    if let Some(at) = memchr::memchr(b'\r', text)
        && text.get(at + 1) == Some(&b'\n')
    {
        found(Difference::CarriageReturn, at);
    }
    match kind {
        Kind::Record(fields) => of_record(text, fields, &mut found),
        Kind::Control { name, args } => of_control(text, *name, args, included, &mut found),
        Kind::Blank | Kind::Unread(_) => {}
    }
    // A plain line has none of these, and in a large zone nearly all are plain.
    if memchr::memchr3(b';', b'"', b'(', text).is_some() || !text.is_ascii() {
        of_words(text, &mut found);
    }
}

/// Whether all servers beyond doubt read an empty line or a comment alike.
#[cfg(feature = "tool")]
pub(crate) fn is_beyond_doubt(line: &[u8]) -> bool {
    // The end of a comment in a backslash, a NUL, or CR LF.
    memchr::memchr3(b'\\', 0, b'\r', line).is_none()
}

/// The same of a plain record that states no TTL of several units.
#[cfg(feature = "tool")]
pub(crate) fn is_plain_beyond_doubt(text: &[u8], record: &Record) -> bool {
    let rest = record.rest.of(text);
    // In other plain data, quotes and plus signs stand where all servers take them.
    let may_differ = matches!(
        record.code,
        code::LOC | code::APL | code::IPSECKEY | code::SVCB | code::HTTPS
    );
    is_beyond_doubt(rest) && !(may_differ && memchr::memchr2(b'"', b'+', rest).is_some())
}

fn of_record(text: &[u8], fields: &Fields, found: &mut impl FnMut(Difference, usize)) {
    if let Some((span, _)) = fields.ttl
        && ttl::is_compound(span.of(text))
    {
        found(Difference::CompoundTtl, span.start);
    }
    if let Some((span, _)) = fields.class
        && span.end - span.start > 2
    {
        found(Difference::GenericClass, span.start);
    }
    if let Some(owner) = fields.owner
        && let [b'@', _, ..] = owner.of(text)
    {
        found(Difference::AtSign, owner.start);
    }
    if let Some(owner) = fields
        .owner
        .filter(|owner| owner.of(text).starts_with(b"#"))
    {
        found(Difference::HashOwner, owner.start);
    }
    of_data(text, fields, found);
    match text.first() {
        Some(b'(') => found(Difference::GroupFirst, 0),
        Some(b' ' | b'\t') => {
            let first = text.iter().position(|octet| !matches!(octet, b' ' | b'\t'));
            if let Some(at) = first.filter(|at| text[*at] == b'(') {
                found(Difference::GroupAfterBlank, at);
            }
        }
        _ => {}
    }
    match fields.code {
        code::SOA => {
            for word in rdata_words(text, fields)
                .iter()
                .skip(3)
                .filter(|word| ttl::is_compound(word.of(text)))
            {
                found(Difference::CompoundTtl, word.start);
            }
        }
        code::TLSA => {
            let words = rdata_words(text, fields);
            let generic = words.first().is_some_and(|word| word.of(text) == b"\\#");
            let chunks = words.get(if generic { 2 } else { 3 }..).unwrap_or(&[]);
            let odd = chunks.iter().find(|word| (word.end - word.start) % 2 == 1);
            if let Some(word) = odd.filter(|_| chunks.len() > 1) {
                found(Difference::SplitHex, word.start);
            }
        }
        _ => {}
    }
}

/// How the data is written.
fn of_data(text: &[u8], fields: &Fields, found: &mut impl FnMut(Difference, usize)) {
    let data = text.get(fields.rtype.end..).unwrap_or(&[]);
    let may_differ = matches!(fields.code, code::SVCB | code::HTTPS)
        || memchr::memchr3(b'"', b'\\', b'+', data).is_some();
    if !may_differ {
        return;
    }
    // What no server takes is told elsewhere.
    let Ok(spelling) = presentation::spelling(text, fields, None) else {
        return;
    };
    for (difference, at) in [
        (Difference::DressedField, spelling.dressed),
        (Difference::NumberedParameter, spelling.numbered),
    ] {
        if let Some(at) = at {
            found(difference, at);
        }
    }
}

fn of_control(
    text: &[u8],
    name: Span,
    args: &[Span],
    included: bool,
    found: &mut impl FnMut(Difference, usize),
) {
    let word = name.of(text);
    if word.iter().any(u8::is_ascii_lowercase) {
        found(Difference::LowerCaseDirective, name.start);
    }
    let Some(first) = args.first() else { return };
    let arg = first.of(text);
    match word.to_ascii_uppercase().as_slice() {
        b"$ORIGIN" if arg.last() != Some(&b'.') => found(Difference::RelativeOrigin, first.start),
        b"$INCLUDE" => {
            if !arg.starts_with(b"/") && !arg.starts_with(b"\"/") {
                found(Difference::RelativeInclude, first.start);
            }
            if arg.starts_with(b"\"") {
                found(Difference::QuotedInclude, first.start);
            }
        }
        b"$TTL" => {
            if ttl::is_compound(arg) {
                found(Difference::CompoundTtl, first.start);
            }
            if included {
                found(Difference::TtlInInclude, name.start);
            }
        }
        b"$GENERATE" => found(Difference::Generate, name.start),
        _ => {}
    }
}

/// What only shows when quotes and comments are told apart.
fn of_words(text: &[u8], found: &mut impl FnMut(Difference, usize)) {
    let mut words = Words::new(text, true);
    // Where the last word ended, and whether it was quoted.
    let mut last = None;
    loop {
        let from = words.at;
        match words.next() {
            Step::Word(span) => {
                let word = span.of(text);
                let is_quoted = word.first() == Some(&b'"');
                if last
                    .is_some_and(|(end, was_quoted)| end == span.start && (was_quoted || is_quoted))
                {
                    found(Difference::GluedStrings, span.start);
                }
                last = Some((span.end, is_quoted));
                if let Some(at) = memchr::memchr(b'\n', word).filter(|_| is_quoted) {
                    found(Difference::QuotedLineEnd, span.start + at);
                }
                if let Some(at) = word.iter().position(|octet| !octet.is_ascii()) {
                    found(Difference::NonAscii, span.start + at);
                }
            }
            Step::Comment => {
                let comment = text.get(from..words.at).unwrap_or(&[]);
                let line = comment.strip_suffix(b"\r").unwrap_or(comment);
                if line.last() == Some(&b'\\') {
                    found(Difference::CommentBackslash, from + line.len() - 1);
                }
                if let Some(at) = memchr::memchr(0, comment) {
                    found(Difference::Nul, from + at);
                }
            }
            Step::Wrong(_) => {}
            Step::More | Step::End => return,
        }
    }
}

/// Whether a TTL has more than one unit.
#[cfg(test)]
mod tests {
    use super::*;
    use crate::zone::text::scan;

    /// The codes found in the first entry of a text, with the text from there.
    fn found(text: &str) -> Vec<(&'static str, String)> {
        let scanned = scan::entry(text.as_bytes(), true).unwrap();
        let mut all = Vec::new();
        of_entry(
            &text.as_bytes()[..scanned.len],
            &scanned.kind,
            true,
            |difference, at| {
                all.push((
                    difference.code(),
                    text.get(at..scanned.len)
                        .unwrap_or("")
                        .chars()
                        .take(4)
                        .collect(),
                ));
            },
        );
        all
    }

    #[test]
    fn each_difference_is_seen_at_its_place_and_not_in_its_twin() {
        for (text, code, at, twin) in [
            (
                "a A 192.0.2.1 ; old \\\n",
                "comment-backslash",
                "\\\n",
                "a A 192.0.2.1 ; old \\.\n",
            ),
            (
                "; C:\\dns\\\r\n",
                "comment-backslash",
                "\\\r\n",
                "; C:\\dns\\ \n",
            ),
            (
                "a 1h30m A 192.0.2.1\n",
                "compound-ttl",
                "1h30",
                "a 90m A 192.0.2.1\n",
            ),
            (
                "$TTL 1d12h\n",
                "compound-ttl",
                "1d12",
                "$INCLUDE \"/1d12h\"\n",
            ),
            (
                "@ SOA a b 1 2h 1h30m 2w 1h\n",
                "compound-ttl",
                "1h30",
                "@ SOA a1h30m b 1 2h 1h 2w 1h\n",
            ),
            (
                "$origin a.example.\n",
                "lower-case-directive",
                "$ori",
                "$ORIGIN a.example.\n",
            ),
            (
                "#www A 192.0.2.1\n",
                "hash-owner",
                "#www",
                "w#w A 192.0.2.1\n",
            ),
            (
                "a TXT \"a\nb\"\n",
                "quoted-line-end",
                "\nb\"\n",
                "a TXT ( \"a\"\n\"b\" )\n",
            ),
            (
                "a A 192.0.2.1\r\n",
                "carriage-return",
                "\r\n",
                "a A 192.0.2.1 ; \r \n",
            ),
            (
                "a TXT \"m\u{fc}ll\"\n",
                "non-ascii",
                "",
                "a TXT mull ; m\u{fc}ll\n",
            ),
            (
                "a TXT \"a\"\"b\"\n",
                "glued-strings",
                "\"b\"\n",
                "a TXT \"a\" \"b\"\n",
            ),
            (
                "a TXT a\"b\"\n",
                "glued-strings",
                "\"b\"\n",
                "a TXT a \"b\"\n",
            ),
            (
                "a CLASS1 A 192.0.2.1\n",
                "generic-class",
                "CLAS",
                "a IN A 192.0.2.1\n",
            ),
            ("@x A 192.0.2.1\n", "at-sign", "@x A", "@ A 192.0.2.1\n"),
            (
                "( a A 192.0.2.1 )\n",
                "group-first",
                "( a ",
                "a ( A 192.0.2.1 )\n",
            ),
            (
                "  ( A 192.0.2.1 )\n",
                "group-after-blank",
                "( A ",
                "  A ( 192.0.2.1 )\n",
            ),
            (
                "$GENERATE 1-9 a$ A 192.0.2.$\n",
                "generate",
                "$GEN",
                "$ORIGIN generate.\n",
            ),
            (
                "$ORIGIN sub\n",
                "relative-origin",
                "sub\n",
                "$ORIGIN sub.example.\n",
            ),
            ("$ORIGIN @\n", "relative-origin", "@\n", "$ORIGIN .\n"),
            (
                "$INCLUDE a.zone\n",
                "relative-include",
                "a.zo",
                "$INCLUDE /a.zone\n",
            ),
            (
                "$INCLUDE \"/a.zone\"\n",
                "quoted-include",
                "\"/a.",
                "$INCLUDE /a.zone\n",
            ),
            ("$TTL 3600\n", "ttl-in-include", "$TTL", "$ORIGIN ttl.\n"),
            ("a A 192.0.2.1", "no-final-line-end", "1", "a A 192.0.2.1\n"),
            (
                "a MX \"10\" mail\n",
                "dressed-field",
                "\"10\"",
                "a TXT \"10\" mail\n",
            ),
            (
                "a MX 10 \"mail\"\n",
                "dressed-field",
                "\"mai",
                "a MX 10 ma\\105l\n",
            ),
            (
                "a MX \\0490 mail\n",
                "dressed-field",
                "\\049",
                "a NAPTR 1 1 \"s\" \"x\" \"\" .\n",
            ),
            (
                "a TLSA +3 1 1 ab\n",
                "dressed-field",
                "+3 1",
                "a CERT PKIX 1 8 AQI+\n",
            ),
            (
                "a A \\# \"4\" c0000201\n",
                "dressed-field",
                "\"4\" ",
                "a A \\# 4 c0000201 ; \"4\"\n",
            ),
            (
                "a A \\# 4 c0 \"000201\"\n",
                "dressed-field",
                "\"000",
                "a TYPE65280 \\# 0 ; +\n",
            ),
            (
                "a CAA 0 \"issue\" \"x\"\n",
                "dressed-field",
                "\"iss",
                "a CAA 0 issue \"x\"\n",
            ),
            (
                "a SVCB 1 . \"alpn=h2\"\n",
                "dressed-field",
                "\"alp",
                "a SVCB 1 . alpn=\"h2\"\n",
            ),
            (
                "a SVCB 1 . port=+443\n",
                "dressed-field",
                "port",
                "a SVCB 1 . port=\"443\" alpn=h\\0502\n",
            ),
            (
                "a SVCB 1 . ech=\"AQ\\073D\"\n",
                "dressed-field",
                "ech=",
                "a SVCB 1 . ech=\"AQI+\"\n",
            ),
            (
                "a LOC 42 \"21\" N 71 W +24m\n",
                "dressed-field",
                "\"21\"",
                "a LOC 42 21 N 71 W +24m\n",
            ),
            (
                "a IPSECKEY 10 \"1\" 2 192.0.2.1\n",
                "dressed-field",
                "\"1\" ",
                "a IPSECKEY 10 1 2 192.0.2.1 AQI+\n",
            ),
            (
                "a HTTPS 1 . port=1 key1=h2\n",
                "numbered-parameter",
                "key1",
                "a HTTPS 1 . alpn=h2 key667=h2\n",
            ),
            (
                "a SVCB 1 . key00004\n",
                "numbered-parameter",
                "key0",
                "a SVCB 1 . key65535=key1\n",
            ),
            (
                "a TLSA 3 1 1 abc d\n",
                "split-hex",
                "abc ",
                "a TLSA 3 1 1 ab cd\n",
            ),
            (
                "a TYPE52 \\# 5 03010 1abcd\n",
                "split-hex",
                "0301",
                "a TYPE52 \\# 5 030101abcd\n",
            ),
        ] {
            let seen = found(text);
            let start = seen
                .iter()
                .find(|(seen, _)| *seen == code)
                .map(|(_, start)| start.as_str());
            assert!(
                start.is_some_and(|start| at.is_empty() || start == at),
                "{text:?}: {seen:?}"
            );
            assert!(
                found(twin).iter().all(|(seen, _)| *seen != code),
                "{twin:?}: {:?}",
                found(twin)
            );
        }
        assert!(
            found("a A 192.0.2.1 ; a\0b\n")
                .iter()
                .any(|(code, _)| *code == "nul-octet")
        );
    }

    #[test]
    fn an_ordinary_entry_has_nothing_that_differs() {
        for text in [
            "mail 3600 IN A 192.0.2.25\n",
            "; a comment\n",
            "\n",
            "a TXT ( \"x;y\" ; z\n  w )\n",
        ] {
            assert_eq!(found(text), [], "{text:?}");
        }
    }
}
