//! What the server says about itself.

pub mod http;
pub mod log;
pub mod metrics;
pub mod record;
