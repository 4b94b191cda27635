//! The unified diff of an edit, made from its splices: only the lines around
//! them are read, whatever the size of the file.

use std::io;

use crate::text::source::{Library, read_span};
use crate::text::splice::Splice;

/// Lines shown before and after a change.
const CONTEXT: usize = 3;

/// How far to look for line ends around a change, in octets.
const REACH: u64 = 64 << 10;

/// The diff of one file, in octets as they stand in the file.
///
/// # Errors
///
/// When the file cannot be read.
pub fn unified(library: &dyn Library, file: usize, splices: &[Splice]) -> io::Result<Vec<u8>> {
    let label = library.label(file);
    let mut text = format!("--- {label}\n+++ {label}\n").into_bytes();
    let mut shift: i64 = 0;
    let mut blocks: Vec<Block> = Vec::new();
    for splice in splices {
        let block = Block::around(library, file, splice)?;
        match blocks.last_mut() {
            Some(last) if block.start <= last.end => last.join(block),
            _ => blocks.push(block),
        }
    }
    let mut rest = blocks.as_slice();
    while !rest.is_empty() {
        let mut count = 1;
        while let (Some(one), Some(next)) = (rest.get(count - 1), rest.get(count)) {
            if next.line - one.line_after() > 2 * CONTEXT as u64 {
                break;
            }
            count += 1;
        }
        let (hunk, others) = rest.split_at(count);
        shift += write_hunk(library, file, hunk, splices, shift, &mut text)?;
        rest = others;
    }
    Ok(text)
}

/// Whole lines that change.
struct Block {
    start: u64,
    end: u64,
    /// The line of `start`, from 1.
    line: u64,
    /// How many lines there are.
    lines: u64,
}

impl Block {
    fn around(library: &dyn Library, file: usize, splice: &Splice) -> io::Result<Self> {
        let before = read_before(library, file, splice.start)?;
        let column =
            before.len() - memchr::memrchr(b'\n', &before).map_or(0, |newline| newline + 1);
        let start = splice.start - column as u64;
        let whole_lines = splice.text.ends_with(b"\n");
        let end = if splice.end == splice.start && column == 0 && whole_lines {
            splice.end
        } else {
            let last = splice.end.max(splice.start + 1) - 1;
            let after = read_after(library, file, last)?;
            last + memchr::memchr(b'\n', &after).map_or(after.len(), |newline| newline + 1) as u64
        };
        // An insertion behind a last line without a line end changes that line.
        let (start, end) = if start == end && column > 0 {
            (start, splice.end)
        } else {
            (start, end)
        };
        let lines = line_count(&read_span(library, file, start, end)?);
        Ok(Self {
            start,
            end,
            line: splice.line.max(1),
            lines,
        })
    }

    fn join(&mut self, next: Self) {
        if next.end > self.end {
            self.end = next.end;
            self.lines = next.line + next.lines - self.line;
        }
    }

    fn line_after(&self) -> u64 {
        self.line + self.lines
    }
}

