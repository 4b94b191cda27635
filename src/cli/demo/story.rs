//! The story: from the new certificate to the cleaned zone, in the order in
//! which an administrator does it, and why in that order.

use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::show::Show;
use crate::cli::{Failure, Status, inputs};
use crate::demo::DemoError;
use crate::demo::folder::{ANCHOR_FILE, Folder, HOST, ZONE, ZONE_FILE};
use crate::demo::service::Service;
use crate::demo::tree::{PRIMARY, RESOLVER, SECONDARY, Tree};
use crate::endpoint;
use crate::keys::{self, KeyFile};
use crate::name::Name;
use crate::propagation::brief;
use crate::text::source::Texts;
use crate::tlsa::{Params, Target, Tlsa};
use crate::zone::edit::plan::Zone;

/// How long a handshake on loopback may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Everything that the story is played on.
struct Stage {
    tree: Tree,
    service: Service,
    target: Target,
    zone_file: PathBuf,
    old: Vec<Tlsa>,
    new: Vec<Tlsa>,
    _inside: Inside,
    // Last: the folder goes when nothing is in it any more.
    folder: Folder,
}

/// Plays the story; the fields of the JSON document besides the steps.
pub(super) fn play(
    keep: Option<&Path>,
    show: &mut Show<'_, '_>,
    now: DateTime<Utc>,
) -> Result<Map<String, Value>, Failure> {
    let stage = Stage::set(keep, now)?;
    opening(&stage, keep, show)?;
    publish(&stage, show)?;
    wait(&stage, show)?;
    deploy(&stage, show)?;
    clean_up(&stage, show)?;
    closing(keep, show)?;
    let mut json = Map::new();
    json.insert(
        "folder".to_owned(),
        json!(keep.map(|_| stage.folder.path().display().to_string())),
    );
    Ok(json)
}

impl Stage {
    fn set(keep: Option<&Path>, now: DateTime<Utc>) -> Result<Self, Failure> {
        let folder = Folder::make(keep).map_err(|error| no_folder(keep, &error))?;
        folder.write_keys(now).map_err(not_set)?;
        let record = |name: &str| inputs::tlsa_of(&[folder.file(name)], None, Params::default());
        let (old, new) = (record("old.pem")?, record("new.pem")?);
        let published = old
            .first()
            .ok_or_else(|| Failure::refused("old.pem came to no record"))?;
        folder
            .write_zone(published, [PRIMARY, SECONDARY], now)
            .map_err(not_set)?;
        let tree = Tree::start(now).map_err(not_set)?;
        folder.write_anchor(tree.anchor()).map_err(not_set)?;
        let zone_file = folder.file(ZONE_FILE);
        tree.load(&zone_file, &[PRIMARY, SECONDARY, RESOLVER])
            .map_err(not_set)?;
        let service =
            Service::start(&folder.file("old.pem"), &folder.file("old.key")).map_err(not_set)?;
        let host = Name::from_user(HOST).map_err(Failure::wrong)?;
        let target = Target::Service {
            host,
            port: "25".parse().map_err(Failure::wrong)?,
        };
        let inside = Inside::of(folder.path()).map_err(|error| no_folder(keep, &error))?;
        Ok(Self {
            tree,
            service,
            target,
            zone_file,
            old,
            new,
            _inside: inside,
            folder,
        })
    }

    /// The command line of `verify`: what one types, and what a private tree needs.
    fn verify(&self, current: &str) -> String {
        let port = self.tree.port();
        format!(
            "danewright verify new.pem {current}--host {HOST} --port 25 --hold 4s --state state \
             --trust-anchor {ANCHOR_FILE} --resolver {RESOLVER}:{port} --dns-port {port}"
        )
    }

    /// What the service presents in a handshake made now, and whether the zone file has that.
    fn handshake(&self) -> Result<Handshake, Failure> {
        let address = self.service.address();
        let failed = |error: &dyn std::fmt::Display| Failure::refused(error).at(address);
        let chain = endpoint::presented(address, self.target.base(), PATIENCE)
            .map_err(|error| failed(&error))?;
        let leaf = chain.first().map(Vec::as_slice).unwrap_or_default();
        let file =
            KeyFile::read(&address.to_string(), leaf, None).map_err(|error| failed(&error))?;
        let records = keys::records(&[file], Params::default()).map_err(|error| failed(&error))?;
        let presented = records
            .into_iter()
            .next()
            .ok_or_else(|| failed(&"no key was presented"))?;
        let text = std::fs::read(&self.zone_file).map_err(|error| failed(&error))?;
        let texts = Texts::one(ZONE_FILE, text);
        let origin = Name::from_user(ZONE).map_err(Failure::wrong)?;
        let zone = Zone::read(&texts, Some(origin), std::slice::from_ref(&self.target))
            .map_err(|error| failed(&format!("{ZONE_FILE} cannot be read: {error:?}")))?;
        let published = zone.published(0).any(|(tlsa, ..)| *tlsa == presented);
        let file = match &presented {
            record if self.old.contains(record) => "old.pem",
            record if self.new.contains(record) => "new.pem",
            _ => "neither certificate",
        };
        Ok(Handshake {
            address: address.to_string(),
            presented,
            file,
            published,
        })
    }
}

