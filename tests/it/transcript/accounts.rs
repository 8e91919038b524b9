//! Names with passwords: protected, shown to be one's own, and never told to anybody.

use std::net::SocketAddr;

use super::{Network, Worker, check, check_in};
use chinwag::Service;
use chinwag::chat::{Account, Answer, Persisted, Settings};

/// A chat with accounts.
pub(super) fn network() -> Network {
    let settings = Settings { accounts: true, operators: true, ..Settings::default() };
    let random: fn(&mut [u8; 24]) = |token| token.fill(7);
    Network::with(Settings { random: Some(random), ..settings })
}

#[test]
fn without_accounts_there_are_none() {
    check(
        "ann> /register hunter22
         ann< Nothing done: /nick NAME takes a name, /protect PASSWORD has it protected.
         ann> /protect hunter22
         ann< This server keeps no accounts.
         ann> register bea
         ann< Registered as bea
         ann> register ann
         ann< Registered as ann
         ann> /passwd hunter22
         ann< This server keeps no accounts.
         ann> /unprotect hunter22
         ann< This server keeps no accounts.
         ann> /nick bob hunter22
         ann< Usage: /nick NAME
         ann> REGISTER bob hunter22
         ann< Usage: REGISTER NAME
         ann> passwd is a command of Unix
         ann< [ann] passwd is a command of Unix",
    );
}

#[test]
fn a_protected_name_is_had_with_its_password_only() {
    check_in(
        &mut network(),
        "g1> /protect hunter22
         g1< Take a name first: /nick NAME
         Ann> /protect hunter2
         Ann< A password has 8 to 128 bytes of UTF-8.
         Ann> /protect hunter22
         Ann< Name Ann is protected from now on: /nick Ann PASSWORD
         Ann> /protect hunter22
         Ann< Name Ann is protected already.
         g1> /nick ann
         g1< Name Ann is protected: /nick Ann PASSWORD
         g1> REGISTER ANN
         g1< Name Ann is protected: /nick Ann PASSWORD
         g1> /nick ann hunter23
         g1< Wrong name or password.
         g1> /nick nobody hunter22
         g1< Wrong name or password.
         g1> /nick ann short
         g1< A password has 8 to 128 bytes of UTF-8.
         g1> /nick admin hunter22
         g1< Name admin is reserved.
         Ann> /nick other
         Ann< You are now other
         g1> /nick ann
         g1< Name Ann is protected: /nick Ann PASSWORD
         g1> REGISTER ann hunter22
         g1< Registered as ann
         g1> /exit
         g1< Bye.
         g1.
         Ann> /nick ANN hunter22
         Ann< You are now ANN
         Ann> /nick Ann
         Ann< You are now Ann",
    );
}

#[test]
fn the_password_takes_a_name_over() {
    check_in(
        &mut network(),
        "ann> /protect hunter22
         ann< Name ann is protected from now on: /nick ann PASSWORD
         bob> /notices on
         bob< Notices on.
         ann> /join games
         ann< 1 in games: ann
         bob< ann left the chat.
         g1> /nick ann hunter22
         ann< You have been replaced by another connection.
         ann.
         g1< You are now ann
         +1000
         bob< ann joined the chat.
         g1> hello
         g1< [ann] hello
         bob< [ann] hello",
    );
}

#[test]
fn a_newcomer_who_logs_in_at_once_is_told_of_by_that_name() {
    let mut network = network();
    check_in(
        &mut network,
        "ann> /protect hunter22
         ann< Name ann is protected from now on: /nick ann PASSWORD
         ann> /exit
         ann< Bye.
         ann.
         bob> /notices on
         bob< Notices on.",
    );
    network.wait(2000);
    network.arrive("new", "native");
    check_in(
        &mut network,
        "new> REGISTER ann hunter22
         new< Registered as ann
         bob< ann joined the chat.",
    );
    network.wait(2000);
    // If the password was wrong, nobody has seen anything of them.
    network.arrive("wrong", "native");
    check_in(&mut network, "wrong> REGISTER ann hunter23\nwrong< Wrong name or password.");
}

#[test]
fn a_held_name_is_its_owners_by_token_and_by_password() {
    let mut network = network();
    let token = "07".repeat(24);
    check_in(
        &mut network,
        &format!(
            "ann> /protect hunter22
             ann< Name ann is protected from now on: /nick ann PASSWORD
             ann> /resume
             ann< To come back within 2 m: /resume {token}"
        ),
    );
    network.cut_off("ann");
    check_in(
        &mut network,
        &format!(
            "g1> /nick ann
             g1< Name ann is protected: /nick ann PASSWORD
             g1> /resume {token}
             g1< You are now ann
             g1> /passwd hunter23
             g1< Password changed.
             g1> /resume
             g1< To come back within 2 m: /resume {token}"
        ),
    );
    network.cut_off("g1");
    check_in(
        &mut network,
        &format!(
            "g2> /nick ann hunter23
             g2< You are now ann
             g3> /resume {token}
             g3< That token is not known, or no longer."
        ),
    );
}

