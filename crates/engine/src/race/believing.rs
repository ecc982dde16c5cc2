//! Whether an answer wins: it satisfies its contract, mended perhaps, and is no refusal that the route takes elsewhere.
//!
//! Must never be here: what a contract is (`judge`).

use super::{Failed, Lapse, Mark, Race, Runner, Won, Work, now};
use crate::asking::Correction;
use crate::attempt::Started;
use crate::health::Seat;
use crate::judge::{Fate, Mended, Ruling, Ways};
use crate::open_call::AttemptNo;
use bytes::Bytes;
use dialects::Quotas;
use llm::{Answer, AttemptKind, CheckResult, Degraded, Failure, Verdict};
use resilience::Permit;
use routing::OnRefusal;
use std::sync::Arc;
use std::time::Instant;
use upstream::{Asking, Key, Silence};

/// An attempt whose target has answered.
pub(super) struct Entrant {
    pub(super) no: AttemptNo,
    pub(super) place: usize,
    pub(super) kind: AttemptKind,
    pub(super) seat: Arc<Seat>,
    pub(super) permit: Permit,
    pub(super) left_out: Vec<String>,
    pub(super) key: Option<Key>,
    pub(super) quotas: Quotas,
}

/// Whether an answer is believed.
pub(super) enum Belief {
    /// It is handed on; this is what there is to say of it.
    Handed(Started, Option<Mark>),
    /// It will be, if somebody outside agrees who is asked.
    Unheard(Box<Hearing>),
    /// It is not.
    Unmet(Box<Unmet>),
}

/// An answer that satisfies its contract as far as can be told here, and waits for what somebody outside says of it.
pub(super) struct Hearing {
    pub(super) asking: Asking,
    started: Started,
    mark: Option<Mark>,
    answer: Answer,
    key: Option<Key>,
    quotas: Quotas,
}

/// An answer that is not handed on, and what is to be done.
pub(super) struct Unmet {
    failure: Failure,
    fate: Fate,
    correction: Option<Correction>,
}

