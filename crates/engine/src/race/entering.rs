//! How an attempt is begun: its target's gate lets it in, the retry budget allows it, a slot is free.
//!
//! Must never be here: what an attempt came to.

use super::{BUDGET_PATIENCE, BUDGET_PAUSE, Claim, PROBE_GRACE, Race, Runner, Work, now};
use crate::Stop;
use crate::asking::{Manner, Unasked};
use crate::attempt::{Span, attempt};
use crate::health::{Seat, words};
use llm::{AttemptKind, PassedOver};
use resilience::{Ask, Denied, Entry, Permit, Reason, Refused};
use routing::Candidate;
use std::sync::Arc;
use std::time::Instant;
use tokio::time::sleep_until;

impl<'a> Race<'a> {
    /// Starts an attempt if it is the first, or the route's retry budget allows one more. Where the budget is used up
    /// and the candidate was not asked before, it is worth a short wait for more: many calls may have failed at once.
    pub(super) async fn start_within_budget(
        &mut self,
        place: usize,
        seat: Arc<Seat>,
        permit: Permit,
        by: Instant,
        now: Instant,
    ) -> Option<Stop> {
        let extra = self.begun || self.asking.is_extra();
        if extra && !std::mem::take(&mut self.prepaid) && !self.track.traffic.may_retry(now) {
            drop(permit);
            return self.wait_for_budget(place, now).await;
        }
        let corrected = self.correction.as_ref().is_some_and(|(of, _)| *of == place);
        let kind = if corrected { AttemptKind::Reask } else { self.asking.kind(self.call.attempts() > 0) };
        self.start(place, seat, permit, kind, by, now);
        None
    }

    async fn wait_for_budget(&mut self, place: usize, now: Instant) -> Option<Stop> {
        let since = *self.poor_since.get_or_insert(now);
        let until = now + BUDGET_PAUSE.mul_f64(0.5 + self.rng.f64());
        let in_vain = self.plan.policy.retry_budget <= 0.0 || self.tried.contains(place);
        if in_vain || until > since + BUDGET_PATIENCE || until >= self.schedule.deadline() {
            return Some(Stop::RetryBudget);
        }
        sleep_until(until.into()).await;
        self.call.waited(super::now() - now);
        None
    }

    /// Asks a candidate's gate and keys; what they refuse is noted.
    pub(super) fn enter(
        &mut self,
        place: usize,
        by: Instant,
        alternatives: bool,
        now: Instant,
    ) -> Option<(Permit, Arc<Seat>)> {
        let Some((candidate, seat)) = self.seat(place, now) else {
            self.schedule.refused(place, false);
            return None;
        };
        if !self.asking.may_go_to(self.prefill(place, candidate, &seat, now)) {
            self.schedule.refused(place, false);
            return None;
        }
        let alternatives = alternatives && self.plan.candidates.len() > 1;
        if alternatives && self.short_of_retries && !self.begun && seat.fails_often(now) {
            self.turned_away(place, now, "it fails often, and the retry budget is nearly used up", true, now);
            return None;
        }
        match seat.gate().enter(self.ask(by, alternatives, now), now, &mut self.rng) {
            Entry::Permit(permit) => {
                let (provider, model) = (candidate.provider, &*candidate.target.model);
                if let Some(until) = self.track.transport.rested_until(provider, model, now) {
                    self.turned_away(place, until, "every key of the provider rests", false, now);
                    return None;
                }
                Some((permit, seat))
            }
            Entry::Refused(Refused { until, reason }) => {
                self.turned_away(place, until, words(reason), is_reluctant(reason), now);
                None
            }
            Entry::Full => {
                self.full = true;
                self.away.insert(place);
                self.schedule.full(place);
                let candidate = self.plan.candidates.get(place)?;
                let (target, reason) = (candidate.target.clone(), "no slot is free");
                self.call.passed_over(PassedOver { target, reason, remaining: None });
                None
            }
        }
    }

    fn turned_away(&mut self, place: usize, until: Instant, reason: &'static str, reluctant: bool, now: Instant) {
        self.schedule.refused(place, reluctant);
        self.away.insert(place);
        self.back = Some(self.back.map_or(until, |back| back.min(until)));
        if let Some(candidate) = self.plan.candidates.get(place) {
            let remaining = Some(until.saturating_duration_since(now));
            self.call.passed_over(PassedOver { target: candidate.target.clone(), reason, remaining });
        }
    }

