//! What stands at and above the owners of TLSA records: hosts, aliases, zone
//! cuts, wildcards. One more pass over the zone that makes a name only of owners
//! whose first label is one of those looked for, and keeps only what it finds.

use std::collections::{HashMap, HashSet};

use crate::lint::finding::{Finding, Remark, Severity};
use crate::lint::names::{self, Form};
use crate::lint::record::Record;
use crate::name::Name;
use crate::text::source::Library;
use crate::zone::text::generate::Generate;
use crate::zone::text::labels::{Labels, Names};
use crate::zone::text::rdata::rdata_words;
use crate::zone::text::reader::{Entry, Place, ReadError, Reader};
use crate::zone::text::rtype::code;
use crate::zone::text::scan::{Fields, Kind};
use crate::zone::text::skim::Plain;
use crate::zone::text::words::Span;

/// What was found at one name.
#[derive(Debug, Default)]
struct Facts {
    has_address: bool,
    alias: Option<Box<Place>>,
    cut: Option<Box<Place>>,
    dname: Option<Box<Place>>,
}

/// The names around the zone's TLSA records.
pub(super) struct Around {
    facts: HashMap<Name, Facts>,
    /// The first labels of the names looked for.
    labels: Labels,
    /// The owners and the names above them: what keeps their records from clients may stand there.
    above: Names,
    /// The hosts, and the wildcards that may answer for them: addresses matter there.
    hosts: Names,
    apex: Name,
    /// Whether there is a cut or a DNAME at one of them.
    has_obstacles: bool,
    /// Owners of no known form; an alias may lead to them.
    odd: HashSet<Name>,
    /// Those to which an alias of the zone leads.
    led_to: HashSet<Name>,
    /// Names `_tcp.x` below which there are TLSA records.
    tcp: HashSet<Name>,
    /// Each `$GENERATE`: its text, its words, the origin in force there.
    generated: Vec<(Vec<u8>, Vec<Span>, Option<Name>)>,
}

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
            let skipped = around.skip(&mut reader, &mut near);
            match skipped.and_then(|()| reader.advance()) {
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
                        near = Some(around.labels.may_begin(span.of(entry.text)));
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
            labels: Labels::default(),
            above: Names::default(),
            hosts: Names::default(),
            apex: apex.clone(),
            has_obstacles: false,
            odd: HashSet::new(),
            led_to: HashSet::new(),
            tcp: HashSet::new(),
            generated: Vec::new(),
        };
        for Record { owner, .. } in records {
            let form = Form::of(owner);
            if matches!(form, Form::Other | Form::Nearly) {
                around.odd.insert(owner.clone());
            }
            let hosts = match form {
                Form::Service(host, _) | Form::EveryPort(host) => [Some(host), None],
                Form::Wildcard => [Some(owner.clone()), owner.parent()],
                Form::Other | Form::Nearly => [None, None],
            };
            for host in hosts.into_iter().flatten() {
                around.expect_host(&host, apex);
            }
            around.tcp.extend(
                owner
                    .parent()
                    .filter(|up| up.labels().next() == Some(b"_tcp")),
            );
            for name in owner.ancestors().take_while(|name| name.is_within(apex)) {
                around.labels.insert(name.labels().next().unwrap_or(&[]));
                if !around.above.insert(&name) {
                    break;
                }
            }
        }
        around
    }

    /// Takes note of a name at which an address matters, and of the wildcards that may have one for it.
    fn expect_host(&mut self, host: &Name, apex: &Name) {
        if !host.is_within(apex) || !self.hosts.insert(host) {
            return;
        }
        self.labels.insert(host.labels().next().unwrap_or(&[]));
        self.labels.insert(b"*");
        let above = host.ancestors().skip(1);
        for name in above.take_while(|name| name.is_within(apex)) {
            if let Ok(wildcard) = name.prepend(b"*") {
                self.hosts.insert(&wildcard);
            }
        }
    }

    /// Steps over plain records that are not looked for, and takes note of addresses.
    fn skip(&mut self, reader: &mut Reader<'_>, near: &mut Option<bool>) -> Result<(), ReadError> {
        reader.pass()?;
        let origin = reader.inherited().origin.clone();
        let (labels, hosts, facts) = (&self.labels, &self.hosts, &mut self.facts);
        let follows = !self.odd.is_empty();
        reader.skip_plain(|text, plain| {
            let Plain::Record(record) = plain else {
                return true;
            };
            if let Some(owner) = record.owner {
                *near = Some(labels.may_begin(owner.of(text)));
            }
            match record.code {
                code::CNAME => {
                    let asked = |owner: Span| matches!(owner.of(text), [b'_' | b'*', ..]);
                    *near == Some(false) && !(follows && record.owner.is_none_or(asked))
                }
                code::NS | code::DNAME => *near == Some(false),
                code::A | code::AAAA if *near != Some(false) => {
                    let Some(owner) = record.owner else {
                        return false;
                    };
                    let owner = Name::from_zone_text(owner.of(text), origin.as_deref());
                    if let Some(owner) = owner.ok().filter(|owner| hosts.contains(owner)) {
                        facts.entry(owner).or_default().has_address = true;
                    }
                    true
                }
                _ => true,
            }
        })?;
        Ok(())
    }

    fn note(&mut self, reader: &Reader<'_>, entry: &Entry<'_>, fields: &Fields) {
        if !matches!(
            fields.code,
            code::A | code::AAAA | code::CNAME | code::NS | code::DNAME
        ) {
            return;
        }
        let Ok(owner) = reader.inherited().owner_of(entry.text, fields) else {
            return;
        };
        let is_address = matches!(fields.code, code::A | code::AAAA);
        if !self.hosts.contains(&owner) && (is_address || !self.above.contains(&owner)) {
            return;
        }
        // The zone's own NS records are no cut.
        self.has_obstacles |=
            fields.code == code::DNAME || (fields.code == code::NS && owner != self.apex);
        let facts = self.facts.entry(owner).or_default();
        let place = || Box::new(reader.place(fields.rtype.start));
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
                .filter(|made| matches!(made.code, code::A | code::AAAA | code::CNAME))
                .is_some_and(|generate| generate.makes(name, origin.as_ref()))
        };
        self.facts.get(name).is_some_and(answers) || self.generated.iter().any(makes)
    }

    /// What stands in the way of the records at this owner, or is missing around
    /// them. `whole` says that everything was read, so that what was not seen is
    /// not there.
    pub(super) fn findings(
        &self,
        record: &Record,
        form: &Form,
        apex: &Name,
        whole: bool,
    ) -> Vec<Finding> {
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
        // Most zones have nothing of the kind near their records.
        let most = if self.has_obstacles { usize::MAX } else { 0 };
        let mut above = owner
            .ancestors()
            .take(most)
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
            .take(most)
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
        if !self.led_to.contains(owner) && whole {
            findings.extend(form.remark(owner).map(at));
        }
        if *form == Form::Wildcard && whole {
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
