//! Passwords and tokens that almost became speech.

use super::accounts::network;
use super::{Network, check_in};

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
        "register correcthorse",
        "Register correcthorse",
        "> protect hunter22",
        "\\register hunter22",
        "password hunter22",
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
fn what_is_meant_to_be_said_is_said() {
    check_in(
        &mut network(),
        "ann> /say passwd is a command
         ann< [ann] passwd is a command
         ann> //protect hunter22
         ann< [ann] /protect hunter22
         ann> passwd
         ann< [ann] passwd
         ann> nick of time
         ann< [ann] nick of time
         ann> password managers are fine
         ann< [ann] password managers are fine",
    );
    check_in(&mut network(), "g1> register gus\ng1< Registered as gus");
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
