//! The same lines come out whatever the pieces that the bytes come in: every input is
//! cut at every place, and at every two places.

use chinwag::{Decoder, Ending, Item};
use std::fmt::Write;

const MAX: usize = 8;

/// Feeds the pieces as the loop does, and writes down what comes out: lines in angle
/// brackets with the name of their ending, telnet and its answers in braces.
fn frame(pieces: &[&[u8]]) -> String {
    let mut decoder = Decoder::new(MAX, 16 * MAX);
    let mut out = String::new();
    for mut bytes in pieces.iter().copied() {
        while let Some(item) = decoder.next(&mut bytes) {
            note(&mut out, item);
            if matches!(item, Item::Endless | Item::EndOfInput) {
                return out;
            }
        }
    }
    if let Some(item) = decoder.finish() {
        note(&mut out, item);
    }
    out
}

fn note(out: &mut String, item: Item<'_>) {
    match item {
        Item::Line(line, ending) => {
            let ending = match ending {
                Some(Ending::Lf) => "LF",
                Some(Ending::CrLf) => "CRLF",
                Some(Ending::Nul) => "NUL",
                Some(Ending::WebSocket | Ending::LengthPrefix) => unreachable!("these are lines"),
                None => "END",
            };
            write!(out, "<{}>{ending} ", line.escape_ascii())
        }
        Item::TooLong => write!(out, "too-long "),
        Item::Discarded(ending) => write!(out, "discarded-{ending:?} "),
        Item::Bulk => write!(out, "bulk "),
        Item::Telnet(None) => write!(out, "{{}}"),
        Item::Telnet(Some(answer)) => write!(out, "{{{answer:x?}}}"),
        Item::AreYouThere => write!(out, "{{there?}}"),
        Item::EndOfInput => write!(out, "end"),
        Item::Endless => write!(out, "endless"),
        Item::Answer(_) | Item::Close(_) | Item::Malformed(_) => unreachable!("these are lines"),
    }
    .unwrap();
}

#[track_caller]
fn check(input: &[u8], expected: &str) {
    let expected = expected.trim_end();
    assert_eq!(frame(&[input]).trim_end(), expected, "in one piece");
    let bytes: Vec<&[u8]> = input.chunks(1).collect();
    assert_eq!(frame(&bytes).trim_end(), expected, "byte by byte");
    for first in 0..=input.len() {
        for second in first..=input.len() {
            let pieces = [&input[..first], &input[first..second], &input[second..]];
            assert_eq!(frame(&pieces).trim_end(), expected, "cut at {first} and {second}");
        }
    }
}

#[test]
fn a_line_ends_at_lf_cr_lf_cr_nul_or_nul() {
    check(b"a\nb\r\nc\r\0d\0", "<a>LF <b>CRLF <c>CRLF <d>NUL");
    check(b"\n\r\n\0", "<>LF <>CRLF <>NUL");
}

#[test]
fn a_cr_ends_a_line_at_once_and_an_lf_or_nul_just_after_it_belongs_to_it() {
    check(b"a\rb\n", "<a>CRLF <b>LF");
    check(b"a\rb\r", "<a>CRLF <b>CRLF");
    check(b"a\r\r\n", "<a>CRLF <>CRLF");
    check(b"a\r\0\n\0", "<a>CRLF <>LF <>NUL");
    check(b"a\r\xff\xf1\n\n", "<a>CRLF {}<>LF");
    check(b"a\r\xffb\n", r"<a>CRLF <\xffb>LF");
    check(b"a\r\xff\xff\n", r"<a>CRLF <\xff>LF");
    check(b"a\r\x1b[A\n", "<a>CRLF <>LF");
    // Nobody has to wait for what may follow.
    let mut decoder = Decoder::new(MAX, 16 * MAX);
    let item = decoder.next(&mut &b"a\r"[..]);
    assert_eq!(item, Some(Item::Line(b"a", Some(Ending::CrLf))));
}

#[test]
fn an_unfinished_line_counts_at_the_end_of_input() {
    check(b"a\nb", "<a>LF <b>END");
    check(b"b\r", "<b>CRLF");
    check(b"a\n", "<a>LF");
}