/// What a handshake showed.
struct Handshake {
    address: String,
    presented: Tlsa,
    file: &'static str,
    published: bool,
}

impl Handshake {
    fn line(&self, when: &str) -> String {
        let published = if self.published {
            "is published"
        } else {
            "is NOT published"
        };
        format!(
            "{when:<7} TLS to {}: key of {}, {} {published}",
            self.address,
            self.file,
            brief(&self.presented)
        )
    }

    fn json(&self, when: &str) -> Value {
        json!({ "when": when, "address": self.address, "presented": self.presented.to_string(),
            "file": self.file, "published": self.published })
    }
}

fn opening(stage: &Stage, keep: Option<&Path>, show: &mut Show<'_, '_>) -> Result<(), Failure> {
    let (port, service) = (stage.tree.port(), stage.service.address());
    show.heading("A new key for mail.demo.example, and no mail lost on the way")?;
    show.say(
        "A sender that checks DANE compares the key that the mail server presents with the TLSA records it knows, \
         and it may know them from a cache. So the new record goes in first, next to the old one. The key follows \
         when every name server has both and no cache can hold less. The old record goes last.",
    )?;
    show.say(&format!(
        "All of it happens in this process, on loopback: a private signed root, the zone {ZONE} on two name servers \
         (ns1 is {PRIMARY}, ns2 {SECONDARY}, port {port}), a resolver, and a TLS service at {service} in place of \
         the mail server. The commands and what they print are real. Only the TTL is not: 2 seconds, so that \
         nobody has to wait for hours."
    ))?;
    let stays = if keep.is_some() {
        "stay there"
    } else {
        "go when the demo ends; --keep DIR keeps them"
    };
    show.say(&format!(
        "The files are in {}; they {stays}.",
        stage.folder.path().display()
    ))?;
    show.list(&[
        format!("{ZONE_FILE}  the zone, kept by hand, with the TLSA record of the old key"),
        "old.pem, old.key   certificate and key in use".to_owned(),
        "new.pem, new.key   certificate and key to change to".to_owned(),
        format!("{ANCHOR_FILE:<17}  what to trust: the private root's key"),
    ])
}

fn publish(stage: &Stage, show: &mut Show<'_, '_>) -> Result<(), Failure> {
    show.step(
        "The record of the new key",
        "new.pem is ready but not in use. Its TLSA record says: the server's own certificate counts (3), and of it \
         the public key (1), as a SHA-256 digest (1).",
    )?;
    show.run(
        &format!("danewright tlsa new.pem --host {HOST} --port 25"),
        Status::Good,
    )?;

    show.step(
        "Publish it, next to the old one",
        "patch adds that line to the zone file, bumps the serial, and leaves every other byte as it is. The old \
         record stays, for the old key is still in use. The state folder remembers what stood there before.",
    )?;
    let line = format!(
        "danewright patch {ZONE_FILE} new.pem --host {HOST} --port 25 --diff --state state"
    );
    show.run(&line, Status::Good)?;
    stage
        .tree
        .load(&stage.zone_file, &[PRIMARY])
        .map_err(not_set)?;
    show.say(
        "ns1 has loaded and signed the file. ns2 is slow: it has not transferred the zone yet.",
    )
}

fn wait(stage: &Stage, show: &mut Show<'_, '_>) -> Result<(), Failure> {
    let verify = stage.verify("--current old.pem ");
    show.step(
        "May the new key be deployed?",
        "verify asks every address of every name server itself, checks every signature from the root down, and \
         compares. The last three options are here because the tree is a private one; on the Internet they go. So \
         does --hold 4s: without it verify waits for a day from its first look at a name, as nobody knows what was \
         served there before. A first look a day ahead saves that.",
    )?;
    let lagging = show.run(&verify, Status::NotYet)?;
    if lagging
        .json
        .get("safe_at")
        .is_some_and(|moment| !moment.is_null())
    {
        return Err(show
            .went_wrong("verify did not notice that ns2 lags")
            .at(&verify));
    }
    stage
        .tree
        .load(&stage.zone_file, &[SECONDARY, RESOLVER])
        .map_err(not_set)?;
    show.say(
        "Deployed now, the new key would be refused by each sender that asked ns2, and their mail would wait or \
         bounce. Meanwhile ns2 transfers the zone.",
    )?;

    show.step(
        "Ask again",
        "Both servers have both records. But a cache may have asked ns2 a moment ago, and it keeps the old answer \
         for its TTL. So verify waits twice that time (RFC 7671 section 8.1), counted from now, when it first saw \
         all servers agree.",
    )?;
    let held = show.run(&verify, Status::NotYet)?;
    let safe_at = held
        .json
        .get("safe_at")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let safe_at = DateTime::parse_from_rfc3339(safe_at).map_err(|_| {
        show.went_wrong("verify did not say when it will be safe")
            .at(&verify)
    })?;
    show.say(
        "A script comes back at that time, or leaves it to verify --wait. The clock is in the state folder, so it \
         survives a restart.",
    )?;
    show.wait_until(safe_at.to_utc())?;

    show.step(
        "And once more, when the time has come",
        "Every server still has both, and no cache can have less.",
    )?;
    show.run(&verify, Status::Good).map(|_| ())
}

