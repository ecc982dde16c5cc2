//! What an answer has to satisfy, as the file says it.
//!
//! Must never be here: defaults, rules, `Debug` (literal secrets stand in these types).

use super::{Block, List, Secret, Size, Span, Text};
use crate::later::Later;
use crate::lenient::{Lenient, Section, Shape, Switched};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A key that `false` switches off, whatever is inherited.
pub(crate) type Unless<T> = Lenient<Switched<T>>;

/// What an answer has to satisfy, and what becomes of one that does not. `false` switches a check off that `defaults`
/// turns on, and so does an empty list.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Contract {
    /// The checks that are made, beside those that a key below turns on. Default: complete, non_empty, model, schema,
    /// tools; the last two act where a request demands a form or declares tools.
    pub(crate) require: List<String>,
    /// What becomes of an answer that breaks it, step by step: repair, reask, failover, flag, fail. Default: repair,
    /// reask, failover, fail.
    pub(crate) on_violation: List<String>,
    /// How often a model is asked again in one call, up to 5. Default: 1.
    pub(crate) max_repairs: Lenient<u32>,
    /// Text that stands for a number may become that number, where the schema takes nothing else. Default: false.
    pub(crate) repair_numbers: Lenient<bool>,
    /// A JSON Schema that every text has to satisfy, or {file: PATH}.
    pub(crate) schema: Unless<Map<String, Value>>,
    /// Models that may serve beside the one asked for; `*` stands for any run of characters.
    pub(crate) models: Unless<Vec<Lenient<String>>>,
    /// `gpt-4o` may be served by `gpt-4o-2024-08-06`. Default: true.
    pub(crate) dated_models: Lenient<bool>,
    /// Reasoning alone is an answer. Default: false.
    pub(crate) reasoning_is_content: Lenient<bool>,
    /// Regular expressions that no text may match.
    pub(crate) deny: Unless<Vec<Lenient<Pattern>>>,
    /// Regular expressions that every text has to match.
    pub(crate) must_match: Unless<Vec<Lenient<Pattern>>>,
    /// Personal data that no answer may hold.
    pub(crate) pii: Unless<Section<Detect>>,
    /// Credentials that no answer may hold.
    pub(crate) secrets: Unless<Section<Detect>>,
    /// The languages that a text may be in, as ISO 639-1 codes.
    pub(crate) languages: Unless<Vec<Lenient<String>>>,
    /// The longest text, in characters.
    pub(crate) max_chars: Unless<u32>,
    /// What is cited has to be in the request.
    pub(crate) citations: Unless<Section<Citations>>,
    /// A service that is asked whether an answer may pass, once all else holds.
    pub(crate) webhook: Unless<Section<Webhook>>,
    /// How much of a stream is held back until it is judged, where it can only be judged whole.
    pub(crate) stream_hold: Block<StreamHold>,
}

/// A regular expression, alone or with a name.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Pattern {
    Bare(String),
    Named(Section<NamedPattern>),
}

/// A regular expression with a name, by which findings call it.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct NamedPattern {
    /// Its name.
    pub(crate) name: Text,
    /// The regular expression.
    pub(crate) pattern: Text,
}

/// What is looked for, and what becomes of it.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Detect {
    /// Which kinds, by name. Default: all.
    pub(crate) entities: List<String>,
    /// `fail`, or `redact`: each is replaced by the name of its kind. Default: fail.
    pub(crate) action: Text,
}

/// What is cited has to be in the request.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Citations {
    /// A regular expression whose first group is the id. Default: ids in square brackets.
    pub(crate) pattern: Text,
    /// How many different sources have to be cited. Default: 0.
    pub(crate) min: Lenient<u32>,
}

/// A service that is asked whether an answer may pass.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(extend("required" = ["url"]))]
pub(crate) struct Webhook {
    /// Where, as an http or https URL.
    pub(crate) url: Text,
    /// How long it may take, from 10ms to 120s. Default: 2s.
    pub(crate) timeout: Lenient<Span>,
    /// What becomes of an answer of which it says nothing: `pass` or `fail`. Default: fail.
    pub(crate) on_failure: Text,
    /// Headers added to every question, such as `authorization`.
    pub(crate) headers: Lenient<BTreeMap<String, Lenient<Secret>>>,
}

/// How much of a stream is held back until it is judged.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct StreamHold {
    /// How much, from 1KiB to 32MiB; a stream with more to hold breaks its contract. Default: 4MiB.
    pub(crate) bytes: Lenient<Size>,
    /// For how long, from 1s to 1h. Default: 120s.
    pub(crate) time: Lenient<Span>,
}

impl Shape for Pattern {
    const EXPECTED: &'static str = "a regular expression or {name, pattern}";
}

impl Later for Contract {}
impl Later for NamedPattern {}
impl Later for Detect {}
impl Later for Citations {}
impl Later for Webhook {}
impl Later for StreamHold {}
