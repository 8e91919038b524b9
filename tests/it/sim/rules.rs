//! What the simulated chat is like, so small that a handful of clients runs into all of
//! it; and tokens that the clients can know.

use std::cell::Cell;
use std::time::Duration;

use chinwag::chat::Settings;

use super::rng::Rng;

/// What of the settings the model goes by.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub(super) greet_after: Option<Duration>,
    pub(super) history_lines: usize,
    pub(super) history_bytes: usize,
    pub(super) resume_for: Duration,
}

impl Rules {
    pub(super) fn tiny(rng: &mut Rng) -> Rules {
        let greet_after = *rng.pick(&[Some(0), Some(300), Some(1500), None]);
        Rules {
            greet_after: greet_after.map(Duration::from_millis),
            history_lines: *rng.pick(&[0, 0, 1, 3, 12, 200]),
            history_bytes: *rng.pick(&[40, 200, 64 << 10]),
            resume_for: Duration::from_millis(*rng.pick(&[0, 40, 700, 5000, 60_000, 60_000])),
        }
    }

    pub(super) fn settings(&self) -> Settings {
        Settings {
            greet_after: self.greet_after,
            history_lines: self.history_lines,
            history_bytes: self.history_bytes,
            resume_for: self.resume_for,
            // As many as come: what limits do the transcripts say.
            detached_per_addr: 1000,
            random: Some(fill_token),
            ..Settings::default()
        }
    }
}

thread_local! {
    /// How many tokens the chat of this thread's run has asked for.
    static TOKENS: Cell<u64> = const { Cell::new(0) };
}

/// A run begins: its tokens are those of every run.
pub(super) fn forget_tokens() {
    TOKENS.set(0);
}

/// How many tokens were given out in this run.
pub(super) fn tokens_given() -> u64 {
    TOKENS.get()
}

pub(super) fn fill_token(token: &mut [u8; 24]) {
    TOKENS.set(TOKENS.get() + 1);
    token.copy_from_slice(&token_bytes(TOKENS.get()));
}

fn token_bytes(number: u64) -> [u8; 24] {
    let words = [number, !number, number.wrapping_mul(0x9e37_79b9_7f4a_7c15)];
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
    bytes.try_into().expect("three times eight are twenty-four")
}

/// The token that was given out as the first, second and so on, as users read it.
pub(super) fn token(number: u64) -> String {
    let digit = |half: u8| char::from_digit(half.into(), 16).expect("it is less than sixteen");
    token_bytes(number).iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
