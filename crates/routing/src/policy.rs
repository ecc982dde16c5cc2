//! What a route is, as data: made by `config`, read by the table and the engine.

use std::sync::Arc;
use std::time::Duration;

/// One route as configured.
#[derive(Clone, Debug, PartialEq)]
pub struct RouteSettings {
    /// Its name, which clients may use as `model`.
    pub name: Arc<str>,
    /// Other names it answers to; `*` stands for any run of characters.
    pub aliases: Vec<String>,
    /// Where its calls may go.
    pub targets: Vec<TargetSettings>,
    /// How its calls are made.
    pub policy: Policy,
}

/// One place a route's calls may go.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetSettings {
    /// The provider's name.
    pub provider: Arc<str>,
    /// The model to ask it for.
    pub model: ModelChoice,
    /// Share among targets of equal priority; 0 takes it out.
    pub weight: u32,
    /// Lower is tried first.
    pub priority: u32,
}

/// Which model a target is asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum ModelChoice {
    /// This one.
    Fixed(Arc<str>),
    /// The one the client named (`provider/*` in the configuration).
    AsRequested,
}

/// How the calls of a route are made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Policy {
    /// How long to wait for what.
    pub timeouts: Timeouts,
    /// The most attempts one call may make, the first included; at least 1.
    pub max_attempts: u32,
}

/// How long to wait for what. Each is a duration named by what it waits for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timeouts {
    /// Name lookup, TCP and TLS of a new connection, together.
    pub connect: Duration,
    /// From an attempt's start to its first meaningful content. Comments and pings are none.
    pub first_token: Duration,
    /// Between two pieces of anything, comments included, once an answer has begun.
    pub idle: Duration,
    /// The whole call, all attempts included.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(2),
            first_token: Duration::from_secs(60),
            idle: Duration::from_secs(60),
            total: Duration::from_secs(600),
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self { timeouts: Timeouts::default(), max_attempts: 3 }
    }
}
