//! The templates of a `$GENERATE`: `$` and `${offset,width,base}` between other
//! text, filled in with a number as BIND 9.18 does it with C's printf, and undone.

/// A template with its number filled in, or why BIND does not do that.
pub(super) fn expand(template: &[u8], value: i32) -> Result<Vec<u8>, &'static str> {
    let mut made = Vec::new();
    for part in Parts(template) {
        match part? {
            Part::Text(text) => made.extend_from_slice(text),
            Part::Number(modifier) => made.extend(modifier.apply(value)?.into_bytes()),
        }
    }
    Ok(made)
}

/// A part of a template.
pub(super) enum Part<'t> {
    Text(&'t [u8]),
    Number(Modifier),
}

/// The parts of a template, one after the other.
pub(super) struct Parts<'t>(pub(super) &'t [u8]);

impl<'t> Iterator for Parts<'t> {
    type Item = Result<Part<'t>, &'static str>;

    fn next(&mut self) -> Option<Self::Item> {
        let (octet, after) = self.0.split_first()?;
        let length = match (octet, after.first()) {
            (b'\\', Some(_)) | (b'$', Some(b'$')) => 2,
            (b'$', Some(b'{')) => match memchr::memchr(b'}', self.0) {
                Some(close) => close + 1,
                None => self.0.len(),
            },
            _ => 1,
        };
        let (part, rest) = self.0.split_at(length);
        self.0 = rest;
        Some(match part {
            [b'$', b'$'] => Ok(Part::Text(b"$")),
            [b'$', b'{', inside @ .., b'}'] => {
                Modifier::read(inside).map(Part::Number).ok_or(NO_MODIFIER)
            }
            [b'$', b'{', ..] => Err(NO_MODIFIER),
            [b'$', ..] => Ok(Part::Number(Modifier {
                offset: 0,
                width: 0,
                base: b'd',
            })),
            text => Ok(Part::Text(text)),
        })
    }
}

const NO_MODIFIER: &str = "has a modifier that is none; they look like ${0,3,d}";

/// What `${offset,width,base}` makes of a number.
#[derive(Clone, Copy)]
pub(super) struct Modifier {
    offset: i32,
    pub(super) width: usize,
    /// One of `d o x X`, or `n N` for nibbles.
    base: u8,
}

impl Modifier {
    fn read(inside: &[u8]) -> Option<Self> {
        // scanf(3) skips blanks before a number.
        let mut parts = std::str::from_utf8(inside)
            .ok()?
            .split(',')
            .map(str::trim_start);
        let offset: i64 = parts.next()?.parse().ok()?;
        let width: usize = parts.next().map_or(Ok(0), str::parse).ok()?;
        let base = parts.next().unwrap_or("d");
        let known = parts.next().is_none() && matches!(base, "d" | "o" | "x" | "X" | "n" | "N");
        // What is too large for C's int loses its upper bits there.
        let offset = i32::from_le_bytes(*offset.to_le_bytes().first_chunk()?);
        Some(Self {
            offset,
            width,
            base: *base.as_bytes().first()?,
        })
        .filter(|_| known)
    }

    /// As C's printf does it: what is below zero has all its 32 bits in hex and octal.
    fn apply(self, value: i32) -> Result<String, &'static str> {
        let Self {
            offset,
            width,
            base,
        } = self;
        let number = value
            .checked_add(offset)
            .ok_or("counts beyond 2147483647, which BIND refuses")?;
        if width > WIDEST {
            return Err("makes a number of more than 127 digits, which BIND refuses");
        }
        Ok(match base {
            b'd' => format!("{number:0width$}"),
            b'o' => format!("{number:0width$o}"),
            b'x' => format!("{number:0width$x}"),
            b'X' => format!("{number:0width$X}"),
            _ => nibbles(number, width, base == b'N'),
        })
    }

    /// The number that may have been made into this text.
    pub(super) fn undo(self, text: &str) -> Option<i32> {
        let bits = |digits: &str, radix| {
            u32::from_str_radix(digits, radix)
                .ok()
                .map(u32::cast_signed)
        };
        let number = match self.base {
            b'd' => text.parse().ok(),
            b'o' => bits(text, 8),
            b'x' | b'X' => bits(text, 16),
            _ => {
                let digits: String = text.chars().rev().filter(|digit| *digit != '.').collect();
                bits(digits.trim_start_matches('0'), 16).or((!digits.is_empty()).then_some(0))
            }
        };
        number?.checked_sub(self.offset)
    }
}

/// What BIND has room for.
const WIDEST: usize = 127;

/// Hex digits from the last to the first with dots between them; dots count in the width.
fn nibbles(number: i32, width: usize, capitals: bool) -> String {
    let (mut rest, mut width, mut made) = (number.cast_unsigned(), width, String::new());
    loop {
        let digit = char::from_digit(rest & 15, 16).unwrap_or('0');
        made.push(if capitals {
            digit.to_ascii_uppercase()
        } else {
            digit
        });
        rest >>= 4;
        width = width.saturating_sub(1);
        if rest == 0 && width == 0 {
            return made;
        }
        made.push('.');
        width = width.saturating_sub(1);
        if rest == 0 && width == 0 {
            return made;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_filled_in_as_bind_does() {
        for (template, made) in [
            ("h$", Ok("h12")),
            ("$$", Ok("$")),
            ("h\\$", Ok("h\\$")),
            ("${0,3,d}.x", Ok("012.x")),
            ("${1,4,X}", Ok("000D")),
            ("${0,0,o}", Ok("14")),
            ("${-2}", Ok("10")),
            ("${+1}", Ok("13")),
            ("${ 0, 3}", Ok("012")),
            ("${-13}", Ok("-1")),
            ("${-13,4,d}", Ok("-001")),
            ("${-13,4,x}", Ok("ffffffff")),
            ("${0,0,n}", Ok("c")),
            ("${6,0,n}", Ok("2.1")),
            ("${6,3,N}", Ok("2.1")),
            ("${6,4,n}", Ok("2.1.")),
            ("${0,5,n}", Ok("c.0.0")),
            ("${-13,3,n}", Ok("f.f.f.f.f.f.f.f")),
            ("${0 }", Err(())),
            ("${0,3,q}", Err(())),
            ("${}", Err(())),
            ("${0", Err(())),
            ("${0,3,d,e}", Err(())),
            ("${2147483647}", Err(())),
            ("${0,128,d}", Err(())),
        ] {
            let found =
                expand(template.as_bytes(), 12).map(|made| String::from_utf8(made).unwrap());
            assert_eq!(found.map_err(|_| ()), made.map(str::to_owned), "{template}");
        }
    }
}
