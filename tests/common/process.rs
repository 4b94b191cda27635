//! Foreign programs: run to the end (`run`, `must`), or kept running as a
//! server until told to stop or dropped (`Daemon`). No program reads settings
//! of the machine's user, and none outlives the thread that started it.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take on a loaded machine before the test gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What a program said.
#[derive(Debug)]
pub(crate) struct Ran {
    /// The exit status; -1 when a signal ended it.
    pub(crate) status: i32,
    /// All of stdout.
    pub(crate) out: String,
    /// All of stderr.
    pub(crate) err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            status: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// A command that finds the servers' programs and nothing of the user's.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command
        .env("PATH", search_path())
        .env("LC_ALL", "C")
        .env("TZ", "UTC")
        .env_remove("NO_COLOR");
    command.stdin(Stdio::null());
    command
}

/// The caller's `PATH` with the folders for servers, which Debian leaves out
/// for ordinary users.
fn search_path() -> String {
    let own = std::env::var("PATH").unwrap_or_default();
    format!("{own}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin")
}

/// Where a program is.
pub(crate) fn find(program: &str) -> PathBuf {
    let path = search_path();
    let found = std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file());
    found.unwrap_or_else(|| PathBuf::from(program))
}

/// Runs a program in a folder until it ends.
pub(crate) fn run<S: AsRef<OsStr>>(folder: &Path, program: &str, args: &[S]) -> Ran {
    let output = command(program).args(args).current_dir(folder).output();
    output.map(Ran::from).unwrap_or_else(|error| Ran {
        status: 127,
        out: String::new(),
        err: error.to_string(),
    })
}

/// Runs a program that has to succeed; gives its stdout.
pub(crate) fn must<S: AsRef<OsStr> + std::fmt::Debug>(
    folder: &Path,
    program: &str,
    args: &[S],
) -> String {
    let ran = run(folder, program, args);
    assert!(
        ran.status == 0,
        "{program} {args:?} in {} ended with {ran:#?}",
        folder.display()
    );
    ran.out
}

/// Asks again and again until there is an answer.
pub(crate) fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        let answer = ask();
        assert!(
            answer.is_some() || start.elapsed() < PATIENCE,
            "gave up waiting for: {what}"
        );
        match answer {
            Some(answer) => return answer,
            None => thread::sleep(Duration::from_millis(20)),
        }
    }
}

/// A server in the foreground, with its log in a file.
#[derive(Debug)]
pub(crate) struct Daemon {
    name: &'static str,
    folder: PathBuf,
    program: PathBuf,
    args: Vec<String>,
    child: Option<Child>,
}

impl Daemon {
    /// A server that is not running yet. Its log is `FOLDER/log`.
    pub(crate) fn new(name: &'static str, folder: &Path, program: &str, args: &[&str]) -> Self {
        Self {
            name,
            folder: folder.to_owned(),
            program: unconfined(program),
            args: args.iter().map(|&arg| arg.to_owned()).collect(),
            child: None,
        }
    }

    /// Starts it; whether it answers is another question.
    pub(crate) fn start(&mut self) {
        assert!(self.child.is_none(), "{} is running", self.name);
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log())
            .expect("the log can be opened");
        // A test that is killed cannot drop its servers; the kernel ends them instead.
        let child = command("setpriv")
            .args(["--pdeathsig", "TERM"])
            .arg(&self.program)
            .args(&self.args)
            .current_dir(&self.folder)
            .stdout(log.try_clone().expect("a file handle can be doubled"))
            .stderr(log)
            .spawn();
        self.child = Some(child.expect("setpriv of util-linux starts the server"));
    }

    /// Whether it has not ended by itself.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child
            .as_mut()
            .is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// Ends it, gently where that is quick.
    pub(crate) fn stop(&mut self) {
        self.signal("TERM");
        let Some(mut child) = self.child.take() else {
            return;
        };
        let start = Instant::now();
        while matches!(child.try_wait(), Ok(None)) && start.elapsed() < Duration::from_secs(5) {
            thread::sleep(Duration::from_millis(5));
        }
        // Ended already: then there is nothing to kill or to wait for.
        let _ = child.kill();
        let _ = child.wait();
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: &str) {
        if let Some(child) = &self.child {
            run(
                Path::new("/"),
                "sh",
                &["-c", &format!("kill -{signal} {}", child.id())],
            );
        }
    }

    /// The last lines it logged.
    pub(crate) fn log_tail(&self) -> String {
        let text = fs::read(self.log()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        format!(
            "--- {} ---\n{}\n",
            self.name,
            lines[lines.len().saturating_sub(40)..].join("\n")
        )
    }

    fn log(&self) -> PathBuf {
        self.folder.join("log")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if thread::panicking() {
            eprint!("{}", self.log_tail());
        }
        self.signal("CONT");
        self.stop();
    }
}

/// The program itself, or a copy of it where AppArmor would keep the installed
/// one from reading a temporary folder: profiles go by path.
fn unconfined(program: &str) -> PathBuf {
    let installed = find(program);
    let enabled = fs::read_to_string("/sys/module/apparmor/parameters/enabled").unwrap_or_default();
    if !enabled.starts_with('Y') {
        return installed;
    }
    let copy =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{program}.{}", std::process::id()));
    if !copy.exists() {
        // Without a copy the installed program is tried, and says what it may not read.
        if fs::copy(&installed, &copy).is_err() {
            return installed;
        }
    }
    copy
}
