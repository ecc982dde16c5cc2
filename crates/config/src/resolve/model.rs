//! `models` of a provider: what the file says of each.

use super::EVERY_OTHER;
use crate::fault::{At, did_you_mean, quote};
use crate::file::{self, Block, List, Named};
use crate::lenient::Lenient;
use crate::reader::{Reader, Words};
use llm::{Capabilities, Capability, Price};
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;

const PREFILL: &str = "prefill";

/// Every capability that a model may declare, but that to go on with a given beginning.
const DECLARED: [Capability; 5] =
    [Capability::Tools, Capability::ParallelTools, Capability::JsonSchema, Capability::Vision, Capability::Reasoning];

/// The words of all of them.
pub(crate) const CAPABILITIES: &[&str] = &[
    PREFILL,
    DECLARED[0].as_str(),
    DECLARED[1].as_str(),
    DECLARED[2].as_str(),
    DECLARED[3].as_str(),
    DECLARED[4].as_str(),
];

/// The models of one provider.
#[derive(Default)]
pub(crate) struct Models {
    /// What is said of them by name.
    pub(crate) named: BTreeMap<String, Said>,
    /// What is said of all others.
    pub(crate) others: Said,
    /// How many calls they take.
    pub(crate) slots: Slots,
}

/// What the file says of one model.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Said {
    pub(crate) price: Option<Price>,
    /// Tokens.
    pub(crate) context_window: Option<u64>,
    /// Tokens.
    pub(crate) max_output_tokens: Option<u64>,
    pub(crate) declared: Option<Declared>,
}

/// What a list of capabilities says, which is all that the model can do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Declared {
    /// It goes on with a given beginning.
    pub(crate) prefill: bool,
    pub(crate) capabilities: Capabilities,
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

/// What the file says of the models of a provider.
pub(crate) fn all(reader: &mut Reader<'_>, at: &At, models: Named<file::Model>) -> Models {
    let mut said = Models::default();
    for (name, block) in reader.value(at, models).unwrap_or_default() {
        let at = at.key(&name);
        check_name(reader, &at, &name);
        let model = reader.block(&at, block);
        let (one, slots) = one(reader, &at, model);
        if name == EVERY_OTHER {
            (said.others, said.slots.others) = (one, slots);
        } else {
            said.slots.models.insert(name.as_str().into(), slots);
            said.named.insert(name, one);
        }
    }
    said
}

fn check_name(reader: &mut Reader<'_>, at: &At, name: &str) {
    let written = quote(name);
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_graphic()) {
        reader.fault(at, format!("{written} is no model: only printable ASCII without spaces"));
    } else if name.contains('*') && name != EVERY_OTHER {
        reader.fault(at, format!("{written} is no model: `*` stands alone, for all that are not named"));
    }
}

fn one(reader: &mut Reader<'_>, at: &At, model: file::Model) -> (Said, Option<u32>) {
    let price = price(reader, &at.key("price"), model.price);
    let context_window = tokens(reader, &at.key("context_window"), model.context_window);
    let max_output_tokens = tokens(reader, &at.key("max_output_tokens"), model.max_output_tokens);
    let declared = declared(reader, &at.key("capabilities"), model.capabilities);
    let slots = reader.count(&at.key("max_concurrency"), model.max_concurrency).map(NonZeroU32::get);
    (Said { price, context_window, max_output_tokens, declared }, slots)
}

fn tokens(reader: &mut Reader<'_>, at: &At, count: Lenient<u32>) -> Option<u64> {
    reader.count(at, count).map(|tokens| tokens.get().into())
}

fn price(reader: &mut Reader<'_>, at: &At, block: Block<file::Price>) -> Option<Price> {
    let section = reader.value(at, block)?;
    let price = reader.section(at, section);
    let (input_at, output_at) = (at.key("input"), at.key("output"));
    let (input, output) = (reader.required(&input_at, price.input), reader.required(&output_at, price.output));
    let (input, output) = (reader.amount(&input_at, input), reader.amount(&output_at, output));
    let cached_input = reader.amount(&at.key("cached_input"), price.cached_input);
    let cache_write = reader.amount(&at.key("cache_write"), price.cache_write);
    Some(Price { input: input?, output: output?, cached_input, cache_write })
}

/// A list that is written says all that the model can do.
fn declared(reader: &mut Reader<'_>, at: &At, capabilities: List<String>) -> Option<Declared> {
    let list = reader.list(at, capabilities)?;
    let none = DECLARED.into_iter().fold(Capabilities::default(), |none, one| none.with(one, false));
    let mut declared = Declared { prefill: false, capabilities: none };
    for (at, written) in list {
        let Some(words) = reader.words(&at, written) else { continue };
        match Capability::from_word(&words.value).filter(|capability| DECLARED.contains(capability)) {
            Some(capability) => declared.capabilities = declared.capabilities.with(capability, true),
            None if words.value == PREFILL => declared.prefill = true,
            None => reader.fault(&at, unknown(&words)),
        }
    }
    Some(declared)
}

fn unknown(words: &Words) -> String {
    let guess = did_you_mean(&words.written, CAPABILITIES.iter().copied());
    format!("unknown capability {}{guess}; known are {}", quote(&words.written), CAPABILITIES.join(", "))
}
