//! What a monitor may ask: `/metrics`, `/livez` and `/readyz`, with GET or HEAD.
//!
//! Any `Host` will do: there are only numbers, and monitors call a server what they like.

use super::{Parsed, parse, response, whole};

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
    if request.method != "GET" && request.method != "HEAD" {
        return answered(405, "Allow: GET, HEAD\r\n");
    }
    let probe = match request.target.split('?').next() {
        Some("/metrics") => Probe::Metrics,
        Some("/livez") => Probe::Live,
        Some("/readyz") => Probe::Ready,
        _ => return answered(404, ""),
    };
    Some(Ok(Request { probe, is_head: request.method == "HEAD" }))
}

/// What it is answered with.
pub(crate) fn answer(request: Request, status: u16, text: &str) -> Vec<u8> {
    let kind = match request.probe {
        Probe::Metrics => "text/plain; version=0.0.4",
        Probe::Live | Probe::Ready => "text/plain",
    };
    let mut answer = whole(status, "", kind, text.as_bytes());
    if request.is_head {
        answer.truncate(answer.len() - text.len());
    }
    answer
}
