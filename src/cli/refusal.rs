//! Why a zone is not edited, in words: what is wrong, where, what to do next.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::cli::{Failure, options};
use crate::files::KEPT;
use crate::files::beside::Unmade;
use crate::files::disk::OpenError;
use crate::files::foreign::Foreign;
use crate::files::lock::{LockError, user};
use crate::files::replace::ReplaceError;
use crate::name::Name;
use crate::zone::edit::error::{PlanError, advice};
use crate::zone::edit::index::{Obstacle, ObstacleKind};
use crate::zone::edit::journal::NotOurs;
use crate::zone::text::reader::{MOST_INCLUDES, Place, ReadError, ReadErrorKind};
use crate::zone::text::rtype::is_provider_type;
use crate::zone::text::words::Wrong;

/// The failure that a plan's error is to the user.
#[must_use]
pub(crate) fn failure(error: PlanError, path: &Path) -> Failure {
    let file = path.display();
    match error {
        PlanError::Read(error) => unread(&error),
        PlanError::NoSoa => Failure::wrong("the file has no SOA record; it is not a whole zone")
            .at(file)
            .hint("name the zone's main file, not one that it includes"),
        PlanError::UnequalSoas(place) => {
            Failure::wrong("the zone has two SOA records that differ").at(place).hint("leave only one of them")
        }
        PlanError::Outside { host, apex } => {
            let failure = Failure::wrong(format!("{host} is outside the zone {apex}")).at(file);
            if options::is_short(&host) {
                failure.hint(format!(
                    "name the host in full: --host {}.{}",
                    options::spoken(&host),
                    options::spoken(&apex)
                ))
            } else {
                failure.hint("name the zone file that holds it")
            }
        }
        PlanError::Signed(place) => {
            Failure::refused("the zone is signed in this file; an edit would break its signatures")
                .at(place)
                .hint("patch the unsigned source and sign again, or let the server sign (inline-signing)")
        }
        PlanError::Digest(place) => {
            Failure::refused("the zone has a digest of its records (ZONEMD); an edit would make it wrong")
                .at(place)
                .hint("patch the source from which the digest is made, or take the ZONEMD record out and make it anew after the edit")
        }
        PlanError::Blocked(obstacle) => {
            let hint = advice(&obstacle.what);
            Failure::refused(blocked(&obstacle)).at(obstacle.place).hint(hint)
        }
        PlanError::MadeByWildcard(obstacle) => {
            let hint = match &obstacle.what {
                ObstacleKind::WildcardAlias(to) => format!("prune where it leads, with --owner {to}"),
                ObstacleKind::WildcardLeaves(to) => beyond(to),
                _ => format!("prune the wildcard's own records, with --owner '{}'", obstacle.owner),
            };
            Failure::refused(format!("there is no TLSA record at the name itself; {}", blocked(&obstacle)))
                .at(obstacle.place)
                .hint(hint)
        }
        PlanError::BesideAlias { owner, place } => {
            Failure::refused(format!("{owner} is an alias and has other records too, so no server loads the zone"))
                .at(place)
                .hint("leave the alias or the records (RFC 1034 section 3.6.2)")
        }
        PlanError::AliasLeaves { owner, to, place } => {
            Failure::refused(format!("{owner} is an alias that leads out of the zone, to {to}"))
                .at(place)
                .hint(beyond(&to))
        }
        PlanError::AliasLoop { owner, place } => {
            Failure::refused(format!("{owner} is an alias that leads in circles or too far"))
                .at(place)
                .hint("let it lead to the name that has the TLSA records")
        }
        PlanError::TooManyAliases { most } => {
            Failure::refused(format!("the aliases asked for lead to more than {most} other names of the zone"))
                .at(file)
                .hint("name fewer hosts, ports or owners at once")
        }
        PlanError::Shared { owner, asked, others, owners } => shared(&owner, &asked, &others, &owners).at(file),
        PlanError::NoTlsa { owner, likest } => {
            let likest: Vec<String> = likest.iter().map(ToString::to_string).collect();
            let hint = match likest.as_slice() {
                [] => "the zone has no TLSA record at all: is it the right file?".to_owned(),
                some => format!("is the host or the port misspelt? there are TLSA records at {}", some.join(", ")),
            };
            Failure::refused(format!("there is no TLSA record at {owner}; nothing was looked at or removed"))
                .at(file)
                .hint(hint)
        }
        PlanError::SharedFile(label) => {
            Failure::refused("the file is included more than once; an edit would show at several names")
                .at(label)
                .hint("write the record into the main file by hand")
        }
        PlanError::UnequalTtls(owner) => {
            Failure::refused(format!("the records at {owner} have different TTLs; a removal would choose one of them"))
                .at(file)
                .hint("give them the same TTL first (RFC 2181 section 5.2)")
        }
        PlanError::DoubtfulTtl(owner) => {
            let what = format!("the zone has no $TTL, and name servers do not agree which TTL {owner} inherits");
            Failure::refused(what).at(file).hint("put a $TTL line at the top of the zone")
        }
        PlanError::SpreadingTtl(owner) => {
            Failure::refused(format!("the zone has no $TTL, and the lines behind {owner} would inherit the TTL given"))
                .at(file)
                .hint("leave --ttl away, or put a $TTL line at the top of the zone")
        }
        PlanError::Serial(error) => Failure::wrong(error).at(file).hint("use --serial auto or --serial increment"),
        PlanError::Owner(error) => Failure::wrong(format!("the target has no owner name: {error}")).at("--host"),
        PlanError::Overlap => Failure::refused("two of the edits touch the same octets; nothing was written").at(file),
        PlanError::Unproven(why) => {
            Failure::refused(format!("the edit cannot be proven right: {why}; nothing was written"))
                .at(file)
                .hint("write the record by hand, and please report this zone")
        }
    }
}

