//! What a chat still knows that has taken over from another, and no transcript shows.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use chinwag::chat::Settings;
use chinwag::{Peer, Service};

use super::{Network, check_in};

#[test]
fn memory_is_compared_with_the_start_of_the_first_program() {
    static RESIDENT: AtomicU64 = AtomicU64::new(1000);
    let resident: fn() -> Option<u64> = || Some(RESIDENT.load(Ordering::Relaxed));
    let mut network = Network::with(Settings { resident: Some(resident), ..Settings::default() });
    network.connect("ann", "native");
    RESIDENT.store(1700, Ordering::Relaxed);
    network.hand_over();
    network.line("ann", b"/stats");
    let stats = network.read("ann");
    assert!(stats.contains("1700 bytes resident, 700 more than at the start"), "{stats}");
}

/// Where something else decrypts what goes to it, a new program can go on with that.
#[test]
fn encrypted_users_are_not_warned_after_an_upgrade() {
    let mut network = Network::with(Settings { accounts: true, ..Settings::default() });
    let mut peer = Peer::new(SocketAddr::from(([192, 0, 2, 7], 4001)).into(), "native");
    peer.is_encrypted = true;
    let id = chinwag::testing::open(&mut network.out, network.connected);
    network.connected += 1;
    network.clients.insert("eve".to_owned(), id);
    network.chat.on_open(id, &peer, &mut network.out);
    check_in(
        &mut network,
        "eve> /nick eve
         eve< You are now eve
         eve> /protect hunter22
         eve< Name eve is protected from now on: /nick eve PASSWORD",
    );
}
