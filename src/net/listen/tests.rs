//! What a listener is set to, and what it does about accepts that fail and connect floods.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv6Addr};

use super::*;
use crate::net::transport::Transport;

#[test]
fn a_listener_goes_on_rests_or_tries_again_later_as_the_error_has_it() {
    let now = Instant::now();
    let (mut listener, _) = Listener::bind(([127, 0, 0, 1], 0).into(), "", None).unwrap();
    let (econnaborted, eagain, emfile, ebadf) = (103, 11, 24, 9);
    let mut after = |code| {
        listener.mark_ready();
        let error = io::Error::from_raw_os_error(code);
        let is_broken = listener.failed(now, error).is_err();
        let state = (listener.is_ready(), listener.retry_at, is_broken);
        listener.retry();
        (state, listener.is_ready())
    };
    assert_eq!(after(econnaborted), ((true, None, false), true));
    assert_eq!(after(eagain), ((false, None, false), false));
    assert_eq!(after(emfile), ((false, Some(now + RETRY), false), true));
    assert_eq!(after(ebadf), ((true, None, true), true));
}

#[test]
fn a_spare_descriptor_that_somebody_else_took_is_taken_back() {
    let (mut listener, _) = Listener::bind(([127, 0, 0, 1], 0).into(), "", None).unwrap();
    let mut spare = Spare(None);
    let accepted = listener.accept(Instant::now(), &mut spare, b"").unwrap();
    assert!(matches!(accepted, Incoming::Nobody));
    assert!(spare.0.is_some());
}

#[test]
fn who_is_rejected_reads_why_and_what_they_have_sent_makes_no_reset_of_it() {
    let (mut listener, addr) = Listener::bind(([127, 0, 0, 1], 0).into(), "", None).unwrap();
    let mut client = std::net::TcpStream::connect(addr).unwrap();
    client.write_all(b"hello\n").unwrap();
    let accepted = listener.accept(Instant::now(), &mut Spare::new(), b"").unwrap();
    let Incoming::Stream(stream, _) = accepted else { panic!("somebody has connected") };
    reject(stream, b"Server is full.\n");
    let mut told = String::new();
    client.read_to_string(&mut told).unwrap();
    assert_eq!(told, "Server is full.\n");
    let error = client.take_error().unwrap();
    assert!(error.is_none(), "{error:?}");
}

/// Both ends of a connection.
fn connected() -> (Socket, std::net::TcpStream) {
    let (mut listener, addr) = Listener::bind(([127, 0, 0, 1], 0).into(), "", None).unwrap();
    let client = std::net::TcpStream::connect(addr).unwrap();
    let accepted = listener.accept(Instant::now(), &mut Spare::new(), b"").unwrap();
    let Incoming::Stream(stream, _) = accepted else { panic!("somebody has connected") };
    (stream, client)
}

/// How it is set.
fn options(stream: &Socket) -> socket2::SockRef<'_> {
    let Socket::Tcp(inner) = stream else { panic!("it listens on a port") };
    socket2::SockRef::from(inner)
}

#[test]
fn what_a_listener_is_set_to_holds_for_who_is_accepted() {
    let (mut stream, _client) = connected();
    let socket = options(&stream);
    assert!(socket.tcp_nodelay().unwrap() && socket.out_of_band_inline().unwrap());
    assert_eq!(socket.send_buffer_size().unwrap(), 2 * SEND_BUFFER);
    // A minute, and four times a quarter of one: two minutes, and so for what was sent.
    assert!(socket.keepalive().unwrap());
    assert_eq!(socket.tcp_keepalive_time().unwrap(), Duration::from_mins(1));
    assert_eq!(socket.tcp_keepalive_interval().unwrap(), Duration::from_secs(15));
    assert_eq!(socket.tcp_keepalive_retries().unwrap(), 4);
    assert_eq!(socket.tcp_user_timeout().unwrap(), Some(Duration::from_mins(2)));
    // A slow consumer has longer, while it is behind.
    stream.disable_user_timeout(true);
    assert_eq!(options(&stream).tcp_user_timeout().unwrap(), None);
    stream.disable_user_timeout(false);
    assert_eq!(options(&stream).tcp_user_timeout().unwrap(), Some(Duration::from_mins(2)));
}

#[test]
fn a_socket_that_is_to_acknowledge_waits_for_no_answer() {
    let (mut stream, _client) = connected();
    options(&stream).set_tcp_quickack(false).unwrap();
    assert!(!options(&stream).tcp_quickack().unwrap());
    stream.acknowledge();
    assert!(options(&stream).tcp_quickack().unwrap());
}

