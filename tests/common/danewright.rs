//! The binary under test, as a person or a script would call it.

use std::ffi::OsStr;
use std::path::Path;

use super::process::{Ran, command};

/// Runs danewright in a folder, with that folder for a home.
pub(crate) fn danewright<S: AsRef<OsStr>>(folder: &Path, args: &[S]) -> Ran {
    let mut command = command(env!("CARGO_BIN_EXE_danewright"));
    command.args(args).current_dir(folder).env("HOME", folder);
    for name in ["XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "STATE_DIRECTORY"] {
        command.env_remove(name);
    }
    Ran::from(command.output().expect("cargo has built danewright"))
}
