//! A client as a user's would be: a socket, lines in and out, and a deadline on all.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::iter::repeat_with;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use socket2::{Domain, SockRef, Socket, Type};

/// What takes longer than this has failed, on a busy machine too. No test that passes waits for it.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// One connection. Whatever goes wrong with it fails the test.
pub(crate) struct Client(BufReader<TcpStream>);

impl Client {
    /// Connects. The server may not have noticed yet.
    pub(crate) fn connect(addr: SocketAddr) -> Client {
        Client::of(TcpStream::connect_timeout(&addr, PATIENCE).expect("to connect in time"))
    }

    /// Connects with buffers so small that a pause in reading is soon felt.
    pub(crate) fn connect_narrow(addr: SocketAddr) -> Client {
        let socket = Socket::new(Domain::for_address(addr), Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        socket.set_send_buffer_size(4096).unwrap();
        socket.connect_timeout(&addr.into(), PATIENCE).expect("to connect in time");
        Client::of(socket.into())
    }

    /// Connects, if somebody listens.
    pub(crate) fn try_connect(addr: SocketAddr) -> Option<Client> {
        TcpStream::connect_timeout(&addr, PATIENCE).ok().map(Client::of)
    }

    pub(crate) fn of(stream: TcpStream) -> Client {
        stream.set_nodelay(true).unwrap();
        Client::of_any(stream)
    }

    fn of_any(stream: TcpStream) -> Client {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Client(BufReader::new(stream))
    }

    /// Connects to a Unix socket, as `nc -U` does. Both kinds of sockets are used with the
    /// same calls.
    #[cfg(unix)]
    pub(crate) fn connect_unix(path: &std::path::Path) -> std::io::Result<Client> {
        let stream = std::os::unix::net::UnixStream::connect(path)?;
        Ok(Client::of_any(TcpStream::from(std::os::fd::OwnedFd::from(stream))))
    }

    /// Connects, and is in the room under this name when it returns.
    pub(crate) fn named(addr: SocketAddr, name: &str) -> Client {
        Client::connect(addr).register(name)
    }

    pub(crate) fn register(mut self, name: &str) -> Client {
        assert_eq!(self.ask(&format!("REGISTER {name}")), format!("Registered as {name}"));
        self
    }

    /// The same connection, for another thread.
    pub(crate) fn twin(&self) -> Client {
        Client::of(self.stream().try_clone().unwrap())
    }

    pub(crate) fn stream(&self) -> &TcpStream {
        self.0.get_ref()
    }

    pub(crate) fn local_addr(&self) -> SocketAddr {
        self.stream().local_addr().unwrap()
    }

    pub(crate) fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.get_mut().write_all(bytes.as_ref()).expect("to write in time");
    }

    /// Writes a line.
    pub(crate) fn say(&mut self, line: &str) {
        self.write(format!("{line}\n"));
    }

    /// Writes a line, and reads one.
    pub(crate) fn ask(&mut self, line: &str) -> String {
        self.say(line);
        self.line()
    }

    /// Writes bytes, and reads a line, ending included; `None` if the server is gone.
    pub(crate) fn try_ask(&mut self, bytes: &str) -> Option<String> {
        self.0.get_mut().write_all(bytes.as_bytes()).ok()?;
        let mut line = String::new();
        self.0.read_line(&mut line).ok().filter(|_| line.ends_with('\n'))?;
        Some(line)
    }

    /// Reads up to and with the next `end`.
    pub(crate) fn read_until(&mut self, end: u8) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.0.read_until(end, &mut bytes).expect("to read in time");
        assert_eq!(bytes.last(), Some(&end), "the connection ended after {}", lossy(&bytes));
        bytes
    }

    /// Reads so many bytes.
    pub(crate) fn read(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.0.read_exact(&mut bytes).expect("to read in time");
        bytes
    }

    /// Reads a line, and takes its LF off.
    pub(crate) fn line(&mut self) -> String {
        let mut line = self.read_until(b'\n');
        line.pop();
        String::from_utf8(line).expect("what the server says is UTF-8")
    }

    #[track_caller]
    pub(crate) fn expect(&mut self, line: &str) {
        assert_eq!(self.line(), line);
    }

    /// Reads all that comes before the end. A reset is no end.
    pub(crate) fn rest(&mut self) -> String {
        let mut bytes = Vec::new();
        self.0.read_to_end(&mut bytes).expect("an end, and in time");
        String::from_utf8(bytes).expect("what the server says is UTF-8")
    }

    /// Whether it is over, with an end or a reset, and without a word.
    pub(crate) fn is_over(&mut self) -> bool {
        let mut bytes = Vec::new();
        let end = self.0.read_to_end(&mut bytes);
        bytes.is_empty() && !end.is_err_and(|error| is_timeout(error.kind()))
    }

    /// Whether the other side has reset the connection, perhaps after its end.
    pub(crate) fn is_reset(&self) -> bool {
        self.stream().take_error().unwrap().is_some()
    }

    /// Nothing more comes but the end.
    #[track_caller]
    pub(crate) fn expect_end(&mut self) {
        assert_eq!(self.rest(), "");
    }

    /// Nothing at all comes within a time.
    #[track_caller]
    pub(crate) fn expect_nothing_for(&mut self, time: Duration) {
        self.stream().set_read_timeout(Some(time)).unwrap();
        loop {
            match self.0.fill_buf() {
                Ok(bytes) => panic!("'{}' comes", lossy(bytes)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => break assert!(is_timeout(error.kind()), "{error}"),
            }
        }
        self.stream().set_read_timeout(Some(PATIENCE)).unwrap();
    }

    /// Has said all that it will, and still reads.
    pub(crate) fn finish_writing(&mut self) {
        self.stream().shutdown(Shutdown::Write).unwrap();
    }

    /// Writes `pattern` over and over until the other side has stopped taking it.
    /// Returns how many bytes it took.
    pub(crate) fn write_until_blocked(&mut self, pattern: &[u8]) -> usize {
        const MOST: usize = 64 << 20;
        let mut taken = 0;
        self.stream().set_write_timeout(Some(Duration::from_millis(200))).unwrap();
        while taken < MOST {
            match self.0.get_mut().write(&pattern[taken % pattern.len()..]) {
                Ok(count) => taken += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if is_timeout(error.kind()) => {
                    self.stream().set_write_timeout(Some(PATIENCE)).unwrap();
                    return taken;
                }
                Err(error) => panic!("after {taken} bytes: {error}"),
            }
        }
        panic!("the other side takes everything");
    }

    /// Goes away as one whose machine has crashed: with a reset.
    pub(crate) fn reset(self) {
        SockRef::from(self.stream()).set_linger(Some(Duration::ZERO)).unwrap();
    }
}

fn is_timeout(kind: ErrorKind) -> bool {
    // Unix says the one, Windows the other.
    matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Asks again and again until it is so.
#[track_caller]
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        thread::yield_now();
    }
}

/// What comes of something that has to be done within some seconds. It is done again where the
/// machine has taken so long that this says nothing.
#[track_caller]
pub(crate) fn in_time<T>(attempt: impl FnMut() -> Option<T>) -> T {
    repeat_with(attempt).take(10).flatten().next().expect("the machine is fast enough, once")
}
