//! What a `contract` block says, key by key; what it does not say is open to whatever it inherits.
//!
//! Must never be here: defaults, rules about several keys.

use super::webhook::{Webhook, webhook};
use crate::fault::{At, did_you_mean, quote};
use crate::file::{self, Block, List, Unless};
use crate::lenient::{Lenient, Section, Switched};
use crate::reader::Reader;
use crate::source::read_bounded;
use contracts::{Action, Check, Citations, Entity, Language, Pattern, Step};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The longest file of a schema, in bytes; one that is longer is no schema that is taken.
const SCHEMA_BYTES: u64 = 64 << 10;
/// How often a model may be asked again.
const MAX_REPAIRS: u32 = 5;
/// How much of a stream may be held, in bytes, and for how long.
const HOLD_BYTES: RangeInclusive<usize> = 1 << 10..=32 << 20;
const HOLD_TIME: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(60 * 60);

/// What is looked for, and what becomes of it.
pub(super) type Detect = (BTreeSet<Entity>, Action);

/// The keys of one block, or of one with what it inherits; `None` where nothing is said.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    pub(super) require: Option<BTreeSet<Check>>,
    pub(super) on_violation: Option<Vec<Step>>,
    pub(super) max_repairs: Option<u32>,
    pub(super) repair_numbers: Option<bool>,
    pub(super) schema: Option<Arc<str>>,
    pub(super) models: Option<Vec<String>>,
    pub(super) dated_models: Option<bool>,
    pub(super) reasoning_is_content: Option<bool>,
    pub(super) deny: Option<Vec<Pattern>>,
    pub(super) must_match: Option<Vec<Pattern>>,
    pub(super) pii: Option<Detect>,
    pub(super) secrets: Option<Detect>,
    pub(super) languages: Option<BTreeSet<Language>>,
    pub(super) max_chars: Option<u64>,
    pub(super) citations: Option<Citations>,
    pub(super) webhook: Option<Webhook>,
    pub(super) hold_bytes: Option<usize>,
    pub(super) hold_time: Option<Duration>,
    /// Whose keys are switched off.
    pub(super) off: BTreeSet<Check>,
}

impl Said {
    /// Reads the section at `at`.
    pub(super) fn read(reader: &mut Reader<'_>, at: &At, section: Section<file::Contract>) -> Self {
        let file = reader.section(at, section);
        let hold = reader.block(&at.key("stream_hold"), file.stream_hold);
        let hold_at = at.key("stream_hold");
        let mut off = BTreeSet::new();
        let models = unless_empty(&mut off, Check::Model, file.models);
        let languages = unless_empty(&mut off, Check::Language, file.languages);
        let deny = unless_empty(&mut off, Check::Deny, file.deny);
        let must_match = unless_empty(&mut off, Check::Require, file.must_match);
        let pii = unless(&mut off, Check::Pii, file.pii);
        let secrets = unless(&mut off, Check::Secrets, file.secrets);
        let own_schema = unless(&mut off, Check::Schema, file.schema);
        let most = unless(&mut off, Check::MaxChars, file.max_chars);
        let cited = unless(&mut off, Check::Citations, file.citations);
        let asked = unless(&mut off, Check::Webhook, file.webhook);
        let require = names(reader, &at.key("require"), file.require, "check", Check::parse, Check::ALL);
        contradictions(reader, at, require.as_ref(), &off);
        Self {
            on_violation: steps(reader, &at.key("on_violation"), file.on_violation),
            repair_numbers: reader.value(&at.key("repair_numbers"), file.repair_numbers),
            schema: schema(reader, &at.key("schema"), own_schema),
            models: texts(reader, &at.key("models"), models),
            dated_models: reader.value(&at.key("dated_models"), file.dated_models),
            reasoning_is_content: reader.value(&at.key("reasoning_is_content"), file.reasoning_is_content),
            deny: patterns(reader, &at.key("deny"), deny),
            must_match: patterns(reader, &at.key("must_match"), must_match),
            languages: names(reader, &at.key("languages"), languages, "language", Language::parse, Language::ALL),
            max_chars: reader.count(&at.key("max_chars"), most).map(|most| u64::from(most.get())),
            max_repairs: max_repairs(reader, &at.key("max_repairs"), file.max_repairs),
            pii: detect(reader, &at.key("pii"), pii, false),
            secrets: detect(reader, &at.key("secrets"), secrets, true),
            citations: citations(reader, &at.key("citations"), cited),
            webhook: webhook(reader, &at.key("webhook"), asked),
            require,
            hold_bytes: held_bytes(reader, &hold_at.key("bytes"), hold.bytes),
            hold_time: held_time(reader, &hold_at.key("time"), hold.time),
            off,
        }
    }

