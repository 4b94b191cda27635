//! A whole key change with the system's clocks replaced: a first look, the patch, a
//! server that lags, one that falls back, a restart of the machine, a wall clock that
//! is set, and at last *safe*, the new key alone, and the old record's end.

use super::*;
use crate::propagation::evidence::ServerAnswer;

struct Walk {
    stage: Stage,
    records: [Tlsa; 2],
    /// What is true, whatever the wall clock says.
    now: DateTime<Utc>,
    start: usize,
    ahead: TimeDelta,
}

/// Which keys a server serves.
const OLD: [bool; 2] = [true, false];
const BOTH: [bool; 2] = [true, true];
const NEW: [bool; 2] = [false, true];

impl Walk {
    fn new() -> Self {
        let stage = Stage::new(Vec::new());
        std::fs::copy(stage.path("new.pem"), stage.path("old.pem")).unwrap();
        let pair = rcgen::KeyPair::generate().unwrap();
        std::fs::write(stage.path("new.pem"), pair.serialize_pem()).unwrap();
        let record = |name: &str| {
            inputs::tlsa_of(&[stage.path(name)], None, Params::default())
                .unwrap()
                .remove(0)
        };
        let records = [record("old.pem"), record("new.pem")];
        let zone = format!(
            "$ORIGIN example.com.\n$TTL 1h\n@ SOA ns1 h 1 2h 1h 2w 5m\n@ NS ns1\nns1 A 192.0.2.1\nmail A 192.0.2.25\n\
             _25._tcp.mail TLSA {}\n",
            records[0]
        );
        std::fs::write(stage.path("example.com.zone"), zone).unwrap();
        Self {
            stage,
            records,
            now: at("00:00:00"),
            start: 1,
            ahead: TimeDelta::zero(),
        }
    }

    fn after(&mut self, time: TimeDelta) -> &mut Self {
        self.now += time;
        self
    }

    fn wall(&self) -> DateTime<Utc> {
        self.now + self.ahead
    }

    /// `verify` of a key while the two servers serve these: the status, and the end
    /// of the wait by the true clock.
    fn verify(&mut self, key: &str, servers: [[bool; 2]; 2]) -> (u8, Option<DateTime<Utc>>) {
        let serves = |number: u8, keys: [bool; 2]| -> ServerAnswer {
            let records = self
                .records
                .iter()
                .zip(keys)
                .filter(|(_, there)| *there)
                .map(|(record, _)| record.clone());
            server(number, &records.collect::<Vec<_>>())
        };
        let seen = fixtures::evidence(vec![serves(1, servers[0]), serves(2, servers[1])]);
        self.stage.rounds = RefCell::new([vec![seen]].into());
        self.stage.now.set(self.wall());
        self.stage.boot = Some((self.start, self.ahead));
        let file = self.stage.path(key);
        let words = [
            file.to_str().unwrap(),
            "--host",
            "mail.example.com",
            "--port",
            "25",
            "--json",
        ];
        let said = self.stage.call(&words);
        let safe_at = said.json()["safe_at"]
            .as_str()
            .map(|text| text.parse::<DateTime<Utc>>().unwrap() - self.ahead);
        (said.status, safe_at)
    }

    /// `patch` or `prune`, by their own code; the status.
    fn edit(&self, command: &str, more: &[&str]) -> u8 {
        let text = |name: &str| self.stage.path(name).to_str().unwrap().to_owned();
        let mut line = vec![
            "danewright".to_owned(),
            command.to_owned(),
            text("example.com.zone"),
        ];
        line.extend(["--host", "mail.example.com", "--port", "25", "--state"].map(str::to_owned));
        line.push(text("state"));
        line.extend(more.iter().map(|word| {
            if word.ends_with(".pem") {
                text(word)
            } else {
                (*word).to_owned()
            }
        }));
        let cli = Cli::try_parse_from(&line).unwrap();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let streams = Streams {
            out: &mut out,
            err: &mut err,
            out_is_terminal: false,
            err_is_terminal: false,
        };
        let mut ui = Ui::new(
            &Global {
                color: Color::Never,
                ..cli.global
            },
            streams,
        );
        let ran = match cli.command {
            Command::Patch(args) => crate::cli::patch::run(&args, &mut ui, self.wall()),
            Command::Prune(args) => crate::cli::prune::run(&args, &mut ui, self.wall()),
            _ => panic!("another command"),
        };
        ui.finish("edit", ran) as u8
    }

