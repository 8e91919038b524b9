//! A client that sends a line and waits for what answers it.

use socket2::{Domain, Socket, Type};
use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Who is measured waits no longer than this for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);
/// So long wait those without whom nothing can be measured.
const PATIENCE_ASIDE: Duration = Duration::from_mins(1);

pub(crate) struct Client {
    stream: BufReader<TcpStream>,
    /// How long it waits for anything.
    pub(crate) patience: Duration,
    /// All that has been read.
    pub(crate) bytes: u64,
}

impl Client {
    /// Connects from an address of this machine's, as one who is measured.
    pub(crate) fn connect(from: Ipv4Addr, to: SocketAddr) -> io::Result<Client> {
        Client::begin(from, to, PATIENCE)
    }

    /// The same as one who is not.
    pub(crate) fn connect_aside(from: Ipv4Addr, to: SocketAddr) -> io::Result<Client> {
        Client::begin(from, to, PATIENCE_ASIDE)
    }

    fn begin(from: Ipv4Addr, to: SocketAddr, patience: Duration) -> io::Result<Client> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.set_reuse_address(true)?;
        socket.bind(&SocketAddr::from((from, 0)).into())?;
        socket.set_tcp_nodelay(true)?;
        socket.connect_timeout(&to.into(), patience)?;
        let stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(patience))?;
        stream.set_write_timeout(Some(patience))?;
        Ok(Client { stream: BufReader::new(stream), patience, bytes: 0 })
    }

    pub(crate) fn send(&mut self, lines: &str) -> io::Result<()> {
        self.stream.get_mut().write_all(lines.as_bytes())
    }

    /// The next line that has one of these words in it.
    pub(crate) fn wait_for(&mut self, words: &[&str]) -> io::Result<String> {
        let start = Instant::now();
        let mut line = String::new();
        while start.elapsed() < self.patience {
            line.clear();
            let length = self.stream.read_line(&mut line)?;
            if length == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            self.bytes += length as u64;
            if words.iter().any(|word| line.contains(word)) {
                return Ok(line);
            }
        }
        Err(ErrorKind::TimedOut.into())
    }

    /// Sends lines, and waits for the last answer to them.
    pub(crate) fn ask(&mut self, lines: &str, answer: &str) -> io::Result<String> {
        self.send(lines)?;
        self.wait_for(&[answer])
    }

    pub(crate) fn into_stream(self) -> TcpStream {
        self.stream.into_inner()
    }
}
