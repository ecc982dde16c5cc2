//! What is judged of a choice's words: repetition, patterns, personal data, credentials, language, length, citations.
//!
//! Each lane for what holds of it: everything of the text; of the refusal and the reasoning what must not be there,
//! patterns aside in reasoning, which is not the answer.

use crate::contract::{Bound, Named};
use crate::finding::{Check, Code, Finding, Judgement, Place};
use crate::leaks::{Form, leaks};
use crate::repetition;
use crate::watch;
use llm::{Choice, Lane};
use std::collections::BTreeSet;

pub(super) fn check(bound: &Bound<'_>, choice: &Choice, judgement: &mut Judgement) {
    for lane in Lane::ALL {
        let (words, place) = (choice.words(lane), Place::words(choice.index, lane));
        if bound.makes(Check::Loop) && repetition::repeats(words.as_bytes()) {
            judgement.violation(watch::repeats(place));
        }
        if lane == Lane::Text {
            form(bound, words, place, judgement);
        }
        match bound.contract.searches(lane) {
            Some(check) if words.len() > watch::MAX_SEARCHED => judgement.violation(watch::too_much(check, place)),
            Some(_) => search(bound, lane, words, place, judgement),
            None => {}
        }
    }
    let Some(check) = bound.contract.detects() else { return };
    for (at, call) in choice.calls.iter().enumerate() {
        let place = Place::Call(choice.index, at);
        if call.arguments.len() > watch::MAX_SEARCHED {
            judgement.violation(watch::too_much(check, place));
        } else {
            detected(bound, Form::of(call), &call.arguments, place, judgement);
        }
    }
}

/// How long a text is, and in which language.
fn form(bound: &Bound<'_>, text: &str, place: Place, judgement: &mut Judgement) {
    if let Some(most) = bound.contract.policy.max_chars.filter(|_| bound.makes(Check::MaxChars))
        && text.chars().count() as u64 > most
    {
        judgement.violation(watch::too_long(place, most));
    }
    if bound.makes(Check::Language) {
        language(bound, text, place, judgement);
    }
}

fn search(bound: &Bound<'_>, lane: Lane, words: &str, place: Place, judgement: &mut Judgement) {
    let missing = |pattern: &&Named| !pattern.regex.is_match(words);
    if bound.contract.denies(lane) {
        let denied = bound.contract.deny.iter().filter(|pattern| !missing(pattern));
        denied.for_each(|pattern| judgement.violation(watch::denied(place, pattern)));
    }
    // Who calls a tool has not answered yet.
    let answers = lane == Lane::Text && !words.is_empty();
    if answers && bound.makes(Check::Require) {
        for pattern in bound.contract.must_match.iter().filter(missing) {
            let message = format!("The answer lacks what `{}` requires.", pattern.name);
            judgement.violation(Finding::new(Check::Require, Code::PatternMissing, place, message));
        }
    }
    if bound.contract.detects().is_some() {
        detected(bound, Form::Words, words, place, judgement);
    }
    if answers && bound.makes(Check::Citations) {
        citations(bound, words, place, judgement);
    }
}

/// Personal data and credentials. What will be taken out is a mark alone.
fn detected(bound: &Bound<'_>, form: Form, text: &str, place: Place, judgement: &mut Judgement) {
    for (entity, goes) in leaks(bound.contract, form, text) {
        if goes {
            let check = if entity.is_secret() { Check::Secrets } else { Check::Pii };
            judgement.mark(Finding::new(check, Code::Redacted, place, format!("{entity} has to be taken out.")));
        } else {
            judgement.violation(watch::leaked(place, entity));
        }
    }
}

fn language(bound: &Bound<'_>, text: &str, place: Place, judgement: &mut Judgement) {
    let wanted = &bound.contract.policy.languages;
    let Some(found) = crate::language(text).filter(|found| !wanted.is_empty() && !wanted.contains(found)) else {
        return;
    };
    let names: Vec<&str> = wanted.iter().map(|language| language.as_str()).collect();
    let message = format!("Answer in {}, not in {found}.", names.join(" or "));
    judgement.violation(Finding::new(Check::Language, Code::WrongLanguage, place, message));
}

fn citations(bound: &Bound<'_>, text: &str, place: Place, judgement: &mut Judgement) {
    let Some(regex) = &bound.contract.citation else { return };
    let own = bound.contract.policy.citations.pattern.is_some();
    let mut cited = BTreeSet::new();
    for captures in regex.captures_iter(text) {
        let (Some(whole), Some(id)) = (captures.get(0), captures.get(1)) else { continue };
        let known = bound.terms.citable.contains(id.as_str());
        // Brackets also hold links, code and asides: only what looks like an id is taken for one.
        let link = text.get(whole.end()..).is_some_and(|rest| rest.starts_with(['(', '[']));
        let tagged = whole.len() > id.len() + 2;
        let looks = own || tagged || id.as_str().bytes().any(|byte| byte.is_ascii_digit());
        if known || (looks && !link) {
            cited.insert(id.as_str());
        }
    }
    let (known, unknown): (Vec<&str>, Vec<&str>) = cited.into_iter().partition(|id| bound.terms.citable.contains(*id));
    for id in unknown {
        let message = format!("The answer cites `{id}`, which is none of the sources given.");
        judgement.violation(Finding::new(Check::Citations, Code::CitationUnknown, place, message));
    }
    let min = bound.contract.policy.citations.min;
    if (known.len() as u64) < u64::from(min) {
        let message = format!("Cite at least {min} of the sources given, by their ids.");
        judgement.violation(Finding::new(Check::Citations, Code::CitationMissing, place, message));
    }
}
