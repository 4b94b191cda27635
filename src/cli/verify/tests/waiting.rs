//! How a wait ends, and what it rides over.

use std::sync::mpsc::channel;
use std::thread;

use super::*;
use crate::files::state;
use crate::propagation::evidence::Security;

/// What happens to the second server of one round.
#[derive(Clone, Copy)]
enum Second {
    Good,
    Lags,
    Fails(Outcome),
    Bogus,
}

fn rounds(stage: &Stage, seconds: &[Second]) -> VecDeque<Vec<Evidence>> {
    let both = [stage.new_record(Params::default()), key("old")];
    let round = |second: &Second| {
        let mut answer = match second {
            Second::Good | Second::Bogus => server(2, &both),
            Second::Lags => server(2, &[key("old")]),
            Second::Fails(outcome) => failing(2, *outcome),
        };
        if matches!(second, Second::Bogus) {
            answer.security = Security::Bogus;
        }
        vec![fixtures::evidence(vec![server(1, &both), answer])]
    };
    seconds.iter().map(round).collect()
}

fn of(seconds: &[Second]) -> Stage {
    let mut stage = Stage::new(Vec::new());
    stage.rounds = RefCell::new(rounds(&stage, seconds));
    stage
}

#[test]
fn a_hiccup_does_not_end_the_wait_and_does_not_count_as_agreement() {
    use Second::{Fails, Good, Lags};
    for outcome in [
        Outcome::Unreachable,
        Outcome::ServFail,
        Outcome::Refused,
        Outcome::Malformed,
    ] {
        let mut stage = of(&[Good, Fails(outcome), Fails(outcome), Good]);
        let said = stage.run(&["--hold", "1m", "--wait"]);
        assert_eq!(said.status, 0, "{outcome:?}: {}{}", said.out, said.err);
        assert!(
            stage.now.get() >= at("12:01:00"),
            "{outcome:?}: the hold was not cut short"
        );
        assert!(
            said.err.contains(" unknown; ns2.example.net. 192.0.2.2: "),
            "{}",
            said.err
        );
        // Where the wait begins with it, too.
        assert_eq!(
            of(&[Fails(outcome), Lags, Fails(outcome), Good])
                .run(&["--hold", "1m", "--wait"])
                .status,
            0
        );
    }
}

#[test]
fn a_resolver_that_hangs_for_a_moment_does_not_end_the_wait() {
    let mut stage = of(&[Second::Good]);
    let good = stage.rounds.borrow()[0].clone();
    let mut hangs = fixtures::resolver(&[], 0);
    (hangs.outcome, hangs.ttl) = (Outcome::ServFail, None);
    let mut bad = good.clone();
    bad[0].resolvers = vec![hangs];
    // Not even the zone is found without it.
    let lost = vec![Evidence {
        hops: Vec::new(),
        ..fixtures::evidence(Vec::new())
    }];
    stage.rounds = RefCell::new([good.clone(), bad, lost, good].into());
    let said = stage.run(&["--hold", "1m", "--wait"]);
    assert_eq!(said.status, 0, "{}{}", said.out, said.err);
    assert!(stage.now.get() >= at("12:01:00"));
    assert!(
        said.err.contains("SERVFAIL") && said.err.contains("the zone of "),
        "{}",
        said.err
    );
}

#[test]
fn a_hiccup_is_looked_at_again_soon() {
    use Second::{Fails, Lags};
    let lag = [Lags; 9];
    let mut stage = of(&[&lag[..], &[Fails(Outcome::Unreachable)], &[Lags]].concat());
    stage.run(&["--hold", "0", "--wait", "--deadline", "10m"]);
    assert_eq!(
        stage.slept[..11],
        [5, 7, 11, 16, 25, 37, 56, 60, 60, 5, 7],
        "{:?}",
        stage.slept
    );
}

