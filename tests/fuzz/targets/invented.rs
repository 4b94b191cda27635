//! Invented zones, which the octets shape: every one is a zone that BIND
//! loads, so that edits go deep.

#![no_main]

mod input;
mod laws;

use laws::check::Outcome;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut dice = laws::dice::Dice::new(data);
    let zone = danewright::name::Name::from_user;
    let choices: Vec<u8> = (0..12).map(|_| dice.below(256) as u8).collect();
    let invented = laws::invent::zone(&mut dice);
    let origin = zone(invented.zone).expect("a name");
    let mut dice = laws::dice::Dice::new(&choices);
    laws::whole::reading(&invented.files, &origin, dice.below(256), dice.below(256));
    let asked = input::edit(&invented.files, &origin, &origin, &mut dice);
    let declined = match laws::check::edits(&invented.files, &origin, &asked) {
        Outcome::Held { kept, .. } => kept,
        Outcome::Unread(why) | Outcome::Refused(why) => vec![why],
    };
    for why in declined {
        assert!(laws::check::may_decline(&why), "{why:?}");
    }
});