/// Where to edit what stands in another zone.
fn beyond(to: &Name) -> String {
    format!("run the command on the zone file that holds {to}, with --owner {to}")
}

/// Who else would lose records, and how to ask for all of them.
fn shared(owner: &Name, asked: &[Name], others: &[String], owners: &[Name]) -> Failure {
    const FEW: usize = 20;
    let mut told = others
        .iter()
        .take(FEW)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    if others.len() > FEW {
        told.push_str(&format!(" and {} more", others.len() - FEW));
    }
    let word = |owner: &Name| {
        let owner = owner.to_string();
        if owner.starts_with('*') {
            format!(" --owner '{owner}'")
        } else {
            format!(" --owner {owner}")
        }
    };
    let all: String = asked
        .iter()
        .chain(owners.iter().take(FEW))
        .map(word)
        .collect();
    let force = "state with --force that they may lose the records as well";
    let hint = match owners {
        [] => force.to_owned(),
        _ => format!("name them too, with --host and --port or with{all}; or {force}"),
    };
    Failure::refused(format!(
        "the records at {owner} are also those of {told}, by alias; nothing was removed"
    ))
    .hint(hint)
}

/// What stands in the way, as a sentence.
fn blocked(obstacle: &Obstacle) -> String {
    let owner = &obstacle.owner;
    match &obstacle.what {
        ObstacleKind::Dname => format!("{owner} has a DNAME; nothing exists below it"),
        ObstacleKind::Cut => format!(
            "{owner} is delegated to other name servers; the records belong in its own zone"
        ),
        ObstacleKind::Generate => format!("the $GENERATE for {owner} makes records at the name"),
        ObstacleKind::HostWildcard => {
            format!("the wildcard {owner} answers for the host now, and would no longer")
        }
        ObstacleKind::Wildcard => format!("the wildcard {owner} answers for the name now"),
        ObstacleKind::WildcardAlias(to) => {
            format!("the wildcard alias {owner} leads to {to} and answers for the name now")
        }
        ObstacleKind::WildcardLeaves(to) => {
            format!(
                "the wildcard alias {owner} leads out of the zone, to {to}, and answers for the name now"
            )
        }
    }
}

