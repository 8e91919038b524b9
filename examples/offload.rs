//! Blocking work beside the loop: a thread counts primes for whoever asks, and only who
//! asked waits for it.
//!
//! `cargo run --release --example offload -- 127.0.0.1:4000`, then type numbers into two
//! of `nc 127.0.0.1 4000`: `50000000` in one does not hold up `10` in the other for longer
//! than it takes the worker to come to it, nor anything else at all.

use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::thread;

use chinwag::{Config, ConnId, Handle, Listen, Outbox, Server, Service};

type Job = (ConnId, u64);

struct Primes {
    jobs: SyncSender<Job>,
    done: Receiver<Job>,
}

impl Primes {
    /// Starts the worker. Its queue is bounded, so that it cannot fall behind for ever.
    fn start(server: Handle) -> Primes {
        let (jobs, queue) = mpsc::sync_channel(16);
        let (answers, done) = mpsc::channel();
        thread::spawn(move || work(&queue, &answers, || server.wake()));
        Primes { jobs, done }
    }
}

/// The worker's whole life: it ends when the service does.
fn work(queue: &Receiver<Job>, answers: &Sender<Job>, wake: impl Fn()) {
    for (id, limit) in queue {
        let is_prime = |n: &u64| (2..=n.isqrt()).all(|d| !n.is_multiple_of(d));
        if answers.send((id, (2..=limit).filter(is_prime).count() as u64)).is_err() {
            return;
        }
        // The loop may be asleep; it calls `on_tick` soon.
        wake();
    }
}

impl Service for Primes {
    fn on_line(&mut self, id: ConnId, line: &[u8], out: &mut Outbox) {
        let Ok(Ok(limit)) = str::from_utf8(line).map(|text| text.trim().parse::<u64>()) else {
            return out.send(id, b"a number, please\n");
        };
        match self.jobs.try_send((id, limit)) {
            // What else this client sends waits, in order, and nobody else's does.
            Ok(()) => out.pause_reading(id),
            Err(_) => out.send(id, b"Busy; try again in a moment.\n"),
        }
    }

    fn on_tick(&mut self, out: &mut Outbox) {
        // To one who has left, this is sent in vain: its id names nobody any more.
        while let Ok((id, count)) = self.done.try_recv() {
            out.send(id, format!("{count} primes\n").as_bytes());
            out.resume_reading(id);
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let addr = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:4000".to_owned()).parse()?;
    let listen = vec![Listen { addr, label: String::new() }];
    let server = Server::bind(Config { listen, ..Config::default() })?;
    println!("counting primes on {}", server.local_addrs()[0]);
    let primes = Primes::start(server.handle());
    server.run(primes)?;
    Ok(())
}

#[test]
fn answers_come_in_order_and_to_those_who_asked() -> Result<(), Box<dyn std::error::Error>> {
    use std::io::{BufRead, BufReader, Write};

    let listen = vec![Listen { addr: "127.0.0.1:0".parse()?, label: String::new() }];
    let server = Server::bind(Config { listen, ..Config::default() })?;
    let (addr, handle) = (server.local_addrs()[0], server.handle());
    let primes = Primes::start(server.handle());
    let running = thread::spawn(move || server.run(primes).map(drop));
    let mut ann = std::net::TcpStream::connect(addr)?;
    let mut gone = std::net::TcpStream::connect(addr)?;
    gone.write_all(b"100000\n")?;
    drop(gone);
    ann.write_all(b"100000\n10\nnonsense\n1\n")?;
    let lines = BufReader::new(&ann).lines().take(4).collect::<Result<Vec<_>, _>>()?;
    assert_eq!(lines, ["9592 primes", "4 primes", "a number, please", "0 primes"]);
    handle.shutdown();
    drop(ann);
    running.join().expect("the server did not panic")?;
    Ok(())
}
