//! How numbers, times and addresses are packed.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU64;
use std::time::{Duration, Instant};

use super::{Damaged, Pack, Packer, Unpacker};

impl Pack for u8 {
    fn pack(&self, to: &mut Packer) {
        to.bytes.push(*self);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<u8, Damaged> {
        from.tag()
    }

    fn pack_all(all: &[u8], to: &mut Packer) {
        to.bytes.extend_from_slice(all);
    }

    fn unpack_all(count: usize, from: &mut Unpacker<'_>) -> Result<Vec<u8>, Damaged> {
        Ok(from.take(count)?.to_vec())
    }
}

impl Pack for u64 {
    fn pack(&self, to: &mut Packer) {
        to.number(*self);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<u64, Damaged> {
        from.number()
    }
}

impl Pack for NonZeroU64 {
    fn pack(&self, to: &mut Packer) {
        to.number(self.get());
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<NonZeroU64, Damaged> {
        NonZeroU64::new(from.number()?).ok_or_else(|| from.wrong("number that is not zero"))
    }
}

impl Pack for u16 {
    fn pack(&self, to: &mut Packer) {
        to.number(u64::from(*self));
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<u16, Damaged> {
        u16::try_from(from.number()?).map_err(|_| from.wrong("number below 2^16"))
    }
}

impl Pack for u32 {
    fn pack(&self, to: &mut Packer) {
        to.number(u64::from(*self));
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<u32, Damaged> {
        u32::try_from(from.number()?).map_err(|_| from.wrong("number below 2^32"))
    }
}

impl Pack for usize {
    fn pack(&self, to: &mut Packer) {
        to.number(*self as u64);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<usize, Damaged> {
        usize::try_from(from.number()?).map_err(|_| from.wrong("size"))
    }
}

/// Those near zero are short, whatever their sign.
impl Pack for i64 {
    fn pack(&self, to: &mut Packer) {
        to.number((self.cast_unsigned() << 1) ^ (self >> 63).cast_unsigned());
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<i64, Damaged> {
        let number = from.number()?;
        Ok((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }
}

impl Pack for i32 {
    fn pack(&self, to: &mut Packer) {
        i64::from(*self).pack(to);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<i32, Damaged> {
        i32::try_from(from.get::<i64>()?).map_err(|_| from.wrong("number of 32 bits"))
    }
}

impl Pack for bool {
    fn pack(&self, to: &mut Packer) {
        to.tag(u8::from(*self));
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<bool, Damaged> {
        match from.tag()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(from.wrong("yes or no")),
        }
    }
}

/// In nanoseconds, of which there are enough for 584 years.
impl Pack for Duration {
    fn pack(&self, to: &mut Packer) {
        to.number(u64::try_from(self.as_nanos()).unwrap_or(u64::MAX));
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Duration, Damaged> {
        Ok(Duration::from_nanos(from.number()?))
    }
}

/// As a distance from now, and on which side of it.
impl Pack for Instant {
    fn pack(&self, to: &mut Packer) {
        let (until, since) = (*self - to.now.monotonic, to.now.monotonic - *self);
        to.put(&until.is_zero()).put(&until.max(since));
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Instant, Damaged> {
        let (is_past, distance) = (from.get()?, from.get()?);
        let now = from.now.monotonic;
        let at = if is_past { now.checked_sub(distance) } else { now.checked_add(distance) };
        at.ok_or_else(|| from.wrong("time"))
    }
}

impl Pack for IpAddr {
    fn pack(&self, to: &mut Packer) {
        match self {
            IpAddr::V4(addr) => to.tag(4).put(&addr.octets()),
            IpAddr::V6(addr) => to.tag(6).put(&addr.octets()),
        };
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<IpAddr, Damaged> {
        match from.tag()? {
            4 => Ok(from.get::<[u8; 4]>()?.into()),
            6 => Ok(from.get::<[u8; 16]>()?.into()),
            _ => Err(from.wrong("address")),
        }
    }
}

/// An address and a port; an IPv6 one's zone and flow are not kept.
impl Pack for SocketAddr {
    fn pack(&self, to: &mut Packer) {
        to.put(&self.ip()).put(&self.port());
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<SocketAddr, Damaged> {
        Ok(SocketAddr::new(from.get()?, from.get()?))
    }
}
