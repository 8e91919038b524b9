//! One direction of a TLS 1.3 connection: what seals its records, or opens them, and the key that
//! another process makes the same from. rustls' own does the same with the same crate, but takes no
//! key of AES-128 from outside, so that its connections could not be handed over.

use ring::aead::{
    AES_128_GCM, AES_256_GCM, Aad, Algorithm, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey,
};
use rustls::crypto::cipher::{
    self, AeadKey, InboundOpaqueMessage, InboundPlainMessage, Iv, make_tls13_aad,
};
use rustls::{
    CipherSuite, ConnectionTrafficSecrets, ContentType, Error, ProtocolVersion, Tls13CipherSuite,
};

use crate::pack::{Damaged, Packer, Unpacker};

pub(super) struct Direction {
    cipher: LessSafeKey,
    iv: Iv,
    /// What the cipher was made from. One of AES-128 is the first half.
    key: [u8; 32],
    /// How many records this key has sealed or opened.
    pub(super) count: u64,
}

impl Direction {
    /// Goes on with the record of this number.
    pub(super) fn new(
        suite: &Tls13CipherSuite,
        (count, secrets): (u64, ConnectionTrafficSecrets),
    ) -> Result<Direction, Error> {
        let (own, iv) = parts(secrets)?;
        let own = own.as_ref();
        let mut key = [0; 32];
        key[..own.len()].copy_from_slice(own);
        Direction::of(suite, key, iv, count).ok_or(Error::EncryptError)
    }

    fn of(suite: &Tls13CipherSuite, key: [u8; 32], iv: Iv, count: u64) -> Option<Direction> {
        let algorithm = algorithm(suite.common.suite)?;
        let unbound = UnboundKey::new(algorithm, &key[..algorithm.key_len()]).ok()?;
        Some(Direction { cipher: LessSafeKey::new(unbound), iv, key, count })
    }

    /// Appends a whole record.
    pub(super) fn seal(
        &mut self,
        kind: ContentType,
        bytes: &[u8],
        to: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let (start, tag_len) = (to.len(), self.cipher.algorithm().tag_len());
        let header = make_tls13_aad(bytes.len() + 1 + tag_len);
        to.reserve(header.len() + bytes.len() + 1 + tag_len);
        to.extend(header);
        to.extend(bytes);
        to.push(kind.into());
        let text = &mut to[start + header.len()..];
        let tag = self.cipher.seal_in_place_separate_tag(self.nonce(), Aad::from(header), text);
        to.extend(tag.map_err(|_| Error::EncryptError)?.as_ref());
        self.count += 1;
        Ok(())
    }

    /// What is in a record's body.
    pub(super) fn open<'a>(
        &mut self,
        kind: ContentType,
        body: &'a mut [u8],
    ) -> Result<InboundPlainMessage<'a>, Error> {
        let header = make_tls13_aad(body.len());
        let opened = self.cipher.open_in_place(self.nonce(), Aad::from(header), body);
        let opened = opened.map_err(|_| Error::DecryptError)?;
        let message = InboundOpaqueMessage::new(kind, ProtocolVersion::TLSv1_2, opened)
            .into_tls13_unpadded_message()?;
        self.count += 1;
        Ok(message)
    }

    fn nonce(&self) -> Nonce {
        // No number comes twice under one key.
        Nonce::assume_unique_for_key(cipher::Nonce::new(&self.iv, self.count).0)
    }

    pub(super) fn pack(&self, to: &mut Packer) {
        let Direction { cipher: _, iv, key, count } = self;
        let iv: [u8; 12] = iv.as_ref().try_into().expect("in TLS 1.3 all are that long");
        to.put(key).put(&iv).put(count);
    }

    pub(super) fn unpack(
        suite: &Tls13CipherSuite,
        from: &mut Unpacker<'_>,
    ) -> Result<Direction, Damaged> {
        let (key, iv, count) = (from.get()?, from.get::<[u8; 12]>()?.into(), from.get()?);
        Direction::of(suite, key, iv, count).ok_or_else(|| from.wrong("cipher suite"))
    }
}

fn algorithm(suite: CipherSuite) -> Option<&'static Algorithm> {
    match suite {
        CipherSuite::TLS13_AES_128_GCM_SHA256 => Some(&AES_128_GCM),
        CipherSuite::TLS13_AES_256_GCM_SHA384 => Some(&AES_256_GCM),
        CipherSuite::TLS13_CHACHA20_POLY1305_SHA256 => Some(&CHACHA20_POLY1305),
        _ => None,
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
