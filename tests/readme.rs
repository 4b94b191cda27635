//! The tour in the README is what the commands print.

#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::fs;
use std::process::Command;

#[test]
fn the_tour_shows_what_the_commands_print() {
    let folder = env!("CARGO_MANIFEST_DIR");
    let readme = fs::read_to_string(format!("{folder}/README.md")).unwrap();
    let blocks: Vec<&str> = readme
        .split("```console\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect();
    assert!(blocks.len() >= 3, "the tour is missing");
    for block in blocks {
        let (line, expected) = block
            .strip_prefix("$ danewright ")
            .unwrap()
            .split_once('\n')
            .unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_danewright"))
            .args(line.split(' '))
            .current_dir(folder)
            .output()
            .unwrap();
        assert_eq!(
            String::from_utf8(output.stdout).unwrap(),
            expected,
            "{line}"
        );
        assert_eq!(output.status.code(), Some(0), "{line}");
    }
}
