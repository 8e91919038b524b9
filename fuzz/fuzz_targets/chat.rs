//! The server's own hub and chat keep their promises whatever clients, network and time
//! do. The input decides what that is; `world.rs` says how.
#![no_main]

use chinwag_fuzz::world::World;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    World::new(input).run();
});
