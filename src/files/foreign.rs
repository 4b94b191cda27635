//! Whose a file is. Root may write everything, and a zone may name any file by
//! `$INCLUDE` or be a link to it: so root writes, unless told otherwise, only
//! what belongs to the owner of the zone file, and follows only links that root
//! or the owner of what they lead to has made.

use std::path::{Path, PathBuf};

use crate::files::lock::user;
use crate::files::spot::Link;

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

/// Whether a file of this owner, to which these links led, is somebody else's, for root.
pub(crate) fn strange(path: &Path, owner: u32, zone: u32, links: &[Link]) -> Option<Foreign> {
    if user() != 0 {
        return None;
    }
    if owner != zone {
        return Some(Foreign::Owner {
            path: path.to_owned(),
            owner,
            zone,
        });
    }
    let link = links
        .iter()
        .find(|link| link.maker != owner && link.maker != 0)?;
    Some(Foreign::Link {
        link: link.path.clone(),
        maker: link.maker,
        path: path.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_strange_by_its_owner_or_by_a_link_of_another() {
        if user() != 0 {
            println!("only root may write what is somebody else's; not tried");
            return;
        }
        let path = Path::new("zone");
        let link = |maker: u32| Link {
            path: PathBuf::from("link"),
            maker,
        };
        let strange = |owner, zone, links: &[Link]| strange(path, owner, zone, links);
        assert_eq!(strange(0, 0, &[]), None);
        assert_eq!(
            strange(4444, 4444, &[link(0), link(4444)]),
            None,
            "the owner's own link"
        );
        assert_eq!(
            strange(0, 4444, &[]),
            Some(Foreign::Owner {
                path: path.to_owned(),
                owner: 0,
                zone: 4444
            })
        );
        for links in [
            &[link(4444)][..],
            &[link(0), link(4444)],
            &[link(4444), link(0)],
        ] {
            let found = Foreign::Link {
                link: PathBuf::from("link"),
                maker: 4444,
                path: path.to_owned(),
            };
            assert_eq!(strange(0, 0, links), Some(found));
        }
    }
}
