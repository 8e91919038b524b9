//! The head of an HTTP request, and what it is answered with: a page at `/`, WebSocket at `/ws`,
//! and nothing else. No I/O, and no connection.

pub(crate) mod probe;

use std::fmt::Write;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use crate::net::network::Network;
#[cfg(feature = "web")]
use crate::work;

/// The longest head that is read, in bytes.
pub(crate) const HEAD_MAX: usize = 8 << 10;

/// A head of more bytes than this is parsed again only once it has ended: parsing it with each byte
/// that comes would cost its length squared. Fewer bytes are enough to see whether it is a request
/// at all.
const START: usize = 64;

/// More headers than any browser and the proxies before it send.
#[cfg(feature = "web")]
const HEADERS_MAX: usize = 100;

/// The method that asks for an answer without its body.
const HEAD: &str = "HEAD";

#[cfg(feature = "web")]
const NO_REQUEST: &str = "This is no HTTP request.";

/// What in the query of `/ws` names another label than the listener's.
const LABEL_PARAMETER: &str = "dialect=";

/// Headers of all answers. A cache asks again each time, and a connection serves one request.
const COMMON: &str = "X-Content-Type-Options: nosniff\r\n\
                      Referrer-Policy: no-referrer\r\n\
                      Cross-Origin-Opener-Policy: same-origin\r\n\
                      Cache-Control: no-cache\r\n\
                      Connection: close\r\n";

/// What listeners for browsers serve, and to which hosts and origins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Web {
    /// What `GET /` is answered with, in HTML.
    pub page: String,
    /// Its `Content-Security-Policy`.
    pub policy: String,
    /// The names that `Host` may have, besides IP addresses and `localhost`. Any name would not do:
    /// somebody who points a name of theirs at this server could have their own page pass for its.
    pub hosts: Vec<String>,
    /// Pages that may connect besides this server's own: `https://chat.example`.
    pub origins: Vec<String>,
    /// Proxies. A request of theirs is for the client in `X-Forwarded-For`: its last address that
    /// is not a proxy's. By default there are none, and the header is ignored.
    pub proxies: Vec<Network>,
    /// What `/ws?dialect=LABEL` may ask for in place of the listener's label.
    pub labels: Vec<String>,
}

impl Web {
    /// Whether `X-Forwarded-For` of requests from this address is believed.
    pub(crate) fn is_proxy(&self, addr: IpAddr) -> bool {
        self.proxies.iter().any(|network| network.contains(addr))
    }
}

/// A request that has come whole.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// The client that it is for; `None`: the one that has connected.
    pub(crate) client: Result<Option<IpAddr>, NoAddress>,
    pub(crate) head: Head,
}

/// What a request comes to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Head {
    /// To be answered with this, and closed.
    Answered(u16, Vec<u8>),
    /// To be answered with this; what is behind `used` bytes is WebSocket.
    Upgraded {
        answer: Vec<u8>,
        /// What it is to be labelled with, if not as the listener.
        label: Option<String>,
        used: usize,
    },
}

/// A request, as far as it matters.
struct Request<'a> {
    method: &'a str,
    /// A host in the target of the request: it counts, and not `Host` (RFC 9112, 3.2.2).
    host: Option<&'a str>,
    /// The target, from its path on.
    target: &'a str,
    /// HTTP/1.0 knows no upgrades.
    may_upgrade: bool,
    /// Name and value.
    headers: Vec<(&'a str, &'a [u8])>,
}

impl Request<'_> {
    /// The values of a header.
    fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        let own = self.headers.iter().filter(move |(own, _)| own.eq_ignore_ascii_case(name));
        // What is no text is no value that anything is compared with.
        own.map(|(_, value)| str::from_utf8(value).unwrap_or("\u{fffd}"))
    }

    /// The value of a header that there is once.
    fn value(&self, name: &str) -> Option<&str> {
        let mut values = self.values(name);
        values.next().filter(|_| values.next().is_none())
    }

    /// Whether one of a header's words is this.
    fn has_word(&self, name: &str, word: &str) -> bool {
        let mut words = self.values(name).flat_map(|value| value.split(','));
        words.any(|own| own.trim().eq_ignore_ascii_case(word))
    }
}