#[test]
fn an_accept_error_is_judged_by_whom_it_concerns() {
    let judge = |code| match verdict(&io::Error::from_raw_os_error(code)) {
        Verdict::Nobody => "nobody",
        Verdict::GoOn => "go on",
        Verdict::Exhausted => "exhausted",
        Verdict::Broken => "broken",
    };
    let (eintr, econnaborted, eproto, eperm, enetunreach) = (4, 103, 71, 1, 101);
    let of_networks = [100, 110, 112, 113, 104, 92, 95, 64];
    let of_the_next = [eintr, econnaborted, eproto, eperm, enetunreach];
    for code in of_the_next.into_iter().chain(of_networks) {
        assert_eq!(judge(code), "go on", "{code}");
    }
    let (emfile, enfile, enobufs, enomem) = (24, 23, 105, 12);
    for code in [emfile, enfile, enobufs, enomem] {
        assert_eq!(judge(code), "exhausted", "{code}");
    }
    let (ebadf, einval, eagain) = (9, 22, 11);
    assert_eq!((judge(ebadf), judge(einval), judge(eagain)), ("broken", "broken", "nobody"));
}

/// Connects from an address without waiting for it: on this machine the kernel has passed it on to
/// the listener by then, or dropped it, unless it has a lot to do.
fn connect(from: IpAddr, to: SocketAddr) -> socket2::Socket {
    let socket = socket2::Socket::new(Domain::for_address(to), Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::new(from, 0).into()).unwrap();
    socket.set_nonblocking(true).unwrap();
    let _ = socket.connect(&to.into());
    socket
}

/// Who is accepted next.
fn accepted(listener: &mut Listener) -> Option<IpAddr> {
    match listener.accept(Instant::now(), &mut Spare::new(), b"").unwrap() {
        Incoming::Stream(_, origin) => Some(origin.ip().unwrap()),
        _ => None,
    }
}

#[test]
fn the_kernel_drops_the_connects_of_an_address_that_floods_and_of_no_other() {
    let now = Instant::now();
    let loopback = |last| IpAddr::from([127, 0, 0, last]);
    for (bound, flooding) in [
        (loopback(1), vec![loopback(2), loopback(3)]),
        (Ipv6Addr::UNSPECIFIED.into(), vec![loopback(2), Ipv6Addr::LOCALHOST.into()]),
    ] {
        // There may be no IPv6 here.
        let Ok((mut listener, addr)) = Listener::bind(SocketAddr::new(bound, 0), "", None) else {
            continue;
        };
        let to = |from: IpAddr| {
            let other = if from.is_ipv4() { loopback(1) } else { Ipv6Addr::LOCALHOST.into() };
            SocketAddr::new(other, addr.port())
        };
        let origin = |from| Origin::from(SocketAddr::new(from, 1));
        let may_connect = |listener: &mut Listener, from| {
            let _dropped_or_not = connect(from, to(from));
            let _bystander = connect(loopback(4), to(loopback(4)));
            let by = Instant::now() + Duration::from_mins(1);
            let mut all = Vec::new();
            while !all.contains(&loopback(4)) {
                assert!(Instant::now() < by, "the bystander never comes");
                all.extend(accepted(listener));
            }
            all == [from, loopback(4)]
        };
        for &from in &flooding {
            assert!(may_connect(&mut listener, from));
            for count in 1..flood::MANY {
                assert!(listener.count_reset(origin(from), now), "{count}");
            }
            assert!(may_connect(&mut listener, from), "{from}");
            assert!(!listener.count_reset(origin(from), now));
            assert!(!may_connect(&mut listener, from), "{from}");
        }
        let over = listener.next().unwrap();
        assert_eq!(over, now + flood::PERIOD);
        listener.end_flood(over);
        assert!(listener.next().is_none());
        assert!(flooding.iter().all(|&from| may_connect(&mut listener, from)));
        // Another process that takes the socket over knows nothing of the flood.
        (0..flood::MANY).for_each(|_| _ = listener.count_reset(origin(flooding[0]), now));
        assert!(!may_connect(&mut listener, flooding[0]));
        let (mut heir, _) = Listener::bind(addr, "", Some(listener.socket)).unwrap();
        assert!(may_connect(&mut heir, flooding[0]));
    }
}
