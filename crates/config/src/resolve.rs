//! The file's sections to settings, one section after the other; every fault on the way is kept.

mod amazon;
mod apis;
mod asked;
mod breaker;
mod caller;
mod chain;
mod cloud;
mod contract;
mod domain;
mod gates;
mod google;
mod headers;
mod hedge;
mod keys;
mod known;
mod last_resort;
mod listeners;
mod model;
mod name;
mod policy;
mod provider;
mod route;
mod target;
mod url;

pub(crate) use apis::words as apis;
pub(crate) use contract::{AnswerRules, contract};
pub(crate) use known::Library;
pub(crate) use model::CAPABILITIES;
pub(crate) use policy::{BALANCES, REFUSALS, STREAMS};
pub(crate) use provider::{http, kinds, unsaid_facts};

use crate::Env;
use crate::defaults;
use crate::fault::{At, Fault, did_you_mean, quote};
use crate::file;
use crate::lenient::{Lenient, Section};
use crate::reader::Reader;
use crate::settings::{Admin, Drain, Limits, Settings};
use asked::AskedOf;
use contracts::Schemas;
use listeners::Guards;
use policy::Keys;
use resilience::{BreakerPolicy, GatePolicy};
use routing::Policy;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

/// Stands for every model that is not named.
const EVERY_OTHER: &str = "*";

/// Judges a whole file.
pub(crate) fn settings(tree: Value, env: Env<'_>) -> Result<Settings, Vec<Fault>> {
    let file = Section::<file::Root>::deserialize(tree)
        .map_err(|_| vec![Fault::new("", "a configuration is a mapping of keys such as `providers` and `routes`")])?;
    let mut reader = Reader::new(env);
    let at = At::root();
    let file = reader.section(&at, file);

    let guards = Guards { callers: any(&file.callers), token: holds_token(&file.admin) };
    let listen = address(&mut reader, &at.key("listen"), file.listen).unwrap_or(defaults::LISTEN);
    let open = reader.value(&at.key("open"), file.open).unwrap_or(false);
    let admin = admin(&mut reader, &at.key("admin"), file.admin);
    let limits = limits(&mut reader, &at.key("limits"), file.limits);
    let drain = drain(&mut reader, &at.key("drain"), file.drain);
    let route_names = names(&file.routes);
    let schemas = Arc::default();
    let Base { policy: base, breaker, answer_rules } =
        base(&mut reader, &at.key("defaults"), file.defaults, &route_names, &schemas);
    let direct = reader.value(&at.key("direct"), file.direct).unwrap_or(false).then(|| base.clone());
    let asked = AskedOf::new(&file.routes, direct.is_some(), env);
    let providers = provider::all(&mut reader, &at.key("providers"), file.providers, &asked);
    let files = files(&mut reader, &at.key("files_provider"), file.files_provider, &providers);
    let sound_routes = !matches!(file.routes, Lenient::Wrong(_));
    let around = route::Around {
        providers: &providers.names,
        facts: providers.facts(),
        routes: &route_names,
        base,
        breaker,
        answer_rules,
        schemas,
    };
    let routes = route::all(&mut reader, &at.key("routes"), file.routes, &around);
    if sound_routes && route_names.is_empty() && direct.is_none() {
        reader.fault(&at.key("routes"), "nothing can be called: add a route or `direct: true`");
    }
    let callers = caller::all(&mut reader, &at.key("callers"), file.callers, &route_names);
    let default = GatePolicy { breaker: around.breaker, ..GatePolicy::default() };
    let gates = gates::gates(default, &routes.breakers, &providers.slots);

    let contracts = routes.contracts.into_iter().chain([around.answer_rules.answers]).collect();
    let Reader { mut faults, warnings, .. } = reader;
    let settings = Settings {
        listen,
        open,
        admin,
        limits,
        drain,
        files,
        providers: providers.settings,
        facts: providers.facts,
        routes: routes.settings,
        direct,
        callers,
        gates,
        objectives: routes.objectives,
        contracts,
        warnings,
    };
    faults.extend(listeners::faults(&settings, guards));
    if faults.is_empty() { Ok(listeners::with_warnings(settings)) } else { Err(faults) }
}

fn any<T>(list: &Lenient<Vec<T>>) -> bool {
    match list {
        Lenient::Absent => false,
        Lenient::Is(entries) => !entries.is_empty(),
        Lenient::Wrong(_) => true,
    }
}

fn holds_token(admin: &file::Block<file::Admin>) -> bool {
    match admin {
        Lenient::Absent => false,
        Lenient::Is(section) => !section.known.token.is_absent(),
        Lenient::Wrong(_) => true,
    }
}

