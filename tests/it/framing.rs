//! The same lines come out whatever the pieces that the bytes come in: every input is
//! cut at every place, and at every two places.

use chinwag::{Ending, LineSplitter, Piece, Telnet, Token};
use std::fmt::Write;

const MAX: usize = 8;

/// Feeds the pieces as the loop does, and writes down what comes out: lines in angle
/// brackets with the name of their ending, answers in braces.
fn frame(pieces: &[&[u8]]) -> String {
    let mut telnet = Telnet::default();
    let mut lines = LineSplitter::new(MAX, 16 * MAX);
    let mut out = String::new();
    for mut bytes in pieces.iter().copied() {
        while let Some(token) = telnet.next(&mut bytes) {
            let mut data: &[u8] = b"";
            match token {
                Token::Data(bytes) => data = bytes,
                Token::Erase => lines.erase(),
                Token::Command(count, answer) => {
                    if let Some(answer) = answer {
                        write!(out, "{{{answer:x?}}}").unwrap();
                    }
                    lines.skip(count);
                }
            }
            while let Some(piece) = lines.next(&mut data) {
                note(&mut out, piece);
                if piece == Piece::Endless {
                    return out;
                }
            }
        }
    }
    if let Some(piece) = lines.finish() {
        note(&mut out, piece);
    }
    out
}

fn note(out: &mut String, piece: Piece<'_>) {
    match piece {
        Piece::Line(line, ending) => {
            let ending = match ending {
                Some(Ending::Lf) => "LF",
                Some(Ending::CrLf) => "CRLF",
                Some(Ending::Nul) => "NUL",
                None => "END",
            };
            write!(out, "<{}>{ending} ", line.escape_ascii())
        }
        Piece::TooLong => write!(out, "too-long "),
        Piece::Discarded(ending, _) => write!(out, "discarded-{ending:?} "),
        Piece::Endless => write!(out, "endless"),
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
fn a_cr_elsewhere_is_part_of_the_line() {
    check(b"a\rb\n", r"<a\rb>LF");
    check(b"a\r\r\n", r"<a\r>CRLF");
    check(b"\ra\n", r"<\ra>LF");
}

#[test]
fn an_unfinished_line_counts_at_the_end_of_input() {
    check(b"a\nb", "<a>LF <b>END");
    check(b"b\r", "<b>END");
    check(b"a\n", "<a>LF");
}

#[test]
fn telnet_is_taken_out_wherever_it_stands() {
    check(b"a\xff\xf1b\n", "<ab>LF");
    check(b"a\xff\xffb\n", r"<a\xffb>LF");
    check(b"\xff\xfd\x01a\n\xff\xfd\x01", "{[ff, fc, 1]}<a>LF");
    check(b"\xff\xfb\x1f\xff\xfb\x1f\xff\xfd\x1fa\n", "{[ff, fe, 1f]}{[ff, fc, 1f]}<a>LF");
    check(b"\xff\xfe\x01\xff\xfc\x01a\n", "<a>LF");
    check(b"a\xff\xfa\x18\x00x\nx\xff\xff\xff\xf0b\n", "<ab>LF");
    check(b"a\xff", "<a>END");
}

#[test]
fn ctrl_c_of_a_telnet_client_is_answered_each_time() {
    let ctrl_c = b"\xff\xf4\xff\xfd\x06";
    check(&[&ctrl_c[..], &ctrl_c[..], b"a\n"].concat(), "{[ff, fc, 6]}{[ff, fc, 6]}<a>LF");
}

#[test]
fn erasing_takes_a_code_point_and_never_the_line_before() {
    check(b"ab\x08c\n", "<ac>LF");
    check(b"a\x7f\x7f\x7fb\n", "<b>LF");
    check(b"x\n\x08y\n", "<x>LF <y>LF");
    check("aé\x08ü🦀\x7f.\n".as_bytes(), r"<a\xc3\xbc.>LF");
    check(b"a\xa9\xa9\x08\n", r"<a\xa9>LF");
    check(b"a\xc3\x08\x08\n", "<>LF");
    check(b"a\r\x08\n", "<a>LF");
    check(b"a\x08\n", "<>LF");
    check(b"ab\x08", "<a>END");
}

#[test]
fn a_line_may_be_as_long_as_the_limit_and_no_longer() {
    check(b"12345678\n", "<12345678>LF");
    check(b"12345678\r\n", "<12345678>CRLF");
    check(b"12345678\r", "<12345678>END");
    check(b"123456789\nok\n", "too-long discarded-Lf <ok>LF");
    check(b"12345678\r9\nok\n", "too-long discarded-Lf <ok>LF");
    check(b"12345678\r\r\nok\n", "too-long discarded-CrLf <ok>LF");
    check(b"123456789012\r\nok\n", "too-long discarded-CrLf <ok>LF");
    check(b"123456789012\0ok\n", "too-long discarded-Nul <ok>LF");
    check(b"123456789", "too-long");
    check(b"12345678\xff\xf1\n", "<12345678>LF");
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
    let subnegotiation = [b"\xff\xfa", &many(16 * MAX - 2)[..]].concat();
    check(&[&subnegotiation[..], b"\xff\xf0\nok\n"].concat(), "endless");
}

#[test]
fn whatever_comes_and_in_whatever_pieces_it_is_the_same() {
    const BYTES: &[u8] = b"ab\n\r\0\x08\x7f\xff\xff\xfd\xfb\xfa\xf0\x01\x06\xc3\xa9";
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
    let mut lines = LineSplitter::new(1 << 20, 16 << 20);
    let mut count = 0;
    for _ in 0..1 << 20 {
        assert_eq!(lines.next(&mut &b"x"[..]), None);
        count += 1;
    }
    let mut end = &b"\n"[..];
    assert!(matches!(lines.next(&mut end), Some(Piece::Line(line, _)) if line.len() == count));
}

#[test]
fn there_may_be_no_limits_at_all() {
    let mut lines = LineSplitter::new(usize::MAX, usize::MAX);
    assert_eq!(lines.next(&mut &b"a"[..]), None);
    assert_eq!(lines.next(&mut &b"b\n"[..]), Some(Piece::Line(b"ab", Some(Ending::Lf))));
}
