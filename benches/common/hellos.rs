//! Many TLS clients that say hello at once, and what somebody else waits for meanwhile.

use super::stream::tls::session;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// How long all handshakes together may take.
const ANSWER_MAX: Duration = Duration::from_mins(1);

/// The longest round trip of a client without TLS until all hellos are answered, in milliseconds.
pub(crate) fn worst_round_trip(
    plain: SocketAddr,
    tls: SocketAddr,
    count: usize,
) -> io::Result<f64> {
    let mut clients = Vec::new();
    for _ in 0..count {
        let mut hello = Vec::new();
        session().write_tls(&mut hello)?;
        clients.push((TcpStream::connect(tls)?, hello));
    }
    let mut plain = BufReader::new(TcpStream::connect(plain)?);
    plain.get_ref().set_nodelay(true)?;
    round_trip(&mut plain)?;
    for (client, hello) in &mut clients {
        client.write_all(hello)?;
        client.set_nonblocking(true)?;
    }
    let (start, mut worst, mut answered) = (Instant::now(), Duration::ZERO, 0);
    while answered < count {
        worst = worst.max(round_trip(&mut plain)?);
        while answered < count && clients[answered].0.peek(&mut [0]).is_ok() {
            answered += 1;
        }
        if start.elapsed() > ANSWER_MAX {
            return Err(io::Error::other("the server does not answer every hello"));
        }
    }
    Ok(1e3 * worst.as_secs_f64())
}

fn round_trip(plain: &mut BufReader<TcpStream>) -> io::Result<Duration> {
    let start = Instant::now();
    plain.get_mut().write_all(b"/up x\n")?;
    let mut line = String::new();
    while line != "X\n" {
        line.clear();
        if plain.read_line(&mut line)? == 0 {
            return Err(io::Error::other("the server has closed a client's connection"));
        }
    }
    Ok(start.elapsed())
}
