//! A policy, ready to judge: patterns and its own schema compiled.
//!
//! Receives a [`Policy`]; hands on a [`Contract`] that calls share, or everything in it that cannot be used. A contract
//! and what one request demands make a [`Bound`], which judges answers.
//! Must never be here: the checks themselves.

use crate::detect::Entities;
use crate::finding::{Check, shortened};
use crate::policy::{Action, Pattern, Policy, Webhook};
use crate::schema::{Schema, Schemas};
use crate::{Entity, Judgement};
use llm::{Answer, Format, Lane, Terms, ToolChoice};
use regex::{Regex, RegexBuilder};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

/// The most that one pattern may take compiled, in bytes.
const PATTERN_BYTES: usize = 1 << 20;
/// The longest pattern, in bytes, and the most of one kind.
const PATTERN_LENGTH: usize = 4096;
const PATTERNS: usize = 64;

/// Ids in square brackets: `[doc-1]`, `[doc-1, doc-2]` is two of them where each has its own.
const CITATION: &str = r"\[(?:(?:doc|document|source|cite|citation):)?([A-Za-z0-9][A-Za-z0-9_.:\-]{0,127})\]";

/// A part of a policy that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// Which check it belongs to.
    pub check: Check,
    /// Which entry of its list, where it is one of a list.
    pub entry: Option<usize>,
    /// Why, for the person who wrote it.
    pub message: String,
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.check, self.message)
    }
}

impl std::error::Error for Invalid {}

/// A pattern, compiled, and what findings call it.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) regex: Regex,
}

/// What answers have to satisfy, ready to judge them.
#[derive(Debug)]
pub struct Contract {
    pub(crate) policy: Policy,
    /// Which checks the policy asks for, by their places among all.
    required: [bool; Check::ALL.len()],
    /// What is looked for, and what of that is taken out.
    wanted: Entities,
    redacted: Entities,
    pub(crate) deny: Vec<Named>,
    pub(crate) must_match: Vec<Named>,
    pub(crate) citation: Option<Regex>,
    pub(crate) schema: Option<Arc<Schema>>,
    pub(crate) schemas: Arc<Schemas>,
}

impl Contract {
    /// Compiles a policy. `schemas` keeps what requests bring; one for a process is enough.
    ///
    /// # Errors
    /// Every pattern and schema in it that cannot be used.
    pub fn new(policy: Policy, schemas: Arc<Schemas>) -> Result<Self, Vec<Invalid>> {
        let mut invalid = Vec::new();
        let deny = patterns(Check::Deny, &policy.deny, &mut invalid);
        let must_match = patterns(Check::Require, &policy.must_match, &mut invalid);
        let pattern = policy.citations.pattern.as_deref().unwrap_or(CITATION);
        let citation = policy.require.contains(&Check::Citations).then(|| citation(pattern)).transpose();
        let schema = policy.schema.as_ref().map(|text| schemas.get(text)).transpose();
        let citation = citation.unwrap_or_else(|message| {
            invalid.push(Invalid { check: Check::Citations, entry: None, message });
            None
        });
        let schema = schema.unwrap_or_else(|why| {
            invalid.push(Invalid { check: Check::Schema, entry: None, message: why.0 });
            None
        });
        let made = Self { deny, must_match, citation, schema, ..Self::of(policy, schemas) };
        if invalid.is_empty() { Ok(made) } else { Err(invalid) }
    }

    /// The contract of the policy by default, which holds nothing to compile.
    #[must_use]
    pub fn usual(schemas: Arc<Schemas>) -> Self {
        Self::of(Policy::default(), schemas)
    }

    /// The contract that demands nothing: of what is no answer of a model.
    #[must_use]
    pub fn none() -> Self {
        Self::of(Policy { require: BTreeSet::new(), ..Policy::default() }, Arc::default())
    }

    /// Without what has to be compiled.
    fn of(policy: Policy, schemas: Arc<Schemas>) -> Self {
        let mut required = [false; Check::ALL.len()];
        policy.require.iter().for_each(|check| required[*check as usize] = true);
        let wanted = |entity: &Entity| {
            let (check, chosen) =
                if entity.is_secret() { (Check::Secrets, &policy.secrets) } else { (Check::Pii, &policy.pii) };
            policy.require.contains(&check) && (chosen.is_empty() || chosen.contains(entity))
        };
        let goes = |entity: &Entity| {
            let action = if entity.is_secret() { policy.secrets_action } else { policy.pii_action };
            action == Action::Redact
        };
        let all = || Entity::ALL.iter().copied();
        let (wanted, redacted) = (all().filter(wanted).collect(), all().filter(goes).collect());
        let (deny, must_match) = (Vec::new(), Vec::new());
        Self { policy, required, wanted, redacted, deny, must_match, citation: None, schema: None, schemas }
    }

