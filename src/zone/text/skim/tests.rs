//! What the quick pass takes and leaves, and that it reads like the full reading.

use proptest::prelude::*;

use super::*;
use crate::name::Name;
use crate::zone::text::presentation;
use crate::zone::text::scan::{self, Kind};
use crate::zone::text::ttl;

/// What is taken from the top of a text, with enough behind it that the end is not in sight.
fn taken(text: &[u8]) -> Run {
    let padded = [text, &b"\\\n".repeat(64)].concat();
    let origin = Name::from_user("example.com").ok();
    run(&padded, origin.as_ref(), 0, true, |_, _| true)
}

#[test]
fn plain_lines_are_taken_and_others_are_left() {
    let (hex, string, label) = ("ab".repeat(32), "s".repeat(255), "l".repeat(63));
    for (line, plain) in [
        ("a NS b", true),
        ("a.example.\t86400\tIN\tNS\tns1.example.net.", true),
        ("\tin a 192.0.2.1 ; why", true),
        ("a IN 60 Cname b\r", true),
        ("a 60 IN AAAA 2001:db8::1", true),
        ("a MX 10 mail", true),
        ("_sip._tcp SRV 10 60 5060\tpc1  ", true),
        (&format!("a DS 4711 13 2 {hex}"), true),
        (&format!("a TXT \"v=spf1; (-all\" \"{string}\""), true),
        (&format!("{label} NS {label}"), true),
        ("", true),
        ("; (a comment \\", true),
        ("a NS", false),
        ("a NS b c", false),
        ("a NS b..c", false),
        ("a NS .b", false),
        ("a..b NS c", false),
        (".a NS b", false),
        ("a NS @", true),
        ("@ 1h30m NS a", true),
        ("@a NS b", false),
        ("*.a NS b", true),
        ("\\097 NS b", false),
        ("a NS \"b\"", false),
        ("a ( NS b )", false),
        ("a NS ( b )", true),
        ("a NS (b) ; why", true),
        ("a NS (\r\n\n b ; (why)\n\t)", true),
        ("a SRV ( 10 60\n\t5060;\npc2 )", true),
        ("a TXT (\"a\" ; \"b\"\n\"c\"\n) ; d", true),
        (&format!("a DS ( 4711 13 2 {hex} )"), true),
        ("a A (\n192.0.2.1\n)", true),
        ("a AAAA ( 2001:db8::1)", true),
        ("a HINFO \"PC\" \"Linux; (x\"", true),
        ("a HINFO ( \"PC\"\n\"Linux\" )", true),
        ("a HINFO \"PC\"", false),
        ("a HINFO ( \"PC\" )", false),
        ("a HINFO \"PC\" \"Linux\" \"x\"", false),
        ("a HINFO ( \"PC\" \"Linux\"\n\"x\" )", false),
        ("a NS ( b", false),
        ("a NS ( ( b ) )", false),
        ("a NS ( b c )", false),
        ("a NS ( b ) c", false),
        ("a NS ( b ) )", false),
        ("a NS (\n.b )", false),
        ("a NS ( b..c )", false),
        ("a NS ( b@ )", false),
        ("a NS ( \r b )", false),
        ("a NS ( )", false),
        ("a TXT ( )", false),
        ("a TXT ( \"a\"\"b\" )", false),
        ("a TXT ( \"a\" b )", true),
        ("a TXT ( \"a\nb\" )", false),
        ("a TXT ( \"a\\\"b\" )", true),
        ("a TXT ( \"a\\b\" )", true),
        ("a MX ( 10b )", false),
        ("a MX ( 65536 b )", false),
        ("a MX ( 10 )", false),
        ("a SRV ( 10 60 pc2 )", false),
        (&format!("a DS ( 4711 13 2 {hex} 00 )"), false),
        (&format!("a TXT ( \"{string}s\" )"), false),
        ("a NS b(", false),
        ("a NS b\rc", false),
        ("$ORIGIN a.", false),
        ("a 1h30 NS b", false),
        ("a 1 2 NS b", false),
        ("a IN IN NS b", false),
        ("a CH NS b", false),
        ("a 9999999999 NS b", false),
        ("a NS\0\0 b", false),
        ("a TYPE2 b", false),
        ("a SOA b c 1 2 3 4 5", false),
        ("a RRSIG b", false),
        ("a TLSA 3 1 1 00", false),
        ("a A 192.0.2.256", false),
        ("a A 192.0.2.1.", false),
        ("a A 192.0.2.01", false),
        ("a AAAA ::1.2.3.4", false),
        ("a AAAA 1:2", false),
        ("a MX 65536 b", false),
        ("a MX 10", false),
        ("a MX b", false),
        (&format!("a DS 1 1 1 {hex}"), false),
        (&format!("a DS 1 1 2 {hex}0"), false),
        ("a TXT \"a\\\"b\"", true),
        ("a TXT \"a\"\"b\"", false),
        ("a TXT word", true),
        (&format!("a TXT \"{string}s\""), false),
        (&format!("a NS {label}l"), false),
        (&format!("{label}l NS a"), false),
        (&format!("{label}.{label} NS {label}.{label}."), true),
        (&format!("{label}.{label}l.a NS a"), false),
        (
            &format!("a NS {label}.{label}.{label}.{}.", &label[..61]),
            false,
        ),
        (&format!("*.{label}.a NS a"), true),
        ("a NS .", true),
        ("a NS . ; why", true),
        ("a NS ..", false),
        ("a NS @.", false),
        ("* NS a", false),
        ("*. NS a", false),
        ("*.. NS a", false),
        ("*..a NS a", false),
        ("a.*.b NS a", false),
        ("*.*.a NS b", false),
        ("a MX 0 .", true),
        (&format!("a TLSA 3 1 1 {hex}"), true),
        (
            &format!(
                "a\t3600\tIN\tTLSA\t3 1 1 ( {}\n\t{} )",
                &hex[..32],
                &hex[32..]
            ),
            true,
        ),
        (&format!("a TLSA 3 1 1 {} {}", &hex[..32], &hex[32..]), true),
        (&format!("a TLSA 3 1 1 {}", hex.to_uppercase()), true),
        (&format!("a TLSA 3 1 2 {hex}{hex}"), true),
        ("a TLSA 3 1 0 00", true),
        ("a TLSA 3 1 0 0", false),
        ("a TLSA 3 1 0", false),
        ("a TLSA 3 1 0 0g", false),
        (&format!("a TLSA 3 1 1 {hex}00"), false),
        (&format!("a TLSA 3 1 3 {hex}"), false),
        (&format!("a TLSA 256 1 1 {hex}"), false),
        (&format!("a TLSA 3 1 1 {hex} ; why"), true),
        (&format!("a TYPE52 3 1 1 {hex}"), false),
        ("a TLSA \\# 3 000000", false),
        (&format!("a SSHFP 4 2 {hex}"), true),
        ("a SSHFP 4 2 ( )", false),
        ("a CAA 0 issue \"ca.example; a=b\"", true),
        ("a CAA 0 issue ca.example", true),
        ("a CAA 256 issue \"ca.example\"", false),
        ("a CAA 0 is-sue \"ca.example\"", false),
        (
            "a NAPTR 100 50 \"s\" \"\" \"!^.*$!sip:a@b!\" _sip._udp",
            true,
        ),
        ("a NAPTR 100 50 \"s\" \"\" \"!^(.*)$!\\\\1!\" .", true),
        ("a NAPTR 100 50 \"s\" \"\" _sip._udp", false),
        ("a URI 10 1 \"https://a.example/?b=(c)\"", true),
        ("a OPENPGPKEY AQID", true),
        ("a OPENPGPKEY ( AQID\nBA== )", true),
        ("a OPENPGPKEY AQIDBB==", false),
        ("a OPENPGPKEY AQIDBA=", false),
        ("a OPENPGPKEY AQIDBA== AQID", false),
        ("a CERT PKIX 1 RSASHA256 AQID", true),
        ("a CERT 1 1 8 AQID", true),
        ("a CERT pkix 1 8 AQID", false),
        ("a HTTPS 1 . alpn=\"h2,h3\" ipv4hint=192.0.2.1", true),
        ("a HTTPS 1 . alpn", false),
        ("a HTTPS ( 1 . alpn=h2\n)", true),
        ("a HTTPS 1 . alpn=\"h2\" ; why", true),
        ("a HTTPS 1 . alpn=\"h2\"port=1", false),
        ("a HTTPS 1 . alpn=h2 alpn=h3", false),
        ("a HTTPS 1 . alpn=h2,,h3", false),
        ("a HTTPS 1 . alpn=", false),
        ("a HTTPS 1 . alpn=\"h2", false),
        ("a HTTPS 1 . port=65536", false),
        (
            "a HTTPS 1 . port=443 ipv4hint=192.0.2.1,192.0.2.2 ipv6hint=\"2001:db8::1\"",
            true,
        ),
        ("a HTTPS 1 . ipv4hint=192.0.2.256", false),
        ("a HTTPS 1 . mandatory=port", false),
        ("a LOC 52 22 23.000 N 4 53 32.000 E -2.00m", true),
        ("a LOC 52 X 4 E 0m", false),
        ("a EUI48 00-00-5e-00-53-2a", true),
        ("a EUI48 00:00:5e:00:53:2a", false),
        ("a EUI48 00-00-5e-00-53-2a-00", false),
        ("a EUI48 00-00-5e-00-53-2", false),
        ("a EUI64 00-00-5e-ef-10-00-00-2a", true),
        ("a L64 10 2001:0db8:1140:1000", true),
        ("a L64 10 2001:db8:1140:1000", false),
        ("a NID 10 0014:4fff:ff20", false),
        ("a A 255.0.19.100", true),
        ("a A 256.0.2.1", false),
        ("a A 00.0.2.1", false),
        ("a A 1.2.3", false),
        ("a A 1.2.3.4.5", false),
        ("a A 1.2.3.1000", false),
        ("a A 1..2.3", false),
        ("a APL 1:192.0.2.0/24\r", true),
        ("a APL", false),
        ("a RP host.a txt.a", true),
        ("a RP host.a", false),
        ("a SVCB 0 b", false),
        ("a DNSKEY 256 3 13 AQID", false),
        ("a ZONEMD 1 1 1 00", false),
        ("a AAAA 1:2:3:4:5:6:7:8", true),
        ("a AAAA ::", true),
        ("a AAAA 1::", true),
        ("a AAAA 1:", false),
        ("a AAAA :1::", false),
        ("a AAAA 1::2::3", false),
        ("a AAAA ::1:2:3:4:5:6:7:8", false),
        ("a AAAA 1:2:3:4:5:6:7:8:9", false),
        ("a AAAA ::12345", false),
        ("a A 1.2.3.4 5", false),
        ("a A 1.2.3.4)", false),
    ] {
        let run = taken(format!("{line}\n").as_bytes());
        assert_eq!(run.len, if plain { line.len() + 1 } else { 0 }, "{line:?}");
    }
}

