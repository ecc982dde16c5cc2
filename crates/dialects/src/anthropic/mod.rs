//! Anthropic's messages, as its clients and its API speak them.
//!
//! Wire facts: Anthropic's documents on messages, streaming, errors and versions, the types of its Python client, and
//! the deviations of other servers that each file names.

mod answer;
mod blocks;
mod error;
mod event;
mod fault;
#[cfg(test)]
mod fixtures;
pub(crate) mod json;
mod prompt;
mod request;
mod seal;
mod seen;
mod stop;
mod stream;
mod usage;
mod version;
mod vertex;
mod whole;

pub(crate) use prompt::{Asked, Era, Left, asked, caches_for_an_hour, effort, instruction, object_schema};

pub use crate::openai_chat::with_model;
pub use crate::{Ending, Unread};
pub use answer::{Reader, Writer, write_answer};
pub use error::{as_event, read_error, render};
pub use prompt::{read_counted, read_prompt, terms, write_prompt, write_prompt_in};
pub use request::decode;
pub use seal::has_foreign_thoughts;
pub use stream::StreamDecoder;
pub use version::Version;
pub use vertex::{counted_on_vertex, for_vertex};
pub use whole::read_whole;

/// The path of this operation below a provider's base address.
pub const PATH: &str = "/messages";

/// The terminator of a stream.
pub const STOP: &[u8] = b"event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
