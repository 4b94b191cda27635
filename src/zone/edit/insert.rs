//! New records: where their lines go, what they look like, and which TTL they
//! have, so that no line behind them inherits another one.

use crate::name::Name;
use crate::text::source::{Library, read_span};
use crate::text::splice::Splice;
use crate::tlsa::Tlsa;
use crate::zone::edit::error::PlanError;
use crate::zone::edit::index::{AtTarget, Found};
use crate::zone::edit::patch::{Edit, Patch};
use crate::zone::edit::plan::Zone;
use crate::zone::edit::remove::Placed;
use crate::zone::edit::style::{self, Ttl};
use crate::zone::text::generate;
use crate::zone::text::reader::{ReadError, Reader};
use crate::zone::text::scan::Kind;

impl Zone<'_> {
    /// Inserts records at one owner: after the last of their RRset, else after
    /// the last at the owner, at a sibling, at the host, else at the end.
    pub(super) fn insert(
        &self,
        found: &AtTarget,
        owner: &Name,
        add: &[&Tlsa],
        ttl: Option<u32>,
        patch: &mut Patch,
    ) -> Result<Placed, PlanError> {
        if let Some((kin, _)) = found.tlsa.last() {
            self.refuse_shared(kin)?;
            let lines = add.iter().map(|tlsa| style::beside(kin, tlsa)).collect();
            for tlsa in add {
                patch.added.push(Edit {
                    owner: owner.clone(),
                    ttl: kin.ttl,
                    tlsa: (*tlsa).clone(),
                });
            }
            return Ok(self.after(kin, lines));
        }
        let kin = [&found.last, &found.sibling, &found.host]
            .into_iter()
            .flatten()
            .find(|kin| !self.is_shared(kin.file));
        let (template, before) = match (kin, &self.index().last) {
            (Some(kin), _) => (Some(kin), &kin.before),
            (None, last) => (last.as_ref(), &self.index().end),
        };
        let origin = before.inherited.origin.as_deref();
        let (wanted, effective) = match kin {
            Some(kin) => self.ttl_behind(kin, owner, ttl)?,
            None => {
                let stated = template
                    .and_then(|kin| kin.fields.ttl)
                    .map(|(_, seconds)| seconds);
                let inherited = before.inherited.default_ttl.or(before.inherited.last_ttl);
                if ttl.or(stated).is_none() && before.inherited.is_ttl_doubtful() {
                    return Err(PlanError::DoubtfulTtl(owner.clone()));
                }
                (
                    ttl.map_or(Ttl::AsKin, Ttl::State),
                    ttl.or(stated).or(inherited),
                )
            }
        };
        let line = |tlsa: &&Tlsa| match template {
            Some(kin) => style::fresh(kin, owner, origin, wanted, tlsa),
            None => {
                let ttl = ttl.map_or(String::new(), |ttl| format!("{ttl} "));
                format!("{owner} {ttl}IN TLSA {tlsa}").into_bytes()
            }
        };
        let lines = add.iter().map(line).collect();
        if ttl.is_none() {
            Self::note_ttl(owner, effective, patch);
        }
        for tlsa in add {
            patch.added.push(Edit {
                owner: owner.clone(),
                ttl: effective,
                tlsa: (*tlsa).clone(),
            });
        }
        match kin {
            Some(kin) => Ok(self.after(kin, lines)),
            None => self.at_end(lines),
        }
    }

    /// What a new line behind `kin` says about its TTL, and what that comes to.
    ///
    /// Without `$TTL`, what is stated is inherited by the lines behind it as far
    /// as they state none. Where there is such an heir, the new line has to hand
    /// on what the kin does.
    fn ttl_behind(
        &self,
        kin: &Found,
        owner: &Name,
        ttl: Option<u32>,
    ) -> Result<(Ttl, Option<u32>), PlanError> {
        let mut behind = kin.before.inherited.clone();
        behind.pass(&kin.text, &kin.fields);
        let stated = kin.fields.ttl.map(|(_, seconds)| seconds);
        let wanted = ttl.map_or(Ttl::AsKin, Ttl::State);
        if behind.default_ttl.is_some() {
            return Ok((wanted, ttl.or(stated).or(behind.default_ttl)));
        }
        let alike = |seconds: u32| behind.last_ttl == Some(seconds) && !behind.is_ttl_doubtful();
        match ttl.or(stated) {
            Some(seconds) if !has_heir(self.library(), kin)? => Ok((wanted, Some(seconds))),
            // Stated here, it would have to be handed to the heir once the line is removed.
            Some(seconds) if alike(seconds) => Ok((Ttl::Inherit, Some(seconds))),
            Some(_) if ttl.is_some() => Err(PlanError::SpreadingTtl(owner.clone())),
            _ if behind.is_ttl_doubtful() => Err(PlanError::DoubtfulTtl(owner.clone())),
            _ => Ok((Ttl::Inherit, behind.last_ttl.or(kin.ttl))),
        }
    }

    /// Lines behind a record. Where it has no line end to copy, the SOA has.
    fn after(&self, kin: &Found, lines: Vec<Vec<u8>>) -> Placed {
        let ended = kin.text.ends_with(b"\n");
        let model = self
            .index()
            .soas
            .first()
            .filter(|_| !ended)
            .map_or(kin, |soa| &soa.found);
        let text = joined(lines, style::line_end(&model.text), &kin.text);
        let line = kin.line + memchr::memchr_iter(b'\n', &kin.text).count() as u64;
        Placed {
            file: kin.file,
            splice: Splice {
                start: kin.end(),
                end: kin.end(),
                text,
                line,
            },
            before: kin.before.clone(),
        }
    }

    /// At the end of the main file, which keeps or lacks its last line end as before.
    fn at_end(&self, lines: Vec<Vec<u8>>) -> Result<Placed, PlanError> {
        let (file, end) = self.index().end.position();
        let eol = self
            .index()
            .soas
            .first()
            .map_or(&b"\n"[..], |soa| style::line_end(&soa.found.text));
        let tail = read_span(self.library(), file, end.saturating_sub(1), end);
        let tail = tail.map_err(|error| PlanError::Unproven(error.to_string()))?;
        let line = self.index().last.as_ref().map_or(1, |last| last.line);
        let text = joined(lines, eol, &tail);
        Ok(Placed {
            file,
            splice: Splice {
                start: end,
                end,
                text,
                line,
            },
            before: self.index().end.clone(),
        })
    }
}

