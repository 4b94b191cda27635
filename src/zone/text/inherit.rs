//! What a line of a zone file takes over from the lines before it: origin,
//! owner, TTL (RFC 1035 section 5.1, RFC 2308 section 4). The trap of every
//! editor: a line that goes away takes with it what others inherited.

use std::rc::Rc;

use crate::name::{Name, NameError};
use crate::zone::text::rdata;
use crate::zone::text::rtype::code;
use crate::zone::text::scan::Fields;

/// What is in force before an entry.
#[derive(Clone, Debug, Default)]
pub struct Inherited {
    /// The origin that completes relative names.
    pub origin: Option<Rc<Name>>,
    owner: Option<Owner>,
    /// From `$TTL`, or from an SOA without a TTL before any other TTL.
    pub default_ttl: Option<u32>,
    /// The last TTL that a record stated; used where there is no default.
    pub last_ttl: Option<u32>,
    handed: Handed,
    elsewhere: Elsewhere,
}

/// The TTLs in force for servers that take no default from an SOA, and put back
/// behind an included file what was in force before it.
#[derive(Clone, Copy, Debug, Default)]
struct Elsewhere {
    default: Option<u32>,
    /// The last that was stated; behind an included file the largest of both.
    last: Option<u32>,
}

/// What Knot, and NSD before 4.10, take where there is no default, and NSD also where nothing was stated yet.
const BUILT_IN: u32 = 3_600;

/// Whether the TTL that is handed on without a default is `last_ttl` for every
/// server. Within one owner's lines BIND gives a type the TTL that it had first,
/// and hands that on; others hand on what was stated.
#[derive(Clone, Debug, Default)]
struct Handed {
    doubtful: bool,
    /// The largest that may be handed on.
    longest: Option<u32>,
    /// The types at the present owner, each with what its first record had.
    block: Vec<(u16, First)>,
}

/// The TTL of the first record of a type.
#[derive(Clone, Copy, Debug)]
struct First {
    ttl: Option<u32>,
    longest: Option<u32>,
    sure: bool,
}

/// An owner as written, with the origin at that place; made absolute on demand.
#[derive(Clone, Debug)]
struct Owner {
    token: Vec<u8>,
    origin: Option<Rc<Name>>,
    /// Whether it stands in the file that includes this one.
    outside: bool,
    /// Whether an included file has ended since.
    across: bool,
}

impl PartialEq for Inherited {
    /// Equal when every later line means the same.
    fn eq(&self, other: &Self) -> bool {
        let last = |state: &Self| {
            if state.default_ttl.is_some() {
                None
            } else {
                state.last_ttl
            }
        };
        self.default_ttl == other.default_ttl && last(self) == last(other) && self.same_names(other)
    }
}

impl Inherited {
    /// Whether origin and owner are the same; TTLs may differ.
    #[must_use]
    pub fn same_names(&self, other: &Self) -> bool {
        self.origin == other.origin
            && self.owner.is_some() == other.owner.is_some()
            && self.inherited_owner() == other.inherited_owner()
    }

    /// At the start of a zone file with this origin.
    #[must_use]
    pub fn at_start(origin: Option<Name>) -> Self {
        Self {
            origin: origin.map(Rc::new),
            ..Self::default()
        }
    }

    /// The owner that a line with a leading blank has.
    ///
    /// # Errors
    ///
    /// When there was none yet, or it is no name.
    pub fn inherited_owner(&self) -> Result<Name, NameError> {
        let owner = self.owner.as_ref().ok_or(NameError::Empty)?;
        Name::from_zone_text(&owner.token, owner.origin.as_deref())
    }

    /// That owner as text which means it under the present origin, in its own
    /// letters: BIND takes other letters for another owner when it collects a set.
    #[must_use]
    pub fn owner_text(&self) -> Option<Vec<u8>> {
        let owner = self.owner.as_ref()?;
        let name = self.inherited_owner().ok()?;
        let means_it =
            |text: &[u8]| Name::from_zone_text(text, self.origin.as_deref()).as_ref() == Ok(&name);
        if means_it(&owner.token) {
            return Some(owner.token.clone());
        }
        let origin = owner
            .origin
            .as_deref()
            .filter(|origin| origin.labels().count() > 0);
        let whole = [
            &owner.token,
            &b"."[..],
            origin.map_or(String::new(), Name::to_string).as_bytes(),
        ]
        .concat();
        Some(if means_it(&whole) {
            whole
        } else {
            name.to_string().into_bytes()
        })
    }

