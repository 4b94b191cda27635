//! A small file that another program reads again and again, replaced in one
//! step: a reader sees the old text or the new one. It is not synced: after a
//! crash the next run writes it anew.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

/// Whether such a file can be written there, before the text is known.
///
/// # Errors
///
/// When the folder is not there or may not be written.
pub fn probe(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    beside(path).map(|_| ())
}

/// Replaces the file.
///
/// # Errors
///
/// When it cannot be written; then it is as it was.
pub fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut file = beside(path)?;
    file.write_all(text.as_bytes())?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// A new file in the same folder that others may read, as far as the umask allows.
fn beside(path: &Path) -> io::Result<tempfile::NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".danewright-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o644));
    }
    builder.tempfile_in(folder)
}

#[cfg(test)]
mod tests {
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
