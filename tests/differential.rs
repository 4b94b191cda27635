//! Every file in `zones/` and some invented zones are patched and pruned, and
//! BIND's canonical text of each may differ by the records asked for and the
//! serial, nothing else. What BIND, NSD and Knot accepted before, they accept
//! after. `INVENTED_ZONES` sets how many zones are invented, `FIRST_ZONE` from
//! which seed on.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops where it fails"
)]

#[path = "laws/dice.rs"]
mod dice;
#[path = "laws/invent.rs"]
mod invent;
#[path = "laws/pen.rs"]
mod pen;
#[path = "laws/plain.rs"]
mod plain;

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use danewright::name::Name;
use danewright::zone::text::rtype::type_code;
use invent::Files;

const PORTS: [&str; 3] = ["25", "465", "587"];

fn run(program: &str, arguments: &[&str], folder: &Path) -> Output {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .env("HOME", folder)
        .output();
    output.unwrap_or_else(|error| panic!("{program}: {error}"))
}

/// One zone on its way through the tools.
struct Trial<'t> {
    zone: &'t str,
    folder: &'t Path,
    /// Sets with several TTLs: BIND takes the first where the lines follow each
    /// other and the last where others stand between, so that it may change with them.
    mixed: HashMap<(Vec<u8>, u16), BTreeSet<Option<u32>>>,
}

/// The zone as BIND reads it: a record a line without the serial, and the serial.
#[derive(Clone, PartialEq)]
struct Canonical {
    records: BTreeSet<String>,
    serial: u32,
}

impl<'t> Trial<'t> {
    fn new(zone: &'t str, folder: &'t Path, files: &Files) -> Self {
        let mut mixed: HashMap<(Vec<u8>, u16), BTreeSet<Option<u32>>> = HashMap::new();
        for record in plain::records(files, Name::from_user(zone).unwrap().wire()) {
            mixed
                .entry((record.owner, record.code))
                .or_default()
                .insert(record.ttl);
        }
        mixed.retain(|_, ttls| ttls.len() > 1);
        Self {
            zone,
            folder,
            mixed,
        }
    }

    fn canonical(&self) -> Canonical {
        let arguments = [
            "-q", "-k", "ignore", "-s", "full", "-o", "-", self.zone, "zone",
        ];
        let output = run("named-compilezone", &arguments, self.folder);
        let said = run("named-compilezone", &arguments[1..], self.folder);
        assert!(
            output.status.success(),
            "{}: {}",
            self.zone,
            String::from_utf8_lossy(&said.stdout)
        );
        let text = String::from_utf8(output.stdout).unwrap();
        let mut serial = 0;
        let lines = text
            .lines()
            .filter(|line| !line.starts_with(';'))
            .map(|line| {
                let mut words: Vec<&str> = line.split_whitespace().collect();
                if words[3] == "SOA" {
                    serial = words[6].parse().unwrap();
                    words[6] = "SERIAL";
                }
                let owner = Name::from_zone_text(words[0].as_bytes(), None).unwrap();
                let set = (
                    owner.wire().to_vec(),
                    type_code(words[3].as_bytes()).unwrap(),
                );
                if self.mixed.contains_key(&set) {
                    words[1] = "TTL";
                }
                // Owners are compared as DNS compares names.
                words.join(" ").to_ascii_lowercase()
            });
        let records = lines.collect();
        Canonical { records, serial }
    }

    /// Which of the servers' checkers take the file.
    fn accepted(&self) -> [bool; 3] {
        let bind = run(
            "named-checkzone",
            &["-q", "-i", "local", self.zone, "zone"],
            self.folder,
        )
        .status
        .success();
        let nsd = run("nsd-checkzone", &[self.zone, "zone"], self.folder)
            .status
            .success();
        let knot = run("kzonecheck", &["-o", self.zone, "zone"], self.folder)
            .status
            .success();
        [bind, nsd, knot]
    }

