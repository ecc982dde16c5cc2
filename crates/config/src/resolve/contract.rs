//! `contract`: what an answer has to satisfy. A key that says something of a check turns it on.

use crate::defaults;
use crate::fault::{At, did_you_mean, quote};
use crate::file::{self, Block, List, Text};
use crate::lenient::{Lenient, Section};
use crate::reader::Reader;
use crate::source::read_bounded;
use contracts::{Action, Check, Citations, Entity, Invalid, Language, Pattern, Policy, Step, Webhook};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// The longest file of a schema, in bytes; one that is longer is no schema that is taken.
const SCHEMA_BYTES: u64 = 64 << 10;
/// How often a model may be asked again.
const MAX_REPAIRS: u32 = 5;

/// The policy of the section at `at`.
pub(crate) fn contract(reader: &mut Reader<'_>, at: &At, section: Section<file::Contract>) -> Policy {
    let before = reader.faults.len();
    let file = reader.section(at, section);
    let usual = Policy::default();
    let steps_written = !file.on_violation.is_absent();
    let steps = steps(reader, &at.key("on_violation"), file.on_violation);
    let mut policy = Policy {
        max_repairs: usual.max_repairs,
        repair_numbers: reader.value(&at.key("repair_numbers"), file.repair_numbers).unwrap_or(false),
        schema: schema(reader, &at.key("schema"), file.schema),
        models: texts(reader, &at.key("models"), file.models),
        dated_models: reader.value(&at.key("dated_models"), file.dated_models).unwrap_or(true),
        reasoning_is_content: reader.value(&at.key("reasoning_is_content"), file.reasoning_is_content).unwrap_or(false),
        deny: patterns(reader, &at.key("deny"), file.deny),
        must_match: patterns(reader, &at.key("must_match"), file.must_match),
        languages: names(reader, &at.key("languages"), file.languages, "language", Language::parse, Language::ALL),
        max_chars: reader.count(&at.key("max_chars"), file.max_chars).map(|most| u64::from(most.get())),
        on_violation: if steps_written { steps } else { usual.on_violation.clone() },
        ..usual
    };
    if let Some(max) = reader.value(&at.key("max_repairs"), file.max_repairs) {
        max_repairs(reader, &at.key("max_repairs"), max, &mut policy);
    }
    let mut on = BTreeSet::new();
    if let Some((entities, action)) = detect(reader, &at.key("pii"), file.pii, false) {
        (policy.pii, policy.pii_action) = (entities, action);
        on.insert(Check::Pii);
    }
    if let Some((entities, action)) = detect(reader, &at.key("secrets"), file.secrets, true) {
        (policy.secrets, policy.secrets_action) = (entities, action);
        on.insert(Check::Secrets);
    }
    if let Some(citations) = citations(reader, &at.key("citations"), file.citations) {
        policy.citations = citations;
        on.insert(Check::Citations);
    }
    policy.webhook = webhook(reader, &at.key("webhook"), file.webhook);
    let written = !file.require.is_absent();
    let named = names(reader, &at.key("require"), file.require, "check", Check::parse, Check::ALL);
    if written {
        policy.require = named;
    }
    turn_on(&mut policy, on);
    if reader.faults.len() == before {
        needs(reader, &at.key("require"), &policy);
        compiled(reader, at, &policy);
    }
    policy
}

