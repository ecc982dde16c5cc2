//! How much a model is to think: of a Claude it is asked in Anthropic's words, beside the dialect; others are not told.
//!
//! Must never be here: what it thought.

use super::family::Family;
use crate::anthropic::{Asked, Era, Left, asked, effort};
use crate::hints::Hints;
use llm::{Prompt, Thinking};
use std::borrow::Cow;

/// The most tokens of an answer whose client says nothing of that: a model that thinks within a budget has to be told more.
const MAX_TOKENS: u64 = 64_000;
/// Where the reader of Anthropic's requests puts an effort that stands beside another way to think.
const EFFORT: &str = "output_config.effort";

/// What is said of it.
#[derive(Debug, Default)]
pub(super) struct Thinks<'a> {
    /// Anthropic's own field.
    pub(super) asked: Option<Asked<'a>>,
    /// How hard the model is to try.
    pub(super) effort: Option<Cow<'a, str>>,
    /// The most tokens, thoughts included.
    pub(super) max_tokens: Option<u64>,
}

impl Thinks<'_> {
    /// Whether anything is to be thought.
    pub(super) fn is_on(&self) -> bool {
        self.asked.as_ref().is_some_and(Asked::is_on)
    }
}

/// Says how much is to be thought; `forced` where a tool has to be called.
pub(super) fn thinks<'a>(prompt: &'a Prompt, family: Family, forced: bool, hints: &mut Hints) -> Thinks<'a> {
    let max_tokens = prompt.sampling.max_tokens;
    let beside = prompt.others.iter().find(|other| other.name == EFFORT);
    let Some(era) = family.era() else {
        hints.lose_if(beside.is_some(), EFFORT);
        match &prompt.thinking {
            Some(Thinking::Effort(_)) => hints.lose("reasoning_effort"),
            Some(Thinking::Off | Thinking::Adaptive | Thinking::Budget(_)) => hints.lose("thinking"),
            None => {}
        }
        return Thinks { max_tokens, ..Thinks::default() };
    };
    let mut left = Left::default();
    let asked = asked(prompt, era, max_tokens.unwrap_or(MAX_TOKENS), forced, &mut left);
    left.into_names().iter().for_each(|name| hints.lose(name));
    let words = beside.and_then(|other| serde_json::from_str::<String>(&other.json).ok());
    let words = words.filter(|_| era != Era::Budget).map(Cow::Owned);
    hints.lose_if(beside.is_some() && words.is_none(), EFFORT);
    let needed = asked.as_ref().and_then(Asked::budget).map(|_| MAX_TOKENS);
    Thinks { effort: effort(prompt, era).map(Cow::Borrowed).or(words), max_tokens: max_tokens.or(needed), asked }
}
