//! `routes`: names, targets and policies to what the route table needs.

use super::breaker::{self, Breakers};
use super::contract::AnswerRules;
use super::last_resort::{self, Leads};
use super::policy::{self, Keys};
use super::{chain, name, target};
use crate::defaults;
use crate::fault::{At, quote};
use crate::file;
use crate::lenient::Section;
use crate::reader::Reader;
use crate::settings::AnswerPolicy;
use contracts::Schemas;
use resilience::BreakerPolicy;
use routing::{LastResort, Policy, ProviderFacts, RouteSettings, TargetSettings};
use slo::Objective;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Names of routes that mean something else: `direct` and `none` are labels of calls without a route.
const RESERVED: &[&str] = &["direct", "none"];

/// What a route has to fit into.
pub(crate) struct Around<'a> {
    /// The names of all providers, the faulty ones included.
    pub(crate) providers: &'a BTreeSet<String>,
    /// What is known of each sound one.
    pub(crate) facts: BTreeMap<&'a str, &'a ProviderFacts>,
    /// The names of all routes, the faulty ones included.
    pub(crate) routes: &'a BTreeSet<String>,
    /// What it inherits.
    pub(crate) base: Policy,
    /// The breaker it inherits.
    pub(crate) breaker: BreakerPolicy,
    /// What it inherits of what answers have to satisfy.
    pub(crate) answer_rules: AnswerRules,
    /// Keeps the schemas of all contracts.
    pub(crate) schemas: Arc<Schemas>,
}

/// All routes.
#[derive(Default)]
pub(crate) struct Routes {
    pub(crate) settings: Vec<RouteSettings>,
    /// For each of `settings` by place.
    pub(crate) objectives: Vec<Objective>,
    /// For each of `settings` by place.
    pub(crate) contracts: Vec<AnswerPolicy>,
    /// What they say of their targets.
    pub(crate) breakers: Breakers,
    /// Which route answers to a name.
    claims: Claims,
    /// Which route falls back on which.
    leads: Vec<Leads>,
}

type Claims = BTreeMap<String, String>;

pub(crate) fn all(reader: &mut Reader<'_>, at: &At, written: file::Named<file::Route>, around: &Around<'_>) -> Routes {
    let claims = around.routes.iter().map(|name| (name.clone(), name.clone())).collect();
    let mut routes = Routes { claims, ..Routes::default() };
    let mut silent = Vec::new();
    for (name, block) in reader.value(at, written).unwrap_or_default() {
        let at = at.key(&name);
        check_name(reader, &at, &name);
        let Some(section) = reader.value(&at, block) else { continue };
        let file = reader.section(&at, section);
        if file.breaker.is_absent() {
            silent.push((at.clone(), routes.settings.len()));
        }
        let (settings, objective) = route(reader, &at, &name, file, around, &mut routes);
        routes.settings.push(settings);
        routes.objectives.push(objective);
    }
    for (at, place) in silent {
        let targets = routes.settings.get(place).map_or(&[][..], |route| &route.targets);
        routes.breakers.warn_of_silent(reader, &at, targets, around.breaker);
    }
    last_resort::refuse_circles(reader, &routes.settings, &routes.leads);
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
    all: &mut Routes,
) -> (RouteSettings, Objective) {
    let aliases = aliases(reader, &at.key("aliases"), name, file.aliases, &mut all.claims);
    let targets = target::all(reader, &at.key("targets"), file.targets, around.providers);
    let (balance_written, hedge_written) = (!file.balance.is_absent(), !file.hedge.is_absent());
    let keys = Keys {
        timeouts: file.timeouts,
        retry: file.retry,
        hedge: file.hedge,
        balance: file.balance,
        recover_stream: file.recover_stream,
        on_refusal: file.on_refusal,
    };
    let mut policy = policy::policy(reader, at, keys, &around.base);
    let targets = targets.unwrap_or_default();
    let hedge_written = hedge_written && policy.hedge.is_some();
    let uses = chain::Uses { balance: policy.balance, balance_written, hedge_written };
    chain::judge(reader, at, &targets, &around.facts, uses);
    own_breaker(reader, &at.key("breaker"), file.breaker, around, (&policy, &targets), &mut all.breakers);
    let name: Arc<str> = Arc::from(name);
    policy.last_resorts =
        last_resorts(reader, &at.key("last_resort"), (&name, file.last_resort), around, &mut all.leads);
    all.contracts.push(around.answer_rules.with(reader, &at.key("contract"), file.contract, &around.schemas).answers);
    let objective = objective(reader, &at.key("slo"), file.slo);
    (RouteSettings { name, aliases, targets, policy }, objective)
}

/// The targets' breaker, where the route says anything of it.
fn own_breaker(
    reader: &mut Reader<'_>,
    at: &At,
    block: file::Block<file::Breaker>,
    around: &Around<'_>,
    (policy, targets): (&Policy, &[TargetSettings]),
    breakers: &mut Breakers,
) {
    if block.is_absent() {
        return;
    }
    let before = reader.faults.len();
    let breaker = breaker::breaker(reader, at, block, around.breaker, policy.timeouts.first_token);
    if reader.faults.len() == before {
        breakers.claim(reader, at, targets, breaker);
    }
}

fn last_resorts(
    reader: &mut Reader<'_>,
    at: &At,
    (name, list): (&Arc<str>, file::List<Section<file::LastResort>>),
    around: &Around<'_>,
    leads: &mut Vec<Leads>,
) -> Vec<LastResort> {
    let Some(written) = last_resort::all(reader, at, list, around.routes) else {
        return last_resort::inherited(&around.base.last_resorts, name);
    };
    for (at, resort) in &written {
        if let LastResort::Route(to) = resort {
            leads.push(Leads { at: at.clone(), from: Arc::clone(name), to: Arc::clone(to) });
        }
    }
    written.into_iter().map(|(_, resort)| resort).collect()
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

fn objective(reader: &mut Reader<'_>, at: &At, block: file::Block<file::Slo>) -> Objective {
    let slo = reader.block(at, block);
    let at = at.key("first_token");
    let first_token = reader.block(&at, slo.first_token);
    let under = reader.wait(&at.key("under"), first_token.under);
    Objective { first_token_under: under.unwrap_or(defaults::FIRST_TOKEN_UNDER) }
}