fn write_hunk(
    library: &dyn Library,
    file: usize,
    blocks: &[Block],
    splices: &[Splice],
    shift: i64,
    text: &mut Vec<u8>,
) -> io::Result<i64> {
    let (Some(first), Some(last)) = (blocks.first(), blocks.last()) else {
        return Ok(0);
    };
    let before = read_before(library, file, first.start)?;
    let lines: Vec<&[u8]> = before.split_inclusive(|octet| *octet == b'\n').collect();
    let context: Vec<u8> = lines[lines.len().saturating_sub(CONTEXT)..].concat();
    let mut body = Vec::new();
    let (mut old, mut new) = (line_count(&context), line_count(&context));
    let start_line = first.line - old.min(first.line);
    mark(b' ', &context, &mut body);
    let mut at = first.start;
    for block in blocks {
        let between = read_span(library, file, at, block.start)?;
        mark(b' ', &between, &mut body);
        let kept = line_count(&between);
        let gone = read_span(library, file, block.start, block.end)?;
        let come = edited(&gone, block.start, splices);
        mark(b'-', &gone, &mut body);
        mark(b'+', &come, &mut body);
        old += kept + line_count(&gone);
        new += kept + line_count(&come);
        at = block.end;
    }
    let after = read_after(library, file, last.end)?;
    let context: Vec<u8> = after
        .split_inclusive(|octet| *octet == b'\n')
        .take(CONTEXT)
        .collect::<Vec<_>>()
        .concat();
    mark(b' ', &context, &mut body);
    old += line_count(&context);
    new += line_count(&context);
    // A side without lines is named by the line before it.
    let start_line = start_line.max(1);
    let from = start_line - u64::from(old == 0);
    let to = start_line.saturating_add_signed(shift) - u64::from(new == 0);
    text.extend_from_slice(format!("@@ -{from},{old} +{to},{new} @@\n").as_bytes());
    text.extend(body);
    Ok(i64::try_from(new).unwrap_or(0) - i64::try_from(old).unwrap_or(0))
}

/// The lines of a block as the splices leave them.
fn edited(lines: &[u8], start: u64, splices: &[Splice]) -> Vec<u8> {
    let end = start + lines.len() as u64;
    let mut text = Vec::new();
    let mut at = start;
    let of = |from: u64, to: u64| {
        let index = |offset: u64| {
            usize::try_from(offset - start)
                .unwrap_or(lines.len())
                .min(lines.len())
        };
        &lines[index(from)..index(to)]
    };
    for splice in splices
        .iter()
        .filter(|splice| splice.start >= start && splice.end <= end)
    {
        text.extend_from_slice(of(at, splice.start));
        text.extend_from_slice(&splice.text);
        at = splice.end;
    }
    text.extend_from_slice(of(at, end));
    text
}

fn mark(sign: u8, lines: &[u8], body: &mut Vec<u8>) {
    for line in lines.split_inclusive(|octet| *octet == b'\n') {
        body.push(sign);
        body.extend_from_slice(line);
        if !line.ends_with(b"\n") {
            body.extend_from_slice(b"\n\\ No newline at end of file\n");
        }
    }
}

fn line_count(text: &[u8]) -> u64 {
    text.split_inclusive(|octet| *octet == b'\n').count() as u64
}

fn read_before(library: &dyn Library, file: usize, end: u64) -> io::Result<Vec<u8>> {
    read_span(library, file, end.saturating_sub(REACH), end)
}

