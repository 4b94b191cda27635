//! Who else reaches the records of an owner: aliases in the zone that lead there,
//! right away or over others, also by DNAME (RFC 6672). What is taken out there is gone for them as well.

use std::collections::{HashMap, HashSet};

use crate::name::Name;
use crate::text::source::Library;
use crate::tlsa::Tlsa;
use crate::zone::edit::error::PlanError;
use crate::zone::edit::plan::Zone;
use crate::zone::edit::reaching::{Reaching, Who};
use crate::zone::text::generate::Generate;
use crate::zone::text::labels::Labels;
use crate::zone::text::rdata;
use crate::zone::text::reader::{ReadError, ReadErrorKind, Reader};
use crate::zone::text::rtype::code;
use crate::zone::text::scan::Kind;
use crate::zone::text::skim::Plain;

/// How many aliases may follow each other; no resolver follows as many.
const LONGEST: usize = 20;

/// How many names below DNAMEs are told apart.
const MOST: usize = 1_000;

impl Zone<'_> {
    /// The aliases that lead to the targets' owners, those asked for too.
    pub(super) fn reaching(&self) -> Result<&[Reaching], PlanError> {
        if let Some(known) = self.reaching.get() {
            return Ok(known);
        }
        let ends = self
            .targets()
            .iter()
            .filter_map(|target| target.owner().ok());
        let found = Survey::of(ends).run(self.library(), self.apex())?;
        Ok(self.reaching.get_or_init(|| found))
    }

    /// Refuses to take records away from names that reach them by alias and were not asked for.
    ///
    /// # Errors
    ///
    /// Who else would lose the records that are to `go`, target by target.
    pub fn reached_only_as_asked(&self, go: &[Vec<Tlsa>]) -> Result<(), PlanError> {
        for (target, _) in self
            .targets()
            .iter()
            .zip(go)
            .filter(|(_, go)| !go.is_empty())
        {
            let owner = target.owner().map_err(PlanError::Owner)?;
            let here: Vec<&Reaching> = self
                .reaching()?
                .iter()
                .filter(|reaching| reaching.end == owner)
                .collect();
            let passed = self.passed(&here);
            let asked = |one: &Reaching| match &one.who {
                Who::Owner(name) => {
                    self.aliases().iter().any(|alias| alias.owner == *name) || passed.contains(name)
                }
                Who::Moved(name) => !may_be_service(name) || one.is_with_its_host(),
                Who::Template(_) | Who::Below(_) => false,
            };
            let others: Vec<&Who> = here
                .iter()
                .filter(|one| !asked(one))
                .map(|one| &one.who)
                .collect();
            if !others.is_empty() {
                let asked = self.aliases().iter().filter(|alias| alias.to == owner);
                let asked = asked
                    .map(|alias| alias.owner.clone())
                    .chain([owner.clone()])
                    .collect();
                let owners = others.iter().filter_map(|who| {
                    if let Who::Owner(name) = who {
                        Some(name)
                    } else {
                        None
                    }
                });
                return Err(PlanError::Shared {
                    asked,
                    owners: owners.cloned().collect(),
                    others: others.iter().map(ToString::to_string).collect(),
                    owner,
                });
            }
        }
        Ok(())
    }

    /// The names on the way from those asked for at which no service can be.
    fn passed(&self, here: &[&Reaching]) -> HashSet<Name> {
        let next: HashMap<&Name, &Name> = here
            .iter()
            .filter_map(|one| {
                if let Who::Owner(name) = &one.who {
                    Some((name, &one.to))
                } else {
                    None
                }
            })
            .collect();
        let mut passed = HashSet::new();
        for alias in self.aliases() {
            let mut at = next.get(&alias.owner);
            while let Some(name) = at.filter(|name| !passed.contains(**name)) {
                passed.insert((*name).clone());
                at = next.get(*name);
            }
        }
        passed.retain(|name| !may_be_service(name));
        passed
    }
}

/// Whether clients may ask for TLSA records at the name: it begins with a port, or is a wildcard.
fn may_be_service(name: &Name) -> bool {
    let label = name.labels().next().unwrap_or(&[]);
    let port = label
        .strip_prefix(b"_")
        .is_some_and(|port| !port.is_empty() && port.iter().all(u8::is_ascii_digit));
    port || label == b"*"
}

/// What is known on the way back from the ends.
struct Survey {
    /// Each name that leads to an end, and which.
    known: HashMap<Name, Name>,
    /// The first labels of those, and of all names above them.
    labels: Labels,
    /// Those that lead there over a DNAME, each with the owner of the DNAME that makes it, if one does.
    moved: HashMap<Name, Option<Name>>,
    /// The ends to which more names below DNAMEs lead than are told apart.
    full: HashSet<Name>,
    /// The `$GENERATE`s that were found, by file and offset.
    generates: HashSet<(usize, u64)>,
    found: Vec<Reaching>,
}

