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
