//! What is taken for another protocol, and what is not.

use super::*;
use crate::net::decoder::Decoder;

const FOREIGN: [(&[u8], Protocol); 99] = [
    (b"GET / HTTP/1.0\r\n\r\n", Protocol::Http),
    (b"\r\n\r\nGET / HTTP/1.0\r\n\r\n", Protocol::Http),
    (b" \t\r\n  GET / HTTP/1.1 \n", Protocol::Http),
    (b"\xff\xfb\x1f\xff\xfd\x03GET /a b HTTP/1.1\r\n", Protocol::Http),
    (b"GET / HTTP/1.1", Protocol::Http),
    (b"OPTIONS * HTTP/1.1\r\n", Protocol::Http),
    (b"CONNECT example.org:443 HTTP/1.1\r\n", Protocol::Http),
    (b"GET http://example.org/ HTTP/1.1\r\n", Protocol::Http),
    (b"PROPFIND /dav HTTP/1.1\r\n", Protocol::Http),
    (b"VERSION-CONTROL /dav HTTP/1.1\r\n", Protocol::Http),
    (b"FROB / HTTP/3\r\n", Protocol::Http),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Protocol::Http),
    (b"OPTIONS / RTSP/1.0\r\n", Protocol::Text),
    (b"DESCRIBE rtsp://example.org/cam RTSP/2.0\r\n", Protocol::Text),
    (b"OPTIONS sip:nm SIP/2.0\r\n", Protocol::Text),
    (b"REGISTER sip:example.org SIP/2.0\r\n", Protocol::Text),
    (b"SSH-2.0-OpenSSH_9.6\r\n", Protocol::Text),
    (b"RFB 003.008\n", Protocol::Text),
    (b"@RSYNCD: 31.0\n", Protocol::Text),
    (b"JDWP-Handshake", Protocol::Text),
    (b"*1\r\n$4\r\nPING\r\n", Protocol::Text),
    (b"CAP LS 302\r\nNICK bob\r\n", Protocol::Text),
    (b"CAP LS\n", Protocol::Text),
    (b"PASS secret\r\nNICK bob\r\n", Protocol::Text),
    (b"AUTH secret\r\n", Protocol::Text),
    (b"EHLO example.org\r\n", Protocol::Text),
    (b"CONNECT {\"user\":\"a\",\"pass\":\"b\"}\r\n", Protocol::Text),
    (b"<?xml version='1.0'?><stream:stream>", Protocol::Text),
    (b"<stream:stream to='example.org'>", Protocol::Text),
    (b"<policy-file-request/>\0", Protocol::Text),
    (b"<34>1 2003-10-11T22:14:15Z host su - - - failed\n", Protocol::Text),
    (b"<0>Oct 11 22:14:15 host kernel: panic\n", Protocol::Text),
    (b"003egit-upload-pack /p.git\0host=x\0", Protocol::Text),
    (b"PROXY TCP4 192.0.2.7 192.0.2.1 4001\r\n", Protocol::Proxy),
    (b"PROXY UDP6 2001:db8::7 ::1 4001 1337\r\n", Protocol::Proxy),
    (b"PROXY TCP4 192.0.2.7 192.0.2.1 4001 1337\r\n", Protocol::Proxy),
    (b"CAP REQ :sasl\r\n", Protocol::Text),
    (b"USER bob\r\nPASS secret\r\n", Protocol::Text),
    (b"HELO example.org\r\n", Protocol::Text),
    (b"LHLO example.org\r\n", Protocol::Text),
    (b"CAPA\r\n", Protocol::Text),
    (b"MODE READER\r\n", Protocol::Text),
    (b"BEGIN AUTH REQUEST\n/cvs\nbob\nAyuhedEIc\n", Protocol::Text),
    (b"CONNECT\nlogin:bob\npasscode:secret\n\n\0", Protocol::Text),
    (b"STOMP\naccept-version:1.2\n\n\0", Protocol::Text),
    (b"a001 LOGIN bob secret\r\n", Protocol::Text),
    (b". CAPABILITY\r\n", Protocol::Text),
    (b"Action: Login\r\nUsername: bob\r\nSecret: pw\r\n\r\n", Protocol::Text),
    (b"fox a 1 -1 fox hello\n{\n", Protocol::Text),
    (b"\x1b%-12345X@PJL INFO ID\r\n", Protocol::Text),
    (b"{\"id\":1,\"method\":\"mining.subscribe\"}\n", Protocol::Text),
    (b"{\"jsonrpc\":\"2.0\",\"method\":\"eth_x\"}\n", Protocol::Text),
    (b"43 <34>1 2003-10-11T22:14:15Z host su - - - x", Protocol::Text),
    (b"PROXY TCP4 256.0.2.7 10.0.0.1 1 1\r\n", Protocol::Proxy),
    (b"PROXY  TCP4 192.0.2.7  10.0.0.1 1 1\r\n", Protocol::Proxy),
    (b"PROXY\tTCP4\t192.0.2.7\t10.0.0.1\t1\t1\r\n", Protocol::Proxy),
    (b"PROXY TCP6 fe80::1%eth0 ::1 1 1\r\n", Protocol::Proxy),
    (b"NTLMSSP\0\x01\0\0\0", Protocol::Binary),
    (b"HELF \0\0\0", Protocol::Binary),
    (b"hrpc\x09\0\0", Protocol::Binary),
    (b"HBas\0P", Protocol::Binary),
    (b"\x7f\x7fICA\0", Protocol::Binary),
    (b"PROXY UNKNOWN\r\nhello\r\n", Protocol::Proxy),
    (b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c", Protocol::Proxy),
    (b"\x16\x03\x01\x02\x00\x01\x00", Protocol::Tls),
    (b"\x80\x2e\x01\x00\x02", Protocol::Binary),
    (b"\0", Protocol::Binary),
    (b"\n\0hello\0", Protocol::Binary),
    (b"\x7f\0", Protocol::Binary),
    (b"\xff\xfe\x68\x00\x65\x00", Protocol::Binary),
    (b"\xff\xfe\x3f\x04\x40\x04", Protocol::Binary),
    (b"\xff\xfe\0\0\x68\0\0\0", Protocol::Binary),
    (b"\xfe\xff\0h\0e", Protocol::Binary),
    (b"h\0e\0l\0l\0o\0\r\0\n\0", Protocol::Binary),
    (b"\x03\0\0\x13\x0e\xe0", Protocol::Binary),
    (b"\0\0\0\xa4\xffSMBr", Protocol::Binary),
    (b"0\x0c\x02\x01\x01`\x07", Protocol::Binary),
    (b"0\x84\0\0\0-\x02\x01\x07c", Protocol::Binary),
    (b"\0\0\0\x08\x04\xd2\x16\x2f", Protocol::Binary),
    (b"l\0\x0b\0\0\0", Protocol::Binary),
    (b"\x80\0\0(r\xfe\x1d\x13", Protocol::Binary),
    (b"\x01default\n", Protocol::Binary),
    (b"\x05\x01\0", Protocol::Binary),
    (b"\x04\x01\0\x16\x7f\0\0\x01", Protocol::Binary),
    (b"\x10\x10\0\x04MQTT\x04", Protocol::Binary),
    (b"\x12\x01\x004\0\0\0", Protocol::Binary),
    (b"GIOP\x01\0\x01\0", Protocol::Binary),
    (b"ZBXD\x01\x0a\0\0", Protocol::Binary),
    (b"TNMP\x04\0\0\0TNME", Protocol::Binary),
    (b"AMQP\0\0\x09\x01", Protocol::Binary),
    (b"ES\0\0\0\x2d", Protocol::Binary),
    (b"JRMI\0\x02K", Protocol::Binary),
    (b"TSH \0\0\0\xec", Protocol::Binary),
    (b"DmdT\0\0\0\x17", Protocol::Binary),
    (b":\0\0\0/\0\0\0", Protocol::Binary),
    (b"\xfe\x01\xfa", Protocol::Binary),
    (b"\xf9\xbe\xb4\xd9version\0", Protocol::Binary),
    (
        b"GET /a-path-that-is-longer-than-a-line-may-be-in-this-very-test/ HTTP/1.1\r\n",
        Protocol::Http,
    ),
    (
        b"PROXY TCP6 2001:db8:1111:2222:3333:4444:5555:6666 2001:db8::1 4001 1337\r\n",
        Protocol::Proxy,
    ),
];