fn turn_on(policy: &mut Policy, mut on: BTreeSet<Check>) {
    let said = [
        (Check::Schema, policy.schema.is_some()),
        (Check::Model, !policy.models.is_empty()),
        (Check::Deny, !policy.deny.is_empty()),
        (Check::Require, !policy.must_match.is_empty()),
        (Check::Language, !policy.languages.is_empty()),
        (Check::MaxChars, policy.max_chars.is_some()),
        (Check::Webhook, policy.webhook.is_some()),
    ];
    on.extend(said.into_iter().filter(|(_, said)| *said).map(|(check, _)| check));
    policy.require.append(&mut on);
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
fn compiled(reader: &mut Reader<'_>, at: &At, policy: &Policy) {
    let invalid = contracts::Contract::new(policy.clone(), Arc::default()).err().unwrap_or_default();
    for Invalid { check, entry, message } in invalid {
        let list = |key: &str| entry.map_or(at.key(key), |entry| at.key(key).index(entry));
        let place = match check {
            Check::Deny => list("deny"),
            Check::Require => list("must_match"),
            Check::Citations => at.key("citations").key("pattern"),
            _ => at.key("schema"),
        };
        reader.fault(&place, message);
    }
}

fn steps(reader: &mut Reader<'_>, at: &At, list: List<String>) -> Vec<Step> {
    let list = reader.filled(at, list, "is empty: say at least `fail`");
    let mut steps: Vec<Step> = Vec::new();
    for (at, step) in each(reader, at, list, "step", Step::parse, Step::ALL) {
        if steps.contains(&step) {
            reader.fault(&at, format!("`{step}` stands here twice"));
        }
        if let Some(last) = steps.iter().find(|step| matches!(step, Step::Flag | Step::Fail)) {
            reader.fault(&at, format!("stands behind `{last}`, so it could never act"));
        }
        steps.push(step);
    }
    steps
}

fn max_repairs(reader: &mut Reader<'_>, at: &At, max: u32, policy: &mut Policy) {
    if max > MAX_REPAIRS {
        reader.fault(at, format!("must be at most {MAX_REPAIRS}"));
    }
    if !policy.on_violation.contains(&Step::Reask) {
        reader.fault(at, "does nothing without `reask` in on_violation");
    }
    policy.max_repairs = max;
}

/// The schema's text, written here or in a file of its own.
fn schema(reader: &mut Reader<'_>, at: &At, schema: Lenient<Map<String, Value>>) -> Option<Arc<str>> {
    let map = reader.value(at, schema)?;
    let Some(Value::String(path)) = map.get("file").filter(|_| map.len() == 1) else {
        return Some(Value::Object(map).to_string().into());
    };
    let path = reader.words(&at.key("file"), path.clone())?;
    let text = read_bounded(Path::new(&path.value), SCHEMA_BYTES).map_err(|error| error.to_string());
    match text.and_then(|bytes| String::from_utf8(bytes).map_err(|_| "it is not written in UTF-8".to_owned())) {
        Ok(text) => Some(text.into()),
        Err(why) => {
            reader.fault(&at.key("file"), format!("cannot read {}: {why}", quote(&path.written)));
            None
        }
    }
}

fn texts(reader: &mut Reader<'_>, at: &At, list: List<String>) -> Vec<String> {
    let written = reader.list(at, list).unwrap_or_default();
    written.into_iter().filter_map(|(at, text)| reader.words(&at, text).map(|words| words.value)).collect()
}

/// The values that the words of a list stand for, with their places; a fault for each other word.
fn each<T: Copy + ToString>(
    reader: &mut Reader<'_>,
    at: &At,
    list: List<String>,
    what: &str,
    parse: fn(&str) -> Option<T>,
    all: &[T],
) -> Vec<(At, T)> {
    let mut values = Vec::new();
    for (at, word) in reader.list(at, list).unwrap_or_default() {
        if let Some(value) = parse(&word) {
            values.push((at, value));
            continue;
        }
        let known: Vec<String> = all.iter().map(ToString::to_string).collect();
        let guess = did_you_mean(&word, known.iter().map(String::as_str));
        reader.fault(&at, format!("unknown {what} {}{guess}; known are {}", quote(&word), known.join(", ")));
    }
    values
}

fn names<T: Copy + Ord + ToString>(
    reader: &mut Reader<'_>,
    at: &At,
    list: List<String>,
    what: &str,
    parse: fn(&str) -> Option<T>,
    all: &[T],
) -> BTreeSet<T> {
    each(reader, at, list, what, parse, all).into_iter().map(|(_, value)| value).collect()
}

fn patterns(reader: &mut Reader<'_>, at: &At, list: List<file::Pattern>) -> Vec<Pattern> {
    let entries = reader.list(at, list).unwrap_or_default();
    entries.into_iter().filter_map(|(at, entry)| pattern(reader, &at, entry)).collect()
}

/// A pattern is taken as it is written: `$` has a meaning of its own in it.
fn pattern(reader: &mut Reader<'_>, at: &At, entry: file::Pattern) -> Option<Pattern> {
    match entry {
        file::Pattern::Bare(regex) => Some(Pattern { name: regex.clone(), regex }),
        file::Pattern::Named(section) => {
            let named = reader.section(at, section);
            let at = at.key("pattern");
            let required = reader.required(&at, named.pattern);
            let regex = reader.value(&at, required)?;
            let name = reader.value(&at.key("name"), named.name).unwrap_or_else(|| regex.clone());
            Some(Pattern { name, regex })
        }
    }
}

fn detect(
    reader: &mut Reader<'_>,
    at: &At,
    block: Block<file::Detect>,
    secrets: bool,
) -> Option<(BTreeSet<Entity>, Action)> {
    if block.is_absent() {
        return None;
    }
    let detect = reader.block(at, block);
    let known: Vec<Entity> = Entity::ALL.iter().copied().filter(|entity| entity.is_secret() == secrets).collect();
    let parse = if secrets { secret } else { personal };
    let entities = names(reader, &at.key("entities"), detect.entities, "entity", parse, &known);
    let actions: Vec<(&str, Action)> = Action::ALL.iter().map(|action| (action.as_str(), *action)).collect();
    let action = reader.choice(&at.key("action"), detect.action, "action", &actions);
    Some((entities, action.unwrap_or(Action::Fail)))
}

fn secret(word: &str) -> Option<Entity> {
    Entity::parse(word).filter(|entity| entity.is_secret())
}

fn personal(word: &str) -> Option<Entity> {
    Entity::parse(word).filter(|entity| !entity.is_secret())
}

fn citations(reader: &mut Reader<'_>, at: &At, block: Block<file::Citations>) -> Option<Citations> {
    if block.is_absent() {
        return None;
    }
    let citations = reader.block(at, block);
    Some(Citations {
        pattern: reader.value(&at.key("pattern"), citations.pattern),
        min: reader.value(&at.key("min"), citations.min).unwrap_or(0),
    })
}

fn webhook(reader: &mut Reader<'_>, at: &At, block: Block<file::Webhook>) -> Option<Webhook> {
    const REPLIES: &[(&str, bool)] = &[("pass", true), ("fail", false)];
    if block.is_absent() {
        return None;
    }
    let webhook = reader.block(at, block);
    let timeout = reader.wait(&at.key("timeout"), webhook.timeout).unwrap_or(defaults::WEBHOOK_TIMEOUT);
    let fail_open = reader.choice(&at.key("on_failure"), webhook.on_failure, "outcome", REPLIES).unwrap_or(false);
    let url = url(reader, &at.key("url"), webhook.url)?;
    Some(Webhook { url, timeout, fail_open })
}

fn url(reader: &mut Reader<'_>, at: &At, text: Text) -> Option<String> {
    let required = reader.required(at, text);
    let words = reader.text(at, required)?;
    let sound = words.value.parse::<http::Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty())
    });
    if !sound {
        reader.fault(at, format!("{} is no http or https URL", quote(&words.written)));
    }
    sound.then_some(words.value)
}
