//! A place that leads to Redis, and can be made to lead to another: as an address does that moves to
//! a replica.

use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

pub(super) struct Switch {
    port: u16,
    state: Arc<Mutex<State>>,
}

struct State {
    /// Where it leads to; nowhere after the end.
    to: Option<u16>,
    open: Vec<TcpStream>,
}

impl Switch {
    pub(super) fn start(to: u16) -> Switch {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State { to: Some(to), open: Vec::new() }));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let mut state = shared.lock().unwrap();
                let Some(to) = state.to else { return };
                // If nobody is there, the connection ends at once.
                let Ok(redis) = TcpStream::connect(("127.0.0.1", to)) else { continue };
                state.join(&stream, &redis);
            }
        });
        Switch { port, state }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// From now on it leads there. Open connections end.
    pub(super) fn lead_to(&self, to: Option<u16>) {
        let mut state = self.state.lock().unwrap();
        state.to = to;
        for stream in state.open.drain(..) {
            // It may be over.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl State {
    fn join(&mut self, client: &TcpStream, redis: &TcpStream) {
        for (from, to) in [(client, redis), (redis, client)] {
            from.set_nodelay(true).unwrap();
            let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
            self.open.push(from.try_clone().unwrap());
            thread::spawn(move || {
                // However it ends, both ends do.
                let _ = io::copy(&mut from, &mut to);
                let _ = from.shutdown(Shutdown::Both);
                let _ = to.shutdown(Shutdown::Both);
            });
        }
    }
}

/// Its thread ends at the next connection, which is this one.
impl Drop for Switch {
    fn drop(&mut self) {
        self.lead_to(None);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}
