//! What the file comes to: checked, with defaults, in the words of the rooms below.

use crate::Fault;
use admission::CallerSettings;
use contracts::Contract;
use llm::TargetId;
use resilience::GatePolicy;
use routing::{Policy, ProviderFacts, RouteSettings};
use secrecy::SecretString;
use slo::Objective;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use upstream::{ProviderSettings, WebhookSettings};

/// A whole configuration.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where clients connect.
    pub listen: SocketAddr,
    /// Every call is accepted without a key although others can reach `listen`.
    pub open: bool,
    /// The listener for metrics and administration.
    pub admin: Admin,
    /// What the data listener takes in.
    pub limits: Limits,
    /// How the process ends.
    pub drain: Drain,
    /// Who answers; each name once. In the order of their names, in zero-config in order of preference.
    pub providers: Vec<Provider>,
    /// Which of `providers` files and batches go to, by place; `None` where none does.
    pub files: Option<usize>,
    /// What is known of each of `providers`, by place.
    pub facts: Vec<ProviderFacts>,
    /// What clients may ask for; each name and alias once, each target's provider among `providers`.
    /// In the order of their names, in zero-config in order of preference.
    pub routes: Vec<RouteSettings>,
    /// How calls for `provider/model` are made; `None` where clients may not ask for that.
    pub direct: Option<Policy>,
    /// How targets are watched and bounded.
    pub gates: Gates,
    /// Who may call; empty means anyone. Each name and key once.
    pub callers: Vec<CallerSettings>,
    /// What counts as good, for each of `routes` by place.
    pub objectives: Vec<Objective>,
    /// What answers have to satisfy: for each of `routes` by place, and behind them for direct calls, whether there are
    /// any or not. All share one cache of compiled schemas.
    pub contracts: Vec<AnswerPolicy>,
    /// What is allowed but hardly meant.
    pub warnings: Vec<Fault>,
}

/// How targets are watched and bounded. Only what differs from what holds without it is kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gates {
    /// Every target, unless one of the others says otherwise.
    pub default: GatePolicy,
    /// Each model at these providers that is not in `by_target`.
    pub by_provider: HashMap<Arc<str>, GatePolicy>,
    /// These targets.
    pub by_target: HashMap<TargetId, GatePolicy>,
}

impl Gates {
    /// How one target is watched and bounded.
    #[must_use]
    pub fn of(&self, target: &TargetId) -> GatePolicy {
        let others = || self.by_provider.get(&target.provider).copied();
        self.by_target.get(target).copied().or_else(others).unwrap_or(self.default)
    }
}

/// What answers of one route have to satisfy, and how they are waited for.
#[derive(Clone, Debug)]
pub struct AnswerPolicy {
    /// What they have to satisfy, and what becomes of one that does not.
    pub contract: Arc<Contract>,
    /// How much of a stream may be held until it is judged.
    pub hold: Hold,
    /// Who is asked besides; there where the contract says so.
    pub webhook: Option<WebhookSettings>,
}

/// How much of a stream may be held back until it is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// How much, in bytes; from 1 KiB to 32 MiB.
    pub bytes: usize,
    /// For how long; from a second to an hour.
    pub time: Duration,
}

/// The listener for metrics and administration.
#[derive(Clone, Debug)]
pub struct Admin {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The bearer token it asks for; always there where others can reach `listen`.
    pub token: Option<SecretString>,
}

/// What the data listener takes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest request body, in bytes; at least 1.
    pub body: usize,
    /// The most open connections; at least 1.
    pub connections: usize,
    /// How long a connection may take to send a request's head, the wait for its first byte included: idle connections
    /// are closed after it.
    pub header_timeout: Duration,
}

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drain {
    /// How long it still accepts calls while it reports itself unready.
    pub linger: Duration,
    /// How long running calls may then take to end.
    pub timeout: Duration,
}

/// One provider.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "nearly all are the large one, and are made once, at start")]
pub enum Provider {
    /// One that is reached over HTTP.
    Http(ProviderSettings),
    /// The built-in simulator.
    Simulated {
        /// Its name, the first half of `provider/model`.
        name: Arc<str>,
        /// How it behaves: a JSON object whose keys are the simulator's own. `None` means well.
        behaviour: Option<serde_json::Value>,
    },
}

impl Provider {
    /// Its name, the first half of `provider/model`.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        match self {
            Self::Http(settings) => &settings.name,
            Self::Simulated { name, .. } => name,
        }
    }
}
