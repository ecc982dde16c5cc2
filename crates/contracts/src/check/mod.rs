//! The checks, one after the other.
//!
//! Receives an answer and its bound contract; hands on the judgement. Must never be here: mending, what becomes of the
//! answer.

mod calls;
mod ending;
mod model;
pub(crate) mod text;
mod words;

pub(crate) use model::stranger;

use crate::contract::Bound;
use crate::finding::{Check, Judgement};
use llm::Answer;

/// The most choices that are judged; a dialect's reader takes no more.
const MAX_CHOICES: usize = 128;

/// Makes every check that the contract asks for.
pub(crate) fn check(bound: &Bound<'_>, answer: &Answer) -> Judgement {
    let mut judgement = Judgement::default();
    let made = Check::ALL.iter().filter(|check| **check != Check::Webhook && bound.makes(**check));
    judgement.made.extend(made);
    if bound.makes(Check::Model) {
        model::check(bound, answer, &mut judgement);
    }
    ending::choices(bound, answer, &mut judgement);
    for choice in answer.choices.iter().take(MAX_CHOICES) {
        ending::check(bound, choice, &mut judgement);
        if bound.makes(Check::Tools) {
            calls::check(bound, choice, &mut judgement);
        }
        if bound.makes(Check::Schema) {
            text::check(bound, choice, &mut judgement);
        }
        words::check(bound, choice, &mut judgement);
    }
    judgement
}
