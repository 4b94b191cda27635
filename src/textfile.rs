//! A small file that another program reads again and again, replaced in one
//! step: a reader sees the old text or the new one. It is not synced: after a
//! crash the next run writes it anew.

use std::io::{self, Write};
use std::path::Path;

use crate::files::output;

/// Whoever collects the figures is mostly another user.
const MODE: u32 = 0o644;

/// Whether such a file can be written there, before the text is known.
///
/// # Errors
///
/// When the folder is not there or may not be written.
pub fn probe(path: &Path) -> io::Result<()> {
    output::probe(path)
}

/// Replaces the file.
///
/// # Errors
///
/// When it cannot be written; then it is as it was.
pub fn replace(path: &Path, text: &str) -> io::Result<()> {
    output::write(path, MODE, |mut file| file.write_all(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_file_is_replaced_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.prom");
        probe(&path).unwrap();
        assert!(!path.exists());
        for text in ["one\n", "two\n"] {
            replace(&path, text).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(probe(folder.path()).is_err());
        assert!(probe(&folder.path().join("missing/a.prom")).is_err());
    }
}
