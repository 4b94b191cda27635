//! The shape of a JSON document: which fields there are and of which types, and
//! the words in it that scripts look for. Times, ports and digests are left out.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Fields whose values are words or numbers of a fixed meaning.
const WORDS: [&str; 14] = [
    "schema",
    "version",
    "command",
    "status",
    "expected_status",
    "verdict",
    "code",
    "severity",
    "outcome",
    "security",
    "kind",
    "algorithm",
    "when",
    "by_patch",
];

/// One line for each place in the document: its path, its types, and the words there.
pub(crate) fn of(document: &Value) -> String {
    let mut found = BTreeMap::new();
    visit(document, String::new(), false, &mut found);
    let line = |(path, (types, words)): (String, (BTreeSet<&str>, BTreeSet<String>))| {
        let types = types.into_iter().collect::<Vec<_>>().join(" | ");
        let words = words.into_iter().collect::<Vec<_>>().join(", ");
        if words.is_empty() {
            format!("{path}: {types}\n")
        } else {
            format!("{path}: {types} = {words}\n")
        }
    };
    found.into_iter().map(line).collect()
}

type Found = BTreeMap<String, (BTreeSet<&'static str>, BTreeSet<String>)>;

fn visit(value: &Value, path: String, is_word: bool, found: &mut Found) {
    let (types, words) = found
        .entry(if path.is_empty() {
            ".".to_owned()
        } else {
            path.clone()
        })
        .or_default();
    types.insert(match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    });
    match value {
        Value::Bool(_) => {
            words.insert(value.to_string());
        }
        Value::Number(_) | Value::String(_) if is_word => {
            words.insert(value.to_string());
        }
        Value::Array(all) => {
            // Lists of codes stand beside the findings themselves.
            let codes = path.ends_with("servers[].findings");
            all.iter()
                .for_each(|one| visit(one, format!("{path}[]"), codes, found));
        }
        Value::Object(fields) => {
            // A finding is what it says with what that weighs.
            if let (Some(code), Some(severity)) = (fields.get("code"), fields.get("severity")) {
                words.insert(format!("{code} {severity}"));
            }
            for (key, value) in fields {
                // Names of the DNS as keys are data.
                let key_is_data = key.contains(['.', ' ']);
                let step = if key_is_data { "{}" } else { key.as_str() };
                let dot = if path.is_empty() || key_is_data {
                    ""
                } else {
                    "."
                };
                visit(
                    value,
                    format!("{path}{dot}{step}"),
                    WORDS.contains(&step),
                    found,
                );
            }
        }
        _ => {}
    }
}

#[test]
fn a_shape_has_types_and_words_and_no_other_values() {
    let document = serde_json::json!({ "status": 4, "at": "12:00", "targets": [
        { "findings": [], "verdict": "wait", "ttl": null }, { "findings": [{ "code": "a-b", "severity": "note" }], "verdict": "safe", "ttl": 7 },
    ], "owners": { "a.example.": { "x": true }, "b.example.": { "x": true } } });
    let lines = [
        ".: object",
        "at: string",
        "owners: object",
        "owners{}: object",
        "owners{}.x: bool = true",
        "status: number = 4",
        "targets: array",
        "targets[]: object",
        "targets[].findings: array",
        "targets[].findings[]: object = \"a-b\" \"note\"",
        "targets[].findings[].code: string = \"a-b\"",
        "targets[].findings[].severity: string = \"note\"",
        "targets[].ttl: null | number",
        "targets[].verdict: string = \"safe\", \"wait\"",
    ];
    assert_eq!(of(&document).lines().collect::<Vec<_>>(), lines);
}
