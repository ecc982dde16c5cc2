//! OpenAI chat completions, and everything that calls itself compatible with it.
//!
//! Wire facts: OpenAI's published OpenAPI document 2.3.0 (`CreateChatCompletionRequest`,
//! `CreateChatCompletionStreamResponse`, `Error`), and the deviations of compatible servers that each file names.

mod answer;
mod chunk;
mod error;
mod request;
mod shape;
mod stream;
mod template;

pub use answer::read_whole;
pub use error::{Rendered, as_event, read_error, render};
pub use request::{decode, with_model};
pub use stream::{Ending, StreamDecoder};

/// The path of this operation below a provider's base address.
pub const PATH: &str = "/chat/completions";

/// The terminator of a stream.
pub const DONE: &[u8] = b"data: [DONE]\n\n";
