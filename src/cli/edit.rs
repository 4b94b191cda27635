//! What `patch` and `prune` share: opening a zone file under its lock, showing
//! the edit, checking and writing it, and telling the name server.

pub(crate) mod cleared;
mod flags;
mod telling;

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::cli::refusal::{
    foreign, not_ours, replace_failure, soa_without_dot, unopened, unreadable,
};
use crate::cli::{Answer, Failure, Ran, Status, Ui};
use crate::command::{self, Ended};
use crate::files::copy::copy_pieces;
use crate::files::disk::{Disk, Swept};
use crate::files::output;
use crate::files::replace::{ReplaceError, Staged};
use crate::files::state::StateError;
use crate::files::surroundings;
use crate::finding::Finding;
use crate::lint;
use crate::name::Name;
use crate::preview::View;
use crate::report::{diff, printable, printable_lines};
use crate::text::source::Library;
use crate::text::splice::Splice;
use crate::tlsa::Target;
use crate::zone::edit::error::PlanError;
use crate::zone::edit::journal::{NotOurs, Surroundings};
use crate::zone::edit::patch::{Edit, Patch};
use crate::zone::edit::plan::Zone;

pub use flags::{EditArgs, SerialStyle};
use telling::Telling;

/// What came of files that are in place.
struct Written {
    /// Whether it is remembered that the server has to be told.
    remembered: Result<(), StateError>,
    /// Whether a crash of the machine leaves them there.
    synced: Result<(), Failure>,
}

/// A zone file, open and locked.
pub struct Opened {
    /// The zone's files.
    pub disk: Disk,
    /// Of the file as it was named, and where links lead: servers name journals after the former.
    surroundings: [Surroundings; 2],
    origin: Option<Name>,
    stated: bool,
    path: PathBuf,
    /// Why another run may be at work on the files, where that matters and cannot be ruled out.
    unlocked: Option<String>,
}

impl Opened {
    /// Opens and locks a zone file.
    ///
    /// # Errors
    ///
    /// When it cannot be opened, is locked, or is not text.
    pub fn open(path: &Path, args: &EditArgs) -> Result<Self, Failure> {
        let failed = |error| unreadable(path, &error);
        if path.is_dir() {
            return Err(failed(std::io::ErrorKind::IsADirectory.into()));
        }
        // The checks of a rehearsal see files beside those of the zone, as a run that writes has them.
        let rehearses = args.dry_run && !args.check.is_empty();
        let directory = args.directory.as_deref();
        let locked = (args.in_place() || rehearses).then(|| Disk::locked(path, directory));
        let (disk, unlocked) = match locked {
            Some(Ok(disk)) => (disk, None),
            Some(Err(error)) if !rehearses => return Err(unopened(path, error)),
            Some(Err(error)) => (
                Disk::open(path, directory).map_err(failed)?,
                Some(unopened(path, error).message),
            ),
            None => (Disk::open(path, directory).map_err(failed)?, None),
        };
        let resolved = disk
            .with(0, |opened| opened.path.clone())
            .unwrap_or_else(|| path.to_owned());
        let surroundings = [
            surroundings(path).map_err(failed)?,
            surroundings(&resolved).map_err(failed)?,
        ];
        if surroundings[0].is_binary() {
            return Err(not_ours(path, NotOurs::Binary, ""));
        }
        if surroundings[0].head.is_empty() {
            return Err(Failure::wrong("the file is empty")
                .at(path.display())
                .hint("a zone starts with its SOA record"));
        }
        let stated = args.origin.as_deref().map(|text| {
            Name::zone_from_user(text)
                .map_err(|error| Failure::wrong(error).at(format!("--origin {text}")))
        });
        let stated = stated.transpose()?;
        let origin = stated.clone().or_else(|| origin_of(path));
        Ok(Self {
            disk,
            surroundings,
            origin,
            stated: stated.is_some(),
            path: path.to_owned(),
            unlocked,
        })
    }

