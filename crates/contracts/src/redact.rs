//! Takes personal data and credentials out of answers.

use crate::contract::Contract;
use crate::leaks::{Form, without};
use crate::watch::MAX_SEARCHED;
use llm::{Answer, Lane};
use std::collections::BTreeSet;

/// An answer without what its policy takes out.
#[derive(Clone, Debug, PartialEq)]
pub struct Redacted {
    /// The answer, with `<EMAIL_ADDRESS>` and the like. It has to be judged again: a demanded form may have suffered.
    pub answer: Answer,
    /// What was taken out, for whoever has to make sure that nothing else says it.
    pub taken: BTreeSet<String>,
}

pub(crate) fn redact(contract: &Contract, answer: &Answer) -> Option<Redacted> {
    contract.detects()?;
    let mut redacted = Redacted { answer: answer.clone(), taken: BTreeSet::new() };
    let Redacted { answer, taken } = &mut redacted;
    let mut take = |words: &mut String, form: Form| {
        let searched = words.len() <= MAX_SEARCHED;
        if let Some(without) = searched.then(|| without(contract, form, words, taken)).flatten() {
            *words = without;
        }
    };
    for choice in &mut answer.choices {
        Lane::ALL.into_iter().for_each(|lane| take(choice.words_mut(lane), Form::Words));
        for call in &mut choice.calls {
            let form = Form::of(call);
            take(&mut call.arguments, form);
        }
    }
    (!taken.is_empty()).then_some(redacted)
}
