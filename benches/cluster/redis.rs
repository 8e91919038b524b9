//! A redis-server for a bench, and the least of a client for it.

use crate::common::book;
use crate::common::machine::Cores;
use crate::common::server::{ServerProcess, free_addr};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::{fs, process};

/// A server with a folder of its own, where its append-only file is.
pub(crate) struct Redis {
    process: Option<ServerProcess>,
    addr: SocketAddr,
    folder: PathBuf,
    cores: Cores,
}

impl Redis {
    pub(crate) fn start(cores: Cores) -> io::Result<Redis> {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let folder = book::folder().join(format!("redis-{}-{number}", process::id()));
        fs::create_dir_all(&folder)?;
        let mut redis = Redis { process: None, addr: free_addr()?, folder, cores };
        redis.restart()?;
        Ok(redis)
    }

    /// Kills it, if it runs, and starts it with what it has on disk.
    pub(crate) fn restart(&mut self) -> io::Result<()> {
        self.process = None;
        let (port, folder) = (self.addr.port().to_string(), self.folder.display().to_string());
        let words = "redis-server --bind 127.0.0.1 --save --appendonly yes --port".split(' ');
        let mut words: Vec<String> = words.map(str::to_owned).collect();
        // An empty list of points to save at.
        words.insert(4, String::new());
        words.extend([port, "--dir".to_owned(), folder]);
        self.process = Some(ServerProcess::start_program(words, Some(self.addr), self.cores)?);
        Ok(())
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://{}", self.addr)
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub(crate) fn process(&self) -> &ServerProcess {
        self.process.as_ref().expect("it runs but while it is restarted")
    }

    pub(crate) fn connect(&self) -> io::Result<Client> {
        Client::connect(self.addr)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.process = None;
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A connection to Redis.
pub(crate) struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    pub(crate) fn connect(addr: SocketAddr) -> io::Result<Client> {
        let stream = TcpStream::connect(addr)?;
        stream.set_nodelay(true)?;
        Ok(Client { stream: BufReader::new(stream) })
    }

    /// Sends a command.
    pub(crate) fn send(&mut self, words: &[&str]) -> io::Result<()> {
        let mut bytes = Vec::new();
        command(words, &mut bytes);
        self.write(&bytes)
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }

    /// One reply: its text, or that of its last part.
    pub(crate) fn reply(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let (kind, rest) = line.trim_end().split_at(1);
        let count: usize = rest.parse().unwrap_or_default();
        match kind {
            "-" => Err(io::Error::other(rest.to_owned())),
            "$" => {
                let mut text = vec![0; count + 2];
                self.stream.read_exact(&mut text)?;
                text.truncate(count);
                String::from_utf8(text).map_err(io::Error::other)
            }
            "*" => (0..count).try_fold(String::new(), |_, _| self.reply()),
            _ => Ok(rest.to_owned()),
        }
    }
}

/// A command as Redis reads it.
pub(crate) fn command(words: &[&str], bytes: &mut Vec<u8>) {
    bytes.extend(format!("*{}\r\n", words.len()).bytes());
    for word in words {
        bytes.extend(format!("${}\r\n{word}\r\n", word.len()).bytes());
    }
}
