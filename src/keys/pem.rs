//! PEM (RFC 7468): text with blocks in it. Strict inside a block and about its
//! boundaries, so that a cut or damaged file is told apart from one with fewer
//! blocks; whatever stands between blocks is passed over.

use pkcs8::der::zeroize::Zeroizing;

use crate::keys::{KeyError, Problem};

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const HYPHENS: &[u8] = b"-----";
/// More than twice the longest label in use.
const LONGEST_LABEL: usize = 60;

/// One block.
pub(crate) struct Block {
    /// What the BEGIN line says, `CERTIFICATE`.
    pub(crate) label: String,
    /// The line of BEGIN, from 1.
    pub(crate) line: usize,
    /// The content; overwritten when it is dropped, since it may be a private key.
    pub(crate) octets: Zeroizing<Vec<u8>>,
}

/// Whether some line begins a block.
pub(crate) fn is_pem(text: &[u8]) -> bool {
    lines(text).any(|line| line.trim_ascii_start().starts_with(BEGIN) || line.starts_with(END))
}

/// All blocks, in order.
///
/// # Errors
///
/// The first fault in a block or a boundary, with its line.
pub(crate) fn blocks(text: &[u8]) -> Result<Vec<Block>, KeyError> {
    let mut blocks = Vec::new();
    let mut lines = lines(text).zip(1..);
    while let Some((line, number)) = lines.next() {
        if let Some(label) = boundary(line, BEGIN, number)? {
            blocks.push(block(label, number, &mut lines)?);
        } else if let Some(label) = boundary(line, END, number)? {
            return Err(KeyError::at(number, Problem::NoBegin { label }));
        } else if line.trim_ascii_start().starts_with(BEGIN) {
            return Err(KeyError::at(number, Problem::Indented));
        }
    }
    Ok(blocks)
}

fn block<'a>(
    label: String,
    begin: usize,
    lines: &mut impl Iterator<Item = (&'a [u8], usize)>,
) -> Result<Block, KeyError> {
    let mut base64 = Base64::default();
    let mut in_headers = true;
    for (line, number) in lines {
        if let Some(end) = boundary(line, END, number)? {
            if end != label {
                return Err(KeyError::at(
                    number,
                    Problem::EndLabel { begin: label, end },
                ));
            }
            let octets = base64
                .finish()
                .map_err(|problem| KeyError::at(number, problem))?;
            if octets.is_empty() {
                return Err(KeyError::at(begin, Problem::EmptyBlock { label }));
            }
            return Ok(Block {
                label,
                line: begin,
                octets,
            });
        }
        if line.starts_with(BEGIN) {
            return Err(KeyError::at(begin, Problem::NoEnd { label }));
        }
        // Headers of RFC 1421 stand before the text and have a colon, which base64 has not.
        if in_headers && line.contains(&b':') {
            if line.starts_with(b"Proc-Type:") && line.ends_with(b"ENCRYPTED") {
                return Err(KeyError::at(begin, Problem::LegacyEncrypted));
            }
            continue;
        }
        in_headers &= line.is_empty();
        base64
            .push(line)
            .map_err(|problem| KeyError::at(number, problem))?;
    }
    Err(KeyError::at(begin, Problem::NoEnd { label }))
}

/// The label of a boundary line; `None` for any other line.
fn boundary(line: &[u8], start: &[u8], number: usize) -> Result<Option<String>, KeyError> {
    let Some(rest) = line.strip_prefix(start) else {
        return Ok(None);
    };
    let label = rest
        .strip_suffix(HYPHENS)
        .and_then(|label| std::str::from_utf8(label).ok());
    // Where line ends were lost, a key stands between the hyphens; it must not
    // become a label, since labels are shown.
    match label.filter(|label| label.len() <= LONGEST_LABEL && !label.contains("--")) {
        Some(label) => Ok(Some(label.to_owned())),
        None => Err(KeyError::at(number, Problem::Boundary)),
    }
}

/// Lines without their ends and without white space at their ends.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    // Editors of one vendor put a byte order mark in front.
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    text.split(|octet| *octet == b'\n')
        .map(<[u8]>::trim_ascii_end)
}

/// Base64 (RFC 4648 section 4), fed line by line.
#[derive(Default)]
struct Base64 {
    octets: Zeroizing<Vec<u8>>,
    group: u32,
    digits: u8,
    padding: u8,
}