    /// Waits a moment for a slot at a candidate.
    pub(super) async fn queue(&mut self, place: usize, by: Instant, begun: Instant) -> Option<Stop> {
        let Some((_, seat)) = self.seat(place, begun) else {
            self.schedule.refused(place, false);
            return None;
        };
        // One patience for all of a call's queues: whoever is turned away learns so soon.
        let patience = seat.gate().patience(self.claim.tenant, begun);
        let until = *self.queue_until.get_or_insert(begun + patience);
        // It is asked because nobody else is free, and not because there is nobody else.
        let ask = self.ask(by, self.plan.candidates.len() > 1, begun);
        let waiting = seat.gate().queue(ask, begun);
        let permit = match waiting {
            Ok(mut waiting) => {
                let permit = tokio::time::timeout_at(until.into(), &mut waiting).await.ok();
                if permit.is_none() {
                    waiting.give_up(now());
                }
                permit
            }
            Err(_) => None,
        };
        let now = now();
        let waited = now - begun;
        self.call.waited(waited);
        match permit {
            Some(Ok(permit)) => {
                // The wait was for us: the target has the time that it would have had without.
                let by = (by + waited).min(self.schedule.deadline());
                return self.start_within_budget(place, seat, permit, by, now).await;
            }
            Some(Err(Denied::Refused(Refused { until, reason }))) => {
                self.turned_away(place, until, words(reason), false, now);
            }
            Some(Err(Denied::Shed(_))) | None => self.schedule.full(place),
        }
        None
    }

    fn ask(&self, by: Instant, alternatives: bool, now: Instant) -> Ask {
        let Claim { tenant, priority } = self.claim;
        // Whole answers may be waited for much longer, but a probe keeps all others out.
        let probe_by = by.min(now + self.plan.policy.timeouts.first_token) + PROBE_GRACE;
        Ask { tenant, priority, probe_by, alternatives }
    }

    fn seat(&self, place: usize, now: Instant) -> Option<(&'a Candidate, Arc<Seat>)> {
        let candidate = self.plan.candidates.get(place)?;
        Some((candidate, self.track.health.seat(candidate, now)?))
    }

    pub(super) fn start(
        &mut self,
        place: usize,
        seat: Arc<Seat>,
        permit: Permit,
        kind: AttemptKind,
        by: Instant,
        now: Instant,
    ) {
        let Some(candidate) = self.plan.candidates.get(place) else { return };
        let by = by.max(self.usual_time(&seat, now)).min(self.schedule.deadline());
        let prefill = self.prefill(place, candidate, &seat, now);
        let Some(lane) = self.runners.iter_mut().find(|runner| runner.is_none()) else { return };
        let (transport, timeouts) = (self.track.transport, self.plan.policy.timeouts);
        let correction = self.correction.as_ref().filter(|(of, _)| *of == place).map(|(_, correction)| correction);
        let manner = Manner { prefill, correction, connect: timeouts.connect };
        let mut dispatch = match self.asking.dispatch(transport, candidate, self.call.request_id(), manner) {
            Ok(dispatch) => dispatch,
            Err(unasked) => return self.not_asked(place, unasked),
        };
        let (stream, heard) = (dispatch.outbound.stream, dispatch.heard.clone());
        let left_out = std::mem::take(&mut dispatch.left_out);
        self.begun = true;
        self.tried.insert(place);
        self.schedule.began(place);
        let no = self.call.attempt_begins(&candidate.target, &candidate.label, kind, now);
        // Nobody knows what is unusual of a target that never answered: its probe is to find out.
        let may_tell = !permit.is_probe() || seat.gate().usual(stream).is_some();
        // A look that would come after the end needs no timer.
        let look = Some(now + seat.gate().patience_for_answer(stream)).filter(|look| may_tell && *look < by);
        let span = Span { begun: now.into(), by: by.into(), deadline: self.schedule.deadline().into() };
        let work = Work::Attempt(Box::pin(attempt(transport, dispatch, timeouts, span)));
        *lane = Some(Runner { no, place, kind, seat, permit, heard, look, left_out, work });
        if kind != AttemptKind::Hedge
            && !self.hedged
            && let Some(hedge) = self.plan.policy.hedge
        {
            self.hedge_at = self.track.traffic.hedge_after(hedge, stream, now).map(|after| now + after);
        }
    }

    /// Notes that a candidate is not asked: nothing is wrong with it.
    fn not_asked(&mut self, place: usize, unasked: Unasked) {
        self.schedule.refused(place, false);
        let Unasked::Unsayable(error) = unasked else { return };
        if let Some(candidate) = self.plan.candidates.get(place) {
            let (target, reason) = (candidate.target.clone(), "its API has no words for what is asked");
            self.call.passed_over(PassedOver { target, reason, remaining: None });
        }
        self.unsayable.get_or_insert(error);
    }

    /// Until when an answer is nothing unusual: no target is given up before, for the sake of others, within the
    /// first-token timeout.
    fn usual_time(&self, seat: &Seat, now: Instant) -> Instant {
        let usual = seat.gate().usual(self.asking.is_for_a_stream()).unwrap_or_default();
        now + usual.saturating_mul(2).min(self.plan.policy.timeouts.first_token)
    }
}

/// Whether a target only declines because others can be asked.
fn is_reluctant(reason: Reason) -> bool {
    matches!(reason, Reason::Recovered | Reason::Scarce)
}