/// What to say of a zone that cannot be read.
pub(crate) fn unread(error: &ReadError) -> Failure {
    let failure = |message: String| Failure::wrong(message).at(&error.place);
    match &error.what {
        ReadErrorKind::Syntax(wrong, found) => {
            let (message, hint) = syntax(*wrong, found);
            let failure = failure(message);
            if hint.is_empty() {
                failure
            } else {
                failure.hint(hint)
            }
        }
        ReadErrorKind::Name(name) => {
            let failure = failure(name.to_string());
            if *name == crate::name::NameError::NoOrigin {
                failure
                    .hint("say the zone's name with --origin; a name that is meant to be whole needs a dot at its end")
            } else {
                failure
            }
        }
        ReadErrorKind::NoOwner => failure("the first record has no owner to inherit".to_owned())
            .hint("begin it with the owner, or @"),
        ReadErrorKind::Data(what) | ReadErrorKind::Directive(what) => failure(what.clone()),
        ReadErrorKind::UnendedDirective => {
            failure("the last line is a directive without a line end".to_owned())
                .hint("put a line end behind it")
        }
        ReadErrorKind::UnknownDirective(word) => {
            failure(format!("{word} is no directive that name servers know"))
        }
        ReadErrorKind::Include(path, why) if why.kind() == std::io::ErrorKind::WouldBlock => {
            let failure = Failure::refused(format!("the included file {path} is in use: {why}"));
            failure.at(&error.place).hint("try again when it is done")
        }
        ReadErrorKind::Include(path, why) => {
            failure(format!("the included file {path} cannot be opened: {why}"))
                .hint("relative paths start in the zone's folder, or where --directory says")
        }
        ReadErrorKind::IncludeCount => {
            failure(format!("the zone includes more than {MOST_INCLUDES} files"))
                .hint("files that include each other several times multiply; include each once")
        }
        ReadErrorKind::IncludeDepth => {
            failure("the included file includes itself, or files nest too deep".to_owned())
        }
        ReadErrorKind::Io(why) => failure(format!("the file cannot be read: {why}")),
    }
}

fn syntax(wrong: Wrong, found: &str) -> (String, &'static str) {
    let text = |message: &str| message.to_owned();
    match wrong {
        Wrong::OpenGroup => (text("a parenthesis is opened and never closed"), ""),
        Wrong::CloseWithoutOpen => (text("a parenthesis is closed that was not opened"), ""),
        Wrong::NestedGroup => (
            text("parentheses are nested, which NSD and Knot refuse"),
            "one pair around the whole data is enough",
        ),
        Wrong::OpenQuote => (text("a quote is opened and never closed"), ""),
        Wrong::BadEscape => (
            text("a backslash is followed by neither a character nor three digits up to 255"),
            "",
        ),
        Wrong::Octet(octet) => (
            format!("the octet 0x{octet:02x} has no place in a zone file"),
            "servers disagree on what follows it",
        ),
        Wrong::ByteOrderMark => (
            text("the file starts with a byte order mark, which no name server reads"),
            "save it without one",
        ),
        Wrong::BadTtl => (
            format!("{found:?} is no TTL"),
            "use seconds, or a number with w, d, h, m or s",
        ),
        Wrong::NoType => (text("the record has no type"), ""),
        Wrong::UnknownType if is_provider_type(found.as_bytes()) => (
            format!("{found:?} is no record type of DNS but of a DNS provider"),
            "write the records that the provider makes of it, A and AAAA mostly: name servers read no such line",
        ),
        Wrong::UnknownType => (
            format!("{found:?} is no record type that this program knows"),
            "an owner begins in the first column, what is inherited with a blank; a type that is newer than \
             this program can be written as TYPE and its number (RFC 3597)",
        ),
        Wrong::HashComment => (
            text("# begins no comment in a zone file"),
            "comments begin with ;",
        ),
        Wrong::QuotedLineEnd => (
            text("a quoted string goes over a line end, for which BIND refuses the zone"),
            "write it as several strings, or the line end as \\010",
        ),
        Wrong::NoRdata => (text("the record has no data"), ""),
        Wrong::ForeignClass => (format!("the class {found:?} is not IN"), ""),
        Wrong::BadOwner => (
            format!("{found:?} is no domain name: labels have 1 to 63 octets, names up to 255"),
            "",
        ),
        Wrong::TooLong => (
            text("one logical line has more than four million octets"),
            "a parenthesis or quote before it may be open",
        ),
    }
}

