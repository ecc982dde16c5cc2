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
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// How long to wait for what.
    pub timeouts: Timeouts,
    /// The most attempts one call may make, the first included; at least 1.
    pub max_attempts: u32,
    /// How many retries, hedges and continuations there may be for each call, over all calls of the route; 0.2 is one
    /// for every five.
    pub retry_budget: f64,
    /// When to ask a second target beside a slow one; `None` never does.
    pub hedge: Option<Hedge>,
    /// How calls spread over targets of equal priority.
    pub balance: Balance,
    /// What becomes of a stream that breaks off after its first content.
    pub recover_stream: RecoverStream,
    /// What becomes of an answer that the provider's content policy withheld.
    pub on_refusal: OnRefusal,
    /// What a client gets where no target answered, in the order to try.
    pub last_resorts: Vec<LastResort>,
}

/// When a second target is asked beside a slow one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hedge {
    /// After how long.
    pub after: HedgeAfter,
    /// The most hedges for each call, over all calls of the route.
    pub max_share: f64,
}

/// How long a target may take before another is asked beside it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum HedgeAfter {
    /// The time within which this share of the route's own first tokens came, such as 0.95.
    Quantile(f64),
    /// This long.
    Fixed(Duration),
}

/// How calls spread over targets of equal priority.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Balance {
    /// By weight, at random.
    #[default]
    Weighted,
    /// The quicker of two drawn by weight.
    Latency,
    /// The one with the fewest calls under way for its weight.
    LeastBusy,
    /// The cheapest first.
    Cost,
}

/// What becomes of a stream that breaks off after its first content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RecoverStream {
    /// Another target goes on with it where that is provably right; else it ends in an error event.
    #[default]
    Continue,
    /// It ends in an error event.
    Error,
}

/// What becomes of an answer that the provider's content policy withheld.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnRefusal {
    /// The client gets it as it is.
    #[default]
    Pass,
    /// The next target is asked.
    Failover,
}

/// What a client gets where no target answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LastResort {
    /// The answer of another route, named here.
    Route(Arc<str>),
    /// This text.
    Static(Arc<str>),
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
        Self {
            timeouts: Timeouts::default(),
            max_attempts: 3,
            retry_budget: 0.2,
            hedge: None,
            balance: Balance::default(),
            recover_stream: RecoverStream::default(),
            on_refusal: OnRefusal::default(),
            last_resorts: Vec::new(),
        }
    }
}