const SPEECH: [&[u8]; 59] = [
    b"hello\n",
    b"GET well soon\n",
    b"GET / \r\n",
    b"get / HTTP/1.1\n",
    b"I love HTTP/1.1\r\n",
    b"WHY not use HTTP/1.1\r\n",
    b"HTTP/1.1\r\n",
    b"what is GET / HTTP/1.1\r\n",
    b"POST no bills/1\n",
    b"* hello\r\n",
    b"* 1\r\n",
    b"*1\n",
    b"*1*\r\n",
    b"SSH is down\r\n",
    b"SSH-2 is down\n",
    b"0 points\n",
    b"caf\xe9\r\n",
    b"\xff\xff\n",
    b"\xcc\xee\n",
    b"\ta tab\tor two\n",
    b"PROXY TCP4 is down\n",
    b"PASS it on\r\n",
    b"PASS\r\n",
    b"pass bob\n",
    b"CAPS LOCK\n",
    b"USER friendly it is\n",
    b"HELO everybody\r\n",
    b"HELO\r\n",
    b"STOMP your feet\n",
    b"connect\n",
    b"a1 login\n",
    b"2 NOOPS\n",
    b"{\"method\n",
    b"{\"type\":\"say\"}\n",
    b"Action: lights out\n",
    b"7 <3\n",
    b"PROXY or e.g. VPN\n",
    b"PROXY TCP4 1.5 times\n",
    b"EHLO\n",
    b"CONNECTED at last\n",
    b"<3 you all\n",
    b"<1337> is the port\n",
    b"<b>bold</b>\n",
    b"cafegit\n",
    b"es\0",
    b"PROXY settings, anybody?\r\n",
    b"AMQP\r\n",
    b"hello\x07\n",
    b"hi there\x01\n",
    b"hola\0",
    b"q\n",
    b"\x04\r\n\x1b[Ahello\r\0",
    b"\x1b[200~hello\x1b[201~\r\n",
    b"\x03\x15\x17hello\n",
    b"\x08\x7fhello\n",
    b"\xef\xbb\xbfhello\n",
    b"\xff\xfb\x1f\xff\xfa\x1f\0\x50\0\x18\xff\xf0\r\n\r\0/nick ann\r\n",
    // Telnet's DONT, even where the next byte is a letter: a text in UTF-16 has a zero there.
    b"\xff\xfe\x01hello\n",
    b"\xff\xfehello\n",
];