    /// Whether the owner of a record is that of the line before to the letter.
    #[must_use]
    pub fn repeats_owner(&self, text: &[u8], fields: &Fields) -> bool {
        let Some(stated) = fields.owner.map(|span| span.of(text)) else {
            return true;
        };
        self.owner
            .as_ref()
            .is_some_and(|owner| owner.token == stated && same(&owner.origin, &self.origin))
    }

    /// Whether a line with a leading blank has an owner.
    #[must_use]
    pub fn has_owner(&self) -> bool {
        self.owner.is_some()
    }

    /// Whether that owner stands in an including file: BIND and NSD hand it on
    /// to the included one, Knot does not.
    #[must_use]
    pub fn owner_is_outside(&self) -> bool {
        self.owner.as_ref().is_some_and(|owner| owner.outside)
    }

    /// Whether that owner stands before an included file that has ended: NSD
    /// before 4.10 takes the last owner of that one.
    #[must_use]
    pub fn owner_is_across(&self) -> bool {
        self.owner.as_ref().is_some_and(|owner| owner.across)
    }

    /// The owner of a record.
    ///
    /// # Errors
    ///
    /// When it is no name, or relative without an origin.
    pub fn owner_of(&self, text: &[u8], fields: &Fields) -> Result<Name, NameError> {
        match fields.owner {
            Some(span) => Name::from_zone_text(span.of(text), self.origin.as_deref()),
            None => self.inherited_owner(),
        }
    }

    /// The TTL of a record in seconds, as BIND reads it; `None` when nothing says it.
    #[must_use]
    pub fn ttl_of(&self, text: &[u8], fields: &Fields) -> Option<u32> {
        let stated = fields.ttl.map(|(_, seconds)| seconds);
        stated
            .or(self.default_ttl)
            .or(self.last_ttl)
            .or_else(|| soa_minimum(text, fields))
    }

    /// The largest TTL that any server reads for a record: so long may a cache have it.
    #[must_use]
    pub fn longest_ttl(&self, text: &[u8], fields: &Fields) -> Option<u32> {
        if let Some((_, seconds)) = fields.ttl {
            return Some(seconds);
        }
        let handed = self.handed.longest.max(self.last_ttl);
        let by_bind = self
            .default_ttl
            .or(handed)
            .or_else(|| soa_minimum(text, fields))?;
        let Elsewhere { default, last } = self.elsewhere;
        Some(by_bind.max(default.unwrap_or(last.unwrap_or(0).max(BUILT_IN))))
    }

    /// Goes past a `$TTL`.
    pub(crate) fn pass_default(&mut self, seconds: u32) {
        (self.default_ttl, self.elsewhere.default) = (Some(seconds), Some(seconds));
    }

    /// Whether servers inherit different TTLs at this point.
    #[must_use]
    pub fn is_ttl_doubtful(&self) -> bool {
        self.default_ttl.is_none() && self.handed.doubtful
    }

    /// Whether servers read different TTLs for a record.
    #[must_use]
    pub fn has_doubtful_ttl(&self, text: &[u8], fields: &Fields) -> bool {
        self.default_ttl.is_none() && {
            let mut behind = self.clone();
            behind.pass(text, fields);
            behind.is_ttl_doubtful()
        }
    }

    /// Goes past a record.
    pub fn pass(&mut self, text: &[u8], fields: &Fields) {
        let stated = fields.ttl.map(|(_, seconds)| seconds);
        let owner = fields.owner.map(|span| span.of(text));
        self.hand_on(None, owner, stated, fields.code);
        self.pass_plain(owner, stated);
        if fields.ttl.is_none()
            && fields.code == code::SOA
            && self.default_ttl.is_none()
            && self.last_ttl.is_none()
        {
            self.default_ttl = soa_minimum(text, fields);
        }
    }

    /// Goes past a `$GENERATE` that states a TTL.
    pub(crate) fn pass_ttl(&mut self, seconds: u32) {
        (self.last_ttl, self.elsewhere.last) = (Some(seconds), Some(seconds));
        (self.handed.doubtful, self.handed.longest) = (false, Some(seconds));
    }

    /// Takes note of a record's TTL, to be done for each as long as there is no
    /// default. `before` is the owner last stated, where that is not yet in force:
    /// both are plain then, and under one origin.
    pub(crate) fn hand_on(
        &mut self,
        before: Option<&[u8]>,
        owner: Option<&[u8]>,
        ttl: Option<u32>,
        code: u16,
    ) {
        if self.default_ttl.is_none() {
            let other = owner.is_some_and(|token| self.is_other_owner(before, token));
            self.last_ttl = ttl.or(self.last_ttl);
            self.handed.pass(other, code, ttl, self.last_ttl);
        }
    }

