//! What becomes of a request's fields that are no noun, by their names, which any dialect may have given them.
//!
//! A name that two dialects give to different things is never said: a hint of one is an error of the other.

use super::Server;
use crate::essential::{self, Fate as Foreign};
use llm::Other;

/// What becomes of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is written as it came.
    Said,
    /// It says nothing.
    Nothing,
    /// It changes nothing essential.
    LeftOut,
    /// The answer would be another one without it, and why it cannot be said.
    Unsayable(&'static str),
}

/// Fields that this dialect alone has, and OpenAI's own servers take.
const OURS: [&str; 7] =
    ["audio", "logit_bias", "modalities", "prediction", "prompt_cache_key", "safety_identifier", "verbosity"];

/// Of those the ones that any server of this dialect takes.
const EVERYONES: [&str; 1] = ["logit_bias"];

/// What becomes of a field. The mark of a message to be gone on with is `messages[0].prefix`.
pub(super) fn fate(other: &Other, server: &Server) -> Fate {
    let said = match server {
        Server { own: true, .. } => OURS.as_slice(),
        Server { likelihoods: true, .. } => EVERYONES.as_slice(),
        _ => &[],
    };
    match essential::fate(&other.name, &other.json) {
        _ if said.contains(&other.name.as_str()) => Fate::Said,
        Foreign::Nothing => Fate::Nothing,
        Foreign::LeftOut => Fate::LeftOut,
        Foreign::Refused(why) => Fate::Unsayable(why),
    }
}
