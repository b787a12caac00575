//! Message content on its way in: the wire form decoded, its hops counted, our trace put on top.

mod decoder;
mod hops;
mod intake;
mod message_id;
mod trace;

pub use decoder::{Decoder, Piece};
pub use hops::HopCounter;
pub use intake::{too_big, Intake, Intook, Taken, Target};
pub use message_id::MessageId;
pub use trace::{received, return_path, Trace};
