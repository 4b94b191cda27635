//! Commands that the user gives, for checking a new zone file, for telling the
//! name server, and for when it is safe: split into words here, run without a
//! shell. What can be known to fail is found before anything else is done.
//!
//! A command may do what it likes with its time and its output, and is bounded
//! all the same: it has a time limit, of what it prints only the beginning is
//! kept, and what it leaves running is not waited for. One that is ended takes
//! its children along: it runs in a process group of its own. Where there is a
//! terminal it stays in ours, so that Ctrl-C reaches it and it may ask for a
//! password there; then only the command itself is ended.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// How much of what it prints is kept, in characters.
const KEPT: usize = 2000;

/// More than any command prints that ends.
const MOST: u64 = 1 << 30;

/// How long a command may take to end when it is asked to.
const FAREWELL: Duration = Duration::from_secs(2);

/// How often to see whether it has ended while something else holds its output.
const GLANCE: Duration = Duration::from_millis(20);

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
            Self::Operator(_) => {
                "run it in a shell: sh -c '...'; what is meant literally goes between single quotes"
            }
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
            Self::Operator(found) => {
                write!(f, "the command has {found}, which only a shell understands")
            }
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
    let program = words
        .first()
        .filter(|program| !program.is_empty())
        .ok_or(Unfit::NoCommand)?;
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
            (None, '&') if before.is_whitespace() || next.is_whitespace() => {
                return Some(c.to_string());
            }
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
    let there = |folder: PathBuf| {
        std::fs::metadata(folder.join(program)).is_ok_and(|meta| is_program(&meta))
    };
    if folders.any(there) {
        Ok(())
    } else {
        Err(Unfit::Missing(program.to_owned()))
    }
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

/// Runs a command with `{file}` and `{zone}` filled in, for no longer than `limit`.
///
/// # Errors
///
/// When it cannot be started.
pub fn run(words: &[String], file: &Path, zone: &str, limit: Duration) -> io::Result<Ended> {
    let filled: Vec<OsString> = words.iter().map(|word| fill(word, file, zone)).collect();
    let (program, arguments) = filled.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    // One pipe for both streams, so that what is printed stays in its order.
    let (reader, writer) = io::pipe()?;
    fcntl_setfl(&reader, OFlags::NONBLOCK)?;
    let own_group = File::open("/dev/tty").is_err();
    let child = {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(writer.try_clone()?)
            .stderr(writer);
        if own_group {
            command.process_group(0);
        }
        // The command's ends of the pipe are closed here when it is dropped.
        command.spawn()?
    };
    let mut running = Running { child, own_group };
    let mut heard = Heard::default();
    let how = running.watch(reader, &mut heard, Instant::now() + limit)?;
    let (good, status) = match how {
        How::Ended(status) => (status.success(), status.to_string()),
        How::TooLong => (
            false,
            format!("still running after {}, and ended", words_of(limit)),
        ),
        How::TooMuch => (
            false,
            format!("printed more than {} MiB, and was ended", MOST >> 20),
        ),
    };
    let line = filled
        .iter()
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ");
    Ok(Ended {
        line,
        good,
        status,
        output: heard.text(),
    })
}

fn words_of(limit: Duration) -> String {
    let seconds = limit.as_secs();
    if seconds >= 60 && seconds.is_multiple_of(60) {
        format!("{}m", seconds / 60)
    } else {
        format!("{seconds}s")
    }
}

/// A word with its fields filled in, once: what is put in is not looked at again.
/// A file's name need not be text.
fn fill(word: &str, file: &Path, zone: &str) -> OsString {
    let mut filled = Vec::new();
    let mut rest = word;
    while let Some(at) = rest.find('{') {
        filled.extend_from_slice(&rest.as_bytes()[..at]);
        let ahead = &rest[at..];
        let fields: [(&str, &OsStr); 2] =
            [("{file}", file.as_os_str()), ("{zone}", OsStr::new(zone))];
        match fields.iter().find(|(field, _)| ahead.starts_with(field)) {
            Some((field, value)) => {
                filled.extend_from_slice(value.as_bytes());
                rest = &ahead[field.len()..];
            }
            None => {
                filled.push(b'{');
                rest = &ahead[1..];
            }
        }
    }
    filled.extend_from_slice(rest.as_bytes());
    OsString::from_vec(filled)
}