/// What has come of reading a head.
enum Parsed<'a> {
    Unfinished,
    /// It is none, or too long.
    Refused(u16, &'static str),
    /// It takes so many bytes.
    Request(Request<'a>, usize),
}

/// Whether it is worth parsing a head again that was not complete with its first `before` bytes: it
/// has just begun, a blank line has come, or it is too long.
pub(crate) fn may_be_read(bytes: &[u8], before: usize) -> bool {
    let new = &bytes[before.saturating_sub(2).min(bytes.len())..];
    before < START || bytes.len() >= HEAD_MAX || has_blank_line(new)
}

fn has_blank_line(bytes: &[u8]) -> bool {
    let is_blank_line = |part: &[u8]| part.starts_with(b"\n\n") || part == b"\n\r\n";
    bytes.windows(3).any(is_blank_line) || bytes.ends_with(b"\n\n")
}

/// Reads a request from this address. `None` if it is unfinished.
pub(crate) fn read(bytes: &[u8], from: Option<IpAddr>, web: &Web) -> Option<Asked> {
    let refused = |status, why| Some(Asked { client: Err(NoAddress), head: plain(status, why) });
    let (request, used) = match parse(bytes) {
        Parsed::Unfinished => return None,
        Parsed::Refused(status, why) => return refused(status, why),
        Parsed::Request(request, used) => (request, used),
    };
    let is_forwarded = from.is_some_and(|from| web.is_proxy(from));
    let client = if is_forwarded { forwarded_for(&request, web) } else { Ok(None) };
    if client.is_err() {
        return refused(400, "X-Forwarded-For is a list of addresses.");
    }
    let head = match answer(&request, web, used) {
        Head::Answered(status, answer) if request.method == HEAD => {
            Head::Answered(status, without_body(answer))
        }
        head => head,
    };
    Some(Asked { client, head })
}

/// A proxy did not say which client its request is for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NoAddress;

/// The last address that is not a proxy's. Each proxy adds the address that it was asked by; what
/// is in front of those may be anybody's invention. If all are proxies', the first.
fn forwarded_for(request: &Request<'_>, web: &Web) -> Result<Option<IpAddr>, NoAddress> {
    let values: Vec<&str> = request.values("X-Forwarded-For").collect();
    let mut client = None;
    for text in values.iter().rev().flat_map(|value| value.rsplit(',')).map(str::trim) {
        let addr = address(text).ok_or(NoAddress)?;
        client = Some(addr);
        if !web.is_proxy(addr) {
            break;
        }
    }
    Ok(client)
}

/// Some proxies add a port, or brackets.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let with_port = || text.parse().map(|addr: SocketAddr| addr.ip());
    bare.parse().or_else(|_| with_port()).ok().map(|addr: IpAddr| addr.to_canonical())
}

