//! Any octets as zone files: what can be edited is edited by the laws.

#![no_main]

mod input;
mod laws;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let (files, mut dice) = input::split(data);
    let origin = input::origin();
    let Some(apex) = laws::check::apex(&files, &origin) else { return };
    let asked = input::edit(&files, &origin, &apex, &mut dice);
    laws::check::edits(&files, &origin, &asked);
});