/// Whether a line behind a record inherits the TTL that it states or hands on.
fn has_heir(library: &dyn Library, kin: &Found) -> Result<bool, ReadError> {
    let mut reader = Reader::from(library, kin.before.clone());
    let mut passed = false;
    while reader.advance()? {
        let Some(entry) = reader.entry() else { break };
        if reader.inherited().default_ttl.is_some() {
            return Ok(false);
        }
        let states = match entry.kind {
            Kind::Record(_) if !passed => {
                passed = true;
                continue;
            }
            Kind::Record(fields) => fields.ttl.is_some(),
            Kind::Control { name, args }
                if name.of(entry.text).eq_ignore_ascii_case(b"$GENERATE") =>
            {
                generate::stated_ttl(entry.text, args).is_some()
            }
            Kind::Control { .. } | Kind::Blank | Kind::Unread(_) => continue,
        };
        return Ok(!states);
    }
    Ok(false)
}

/// Lines with their line ends: behind each where the text `before` ends with
/// one or is empty, otherwise in front of each.
fn joined(lines: Vec<Vec<u8>>, eol: &[u8], before: &[u8]) -> Vec<u8> {
    let ended = before.is_empty() || before.ends_with(b"\n");
    // With a bare LF behind it, the CR that ends a comment would look like a part of the line end.
    let eol = if before.ends_with(b"\r") {
        b"\r\n"
    } else {
        eol
    };
    let mut text = Vec::new();
    for line in lines {
        if !ended {
            text.extend_from_slice(eol);
        }
        text.extend(line);
        if ended {
            text.extend_from_slice(eol);
        }
    }
    text
}
