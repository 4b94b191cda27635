//! What DANE is missing in a zone: mail hosts without TLSA records, aliases that
//! lead to none, aliases beside other data, wildcards that give nothing.

use std::collections::HashSet;

use crate::lint::around::Around;
use crate::lint::finding::{Finding, Remark, Severity};
use crate::lint::names::Form;
use crate::lint::record::Record;
use crate::name::Name;
use crate::text::source::Library;
use crate::tlsa::Target;
use crate::zone::text::census::{Aliased, Roll};
use crate::zone::text::reader::ReadError;

/// How many aliases may follow each other.
const LONGEST: usize = 12;

/// The zone's aliases and mail hosts beside its TLSA records.
pub(super) struct Mail<'a> {
    library: &'a dyn Library,
    roll: Roll,
    apex: &'a Name,
    owners: HashSet<&'a Name>,
    /// Whether there is a wildcard among those and the aliases.
    has_wildcards: bool,
    around: &'a Around,
}

/// Where an owner leads.
enum End {
    /// To TLSA records, or to where nobody here can see.
    Fine,
    /// To this name, which has none.
    Nothing(Name),
    /// Around in a circle.
    Loop,
}

impl<'a> Mail<'a> {
    pub(super) fn read(
        library: &'a dyn Library,
        apex: &'a Name,
        records: &'a [Record],
        around: &'a Around,
    ) -> Result<Self, ReadError> {
        // What lies below a cut is another zone's matter.
        let roll = Roll::read(library, apex, |name| name.is_within(apex))?;
        let owners: HashSet<&Name> = records.iter().map(|record| &record.owner).collect();
        let is_wildcard = |name: &&Name| name.labels().next() == Some(b"*");
        let has_wildcards = owners
            .iter()
            .copied()
            .chain(roll.aliases.keys())
            .any(|name| is_wildcard(&name));
        Ok(Self {
            library,
            roll,
            apex,
            owners,
            has_wildcards,
            around,
        })
    }

    pub(super) fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (owner, alias, beside) in self.roll.clashes(self.library) {
            // Of TLSA records beside an alias, another finding says more.
            if !self.owners.contains(owner) {
                let message = format!(
                    "{owner} is an alias ({}:{}) and has another record: BIND, NSD and Knot refuse the zone",
                    alias.file, alias.line
                );
                let hint = "leave the alias or the other records (RFC 1034 section 3.6.2)";
                let remark = Remark::new("cname-and-other-data", Severity::Error, message, hint);
                findings.push(remark.at(beside, Some(owner)));
            }
        }
        for (owner, alias) in &self.roll.aliases {
            findings.extend(self.dangling(owner, alias));
        }
        let hosts = self.roll.mail.iter();
        for (host, spot) in hosts.filter(|(host, _)| host.is_within(self.apex)) {
            let remark = self.without_tlsa(host);
            findings.extend(remark.map(|remark| remark.at(spot.place(self.library), Some(host))));
        }
        findings
    }

    fn dangling(&self, owner: &Name, alias: &Aliased) -> Option<Finding> {
        if !matches!(Form::of(owner), Form::Service(..) | Form::EveryPort(_)) {
            return None;
        }
        let (message, hint) = match self.end(owner) {
            End::Fine => return None,
            End::Nothing(end) => (
                format!("{owner} is an alias that leads to {end}, where there is no TLSA record"),
                "add the records there, or take the alias away: clients find no DANE here",
            ),
            End::Loop => (
                format!(
                    "{owner} is an alias that leads in circles or too far, so clients cannot look for TLSA records"
                ),
                "let it lead to the name that has the TLSA records",
            ),
        };
        Some(
            Remark::new("dangling-alias", Severity::Warning, message, hint)
                .at(alias.spot.place(self.library), Some(owner)),
        )
    }

    /// What a mail host in the zone is missing.
    fn without_tlsa(&self, host: &Name) -> Option<Remark> {
        if self.is_cut_off(host) {
            return None;
        }
        if self.roll.aliases.contains_key(host) {
            let message = format!(
                "the mail host {host} is an alias: senders look for TLSA records at the name where it leads first \
                 (RFC 7672 section 2.2.2), and mail hosts should be none (RFC 2181 section 10.3)"
            );
            let hint = "name the host itself in the MX record";
            return Some(Remark::new("mx-alias", Severity::Note, message, hint));
        }
        let owner = Target::Service {
            host: host.clone(),
            port: "25".parse().ok()?,
        }
        .owner()
        .ok()?;
        if !matches!(self.end(&owner), End::Nothing(_)) || self.roll.aliases.contains_key(&owner) {
            return None;
        }
        let message = format!("the mail host {host} has no TLSA record for port 25 ({owner})");
        let hint = "mail to it is not protected by DANE; add its records with danewright patch";
        Some(Remark::new(
            "mx-without-tlsa",
            Severity::Note,
            message,
            hint,
        ))
    }

    /// Whether a name belongs to another zone.
    fn is_cut_off(&self, name: &Name) -> bool {
        !self.roll.cuts.is_empty()
            && name
                .ancestors()
                .take_while(|name| name != self.apex)
                .any(|name| self.roll.cuts.contains(&name))
    }

    fn end(&self, owner: &Name) -> End {
        let mut at = owner.clone();
        for _ in 0..=LONGEST {
            let made = self.around.makes(&at);
            if !at.is_within(self.apex) || self.is_cut_off(&at) || made || self.owners.contains(&at)
            {
                return End::Fine;
            }
            match self.roll.aliases.get(&at) {
                Some(Aliased { to: Some(to), .. }) => at = to.clone(),
                Some(Aliased { to: None, .. }) => return End::Fine,
                None => {
                    let answers = |name: Name| {
                        self.owners.contains(&name) || self.roll.aliases.contains_key(&name)
                    };
                    let mut wild = at
                        .ancestors()
                        .skip(1)
                        .filter_map(|up| up.prepend(b"*").ok());
                    let answered = self.has_wildcards && wild.any(answers);
                    drop(wild);
                    return if answered {
                        End::Fine
                    } else {
                        End::Nothing(at)
                    };
                }
            }
        }
        End::Loop
    }
}
