//! Every test of the whole: one binary, a module a subject.

mod allocations;
mod binary;
mod client;
#[cfg(feature = "web")]
mod exposition;
mod faults;
mod framing;
mod hand;
mod json;
#[cfg(feature = "web")]
mod metrics;
mod pages;
mod sim;
mod tcp;
mod tidy;
mod transcript;
#[cfg(feature = "web")]
mod web;
#[cfg(feature = "web")]
mod wire;
