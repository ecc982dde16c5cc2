//! A request for Bedrock, from the words of no dialect.
//!
//! Lives here: `write`, the request itself; `turns`, what is said, in `blocks`, with `media` for pictures and documents,
//! `marks` for what is to be cached, and `ids` for ids and names; `tools`; `sampling`; `thinking`; `form`, the form of the
//! answer; `family`, what differs between models. Must never be here: answers, and who signs the request.

mod blocks;
mod family;
mod form;
mod ids;
mod marks;
mod media;
mod sampling;
#[cfg(test)]
mod tests;
mod thinking;
mod tools;
mod turns;
mod write;

pub use write::write_prompt;
