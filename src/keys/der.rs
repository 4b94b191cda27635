//! The little of DER (X.690) that telling kinds of files apart and building a
//! SubjectPublicKeyInfo takes: elements of definite length, one octet of tag.

pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const NULL: u8 = 0x05;
pub(crate) const OID: u8 = 0x06;
pub(crate) const SEQUENCE: u8 = 0x30;

/// One element: a tag and its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    /// With tag and length.
    pub(crate) whole: &'a [u8],
    pub(crate) content: &'a [u8],
}

/// Octets of the header and of the content, as the header says.
pub(crate) fn lengths(octets: &[u8]) -> Option<(usize, usize)> {
    let (&tag, &first) = (octets.first()?, octets.get(1)?);
    if tag & 0x1f == 0x1f {
        return None;
    }
    if first < 0x80 {
        return Some((2, usize::from(first)));
    }
    let count = usize::from(first & 0x7f);
    let digits = octets.get(2..2 + count)?;
    // DER takes the shortest form only; the indefinite one (0x80) is not DER.
    if count == 0 || count > 4 || digits[0] == 0 || (count == 1 && digits[0] < 0x80) {
        return None;
    }
    let length = digits
        .iter()
        .fold(0u64, |sum, digit| sum << 8 | u64::from(*digit));
    Some((2 + count, usize::try_from(length).ok()?))
}

/// The first element, and what follows it.
pub(crate) fn first(octets: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let (header, length) = lengths(octets)?;
    let (whole, rest) = octets.split_at_checked(header.checked_add(length)?)?;
    Some((
        Element {
            tag: whole[0],
            whole,
            content: &whole[header..],
        },
        rest,
    ))
}

/// All elements, when the octets are elements and nothing else.
pub(crate) fn all(mut octets: &[u8]) -> Option<Vec<Element<'_>>> {
    let mut elements = Vec::with_capacity(8);
    while !octets.is_empty() {
        let (element, rest) = first(octets)?;
        elements.push(element);
        octets = rest;
    }
    Some(elements)
}

/// The elements of a SEQUENCE.
pub(crate) fn sequence<'a>(element: &Element<'a>) -> Option<Vec<Element<'a>>> {
    if element.tag == SEQUENCE {
        all(element.content)
    } else {
        None
    }
}

/// Makes one element; its content is the parts, joined.
pub(crate) fn write(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut octets = Vec::with_capacity(length + 6);
    octets.push(tag);
    if length < 0x80 {
        octets.push(length as u8);
    } else {
        let digits = length.to_be_bytes();
        let digits = &digits[digits.iter().take_while(|digit| **digit == 0).count()..];
        octets.push(0x80 | digits.len() as u8);
        octets.extend_from_slice(digits);
    }
    for part in parts {
        octets.extend_from_slice(part);
    }
    octets
}

/// An object identifier's content in dotted form.
pub(crate) fn oid_text(content: &[u8]) -> String {
    let mut arcs: Vec<u64> = Vec::new();
    let mut arc: u64 = 0;
    for octet in content {
        arc = arc.wrapping_shl(7) | u64::from(octet & 0x7f);
        if octet & 0x80 == 0 {
            if arcs.is_empty() {
                let top = (arc / 40).min(2);
                arcs.push(top);
                arc -= top * 40;
            }
            arcs.push(arc);
            arc = 0;
        }
    }
    arcs.iter()
        .map(u64::to_string)
        .collect::<Vec<_>>()
        .join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_in_their_shortest_form_only() {
        assert_eq!(lengths(&[0x30, 0x7f]), Some((2, 127)));
        assert_eq!(lengths(&[0x30, 0x81, 0x80]), Some((3, 128)));
        assert_eq!(lengths(&[0x30, 0x82, 0x01, 0x00]), Some((4, 256)));
        for wrong in [
            &[0x30][..],
            &[0x30, 0x80],
            &[0x30, 0x81, 0x7f],
            &[0x30, 0x82, 0, 0x80],
            &[0x1f, 1, 0],
            &[0x30, 0x82, 1],
        ] {
            assert_eq!(lengths(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        for length in [0, 1, 127, 128, 255, 256, 65_536] {
            let content = vec![7; length];
            let written = write(OCTET_STRING, &[&content]);
            let (element, rest) = first(&written).unwrap();
            assert_eq!(
                (element.content, rest.len()),
                (content.as_slice(), 0),
                "{length}"
            );
        }
    }

    #[test]
    fn object_identifiers_are_dotted() {
        assert_eq!(
            oid_text(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1]),
            "1.2.840.113549.1.1.1"
        );
        assert_eq!(
            oid_text(&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 0x11]),
            "2.16.840.1.101.3.4.3.17"
        );
        assert_eq!(oid_text(&[0x2b, 0x65, 0x70]), "1.3.101.112");
        assert_eq!(oid_text(&[0x88, 0x37]), "2.999");
    }
}