#[test]
fn the_last_owner_and_the_last_ttl_are_remembered() {
    let text = b"a 60 NS b\n\n\tA 192.0.2.1\nbb\tA (\n192.0.2.2\n)\n;\n\t70 A 192.0.2.3\n";
    let run = taken(text);
    assert_eq!(
        (run.len, run.lines, run.records, run.ttl),
        (text.len(), 8, 4, Some(70))
    );
    assert_eq!(run.entries, 6);
    assert_eq!(run.owner.map(|span| span.of(text)), Some(&b"bb"[..]));
    assert_eq!(
        run.last.map(|(span, lines)| (span.of(text), lines)),
        Some((&b"\t70 A 192.0.2.3\n"[..], 7))
    );
}

#[test]
fn a_blank_owner_needs_one_before_it() {
    let text = b" A 192.0.2.1\na A 192.0.2.2\n A 192.0.2.3\nb A 192.0.2.4\n\\ long enough that the end is not near, for that is where nothing is taken any more\n";
    assert_eq!(run(text, None, 0, false, |_, _| true).records, 0);
    assert_eq!(run(text, None, 13, false, |_, _| true).records, 3);
    assert_eq!(run(text, None, 0, true, |_, _| true).records, 4);
}

#[test]
fn what_is_not_to_be_stepped_over_is_left() {
    let text = b"a 1h CNAME b\n;c\n 1h30m NS ( a ) ; d\ne TXT x\n\\ long enough that the end is not near, for that is where nothing is taken any more\n";
    let mut told = Vec::new();
    let run = run(text, None, 0, false, |text, plain| {
        told.push(match plain {
            Plain::Blank(line) => (
                None,
                String::from_utf8_lossy(line.of(text)).into_owned(),
                false,
            ),
            Plain::Record(record) => {
                let rest = String::from_utf8_lossy(record.rest.of(text)).into_owned();
                (
                    record.only_word(text).map(<[u8]>::to_vec),
                    rest,
                    record.is_compound,
                )
            }
        });
        !matches!(plain, Plain::Record(Record { code: 16, .. }))
    });
    let told: Vec<_> = told
        .iter()
        .map(|(word, rest, compound)| (word.as_deref(), rest.as_str(), *compound))
        .collect();
    assert_eq!(
        told,
        [
            (Some(&b"b"[..]), " b\n", false),
            (None, ";c\n", false),
            (None, " ( a ) ; d\n", true),
            (Some(b"x"), " x\n", false),
        ]
    );
    assert_eq!((run.len, run.entries, run.records), (36, 3, 2));
}

