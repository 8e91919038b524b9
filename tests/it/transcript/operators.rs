//! What operators do, and what others see of it.

use std::net::SocketAddr;

use super::{Network, Worker, check_in};
use chinwag::chat::{Answer, Persisted, Settings};
use chinwag::{Origin, Peer, Service};

/// A chat with an operator who has no name, and goes by `op`.
pub(super) fn network() -> Network {
    let mut network = Network::with(Settings { operators: true, ..Settings::default() });
    network.arrive_from("op", "op", Origin::Unix);
    network.line("op", b"/echo on");
    network.read("op");
    network
}

/// A chat with an operator, and with the same token, 24 times `07`, for everybody.
pub(super) fn with_tokens() -> Network {
    let mut network = Network::with(Settings {
        operators: true,
        random: Some(|token| token.fill(7)),
        ..Settings::default()
    });
    network.arrive("op", "op");
    network
}

impl Network {
    /// A user with a name, from an address.
    pub(super) fn user_from(&mut self, name: &str, addr: &str) {
        self.arrive_from(name, "native", addr.parse::<SocketAddr>().unwrap().into());
        self.line(name, format!("/nick {name}").as_bytes());
        for client in self.clients.clone().into_keys() {
            self.read(&client);
        }
    }

    /// What one who comes from an address is told, if it is not let in.
    pub(super) fn admission(&self, addr: &str) -> Option<String> {
        let origin = addr.parse::<SocketAddr>().unwrap().into();
        let is_banned = self.chat.is_banned(&Peer::new(origin, "native"), self.now);
        let refusal = chinwag::Refusal::Banned(origin);
        is_banned.then(|| String::from_utf8(self.chat.refusal(refusal).to_vec()).unwrap())
    }
}

#[test]
fn to_others_there_are_no_such_commands() {
    let mut network = network();
    check_in(
        &mut network,
        "ann> /kick bob
         ann< Unknown command: kick (did you mean /nick?)
         ann> /ban bob 2h rude
         ann< Unknown command: ban
         ann> /unban bob
         ann< Unknown command: unban
         ann> /bans
         ann< Unknown command: bans
         ann> /mute bob
         ann< Unknown command: mute (did you mean /me?)
         ann> /unmute bob
         ann< Unknown command: unmute
         ann> /announce tea
         ann< Unknown command: announce
         ann> /reload
         ann< Unknown command: reload
         ann> /shutdown
         ann< Unknown command: shutdown
         ann> /whois bob
         ann< Unknown command: whois (did you mean /who?)
         ann> /help kick
         ann< Unknown command: kick (did you mean /nick?)
         bob> still here
         ann< [bob] still here
         bob< [bob] still here
         op< [bob] still here",
    );
    network.line("ann", b"/help");
    assert!(!network.read("ann").contains("kick"));
    network.line("op", b"/help");
    assert!(network.read("op").ends_with(
        "Operators: /kick, /ban, /unban, /bans, /mute, /unmute, /whois, /announce, /reload, /upgrade, /shutdown, /shutdownall\n"
    ));
}

#[test]
fn without_operators_the_label_says_nothing() {
    let mut network = Network::new();
    network.arrive("op", "op");
    check_in(&mut network, "op> /bans\nop< Unknown command: bans");
}

#[test]
fn a_kick_says_why_to_the_kicked_and_to_the_room() {
    check_in(
        &mut network(),
        "bob> /notices on
         bob< Notices on.
         op> /kick nobody
         op< No one is called nobody.
         op> /kick
         op< Usage: /kick NAME [WHY]
         cat> /join games
         cat< 1 in games: cat
         bob< cat left the chat.
         op> /kick ANN  far too loud
         ann< ann was kicked by op: far too loud
         ann.
         bob< ann was kicked by op: far too loud
         op< ann was kicked by op: far too loud
         op> /nick rex
         op< You are now rex
         +1000
         bob< ann left the chat.
         bob< rex joined the chat.
         op> /kick bob
         bob< bob was kicked by rex.
         bob.
         op< bob was kicked by rex.
         op> /help kick
         op< /kick NAME [WHY]: have NAME leave",
    );
}

#[test]
fn a_kicked_user_is_not_kept_detached() {
    let mut network = with_tokens();
    let token = "07".repeat(24);
    check_in(
        &mut network,
        &format!(
            "ann> /resume
             ann< To come back within 2 m: /resume {token}
             op> /kick ann
             ann< ann was kicked by op.
             ann.
             g2< ann was kicked by op.
             op< ann was kicked by op.
             g2> /resume {token}
             g2< That token is not known, or no longer."
        ),
    );
}

