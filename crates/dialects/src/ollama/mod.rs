//! Ollama's own chat, as its server speaks it to us: no client does.
//!
//! A stream is a JSON object on each line. Wire facts: the types of Ollama's Python client 0.6.3, its server's source, and
//! its documents on chat, thinking and errors.

mod answer;
mod error;
mod line;
mod lines;
mod prompt;
mod seen;
mod stop;
mod stream;
mod whole;

pub use answer::Reader;
pub use error::read_error;
pub use lines::each_data;
pub use prompt::write_prompt;
pub use stream::StreamDecoder;
pub use whole::read_whole;

/// The path of this operation below a provider's base address, which ends in `/api`.
pub const PATH: &str = "/chat";