/// Lines of pieces that may or may not go together.
fn line() -> impl Strategy<Value = String> {
    let owner = prop_oneof![
        "[a-c._-]{0,4}",
        "[a-z]{1,9}\\.[a-z]{1,9}\\.?",
        Just("a".repeat(64)),
        Just("x\\.".to_owned()),
        Just(format!("{}.{}", "a".repeat(60), "b".repeat(60))),
        "\\*(\\.[a-b.]{0,3})?",
        Just("@".to_owned()),
        Just(";".to_owned()),
    ];
    let blank =
        || prop_oneof![5 => Just(" "), 3 => Just("\t"), 1 => Just(" \t  "), 1 => Just(" ( ")];
    let middle = prop_oneof![
        Just(""),
        Just("IN "),
        Just("3600\t"),
        Just("in 60 "),
        Just("60 IN "),
        Just("1h IN\t"),
        Just("1h30m "),
        Just("1h2 ")
    ];
    let others = vec![
        "a", "SOA", "DNSKEY", "ZONEMD", "IN", "60", "TYPE16", "hTTPs",
    ];
    let kind = proptest::sample::select(kinds::mnemonics().chain(others).collect::<Vec<_>>());
    let data = prop_oneof![
        "[0-9]{1,3}\\.[0-9]{1,2}\\.0\\.[0-9]{1,3}",
        "[a-z._-]{1,12}",
        "[0-9a-f:]{2,20}",
        "[0-9]{1,6} [a-z.]{1,9}",
        "[0-9]{1,3} [0-9]{1,5} [0-9]{1,5} [a-z.]{1,9}",
        "1 8 [124] [0-9a-f]{40}",
        "(\"[ -~]{0,5}\" ?){1,3}",
        "\\([ \n]?(\"[ -~]{0,3}\"(;[ -~]?\n)?[ \n]?){1,3}\\)",
        "\\((\r?\n)? ?[0-9]{1,6}[ \n][a-z.]{1,5}(;\\)\n)? ?\\)",
        "\\([0-9]{1,3}\n[0-9]{1,5}[ ;]\n?[0-9]{1,5} [a-z.@]{1,5} ?\\)",
        "\\( [0-9]{1,3}\\.0\\.2\\.[0-9]{1,2}\n\\)",
        "\\([ a-z\"0-9;\n]{0,9}\\)",
        "[0-9]{1,3} [0-9] [012] ([0-9a-fA-F]{64} ?){0,2}",
        "[0-9]{1,3} [0-9] [01] \\(\n?[0-9a-f]{31,32} [0-9a-f]{31,33}\n ?\\)",
        "[0-9]{1,3} [0-9] ([0-9a-f]{2,3} ?){1,3}",
        "([A-Za-z0-9+/]{4} ?){1,9}([A-Za-z0-9+/]{2,3}={0,2})?",
        "(PKIX|PGP|pkix|1) [0-9]{1,5} (RSASHA256|8|X) ([A-Z]{4}){1,2}",
        "[0-9]{1,3} (issue|IODEF|is-sue) (\"[ -~]{0,9}\"|[a-z.]{1,5})",
        "[0-9]{1,2} [0-9]{1,2} (\"[ -~]{0,3}\" ){2,3}[a-z.]{1,3}",
        "[0-9]{1,2} [0-9]{1,2} \"[ -~]{0,9}\"",
        "[0-9] (\\.|[a-z.]{1,5}) (alpn=(h2|\"h2,h3\")|port=[0-9]{1,5}|ipv4hint=192\\.0\\.2\\.[0-9])( no-default-alpn)?",
        "[0-9]{1,2} ([0-9] ){0,2}[NS] [0-9]{1,3} [EW] -?[0-9]{1,3}m( 1m)?",
        "([0-9a-f]{2}[-:]){5,7}[0-9a-f]{2}",
        "!?[12]:(192\\.0\\.2\\.0|2001:db8::)/[0-9]{1,3}",
        "[0-9]{1,3} ([0-9a-f]{4}:){3}[0-9a-f]{3,4}",
        "[0-9]{1,3} [0-3] [0-9] (\\.|192\\.0\\.2\\.1|a) AQID",
        "[a-z.]{1,5} [a-z.]{1,5}",
        "[ -~]{0,9}",
    ];
    let end = prop_oneof![6 => Just("\n"), 1 => Just("\r\n"), 1 => Just(" ; c\n"), 1 => Just(" \n"), 1 => Just(" )\n")];
    (owner, blank(), middle, kind, blank(), data, end).prop_map(
        |(owner, blank, middle, kind, gap, data, end)| {
            format!("{owner}{blank}{middle}{kind}{gap}{data}{end}")
        },
    )
}

