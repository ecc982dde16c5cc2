//! How a target is watched, as data: made by `config`, read by the gate.

use std::time::Duration;

/// When a breaker opens, for how long, and how it closes again.
///
/// Defaults: the consecutive ceiling of Envoy's outlier detection, the window and ratio of linkerd's unified breaker
/// stretched to the length of model calls, Finagle's 5 s to 300 s of rest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BreakerPolicy {
    /// Hard failures in a row that open it; 0 turns this off.
    pub consecutive: u32,
    /// The share of failures in the window that opens it, in (0, 1].
    pub failure_ratio: f64,
    /// Calls the window must hold before the share counts.
    pub min_calls: u32,
    /// First content later than this counts as a failure against the share; `None`: where the call was said to be
    /// silent for too long ([`crate::Breaker::silent`]).
    pub slow_call: Option<Duration>,
    /// How long a result counts, unless calls last so long that few would.
    pub window: Duration,
    /// The first rest; each one after a failed probe is twice as long.
    pub open: Duration,
    /// The longest rest.
    pub max_open: Duration,
    /// Probes in a row that must succeed before it closes.
    pub half_open_successes: u32,
    /// How long its share of the traffic takes to grow from a tenth to all after it closed.
    pub ramp: Duration,
}

impl Default for BreakerPolicy {
    fn default() -> Self {
        Self {
            consecutive: 5,
            failure_ratio: 0.5,
            min_calls: 20,
            slow_call: None,
            window: Duration::from_secs(60),
            open: Duration::from_secs(5),
            max_open: Duration::from_secs(300),
            half_open_successes: 3,
            ramp: Duration::from_secs(30),
        }
    }
}

/// How one target is watched and bounded.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GatePolicy {
    /// Its breaker.
    pub breaker: BreakerPolicy,
    /// The most calls that may be under way at one time, each to its end. `None` leaves it to the adaptive limit, which
    /// counts the calls that wait for their first content.
    pub max_concurrency: Option<u32>,
}
