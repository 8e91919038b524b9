//! Batched notices, as an upgrade hands them over.

use super::{Batch, Line, Lines, Note, Notice, NoticeBatches, Reader, Rest, chain, hash, key};
use crate::pack::{Damaged, Pack, Packer, Unpacker, impl_pack};

/// What is handed over.
impl Pack for NoticeBatches {
    fn pack(&self, to: &mut Packer) {
        let NoticeBatches { batches, lines, notes, last_lines: _, readers, hasher: _ } = self;
        to.put(batches).put(lines).put(notes).put(readers);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<NoticeBatches, Damaged> {
        let (batches, lines, notes, readers) = (from.get()?, from.get()?, from.get()?, from.get()?);
        let mut all = NoticeBatches { batches, lines, notes, readers, ..NoticeBatches::default() };
        // Of two lines with the same name the later one counts.
        for (batch, of) in &all.batches {
            for line in chain(&all.lines, of.first, |line| line.next) {
                let line = &all.lines[line as usize];
                for note in chain(&all.notes, line.first, |note| note.next) {
                    for name in all.notes[note as usize].notice.names() {
                        let name = (Batch(key(batch)), hash(&all.hasher, name));
                        all.last_lines.insert(name, line.at);
                    }
                }
            }
        }
        Ok(all)
    }
}

impl_pack! {
    struct Note { notice, next }
}

impl_pack! {
    struct Line { at, first, last, count, next }
}

impl_pack! {
    struct Lines { first, last, count, open }
}

impl_pack! {
    struct Rest { line, after, count }
}

impl_pack! {
    struct Reader { begins, hidden }
}

impl_pack! {
    struct Batch(key)
}

impl_pack! {
    enum Notice { 0 => Joined(name), 1 => Left(name), 2 => Renamed(names) }
    else "notice"
}
