//! What stands at and above the owners of TLSA records: hosts, aliases, zone
//! cuts, wildcards. One more pass over the zone that makes a name only of owners
//! whose first label is one of those looked for.

use std::collections::{HashMap, HashSet};

use crate::lint::finding::{Finding, Remark, Severity};
use crate::lint::names::{self, Form};
use crate::lint::record::Record;
use crate::name::Name;
use crate::text::source::Library;
use crate::zone::text::generate::Generate;
use crate::zone::text::rdata::rdata_words;
use crate::zone::text::reader::{Entry, Place, ReadError, Reader};
use crate::zone::text::rtype::code;
use crate::zone::text::scan::{Fields, Kind};
use crate::zone::text::words::Span;

/// What is known of one name.
#[derive(Debug, Default)]
struct Facts {
    has_address: bool,
    alias: Option<Place>,
    cut: Option<Place>,
    dname: Option<Place>,
}

/// The names around the zone's TLSA records.
pub(super) struct Around {
    facts: HashMap<Name, Facts>,
    /// A bit per hash of a first label that is looked for.
    labels: Vec<u64>,
    /// Owners of no known form; an alias may lead to them.
    odd: HashSet<Name>,
    /// Those to which an alias of the zone leads.
    led_to: HashSet<Name>,
    /// Names `_tcp.x` below which there are TLSA records.
    tcp: HashSet<Name>,
    /// Each `$GENERATE`: its text, its words, the origin in force there.
    generated: Vec<(Vec<u8>, Vec<Span>, Option<Name>)>,
}

const TYPE_A: u16 = 1;
const TYPE_AAAA: u16 = 28;

impl Around {
    /// Reads the zone again with these records in mind. What cannot be read was
    /// told of in the first pass.
    pub(super) fn read(
        library: &dyn Library,
        origin: Option<Name>,
        apex: &Name,
        records: &[Record],
    ) -> Result<Self, ReadError> {
        let mut around = Self::expecting(apex, records);
        let mut reader = Reader::new(library, origin);
        // Whether the last owner written is one of those looked for.
        let mut near: Option<bool> = None;
        let mut file = 0;
        loop {
            match reader.advance() {
                Ok(true) => {}
                Ok(false) => return Ok(around),
                Err(error) if super::is_fatal(&error.what) => return Err(error),
                Err(_) if reader.entry().is_none() => return Ok(around),
                Err(_) => {
                    near = None;
                    continue;
                }
            }
            let Some(entry) = reader.entry() else {
                return Ok(around);
            };
            if entry.file != file || entry.offset == 0 {
                (file, near) = (entry.file, None);
            }
            match entry.kind {
                Kind::Record(fields) => {
                    if let Some(span) = fields.owner {
                        near = Some(around.may_matter(span.of(entry.text)));
                    }
                    if near != Some(false) {
                        around.note(&reader, &entry, fields);
                    }
                    if fields.code == code::CNAME && !around.odd.is_empty() {
                        around.follow(&reader, &entry, fields);
                    }
                }
                Kind::Control { name, args } => around.keep_generate(&reader, &entry, *name, args),
                Kind::Blank | Kind::Unread(_) => {}
            }
        }
    }

    fn expecting(apex: &Name, records: &[Record]) -> Self {
        let mut around = Self {
            facts: HashMap::new(),
            labels: vec![0; 1 << 10],
            odd: HashSet::new(),
            led_to: HashSet::new(),
            tcp: HashSet::new(),
            generated: Vec::new(),
        };
        for Record { owner, .. } in records {
            if matches!(Form::of(owner), Form::Other | Form::Nearly) {
                around.odd.insert(owner.clone());
            }
            around.tcp.extend(
                owner
                    .parent()
                    .filter(|up| up.labels().next() == Some(b"_tcp")),
            );
            for name in owner.ancestors().take_while(|name| name.is_within(apex)) {
                let wildcard = name.prepend(b"*").ok();
                let known = around.facts.contains_key(&name);
                for name in [Some(name), wildcard].into_iter().flatten() {
                    let bit = bit_of(name.labels().next().unwrap_or(&[]));
                    around.labels[bit / 64] |= 1 << (bit % 64);
                    around.facts.entry(name).or_default();
                }
                if known {
                    break;
                }
            }
        }
        around
    }