/// How a command came to its end.
enum How {
    Ended(ExitStatus),
    TooLong,
    TooMuch,
}

struct Running {
    child: Child,
    own_group: bool,
}

impl Running {
    /// Listens until it has ended, or has to be. What it left running may hold the
    /// pipe for ever, so its end is not that of the pipe.
    fn watch(
        &mut self,
        mut pipe: io::PipeReader,
        heard: &mut Heard,
        deadline: Instant,
    ) -> io::Result<How> {
        let mut open = true;
        loop {
            let ended = self.child.try_wait()?;
            while open && heard.total <= MOST {
                match heard.listen(&mut pipe) {
                    Ok(0) => open = false,
                    Ok(_) => {}
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    Err(error) => return Err(error),
                }
                if Instant::now() >= deadline {
                    break;
                }
            }
            if let Some(status) = ended {
                return Ok(How::Ended(status));
            }
            if heard.total > MOST {
                self.end(Signal::KILL)?;
                return Ok(How::TooMuch);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                self.end(Signal::TERM)?;
                return Ok(How::TooLong);
            }
            if !open {
                // It closed its output, and mostly ends right after that.
                thread::sleep(left.min(Duration::from_millis(1)));
                continue;
            }
            let pause = left.min(GLANCE);
            let pause = Timespec {
                tv_sec: 0,
                tv_nsec: i64::from(pause.subsec_nanos()),
            };
            match poll(&mut [PollFd::new(&pipe, PollFlags::IN)], Some(&pause)) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Ends it, its children as well, gently first.
    fn end(&mut self, signal: Signal) -> io::Result<()> {
        self.send(signal);
        let begun = Instant::now();
        while signal != Signal::KILL
            && self.child.try_wait()?.is_none()
            && begun.elapsed() < FAREWELL
        {
            thread::sleep(GLANCE);
        }
        // Children that did not listen, or a command that did not.
        self.send(Signal::KILL);
        self.child.wait().map(|_| ())
    }

    fn send(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        // It may have ended by itself, and then there is nobody to tell.
        let _ = if self.own_group {
            kill_process_group(pid, signal)
        } else {
            kill_process(pid, signal)
        };
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            self.send(Signal::KILL);
            let _ = self.child.wait();
        }
    }
}

/// What was printed: the beginning, and how much it was.
#[derive(Default)]
struct Heard {
    kept: Vec<u8>,
    total: u64,
}

impl Heard {
    fn listen(&mut self, pipe: &mut io::PipeReader) -> io::Result<usize> {
        let mut block = [0; 64 << 10];
        let count = pipe.read(&mut block)?;
        self.total += count as u64;
        let room = (KEPT * 4).saturating_sub(self.kept.len()).min(count);
        self.kept.extend_from_slice(&block[..room]);
        Ok(count)
    }