fn deploy(stage: &Stage, show: &mut Show<'_, '_>) -> Result<(), Failure> {
    show.step(
        "Deploy",
        "Now the service loads new.pem and new.key, as the mail server would on a reload. A TLS handshake before \
         and one after show which key it presents; senders find a record for it either way.",
    )?;
    let before = stage.handshake()?;
    stage
        .service
        .load(&stage.folder.file("new.pem"), &stage.folder.file("new.key"))
        .map_err(not_set)?;
    let after = stage.handshake()?;
    show.list(&[before.line("before"), after.line("after")])?;
    show.note(
        "handshakes",
        json!([before.json("before"), after.json("after")]),
    );
    expect(show, &before, "old.pem")?;
    expect(show, &after, "new.pem")
}

fn clean_up(stage: &Stage, show: &mut Show<'_, '_>) -> Result<(), Failure> {
    show.step(
        "Remove the old record",
        "Nobody uses the old key any more. prune removes what matches no key in use, here the one named with \
         --keep, and would refuse to remove the last record that matches.",
    )?;
    let line = format!(
        "danewright prune {ZONE_FILE} --host {HOST} --port 25 --no-probe --keep new.pem --diff --state state"
    );
    show.run(&line, Status::Good)?;
    stage
        .tree
        .load(&stage.zone_file, &[PRIMARY, SECONDARY, RESOLVER])
        .map_err(not_set)?;
    show.say("ns1 has loaded the file, and this time ns2 was quick.")?;

    show.step(
        "Is all well?",
        "The same question once more, with no old key to look after.",
    )?;
    show.run(&stage.verify(""), Status::Good)?;
    let end = stage.handshake()?;
    show.list(&[end.line("now")])?;
    show.note("handshakes", json!([end.json("now")]));
    expect(show, &end, "new.pem")
}

fn expect(show: &Show<'_, '_>, seen: &Handshake, file: &str) -> Result<(), Failure> {
    if seen.file == file && seen.published {
        return Ok(());
    }
    let how = if seen.published {
        format!("{file} is not what it presents")
    } else {
        "its key is not published".to_owned()
    };
    Err(show.went_wrong(&how).at(&seen.address))
}

fn closing(keep: Option<&Path>, show: &mut Show<'_, '_>) -> Result<(), Failure> {
    show.heading("That was all")?;
    show.say(
        "At every moment each sender had a record for the key that the server presented, whichever name server or \
         cache it asked. On your own zone it takes three commands, and some hours for the caches to forget:",
    )?;
    show.list(&[
        "danewright patch ZONE new.pem --host HOST --port 25 --reload 'rndc reload {zone}'",
        "danewright verify new.pem --current old.pem --host HOST --port 25 --wait",
        "(deploy new.pem with its key, and reload the mail server)",
        "danewright prune ZONE --host HOST --port 25 --no-probe --keep new.pem \\",
        "    --reload 'rndc reload {zone}'",
    ])?;
    match keep {
        Some(_) => {
            show.say("The files are yours to try tlsa, patch and prune on. The name servers are gone with the demo.")
        }
        None => show.say("patch --dry-run shows what would change, and changes nothing."),
    }
}

/// The process works in a folder until this is dropped, so that the lines shown
/// are those one types there.
struct Inside {
    before: Option<PathBuf>,
}

impl Inside {
    fn of(folder: &Path) -> io::Result<Self> {
        let before = env::current_dir().ok();
        env::set_current_dir(folder)?;
        Ok(Self { before })
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        // When the old place is gone there is none to go back to.
        if let Some(before) = &self.before {
            let _ = env::set_current_dir(before);
        }
    }
}

fn not_set(error: DemoError) -> Failure {
    Failure::wrong(error)
        .hint("the demo needs the loopback addresses 127.0.0.1 to 127.0.0.6 and room for its files")
}

fn no_folder(keep: Option<&Path>, error: &io::Error) -> Failure {
    let place = keep.map_or_else(
        || env::temp_dir().display().to_string(),
        |path| path.display().to_string(),
    );
    let failure = match error.kind() {
        io::ErrorKind::DirectoryNotEmpty => Failure::wrong("the folder is not empty"),
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            Failure::wrong("this is no folder")
        }
        io::ErrorKind::PermissionDenied => Failure::wrong("the folder may not be made or written"),
        _ => Failure::wrong(format!("the folder cannot be used: {error}")),
    };
    failure.at(place).hint("name a new folder with --keep DIR")
}
