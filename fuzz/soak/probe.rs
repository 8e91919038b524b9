//! Two clients in a quiet room of their own, who measure how long a line takes.
//!
//! They have a thread of their own, so that what they wait for is the server and not
//! the other clients, and never speak later than planned because an answer is late:
//! the time counts from the planned one.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// One line in so long.
const EVERY: Duration = Duration::from_millis(20);

/// A line that takes longer is lost.
const LOST: Duration = Duration::from_secs(30);

/// A running probe.
pub(crate) struct Probe {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

#[derive(Default)]
struct Shared {
    is_over: AtomicBool,
    /// How long each line took, in microseconds.
    times: Mutex<Vec<u64>>,
}

impl Probe {
    pub(crate) fn start(addr: SocketAddr) -> io::Result<Probe> {
        let mut speaker = Prober::connect(addr, "prober-1", "/echo off\n", "Echo off.")?;
        let mut listener = Prober::connect(addr, "prober-2", "/up done\n", "DONE")?;
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let thread = thread::spawn(move || run(&mut speaker, &mut listener, &theirs));
        Ok(Probe { shared, thread: Some(thread) })
    }

    /// How long all lines have taken so far, in microseconds, in the order that they
    /// were said.
    pub(crate) fn times(&self) -> Vec<u64> {
        self.shared.times.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends it. An error is what has gone wrong.
    pub(crate) fn end(&mut self) -> io::Result<()> {
        self.shared.is_over.store(true, Ordering::Relaxed);
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(result)) => result,
            Some(Err(_)) => Err(io::Error::other("the probe has panicked")),
            None => Ok(()),
        }
    }
}

/// One of the two.
struct Prober {
    stream: TcpStream,
    lines: BufReader<TcpStream>,
}

impl Prober {
    /// Comes in, and has the last of its lines answered.
    fn connect(addr: SocketAddr, name: &str, last: &str, answer: &str) -> io::Result<Prober> {
        let stream = TcpStream::connect_timeout(&addr, LOST)?;
        stream.set_read_timeout(Some(LOST))?;
        stream.set_nodelay(true)?;
        let mut prober = Prober { lines: BufReader::new(stream.try_clone()?), stream };
        prober.stream.write_all(format!("REGISTER {name}\n/join probe\n{last}").as_bytes())?;
        while prober.hear()? != answer {}
        Ok(prober)
    }

    fn hear(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.lines.read_line(&mut line)? == 0 {
            return Err(io::Error::other("the probe was cut off"));
        }
        Ok(line.trim_end().to_owned())
    }
}

fn run(speaker: &mut Prober, listener: &mut Prober, shared: &Shared) -> io::Result<()> {
    let mut planned = Instant::now();
    let mut number = 0;
    while !shared.is_over.load(Ordering::Relaxed) {
        planned += EVERY;
        thread::sleep(planned.saturating_duration_since(Instant::now()));
        number += 1;
        speaker.stream.write_all(format!("probe {number}\n").as_bytes())?;
        let heard = listener.hear()?;
        let time = planned.elapsed();
        if heard != format!("[prober-1] probe {number}") {
            return Err(io::Error::other(format!("the probe heard {heard:?} as line {number}")));
        }
        let microseconds = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        shared.times.lock().unwrap_or_else(PoisonError::into_inner).push(microseconds);
    }
    Ok(())
}

/// The time in milliseconds that so many of a thousand do not exceed; 0 without any.
pub(crate) fn permille(times: &[u64], permille: usize) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * permille).div_ceil(1000).max(1);
    sorted
        .get(rank - 1)
        .map_or(0.0, |microseconds| Duration::from_micros(*microseconds).as_secs_f64() * 1000.0)
}
