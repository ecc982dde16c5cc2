//! Requests in full, both ways: a client's body to a prompt, and a prompt to a provider's body.
//!
//! Lives here: `read` with `items` and `tools`, the client's side; `write` with `turns` and `said`, the provider's;
//! `terms`, what a client's body demands of its answer. What is no noun of a prompt rides in `others`, where a dot leads
//! into an object: `text.verbosity`, `reasoning.summary`, and what stands at a tool of that name or type,
//! `tools.apply_patch.format`, `tools.web_search`.
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
use llm::Prompt;
pub use read::read_prompt;
pub use terms::terms;
pub use write::write_prompt;

/// Whether a client's prompt can be said in another dialect at all.
///
/// What it may do without is left out there like any other field that is unknown: a search of the web, which some
/// clients always offer, and a search among tools that are all declared anyway.
///
/// # Errors
/// The first field that only a provider of this dialect can do something about.
pub fn portable(prompt: &Prompt) -> Result<(), Unsayable> {
    const OPTIONAL: [&str; 2] = ["web_search", "tool_search"];
    let names = prompt.others.iter().map(|other| other.name.as_str());
    for name in names {
        let why = match name {
            "previous_response_id" | "conversation" | "background" => {
                "needs a provider that keeps state between calls: send the conversation itself, with `store` false"
            }
            "prompt" => "names a prompt that is kept at one provider",
            "moderation" => "asks for a judgement that one provider gives",
            "tool_choice" => "forces a tool that its provider runs by itself",
            name => match name.strip_prefix("tools.") {
                // What stands at a tool has a name behind the tool's.
                Some(kind) if !kind.contains('.') && !OPTIONAL.iter().any(|one| kind.starts_with(one)) => {
                    "is a tool that its provider runs by itself"
                }
                _ => continue,
            },
        };
        return Err(Unsayable { field: name.to_owned(), why: why.to_owned() });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