    /// What it was made of.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Whether it demands more than is usual, so that words have to be read.
    #[must_use]
    pub fn demands_more(&self) -> bool {
        let Policy { require, schema, webhook, .. } = &self.policy;
        schema.is_some() || webhook.is_some() || !require.is_subset(&Policy::default().require)
    }

    /// This contract for answers to one request, of a target whose model is `model`.
    #[must_use]
    pub fn bind<'a>(&'a self, terms: &'a Terms, model: &'a str) -> Bound<'a> {
        Bound { contract: self, terms, model }
    }

    /// What is looked for.
    pub(crate) fn wanted(&self) -> Entities {
        self.wanted
    }

    /// Whether what `entity` names is taken out; else it breaks the contract.
    pub(crate) fn takes_out(&self, entity: Entity) -> bool {
        self.redacted.has(entity)
    }

    /// The check that looks for personal data or credentials, if one does.
    pub(crate) fn detects(&self) -> Option<Check> {
        [Check::Pii, Check::Secrets].into_iter().find(|check| self.requires(*check))
    }

    /// The first check that searches the words of a lane, if one does.
    pub(crate) fn searches(&self, lane: Lane) -> Option<Check> {
        let checks: &[Check] = match lane {
            Lane::Text => &[Check::Deny, Check::Require, Check::Pii, Check::Secrets, Check::Citations],
            Lane::Refusal => &[Check::Deny, Check::Pii, Check::Secrets],
            Lane::Reasoning => &[Check::Pii, Check::Secrets],
        };
        checks.iter().copied().find(|check| self.requires(*check))
    }

    /// Whether the policy asks for a check.
    pub(crate) fn requires(&self, check: Check) -> bool {
        self.required[check as usize]
    }

    /// Whether patterns are forbidden in a lane.
    pub(crate) fn denies(&self, lane: Lane) -> bool {
        lane != Lane::Reasoning && self.requires(Check::Deny)
    }
}

fn patterns(check: Check, written: &[Pattern], invalid: &mut Vec<Invalid>) -> Vec<Named> {
    if written.len() > PATTERNS {
        invalid.push(Invalid { check, entry: None, message: format!("has more than {PATTERNS} patterns") });
        return Vec::new();
    }
    let mut compiled = Vec::new();
    for (entry, pattern) in written.iter().enumerate() {
        match compile(&pattern.regex) {
            Ok(regex) => compiled.push(Named { name: pattern.name.clone(), regex }),
            Err(message) => invalid.push(Invalid { check, entry: Some(entry), message }),
        }
    }
    compiled
}

fn compile(pattern: &str) -> Result<Regex, String> {
    if pattern.len() > PATTERN_LENGTH {
        return Err(format!("the pattern is longer than {PATTERN_LENGTH} bytes"));
    }
    let built = RegexBuilder::new(pattern).size_limit(PATTERN_BYTES).dfa_size_limit(PATTERN_BYTES).build();
    let regex = built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "the pattern takes more than 1 MiB compiled".to_owned(),
        other => shortened(format!("is no pattern: {}", last_line(&other.to_string())), 300),
    })?;
    // Everything would match it, in every place.
    if regex.is_match("") { Err("the pattern matches the empty text".to_owned()) } else { Ok(regex) }
}

/// Of the drawing that the regex crate makes of an error, what it says.
fn last_line(drawn: &str) -> &str {
    drawn.lines().last().unwrap_or_default().trim_start_matches("error: ")
}

fn citation(pattern: &str) -> Result<Regex, String> {
    let regex = compile(pattern)?;
    if regex.captures_len() < 2 { Err("the pattern has no group for the id".to_owned()) } else { Ok(regex) }
}

/// What has to be held back of a stream until it is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Nothing: text flows, and is watched.
    Nothing,
    /// Tool calls, from their first piece on; text before them flows, and is watched.
    Calls,
    /// Everything.
    All,
}

/// A contract for answers to one request.
#[derive(Clone, Copy, Debug)]
pub struct Bound<'a> {
    pub(crate) contract: &'a Contract,
    pub(crate) terms: &'a Terms,
    pub(crate) model: &'a str,
}

