//! Wire formats to and from the nouns of `llm`.
//!
//! Lives here: one folder per dialect, SSE framing, and the reading of retry advice and quotas.
//! Receives bytes; hands on requests, frames, progress and failures, or bytes again.
//! Must never be here: async, sockets, clocks, routing, policy.

mod advice;
pub mod anthropic;
mod depth;
mod fold;
pub mod gemini;
pub mod openai_chat;
mod quirks;
mod reader;
mod render;
pub mod responses;
mod said;
mod shape;
mod sse;
mod text;

pub use advice::{Quotas, quotas, retry_after};
pub use fold::Fold;
pub use openai_chat::Rendered;
pub use quirks::Quirks;
pub use reader::{Reader, read_answer, read_deltas};
pub use render::{as_event, render};
pub use said::{Ending, Head, Unread, Unsayable, Written};
