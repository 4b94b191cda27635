//! Names, TLSA data, TTLs, durations and serials: reading is total, and what
//! is printed reads back as the same value.

#![no_main]

use chrono::{DateTime, Utc};
use danewright::name::Name;
use danewright::tlsa::{Port, Tlsa, hex, unhex};
use danewright::zone::text::scan::{self, Kind};
use danewright::serial;
use danewright::zone::edit::serial::{Policy, next};
use danewright::zone::text::{rdata, ttl};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((&kind, data)) = data.split_first() else { return };
    match kind % 4 {
        0 => names(data),
        1 => tlsa(data),
        2 => serials(data),
        _ => texts(data),
    }
});

fn names(data: &[u8]) {
    let origin = Name::from_user("example.com").expect("a name");
    let text = String::from_utf8_lossy(data);
    let read = [Name::from_zone_text(data, Some(&origin)), Name::from_user(&text), Name::from_wire(data)];
    for name in read.into_iter().flatten() {
        assert!(name.wire().len() <= 255 && name.labels().all(|label| (1..=63).contains(&label.len())));
        let printed = name.to_string();
        assert!(printed.bytes().all(|octet| (0x21..=0x7e).contains(&octet)), "{printed:?}");
        assert_eq!(Name::from_zone_text(printed.as_bytes(), None).as_ref(), Ok(&name), "{printed}");
        assert_eq!(Name::from_wire(name.wire()).as_ref(), Ok(&name));
        for above in name.ancestors() {
            assert!(name.is_within(&above));
            if let Some(relative) = name.relative_to(&above) {
                assert_eq!(Name::from_zone_text(relative.as_bytes(), Some(&above)).as_ref(), Ok(&name), "{relative}");
            }
        }
        if let Ok(longer) = name.prepend(b"_25") {
            assert_eq!(longer.parent().as_ref(), Some(&name));
        }
    }
}

fn tlsa(data: &[u8]) {
    if let Ok(record) = Tlsa::from_rdata(data) {
        assert_eq!(record.rdata(), data);
        assert_eq!(unhex(&hex(data)).as_deref(), Ok(data));
        let octets = hex(data);
        let (first, second) = octets.split_at(octets.len() / 3);
        let forms = [
            format!("x TYPE52 \\# {} {first} {second}\n", data.len()),
            format!("x TLSA {record}"),
            format!("\tTLSA\t{}\t(\n{}\n)", record.params, record.hex().to_ascii_uppercase()),
        ];
        // Three numbers and nothing behind them is no record in a zone file.
        for form in forms.into_iter().filter(|_| data.len() > 3) {
            assert_eq!(read_tlsa(form.as_bytes()).as_ref(), Some(&record), "{form}");
        }
    }
    let line = [b"x 1h IN TLSA ", data].concat();
    if let Some(record) = read_tlsa(&line) {
        assert_eq!(read_tlsa(format!("x TLSA {record}").as_bytes()), Some(record));
    }
}

fn read_tlsa(text: &[u8]) -> Option<Tlsa> {
    let scanned = scan::entry(text, true)?;
    let Kind::Record(fields) = scanned.kind else { return None };
    rdata::tlsa(text.get(..scanned.len)?, &fields).ok().filter(|tlsa| !tlsa.data.is_empty())
}

fn serials(data: &[u8]) {
    let mut words = data.chunks_exact(4).map(|four| u32::from_be_bytes([four[0], four[1], four[2], four[3]]));
    let (Some(present), Some(above), Some(seconds)) = (words.next(), words.next(), words.next()) else { return };
    let now: DateTime<Utc> = DateTime::from_timestamp(i64::from(seconds), 0).expect("a moment before 2107");
    for policy in [Policy::Auto, Policy::Increment, Policy::Date, Policy::UnixTime] {
        for above in [None, Some(above)] {
            let Ok(next) = next(present, above, policy, now) else { continue };
            assert!(serial::follows(next, present) && next != 0, "{present} {next}");
            let digits = serial::digits(next, &format!("{present:010}"));
            assert!(digits.len() <= 10 && digits.parse() == Ok(next), "{digits}");
        }
    }
}

fn texts(data: &[u8]) {
    if let Some(seconds) = ttl::parse(data) {
        assert!(seconds <= ttl::LARGEST);
    }
    let text = String::from_utf8_lossy(data);
    // No panic is all that is asked of these.
    let _ = (danewright::duration::parse(&text), text.parse::<Port>());
}