impl Bound<'_> {
    /// Judges an answer. Total: whatever the answer holds, there is a judgement, and it is bounded.
    #[must_use]
    pub fn check(&self, answer: &Answer) -> Judgement {
        crate::check::check(self, answer)
    }

    /// What is worth saying of an answer of the model `served`, where models are checked; a violation where the policy
    /// lists models, else a mark.
    #[must_use]
    pub fn stranger(&self, served: &str) -> Option<crate::Finding> {
        self.makes(Check::Model).then(|| crate::check::stranger(self, served)).flatten()
    }

    /// The answer mended, where that is certain, loses nothing, and makes it satisfy its contract.
    #[must_use]
    pub fn repair(&self, answer: &Answer) -> Option<crate::Repaired> {
        crate::repair::repair(self, answer)
    }

    /// The answer without what the policy takes out of its words and, where they stay JSON, out of arguments; `None`
    /// where there is nothing of the kind. Judged again, it may break a form that was demanded, but holds nothing any
    /// more that would have to be taken out.
    #[must_use]
    pub fn redacted(&self, answer: &Answer) -> Option<crate::Redacted> {
        crate::redact::redact(self.contract, answer)
    }

    /// How somebody outside is asked besides, once everything else holds.
    #[must_use]
    pub fn webhook(&self) -> Option<Webhook> {
        self.contract.policy.webhook.filter(|_| self.makes(Check::Webhook))
    }

    /// What has to be held back of a stream until it is judged.
    #[must_use]
    pub fn hold(&self) -> Hold {
        let policy = &self.contract.policy;
        let redacts = |check, action| self.contract.requires(check) && action == Action::Redact;
        let whole = [Check::Require, Check::Citations, Check::Language, Check::Webhook];
        if self.makes(Check::Schema)
            || redacts(Check::Pii, policy.pii_action)
            || redacts(Check::Secrets, policy.secrets_action)
            || whole.into_iter().any(|check| self.makes(check))
        {
            Hold::All
        } else if self.makes(Check::Tools) || self.contract.detects().is_some() {
            Hold::Calls
        } else {
            Hold::Nothing
        }
    }

    /// Whether a check is made.
    #[must_use]
    pub fn makes(&self, check: Check) -> bool {
        self.contract.requires(check) && self.demands(check)
    }

    /// Whether there is anything for a check to judge.
    fn demands(&self, check: Check) -> bool {
        match check {
            Check::Schema => self.terms.format != Format::Text || self.contract.schema.is_some(),
            Check::Tools => !self.terms.tools.is_empty() || self.terms.tool_choice != ToolChoice::Auto,
            Check::Webhook => self.contract.policy.webhook.is_some(),
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invalid(policy: Policy) -> Vec<String> {
        let made = Contract::new(policy, Arc::default());
        made.err().unwrap_or_default().iter().map(ToString::to_string).collect()
    }

    fn pattern(regex: &str) -> Pattern {
        Pattern { name: "p".into(), regex: regex.into() }
    }

    #[test]
    fn everything_unusable_is_told_at_once() {
        let policy = Policy {
            deny: vec![pattern("(a"), pattern("fine"), pattern("(a{1000}){1000}"), pattern("a*")],
            must_match: vec![pattern("(?=x)"), pattern(&"a".repeat(5000))],
            schema: Some("{".into()),
            citations: crate::Citations { pattern: Some("no group".into()), min: 0 },
            require: [Check::Citations].into(),
            ..Policy::default()
        };
        let told = invalid(policy);
        for (line, words) in told.iter().zip([
            "deny: is no pattern: unclosed group",
            "deny: the pattern takes more than 1 MiB",
            "deny: the pattern matches the empty text",
            "require: is no pattern: look-around",
            "require: the pattern is longer than 4096",
            "citations: the pattern has no group",
            "schema: is no JSON",
        ]) {
            assert!(line.starts_with(words), "{line} / {words}");
        }
        assert_eq!(told.len(), 7);
        assert_eq!(
            invalid(Policy { deny: vec![pattern("a"); 65], ..Policy::default() }),
            ["deny: has more than 64 patterns"]
        );
        assert!(invalid(Policy::default()).is_empty());
    }

    #[test]
    fn what_is_held_depends_on_what_is_judged_whole() {
        let hold = |policy: Policy, terms: &Terms| {
            Contract::new(policy, Arc::default()).expect("sound").bind(terms, "m").hold()
        };
        let plain = Terms::default();
        let json = Terms { format: Format::JsonObject, ..Terms::default() };
        let tools = Terms { tool_choice: ToolChoice::Required, ..Terms::default() };
        let with = |check| Policy { require: [check].into(), ..Policy::default() };
        for (policy, terms, expected) in [
            (Policy::default(), &plain, Hold::Nothing),
            (Policy::default(), &json, Hold::All),
            (Policy::default(), &tools, Hold::Calls),
            (with(Check::Loop), &json, Hold::Nothing),
            (with(Check::Pii), &plain, Hold::Calls),
            (Policy { pii_action: Action::Redact, ..with(Check::Pii) }, &plain, Hold::All),
            (with(Check::Deny), &plain, Hold::Nothing),
            (with(Check::Require), &plain, Hold::All),
            (with(Check::Webhook), &plain, Hold::Nothing),
            (Policy { webhook: Some(Webhook { fail_open: true }), ..with(Check::Webhook) }, &plain, Hold::All),
        ] {
            assert_eq!(hold(policy, terms), expected);
        }
    }
}
