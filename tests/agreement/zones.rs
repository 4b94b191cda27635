//! Zones made to order: each with its own keys, signed by dnssec-signzone, and
//! then edited as text, the way things go wrong in real life. A zone's DS
//! records go to the zone above, whose signed text can be edited, too.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use super::common::process::must;
use super::text::Text;

/// The name server of the root and of the top-level domains.
pub(crate) const ABOVE: &str = "above.example.";

/// The name server of all zones below.
pub(crate) const BELOW: &str = "below.example.";

/// The digest of every TLSA record.
pub(crate) const DIGEST: &str = "8bd1da95272f7fa4ffb24137fc0ed03aae67e5c4d8b3c50734e1050a7920b922";

/// Zones signed at once.
const AT_ONCE: usize = 3;

/// How one zone is made.
#[derive(Clone)]
pub(crate) struct Plan {
    /// Its apex, without the final dot; empty for the root.
    pub(crate) name: String,
    keys: Vec<Key>,
    options: Vec<&'static str>,
    records: String,
    edit: fn(&mut Text, &Made),
    ds: fn(Vec<String>, &Made) -> Vec<String>,
    above: fn(&mut Text, &Made),
}

/// One key of a zone: its algorithm and the options of dnssec-keygen.
type Key = (&'static str, &'static [&'static str]);

impl Plan {
    /// A zone as it should be: a key that signs keys and one that signs the rest.
    pub(crate) fn new(name: &str) -> Self {
        let records = format!(
            "mail A 127.0.0.1\n_25._tcp.mail TLSA 3 1 1 {DIGEST}\n_dane TLSA 3 1 1 {DIGEST}\n"
        );
        Self {
            name: name.to_owned(),
            keys: vec![
                ("ECDSAP256SHA256", &["-f", "KSK"]),
                ("ECDSAP256SHA256", &[]),
            ],
            options: Vec::new(),
            records,
            edit: |_, _| {},
            ds: |ds, _| ds,
            above: |_, _| {},
        }
    }

    /// The same with keys of this algorithm.
    pub(crate) fn algorithm(mut self, algorithm: &'static str) -> Self {
        self.keys.iter_mut().for_each(|key| key.0 = algorithm);
        self
    }

    /// With the keys of this algorithm, too.
    pub(crate) fn and_algorithm(mut self, algorithm: &'static str) -> Self {
        self.keys
            .extend([(algorithm, &["-f", "KSK"][..]), (algorithm, &[])]);
        self
    }

    /// With one key that signs everything.
    pub(crate) fn single_key(mut self) -> Self {
        self.keys.retain(|key| !key.1.is_empty());
        self.sign_with(&["-z"])
    }

    /// With one more key.
    pub(crate) fn and_key(mut self, options: &'static [&'static str]) -> Self {
        let algorithm = self.keys[0].0;
        self.keys.push((algorithm, options));
        self
    }

    /// Without keys and signatures.
    pub(crate) fn unsigned(mut self) -> Self {
        self.keys.clear();
        self
    }

    /// With these options of dnssec-signzone.
    pub(crate) fn sign_with(mut self, options: &[&'static str]) -> Self {
        self.options.extend(options);
        self
    }

    /// With these records instead of the usual ones.
    pub(crate) fn records(mut self, records: &str) -> Self {
        self.records = records.replace("DIGEST", DIGEST) + "\n";
        self
    }

    /// With one more record.
    pub(crate) fn and_record(mut self, record: &str) -> Self {
        self.records += &(record.replace("DIGEST", DIGEST) + "\n");
        self
    }

    /// Edited after it was signed.
    pub(crate) fn edit(mut self, edit: fn(&mut Text, &Made)) -> Self {
        self.edit = edit;
        self
    }

    /// With other DS records than those that fit.
    pub(crate) fn ds(mut self, ds: fn(Vec<String>, &Made) -> Vec<String>) -> Self {
        self.ds = ds;
        self
    }

    /// With edits in the zone above, after that was signed.
    pub(crate) fn above(mut self, above: fn(&mut Text, &Made)) -> Self {
        self.above = above;
        self
    }

    fn labels(&self) -> usize {
        self.name
            .split('.')
            .filter(|label| !label.is_empty())
            .count()
    }
}

/// A zone that is being made, or has been.
pub(crate) struct Made {
    plan: Plan,
    folder: PathBuf,
    plain: String,
}

impl Made {
    /// The apex, without the final dot.
    pub(crate) fn name(&self) -> &str {
        &self.plan.name
    }

    /// The apex or a name below it, absolute.
    pub(crate) fn at(&self, relative: &str) -> String {
        let apex = format!("{}.", self.plan.name);
        if relative == "@" {
            apex
        } else {
            format!("{relative}.{}", apex.trim_start_matches('.'))
        }
    }

    /// The owner of the TLSA set that is asked for in most cases.
    pub(crate) fn tlsa(&self) -> String {
        self.at("_25._tcp.mail")
    }

    /// Runs one of BIND's tools in the zone's folder.
    pub(crate) fn tool(&self, program: &str, arguments: &[&str]) -> String {
        must(&self.folder, program, arguments)
    }

    /// The files of the keys whose text holds this, without their ending.
    pub(crate) fn keys(&self, with: &str) -> Vec<String> {
        let files = fs::read_dir(self.folder.join("keys")).expect("the keys have a folder");
        let names = files.filter_map(|file| file.ok()?.file_name().into_string().ok());
        let keys = names.filter_map(|name| Some(format!("keys/{}", name.strip_suffix(".key")?)));
        let holds = |key: &String| {
            fs::read_to_string(self.folder.join(format!("{key}.key")))
                .is_ok_and(|text| text.contains(with))
        };
        let mut keys: Vec<String> = keys.filter(holds).collect();
        keys.sort();
        keys
    }

    /// The zone signed again, with more options.
    pub(crate) fn signed(&self, options: &[&str]) -> Text {
        self.signed_as(&self.plan.name, &self.plain, options)
    }

    /// Any text, signed with the keys of the zone of this name.
    pub(crate) fn signed_as(&self, origin: &str, plain: &str, options: &[&str]) -> Text {
        let keys = format!("../zone-{}/keys", origin.trim_end_matches('.'));
        self.signed_by(&keys, origin, plain, options)
    }

    /// Any text, signed with the keys of a folder.
    pub(crate) fn signed_by(
        &self,
        keys: &str,
        origin: &str,
        plain: &str,
        options: &[&str],
    ) -> Text {
        fs::write(self.folder.join("plain"), plain).expect("a temporary folder can be filled");
        let origin = format!("{origin}.");
        let usual = [
            "-q", "-S", "-P", "-K", keys, "-d", ".", "-O", "full", "-o", &origin, "-f", "-",
        ];
        let arguments = [&usual[..], &self.plan.options, options, &["plain"]].concat();
        Text::parse(&self.tool("dnssec-signzone", &arguments))
    }

    /// The signatures of last month, expired three days ago: Unbound
    /// looks past a day of difference between clocks.
    pub(crate) fn expired(&self) -> Text {
        self.signed(&["-s", "now-30d", "-e", "now-3d"])
    }

    /// The signatures of next week.
    pub(crate) fn early(&self) -> Text {
        self.signed(&["-s", "now+3d", "-e", "now+30d"])
    }

    /// The zone's text without any signature.
    pub(crate) fn plain(&self) -> &str {
        &self.plain
    }

    /// The DS records as dnssec-signzone leaves them.
    fn own_ds(&self) -> Vec<String> {
        let file = self.folder.join(format!("dsset-{}.", self.plan.name));
        fs::read_to_string(file)
            .unwrap_or_default()
            .lines()
            .map(ds_line)
            .collect()
    }
}

/// Makes all zones, those below before those above; the text of each by name.
pub(crate) fn make(folder: &Path, plans: &[Plan], addresses: &str) -> BTreeMap<String, String> {
    let mut texts: BTreeMap<String, Text> = BTreeMap::new();
    let mut done: Vec<Made> = Vec::new();
    let deepest = plans.iter().map(Plan::labels).max().unwrap_or_default();
    for depth in (0..=deepest).rev() {
        let row: Vec<&Plan> = plans.iter().filter(|plan| plan.labels() == depth).collect();
        let share = row.len().div_ceil(AT_ONCE).max(1);
        let made: Vec<(Made, Text)> = thread::scope(|scope| {
            let work = |row: &[&Plan]| {
                row.iter()
                    .map(|plan| make_one(folder, plan, plans, &done, addresses))
                    .collect()
            };
            let threads: Vec<_> = row
                .chunks(share)
                .map(|row| scope.spawn(move || work(row)))
                .collect();
            let join = |thread: thread::ScopedJoinHandle<'_, Vec<_>>| {
                thread.join().expect("a zone can be made")
            };
            threads.into_iter().flat_map(join).collect()
        });
        for (zone, text) in made {
            texts.insert(zone.plan.name.clone(), text);
            done.push(zone);
        }
    }
    for zone in &done {
        (zone.plan.edit)(
            texts
                .get_mut(&zone.plan.name)
                .expect("each zone has a text"),
            zone,
        );
    }
    for zone in done.iter().filter(|zone| !zone.plan.name.is_empty()) {
        let parent = parent_of(&zone.plan.name, plans);
        (zone.plan.above)(
            texts.get_mut(parent).expect("each zone above has a text"),
            zone,
        );
    }
    texts
        .into_iter()
        .map(|(name, text)| (name, text.to_string()))
        .collect()
}

fn make_one(
    folder: &Path,
    plan: &Plan,
    plans: &[Plan],
    done: &[Made],
    addresses: &str,
) -> (Made, Text) {
    let folder = folder.join(format!("zone-{}", plan.name));
    fs::create_dir_all(folder.join("keys")).expect("a temporary folder can be filled");
    let mut zone = Made {
        plan: plan.clone(),
        folder,
        plain: String::new(),
    };
    let apex = zone.at("@");
    for (algorithm, options) in &plan.keys {
        let size: &[&str] = if algorithm.contains("RSA") {
            &["-b", "1280"]
        } else {
            &[]
        };
        zone.tool(
            "dnssec-keygen",
            &[
                &["-q", "-K", "keys", "-a", algorithm],
                size,
                options,
                &[&apex],
            ]
            .concat(),
        );
    }
    let server = server_of(&plan.name);
    zone.plain = format!(
        "$ORIGIN {apex}\n$TTL 60\n@ SOA {server} nobody.{server} 1 3600 600 86400 60\n@ NS {server}\n{}{}",
        plan.records,
        if apex == "example." || apex == "." {
            addresses
        } else {
            ""
        },
    );
    for below in done
        .iter()
        .filter(|below| parent_of(&below.plan.name, plans) == plan.name)
    {
        let delegation = format!("{}. NS {}\n", below.plan.name, server_of(&below.plan.name));
        let ds = (below.plan.ds)(below.own_ds(), below).join("\n");
        zone.plain += &format!("{delegation}{ds}\n");
    }
    let text = if plan.keys.is_empty() {
        Text::unsigned(&zone.plain)
    } else {
        zone.signed(&[])
    };
    (zone, text)
}

fn server_of(zone: &str) -> &'static str {
    if zone.contains('.') { BELOW } else { ABOVE }
}

/// The closest zone above.
fn parent_of<'a>(name: &str, plans: &'a [Plan]) -> &'a str {
    let above = |plan: &&Plan| plan.name.is_empty() || name.ends_with(&format!(".{}", plan.name));
    let all = plans.iter().filter(above).filter(|plan| plan.name != name);
    all.max_by_key(|plan| plan.labels())
        .map(|plan| plan.name.as_str())
        .expect("the root is above all")
}

/// A DS record with its digest in one piece: owner, `DS`, tag, algorithm, type, digest.
pub(crate) fn ds_line(line: &str) -> String {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let at = fields
        .iter()
        .position(|field| *field == "DS")
        .expect("a DS record");
    let (numbers, digest) = fields[at + 1..].split_at(3);
    format!("{} DS {} {}", fields[0], numbers.join(" "), digest.concat())
}