#[test]
fn a_name_is_banned_with_the_address_that_it_is_from() {
    let mut network = network();
    network.user_from("ann", "192.0.2.7:4001");
    network.user_from("Ann2", "192.0.2.7:4002");
    network.user_from("bob", "192.0.2.8:4001");
    check_in(
        &mut network,
        "op> /ban ANN 2h too loud
         ann< ann and Ann2 were banned by op: too loud
         ann.
         Ann2< ann and Ann2 were banned by op: too loud
         Ann2.
         bob< ann and Ann2 were banned by op: too loud
         op< Banned ann@192.0.2.7 until 2026-11-20 17:17 UTC.
         bob> /nick ANN
         bob< Name ANN is banned.
         op> /bans
         op< ann@192.0.2.7 until 2026-11-20 17:17 UTC by op: too loud",
    );
    let told = "You are banned until 2026-11-20 17:17 UTC: too loud\n";
    for addr in ["192.0.2.7:1", "[::ffff:192.0.2.7]:1"] {
        assert_eq!(network.admission(addr).as_deref(), Some(told), "{addr}");
    }
    assert_eq!(network.admission("192.0.2.8:1"), None);
    network.wait(2 * 3600 * 1000);
    assert_eq!(network.admission("192.0.2.7:1"), None);
    check_in(
        &mut network,
        "op> /bans
         op< There are no bans.
         op> /unban ann
         op< There is no ban of ann.
         bob> /nick ann
         bob< You are now ann",
    );
}

#[test]
fn networks_are_banned_whatever_the_notation_and_lifted_by_any_part() {
    let mut network = network();
    network.user_from("six", "[2001:db8:1:2::3]:4001");
    check_in(
        &mut network,
        "op> /ban ::ffff:192.0.2.0/120 spam
         op< Banned 192.0.2.0/24 for good.
         op> /ban six
         six< six was banned by op.
         six.
         op< Banned six@2001:db8:1:2::/64 for good.
         op> /ban who-is-not-here
         op< Banned who-is-not-here for good.
         op> /ban a/b
         op< 'a/b' cannot be banned; NAME, ADDR, ADDR/BITS or NAME@ADDR is wanted.
         op> /ban
         op< Usage: /ban NAME|ADDR|CIDR [FOR] [WHY]
         op> /bans
         op< 192.0.2.0/24 for good by op: spam
         op< six@2001:db8:1:2::/64 for good by op.
         op< who-is-not-here for good by op.",
    );
    assert_eq!(network.admission("192.0.2.200:1").as_deref(), Some("You are banned: spam\n"));
    assert_eq!(network.admission("[2001:db8:1:2:ffff::]:1").as_deref(), Some("You are banned.\n"));
    assert_eq!(network.admission("[2001:db8:1:3::]:1"), None);
    check_in(
        &mut network,
        "op> /unban six
         op< No longer banned: six
         op> /unban 192.0.2.9/24
         op< No longer banned: 192.0.2.0/24
         op> /unban 192.0.2.1
         op< There is no ban of 192.0.2.1.
         op> /bans
         op< who-is-not-here for good by op.",
    );
    assert_eq!(network.admission("[2001:db8:1:2:ffff::]:1"), None);
}

#[test]
fn where_all_may_be_from_only_the_name_is_banned() {
    check_in(
        &mut network(),
        "op> /ban ann
         ann< ann was banned by op.
         ann.
         bob< ann was banned by op.
         g2< ann was banned by op.
         op< Banned ann for good.
         g2> /ban nobody
         g2< Unknown command: ban
         op> /ban guest-2
         op< guest-2 has no name and no address to ban; /kick?
         op> /ban guest
         op< guest is an operator.
         bob> still here
         bob< [bob] still here
         g2< [bob] still here
         op< [bob] still here",
    );
}

#[test]
fn what_cannot_be_kept_is_not_in_force() {
    let mut network = network();
    network.user_from("ann", "192.0.2.7:4001");
    network.worker = Worker::Fails("No space left on device (os error 28)");
    check_in(
        &mut network,
        "op> /ban ann
         op< Not saved: No space left on device (os error 28)
         op> /reload
         op< Not reloaded: No space left on device (os error 28)
         op> /bans
         op< There are no bans.",
    );
    assert_eq!(network.admission("192.0.2.7:1"), None);
    network.worker = Worker::Keeps;
    check_in(&mut network, "op> /reload\nop< Reloaded.");
}

#[test]
fn there_are_so_many_bans_and_no_more() {
    let mut network =
        Network::with(Settings { operators: true, bans_max: 1, ..Settings::default() });
    network.arrive("op", "op");
    check_in(
        &mut network,
        "op> /ban ann
         op< Banned ann for good.
         op> /ban bob
         op< There are 1 bans already, as many as there may be.
         op> /unban ann
         op< No longer banned: ann
         op> /ban bob
         op< Banned bob for good.",
    );
}

