//! Requests in full, both ways: a client's body to a prompt, and a prompt to a provider's body.
//!
//! Lives here: `read` with `items` and `tools`, the client's side; `write` with `turns` and `said`, the provider's;
//! `terms`, what a client's body demands of its answer; `carry`, what is of use here alone. What is no noun of a prompt
//! rides in `others`, where a dot leads into an object: `text.verbosity`, `reasoning.summary`, and what stands at a tool or
//! namespace of that name, `tools.apply_patch.format`. A tool that its provider runs by itself is named by its place,
//! `tools[2]`.
//! Must never be here: answers.

mod base64;
mod carry;
mod items;
mod read;
mod said;
mod terms;
mod tools;
mod turns;
mod write;

pub use carry::carry;
pub use read::read_prompt;
pub use terms::terms;
pub use write::write_prompt;

#[cfg(test)]
mod tests;