/// What comes of the bytes does not depend on how they were split: mistakes behind the start wait
/// for the end of the head.
#[cfg(feature = "web")]
fn parse(bytes: &[u8]) -> Parsed<'_> {
    work::look_at(bytes.len());
    let bytes = &bytes[..bytes.len().min(HEAD_MAX)];
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut parsed = httparse::Request::new(&mut headers);
    let is_full = bytes.len() == HEAD_MAX;
    let used = match parsed.parse(bytes) {
        Err(_) if !is_begun(bytes) => return Parsed::Refused(400, NO_REQUEST),
        _ if is_blank(bytes) => return Parsed::Refused(431, ""),
        Ok(httparse::Status::Complete(used)) => used,
        Ok(httparse::Status::Partial) if !is_full => return Parsed::Unfinished,
        Err(_) if !is_full && !has_blank_line(bytes.trim_ascii_start()) => {
            return Parsed::Unfinished;
        }
        Ok(_) | Err(httparse::Error::TooManyHeaders) => return Parsed::Refused(431, ""),
        Err(_) => return Parsed::Refused(400, NO_REQUEST),
    };
    let headers = parsed.headers.iter().map(|header| (header.name, header.value)).collect();
    let (method, target) = (parsed.method.unwrap_or(""), parsed.path.unwrap_or(""));
    let (host, target) = absolute(target).map_or((None, target), |(host, path)| (Some(host), path));
    let may_upgrade = parsed.version == Some(1);
    Parsed::Request(Request { method, host, target, may_upgrade, headers }, used)
}

/// Host and path of a target that is a URL, as clients of a proxy send it.
#[cfg(feature = "web")]
fn absolute(target: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = target.split_once("://")?;
    let is_known = ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    is_known.then(|| rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len())))
}

/// Whether so many blank lines have come that no request follows.
#[cfg(feature = "web")]
fn is_blank(bytes: &[u8]) -> bool {
    let start = bytes.get(..=START);
    start.is_some_and(|start| start.iter().all(|byte| matches!(byte, b'\r' | b'\n')))
}

/// Whether what has come is a request as far as its start goes.
#[cfg(feature = "web")]
fn is_begun(bytes: &[u8]) -> bool {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut parsed = httparse::Request::new(&mut headers);
    bytes.get(..START).is_some_and(|start| parsed.parse(start).is_ok())
}

/// Nobody comes here: there are no such listeners.
#[cfg(not(feature = "web"))]
fn parse(_: &[u8]) -> Parsed<'_> {
    Parsed::Refused(404, "")
}

fn answer(request: &Request<'_>, web: &Web, used: usize) -> Head {
    let Some(host) = request.value("Host") else { return plain(400, "One Host is needed.") };
    let host = request.host.unwrap_or(host);
    if !is_allowed_host(host, &web.hosts) {
        return plain(403, "This host is not known here; --web-host makes it so.");
    }
    if !matches!(request.method, "GET" | HEAD) {
        return Head::Answered(405, response(405, "Allow: GET, HEAD\r\n", ""));
    }
    let (path, query) = request.target.split_once('?').unwrap_or((request.target, ""));
    match path {
        "/" | "" => Head::Answered(200, page(web)),
        "/ws" => upgrade(request, host, query, web, used),
        _ => plain(404, ""),
    }
}

fn upgrade(request: &Request<'_>, host: &str, query: &str, web: &Web, used: usize) -> Head {
    let is_upgrade = request.may_upgrade
        && request.method == "GET"
        && request.has_word("Upgrade", "websocket")
        && request.has_word("Connection", "upgrade");
    if !is_upgrade || request.value("Sec-WebSocket-Version") != Some("13") {
        let headers = "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
        return Head::Answered(426, response(426, headers, "WebSocket version 13 is spoken here."));
    }
    if !request.values("Origin").all(|origin| is_allowed_origin(origin, host, &web.origins)) {
        return plain(403, "This page may not connect; --origin makes it so.");
    }
    let mut parameters = query.split('&');
    let label = parameters.find_map(|parameter| parameter.strip_prefix(LABEL_PARAMETER));
    let known = |label: &str| web.labels.iter().find(|own| own.eq_ignore_ascii_case(label));
    let label = label.map(known);
    if label == Some(None) {
        return plain(400, &format!("As dialect there are {}.", web.labels.join(", ")));
    }
    let Some(accept) = request.value("Sec-WebSocket-Key").and_then(accept) else {
        return plain(400, "Sec-WebSocket-Key is 16 bytes in base64.");
    };
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    Head::Upgraded { answer: answer.into_bytes(), label: label.flatten().cloned(), used }
}

