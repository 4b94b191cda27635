//! Commands that the user gives, for checking a new zone file, for telling the
//! name server, and for when it is safe: split into words here, run without a
//! shell. What can be known to fail is found before anything else is done.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
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

/// Why a command would not do what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// There is no word, or a quote is open.
    NoCommand,
    /// A shell would act on this, and there is no shell.
    Operator(String),
    /// `PATH` leads to no program of this name, or there is no such file.
    Missing(String),
    /// The file may not be run.
    NotExecutable(String),
}

impl Unfit {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoCommand => "name a program, then its arguments; quotes come in pairs",
            Self::Operator(_) => "run it in a shell: sh -c '...'; what is meant literally goes between single quotes",
            Self::Missing(_) => {
                "name a program that PATH leads to, or its whole path; a word of the shell needs sh -c '...'"
            }
            Self::NotExecutable(_) => "make the file executable, or name the program that runs it",
        }
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCommand => write!(f, "the command is empty or has an open quote"),
            Self::Operator(found) => write!(f, "the command has {found}, which only a shell understands"),
            Self::Missing(name) => write!(f, "there is no program {name}"),
            Self::NotExecutable(name) => write!(f, "the program {name} may not be executed"),
        }
    }
}

impl std::error::Error for Unfit {}

/// Whether a command can be started and means what it says, as far as that is
/// known before it runs.
///
/// # Errors
///
/// Why not.
pub fn fit(line: &str) -> Result<(), Unfit> {
    let words = split(line).ok_or(Unfit::NoCommand)?;
    if let Some(operator) = operator(line) {
        return Err(Unfit::Operator(operator));
    }
    let program = words.first().filter(|program| !program.is_empty()).ok_or(Unfit::NoCommand)?;
    // The name of a file that is not there yet.
    if program.contains("{file}") || program.contains("{zone}") {
        return Ok(());
    }
    // Where PATH is not set, programs are looked for in the system's folders.
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/bin:/usr/bin".into());
    find(program, std::env::split_paths(&path))
}

/// The first thing that a shell would act on: an operator, an expansion. Between
/// single quotes and behind a backslash there is none, between double quotes
/// only `$` and the backquote are.
fn operator(line: &str) -> Option<String> {
    let mut quote = None;
    let mut before = ' ';
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        let next = chars.peek().copied().unwrap_or(' ');
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some('\''), _) => {}
            (_, '\\') => {
                chars.next();
            }
            (None, '"' | '\'') => quote = Some(c),
            (_, '$') if next == '(' || next == '{' => return Some(format!("${next}")),
            (_, '$') if next == '_' || next.is_ascii_alphabetic() => return Some("$".to_owned()),
            (_, '`') => return Some(c.to_string()),
            (Some(_), _) => {}
            (None, '|' | '>' | '<' | ';' | '*') => return Some(c.to_string()),
            (None, '&') if next == '&' => return Some("&&".to_owned()),
            // Inside a word it may be part of an address: `?a=1&b=2`.
            (None, '&') if before.is_whitespace() || next.is_whitespace() => return Some(c.to_string()),
            (None, _) => {}
        }
        before = c;
    }
    None
}

/// Finds the program as the system does when it starts it.
fn find(program: &str, mut folders: impl Iterator<Item = PathBuf>) -> Result<(), Unfit> {
    if program.contains('/') {
        return match std::fs::metadata(program) {
            Ok(meta) if is_program(&meta) => Ok(()),
            Ok(_) => Err(Unfit::NotExecutable(program.to_owned())),
            Err(_) => Err(Unfit::Missing(program.to_owned())),
        };
    }
    let there = |folder: PathBuf| std::fs::metadata(folder.join(program)).is_ok_and(|meta| is_program(&meta));
    if folders.any(there) { Ok(()) } else { Err(Unfit::Missing(program.to_owned())) }
}

#[cfg(unix)]
fn is_program(meta: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    meta.is_file() && meta.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_program(meta: &std::fs::Metadata) -> bool {
    meta.is_file()
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

    #[test]
    fn what_a_shell_would_act_on_is_named_unless_it_is_quoted() {
        for (line, found) in [
            ("rndc reload | logger", "|"),
            ("a || b", "|"),
            ("named-checkzone x y >log", ">"),
            ("a 2>&1", ">"),
            ("a <in", "<"),
            ("a && b", "&&"),
            ("a&&b", "&&"),
            ("a &", "&"),
            ("a; b", ";"),
            ("a $(date)", "$("),
            ("a \"$(date)\"", "$("),
            ("a `date`", "`"),
            ("a \"`date`\"", "`"),
            ("a $HOME", "$"),
            ("a ${file}", "${"),
            ("a *", "*"),
            ("a *.pem", "*"),
        ] {
            assert_eq!(operator(line).as_deref(), Some(found), "{line}");
            assert_eq!(fit(line), Err(Unfit::Operator(found.to_owned())), "{line}");
        }
        for line in [
            "sh -c 'a | b > c && d; e $(f) `g` *'",
            "a \"|\" \"a;b\" \"*\"",
            "a \\| \\* \\$HOME \\`",
            "curl http://[::1]/?a=1&b=2",
            "grep -q x$ {file}",
            "a it\\'s '\"' {zone}",
        ] {
            assert_eq!(operator(line), None, "{line}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_program_is_a_file_that_may_be_run() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        for (name, mode) in [("runs", 0o755), ("lies", 0o644)] {
            let path = folder.path().join(name);
            std::fs::write(&path, "").unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        }
        let find = |program: &str| find(program, [folder.path().join("none"), folder.path().to_owned()].into_iter());
        let whole = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        assert_eq!(find("runs"), Ok(()));
        assert_eq!(find("lies"), Err(Unfit::Missing("lies".to_owned())));
        assert_eq!(find(&whole("runs")), Ok(()));
        assert_eq!(find(&whole("lies")), Err(Unfit::NotExecutable(whole("lies"))));
        assert_eq!(find(&whole("gone")), Err(Unfit::Missing(whole("gone"))));
        assert_eq!(find(&whole(".")), Err(Unfit::NotExecutable(whole("."))));
        assert_eq!(fit("no-such-program-anywhere {file}"), Err(Unfit::Missing("no-such-program-anywhere".to_owned())));
        assert_eq!((fit("true"), fit("'{file}' --check")), (Ok(()), Ok(())));
        assert_eq!((fit("'a"), fit("''")), (Err(Unfit::NoCommand), Err(Unfit::NoCommand)));
    }
}
