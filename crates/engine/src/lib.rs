//! From a plan to a reply.
mod sink;
pub use sink::Sink;
