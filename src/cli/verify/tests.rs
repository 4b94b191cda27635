//! The command in a world made up for the test.

mod timewalk;
mod waiting;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use serde_json::Value;
use tempfile::TempDir;

use super::*;
use crate::cli::inputs;
use crate::cli::{Cli, Color, Command, Global, Streams};
use crate::command::Unfit;
use crate::dns::{Reach, Settings};
use crate::propagation::evidence::{Evidence, Outcome};
use crate::propagation::fixtures::{self, at, failing, key, key_as, server};
use crate::propagation::memory::clock::Reading;
use crate::tlsa::Target;
use crate::tlsa::{Params, Tlsa};

/// Name servers that say what they are told to, round after round, and a clock
/// that moves only when somebody sleeps.
struct Stage {
    folder: TempDir,
    now: Cell<DateTime<Utc>>,
    /// Which start of the machine this is, and how far the wall clock is ahead of what is true.
    boot: Option<(usize, TimeDelta)>,
    /// By how much somebody sets the wall clock ahead during the first sleep.
    step: TimeDelta,
    rounds: RefCell<VecDeque<Vec<Evidence>>>,
    /// How long the servers take to answer, round after round.
    takes: VecDeque<Duration>,
    slept: Vec<u64>,
    /// What happens elsewhere meanwhile, once.
    at_sleep: Option<Box<dyn FnOnce()>>,
    signal_at: Option<DateTime<Utc>>,
    catches: usize,
    /// Whether a person watches stderr.
    watched: bool,
    executed: RefCell<Vec<String>>,
    status: io::Result<Option<i32>>,
}

impl World for Stage {
    fn now(&self) -> DateTime<Utc> {
        self.now.get()
    }

    fn clock(&self, now: DateTime<Utc>) -> Option<Reading> {
        let (boot, ahead) = self.boot?;
        let uptime = (now - ahead).timestamp_millis();
        Some(Reading {
            boot: format!("start {boot}"),
            uptime,
            wall: now,
        })
    }

    /// The last round is given for ever, when its servers have taken their time.
    fn gather(
        &mut self,
        _: &[Target],
        _: &Settings,
        _: &Reach,
        limit: Option<Duration>,
    ) -> Result<Vec<Evidence>, Ended> {
        let mut rounds = self.rounds.borrow_mut();
        if rounds.is_empty() {
            return Err(Ended::Signal(Interrupted("SIGINT")));
        }
        let takes = self.takes.pop_front().unwrap_or_default();
        self.now
            .set(self.now.get() + limit.map_or(takes, |limit| limit.min(takes)));
        if limit.is_some_and(|limit| takes > limit) {
            return Err(Ended::Late);
        }
        Ok(if rounds.len() > 1 {
            rounds.pop_front()
        } else {
            rounds.front().cloned()
        }
        .unwrap_or_default())
    }

    fn sleep(&mut self, length: Duration) -> Result<(), Interrupted> {
        if let Some(deed) = self.at_sleep.take() {
            deed();
        }
        self.slept.push(length.as_secs());
        let step = std::mem::take(&mut self.step);
        self.boot = self.boot.map(|(start, ahead)| (start, ahead + step));
        self.now.set(self.now.get() + length + step);
        if self
            .signal_at
            .is_some_and(|moment| self.now.get() >= moment)
        {
            Err(Interrupted("SIGTERM"))
        } else {
            Ok(())
        }
    }

    fn catch_signals(&mut self) -> io::Result<()> {
        self.catches += 1;
        Ok(())
    }

    fn interrupted(&mut self) -> Option<Interrupted> {
        self.signal_at
            .filter(|moment| self.now.get() >= *moment)
            .map(|_| Interrupted("SIGTERM"))
    }

    /// Which programs there are is not asked here.
    fn finds(&self, _: &Program) -> Result<(), Unfit> {
        Ok(())
    }

