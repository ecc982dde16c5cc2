//! Wire formats to and from the nouns of `llm`.
//!
//! Lives here: one folder per dialect, SSE framing, and the reading of retry advice and quotas.
//! Receives bytes; hands on requests, frames, progress and failures, or bytes again.
//! Must never be here: async, sockets, clocks, routing, policy.

mod advice;
mod answers;
pub mod anthropic;
mod asked;
pub mod bedrock;
pub mod cohere;
pub mod completions;
mod counts;
mod decoder;
mod depth;
mod escapes;
mod essential;
mod fields;
mod fold;
mod gatherer;
pub mod gemini;
mod hints;
mod hosted;
mod json;
mod left_out;
mod literal;
pub mod ollama;
pub mod openai_chat;
pub mod other;
mod own_words;
mod place;
mod plain;
mod quirks;
mod reader;
mod render;
pub mod responses;
mod revised;
mod runs;
mod said;
mod shape;
mod sse;
mod stand_in;
mod stream;
mod template;
mod text;
mod thin;
mod translated;
mod vectors;
pub mod websocket;
mod writer;

pub use advice::{Quotas, limits, quotas, retry_after};
pub use answers::{Answers, ERROR_NAME, Whole};
pub use asked::{correction_for, head_for, request_for, terms};
pub use counts::{counts, wants_a_count};
pub use decoder::StreamDecoder;
pub use escapes::{escaped, unescaped};
pub use fold::Fold;
pub use gatherer::Gatherer;
pub use openai_chat::Rendered;
pub use quirks::Quirks;
pub use reader::{Reader, each_data, read_answer, read_deltas};
pub use render::{as_event, render};
pub use revised::{Revision, revised, revised_stream};
pub use said::{Ending, Head, Unread, Unsayable, Written};
pub use stand_in::stand_in;
pub use stream::Stream;
pub use translated::Translated;
pub use vectors::{gives_vectors, wants_vectors};
pub use writer::{Writer, write_answer};