#[test]
fn telnet_is_taken_out_wherever_it_stands() {
    check(b"a\xff\xf1b\n", "{}<ab>LF");
    check(b"a\xff\xffb\n", r"<a\xffb>LF");
    check(b"\xff\xfd\x01a\n\xff\xfd\x01", "{[ff, fc, 1]}<a>LF {}");
    check(b"\xff\xfb\x1f\xff\xfb\x1f\xff\xfd\x1fa\n", "{[ff, fe, 1f]}{}{[ff, fc, 1f]}<a>LF");
    check(b"\xff\xfd\xff\xff\xfb\x00\xff\xfd\xff", "{[ff, fc, ff]}{[ff, fe, 0]}{}");
    check(b"\xff\xfe\x01\xff\xfc\x01a\n", "{}{}<a>LF");
    check(b"a\xff\xfa\x18\x00x\nx\xff\xff\xff\xf0b\n", "{}<ab>LF");
    check(b"a\xff", "<a>END");
}

#[test]
fn a_byte_255_that_begins_no_command_is_text_and_so_is_what_follows() {
    check(b"a\xff\nb\n", r"<a\xff>LF <b>LF");
    check(b"\xff\r\nb\0", r"<\xff>CRLF <b>NUL");
    check(b"\xffb\xff\xebc\n", r"<\xffb\xff\xebc>LF");
    check(b"ab\xff\x08\x08c\n", "<ac>LF");
    check(b"ab\xff\x1b[Ac\n", r"<ab\xffc>LF");
    check(b"12345678\xff\n", "too-long discarded-Lf");
}

#[test]
fn a_subnegotiation_without_an_end_comes_to_one() {
    check(b"\xff\xfa\x18x\ny\xff\xf1a\n", "{}{}<a>LF");
    check(b"\xff\xfa\x18x\xff\xfa\x18\xff\xf0a\n", "{}{}<a>LF");
    check(b"\xff\xfa\x18x\xff\xfd\x01a\n", "{}{[ff, fc, 1]}<a>LF");
    check(b"\xff\xfa\x18x\xff\na\n", r"{}<\xff>LF <a>LF");
    let frame = |count: usize| {
        let bytes = [b"\xff\xfa", &vec![b'x'; count][..], b"a\n"].concat();
        let mut decoder = Decoder::new(4096, 16 * 4096);
        let (mut bytes, mut out) = (&bytes[..], String::new());
        while let Some(item) = decoder.next(&mut bytes) {
            note(&mut out, item);
        }
        out
    };
    assert_eq!(frame(1022), "{}bulk ");
    assert_eq!(frame(1023), "{}bulk <>LF ");
    assert_eq!(frame(1024), "{}bulk <a>LF ");
    assert_eq!(frame(1026), "{}bulk <xxa>LF ");
}

#[test]
fn telnets_keys_edit_the_line() {
    check(b"ab\xff\xf4c\n", "{}<c>LF");
    check(b"ab\xff\xf8c\n", "{}<c>LF");
    check("aé\n".as_bytes(), r"<a\xc3\xa9>LF");
    check(b"a\xc3\xa9\xff\xf7c\n", "{}<ac>LF");
    check(b"a\n\xff\xf4\xff\xf7\xff\xf8b\n", "<a>LF {}{}{}<b>LF");
}

#[test]
fn telnets_end_is_the_end_of_input() {
    check(b"a\nb\xff\xecc\n", "<a>LF {}<b>END end");
    check(b"a\n\xff\xecc\n", "<a>LF {}end");
    check(b"123456789\xff\xec", "too-long {}end");
    check(b"\xff\xec", "{}end");
}

#[test]
fn telnet_asks_whether_anybody_is_there() {
    check(b"a\xff\xf6b\n\xff\xf6", "{there?}<ab>LF {there?}");
}

#[test]
fn ctrl_c_of_a_telnet_client_is_answered_each_time() {
    let ctrl_c = b"\xff\xf4\xff\xfd\x06";
    check(&[&ctrl_c[..], &ctrl_c[..], b"a\n"].concat(), "{}{[ff, fc, 6]}{}{[ff, fc, 6]}<a>LF");
}

#[test]
fn ctrl_c_and_ctrl_u_empty_the_line_and_ctrl_w_takes_a_word() {
    check(b"ab\x03c\nd\x15\n", "<c>LF <>LF");
    check(b"\x15/r pw\n", "</r pw>LF");
    check(b"ab cd\x17e\n", "<ab e>LF");
    check(b"ab cd \t\x17\x17e\n", "<e>LF");
    check(b" \x17\x17e\n", "<e>LF");
    check(b"x\n\x17\x03y\n", "<x>LF <y>LF");
}

