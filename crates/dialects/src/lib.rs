//! Wire formats to and from the nouns of `llm`.
//!
//! Lives here: one folder per dialect, SSE framing, and the reading of retry advice.
//! Receives bytes; hands on requests, frames, progress and failures, or bytes again.
//! Must never be here: async, sockets, clocks, routing, policy.

mod depth;
pub mod openai_chat;
mod quirks;
mod retry_after;
mod sse;

pub use quirks::Quirks;
pub use retry_after::retry_after;
