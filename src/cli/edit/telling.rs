//! Telling the name server, and remembering that until it worked; and whether
//! the file that is edited is the one that the state is about.

use std::path::PathBuf;

use serde_json::{Map, Value, json};

use super::{EditArgs, run};
use crate::cli::{Failure, Ui};
use crate::files::state::told::{self, Claim};
use crate::files::state::{self, StateError};
use crate::name::Name;

/// What a run has to tell the name server of.
pub(super) struct Telling<'a> {
    args: &'a EditArgs,
    apex: &'a Name,
    /// The main file, where links lead.
    file: PathBuf,
}

impl<'a> Telling<'a> {
    pub(super) fn of(args: &'a EditArgs, apex: &'a Name, file: PathBuf) -> Self {
        Self { args, apex, file }
    }

    /// Remembers that the server has to be told, before there is anything to
    /// tell: a run that is killed behind the write cannot do it any more. Where
    /// the write fails, the server may be told once more than needed.
    pub(super) fn expect(&self) -> Result<(), StateError> {
        if self.args.reload.is_empty() {
            Ok(())
        } else {
            self.mark(true)
        }
    }

    fn mark(&self, untold: bool) -> Result<(), StateError> {
        told::mark(
            &state::folder(self.args.state.as_deref())?,
            self.apex,
            &self.file,
            untold,
        )
    }

    /// Whether an earlier run wrote what the server was not told of. A state
    /// that cannot be read knows of none; whoever needs it says so.
    pub(super) fn is_due(&self) -> bool {
        let folder = state::folder(self.args.state.as_deref());
        folder
            .and_then(|folder| told::is_untold(&folder, self.apex, &self.file))
            .unwrap_or(false)
    }

    /// Whether what is written is the zone's, and not a copy of it: words about
    /// a rehearsal would be words about records that nobody serves.
    pub(super) fn is_the_zones(&self, ui: &mut Ui<'_>) -> bool {
        let folder = state::folder(self.args.state.as_deref());
        match folder.and_then(|folder| told::claim(&folder, self.apex, &self.file)) {
            Ok(Claim::Zones) => true,
            Ok(Claim::Another(other)) => {
                ui.caution(format!(
                    "the state knows the zone {} by another file, {}, so it remembers nothing of this edit of {}; \
                     where that other file is a copy, move it away before the next edit",
                    self.apex,
                    other.display(),
                    self.file.display()
                ));
                false
            }
            // Remembering fails for the same reason, and says so.
            Err(_) => true,
        }
    }

    /// Runs the commands of `--reload`.
    pub(super) fn tell(
        &self,
        remembered: Result<(), StateError>,
        json: &mut Map<String, Value>,
        ui: &mut Ui<'_>,
    ) -> Result<(), Failure> {
        for line in &self.args.reload {
            let failed = match run(line, &self.file, self.apex, self.args, "--reload") {
                Ok(ended) if ended.good => continue,
                Ok(ended) => {
                    let message = format!(
                        "the reload failed ({}): {}",
                        ended.status,
                        ended.output.trim()
                    );
                    let failure = Failure::refused(message).at(ended.line);
                    let dynamic = ended.output.contains("dynamic zone");
                    failure.hint(self.next(dynamic, remembered.is_ok()))
                }
                Err(failure) => failure.hint(self.next(false, remembered.is_ok())),
            };
            if let Err(error) = remembered {
                ui.caution(format!(
                    "that the name server has to be told could not be remembered: {error}"
                ));
            }
            json.insert("told".to_owned(), json!(false));
            return Err(Failure {
                json: std::mem::take(json),
                ..failed
            });
        }
        if !self.args.reload.is_empty() {
            json.insert("told".to_owned(), json!(true));
            if let Err(error) = self.mark(false) {
                ui.warn(format!(
                    "that the name server was told could not be remembered: {error}; it will be told again"
                ));
            }
        }
        Ok(())
    }

    fn next(&self, dynamic: bool, remembered: bool) -> String {
        let zone = super::zone_word(self.apex);
        if dynamic {
            return format!(
                "the zone takes dynamic updates, so named keeps it and will write over the file: run \
                 rndc freeze {zone}, then this again with --reload 'rndc thaw {zone}'"
            );
        }
        let then = if remembered {
            "; or run this again, which tells it"
        } else {
            ""
        };
        format!("the zone file is written; tell the name server by hand{then}")
    }
}