#[test]
fn the_sequences_of_keys_vanish_whole() {
    check(b"\x1b[Aa\x1b[200~b\x1b[201~\n", "<ab>LF");
    check(b"\x1bOPa\x1b[1;5Cb\x1bO5Pc\n", "<abc>LF");
    check(b"\x1b[[Aa\x1b\x1b[Db\n", "<ab>LF");
    check(b"a\x1b\xff\xf1[\xff\xf1A\n", "{}{}<a>LF");
    // What is none stays.
    check(b"\x1bab\n", r"<\x1bab>LF");
    check(b"a\x1b\nb\n", r"<a\x1b>LF <b>LF");
    check(b"a\x1b\x08b\n", "<ab>LF");
    // What has no end loses what there is of it.
    check(b"a\x1b[12\nb\n", "<a>LF <b>LF");
    check(b"a\x1b[1\xe9b\n", r"<a\xe9b>LF");
    check(b"12345678\x1b\n", r"too-long discarded-Lf");
    check(b"a\x1b[12\x1b[Ab\x1bO\x1b\x0e\n", r"<ab\x1b\x0e>LF");
    let long = [b"a\x1b[", &b"1".repeat(64)[..], b"2b\n"].concat();
    check(&long, "<a2b>LF");
}

#[test]
fn what_the_mouse_and_the_answers_of_a_terminal_send_vanishes_whole() {
    check(b"\x1b[M !\"a\x1b[<0;3;1Mb\x1b[M`\xe9\x7fc\n", "<abc>LF");
    check(b"\x1b]11;rgb:00/ff/00\x07a\x1b]0;\xc3\xa9\x1b\\b\n", "<ab>LF");
    check(b"\x1bP1$r0m\x1b\\a\x1b_Gi=1;OK\x1b\\b\x1b[?2026;2$yc\n", "<abc>LF");
    // What begins otherwise stays.
    check(b"\x1b]a\x1bP\n\x1b_\n", r"<\x1b]a\x1bP>LF <\x1b_>LF");
    check(b"1234567\x1b]a\n", "too-long discarded-Lf");
    // Keys that send no more, and then a command.
    check(b"\x1b[M/a\n\x1b[/a\n\x1bO/a\n", "</a>LF </a>LF </a>LF");
    // What has no end ends with the line, or when it is too long for an answer.
    check(b"a\x1b]0;x\nb\x1b]0;x\x03c\n", "<a>LF <c>LF");
    let frame = |count: usize| frame(&[b"\x1b]", &vec![b'0'; count], b"\x07a\n"]);
    assert_eq!(frame(115), "<a>LF ");
    let mut decoder = Decoder::new(MAX, 4096);
    let mut bytes = &[b"\x1b]", &[b'0'; 201][..], b"\n"].concat()[..];
    assert_eq!(decoder.next(&mut bytes), Some(Item::Line(b"0", Some(Ending::Lf))));
}

#[test]
fn a_byte_order_mark_at_the_start_of_a_line_vanishes() {
    check(b"\xef\xbb\xbfa\n", "<a>LF");
    check(b"x\x15\xef\xbb\xbfa\n\xef\xbb\xbf", "<a>LF <>END");
    check(b"a\xef\xbb\xbf\n", r"<a\xef\xbb\xbf>LF");
}

#[test]
fn erasing_takes_a_code_point_and_never_the_line_before() {
    check(b"ab\x08c\n", "<ac>LF");
    check(b"a\x7f\x7f\x7fb\n", "<b>LF");
    check(b"x\n\x08y\n", "<x>LF <y>LF");
    check("aé\x08ü🦀\x7f.\n".as_bytes(), r"<a\xc3\xbc.>LF");
    check(b"a\xa9\xa9\x08\n", r"<a\xa9>LF");
    check(b"a\xc3\x08\x08\n", "<>LF");
    check(b"a\x08\n", "<>LF");
    check(b"ab\x08", "<a>END");
}

#[test]
fn a_line_may_be_as_long_as_the_limit_and_no_longer() {
    check(b"12345678\n", "<12345678>LF");
    check(b"12345678\r\n", "<12345678>CRLF");
    check(b"12345678\r", "<12345678>CRLF");
    check(b"123456789\nok\n", "too-long discarded-Lf <ok>LF");
    check(b"123456789\rok\n", "too-long discarded-CrLf <ok>LF");
    check(b"123456789012\r\nok\n", "too-long discarded-CrLf <ok>LF");
    check(b"123456789012\0ok\n", "too-long discarded-Nul <ok>LF");
    check(b"123456789", "too-long");
    check(b"12345678\xff\xf1\n", "{}<12345678>LF");
    check(b"12345678\x1b[A\n", "<12345678>LF");
}

