//! The server's end of a connection, over which nothing may be said once it is shut; perhaps with
//! a protocol between the two that holds back what is not sent yet.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};

use chinwag::Transport;
use chinwag::testing::Stream;

/// The server's end of a connection.
pub struct ServerEnd {
    stream: Stream,
    /// The protocol takes so much at a time; there is none, if zero.
    record: usize,
    held: VecDeque<u8>,
    is_shut: bool,
}

impl ServerEnd {
    /// The server's end of this connection, whose protocol takes so much at a time; none, if zero.
    #[must_use]
    pub fn new(stream: &Stream, record: usize) -> ServerEnd {
        ServerEnd { stream: stream.clone(), record, held: VecDeque::new(), is_shut: false }
    }
}

impl Read for ServerEnd {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.read(buffer)
    }
}

impl Write for ServerEnd {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        assert!(!self.is_shut, "written to after shutdown_write");
        if self.record == 0 {
            return self.stream.write(bytes);
        }
        self.flush()?;
        let count = bytes.len().min(self.record);
        self.held.extend(&bytes[..count]);
        match self.flush() {
            Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error),
            _ => Ok(count),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        while !self.held.is_empty() {
            match self.stream.write(self.held.make_contiguous()) {
                Ok(count) => drop(self.held.drain(..count)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Transport for ServerEnd {
    fn unsent(&self) -> usize {
        self.held.len()
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        self.flush()?;
        assert!(!self.is_shut, "shut down twice");
        self.stream.shutdown_write()?;
        self.is_shut = true;
        Ok(())
    }

    fn is_broken(&mut self) -> bool {
        self.stream.is_broken()
    }
}