#[test]
fn an_answer_holds_though_whoever_asked_has_gone() {
    let mut network = network();
    network.user_from("ann", "192.0.2.7:4001");
    let id = network.clients["op"];
    network.chat.on_line(id, b"/ban ann", &mut network.out);
    let requests: Vec<_> = std::iter::from_fn(|| network.chat.next_request()).collect();
    network.cut_off("op");
    // Its slot is another's by then, who must not read the answer.
    network.user_from("bob", "192.0.2.8:4001");
    for (id, request) in requests {
        let chinwag::chat::Request::Ban { ban, .. } = request else { panic!("{request:?}") };
        network.chat.answer(id, Answer::Banned(ban), &mut network.out);
    }
    network.close_the_closing();
    assert_eq!(network.read("bob"), "ann was banned by op.\n");
    assert!(network.admission("192.0.2.7:9").is_some());
}

#[test]
fn what_is_read_again_is_in_force_for_those_who_are_here_too() {
    let mut network = network();
    network.user_from("ann", "192.0.2.7:4001");
    network.user_from("bob", "192.0.2.8:4001");
    let ban = |text: &str| chinwag::chat::Ban {
        target: text.parse().unwrap(),
        until: None,
        by: "file".to_owned(),
        why: String::new(),
    };
    let reload = |network: &mut Network, bans: &[&str]| {
        let bans = bans.iter().map(|text| ban(text)).collect();
        let kept = Persisted { bans, ..Persisted::default() };
        network.chat.answer(None, Answer::Reloaded(Some(kept)), &mut network.out);
        network.close_the_closing();
    };
    reload(&mut network, &["192.0.2.7", "203.0.113.0/24"]);
    assert_eq!(
        network.read_all(),
        [
            "ann< ann was banned by file.",
            "ann.",
            "bob< ann was banned by file.",
            "op< ann was banned by file."
        ]
    );
    reload(&mut network, &["203.0.113.0/24"]);
    assert_eq!(network.admission("192.0.2.7:1"), None);
    assert!(network.admission("203.0.113.5:1").is_some());
}

#[test]
fn every_room_hears_an_announcement_and_why_the_server_goes() {
    let mut network = network();
    network.arrive("bot", "json");
    network.read("bot");
    check_in(
        &mut network,
        "ann> /join games
         ann< 1 in games: ann
         bot< {\"at\":1795187848000,\"type\":\"leave\",\"room\":\"lobby\",\"from\":\"ann\"}
         op> /announce tea at four
         ann< Announcement by op: tea at four
         bot< {\"at\":1795187848000,\"type\":\"notice\",\"text\":\"Announcement by op: tea at four\",\"code\":\"announcement\"}
         op< Announcement by op: tea at four
         op> /shutdown a new version
         ann< Server is shutting down: a new version
         bot< {\"at\":1795187848000,\"type\":\"notice\",\"text\":\"Server is shutting down: a new version\",\"code\":\"shutting_down\"}
         op< Server is shutting down: a new version",
    );
}

#[test]
fn whois_tells_where_somebody_is_from_and_how_it_is_doing() {
    let mut network = network();
    network.user_from("ann", "192.0.2.7:4001");
    check_in(
        &mut network,
        "op> /whois nobody
         op< No one is called nobody.
         op> /mute ann
         ann< You were muted by op.
         op< Muted ann for good.
         +90000
         op> /whois ann
         op< ann: 192.0.2.7:4001, idle 90 s, 0 bytes queued, in lobby, muted
         op> /whois guest
         op< guest: a Unix socket, idle 0 s, 0 bytes queued, in lobby, operator",
    );
}

#[test]
fn programs_go_by_codes() {
    let mut network = network();
    network.arrive("bot", "json");
    network.arrive_from("boss", "op", Origin::Unix);
    network.line("boss", b"/dialect json");
    for client in ["bot", "boss"] {
        network.read(client);
    }
    let at = "{\"at\":1795187848000";
    check_in(
        &mut network,
        &format!(
            "boss> /mute guest-2
             boss< {at},\"type\":\"reply\",\"text\":\"Muted guest-2 for good.\",\"code\":\"muting\"}}
             bot< {at},\"type\":\"reply\",\"text\":\"You were muted by op.\",\"code\":\"muted\"}}
             bot> hi
             bot< {at},\"type\":\"error\",\"text\":\"You are muted; nobody was told.\",\"code\":\"is_muted\"}}
             boss> /unban x.y
             boss< {at},\"type\":\"error\",\"text\":\"There is no ban of x.y.\",\"code\":\"no_such_ban\"}}
             boss> /kick guest-2
             boss< {at},\"type\":\"reply\",\"text\":\"guest-2 was kicked by op.\",\"code\":\"kicked\"}}
             bot< {at},\"type\":\"notice\",\"text\":\"guest-2 was kicked by op.\",\"code\":\"kicked\"}}
             bot.
             op< guest-2 was kicked by op."
        ),
    );
}

#[test]
fn an_operators_token_makes_nobody_an_operator() {
    let mut network = with_tokens();
    let token = "07".repeat(24);
    check_in(
        &mut network,
        &format!(
            "op> /resume
             op< To come back within 2 m: /resume {token}
             g2> /resume {token}
             op< You have been replaced by another connection.
             op.
             g2< You are now guest
             g2> /bans
             g2< Unknown command: bans"
        ),
    );
}
