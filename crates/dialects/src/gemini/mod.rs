//! Gemini's `generateContent` and `streamGenerateContent`, as the Gemini API and Vertex AI serve them.
//!
//! Wire facts: Vertex AI's discovery document (`aiplatform` v1), the Gemini API's guides, and what both were seen to
//! answer; each file names what it relies on.

mod answer;
mod chunk;
mod counted;
mod elements;
mod error;
mod fields;
mod json;
pub mod live;
mod path;
mod prompt;
mod request;
mod schema;
mod seal;
mod seen;
mod stop;
mod stream;
mod whole;

pub use crate::{Ending, Rendered, Unread};
pub use answer::{Reader, Writer, write_answer};
pub use counted::{counted, counted_on_vertex};
pub use error::{as_event, as_last_entry, read_error, render};
pub use path::{Asked, Operation, asked, path};
pub use prompt::{read_prompt, terms, write_prompt};
pub use request::{decode, with_model};
pub use seal::has_foreign_seals;
pub use stream::StreamDecoder;
pub use whole::{each_data, read_whole};
