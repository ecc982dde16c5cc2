//! How an answer is sampled, in Cohere's words and within its limits.

use crate::Unsayable;
use crate::hints::{Hints, unsayable};
use llm::Sampling;
use serde::Serialize;

/// The most stop sequences that Cohere takes.
const MAX_STOPS: usize = 5;
/// The most tokens that are sampled from.
const MAX_K: u64 = 500;
/// The least and the largest share of likelihood that is sampled from.
const P: (f64, f64) = (0.01, 0.99);

/// The fields that say it.
#[derive(Debug, Default, Serialize)]
pub(super) struct Sampled<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    stop_sequences: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    k: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frequency_penalty: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    presence_penalty: Option<f64>,
}

/// Says how the answer is sampled.
///
/// A share of one is said as the largest that Cohere takes: left out, its own default would be a smaller one. Of the two
/// penalties its models take one.
///
/// # Errors
/// What Cohere cannot do.
pub(super) fn sampled<'a>(sampling: &'a Sampling, hints: &mut Hints) -> Result<Sampled<'a>, Unsayable> {
    if sampling.choices.is_some_and(|n| n > 1) {
        return Err(unsayable("n", "asks for more answers than the one that Cohere gives"));
    }
    if sampling.logprobs.is_some() {
        return Err(unsayable("logprobs", "has no form of its own in what Cohere answers"));
    }
    if sampling.stop.len() > MAX_STOPS {
        return Err(unsayable("stop", &format!("holds more than the {MAX_STOPS} sequences that Cohere takes")));
    }
    let frequency_penalty = penalty("frequency_penalty", sampling.frequency_penalty, hints);
    let presence_penalty = penalty("presence_penalty", sampling.presence_penalty, hints);
    hints.lose_if(frequency_penalty.is_some() && presence_penalty.is_some(), "presence_penalty");
    hints.lose_if(sampling.seed.is_some_and(|seed| seed < 0), "seed");
    hints.lose_if(sampling.top_k.is_some_and(|k| k > MAX_K), "top_k");
    Ok(Sampled {
        max_tokens: sampling.max_tokens,
        stop_sequences: &sampling.stop,
        temperature: finite(sampling.temperature),
        p: finite(sampling.top_p).map(|p| p.clamp(P.0, P.1)),
        k: sampling.top_k.map(|k| k.min(MAX_K)),
        seed: sampling.seed.filter(|seed| *seed >= 0),
        presence_penalty: presence_penalty.filter(|_| frequency_penalty.is_none()),
        frequency_penalty,
    })
}

/// A penalty within Cohere's limits, which are 0 and 1; what is cut off is told.
fn penalty(name: &str, penalty: Option<f64>, hints: &mut Hints) -> Option<f64> {
    let penalty = finite(penalty).filter(|penalty| *penalty != 0.0)?;
    hints.lose_if(!(0.0..=1.0).contains(&penalty), name);
    (penalty > 0.0).then_some(penalty.min(1.0))
}

fn finite(number: Option<f64>) -> Option<f64> {
    number.filter(|number| number.is_finite())
}