    fn execute(&self, program: &Program) -> io::Result<Option<i32>> {
        self.executed.borrow_mut().push(program.to_string());
        match &self.status {
            Ok(code) => Ok(*code),
            Err(error) => Err(error.kind().into()),
        }
    }
}

/// What the command said.
struct Said {
    status: u8,
    out: String,
    err: String,
}

impl Said {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap()
    }
}

impl Stage {
    fn new(rounds: Vec<Vec<Evidence>>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let pair = rcgen::KeyPair::generate().unwrap();
        std::fs::write(folder.path().join("new.pem"), pair.serialize_pem()).unwrap();
        let rounds = RefCell::new(rounds.into());
        let (now, executed) = (Cell::new(at("12:00:00")), RefCell::default());
        let (slept, status) = (Vec::new(), Ok(Some(0)));
        let (takes, at_sleep) = (VecDeque::new(), None);
        let (signal_at, catches, watched) = (None, 0, false);
        let (boot, step) = (None, TimeDelta::zero());
        Self {
            folder,
            now,
            boot,
            step,
            rounds,
            takes,
            slept,
            at_sleep,
            signal_at,
            catches,
            watched,
            executed,
            status,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The record of the key that is to be deployed.
    fn new_record(&self, params: Params) -> Tlsa {
        inputs::tlsa_of(&[self.path("new.pem")], None, params)
            .unwrap()
            .remove(0)
    }

    /// `verify` of the usual key at the usual host.
    fn run(&mut self, more: &[&str]) -> Said {
        let file = self.path("new.pem");
        self.call(
            &[
                &[
                    file.to_str().unwrap(),
                    "--host",
                    "mail.example.com",
                    "--port",
                    "25",
                ],
                more,
            ]
            .concat(),
        )
    }

    fn call(&mut self, words: &[&str]) -> Said {
        let state = self.path("state");
        let usual = [
            "danewright",
            "verify",
            "--resolver",
            "127.0.0.1",
            "--state",
            state.to_str().unwrap(),
        ];
        let line = [&usual[..], words].concat();
        let cli = Cli::try_parse_from(&line).unwrap();
        let Command::Verify(args) = cli.command else {
            panic!("another command")
        };
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let streams = Streams {
            out: &mut out,
            err: &mut err,
            out_is_terminal: false,
            err_is_terminal: self.watched,
        };
        let mut ui = Ui::new(
            &Global {
                color: Color::Never,
                ..cli.global
            },
            streams,
        );
        let ran = run_in(&args, &mut ui, self);
        let status = ui.finish("verify", ran) as u8;
        Said {
            status,
            out: String::from_utf8(out).unwrap(),
            err: String::from_utf8(err).unwrap(),
        }
    }
}

/// A stage whose two servers serve the new record, or the second one lags.
fn stage(lagging: &[bool]) -> Stage {
    let mut stage = Stage::new(Vec::new());
    let both = [stage.new_record(Params::default()), key("old")];
    let second = |lags: bool| {
        if lags {
            server(2, &[key("old")])
        } else {
            server(2, &both)
        }
    };
    let round = |lags: &bool| vec![fixtures::evidence(vec![server(1, &both), second(*lags)])];
    stage.rounds = RefCell::new(lagging.iter().map(round).collect());
    stage
}

#[test]
fn the_exit_status_is_the_verdict() {
    assert_eq!(stage(&[false]).run(&["--hold", "0"]).status, 0);
    assert_eq!(stage(&[false]).run(&["--hold", "1h"]).status, 4);
    assert_eq!(stage(&[true]).run(&["--hold", "0"]).status, 4);
    let mut bogus = stage(&[false]);
    bogus.rounds.borrow_mut()[0][0].hops[0].servers[0].security =
        crate::propagation::evidence::Security::Bogus;
    assert_eq!(bogus.run(&["--hold", "0"]).status, 1);
    let mut silent = stage(&[false]);
    silent.rounds.borrow_mut()[0][0].hops[0].servers[1] = failing(2, Outcome::Unreachable);
    assert_eq!(silent.run(&["--hold", "0"]).status, 3);
    assert_eq!(
        silent
            .run(&["--hold", "0", "--allow-unreachable", "1"])
            .status,
        0
    );
}

#[test]
fn the_clock_survives_a_restart() {
    let mut stage = stage(&[false]);
    let said = stage.run(&["--hold", "1h", "--json"]);
    assert_eq!(
        (said.status, &said.json()["safe_at"]),
        (4, &json!("2026-11-21T13:00:00Z"))
    );
    stage.now.set(at("12:59:59"));
    assert_eq!(stage.run(&["--hold", "1h"]).status, 4);
    stage.now.set(at("13:00:00"));
    assert_eq!(stage.run(&["--hold", "1h"]).status, 0);
}

#[test]
fn waiting_ends_when_the_hold_does() {
    let mut stage = stage(&[true, true, false]);
    let said = stage.run(&["--hold", "1m", "--wait", "--json"]);
    assert_eq!(said.status, 0, "{}", said.out);
    // The servers agree after 5 + 7.5 seconds; the last pause ends on the second.
    assert_eq!(stage.now.get(), at("12:01:13"));
    assert_eq!(stage.slept[..3], [5, 7, 11]);
    assert_eq!(said.err, "");
}

#[test]
fn waiting_ends_at_the_deadline_with_not_yet() {
    let mut stage = stage(&[true]);
    let said = stage.run(&["--hold", "0", "--wait", "--deadline", "1m"]);
    assert_eq!((said.status, stage.now.get()), (4, at("12:01:00")));
    // Nothing changed after the first look.
    assert_eq!(said.err.lines().count(), 1, "{}", said.err);
    assert!(
        said.err
            .starts_with("2026-11-21T12:00:00Z wait; ns2.example.net. 192.0.2.2: "),
        "{}",
        said.err
    );
    assert!(said.out.starts_with("WAIT: "), "{}", said.out);
}

#[test]
fn a_wait_that_turns_bad_ends_at_once() {
    let mut stage = stage(&[true, true]);
    stage.rounds.borrow_mut()[1][0].hops[0].chain[1].security =
        crate::propagation::evidence::Security::Bogus;
    assert_eq!(stage.run(&["--wait"]).status, 1);
    assert_eq!(stage.slept, [5]);
}

#[test]
fn a_signal_ends_the_wait_with_what_was_known_and_the_clock_goes_on() {
    let mut stage = stage(&[false]);
    stage.signal_at = Some(at("12:00:20"));
    let said = stage.run(&["--hold", "1m", "--wait", "--exec", "deploy"]);
    assert_eq!((said.status, stage.catches), (4, 1), "{}", said.err);
    assert!(
        said.out.starts_with("WAIT: ") && said.out.contains("safe at 2026-11-21T12:01:00Z"),
        "{}",
        said.out
    );
    assert!(
        said.err
            .contains("SIGTERM ended the wait; what was seen is kept"),
        "{}",
        said.err
    );
    assert!(stage.executed.borrow().is_empty());
    stage.signal_at = None;
    assert_eq!(stage.run(&["--hold", "1m", "--wait"]).status, 0);
    assert_eq!(stage.now.get(), at("12:01:00"));
}

#[test]
fn a_signal_before_the_first_answer_is_cannot_tell_and_leaves_no_state() {
    let mut stage = stage(&[]);
    let said = stage.run(&["--wait", "--json"]);
    assert_eq!((said.status, &said.json()["status"]), (3, &json!(3)));
    assert!(
        said.json()["error"]["message"]
            .as_str()
            .unwrap()
            .starts_with("SIGINT came before")
    );
    assert!(!stage.path("state").exists());
}

#[test]
fn on_a_terminal_the_time_left_is_drawn_each_second_and_taken_away_in_the_end() {
    let mut stage = stage(&[false]);
    stage.watched = true;
    let said = stage.run(&["--hold", "7", "--wait"]);
    assert_eq!((said.status, stage.slept.len()), (0, 7), "{}", said.err);
    for left in ["in 7s;", "in 6s;", "in 1s;"] {
        assert!(said.err.contains(left), "{left} in {:?}", said.err);
    }
    assert!(
        said.err
            .contains("ok       ns2.example.net. 192.0.2.2: agrees for 3s"),
        "{:?}",
        said.err
    );
    // What remains when the terminal has done as it was told.
    assert_eq!(screen(&said.err), "", "{:?}", said.err);
    stage.signal_at = Some(at("12:00:00"));
    assert!(
        stage
            .run(&["--hold", "1h", "--wait", "--quiet"])
            .err
            .is_empty()
    );
}

/// What a terminal shows after these octets.
fn screen(octets: &str) -> String {
    let width = crate::report::terminal_width();
    let mut lines = vec![String::new()];
    let mut at: usize = 0;
    let mut rest = octets;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        if c == '\u{1b}' {
            let end = rest.find(|c: char| c.is_ascii_alphabetic()).unwrap();
            let count: usize = rest[1..end].parse().unwrap();
            match &rest[end..=end] {
                "A" => {
                    at = at
                        .checked_sub(count)
                        .unwrap_or_else(|| panic!("above the top in {octets:?}"))
                }
                "B" => at += count,
                "K" => lines[at].clear(),
                other => panic!("{other} in {octets:?}"),
            }
            rest = &rest[end + 1..];
        } else if c != '\r' {
            if c == '\n' || lines[at].chars().count() == width {
                at += 1;
            }
            if lines.len() <= at {
                lines.push(String::new());
            }
            if c != '\n' {
                lines[at].push(c);
            }
        }
    }
    lines.join("\n").trim_end().to_owned()
}

#[test]
fn the_command_runs_when_it_is_safe_and_only_then() {
    let mut safe = stage(&[false]);
    let said = safe.run(&["--hold", "0", "--exec", "deploy 'the key'", "--json"]);
    assert_eq!(
        (said.status, &said.json()["exec"]),
        (0, &json!({"command": "deploy 'the key'", "status": 0}))
    );
    assert_eq!(*safe.executed.borrow(), ["deploy 'the key'"]);
    let mut waiting = stage(&[true]);
    let said = waiting.run(&["--hold", "0", "--exec", "deploy", "--json"]);
    assert_eq!((said.status, &said.json()["exec"]), (4, &Value::Null));
    assert!(waiting.executed.borrow().is_empty());
}

#[test]
fn the_command_does_not_run_after_a_signal_that_came_with_the_last_answers() {
    let mut stage = stage(&[false]);
    stage.signal_at = Some(at("12:00:00"));
    let said = stage.run(&["--hold", "0", "--wait", "--exec", "deploy"]);
    assert!(stage.executed.borrow().is_empty());
    assert_eq!(said.status, 1);
    assert!(
        said.err
            .starts_with("error: it is safe, but SIGTERM came before the command was run"),
        "{}",
        said.err
    );
    let json = stage
        .run(&["--hold", "0", "--wait", "--exec", "deploy", "--json"])
        .json();
    assert_eq!(
        (&json["verdict"], &json["exec"]),
        (&json!("safe"), &Value::Null)
    );
}

#[test]
fn a_command_that_fails_is_reported_beside_the_verdict() {
    for outcome in [Ok(Some(7)), Ok(None), Err(io::ErrorKind::NotFound.into())] {
        let mut stage = stage(&[false]);
        stage.status = outcome;
        let said = stage.run(&["--hold", "0", "--exec", "deploy"]);
        assert_eq!(said.status, 1);
        assert!(said.out.starts_with("SAFE: "), "{}", said.out);
        assert!(
            said.err.starts_with("error: it is safe, but the command "),
            "{}",
            said.err
        );
        let json = stage
            .run(&["--hold", "0", "--exec", "deploy", "--json"])
            .json();
        assert_eq!(
            (&json["status"], &json["verdict"]),
            (&json!(1), &json!("safe"))
        );
        assert_eq!(json["error"]["place"], "--exec deploy");
    }
}

#[test]
fn targets_of_several_zones_keep_their_order_and_their_documents() {
    let mut stage = stage(&[false]);
    let record = stage.new_record(Params::default());
    let evidence = |owner: &str, zone: &str| Evidence {
        owner: fixtures::name(owner),
        hops: vec![fixtures::hop(
            owner,
            zone,
            vec![server(1, std::slice::from_ref(&record))],
        )],
        ..fixtures::evidence(Vec::new())
    };
    let owners = [
        "_25._tcp.mail.example.com",
        "_25._tcp.b.example.org",
        "_25._tcp.a.example.com",
    ];
    let round = vec![
        evidence(owners[0], "example.com"),
        evidence(owners[1], "example.org"),
        evidence(owners[2], "example.com"),
    ];
    stage.rounds = RefCell::new([round].into());
    let said = stage.run(&[
        "--host",
        "b.example.org",
        "--host",
        "a.example.com",
        "--hold",
        "0",
        "--json",
    ]);
    let seen: Vec<Value> = said.json()["targets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| t["owner"].clone())
        .collect();
    assert_eq!(seen, owners.map(|owner| json!(format!("{owner}."))));
    for file in ["example.com.json", "example.org.json"] {
        assert!(stage.path("state").join(file).exists(), "{file}");
    }
    let kept = std::fs::read_to_string(stage.path("state/example.com.json")).unwrap();
    assert!(kept.contains("_25._tcp.mail") && kept.contains("_25._tcp.a."));
}

#[test]
fn other_parameters_in_the_set_are_derived_from_the_files() {
    let mut stage = stage(&[false]);
    let wide = Params {
        matching: crate::tlsa::Matching::SHA2_512,
        ..Params::default()
    };
    let (new, new_wide) = (stage.new_record(Params::default()), stage.new_record(wide));
    for (extra, status) in [
        (new_wide, 0),
        (key_as("old", 3, 1, 2), 1),
        (key_as("ca", 2, 1, 1), 3),
    ] {
        let round = vec![fixtures::evidence(vec![server(1, &[new.clone(), extra])])];
        stage.rounds = RefCell::new([round].into());
        assert_eq!(stage.run(&["--hold", "0"]).status, status);
    }
}

#[test]
fn the_current_key_is_read_from_its_file() {
    let mut stage = stage(&[false]);
    let old = rcgen::KeyPair::generate().unwrap();
    std::fs::write(stage.path("old.pem"), old.serialize_pem()).unwrap();
    let path = stage.path("old.pem");
    let said = stage.run(&["--hold", "0", "--current", path.to_str().unwrap(), "--json"]);
    assert_eq!(said.status, 1);
    assert_eq!(
        said.json()["targets"][0]["findings"][0]["code"],
        "old-record-missing"
    );
}

#[test]
fn a_damaged_state_is_said_with_its_place_and_left_alone() {
    let mut stage = stage(&[false]);
    std::fs::create_dir(stage.path("state")).unwrap();
    let file = stage.path("state/example.com.json");
    std::fs::write(&file, "{").unwrap();
    let said = stage.run(&["--hold", "0"]);
    assert_eq!(said.status, 2);
    assert!(
        said.err.contains("the state is damaged") && said.err.contains("hint: "),
        "{}",
        said.err
    );
    assert!(said.err.contains(file.to_str().unwrap()));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "{");
}

#[test]
fn a_clock_before_the_build_and_a_since_to_come_are_refused() {
    let mut stage = stage(&[false]);
    assert_eq!(stage.run(&["--since", "2026-11-21T12:00:01Z"]).status, 2);
    assert_eq!(
        stage
            .run(&["--since", "2026-11-21T11:00:00Z", "--hold", "1h"])
            .status,
        0
    );
    stage.now.set("2026-11-19T00:00:00Z".parse().unwrap());
    let said = stage.run(&["--hold", "0"]);
    assert_eq!((said.status, said.out.as_str()), (3, ""));
}
