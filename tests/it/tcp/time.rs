//! What time it is, as a service is told.

use std::sync::mpsc::{self, Sender};
use std::time::Instant;

use chinwag::{ConnId, Outbox, Peer, Service};

use super::{Running, bind, config};
use crate::client::{Client, PATIENCE};

/// Says when somebody came.
struct Porter(Sender<Instant>);

impl Service for Porter {
    fn on_open(&mut self, _: ConnId, _: &Peer<'_>, out: &mut Outbox) {
        // It fails once the test is over.
        let _ = self.0.send(out.now().monotonic);
    }

    fn on_line(&mut self, id: ConnId, _: &[u8], out: &mut Outbox) {
        out.send(id, b"welcome\n");
    }
}

#[test]
fn whoever_comes_to_a_quiet_server_comes_now_and_not_when_it_fell_asleep() {
    let (send, opened) = mpsc::channel();
    let server = Running::run(bind(config()), Porter(send));
    for _ in 0..3 {
        let before = Instant::now();
        let mut client = Client::connect(server.addr);
        let told = opened.recv_timeout(PATIENCE).expect("the service to be told");
        assert!(told >= before, "{:?} too early", before - told);
        // It has gone on: the next one is not accepted in the same go.
        assert_eq!(client.ask("hello"), "welcome");
    }
}
