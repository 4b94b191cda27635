//! The arrows of the house point one way: no room uses one that stands above it. The
//! order is that of the table in `src/lib.rs`, and of the wings inside `zone` and `dns`.

use std::fs;
use std::path::{Path, PathBuf};

/// From the ground up; the rooms of one line do not use each other, unless they stand
/// in the order of their use.
const HOUSE: &str = "text command duration finding serial | name tlsa dane | propagation zone keys \
                     | lint files textfile preview dns endpoint | demo report cli";
const ZONE: &str = "text | edit";
const DNS: &str = "limits | wire | trust | find | walk";

#[test]
fn no_arrow_points_up() {
    let mut wrong = Vec::new();
    for (inside, order) in [("", HOUSE), ("zone", ZONE), ("dns", DNS)] {
        let floors: Vec<&str> = order
            .split_whitespace()
            .filter(|word| *word != "|")
            .collect();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("src")
            .join(inside);
        let prefix = if inside.is_empty() {
            "crate::".to_owned()
        } else {
            format!("crate::{inside}::")
        };
        for file in files(&root) {
            let path = file.strip_prefix(&root).unwrap();
            let room = path
                .iter()
                .next()
                .unwrap()
                .to_str()
                .unwrap()
                .trim_end_matches(".rs");
            let Some(floor) = floors.iter().position(|name| *name == room) else {
                assert!(
                    matches!(room, "lib" | "main"),
                    "{room} has no floor in tests/house.rs"
                );
                continue;
            };
            let text = fs::read_to_string(&file).unwrap();
            let text = text.split("mod tests {").next().unwrap_or_default();
            for (at, _) in text.match_indices(&prefix) {
                let name: String = text[at + prefix.len()..]
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect();
                if floors
                    .iter()
                    .position(|other| **other == name)
                    .is_some_and(|used| used > floor)
                {
                    wrong.push(format!("{} uses {prefix}{name}", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The sources below a folder. Tests may look at the rooms above.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .expect("a folder of sources")
        .map(|entry| entry.expect("an entry").path());
    let ours = entries.filter(|path| path.file_stem().is_some_and(|name| name != "tests"));
    let below = |path: PathBuf| {
        if path.is_dir() {
            files(&path)
        } else {
            vec![path]
        }
    };
    ours.flat_map(below)
        .filter(|path| path.extension().is_some_and(|end| end == "rs"))
        .collect()
}