/// The answer to `Sec-WebSocket-Key`: only a server that speaks WebSocket gives it.
#[cfg(feature = "web")]
fn accept(key: &str) -> Option<String> {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use sha1::{Digest, Sha1};
    STANDARD.decode(key).ok().filter(|bytes| bytes.len() == 16)?;
    let whole = [key, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"].concat();
    Some(STANDARD.encode(Sha1::digest(whole)))
}

#[cfg(not(feature = "web"))]
fn accept(_: &str) -> Option<String> {
    None
}

/// An address cannot be pointed elsewhere, and `localhost` is not.
fn is_allowed_host(host: &str, known: &[String]) -> bool {
    let is_port = |port: &str| port.is_empty() || port.parse::<u16>().is_ok();
    if let Some((addr, rest)) = host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let is_rest = rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port);
        return is_rest && addr.parse::<Ipv6Addr>().is_ok();
    }
    let name = match host.split_once(':') {
        Some((name, port)) if is_port(port) => name,
        Some(_) => return false,
        None => host,
    };
    // A dot at the end says that nothing is to be added to a name.
    let name = name.strip_suffix('.').unwrap_or(name);
    let mut known = known.iter().map(String::as_str).chain(["localhost"]);
    name.parse::<IpAddr>().is_ok() || known.any(|known| known.eq_ignore_ascii_case(name))
}

/// The page is this server's own, or one that the configuration names.
fn is_allowed_origin(origin: &str, host: &str, known: &[String]) -> bool {
    let origin = without_default_port(origin);
    let is_it = |allowed: &str| without_default_port(allowed).eq_ignore_ascii_case(origin);
    is_it(&format!("http://{host}"))
        || is_it(&format!("https://{host}"))
        || known.iter().any(|known| is_it(known))
}

/// Browsers leave it out; some proxies add it to the host.
fn without_default_port(origin: &str) -> &str {
    let port = if origin.starts_with("https:") { ":443" } else { ":80" };
    origin.strip_suffix(port).unwrap_or(origin)
}

fn page(web: &Web) -> Vec<u8> {
    let headers = format!("Content-Security-Policy: {}\r\n", web.policy);
    whole(200, &headers, "text/html", web.page.as_bytes())
}

fn plain(status: u16, why: &str) -> Head {
    Head::Answered(status, response(status, "", why))
}

/// The answer to a client that is refused.
pub(crate) fn refusal(why: &[u8]) -> Vec<u8> {
    whole(503, "", "text/plain", why)
}

/// The answer to a client whose head takes too long.
pub(crate) fn late() -> Vec<u8> {
    response(408, "", "")
}

fn response(status: u16, headers: &str, why: &str) -> Vec<u8> {
    let text = if why.is_empty() { word(status) } else { why };
    whole(status, headers, "text/plain", format!("{text}\n").as_bytes())
}

fn whole(status: u16, headers: &str, kind: &str, body: &[u8]) -> Vec<u8> {
    let (word, len) = (word(status), body.len());
    let mut head = format!("HTTP/1.1 {status} {word}\r\n{COMMON}{headers}");
    write!(head, "Content-Type: {kind}; charset=utf-8\r\nContent-Length: {len}\r\n\r\n")
        .expect("a String takes everything");
    [head.as_bytes(), body].concat()
}

/// What HEAD is answered with.
fn without_body(mut answer: Vec<u8>) -> Vec<u8> {
    let end = memchr::memmem::find(&answer, b"\r\n\r\n");
    answer.truncate(end.map_or(answer.len(), |end| end + 4));
    answer
}

fn word(status: u16) -> &'static str {
    match status {
        200 => "OK",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        426 => "Upgrade Required",
        431 => "Request Header Fields Too Large",
        503 => "Service Unavailable",
        _ => "Bad Request",
    }
}

#[cfg(all(test, feature = "web"))]
mod tests;