proptest! {
    #[test]
    fn what_is_taken_is_read_in_full_to_the_same_effect(lines in proptest::collection::vec(line(), 1..6)) {
        let text = lines.concat() + &"\\\n".repeat(64);
        let origin = Name::from_user("example.com").ok();
        let mut told = Vec::new();
        let run = run(text.as_bytes(), origin.as_ref(), 0, true, |_, plain| {
            if let Plain::Record(record) = plain {
                told.push(*record);
            }
            true
        });
        let told: Vec<_> = told.iter().map(|record| (record.owner, record.ttl, record.code, record.is_compound, record.rest)).collect();
        let mut seen = Vec::new();
        let (mut at, mut lines, mut count, mut records, mut owner, mut seconds) = (0, 0, 0, 0, None, None);
        while at < run.len {
            let rest = &text.as_bytes()[at..];
            let scanned = scan::entry(rest, false).ok_or(TestCaseError::fail("no entry"))?;
            match scanned.kind {
                Kind::Record(fields) => {
                    prop_assert!(presentation::check(rest, &fields, origin.as_ref()).is_ok(), "{text:?}");
                    let stated = fields.owner.map(|span| Span { start: at + span.start, end: at + span.end });
                    let compound = fields.ttl.is_some_and(|(span, _)| ttl::is_compound(span.of(rest)));
                    let behind = Span { start: at + fields.rtype.end, end: at + scanned.len };
                    seen.push((stated, fields.ttl.map(|(_, seconds)| seconds), fields.code, compound, behind));
                    owner = stated.or(owner);
                    seconds = fields.ttl.map(|(_, seconds)| seconds).or(seconds);
                    prop_assert!(count >= 6 || run.last.is_none_or(|(span, _)| span.start >= at));
                    records += 1;
                }
                Kind::Blank => {}
                Kind::Control { .. } | Kind::Unread(_) => prop_assert!(false, "{text:?}"),
            }
            at += scanned.len;
            count += 1;
            lines += scanned.lines;
        }
        prop_assert_eq!((at, lines, count), (run.len, run.lines, run.entries));
        prop_assert_eq!((records, owner, seconds), (run.records, run.owner, run.ttl));
        prop_assert_eq!(seen, told);
    }
}