    /// These keys, and for each that is not there the one of `base`.
    pub(super) fn over(&self, base: &Self) -> Self {
        /// What is said here, else there.
        fn or<T: Clone>(own: &Option<T>, base: &Option<T>) -> Option<T> {
            own.as_ref().or(base.as_ref()).cloned()
        }
        /// The same, unless what is said there is switched off here.
        fn unless<T: Clone>(off: bool, own: &Option<T>, base: &Option<T>) -> Option<T> {
            if off { None } else { or(own, base) }
        }
        let off = |check| self.off.contains(&check);
        let mut on = self.turned_on();
        on.extend(self.require.iter().flatten());
        Self {
            require: or(&self.require, &base.require),
            on_violation: or(&self.on_violation, &base.on_violation),
            max_repairs: self.max_repairs.or(base.max_repairs),
            repair_numbers: self.repair_numbers.or(base.repair_numbers),
            schema: unless(off(Check::Schema), &self.schema, &base.schema),
            models: unless(off(Check::Model), &self.models, &base.models),
            dated_models: self.dated_models.or(base.dated_models),
            reasoning_is_content: self.reasoning_is_content.or(base.reasoning_is_content),
            deny: unless(off(Check::Deny), &self.deny, &base.deny),
            must_match: unless(off(Check::Require), &self.must_match, &base.must_match),
            pii: unless(off(Check::Pii), &self.pii, &base.pii),
            secrets: unless(off(Check::Secrets), &self.secrets, &base.secrets),
            languages: unless(off(Check::Language), &self.languages, &base.languages),
            max_chars: unless(off(Check::MaxChars), &self.max_chars, &base.max_chars),
            citations: unless(off(Check::Citations), &self.citations, &base.citations),
            webhook: unless(off(Check::Webhook), &self.webhook, &base.webhook),
            hold_bytes: self.hold_bytes.or(base.hold_bytes),
            hold_time: self.hold_time.or(base.hold_time),
            off: self.off.union(&base.off).copied().filter(|check| !on.contains(check)).collect(),
        }
    }

    /// The checks that keys turn on.
    pub(super) fn turned_on(&self) -> BTreeSet<Check> {
        let keys = [
            (Check::Schema, self.schema.is_some()),
            (Check::Model, self.models.is_some()),
            (Check::Deny, self.deny.is_some()),
            (Check::Require, self.must_match.is_some()),
            (Check::Pii, self.pii.is_some()),
            (Check::Secrets, self.secrets.is_some()),
            (Check::Language, self.languages.is_some()),
            (Check::MaxChars, self.max_chars.is_some()),
            (Check::Citations, self.citations.is_some()),
            (Check::Webhook, self.webhook.is_some()),
        ];
        keys.into_iter().filter(|(_, on)| *on).map(|(check, _)| check).collect()
    }
}

/// A key's value; where it is `false`, its check is noted as switched off.
fn unless<T>(off: &mut BTreeSet<Check>, check: Check, key: Unless<T>) -> Lenient<T> {
    match key {
        Lenient::Absent => Lenient::Absent,
        Lenient::Wrong(message) => Lenient::Wrong(message),
        Lenient::Is(Switched::On(value)) => Lenient::Is(value),
        Lenient::Is(Switched::Off) => {
            off.insert(check);
            Lenient::Absent
        }
    }
}

/// The same of a list, which an empty one switches off too.
fn unless_empty<T>(off: &mut BTreeSet<Check>, check: Check, key: Unless<Vec<T>>) -> Lenient<Vec<T>> {
    let list = unless(off, check, key);
    if matches!(&list, Lenient::Is(entries) if entries.is_empty()) {
        off.insert(check);
        return Lenient::Absent;
    }
    list
}

/// Whether a check is made without any key of its own too: for what a request demands, and the model asked for.
pub(super) fn is_usual(check: Check) -> bool {
    matches!(check, Check::Schema | Check::Model)
}

