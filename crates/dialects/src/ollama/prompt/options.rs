//! How an answer is sampled: Ollama's `options`.

use crate::Unsayable;
use crate::hints::{Hints, unsayable};
use llm::Sampling;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use std::collections::BTreeMap;

/// Says how the answer is sampled, beside what the client said in Ollama's `own` words, which count less.
///
/// # Errors
/// What Ollama cannot do.
pub(super) fn options(
    sampling: &Sampling,
    mut own: BTreeMap<String, Box<RawValue>>,
    hints: &mut Hints,
) -> Result<BTreeMap<String, Box<RawValue>>, Unsayable> {
    if sampling.choices.is_some_and(|n| n > 1) {
        return Err(unsayable("n", "asks for more answers than the one that Ollama gives"));
    }
    if sampling.logprobs.is_some() {
        return Err(unsayable("logprobs", "has a form of its own in what Ollama answers"));
    }
    // The server reads 64 bits, with a sign.
    let tokens = sampling.max_tokens.filter(|tokens| i64::try_from(*tokens).is_ok());
    hints.lose_if(tokens != sampling.max_tokens, "max_tokens");
    let mut say = |name: &str, value: Option<Box<RawValue>>| own.extend(value.map(|value| (name.to_owned(), value)));
    say("num_predict", tokens.and_then(json));
    say("temperature", float(sampling.temperature));
    say("top_p", float(sampling.top_p));
    say("top_k", sampling.top_k.and_then(json));
    say("seed", sampling.seed.and_then(json));
    say("presence_penalty", float(sampling.presence_penalty));
    say("frequency_penalty", float(sampling.frequency_penalty));
    say("stop", Some(&sampling.stop).filter(|stop| !stop.is_empty()).and_then(json));
    Ok(own)
}

fn float(number: Option<f64>) -> Option<Box<RawValue>> {
    number.filter(|number| number.is_finite()).and_then(json)
}

fn json<T: Serialize>(value: T) -> Option<Box<RawValue>> {
    to_raw_value(&value).ok()
}
