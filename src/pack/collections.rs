//! How texts, options and collections are packed: their number, and then one by one.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, Hash};

use slab::Slab;

use super::{Damaged, Pack, Packer, Unpacker};

impl<T: Pack> Pack for Vec<T> {
    fn pack(&self, to: &mut Packer) {
        to.put(&self.len());
        T::pack_all(self, to);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Vec<T>, Damaged> {
        let count = from.get()?;
        T::unpack_all(count, from)
    }
}

/// As a [`Vec`] of the same.
impl<T: Pack> Pack for VecDeque<T> {
    fn pack(&self, to: &mut Packer) {
        to.put(&self.len());
        let (front, back) = self.as_slices();
        T::pack_all(front, to);
        T::pack_all(back, to);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<VecDeque<T>, Damaged> {
        Ok(Vec::unpack(from)?.into())
    }
}

impl<T: Pack, const N: usize> Pack for [T; N] {
    fn pack(&self, to: &mut Packer) {
        T::pack_all(self, to);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<[T; N], Damaged> {
        let all = T::unpack_all(N, from)?;
        all.try_into().map_err(|_| from.wrong("array"))
    }
}

impl<T: Pack> Pack for Option<T> {
    fn pack(&self, to: &mut Packer) {
        match self {
            None => to.tag(0),
            Some(value) => to.tag(1).put(value),
        };
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Option<T>, Damaged> {
        match from.tag()? {
            0 => Ok(None),
            1 => Ok(Some(from.get()?)),
            _ => Err(from.wrong("option")),
        }
    }
}

impl<T: Pack> Pack for Box<T> {
    fn pack(&self, to: &mut Packer) {
        T::pack(self, to);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Box<T>, Damaged> {
        Ok(Box::new(from.get()?))
    }
}

impl Pack for String {
    fn pack(&self, to: &mut Packer) {
        to.put(&self.len());
        u8::pack_all(self.as_bytes(), to);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<String, Damaged> {
        String::from_utf8(from.get()?).map_err(|_| from.wrong("text"))
    }
}

impl Pack for Box<str> {
    fn pack(&self, to: &mut Packer) {
        to.put(&self.len());
        u8::pack_all(self.as_bytes(), to);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Box<str>, Damaged> {
        Ok(from.get::<String>()?.into())
    }
}

/// With its holes, so that each value keeps its key.
impl<T: Pack> Pack for Slab<T> {
    fn pack(&self, to: &mut Packer) {
        let len = self.iter().next_back().map_or(0, |(key, _)| key + 1);
        to.put(&len);
        for key in 0..len {
            match self.get(key) {
                None => to.tag(0),
                Some(value) => to.tag(1).put(value),
            };
        }
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Slab<T>, Damaged> {
        let all: Vec<Option<T>> = from.get()?;
        Ok(all.into_iter().enumerate().filter_map(|(key, value)| Some((key, value?))).collect())
    }
}

impl<A: Pack, B: Pack> Pack for (A, B) {
    fn pack(&self, to: &mut Packer) {
        to.put(&self.0).put(&self.1);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<(A, B), Damaged> {
        Ok((from.get()?, from.get()?))
    }
}

impl<K: Pack + Eq + Hash, V: Pack, H: BuildHasher + Default> Pack for HashMap<K, V, H> {
    fn pack(&self, to: &mut Packer) {
        to.put(&self.len());
        for (key, value) in self {
            to.put(key).put(value);
        }
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<HashMap<K, V, H>, Damaged> {
        Ok(Vec::<(K, V)>::unpack(from)?.into_iter().collect())
    }
}

impl<K: Pack + Eq + Hash, H: BuildHasher + Default> Pack for HashSet<K, H> {
    fn pack(&self, to: &mut Packer) {
        to.put(&self.len());
        for key in self {
            to.put(key);
        }
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<HashSet<K, H>, Damaged> {
        Ok(Vec::<K>::unpack(from)?.into_iter().collect())
    }
}
