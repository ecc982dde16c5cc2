//! How calls are made, as routes and `defaults` say it.
//!
//! Must never be here: defaults, rules.

use super::{Share, Span, Text};
use crate::lenient::Lenient;
use crate::resolve;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

/// How long to wait for what.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Timeouts {
    /// For a new connection: name lookup, TCP and TLS together. Default: 2s.
    pub(crate) connect: Lenient<Span>,
    /// From an attempt's start to its first meaningful content. Where it is inherited, it is cut to leave time for
    /// other targets: to `total` divided by `max_attempts`, but by 3 at most, and not below 1s. Default: 60s.
    pub(crate) first_token: Lenient<Span>,
    /// Between two pieces of an answer once it has begun. Default: 60s.
    pub(crate) idle: Lenient<Span>,
    /// For the whole call, all attempts included. Default: 600s.
    pub(crate) total: Lenient<Span>,
}

/// How often to try.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Retry {
    /// The most attempts of one call, the first included. Default: 3.
    pub(crate) max_attempts: Lenient<u32>,
    /// How many retries, hedges and continuations there may be, as a share of the route's calls; 0% allows none.
    /// Default: 20%.
    pub(crate) retry_budget: Lenient<Share>,
}

/// When a target stops being called, for how long, and how it comes back. A breaker watches a target, so routes that
/// share one must not give it different breakers.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Breaker {
    /// Hard failures in a row that open it; 0 turns this off. Default: 5.
    pub(crate) consecutive: Lenient<u32>,
    /// The share of failures within `window` that opens it, above 0%. Default: 50%.
    pub(crate) failure_ratio: Lenient<Share>,
    /// First content later than this counts as a failure within `failure_ratio`. Default: later than four times what was
    /// usual lately, at least 5s, while another target could be asked.
    pub(crate) slow_call: Lenient<Span>,
    /// Calls that `window` must hold before `failure_ratio` counts. Default: 20.
    pub(crate) min_calls: Lenient<u32>,
    /// How long a result counts, from 1s to 1h; up to ten times as long, within 10m, while calls last longer. Default: 60s.
    pub(crate) window: Lenient<Span>,
    /// The first rest; each one after a failed probe is twice as long. Default: 5s.
    pub(crate) open: Lenient<Span>,
    /// The longest rest. Default: 300s.
    pub(crate) max_open: Lenient<Span>,
    /// Probes in a row that must succeed before it closes. Default: 3.
    pub(crate) half_open_successes: Lenient<u32>,
    /// How long its share of the calls takes to grow from a tenth to all after it closed. Default: 30s.
    pub(crate) ramp: Lenient<Span>,
}

/// When a second target is asked beside one that is slow to begin.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Hedge {
    /// After how long: `p50` to `p99` of the route's own first-token times, a duration, or `never` against
    /// `defaults`. Default: p95.
    #[schemars(schema_with = "after")]
    pub(crate) after: Text,
    /// The most hedges, as a share of the route's calls. Default: 5%.
    pub(crate) max_share: Lenient<Share>,
}

/// One thing a client gets where no target answered: one of the two keys.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct LastResort {
    /// The answer of this route.
    pub(crate) route: Text,
    /// This text, as an answer in the client's dialect.
    #[serde(rename = "static")]
    pub(crate) answer: Text,
}

fn after(_: &mut SchemaGenerator) -> Schema {
    let pattern = r"^p[5-9][0-9]$|^never$|^([0-9]+(ms|s|m|h))+$|\$\{|^os\.environ/";
    json_schema!({ "type": "string", "pattern": pattern })
}

pub(super) fn balances(_: &mut SchemaGenerator) -> Schema {
    one_of(resolve::BALANCES)
}

pub(super) fn streams(_: &mut SchemaGenerator) -> Schema {
    one_of(resolve::STREAMS)
}

pub(super) fn refusals(_: &mut SchemaGenerator) -> Schema {
    one_of(resolve::REFUSALS)
}

fn one_of<T>(known: &[(&str, T)]) -> Schema {
    let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
    json_schema!({ "type": "string", "enum": words })
}
