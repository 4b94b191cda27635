//! Writes records the way people do: owners relative, absolute, repeated or
//! left out; TTL and class in either order or absent; groups over several
//! lines with comments inside; tabs, CRLF, capitals and escapes.

use super::dice::Dice;

/// The habits of whoever keeps the file.
#[derive(Clone)]
pub(crate) struct Habits {
    end: &'static str,
    gap: &'static str,
    class: usize,
    small: bool,
    units: bool,
    groups: usize,
    comments: usize,
    spelling: usize,
}

impl Habits {
    /// Habits by dice.
    pub(crate) fn by(dice: &mut Dice<'_>) -> Self {
        Self {
            end: *dice.pick(&["\n", "\n", "\n", "\r\n"]),
            gap: *dice.pick(&[" ", "\t", "  ", " \t ", "        "]),
            class: *dice.pick(&[2, 1, 3, 5]),
            small: dice.one_in(4),
            units: dice.one_in(3),
            groups: *dice.pick(&[40, 12, 4]),
            comments: *dice.pick(&[12, 5, 30]),
            spelling: *dice.pick(&[40, 10, 4]),
        }
    }
}

/// One file as it is being written.
pub(crate) struct Pen {
    /// The text so far.
    pub(crate) text: Vec<u8>,
    habits: Habits,
    /// The origin in force, absolute.
    pub(crate) origin: String,
    /// The owner that a blank stands for, absolute.
    pub(crate) owner: Option<String>,
}

const REMARKS: [&str; 12] = [
    "",
    " the mail server",
    " do not touch -- Karl",
    " \"quoted",
    " (open",
    " closed) 2026112001",
    " serial",
    " caf\u{e9} \u{fc}ber",
    ";;;; ####",
    "\ttabs\t",
    " _25._tcp.mail IN TLSA 3 1 1 (",
    " $ORIGIN elsewhere.example.",
];

impl Pen {
    /// An empty file with this origin, and the owner of the line before.
    pub(crate) fn new(habits: &Habits, origin: &str, owner: Option<String>) -> Self {
        Self {
            text: Vec::new(),
            habits: habits.clone(),
            origin: origin.to_owned(),
            owner,
        }
    }

    /// A record. `data` are the words behind the type, `ttl` what to state.
    pub(crate) fn record(
        &mut self,
        dice: &mut Dice<'_>,
        owner: &str,
        ttl: Option<u32>,
        rtype: &str,
        data: &[String],
    ) {
        let mut words = Vec::new();
        let ttl = ttl.map(|ttl| self.ttl(dice, ttl));
        let class = (!dice.one_in(self.habits.class)).then(|| self.cased("IN"));
        let turned = dice.one_in(3);
        let (first, second) = if turned { (class, ttl) } else { (ttl, class) };
        words.extend(first);
        words.extend(second);
        words.push(self.cased(rtype));
        words.extend(data.iter().cloned());
        let spelled = self.spelled(dice, owner);
        self.latin1(&spelled);
        self.owner = Some(owner.to_owned());
        let group = dice
            .one_in(self.habits.groups)
            .then(|| dice.below(words.len()));
        self.words(dice, &words, group);
        self.line_end(dice);
    }

    /// A record whose words stand in a group from this one on, each on a line of its own.
    pub(crate) fn tall_record(
        &mut self,
        dice: &mut Dice<'_>,
        owner: &str,
        rtype: &str,
        data: &[String],
        from: usize,
    ) {
        let spelled = self.spelled(dice, owner);
        self.owner = Some(owner.to_owned());
        self.latin1(&spelled);
        let mut words = vec![self.cased("IN"), self.cased(rtype)];
        words.extend(data.iter().cloned());
        self.words(dice, &words, Some(2 + from));
        self.line_end(dice);
    }

    fn words(&mut self, dice: &mut Dice<'_>, words: &[String], group: Option<usize>) {
        for (at, word) in words.iter().enumerate() {
            let inside = group.is_some_and(|from| at > from);
            if inside && dice.one_in(2) {
                if dice.one_in(3) {
                    self.remark(dice);
                }
                self.latin1(self.habits.end);
                // Column 0 is as good as any inside a group.
                if !dice.one_in(5) {
                    self.latin1("\t\t");
                }
            } else {
                self.latin1(self.habits.gap);
            }
            if group == Some(at) {
                self.latin1(if dice.one_in(4) { "(" } else { "( " });
            }
            self.latin1(word);
        }
        if group.is_some() {
            if dice.one_in(2) {
                self.latin1(self.habits.end);
            }
            self.latin1(if dice.one_in(4) { ")" } else { " )" });
        }
    }

