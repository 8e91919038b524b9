//! Batched notices, as an upgrade hands them over.

use super::{Batch, Line, Lines, Note, Notice, NoticeBatches, Reader, Rest, chain, hash, key};
use crate::pack::{Damaged, Pack, Packer, Unpacker};

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

impl Pack for Note {
    fn pack(&self, to: &mut Packer) {
        let Note { notice, next } = self;
        to.put(notice).put(next);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Note, Damaged> {
        Ok(Note { notice: from.get()?, next: from.get()? })
    }
}

impl Pack for Line {
    fn pack(&self, to: &mut Packer) {
        let Line { at, first, last, count, next } = self;
        to.put(at).put(first).put(last).put(count).put(next);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Line, Damaged> {
        Ok(Line {
            at: from.get()?,
            first: from.get()?,
            last: from.get()?,
            count: from.get()?,
            next: from.get()?,
        })
    }
}

impl Pack for Lines {
    fn pack(&self, to: &mut Packer) {
        let Lines { first, last, count, open } = self;
        to.put(first).put(last).put(count).put(open);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Lines, Damaged> {
        Ok(Lines { first: from.get()?, last: from.get()?, count: from.get()?, open: from.get()? })
    }
}

impl Pack for Rest {
    fn pack(&self, to: &mut Packer) {
        let Rest { line, after, count } = self;
        to.put(line).put(after).put(count);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Rest, Damaged> {
        Ok(Rest { line: from.get()?, after: from.get()?, count: from.get()? })
    }
}

impl Pack for Reader {
    fn pack(&self, to: &mut Packer) {
        let Reader { begins, hidden } = self;
        to.put(begins).put(hidden);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Reader, Damaged> {
        Ok(Reader { begins: from.get()?, hidden: from.get()? })
    }
}

impl Pack for Batch {
    fn pack(&self, to: &mut Packer) {
        to.put(&self.0);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Batch, Damaged> {
        Ok(Batch(from.get()?))
    }
}

impl Pack for Notice {
    fn pack(&self, to: &mut Packer) {
        match self {
            Notice::Joined(name) => to.tag(0).put(name),
            Notice::Left(name) => to.tag(1).put(name),
            Notice::Renamed(names) => to.tag(2).put(names),
        };
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Notice, Damaged> {
        Ok(match from.tag()? {
            0 => Notice::Joined(from.get()?),
            1 => Notice::Left(from.get()?),
            2 => Notice::Renamed(from.get()?),
            _ => return Err(from.wrong("notice")),
        })
    }
}
