//! A request in full, both ways: what a client of this dialect asks, and what a provider of it is asked.
//!
//! Lives here: `read` and `parts`, a client's request to a [`Prompt`]; `settings`, its tools and how it wants to be
//! answered; `write`, a [`Prompt`] to a request, with `contents`, `config` and `beyond`, what Google has no word for.
//! Must never be here: the model and whether the answer is streamed, which stand in the path.

mod beyond;
mod config;
mod contents;
mod parts;
mod read;
mod settings;
mod write;

#[cfg(test)]
mod tests;

pub use read::{read_prompt, terms};
pub use write::write_prompt;

/// What stands for the content that a client has cached at Google: a part of what is said, which only Google has.
const CACHED: &str = "cachedContent";
