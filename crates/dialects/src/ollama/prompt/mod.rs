//! A request for Ollama, from the words of no dialect.
//!
//! Lives here: `write`, the request itself; `options`, how the answer is sampled; `turns`, what is said; `tools`. Must
//! never be here: answers.

mod options;
#[cfg(test)]
mod tests;
mod tools;
mod turns;
mod write;

pub use write::write_prompt;