#[test]
fn cannot_tell_ends_the_wait_when_patience_does() {
    use Second::{Fails, Good, Lags};
    let silent = Fails(Outcome::Unreachable);
    let mut stage = of(&[Lags, silent]);
    assert_eq!(
        (
            stage.run(&["--hold", "1h", "--wait"]).status,
            stage.now.get()
        ),
        (3, at("12:15:05"))
    );
    let mut stage = of(&[Good, silent]);
    let said = stage.run(&["--hold", "1h", "--wait", "--patience", "20s"]);
    assert_eq!(
        (said.status, stage.now.get()),
        (3, at("12:00:25")),
        "{}",
        said.out
    );
    // Between two hiccups there was an answer.
    let mut stage = of(&[silent, silent, Good, silent, silent, silent, Good]);
    assert_eq!(
        stage
            .run(&["--hold", "1m", "--wait", "--patience", "20s"])
            .status,
        0
    );
    assert_eq!(of(&[silent]).run(&["--wait", "--patience", "0"]).status, 3);
    assert_eq!(
        of(&[silent]).run(&[]).status,
        3,
        "without --wait there is none"
    );
}

#[test]
fn the_deadline_cuts_a_check_that_is_under_way() {
    let mut stage = of(&[Second::Good]);
    stage.takes = [Duration::from_secs(3), Duration::from_secs(700)].into();
    let said = stage.run(&["--hold", "1h", "--wait", "--deadline", "20s", "--json"]);
    assert_eq!(
        (said.status, stage.now.get()),
        (4, at("12:00:20")),
        "{}",
        said.out
    );
    assert_eq!(said.json()["checked_at"], "2026-11-21T12:00:03Z");
    let warning = said.json()["warnings"][0].as_str().unwrap().to_owned();
    assert!(
        warning.starts_with("the deadline came before the name servers had answered again; "),
        "{warning}"
    );
    // With nothing known at all, there is nothing to say but that.
    let mut stage = of(&[Second::Good]);
    stage.takes = [Duration::from_secs(700)].into();
    let said = stage.run(&[
        "--hold",
        "0",
        "--wait",
        "--deadline",
        "20s",
        "--exec",
        "deploy",
    ]);
    assert_eq!(
        (said.status, stage.now.get()),
        (3, at("12:00:22")),
        "{}",
        said.err
    );
    assert!(
        said.err
            .starts_with("error: the deadline came before the name servers had answered\nhint: "),
        "{}",
        said.err
    );
    assert!(stage.executed.borrow().is_empty());
    // A check at the deadline itself has a moment, and no more.
    let mut stage = of(&[Second::Good]);
    stage.takes = [Duration::from_secs(1), Duration::from_secs(700)].into();
    assert_eq!(
        stage
            .run(&["--hold", "1h", "--wait", "--deadline", "5s"])
            .status,
        4
    );
    assert_eq!(stage.now.get(), at("12:00:07"), "{:?}", stage.slept);
}

/// Two lines of a list, with a round each of how their second servers do.
fn listed(stage: &mut Stage, seconds: &[(Second, Second)], more: &[&str]) -> Said {
    let list = "new.pem mail.example.com 25\nnew.pem b.example.org 25\n";
    std::fs::write(stage.path("list"), list).unwrap();
    let mut all: VecDeque<Vec<Evidence>> = VecDeque::new();
    for (first, second) in seconds {
        let mut round = rounds(stage, &[*first]).remove(0).unwrap();
        let mut other = rounds(stage, &[*second]).remove(0).unwrap().remove(0);
        other.owner = fixtures::name("_25._tcp.b.example.org");
        let servers = other.hops.remove(0).servers;
        other.hops.push(fixtures::hop(
            "_25._tcp.b.example.org",
            "example.org",
            servers,
        ));
        round.push(other);
        all.push_back(round);
    }
    stage.rounds = RefCell::new(all);
    let list = stage.path("list");
    stage.call(&[&["--targets", list.to_str().unwrap()], more].concat())
}

