//! Whose a file is. Root may write everything, and a zone may name any file by
//! `$INCLUDE` or be a link to it: so root writes, unless told otherwise, only
//! what belongs to the owner of the zone file, and follows only links that root
//! or the owner of what they lead to has made.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use crate::files::disk::Disk;
use crate::files::lock::user;

/// How many links a path may have (Linux has the same limit).
const LINKS: usize = 40;

/// Why a file is somebody else's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Foreign {
    /// It has another owner than the zone file.
    Owner {
        /// Where it lies.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Whose the zone file is.
        zone: u32,
    },
    /// A link leads to it that neither root nor its owner has made.
    Link {
        /// The link.
        link: PathBuf,
        /// Who made it.
        maker: u32,
        /// Where the file lies.
        path: PathBuf,
    },
}

/// Whether one of the zone's files is somebody else's, for root: others cannot
/// give a file away, and fail by themselves.
#[must_use]
pub fn foreign(disk: &Disk, file: usize) -> Option<Foreign> {
    if user() != 0 {
        return None;
    }
    let owner_of = |path: &Path| fs::metadata(path).ok().map(|meta| meta.uid());
    let zone = disk.with(0, |opened| owner_of(&opened.path)).flatten()?;
    let (named, path) = disk.with(file, |opened| (opened.named.clone(), opened.path.clone()))?;
    let owner = owner_of(&path)?;
    if owner != zone {
        return Some(Foreign::Owner { path, owner, zone });
    }
    let (link, maker) = link_of_others(&named, owner)?;
    Some(Foreign::Link { link, maker, path })
}

/// The first link on the way that neither root nor `owner` has made.
fn link_of_others(named: &Path, owner: u32) -> Option<(PathBuf, u32)> {
    let mut done = if named.is_absolute() { PathBuf::new() } else { std::env::current_dir().ok()? };
    let mut ahead: Vec<PathBuf> = components(named);
    let mut links = 0;
    while let Some(next) = ahead.pop() {
        let path = done.join(&next);
        let Ok(meta) = fs::symlink_metadata(&path) else { return None };
        if !meta.is_symlink() {
            done = if next == Path::new("..") { done.parent().unwrap_or(Path::new("/")).to_owned() } else { path };
            continue;
        }
        links += 1;
        if (meta.uid() != owner && meta.uid() != 0) || links > LINKS {
            return Some((path, meta.uid()));
        }
        // A path that is absolute replaces what it is joined to.
        ahead.extend(components(&fs::read_link(&path).ok()?));
    }
    None
}

/// The parts of a path, the last first.
fn components(path: &Path) -> Vec<PathBuf> {
    let parts = path.components().filter(|part| *part != Component::CurDir);
    parts.rev().map(|part| PathBuf::from(part.as_os_str())).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{lchown, symlink};

    use super::*;

    #[test]
    fn a_link_counts_wherever_it_is_on_the_way() {
        if user() != 0 {
            println!("only root can make links of other owners; not tried");
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("real/deep")).unwrap();
        fs::write(at("real/deep/zone"), "").unwrap();
        symlink("real", at("folder")).unwrap();
        symlink(at("folder/deep/../deep/zone"), at("zone")).unwrap();
        assert_eq!(link_of_others(&at("zone"), 0), None);
        assert_eq!(link_of_others(&at("real/deep/zone"), 0), None);
        lchown(at("folder"), Some(4444), None).unwrap();
        assert_eq!(link_of_others(&at("zone"), 0), Some((at("folder"), 4444)));
        assert_eq!(link_of_others(&at("folder/deep/zone"), 0), Some((at("folder"), 4444)));
        assert_eq!(link_of_others(&at("zone"), 4444), None, "the owner's own link");
        assert_eq!(link_of_others(&at("real/deep/zone"), 0), None);
    }
}
