//! What follows from a failed attempt, for its target, its key and the candidates that are left.
//!
//! Must never be here: what a failure means (`classify`).

use super::{Lapse, Race, now};
use crate::attempt::Attempted;
use crate::classify::is_unavailable;
use crate::health::Seat;
use crate::open_call::AttemptNo;
use crate::schedule::Around;
use crate::{Advice, Blame, Scope, classify};
use dialects::{Quotas, wants_a_count};
use llm::{AttemptKind, Dialect, ErrorKind, Failure, Prefill, Verdict};
use resilience::{Permit, QuotaWindows, Report, Rest};
use routing::Candidate;
use std::sync::Arc;
use std::time::Instant;

/// An attempt that failed.
pub(super) struct Failed {
    pub(super) no: AttemptNo,
    pub(super) place: usize,
    pub(super) kind: AttemptKind,
    pub(super) seat: Arc<Seat>,
    pub(super) permit: Permit,
    pub(super) failure: Failure,
    pub(super) key: Option<upstream::Key>,
    pub(super) quotas: Quotas,
    pub(super) lagged: bool,
    pub(super) hurried: bool,
}

impl Race<'_> {
    /// Takes in what a response said of quotas. Where a provider has several keys, what is told is one key's alone: while
    /// another one is awake, a key whose quota is nearly used up is spared, and nothing is said of the target.
    pub(super) fn note_quotas(&self, place: usize, seat: &Seat, attempted: &Attempted, now: Instant) {
        let Attempted { quotas, key, .. } = attempted;
        let Some(candidate) = self.plan.candidates.get(place).filter(|_| !quotas.is_empty()) else { return };
        let (transport, provider, model) = (self.track.transport, candidate.provider, &*candidate.target.model);
        let spared = match key.filter(|_| transport.keys(provider) > 1) {
            None => false,
            Some(key) => {
                let mut of_key = QuotaWindows::new();
                of_key.note(quotas, now);
                of_key.scarce(now, 0).is_none_or(|until| transport.spare(provider, key, model, until))
            }
        };
        if !spared {
            seat.gate().quota(quotas, now);
        }
    }

    pub(super) fn failed(&mut self, failed: Failed, now: Instant) {
        let Failed { no, place, kind, seat, permit, failure, key, quotas, lagged, hurried } = failed;
        let Some(candidate) = self.plan.candidates.get(place) else { return };
        let mut judged = classify(&failure, self.plan.policy.on_refusal);
        let corrected = kind == AttemptKind::Reask && is_callers(&failure);
        if corrected || self.asking.spoilt_by(&failure) {
            // The client's question was answered before: what the target would not take is what we added.
            (judged.verdict, judged.advice, judged.blame) = (Verdict::Neutral, Advice::Next, Blame::Us);
        }
        if self.asking.prefills(self.prefill(place, candidate, &seat, now)) {
            self.note_prefill(place, &seat, &failure);
        }
        if lagged {
            // The clock of a starved process proves nothing against the target.
            (judged.verdict, judged.blame) = (Verdict::Neutral, Blame::Us);
        }
        if hurried && judged.blame == Blame::Target {
            // A target that was not given its whole time counts against its share only, not towards failures in a row.
            judged.verdict = Verdict::SemanticFailure;
        }
        self.call.attempt_failed(no, &failure, judged.verdict);
        let (provider, model) = (candidate.provider, &*candidate.target.model);
        if let (Advice::OtherKey(rest, scope), Some(key)) = (judged.advice, key)
            && !self.is_all_there_is(provider, &failure)
        {
            let model = (scope == Scope::Model).then_some(model);
            self.track.transport.rest(provider, key, model, now + rest);
        }
        let fresh_key = self.track.transport.has_fresh_key(provider, model, now);
        let verdict = if judged.blame == Blame::Target { judged.verdict } else { Verdict::Neutral };
        let rest = if fresh_key { Rest::Credential } else { Rest::Target };
        // Where the provider named a time for this key, another of its keys may still wake before.
        let wakes = self.track.transport.rested_until(provider, model, now);
        let of_a_key = wakes.filter(|_| matches!(judged.advice, Advice::OtherKey(..)));
        let retry_after = failure.retry_after().map(|told| of_a_key.map_or(told, |until| until - now));
        permit.settle(Report { verdict, retry_after, rest }, now, &mut self.rng);
        // A server that does not count, or does not complete texts, answers as one that lacks the model, which it has.
        let dialect = self.asking.dialect();
        let asked = !wants_a_count(dialect) && dialect != Dialect::COMPLETIONS;
        if asked && self.plan.candidates.len() > 1 && turns_us_away(&failure, key) {
            seat.turned_us_away(now);
        }
        let around = self.around(candidate);
        if judged.advice == Advice::LargerWindow {
            self.roomier = around.larger_window;
        }
        if is_unavailable(&failure) {
            self.away.insert(place);
        }
        self.schedule.failed(place, judged.advice, judged.again, fresh_key, around);
        let back = seat.gate().look(now).breaker.until.max(wakes);
        self.failures.push(Lapse { target: candidate.target.to_string(), failure, back, quotas });
    }

    /// Takes in what a failure says of a target that was handed a beginning. One that rejects it may be asked at once for
    /// an exact repeat, and is handed no other for a while. One that did not provably go on with it may be asked for a
    /// repeat last; it may have chosen other words by chance. A beginning that is too long, or not to its taste, says
    /// nothing.
    fn note_prefill(&mut self, place: usize, seat: &Seat, failure: &Failure) {
        match failure {
            Failure::Provider(error) if error.kind == ErrorKind::InvalidRequest => {
                self.schedule.reopen(place);
                seat.declines_prefill(now());
            }
            Failure::Altered => {
                self.schedule.reopen_last(place);
                self.unproven.insert(place);
            }
            _ => {}
        }
    }

    /// How a candidate goes on with a given beginning, as configured and as seen.
    pub(super) fn prefill(&self, place: usize, candidate: &Candidate, seat: &Seat, now: Instant) -> Prefill {
        if self.unproven.contains(place) || seat.declined_prefill(now) { Prefill::No } else { candidate.facts.prefill }
    }

    /// Whether throttling without a time met the only key of the only target: resting it would turn every call away,
    /// where some may be served.
    fn is_all_there_is(&self, provider: usize, failure: &Failure) -> bool {
        let untold = matches!(failure, Failure::Provider(error)
            if error.kind == ErrorKind::RateLimited && error.retry_after.is_none());
        untold && self.plan.candidates.len() == 1 && self.track.transport.keys(provider) <= 1
    }

    fn around(&self, failed: &Candidate) -> Around {
        let near = |(_, candidate): &(usize, &Candidate)| candidate.shares_domain(failed);
        let places = self.plan.candidates.iter().enumerate();
        let same_domain = places.filter(near).map(|(place, _)| place).collect();
        Around { same_domain, larger_window: self.plan.larger(failed).collect() }
    }
}

/// Whether a target turned a call away for our fault, so that every call would be: it does not know the model, or
/// accepts no call of ours though it wants no key that could rest.
fn turns_us_away(failure: &Failure, key: Option<upstream::Key>) -> bool {
    match failure {
        Failure::Provider(error) => match error.kind {
            ErrorKind::NotFound => true,
            ErrorKind::Auth | ErrorKind::Permission => key.is_none(),
            _ => false,
        },
        _ => false,
    }
}

fn is_callers(failure: &Failure) -> bool {
    matches!(failure, Failure::Provider(error) if error.kind.is_callers())
}
