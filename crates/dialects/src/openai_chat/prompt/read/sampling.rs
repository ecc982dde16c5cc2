//! How an answer is sampled and where it ends: the fields that OpenAI's completions of texts and of chats both have.
//!
//! Must never be here: fields that only one of them has.

use super::super::super::request::wrong_type;
use super::fields::{Fields, text};
use llm::{CallError, Sampling};

/// What they say. Likelihoods are no part of it: each dialect asks for them in its own way.
pub(crate) fn sampling(fields: &mut Fields<'_>) -> Result<Sampling, CallError> {
    let told = |number: f64| Some(number).filter(|number| *number != 0.0);
    Ok(Sampling {
        max_tokens: fields.number("max_tokens")?,
        temperature: fields.number("temperature")?,
        top_p: fields.number("top_p")?,
        top_k: fields.number("top_k")?,
        stop: stop(fields)?,
        seed: fields.number("seed")?,
        choices: fields.number("n")?.filter(|choices| *choices != 1),
        presence_penalty: fields.number("presence_penalty")?.and_then(told),
        frequency_penalty: fields.number("frequency_penalty")?.and_then(told),
        logprobs: None,
    })
}

/// A sequence, or a list of them.
fn stop(fields: &mut Fields<'_>) -> Result<Vec<String>, CallError> {
    match fields.take("stop") {
        None => Ok(Vec::new()),
        Some(json) if json.is_text() => Ok(vec![text(json, fields.path("stop"))?]),
        Some(json) => {
            let items = json.items();
            let items = items.ok_or_else(|| wrong_type("stop", "a string or an array of strings", json.shape()))?;
            items.enumerate().map(|(at, item)| text(item, fields.path("stop").item(at))).collect()
        }
    }
}
