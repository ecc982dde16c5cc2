//! Personal data and credentials in the parts of an answer, and how they are taken out.
//!
//! What is found and what is taken out is decided here for both, so that nothing is promised to be taken out that stays.
//! Must never be here: which parts an answer has.

use crate::contract::Contract;
use crate::detect::{self, Entity, Found};
use crate::strings::Strings;
use llm::ToolCall;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// How a part of an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Words, which may happen to be JSON. Whatever is found in them can be taken out.
    Words,
    /// JSON that a program reads. It stays JSON: only within strings something can be taken out.
    Json,
}

impl Form {
    /// How the arguments of a call are written.
    pub(crate) fn of(call: &ToolCall) -> Self {
        if call.free { Self::Words } else { Self::Json }
    }
}

/// Rounds until nothing is left to take out: within strings, then elsewhere, and once more for what came together.
const ROUNDS: usize = 4;

/// What the contract looks for and `text` holds: each once, and whether all of it will be taken out.
pub(crate) fn leaks(contract: &Contract, form: Form, text: &str) -> BTreeMap<Entity, bool> {
    let mut leaks = BTreeMap::new();
    let mut note = |found: &Found, removable: bool| {
        let goes = removable && contract.takes_out(found.entity);
        *leaks.entry(found.entity).or_insert(true) &= goes;
    };
    let plain = find(contract, text);
    let Some(strings) = strings(form, text, !plain.is_empty()) else {
        plain.iter().for_each(|found| note(found, form == Form::Words));
        return leaks;
    };
    for found in find(contract, &strings.said) {
        note(&found, form == Form::Words || within(form, &strings, &found).is_some());
    }
    // A stream is watched without knowing what its text will be.
    plain.iter().filter(|_| form == Form::Words).for_each(|found| note(found, true));
    leaks
}

/// `text` with `<EMAIL_ADDRESS>` and the like, as Presidio writes it, for whatever the policy takes out and can be. Notes
/// what it was in `taken`. `None` where there is nothing.
pub(crate) fn without(contract: &Contract, form: Form, text: &str, taken: &mut BTreeSet<String>) -> Option<String> {
    let mut out: Option<String> = None;
    for _ in 0..ROUNDS {
        let Some(next) = once(contract, form, out.as_deref().unwrap_or(text), taken) else { break };
        out = Some(next);
    }
    out
}

fn once(contract: &Contract, form: Form, text: &str, taken: &mut BTreeSet<String>) -> Option<String> {
    let find = |text| {
        let mut found = find(contract, text);
        found.retain(|found| contract.takes_out(found.entity));
        found
    };
    let plain = find(text);
    if let Some(strings) = strings(form, text, !plain.is_empty()) {
        let found = find(&strings.said);
        let inside = found.iter().filter_map(|found| Some((within(form, &strings, found)?, found)));
        let gone = named(&strings.said, inside, taken);
        if !gone.is_empty() {
            return Some(strings.exchanged(&gone));
        }
        // What lies across strings is seen only without their escapes.
        if form == Form::Words && plain.is_empty() {
            return words_without(&strings.said, &found, taken);
        }
    }
    if form == Form::Words { words_without(text, &plain, taken) } else { None }
}

/// Words with whatever was found exchanged.
fn words_without(text: &str, found: &[Found], taken: &mut BTreeSet<String>) -> Option<String> {
    let gone = named(text, found.iter().map(|found| (0..text.len(), found)), taken);
    let (mut out, mut from) = (String::with_capacity(text.len()), 0);
    for (range, word) in &gone {
        out.push_str(text.get(from..range.start).unwrap_or_default());
        out.push_str(word);
        from = range.end;
    }
    out.push_str(text.get(from..).unwrap_or_default());
    (!gone.is_empty()).then_some(out)
}

/// The place of the string within which something can be taken out. What names a field for a program has to stay.
fn within(form: Form, strings: &Strings<'_>, found: &Found) -> Option<Range<usize>> {
    strings.around(&found.range).filter(|(_, key)| form == Form::Words || !key).map(|(place, _)| place)
}

/// The places in `text` that go, each with the word that comes instead, and within the bounds given.
fn named<'a>(
    text: &str,
    found: impl Iterator<Item = (Range<usize>, &'a Found)>,
    taken: &mut BTreeSet<String>,
) -> Vec<(Range<usize>, String)> {
    let mut gone: Vec<(Range<usize>, String)> = Vec::new();
    for (bounds, found) in found {
        let end = detect::reach(text.get(..bounds.end).unwrap_or_default(), found);
        // What a key without an end reaches over is gone already.
        if gone.last().is_some_and(|(before, _)| before.end > found.range.start) {
            continue;
        }
        let range = found.range.start..end;
        taken.insert(text.get(range.clone()).unwrap_or_default().to_owned());
        gone.push((range, format!("<{}>", found.entity)));
    }
    gone
}

fn find(contract: &Contract, text: &str) -> Vec<Found> {
    detect::find(text, 0, contract.wanted())
}

/// The strings of `text` where it is JSON, and where that can make a difference.
fn strings(form: Form, text: &str, found: bool) -> Option<Strings<'_>> {
    let escapes = memchr::memchr(b'\\', text.as_bytes()).is_some();
    (escapes || (found && form == Form::Json)).then(|| Strings::of(text)).flatten()
}
