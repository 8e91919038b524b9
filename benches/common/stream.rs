//! What a client's connection runs over. Lines go in and come out, whatever is around them.

use mio::net::TcpStream;
#[cfg(feature = "tls")]
use rustls::{ClientConnection, StreamOwned};
use std::io::{self, ErrorKind, Read, Write};
use std::net;

/// How clients connect.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Over {
    Tcp,
    #[cfg(feature = "tls")]
    Tls,
    WebSocket,
}

/// A client's end of a connection.
pub(crate) enum Stream {
    Tcp(TcpStream),
    #[cfg(feature = "tls")]
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
    WebSocket(TcpStream, Frames),
}

impl Stream {
    /// Says, on a connection that blocks, whatever comes before lines.
    pub(crate) fn begin(over: Over, mut socket: net::TcpStream) -> io::Result<Stream> {
        let later = |socket: net::TcpStream| {
            socket.set_nonblocking(true)?;
            Ok::<_, io::Error>(TcpStream::from_std(socket))
        };
        match over {
            Over::Tcp => Ok(Stream::Tcp(later(socket)?)),
            #[cfg(feature = "tls")]
            Over::Tls => {
                let mut session = tls::session();
                session.complete_io(&mut socket)?;
                Ok(Stream::Tls(Box::new(StreamOwned::new(session, later(socket)?))))
            }
            Over::WebSocket => {
                upgrade(&mut socket)?;
                Ok(Stream::WebSocket(later(socket)?, Frames::default()))
            }
        }
    }

    pub(crate) fn socket(&mut self) -> &mut TcpStream {
        match self {
            Stream::Tcp(socket) | Stream::WebSocket(socket, _) => socket,
            #[cfg(feature = "tls")]
            Stream::Tls(stream) => &mut stream.sock,
        }
    }

    /// Whether a read that is short has drained the socket.
    pub(crate) fn is_drained_by(&self, is_short: bool) -> bool {
        is_short && matches!(self, Stream::Tcp(_))
    }

    /// Reads lines. It fails with `Interrupted` where what has come is none of them.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(socket) => socket.read(buffer),
            #[cfg(feature = "tls")]
            Stream::Tls(stream) => stream.read(buffer),
            Stream::WebSocket(socket, frames) => match socket.read(buffer)? {
                0 => Ok(0),
                count => match frames.unwrap(&mut buffer[..count]) {
                    0 => Err(ErrorKind::Interrupted.into()),
                    count => Ok(count),
                },
            },
        }
    }

    /// Sends lines, as far as the socket takes them.
    pub(crate) fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(socket) => socket.write(lines),
            #[cfg(feature = "tls")]
            Stream::Tls(stream) => stream.write(lines),
            Stream::WebSocket(socket, _) => {
                let frames = wrap(lines);
                let sent = socket.write(&frames)?;
                Ok(if sent == frames.len() { lines.len() } else { 0 })
            }
        }
    }
}

fn upgrade(socket: &mut net::TcpStream) -> io::Result<()> {
    let addr = socket.peer_addr()?;
    write!(
        socket,
        "GET /ws?dialect=native HTTP/1.1\r\nHost: {addr}\r\nUpgrade: websocket\r\n\
         Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )?;
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        socket.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    if head.starts_with(b"HTTP/1.1 101 ") {
        return Ok(());
    }
    Err(io::Error::other(format!("no WebSocket: {}", head.escape_ascii())))
}

/// A message a line, under a mask of zeros.
fn wrap(lines: &[u8]) -> Vec<u8> {
    let mut frames = Vec::new();
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let short = u8::try_from(line.len()).ok().filter(|length| *length < 126);
        frames.extend([0x81, 0x80 | short.unwrap_or(126)]);
        if short.is_none() {
            let length = u16::try_from(line.len()).expect("lines are short");
            frames.extend(length.to_be_bytes());
        }
        frames.extend([0; 4]);
        frames.extend(line);
    }
    frames
}

/// A server's frames, cut anywhere. Messages are whole frames, and shorter than 64 KiB.
#[derive(Default)]
pub(crate) struct Frames {
    /// What has come of a frame's head.
    head: Vec<u8>,
    /// What has not come of its payload.
    left: usize,
}

impl Frames {
    /// Puts lines in the place of frames. Returns how long they are: a line's LF takes less room
    /// than its frame's head did.
    fn unwrap(&mut self, bytes: &mut [u8]) -> usize {
        let (mut at, mut written) = (0, 0);
        while at < bytes.len() {
            if self.left == 0 {
                self.head.push(bytes[at]);
                at += 1;
                match self.head[..] {
                    // A ping, perhaps.
                    [_, 0] => self.head.clear(),
                    [_, length] if length < 126 => self.left = length.into(),
                    [_, 126, high, low] => self.left = u16::from_be_bytes([high, low]).into(),
                    _ => {}
                }
                continue;
            }
            let (count, is_text) = (self.left.min(bytes.len() - at), self.head[0] == 0x81);
            if is_text {
                bytes.copy_within(at..at + count, written);
                written += count;
            }
            at += count;
            self.left -= count;
            if self.left == 0 {
                self.head.clear();
                if is_text && written < at {
                    bytes[written] = b'\n';
                    written += 1;
                }
            }
        }
        written
    }
}

#[cfg(feature = "tls")]
pub(crate) mod tls {
    use rustls::crypto::ring;
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;
    use rustls::{ClientConfig, ClientConnection, RootCertStore};
    use std::sync::{Arc, LazyLock};

    static CONFIG: LazyLock<Arc<ClientConfig>> = LazyLock::new(|| {
        let mut roots = RootCertStore::empty();
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/certificates");
        for name in ["chat.crt", "rsa.crt"] {
            let path = format!("{folder}/{name}");
            let certificate = CertificateDer::from_pem_file(path).expect("it is the tests'");
            roots.add(certificate).expect("it is a certificate");
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().expect("ring has ciphers");
        Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
    });

    pub(crate) fn session() -> ClientConnection {
        let name = "localhost".try_into().expect("it is a name");
        ClientConnection::new(Arc::clone(&CONFIG), name).expect("it asks for nothing special")
    }
}
