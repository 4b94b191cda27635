//! A command to run, split into words as a shell would split plain words and
//! quotes, and run without one.

use std::fmt;
use std::io;
use std::process::{Command, Stdio};
use std::str::FromStr;

/// A program and its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    text: String,
    name: String,
    arguments: Vec<String>,
}

impl Program {
    /// Runs it to its end; its exit status, or `None` after a signal. What it
    /// prints goes to stderr: stdout carries the answer.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub(crate) fn run(&self) -> io::Result<Option<i32>> {
        let mut command = Command::new(&self.name);
        command.args(&self.arguments).stdin(Stdio::null()).stdout(io::stderr());
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

    /// Words are parted by white space; single and double quotes and the
    /// backslash keep it, as in a shell. Nothing else is special.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut words: Vec<String> = Vec::new();
        let mut word: Option<String> = None;
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            match c {
                c if c.is_whitespace() => words.extend(word.take()),
                '\'' | '"' => {
                    let word = word.get_or_insert_default();
                    loop {
                        match rest.next().ok_or_else(|| format!("the command has a {c} without its partner"))? {
                            end if end == c => break,
                            '\\' if c == '"' => match rest.next() {
                                Some(kept @ ('"' | '\\')) => word.push(kept),
                                Some(other) => word.extend(['\\', other]),
                                None => {}
                            },
                            inner => word.push(inner),
                        }
                    }
                }
                '\\' => {
                    let kept = rest.next().ok_or("the command ends with a backslash")?;
                    word.get_or_insert_default().push(kept);
                }
                c => word.get_or_insert_default().push(c),
            }
        }
        words.extend(word);
        let mut words = words.into_iter();
        let name = words.next().filter(|name| !name.is_empty()).ok_or("the command is empty")?;
        Ok(Self { text: text.to_owned(), name, arguments: words.collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let program: Program = text.parse().unwrap();
        [vec![program.name], program.arguments].concat()
    }

    #[test]
    fn words_are_parted_as_in_a_shell() {
        assert_eq!(words("systemctl  reload\tpostfix"), ["systemctl", "reload", "postfix"]);
        assert_eq!(words("'a b' \"c \\\"d\\\" $e\" f\\ g '' \"h\"'i'"), ["a b", "c \"d\" $e", "f g", "", "hi"]);
        assert_eq!(words("a ; b && c | d > e"), ["a", ";", "b", "&&", "c", "|", "d", ">", "e"]);
    }

    #[test]
    fn what_is_no_command_is_refused() {
        for wrong in ["", "  ", "'a", "a \"b", "a\\", "''"] {
            assert!(wrong.parse::<Program>().is_err(), "{wrong}");
        }
    }
}
