//! How an answer is sampled, and where it ends.
//!
//! Must never be here: how much is thought before it.

use super::family::Family;
use crate::Unsayable;
use crate::hints::{Hints, unsayable};
use llm::Sampling;
use serde::Serialize;

/// The most sequences at which an answer may end.
const MAX_STOPS: usize = 2500;

/// The field that says it.
#[derive(Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Inference<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stop_sequences: Vec<&'a str>,
}

impl Inference<'_> {
    /// Whether it says nothing.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Says how the answer is sampled, by a model that `thinks` or not, with `max_tokens` in all; beside it, from how many
/// tokens, where the model is told that outside of the dialect.
///
/// # Errors
/// What Bedrock cannot do.
pub(super) fn sampled<'a>(
    sampling: &'a Sampling,
    family: Family,
    (thinks, max_tokens): (bool, Option<u64>),
    hints: &mut Hints,
) -> Result<(Inference<'a>, Option<u64>), Unsayable> {
    refuse(sampling)?;
    hints.lose_if(sampling.seed.is_some(), "seed");
    hints.lose_if(sampling.presence_penalty.is_some_and(|penalty| penalty != 0.0), "presence_penalty");
    hints.lose_if(sampling.frequency_penalty.is_some_and(|penalty| penalty != 0.0), "frequency_penalty");
    let (temperature, top_p) = likelihood(sampling, family, thinks, hints);
    let top_k = sampling.top_k.filter(|_| family.era().is_some() && is_free(family, thinks));
    hints.lose_if(sampling.top_k.is_some() && top_k.is_none(), "top_k");
    let stop_sequences = stops(&sampling.stop, family, hints);
    Ok((Inference { max_tokens, temperature, top_p, stop_sequences }, top_k))
}

fn refuse(sampling: &Sampling) -> Result<(), Unsayable> {
    if sampling.choices.is_some_and(|n| n > 1) {
        return Err(unsayable("n", "asks for more answers than the one that Bedrock gives"));
    }
    if sampling.logprobs.is_some() {
        return Err(unsayable("logprobs", "is not told by Bedrock"));
    }
    if sampling.stop.len() > MAX_STOPS {
        return Err(unsayable("stop", &format!("holds more than the {MAX_STOPS} sequences that Bedrock takes")));
    }
    Ok(())
}

/// Temperature and share of likelihood, both from 0 to 1 here. A Claude takes one of the two, and neither where it thinks
/// or is new; what it does by default need not be said to it.
fn likelihood(sampling: &Sampling, family: Family, thinks: bool, hints: &mut Hints) -> (Option<f64>, Option<f64>) {
    let claude = family.era().is_some();
    let said = |number: Option<f64>| number.filter(|number| number.is_finite() && !(claude && *number == 1.0));
    let (temperature, top_p) = (said(sampling.temperature), said(sampling.top_p));
    let free = is_free(family, thinks);
    hints.lose_if(temperature.is_some_and(|temperature| !free || temperature > 1.0), "temperature");
    let both = claude && temperature.is_some();
    hints.lose_if(top_p.is_some() && (!free || both), "top_p");
    let within = |number: Option<f64>| number.filter(|_| free).map(|number| number.clamp(0.0, 1.0));
    (within(temperature), within(top_p.filter(|_| !both)))
}

/// Whether a model lets itself be sampled otherwise than by default.
fn is_free(family: Family, thinks: bool) -> bool {
    family.era().is_none_or(|era| era.is_sampled() && !thinks)
}

/// Where the answer ends. No sequence is empty, and Claude takes none of white space alone.
fn stops<'a>(stop: &'a [String], family: Family, hints: &mut Hints) -> Vec<&'a str> {
    let is_taken = |stop: &&str| match family {
        Family::Claude { .. } => !stop.trim().is_empty(),
        Family::Nova | Family::Other => !stop.is_empty(),
    };
    let (taken, blank): (Vec<&str>, Vec<&str>) = stop.iter().map(String::as_str).partition(is_taken);
    hints.lose_if(!blank.is_empty(), "stop");
    taken
}