impl Survey {
    fn of(ends: impl Iterator<Item = Name>) -> Self {
        let mut survey = Self {
            known: HashMap::new(),
            labels: Labels::default(),
            moved: HashMap::new(),
            full: HashSet::new(),
            generates: HashSet::new(),
            found: Vec::new(),
        };
        for end in ends {
            survey.know(end.clone(), end);
        }
        survey
    }

    /// Takes note of a name that leads to an end.
    fn know(&mut self, name: Name, end: Name) {
        name.labels().for_each(|label| self.labels.insert(label));
        self.known.insert(name, end);
    }

    /// Whether a plain entry leads to none of those known, beyond doubt.
    fn leads_nowhere(&self, text: &[u8], plain: &Plain) -> bool {
        match plain {
            Plain::Record(record) if matches!(record.code, code::CNAME | code::DNAME) => record
                .only_word(text)
                .is_some_and(|to| !self.labels.may_begin(to)),
            Plain::Record(_) | Plain::Blank(_) => true,
        }
    }

    /// Reads the zone until nobody new is found: each time, who leads to those known.
    fn run(mut self, library: &dyn Library, apex: &Name) -> Result<Vec<Reaching>, ReadError> {
        for _ in 0..LONGEST {
            let before = self.found.len();
            let mut reader = Reader::new(library, Some(apex.clone()));
            while reader.advance()? {
                self.look(&reader)?;
                reader.skip_plain(|text, plain| self.leads_nowhere(text, plain))?;
            }
            if self.found.len() == before {
                break;
            }
        }
        Ok(self.found)
    }

