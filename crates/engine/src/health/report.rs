//! What people are shown of a target.

use resilience::{GateSnapshot, Reason, State};
use std::time::Instant;

/// One target, as it is now.
#[derive(Clone, Debug)]
pub struct TargetReport {
    /// `provider/model`.
    pub target: String,
    /// Its breaker, its slots, its load.
    pub gate: GateSnapshot,
    /// Where all keys of its provider rest: until when.
    pub keys_until: Option<Instant>,
    /// It was told to go on with a given beginning of an answer, and would not.
    pub declined_prefill: bool,
}

impl TargetReport {
    /// Why its breaker is not closed, in words; `None` where it is.
    #[must_use]
    pub fn why(&self) -> Option<&'static str> {
        let breaker = &self.gate.breaker;
        breaker.reason.filter(|_| breaker.state != State::Closed).map(words)
    }
}

/// Why a target was passed over, for logs and people.
pub(crate) fn words(reason: Reason) -> &'static str {
    match reason {
        Reason::Consecutive => "its breaker is open: it failed several times in a row",
        Reason::Ratio => "its breaker is open: it failed too often",
        Reason::Domain => "its breaker is open: its failure domain is down",
        Reason::ProbeFailed => "its breaker is open: a probe failed",
        Reason::Probe => "its breaker is half-open: a probe is under way",
        Reason::Throttled => "it asked for patience",
        Reason::Quota => "its account has nothing left to spend",
        Reason::Unusable => "it turns us away: a wrong model or key",
        Reason::Recovered | Reason::Pardoned => "it has just recovered and takes a growing share",
        Reason::Scarce => "its quota is nearly used up",
    }
}
