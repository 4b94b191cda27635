//! What key and certificate files hold: a table for people, with each key and
//! the files that share it below, and the same in JSON.

use std::collections::HashMap;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::keys::{Item, KeyFile, Kind};
use crate::report::table;
use crate::tlsa::hex;

/// A key, and the files it is in.
struct Shared<'a> {
    digest: String,
    algorithm: String,
    files: Vec<&'a str>,
}

/// A table of what the files hold, and one of the keys with the files they are in.
#[must_use]
pub fn text(files: &[KeyFile], width: Option<usize>) -> String {
    let mut rows = Vec::new();
    for (file, item) in items(files) {
        let place = if file.items.len() > 1 {
            file.place(item)
        } else {
            file.name.clone()
        };
        let (subject, until) = match &item.kind {
            Kind::Certificate(certificate) => {
                (certificate.subject.clone(), certificate.not_after.map(day))
            }
            Kind::Request { subject } => (subject.clone(), None),
            Kind::PublicKey | Kind::PrivateKey => (String::new(), None),
        };
        let (what, algorithm) = (what(&item.kind), item.algorithm().to_string());
        rows.push(vec![
            place,
            what,
            algorithm,
            until.unwrap_or_default(),
            subject,
        ]);
    }
    let mut text = table::table(
        &["file", "what", "key", "valid until", "subject"],
        &rows,
        width,
    );
    let keys = shared(files)
        .into_iter()
        .map(|key| vec![key.digest, key.files.join(", ")]);
    text.push('\n');
    text.push_str(&table::table(
        &["SPKI SHA-256", "in"],
        &keys.collect::<Vec<_>>(),
        width,
    ));
    text
}

/// The fields `files` and `keys`.
#[must_use]
pub fn json(files: &[KeyFile]) -> Map<String, Value> {
    let mut fields = Map::new();
    let described = |file: &KeyFile| json!({ "file": file.name, "items": file.items.iter().map(described).collect::<Vec<_>>() });
    fields.insert("files".to_owned(), files.iter().map(described).collect());
    let keys = shared(files).into_iter();
    let keys = keys.map(
        |key| json!({ "spki_sha256": key.digest, "algorithm": key.algorithm, "files": key.files }),
    );
    fields.insert("keys".to_owned(), keys.collect());
    fields
}

fn described(item: &Item) -> Value {
    let algorithm = item.algorithm();
    let mut fields = Map::new();
    let mut say = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    say("kind", json!(item.kind.word()));
    if let Some(line) = item.line {
        say("line", json!(line));
    }
    say("algorithm", json!(algorithm.name));
    say("bits", json!(algorithm.bits));
    say("spki_sha256", json!(digest(item)));
    match &item.kind {
        Kind::Certificate(certificate) => {
            say("subject", json!(certificate.subject));
            say("issuer", json!(certificate.issuer));
            say("not_before", json!(certificate.not_before.map(moment)));
            say("not_after", json!(certificate.not_after.map(moment)));
            say("authority", json!(certificate.authority));
            say(
                "certificate_sha256",
                json!(hex(&Sha256::digest(&certificate.der))),
            );
        }
        Kind::Request { subject } => {
            say("subject", json!(subject));
        }
        Kind::PublicKey | Kind::PrivateKey => {}
    }
    Value::Object(fields)
}

/// Each key once, in the order it first appears, with the files it is in.
fn shared(files: &[KeyFile]) -> Vec<Shared<'_>> {
    let mut places: HashMap<&[u8], usize> = HashMap::new();
    let mut keys: Vec<Shared<'_>> = Vec::new();
    for (file, item) in items(files) {
        let at = *places.entry(&item.spki).or_insert_with(|| {
            keys.push(Shared {
                digest: digest(item),
                algorithm: item.algorithm().to_string(),
                files: Vec::new(),
            });
            keys.len() - 1
        });
        if keys[at].files.last() != Some(&file.name.as_str()) {
            keys[at].files.push(&file.name);
        }
    }
    keys
}

fn items(files: &[KeyFile]) -> impl Iterator<Item = (&KeyFile, &Item)> {
    files
        .iter()
        .flat_map(|file| file.items.iter().map(move |item| (file, item)))
}

fn what(kind: &Kind) -> String {
    match kind {
        Kind::Certificate(certificate) if certificate.authority => "CA certificate".to_owned(),
        Kind::Certificate(_) | Kind::Request { .. } | Kind::PublicKey | Kind::PrivateKey => {
            kind.word().to_owned()
        }
    }
}

fn digest(item: &Item) -> String {
    hex(&Sha256::digest(&item.spki))
}

fn day(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d").to_string()
}

fn moment(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}
