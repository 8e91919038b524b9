//! How bytes become lines, twice: as the loop does it, whatever the pieces that they come
//! in, and one byte at a time, as the simulation's oracle has it.

#[path = "../../tests/it/sim/first.rs"]
#[expect(dead_code, reason = "what clients begin with, the simulation writes")]
mod first;
#[path = "../../tests/it/sim/framing.rs"]
mod oracle;

use chinwag::Decoder;
use oracle::Item;

/// Without an ending, so many times the longest line may come.
const ENDLESS: usize = 16;

/// A first line, after which nobody is taken for a speaker of another protocol.
const FIRST: &[u8] = b"a\n";

/// Feeds the server's framing with the bytes in these pieces, and the oracle with the same.
///
/// # Panics
///
/// If something else comes out, or more of a line is kept than may be.
pub fn check(pieces: &[&[u8]], line_max: usize) {
    let pieces = [&[FIRST], pieces].concat();
    let framing = oracle::frame(&pieces.concat(), 0, true, line_max);
    let items = framing.items.into_iter().map(|(_, item)| item);
    let expected: Vec<Item> = items.filter(|item| !matches!(item, Item::Ending(_))).collect();
    let lengths: Vec<usize> = pieces.iter().map(|piece| piece.len()).collect();
    assert_eq!(framed(&pieces, line_max), expected, "in pieces of {lengths:?}");
}

fn framed(pieces: &[&[u8]], line_max: usize) -> Vec<Item> {
    let mut decoder = Decoder::new(line_max, ENDLESS * line_max);
    let mut items = Vec::new();
    for mut bytes in pieces.iter().copied() {
        while let Some(item) = decoder.next(&mut bytes) {
            items.extend(as_item(item));
            if matches!(items.last(), Some(Item::End | Item::Endless)) {
                return items;
            }
        }
        assert!(decoder.partial().len() <= line_max, "more is kept than a line may have");
    }
    items.extend(decoder.finish().and_then(as_item));
    assert!(decoder.finish().is_none(), "the last line comes once");
    items
}

fn as_item(item: chinwag::Item<'_>) -> Option<Item> {
    use chinwag::Item::{
        Answer, AreYouThere, Bulk, Close, Discarded, EndOfInput, Endless, Line, Malformed, Telnet,
        TooLong,
    };
    Some(match item {
        Line(line, _) => Item::Line(line.to_vec()),
        TooLong => Item::TooLong,
        Bulk => Item::Bulk,
        Telnet(Some(answer)) => Item::Answer(answer.to_vec()),
        AreYouThere => Item::Asked,
        EndOfInput => Item::End,
        Endless => Item::Endless,
        Discarded(_) | Telnet(None) | Answer(_) | Close(_) | Malformed(_) => return None,
    })
}
