//! Bytes become the same lines and answers to telnet whatever the pieces that they come in.
//!
//! The input: the longest line, how many cuts, each cut's distance from the one before,
//! and then the bytes.
#![no_main]

use chinwag_fuzz::decisions::Decisions;
use chinwag_fuzz::framing::check;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let mut decisions = Decisions::new(input);
    let line_max = decisions.pick(&[8, 1, 2, 3, 16, 64]);
    let cuts: Vec<usize> = (0..decisions.below(16)).map(|_| decisions.below(256)).collect();
    let bytes = decisions.rest();
    check(&[bytes], line_max);
    check(&bytes.chunks(1).collect::<Vec<_>>(), line_max);
    check(&cut(bytes, &cuts), line_max);
});

/// Pieces of these lengths, and what is left. An empty one is a read of nothing.
fn cut<'a>(mut bytes: &'a [u8], lengths: &[usize]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    for length in lengths {
        let (piece, rest) = bytes.split_at((*length).min(bytes.len()));
        pieces.push(piece);
        bytes = rest;
    }
    pieces.push(bytes);
    pieces
}
