//! From the fuzzer's octets to zone files and an edit to try. The octets are
//! the files, with `\n%%\n` between them, and eight octets of choices at the
//! end; so a zone file with anything behind it is a good seed.

#![allow(dead_code, reason = "each target takes its part")]

use danewright::name::Name;
use danewright::tlsa::{Params, Target, Tlsa};
use danewright::zone::edit::serial::Policy;

use crate::laws::check::Asked;
use crate::laws::dice::Dice;
use crate::laws::invent::Files;
use crate::laws::plain;

/// The origin of every main file.
pub(crate) fn origin() -> Name {
    Name::from_user("example.com").expect("a name")
}

/// The files, and the choices behind them.
pub(crate) fn split(data: &[u8]) -> (Files, Dice<'_>) {
    let (text, choices) = data.split_at(data.len().saturating_sub(8));
    let mut files: Files = Vec::new();
    let mut rest = text;
    for label in ["main", "a", "b"] {
        let cut = rest.windows(4).position(|four| four == b"\n%%\n").filter(|_| label != "b");
        let (text, more) = cut.map_or((rest, &[][..]), |at| (&rest[..at + 1], &rest[at + 4..]));
        files.push((label.to_owned(), text.to_vec()));
        rest = more;
    }
    (files, Dice::new(choices))
}

/// An edit for the zone with this apex: at its mail server, or where TLSA
/// records stand already.
pub(crate) fn edit(files: &Files, origin: &Name, apex: &Name, dice: &mut Dice<'_>) -> Asked {
    let mut targets = Vec::new();
    let published: Vec<Vec<u8>> = plain::records(files, origin.wire())
        .into_iter()
        .filter(|record| record.code == 52)
        .map(|record| record.owner)
        .collect();
    if !published.is_empty() && dice.one_in(2) {
        for _ in 0..1 + dice.below(2) {
            targets.extend(target(dice.pick(published.as_slice()).as_slice()));
        }
    }
    let host = match dice.below(4) {
        3 => Ok(apex.clone()),
        2 => apex.prepend(b"www"),
        _ => apex.prepend(b"mail"),
    };
    let ports = *dice.pick::<&[&str]>(&[&["25", "465", "587"][..], &["25"], &["587", "25"], &[]]);
    let ports: Vec<_> = ports.iter().map(|port| port.parse().expect("a port")).collect();
    targets.extend(Target::combine(&host.into_iter().collect::<Vec<_>>(), &ports));
    targets.retain(|target| target.owner().is_ok());
    let mut seen = Vec::new();
    targets.retain(|target| {
        let owner = target.owner().ok();
        let new = !seen.contains(&owner);
        seen.push(owner);
        new
    });
    let params = *dice.pick(&["3 1 1", "3 1 2", "2 1 1", "3 1 0"]);
    let mut wanted = Vec::new();
    for seed in 0..1 + dice.below(3) {
        let [usage, selector, matching] = [0, 2, 4].map(|at| params.as_bytes()[at] - b'0');
        let params = Params {
            usage: danewright::tlsa::Usage(usage),
            selector: danewright::tlsa::Selector(selector),
            matching: danewright::tlsa::Matching(matching),
        };
        wanted.push(Tlsa::of(&[seed as u8; 40], params).expect("a known matching type"));
    }
    let ttl = *dice.pick(&[None, None, None, Some(1800)]);
    let serial = *dice.pick(&[Policy::Auto, Policy::Increment, Policy::Keep, Policy::Date, Policy::UnixTime]);
    Asked { targets, wanted, ttl, serial }
}

/// The target whose owner this is.
fn target(owner: &[u8]) -> Option<Target> {
    let owner = Name::from_wire(owner).ok()?;
    let mut labels = owner.labels();
    let (port, transport) = (labels.next()?, labels.next()?);
    let port = std::str::from_utf8(port.strip_prefix(b"_")?).ok()?;
    let transport = std::str::from_utf8(transport.strip_prefix(b"_")?).ok()?;
    let port = format!("{port}/{transport}").parse().ok()?;
    Target::combine(&[owner.parent()?.parent()?], &[port]).pop()
}