    fn zone_has(&self) -> [bool; 2] {
        let text = std::fs::read_to_string(self.stage.path("example.com.zone")).unwrap();
        [0, 1].map(|at: usize| text.contains(&self.records[at].to_string()))
    }
}

#[test]
fn a_whole_change_by_every_clock() {
    let (minutes, hours) = (TimeDelta::minutes, TimeDelta::hours);
    let mut walk = Walk::new();
    // A first look, and a day later what is deployed is known to be everywhere.
    let first = walk.now;
    assert_eq!(
        walk.verify("old.pem", [OLD, OLD]),
        (4, Some(first + hours(24)))
    );
    assert_eq!(
        walk.after(hours(24)).verify("old.pem", [OLD, OLD]),
        (0, None)
    );
    // The new record joins the old one, on one server first.
    assert_eq!(walk.after(hours(1)).edit("patch", &["new.pem"]), 0);
    assert_eq!(walk.zone_has(), BOTH);
    assert_eq!(
        walk.after(minutes(1)).verify("new.pem", [BOTH, OLD]),
        (4, None)
    );
    let agreed = walk.after(minutes(10)).now;
    assert_eq!(
        walk.verify("new.pem", [BOTH, BOTH]),
        (4, Some(agreed + hours(2)))
    );
    // A monitor of the deployed key is in nobody's way, and nobody in its.
    assert_eq!(
        walk.after(minutes(10)).verify("old.pem", [BOTH, BOTH]),
        (0, None)
    );
    assert_eq!(
        walk.verify("new.pem", [BOTH, BOTH]),
        (4, Some(agreed + hours(2)))
    );
    // One server falls back for a while: from nothing again.
    assert_eq!(
        walk.after(hours(1)).verify("new.pem", [BOTH, OLD]),
        (4, None)
    );
    let agreed = walk.after(minutes(10)).now;
    assert_eq!(
        walk.verify("new.pem", [BOTH, BOTH]),
        (4, Some(agreed + hours(2)))
    );
    // The machine is started again.
    walk.start += 1;
    assert_eq!(
        walk.after(minutes(30)).verify("new.pem", [BOTH, BOTH]),
        (4, Some(agreed + hours(2)))
    );
    // The wall clock is set three hours ahead, which is no time that has passed.
    walk.ahead = hours(3);
    assert_eq!(
        walk.after(minutes(10)).verify("new.pem", [BOTH, BOTH]),
        (4, Some(agreed + hours(2)))
    );
    assert_eq!(walk.edit("prune", &["--no-probe", "--keep", "new.pem"]), 4);
    assert_eq!(walk.zone_has(), BOTH);
    assert_eq!(
        walk.after(minutes(79)).verify("new.pem", [BOTH, BOTH]),
        (4, Some(agreed + hours(2)))
    );
    assert_eq!(
        walk.after(minutes(1)).verify("new.pem", [BOTH, BOTH]),
        (0, None)
    );
    // The new key is deployed; then the old record goes, here and on both servers.
    assert_eq!(
        walk.after(minutes(5))
            .edit("prune", &["--no-probe", "--keep", "new.pem"]),
        0
    );
    assert_eq!(walk.zone_has(), NEW);
    assert_eq!(walk.after(minutes(5)).verify("new.pem", [NEW, BOTH]).0, 4);
    assert_ne!(walk.after(minutes(5)).verify("old.pem", [NEW, NEW]).0, 0);
    let agreed = walk.after(minutes(5)).now;
    walk.verify("new.pem", [NEW, NEW]);
    assert_eq!(walk.now, agreed);
    assert_eq!(
        walk.after(hours(2)).verify("new.pem", [NEW, NEW]),
        (0, None)
    );
}