    /// Whether an owner as written may be one that is looked for.
    fn may_matter(&self, token: &[u8]) -> bool {
        if token == b"@" || token.contains(&b'\\') {
            return true;
        }
        let end = memchr::memchr(b'.', token).unwrap_or(token.len());
        let bit = bit_of(&token[..end]);
        self.labels[bit / 64] & (1 << (bit % 64)) != 0
    }

    fn note(&mut self, reader: &Reader<'_>, entry: &Entry<'_>, fields: &Fields) {
        if !matches!(
            fields.code,
            TYPE_A | TYPE_AAAA | code::CNAME | code::NS | code::DNAME
        ) {
            return;
        }
        let Ok(owner) = reader.inherited().owner_of(entry.text, fields) else {
            return;
        };
        let Some(facts) = self.facts.get_mut(&owner) else {
            return;
        };
        let place = || reader.place(fields.rtype.start);
        match fields.code {
            code::CNAME => facts.alias = facts.alias.take().or_else(|| Some(place())),
            code::NS => facts.cut = facts.cut.take().or_else(|| Some(place())),
            code::DNAME => facts.dname = facts.dname.take().or_else(|| Some(place())),
            _ => facts.has_address = true,
        }
    }

    /// Notes where an alias leads, when its owner is one that clients ask for.
    fn follow(&mut self, reader: &Reader<'_>, entry: &Entry<'_>, fields: &Fields) {
        let asked = fields
            .owner
            .is_none_or(|span| matches!(span.of(entry.text), [b'_' | b'*' | b'\\', ..]));
        let target = rdata_words(entry.text, fields)
            .first()
            .filter(|_| asked)
            .map(|word| word.of(entry.text));
        let target = target
            .and_then(|text| Name::from_zone_text(text, reader.inherited().origin.as_deref()).ok());
        self.led_to
            .extend(target.filter(|target| self.odd.contains(target)));
    }

    fn keep_generate(&mut self, reader: &Reader<'_>, entry: &Entry<'_>, name: Span, args: &[Span]) {
        if name.of(entry.text).eq_ignore_ascii_case(b"$GENERATE") {
            let origin = reader.inherited().origin.as_deref().cloned();
            self.generated
                .push((entry.text.to_vec(), args.to_vec(), origin));
        }
    }

    /// Whether a `$GENERATE` makes TLSA records or an alias at a name.
    pub(super) fn makes(&self, name: &Name) -> bool {
        self.generated.iter().any(|(text, args, origin)| {
            let generate = Generate::read(text, args);
            let generate = generate.filter(|made| matches!(made.code, code::TLSA | code::CNAME));
            generate.is_some_and(|generate| generate.makes(name, origin.as_ref()))
        })
    }

    /// Wildcard TLSA records that answer for no host: RFC 4592 section 3.3.1 lets a
    /// wildcard answer for names below which nothing exists.
    fn idle_wildcard(&self, owner: &Name) -> Option<Remark> {
        let parent = owner.parent()?;
        let below = parent
            .prepend(b"_tcp")
            .ok()
            .filter(|tcp| !self.tcp.contains(tcp));
        // A host that only the wildcard gives an address, or the parent as long as nothing is below its _tcp.
        if self.has_host(owner) || (self.has_host(&parent) && below.is_some()) {
            return None;
        }
        Some(Remark::new(
            "idle-wildcard",
            Severity::Warning,
            format!(
                "{owner} gives no client a TLSA record: every host that has an address exists, and a wildcard does not answer below a name that exists"
            ),
            "write _25._tcp and the like for each host, or an alias there to one name with the records",
        ))
    }

    fn has_host(&self, name: &Name) -> bool {
        let answers = |facts: &Facts| facts.has_address || facts.alias.is_some();
        let makes = |(text, args, origin): &(Vec<u8>, Vec<Span>, Option<Name>)| {
            let generate = Generate::read(text, args);
            generate
                .filter(|made| matches!(made.code, TYPE_A | TYPE_AAAA | code::CNAME))
                .is_some_and(|generate| generate.makes(name, origin.as_ref()))
        };
        self.facts.get(name).is_some_and(answers) || self.generated.iter().any(makes)
    }

