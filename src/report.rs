//! Words and tables made of what the commands found out.

pub mod advice;
pub(crate) mod details;
pub mod diff;
mod hints;
pub mod keys;
pub mod lint;
pub mod metrics;
pub mod monitoring;
pub mod progress;
pub mod records;
pub(crate) mod sentence;
pub(crate) mod servers;
pub mod table;
pub(crate) mod timeline;
pub mod verdict;
pub mod verdict_json;
mod wrap;

/// Text that came from a file, a certificate or the network, made safe for a
/// terminal: control characters and what nobody sees are shown as escapes, line
/// ends are kept.
#[must_use]
pub fn printable(text: &str) -> String {
    escaped(text, |_| false)
}

/// The same of lines of a file, in which tabs are what they are.
#[must_use]
pub fn printable_lines(text: &str) -> String {
    escaped(text, |c| c == '\t')
}

fn escaped(text: &str, keep: impl Fn(char) -> bool) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => safe.push(c),
            c if keep(c) => safe.push(c),
            c if is_invisible(c) => safe.extend(c.escape_unicode()),
            c if c.is_control() => safe.extend(c.escape_default()),
            c => safe.push(c),
        }
    }
    safe
}

/// Characters that show nothing, break lines or turn the direction of writing:
/// they can make a text look like another one (general categories Cf, Zl and Zp
/// of Unicode, and the fillers of Hangul).
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// Columns of the terminal: what `COLUMNS` says, else what the terminal itself
/// says, 80 where neither does.
#[must_use]
pub fn terminal_width() -> usize {
    let stated = std::env::var("COLUMNS")
        .ok()
        .and_then(|text| text.parse().ok());
    let measured = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    stated.or_else(measured).filter(|n| *n >= 40).unwrap_or(80)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_do_not_reach_the_terminal() {
        assert_eq!(
            printable("a\u{1b}[31mb\nc\u{7f}"),
            "a\\u{1b}[31mb\nc\\u{7f}"
        );
        assert_eq!(printable("\u{202e}cod.exe"), "\\u{202e}cod.exe");
        assert_eq!(printable("müller"), "müller");
        assert_eq!(printable("a\tb"), "a\\tb");
    }

    #[test]
    fn what_nobody_sees_is_shown() {
        for (text, safe) in [
            ("pay\u{200b}pal", "pay\\u{200b}pal"),
            ("a\u{2028}b\u{2029}", "a\\u{2028}b\\u{2029}"),
            ("\u{feff}a\u{ad}b", "\\u{feff}a\\u{ad}b"),
            ("\u{e0041}\u{2060}", "\\u{e0041}\\u{2060}"),
        ] {
            assert_eq!(printable(text), safe);
        }
    }

    #[test]
    fn tabs_of_a_file_stay_tabs() {
        assert_eq!(
            printable_lines("+mail\tIN\tA\r\n\u{9b}\u{200b}"),
            "+mail\tIN\tA\\r\n\\u{9b}\\u{200b}"
        );
    }
}
