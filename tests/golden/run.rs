//! The binary, in a folder, with an environment that holds nothing by chance.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::golden;

/// The width of help, wherever the tests run: clap asks the terminal first, and
/// none of the three streams is one.
pub(crate) const COLUMNS: &str = "100";

/// What the binary said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    /// The one document on stdout, whose status is that of the process.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        let document: Value =
            serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        assert_eq!(document["status"], self.status, "{self:?}");
        document
    }
}

/// Runs danewright in the folder.
pub(crate) fn danewright(folder: &Path, arguments: &[&str]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_danewright"));
    command
        .env_clear()
        .env("COLUMNS", COLUMNS)
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", folder);
    command.env("XDG_STATE_HOME", folder.join("state"));
    let output = command
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |octets| String::from_utf8(octets).unwrap();
    Said {
        status: output.status.code().unwrap_or(-1),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// A folder with a copy of what stands in `input/`.
pub(crate) fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(golden::path("input")).unwrap() {
        let file = entry.unwrap().path();
        fs::copy(&file, folder.path().join(file.file_name().unwrap())).unwrap();
    }
    folder
}
