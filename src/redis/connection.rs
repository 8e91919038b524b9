//! A connection to Redis: one command at a time, each with a deadline for all of it. Knows no log.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use redis_protocol::resp2::decode::decode;
pub(super) use redis_protocol::resp2::types::OwnedFrame as Frame;

use super::dialer::Waiting;
use crate::net::tls::client::{self, ClientStream};

/// Before the number of a script's line.
const PLACE: &str = "@user_script:";

/// Why a call has no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// The connection is broken, or the deadline has passed: whether the command has been run is
    /// not known, and nothing more may be called on this connection.
    Broken(io::Error),
    /// Redis answered with this error.
    Refused(String),
}

impl Failure {
    /// What Redis answers, without where in a script that was: from version 7 on this stands behind
    /// it, and was before it until then.
    pub(super) fn refused(answer: &str) -> Failure {
        let is_old = answer.starts_with("ERR Error running script") || answer.starts_with(PLACE);
        let why = match answer.rsplit_once(PLACE) {
            Some((_, old)) if is_old => old.split_once(": ").map_or(old, |(_, why)| why),
            Some((new, _)) => new.split_once(" script: ").map_or(answer, |(why, _)| why),
            None => answer,
        };
        Failure::Refused(why.strip_prefix('-').unwrap_or(why).to_owned())
    }

    /// Whether Redis says that it will do what was asked, but not now.
    pub(super) fn is_passing(&self) -> bool {
        const WORDS: [&str; 8] = [
            "OOM",
            "BUSY",
            "LOADING",
            "MISCONF",
            "TRYAGAIN",
            "CLUSTERDOWN",
            "MASTERDOWN",
            "NOREPLICAS",
        ];
        let Failure::Refused(why) = self else { return false };
        why.split(' ').next().is_some_and(|code| WORDS.contains(&code))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Broken(error) if error.kind() == ErrorKind::TimedOut => {
                f.write_str("it does not answer in time")
            }
            Failure::Broken(error) => match client::explain(error) {
                Some(why) => why.fmt(f),
                None => error.fmt(f),
            },
            Failure::Refused(why) => why.fmt(f),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        // A socket's error when its timeout has passed.
        if error.kind() == ErrorKind::WouldBlock {
            return Failure::Broken(ErrorKind::TimedOut.into());
        }
        Failure::Broken(error)
    }
}

/// A connection to Redis, by RESP 2.
pub(super) struct Connection {
    stream: Stream,
    /// What has been read, and how much of it was in answers already.
    input: Vec<u8>,
    used: usize,
}

impl Connection {
    pub(super) fn over(stream: Stream) -> Connection {
        Connection { stream, input: Vec::new(), used: 0 }
    }

    /// Calls a command and waits for its answer; both end at the deadline.
    pub(super) fn call(&mut self, command: &[&[u8]], deadline: Instant) -> Result<Frame, Failure> {
        let mut bytes = format!("*{}\r\n", command.len()).into_bytes();
        for part in command {
            bytes.extend(format!("${}\r\n", part.len()).as_bytes());
            bytes.extend(*part);
            bytes.extend(b"\r\n");
        }
        self.send(&bytes, deadline)?;
        match self.receive(deadline)? {
            Frame::Error(why) => Err(Failure::refused(&why)),
            answer => Ok(answer),
        }
    }

    /// The same for a command that is text.
    pub(super) fn call_text(
        &mut self,
        command: &[&str],
        deadline: Instant,
    ) -> Result<Frame, Failure> {
        let command: Vec<&[u8]> = command.iter().map(|part| part.as_bytes()).collect();
        self.call(&command, deadline)
    }

    /// What ends a call under way, from another thread.
    pub(super) fn breaker(&self) -> io::Result<Breaker> {
        match &self.stream {
            Stream::Tcp(stream) => stream.try_clone().map(Breaker::Tcp),
            Stream::Tls(stream) => stream.sock.try_clone().map(Breaker::Tcp),
            #[cfg(unix)]
            Stream::Unix(stream) => stream.try_clone().map(Breaker::Unix),
        }
    }

