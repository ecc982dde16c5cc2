//! The numbers of an act, and of all of them: counted, never scripted.

use super::client::View;
use super::stage::SPARE;
use super::watch::Seen;
use slo::{Objective, judge};
use std::ops::AddAssign;
use std::time::Duration;

/// So many good ones among so many that count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Share {
    pub(super) good: usize,
    pub(super) valid: usize,
}

impl Share {
    fn count(&mut self, judged: Option<bool>) {
        self.good += usize::from(judged == Some(true));
        self.valid += usize::from(judged.is_some());
    }
}

/// What became of some calls. Bounded by the script: it keeps a number for each answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) calls: usize,
    /// Calls whose client got a complete answer; the spare's are among them.
    pub(super) answered: usize,
    pub(super) by_spare: usize,
    /// Calls whose client was told that there is no answer, or no whole one.
    pub(super) errors: usize,
    /// Calls whose client was left to believe something false.
    pub(super) untold: usize,
    /// Streams that broke off and went on elsewhere.
    pub(super) continued: usize,
    /// Calls that a proxy to the primary alone would have lost.
    pub(super) bare_failed: usize,
    /// Attempts that the primary got.
    pub(super) asked_primary: usize,
    /// How often a breaker opened.
    pub(super) openings: usize,
    /// Calls about which client and gateway disagree.
    pub(super) disputed: usize,
    /// The objectives, as the gateway's own metrics count them.
    pub(super) availability: Share,
    pub(super) first_token: Share,
    /// How long answers took, as their clients waited.
    waits: Vec<Duration>,
}

impl Tally {
    pub(super) fn add(&mut self, seen: &Seen, objective: &Objective) {
        self.calls += 1;
        self.continued += usize::from(seen.record.continued > 0);
        self.bare_failed += usize::from(seen.bare_would_fail());
        self.asked_primary += seen.asked_primary();
        self.disputed += usize::from(!seen.agrees());
        match seen.view {
            View::Answer => {
                let served = seen.record.served.as_ref();
                self.answered += 1;
                self.by_spare += usize::from(served.is_some_and(|target| *target.provider == *SPARE));
                self.waits.push(seen.took);
            }
            View::Status(_) | View::ErrorEvent => self.errors += 1,
            View::Untold => self.untold += 1,
        }
        let judgement = judge(&seen.record, objective);
        self.availability.count(judgement.availability);
        self.first_token.count(judgement.first_token);
    }

    /// Availability as clients of the first target alone would have got it.
    pub(super) fn as_bare(&self) -> Share {
        Share { good: self.calls - self.bare_failed, valid: self.calls }
    }

    /// The wait that so many of a hundred answers did not exceed; none without answers.
    pub(super) fn percentile(&self, percent: usize) -> Option<Duration> {
        let mut waits = self.waits.clone();
        waits.sort_unstable();
        waits.get((waits.len() * percent).div_ceil(100).checked_sub(1)?).copied()
    }
}

impl AddAssign<&Self> for Tally {
    fn add_assign(&mut self, other: &Self) {
        let Self { calls, answered, by_spare, errors, untold, continued, bare_failed, asked_primary, .. } = other;
        let Self { openings, disputed, availability, first_token, waits, .. } = other;
        self.continued += continued;
        self.asked_primary += asked_primary;
        self.openings += openings;
        self.calls += calls;
        self.answered += answered;
        self.by_spare += by_spare;
        self.errors += errors;
        self.untold += untold;
        self.bare_failed += bare_failed;
        self.disputed += disputed;
        self.availability.good += availability.good;
        self.availability.valid += availability.valid;
        self.first_token.good += first_token.good;
        self.first_token.valid += first_token.valid;
        self.waits.extend(waits);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_waits_that_happened() {
        let waits = |count: u64| (1..=count).rev().map(Duration::from_millis).collect();
        for (count, percent, expected) in [
            (0, 50, None),
            (1, 50, Some(1)),
            (1, 95, Some(1)),
            (20, 50, Some(10)),
            (20, 95, Some(19)),
            (21, 95, Some(20)),
        ] {
            let tally = Tally { waits: waits(count), ..Tally::default() };
            assert_eq!(tally.percentile(percent), expected.map(Duration::from_millis), "{count} {percent}");
        }
    }
}
