//! Every test of the whole: one binary, a module a subject.

mod allocations;
mod binary;
mod client;
mod faults;
mod framing;
mod hand;
mod json;
mod pages;
mod sim;
mod tcp;
mod tidy;
mod transcript;
