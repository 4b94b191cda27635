//! What is done with each form of zone text on which name servers disagree, or
//! which no server loads. What every server loads stands in `zones/`, and the
//! laws run over it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops where it fails"
)]

use chrono::{DateTime, Utc};
use danewright::name::Name;
use danewright::text::source::{Library, Texts, read_span};
use danewright::text::splice::{Edited, Piece, pieces};
use danewright::tlsa::{Params, Target, Tlsa};
use danewright::zone::edit::error::PlanError;
use danewright::zone::edit::plan::{Change, Request, Zone};
use danewright::zone::edit::serial::Policy;

const HEAD: &str = "$TTL 3600\n@ IN SOA ns hostmaster 7 3600 600 86400 300\n@ IN NS ns\nns IN A 192.0.2.1\n\
                    mail IN A 192.0.2.2\n";

fn now() -> DateTime<Utc> {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

fn origin() -> Name {
    Name::from_user("example.com").unwrap()
}

fn targets() -> Vec<Target> {
    Target::combine(
        &[Name::from_user("mail.example.com").unwrap()],
        &["25".parse().unwrap()],
    )
}

fn key() -> Tlsa {
    Tlsa::of(b"new", Params::default()).unwrap()
}

/// The files after the new key's record was added at `_25._tcp.mail`.
fn added(files: &[(&str, &str)]) -> Result<Vec<String>, PlanError> {
    edited(files, Change::Add(vec![vec![key()]]))
}

fn edited(files: &[(&str, &str)], change: Change) -> Result<Vec<String>, PlanError> {
    let library = texts(files);
    let zone = Zone::read(&library, Some(origin()), &targets())?;
    let request = Request {
        change,
        ttl: None,
        serial: Policy::Auto,
        serial_above: None,
    };
    let patch = zone.plan(&request, now())?;
    let after = files.iter().enumerate().map(|(number, (_, text))| {
        let splices = patch.splices().iter().find(|(file, _)| *file == number);
        let Some((_, splices)) = splices else {
            return (*text).to_owned();
        };
        let parts = pieces(splices, text.len() as u64).map(|piece| match piece {
            Piece::Kept(start, end) => read_span(&library, number, start, end).unwrap(),
            Piece::New(text) => text.to_vec(),
        });
        String::from_utf8(parts.collect::<Vec<_>>().concat()).unwrap()
    });
    let after: Vec<String> = after.collect();
    let view = Edited::new(&library, patch.splices());
    assert_eq!(
        read_span(&view, 0, 0, after[0].len() as u64).unwrap(),
        after[0].as_bytes()
    );
    Ok(after)
}

fn texts(files: &[(&str, &str)]) -> Texts {
    Texts::of(
        files
            .iter()
            .map(|(label, text)| ((*label).to_owned(), text.as_bytes().to_vec())),
    )
}

/// The place of the error and what it says, as text.
fn refusal(text: impl AsRef<[u8]>) -> (u64, u64, String) {
    let library = Texts::one("main", text.as_ref());
    match Zone::read(&library, Some(origin()), &targets()) {
        Err(PlanError::Read(error)) => (
            error.place.line,
            error.place.column,
            format!("{:?}", error.what),
        ),
        Err(other) => (0, 0, format!("{other:?}")),
        Ok(_) => (0, 0, "read".to_owned()),
    }
}

#[test]
fn what_one_server_reads_and_others_do_not_is_refused_with_its_place() {
    for (line, column, says) in [
        // Rubbish that some NSD pads, wraps or takes.
        ("_25._tcp.mail IN TLSA 3 1 1 abc", 29, "odd number"),
        ("_25._tcp.mail IN TLSA 3 1 1", 28, "ends where"),
        ("_25._tcp.mail IN TLSA 256 1 1 ab", 23, "256"),
        ("_25._tcp.mail IN TLSA 3 1 1 \"ab\"", 29, "hexadecimal"),
        ("_25._tcp.mail IN TLSA \\# 4 030101", 26, "announces 4"),
        // NSD takes 1h30; h30m is no TTL anywhere.
        ("www 1h30 IN A 192.0.2.3", 5, "BadTtl"),
        ("$TTL 1h30\nwww IN A 192.0.2.3", 6, "BadTtl"),
        // NSD 4.6 drops the word and gives the record to the owner before.
        ("$WHAT IN A 192.0.2.3", 1, "UnknownDirective"),
        // BIND's own, for dumps of caches; no zone is kept with it.
        ("$DATE 20261120120000", 1, "UnknownDirective"),
        // BIND reads a group in a group.
        ("www IN A ( ( 192.0.2.3 ) )", 12, "NestedGroup"),
        ("www IN A 192.0.2.3 )", 20, "CloseWithoutOpen"),
        ("www IN A ( 192.0.2.3", 10, "OpenGroup"),
        ("www IN TXT \"open", 12, "OpenQuote"),
        // NSD 4.15 stops at a NUL, says that all is well and has lost the rest.
        ("www IN TXT a\0b", 13, "Octet(0)"),
        ("www IN A 192.0.2.3\x1a", 19, "Octet(26)"),
        ("\x0cwww IN A 192.0.2.3", 1, "Octet(12)"),
        // A line may not end in the middle of an escape.
        ("www IN TXT a\\", 13, "BadEscape"),
        ("www IN TXT \\256", 12, "BadEscape"),
        ("www CH A 192.0.2.3", 5, "ForeignClass"),
        ("www IN A", 9, "NoRdata"),
        ("www IN WHAT 1", 8, "UnknownType"),
        ("a..b IN A 192.0.2.3", 1, "BadOwner"),
        ("$ORIGIN", 1, "Directive"),
        ("$ORIGIN a..b.", 9, "EmptyLabel"),
        ("$INCLUDE nowhere", 10, "Include(\"nowhere\""),
        ("$GENERATE 1-2 host$ A", 22, "behind the type"),
    ] {
        let (found_line, found_column, found) = refusal(format!("{HEAD}{line}\n"));
        assert!(found.contains(says), "{line:?}: {found}");
        let line_of_fault = 6 + u64::from(line.contains('\n') && column != 6);
        assert_eq!(
            (found_line, found_column),
            (line_of_fault, column),
            "{line:?}: {found}"
        );
    }
}

#[test]
fn a_name_that_only_its_origin_makes_too_long_is_refused_wherever_it_stands() {
    let long = format!(
        "$ORIGIN {}example.com.\n",
        format!("{}.", "x".repeat(60)).repeat(3)
    );
    let (line, column, says) = refusal(format!("{HEAD}{long}{} IN A 192.0.2.3\n", "y".repeat(60)));
    assert!(says.contains("TooLong"), "{says}");
    assert_eq!((line, column), (7, 1));
}

#[test]
fn a_byte_order_mark_is_reported_and_not_mended() {
    for mark in [&b"\xef\xbb\xbf"[..], b"\xff\xfe", b"\xfe\xff"] {
        let (line, column, says) = refusal([mark, HEAD.as_bytes()].concat());
        assert_eq!((line, column), (1, 1));
        assert!(says.contains("ByteOrderMark"), "{says}");
    }
}

#[test]
fn lines_that_end_in_a_carriage_return_alone_are_refused_though_bind_reads_them() {
    let (line, column, says) = refusal(HEAD.replace('\n', "\r"));
    assert_eq!((line, column), (1, 10));
    assert!(says.contains("Octet(13)"), "{says}");
}

#[test]
fn a_line_end_inside_quotes_is_refused_as_bind_refuses_it() {
    for text in [
        "www IN TXT \"first\n_25._tcp.mail IN TLSA 3 1 1 aa\nlast\"\n",
        "www IN TXT ( \"a\n$b\" )",
    ] {
        let text = format!("{HEAD}{text}");
        let (line, _, says) = refusal(&text);
        assert_eq!(
            (line, says.contains("QuotedLineEnd")),
            (6, true),
            "{text}: {says}"
        );
    }
}

#[test]
fn a_digest_of_the_wrong_length_is_kept_as_every_server_keeps_it() {
    let text = format!("{HEAD}_25._tcp.mail IN TLSA 3 1 1 aabb\n");
    let line = format!("_25._tcp.mail IN TLSA {}\n", key());
    assert_eq!(
        added(&[("main", &text)]).unwrap()[0],
        text.replacen(" 7 ", " 8 ", 1) + &line
    );
}

#[test]
fn a_serial_above_32_bits_or_in_another_form_is_refused() {
    for serial in ["4294967296", "1h", "0x7", "2026.1", "+7"] {
        let (line, column, says) = refusal(HEAD.replace(" 7 ", &format!(" {serial} ")));
        assert_eq!((line, column), (2, 24), "{serial}: {says}");
        assert!(
            says.contains("SOA") || says.contains("serial"),
            "{serial}: {says}"
        );
    }
}

#[test]
fn two_soas_that_differ_in_their_serial_are_refused() {
    let text = format!("{HEAD}@ IN SOA ns hostmaster 8 3600 600 86400 300\n");
    let library = Texts::one("main", text);
    let error = Zone::read(&library, Some(origin()), &targets()).unwrap_err();
    assert!(
        matches!(&error, PlanError::UnequalSoas(place) if place.line == 6),
        "{error:?}"
    );
}

#[test]
fn two_soas_that_differ_in_their_ttl_both_move() {
    let second = "@ 60 IN SOA ns hostmaster 7 3600 600 86400 300\n";
    let after = added(&[("main", &format!("{HEAD}{second}"))]).unwrap();
    assert_eq!(after[0].matches(" 8 3600 600 ").count(), 2, "{}", after[0]);
}

#[test]
fn a_set_with_two_ttls_takes_a_record_more_and_loses_none() {
    let old = "_25._tcp.mail 60 IN TLSA 3 1 1 aa\n_25._tcp.mail 90 IN TLSA 3 1 1 bb\n";
    let text = format!("{HEAD}{old}");
    assert!(
        added(&[("main", &text)]).unwrap()[0]
            .contains(&format!("_25._tcp.mail 90 IN TLSA {}", key()))
    );
    let gone = Tlsa {
        params: Params::default(),
        data: vec![0xaa],
    };
    let error = edited(&[("main", &text)], Change::Remove(vec![vec![gone]])).unwrap_err();
    assert!(matches!(error, PlanError::UnequalTtls(_)), "{error:?}");
}

#[test]
fn below_a_dname_or_a_zone_cut_nothing_is_added() {
    for line in [
        "mail IN DNAME elsewhere.example.",
        "mail IN NS ns",
        "_tcp.mail IN NS ns",
    ] {
        let error = added(&[("main", &format!("{HEAD}{line}\n"))]).unwrap_err();
        assert!(matches!(error, PlanError::Blocked(_)), "{line}: {error:?}");
    }
}

#[test]
fn a_generate_that_may_own_the_name_is_refused_and_another_is_not() {
    for (line, refused) in [
        ("$GENERATE 20-30 _$._tcp.mail TLSA \"3 1 1 aa\"", true),
        ("$generate 1-3 host$.mail A 192.0.2.$", false),
        ("$GENERATE 20-30 $ CNAME x", false),
        ("$GENERATE 20-30 host$ A 192.0.2.$", false),
        ("$GENERATE 20-30 _$._tcp.mail.example.org. TXT x", false),
    ] {
        let outcome = added(&[("main", &format!("{HEAD}{line}\n"))]);
        assert_eq!(
            matches!(outcome, Err(PlanError::Blocked(_))),
            refused,
            "{line}: {outcome:?}"
        );
    }
}

#[test]
fn a_ttl_that_a_generate_states_is_inherited_where_there_is_no_default() {
    let text = "@ 3600 IN SOA ns hostmaster 7 3600 600 86400 300\n@ NS ns\n$GENERATE 1-2 h$ 300 A 192.0.2.$\n\
                _25._tcp.mail TLSA 3 1 1 aa\n";
    let library = Texts::one("main", text);
    let zone = Zone::read(&library, Some(origin()), &targets()).unwrap();
    assert_eq!(zone.published(0).next().unwrap().1, Some(300));
}

#[test]
fn included_files_nest_and_an_edit_goes_to_the_file_that_holds_the_set() {
    let main = format!("{HEAD}$INCLUDE one sub\nwww IN A 192.0.2.3\n");
    let one = "$INCLUDE two mail.example.com.\nhost IN A 192.0.2.4\n";
    let two = "_25._tcp IN TLSA 3 1 1 aa\n         IN TXT x\n";
    let after = added(&[("main", &main), ("one", one), ("two", two)]).unwrap();
    assert_eq!(after[0], main.replacen(" 7 ", " 8 ", 1));
    assert_eq!(after[1], one);
    assert_eq!(
        after[2],
        format!(
            "_25._tcp IN TLSA 3 1 1 aa\n_25._tcp IN TLSA {}\n         IN TXT x\n",
            key()
        )
    );
}

#[test]
fn a_file_that_is_included_twice_is_not_edited() {
    let main = format!("{HEAD}$INCLUDE one\n$INCLUDE one sub\n");
    let error = added(&[("main", &main), ("one", "_25._tcp.mail IN TLSA 3 1 1 aa\n")]).unwrap_err();
    assert!(
        matches!(&error, PlanError::SharedFile(file) if file == "one"),
        "{error:?}"
    );
    // With nothing of the asked owner in it, it does not matter.
    let after = added(&[("main", &main), ("one", "www IN A 192.0.2.3\n")]).unwrap();
    assert!(after[0].contains(&format!("_25._tcp.mail IN TLSA {}", key())));
}

#[test]
fn includes_in_a_circle_are_refused() {
    let main = format!("{HEAD}$INCLUDE one\n");
    for one in ["$INCLUDE one\n", "$INCLUDE main\n", "$INCLUDE two\n"] {
        let library = texts(&[("main", &main), ("one", one), ("two", "$INCLUDE one\n")]);
        match Zone::read(&library, Some(origin()), &targets()) {
            Err(PlanError::Read(error)) => assert!(
                format!("{:?}", error.what).contains("IncludeDepth"),
                "{one}"
            ),
            other => panic!("{one}: {other:?}"),
        }
    }
}

#[test]
fn a_default_ttl_of_an_included_file_stays_in_force_and_its_origin_and_owner_do_not() {
    let main = format!(
        "{HEAD}www IN A 192.0.2.3\n$INCLUDE one mail.example.com.\n   IN TXT still-www\n_25._tcp.mail IN TLSA 3 1 1 aa\n"
    );
    let library = texts(&[
        ("main", &main),
        ("one", "$TTL 60\n$ORIGIN x.example.com.\ny IN A 192.0.2.4\n"),
    ]);
    let zone = Zone::read(&library, Some(origin()), &targets()).unwrap();
    let (tlsa, ttl, place) = zone.published(0).next().unwrap();
    assert_eq!(
        (tlsa.data.as_slice(), ttl, place.line),
        (&[0xaa][..], Some(60), 9)
    );
}

#[test]
fn a_line_of_two_hundred_thousand_octets_is_a_line() {
    let long = format!("big IN TXT {}\n", "\"0123456789abcdef\" ".repeat(11_000));
    for text in [
        format!("{HEAD}{long}"),
        format!("{HEAD}big IN TXT ( {} )\n", "\"x\"\n".repeat(50_000)),
    ] {
        let after = added(&[("main", &text)]).unwrap();
        assert!(after[0].ends_with(&text[HEAD.len()..]));
        assert_eq!(
            after[0].len(),
            text.len() + format!("_25._tcp.mail IN TLSA {}\n", key()).len()
        );
    }
}

#[test]
fn the_label_of_an_included_file_is_its_path() {
    let library = texts(&[("main", HEAD), ("sub/one", "")]);
    assert_eq!(
        library
            .include(b"sub/one")
            .map(|file| library.label(file))
            .unwrap(),
        "sub/one"
    );
}

#[test]
fn a_carriage_return_that_ends_the_last_comment_is_not_taken_for_a_line_end() {
    let text = format!("{HEAD}_25._tcp.mail IN TLSA 3 1 1 aa ; old\r");
    let with = added(&[("main", &text)]).unwrap();
    assert_eq!(
        with[0],
        format!("{text}\r\n_25._tcp.mail IN TLSA {}", key()).replacen(" 7 ", " 8 ", 1)
    );
    let without = edited(&[("main", &with[0])], Change::Remove(vec![vec![key()]])).unwrap();
    assert_eq!(without[0], text.replacen(" 7 ", " 9 ", 1));
}

#[test]
fn the_include_before_a_last_line_that_goes_keeps_its_line_end() {
    let main = format!("{HEAD}$INCLUDE sub\n_25._tcp.mail IN TLSA 3 1 1 aa");
    let gone = Tlsa {
        params: Params::default(),
        data: vec![0xaa],
    };
    let files = [("main", main.as_str()), ("sub", "www IN A 192.0.2.3\n")];
    let without = edited(&files, Change::Remove(vec![vec![gone]])).unwrap();
    assert_eq!(
        without[0],
        format!("{HEAD}$INCLUDE sub\n").replacen(" 7 ", " 8 ", 1)
    );
}

#[test]
fn a_line_left_first_in_an_included_file_is_given_its_owner_also_where_the_line_before_has_it() {
    let gone = Tlsa::of(b"old", Params::default()).unwrap();
    let main = format!("{HEAD}_25._tcp.mail IN TXT \"a\"\n$INCLUDE sub\n IN TXT \"d\"\n");
    let sub = format!("_25._tcp.mail IN TLSA {gone}\n IN TXT \"b\"\n IN TXT \"c\"\n");
    let after = edited(
        &[("main", &main), ("sub", &sub)],
        Change::Remove(vec![vec![gone.clone()]]),
    )
    .unwrap();
    assert_eq!(after[1], "_25._tcp.mail IN TXT \"b\"\n IN TXT \"c\"\n");
    assert_eq!(after[0], main.replace(" 7 ", " 8 "));
    // One that had it from there all along, or has it from a line that stays, is left alone.
    for sub in [
        format!(" IN TXT \"b\"\n_25._tcp.mail IN TLSA {gone}\n_26._tcp.mail IN TXT \"c\"\n"),
        format!("_25._tcp.mail IN TXT \"b\"\n IN TLSA {gone}\n IN TXT \"c\"\n"),
        format!(" IN TLSA {gone}\n IN TXT \"c\"\n"),
    ] {
        let after = edited(
            &[("main", &main), ("sub", &sub)],
            Change::Remove(vec![vec![gone.clone()]]),
        )
        .unwrap();
        let rest: String = sub
            .lines()
            .filter(|line| !line.contains("TLSA"))
            .map(|line| format!("{line}\n"))
            .collect();
        assert_eq!(after[1], rest);
    }
}

#[test]
fn lines_that_only_their_spelling_keeps_apart_are_not_brought_together_with_other_ttls() {
    let gone = Tlsa::of(b"old", Params::default()).unwrap();
    let kept = key();
    for (lines, refused) in [
        // BIND takes the first TTL of lines that follow each other, and an owner in other letters begins anew.
        (
            format!("_25._TCP.mail TXT a\n_25._tcp.mail TLSA {gone}\n 60 TXT b\n"),
            true,
        ),
        (
            format!("_25._TCP.mail TXT a\n_25._tcp.mail TLSA {gone}\n_25._TCP.mail 60 TXT b\n"),
            true,
        ),
        (
            format!("_25._TCP.mail TXT a\n_25._TCP.mail TLSA {gone}\n_25._tcp.mail 60 TXT b\n"),
            false,
        ),
        (
            format!("_25._TCP.mail TXT a\n_25._tcp.mail TLSA {gone}\n TXT b\n"),
            false,
        ),
        (
            format!("_25._TCP.mail TXT a\n TLSA {gone}\n 60 TXT b\n"),
            false,
        ),
    ] {
        let text = format!("{HEAD}_25._tcp.mail TLSA {kept}\n{lines}");
        let outcome = edited(&[("main", &text)], Change::Remove(vec![vec![gone.clone()]]));
        assert_eq!(
            matches!(outcome, Err(PlanError::UnequalTtls(_))),
            refused,
            "{lines}: {outcome:?}"
        );
    }
}

#[test]
fn an_owner_that_is_handed_on_keeps_its_letters_also_under_another_origin() {
    let gone = Tlsa::of(b"old", Params::default()).unwrap();
    let under = "$ORIGIN sub.example.com.\n";
    let rest = "_25._TCP.mail.example.com. 60 TXT b\n";
    let text = format!("{HEAD}_25._TCP.mail TLSA {gone}\n{under} TXT a\n{rest}");
    let after = edited(&[("main", &text)], Change::Remove(vec![vec![gone.clone()]])).unwrap();
    assert_eq!(
        after[0],
        format!("{HEAD}{under}_25._TCP.mail.example.com. TXT a\n{rest}").replacen(" 7 ", " 8 ", 1)
    );
}

#[test]
fn without_a_default_ttl_nothing_is_removed_where_servers_inherit_different_ones() {
    let gone = Tlsa::of(b"old", Params::default()).unwrap();
    let kept = key();
    let head = HEAD.replacen("$TTL 3600\n@", "@ 300", 1);
    let both = format!("_25._tcp.mail 60 TLSA {kept}\n_25._tcp.mail 60 TLSA {gone}\n");
    for (lines, refused) in [
        // BIND gives the second address the first one's TTL and hands that on.
        (
            format!(
                "mail 1h A 192.0.2.2\n_25._tcp.mail TLSA {kept}\nx 2d A 192.0.2.3\ny A 192.0.2.4\ny 1h A 192.0.2.5\n_25._tcp.mail TLSA {gone}\n"
            ),
            true,
        ),
        (
            format!("y 2d A 192.0.2.4\n 1h A 192.0.2.5\n{both}x A 192.0.2.6\n"),
            false,
        ),
        (
            format!("y 2d A 192.0.2.4\n 1h A 192.0.2.5\n_25._tcp.mail TLSA {gone}\n"),
            true,
        ),
        (
            format!(
                "y 2d A 192.0.2.4\n 1h A 192.0.2.5\nz 1h A 192.0.2.6\n_25._tcp.mail TLSA {gone}\n"
            ),
            false,
        ),
        (
            format!(
                "y 2d A 192.0.2.4\n 1h A 192.0.2.5\nz A 192.0.2.6\n_25._tcp.mail TLSA {gone}\n"
            ),
            true,
        ),
        (
            format!("y 2d A 192.0.2.4\nY 1h A 192.0.2.5\n_25._tcp.mail TLSA {gone}\n"),
            true,
        ),
        (
            format!("y 2d A 192.0.2.4\n 1h MX 10 y\n_25._tcp.mail TLSA {gone}\n"),
            false,
        ),
        (
            format!("y 2d A 192.0.2.4\n 1h MX 10 y\n A 192.0.2.5\n_25._tcp.mail TLSA {gone}\n"),
            true,
        ),
        (
            format!("y 2d A 192.0.2.4\n 1h A 192.0.2.5\n$TTL 1h\n_25._tcp.mail TLSA {gone}\n"),
            false,
        ),
    ] {
        let text = format!("{head}{lines}");
        let outcome = edited(&[("main", &text)], Change::Remove(vec![vec![gone.clone()]]));
        assert_eq!(
            matches!(outcome, Err(PlanError::DoubtfulTtl(_))),
            refused,
            "{lines}: {outcome:?}"
        );
        assert_eq!(outcome.is_err(), refused, "{lines}: {outcome:?}");
        assert!(added(&[("main", &text)]).is_ok(), "{lines}");
    }
}

#[test]
fn a_line_whose_ttl_was_sure_by_the_record_that_goes_is_given_it() {
    let gone = Tlsa::of(b"old", Params::default()).unwrap();
    let head = HEAD.replacen("$TTL 3600\n@", "@ 300", 1);
    // BIND hands on 2d from the first two, for it is the first one's TTL.
    let lines = "_25._tcp.mail 2d TXT a\n 1h TXT b\n";
    let text = format!("{head}{lines} 1h TLSA {gone}\n A 192.0.2.4\n");
    let after = edited(&[("main", &text)], Change::Remove(vec![vec![gone]])).unwrap();
    assert_eq!(
        after[0],
        format!("{head}{lines} 1h A 192.0.2.4\n").replacen(" 7 ", " 8 ", 1)
    );
}

#[test]
fn a_blank_line_left_before_the_first_owner_of_a_file_is_told_of() {
    let gone = Tlsa::of(b"old", Params::default()).unwrap();
    let main = format!("{HEAD}$INCLUDE sub\n");
    for (sub, line) in [
        (
            format!("_25._tcp.mail TLSA {gone}\n   ; remark\nwww A 192.0.2.3\n"),
            Some(2),
        ),
        (
            format!("; top\n_25._tcp.mail TLSA {gone}\n; remark\n\t\n TXT a\n"),
            Some(4),
        ),
        (
            format!("_25._tcp.mail TLSA {gone}\n; remark\n\nwww A 192.0.2.3\n   ; remark\n"),
            None,
        ),
        (
            format!("www A 192.0.2.3\n_25._tcp.mail TLSA {gone}\n   ; remark\n"),
            None,
        ),
        (
            format!("   ; already\n_25._tcp.mail TLSA {gone}\nwww A 192.0.2.3\n   ; remark\n"),
            None,
        ),
    ] {
        let library = texts(&[("main", &main), ("sub", &sub)]);
        let zone = Zone::read(&library, Some(origin()), &targets()).unwrap();
        let change = Change::Remove(vec![vec![gone.clone()]]);
        let request = Request {
            change,
            ttl: None,
            serial: Policy::Auto,
            serial_above: None,
        };
        let patch = zone.plan(&request, now()).unwrap();
        let told = patch
            .notes
            .iter()
            .find(|note| note.code == "blank-before-owner")
            .map(|note| note.message.clone());
        assert_eq!(told.is_some(), line.is_some(), "{sub}: {told:?}");
        let Some((told, line)) = told.zip(line) else {
            continue;
        };
        assert!(told.starts_with(&format!("sub:{line}:1: ")), "{told}");
    }
}

#[test]
fn a_line_behind_an_included_file_is_given_the_owner_that_the_line_between_stated() {
    let gone = Tlsa::of(b"old", Params::default()).unwrap();
    // NSD 4.6 would take the included file's last owner.
    let main = format!(
        "{HEAD}_25._tcp.mail TXT a\n$INCLUDE sub\n; remark\n_25._tcp.mail TLSA {gone}\n TXT b\n"
    );
    let files = [("main", main.as_str()), ("sub", "www IN A 192.0.2.3\n")];
    let after = edited(&files, Change::Remove(vec![vec![gone.clone()]])).unwrap();
    assert!(
        after[0].ends_with("$INCLUDE sub\n; remark\n_25._tcp.mail TXT b\n"),
        "{}",
        after[0]
    );
    // Here it took it all along.
    let main = format!("{HEAD}_25._tcp.mail TXT a\n$INCLUDE sub\n TLSA {gone}\n TXT b\n");
    let after = edited(
        &[("main", &main), files[1]],
        Change::Remove(vec![vec![gone]]),
    )
    .unwrap();
    assert!(after[0].ends_with("$INCLUDE sub\n TXT b\n"), "{}", after[0]);
}

#[test]
fn the_serial_is_shown_on_the_line_where_it_stands() {
    let main = "$TTL 60\n@ SOA ns h (\n 8 ; 7\n 1 2 3 4 )\n@ NS ns\nmail A 192.0.2.1\n";
    let library = texts(&[("main", main)]);
    let zone = Zone::read(&library, Some(origin()), &targets()).unwrap();
    let request = Request {
        change: Change::Add(vec![vec![key()]]),
        ttl: None,
        serial: Policy::Increment,
        serial_above: None,
    };
    let patch = zone.plan(&request, now()).unwrap();
    let (_, splices) = &patch.splices()[0];
    let serial = splices.iter().find(|splice| splice.text == b"9").unwrap();
    assert_eq!(serial.line, 3);
}

#[test]
fn the_file_with_the_serial_is_the_one_that_has_the_first_soa() {
    let (soa, rest) = (
        "@ 60 SOA ns h 1 2 3 4 5\n",
        "@ 60 NS ns\nmail 60 A 192.0.2.1\n",
    );
    let beside = format!("{soa}{rest}");
    for (main, part, file) in [
        (beside.as_str(), "", 0),
        ("$INCLUDE part\n", beside.as_str(), 1),
    ] {
        let library = texts(&[("main", main), ("part", part)]);
        let zone = Zone::read(&library, Some(origin()), &targets()).unwrap();
        assert_eq!(zone.serial_file(), file);
    }
}

#[test]
fn a_set_with_different_ttls_is_noted_when_it_gets_another_record() {
    for (ttl, notes) in [(61, 1), (60, 0)] {
        let main = format!(
            "{HEAD}_25._tcp.mail 60 TLSA 3 1 1 aa\nx A 192.0.2.1\n_25._tcp.mail {ttl} TLSA 3 1 1 bb\n"
        );
        let library = texts(&[("main", &main)]);
        let zone = Zone::read(&library, Some(origin()), &targets()).unwrap();
        let request = Request {
            change: Change::Add(vec![vec![key()]]),
            ttl: None,
            serial: Policy::Auto,
            serial_above: None,
        };
        let patch = zone.plan(&request, now()).unwrap();
        let found = patch
            .notes
            .iter()
            .filter(|note| format!("{note:?}").contains("different TTLs"));
        assert_eq!(found.count(), notes, "{:?}", patch.notes);
    }
}
