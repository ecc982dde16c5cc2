//! `routes`: names, targets and policies to what the route table needs.

use super::{name, policy};
use crate::defaults;
use crate::fault::{At, did_you_mean, quote};
use crate::file::{self, TargetEntry};
use crate::later;
use crate::reader::{Reader, Words};
use llm::TargetId;
use routing::{ModelChoice, Policy, RouteSettings, TargetSettings};
use slo::Objective;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Names of routes that mean something else: `direct` and `none` are labels of calls without a route.
const RESERVED: &[&str] = &["direct", "none"];

/// What a route has to fit into.
pub(crate) struct Around<'a> {
    /// The names of all providers.
    pub(crate) providers: &'a BTreeSet<String>,
    /// What it inherits.
    pub(crate) base: Policy,
}

/// All routes.
#[derive(Default)]
pub(crate) struct Routes {
    /// The names of all, the faulty ones included.
    pub(crate) names: BTreeSet<String>,
    pub(crate) settings: Vec<RouteSettings>,
    /// For each of `settings` by place.
    pub(crate) objectives: Vec<Objective>,
}

/// Which route answers to a name.
type Claims = BTreeMap<String, String>;

pub(crate) fn all(reader: &mut Reader<'_>, at: &At, routes: file::Named<file::Route>, around: &Around<'_>) -> Routes {
    let written = reader.value(at, routes).unwrap_or_default();
    let mut claims: Claims = written.keys().map(|name| (name.clone(), name.clone())).collect();
    let mut routes = Routes { names: written.keys().cloned().collect(), ..Routes::default() };
    for (name, block) in written {
        let at = at.key(&name);
        check_name(reader, &at, &name);
        let Some(section) = reader.value(&at, block) else { continue };
        let file = reader.section(&at, section);
        let (settings, objective) = route(reader, &at, &name, file, around, &mut claims);
        routes.settings.push(settings);
        routes.objectives.push(objective);
    }
    routes
}

fn check_name(reader: &mut Reader<'_>, at: &At, name: &str) {
    let written = quote(name);
    if RESERVED.contains(&name) {
        reader.fault(at, format!("{written} is reserved; choose another name"));
    } else if let Err(why) = name::check(name) {
        reader.fault(at, format!("{written} {why}"));
    } else if name.contains(['/', '*']) {
        reader.fault(at, format!("{written} is no route's name: it may hold neither `/` nor `*`; aliases may"));
    }
}

fn route(
    reader: &mut Reader<'_>,
    at: &At,
    name: &str,
    file: file::Route,
    around: &Around<'_>,
    claims: &mut Claims,
) -> (RouteSettings, Objective) {
    let aliases = aliases(reader, &at.key("aliases"), name, file.aliases, claims);
    let targets = targets(reader, &at.key("targets"), file.targets, around.providers);
    balance(reader, &at.key("balance"), file.balance);
    let policy = policy::policy(reader, at, file.timeouts, file.retry, around.base);
    let objective = objective(reader, &at.key("slo"), file.slo);
    (RouteSettings { name: Arc::from(name), aliases, targets, policy }, objective)
}

fn aliases(
    reader: &mut Reader<'_>,
    at: &At,
    route: &str,
    aliases: file::List<String>,
    claims: &mut Claims,
) -> Vec<String> {
    let mut kept = Vec::new();
    for (at, written) in reader.list(at, aliases).unwrap_or_default() {
        let Some(alias) = reader.words(&at, written) else { continue };
        if alias.value.is_empty() {
            reader.fault(&at, "is empty");
        } else if let Some(owner) = claims.get(&alias.value) {
            let owner = At::root().key("routes").key(owner);
            reader.fault(&at, format!("{} already belongs to {}", quote(&alias.written), owner.as_str()));
        } else {
            claims.insert(alias.value.clone(), route.to_owned());
            kept.push(alias.value);
        }
    }
    kept
}

fn targets(
    reader: &mut Reader<'_>,
    at: &At,
    targets: file::List<TargetEntry>,
    providers: &BTreeSet<String>,
) -> Vec<TargetSettings> {
    let before = reader.faults.len();
    let targets = reader.required(at, targets);
    let targets = reader.filled(at, targets, "is empty; name at least one provider/model");
    let targets: Vec<_> = reader
        .list(at, targets)
        .unwrap_or_default()
        .into_iter()
        .zip(1..)
        .filter_map(|((at, entry), place)| target(reader, &at, entry, place, providers))
        .collect();
    if reader.faults.len() == before {
        judge_chain(reader, at, &targets);
    }
    targets
}

fn judge_chain(reader: &mut Reader<'_>, at: &At, targets: &[TargetSettings]) {
    if targets.iter().all(|target| target.weight == 0) {
        reader.fault(at, "every weight is 0, so nothing could be called");
    }
    if let [first, rest @ ..] = targets
        && !rest.is_empty()
        && rest.iter().all(|target| target.provider == first.provider)
    {
        let provider = quote(&first.provider);
        reader.warn(at, format!("all lie at {provider}: the failover chain stays inside one failure domain"));
    }
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
        "*" => ModelChoice::AsRequested,
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

fn balance(reader: &mut Reader<'_>, at: &At, balance: file::Text) {
    let Some(words) = reader.text(at, balance) else { return };
    let written = quote(&words.written);
    if later::BALANCES.contains(&words.value.as_str()) {
        reader.fault(at, format!("{written} is not in this version yet; `weighted` is"));
    } else if words.value != "weighted" {
        reader.fault(at, format!("unknown balance {written}; `weighted` is the one there is"));
    }
}

fn objective(reader: &mut Reader<'_>, at: &At, block: file::Block<file::Slo>) -> Objective {
    let slo = reader.block(at, block);
    let at = at.key("first_token");
    let first_token = reader.block(&at, slo.first_token);
    let under = reader.wait(&at.key("under"), first_token.under);
    Objective { first_token_under: under.unwrap_or(defaults::FIRST_TOKEN_UNDER) }
}
