//! How each dialect puts it.

use super::{Network, check, check_in};
use chinwag::{Ending, Limit, Service};

#[test]
fn the_recipes_conversation_is_as_it_was() {
    let mut network = Network::new();
    network.connect("g1", "recipe");
    network.connect("g2", "recipe");
    check_in(
        &mut network,
        "g1> REGISTER alice
         g1< Registered as alice
         g2> REGISTER bob
         g2< Registered as bob
         g2> SEND @alice hey there
         g1< [bob → alice] hey there
         g2> hello room
         g1< [bob] hello room
         g2< [bob] hello room
         g1> quit
         g1< Goodbye!
         g1.",
    );
}

#[test]
fn each_reads_the_ending_that_it_writes() {
    let mut network = Network::new();
    for (client, ending) in [("lf1", Ending::Lf), ("crlf", Ending::CrLf), ("nul", Ending::Nul)] {
        let id = network.connect(client, "native");
        network.chat.on_ending(id, ending, &mut network.out);
    }
    let not_yet = network.connect("g1", "native");
    network.line("crlf", b"hello");
    network.line("crlf", b"/msg nul hi");
    assert_eq!(network.read("lf1"), "[crlf] hello\n");
    assert_eq!(network.read("crlf"), "[crlf] hello\r\n[crlf → nul] hi\r\n");
    assert_eq!(network.read("nul"), "[crlf] hello\0[crlf → nul] hi\0");
    assert_eq!(network.read("g1"), "[crlf] hello\n");
    // Who changed sides is in its place among the others still.
    network.chat.on_ending(not_yet, Ending::CrLf, &mut network.out);
    network.line("crlf", b"/exit");
    network.line("lf1", b"bye");
    assert_eq!(network.read("g1"), "[lf1] bye\r\n");
}

/// The room of the four dialects that people read, with a native user in it who wants to
/// know everything.
fn mixed() -> Network {
    let mut network = Network::with_all_dialects();
    for (client, listener) in
        [("ann", "native"), ("rob", "recipe"), ("tom", "tutorial"), ("fay", "fork")]
    {
        network.connect(client, listener);
    }
    network.line("ann", b"/notices on");
    network.wait(5000);
    network.read_all();
    network
}

#[test]
fn speech_is_put_as_each_dialect_puts_it() {
    check_in(
        &mut mixed(),
        "ann> hello
         ann< [ann] hello
         rob< [ann] hello
         tom< ann says: hello
         fay< [127.0.0.1] (1):hello
         fay> hi
         ann< [fay] hi
         rob< [fay] hi
         tom< fay says: hi
         tom> /me waves
         ann< * tom waves
         rob< * tom waves
         tom< * tom waves
         fay< * tom waves
         tom> /topic tea
         ann< tom set the topic: tea
         rob< tom set the topic: tea
         tom< tom set the topic: tea
         fay< tom set the topic: tea",
    );
}

#[test]
fn private_lines_are_put_as_each_dialect_puts_them() {
    check_in(
        &mut mixed(),
        "ann> SEND @rob hi
         rob< [ann → rob] hi
         ann> SEND @tom hi
         tom< ann says to you: hi
         ann> SEND @fay hi
         fay< [127.0.0.1] (1) to you:hi
         tom> /msg ann hi
         ann< [tom → ann] hi
         tom< [tom → ann] hi
         fay> /msg ann hi
         ann< [fay → ann] hi
         fay< [fay → ann] hi
         tom> /msg tom hi
         tom< tom says to you: hi",
    );
}

#[test]
fn guests_are_addresses_in_the_tutorial() {
    let mut network = mixed();
    network.arrive("g1", "native");
    check_in(
        &mut network,
        "g1> hello
         ann< guest joined the chat.
         ann< [guest] hello
         rob< [guest] hello
         tom< 127.0.0.1:4005 joined the chat.
         tom< 127.0.0.1:4005 says: hello
         fay< [127.0.0.1] (5):Connected
         fay< [127.0.0.1] (5):hello
         g1< [guest] hello
         g1> /me waves
         ann< * guest waves
         rob< * guest waves
         tom< * 127.0.0.1:4005 waves
         fay< * guest waves
         g1< * guest waves
         +1000
         g1> /nick gus
         ann< guest is now gus
         tom< 127.0.0.1:4005 is now gus
         g1< You are now gus
         +1000
         g1> /exit
         ann< gus left the chat.
         tom< gus left the chat.
         g1< Bye.
         g1.
         tom> /history 2
         tom< 15:17 [guest] hello
         tom< 15:17 * guest waves",
    );
}

