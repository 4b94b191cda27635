//! The list behind `--targets`: a line for each key change with the key's file,
//! the host, the ports, and the file of the key that is deployed now if that is
//! known. Blanks separate, commas list several, double quotes keep a path with
//! blanks together, `#` at the start of a word begins a comment. Every item
//! keeps its place, so that whatever is wrong with it can be found.

use std::fmt;

/// One line of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// The files of the key to be deployed.
    pub(crate) keys: Vec<Item>,
    /// The hosts.
    pub(crate) hosts: Vec<Item>,
    /// The ports.
    pub(crate) ports: Vec<Item>,
    /// The files of the key that is deployed now.
    pub(crate) current: Vec<Item>,
}

/// A word with the place where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) text: String,
    pub(crate) place: Place,
}

/// Line and column, both counted from 1; columns are characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// What is wrong with the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListError {
    pub(crate) place: Place,
    pub(crate) problem: Problem,
}

/// What is wrong at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// A quote is opened and not closed on its line.
    OpenQuote,
    /// Nothing stands before or after a comma.
    EmptyItem,
    /// The line has too few fields.
    Missing(&'static str),
    /// The line has more fields than four.
    TooMany,
    /// A control character.
    Control,
}

impl fmt::Display for ListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problem {
            Problem::OpenQuote => f.write_str("a quote is opened and not closed on this line"),
            Problem::EmptyItem => f.write_str("nothing stands beside a comma, or between quotes"),
            Problem::Missing(what) => write!(f, "the line ends before its {what}"),
            Problem::TooMany => {
                f.write_str("the line has more than key file, host, ports and deployed key file")
            }
            Problem::Control => f.write_str("a control character has no place in the list"),
        }
    }
}

impl std::error::Error for ListError {}

/// Reads the list.
///
/// # Errors
///
/// The first thing that is wrong with it.
pub(crate) fn read(text: &str) -> Result<Vec<Line>, ListError> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let (mut fields, end) = fields(line, index + 1)?;
        if fields.is_empty() {
            continue;
        }
        if let Some(item) = fields.get(4).and_then(|field| field.first()) {
            return Err(ListError {
                place: item.place,
                problem: Problem::TooMany,
            });
        }
        let missing = |what| ListError {
            place: end,
            problem: Problem::Missing(what),
        };
        let mut fields = fields.drain(..);
        found.push(Line {
            keys: fields.next().unwrap_or_default(),
            hosts: fields.next().ok_or(missing("host"))?,
            ports: fields.next().ok_or(missing("ports"))?,
            current: fields.next().unwrap_or_default(),
        });
    }
    Ok(found)
}

/// The fields of a line, each a list of items, and where the last one ends.
fn fields(line: &str, number: usize) -> Result<(Vec<Vec<Item>>, Place), ListError> {
    let mut fields: Vec<Vec<Item>> = Vec::new();
    let mut end = Place {
        line: number,
        column: 1,
    };
    // The items of the field that is open, and the last one of them.
    let mut field: Vec<Item> = Vec::new();
    let mut item: Option<Item> = None;
    let mut quote: Option<Place> = None;
    let length = line.chars().count();
    for (index, c) in line.chars().chain([' ']).enumerate() {
        let place = Place {
            line: number,
            column: index + 1,
        };
        let wrong = |place, problem| Err(ListError { place, problem });
        match c {
            '"' => {
                quote = if quote.is_some() { None } else { Some(place) };
                item.get_or_insert(Item {
                    text: String::new(),
                    place,
                });
            }
            _ if quote.is_some() && index < length => {
                item.get_or_insert(Item {
                    text: String::new(),
                    place,
                })
                .text
                .push(c);
            }
            '#' if item.is_none() && field.is_empty() => return Ok((fields, end)),
            c if c.is_whitespace() => {
                if let Some(place) = quote {
                    return wrong(place, Problem::OpenQuote);
                }
                match item.take() {
                    Some(last) if last.text.is_empty() => {
                        return wrong(last.place, Problem::EmptyItem);
                    }
                    Some(last) => field.push(last),
                    None if field.is_empty() => continue,
                    // A comma, and then nothing.
                    None => return wrong(place, Problem::EmptyItem),
                }
                fields.push(std::mem::take(&mut field));
                end = place;
            }
            ',' => match item.take() {
                Some(last) if !last.text.is_empty() => field.push(last),
                _ => return wrong(place, Problem::EmptyItem),
            },
            c if c.is_control() => return wrong(place, Problem::Control),
            c => item
                .get_or_insert(Item {
                    text: String::new(),
                    place,
                })
                .text
                .push(c),
        }
    }
    Ok((fields, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(items: &[Item]) -> String {
        items
            .iter()
            .map(|item| item.text.as_str())
            .collect::<Vec<_>>()
            .join("|")
    }

    #[test]
    fn a_line_has_key_host_ports_and_perhaps_the_deployed_key() {
        let text = "# all of them\n\n rsa.pem,ec.pem\tmail.example.com 25,smtp # the first\n\
                    \"my key.pem\" a#b.example 443/udp old.pem\r\n";
        let lines = read(text).unwrap();
        let line = |at: usize| {
            let Line {
                keys,
                hosts,
                ports,
                current,
            } = &lines[at];
            [keys, hosts, ports, current]
                .map(|items| texts(items))
                .join(" / ")
        };
        assert_eq!(lines.len(), 2);
        assert_eq!(line(0), "rsa.pem|ec.pem / mail.example.com / 25|smtp / ");
        assert_eq!(line(1), "my key.pem / a#b.example / 443/udp / old.pem");
        assert_eq!(
            lines[0].keys[1].place,
            Place {
                line: 3,
                column: 10
            }
        );
        assert_eq!(
            lines[1].hosts[0].place,
            Place {
                line: 4,
                column: 14
            }
        );
        assert_eq!(read("\n # nothing\n"), Ok(Vec::new()));
    }

    #[test]
    fn a_long_word_is_read_in_one_go() {
        // Where each character costs a look at all of them, this takes hours.
        let word = "x".repeat(4 << 20);
        let lines = read(&format!("\"{word}\" b 25")).unwrap();
        assert_eq!(lines[0].keys[0].text.len(), word.len());
    }

    #[test]
    fn what_is_wrong_is_said_with_line_and_column() {
        use Problem::{Control, EmptyItem, Missing, OpenQuote, TooMany};
        for (text, line, column, problem) in [
            ("a b", 1, 4, Missing("ports")),
            ("\n a  # b c", 2, 3, Missing("host")),
            ("a b 25 c d", 1, 10, TooMany),
            ("a \"b 25", 1, 3, OpenQuote),
            ("a \"", 1, 3, OpenQuote),
            ("a b, 25", 1, 5, EmptyItem),
            ("a b ,25", 1, 5, EmptyItem),
            ("a b 25,,26", 1, 8, EmptyItem),
            ("a \"\" 25", 1, 3, EmptyItem),
            ("a b\u{1b} 25", 1, 4, Control),
        ] {
            let place = Place { line, column };
            assert_eq!(read(text), Err(ListError { place, problem }), "{text:?}");
        }
    }
}