    /// Reads the zone for these targets.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is not a file to be edited by hand.
    pub fn zone(&self, targets: &[Target]) -> Result<Zone<'_>, Failure> {
        if let Some((name, place)) = lint::soa_without_dot(&self.disk, self.origin.clone()) {
            return Err(soa_without_dot(&name, &place));
        }
        let read = |origin| {
            Zone::read(&self.disk, origin, targets).map_err(|error| self.plan_failure(error))
        };
        // The file's name may say nothing, or something else than its SOA, which is the zone and
        // mostly stands on top: a large file need not be read twice for that.
        let found = if self.stated {
            None
        } else {
            lint::apex(&self.disk, self.origin.clone()).ok().flatten()
        };
        let origin = found.or_else(|| self.origin.clone());
        let mut zone = read(origin.clone())?;
        if !self.stated && origin.as_ref() != Some(zone.apex()) {
            zone = read(Some(zone.apex().clone()))?;
        }
        if let (true, Some(origin)) = (self.stated, &self.origin)
            && origin != zone.apex()
        {
            let message = format!(
                "the SOA in the file is that of {}, not of {origin}",
                zone.apex()
            );
            return Err(Failure::wrong(message)
                .at(self.path.display())
                .hint("name the zone's own file, or leave --origin away"));
        }
        for surroundings in &self.surroundings {
            surroundings
                .allow(zone.serial())
                .map_err(|why| not_ours(&self.path, why, &zone_word(zone.apex())))?;
        }
        Ok(zone)
    }

    /// Shows, checks, writes the patch and tells the server, as the flags say.
    /// `remember` runs when nothing is left to do but to put the files in place: a run that is
    /// killed behind that has left its word, and one too many only lengthens a hold.
    ///
    /// # Errors
    ///
    /// What went wrong; unless it says otherwise, the file is as it was.
    pub fn carry_out(
        &self,
        zone: &Zone<'_>,
        patch: &Patch,
        args: &EditArgs,
        ui: &mut Ui<'_>,
        remember: impl FnOnce(&mut Ui<'_>),
    ) -> Ran {
        let writes = args.in_place() && !patch.is_empty();
        let mut json = edits_json(zone, patch, writes);
        json.insert(
            "files".to_owned(),
            json!(
                zone.files()
                    .map(|file| self.disk.label(file))
                    .collect::<Vec<_>>()
            ),
        );
        let edited = patch
            .splices()
            .iter()
            .map(|(file, _)| json!(self.disk.label(*file)));
        json.insert("edited".to_owned(), edited.collect());
        let mut text = String::new();
        if args.dry_run || args.diff {
            let mut bytes = Vec::new();
            for (file, splices) in patch.splices() {
                let part = diff::unified(&self.disk, *file, splices)
                    .map_err(|error| unreadable(&self.path, &error))?;
                bytes.extend(part);
            }
            json.insert("diff".to_owned(), json!(String::from_utf8_lossy(&bytes)));
            show(&bytes, ui)?;
        }
        for note in &patch.notes {
            ui.talk(format!("note: {}", note.message));
        }
        if let Some(output) = args.output.as_deref().filter(|_| !args.dry_run) {
            self.write_elsewhere(output, zone, patch, ui)?;
            return Ok(Answer {
                status: Status::Good,
                text,
                json,
            });
        }
        if !args.dry_run {
            if let Some(taken) = self.disk.in_the_way() {
                return Err(Failure::wrong(
                    "a file of the zone has a name that danewright uses for its own work",
                )
                .at(taken.display())
                .hint("nothing was written; rename the file, and name it so in its $INCLUDE"));
            }
            self.tell_swept(args, ui);
        }
        let main = self
            .disk
            .with(0, |opened| opened.path.clone())
            .unwrap_or_default();
        let telling = Telling::of(args, zone.apex(), main);
        let due = args.in_place() && telling.is_due();
        let mut remembered = Ok(());
        if writes {
            self.refuse_foreign(patch, args)?;
            self.warn_of_links(patch, ui);
            let written = self.write(zone, patch, args, || {
                if telling.is_the_zones(ui) {
                    remember(ui);
                }
                telling.expect()
            })?;
            written.synced?;
            remembered = written.remembered;
        } else if due && args.reload.is_empty() {
            ui.caution("an earlier change has not been told to the name server; run this again with --reload");
        }
        let mut summary = summary(zone, patch, writes, &self.path, &self.disk);
        if writes {
            self.name_files(patch, &mut summary, &mut json);
        }
        if due && !writes && !args.reload.is_empty() {
            summary.push_str(
                "an earlier change had not been told to the name server; it is told now\n",
            );
        }
        if args.dry_run && !args.check.is_empty() && !patch.is_empty() {
            let checked = self.rehearse(zone, patch, args);
            let checked = checked.map_err(|failure| Failure {
                json: std::mem::take(&mut json),
                ..failure
            })?;
            json.insert("checked".to_owned(), json!(checked.is_ok()));
            match checked {
                Ok(()) => ui.talk("note: the new file passes every --check"),
                Err(why) => ui.warn(format!("--check was not run: {why}")),
            }
        }
        if args.dry_run || args.diff {
            ui.talk(summary.trim_end());
        } else {
            text = printable(&summary);
        }
        if writes || due {
            let told = telling.tell(remembered, &mut json, ui);
            // A named that has read the new file goes on from there.
            if writes && (args.reload.is_empty() || told.is_err()) {
                self.warn_of_journal(zone, ui);
            }
            told?;
        }
        Ok(Answer {
            status: Status::Good,
            text,
            json,
        })
    }

    /// Names each file that got a new text, but the zone file itself where that is named already.
    fn name_files(&self, patch: &Patch, summary: &mut String, json: &mut Map<String, Value>) {
        let mut names = Vec::new();
        for (file, _) in patch.splices() {
            let name = self.disk.with(*file, |opened| {
                if opened.named.is_symlink() {
                    format!("{} (a link to {})", opened.label, opened.path.display())
                } else {
                    opened.label.clone()
                }
            });
            names.extend(name);
        }
        if names.len() > 1
            || names
                .first()
                .is_none_or(|name| *name != self.path.display().to_string())
        {
            for name in &names {
                summary.push_str(&format!("new text in {name}\n"));
            }
        }
        json.insert("replaced".to_owned(), json!(names));
    }

    /// Removes what runs that were killed have left, and says what may be missed.
    fn tell_swept(&self, args: &EditArgs, ui: &mut Ui<'_>) {
        for swept in self.disk.sweep(args.write_foreign) {
            match swept {
                Swept::Old(path) => ui.talk(format!(
                    "note: a run that was ended had left what stood in a file before it; it is removed: {}",
                    path.display()
                )),
                Swept::Kept(path) => ui.warn(format!(
                    "a run that was ended had left what stood in a file before it, and somebody may have \
                     written to that since: look whether {} has something that is missing",
                    path.display()
                )),
            }
        }
    }

    /// What root does not write unasked.
    fn refuse_foreign(&self, patch: &Patch, args: &EditArgs) -> Result<(), Failure> {
        let files = patch.splices().iter().map(|(file, _)| *file);
        match files
            .filter(|_| !args.write_foreign)
            .find_map(|file| self.disk.foreign(file))
        {
            Some(found) => Err(foreign(&found)),
            None => Ok(()),
        }
    }

    /// A replaced file is a new one: its other hard links keep the old text.
    fn warn_of_links(&self, patch: &Patch, ui: &mut Ui<'_>) {
        for (file, _) in patch.splices() {
            let links = self.disk.with(*file, |opened| {
                std::fs::metadata(&opened.path).map_or(1, |meta| meta.nlink())
            });
            if links.is_some_and(|links| links > 1) {
                ui.warn(format!(
                    "{} has other hard links, which keep the old text",
                    self.disk.label(*file)
                ));
            }
        }
    }

    /// A running named compares the new file with what it serves. One that starts
    /// wants to go on from the journal to the file, and where it cannot (9.18:
    /// "journal out of sync with zone") does not load the zone at all.
    fn warn_of_journal(&self, zone: &Zone<'_>, ui: &mut Ui<'_>) {
        if self
            .surroundings
            .iter()
            .any(|surroundings| surroundings.journal.is_some())
        {
            let zone = zone_word(zone.apex());
            ui.warn(format!(
                "there is a journal ({}.jnl): let named read the new file with rndc reload {zone}; \
                 if named is stopped, or stops before that, move the journal away before it starts",
                self.path.display()
            ));
        }
    }

    /// Checks and replaces the files. Before the first of them changes, `remember`
    /// leaves the words that nobody could find out behind it, and says whether one
    /// is that the server has to be told.
    fn write(
        &self,
        zone: &Zone<'_>,
        patch: &Patch,
        args: &EditArgs,
        remember: impl FnOnce() -> Result<(), StateError>,
    ) -> Result<Written, Failure> {
        let staged = Staged::write(&self.disk, patch.splices(), zone.serial_file())
            .map_err(replace_failure)?;
        self.check(zone, patch, &staged, args)?;
        if let Some(suffix) = &args.backup {
            staged
                .back_up(&self.disk, suffix)
                .map_err(replace_failure)?;
        }
        let remembered = remember();
        match staged.commit() {
            Ok(()) => Ok(Written {
                remembered,
                synced: Ok(()),
            }),
            Err(error @ ReplaceError::NotSynced(..)) => Ok(Written {
                remembered,
                synced: Err(replace_failure(error)),
            }),
            Err(error) => Err(replace_failure(error)),
        }
    }

    /// Lets the user's commands see the zone as it would be, and takes it away again. Inside:
    /// why they could not be shown it.
    fn rehearse(
        &self,
        zone: &Zone<'_>,
        patch: &Patch,
        args: &EditArgs,
    ) -> Result<Result<(), String>, Failure> {
        if let Some(why) = &self.unlocked {
            return Ok(Err(why.clone()));
        }
        if let Some(taken) = self.disk.in_the_way() {
            return Ok(Err(format!(
                "{} has a name that danewright uses for its own work",
                taken.display()
            )));
        }
        let staged = match Staged::write(&self.disk, patch.splices(), zone.serial_file()) {
            Ok(staged) => staged,
            Err(error) => {
                let Failure { message, place, .. } = replace_failure(error);
                return Ok(Err(format!("{message} ({})", place.unwrap_or_default())));
            }
        };
        self.check(zone, patch, &staged, args).map(Ok)
    }

    /// Lets the user's commands see the zone as it will be.
    fn check(
        &self,
        zone: &Zone<'_>,
        patch: &Patch,
        staged: &Staged,
        args: &EditArgs,
    ) -> Result<(), Failure> {
        if args.check.is_empty() {
            return Ok(());
        }
        let view = View::of(&self.disk, staged, patch.splices(), zone.apex());
        let view = view.map_err(|error| {
            Failure::wrong(error)
                .at(self.path.display())
                .hint("nothing was written; leave --check away, or check by hand")
        })?;
        for line in &args.check {
            let ended = run(line, view.main(), zone.apex(), args, "--check")?;
            if !ended.good {
                let message = format!(
                    "the check refused the new file ({}): {}",
                    ended.status,
                    ended.output.trim()
                );
                return Err(Failure::refused(message)
                    .at(ended.line)
                    .hint("nothing was written; the zone file is as it was"));
            }
        }
        Ok(())
    }

    /// Writes the edited main file to another place.
    fn write_elsewhere(
        &self,
        output: &Path,
        zone: &Zone<'_>,
        patch: &Patch,
        ui: &mut Ui<'_>,
    ) -> Result<(), Failure> {
        if patch.splices().iter().any(|(file, _)| *file != 0) {
            let hint = "leave --output away to change the included file in place";
            return Err(Failure::wrong(
                "the edit touches an included file, which --output cannot hold",
            )
            .at(output.display())
            .hint(hint));
        }
        let splices = patch
            .splices()
            .first()
            .map_or(&[][..], |(_, splices)| splices);
        let failed = |error: std::io::Error| {
            Failure::wrong(format!("the output cannot be written: {error}")).at(output.display())
        };
        let is_zone = |file: usize| {
            self.disk.with(file, |opened| {
                Some(&opened.path) == output.canonicalize().ok().as_ref()
            })
        };
        if zone.files().any(|file| is_zone(file) == Some(true)) {
            return Err(Failure::wrong("the output is the zone itself")
                .at(output.display())
                .hint("leave --output away to write in place"));
        }
        // Renaming a file over a device or a pipe would take it away from everybody else.
        let special = std::fs::metadata(output).is_ok_and(|meta| !meta.is_file() && !meta.is_dir());
        self.copy_to(output, special, splices, ui).map_err(failed)
    }

    fn copy_to(
        &self,
        output: &Path,
        special: bool,
        splices: &[Splice],
        ui: &mut Ui<'_>,
    ) -> std::io::Result<()> {
        let original = self.disk.handle(0)?;
        if output != Path::new("-") && !special {
            // The zone's mode comes when it is complete.
            return output::write(output, 0o600, |new| {
                copy_pieces(&original, splices, new)?;
                new.set_permissions(original.metadata()?.permissions())?;
                new.sync_all()
            });
        }
        if !special && ui.json() {
            return Err(std::io::Error::other(
                "stdout already carries the JSON document",
            ));
        }
        let mut spool = tempfile::tempfile()?;
        copy_pieces(&original, splices, &spool)?;
        std::io::Seek::rewind(&mut spool)?;
        if special {
            let mut out = std::fs::OpenOptions::new().write(true).open(output)?;
            return std::io::copy(&mut spool, &mut out).map(|_| ());
        }
        std::io::copy(&mut spool, ui.out()).map(|_| ())
    }

    /// What to say of a plan that failed.
    #[must_use]
    pub fn plan_failure(&self, error: PlanError) -> Failure {
        crate::cli::refusal::failure(error, &self.path)
    }
}