impl Race<'_> {
    /// Whether an answer is believed: it satisfies its contract, mended perhaps, or the route hands it on all the same. Of
    /// a stream only the model is known yet; the rest is judged as it comes.
    pub(super) fn believed(&mut self, place: usize, started: Started) -> Belief {
        let Some(candidate) = self.plan.candidates.get(place) else { return Belief::Handed(started, None) };
        let (judge, dialect, model) = (self.asking.judge(), self.asking.dialect(), &*candidate.target.model);
        let (mut ruling, mut started, mut mark) = match &started {
            Started::Whole { body, progress, .. } => {
                (judge.whole(dialect, body, model, &progress.model), started, None)
            }
            Started::Stream { reading, .. } => (judge.begun(model, reading.model()), started, None),
        };
        if let (Some(redacted), Started::Whole { body, .. }) = (ruling.redacted.take(), &mut started) {
            (*body, mark) = (redacted, Some(Mark::Revised(Degraded::Redacted)));
        }
        let answer = std::mem::take(&mut ruling.answer);
        self.ruled(place, ruling, answer, started, mark)
    }

    /// What a ruling means for an answer that may otherwise be handed on with `mark`.
    fn ruled(
        &mut self,
        place: usize,
        mut ruling: Ruling,
        answer: Answer,
        started: Started,
        mark: Option<Mark>,
    ) -> Belief {
        let (judge, besides) = (self.asking.judge(), ruling.besides);
        let whole = matches!(started, Started::Whole { .. });
        let Some(mut broken) = ruling.broken.take() else {
            if whole {
                self.call.judged(ruling);
            }
            return if besides { Belief::Handed(started, mark) } else { self.put(place, answer, started, mark) };
        };
        let may = self.schedule.may_try() && whole;
        let ways = Ways { reasks_left: if may { self.reasks_left } else { 0 }, another: self.schedule.has_other() };
        match (judge.fate(&mut broken, ways), started) {
            (Fate::Mended(Mended { answer, bytes }), Started::Whole { progress, content_type, left_out, .. }) => {
                self.call.judged(ruling.failed_as(CheckResult::Repaired));
                let started = Started::Whole { body: bytes, progress, content_type, left_out };
                self.put(place, answer, started, Some(Mark::Revised(Degraded::Repaired)))
            }
            (Fate::Flag, started) => {
                self.call.judged(ruling.failed_as(CheckResult::Flagged));
                Belief::Handed(started, Some(Mark::Flagged(broken.told())))
            }
            (fate, _) => {
                self.call.judged(ruling);
                let failure = broken.failure();
                let correction = (fate == Fate::Reask).then(|| broken.into_correction());
                Belief::Unmet(Box::new(Unmet { failure, fate, correction }))
            }
        }
    }

    /// Puts an answer before somebody outside, where its contract says so; a stream is put before them at its end.
    fn put(&self, place: usize, answer: Answer, started: Started, mark: Option<Mark>) -> Belief {
        let target = self.plan.candidates.get(place).map(|candidate| &candidate.target);
        let asking = target.filter(|_| matches!(started, Started::Whole { .. })).and_then(|target| {
            let about = self.asking.about(self.call.request_id(), &self.plan.route.name, target);
            self.asking.judge().ask(&about, &answer, self.schedule.deadline())
        });
        match asking {
            Some(asking) => Belief::Unheard(Box::new(Hearing {
                asking,
                started,
                mark,
                answer,
                key: None,
                quotas: Quotas::default(),
            })),
            None => Belief::Handed(started, mark),
        }
    }

    /// Takes in what somebody outside says of an answer.
    pub(super) fn heard(&mut self, lane: usize, reply: &Result<Bytes, Silence>) -> Option<Won> {
        let Runner { no, place, kind, seat, permit, left_out, work, .. } =
            self.runners.get_mut(lane).and_then(Option::take)?;
        let Work::Hearing(hearing) = work else { return None };
        let Hearing { started, mark, answer, key, quotas, .. } = *hearing;
        let ruling = self.asking.judge().advised(answer, reply);
        let belief = self.ruled(place, ruling, Answer::default(), started, mark);
        self.weighed(lane, Entrant { no, place, kind, seat, permit, left_out, key, quotas }, belief, now())
    }

    /// Does what follows from an answer's being believed, or not.
    pub(super) fn weighed(&mut self, lane: usize, entrant: Entrant, belief: Belief, now: Instant) -> Option<Won> {
        let Entrant { no, place, kind, seat, permit, left_out, key, quotas } = entrant;
        match belief {
            Belief::Handed(started, mark) => {
                let declines = self.declines(&started);
                let won = Won { started, place, no, permit, mark, left_out, quotas };
                if declines {
                    self.set_aside(won);
                    return None;
                }
                self.outrun(now);
                Some(won)
            }
            Belief::Unheard(mut hearing) => {
                (hearing.key, hearing.quotas) = (key, quotas);
                let (heard, look, work) = (None, None, Work::Hearing(hearing));
                let runner = Runner { no, place, kind, seat, permit, heard, look, left_out, work };
                self.runners.get_mut(lane).map(|lane| lane.insert(runner));
                None
            }
            Belief::Unmet(unmet) => {
                let Unmet { failure, fate, correction } = *unmet;
                let (lagged, hurried) = (false, false);
                self.failed(Failed { no, place, kind, seat, permit, failure, key, quotas, lagged, hurried }, now);
                self.follow(place, &fate, correction);
                None
            }
        }
    }

    /// Does what the route wants done after an answer that broke its contract.
    fn follow(&mut self, place: usize, fate: &Fate, correction: Option<Correction>) {
        match correction {
            Some(correction) => {
                self.reasks_left = self.reasks_left.saturating_sub(1);
                self.correction = Some((place, correction));
                self.schedule.reopen(place);
            }
            None if *fate == Fate::Fail => self.schedule.close(),
            None => {}
        }
    }

    /// Keeps a refusal while others are asked: it is what the client gets where none of them answers.
    fn set_aside(&mut self, won: Won) {
        self.call.attempt_failed(won.no, &Failure::Withheld, Verdict::ClientFault);
        if let Some(candidate) = self.plan.candidates.get(won.place) {
            let (target, quotas) = (candidate.target.to_string(), won.quotas);
            self.failures.push(Lapse { target, failure: Failure::Withheld, back: None, quotas });
        }
        self.refusal.get_or_insert(won);
    }

    /// Whether an answer is a refusal by policy that this route takes elsewhere, while there is an elsewhere.
    fn declines(&self, started: &Started) -> bool {
        self.plan.policy.on_refusal == OnRefusal::Failover && started.is_refusal() && self.schedule.has_other()
    }
}
