//! Blocking work beside the loop: a thread counts primes for any client that asks, and only that
//! client waits for it.
//!
//! `cargo run --release --example offload -- 127.0.0.1:4000`, then type numbers into two
//! of `nc 127.0.0.1 4000`: `50000000` in one does not hold up `10` in the other for longer
//! than it takes the worker to come to it, nor anything else at all.

use chinwag::{Config, ConnId, Handle, Outbox, Server, Service, Worker};

struct Primes(Worker<(ConnId, u64), (ConnId, usize)>);

impl Primes {
    /// At most 16 jobs wait, so that the worker cannot fall behind for ever.
    fn start(server: Handle) -> std::io::Result<Primes> {
        let is_prime = |n: &u64| (2..=n.isqrt()).all(|d| !n.is_multiple_of(d));
        let count = move |(id, limit)| (id, (2..=limit).filter(is_prime).count());
        Ok(Primes(Worker::start(server, 16, count)?))
    }
}

impl Service for Primes {
    fn on_line(&mut self, id: ConnId, line: &[u8], out: &mut Outbox) {
        let Ok(Ok(limit)) = str::from_utf8(line).map(|text| text.trim().parse::<u64>()) else {
            return out.send_line(id, b"a number, please");
        };
        match self.0.give((id, limit)) {
            // What else this client sends waits, in order, and nobody else's does.
            Ok(()) => out.pause_reading(id),
            Err(_) => out.send_line(id, b"Busy; try again in a moment."),
        }
    }

    fn on_tick(&mut self, out: &mut Outbox) {
        // To one who has left, this is sent in vain: its id names nobody any more.
        while let Some((id, count)) = self.0.take() {
            out.send_line(id, format!("{count} primes").as_bytes());
            out.resume_reading(id);
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let addr = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:4000".to_owned()).parse()?;
    let server = Server::bind(Config::at(addr))?;
    println!("counting primes on {}", server.local_addrs()[0]);
    let primes = Primes::start(server.handle())?;
    server.run(primes)?;
    Ok(())
}

#[test]
fn answers_come_in_order_and_to_those_who_asked() {
    let primes = Primes::start(Handle::detached()).unwrap();
    let mut network = chinwag::testing::Network::new(primes, &chinwag::Limits::default());
    let (ann, gone) = (network.connect(""), network.connect(""));
    network.send(gone, b"100000\n");
    network.reset(gone);
    network.send(ann, b"100000\n10\nnonsense\n1\n");
    let mut answers = String::new();
    let deadline = std::time::Instant::now() + std::time::Duration::from_mins(1);
    while answers.lines().count() < 4 {
        assert!(std::time::Instant::now() < deadline, "only {answers:?}");
        network.wake();
        answers += &network.read(ann);
        std::thread::yield_now();
    }
    assert_eq!(answers, "9592 primes\n4 primes\na number, please\n0 primes\n");
}