/// The zone's name when the file's name is one: `example.com.zone`, `db.example.com`.
pub(crate) fn origin_of(path: &Path) -> Option<Name> {
    let file = path.file_name()?.to_str()?;
    let file = file.strip_prefix("db.").unwrap_or(file);
    let endings = [".zone", ".db", ".hosts", ".txt"];
    let stem = endings
        .iter()
        .find_map(|ending| file.strip_suffix(ending))
        .unwrap_or(file);
    if !stem.contains('.') {
        return None;
    }
    Name::from_user(stem).ok()
}

fn zone_word(apex: &Name) -> String {
    apex.to_string().trim_end_matches('.').to_owned()
}

fn run(
    line: &str,
    file: &Path,
    apex: &Name,
    args: &EditArgs,
    flag: &str,
) -> Result<Ended, Failure> {
    let words = command::split(line).unwrap_or_default();
    command::run(&words, file, &zone_word(apex), args.command_timeout).map_err(|error| {
        Failure::wrong(format!("the command cannot be started: {error}"))
            .at(format!("{flag} {line}"))
    })
}

/// A diff is shown as it is to programs, and made safe for a terminal.
fn show(bytes: &[u8], ui: &mut Ui<'_>) -> Result<(), Failure> {
    if ui.json() {
        return Ok(());
    }
    let written = if ui.width().is_some() {
        let safe = printable_lines(&String::from_utf8_lossy(bytes));
        ui.out().write_all(safe.as_bytes())
    } else {
        ui.out().write_all(bytes)
    };
    written.map_err(|error| Failure::wrong(format!("the diff cannot be printed: {error}")))
}