    fn line_end(&mut self, dice: &mut Dice<'_>) {
        if dice.one_in(self.habits.comments) {
            if !dice.one_in(4) {
                self.latin1(" ");
            }
            self.remark(dice);
        } else if dice.one_in(9) {
            self.latin1("  ");
        }
        self.latin1(self.habits.end);
    }

    fn remark(&mut self, dice: &mut Dice<'_>) {
        let remark = *dice.pick(&REMARKS);
        self.latin1(";");
        self.latin1(remark);
    }

    /// A comment line, an empty line, or one of blanks.
    pub(crate) fn pause(&mut self, dice: &mut Dice<'_>) {
        match dice.below(4) {
            0 => {}
            1 => self.latin1("   "),
            2 => {
                self.latin1("\t");
                self.remark(dice);
            }
            _ => self.remark(dice),
        }
        self.latin1(self.habits.end);
    }

    /// A directive with its words.
    pub(crate) fn directive(&mut self, dice: &mut Dice<'_>, word: &str, rest: &str) {
        let word = if dice.one_in(12) {
            word.to_ascii_lowercase()
        } else {
            word.to_owned()
        };
        self.latin1(&word);
        self.latin1(self.habits.gap);
        self.latin1(rest);
        self.line_end(dice);
    }

    /// Goes on under another origin.
    pub(crate) fn move_to(&mut self, dice: &mut Dice<'_>, origin: &str) {
        let written = match self.relative(origin) {
            Some(relative) if dice.one_in(3) => relative,
            _ => origin.to_owned(),
        };
        self.directive(dice, "$ORIGIN", &written);
        self.origin = origin.to_owned();
    }

    /// A TTL as this person writes it.
    pub(crate) fn ttl(&self, dice: &mut Dice<'_>, ttl: u32) -> String {
        if !self.habits.units || dice.one_in(3) {
            return ttl.to_string();
        }
        let (days, hours, minutes, seconds) =
            (ttl / 86_400, ttl / 3_600 % 24, ttl / 60 % 60, ttl % 60);
        let parts = [(days, "d"), (hours, "h"), (minutes, "m"), (seconds, "s")];
        let text: String = parts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, unit)| format!("{count}{unit}"))
            .collect();
        match text.as_str() {
            "" => "0".to_owned(),
            _ if dice.one_in(3) => text.to_ascii_uppercase(),
            _ => text,
        }
    }

    fn cased(&self, word: &str) -> String {
        if self.habits.small {
            word.to_ascii_lowercase()
        } else {
            word.to_owned()
        }
    }

    fn relative(&self, name: &str) -> Option<String> {
        if name == self.origin {
            return Some("@".to_owned());
        }
        name.strip_suffix(&self.origin)
            .and_then(|rest| rest.strip_suffix('.'))
            .map(str::to_owned)
    }

    /// The owner column.
    fn spelled(&self, dice: &mut Dice<'_>, owner: &str) -> String {
        if self.owner.as_deref() == Some(owner) && !dice.one_in(4) {
            return (*dice.pick(&["", " ", "\t"])).to_owned();
        }
        let written = match self.relative(owner) {
            Some(relative) if !dice.one_in(8) => relative,
            _ => owner.to_owned(),
        };
        if written == "@" || !dice.one_in(self.habits.spelling) {
            return written;
        }
        match dice.below(3) {
            0 => written.to_ascii_uppercase(),
            1 => {
                let at = dice.below(written.len());
                let octet = written.as_bytes()[at];
                if octet == b'.' || octet == b'\\' || octet == b'*' {
                    return written;
                }
                format!("{}\\{octet:03}{}", &written[..at], &written[at + 1..])
            }
            _ => match written.find('_') {
                Some(at) => format!("{}\\{}", &written[..at], &written[at..]),
                None => written,
            },
        }
    }

    /// Text in Latin-1, as it stands in files of the last century.
    fn latin1(&mut self, text: &str) {
        self.text.extend(
            text.chars()
                .map(|letter| u8::try_from(u32::from(letter)).unwrap_or(b'?')),
        );
    }
}