#[test]
fn what_is_erased_again_does_not_make_a_line_long() {
    check(b"12345678\x089\n", "<12345679>LF");
    check(b"1234567890\x08\x08\x08\x08\nok\n", "too-long discarded-Lf <ok>LF");
    check(b"1\x082\x083\x084\x085\x086\x087\x088\x089\n", "<9>LF");
}

#[test]
fn bytes_without_an_end_come_to_one() {
    let many = |count| vec![b'x'; count];
    let after = |count, rest: &[u8]| [&many(count)[..], rest].concat();
    check(&after(16 * MAX, b"\nok\n"), "too-long discarded-Lf <ok>LF");
    check(&after(16 * MAX + 1, b"\nok\n"), "too-long endless");
    let erased = b"x\x08".repeat(8 * MAX);
    check(&[&erased[..], b"\nok\n"].concat(), "<>LF <ok>LF");
    check(&[&erased[..], b"x\nok\n"].concat(), "endless");
    let too_long_after_all = [&b"x\x08".repeat(8 * MAX)[..], b"123456789\nok\n"].concat();
    check(&too_long_after_all, "endless");
    let subnegotiation = [b"\xff\xfa", &many(16 * MAX)[..]].concat();
    check(&[&subnegotiation[..], b"\xff\xf0\nok\n"].concat(), "{}endless");
    // A connection may be kept alive in this way for as long as its client likes.
    let alive = [b"\xff\xf1".repeat(20 * MAX), b"ok\n".to_vec()].concat();
    assert_eq!(frame(&[&alive]).trim_start_matches("{}"), "<ok>LF ");
}

#[test]
fn each_kib_without_a_line_is_to_be_paid_for_whatever_it_consists_of() {
    let bulks = |piece: &[u8]| {
        let bytes = [b"ok\n", &piece.repeat(3072 / piece.len())[..], b"a\nok\n"].concat();
        let mut decoder = Decoder::new(4096, 16 * 4096);
        bytes.chunks(7).fold(0, |mut count, mut chunk| {
            while let Some(item) = decoder.next(&mut chunk) {
                count += usize::from(item == Item::Bulk);
            }
            count
        })
    };
    for piece in [
        &b"x"[..],
        b"x\x08",
        b"\x15\x03",
        b"\xff\xf1",
        b"\xff\xfd\x05",
        b"\x1b[A",
        b"\xff\xff",
        b"\xff\xfa\x01\x02\xff\xf0",
    ] {
        assert_eq!(bulks(piece), 3, "{}", piece.escape_ascii());
    }
}

#[test]
fn whatever_comes_and_in_whatever_pieces_it_is_the_same() {
    const BYTES: &[u8] = b"ab \n\r\0\x08\x7f\x03\x15\x17\x1b\x1b[OA1\xff\xff\xfd\xfb\xfa\xf0\xf7\xec\xf6\x01\x06\xc3\xa9";
    arbtest::arbtest(|u| {
        let mut input = Vec::new();
        for _ in 0..u.int_in_range(0..=300)? {
            input.push(*u.choose(BYTES)?);
        }
        let mut pieces = Vec::new();
        let mut left = &input[..];
        while !left.is_empty() {
            let (piece, rest) = left.split_at(u.int_in_range(1..=left.len().min(9))?);
            pieces.push(piece);
            left = rest;
        }
        assert_eq!(frame(&pieces), frame(&[&input]), "{}", input.escape_ascii());
        Ok(())
    });
}

#[test]
fn the_work_grows_with_the_bytes_whatever_the_pieces() {
    // Were the tail looked at again for every piece, this would take minutes.
    let mut decoder = Decoder::new(1 << 20, 16 << 20);
    let mut count = 0;
    for _ in 0..1 << 20 {
        let mut byte = &b"x"[..];
        while let Some(item) = decoder.next(&mut byte) {
            assert_eq!(item, Item::Bulk);
        }
        count += 1;
    }
    let mut end = &b"\n"[..];
    assert!(matches!(decoder.next(&mut end), Some(Item::Line(line, _)) if line.len() == count));
}

#[test]
fn there_may_be_no_limits_at_all() {
    let mut decoder = Decoder::new(usize::MAX, usize::MAX);
    assert_eq!(decoder.next(&mut &b"a"[..]), None);
    assert_eq!(decoder.next(&mut &b"b\n"[..]), Some(Item::Line(b"ab", Some(Ending::Lf))));
}
