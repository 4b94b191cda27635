//! Words and tables made of what the commands found out.

pub(crate) mod details;
pub mod diff;
mod hints;
pub mod keys;
pub mod lint;
pub mod metrics;
pub mod monitoring;
pub mod progress;
pub mod records;
pub(crate) mod servers;
pub mod table;
pub(crate) mod timeline;
pub mod verdict;
pub mod verdict_json;
mod wrap;

/// Text that came from a file, a certificate or the network, made safe for a
/// terminal: control characters are shown as escapes, line ends are kept.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => safe.push(c),
            // Bidirectional overrides can make a text look like another one.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' => {
                safe.extend(c.escape_unicode())
            }
            c if c.is_control() => safe.extend(c.escape_default()),
            c => safe.push(c),
        }
    }
    safe
}

/// Columns of the terminal: what `COLUMNS` says, else what the terminal itself
/// says, 80 where neither does.
#[must_use]
pub fn terminal_width() -> usize {
    let stated = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    let measured = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    stated.or_else(measured).filter(|n| *n >= 40).unwrap_or(80)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_do_not_reach_the_terminal() {
        assert_eq!(printable("a\u{1b}[31mb\nc\u{7f}"), "a\\u{1b}[31mb\nc\\u{7f}");
        assert_eq!(printable("\u{202e}cod.exe"), "\\u{202e}cod.exe");
        assert_eq!(printable("müller"), "müller");
    }
}