#[test]
fn one_line_that_is_unsafe_or_unknown_does_not_end_the_wait_of_the_others() {
    use Second::{Bogus, Fails, Good, Lags};
    let mut stage = of(&[]);
    let said = listed(
        &mut stage,
        &[(Bogus, Lags), (Bogus, Lags), (Bogus, Good)],
        &["--hold", "30s", "--wait", "--json"],
    );
    assert_eq!(
        (said.status, &said.json()["verdict"]),
        (1, &json!("unsafe")),
        "{}",
        said.out
    );
    assert_eq!(said.json()["targets"][1]["verdict"], "safe", "{}", said.out);
    // The one that was unsafe may come right meanwhile.
    let mut stage = of(&[]);
    let said = listed(
        &mut stage,
        &[(Bogus, Lags), (Good, Lags), (Good, Good)],
        &["--hold", "30s", "--wait"],
    );
    assert_eq!(said.status, 0, "{}", said.out);
    let silent = Fails(Outcome::Unreachable);
    let mut stage = of(&[]);
    let more = ["--hold", "30m", "--wait", "--patience", "1m", "--json"];
    let said = listed(&mut stage, &[(silent, Good)], &more);
    assert_eq!(
        (said.status, &said.json()["verdict"]),
        (3, &json!("unknown")),
        "{}",
        said.out
    );
    assert_eq!(
        (&said.json()["targets"][1]["verdict"], stage.now.get()),
        (&json!("safe"), at("12:30:00"))
    );
}

#[test]
fn a_state_that_somebody_else_keeps_locked_does_not_end_the_wait() {
    let mut stage = of(&[Second::Good]);
    let (folder, zone) = (stage.path("state"), fixtures::name("example.com"));
    let (locked, is_locked) = channel();
    let (release, released) = channel::<()>();
    let holder = thread::spawn(move || {
        state::update(&folder, &zone, |memory| {
            locked.send(()).unwrap();
            (
                (),
                released.recv().map_or(memory.clone(), |()| memory.clone()),
            )
        })
    });
    is_locked.recv().unwrap();
    stage.at_sleep = Some(Box::new(move || {
        release.send(()).unwrap();
        holder.join().unwrap().unwrap();
    }));
    let said = stage.run(&["--hold", "30s", "--wait"]);
    assert_eq!(said.status, 0, "{}{}", said.out, said.err);
    let warning = "warning: the state is locked by another run; it is tried again\n";
    assert!(said.err.starts_with(warning), "{}", said.err);
}

#[test]
fn a_warning_on_a_terminal_stands_above_the_lines_that_are_drawn() {
    let mut stage = of(&[Second::Good]);
    stage.watched = true;
    let folder = stage.path("figures");
    std::fs::create_dir(&folder).unwrap();
    let metrics = folder.join("dane.prom");
    stage.at_sleep = Some(Box::new(move || std::fs::remove_dir_all(folder).unwrap()));
    let said = stage.run(&[
        "--hold",
        "20s",
        "--wait",
        "--metrics",
        metrics.to_str().unwrap(),
    ]);
    assert_eq!(said.status, 0, "{}", said.err);
    let left = screen(&said.err);
    let mut lines = left.lines().peekable();
    assert!(lines.peek().is_some(), "{:?}", said.err);
    // A sentence longer than the terminal goes on in the next line.
    let whole = lines.collect::<String>();
    let warnings: Vec<&str> = whole.split("warning: ").skip(1).collect();
    assert!(
        whole.starts_with("warning: ") && warnings.len() > 1,
        "{left}"
    );
    assert!(
        warnings
            .iter()
            .all(|warning| warning.starts_with("the figures cannot be written to ")),
        "{left}"
    );
    assert!(
        !whole.contains("waiting") && !whole.contains("next look"),
        "the lines are gone: {left}"
    );
}

#[test]
fn a_wall_clock_that_is_set_during_the_wait_ends_nothing_early() {
    let mut stage = of(&[Second::Good]);
    (stage.boot, stage.step) = (Some((1, TimeDelta::zero())), TimeDelta::hours(3));
    let said = stage.run(&["--hold", "1h", "--wait", "--json"]);
    assert_eq!((said.status, &said.json()["verdict"]), (0, &"safe".into()));
    // Each sleep is noted in whole seconds.
    let slept: u64 = stage.slept.iter().sum();
    assert!((3580..3720).contains(&slept), "{slept}");
}
