//! What lies between what a client says and the bytes on its wire.

#[cfg(feature = "tls")]
use std::io::{Read, Write};
#[cfg(feature = "tls")]
use std::sync::Arc;

use chinwag::Certificate;

#[cfg(feature = "web")]
use crate::frames::{frame, take_frame};
#[cfg(feature = "web")]
use crate::wire::UPGRADE;

/// How all clients of a conversation speak.
#[derive(Clone)]
pub(super) enum Over {
    Plain,
    #[cfg(feature = "web")]
    WebSocket,
    #[cfg(feature = "tls")]
    Tls(Certificate, Arc<rustls::ClientConfig>),
}

impl Over {
    #[cfg(feature = "tls")]
    pub(super) fn tls() -> Over {
        use crate::secure::{config, file};
        let [chain, key] = ["chat.crt", "chat.key"].map(|name| std::fs::read(file(name)).unwrap());
        Over::Tls(Certificate::from_pem(&chain, &key).unwrap(), config())
    }

    /// What the server is to show, if it encrypts.
    pub(super) fn certificate(&self) -> Option<&Certificate> {
        match self {
            #[cfg(feature = "tls")]
            Over::Tls(certificate, _) => Some(certificate),
            _ => None,
        }
    }

    pub(super) fn is_web(&self) -> bool {
        !matches!(self, Over::Plain) && self.certificate().is_none()
    }

    pub(super) fn client(&self) -> Client {
        match self {
            Over::Plain => Client::Plain(Vec::new()),
            #[cfg(feature = "web")]
            Over::WebSocket => Client::WebSocket(WebSocket {
                to_send: format!("{UPGRADE}\r\n").into_bytes(),
                ..WebSocket::default()
            }),
            #[cfg(feature = "tls")]
            Over::Tls(_, config) => {
                Client::Tls(Box::new(crate::secure::session(Arc::clone(config))))
            }
        }
    }
}

/// One client's side.
pub(super) enum Client {
    /// What is to be sent.
    Plain(Vec<u8>),
    #[cfg(feature = "web")]
    WebSocket(WebSocket),
    #[cfg(feature = "tls")]
    Tls(Box<rustls::ClientConnection>),
}

impl Client {
    pub(super) fn say(&mut self, text: &str) {
        match self {
            Client::Plain(to_send) => to_send.extend(text.as_bytes()),
            #[cfg(feature = "web")]
            Client::WebSocket(socket) => socket.say(text),
            #[cfg(feature = "tls")]
            Client::Tls(session) => session.writer().write_all(text.as_bytes()).unwrap(),
        }
    }

    /// The bytes that are to be sent now.
    pub(super) fn take_to_send(&mut self) -> Vec<u8> {
        match self {
            Client::Plain(to_send) => std::mem::take(to_send),
            #[cfg(feature = "web")]
            Client::WebSocket(socket) => std::mem::take(&mut socket.to_send),
            #[cfg(feature = "tls")]
            Client::Tls(session) => {
                let mut bytes = Vec::new();
                while session.wants_write() {
                    session.write_tls(&mut bytes).unwrap();
                }
                bytes
            }
        }
    }

    /// What these bytes say.
    pub(super) fn receive(&mut self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Client::Plain(_) => bytes.to_vec(),
            #[cfg(feature = "web")]
            Client::WebSocket(socket) => socket.receive(bytes),
            #[cfg(feature = "tls")]
            Client::Tls(session) => {
                let (mut rest, mut text) = (bytes, Vec::new());
                while !rest.is_empty() {
                    session.read_tls(&mut rest).unwrap();
                    let count = session.process_new_packets().unwrap().plaintext_bytes_to_read();
                    let from = text.len();
                    text.resize(from + count, 0);
                    session.reader().read_exact(&mut text[from..]).unwrap();
                }
                text
            }
        }
    }
}

/// A line is a message, and what has no end yet a fragment.
#[cfg(feature = "web")]
#[derive(Default)]
pub(super) struct WebSocket {
    to_send: Vec<u8>,
    is_in_message: bool,
    received: Vec<u8>,
    is_upgraded: bool,
}

#[cfg(feature = "web")]
impl WebSocket {
    fn say(&mut self, text: &str) {
        for piece in text.split_inclusive('\n') {
            let line = piece.strip_suffix('\n');
            let opcode = u8::from(!self.is_in_message);
            let fin = if line.is_some() { 0x80 } else { 0 };
            self.to_send.extend(frame(fin | opcode, line.unwrap_or(piece).as_bytes()));
            self.is_in_message = line.is_none();
        }
    }

    fn receive(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.received.extend(bytes);
        if !self.is_upgraded {
            let end = self.received.windows(4).position(|end| end == b"\r\n\r\n");
            let Some(end) = end else { return Vec::new() };
            assert!(self.received.starts_with(b"HTTP/1.1 101 "));
            self.received.drain(..end + 4);
            self.is_upgraded = true;
        }
        let mut lines = Vec::new();
        while let Some((first, payload)) = take_frame(&mut self.received) {
            if first == 0x81 {
                lines.extend([&payload[..], b"\n"].concat());
            }
        }
        lines
    }
}
