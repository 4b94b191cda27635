//! What an edit tells of besides itself: aliases that were followed, files that
//! others may read too, what keeps servers from loading the zone anyway.

use crate::finding::{Finding, Severity};
use crate::name::Name;
use crate::zone::edit::alias::Alias;
use crate::zone::edit::error::PlanError;
use crate::zone::edit::patch::Patch;
use crate::zone::edit::plan::{Change, Zone};
use crate::zone::edit::reaching::Who;
use crate::zone::edit::remove::Placed;
use crate::zone::text::author;
use crate::zone::text::census::Roll;

/// In larger zones, aliases beside other data are left to `lint`: nobody waits
/// for two more passes there.
const SMALL: u64 = 20_000;

/// How many of one kind are told one by one.
const FEW: usize = 5;

impl Zone<'_> {
    /// Notes that need no plan.
    pub(super) fn note_surroundings(
        &self,
        change: &Change,
        patch: &mut Patch,
    ) -> Result<(), PlanError> {
        self.note_aliases(change, patch)?;
        self.note_clashes(patch)?;
        self.note_author(patch);
        Ok(())
    }

    /// Tells which owners were asked for and lead elsewhere, and who else leads there.
    fn note_aliases(&self, change: &Change, patch: &mut Patch) -> Result<(), PlanError> {
        for Alias { owner, to, place } in self.aliases() {
            let message = format!(
                "{place}: {owner} is an alias; its records stand at {to} and are edited there"
            );
            patch
                .notes
                .push(Finding::new("alias-followed", Severity::Note, message));
        }
        // What is added harms nobody: a pass more is for those who know of aliases.
        let takes = matches!(change, Change::Remove(records) if records.iter().any(|records| !records.is_empty()));
        let led_to = |owner: &Name| {
            let named = self
                .targets()
                .iter()
                .any(|target| target.host().is_none() && target.base() == owner);
            takes || named || self.aliases().iter().any(|alias| alias.to == *owner)
        };
        if !self
            .targets()
            .iter()
            .filter_map(|target| target.owner().ok())
            .any(|owner| led_to(&owner))
        {
            return Ok(());
        }
        let known = |who: &Who| {
            self.aliases()
                .iter()
                .any(|alias| *who == Who::Owner(alias.owner.clone()))
        };
        let others = self
            .reaching()?
            .iter()
            .filter(|one| led_to(&one.end) && !known(&one.who));
        for one in others.take(FEW) {
            let message = format!(
                "{} leads to {} too: the edit is for it as well",
                one.who, one.end
            );
            patch.notes.push(Finding::new(
                "alias-shares-records",
                Severity::Note,
                message,
            ));
        }
        Ok(())
    }

    fn note_clashes(&self, patch: &mut Patch) -> Result<(), PlanError> {
        if self.records() > SMALL {
            return Ok(());
        }
        let roll = Roll::read(self.library(), self.apex(), |_| false)?;
        for (owner, place, beside) in roll.clashes(self.library()).into_iter().take(FEW) {
            let message = format!(
                "{place}: {owner} is an alias and has another record ({beside}): BIND, NSD and Knot refuse the zone"
            );
            patch.notes.push(Finding::new(
                "cname-and-other-data",
                Severity::Note,
                message,
            ));
        }
        Ok(())
    }

    fn note_author(&self, patch: &mut Patch) {
        let mut head = vec![0; author::HEAD];
        let count = self.library().read_at(0, 0, &mut head).unwrap_or(0);
        if let Some((line, said)) = author::written_by_a_program(head.get(..count).unwrap_or(&[])) {
            let message = format!(
                "{}:{line}: the file says that a program writes it (\"{said}\"): make the change there too, or it is lost",
                self.library().label(0)
            );
            patch
                .notes
                .push(Finding::new("generated-file", Severity::Note, message));
        }
    }

    /// Tells of included files that are edited: who else includes them is not known.
    pub(super) fn note_included(&self, placed: &[Placed], patch: &mut Patch) {
        let mut files: Vec<usize> = placed
            .iter()
            .map(|placed| placed.file)
            .filter(|file| *file != 0)
            .collect();
        files.sort_unstable();
        files.dedup();
        for file in files {
            let message = format!(
                "{} is an included file: another zone or view that includes it as well gets the change without a new \
                 serial, so raise the serial there by hand",
                self.library().label(file)
            );
            patch.notes.push(Finding::new(
                "included-file-edited",
                Severity::Note,
                message,
            ));
        }
    }

    /// Tells of a TTL that `lint` would warn of and nobody asked for.
    pub(super) fn note_ttl(owner: &Name, ttl: Option<u32>, patch: &mut Patch) {
        let (code, why) = match ttl {
            Some(0 | 1) => ("short-ttl", "no cache keeps it"),
            Some(ttl) if ttl > 86_400 => ("long-ttl", "a key change has to wait for twice that"),
            _ => return,
        };
        let seconds = ttl.unwrap_or(0);
        let message = format!(
            "the new records at {owner} take the TTL {seconds} from the lines around them: {why}; --ttl 3600 says another"
        );
        patch
            .notes
            .push(Finding::new(code, Severity::Note, message));
    }
}
