//! Tables for people: plain columns, headings in capitals, cells escaped,
//! wrapped to the terminal where there is one.

use tabled::builder::Builder;
use tabled::settings::peaker::{Peaker, Priority};
use tabled::settings::{Padding, Style, Width};

use crate::report;
use crate::report::wrap::wrapped;

/// A table of these rows; `width` is how many columns of the terminal it may
/// fill. Cells are escaped here, line ends included.
#[must_use]
pub fn table(headings: &[&str], rows: &[Vec<String>], width: Option<usize>) -> String {
    let mut builder = Builder::with_capacity(rows.len() + 1, headings.len());
    builder.push_record(headings.iter().map(|heading| heading.to_uppercase()));
    for row in rows {
        builder.push_record(row.iter().map(|text| cell(text)));
    }
    let mut table = builder.build();
    table.with(Style::empty()).with(Padding::new(0, 2, 0, 0));
    if let Some(width) = width {
        table.with(Width::wrap(width).priority(LastFirst));
    }
    let mut text = String::new();
    for line in table.to_string().lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Columns in which a few words can be read.
const FEW_WORDS: usize = 22;

/// Where the lines of a paragraph begin, but the first.
const INDENT: usize = 9;

/// A table whose last column has words and is broken between them. Where the
/// others leave no room for that, each row becomes a paragraph of these lines.
#[must_use]
pub(crate) fn worded(
    headings: &[&str],
    rows: &[Vec<String>],
    width: Option<usize>,
    paragraph: impl Fn(&[String]) -> Vec<String>,
) -> String {
    let text = table(headings, rows, None);
    let (Some(width), Some(last)) = (width, headings.last()) else {
        return text;
    };
    let before = text
        .lines()
        .next()
        .and_then(|line| line.rfind(&last.to_uppercase()))
        .unwrap_or(width);
    if before + FEW_WORDS <= width {
        return text
            .lines()
            .map(|line| format!("{}\n", wrapped(line, before, Some(width))))
            .collect();
    }
    let mut text = String::new();
    for row in rows {
        for (at, line) in paragraph(row)
            .iter()
            .map(|line| cell(line))
            .filter(|line| !line.is_empty())
            .enumerate()
        {
            let indent = if at == 0 { 0 } else { INDENT };
            let line = wrapped(&line, INDENT, Some(width - indent));
            text.push_str(&format!("{:indent$}{line}\n", ""));
        }
    }
    text
}

/// Narrows the last column first, down to a few words, then the widest.
#[derive(Clone, Copy, Debug)]
struct LastFirst;

impl Peaker for LastFirst {
    fn peak(&mut self, least: &[usize], widths: &[usize]) -> Option<usize> {
        const FEW_WORDS: usize = 12;
        match widths.last() {
            Some(width) if *width > FEW_WORDS => Some(widths.len() - 1),
            _ => Priority::max(true).peak(least, widths),
        }
    }
}

/// Text for one line of a terminal: escaped, line ends included.
#[must_use]
pub fn cell(text: &str) -> String {
    report::printable(text).replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(cells: &[&str]) -> Vec<Vec<String>> {
        vec![cells.iter().map(|cell| (*cell).to_owned()).collect()]
    }

    #[test]
    fn columns_are_aligned_and_lines_have_no_spaces_at_their_end() {
        assert_eq!(
            table(&["file", "what"], &rows(&["a-long-name", "b"]), None),
            "FILE         WHAT\na-long-name  b\n"
        );
    }

    #[test]
    fn a_cell_cannot_break_out_of_its_line() {
        assert_eq!(
            table(&["x"], &rows(&["a\nb\u{1b}[1m"]), None),
            "X\na\\nb\\u{1b}[1m\n"
        );
    }

    #[test]
    fn a_terminal_is_never_overfull() {
        let text = table(
            &["file", "digest"],
            &rows(&["a.pem", &"0123456789abcdef".repeat(4)]),
            Some(40),
        );
        assert!(
            text.lines().all(|line| line.chars().count() <= 40),
            "{text}"
        );
        assert_eq!(text.matches("a.pem").count(), 1);
    }
}
