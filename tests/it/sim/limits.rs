//! Limits so small that a handful of clients runs into all of them.

use std::time::Duration;

use chinwag::Limits;

use super::rng::Rng;

/// As many times as nobody here ever makes use of.
const MANY: u32 = 1_000_000;

/// Whether those of one address may have to wait for each other.
pub(super) fn share_a_rate(limits: &Limits) -> bool {
    limits.per_ip_rate < MANY
}

pub(super) fn tiny_limits(rng: &mut Rng) -> Limits {
    let queue_soft = *rng.pick(&[0, 30, 100, 300]);
    let queue_park = queue_soft + *rng.pick(&[0, 1, 100, 600, 50_000]);
    // Lines that cost more than one of the others do, where they do not cut off whoever
    // gets an answer.
    let line_max = if rng.one_in(6) { 2100 } else { *rng.pick(&[24, 72, 200]) };
    let chunks: &[usize] = if line_max > 1024 { &[64, 1024] } else { &[1, 2, 7, 64, 1024] };
    let queue_max = queue_park + *rng.pick(&[0, 100, 300, 3000]) + 2 * (line_max / 1024) * 1024;
    let limits = Limits::default().with(|it| {
        it.line_max = line_max;
        it.queue_soft = queue_soft;
        it.queue_park = queue_park;
        it.queue_max = queue_max;
        it.log_max = *rng.pick(&[1, 100, 1000, 100_000]);
        it.delivery_budget = *rng.pick(&[1, 10, 1_000_000]);
        it.fresh_max = *rng.pick(&[1, 100, 1000, 100_000]);
        it.chunk = *rng.pick(chunks);
        it.read_budget = rng.between(1, 4);
        it.line_budget = *rng.pick(&[1, 5, 64]);
        it.tick_budget = rng.between(1, 3);
        it.write_budget = rng.between(1, 5);
        it.accept_budget = 1;
        it.drain_time = Duration::from_millis(*rng.pick(&[10, 300, 5000]));
        it.refused_max = rng.below(3);
        it.last_words_time = Duration::from_millis(*rng.pick(&[100, 3000, 60_000]));
        it.linger_time = Duration::from_millis(*rng.pick(&[5, 100, 1000]));
        it.rate = None;
        it.stall_time = Duration::from_secs(*rng.pick(&[1, 10, 60]));
    });
    let mut rng = rng.fork();
    limits.with(|it| {
        // In whole nanoseconds a token.
        it.rate = *rng.pick(&[None, None, None, Some(1), Some(2), Some(5), Some(20)]);
        it.idle_time =
            rng.pick(&[None, None, None, Some(1), Some(3), Some(20)]).map(Duration::from_secs);
        it.per_ip_max = *rng.pick(&[1, 2, 3, 32]);
        it.limit_loopback = rng.one_in(3);
        it.per_ip_rate = *rng.pick(&[1, 2, MANY, MANY, MANY]);
        it.connect_rate = *rng.pick(&[None, None, Some(1), Some(4)]);
        it.refusal_rate = *rng.pick(&[None, None, Some(1), Some(4)]);
        it.input_total = *rng.pick(&[0, 100, 1 << 20]);
        it.handshake_time = Duration::from_millis(*rng.pick(&[10, 300, 5000]));
        // Most often one.
        it.handshake_budget = *rng.pick(&[1, 2, 16]).min(rng.pick(&[1, 8]));
        it.draining_max = *rng.pick(&[0, 1, 3, 256]);
        it.queue_total = if rng.one_in(4) { rng.between(0, 2000) } else { 256 << 20 };
    })
}
