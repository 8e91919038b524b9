//! In place of `session.rs` without the feature `tls`: there is no session.

use std::io;
use std::time::Duration;

use super::BadCertificate;
use crate::net::transport::Transport;
use crate::pack::{Damaged, Pack, Packer, Unpacker};

pub(super) enum Keys {}

impl Keys {
    pub(super) fn from_pem(_: &[u8], _: &[u8]) -> Result<Keys, BadCertificate> {
        Err(BadCertificate::Unsupported)
    }

    pub(super) fn check_dates(_: &[u8], _: Duration) -> Result<(), BadCertificate> {
        Err(BadCertificate::Unsupported)
    }
}

pub(super) enum Session {}

impl Session {
    pub(super) fn new(keys: &Keys) -> Session {
        match *keys {}
    }

    pub(super) fn begin(&mut self, _: &[u8]) {
        match *self {}
    }

    pub(super) fn is_handshaking(&self) -> bool {
        match *self {}
    }

    pub(super) fn version(&self) -> Option<&'static str> {
        match *self {}
    }

    pub(super) fn can_be_handed_over(&self) -> bool {
        match *self {}
    }

    pub(super) fn unsent(&self) -> usize {
        match *self {}
    }

    pub(super) fn take_overhead(&mut self, _: usize) -> bool {
        match *self {}
    }

    pub(super) fn read(&mut self, _: &mut impl Transport, _: &mut [u8]) -> io::Result<usize> {
        match *self {}
    }

    pub(super) fn write(&mut self, _: &mut impl Transport, _: &[u8]) -> io::Result<usize> {
        match *self {}
    }

    pub(super) fn close(&mut self, _: &mut impl Transport) -> io::Result<()> {
        match *self {}
    }

    pub(super) fn push(&mut self, _: &mut impl Transport) -> io::Result<()> {
        match *self {}
    }
}

impl Pack for Session {
    fn pack(&self, _: &mut Packer) {
        match *self {}
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Session, Damaged> {
        Err(from.wrong("connection without TLS"))
    }
}
