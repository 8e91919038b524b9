//! A program that is replaced while it runs, and disconnects nobody (on Linux): it counts what each
//! client says.
//!
//! `cargo run --example handover -- 127.0.0.1:4000`, then `nc 127.0.0.1 4000`, and say something.
//! `rebuild` puts the program that has been built meanwhile in the place of this one, and goes on
//! counting. (It is not asked first whether it understands what it gets, as
//! `src/bin/chinwag/upgrade.rs` does.)

use std::collections::HashMap;
use std::error::Error;
use std::process::Command;

use chinwag::{
    CloseReason, Config, ConnId, Damaged, HandOver, Handle, Inherited, Outbox, Packer, Pause,
    Server, Service, Unpacker,
};

struct Counter {
    server: Handle,
    lines: HashMap<ConnId, u64>,
}

impl Service for Counter {
    fn on_line(&mut self, id: ConnId, line: &[u8], out: &mut Outbox) {
        if line == b"rebuild" {
            return self.server.interrupt();
        }
        let count = self.lines.entry(id).or_default();
        *count += 1;
        out.send_line(id, format!("that is line {count}").as_bytes());
    }

    fn on_close(&mut self, id: ConnId, _: CloseReason, _: &mut Outbox) {
        self.lines.remove(&id);
    }
}

/// What the next program has to know. A [`ConnId`] means the same connection there.
impl HandOver for Counter {
    fn pack(&self, to: &mut Packer) {
        let Counter { server: _, lines } = self;
        to.put(lines);
    }

    fn on_not_upgraded(&mut self, why: &str, out: &mut Outbox) {
        out.broadcast(format!("nothing is replaced: {why}").as_bytes());
    }
}

impl Counter {
    fn unpack(server: Handle, from: &mut Unpacker<'_>) -> Result<Counter, Damaged> {
        Ok(Counter { server, lines: from.get()? })
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    serve(&std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:4000".to_owned()))
}

fn serve(addr: &str) -> Result<(), Box<dyn Error>> {
    let config = Config::at(addr.parse()?);
    let mut inherited = Inherited::take()?;
    let mut running = if let Some(inherited) = &mut inherited {
        let (server, mut from) = Server::adopt(config, inherited)?;
        let counter = Counter::unpack(server.handle(), &mut from)?;
        server.thaw(counter, from)?
    } else {
        let server = Server::bind(config)?;
        println!("counting on {}", server.local_addrs()[0]);
        let counter = Counter { server: server.handle(), lines: HashMap::new() };
        server.start(counter)
    };
    while running.run()? == Pause::Interrupted {
        let mut arguments = std::env::args_os();
        let mut command = Command::new(arguments.next().unwrap_or_default());
        // It returns only if there is no such program.
        let error = running.hand_over_to(command.args(arguments)).to_string();
        running.between_turns(|counter, out| counter.on_not_upgraded(&error, out));
    }
    Ok(())
}

#[cfg(target_os = "linux")]
#[test]
fn a_program_that_is_replaced_goes_on_where_it_was() {
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpStream;
    use std::process::Stdio;
    use std::time::{Duration, Instant};

    const NAME: &str = "a_program_that_is_replaced_goes_on_where_it_was";
    const TIME: Duration = Duration::from_mins(1);

    /// However the test ends.
    struct Ended(std::process::Child);

    impl Drop for Ended {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    // This test is also the program that it starts.
    if std::env::var_os("COUNTER").is_some() {
        return serve("127.0.0.1:0").unwrap();
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", NAME, "--nocapture"]).env("COUNTER", "1");
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let environment = format!("/proc/{}/environ", child.id());
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let _child = Ended(child);
    let addr = lines.find_map(|line| line.strip_prefix("counting on ").map(str::to_owned));
    let mut ann = TcpStream::connect(addr.unwrap()).unwrap();
    ann.set_read_timeout(Some(TIME)).unwrap();
    let mut ann_hears = BufReader::new(ann.try_clone().unwrap()).lines();
    let mut hear = move || ann_hears.next().unwrap().unwrap();
    ann.write_all(b"one\ntwo\nrebuild\nthr").unwrap();
    assert_eq!([hear(), hear()], ["that is line 1", "that is line 2"]);
    // Another program has taken over when its environment says so.
    let has_taken_over = || {
        // While it does, there is none.
        let text = std::fs::read(&environment).unwrap_or_default();
        text.split(|byte| *byte == 0).any(|it| it.starts_with(b"CHINWAG_TAKES_OVER="))
    };
    let start = Instant::now();
    while !has_taken_over() {
        assert!(start.elapsed() < TIME, "nobody has taken over");
    }
    ann.write_all(b"ee\n").unwrap();
    assert_eq!(hear(), "that is line 3");
}