#[test]
fn some_are_told_of_a_newcomer_at_once() {
    let mut network = mixed();
    network.arrive("g1", "native");
    assert_eq!(network.read("tom"), "127.0.0.1:4005 joined the chat.\n");
    assert_eq!(network.read("fay"), "[127.0.0.1] (5):Connected\n");
    assert_eq!(network.read("ann"), "");
    check_in(&mut network, "g1> quit\ng1< Goodbye!\ng1.\ntom< 127.0.0.1:4005 left the chat.");
    network.arrive("g2", "tutorial");
    check_in(
        &mut network,
        "+2000
         tom< 127.0.0.1:4006 joined the chat.
         fay< [127.0.0.1] (6):Connected
         g2> hello
         ann< guest joined the chat.
         ann< [guest] hello
         rob< [guest] hello
         tom< 127.0.0.1:4006 says: hello
         fay< [127.0.0.1] (6):hello
         g2< 127.0.0.1:4006 says: hello",
    );
}

#[test]
fn the_tutorials_session_is_as_it_was() {
    let mut network = Network::with_all_dialects();
    for client in ["one", "two"] {
        let id = network.arrive(client, "tutorial");
        network.chat.on_ending(id, Ending::CrLf, &mut network.out);
    }
    assert_eq!(network.read("one"), "127.0.0.1:4002 joined the chat.\r\n");
    let steps: [(&str, &str, &str, &str); 7] = [
        ("two", "hi", "127.0.0.1:4002 says: hi\r\n", "127.0.0.1:4002 says: hi\r\n"),
        ("one", "/nick bob", "127.0.0.1:4001 is now bob\r\n", "127.0.0.1:4001 is now bob\r\n"),
        ("one", "hello", "bob says: hello\r\n", "bob says: hello\r\n"),
        ("two", "/time", "", "Friday 20th of November 2026 03:17:28 PM\r\n"),
        ("two", "/up loud", "", "LOUD\r\n"),
        ("two", "/down QUIET", "", "quiet\r\n"),
        ("one", "/exit", "Bye.\r\n", "bob left the chat.\r\n"),
    ];
    for (client, typed, one, two) in steps {
        network.line(client, typed.as_bytes());
        assert_eq!(
            (network.read("one").as_str(), network.read("two").as_str()),
            (one, two),
            "{typed}"
        );
    }
}

#[test]
fn the_fork_servers_session_is_as_it_was() {
    let mut network = Network::with_all_dialects();
    network.arrive("one", "fork");
    network.arrive("two", "fork");
    check_in(
        &mut network,
        "one> hello
         one< [127.0.0.1] (2):Connected
         two< [127.0.0.1] (1):hello
         two> hi
         one< [127.0.0.1] (2):hi
         two> /notices on
         two< This dialect has no notices.
         two> /echo on
         two< Echo on.
         two> again
         one< [127.0.0.1] (2):again
         two< [127.0.0.1] (2):again
         two> exit
         two< Goodbye!
         two.",
    );
}

#[test]
fn the_recipe_and_the_fork_take_no_notices() {
    let mut network = mixed();
    check_in(
        &mut network,
        "rob> /notices on
         rob< This dialect has no notices.
         fay> /notices off
         fay< This dialect has no notices.
         tom> /notices off
         tom< Notices off.
         rob> /nick bob
         ann< rob is now bob
         rob< You are now bob
         tom> /nick thomas
         tom< You are now thomas
         +1000
         ann< tom is now thomas",
    );
}

#[test]
fn one_may_choose_another_dialect() {
    check(
        "ann> /dialect recipe
         ann< Dialect: recipe
         ann> /notices on
         ann< This dialect has no notices.
         ann> /dialect NATIVE
         ann< Dialect: native
         bob> /nick bert
         ann< bob is now bert
         bob< You are now bert
         ann> /dialect tutorial
         ann< No dialect is called tutorial; there are native, recipe, json.
         ann> /dialect
         ann< Usage: /dialect NAME",
    );
    check_in(
        &mut mixed(),
        "ann> /dialect fork
         ann< Dialect: fork
         ann> hi
         rob< [ann] hi
         tom< ann says: hi
         fay< [127.0.0.1] (1):hi
         ann> /dialect tutorial
         ann< Dialect: tutorial
         rob> hi
         ann< rob says: hi
         rob< [rob] hi
         tom< rob says: hi
         fay< [127.0.0.1] (2):hi
         fay> /dialect native
         fay< Dialect: native
         fay> hi
         ann< fay says: hi
         rob< [fay] hi
         tom< fay says: hi
         fay< [fay] hi",
    );
}

