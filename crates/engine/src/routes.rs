//! What a route's calls share while they run: its retry budget, its hedges, and how soon its answers begin.
//!
//! One lock a route, held for an instant and never across a wait. Must never be here: the health of targets.

use resilience::{FirstTokens, RetryBudget};
use routing::{Hedge, HedgeAfter, Policy};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Retries that a route may make in a second however few its calls are.
const RETRY_FLOOR: f64 = 3.0;
/// Fewer retries left than this are short.
const SHORT: f64 = 3.0;

/// One route's shared state.
pub(crate) struct Traffic(Mutex<Inner>);

struct Inner {
    retries: RetryBudget,
    hedges: RetryBudget,
    /// How soon streams began, and how long whole answers took.
    first_tokens: FirstTokens,
    answers: FirstTokens,
}

impl Traffic {
    pub(crate) fn new(policy: &Policy, now: Instant) -> Self {
        let floor = if policy.retry_budget > 0.0 { RETRY_FLOOR } else { 0.0 };
        let share = policy.hedge.map_or(0.0, |hedge| hedge.max_share);
        Self(Mutex::new(Inner {
            retries: RetryBudget::new(policy.retry_budget, floor, now),
            hedges: RetryBudget::new(share, 0.0, now),
            first_tokens: FirstTokens::new(now),
            answers: FirstTokens::new(now),
        }))
    }

    /// Counts a call. Says whether retries are short: then a target that fails often is not worth the risk.
    pub(crate) fn arrived(&self, now: Instant) -> bool {
        let mut inner = self.lock();
        inner.retries.request(now);
        inner.hedges.request(now);
        inner.retries.remaining(now) < SHORT
    }

    /// Takes one from the retry budget, if there is one.
    pub(crate) fn may_retry(&self, now: Instant) -> bool {
        self.lock().retries.try_spend(now)
    }

    /// Takes one from both the hedges and the retry budget, if there is one of each.
    pub(crate) fn may_hedge(&self, now: Instant) -> bool {
        let mut inner = self.lock();
        inner.retries.remaining(now) >= 1.0 && inner.hedges.try_spend(now) && inner.retries.try_spend(now)
    }

    /// Retries that may be made now.
    pub(crate) fn retries_left(&self, now: Instant) -> f64 {
        self.lock().retries.remaining(now)
    }

    /// Learns how long a stream took to begin, or a whole answer to come.
    pub(crate) fn answered(&self, stream: bool, took: Duration, now: Instant) {
        self.lock().times(stream).observe(took, now);
    }

    /// After how long a second target is to be asked; `None` while too little is known.
    pub(crate) fn hedge_after(&self, hedge: Hedge, stream: bool, now: Instant) -> Option<Duration> {
        match hedge.after {
            HedgeAfter::Fixed(after) => Some(after),
            HedgeAfter::Quantile(share) => self.lock().times(stream).quantile(share, now),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Counters stay counters whatever panicked beside them.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn times(&mut self, stream: bool) -> &mut FirstTokens {
        if stream { &mut self.first_tokens } else { &mut self.answers }
    }
}
