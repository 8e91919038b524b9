//! What time it is, as a service is told.

use std::sync::mpsc::{self, Sender};
use std::time::{Duration, Instant};

use chinwag::{ConnId, Outbox, Peer, Service};

use super::{Running, bind, config};
use crate::client::{Client, PATIENCE, eventually};

/// For so long nobody comes.
const QUIET: Duration = Duration::from_millis(200);

/// Says when somebody came.
struct Porter(Sender<Instant>);

impl Service for Porter {
    fn on_open(&mut self, _: ConnId, _: &Peer<'_>, out: &mut Outbox) {
        // It fails once the test is over.
        let _ = self.0.send(out.now().monotonic);
    }

    fn on_line(&mut self, _: ConnId, _: &[u8], _: &mut Outbox) {}
}

#[test]
fn a_client_of_a_quiet_server_connects_at_the_present_time() {
    let (send, opened) = mpsc::channel();
    let server = Running::run(bind(config()), Porter(send));
    for _ in 0..3 {
        // A turn that had just begun when the client came may see to it, and take long.
        eventually("a client at the present time", || {
            opened.recv_timeout(QUIET).expect_err("nobody comes by itself");
            let before = Instant::now();
            let _client = Client::connect(server.addr);
            let told = opened.recv_timeout(PATIENCE).expect("the service to be told");
            told + QUIET / 2 >= before
        });
    }
}
