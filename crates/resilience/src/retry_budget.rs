//! How many attempts beyond the first a route may make, as a share of its live traffic.
//!
//! Receives requests and wishes to try again; hands on leave to do so. Retries, hedges, repairs and continuations
//! draw on it alike. Must never be here: what is retried, and when.

use crate::ring::Ring;
use std::time::{Duration, Instant};

/// How long a request's deposit can be spent.
const LIFE: Duration = Duration::from_secs(10);
/// One bucket a second, and the one that is filling. What was spent is remembered one bucket longer than what was
/// deposited, so that rounding to buckets errs towards fewer retries.
const BUCKETS: usize = 11;
/// What decimals such as 0.1 lose in binary.
const ROUNDING: f64 = 1e-9;

/// Leave to try again: each request deposits a share of one retry, which can be spent for 10 s, on top of a floor
/// that is there without any traffic. Within any 10 s before a retry, retries are at most
/// `share * requests + 10 * floor_per_s`. After Finagle's `RetryBudget`, which holds the same as a leaky token bucket.
#[derive(Clone, Debug)]
pub struct RetryBudget {
    share: f64,
    reserve: f64,
    ring: Ring<Traffic, BUCKETS>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Traffic {
    requests: u32,
    spent: u32,
}

impl RetryBudget {
    /// A budget of `share` retries a request, and `floor_per_s` retries a second without any. Less than nothing counts
    /// as nothing; both 0 allow no retry ever.
    #[must_use]
    pub fn new(share: f64, floor_per_s: f64, now: Instant) -> Self {
        let reserve = floor_per_s.max(0.0) * LIFE.as_secs_f64();
        Self { share: share.max(0.0), reserve, ring: Ring::new(LIFE / (BUCKETS as u32 - 1), now) }
    }

    /// A request came: it deposits its share.
    pub fn request(&mut self, now: Instant) {
        if let Some(bucket) = self.ring.at(self.ring.tick(now)) {
            bucket.requests = bucket.requests.saturating_add(1);
        }
    }

    /// Takes one retry, where one is left.
    pub fn try_spend(&mut self, now: Instant) -> bool {
        let enough = self.balance(now) + ROUNDING >= 1.0;
        if enough && let Some(bucket) = self.ring.at(self.ring.tick(now)) {
            bucket.spent = bucket.spent.saturating_add(1);
        }
        enough
    }

    /// How many retries are left now; never negative.
    #[must_use]
    pub fn remaining(&self, now: Instant) -> f64 {
        self.balance(now).max(0.0)
    }

    fn balance(&self, now: Instant) -> f64 {
        let newest = BUCKETS as u64 - 1;
        let (requests, spent) = self.ring.live(now).fold((0.0, 0.0), |(requests, spent), (age, bucket)| {
            let deposited = if age < newest { f64::from(bucket.requests) } else { 0.0 };
            (requests + deposited, spent + f64::from(bucket.spent))
        });
        self.share * requests + self.reserve - spent
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn spend_all(budget: &mut RetryBudget, now: Instant) -> usize {
        (0..10_000).take_while(|_| budget.try_spend(now)).count()
    }

    #[test]
    fn a_share_of_the_requests_and_a_floor() {
        for (share, floor, requests, expected) in [
            (0.2, 3.0, 0, 30),
            (0.2, 0.0, 4, 0),
            (0.2, 0.0, 5, 1),
            (0.2, 0.0, 9, 1),
            (0.1, 0.0, 30, 3),
            (0.7, 0.0, 10, 7),
            (1.0, 0.0, 7, 7),
            (0.2, 3.0, 100, 50),
            (0.0, 0.0, 1000, 0),
            (0.0, 0.1, 1000, 1),
            (-1.0, -1.0, 1000, 0),
        ] {
            let now = Instant::now();
            let mut budget = RetryBudget::new(share, floor, now);
            (0..requests).for_each(|_| budget.request(now));
            assert_eq!(spend_all(&mut budget, now), expected, "{share} of {requests}, {floor} a second");
            assert!(budget.remaining(now) < 1.0);
        }
    }

    #[test]
    fn deposits_and_debts_are_forgotten_after_ten_seconds() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut budget = RetryBudget::new(0.5, 1.0, start);
        (0..10).for_each(|_| budget.request(start));
        for (when, expected) in [(0, 15.0), (9_999, 15.0), (10_000, 10.0)] {
            assert_eq!(budget.remaining(at(when)), expected, "after {when} ms");
        }
        assert_eq!(spend_all(&mut budget, at(10_000)), 10);
        for (when, expected) in [(10_000, 0.0), (20_999, 0.0), (21_000, 10.0)] {
            assert_eq!(budget.remaining(at(when)), expected, "after {when} ms");
        }
    }

    proptest! {
        #[test]
        fn spending_never_passes_its_share_of_the_last_ten_seconds(
            share in 0.0..1.5_f64,
            floor in 0.0..2.0_f64,
            events in prop::collection::vec((0..1_500_u64, 0..3_u8), 0..400),
        ) {
            let mut now = Instant::now();
            let mut budget = RetryBudget::new(share, floor, now);
            let (mut requests, mut spent) = (Vec::new(), Vec::new());
            for (wait, event) in events {
                now += Duration::from_millis(wait);
                if event == 0 {
                    budget.request(now);
                    requests.push(now);
                } else if budget.try_spend(now) {
                    spent.push(now);
                    let lately = |all: &[Instant]| all.iter().filter(|at| now - **at < LIFE).count() as f64;
                    prop_assert!(lately(&spent) <= share * lately(&requests) + floor * 10.0 + ROUNDING);
                }
                prop_assert!(budget.remaining(now) >= 0.0);
            }
        }
    }
}
