//! Whether something can be written, tried before there is anything to write.

use std::fs;
use std::io;
use std::path::Path;

/// Whether a folder can be written, or made first and then written. Nothing is
/// left behind, and nothing is made.
///
/// # Errors
///
/// Why not.
pub fn folder(path: &Path) -> io::Result<()> {
    for folder in path.ancestors() {
        let folder = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        match fs::metadata(folder) {
            Ok(meta) if meta.is_dir() => return tempfile::tempfile_in(folder).map(drop),
            Ok(_) => return Err(io::ErrorKind::NotADirectory.into()),
            // What is to be made, or a file in the way of it: the next one above tells.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) => {}
            Err(error) => return Err(error),
        }
    }
    tempfile::tempfile_in(".").map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_made_can_be_written_and_is_not_made() {
        let top = tempfile::tempdir().unwrap();
        let path = top.path();
        fs::write(path.join("file"), "").unwrap();
        folder(path).unwrap();
        folder(&path.join("a/b/c")).unwrap();
        assert_eq!(
            folder(&path.join("file")).unwrap_err().kind(),
            io::ErrorKind::NotADirectory
        );
        assert_eq!(
            folder(&path.join("file/a/b")).unwrap_err().kind(),
            io::ErrorKind::NotADirectory
        );
        assert!(folder(Path::new("/proc/danewright/state")).is_err());
        assert_eq!(fs::read_dir(path).unwrap().count(), 1);
        folder(Path::new("a-folder-to-come")).unwrap();
    }
}
