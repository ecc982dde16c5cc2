//! OpenAI responses, and servers that speak it too.
//!
//! Wire facts: OpenAI's published OpenAPI document 2.3.0 (`CreateResponse`, `Response`, `ResponseStreamEvent`), the
//! types of its Python library, and the deviations of compatible servers that each file names. A stream of this dialect
//! ends with `response.completed`, `response.incomplete` or `response.failed`; there is no other terminator.

mod answer;
mod error;
mod name;
mod prompt;
mod request;
mod seal;
mod stream;
mod whole;
mod wire;

pub use crate::openai_chat::render;
pub use answer::{Reader, Writer, whole, write_answer};
pub use error::{as_event, read_error};
pub use prompt::{carry, read_prompt, terms, write_prompt};
pub use request::{decode, with_model};
pub use stream::StreamDecoder;
pub use whole::read_whole;

/// The path of this operation below a provider's base address.
pub const PATH: &str = "/responses";