/// What to say of an SOA whose owner is meant to be the zone's name and is not.
pub(crate) fn soa_without_dot(name: &Name, place: &Place) -> Failure {
    let text = name.to_string();
    Failure::wrong(format!(
        "the owner of the SOA record lacks its final dot: under this origin it reads {text}{text}"
    ))
    .at(place)
    .hint(format!(
        "write {text} there, and put dots behind the other names that are meant to be whole"
    ))
}

/// What to say of a file that cannot be read.
pub(crate) fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    let place = path.display();
    match error.kind() {
        std::io::ErrorKind::NotFound => {
            let failure = Failure::wrong("there is no such file").at(place);
            match path.to_str().and_then(options::ports_are_joined) {
                Some(hint) => failure.hint(hint),
                None => failure,
            }
        }
        std::io::ErrorKind::PermissionDenied => {
            Failure::wrong("the file may not be read").at(place)
        }
        std::io::ErrorKind::IsADirectory => Failure::wrong("this is a directory")
            .at(place)
            .hint("name the zone's file in it"),
        _ => Failure::wrong(format!("the file cannot be read: {error}")).at(place),
    }
}

/// What to say of a zone file that was not opened.
pub(crate) fn unopened(path: &Path, error: OpenError) -> Failure {
    match error {
        OpenError::Io(error) => unreadable(path, &error),
        OpenError::Lock(error) => unlocked(path, error),
    }
}

/// What to say of a lock that cannot be had.
fn unlocked(path: &Path, error: LockError) -> Failure {
    let lock = error.path().display().to_string();
    match &error {
        LockError::Locked(_) => Failure::refused(&error).at(path.display()).hint("try again when it is done"),
        LockError::Foreign(_) => Failure::refused(&error)
            .at(lock)
            .hint("wait until that run ends, and run this as one user; remove the lock only if no danewright runs"),
        LockError::InTheWay(_) => Failure::wrong(&error).at(lock).hint("see who put it there, and move it away"),
        LockError::Io(_, io) if io.kind() == std::io::ErrorKind::PermissionDenied => not_permitted(path),
        LockError::Io(..) => Failure::wrong(format!("{error}; nothing was written")).at(lock),
    }
}

/// What to say where this user may not write.
fn not_permitted(path: &Path) -> Failure {
    let failure =
        Failure::wrong("the file or its folder may not be read or written").at(path.display());
    let owner = std::fs::metadata(path).map(|meta| meta.uid());
    match owner {
        Ok(owner) if owner == user() => {
            failure.hint("give yourself the right to write in the folder, too")
        }
        _ if user() == 0 => {
            failure.hint("not even root may: see its attributes (lsattr) and how it is mounted")
        }
        _ => failure.hint("run this as the zone file's owner"),
    }
}

/// What to say of a file that root does not write unasked.
pub(crate) fn foreign(foreign: &Foreign) -> Failure {
    let (path, message) = match foreign {
        Foreign::Owner { path, owner, zone } => (
            path,
            format!("the file belongs to user {owner}, the zone file to user {zone}"),
        ),
        Foreign::Link { link, maker, path } => (
            path,
            format!(
                "a link of user {maker} leads to the file: {}",
                link.display()
            ),
        ),
    };
    Failure::refused(format!("{message}; root does not write it unasked"))
        .at(path.display())
        .hint("look at what is there; --write-foreign writes it all the same")
}