impl Base64 {
    fn push(&mut self, line: &[u8]) -> Result<(), Problem> {
        self.octets.reserve(line.len() / 4 * 3 + 3);
        for &octet in line {
            let value = match octet {
                b'A'..=b'Z' => octet - b'A',
                b'a'..=b'z' => octet - b'a' + 26,
                b'0'..=b'9' => octet - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                b' ' | b'\t' => continue,
                b'=' if self.digits >= 2 && self.digits + self.padding < 4 => {
                    self.padding += 1;
                    continue;
                }
                _ => return Err(Problem::Base64),
            };
            if self.padding > 0 {
                return Err(Problem::Base64);
            }
            self.group = self.group << 6 | u32::from(value);
            self.digits += 1;
            if self.digits == 4 {
                self.octets
                    .extend_from_slice(&self.group.to_be_bytes()[1..]);
                (self.group, self.digits) = (0, 0);
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Zeroizing<Vec<u8>>, Problem> {
        if self.digits == 0 {
            return Ok(self.octets);
        }
        if self.digits + self.padding != 4 {
            return Err(Problem::Base64Cut);
        }
        let octets = (self.group << (6 * self.padding)).to_be_bytes();
        let kept = usize::from(3 - self.padding);
        // Bits that belong to no octet are zero (RFC 4648 section 3.5).
        if octets[1 + kept..].iter().any(|octet| *octet != 0) {
            return Err(Problem::Base64);
        }
        self.octets.extend_from_slice(&octets[1..=kept]);
        Ok(self.octets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Read = Result<Vec<(String, usize, Vec<u8>)>, (Option<usize>, Problem)>;

    fn read(text: &str) -> Read {
        let blocks = blocks(text.as_bytes()).map_err(|error| (error.line, error.problem))?;
        Ok(blocks
            .into_iter()
            .map(|block| (block.label, block.line, block.octets.to_vec()))
            .collect())
    }

    #[test]
    fn text_between_blocks_is_passed_over() {
        let text = "subject=CN = a\n-----BEGIN A-----\nAQID\n-----END A-----\n\nmore: text\n\
                    -----BEGIN B C-----\r\nBAUG\r\nBw==\r\n-----END B C-----";
        let expected = vec![
            ("A".to_owned(), 2, vec![1, 2, 3]),
            ("B C".to_owned(), 7, vec![4, 5, 6, 7]),
        ];
        assert_eq!(read(text), Ok(expected.clone()));
        assert_eq!(read(&format!("\u{feff}{text}")), Ok(expected));
        assert_eq!(read("no block\n"), Ok(vec![]));
    }

    #[test]
    fn headers_are_passed_over_and_old_encryption_is_named() {
        assert_eq!(
            read("-----BEGIN A-----\nX-Note: 1\n\nAQID\n-----END A-----"),
            Ok(vec![("A".into(), 1, vec![1, 2, 3])])
        );
        let text = "-----BEGIN A-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAQID\n-----END A-----";
        assert_eq!(read(text), Err((Some(1), Problem::LegacyEncrypted)));
    }

    #[test]
    fn faults_have_a_line() {
        let label = || "A".to_owned();
        for (text, line, problem) in [
            (
                "-----BEGIN A-----\nAQID\n",
                1,
                Problem::NoEnd { label: label() },
            ),
            (
                "\n-----BEGIN A-----\nAQID\n-----BEGIN A-----\n",
                2,
                Problem::NoEnd { label: label() },
            ),
            (
                "AQID\n-----END A-----\n",
                2,
                Problem::NoBegin { label: label() },
            ),
            (
                "-----BEGIN A-----\nAQID\n-----END B-----\n",
                3,
                Problem::EndLabel {
                    begin: label(),
                    end: "B".into(),
                },
            ),
            (
                "-----BEGIN A----\nAQID\n-----END A-----\n",
                1,
                Problem::Boundary,
            ),
            (
                "-----BEGIN A-----\nAQID\n-----END A--\n",
                3,
                Problem::Boundary,
            ),
            (
                "-----BEGIN A-----AQID-----END A-----\n",
                1,
                Problem::Boundary,
            ),
            (
                " -----BEGIN A-----\nAQID\n-----END A-----\n",
                1,
                Problem::Indented,
            ),
            (
                "-----BEGIN A-----\n-----END A-----\n",
                1,
                Problem::EmptyBlock { label: label() },
            ),
            (
                "-----BEGIN A-----\nAQID\nA!ID\n-----END A-----\n",
                3,
                Problem::Base64,
            ),
            (
                "-----BEGIN A-----\nAQ==\nAQID\n-----END A-----\n",
                3,
                Problem::Base64,
            ),
            (
                "-----BEGIN A-----\nAQI\n-----END A-----\n",
                3,
                Problem::Base64Cut,
            ),
            (
                "-----BEGIN A-----\nAQJ=\n-----END A-----\n",
                3,
                Problem::Base64,
            ),
            (
                "-----BEGIN A-----\nAQ===\n-----END A-----\n",
                2,
                Problem::Base64,
            ),
            (
                "-----BEGIN A-----\nA: b\n\nAQID\na: b\n-----END A-----\n",
                5,
                Problem::Base64,
            ),
        ] {
            assert_eq!(read(text), Err((Some(line), problem)), "{text}");
        }
    }
}