    fn send(&mut self, mut bytes: &[u8], deadline: Instant) -> Result<(), Failure> {
        while !bytes.is_empty() {
            self.stream.set_timeout(left(deadline)?)?;
            match self.stream.write(bytes) {
                Ok(0) => return Err(io::Error::from(ErrorKind::WriteZero).into()),
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.stream.set_timeout(left(deadline)?)?;
        Ok(self.stream.flush()?)
    }

    fn receive(&mut self, deadline: Instant) -> Result<Frame, Failure> {
        loop {
            let foreign =
                |_| io::Error::new(ErrorKind::InvalidData, "it does not speak as Redis does");
            if let Some((frame, size)) = decode(&self.input[self.used..]).map_err(foreign)? {
                self.used += size;
                return Ok(frame);
            }
            self.input.drain(..self.used);
            self.used = 0;
            // As much again as is there, so that a long answer is looked at a few times only.
            let len = self.input.len();
            self.input.resize(len + len.clamp(16 << 10, 4 << 20), 0);
            let read = self.stream.set_timeout(left(deadline)?);
            let read = read.and_then(|()| self.stream.read(&mut self.input[len..]));
            self.input.truncate(len + *read.as_ref().unwrap_or(&0));
            match read {
                Ok(0) => return Err(io::Error::from(ErrorKind::UnexpectedEof).into()),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// How long it is until then.
pub(super) fn left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(ErrorKind::TimedOut.into()) } else { Ok(left) }
}

pub(super) enum Stream {
    Tcp(TcpStream),
    Tls(Box<ClientStream<TcpStream>>),
    #[cfg(unix)]
    Unix(UnixStream),
}

impl Stream {
    /// For each read and each write.
    fn set_timeout(&self, time: Duration) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => set_timeout(stream, time),
            Stream::Tls(stream) => set_timeout(&stream.sock, time),
            #[cfg(unix)]
            Stream::Unix(stream) => {
                stream.set_read_timeout(Some(time))?;
                stream.set_write_timeout(Some(time))
            }
        }
    }
}

fn set_timeout(stream: &TcpStream, time: Duration) -> io::Result<()> {
    stream.set_read_timeout(Some(time))?;
    stream.set_write_timeout(Some(time))
}

impl Read for Stream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.read(buf),
            Stream::Tls(stream) => stream.read(buf),
            #[cfg(unix)]
            Stream::Unix(stream) => stream.read(buf),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.write(buf),
            Stream::Tls(stream) => stream.write(buf),
            #[cfg(unix)]
            Stream::Unix(stream) => stream.write(buf),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => stream.flush(),
            Stream::Tls(stream) => stream.flush(),
            #[cfg(unix)]
            Stream::Unix(stream) => stream.flush(),
        }
    }
}

/// Ends whatever a connection waits for, or whoever waits for one.
pub(super) enum Breaker {
    Dial(Waiting),
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

impl Breaker {
    pub(super) fn shut(&self) {
        // It fails if it is shut already.
        let _ = match self {
            Breaker::Dial(waiting) => return waiting.end(),
            Breaker::Tcp(stream) => stream.shutdown(Shutdown::Both),
            #[cfg(unix)]
            Breaker::Unix(stream) => stream.shutdown(Shutdown::Both),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::Failure;

    /// As Redis 6.2.14, 7.0.15 and Valkey 8.0.1 answer.
    #[test]
    fn what_is_wrong_in_a_script_is_told_without_the_script() {
        let oom = "OOM command not allowed when used memory > 'maxmemory'.";
        let wrong = "WRONGTYPE Operation against a key holding the wrong kind of value";
        let script = "f_13efcf4561fa0a7eb7c517a8d1053477c4d19dff";
        let sha = &script[2..];
        for (answer, why) in [
            (oom, oom),
            (&*format!("@user_script: 1: -{oom}"), oom),
            (
                &format!(
                    "ERR Error running script (call to {script}): @user_script:1: @user_script: 1: -{oom}"
                ),
                oom,
            ),
            (
                &format!("ERR Error running script (call to {script}): @user_script:1: {wrong}"),
                wrong,
            ),
            (&format!("{oom} script: {sha}, on @user_script:1."), oom),
            (&format!("{wrong} script: {sha}, on @user_script:1."), wrong),
            (
                "NOSCRIPT No matching script. Please use EVAL.",
                "NOSCRIPT No matching script. Please use EVAL.",
            ),
        ] {
            let Failure::Refused(told) = Failure::refused(answer) else { panic!("{answer}") };
            assert_eq!(told, why, "{answer}");
        }
    }
}
