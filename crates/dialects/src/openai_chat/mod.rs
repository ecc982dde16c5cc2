//! OpenAI chat completions, and everything that calls itself compatible with it.
//!
//! Wire facts: OpenAI's published OpenAPI document 2.3.0 (`CreateChatCompletionRequest`,
//! `CreateChatCompletionStreamResponse`, `Error`), and the deviations of compatible servers that each file names.

pub(crate) mod answer;
pub(crate) mod assemble;
mod chunk;
mod continuation;
mod corrected;
mod error;
pub(crate) mod mended;
mod obstacle;
pub(crate) mod prompt;
mod raw;
pub(crate) mod request;
mod seal;
mod splice;
mod stream;
mod terms;

mod thoughts;
mod transcript;
pub(crate) mod usage;
pub(crate) mod whole;

use crate::shape;
pub use crate::{Ending, Unread};
pub use answer::{Reader, Writer, write_answer};
pub use assemble::{Assembler, each_data, read_answer};
pub use continuation::{Continuation, Handed, Mismatch, Overlap, Seam, Way, continuation_request, way};
pub use corrected::{corrected, told};
pub use error::{Rendered, as_event, read_error, render};
pub use mended::{mended, mended_stream, redacted, redacted_stream};
pub use obstacle::Obstacle;
pub(crate) use prompt::{Fit, fit};
pub use prompt::{Ids, Reasoning, Seed, Server, read_prompt, write_prompt};
pub use request::{decode, wants_usage, with_model};
pub use stream::StreamDecoder;
pub use terms::terms;
pub use transcript::Transcript;
pub use whole::read_whole;

/// The path of this operation below a provider's base address.
pub const PATH: &str = "/chat/completions";

/// The terminator of a stream.
pub const DONE: &[u8] = b"data: [DONE]\n\n";
