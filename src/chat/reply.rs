//! What the server says to one user. Each sentence is a function, and has its text, its code for
//! programs and its severity in one place; the files are by subject.

mod accounts;
mod cluster;
mod operators;
mod people;
mod rooms;
mod sentence;
mod server;

pub(super) use accounts::*;
pub(super) use cluster::*;
pub(super) use operators::*;
pub(super) use people::*;
pub(super) use rooms::*;
pub(super) use sentence::{Reply, Span};
pub(super) use server::*;
