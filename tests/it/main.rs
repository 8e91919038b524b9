//! Every test of the whole: one binary, a module a subject.

mod allocations;
mod binary;
mod bus;
mod chance;
mod client;
mod cluster;
#[cfg(feature = "web")]
mod exposition;
mod faults;
#[cfg(feature = "web")]
mod frames;
mod framing;
mod hand;
mod hand_over;
mod json;
mod listeners;
#[cfg(feature = "web")]
mod metrics;
mod pages;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "tls")]
mod secure;
mod seeds;
mod sim;
mod tcp;
mod tidy;
#[cfg(all(feature = "tls", feature = "web"))]
mod tls;
mod transcript;
#[cfg(feature = "web")]
mod web;
#[cfg(feature = "web")]
mod wire;