#[test]
fn programs_are_told_in_objects() {
    let mut network = mixed();
    network.arrive("bot", "json");
    check_in(
        &mut network,
        r#"bot> /nick "bot"
           tom< 127.0.0.1:4005 joined the chat.
           fay< [127.0.0.1] (5):Connected
           bot< {"at":1795187853000,"type":"hello","room":"lobby","to":"guest"}
           bot< {"at":1795187853000,"type":"error","text":"Username must only contain letters, digits, '-', '_' and '.', start with a letter or digit, and its length must be between 3 and 32 characters.","code":"name_unfit"}
           bot> /nick bot
           bot< {"at":1795187853000,"type":"reply","text":"You are now bot","code":"renamed"}
           ann< bot joined the chat.
           tom< 127.0.0.1:4005 is now bot
           +1000
           ann> say "hi" \o/
           ann< [ann] say "hi" \o/
           rob< [ann] say "hi" \o/
           tom< ann says: say "hi" \o/
           fay< [127.0.0.1] (1):say "hi" \o/
           bot< {"seq":1,"epoch":1795187854000,"at":1795187854000,"type":"say","room":"lobby","from":"ann","text":"say \"hi\" \\o/"}
           ann> SEND @bot hi
           bot< {"at":1795187854000,"type":"private","from":"ann","to":"bot","text":"hi"}
           bot> /msg ann hi
           ann< [bot → ann] hi
           bot< {"at":1795187854000,"type":"private","from":"bot","to":"ann","text":"hi"}
           ann> /nick anna
           ann< You are now anna
           tom< ann is now anna
           bot< {"at":1795187854000,"type":"rename","room":"lobby","from":"ann","to":"anna"}
           +1000
           ann> /topic tea
           ann< anna set the topic: tea
           rob< anna set the topic: tea
           tom< anna set the topic: tea
           fay< anna set the topic: tea
           bot< {"seq":2,"epoch":1795187854000,"at":1795187855000,"type":"topic","room":"lobby","from":"anna","text":"tea"}
           bot> /me beeps
           ann< * bot beeps
           rob< * bot beeps
           tom< * bot beeps
           fay< * bot beeps
           bot< {"seq":3,"epoch":1795187854000,"at":1795187855000,"type":"me","room":"lobby","from":"bot","text":"beeps"}
           bot> /history 2
           bot< {"seq":2,"epoch":1795187854000,"at":1795187855000,"type":"topic","room":"lobby","from":"anna","text":"tea"}
           bot< {"seq":3,"epoch":1795187854000,"at":1795187855000,"type":"me","room":"lobby","from":"bot","text":"beeps"}
           ann> /join games
           ann< 1 in games: anna
           tom< anna left the chat.
           bot< {"at":1795187855000,"type":"leave","room":"lobby","from":"anna"}
           ann> /leave
           ann< 5 in lobby: anna, bot, fay, rob, tom
           ann< 15:17 [ann] say "hi" \o/
           ann< 15:17 anna set the topic: tea
           ann< 15:17 * bot beeps
           tom< anna joined the chat.
           fay< [127.0.0.1] (1):Connected
           bot< {"at":1795187855000,"type":"join","room":"lobby","from":"anna"}"#,
    );
}

#[test]
fn a_program_is_told_what_it_missed_and_that_it_is_over() {
    let mut network = Network::new();
    let bot = network.arrive("bot", "json");
    network.chat.on_limit(bot, Limit::Shed(2), &mut network.out);
    network.chat.on_shutdown(&mut network.out);
    check_in_objects(
        &mut network,
        &[
            r#"{"at":1795187848000,"type":"hello","room":"lobby","to":"guest"}"#,
            r#"{"at":1795187848000,"type":"skipped","text":"-- 2 lines skipped: your connection is slow --","code":"skipped"}"#,
            r#"{"at":1795187848000,"type":"notice","text":"Server is shutting down.","code":"shutting_down"}"#,
        ],
    );
}

#[track_caller]
fn check_in_objects(network: &mut Network, objects: &[&str]) {
    assert_eq!(network.read("bot").lines().collect::<Vec<_>>(), objects);
}
