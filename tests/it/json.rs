//! The json dialect against a real parser: every object is one, its fields stand in the
//! documented order, and texts come out as they went in.

use std::net::SocketAddr;
use std::time::{Instant, UNIX_EPOCH};

use arbtest::arbtest;
use chinwag::chat::Settings;
use chinwag::{Chat, ConnId, Limits, Now, Outbox, Peer, Service, testing};
use serde_json::{Map, Value};

const FIELDS: [&str; 9] = ["seq", "epoch", "at", "type", "room", "from", "to", "text", "code"];
const TYPES: [&str; 12] = [
    "hello", "say", "me", "private", "join", "leave", "rename", "topic", "notice", "skipped",
    "reply", "error",
];

struct Pair {
    chat: Chat,
    out: Outbox,
    native: ConnId,
    bot: ConnId,
}

fn pair() -> Pair {
    let now = Now { monotonic: Instant::now(), wall: UNIX_EPOCH };
    let mut out = Outbox::new(&Limits::default(), now);
    let mut chat = Chat::new(Settings::default());
    let addr = SocketAddr::from(([127, 0, 0, 1], 4000));
    let (native, bot) = (testing::open(&mut out, 0), testing::open(&mut out, 1));
    chat.on_open(native, &Peer::new(addr.into(), "native"), &mut out);
    chat.on_open(bot, &Peer::new(addr.into(), "json"), &mut out);
    Pair { chat, out, native, bot }
}

/// What a program has been sent, parsed; with all that can be said of any object checked.
fn objects(bytes: &[u8]) -> Vec<Map<String, Value>> {
    let text = str::from_utf8(bytes).expect("UTF-8");
    let parse = |line: &str| -> Map<String, Value> {
        let object: Map<String, Value> = serde_json::from_str(line).expect(line);
        let mut order = FIELDS.iter();
        for field in object.keys() {
            assert!(
                order.any(|known| known == field),
                "{field} is unknown or out of order: {line}"
            );
        }
        let kind = object["type"].as_str().expect("a type is a text");
        assert!(TYPES.contains(&kind), "{line}");
        assert!(object["at"].is_u64(), "{line}");
        let has_number = ["say", "me", "topic"].contains(&kind);
        for field in ["seq", "epoch"] {
            assert_eq!(object.contains_key(field), has_number, "{line}");
        }
        let has_code = ["reply", "error", "skipped", "notice"].contains(&kind);
        assert_eq!(object.contains_key("code"), has_code, "{line}");
        object
    };
    text.lines().map(parse).collect()
}

#[test]
fn whatever_is_typed_every_answer_is_an_object() {
    arbtest(|u| {
        let mut pair = pair();
        for _ in 0..u.int_in_range(1..=8)? {
            let id = if u.arbitrary()? { pair.native } else { pair.bot };
            let start = *u.choose(&[
                "",
                "/",
                "/nick ",
                "/join ",
                "/topic ",
                "SEND @guest-2 ",
                "/who ",
                "/me ",
            ])?;
            let rest: Vec<u8> = u.arbitrary()?;
            let line: Vec<u8> = [start.as_bytes(), &rest].concat();
            pair.chat.on_line(id, &line, &mut pair.out);
        }
        for line in ["/help", "/stats", "/rooms", "/history", "/time", "/help nick"] {
            pair.chat.on_line(pair.bot, line.as_bytes(), &mut pair.out);
        }
        assert!(objects(&testing::take(&mut pair.out, pair.bot)).len() > 1);
        Ok(())
    });
}

#[test]
fn a_text_comes_out_as_it_went_in() {
    arbtest(|u| {
        let mut pair = pair();
        let text: String = u.arbitrary::<String>()?.replace(|c: char| c.is_control(), "");
        pair.chat.on_line(pair.native, format!("/say x{text}x").as_bytes(), &mut pair.out);
        let native = String::from_utf8(testing::take(&mut pair.out, pair.native)).expect("UTF-8");
        let objects = objects(&testing::take(&mut pair.out, pair.bot));
        let said = objects.last().expect("something was said");
        assert_eq!(format!("[guest] {}\n", said["text"].as_str().unwrap()), native);
        Ok(())
    });
}