    /// What stands in the way of the records at this owner, or is missing around
    /// them. `whole` says that everything was read, so that what was not seen is
    /// not there.
    pub(super) fn findings(&self, record: &Record, apex: &Name, whole: bool) -> Vec<Finding> {
        let Record { owner, place, .. } = record;
        let at = |remark: Remark| remark.at(place.clone(), Some(owner));
        let facts = |name: &Name| self.facts.get(name);
        let mut findings = Vec::new();
        if let Some(alias) = facts(owner).and_then(|facts| facts.alias.as_ref()) {
            let message = format!(
                "{owner} is an alias too ({}:{}): BIND refuses the zone",
                alias.file, alias.line
            );
            let hint = "keep the alias or the records; the records may stand where the alias leads";
            findings.push(at(Remark::new(
                "beside-cname",
                Severity::Error,
                message,
                hint,
            )));
        }
        let mut above = owner
            .ancestors()
            .take_while(|name| name != apex && name.is_within(apex));
        if let Some((name, cut)) =
            above.find_map(|name| facts(&name)?.cut.clone().map(|cut| (name, cut)))
        {
            let message = format!(
                "{name} is delegated ({}:{}), so the record is not served",
                cut.file, cut.line
            );
            findings.push(at(Remark::new(
                "below-cut",
                Severity::Warning,
                message,
                "publish the record in the delegated zone",
            )));
            return findings;
        }
        let mut above = owner
            .ancestors()
            .skip(1)
            .take_while(|name| name.is_within(apex));
        if let Some((name, dname)) =
            above.find_map(|name| facts(&name)?.dname.clone().map(|dname| (name, dname)))
        {
            let message = format!(
                "{name} has a DNAME ({}:{}), so nothing exists below it; NSD and Knot refuse the zone",
                dname.file, dname.line
            );
            findings.push(at(Remark::new(
                "below-dname",
                Severity::Error,
                message,
                "publish the record below the DNAME's target",
            )));
            return findings;
        }
        let form = Form::of(owner);
        if !self.led_to.contains(owner) && whole {
            findings.extend(form.remark(owner).map(at));
        }
        if form == Form::Wildcard && whole {
            findings.extend(self.idle_wildcard(owner).map(at));
        }
        if let Some(host) = form
            .host()
            .filter(|host| whole && host.is_within(apex) && !self.has_host(host))
        {
            findings.push(at(self.without_host(owner, host, apex)));
        }
        findings
    }

    /// What to say of records whose host has no address in the zone.
    fn without_host(&self, owner: &Name, host: &Name, apex: &Name) -> Remark {
        if names::is_doubled(host, apex) {
            return Remark::new(
                "doubled-name",
                Severity::Error,
                format!("the zone's name stands twice in {owner}, so no client looks there"),
                "end the owner with a dot, or leave the zone's name away",
            );
        }
        let wildcards = host
            .ancestors()
            .skip(1)
            .take_while(|name| name.is_within(apex));
        let wildcards = wildcards.filter_map(|name| name.prepend(b"*").ok());
        // RFC 4592 section 2.2.2: a name exists when anything exists below it.
        if let Some(wildcard) = wildcards.into_iter().find(|name| self.has_host(name)) {
            return Remark::new(
                "hidden-host",
                Severity::Error,
                format!(
                    "{wildcard} does not answer for {host}: that name exists, with this record below it (RFC 4592)"
                ),
                "give the host A or AAAA records of its own",
            );
        }
        Remark::new(
            "no-host",
            Severity::Warning,
            format!("{host} has neither an address nor an alias in this zone"),
            "is the host's name misspelt, or gone?",
        )
    }
}

/// Which bit stands for a label, whatever the case of its letters.
fn bit_of(label: &[u8]) -> usize {
    // FNV-1a; a clash costs one name that is made for nothing.
    let hash = label.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, octet| {
        (hash ^ u64::from(octet.to_ascii_lowercase())).wrapping_mul(0x0100_0000_01b3)
    });
    usize::try_from(hash >> 48).unwrap_or(0)
}
