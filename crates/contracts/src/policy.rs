//! What an answer has to satisfy, and what becomes of one that does not: closed data, as a route's owner says it.
//!
//! Must never be here: compiled patterns and schemas, defaults that depend on a request.

use crate::finding::{Check, words};
use std::collections::BTreeSet;
use std::sync::Arc;

words! {
    /// What becomes of an answer that breaks its contract. Steps are tried in the order of the policy.
    Step {
        /// It is mended, where that is certain and loses nothing.
        Repair => "repair",
        /// The same model is told what is wrong and asked again.
        Reask => "reask",
        /// The next candidate is asked.
        Failover => "failover",
        /// It is handed on with a mark.
        Flag => "flag",
        /// The call ends in an error.
        Fail => "fail",
    }
}

words! {
    /// What becomes of personal data or credentials.
    Action {
        /// They are replaced by the name of what they are.
        Redact => "redact",
        /// The answer breaks its contract.
        Fail => "fail",
    }
}

/// What an answer has to satisfy.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// The checks that are made; `schema` and `tools` of them where the request, or this policy, demands a form or
    /// declares tools.
    pub require: BTreeSet<Check>,
    /// What becomes of an answer that breaks it, step by step; behind the last one it fails.
    pub on_violation: Vec<Step>,
    /// How often a model is asked again in one call.
    pub max_repairs: u32,
    /// Text that stands for a number may become that number, where the schema leaves no doubt.
    pub repair_numbers: bool,
    /// A schema that every text has to satisfy, beside the request's own.
    pub schema: Option<Arc<str>>,
    /// Models that may serve beside the one asked for; `*` stands for any run of characters.
    pub models: Vec<String>,
    /// `gpt-4o` may be served by `gpt-4o-2024-08-06`.
    pub dated_models: bool,
    /// Reasoning alone is an answer.
    pub reasoning_is_content: bool,
    /// What no text may hold, and no refusal; reasoning may.
    pub deny: Vec<Pattern>,
    /// What every text has to hold.
    pub must_match: Vec<Pattern>,
    /// The personal data that is looked for; empty means every kind.
    pub pii: BTreeSet<crate::Entity>,
    /// What becomes of it.
    pub pii_action: Action,
    /// The credentials that are looked for; empty means every kind.
    pub secrets: BTreeSet<crate::Entity>,
    /// What becomes of them.
    pub secrets_action: Action,
    /// The languages that a text may be in, as ISO 639-1 codes.
    pub languages: BTreeSet<crate::Language>,
    /// The longest text, in characters.
    pub max_chars: Option<u64>,
    /// How a text cites.
    pub citations: Citations,
    /// Somebody outside is asked besides.
    pub webhook: Option<Webhook>,
}

/// A pattern with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// By what findings call it; the pattern itself where it has no name.
    pub name: String,
    /// A regular expression of the `regex` crate.
    pub regex: String,
}

/// How a text cites.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Citations {
    /// A regular expression whose first group is the id; `None` for ids in square brackets.
    pub pattern: Option<String>,
    /// How many different sources have to be cited.
    pub min: u32,
}

/// Somebody outside judges an answer too; the engine knows who, and asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Whether an answer passes where there is no opinion of it.
    pub fail_open: bool,
}

impl Default for Policy {
    /// What holds where nothing is written: what any answer has to satisfy, and what the request itself demands.
    fn default() -> Self {
        Self {
            require: [Check::Complete, Check::NonEmpty, Check::Model, Check::Schema, Check::Tools].into(),
            on_violation: vec![Step::Repair, Step::Reask, Step::Failover, Step::Fail],
            max_repairs: 1,
            repair_numbers: false,
            schema: None,
            models: Vec::new(),
            dated_models: true,
            reasoning_is_content: false,
            deny: Vec::new(),
            must_match: Vec::new(),
            pii: BTreeSet::new(),
            pii_action: Action::Fail,
            secrets: BTreeSet::new(),
            secrets_action: Action::Fail,
            languages: BTreeSet::new(),
            max_chars: None,
            citations: Citations::default(),
            webhook: None,
        }
    }
}
