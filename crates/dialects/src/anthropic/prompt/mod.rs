//! A request in this dialect, to and from the words of none.
//!
//! Lives here: `read`, with `parts` for what is said and `tools`; `write`, with `turns` for what is said, `declared` for
//! tools, `thinking` for how much is to be thought, and `model` for what differs between models. Must never be here: answers.

mod declared;
mod fields;
mod model;
mod parts;
mod read;
#[cfg(test)]
mod tests;
mod thinking;
mod tools;
mod turns;
mod write;

pub(crate) use declared::object_schema;
pub(crate) use model::{Era, caches_for_an_hour};
pub(crate) use thinking::{Asked, asked, effort};
pub(crate) use write::{Left, instruction};

pub use read::{read_counted, read_prompt, terms};
pub use write::{write_prompt, write_prompt_in};
