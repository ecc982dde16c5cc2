//! `complete` and `non_empty`: how a choice ends, and whether it says anything.

use crate::contract::Bound;
use crate::finding::{Check, Code, Finding, Judgement, Place};
use llm::{Answer, Choice, FinishReason};

/// Whether there is a choice at all.
pub(super) fn choices(bound: &Bound<'_>, answer: &Answer, judgement: &mut Judgement) {
    let check = [Check::NonEmpty, Check::Complete].into_iter().find(|check| bound.makes(*check));
    if let Some(check) = check.filter(|_| answer.choices.is_empty()) {
        judgement.violation(Finding::new(check, Code::NoChoices, Place::Answer, "The answer holds no choice."));
    }
}

pub(super) fn check(bound: &Bound<'_>, choice: &Choice, judgement: &mut Judgement) {
    if bound.makes(Check::Complete) {
        complete(choice, judgement);
    }
    if bound.makes(Check::NonEmpty) {
        non_empty(bound, choice, judgement);
    }
}

/// A cut text is a mark alone: the client asked for so many tokens. Where something whole was demanded, `schema` and
/// `tools` find that it is cut.
fn complete(choice: &Choice, judgement: &mut Judgement) {
    let place = Place::Choice(choice.index);
    let finding = |code, message| Finding::new(Check::Complete, code, place, message);
    match choice.finish {
        None => judgement.violation(finding(Code::FinishMissing, "The answer ended without saying why.")),
        Some(FinishReason::Other) => {
            judgement.violation(finding(Code::FinishUnknown, "The answer ended for an unknown reason."));
        }
        Some(FinishReason::Length) => {
            judgement.mark(finding(Code::Truncated, "The token limit ended the answer before it was complete."));
        }
        Some(FinishReason::ContentFilter) => {
            judgement.mark(finding(Code::ContentFiltered, "The content policy ended the answer."));
        }
        Some(FinishReason::Stop | FinishReason::ToolCalls) => {}
    }
}

fn non_empty(bound: &Bound<'_>, choice: &Choice, judgement: &mut Judgement) {
    let place = Place::Choice(choice.index);
    if !choice.refusal.is_empty() {
        judgement.mark(Finding::new(Check::NonEmpty, Code::Refused, place, "The model declined to answer."));
    }
    if is_empty(bound, choice) && !cut_short(choice) {
        let message = "The answer is empty: give text or call a tool.";
        judgement.violation(Finding::new(Check::NonEmpty, Code::Empty, place, message));
    }
}

/// Whether a choice holds nothing that a user could use.
pub(super) fn is_empty(bound: &Bound<'_>, choice: &Choice) -> bool {
    let thought = choice.reasoned() && bound.contract.policy.reasoning_is_content;
    let other = !choice.calls.is_empty() || !choice.refusal.is_empty() || choice.media || thought;
    !other && choice.text.trim().is_empty()
}

/// Whether nothing is a legitimate answer: the token limit or the content policy left no room for one.
fn cut_short(choice: &Choice) -> bool {
    matches!(choice.finish, Some(FinishReason::Length | FinishReason::ContentFilter))
}
