//! Gemini's `generateContent` and `streamGenerateContent`, as the Gemini API and Vertex AI serve them.
//!
//! Wire facts: Vertex AI's discovery document (`aiplatform` v1), the Gemini API's guides, and what both were seen to
//! answer; each file names what it relies on.

mod answer;
mod chunk;
mod elements;
mod error;
mod finish;
mod json;
mod seen;
mod stream;
mod whole;

pub use crate::{Ending, Rendered, Unread};
pub use answer::{Reader, Writer, write_answer};
pub use error::{as_event, read_error, render};
pub use stream::StreamDecoder;
pub use whole::{each_data, read_whole};
