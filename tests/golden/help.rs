//! `--help`, of the program and of every command that it lists.

use crate::golden;
use crate::run::{COLUMNS, Said, danewright, folder};

#[test]
fn the_help_of_every_command_is_as_it_was() {
    let folder = folder();
    let ask = |command: &[String]| {
        let words: Vec<&str> = command
            .iter()
            .map(String::as_str)
            .chain(["--help"])
            .collect();
        danewright(folder.path(), &words)
    };
    let mut names = Vec::new();
    let mut to_ask = vec![Vec::new()];
    while let Some(command) = to_ask.pop() {
        let Said { status, out, err } = ask(&command);
        assert_eq!((status, err.as_str()), (0, ""), "{command:?}");
        assert!(
            out.lines()
                .all(|line| line.chars().count() <= COLUMNS.parse().unwrap()),
            "too wide: {command:?}"
        );
        let name = if command.is_empty() {
            "danewright".to_owned()
        } else {
            command.join("-")
        };
        golden::same(&format!("help/{name}.txt"), &out);
        to_ask.extend(
            listed(&out)
                .into_iter()
                .map(|word| [command.clone(), vec![word]].concat()),
        );
        names.push(name);
    }
    assert!(names.len() > 7, "{names:?}");
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    golden::nothing_else("help", &names);
}

/// The commands that a help lists; clap's own `help` is none.
fn listed(help: &str) -> Vec<String> {
    let list = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty());
    // Names stand two columns in, what is said of them further.
    let names = list.filter_map(|line| {
        line.strip_prefix("  ")
            .filter(|rest| !rest.starts_with(' '))
    });
    names
        .filter_map(|rest| rest.split(' ').next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}
