//! The records of `tlsa`, against danetool (GnuTLS) and hash-slinger's `tlsa`.
//! The expected digests are made by those programs in the test.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop where it fails"
)]

mod openssl;

use openssl::{Folder, KINDS};

const HOST: &str = "mail.example.com";

/// Runs danewright in the folder; gives what it prints.
fn danewright(folder: &Folder, words: &str) -> String {
    let words = words.split_whitespace().collect::<Vec<_>>();
    String::from_utf8(folder.run(env!("CARGO_BIN_EXE_danewright"), &words)).unwrap()
}

fn ours(folder: &Folder, file: &str, numbers: [u8; 3], more: &str) -> String {
    let [usage, selector, matching] = numbers;
    let numbers = format!("--usage {usage} --selector {selector} --matching {matching}");
    danewright(
        folder,
        &format!("tlsa {file} --host {HOST} --port 25 {numbers} {more}"),
    )
}

/// What danetool prints, in the form of a zone line: `( 03 01 01 8bd1… )` to `3 1 1 8bd1…`.
fn danetool(folder: &Folder, file: &str, [usage, selector, matching]: [u8; 3]) -> String {
    let load = if file.starts_with("public") {
        "--load-pubkey"
    } else {
        "--load-certificate"
    };
    let mut words = vec![
        "--tlsa-rr",
        load,
        file,
        "--host",
        HOST,
        "--port",
        "25",
        "--proto",
        "tcp",
    ];
    words.extend(["--hash", if matching == 1 { "sha256" } else { "sha512" }]);
    if selector == 0 {
        words.push("--x509");
    }
    if usage == 0 || usage == 2 {
        words.push("--ca");
    }
    if usage < 2 {
        words.push("--no-domain");
    }
    let printed = String::from_utf8(folder.run("danetool", &words)).unwrap();
    let (owner, data) = printed.trim().split_once(" IN TLSA ( ").unwrap();
    let fields: Vec<&str> = data.trim_end_matches(" )").split(' ').collect();
    let [usage, selector, matching] = [0, 1, 2].map(|at| fields[at].parse::<u8>().unwrap());
    format!(
        "{owner} IN TLSA {usage} {selector} {matching} {}\n",
        fields[3]
    )
}

fn hash_slinger(
    folder: &Folder,
    file: &str,
    [usage, selector, matching]: [u8; 3],
    output: &str,
) -> String {
    let [usage, selector, matching] = [usage, selector, matching].map(|number| number.to_string());
    let mut words = vec![
        "--create",
        "--certificate",
        file,
        "--port",
        "25",
        "--output",
        output,
    ];
    words.extend([
        "--usage",
        &usage,
        "--selector",
        &selector,
        "--mtype",
        &matching,
        HOST,
    ]);
    let printed = String::from_utf8(folder.run("tlsa", &words)).unwrap();
    let line = printed
        .lines()
        .find(|line| line.starts_with("_25."))
        .unwrap_or_else(|| panic!("no record: {printed}"));
    format!("{line}\n")
}

fn numbers(usages: &[u8], matchings: &[u8]) -> Vec<[u8; 3]> {
    let mut numbers = Vec::new();
    for usage in usages {
        for selector in [0, 1] {
            numbers.extend(
                matchings
                    .iter()
                    .map(|matching| [*usage, selector, *matching]),
            );
        }
    }
    numbers
}

fn folder(how: &[&str]) -> Folder {
    let folder = Folder::new();
    folder.key("key.pem", how);
    folder.certificate("certificate.pem", "key.pem");
    folder.openssl("pkey -in key.pem -pubout -out public.pem");
    folder
}

#[test]
#[ignore = "needs openssl, danetool"]
fn records_are_those_of_danetool() {
    for (kind, how) in KINDS {
        let folder = folder(how);
        for numbers in numbers(&[0, 1, 2, 3], &[1, 2]) {
            let expected = danetool(&folder, "certificate.pem", numbers);
            assert_eq!(
                ours(&folder, "certificate.pem", numbers, ""),
                expected,
                "{kind} {numbers:?}"
            );
        }
        let expected = danetool(&folder, "public.pem", [3, 1, 1]);
        assert_eq!(ours(&folder, "key.pem", [3, 1, 1], ""), expected, "{kind}");
    }
}

#[test]
#[ignore = "needs openssl, tlsa"]
fn records_are_those_of_hash_slinger() {
    for (kind, how) in KINDS {
        let folder = folder(how);
        let usages: &[u8] = if *kind == "rsa" || *kind == "p256" {
            &[0, 1, 2, 3]
        } else {
            &[3]
        };
        for numbers in numbers(usages, &[0, 1, 2]) {
            let expected = hash_slinger(&folder, "certificate.pem", numbers, "rfc");
            assert_eq!(
                ours(&folder, "certificate.pem", numbers, ""),
                expected,
                "{kind} {numbers:?}"
            );
        }
        let expected = hash_slinger(&folder, "certificate.pem", [3, 1, 2], "generic");
        assert_eq!(
            ours(&folder, "certificate.pem", [3, 1, 2], "--format generic"),
            expected,
            "{kind}"
        );
    }
}

#[test]
#[ignore = "needs openssl, tlsa"]
fn the_records_of_a_chain_are_those_of_its_certificates() {
    let folder = Folder::new();
    for name in ["root", "leaf"] {
        folder.key(&format!("{name}.key"), KINDS[1].1);
    }
    folder.openssl("req -x509 -new -key root.key -out root.pem -subj /CN=root -days 30");
    folder.openssl(&format!(
        "req -new -key leaf.key -subj /CN={HOST} -out leaf.csr"
    ));
    folder.openssl("x509 -req -in leaf.csr -CA root.pem -CAkey root.key -out leaf.pem -days 30");
    let read = |name: &str| std::fs::read_to_string(folder.file(name)).unwrap();
    std::fs::write(
        folder.file("chain.pem"),
        read("leaf.pem") + &read("root.pem"),
    )
    .unwrap();
    for selector in [0, 1] {
        let leaf = hash_slinger(&folder, "leaf.pem", [3, selector, 1], "rfc");
        assert_eq!(ours(&folder, "chain.pem", [3, selector, 1], ""), leaf);
        let root = hash_slinger(&folder, "root.pem", [2, selector, 1], "rfc");
        assert_eq!(ours(&folder, "chain.pem", [2, selector, 1], ""), root);
    }
}

#[test]
#[ignore = "needs openssl, named-checkzone"]
fn a_name_server_reads_both_forms_alike() {
    let folder = folder(KINDS[0].1);
    let zone = |format: &str| {
        let records = ours(
            &folder,
            "certificate.pem",
            [3, 1, 0],
            &format!("--ttl 1h --format {format}"),
        );
        let head = "$TTL 300\n@ IN SOA ns hostmaster 1 2 3 4 5\n@ IN NS ns\nns IN A 192.0.2.1\n";
        std::fs::write(folder.file("zone"), format!("{head}{records}")).unwrap();
        folder.run(
            "named-checkzone",
            &["-q", "-D", "-o", "dump", "example.com", "zone"],
        );
        let dump = std::fs::read_to_string(folder.file("dump")).unwrap();
        dump.lines()
            .find(|line| line.contains("TLSA"))
            .unwrap()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    let read = zone("zone");
    assert!(
        read.starts_with("_25._tcp.mail.example.com. 3600 IN TLSA 3 1 0 30820122"),
        "{read}"
    );
    assert_eq!(zone("generic"), read);
}
