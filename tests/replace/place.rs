//! A folder with a zone in one file or several, the commands run in it, and
//! what may be there afterwards.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

const KEY: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAErf7LCRiQ0/cLK4CBdfmHYX1fmTsz
uY8m7pxd4+juXH3o/QKG04l3loYwlsNkzno4FoDKEJqJNmxstQTQH4eTvw==
-----END PUBLIC KEY-----
";

/// The data of KEY's record.
pub(crate) const NEW: &str =
    "3 1 1 70ed55a693d4776f634f0df7f859ce58f56ee75022e30c7f694ac71126b1633f";
/// The data of the record that was there before.
pub(crate) const OLD: &str =
    "3 1 1 8bd1da95272f7fa4ffb24137fc0ed03aae67e5c4d8b3c50734e1050a7920b922";

const HEAD: &str = "$ORIGIN example.com.
$TTL 1h
@ IN SOA ns1 hostmaster 7 7200 1800 1209600 300
@ IN NS ns1
ns1 IN A 192.0.2.53
";

const HOSTS: &str = "mail IN A 192.0.2.25\nmx IN A 192.0.2.26\n";

/// Files by name.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// How a zone with records at two hosts lies in files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Everything in one file.
    One,
    /// The SOA in the main file, the records in another.
    RecordsIncluded,
    /// The SOA in another file, the records in the main file.
    SoaIncluded,
    /// The SOA in the main file, the records of each host in a file in a folder of its own.
    Three,
}

impl Shape {
    /// Each of them.
    pub(crate) const ALL: [Self; 4] = [
        Self::One,
        Self::RecordsIncluded,
        Self::SoaIncluded,
        Self::Three,
    ];

    /// The files, with a record at each host before, and `filler` lines that mean nothing here.
    pub(crate) fn files(self, filler: usize) -> Files {
        let record = |host: &str| format!("_25._tcp.{host} IN TLSA {OLD}\n");
        let records = record("mail") + &record("mx");
        let filler: String = (0..filler)
            .map(|n| format!("host-{n} IN TXT \"the line with the number {n}\"\n"))
            .collect();
        let (main, others): (String, Vec<(&str, String)>) = match self {
            Self::One => (format!("{HEAD}{HOSTS}{filler}{records}"), vec![]),
            Self::RecordsIncluded => (
                format!("{HEAD}{HOSTS}{filler}$INCLUDE tlsa.inc\n"),
                vec![("tlsa.inc", records)],
            ),
            Self::SoaIncluded => (
                format!("$INCLUDE head.inc\n$ORIGIN example.com.\n{HOSTS}{filler}{records}"),
                vec![("head.inc", HEAD.to_owned())],
            ),
            Self::Three => (
                format!(
                    "{HEAD}{HOSTS}{filler}$INCLUDE a/mail.inc ; the first\n$INCLUDE \"b/mx.inc\" example.com.\n"
                ),
                vec![("a/mail.inc", record("mail")), ("b/mx.inc", record("mx"))],
            ),
        };
        let others = others
            .into_iter()
            .map(|(name, text)| (name.to_owned(), text.into_bytes()));
        others
            .chain([("example.com.zone".to_owned(), main.into_bytes())])
            .collect()
    }
}