impl Settings {
    /// These settings with other addresses, as a command line may give them, under the same rules as in a file.
    ///
    /// # Errors
    ///
    /// What the file would have been told for these addresses.
    pub fn listening(mut self, data: Option<SocketAddr>, admin: Option<SocketAddr>) -> Result<Self, Vec<Fault>> {
        self.listen = data.unwrap_or(self.listen);
        self.admin.listen = admin.unwrap_or(self.admin.listen);
        let faults = listeners::faults(&self, Guards::of(&self));
        if faults.is_empty() { Ok(listeners::with_warnings(self)) } else { Err(faults) }
    }
}

fn address(reader: &mut Reader<'_>, at: &At, text: file::Text) -> Option<SocketAddr> {
    let words = reader.text(at, text)?;
    let address = words.value.parse().ok();
    if address.is_none() {
        let written = quote(&words.written);
        reader.fault(at, format!("{written} is no IP:PORT such as 127.0.0.1:8080, 0.0.0.0:8080 or [::]:8080"));
    }
    address
}

/// The provider that files and batches go to.
fn files(reader: &mut Reader<'_>, at: &At, name: file::Text, providers: &provider::Providers) -> Option<usize> {
    let Some(words) = reader.text(at, name) else { return providers.first_of_openai };
    let place = providers.settings.iter().position(|provider| **provider.name() == *words.value);
    if place.is_none() && !providers.names.contains(&words.value) {
        let guess = did_you_mean(&words.written, providers.names.iter().map(String::as_str));
        reader.fault(at, format!("no provider is named {}{guess}", quote(&words.written)));
    }
    place
}

fn admin(reader: &mut Reader<'_>, at: &At, block: file::Block<file::Admin>) -> Admin {
    let admin = reader.block(at, block);
    Admin {
        listen: address(reader, &at.key("listen"), admin.listen).unwrap_or(defaults::ADMIN_LISTEN),
        token: reader.presented(&at.key("token"), admin.token),
    }
}

fn limits(reader: &mut Reader<'_>, at: &At, block: file::Block<file::Limits>) -> Limits {
    let limits = reader.block(at, block);
    let connections = reader.count(&at.key("connections"), limits.connections);
    Limits {
        body: reader.size(&at.key("body"), limits.body).unwrap_or(defaults::BODY),
        connections: connections.and_then(|n| usize::try_from(n.get()).ok()).unwrap_or(defaults::CONNECTIONS),
        header_timeout: reader
            .wait(&at.key("header_timeout"), limits.header_timeout)
            .unwrap_or(defaults::HEADER_TIMEOUT),
    }
}

fn drain(reader: &mut Reader<'_>, at: &At, block: file::Block<file::Drain>) -> Drain {
    let drain = reader.block(at, block);
    Drain {
        linger: reader.duration(&at.key("linger"), drain.linger).unwrap_or(defaults::LINGER),
        timeout: reader.duration(&at.key("timeout"), drain.timeout).unwrap_or(defaults::DRAIN_TIMEOUT),
    }
}

/// What routes and direct calls inherit.
struct Base {
    policy: Policy,
    /// That of targets that no route gives one.
    breaker: BreakerPolicy,
    answer_rules: AnswerRules,
}

fn base(
    reader: &mut Reader<'_>,
    at: &At,
    block: file::Block<file::Defaults>,
    routes: &BTreeSet<String>,
    schemas: &Arc<Schemas>,
) -> Base {
    let defaults = reader.block(at, block);
    let keys = Keys {
        timeouts: defaults.timeouts,
        retry: defaults.retry,
        hedge: defaults.hedge,
        balance: defaults.balance,
        recover_stream: defaults.recover_stream,
        on_refusal: defaults.on_refusal,
    };
    let mut policy = policy::policy(reader, at, keys, &Policy::default());
    let usual = BreakerPolicy::default();
    let breaker = breaker::breaker(reader, &at.key("breaker"), defaults.breaker, usual, policy.timeouts.first_token);
    let resorts = last_resort::all(reader, &at.key("last_resort"), defaults.last_resort, routes);
    policy.last_resorts = resorts.unwrap_or_default().into_iter().map(|(_, resort)| resort).collect();
    let usual = AnswerRules::usual(Arc::clone(schemas));
    let answer_rules = usual.with(reader, &at.key("contract"), defaults.contract, schemas);
    Base { policy, breaker, answer_rules }
}

fn names<T>(named: &file::Named<T>) -> BTreeSet<String> {
    match named {
        Lenient::Is(entries) => entries.keys().cloned().collect(),
        _ => BTreeSet::new(),
    }
}