/// What is demanded and switched off in one breath.
fn contradictions(reader: &mut Reader<'_>, at: &At, require: Option<&BTreeSet<Check>>, off: &BTreeSet<Check>) {
    for check in require.into_iter().flatten().filter(|check| off.contains(check) && !is_usual(**check)) {
        reader.fault(&at.key("require"), format!("`{check}` is switched off here too"));
    }
}

fn held_bytes(reader: &mut Reader<'_>, at: &At, size: Lenient<file::Size>) -> Option<usize> {
    let bytes = reader.size(at, size)?;
    let sound = HOLD_BYTES.contains(&bytes);
    if !sound {
        reader.fault(at, "must be from 1KiB to 32MiB");
    }
    sound.then_some(bytes)
}

fn held_time(reader: &mut Reader<'_>, at: &At, span: Lenient<file::Span>) -> Option<Duration> {
    let time = reader.wait(at, span)?;
    let sound = HOLD_TIME.contains(&time);
    if !sound {
        reader.fault(at, "must be from 1s to 1h");
    }
    sound.then_some(time)
}

fn max_repairs(reader: &mut Reader<'_>, at: &At, max: Lenient<u32>) -> Option<u32> {
    let max = reader.value(at, max)?;
    if max > MAX_REPAIRS {
        reader.fault(at, format!("must be at most {MAX_REPAIRS}"));
    }
    Some(max)
}

fn steps(reader: &mut Reader<'_>, at: &At, list: List<String>) -> Option<Vec<Step>> {
    let list = reader.filled(at, list, "is empty: say at least `fail`");
    let mut steps: Vec<Step> = Vec::new();
    for (at, step) in each(reader, at, list, "step", Step::parse, Step::ALL)? {
        if steps.contains(&step) {
            reader.fault(&at, format!("`{step}` stands here twice"));
        }
        if let Some(last) = steps.iter().find(|step| matches!(step, Step::Flag | Step::Fail)) {
            reader.fault(&at, format!("stands behind `{last}`, so it could never act"));
        }
        steps.push(step);
    }
    Some(steps)
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

fn texts(reader: &mut Reader<'_>, at: &At, list: List<String>) -> Option<Vec<String>> {
    let written = reader.list(at, list)?;
    Some(written.into_iter().filter_map(|(at, text)| reader.words(&at, text).map(|words| words.value)).collect())
}

/// The values that the words of a list stand for, with their places; a fault for each other word.
fn each<T: Copy + ToString>(
    reader: &mut Reader<'_>,
    at: &At,
    list: List<String>,
    what: &str,
    parse: fn(&str) -> Option<T>,
    all: &[T],
) -> Option<Vec<(At, T)>> {
    let mut values = Vec::new();
    for (at, word) in reader.list(at, list)? {
        if let Some(value) = parse(&word) {
            values.push((at, value));
            continue;
        }
        let known: Vec<String> = all.iter().map(ToString::to_string).collect();
        let guess = did_you_mean(&word, known.iter().map(String::as_str));
        reader.fault(&at, format!("unknown {what} {}{guess}; known are {}", quote(&word), known.join(", ")));
    }
    Some(values)
}

fn names<T: Copy + Ord + ToString>(
    reader: &mut Reader<'_>,
    at: &At,
    list: List<String>,
    what: &str,
    parse: fn(&str) -> Option<T>,
    all: &[T],
) -> Option<BTreeSet<T>> {
    let values = each(reader, at, list, what, parse, all)?;
    Some(values.into_iter().map(|(_, value)| value).collect())
}

fn patterns(reader: &mut Reader<'_>, at: &At, list: List<file::Pattern>) -> Option<Vec<Pattern>> {
    let entries = reader.list(at, list)?;
    Some(entries.into_iter().filter_map(|(at, entry)| pattern(reader, &at, entry)).collect())
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

fn detect(reader: &mut Reader<'_>, at: &At, block: Block<file::Detect>, secrets: bool) -> Option<Detect> {
    if block.is_absent() {
        return None;
    }
    let detect = reader.block(at, block);
    let known: Vec<Entity> = Entity::ALL.iter().copied().filter(|entity| entity.is_secret() == secrets).collect();
    let parse = if secrets { secret } else { personal };
    let entities = names(reader, &at.key("entities"), detect.entities, "entity", parse, &known).unwrap_or_default();
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
