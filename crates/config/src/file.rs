//! The file as its author writes it: names, nesting, shapes. The JSON Schema is made from these types.
//!
//! Nothing here is checked beyond its shape; `resolve` gives the values their meaning.
//! Must never be here: defaults, rules, `Debug` (literal secrets stand in these types).

mod calls;
mod contract;
mod provider;
mod values;

pub(crate) use calls::{Breaker, Hedge, LastResort, Retry, Timeouts};
pub(crate) use contract::{Citations, Contract, Detect, Pattern, Unless, Webhook};
pub(crate) use provider::{Model, Price, Provider};
pub(crate) use values::{Secret, Share, Size, Span};

use crate::lenient::{Lenient, Section, Shape};
use calls::{balances, refusals, streams};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

pub(crate) type Text = Lenient<String>;
pub(crate) type Block<T> = Lenient<Section<T>>;
pub(crate) type List<T> = Lenient<Vec<Lenient<T>>>;
pub(crate) type Named<T> = Lenient<BTreeMap<String, Block<T>>>;

/// Breakwater's configuration. Any text may refer to the environment: `${NAME}`, `${NAME:-default}`.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(rename = "Breakwater configuration", extend("required" = ["providers"]))]
pub(crate) struct Root {
    /// Where clients connect, as IP:PORT. Default: 127.0.0.1:8080.
    pub(crate) listen: Text,
    /// Accept every call without a key although others can reach `listen`. Default: false.
    pub(crate) open: Lenient<bool>,
    /// The listener for metrics and administration.
    pub(crate) admin: Block<Admin>,
    /// Clients may ask for `provider/model` besides the routes. Default: false.
    pub(crate) direct: Lenient<bool>,
    /// What the data listener takes in.
    pub(crate) limits: Block<Limits>,
    /// How the process ends.
    pub(crate) drain: Block<Drain>,
    /// Who answers, by name; the name is the first half of `provider/model`.
    pub(crate) providers: Named<Provider>,
    /// The provider that `/v1/files`, `/v1/uploads` and `/v1/batches` go to. Default: the first of kind openai.
    pub(crate) files_provider: Text,
    /// What clients may ask for, by name; clients send the name as `model`.
    pub(crate) routes: Named<Route>,
    /// For every route and for direct calls, unless a route says otherwise.
    pub(crate) defaults: Block<Defaults>,
    /// Who may call. Without callers every call is accepted.
    pub(crate) callers: List<Section<Caller>>,
}

/// The listener for metrics and administration.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Admin {
    /// Where it listens, as IP:PORT. Default: 127.0.0.1:8081.
    pub(crate) listen: Text,
    /// The bearer token it asks for; needed where others can reach it.
    pub(crate) token: Lenient<Secret>,
}

/// What the data listener takes in.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Limits {
    /// The largest request body. Default: 16MiB.
    pub(crate) body: Lenient<Size>,
    /// The most open connections. Default: 10000.
    pub(crate) connections: Lenient<u32>,
    /// How long a connection may take to send a request's head, the wait for its first byte included: idle
    /// connections are closed after it. Default: 60s.
    pub(crate) header_timeout: Lenient<Span>,
}

/// How the process ends after SIGTERM.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Drain {
    /// How long it still accepts calls while it reports itself unready. Default: 5s.
    pub(crate) linger: Lenient<Span>,
    /// How long running calls may then take to end. Default: 300s.
    pub(crate) timeout: Lenient<Span>,
}