fn edits_json(zone: &Zone<'_>, patch: &Patch, written: bool) -> Map<String, Value> {
    let edit = |edit: &Edit| json!({"owner": edit.owner.to_string(), "ttl": edit.ttl, "record": edit.tlsa.to_string()});
    let mut json = Map::new();
    json.insert("zone".to_owned(), json!(zone.apex().to_string()));
    let aliases = zone.aliases().iter().map(|alias| {
        json!({"owner": alias.owner.to_string(), "target": alias.to.to_string(), "place": alias.place.to_string()})
    });
    json.insert("aliases".to_owned(), aliases.collect());
    json.insert("changed".to_owned(), json!(!patch.is_empty()));
    json.insert("written".to_owned(), json!(written));
    json.insert("added".to_owned(), patch.added.iter().map(edit).collect());
    json.insert(
        "removed".to_owned(),
        patch.removed.iter().map(edit).collect(),
    );
    let (before, after) = patch.serial.unwrap_or((zone.serial(), zone.serial()));
    json.insert(
        "serial".to_owned(),
        json!({"before": before, "after": after}),
    );
    let finding = |note: &Finding| json!({"code": note.code, "severity": note.severity.word(), "message": note.message});
    json.insert(
        "findings".to_owned(),
        patch.notes.iter().map(finding).collect(),
    );
    json
}

fn summary(zone: &Zone<'_>, patch: &Patch, written: bool, path: &Path, disk: &Disk) -> String {
    if patch.is_empty() {
        return format!("{} is already as asked; nothing to write\n", path.display());
    }
    let mut text = String::new();
    for (sign, edits) in [("+", &patch.added), ("-", &patch.removed)] {
        for edit in edits {
            let ttl = edit.ttl.map_or(String::new(), |ttl| format!(" {ttl}"));
            text.push_str(&format!(
                "{sign} {}{ttl} IN TLSA {}\n",
                edit.owner, edit.tlsa
            ));
        }
    }
    let (before, after) = patch.serial.unwrap_or((zone.serial(), zone.serial()));
    let verb = if written { "written" } else { "not written" };
    // The file as it was named, and the included ones that change.
    let included = patch
        .splices()
        .iter()
        .filter(|(file, _)| *file != 0)
        .map(|(file, _)| disk.label(*file));
    let main = patch
        .splices()
        .iter()
        .any(|(file, _)| *file == 0)
        .then(|| path.display().to_string());
    let files: Vec<String> = main.into_iter().chain(included).collect();
    text.push_str(&format!(
        "{} {verb}, serial {before} -> {after}\n",
        files.join(" and ")
    ));
    text
}