fn read_after(library: &dyn Library, file: usize, start: u64) -> io::Result<Vec<u8>> {
    let mut text = vec![0; usize::try_from(REACH).unwrap_or(usize::MAX)];
    let mut filled = 0;
    while filled < text.len() {
        match library.read_at(file, start + filled as u64, &mut text[filled..])? {
            0 => break,
            count => filled += count,
        }
    }
    text.truncate(filled);
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::source::Texts;

    fn splice(start: u64, end: u64, text: &str, line: u64) -> Splice {
        Splice {
            start,
            end,
            text: text.as_bytes().to_vec(),
            line,
        }
    }

    #[test]
    fn changes_far_apart_are_hunks_and_near_ones_share_one() {
        let library = Texts::one("z", "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl\n");
        let far = [splice(2, 3, "B", 2), splice(20, 20, "new\n", 11)];
        let diff = String::from_utf8(unified(&library, 0, &far).unwrap()).unwrap();
        assert_eq!(
            diff,
            "--- z\n+++ z\n@@ -1,5 +1,5 @@\n a\n-b\n+B\n c\n d\n e\n@@ -8,5 +8,6 @@\n h\n i\n j\n+new\n k\n l\n"
        );
        let near = [splice(2, 3, "B", 2), splice(8, 8, "new\n", 5)];
        let diff = String::from_utf8(unified(&library, 0, &near).unwrap()).unwrap();
        assert_eq!(
            diff,
            "--- z\n+++ z\n@@ -1,7 +1,8 @@\n a\n-b\n+B\n c\n d\n+new\n e\n f\n g\n"
        );
    }

    #[test]
    fn a_last_line_without_a_line_end_is_marked() {
        let library = Texts::one("z", "a\nb");
        let diff =
            String::from_utf8(unified(&library, 0, &[splice(3, 3, "\nc", 2)]).unwrap()).unwrap();
        let note = "\\ No newline at end of file\n";
        assert_eq!(
            diff,
            format!("--- z\n+++ z\n@@ -1,2 +1,3 @@\n a\n-b\n{note}+b\n+c\n{note}")
        );
    }

    #[test]
    fn words_put_in_front_of_a_line_change_that_line() {
        let library = Texts::one("z", "a\n b\nc\n");
        let diff =
            String::from_utf8(unified(&library, 0, &[splice(2, 2, "x", 2)]).unwrap()).unwrap();
        assert_eq!(diff, "--- z\n+++ z\n@@ -1,3 +1,3 @@\n a\n- b\n+x b\n c\n");
    }

    /// The new text that a diff makes of an old one, as patch(1) would, strictly.
    fn applied(old: &str, diff: &str) -> Option<String> {
        let note = "\\ No newline at end of file";
        let mut old = old.split_inclusive('\n');
        let mut new = String::new();
        let (mut at, mut written) = (1, 1);
        let lines: Vec<&str> = diff.lines().skip(2).collect();
        for (number, line) in lines.iter().enumerate() {
            let end = if lines.get(number + 1) == Some(&note) {
                ""
            } else {
                "\n"
            };
            if let Some(hunk) = line.strip_prefix("@@ -") {
                let (from, to) = hunk.strip_suffix(" @@")?.split_once(" +")?;
                let start = |range: &str| {
                    let (line, count) = range.split_once(',')?;
                    let line: usize = line.parse().ok()?;
                    // A side without lines is named by the line before it.
                    Some(if count == "0" { line + 1 } else { line })
                };
                while at < start(from)? {
                    new.push_str(old.next()?);
                    (at, written) = (at + 1, written + 1);
                }
                (written == start(to)?).then_some(())?;
            } else if *line != note {
                let (sign, text) = line.split_at_checked(1)?;
                if sign != "+" {
                    (old.next()? == format!("{text}{end}")).then_some(())?;
                    at += 1;
                }
                if sign != "-" {
                    new.push_str(text);
                    new.push_str(end);
                    written += 1;
                }
            }
        }
        new.extend(old);
        Some(new)
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]

        #[test]
        fn applied_to_the_old_text_a_diff_gives_the_new_one(
            text in "([ab]{0,3}\n){0,30}[ab]{0,3}",
            mut cuts in proptest::collection::vec((0usize..100, 0usize..8, "([xy]{0,2}\n?){0,3}"), 1..5),
        ) {
            cuts.sort();
            let (mut splices, mut behind, mut new) = (Vec::new(), 0, String::new());
            for (start, length, with) in cuts {
                let (start, end) = (start.min(text.len()), (start + length).min(text.len()));
                // Splices of a patch lie apart, and each changes something.
                if (start < behind || (start == behind && !splices.is_empty())) || text[start..end] == with {
                    continue;
                }
                new.push_str(&text[behind..start]);
                new.push_str(&with);
                behind = end;
                let line = 1 + text[..start].matches('\n').count() as u64;
                splices.push(splice(start as u64, end as u64, &with, line));
            }
            new.push_str(&text[behind..]);
            let library = Texts::one("z", text.clone());
            let diff = String::from_utf8(unified(&library, 0, &splices).unwrap()).unwrap();
            let found = applied(&text, &diff);
            proptest::prop_assert_eq!(found.as_deref(), Some(new.as_str()), "{}", diff);
        }
    }
}