    fn text(&self) -> String {
        let mut text = String::from_utf8_lossy(&self.kept).into_owned();
        if let Some((cut, _)) = text.char_indices().nth(KEPT) {
            text.truncate(cut);
            text.push('…');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_a_shell_would_without_being_one() {
        let words = |line: &str| split(line).map(|words| words.join("|"));
        assert_eq!(
            words("named-checkzone {zone} {file}").unwrap(),
            "named-checkzone|{zone}|{file}"
        );
        assert_eq!(
            words("sh -c 'a \"b\" $c' \"d e\" f\\ g").unwrap(),
            "sh|-c|a \"b\" $c|d e|f g"
        );
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
        let find = |program: &str| {
            find(
                program,
                [folder.path().join("none"), folder.path().to_owned()].into_iter(),
            )
        };
        let whole = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        assert_eq!(find("runs"), Ok(()));
        assert_eq!(find("lies"), Err(Unfit::Missing("lies".to_owned())));
        assert_eq!(find(&whole("runs")), Ok(()));
        assert_eq!(
            find(&whole("lies")),
            Err(Unfit::NotExecutable(whole("lies")))
        );
        assert_eq!(find(&whole("gone")), Err(Unfit::Missing(whole("gone"))));
        assert_eq!(find(&whole(".")), Err(Unfit::NotExecutable(whole("."))));
        assert_eq!(
            fit("no-such-program-anywhere {file}"),
            Err(Unfit::Missing("no-such-program-anywhere".to_owned()))
        );
        assert_eq!((fit("true"), fit("'{file}' --check")), (Ok(()), Ok(())));
        assert_eq!(
            (fit("'a"), fit("''")),
            (Err(Unfit::NoCommand), Err(Unfit::NoCommand))
        );
    }

    const LONG: Duration = Duration::from_secs(60);

    fn sh(script: &str, limit: Duration) -> Ended {
        let words = ["sh", "-c", script].map(str::to_owned);
        run(&words, Path::new("/the file"), "example.com", limit).unwrap()
    }

    /// Whether a process with this word among its arguments runs.
    fn runs(word: &str) -> bool {
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        let mut lines =
            processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
        lines.any(|line| {
            line.split(|octet| *octet == 0)
                .any(|argument| argument == word.as_bytes())
        })
    }

    #[test]
    fn what_it_prints_is_kept_in_its_order_and_cut() {
        let ended = sh("echo one; echo two >&2; echo three; exit 3", LONG);
        assert_eq!(
            (ended.good, ended.output.as_str()),
            (false, "one\ntwo\nthree\n")
        );
        assert!(ended.status.contains('3'), "{}", ended.status);
        let ended = sh("head -c 300000 /dev/zero | tr '\\0' ä; echo the end", LONG);
        assert!(ended.good);
        assert_eq!(ended.output.chars().count(), KEPT + 1);
    }

    #[test]
    fn fields_are_filled_in_once_and_need_not_be_text() {
        let file = Path::new(OsStr::from_bytes(b"a\xff{zone} b"));
        let filled = |word: &str| fill(word, file, "example.com").into_vec();
        assert_eq!(filled("{file}"), b"a\xff{zone} b");
        assert_eq!(
            filled("x{zone}{zone}:{file}{"),
            b"xexample.comexample.com:a\xff{zone} b{"
        );
        assert_eq!(filled("{{zone}} {}"), b"{example.com} {}");
    }

    #[test]
    fn one_that_prints_for_ever_is_ended() {
        let ended = run(&["yes".to_owned()], Path::new("f"), "z", LONG).unwrap();
        assert!(
            !ended.good && ended.status.contains("printed more than"),
            "{}",
            ended.status
        );
        assert!(ended.output.starts_with("y\ny\n"));
    }

    #[test]
    fn one_that_takes_too_long_is_ended_with_its_children() {
        let begun = Instant::now();
        // No other run of this test waits as long.
        let day = format!("86399.{}", std::process::id());
        let ended = sh(
            &format!("trap '' TERM; sleep {day} & echo begun; wait; sleep {day}"),
            Duration::from_millis(300),
        );
        assert!(
            !ended.good && ended.status.contains("still running after"),
            "{}",
            ended.status
        );
        assert_eq!(ended.output, "begun\n");
        assert!(begun.elapsed() < LONG);
        // One that is killed takes a moment to go.
        let mut looks = 0..500;
        while runs(&day) && looks.next().is_some() {
            thread::sleep(Duration::from_millis(20));
        }
        assert!(File::open("/dev/tty").is_ok() || !runs(&day));
    }

    #[test]
    fn what_it_leaves_running_is_not_waited_for() {
        let begun = Instant::now();
        let ended = sh("sleep 77.75 & echo $!; exit 0", LONG);
        assert!(ended.good && begun.elapsed() < Duration::from_secs(30));
        let left = Pid::from_raw(ended.output.trim().parse().unwrap()).unwrap();
        kill_process(left, Signal::KILL).expect("it was left running on purpose");
    }
}