    /// Runs a command on the zone's mail server; `false` when it is refused.
    fn danewright(&self, arguments: &[&str]) -> bool {
        let host = format!("mail.{}", self.zone);
        let mut arguments = arguments.to_vec();
        arguments.extend(["--origin", self.zone, "--host", &host, "--state", "state"]);
        for port in PORTS {
            arguments.extend(["--port", port]);
        }
        let output = run(env!("CARGO_BIN_EXE_danewright"), &arguments, self.folder);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            matches!(output.status.code(), Some(0 | 1)),
            "{}: {arguments:?}: {said}",
            self.zone
        );
        assert!(
            !said.contains("also change"),
            "{}: {arguments:?}: {said}",
            self.zone
        );
        output.status.success()
    }

    /// Patches and prunes; how many of the two were done rather than refused.
    fn run(&self, key: &str) -> usize {
        let zone = self.zone;
        let (before, servers) = (self.canonical(), self.accepted());
        if !self.danewright(&["patch", "zone", key]) {
            assert!(
                self.canonical() == before,
                "{zone}: a refused patch changed something"
            );
            return 0;
        }
        let with = self.canonical();
        assert!(
            before.records.is_subset(&with.records),
            "{zone}: a record is gone"
        );
        let added: Vec<&String> = with.records.difference(&before.records).collect();
        assert_eq!(added.len(), PORTS.len(), "{zone}: {added:#?}");
        for port in PORTS {
            let owner = format!("_{port}._tcp.mail.{zone}. ");
            let there =
                |line: &&String| line.starts_with(&owner) && line.contains(" in tlsa 3 1 1 ");
            assert!(added.iter().any(there), "{zone}: {added:#?}");
        }
        assert!(
            (1..1 << 31).contains(&with.serial.wrapping_sub(before.serial)),
            "{zone}: the serial stepped back"
        );
        assert_eq!(
            self.accepted(),
            servers,
            "{zone}: another server reads it no more"
        );

        if !self.danewright(&["prune", "zone", "--no-probe", "--force", "--keep", key]) {
            assert!(
                self.canonical() == with,
                "{zone}: a refused prune changed something"
            );
            return 1;
        }
        let after = self.canonical();
        let come: Vec<&String> = after.records.difference(&with.records).collect();
        assert!(come.is_empty(), "{zone}: pruning added {come:#?}");
        let stale: Vec<&String> = with.records.difference(&after.records).collect();
        let asked = |line: &str| {
            PORTS
                .iter()
                .any(|port| line.starts_with(&format!("_{port}._tcp.mail.{zone}. ")))
        };
        let known =
            |line: &str| asked(line) && line.contains(" in tlsa ") && before.records.contains(line);
        assert!(stale.iter().all(|line| known(line)), "{zone}: {stale:#?}");
        assert!(
            added.iter().all(|line| after.records.contains(*line)),
            "{zone}: the key in use lost its record"
        );
        let left = after
            .records
            .iter()
            .filter(|line| asked(line) && line.contains(" in tlsa "))
            .count();
        assert_eq!(left, PORTS.len(), "{zone}: a record of another key is left");
        // What made one of them refuse the file may have gone.
        let lost = self
            .accepted()
            .iter()
            .zip(servers)
            .any(|(now, then)| then && !now);
        assert!(!lost, "{zone}: another server reads it no more");
        2
    }
}

fn zones() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("zones")
}

fn key() -> String {
    zones().join("new-cert.pem").to_str().unwrap().to_owned()
}

fn put(folder: &Path, files: &Files) {
    for (label, text) in files {
        let name = if label == "main" { "zone" } else { label };
        fs::write(folder.join(name), text).unwrap();
    }
}

#[test]
#[ignore = "needs named-checkzone, named-compilezone, nsd-checkzone, kzonecheck"]
fn bind_reads_the_same_zone_with_and_without_the_records_asked_for() {
    let mut paths: Vec<PathBuf> = fs::read_dir(zones())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let with_ending = |ending| {
        paths
            .iter()
            .filter(move |path| path.extension().is_some_and(|found| found == ending))
    };
    assert!(with_ending("zone").count() >= 10, "the zones are missing");
    for file in with_ending("zone") {
        let place = tempfile::tempdir().unwrap();
        let mut files = vec![("main".to_owned(), fs::read(file).unwrap())];
        files.extend(with_ending("part").map(|part| {
            let label = part.file_name().unwrap().to_str().unwrap();
            (label.to_owned(), fs::read(part).unwrap())
        }));
        put(place.path(), &files);
        let zone = file.file_stem().unwrap().to_str().unwrap();
        assert_eq!(
            Trial::new(zone, place.path(), &files).run(&key()),
            2,
            "{zone} was refused"
        );
    }
}

#[test]
#[ignore = "needs named-checkzone, named-compilezone, nsd-checkzone, kzonecheck"]
fn bind_reads_the_same_of_invented_zones() {
    let number =
        |name: &str, usual| std::env::var(name).map_or(usual, |text| text.parse::<u64>().unwrap());
    let (first, count) = (number("FIRST_ZONE", 0), number("INVENTED_ZONES", 60));
    let half = |start: u64| {
        let mut done = 0;
        for seed in (first + start..first + count).step_by(2) {
            let length = 30 + (seed as usize * 37) % 700;
            let invented = invent::zone(&mut dice::Dice::new(&dice::octets(seed, length)));
            let place = tempfile::tempdir().unwrap();
            put(place.path(), &invented.files);
            let trial = Trial::new(invented.zone, place.path(), &invented.files);
            let key = key();
            let outcome =
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| trial.run(&key)));
            done += outcome.unwrap_or_else(|_| {
                let files = invented
                    .files
                    .iter()
                    .map(|(label, text)| format!("--- {label}\n{}", text.escape_ascii()));
                panic!(
                    "seed {seed}:\n{}",
                    files
                        .collect::<String>()
                        .replace("\\n", "\n")
                        .replace("\\t", "\t")
                );
            });
        }
        done
    };
    let done: usize = std::thread::scope(|scope| {
        let other = scope.spawn(|| half(1));
        half(0) + other.join().unwrap()
    });
    assert!(
        done as u64 * 10 > count * 2 * 7,
        "only {done} of {} edits were done",
        count * 2
    );
}
