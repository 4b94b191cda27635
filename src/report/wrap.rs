//! Long lines for a terminal: broken between words, and a word that has no room
//! is broken after its dots or colons, so that a name can still be read.

/// The text in lines of at most `width` columns; all but the first begin with
/// `indent` blanks. Without a width it stays one line. No line end at the end.
#[must_use]
pub(crate) fn wrapped(text: &str, indent: usize, width: Option<usize>) -> String {
    let Some(width) = width.filter(|width| text.chars().count() > *width) else {
        return text.to_owned();
    };
    let room = width.saturating_sub(indent).max(8);
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    // Blanks at the start and between columns are kept as they are.
    for (blanks, word) in words(text) {
        let mut word = word;
        let limit = if lines.is_empty() { width } else { room };
        let length = word.chars().count();
        if used > 0 && used + blanks + length <= limit {
            line.extend(std::iter::repeat_n(' ', blanks));
            line.push_str(word);
            used += blanks + length;
            continue;
        }
        if used > 0 {
            lines.push(std::mem::take(&mut line));
        } else {
            line.extend(std::iter::repeat_n(' ', blanks));
        }
        let limit = if lines.is_empty() { width } else { room };
        while word.chars().count() + line.chars().count() > limit {
            let (head, tail) =
                word.split_at(cut(word, limit.saturating_sub(line.chars().count()).max(1)));
            line.push_str(head);
            lines.push(std::mem::take(&mut line));
            word = tail;
        }
        line.push_str(word);
        used = line.chars().count();
    }
    lines.push(line);
    let indent: String = std::iter::repeat_n(' ', indent).collect();
    lines.join(&format!("\n{indent}"))
}

/// Each word with the number of blanks before it.
fn words(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut blanks = 0;
    for word in text.split(' ') {
        if word.is_empty() {
            blanks += 1;
        } else {
            found.push((blanks, word));
            blanks = 1;
        }
    }
    found
}

/// Where a word without room is broken: after the last dot or colon that fits,
/// else where the room ends.
fn cut(word: &str, room: usize) -> usize {
    let fitting = word.char_indices().take(room);
    let ends = fitting.map(|(at, c)| (at + c.len_utf8(), c));
    let marks = ends
        .clone()
        .filter(|(_, c)| matches!(c, '.' | ':'))
        .map(|(end, _)| end)
        .last();
    marks
        .or_else(|| ends.map(|(end, _)| end).last())
        .unwrap_or(word.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words_and_names_after_dots() {
        assert_eq!(wrapped("one two three", 2, Some(8)), "one two\n  three");
        assert_eq!(
            wrapped("wait     code  ns1", 4, Some(40)),
            "wait     code  ns1"
        );
        assert_eq!(
            wrapped("at mail-server.example.com. now", 0, Some(16)),
            "at\nmail-server.\nexample.com. now"
        );
        assert_eq!(
            wrapped("2001:db8:1111:2222::25", 0, Some(12)),
            "2001:db8:\n1111:2222::\n25"
        );
        assert_eq!(wrapped("one two three", 2, None), "one two three");
    }

    #[test]
    fn no_line_is_wider_than_the_terminal_and_nothing_is_lost() {
        let text = format!(
            "unsafe  code {} {} end",
            "x".repeat(70),
            "ns1.example.".repeat(9)
        );
        for width in 12..90 {
            let broken = wrapped(&text, 4, Some(width));
            assert!(
                broken.lines().all(|line| line.chars().count() <= width),
                "{width}: {broken}"
            );
            let letters = |text: &str| {
                text.chars()
                    .filter(|c| !c.is_whitespace())
                    .collect::<String>()
            };
            assert_eq!(letters(&broken), letters(&text));
        }
    }
}
