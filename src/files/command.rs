//! Commands that the user gives, for checking a new zone file and for telling
//! the name server: split into words here, run without a shell.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

/// What a command came to.
#[derive(Debug)]
pub struct Ended {
    /// The words it was run as.
    pub line: String,
    /// Whether it ended with status 0.
    pub good: bool,
    /// Its status in words.
    pub status: String,
    /// What it printed, both streams, cut to a screenful.
    pub output: String,
}

/// Splits a command line into words: blanks separate, quotes of both kinds keep
/// together, a backslash takes the next character as it is (not within single
/// quotes). `None` when a quote is open or there is no word.
#[must_use]
pub fn split(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some('\''), c) => word.get_or_insert_default().push(c),
            (_, '\\') => word.get_or_insert_default().push(chars.next()?),
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    (quote.is_none() && !words.is_empty()).then_some(words)
}

/// Runs a command with `{file}` and `{zone}` filled in.
///
/// # Errors
///
/// When it cannot be started.
pub fn run(words: &[String], file: &Path, zone: &str) -> io::Result<Ended> {
    let filled: Vec<String> =
        words.iter().map(|word| word.replace("{zone}", zone).replace("{file}", &file.display().to_string())).collect();
    let (program, arguments) = filled.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output()?;
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    if let Some((cut, _)) = text.char_indices().nth(2000) {
        text.truncate(cut);
        text.push('…');
    }
    Ok(Ended { line: filled.join(" "), good: output.status.success(), status: output.status.to_string(), output: text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_a_shell_would_without_being_one() {
        let words = |line: &str| split(line).map(|words| words.join("|"));
        assert_eq!(words("named-checkzone {zone} {file}").unwrap(), "named-checkzone|{zone}|{file}");
        assert_eq!(words("sh -c 'a \"b\" $c' \"d e\" f\\ g").unwrap(), "sh|-c|a \"b\" $c|d e|f g");
        assert_eq!(words("a ''").unwrap(), "a|");
        assert_eq!(words("a 'b"), None);
        assert_eq!(words("  "), None);
    }
}
