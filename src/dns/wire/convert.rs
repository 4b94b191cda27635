//! Names and records between this crate and hickory. Both directions go
//! through wire form, so that no octet changes its meaning on the way.

use hickory_proto::rr::{Name as WireName, RData, Record};

use crate::name::Name;
use crate::tlsa::Tlsa;

/// The name as hickory wants it.
pub(crate) fn to_hickory(name: &Name) -> WireName {
    WireName::from_labels(name.labels())
        .expect("a name within the limits of RFC 1035 is one for hickory too")
}

/// hickory's name as ours, in lower case.
pub(crate) fn from_hickory(name: &WireName) -> Name {
    let mut wire = Vec::with_capacity(name.len() + 1);
    for label in name.iter() {
        wire.push(u8::try_from(label.len()).expect("hickory keeps labels within 63 octets"));
        wire.extend_from_slice(label);
    }
    wire.push(0);
    Name::from_wire(&wire).expect("hickory keeps names within 255 octets")
}

/// The TLSA data of a record; `None` for anything else.
pub(crate) fn tlsa(record: &Record) -> Option<Tlsa> {
    let RData::TLSA(data) = &record.data else {
        return None;
    };
    let mut rdata = vec![
        u8::from(data.cert_usage),
        u8::from(data.selector),
        u8::from(data.matching),
    ];
    rdata.extend_from_slice(&data.cert_data);
    Tlsa::from_rdata(&rdata).ok()
}

#[cfg(test)]
mod tests {
    use hickory_proto::op::Message;

    use super::*;

    #[test]
    fn every_octet_survives_both_ways() {
        for text in [
            &b"."[..],
            b"_25._tcp.Mail.example.",
            b"a\\.b.\\000\\255.x.",
            b"*.example.",
        ] {
            let name = Name::from_zone_text(text, None).unwrap();
            assert_eq!(from_hickory(&to_hickory(&name)), name);
        }
    }

    #[test]
    fn the_longest_names_survive_and_longer_ones_are_not_read() {
        for last in 50..63 {
            // Three labels of 63, one of `last`, and the root: 194 and as many octets more.
            let mut wire: Vec<u8> = [&[63][..], &[b'a'; 63]].concat().repeat(3);
            wire.push(last);
            wire.extend(std::iter::repeat_n(b'b', usize::from(last)));
            wire.push(0);
            let length = wire.len();
            let question = [
                &[0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0][..],
                &wire,
                &[0, 2, 0, 1],
            ]
            .concat();
            let read = Message::from_vec(&question)
                .ok()
                .map(|message| message.queries[0].name().clone());
            assert_eq!(read.is_some(), length <= 255, "{length}");
            if let Some(name) = read {
                assert_eq!(to_hickory(&from_hickory(&name)), name);
            }
        }
        // As many labels as there can be, and one more.
        for labels in [126, 127, 128] {
            let question = [
                &[0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0][..],
                &[1, b'x'].repeat(labels),
                &[0, 0, 2, 0, 1],
            ]
            .concat();
            let read = Message::from_vec(&question)
                .ok()
                .map(|message| message.queries[0].name().clone());
            assert_eq!(read.is_some(), labels <= 127, "{labels}");
            if let Some(name) = read {
                assert_eq!(to_hickory(&from_hickory(&name)), name);
            }
        }
    }
}
