//! Any octets: reading is total, and does not depend on how the text comes in.

#![no_main]

mod input;
mod laws;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let (files, mut dice) = input::split(data);
    // Behind this many octets, the text lies across the edge of the reader's window.
    let window = 256 << 10;
    let pad = if dice.one_in(4) { window - dice.below(256) - dice.below(256) } else { dice.below(3) };
    let step = dice.below(256);
    laws::whole::reading(&files, &input::origin(), pad, step);
});
