//! A client's request for completions of a text, to a prompt.
//!
//! The text becomes the one turn of a user. What a conversation cannot be asked for is refused by name: several texts,
//! tokens, words behind the completion, the best of several, likelihoods in this dialect's form. No limit is set where the
//! client sets none: OpenAI's own, of 16 tokens, is one of its old models, and LiteLLM does without it as well. Must never
//! be here: how a provider is asked.

#[cfg(test)]
mod tests;

use crate::asked::{refused, turn};
use crate::hints::unsayable;
use crate::json::Ends;
use crate::openai_chat::prompt::read::{Fields, fields_of, sampling, says_something, stream_usage, text};
use crate::openai_chat::request::{missing, wrong_type};
use crate::shape::Shape;
use llm::{CallError, Prompt, Role};

/// Reads a request in full that [`decode`](crate::other::decode) has taken.
///
/// # Errors
/// [`CallError::InvalidRequest`] naming the field at fault, or the one that only a provider with completions of its own
/// can answer.
pub fn read_prompt(raw: &[u8]) -> Result<Prompt, CallError> {
    let ends = Ends::of(raw);
    let mut fields = fields_of(raw, &ends)?;
    let turns = vec![turn(Role::User, prompt(&mut fields)?)];
    beyond(&mut fields)?;
    let mut others = Vec::new();
    let asked = Prompt {
        turns,
        sampling: sampling(&mut fields)?,
        stream: fields.flag("stream")?.unwrap_or(false),
        stream_usage: stream_usage(&mut fields, &mut others)?,
        user: fields.text("user")?.unwrap_or_default(),
        ..Prompt::default()
    };
    others.extend(fields.rest());
    others.retain(says_something);
    Ok(Prompt { others, ..asked })
}

/// The text to be completed: a string, or the only one of a list.
fn prompt(fields: &mut Fields<'_>) -> Result<String, CallError> {
    let elsewhere = |why| Err(refused(unsayable("prompt", why)));
    let json = fields.take("prompt").ok_or_else(|| missing("prompt"))?;
    let at = fields.path("prompt");
    let Some(mut items) = json.items() else { return text(json, at) };
    match (items.next(), items.next()) {
        (Some(only), None) if only.is_text() => text(only, at.item(0)),
        (Some(first), _) if first.is_text() => elsewhere("holds several texts, of which a conversation answers one"),
        (Some(first), _) if matches!(first.shape(), Shape::Number | Shape::List { .. }) => {
            elsewhere("holds tokens, which are words to one model alone")
        }
        _ => Err(wrong_type(at, "a string or an array of strings", json.shape())),
    }
}

/// Refuses what only completions have, where it asks for something.
fn beyond(fields: &mut Fields<'_>) -> Result<(), CallError> {
    let never = |asked: bool, field, why| if asked { Err(refused(unsayable(field, why))) } else { Ok(()) };
    let echo = fields.flag("echo")?.unwrap_or(false);
    never(echo, "echo", "asks for the text once more, in front of its completion")?;
    let suffix = fields.text("suffix")?.is_some_and(|suffix| !suffix.is_empty());
    never(suffix, "suffix", "asks for words that fit in front of others, which a conversation cannot be asked for")?;
    let best_of = fields.number::<u32>("best_of")?.is_some_and(|most| most > 1);
    never(best_of, "best_of", "asks for the likeliest of several answers, whose likelihoods are not told")?;
    let logprobs = fields.number::<u32>("logprobs")?.is_some();
    never(logprobs, "logprobs", "asks for likelihoods in a form that an answer to a conversation does not have")
}
