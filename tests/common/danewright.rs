//! The binary under test, as a person or a script would call it.

use std::ffi::OsStr;
use std::path::Path;

use serde_json::Value;

use super::process::{Ran, command};

/// Runs danewright in a folder, with that folder for a home.
pub(crate) fn danewright<S: AsRef<OsStr>>(folder: &Path, args: &[S]) -> Ran {
    let mut command = command(env!("CARGO_BIN_EXE_danewright"));
    command.args(args).current_dir(folder).env("HOME", folder);
    for name in [
        "XDG_STATE_HOME",
        "XDG_CONFIG_HOME",
        "XDG_CACHE_HOME",
        "STATE_DIRECTORY",
    ] {
        command.env_remove(name);
    }
    Ran::from(command.output().expect("cargo has built danewright"))
}

/// What a command with `--json` answered.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) status: i32,
    pub(crate) document: Value,
}

impl From<Ran> for Seen {
    fn from(ran: Ran) -> Self {
        let document: Value = serde_json::from_str(&ran.out).unwrap_or(Value::Null);
        assert_eq!(
            document["status"], ran.status,
            "one document that says the status: {ran:#?}"
        );
        Self {
            status: ran.status,
            document,
        }
    }
}

impl Seen {
    pub(crate) fn verdict(&self) -> &str {
        self.document["verdict"].as_str().unwrap_or_default()
    }

    /// Every finding about a target.
    fn findings(&self) -> Vec<&Value> {
        let targets = self.document["targets"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        targets
            .iter()
            .flat_map(|target| target["findings"].as_array().into_iter().flatten())
            .collect()
    }

    pub(crate) fn has(&self, code: &str, severity: &str) -> bool {
        self.findings()
            .iter()
            .any(|finding| finding["code"] == code && finding["severity"] == severity)
    }

    /// The servers that a finding names, by their first label, in order.
    pub(crate) fn blamed(&self, code: &str, severity: &str) -> Vec<&str> {
        let found = self.findings();
        let found = found
            .iter()
            .filter(|finding| finding["code"] == code && finding["severity"] == severity);
        let mut named: Vec<&str> = found
            .filter_map(|finding| finding["server"].as_str()?.split('.').next())
            .collect();
        named.sort_unstable();
        named.dedup();
        named
    }
}
