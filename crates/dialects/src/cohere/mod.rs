//! Cohere's chat, version 2, as its API speaks it to us: no client does.
//!
//! Wire facts: the types of Cohere's Python client 7.3.1, its reference of errors, and what its API was seen to answer.

mod answer;
mod error;
mod event;
#[cfg(test)]
mod fixtures;
mod prompt;
mod seen;
mod stop;
mod stream;
mod usage;
mod whole;

pub use answer::Reader;
pub use error::read_error;
pub use prompt::write_prompt;
pub use stream::StreamDecoder;
pub use whole::read_whole;

/// The path of this operation below a provider's base address, which ends in `/v2`.
pub const PATH: &str = "/chat";