    fn look(&mut self, reader: &Reader<'_>) -> Result<(), ReadError> {
        let Some(entry) = reader.entry() else {
            return Ok(());
        };
        let inherited = reader.inherited();
        let origin = inherited.origin.as_deref();
        match entry.kind {
            Kind::Record(fields) if fields.code == code::CNAME => {
                let Some(to) = rdata::leads_to(entry.text, fields, origin) else {
                    return Ok(());
                };
                let Some(end) = self.known.get(&to).cloned() else {
                    return Ok(());
                };
                let owner = inherited.owner_of(entry.text, fields);
                let owner =
                    owner.map_err(|error| reader.error_at(0, ReadErrorKind::Name(error)))?;
                if !self.known.contains_key(&owner) {
                    self.know(owner.clone(), end.clone());
                    let who = if self.moved.contains_key(&to) {
                        self.moved.insert(owner.clone(), None);
                        Who::Moved(owner)
                    } else {
                        Who::Owner(owner)
                    };
                    self.found.push(Reaching {
                        who,
                        to,
                        end,
                        top: None,
                    });
                }
            }
            Kind::Record(fields) if fields.code == code::DNAME => {
                let Some(top) = rdata::leads_to(entry.text, fields, origin) else {
                    return Ok(());
                };
                let owner = inherited.owner_of(entry.text, fields);
                let owner =
                    owner.map_err(|error| reader.error_at(0, ReadErrorKind::Name(error)))?;
                self.look_below(&owner, &top);
            }
            Kind::Control { name, args }
                if name.of(entry.text).eq_ignore_ascii_case(b"$GENERATE") =>
            {
                let Some(generate) = Generate::read(entry.text, args) else {
                    return Ok(());
                };
                let leads = |name: &Name| match generate.code {
                    code::CNAME => generate.leads_to(name, origin),
                    code::DNAME => name
                        .parent()
                        .is_some_and(|up| up.ancestors().any(|up| generate.leads_to(&up, origin))),
                    _ => false,
                };
                // Always the same one, where it leads to several.
                let led = self.known.iter().filter(|(name, _)| leads(name)).min();
                if let Some((to, end)) =
                    led.filter(|_| !self.generates.contains(&(entry.file, entry.offset)))
                {
                    let template = String::from_utf8_lossy(generate.template).into_owned();
                    self.generates.insert((entry.file, entry.offset));
                    self.found.push(Reaching {
                        who: Who::Template(template),
                        to: to.clone(),
                        end: end.clone(),
                        top: None,
                    });
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The names below a DNAME that lead to those known below its target.
    fn look_below(&mut self, owner: &Name, top: &Name) {
        // Names that a DNAME makes are moved on where another leads to that one. Below a DNAME that leads
        // above itself there would be names without end.
        let goes_on = |name: &Name| match self.moved.get(name) {
            Some(Some(by)) => top.is_within(by),
            Some(None) | None => !name.is_within(owner),
        };
        let below = self
            .known
            .iter()
            .filter(|(name, _)| *name != top && name.is_within(top) && goes_on(name));
        let mut below: Vec<(Name, Name)> = below
            .map(|(name, end)| (name.clone(), end.clone()))
            .collect();
        below.sort_unstable();
        for (to, end) in below {
            // What would be too long does not exist (RFC 6672 section 2.2).
            let Some(name) = moved(&to, top, owner).filter(|name| !self.known.contains_key(name))
            else {
                continue;
            };
            if self.moved.len() >= MOST {
                if self.full.insert(end.clone()) {
                    self.found.push(Reaching {
                        who: Who::Below(owner.clone()),
                        to,
                        end,
                        top: None,
                    });
                }
                continue;
            }
            self.know(name.clone(), end.clone());
            self.moved.insert(name.clone(), Some(owner.clone()));
            self.found.push(Reaching {
                who: Who::Moved(name),
                to,
                end,
                top: Some(top.clone()),
            });
        }
    }
}

/// The name below `owner` for which a DNAME that leads to `top` gives this one.
fn moved(name: &Name, top: &Name, owner: &Name) -> Option<Name> {
    let steps = name.labels().count().checked_sub(top.labels().count())?;
    let labels: Vec<&[u8]> = name.labels().take(steps).collect();
    labels
        .into_iter()
        .rev()
        .try_fold(owner.clone(), |below, label| below.prepend(label).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::source::Texts;
    use crate::tlsa::Target;
    use crate::zone::edit::plan::{Change, Request};
    use crate::zone::text::reader::stepping_through;

    const LINES: &[&str] = &[
        "_25._tcp.a CNAME _25._tcp.mail\n",
        "_25._tcp.b CNAME _25._tcp.mail.example.com. ; why\n",
        "_25._tcp.c CNAME ( _25._tcp.a )\n",
        "x CNAME _25._tcp.b\n",
        " CNAME x\n",
        "www CNAME mail\n",
        "@ TXT x\n",
        "sub DNAME example.com.\n",
        "under DNAME mail\n",
        "under DNAME @\n",
        "over DNAME _tcp.mail\n",
        "w DNAME .\n",
        "_25._tcp.\\097 CNAME _25._tcp.mail\n",
        "_25._tcp.e CNAME \\_25._tcp.mail\n",
        "_25._tcp.mail TLSA 3 1 1 DIGEST\n",
        "_25._tcp.mail 60 TLSA 3 1 1 DIGEST\n",
        "_465._tcp.mail TLSA 3 1 1 DIGEST\n",
        "_465._tcp.mail TXT x\n",
        "_25._TCP.mail TXT y\n",
        " TLSA 3 1 1 DIGEST\n",
        "mail A 192.0.2.1\n",
        "mail 60 A 192.0.2.2\n",
        " 70 A 192.0.2.3\n",
        "MAIL A 192.0.2.4\n",
        "z TXT x\n",
        "z 80 TXT y\n",
        "$ORIGIN sub.example.com.\n",
        "$ORIGIN example.com.\n",
        "$TTL 30\n",
        "$GENERATE 1-3 g$ CNAME _25._tcp.mail\n",
        "$INCLUDE part\n",
        "\n; comment\n",
    ];

    fn lines(most: usize) -> impl Strategy<Value = String> {
        let lines = proptest::collection::vec(proptest::sample::select(LINES), 0..most);
        // The end is not near, for there nothing is stepped over any more.
        let end = "zz A 192.0.2.7\n".repeat(9);
        lines.prop_map(move |lines| lines.concat() + &end)
    }

    /// What taking all records at two owners comes to.
    fn removed(library: &Texts) -> String {
        let name = |text| Name::from_user(text).unwrap();
        let ports = ["25", "465"].map(|port| port.parse().unwrap());
        let targets = Target::combine(&[name("mail.example.com")], &ports);
        let zone = match Zone::read(library, Some(name("example.com")), &targets) {
            Ok(zone) => zone,
            Err(error) => return format!("{error:?}"),
        };
        let records = |at| zone.published(at).map(|(tlsa, ..)| tlsa.clone()).collect();
        let go: Vec<Vec<Tlsa>> = (0..zone.targets().len()).map(records).collect();
        let shared = zone.reached_only_as_asked(&go);
        let request = Request {
            change: Change::Remove(go),
            ttl: None,
            serial: crate::zone::edit::serial::Policy::Auto,
            serial_above: None,
        };
        let patch = zone.plan(&request, chrono::DateTime::UNIX_EPOCH);
        format!("{:#?}", (shared, zone.reaching(), patch))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn what_is_stepped_over_changes_no_removal(
            ttl in proptest::sample::select(vec!["$TTL 1h\n", ""]),
            zone in lines(20),
            part in lines(6).prop_map(|part| part.replace("$INCLUDE", ";")),
        ) {
            let digest = "8bd1da95272f7fa4ffb24137fc0ed03aae67e5c4d8b3c50734e1050a7920b922";
            let zone = format!("{ttl}@ 60 SOA ns h 7 2 3 4 5\n@ 60 NS a\n{zone}").replace("DIGEST", digest);
            let part = part.replace("DIGEST", digest);
            let library = Texts::of([("zone".to_owned(), zone.into_bytes()), ("part".to_owned(), part.into_bytes())]);
            let (ours, full) = (removed(&library), stepping_through(|| removed(&library)));
            prop_assert_eq!(ours, full);
        }
    }
}