/// One route: a name that clients use as `model`, and where its calls may go.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(extend("required" = ["targets"]))]
pub(crate) struct Route {
    /// Other names it answers to; `*` stands for any run of characters.
    pub(crate) aliases: List<String>,
    /// Where its calls may go. A plain list is a failover chain in order.
    pub(crate) targets: List<TargetEntry>,
    /// How calls spread over targets of equal priority: `weighted` at random, `latency` the quicker of two,
    /// `least_busy` the one with the fewest calls under way, `cost` the cheapest by the models' prices.
    /// Default: weighted.
    #[schemars(schema_with = "balances")]
    pub(crate) balance: Text,
    /// How long to wait for what.
    pub(crate) timeouts: Block<Timeouts>,
    /// How often to try.
    pub(crate) retry: Block<Retry>,
    /// When its targets stop being called, for how long, and how they come back.
    pub(crate) breaker: Block<Breaker>,
    /// Ask a second target beside one that is slow to begin. Default: off; `hedge: {}` turns it on.
    pub(crate) hedge: Block<Hedge>,
    /// What becomes of a stream that breaks off after its first content: `continue` goes on at another target where
    /// that is provably right and else ends in an error event; `error` always ends so. Default: continue.
    #[schemars(schema_with = "streams")]
    pub(crate) recover_stream: Text,
    /// What becomes of an answer that a provider's content policy withheld: `pass` hands it on, `failover` asks the
    /// next target. Default: pass.
    #[schemars(schema_with = "refusals")]
    pub(crate) on_refusal: Text,
    /// What a client gets where no target answered, in the order to try. Default: an error. A route may
    /// say `[]` against `defaults`.
    pub(crate) last_resort: List<Section<LastResort>>,
    /// What an answer has to satisfy, and what becomes of one that does not. A key here replaces that of `defaults`.
    pub(crate) contract: Block<Contract>,
    /// What counts as good.
    pub(crate) slo: Block<Slo>,
}

/// `provider/model`, alone or with its place in the chain. `provider/*` asks for the model the client named.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum TargetEntry {
    Name(String),
    Placed(Section<Target>),
}

/// One target with its place in the chain.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(extend("required" = ["target"]))]
pub(crate) struct Target {
    /// `provider/model`, or `provider/*` for the model the client named.
    pub(crate) target: Text,
    /// Its share among targets of equal priority; 0 takes it out. Default: 1.
    pub(crate) weight: Lenient<u32>,
    /// Lower is tried first. Default: its place in the list, from 1.
    pub(crate) priority: Lenient<u32>,
}

/// What counts as good.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Slo {
    /// How soon an answer has to begin.
    pub(crate) first_token: Block<FirstToken>,
}

/// How soon an answer has to begin.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct FirstToken {
    /// A call whose first meaningful content comes later is not good. Default: 2s.
    pub(crate) under: Lenient<Span>,
}

/// For every route and for direct calls, unless a route says otherwise.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Defaults {
    /// How calls spread over targets of equal priority: `weighted` at random, `latency` the quicker of two,
    /// `least_busy` the one with the fewest calls under way, `cost` the cheapest by the models' prices.
    /// Default: weighted.
    #[schemars(schema_with = "balances")]
    pub(crate) balance: Text,
    /// How long to wait for what.
    pub(crate) timeouts: Block<Timeouts>,
    /// How often to try.
    pub(crate) retry: Block<Retry>,
    /// When targets stop being called, for how long, and how they come back.
    pub(crate) breaker: Block<Breaker>,
    /// Ask a second target beside one that is slow to begin. Default: off; `hedge: {}` turns it on.
    pub(crate) hedge: Block<Hedge>,
    /// What becomes of a stream that breaks off after its first content: `continue` goes on at another target where
    /// that is provably right and else ends in an error event; `error` always ends so. Default: continue.
    #[schemars(schema_with = "streams")]
    pub(crate) recover_stream: Text,
    /// What becomes of an answer that a provider's content policy withheld: `pass` hands it on, `failover` asks the
    /// next target. Default: pass.
    #[schemars(schema_with = "refusals")]
    pub(crate) on_refusal: Text,
    /// What a client gets where no target answered, in the order to try. Default: an error. Routes named
    /// here fall back on its static answer alone.
    pub(crate) last_resort: List<Section<LastResort>>,
    /// What an answer has to satisfy, and what becomes of one that does not.
    pub(crate) contract: Block<Contract>,
}

/// One caller.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(extend("required" = ["name", "key"]))]
pub(crate) struct Caller {
    /// Its name, in logs and metrics.
    pub(crate) name: Text,
    /// The key it presents, of at least 8 characters.
    pub(crate) key: Lenient<Secret>,
    /// The routes it may use. Default: all.
    pub(crate) routes: List<String>,
    /// How much it may ask for.
    pub(crate) limits: Block<CallerLimits>,
}

/// How much a caller may ask for.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct CallerLimits {
    /// The most requests in a minute. Default: no limit.
    pub(crate) rpm: Lenient<u32>,
    /// The most calls at one time. Default: no limit.
    pub(crate) concurrency: Lenient<u32>,
}

impl Shape for TargetEntry {
    const EXPECTED: &'static str = "provider/model or {target, weight, priority}";
}
