//! The keys of a log, and of which type each is.

use std::time::Instant;

use super::connection::{Connection, Failure};

/// What Redis says of a command for another type of key.
const WRONG_TYPE: &str = "WRONGTYPE";

/// The names of the keys, all in one shard.
pub(super) struct Keys {
    all: [String; 7],
}

impl Keys {
    pub(super) fn new(cluster: &str) -> Keys {
        let names = ["head", "log", "said", "rooms", "names", "guests", "nodes"];
        Keys { all: names.map(|name| format!("{{{cluster}}}:{name}")) }
    }

    pub(super) fn all(&self) -> &[String] {
        &self.all
    }

    pub(super) fn log(&self) -> &str {
        &self.all[1]
    }

    pub(super) fn said(&self) -> &str {
        &self.all[2]
    }

    /// Says which key it is, if one is of another type than it has to be.
    pub(super) fn explain(
        &self,
        connection: &mut Connection,
        failure: Failure,
        by: Instant,
    ) -> Failure {
        if !is_wrong_type(&failure) {
            return failure;
        }
        for key in &self.all {
            let (kind, probe) = if [self.log(), self.said()].contains(&&**key) {
                ("stream", vec!["XRANGE", key, "-", "+", "COUNT", "1"])
            } else {
                ("hash", vec!["HGET", key, ""])
            };
            if connection.call_text(&probe, by).as_ref().is_err_and(is_wrong_type) {
                return Failure::Refused(not_a(kind, key));
            }
        }
        failure
    }
}

/// Whether a key is of another type than a command takes.
pub(super) fn is_wrong_type(failure: &Failure) -> bool {
    matches!(failure, Failure::Refused(why) if why.contains(WRONG_TYPE))
}

pub(super) fn not_a(kind: &str, key: &str) -> String {
    format!("{key} is to be a {kind}, and is something else; it has to be deleted")
}
