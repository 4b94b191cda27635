//! Zone files that named writes to as well, with a real named: which of them
//! `patch` refuses, running and killed, that the way it names works, and that
//! what it edits is served.

mod common;

use std::fs;
use std::path::PathBuf;

use common::danewright::danewright;
use common::dig::ask;
use common::place::{Place, Role};
use common::process::{Daemon, Ran, must, run, wait_for};
use tempfile::TempDir;

const KEY: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAErf7LCRiQ0/cLK4CBdfmHYX1fmTsz
uY8m7pxd4+juXH3o/QKG04l3loYwlsNkzno4FoDKEJqJNmxstQTQH4eTvw==
-----END PUBLIC KEY-----
";

const SECRET: &str = "pz5JuAlGS/5UFKAwEqRIy/cGCkSoI3xvRkXk3r4UsLo=";

const ZONE: &str = "; kept by hand
$TTL 1h
@ IN SOA ns1 hostmaster ( 7 2h 30m 2w 5m )
@ IN NS ns1
ns1 IN A 127.0.0.1
mail IN A 192.0.2.25 ; the mail server
";

/// Words of the file that named would not write.
const BY_HAND: &str = "; the mail server";

/// A named with the zone example.com, in a folder.
struct Primary {
    named: Daemon,
    place: Place,
    folder: TempDir,
}

