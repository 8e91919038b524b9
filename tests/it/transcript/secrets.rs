//! Passwords and tokens that almost became speech.

use super::accounts::network;
use super::{Network, check, check_in};

#[test]
fn what_may_be_a_password_is_not_said() {
    let mut network = network();
    check_in(
        &mut network,
        "ann> hi\nann< [ann] hi\nbob< [ann] hi\nbob> hi\nann< [bob] hi\nbob< [bob] hi",
    );
    for line in [
        "passwd hunter22",
        "Unprotect hunter22",
        "protect hunter22",
        "unregister hunter22",
        "nick ann hunter22",
        "> protect hunter22",
        "\\register hunter22",
        "password hunter22",
        "//protect hunter22",
        "wait /nick ann hunter22",
        "portect hunter22",
        "nickserv identify hunter22",
    ] {
        let told = "Not said, for there may be a password in it; /say says anything.";
        check_in(&mut network, &format!("ann> {line}\nann< {told}"));
    }
    check_in(
        &mut network,
        "ann> register ann hunter22
         ann< Wrong name or password.
         ann> REGISTER dan
         ann< Registered as dan
         ann> hello
         ann< [dan] hello
         bob< [dan] hello",
    );
}

#[test]
fn register_in_small_letters_takes_no_password_for_a_name() {
    const TOLD: &str = "Nothing done: /nick NAME takes a name, /protect PASSWORD has it protected.";
    let mut network = network();
    network.arrive("seed", "recipe");
    for who in ["ann", "g1"] {
        for line in ["register correcthorse", "Register correcthorse"] {
            check_in(&mut network, &format!("{who}> {line}\n{who}< {TOLD}"));
        }
    }
    check_in(&mut network, "g1> REGISTER dan\ng1< Registered as dan");
    // There it is the way to one's first name.
    check_in(
        &mut network,
        &format!(
            "seed> register eve
             seed< Registered as eve
             seed> register correcthorse
             seed< {TOLD}"
        ),
    );
}

#[test]
fn what_is_meant_to_be_said_is_said() {
    check_in(
        &mut network(),
        "ann> /say passwd is a command
         ann< [ann] passwd is a command
         ann> //who
         ann< [ann] /who
         ann> passwd
         ann< [ann] passwd
         ann> nick of time
         ann< [ann] nick of time
         ann> password managers are fine
         ann< [ann] password managers are fine",
    );
}

#[test]
fn a_token_is_said_to_nobody() {
    let token = "07".repeat(24);
    for mut network in [network(), Network::new()] {
        check_in(&mut network, "bob> hi\nbob< [bob] hi");
        for line in [
            format!("resume {token}"),
            format!("Resume {token} 12"),
            format!("resume {}", &token[1..]),
            format!("resume{token}"),
            format!("To come back within 2 m: /resume {token}"),
            token.clone(),
        ] {
            let told = "Not said, for there may be a password in it; /say says anything.";
            check_in(&mut network, &format!("ann> {line}\nann< {told}"));
        }
        let commit = "8f".repeat(20);
        check_in(
            &mut network,
            &format!(
                "ann> resume at {commit}\nann< [ann] resume at {commit}\nbob< [ann] resume at {commit}"
            ),
        );
    }
}

#[test]
fn register_with_a_slash_does_nothing_and_says_so() {
    let told = "Nothing done: /nick NAME takes a name, /protect PASSWORD has it protected.";
    check_in(
        &mut network(),
        &format!(
            "ann> /register hunter22
             ann< {told}
             ann> /register ann hunter22
             ann< {told}
             ann> /register
             ann< {told}
             ann> /unregister hunter22
             ann< {told}
             g1> /nick ann hunter22
             g1< Wrong name or password."
        ),
    );
}

#[test]
fn a_password_does_not_begin_with_the_name_that_it_is_for() {
    let told = "That begins with your name, alexandra; a password, and nothing else, is wanted.";
    check_in(
        &mut network(),
        &format!(
            "alexandra> /protect alexandra hunter22
             alexandra< {told}
             alexandra> /protect Alexandra
             alexandra< {told}
             alexandra> /protect alexandra22
             alexandra< Name alexandra is protected from now on: /nick alexandra PASSWORD
             alexandra> /passwd ALEXANDRA hunter22
             alexandra< {told}"
        ),
    );
}

#[test]
fn what_has_a_key_nobody_sees_before_it_is_not_said() {
    const NOT_SAID: &str = "Not said, for there may be a password in it; /say says anything.";
    let mut network = network();
    for line in ["\x1a/protect hunter22", "\x03\x04 /nick ann hunter22", "\x1bRegister ann pw"] {
        check_in(&mut network, &format!("ann> {line}\nann< {NOT_SAID}"));
    }
    for line in ["x\x1a/protect hunter22", "ab\x01REGISTER ann hunter22", "x/passwd hunter22"] {
        check_in(&mut network, &format!("ann> {line}\nann< {NOT_SAID}"));
    }
    check_in(&mut network, "ann> /say \x1a/x\nann< [ann] ␚/x\nann> a\x1a\nann< [ann] a␚");
    check("ann> \x1a/x\nann< [ann] ␚/x");
}
