//! A request in this dialect, to and from the words of none.
//!
//! Lives here: `read`, a client's request to a [`Prompt`](llm::Prompt); `write`, a prompt to a provider's request;
//! `server`, what the servers that speak this dialect take; `refused`, what they refuse of one that was written in it;
//! `ids`, those of calls. Must never be here: answers, routing.

mod ids;
pub(crate) mod read;
mod refused;
mod server;
#[cfg(test)]
mod tests;
mod write;

pub use read::read_prompt;
pub(crate) use refused::{Fit, fit};
pub use server::{Ids, Reasoning, Seed, Server};
pub use write::write_prompt;

/// The most stop sequences that OpenAI takes.
const MAX_STOPS: usize = 4;