impl Primary {
    /// Starts named with these settings of the zone.
    fn start(settings: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let path = folder.path();
        let write =
            |name: &str, text: &str| fs::write(path.join(name), text).expect("it can be filled");
        let place = Place::find();
        let (server, control) = (place.server(Role::Bind), place.control(Role::Bind));
        let key = format!("key rig {{ algorithm hmac-sha256; secret \"{SECRET}\"; }};");
        let (port, control_port) = (server.port(), control.port());
        write(
            "named.conf",
            &format!(
                "options {{ directory \".\"; listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; pid-file none;
                session-keyfile none; recursion no; dnssec-validation no; notify no; key-directory \"keys\"; }};
                {key} controls {{ inet 127.0.0.1 port {control_port} allow {{ any; }} keys {{ rig; }}; }};
                zone example.com {{ type primary; file \"example.com.zone\"; {settings} }};"
            ),
        );
        let options = "default-server 127.0.0.1; default-key rig;";
        write(
            "rndc.conf",
            &format!("{key} options {{ {options} default-port {control_port}; }};"),
        );
        write("example.com.zone", ZONE);
        write("new.pem", KEY);
        fs::create_dir(path.join("keys")).expect("a folder can be made");
        let named = Daemon::new(
            "named",
            path,
            "named",
            &["-g", "-n", "1", "-c", "named.conf"],
        );
        let mut primary = Self {
            named,
            place,
            folder,
        };
        primary.run();
        primary
    }

    fn run(&mut self) {
        self.named.start();
        wait_for("named to serve the zone", || {
            assert!(self.named.is_running(), "named ended by itself");
            ask(self.place.server(Role::Bind), "example.com", "SOA", false)?.serial()
        });
    }

    /// Ends named as a crash would.
    fn kill(&mut self) {
        self.named.signal("KILL");
        self.named.stop();
    }

    fn file(&self, ending: &str) -> PathBuf {
        self.folder.path().join(format!("example.com.zone{ending}"))
    }

    fn text(&self) -> String {
        fs::read_to_string(self.file("")).expect("the zone file is text")
    }

    fn rndc(&self, order: &str) -> String {
        let words: Vec<&str> = ["-c", "rndc.conf"]
            .into_iter()
            .chain(order.split(' '))
            .collect();
        must(self.folder.path(), "rndc", &words)
    }

    /// Adds a text record as a dynamic update.
    fn update(&self, name: &str) {
        let port = self.place.server(Role::Bind).port();
        let lines = format!(
            "server 127.0.0.1 {port}\nzone example.com\nupdate add {name}.example.com. 60 TXT x\nsend\n"
        );
        fs::write(self.folder.path().join("update"), lines).expect("it can be written");
        must(
            self.folder.path(),
            "nsupdate",
            &["-y", &format!("hmac-sha256:rig:{SECRET}"), "update"],
        );
    }

    /// Adds the record for a port.
    fn patch(&self, port: &str) -> Ran {
        let usual = [
            "patch",
            "example.com.zone",
            "new.pem",
            "--host",
            "mail.example.com",
            "--state",
            "state",
        ];
        danewright(
            self.folder.path(),
            &[&usual[..], &["--port", port]].concat(),
        )
    }

    /// The same, and tells named with an order for rndc.
    fn patch_and(&self, port: &str, order: &str) -> Ran {
        let reload = format!("rndc -c rndc.conf {order} example.com");
        let usual = [
            "patch",
            "example.com.zone",
            "new.pem",
            "--host",
            "mail.example.com",
            "--state",
            "state",
        ];
        danewright(
            self.folder.path(),
            &[&usual[..], &["--port", port, "--reload", &reload]].concat(),
        )
    }

    /// Adds the record for a port, which must be refused with these words and change nothing.
    fn refuses(&self, says: &str) -> String {
        let before = fs::read(self.file("")).expect("it is there");
        let ran = self.patch("25");
        assert_eq!(ran.status, 1, "{says}: {ran:?}");
        assert!(ran.err.contains(says), "{says}: {ran:?}");
        assert_eq!(
            fs::read(self.file("")).expect("it is there"),
            before,
            "{says}"
        );
        ran.err
    }

    /// Adds the record for a port, which must succeed.
    fn takes(&self, port: &str) {
        let ran = self.patch(port);
        assert_eq!(ran.status, 0, "{ran:?}");
    }

    /// How many records named serves at a name.
    fn served(&self, name: &str, rtype: &str) -> usize {
        let reply = wait_for("an answer", || {
            ask(self.place.server(Role::Bind), name, rtype, false)
        });
        reply.data(rtype).len()
    }

    /// Waits until named serves the record for a port.
    fn wait_for_port(&self, port: &str) {
        let owner = format!("_{port}._tcp.mail.example.com");
        wait_for("the record to be served", || {
            (self.served(&owner, "TLSA") == 1).then_some(())
        });
    }

    /// Does what the hint of a refusal says, and patches in between.
    fn follow(&self, refusal: &str) {
        let hint = refusal
            .split("hint: run ")
            .nth(1)
            .expect("there is a hint")
            .split(';')
            .next()
            .unwrap_or_default();
        let hint = hint.split_whitespace().collect::<Vec<_>>().join(" ");
        let (before, after) = hint
            .split_once(", patch, then ")
            .expect("the hint says when to patch");
        let order = |command: &str| {
            self.rndc(
                command
                    .trim()
                    .strip_prefix("rndc ")
                    .expect("an order for rndc"),
            )
        };
        before
            .split(" and ")
            .for_each(|command| drop(order(command)));
        self.takes("25");
        order(after);
        self.wait_for_port("25");
    }
}

const UPDATES: &str = "allow-update { key rig; };";

#[test]
#[ignore = "needs named, rndc, nsupdate, dig"]
fn a_zone_that_takes_updates_is_refused_running_and_killed_and_the_hint_works() {
    let mut primary = Primary::start(UPDATES);
    primary.update("one");
    assert!(
        primary.text().contains(BY_HAND),
        "the update is in the journal alone"
    );
    primary.refuses("its journal is at serial 8, the file at 7");
    primary.kill();
    primary.refuses("its journal is at serial 8, the file at 7");
    primary.run();
    let refusal = primary.refuses("its journal is at serial 8, the file at 7");
    primary.follow(&refusal);
    assert_eq!(primary.served("one.example.com", "TXT"), 1);
    // And updates go on.
    primary.update("two");
    primary.refuses("takes dynamic updates");
    primary.kill();
    primary.run();
    primary.wait_for_port("25");
    assert_eq!(
        (
            primary.served("one.example.com", "TXT"),
            primary.served("two.example.com", "TXT")
        ),
        (1, 1)
    );
}

#[test]
#[ignore = "needs named, rndc, dig"]
fn a_reload_that_fails_for_a_dynamic_zone_has_a_hint_that_works() {
    let primary = Primary::start(UPDATES);
    // No update has come yet, so nothing beside the file tells.
    let ran = primary.patch_and("25", "reload");
    assert_eq!(ran.status, 1, "{ran:?}");
    let said = ran.err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("dynamic zone"), "{said}");
    let hint = "run rndc freeze example.com, then this again with --reload 'rndc thaw example.com'";
    assert!(said.contains(hint), "{said}");
    primary.rndc("freeze example.com");
    let ran = primary.patch_and("25", "thaw");
    assert_eq!(ran.status, 0, "{ran:?}");
    primary.wait_for_port("25");
    primary.update("one");
    wait_for("the update", || {
        (primary.served("one.example.com", "TXT") == 1).then_some(())
    });
}

#[test]
#[ignore = "needs named, rndc, dig"]
fn a_reload_that_worked_needs_no_word_about_the_journal() {
    let mut primary = Primary::start("ixfr-from-differences yes;");
    primary.takes("25");
    primary.rndc("reload example.com");
    primary.wait_for_port("25");
    assert!(primary.file(".jnl").exists());
    let ran = primary.patch_and("465", "reload");
    assert_eq!(
        (ran.status, ran.err.contains("journal")),
        (0, false),
        "{ran:?}"
    );
    primary.wait_for_port("465");
    primary.kill();
    let ran = primary.patch_and("587", "reload");
    assert_eq!(
        (ran.status, ran.err.contains("there is a journal")),
        (1, true),
        "{ran:?}"
    );
}

#[test]
#[ignore = "needs named, rndc, nsupdate, dig"]
fn a_zone_whose_updates_are_in_the_file_already_is_refused_in_both_styles() {
    for style in ["relative", "full"] {
        let policy = "update-policy { grant rig zonesub ANY; };";
        let mut primary = Primary::start(&format!("{policy} masterfile-style {style};"));
        primary.update("one");
        primary.rndc("sync example.com");
        wait_for("named to write the file", || {
            primary.text().contains("one").then_some(())
        });
        assert!(primary.file(".jnl").exists(), "{style}");
        primary.refuses("the file is as named writes it");
        primary.kill();
        primary.refuses("the file is as named writes it");
        primary.run();
        let refusal = primary.refuses("the file is as named writes it");
        primary.follow(&refusal);
        assert_eq!(primary.served("one.example.com", "TXT"), 1, "{style}");
    }
}

/// Edits an operator's file beside which there is a journal: while named runs,
/// after a crash, and while named is down.
fn edits_beside_a_journal(primary: &mut Primary, crowd: &[&str]) {
    primary.takes("25");
    primary.rndc("reload example.com");
    primary.wait_for_port("25");
    // Twice before named hears of it.
    primary.takes("465");
    primary.takes("587");
    primary.rndc("reload example.com");
    for port in ["465", "587"] {
        primary.wait_for_port(port);
    }
    primary.kill();
    for ending in crowd {
        assert!(primary.file(ending).exists(), "{ending} is not there");
    }
    primary.run();
    primary.takes("993");
    primary.rndc("reload example.com");
    primary.wait_for_port("993");
    primary.kill();
    let ran = primary.patch("995");
    assert_eq!(ran.status, 0, "{ran:?}");
    let note = ran.err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        note.contains("rndc reload example.com")
            && note.contains("move the journal away before it starts"),
        "{note}"
    );
    assert!(note.contains("(example.com.zone.jnl)"), "{note}");
    fs::rename(primary.file(".jnl"), primary.file(".away")).expect("it can be moved");
    primary.run();
    for port in ["25", "465", "587", "993", "995"] {
        primary.wait_for_port(port);
    }
    primary.takes("5269");
    primary.rndc("reload example.com");
    primary.wait_for_port("5269");
    assert!(primary.text().contains(BY_HAND));
}