    /// Goes past records that are no SOA: the last owner and the last TTL that they state.
    pub(crate) fn pass_plain(&mut self, owner: Option<&[u8]>, ttl: Option<u32>) {
        if let Some(token) = owner {
            let owner = self.owner.get_or_insert_with(|| Owner {
                token: Vec::new(),
                origin: None,
                outside: false,
                across: false,
            });
            (owner.outside, owner.across) = (false, false);
            owner.token.clear();
            owner.token.extend_from_slice(token);
            // Counting references costs more than comparing pointers in a file of a million owners.
            if !same(&owner.origin, &self.origin) {
                owner.origin.clone_from(&self.origin);
            }
        }
        self.last_ttl = ttl.or(self.last_ttl);
        self.elsewhere.last = ttl.or(self.elsewhere.last);
    }

    /// Whether the owner stated is beyond doubt another than that of the line before.
    fn is_other_owner(&self, before: Option<&[u8]>, stated: &[u8]) -> bool {
        let (token, origin) = match (before, &self.owner) {
            (Some(before), _) => (before, &self.origin),
            (None, Some(owner)) => (owner.token.as_slice(), &owner.origin),
            (None, None) => return true,
        };
        let is_plain = |token: &[u8]| {
            token != b"@" && (before.is_some() || memchr::memchr2(b'\\', b'"', token).is_none())
        };
        let alike = (token.last() == Some(&b'.')) == (stated.last() == Some(&b'.'));
        if alike && same(origin, &self.origin) && is_plain(token) && is_plain(stated) {
            return !token.eq_ignore_ascii_case(stated);
        }
        let name = |token: &[u8], origin: &Option<Rc<Name>>| {
            Name::from_zone_text(token, origin.as_deref())
        };
        matches!((name(stated, &self.origin), name(token, origin)), (Ok(stated), Ok(before)) if stated != before)
    }

    /// Goes into an included file: its names start from another origin, and
    /// the owner is that of the line before.
    #[must_use]
    pub fn entering(&self, origin: Option<Name>) -> Self {
        let mut inside = self.clone();
        if let Some(origin) = origin {
            inside.origin = Some(Rc::new(origin));
        }
        if let Some(owner) = &mut inside.owner {
            owner.outside = true;
        }
        inside
    }

    /// Comes back from an included file: BIND and NSD 4.15 restore origin and
    /// owner; TTLs stay as the included file left them in BIND.
    #[must_use]
    pub fn returning(mut self, inside: &Self) -> Self {
        if let Some(owner) = &mut self.owner {
            owner.across = true;
        }
        self.elsewhere.last = self.elsewhere.last.max(inside.elsewhere.last);
        Self {
            default_ttl: inside.default_ttl,
            last_ttl: inside.last_ttl,
            handed: inside.handed.clone(),
            ..self
        }
    }
}

impl Handed {
    /// Goes past a record at another owner than that before or perhaps the same,
    /// which states a TTL or inherits one.
    fn pass(&mut self, other: bool, code: u16, stated: Option<u32>, ttl: Option<u32>) {
        if other {
            self.block.clear();
        }
        let sure = stated.is_some() || !self.doubtful;
        let longest = stated.or(self.longest);
        match self.block.iter().find(|(there, _)| *there == code) {
            Some((_, first)) => {
                self.doubtful = !(sure && first.sure && first.ttl == ttl);
                self.longest = longest.max(first.longest);
            }
            None => {
                self.block.push((code, First { ttl, longest, sure }));
                (self.doubtful, self.longest) = (!sure, longest);
            }
        }
    }
}

/// Whether two origins come from one and the same place.
fn same(one: &Option<Rc<Name>>, other: &Option<Rc<Name>>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => Rc::ptr_eq(one, other),
        (None, None) => true,
        _ => false,
    }
}

