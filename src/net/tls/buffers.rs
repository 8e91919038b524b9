//! What lies between a TLS session's transport and the loop, and what is to be done with it.

use crate::pack::impl_pack;

/// Each is given back once it is empty.
#[derive(Default)]
pub(super) struct Buffers {
    /// Records that are not complete yet, or were read before their time.
    pub(super) incoming: Vec<u8>,
    /// Decrypted bytes that the loop has not read yet.
    pub(super) plain: Vec<u8>,
    /// The client has sent `close_notify`.
    pub(super) has_ended: bool,
    /// Records that the transport has not taken.
    pub(super) outgoing: Vec<u8>,
    /// Bytes that were read since the handshake, and became no content.
    pub(super) overhead: usize,
}

/// What to do once all records are processed.
#[derive(Clone, Copy)]
pub(super) enum Then<'a> {
    Wait,
    Send(&'a [u8]),
    Close,
}

impl_pack! {
    struct Buffers { incoming, plain, has_ended, outgoing, overhead }
}
