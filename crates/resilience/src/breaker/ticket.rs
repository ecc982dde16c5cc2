//! What a call carries from its admission to its end, and what it tells the breaker there.
//!
//! Must never be here: what follows from a report.

use super::row::Seat;
use super::window::Mark;
use llm::Verdict;
use std::time::{Duration, Instant};

/// A call that a breaker let through. Has to come back to the same breaker with a report; a probe's that does not
/// keeps others waiting until its deadline.
#[derive(Debug)]
#[must_use]
pub struct Ticket {
    /// The openings of the breaker before this call; results of calls from before the last one are stragglers.
    pub(super) generation: u64,
    /// The number of the probe that this call is.
    pub(super) probe: Option<u64>,
    pub(super) admitted: Instant,
    /// Whether it could have gone to another target.
    pub(super) alternatives: bool,
    /// Its first content was counted as a success.
    pub(super) begun: bool,
    /// Where in the window its result stands.
    pub(super) mark: Option<Mark>,
    /// Its part in the row of hard failures.
    pub(super) seat: Seat,
}

impl Ticket {
    /// Whether the call is a probe of a half-open breaker.
    #[must_use]
    pub fn is_probe(&self) -> bool {
        self.probe.is_some()
    }

    /// How many times the breaker had opened before this call was let through.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }
}

/// How an attempt ended, as far as its target is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// The attempt's verdict.
    pub verdict: Verdict,
    /// How long the target asked to be left alone.
    pub retry_after: Option<Duration>,
    /// Who rests, where the verdict is that the target or its account is exhausted.
    pub rest: Rest,
}

impl Report {
    /// A verdict without further news; where it asks for a rest, the target rests.
    #[must_use]
    pub const fn of(verdict: Verdict) -> Self {
        Self { verdict, retry_after: None, rest: Rest::Target }
    }
}

/// Who rests after a target said that it is exhausted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rest {
    /// The target: no other credential of it is fresh.
    #[default]
    Target,
    /// The credential alone, which is not the breaker's business: others of the target are fresh.
    Credential,
}
