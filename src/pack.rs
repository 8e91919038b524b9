//! The format in which a process hands what it knows to the one that replaces it. Knows no
//! connection and no chat: how a type is packed stands beside the type.
//!
//! Most types say what is packed with `impl_pack!`. It takes a type apart by name, without `..`, as
//! what is written by hand does, so that a field that is forgotten does not compile. What comes
//! first says in which format the rest is: a release reads its own, and the one before it. Numbers
//! take as many bytes as they need, and times are distances from the moment of packing, so that
//! the pause until they are unpacked counts for nobody.

mod collections;
mod impl_pack;
mod primitives;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::fmt;

pub(crate) use impl_pack::impl_pack;

use crate::net::timeouts::Now;

/// What everything packed begins with.
const MAGIC: [u8; 8] = *b"chinwag\0";

/// The format that this release packs in. It changes with what any type packs.
const FORMAT: u32 = 1;

/// The oldest format that this release reads.
const OLDEST: u32 = 1;

/// What can be packed, and unpacked again.
pub trait Pack: Sized {
    /// Appends the value to what is packed already.
    fn pack(&self, to: &mut Packer);

    /// Takes the next value.
    ///
    /// # Errors
    ///
    /// If what comes next is no such value.
    fn unpack(from: &mut Unpacker<'_>) -> Result<Self, Damaged>;

    /// Packs many, without their number. Bytes go in one piece.
    fn pack_all(all: &[Self], to: &mut Packer) {
        for one in all {
            one.pack(to);
        }
    }

    /// Unpacks so many.
    ///
    /// # Errors
    ///
    /// If there are not as many.
    fn unpack_all(count: usize, from: &mut Unpacker<'_>) -> Result<Vec<Self>, Damaged> {
        // None takes less than a byte, so more than are left is no count.
        let mut all = Vec::with_capacity(from.at_most_left(count)?);
        for _ in 0..count {
            all.push(from.get()?);
        }
        Ok(all)
    }
}

/// What is packed so far.
pub struct Packer {
    bytes: Vec<u8>,
    now: Now,
}

impl Packer {
    /// Begins with the format, and the version of this program. Times are packed as distances
    /// from now.
    #[must_use]
    pub fn new(now: Now) -> Packer {
        let mut packer = Packer { bytes: MAGIC.to_vec(), now };
        packer.put(&FORMAT).put(&env!("CARGO_PKG_VERSION").to_owned());
        packer
    }

    /// Begins with nothing: for a message whose format is told otherwise.
    #[cfg(feature = "chat")]
    pub(crate) fn without_head(now: Now) -> Packer {
        Packer { bytes: Vec::new(), now }
    }

    /// Packs one more value.
    pub fn put(&mut self, value: &impl Pack) -> &mut Packer {
        value.pack(self);
        self
    }

    /// Packs which variant of an enum it is. What it contains goes behind that.
    pub fn tag(&mut self, tag: u8) -> &mut Packer {
        self.bytes.push(tag);
        self
    }

    /// What times are distances from.
    #[must_use]
    pub fn now(&self) -> Now {
        self.now
    }

    /// All that was packed.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }

    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.bytes.push(number.to_le_bytes()[0] | 0x80);
            number >>= 7;
        }
        self.bytes.push(number.to_le_bytes()[0]);
    }
}

/// What is to be unpacked still.
pub struct Unpacker<'a> {
    left: &'a [u8],
    len: usize,
    now: Now,
    version: String,
}

impl<'a> Unpacker<'a> {
    /// Times are unpacked as distances from now.
    ///
    /// # Errors
    ///
    /// If it begins otherwise than what a [`Packer`] packs, or was packed in a format that this
    /// release does not know.
    pub fn new(bytes: &'a [u8], now: Now) -> Result<Unpacker<'a>, Damaged> {
        let version = String::new();
        let mut unpacker = Unpacker { left: bytes, len: bytes.len(), now, version };
        if unpacker.get::<[u8; 8]>().ok() != Some(MAGIC) {
            return Err(Damaged { what: What::Magic, at: 0 });
        }
        let format = unpacker.get()?;
        let version = unpacker.get()?;
        if !(OLDEST..=FORMAT).contains(&format) {
            return Err(Damaged { what: What::Format(format, version), at: MAGIC.len() });
        }
        Ok(Unpacker { version, ..unpacker })
    }

    /// For what was packed without a head.
    #[cfg(feature = "chat")]
    pub(crate) fn without_head(bytes: &'a [u8], now: Now) -> Unpacker<'a> {
        Unpacker { left: bytes, len: bytes.len(), now, version: String::new() }
    }

    /// The version of the program that has packed it.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The next value.
    ///
    /// # Errors
    ///
    /// If what comes next is no such value.
    pub fn get<T: Pack>(&mut self) -> Result<T, Damaged> {
        T::unpack(self)
    }

    /// Which variant of an enum comes next.
    ///
    /// # Errors
    ///
    /// At the end.
    pub fn tag(&mut self) -> Result<u8, Damaged> {
        Ok(self.take(1)?[0])
    }

    /// What times are distances from.
    #[must_use]
    pub fn now(&self) -> Now {
        self.now
    }

    /// Nothing must be left.
    ///
    /// # Errors
    ///
    /// If something is.
    pub fn finish(self) -> Result<(), Damaged> {
        if self.left.is_empty() { Ok(()) } else { Err(self.wrong("end")) }
    }

    /// Whether an index can be one: each has at least a byte in what was packed.
    ///
    /// # Errors
    ///
    /// If not.
    pub fn check_index(&self, index: usize) -> Result<(), Damaged> {
        if index < self.len { Ok(()) } else { Err(self.wrong("index")) }
    }

    /// What came last was not what it should be.
    #[must_use]
    pub fn wrong(&self, wanted: &'static str) -> Damaged {
        Damaged { what: What::Other(wanted), at: self.len - self.left.len() }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Damaged> {
        let (taken, left) = self.left.split_at_checked(count).ok_or_else(|| self.wrong("more"))?;
        self.left = left;
        Ok(taken)
    }

    fn at_most_left(&self, count: usize) -> Result<usize, Damaged> {
        if count > self.left.len() { Err(self.wrong("count")) } else { Ok(count) }
    }

    fn number(&mut self) -> Result<u64, Damaged> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.tag()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                break;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(self.wrong("number"))
    }
}

/// Why something cannot be unpacked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damaged {
    what: What,
    /// In bytes from the start.
    at: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Magic,
    /// Its number, and the version that it is of.
    Format(u32, String),
    Other(&'static str),
}

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::Magic => write!(f, "it is not what a chinwag has packed"),
            What::Format(format, version) => write!(
                f,
                "it is in format {format}, of version {version}; version {} reads {OLDEST} to \
                 {FORMAT}",
                env!("CARGO_PKG_VERSION")
            ),
            What::Other(wanted) => write!(f, "there is no {wanted} at byte {}", self.at),
        }
    }
}

impl Error for Damaged {}
