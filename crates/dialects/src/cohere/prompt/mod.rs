//! A request for Cohere, from the words of no dialect.
//!
//! Lives here: `write`, the request itself; `turns`, what is said, with `documents` beside it; `tools`; `sampling`.
//! Must never be here: answers.

mod documents;
mod sampling;
#[cfg(test)]
mod tests;
mod tools;
mod turns;
mod write;

pub use write::write_prompt;
