//! `contract`: what an answer has to satisfy. A key that says something of a check turns it on; a route's key replaces
//! that of `defaults`.

mod said;
mod webhook;

pub(crate) use said::Said;
use said::is_usual;

use crate::defaults;
use crate::fault::At;
use crate::file;
use crate::lenient::Section;
use crate::reader::Reader;
use crate::settings::{AnswerPolicy, Hold};
use contracts::{Check, Contract, Invalid, Policy, Schemas, Step};
use std::sync::Arc;

/// The policy of the section at `at`, which stands alone: `verify` takes it, so every key may act.
pub(crate) fn contract(reader: &mut Reader<'_>, at: &At, section: Section<file::Contract>) -> Policy {
    let before = reader.faults.len();
    let own = Said::read(reader, at, section);
    let policy = policy(&own);
    if reader.faults.len() == before {
        judged(reader, at, &own, &policy, &Arc::default());
    }
    policy
}

/// What answers have to satisfy, with the keys that say so.
#[derive(Clone)]
pub(crate) struct AnswerRules {
    said: Said,
    pub(crate) answers: AnswerPolicy,
}

impl AnswerRules {
    /// What holds where nothing is written.
    pub(crate) fn usual(schemas: Arc<Schemas>) -> Self {
        let said = Said::default();
        let contract = Arc::new(Contract::usual(schemas));
        let answers = AnswerPolicy { contract, hold: hold(&said), webhook: None };
        Self { said, answers }
    }

    /// What the block at `at` says over this. Where that is unsound, its keys are still inherited, so that no route is
    /// told of a key that it misses for a fault elsewhere.
    pub(crate) fn with(
        &self,
        reader: &mut Reader<'_>,
        at: &At,
        block: file::Block<file::Contract>,
        schemas: &Arc<Schemas>,
    ) -> Self {
        let Some(section) = reader.value(at, block) else { return self.clone() };
        let before = reader.faults.len();
        let own = Said::read(reader, at, section);
        let said = own.over(&self.said);
        let mut answers = self.answers.clone();
        if reader.faults.len() == before
            && let Some(contract) = judged(reader, at, &own, &policy(&said), schemas)
        {
            answers.contract = Arc::new(contract);
        }
        answers.hold = hold(&said);
        answers.webhook = said.webhook.as_ref().map(|webhook| webhook.settings.clone());
        Self { said, answers }
    }
}

fn hold(said: &Said) -> Hold {
    Hold { bytes: said.hold_bytes.unwrap_or(defaults::HOLD_BYTES), time: said.hold_time.unwrap_or(defaults::HOLD_TIME) }
}

/// What the keys come to, with defaults for all that are not there.
fn policy(said: &Said) -> Policy {
    let usual = Policy::default();
    let said = said.clone();
    let mut on = said.turned_on();
    let (pii, pii_action) = said.pii.unwrap_or((usual.pii, usual.pii_action));
    let (secrets, secrets_action) = said.secrets.unwrap_or((usual.secrets, usual.secrets_action));
    let mut require = said.require.unwrap_or(usual.require);
    require.append(&mut on);
    require.retain(|check| !said.off.contains(check) || is_usual(*check));
    Policy {
        require,
        on_violation: said.on_violation.unwrap_or(usual.on_violation),
        max_repairs: said.max_repairs.unwrap_or(usual.max_repairs),
        repair_numbers: said.repair_numbers.unwrap_or(usual.repair_numbers),
        schema: said.schema.or(usual.schema),
        models: said.models.unwrap_or(usual.models),
        dated_models: said.dated_models.unwrap_or(usual.dated_models),
        reasoning_is_content: said.reasoning_is_content.unwrap_or(usual.reasoning_is_content),
        deny: said.deny.unwrap_or(usual.deny),
        must_match: said.must_match.unwrap_or(usual.must_match),
        pii,
        pii_action,
        secrets,
        secrets_action,
        languages: said.languages.unwrap_or(usual.languages),
        max_chars: said.max_chars.or(usual.max_chars),
        citations: said.citations.unwrap_or(usual.citations),
        webhook: said.webhook.map(|webhook| webhook.policy).or(usual.webhook),
    }
}

/// The contract of a policy that the block at `at` has the last word on; `None` after what is wrong with it.
fn judged(reader: &mut Reader<'_>, at: &At, own: &Said, policy: &Policy, schemas: &Arc<Schemas>) -> Option<Contract> {
    let before = reader.faults.len();
    // What is inherited may idle: nobody asked for both.
    if own.max_repairs.is_some() && !policy.on_violation.contains(&Step::Reask) {
        reader.fault(&at.key("max_repairs"), "does nothing without `reask` in on_violation");
    }
    needs(reader, &at.key("require"), policy);
    let contract = compiled(reader, at, own, policy, schemas);
    contract.filter(|_| reader.faults.len() == before)
}

/// Checks that do nothing until a key says what they look for.
fn needs(reader: &mut Reader<'_>, at: &At, policy: &Policy) {
    let silent = [
        (Check::Deny, "deny", policy.deny.is_empty()),
        (Check::Require, "must_match", policy.must_match.is_empty()),
        (Check::Language, "languages", policy.languages.is_empty()),
        (Check::MaxChars, "max_chars", policy.max_chars.is_none()),
        (Check::Webhook, "webhook", policy.webhook.is_none()),
    ];
    for (check, key, silent) in silent {
        if silent && policy.require.contains(&check) {
            reader.fault(at, format!("`{check}` does nothing without `{key}`"));
        }
    }
}

/// Patterns and the schema have to compile, within their bounds.
fn compiled(reader: &mut Reader<'_>, at: &At, own: &Said, policy: &Policy, schemas: &Arc<Schemas>) -> Option<Contract> {
    let invalid = match Contract::new(policy.clone(), Arc::clone(schemas)) {
        Ok(contract) => return Some(contract),
        Err(invalid) => invalid,
    };
    for Invalid { check, entry, message } in invalid {
        let list = |key: &str| entry.map_or(at.key(key), |entry| at.key(key).index(entry));
        let (own, place) = match check {
            Check::Deny => (own.deny.is_some(), list("deny")),
            Check::Require => (own.must_match.is_some(), list("must_match")),
            Check::Citations => (own.citations.is_some(), at.key("citations").key("pattern")),
            _ => (own.schema.is_some(), at.key("schema")),
        };
        // What is inherited was told where it stands.
        if own {
            reader.fault(&place, message);
        }
    }
    None
}
