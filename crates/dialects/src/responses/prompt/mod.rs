//! Requests in full, both ways: a client's body to a prompt, and a prompt to a provider's body.
//!
//! Lives here: `read` with `items` and `tools`, the client's side; `write` with `turns` and `said`, the provider's;
//! `terms`, what a client's body demands of its answer. What is no noun of a prompt rides in `others`, where a dot leads
//! into an object: `text.verbosity`, `reasoning.summary`, and what stands at a tool or namespace of that name,
//! `tools.apply_patch.format`. A tool that its provider runs by itself is named by its place, `tools[2]`.
//! Must never be here: answers.

mod base64;
mod items;
mod read;
mod said;
mod terms;
mod tools;
mod turns;
mod write;

use crate::Unsayable;
use crate::essential::{Fate, fate};
use llm::Prompt;
pub use read::read_prompt;
pub use terms::terms;
pub use write::write_prompt;

/// Whether a client's prompt can be said in another dialect at all, as far as that can be told of its fields alone: what
/// becomes of its tools is for the writer to say.
///
/// # Errors
/// The first field that only a provider of this dialect can do something about.
pub fn portable(prompt: &Prompt) -> Result<(), Unsayable> {
    for other in prompt.others.iter().filter(|other| !other.name.starts_with("tools")) {
        if let Fate::Refused(why) = fate(&other.name, &other.json) {
            return Err(Unsayable { field: other.name.clone(), why: why.to_owned() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
