//! A bot in the json dialect, with nothing but the standard library: it greets whoever
//! joins, and answers `!roll` with a number.
//!
//! `cargo run --release -- -l json=127.0.0.1:1338 -l 127.0.0.1:1337`, then
//! `cargo run --example bot -- 127.0.0.1:1338`, and talk at port 1337.

use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;

fn main() -> io::Result<()> {
    let addr = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:1338".to_owned());
    let stream = TcpStream::connect(&addr)?;
    chat(BufReader::new(&stream), &stream)
}

/// Reads objects, one a line, and writes plain lines: input is the same in all dialects.
fn chat(input: impl BufRead, mut output: impl Write) -> io::Result<()> {
    output.write_all(b"/nick dicebot\n/echo off\n")?;
    for object in input.lines() {
        let object = object?;
        let from = field(&object, "from").unwrap_or_default();
        match (field(&object, "type").as_deref(), field(&object, "text").as_deref()) {
            (Some("join"), _) => writeln!(output, "Welcome, {from}. Say !roll.")?,
            (Some("say"), Some("!roll")) => {
                writeln!(output, "{from} has rolled {}.", roll(&object))?;
            }
            (Some("private"), Some(text)) => writeln!(output, "SEND @{from} You said: {text}")?,
            _ => {}
        }
    }
    Ok(())
}

/// From one to six, by the time at which the line was said.
fn roll(object: &str) -> u64 {
    let at = object.split("\"at\":").nth(1).and_then(|rest| rest.split(',').next());
    at.and_then(|at| at.parse::<u64>().ok()).unwrap_or(0) % 6 + 1
}

/// A text field of an object. The server escapes only quotes and backslashes.
fn field(object: &str, name: &str) -> Option<String> {
    let (_, rest) = object.split_once(&format!("\"{name}\":\""))?;
    let mut text = String::new();
    let mut chars = rest.chars();
    loop {
        match chars.next()? {
            '"' => return Some(text),
            '\\' => text.push(chars.next()?),
            c => text.push(c),
        }
    }
}

#[test]
fn it_welcomes_rolls_and_answers() {
    let objects = r#"{"at":6,"type":"hello","room":"lobby","to":"guest"}
{"at":7,"type":"join","room":"lobby","from":"ann"}
{"seq":1,"epoch":10,"at":10,"type":"say","room":"lobby","from":"ann","text":"!roll"}
{"seq":2,"epoch":10,"at":11,"type":"say","room":"lobby","from":"ann","text":"not !roll"}
{"at":12,"type":"private","from":"ann","to":"dicebot","text":"a \"word\" \\o/"}
"#;
    let mut said = Vec::new();
    chat(objects.as_bytes(), &mut said).unwrap();
    assert_eq!(
        String::from_utf8(said).unwrap(),
        "/nick dicebot\n/echo off\n\
         Welcome, ann. Say !roll.\n\
         ann has rolled 5.\n\
         SEND @ann You said: a \"word\" \\o/\n"
    );
}