/// The minimum field of an SOA.
fn soa_minimum(text: &[u8], fields: &Fields) -> Option<u32> {
    if fields.code != code::SOA {
        return None;
    }
    rdata::soa(text, fields).ok().map(|soa| soa.minimum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zone::text::scan::{Kind, entry};

    fn record(text: &str) -> Fields {
        match entry(text.as_bytes(), true).unwrap().kind {
            Kind::Record(fields) => fields,
            kind => unreachable!("{kind:?}"),
        }
    }

    /// What is inherited behind these lines, under an origin.
    fn behind(origin: &str, default: Option<u32>, lines: &[&str]) -> Inherited {
        let mut state = Inherited::at_start(Some(Name::from_user(origin).unwrap()));
        if let Some(seconds) = default {
            state.pass_default(seconds);
        }
        for line in lines {
            state.pass(line.as_bytes(), &record(line));
        }
        state
    }

    #[test]
    fn states_are_equal_where_every_later_line_means_the_same() {
        let plain = || behind("example.com", None, &["a 60 TXT x\n"]);
        let with_default = || behind("example.com", Some(60), &["a 60 TXT x\n"]);
        let other_origin = || behind("example.net", None, &["a.example.com. 60 TXT x\n"]);
        for (one, other, equal, same_names) in [
            (plain(), plain(), true, true),
            // However the owner is spelled.
            (
                plain(),
                behind("example.com", None, &["A.example.com. 60 TXT x\n"]),
                true,
                true,
            ),
            (
                plain(),
                behind("example.com", None, &["b 60 TXT x\n"]),
                false,
                false,
            ),
            (plain(), behind("example.com", None, &[]), false, false),
            (plain(), other_origin(), false, false),
            (
                plain(),
                behind("example.com", None, &["a 61 TXT x\n"]),
                false,
                true,
            ),
            (plain(), with_default(), false, true),
            (
                with_default(),
                behind("example.com", Some(61), &["a 60 TXT x\n"]),
                false,
                true,
            ),
            // With a default, the last TTL is of no use to anybody.
            (
                with_default(),
                behind("example.com", Some(60), &["a 61 TXT x\n"]),
                true,
                true,
            ),
            (
                behind("example.com", None, &[]),
                behind("example.com", None, &[]),
                true,
                true,
            ),
        ] {
            assert_eq!(one == other, equal, "{one:?} and {other:?}");
            assert_eq!(other == one, equal, "{one:?} and {other:?}");
            assert_eq!(one.same_names(&other), same_names, "{one:?} and {other:?}");
            assert_eq!(other.same_names(&one), same_names, "{one:?} and {other:?}");
        }
    }

    #[test]
    fn an_owner_is_repeated_to_the_letter_and_under_one_origin() {
        let repeats =
            |state: &Inherited, line: &str| state.repeats_owner(line.as_bytes(), &record(line));
        let state = behind("example.com", None, &["a 60 TXT x\n"]);
        for (line, repeated) in [
            ("  TXT x\n", true),
            ("a TXT x\n", true),
            ("A TXT x\n", false),
            ("a.example.com. TXT x\n", false),
            ("b TXT x\n", false),
        ] {
            assert_eq!(repeats(&state, line), repeated, "{line}");
        }
        let inside = state.entering(Some(Name::from_user("example.net").unwrap()));
        assert!(!repeats(&inside, "a TXT x\n"));
        assert!(!repeats(&behind("example.com", None, &[]), "a TXT x\n"));
    }

    #[test]
    fn an_owner_is_inside_outside_or_across() {
        let seen = |state: &Inherited| {
            (
                state.has_owner(),
                state.owner_is_outside(),
                state.owner_is_across(),
            )
        };
        let start = behind("example.com", None, &[]);
        assert_eq!(seen(&start), (false, false, false));
        assert_eq!(seen(&start.entering(None)), (false, false, false));
        let state = behind("example.com", None, &["a 60 TXT x\n"]);
        assert_eq!(seen(&state), (true, false, false));
        let mut inside = state.entering(None);
        assert_eq!(seen(&inside), (true, true, false));
        inside.pass(b"  TXT x\n", &record("  TXT x\n"));
        assert_eq!(seen(&inside), (true, true, false));
        inside.pass(b"b TXT x\n", &record("b TXT x\n"));
        assert_eq!(seen(&inside), (true, false, false));
        let mut back = state.returning(&inside);
        assert_eq!(seen(&back), (true, false, true));
        back.pass(b"b TXT x\n", &record("b TXT x\n"));
        assert_eq!(seen(&back), (true, false, false));
    }

    #[test]
    fn only_an_soa_before_any_ttl_sets_a_default() {
        let soa = "@ SOA ns h 1 2 3 4 5\n";
        for (lines, default) in [
            (&[soa][..], Some(5)),
            (&["@ 7 SOA ns h 1 2 3 4 5\n"], None),
            (&["a 60 TXT x\n", soa], None),
            (&["a TXT x\n"], None),
            (&[soa, "@ SOA ns h 1 2 3 4 6\n"], Some(5)),
        ] {
            let state = behind("example.com", None, lines);
            assert_eq!(state.default_ttl, default, "{lines:?}");
        }
        let state = behind("example.com", Some(9), &[soa]);
        assert_eq!(state.default_ttl, Some(9));
    }

    #[test]
    fn another_owner_is_one_beyond_doubt() {
        let state = |owner: &str| behind("example.com", None, &[&format!("{owner} 60 TXT x\n")]);
        for (before, stated, other) in [
            ("a", "a", false),
            ("a", "A", false),
            ("a", "b", true),
            ("a", "a.example.com.", false),
            ("a", "b.example.com.", true),
            ("a.example.com.", "a", false),
            ("a.example.com.", "a.example.com.", false),
            ("a.example.com.", "b.example.com.", true),
            ("a", "\\097", false),
            ("\\097", "a", false),
            ("@", "@", false),
            ("@", "example.com.", false),
            ("@", "a", true),
            ("a", "@", true),
            ("a", "\\09", false),
            // What is no name is refused elsewhere.
            ("a", "a..b", true),
        ] {
            let is_other =
                |before: &str, stated: &str| state(before).is_other_owner(None, stated.as_bytes());
            assert_eq!(is_other(before, stated), other, "{before} {stated}");
        }
        let start = behind("example.com", None, &[]);
        assert!(start.is_other_owner(None, b"a"));
        // What stands before is not yet in force, and plain.
        for (before, stated, other) in [
            (&b"a"[..], &b"A"[..], false),
            (b"a", b"b", true),
            (b"@", b"example.com.", false),
        ] {
            assert_eq!(start.is_other_owner(Some(before), stated), other);
        }
        // A relative name under another origin is another.
        let inside = state("a").entering(Some(Name::from_user("example.net").unwrap()));
        assert!(inside.is_other_owner(None, b"a"));
        assert!(!inside.is_other_owner(None, b"a.example.com."));
    }

    #[test]
    fn a_ttl_is_handed_on_in_doubt_where_records_of_a_type_differ_or_their_first_is_in_doubt() {
        for (lines, doubtful, longest) in [
            (&["a 7000 TXT x\n", "a 7000 TXT y\n"][..], false, 7000),
            (&["a 7000 TXT x\n", "a 7100 TXT y\n"], true, 7100),
            (&["a 7100 TXT x\n", "a 7000 TXT y\n"], true, 7100),
            (&["a 7000 TXT x\n", "a 7100 A 192.0.2.1\n"], false, 7100),
            (&["a 7000 TXT x\n", "b 7100 TXT y\n"], false, 7100),
            // The doubt is inherited, by another owner too, until a TTL is stated.
            (
                &["a 7100 TXT x\n", "a 7000 TXT y\n", "b TXT z\n"],
                true,
                7100,
            ),
            (
                &["a 7100 TXT x\n", "a 7000 TXT y\n", "b 7000 TXT z\n"],
                false,
                7000,
            ),
            (
                &["a 7100 TXT x\n", "a 7000 TXT y\n", "a 7000 A 192.0.2.1\n"],
                false,
                7000,
            ),
            // And it stays with the first of a type that inherited it.
            (
                &[
                    "a 7100 TXT x\n",
                    "a 7000 TXT y\n",
                    "b TXT z\n",
                    "b 7000 TXT w\n",
                ],
                true,
                7100,
            ),
        ] {
            let state = behind("example.com", None, lines);
            let next = "c A 192.0.2.1\n";
            assert_eq!(state.is_ttl_doubtful(), doubtful, "{lines:?}");
            let fields = record(next);
            assert_eq!(
                state.longest_ttl(next.as_bytes(), &fields),
                Some(longest),
                "{lines:?}"
            );
            let mut with_default = state;
            with_default.pass_default(60);
            assert!(!with_default.is_ttl_doubtful());
        }
    }

    #[test]
    fn an_included_file_leaves_its_ttls_and_no_name() {
        let outside = behind("example.com", None, &["a 7000 TXT x\n"]);
        let mut inside = outside.entering(Some(Name::from_user("example.net").unwrap()));
        inside.pass(b"b 60 TXT x\n", &record("b 60 TXT x\n"));
        let back = outside.clone().returning(&inside);
        assert_eq!((back.last_ttl, back.default_ttl), (Some(60), None));
        assert!(back.same_names(&outside));
        // NSD puts the 7000 back.
        let next = "c A 192.0.2.1\n";
        assert_eq!(back.longest_ttl(next.as_bytes(), &record(next)), Some(7000));
        inside.pass_default(90);
        let back = outside.returning(&inside);
        assert_eq!((back.last_ttl, back.default_ttl), (Some(60), Some(90)));
    }
}