#[test]
#[ignore = "needs named, rndc, dig"]
fn under_inline_signing_the_file_is_the_operators() {
    let mut primary = Primary::start("dnssec-policy default; inline-signing yes;");
    wait_for("signatures", || {
        (primary.served("example.com", "DNSKEY") > 0).then_some(())
    });
    edits_beside_a_journal(&mut primary, &[".signed", ".signed.jnl", ".jbk", ".jnl"]);
}

#[test]
#[ignore = "needs named, rndc, nsupdate, dig"]
fn under_inline_signing_updates_make_the_file_nameds_all_the_same() {
    let mut primary = Primary::start(&format!(
        "dnssec-policy default; inline-signing yes; {UPDATES}"
    ));
    primary.update("one");
    wait_for("the update", || {
        (primary.served("one.example.com", "TXT") == 1).then_some(())
    });
    primary.refuses("its journal is at serial 8, the file at 7");
    primary.kill();
    primary.refuses("its journal is at serial 8, the file at 7");
    primary.run();
    primary.rndc("sync example.com");
    wait_for("named to write the file", || {
        primary.text().contains("one").then_some(())
    });
    primary.refuses("the file is as named writes it");
}

#[test]
#[ignore = "needs named, rndc, dig"]
fn differences_that_named_keeps_of_an_operators_file_are_no_updates() {
    edits_beside_a_journal(&mut Primary::start("ixfr-from-differences yes;"), &[".jnl"]);
}

