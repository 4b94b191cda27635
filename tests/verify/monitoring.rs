//! `--metrics` and `--monitoring`: what other programs read.

use std::collections::BTreeMap;
use std::fs;

use danewright::demo::authority::Fault;

use crate::lab::{LONG_AGO, Lab, NS2, Said};

/// The samples of a page by their series; panics where it breaks the format.
fn samples(page: &str) -> BTreeMap<String, f64> {
    let mut found = BTreeMap::new();
    let mut described = Vec::new();
    for line in page.lines() {
        if let Some(comment) = line.strip_prefix("# ") {
            let words: Vec<&str> = comment.splitn(3, ' ').collect();
            assert!(
                words.len() == 3 && matches!(words[0], "HELP" | "TYPE"),
                "{line}"
            );
            described.push((words[0].to_owned(), words[1].to_owned()));
            continue;
        }
        let (series, value) = line.rsplit_once(' ').unwrap();
        let name = series.split('{').next().unwrap();
        assert!(
            name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
            "{line}"
        );
        assert_eq!(
            described.iter().filter(|(_, of)| of == name).count(),
            2,
            "{line}"
        );
        if let Some(labels) = series
            .strip_prefix(name)
            .filter(|labels| !labels.is_empty())
        {
            let inner = labels
                .strip_prefix('{')
                .and_then(|labels| labels.strip_suffix('}'))
                .unwrap();
            for pair in inner.split(',') {
                let (key, value) = pair.split_once('=').unwrap();
                assert!(key.bytes().all(|b| b.is_ascii_lowercase()), "{line}");
                assert!(
                    value.len() >= 2 && value.starts_with('"') && value.ends_with('"'),
                    "{line}"
                );
            }
        }
        assert!(
            found
                .insert(series.to_owned(), value.parse().unwrap())
                .is_none(),
            "twice: {line}"
        );
    }
    found
}

#[test]
fn the_figures_say_what_the_answer_says() {
    let lab = Lab::new();
    lab.serve_leaf(&lab.leaf("leaf", 0, &["old"]), &[NS2]);
    let said = lab.verify(&["--hold", "1h", "--json", "--metrics", "dane.prom"]);
    assert_eq!(said.status, 4, "{said:?}");
    let read = || samples(&fs::read_to_string(lab.path().join("dane.prom")).unwrap());
    let figures = read();
    let target = "owner=\"_25._tcp.mail.leaf.example.\",zone=\"leaf.example.\"";
    let verdicts = |figures: &BTreeMap<String, f64>| {
        ["safe", "wait", "unknown", "unsafe"]
            .map(|word| figures[&format!("danewright_verdict{{{target},verdict=\"{word}\"}}")])
    };
    assert_eq!(verdicts(&figures), [0.0, 1.0, 0.0, 0.0]);
    assert_eq!(
        figures[&format!("danewright_hold_seconds{{{target}}}")],
        3600.0
    );
    assert_eq!(
        figures
            [&format!("danewright_findings{{{target},code=\"record-missing\",severity=\"wait\"}}")],
        1.0
    );
    assert!(!figures.contains_key(&format!("danewright_safe_at_timestamp_seconds{{{target}}}")));
    let serial = |server: &str| {
        let found = figures
            .iter()
            .find(|(series, _)| series.contains("_server_serial{") && series.contains(server));
        *found.unwrap().1
    };
    assert_eq!(
        (serial("ns1.leaf.example."), serial("ns2.leaf.example.")),
        (1.0, 0.0)
    );
    assert!(figures["danewright_checked_at_timestamp_seconds"] > 1.7e9);

    lab.publish();
    lab.forget();
    assert_eq!(
        lab.verify(&["--hold", "0", "--since", LONG_AGO, "--metrics", "dane.prom"])
            .status,
        0
    );
    assert_eq!(verdicts(&read()), [1.0, 0.0, 0.0, 0.0]);
    let names: Vec<String> = fs::read_dir(lab.path())
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(names.iter().all(|name| !name.starts_with('.')), "{names:?}");
}

#[test]
fn a_monitoring_plugin_has_one_line_and_statuses_of_its_own() {
    let lab = Lab::new();
    let check = |more: &[&str]| lab.verify(&[&["--monitoring", "--timeout", "1s"], more].concat());
    let expect = |said: Said, status: i32, opening: &str| {
        assert_eq!((said.status, said.err.as_str()), (status, ""), "{said:?}");
        assert!(said.out.starts_with(opening), "{said:?}");
        assert_eq!(said.out.lines().count(), 1, "{said:?}");
        let (_, figures) = said.out.trim_end().split_once('|').unwrap_or_default();
        for figure in figures.split_whitespace() {
            let (name, value) = figure.split_once('=').unwrap();
            assert!(
                name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
                "{figure}"
            );
            let number = value.split(';').next().unwrap().trim_end_matches('s');
            assert!(number.parse::<i64>().is_ok(), "{figure}");
        }
    };
    expect(
        check(&["--hold", "0", "--since", LONG_AGO]),
        0,
        "DANE OK - 1 target safe|targets=1;;;0 safe=1;;;0 ",
    );
    expect(
        check(&["--hold", "1h"]),
        1,
        "DANE WARNING - _25._tcp.mail.leaf.example. all servers agree since ",
    );
    lab.authority.fault(NS2, Some(Fault::Silent));
    expect(
        check(&["--hold", "0", "--since", LONG_AGO]),
        3,
        "DANE UNKNOWN - _25._tcp.mail.leaf.example. ns2.leaf.example. ",
    );
    lab.authority.fault(NS2, Some(Fault::BadSignature));
    expect(
        check(&["--hold", "0", "--since", LONG_AGO]),
        2,
        "DANE CRITICAL - _25._tcp.mail.leaf.example. ",
    );
    expect(
        check(&["--current", "gone.pem"]),
        3,
        "DANE UNKNOWN - there is no such file (gone.pem)\n",
    );
    expect(
        check(&["--hold", "soon"]),
        3,
        "DANE UNKNOWN - invalid value 'soon' for '--hold <DURATION>'",
    );
    expect(
        check(&["--json"]),
        3,
        "DANE UNKNOWN - the argument '--monitoring' cannot be used with",
    );
}