#[test]
fn a_password_is_changed_and_a_name_let_go() {
    check_in(
        &mut network(),
        "ann> /protect hunter22
         ann< Name ann is protected from now on: /nick ann PASSWORD
         ann> /passwd two  words
         ann< Password changed.
         ann> /exit
         ann< Bye.
         ann.
         g1> /nick ann hunter22
         g1< Wrong name or password.
         g1> /nick ann two  words
         g1< You are now ann
         g1> /unprotect hunter22
         g1< Wrong name or password.
         g1> /unprotect two  words
         g1< Name ann is no longer protected.
         g1> /passwd hunter22
         g1< Name ann is not protected: /protect PASSWORD
         g1> /unprotect hunter22
         g1< Name ann is not protected: /protect PASSWORD
         g1> /nick bob
         g1< You are now bob
         g2> /nick ann
         g2< You are now ann
         g3> /passwd hunter22
         g3< Take a name first: /nick NAME
         g3> /help passwd
         g3< /passwd NEW: another password for your name
         g3> /help /register
         g3< REGISTER NAME: take a name; where there are accounts, /protect PASSWORD has it protected
         g3> /help nick
         g3< /nick NAME: take a name; a protected one: /nick NAME PASSWORD
         g3> /passwd
         g3< Usage: /passwd NEW
         g3> /protct hunter22
         g3< Unknown command: protct (did you mean /protect?)",
    );
}

#[test]
fn a_new_password_ends_what_a_token_was_good_for() {
    let mut network = network();
    let token = "07".repeat(24);
    check_in(
        &mut network,
        &format!(
            "ann> /protect hunter22
             ann< Name ann is protected from now on: /nick ann PASSWORD
             ann> /resume
             ann< To come back within 2 m: /resume {token}
             ann> /passwd hunter23
             ann< Password changed.
             g1> /resume {token}
             g1< That token is not known, or no longer."
        ),
    );
    network.cut_off("ann");
    check_in(&mut network, "g1> /nick ann hunter23\ng1< You are now ann");
}

#[test]
fn a_password_that_others_have_changed_ends_log_ins_and_tokens() {
    let mut network = network();
    let token = "07".repeat(24);
    let is_changed = |network: &mut Network| {
        let account = Account { name: "Ann".to_owned(), op: false, unused_until: None };
        let kept = Persisted {
            accounts: vec![account],
            new_passwords: vec!["Ann".to_owned()],
            ..Persisted::default()
        };
        network.chat.answer(None, Answer::Reloaded(Some(kept)), &mut network.out);
    };
    check_in(
        &mut network,
        &format!(
            "ann> /protect hunter22
             ann< Name ann is protected from now on: /nick ann PASSWORD
             ann> /resume
             ann< To come back within 2 m: /resume {token}"
        ),
    );
    is_changed(&mut network);
    let unknown = format!("g1> /resume {token}\ng1< That token is not known, or no longer.");
    check_in(
        &mut network,
        &format!(
            "ann> /passwd hunter23
             ann< You have not shown that ann is yours: /nick ann PASSWORD
             {unknown}
             ann> /resume
             ann< To come back within 2 m: /resume {token}"
        ),
    );
    network.cut_off("ann");
    is_changed(&mut network);
    check_in(&mut network, &unknown);
}

#[test]
fn too_many_attempts_delay_their_author_alone() {
    let mut network = network();
    network.arrive_from("eve", "native", "192.0.2.7:1".parse::<SocketAddr>().unwrap().into());
    network.arrive_from("friend", "native", "192.0.2.8:1".parse::<SocketAddr>().unwrap().into());
    check_in(
        &mut network,
        "ann> /protect hunter22
         ann< Name ann is protected from now on: /nick ann PASSWORD
         eve> /nick ann hunter20
         eve< Wrong name or password.
         eve> /nick ANN hunter21
         eve< Wrong name or password.
         eve> REGISTER Ann hunter23
         eve< Wrong name or password.
         eve> /nick ann hunter22
         eve< Too many attempts; wait a minute.
         friend> /nick ann hunter22
         ann< You have been replaced by another connection.
         ann.
         friend< You are now ann
         +60000
         eve> /nick ann hunter22
         eve< You are now ann
         friend< You have been replaced by another connection.
         friend.",
    );
    // The right ones count for nothing.
    for _ in 0..5 {
        check_in(&mut network, "eve> /nick ann hunter22\neve< You are now ann");
    }
    for number in 0..20 {
        let script = format!("eve> /nick user-{number} hunter22\neve< Wrong name or password.");
        check_in(&mut network, &script);
    }
    check_in(&mut network, "eve> /nick ann hunter22\neve< Too many attempts; wait a minute.");
}

