//! What the fuzz targets have in common, and what is too long for one of their files:
//! how bytes decide, what may be sent to anybody, and a world of streams in memory around
//! the server's own hub and chat.

pub mod browser;
pub mod decisions;
pub mod framing;
pub mod output;
pub mod records;
pub mod room;
pub mod stream;
pub mod watched;
pub mod world;
