//! What one address may have done with passwords and names, and for how long it lasts.

use super::{Network, check_in};
use std::net::SocketAddr;

use chinwag::chat::Settings;

/// A chat with accounts.
fn settings() -> Settings {
    Settings { accounts: true, ..Settings::default() }
}

#[test]
fn passwords_are_changed_so_often_and_no_more_and_may_still_be_given() {
    let mut network = Network::with(settings());
    check_in(
        &mut network,
        "ann> /protect hunter22\nann< Name ann is protected from now on: /nick ann PASSWORD",
    );
    for _ in 0..3 {
        check_in(&mut network, "ann> /passwd hunter22\nann< Password changed.");
    }
    check_in(
        &mut network,
        "ann> /passwd hunter23
         ann< Too many attempts; wait a minute.
         ann> /nick ann hunter22
         ann< You are now ann
         +60000
         ann> /passwd hunter23
         ann< Password changed.",
    );
}

#[test]
fn so_many_names_are_protected_from_one_address_in_a_day() {
    let settings = Settings { accounts_per_addr: 2, ..settings() };
    let mut network = Network::with(settings);
    for (client, host) in [("eve", 7), ("friend", 8)] {
        network.arrive_from(client, "native", SocketAddr::from(([192, 0, 2, host], 1)).into());
    }
    let protect = |client: &str, name: &str| {
        format!(
            "{client}> /nick {name}
             {client}< You are now {name}
             {client}> /protect hunter22
             {client}< Name {name} is protected from now on: /nick {name} PASSWORD
             {client}< That line was not encrypted: whoever carried it can have read the password."
        )
    };
    check_in(&mut network, &protect("eve", "one"));
    check_in(&mut network, &protect("eve", "two"));
    check_in(
        &mut network,
        "eve> /nick three
         eve< You are now three
         eve> /protect hunter22
         eve< Too many names were protected from your address; wait a day.",
    );
    check_in(&mut network, &protect("friend", "four"));
    network.wait(24 * 60 * 60 * 1000);
    check_in(&mut network, &protect("eve", "five"));
}

#[test]
fn a_full_worker_queue_is_said_and_costs_no_attempt() {
    let settings = Settings { waiting_max: 0, ..settings() };
    let mut network = Network::with(settings);
    for _ in 0..5 {
        check_in(&mut network, "eve> /nick ann hunter22\neve< Busy; try again in a moment.");
    }
}

#[test]
fn a_name_that_was_protected_and_never_used_again_is_free_after_a_month() {
    let mut network = Network::with(settings());
    let month = 30_u64 * 24 * 60 * 60 * 1000;
    check_in(
        &mut network,
        &format!(
            "ann> /protect hunter22
             ann< Name ann is protected from now on: /nick ann PASSWORD
             bob> /protect hunter22
             bob< Name bob is protected from now on: /nick bob PASSWORD
             bob> /nick bob hunter22
             bob< You are now bob
             ann> /nick one
             ann< You are now one
             bob> /nick two
             bob< You are now two
             +{}
             cat> /nick ann
             cat< Name ann is protected: /nick ann PASSWORD
             +1
             cat> /nick bob
             cat< Name bob is protected: /nick bob PASSWORD
             cat> /nick ann
             cat< You are now ann",
            month - 1
        ),
    );
}
