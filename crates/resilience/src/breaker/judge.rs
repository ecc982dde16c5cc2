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
                self.trip_if_due(rest::asked(report), now, rng)
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
            (Verdict::HardFailure, _) => Some(self.fail_probe(rest::asked(report), now, rng)),
            (Verdict::RateLimited, Rest::Target) if self.cause().is_told() => Some(self.throttle(report, now)),
            (Verdict::RateLimited, Rest::Target) => {
                Some(self.fail_probe(rest::patience(report, self.throttled), now, rng))
            }
            (Verdict::SemanticFailure | Verdict::RateLimited, _) => Some(self.fail_probe(Duration::ZERO, now, rng)),
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
        }
        self.window.count(true, now);
    }

    fn soft_failure(&mut self, ticket: &Ticket, now: Instant, rng: &mut fastrand::Rng) -> Option<Transition> {
        self.row.answered(ticket.seat);
        self.count_failure(ticket, now);
        self.trip_if_due(Duration::ZERO, now, rng)
    }

    fn throttle(&mut self, report: &Report, now: Instant) -> Transition {
        let patience = rest::patience(report, self.throttled);
        self.open(Reason::Throttled, now + patience, now)
    }

    pub(super) fn trip_if_due(&mut self, asked: Duration, now: Instant, rng: &mut fastrand::Rng) -> Option<Transition> {
        let reason = self.due(now)?;
        let rest = self.rest(now, rng).max(asked);
        Some(self.open(reason, now + rest, now))
    }

    /// Why it should open now, where it should.
    fn due(&self, now: Instant) -> Option<Reason> {
        if self.policy.consecutive > 0 && self.row.failures() >= self.policy.consecutive {
            return Some(Reason::Consecutive);
        }
        let Counts { total, failed } = self.window.counts(now);
        let alone = if self.alternatives { 0 } else { MIN_CALLS_ALONE };
        let enough = total >= self.policy.min_calls.max(alone).max(1);
        (enough && f64::from(failed) >= self.policy.failure_ratio * f64::from(total)).then_some(Reason::Ratio)
    }

    /// How long to rest for a failure now.
    fn rest(&mut self, now: Instant, rng: &mut fastrand::Rng) -> Duration {
        if !self.alternatives {
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
        let grows = ticket.alternatives && self.cause().needs_ramp();
        let ramp = grows.then(|| Ramp::new(now, self.policy.ramp));
        Some(self.close(Reason::Recovered, ramp, now))
    }

    pub(super) fn fail_probe(&mut self, asked: Duration, now: Instant, rng: &mut fastrand::Rng) -> Transition {
        let rest = self.rest(now, rng).max(asked);
        self.open(Reason::ProbeFailed, now + rest, now)
    }
}
