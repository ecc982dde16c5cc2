//! What follows from the results of calls: counts, openings, and the end of probing.
//!
//! Receives verdicts on calls that are no stragglers; hands on transitions. Must never be here: who is let through.

use super::ramp::Ramp;
use super::{Breaker, Counts, Phase, Probe, Reason, Report, Rest, Ticket, Transition, rest};
use llm::Verdict;
use std::time::{Duration, Instant};

/// Calls that the window of a target without alternatives must hold before the share counts: refusing its calls
/// gains nobody anything but quiet for the target.
const MIN_CALLS_ALONE: u32 = 50;
/// The share of calls that decides how long calls last.
const NEARLY_ALL: f64 = 0.99;

impl Breaker {
    pub(super) fn settle_closed(
        &mut self,
        ticket: &Ticket,
        report: &Report,
        now: Instant,
        rng: &mut fastrand::Rng,
    ) -> Option<Transition> {
        match report.verdict {
            Verdict::Success | Verdict::Neutral => None,
            Verdict::ClientFault => {
                self.row.answered(ticket.seat);
                None
            }
            Verdict::HardFailure => {
                self.throttled = false;
                self.row.failure(ticket.seat);
                self.count_failure(ticket, now);
                self.trip_if_due(ticket.alternatives, rest::asked(report), now, rng)
            }
            Verdict::SemanticFailure => self.soft_failure(ticket, now, rng),
            Verdict::RateLimited if report.rest == Rest::Credential => self.soft_failure(ticket, now, rng),
            Verdict::RateLimited if report.retry_after.is_none() && !ticket.alternatives => {
                self.soft_failure(ticket, now, rng)
            }
            Verdict::RateLimited => {
                self.row.answered(ticket.seat);
                self.count_failure(ticket, now);
                Some(self.throttle(report, now))
            }
            Verdict::QuotaExhausted => {
                self.row.answered(ticket.seat);
                (report.rest == Rest::Target).then(|| self.open(Reason::Quota, now + rest::until_full(report), now))
            }
        }
    }

    pub(super) fn settle_probe(
        &mut self,
        ticket: &Ticket,
        report: &Report,
        now: Instant,
        rng: &mut fastrand::Rng,
    ) -> Option<Transition> {
        match (report.verdict, report.rest) {
            (Verdict::HardFailure, _) => Some(self.fail_probe(ticket.alternatives, rest::asked(report), now, rng)),
            (Verdict::RateLimited, Rest::Target) if self.cause().is_told() => Some(self.throttle(report, now)),
            (Verdict::RateLimited, Rest::Target) => {
                Some(self.fail_probe(ticket.alternatives, rest::patience(report, self.throttled), now, rng))
            }
            (Verdict::SemanticFailure | Verdict::RateLimited, _) => {
                Some(self.fail_probe(ticket.alternatives, Duration::ZERO, now, rng))
            }
            (Verdict::QuotaExhausted, Rest::Target) => {
                Some(self.open(Reason::Quota, now + rest::until_full(report), now))
            }
            (Verdict::Success | Verdict::QuotaExhausted | Verdict::ClientFault | Verdict::Neutral, _) => {
                self.give_back(ticket);
                None
            }
        }
    }

    /// The failure counts from now, whatever the call counted as before.
    fn count_failure(&mut self, ticket: &Ticket, now: Instant) {
        if let Some(mark) = ticket.mark {
            self.window.take_back(mark, now);
        } else {
            self.decided.observe(now.saturating_duration_since(ticket.admitted), now);
        }
        self.window.count(true, now);
    }

    fn soft_failure(&mut self, ticket: &Ticket, now: Instant, rng: &mut fastrand::Rng) -> Option<Transition> {
        self.row.answered(ticket.seat);
        self.count_failure(ticket, now);
        self.trip_if_due(ticket.alternatives, Duration::ZERO, now, rng)
    }

    fn throttle(&mut self, report: &Report, now: Instant) -> Transition {
        let patience = rest::patience(report, self.throttled);
        self.open(Reason::Throttled, now + patience, now)
    }

    /// Opens where it should; `alternatives` says whether the call that tells could have gone elsewhere.
    pub(super) fn trip_if_due(
        &mut self,
        alternatives: bool,
        asked: Duration,
        now: Instant,
        rng: &mut fastrand::Rng,
    ) -> Option<Transition> {
        let reason = self.due(alternatives, now)?;
        let rest = self.rest(alternatives, now, rng).max(asked);
        Some(self.open(reason, now + rest, now))
    }

    /// Why it should open now, where it should.
    fn due(&self, alternatives: bool, now: Instant) -> Option<Reason> {
        if self.policy.consecutive > 0 && self.row.failures() >= self.policy.consecutive {
            return Some(Reason::Consecutive);
        }
        let Counts { total, failed } = self.counts(now);
        let alone = if alternatives { 0 } else { MIN_CALLS_ALONE };
        let enough = total >= self.policy.min_calls.max(alone).max(1);
        (enough && f64::from(failed) >= self.policy.failure_ratio * f64::from(total)).then_some(Reason::Ratio)
    }

    /// How long to rest for a failure now.
    fn rest(&mut self, alternatives: bool, now: Instant, rng: &mut fastrand::Rng) -> Duration {
        if !alternatives {
            return rest::jittered(self.policy.open, self.policy.max_open, rng);
        }
        self.escalation.step(&self.policy, now, rng)
    }

    /// A probe succeeded; `probe` is the one that is still awaited, where that is another.
    pub(super) fn pass_probe(
        &mut self,
        ticket: &Ticket,
        probe: Option<Probe>,
        successes: u32,
        now: Instant,
    ) -> Option<Transition> {
        let enough = self.cause().is_told() || !ticket.alternatives;
        let needed = if enough { 1 } else { self.policy.half_open_successes };
        if successes < needed {
            self.phase = Phase::HalfOpen { probe, successes };
            return None;
        }
        Some(self.recover(ticket.alternatives, now))
    }

    /// Closes it, into a slow start where the target may need one and calls can go elsewhere meanwhile.
    pub(super) fn recover(&mut self, alternatives: bool, now: Instant) -> Transition {
        let grows = alternatives && self.cause().needs_ramp();
        let ramp = grows.then(|| Ramp::new(now, self.policy.ramp));
        self.close(Reason::Recovered, ramp, now)
    }

    pub(super) fn fail_probe(
        &mut self,
        alternatives: bool,
        asked: Duration,
        now: Instant,
        rng: &mut fastrand::Rng,
    ) -> Transition {
        let rest = self.rest(alternatives, now, rng).max(asked);
        self.open(Reason::ProbeFailed, now + rest, now)
    }

    /// The results that count now: those of the window, or of twice as long as nearly every call takes to show its
    /// result, where that is longer. A window shorter than calls last would forget the old ones before it has enough.
    pub(super) fn counts(&self, now: Instant) -> Counts {
        let long = self.decided.quantile(NEARLY_ALL, now).unwrap_or_default();
        self.window.counts(long.saturating_mul(2), now)
    }
}
