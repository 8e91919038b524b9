//! Every test of the whole: one binary, a module a subject.

mod binary;
mod framing;
mod sim;
mod tcp;
mod tidy;
mod transcript;
