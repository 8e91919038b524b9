//! Records of TLS 1.3 come to the same content, the same end and the same alerts as in rustls,
//! whatever the pieces that they come in.
//!
//! The input: how the pieces are cut, and records: each is sealed, sealed and then damaged, or not
//! sealed at all.
#![no_main]

use chinwag_fuzz::decisions::Decisions;
use chinwag_fuzz::records::{Forger, ours, theirs};
use libfuzzer_sys::fuzz_target;
use rustls::ContentType;

const KINDS: [u8; 8] = [23, 23, 21, 21, 20, 24, 0, 99];

fuzz_target!(|input: &[u8]| {
    let mut decisions = Decisions::new(input);
    let piece = 16 * decisions.below(64) + 1;
    let records = decisions.rest();
    let theirs = theirs(|forger| forge(forger, Decisions::new(records)));
    let ours = ours(|forger| forge(forger, Decisions::new(records)), piece);
    // Whoever breaks the rules is not heard any more, not even with what came just before.
    assert!(theirs.read.starts_with(&ours.read), "{ours:?} {theirs:?}");
    assert!(theirs.has_failed || ours.read.len() == theirs.read.len(), "{ours:?} {theirs:?}");
    assert_eq!((ours.has_failed, ours.has_ended), (theirs.has_failed, theirs.has_ended));
    assert_eq!(ours.sent, theirs.sent);
});

fn forge(forger: &mut Forger, mut decisions: Decisions) -> Vec<u8> {
    let mut records = Vec::new();
    while !decisions.is_over() {
        let (how, kind) = (decisions.below(6), decisions.pick(&KINDS));
        let len = decisions.below(40);
        let bytes = decisions.take(len);
        match how {
            // Of handshake messages there is this one only: rustls would wait longer for others.
            0 => {
                let message = [24, 0, 0, 1, kind & 1];
                let (start, end) = message.split_at(len.min(5));
                records.extend(forger.seal(ContentType::Handshake, start));
                records.extend(forger.seal(ContentType::Handshake, end));
                forger.change_key();
            }
            1 => {
                let start = records.len();
                records.extend(forger.seal(kind.into(), bytes));
                let at = start + decisions.below(records.len() - start);
                records[at] ^= decisions.byte();
            }
            2 => records.extend([&[kind, 3, 3, 0, decisions.byte()], bytes].concat()),
            _ => records.extend(forger.seal(kind.into(), bytes)),
        }
    }
    records
}
