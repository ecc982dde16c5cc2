//! `targets` of a route: who is asked, for which model, and where it stands in the chain.

use super::EVERY_OTHER;
use crate::defaults;
use crate::fault::{At, did_you_mean, quote};
use crate::file::{self, TargetEntry};
use crate::reader::{Reader, Words};
use llm::TargetId;
use routing::{ModelChoice, TargetSettings};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The targets at `at`; `None` where anything is wrong with them, for then they cannot be judged together.
pub(crate) fn all(
    reader: &mut Reader<'_>,
    at: &At,
    targets: file::List<TargetEntry>,
    providers: &BTreeSet<String>,
) -> Option<Vec<TargetSettings>> {
    let before = reader.faults.len();
    let targets = reader.required(at, targets);
    let targets = reader.filled(at, targets, "is empty; name at least one provider/model");
    let targets = reader
        .list(at, targets)
        .unwrap_or_default()
        .into_iter()
        .zip(1..)
        .filter_map(|((at, entry), place)| target(reader, &at, entry, place, providers))
        .collect();
    (reader.faults.len() == before).then_some(targets)
}

fn target(
    reader: &mut Reader<'_>,
    at: &At,
    entry: TargetEntry,
    place: u32,
    providers: &BTreeSet<String>,
) -> Option<TargetSettings> {
    let (at, words, weight, priority) = match entry {
        TargetEntry::Name(written) => (at.clone(), reader.words(at, written), None, None),
        TargetEntry::Placed(section) => {
            let file = reader.section(at, section);
            let weight = reader.value(&at.key("weight"), file.weight);
            let priority = reader.value(&at.key("priority"), file.priority);
            let at = at.key("target");
            let name = reader.required(&at, file.target);
            let words = reader.text(&at, name);
            (at, words, weight, priority)
        }
    };
    let (provider, model) = provider_and_model(reader, &at, &words?, providers)?;
    let (weight, priority) = (weight.unwrap_or(defaults::WEIGHT), priority.unwrap_or(place));
    Some(TargetSettings { provider, model, weight, priority })
}

fn provider_and_model(
    reader: &mut Reader<'_>,
    at: &At,
    words: &Words,
    providers: &BTreeSet<String>,
) -> Option<(Arc<str>, ModelChoice)> {
    let written = quote(&words.written);
    // The name travels in a response header.
    let sendable = words.value.bytes().all(|b| b.is_ascii_graphic());
    let Some(id) = TargetId::parse(&words.value).filter(|_| sendable) else {
        reader.fault(at, format!("{written} is no target: write provider/model or provider/*"));
        return None;
    };
    let model = match &*id.model {
        EVERY_OTHER => ModelChoice::AsRequested,
        model if model.contains('*') => {
            reader.fault(at, format!("{written} is no target: `*` stands alone, as in provider/*"));
            return None;
        }
        _ => ModelChoice::Fixed(id.model),
    };
    if !providers.contains(&*id.provider) {
        // The half before the slash as written, so that no reference is shown resolved.
        let provider = words.written.split('/').next().unwrap_or_default();
        let guess = did_you_mean(provider, providers.iter().map(String::as_str));
        reader.fault(at, format!("no provider is named {}{guess}", quote(provider)));
        return None;
    }
    Some((id.provider, model))
}
