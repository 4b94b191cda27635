//! The command to run when it is safe. It may take long and talk meanwhile, so
//! what it prints goes straight to stderr; stdout carries the answer.

use std::fmt;
use std::io;
use std::process::{Command, Stdio};
use std::str::FromStr;

use crate::command::{Unfit, fit, split};

/// A program and its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    text: String,
    name: String,
    arguments: Vec<String>,
}

impl Program {
    /// Whether it can be run, and needs no shell.
    ///
    /// # Errors
    ///
    /// Why not.
    pub(crate) fn fit(&self) -> Result<(), Unfit> {
        fit(&self.text)
    }

    /// Runs it to its end; its exit status, or `None` after a signal.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub(crate) fn run(&self) -> io::Result<Option<i32>> {
        let mut command = Command::new(&self.name);
        command
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(io::stderr());
        Ok(command.status()?.code())
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Program {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words =
            split(text).ok_or("the command is empty, or has a quote without its partner")?;
        let mut words = words.into_iter();
        let name = words
            .next()
            .filter(|name| !name.is_empty())
            .ok_or("the command is empty")?;
        Ok(Self {
            text: text.to_owned(),
            name,
            arguments: words.collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_is_the_program() {
        let program: Program = "systemctl reload 'a b'".parse().unwrap();
        assert_eq!(
            (program.name.as_str(), program.arguments.join("|")),
            ("systemctl", "reload|a b".to_owned())
        );
        assert_eq!(program.to_string(), "systemctl reload 'a b'");
    }

    #[test]
    fn what_is_no_command_is_refused() {
        for wrong in ["", "  ", "'a", "a \"b", "a\\", "''"] {
            assert!(wrong.parse::<Program>().is_err(), "{wrong}");
        }
    }
}