#[test]
fn protecting_a_name_over_a_plain_line_warns() {
    let mut network = network();
    network.arrive_from("eve", "native", "192.0.2.7:1".parse::<SocketAddr>().unwrap().into());
    check_in(
        &mut network,
        "eve> /nick eve
         eve< You are now eve
         eve> /protect hunter22
         eve< Name eve is protected from now on: /nick eve PASSWORD
         eve< That line was not encrypted: whoever carried it can have read the password.",
    );
}

#[test]
fn there_are_so_many_protected_names_and_no_more() {
    let settings = Settings { accounts: true, accounts_max: 1, ..Settings::default() };
    check_in(
        &mut Network::with(settings),
        "ann> /protect hunter22
         ann< Name ann is protected from now on: /nick ann PASSWORD
         bob> /protect hunter22
         bob< There are 1 protected names already, as many as there may be.
         ann> /unprotect hunter22
         ann< Name ann is no longer protected.
         bob> /protect hunter22
         bob< Name bob is protected from now on: /nick bob PASSWORD",
    );
}

#[test]
fn what_cannot_be_saved_is_not_so() {
    let mut network = network();
    network.worker = Worker::Fails("the disk is full");
    check_in(
        &mut network,
        "ann> /protect hunter22
         ann< Not saved: the disk is full
         ann> /nick bob
         ann< You are now bob
         g1> /nick ann
         g1< You are now ann",
    );
}

#[test]
fn an_account_can_be_an_operators() {
    let mut network = network();
    check_in(
        &mut network,
        "ann> /protect hunter22\nann< Name ann is protected from now on: /nick ann PASSWORD",
    );
    let account = |name: &str, op| Account { name: name.to_owned(), op, unused_until: None };
    network.reload(vec![account("ann", true)]);
    check_in(
        &mut network,
        "ann> /bans
         ann< There are no bans.
         ann> /whois ann
         ann< ann: 127.0.0.1:4001, idle 0 s, 0 bytes queued, in lobby, operator
         ann> /nick other
         ann< You are now other
         ann> /bans
         ann< Unknown command: bans",
    );
    // What it has shown for one name is worth nothing for another.
    network.reload(vec![account("ann", true), account("other", true)]);
    check_in(
        &mut network,
        "ann> /bans
         ann< Unknown command: bans
         ann> /nick ann hunter22
         ann< You are now ann
         ann> /bans
         ann< There are no bans.",
    );
    network.reload(vec![account("ann", false)]);
    check_in(&mut network, "ann> /bans\nann< Unknown command: bans");
    // It bears the name still, and it is nobody's.
    network.reload(Vec::new());
    check_in(
        &mut network,
        "ann> /passwd hunter22
         ann< Name ann is not protected: /protect PASSWORD",
    );
    // Nor is an account theirs that is made under that name later.
    network.reload(vec![account("ann", true)]);
    check_in(&mut network, "ann> /bans\nann< Unknown command: bans");
}

#[test]
fn a_name_in_use_that_becomes_protected_is_kept_without_being_an_operators() {
    let mut network = network();
    check_in(&mut network, "ann> hello\nann< [ann] hello");
    network.reload(vec![Account { name: "Ann".to_owned(), op: true, unused_until: None }]);
    check_in(
        &mut network,
        "ann> /bans
         ann< Unknown command: bans
         ann> /nick ANN
         ann< You are now ANN
         ann> /passwd hunter22
         ann< You have not shown that ANN is yours: /nick ANN PASSWORD
         ann> /nick other
         ann< You are now other
         ann> /nick ann
         ann< Name Ann is protected: /nick Ann PASSWORD",
    );
}

#[test]
fn a_verdict_for_one_who_has_gone_is_nobodys() {
    let mut network = network();
    check_in(
        &mut network,
        "ann> /protect hunter22
         ann< Name ann is protected from now on: /nick ann PASSWORD
         bob> hello
         ann< [bob] hello
         bob< [bob] hello",
    );
    let id = network.arrive("eve", "native");
    network.chat.on_line(id, b"/nick ann hunter22", &mut network.out);
    let requests: Vec<_> = std::iter::from_fn(|| network.chat.next_request()).collect();
    network.cut_off("eve");
    network.arrive("late", "native");
    for (id, request) in requests {
        assert!(!format!("{request:?}").contains("hunter22"), "{request:?}");
        let answer = network.vault.perform(request);
        assert!(!format!("{answer:?}").contains("hunter22"), "{answer:?}");
        network.chat.answer(id, answer, &mut network.out);
    }
    network.close_the_closing();
    check_in(
        &mut network,
        "ann> still me\nann< [ann] still me\nbob< [ann] still me\nlate< [ann] still me",
    );
}
