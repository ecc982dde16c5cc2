//! `models` of a provider: what is known of each before any call.

use super::EVERY_OTHER;
use crate::fault::{At, did_you_mean, quote};
use crate::file::{self, Block, List, Named};
use crate::later;
use crate::reader::{Reader, Words};
use llm::Prefill;
use routing::{ModelFacts, Price};
use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroU32;
use std::sync::Arc;

const PREFILL: &str = "prefill";

/// Every capability that a model may declare.
pub(crate) const CAPABILITIES: &[&str] = &[PREFILL];

/// The models of one provider.
#[derive(Default)]
pub(crate) struct Models {
    /// What is known by name.
    pub(crate) named: HashMap<Arc<str>, ModelFacts>,
    /// What is known of all others.
    pub(crate) others: ModelFacts,
    /// How many calls they take.
    pub(crate) slots: Slots,
}

/// The most calls of each model of a provider that may wait for their first content at one time.
#[derive(Default)]
pub(crate) struct Slots {
    /// By name.
    pub(crate) models: BTreeMap<Arc<str>, Option<u32>>,
    /// Each of all others.
    pub(crate) others: Option<u32>,
}

impl Slots {
    /// Those of one model.
    pub(crate) fn of(&self, model: &str) -> Option<u32> {
        self.models.get(model).copied().unwrap_or(self.others)
    }
}

/// How models of a kind go on with a given beginning: those that need a flag for it, and do by themselves.
///
/// Mistral documents `prefix` on the last message of its chat API; vLLM and SGLang document `continue_final_message`
/// of their servers.
fn flagged(kind: &str) -> Option<Prefill> {
    match kind {
        "mistral" => Some(Prefill::PrefixFlag),
        "vllm" | "sglang" => Some(Prefill::ContinueFlag),
        _ => None,
    }
}

/// What is known of a model that nothing is said of.
pub(crate) fn unsaid(kind: &str) -> ModelFacts {
    ModelFacts { prefill: flagged(kind).unwrap_or_default(), ..ModelFacts::default() }
}

/// What the file says of the models of a provider of this kind.
pub(crate) fn all(reader: &mut Reader<'_>, at: &At, models: Named<file::Model>, kind: &str) -> Models {
    let mut known = Models { others: unsaid(kind), ..Models::default() };
    for (name, block) in reader.value(at, models).unwrap_or_default() {
        let at = at.key(&name);
        check_name(reader, &at, &name);
        let model = reader.block(&at, block);
        let (facts, slots) = one(reader, &at, model, kind);
        if name == EVERY_OTHER {
            (known.others, known.slots.others) = (facts, slots);
        } else {
            let name: Arc<str> = name.into();
            known.named.insert(Arc::clone(&name), facts);
            known.slots.models.insert(name, slots);
        }
    }
    known
}

fn check_name(reader: &mut Reader<'_>, at: &At, name: &str) {
    let written = quote(name);
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_graphic()) {
        reader.fault(at, format!("{written} is no model: only printable ASCII without spaces"));
    } else if name.contains('*') && name != EVERY_OTHER {
        reader.fault(at, format!("{written} is no model: `*` stands alone, for all that are not named"));
    }
}

fn one(reader: &mut Reader<'_>, at: &At, model: file::Model, kind: &str) -> (ModelFacts, Option<u32>) {
    let price = price(reader, &at.key("price"), model.price);
    let context_window = reader.count(&at.key("context_window"), model.context_window);
    let prefill = prefill(reader, &at.key("capabilities"), model.capabilities, kind);
    let slots = reader.count(&at.key("max_concurrency"), model.max_concurrency).map(NonZeroU32::get);
    let context_window = context_window.map(|tokens| tokens.get().into());
    (ModelFacts { context_window, prefill, price }, slots)
}

fn price(reader: &mut Reader<'_>, at: &At, block: Block<file::Price>) -> Option<Price> {
    let section = reader.value(at, block)?;
    let price = reader.section(at, section);
    let (input_at, output_at) = (at.key("input"), at.key("output"));
    let (input, output) = (reader.required(&input_at, price.input), reader.required(&output_at, price.output));
    let (input, output) = (reader.amount(&input_at, input), reader.amount(&output_at, output));
    Some(Price { input: input?, output: output? })
}

/// A list that is written says all that the model can do.
fn prefill(reader: &mut Reader<'_>, at: &At, capabilities: List<String>, kind: &str) -> Prefill {
    let Some(list) = reader.list(at, capabilities) else { return unsaid(kind).prefill };
    let mut declared = false;
    for (at, written) in list {
        let Some(words) = reader.words(&at, written) else { continue };
        match words.value.as_str() {
            PREFILL => declared = true,
            _ => reader.fault(&at, unknown(&words)),
        }
    }
    if declared { flagged(kind).unwrap_or(Prefill::Plain) } else { Prefill::No }
}

fn unknown(words: &Words) -> String {
    let (written, known) = (quote(&words.written), CAPABILITIES.join(", "));
    if later::CAPABILITIES.contains(&words.value.as_str()) {
        return format!("capability {written} is not in this version yet; known are {known}");
    }
    let guess = did_you_mean(&words.written, CAPABILITIES.iter().copied());
    format!("unknown capability {written}{guess}; known are {known}")
}