/// What to say of a zone file that a server writes itself.
pub(crate) fn not_ours(path: &Path, why: NotOurs, zone: &str) -> Failure {
    let place = path.display();
    match why {
        NotOurs::Binary => Failure::refused("the file is in named's raw format, not text")
            .at(place)
            .hint("convert it with named-compilezone -f raw -F text, or edit the zone's text source"),
        NotOurs::JournalAhead { journal, file } => {
            let message =
                format!("the zone takes dynamic updates: its journal is at serial {journal}, the file at {file}");
            Failure::refused(message).at(place).hint(frozen(zone))
        }
        NotOurs::StrangeJournal => {
            Failure::refused("there is a file in the journal's place that cannot be read as one, or not to its end")
                .at(format!("{place}.jnl"))
                .hint("named may keep newer data there than the file has; find out, then move it away")
        }
        NotOurs::Dynamic => Failure::refused(
            "the zone has a journal and the file is as named writes it: the zone takes dynamic updates",
        )
        .at(place)
        .hint(format!(
            "{}. Where nothing updates it but you, put a comment on top of the file: named keeps none",
            frozen(zone)
        )),
    }
}

/// How to edit a dynamic zone by hand all the same.
fn frozen(zone: &str) -> String {
    format!(
        "run rndc freeze {zone} and rndc sync -clean {zone}, patch, then rndc thaw {zone}; or use tlsa --format nsupdate"
    )
}

/// What to say where a new file cannot be made as it has to be.
fn unmade(why: &Unmade, path: &Path) -> Failure {
    match why {
        Unmade::Owner => Failure::wrong(why)
            .at(path.display())
            .hint("run this as its owner or as root"),
        Unmade::Folder(folder) => Failure::wrong(why)
            .at(folder.display())
            .hint("see who put it there, and move it away"),
    }
}

/// What to say of a file that was not replaced.
pub(crate) fn replace_failure(error: ReplaceError) -> Failure {
    match error {
        ReplaceError::Changed(path) => {
            Failure::refused("the file changed while it was being edited; nothing was written")
                .at(path.display())
                .hint("look at what changed, then run the command again")
        }
        ReplaceError::OverZone(path) => Failure::wrong("the backup would replace a file of the zone")
            .at(path.display())
            .hint("name another suffix with --backup"),
        ReplaceError::Lock(path, error) => unlocked(&path, error),
        ReplaceError::Io(path, error) => match (Unmade::of(&error), error.kind()) {
            (Some(why), _) => unmade(why, &path),
            (_, std::io::ErrorKind::NotFound) => Failure::wrong("there is no such file").at(path.display()),
            (_, std::io::ErrorKind::PermissionDenied) => not_permitted(&path),
            _ => Failure::wrong(format!("the file cannot be replaced: {error}; it is as it was")).at(path.display()),
        },
        ReplaceError::NotSynced(path, error) => {
            Failure::wrong(format!("the zone file is replaced, but its folder could not be synced: {error}"))
                .at(path.display())
                .hint("see to the disk; then run the command again, which tells whether the new text is there")
        }
        ReplaceError::HalfDone { path, old, error } => {
            let failure = Failure::wrong(format!("only some of the zone's files were replaced or put back: {error}"));
            let failure = failure.at(path.display());
            match old {
                Some(old) if old.to_string_lossy().contains(KEPT) => failure.hint(format!(
                    "bring both together by hand: what stood there before, with their change, is {}",
                    old.display()
                )),
                Some(old) => failure.hint(format!(
                    "the old text is {}: move it away before the next run, which removes it",
                    old.display()
                )),
                None => failure.hint("look at the file: it is the new one, and was changed by somebody else as well"),
            }
        }
    }
}