/// The folder.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    pub(crate) fn with(files: &Files) -> Self {
        let place = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        fs::write(place.path().join("new.pem"), KEY).unwrap();
        place.write(files);
        place
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, files: &Files) {
        for (name, text) in files {
            let path = self.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }

    /// Everything but the key and the state.
    pub(crate) fn files(&self) -> Files {
        let mut found = Files::new();
        let mut folders = vec![self.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path
                    .strip_prefix(self.path())
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned();
                match path.is_dir() {
                    true if name != "state" => folders.push(path),
                    false if name != "new.pem" => {
                        drop(found.insert(name, fs::read(&path).unwrap()))
                    }
                    _ => {}
                }
            }
        }
        found
    }

    /// `patch` for both hosts, through `wrapper` where there is one.
    pub(crate) fn command(&self, wrapper: &[&str], more: &[&str]) -> Command {
        let usual = [
            "patch",
            "example.com.zone",
            "new.pem",
            "--host",
            "mail.example.com",
            "--host",
            "mx.example.com",
        ];
        self.any(
            wrapper,
            &[&usual[..], &["--port", "25", "--state", "state"], more].concat(),
        )
    }

    /// `prune` for both hosts, which keeps the new records.
    pub(crate) fn prune(&self, wrapper: &[&str]) -> Command {
        let usual = [
            "prune",
            "example.com.zone",
            "--host",
            "mail.example.com",
            "--host",
            "mx.example.com",
        ];
        self.any(
            wrapper,
            &[
                &usual[..],
                &[
                    "--port",
                    "25",
                    "--state",
                    "state",
                    "--no-probe",
                    "--force",
                    "--keep",
                    "new.pem",
                ],
            ]
            .concat(),
        )
    }

    pub(crate) fn any(&self, wrapper: &[&str], arguments: &[&str]) -> Command {
        let words = [wrapper, &[env!("CARGO_BIN_EXE_danewright")], arguments].concat();
        let mut command = Command::new(words[0]);
        command
            .args(&words[1..])
            .current_dir(self.path())
            .env("HOME", self.path())
            .env_remove("XDG_STATE_HOME")
            .env_remove("STATE_DIRECTORY");
        command
    }

    pub(crate) fn patch(&self, more: &[&str]) -> Output {
        self.command(&[], more).output().unwrap()
    }
}

/// What an output says on stderr.
pub(crate) fn talk(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The serial and every other line of a zone, in no order; directives say nothing here.
pub(crate) fn meaning(files: &Files) -> (u32, Vec<String>) {
    let text: Vec<&str> = files
        .values()
        .map(|text| std::str::from_utf8(text).unwrap())
        .collect();
    let lines = text
        .iter()
        .flat_map(|text| text.lines())
        .filter(|line| !line.starts_with('$'));
    let (soa, mut rest): (Vec<_>, Vec<_>) = lines
        .map(str::to_owned)
        .partition(|line| line.contains(" SOA "));
    assert_eq!(soa.len(), 1, "{soa:?}");
    rest.sort();
    (soa[0].split(' ').nth(5).unwrap().parse().unwrap(), rest)
}

/// What `patch` makes of the files, and then `prune`.
pub(crate) fn outcomes(old: &Files) -> (Files, Files) {
    let place = Place::with(old);
    let run = |mut command: Command| {
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", talk(&output));
        place.files()
    };
    let patched = run(place.command(&[], &[]));
    assert_eq!(
        meaning(&patched)
            .1
            .iter()
            .filter(|line| line.ends_with(NEW))
            .count(),
        2
    );
    let pruned = run(place.prune(&[]));
    assert_eq!(
        meaning(&pruned)
            .1
            .iter()
            .filter(|line| line.ends_with(OLD))
            .count(),
        0
    );
    (patched, pruned)
}

/// After a run was ended somewhere: each file is the old or the new one, whole,
/// and a second run makes of them what was asked, with a serial that moved on,
/// and leaves nothing else behind.
pub(crate) fn ends_well(place: &Place, old: &Files, new: &Files, again: &mut Command, how: &str) {
    let found = place.files();
    for (name, before) in old {
        let now = found
            .get(name)
            .unwrap_or_else(|| panic!("{how}: {name} is gone"));
        assert!(
            now == before || now == &new[name],
            "{how}: {name} is neither the old nor the new file"
        );
    }
    let only_zone = |files: &Files| {
        files
            .iter()
            .filter(|(name, _)| old.contains_key(*name))
            .map(|(name, text)| (name.clone(), text.clone()))
            .collect::<Files>()
    };
    let between = meaning(&only_zone(&found));
    let output = again.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{how}: {}", talk(&output));
    assert!(
        !talk(&output).contains("warning"),
        "{how}: {}",
        talk(&output)
    );
    let last = place.files();
    assert!(
        last.keys().eq(old.keys()),
        "{how}: left behind: {:?}",
        last.keys()
    );
    let (serial, lines) = meaning(&last);
    assert_eq!(lines, meaning(new).1, "{how}");
    assert!(
        serial > meaning(old).0,
        "{how}: the serial stands at {serial}"
    );
    assert!(
        between.1 == lines || serial > between.0,
        "{how}: two zones with the serial {serial}"
    );
}
