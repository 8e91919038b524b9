//! What a monitor may ask: `/metrics`, `/livez` and `/readyz`, with GET or HEAD.
//!
//! Any `Host` will do: there are only numbers, and monitors call a server what they like.

use super::{HEAD, Parsed, parse, response, whole, without_body};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Probe {
    Metrics,
    Live,
    Ready,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) probe: Probe,
    /// Only the answer's head is wanted.
    is_head: bool,
}

/// The answer to a monitor that is one too many.
pub(crate) const TOO_MANY: &[u8] = b"There are too many probes.\n";

/// Reads a request; an error is a status and an answer. `None` if it is unfinished.
pub(crate) fn read(bytes: &[u8]) -> Option<Result<Request, (u16, Vec<u8>)>> {
    let answered = |status, headers| Some(Err((status, response(status, headers, ""))));
    let request = match parse(bytes) {
        Parsed::Unfinished => return None,
        Parsed::Refused(status, _) => return answered(status, ""),
        Parsed::Request(request, _) => request,
    };
    let is_head = request.method == HEAD;
    if request.method != "GET" && !is_head {
        return answered(405, "Allow: GET, HEAD\r\n");
    }
    let probe = match request.target.split('?').next() {
        Some("/metrics") => Probe::Metrics,
        Some("/livez") => Probe::Live,
        Some("/readyz") => Probe::Ready,
        _ if is_head => return Some(Err((404, without_body(response(404, "", ""))))),
        _ => return answered(404, ""),
    };
    Some(Ok(Request { probe, is_head }))
}

/// What it is answered with.
pub(crate) fn answer(request: Request, status: u16, text: &str) -> Vec<u8> {
    let kind = match request.probe {
        Probe::Metrics => "text/plain; version=0.0.4",
        Probe::Live | Probe::Ready => "text/plain",
    };
    let answer = whole(status, "", kind, text.as_bytes());
    if request.is_head { without_body(answer) } else { answer }
}
