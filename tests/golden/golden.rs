//! Expected texts: compared, or written where that is asked for.

use std::fs;
use std::path::{Path, PathBuf};

/// A file in the folder of these tests.
pub(crate) fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

/// Fails unless the text is the one in the file; writes it where `GOLDEN=write` says so.
#[track_caller]
pub(crate) fn same(name: &str, found: &str) {
    let path = path(name);
    let found = format!("{}\n", found.trim_end());
    if std::env::var_os("GOLDEN").is_some_and(|value| value == "write") {
        fs::write(&path, found).unwrap();
        return;
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    if expected != found {
        panic!(
            "tests/golden/{name} is not what there is now (- expected, + found):\n\n{}\n\
             Others rely on this. If the change is meant, say so in CHANGELOG.md, and write the file anew:\n    \
             GOLDEN=write cargo test --test golden\n",
            difference(&expected, &found)
        );
    }
}

/// Fails where the folder has a text that nothing is compared with.
#[track_caller]
pub(crate) fn nothing_else(folder: &str, names: &[&str]) {
    let files = fs::read_dir(path(folder))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let idle: Vec<String> = files
        .filter(|file| !names.iter().any(|name| format!("{name}.txt") == *file))
        .collect();
    assert!(
        idle.is_empty(),
        "tests/golden/{folder} has files that no test compares: {idle:?}"
    );
}

/// The lines that only one of the texts has, where they stand.
fn difference(expected: &str, found: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), found.lines().collect());
    // How long the longest common rest is, from each pair of lines on.
    let mut common = vec![vec![0; new.len() + 1]; old.len() + 1];
    for at in (0..old.len()).rev() {
        for with in (0..new.len()).rev() {
            common[at][with] = if old[at] == new[with] {
                common[at + 1][with + 1] + 1
            } else {
                common[at + 1][with].max(common[at][with + 1])
            };
        }
    }
    let (mut at, mut with) = (0, 0);
    let mut lines = String::new();
    while at < old.len() || with < new.len() {
        if at < old.len() && with < new.len() && old[at] == new[with] {
            (at, with) = (at + 1, with + 1);
        } else if with == new.len()
            || (at < old.len() && common[at + 1][with] >= common[at][with + 1])
        {
            lines.push_str(&format!("  line {:>3} - {}\n", at + 1, old[at]));
            at += 1;
        } else {
            lines.push_str(&format!("  line {:>3} + {}\n", with + 1, new[with]));
            with += 1;
        }
    }
    lines
}

#[test]
fn a_difference_is_the_lines_that_differ() {
    assert_eq!(
        difference("a\nb\nc\n", "a\nx\nc\nd\n"),
        "  line   2 - b\n  line   2 + x\n  line   4 + d\n"
    );
    assert_eq!(difference("", "a\n"), "  line   1 + a\n");
}
