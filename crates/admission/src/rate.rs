//! Requests per minute, in one cell per request that comes back at an even pace.
//!
//! Receives the time with every question, so that tests need no real one. Must never be here: whose rate it is.

use governor::clock::Clock;
use governor::middleware::StateInformationMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use std::num::NonZeroU32;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What is left of a caller's requests per minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestLimits {
    /// The most requests in a minute.
    pub limit: u32,
    /// How many more would pass right now.
    pub remaining: u32,
    /// How long until all of them would; after a success at most one request's share of the minute too long.
    pub reset: Duration,
}

/// No cell is left.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Exceeded {
    /// When the next one is.
    pub(crate) retry_after: Duration,
    pub(crate) limits: RequestLimits,
}

pub(crate) struct Rate {
    limiter: RateLimiter<NotKeyed, InMemoryState, ToldClock, StateInformationMiddleware>,
    limit: NonZeroU32,
}

impl Rate {
    /// A full minute's worth may come at once.
    pub(crate) fn per_minute(limit: NonZeroU32) -> Self {
        let limiter = RateLimiter::direct_with_clock(Quota::per_minute(limit), ToldClock::default());
        Self { limiter: limiter.with_middleware(), limit }
    }

    /// Takes one cell.
    pub(crate) fn take(&self, now: Instant) -> Result<RequestLimits, Exceeded> {
        let clock = self.limiter.clock();
        clock.tell(now);
        let limit = self.limit.get();
        match self.limiter.check() {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity();
                Ok(RequestLimits { limit, remaining, reset: self.share(limit.saturating_sub(remaining)) })
            }
            Err(until) => {
                let retry_after = until.wait_time_from(clock.now());
                let reset = retry_after + self.share(limit - 1);
                Err(Exceeded { retry_after, limits: RequestLimits { limit, remaining: 0, reset } })
            }
        }
    }

    /// The time in which so many cells come back.
    fn share(&self, cells: u32) -> Duration {
        Duration::from_secs(60) / self.limit.get() * cells
    }
}

/// A clock that knows the latest time it was told. It never goes back, whichever thread tells it what.
#[derive(Default)]
struct ToldClock {
    /// The first time told.
    epoch: OnceLock<Instant>,
    /// Nanoseconds since then.
    latest: AtomicU64,
}

impl ToldClock {
    fn tell(&self, now: Instant) {
        let since = now.saturating_duration_since(*self.epoch.get_or_init(|| now));
        let nanos = u64::try_from(since.as_nanos()).unwrap_or(u64::MAX);
        self.latest.fetch_max(nanos, Ordering::Relaxed);
    }
}

impl Clock for ToldClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        Duration::from_nanos(self.latest.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_come_back_evenly_and_a_refusal_says_when() {
        let rate = Rate::per_minute(NonZeroU32::new(3).unwrap());
        let start = Instant::now();
        let limits = |remaining, reset| RequestLimits { limit: 3, remaining, reset: Duration::from_secs(reset) };
        let refused = |retry, reset| Exceeded { retry_after: Duration::from_secs(retry), limits: limits(0, reset) };
        for (second, expected) in [
            (0, Ok(limits(2, 20))),
            (0, Ok(limits(1, 40))),
            (0, Ok(limits(0, 60))),
            (5, Err(refused(15, 55))),
            (19, Err(refused(1, 41))),
            (20, Ok(limits(0, 60))),
            (10, Err(refused(20, 60))),
            (200, Ok(limits(2, 20))),
        ] {
            assert_eq!(rate.take(start + Duration::from_secs(second)), expected, "at {second} s");
        }
    }
}