#[test]
#[ignore = "needs named, rndc, dig"]
fn a_zone_that_named_signs_in_place_is_refused() {
    let mut primary = Primary::start(&format!(
        "dnssec-policy default; {UPDATES} inline-signing no;"
    ));
    wait_for("signatures", || {
        (primary.served("example.com", "DNSKEY") > 0).then_some(())
    });
    wait_for("the journal", || {
        primary.file(".jnl").exists().then_some(())
    });
    primary.refuses("takes dynamic updates");
    primary.kill();
    primary.refuses("takes dynamic updates");
    primary.run();
    primary.rndc("sync -clean example.com");
    wait_for("named to write the file", || {
        primary.text().contains("RRSIG").then_some(())
    });
    primary.refuses("the zone is signed in this file");
}

#[test]
#[ignore = "needs named, rndc, nsupdate, dig"]
fn a_journal_that_is_not_whole_is_not_believed() {
    let mut primary = Primary::start(UPDATES);
    primary.update("one");
    primary.update("two");
    primary.kill();
    let journal = fs::read(primary.file(".jnl")).expect("there is a journal");
    primary.refuses("its journal is at serial 9, the file at 7");
    for length in [
        0,
        1,
        16,
        28,
        63,
        64,
        65,
        journal.len() / 2,
        journal.len() - 1,
    ] {
        fs::write(primary.file(".jnl"), &journal[..length]).expect("it can be written");
        primary.refuses("cannot be read as one, or not to its end");
    }
    fs::write(
        primary.file(".jnl"),
        [&b"garbage"[..], &journal[7..]].concat(),
    )
    .expect("it can be written");
    primary.refuses("cannot be read as one, or not to its end");
    fs::write(primary.file(".jnl"), &journal).expect("it can be written");
    primary.run();
    assert_eq!(
        primary.served("two.example.com", "TXT"),
        1,
        "the journal is as it was"
    );
}

#[test]
#[ignore = "needs named-compilezone"]
fn a_raw_or_map_file_is_refused_and_the_hint_works() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path();
    let file = |name: &str| path.join(name);
    fs::write(file("text"), ZONE).expect("it can be written");
    fs::write(file("new.pem"), KEY).expect("it can be written");
    let patch = || {
        danewright(
            path,
            &[
                "patch",
                "example.com.zone",
                "new.pem",
                "--host",
                "mail.example.com",
                "--port",
                "25",
                "--state",
                "state",
            ],
        )
    };
    must(
        path,
        "named-compilezone",
        &[
            "-q",
            "-F",
            "raw",
            "-o",
            "example.com.zone",
            "example.com",
            "text",
        ],
    );
    let before = fs::read(file("example.com.zone")).expect("it is there");
    let ran = patch();
    assert!(
        ran.status == 1
            && ran.err.contains("raw")
            && ran.err.contains("named-compilezone -f raw -F text"),
        "{ran:?}"
    );
    assert_eq!(
        fs::read(file("example.com.zone")).expect("it is there"),
        before
    );
    let back = [
        "-q",
        "-f",
        "raw",
        "-F",
        "text",
        "-o",
        "text",
        "example.com",
        "example.com.zone",
    ];
    must(path, "named-compilezone", &back);
    fs::rename(file("text"), file("example.com.zone")).expect("it can be renamed");
    assert_eq!(patch().status, 0);
    must(
        path,
        "named-checkzone",
        &["-q", "example.com", "example.com.zone"],
    );
    // The map format is gone from named 9.18; a file of it begins like this.
    fs::write(
        file("example.com.zone"),
        [&[0, 0, 0, 3][..], &before[4..]].concat(),
    )
    .expect("it can be written");
    assert!(
        run(
            path,
            "named-checkzone",
            &["-q", "-f", "raw", "example.com", "example.com.zone"]
        )
        .status
            != 0
    );
    assert_eq!(patch().status, 1);
}