/// What comes of bytes that arrive in these pieces, and then end.
fn sniff<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Verdict {
    let (mut sniffer, mut decoder) = (Sniffer::default(), Decoder::new(64, 1024));
    for piece in pieces {
        if let Some(protocol) = sniffer.read(piece) {
            return Verdict::Foreign(protocol);
        }
        let mut left = piece;
        while let Some(item) = decoder.next(&mut left) {
            match sniffer.judge(item) {
                Verdict::Undecided => {}
                verdict => return verdict,
            }
        }
    }
    decoder.finish().map_or(Verdict::Undecided, |item| sniffer.judge(item))
}

/// However they are split.
fn check(bytes: &[u8], verdict: Verdict) {
    let what = bytes.escape_ascii();
    assert_eq!(sniff([bytes].into_iter()), verdict, "{what}");
    assert_eq!(sniff(bytes.chunks(1)), verdict, "{what}, byte by byte");
    for cut in 1..bytes.len() {
        let (start, rest) = bytes.split_at(cut);
        assert_eq!(sniff([start, rest].into_iter()), verdict, "{what}, cut at {cut}");
    }
}

#[test]
fn other_protocols_are_recognised_however_they_are_split() {
    for (bytes, protocol) in FOREIGN {
        check(bytes, Verdict::Foreign(protocol));
    }
    for byte in (0..32).filter(|byte| !b"\t\r\n\x08\x1b\x03\x04\x15\x17".contains(byte)) {
        let expected = if byte == 0x16 { Protocol::Tls } else { Protocol::Binary };
        check(&[byte, b'h', b'i', b'\n'], Verdict::Foreign(expected));
    }
}

#[test]
fn what_people_say_first_stays_speech_however_it_is_split() {
    for line in SPEECH {
        check(line, Verdict::Lines);
    }
    for blank in [&b""[..], b"\r\n\r\n", b" \t\n", b"\x04\n", b"\xff\xfb\x1f", b"\r\0\n"] {
        check(blank, Verdict::Undecided);
    }
    let long = [&b"GETTING "[..], &[b'x'; 100], b"\nhello\n"].concat();
    check(&long, Verdict::Lines);
}

#[test]
fn nothing_is_kept_of_who_is_silent_or_has_sent_blank_lines() {
    for bytes in [&b""[..], b"\n", b"\n\n", b"\r\n\r\n\r\n", b" \t\n", b"\n\xff\xf9"] {
        let mut sniffer = Sniffer::default();
        assert_eq!(sniffer.read(bytes), None);
        assert!(sniffer.is_new(), "{}", bytes.escape_ascii());
    }
}
