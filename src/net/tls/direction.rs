//! One direction of a TLS 1.3 connection: what seals its records, or opens them, and the key that
//! another process makes the same from.

use rustls::crypto::cipher::{
    AeadKey, InboundOpaqueMessage, InboundPlainMessage, Iv, MessageDecrypter, MessageEncrypter,
    OutboundPlainMessage,
};
use rustls::{ConnectionTrafficSecrets, Error, Tls13CipherSuite};

use crate::pack::{Damaged, Packer, Unpacker, impl_pack};

/// How long a key is that can be made again: rustls takes no other from outside, so AES-128's cannot.
pub(super) const KEY: usize = 32;

pub(super) struct Direction<C: ?Sized> {
    cipher: Box<C>,
    /// How many records this key has sealed or opened.
    pub(super) count: u64,
    /// If it can be made again.
    key: Option<Key>,
}

pub(super) type Sealing = Direction<dyn MessageEncrypter>;
pub(super) type Opening = Direction<dyn MessageDecrypter>;

#[derive(Clone, Copy)]
struct Key {
    key: [u8; KEY],
    iv: [u8; 12],
}

impl Sealing {
    /// Goes on with the record of this number.
    pub(super) fn new(
        suite: &Tls13CipherSuite,
        (count, secrets): (u64, ConnectionTrafficSecrets),
    ) -> Result<Sealing, Error> {
        let (key, iv) = parts(secrets)?;
        let copy = Key::of(&key, &iv);
        Ok(Direction { cipher: suite.aead_alg.encrypter(key, iv), count, key: copy })
    }

    pub(super) fn unpack(
        suite: &Tls13CipherSuite,
        from: &mut Unpacker<'_>,
    ) -> Result<Sealing, Damaged> {
        let (key, count) = (from.get::<Key>()?, from.get()?);
        let (aead, iv) = key.parts();
        Ok(Direction { cipher: suite.aead_alg.encrypter(aead, iv), count, key: Some(key) })
    }

    /// The whole record.
    pub(super) fn seal(&mut self, message: OutboundPlainMessage<'_>) -> Result<Vec<u8>, Error> {
        let record = self.cipher.encrypt(message, self.count)?.encode();
        self.count += 1;
        Ok(record)
    }
}

impl Opening {
    /// As [`Sealing::new`].
    pub(super) fn new(
        suite: &Tls13CipherSuite,
        (count, secrets): (u64, ConnectionTrafficSecrets),
    ) -> Result<Opening, Error> {
        let (key, iv) = parts(secrets)?;
        let copy = Key::of(&key, &iv);
        Ok(Direction { cipher: suite.aead_alg.decrypter(key, iv), count, key: copy })
    }

    pub(super) fn unpack(
        suite: &Tls13CipherSuite,
        from: &mut Unpacker<'_>,
    ) -> Result<Opening, Damaged> {
        let (key, count) = (from.get::<Key>()?, from.get()?);
        let (aead, iv) = key.parts();
        Ok(Direction { cipher: suite.aead_alg.decrypter(aead, iv), count, key: Some(key) })
    }

    pub(super) fn open<'a>(
        &mut self,
        message: InboundOpaqueMessage<'a>,
    ) -> Result<InboundPlainMessage<'a>, Error> {
        let message = self.cipher.decrypt(message, self.count)?;
        self.count += 1;
        Ok(message)
    }
}

impl<C: ?Sized> Direction<C> {
    pub(super) fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// It has to have one.
    pub(super) fn pack(&self, to: &mut Packer) {
        let Direction { cipher: _, count, key } = self;
        if let Some(key) = key {
            to.put(key).put(count);
        }
    }
}

impl Key {
    fn of(key: &AeadKey, iv: &Iv) -> Option<Key> {
        Some(Key { key: key.as_ref().try_into().ok()?, iv: iv.as_ref().try_into().ok()? })
    }

    fn parts(self) -> (AeadKey, Iv) {
        (AeadKey::from(self.key), Iv::from(self.iv))
    }
}

fn parts(secrets: ConnectionTrafficSecrets) -> Result<(AeadKey, Iv), Error> {
    match secrets {
        ConnectionTrafficSecrets::Aes128Gcm { key, iv }
        | ConnectionTrafficSecrets::Aes256Gcm { key, iv }
        | ConnectionTrafficSecrets::Chacha20Poly1305 { key, iv } => Ok((key, iv)),
        _ => Err(Error::EncryptError),
    }
}

impl_pack! {
    struct Key { key, iv }
}
