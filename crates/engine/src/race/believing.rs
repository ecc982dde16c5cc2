//! Whether an answer wins: it satisfies its contract, mended perhaps, and is no refusal that the route takes elsewhere.
//!
//! Must never be here: what a contract is (`judge`).

use super::{Lapse, Mark, Race, Won};
use crate::asking::Correction;
use crate::attempt::Started;
use crate::judge::{Fate, Ways};
use llm::{CheckResult, Degraded, Failure, Verdict};
use routing::OnRefusal;

/// An answer that is not handed on, and what is to be done.
pub(super) struct Unmet {
    pub(super) failure: Failure,
    pub(super) fate: Fate,
    pub(super) correction: Option<Correction>,
}

impl Race<'_> {
    /// Whether an answer is believed: it satisfies its contract, mended perhaps, or the route hands it on all the same. Of
    /// a stream only the model is known yet; the rest is judged as it comes.
    pub(super) fn believed(&mut self, place: usize, started: Started) -> Result<(Started, Option<Mark>), Box<Unmet>> {
        let Some(candidate) = self.plan.candidates.get(place) else { return Ok((started, None)) };
        let (judge, model) = (self.asking.judge(), &*candidate.target.model);
        let mut ruling = match &started {
            Started::Whole { body, progress } => judge.whole(body, model, &progress.model),
            Started::Stream { reading, .. } => judge.begun(model, reading.model()),
        };
        let (started, revised) = match (ruling.redacted.take(), started) {
            (Some(body), Started::Whole { progress, .. }) => {
                (Started::Whole { body, progress }, Some(Mark::Revised(Degraded::Redacted)))
            }
            (_, started) => (started, None),
        };
        let Some(mut broken) = ruling.broken.take() else {
            if matches!(started, Started::Whole { .. }) {
                self.call.judged(ruling);
            }
            return Ok((started, revised));
        };
        let may = self.schedule.may_try() && matches!(started, Started::Whole { .. });
        let ways = Ways { reasks_left: if may { self.reasks_left } else { 0 }, another: self.schedule.has_other() };
        match (judge.fate(&mut broken, ways), started) {
            (Fate::Mended(body), Started::Whole { progress, .. }) => {
                self.call.judged(ruling.failed_as(CheckResult::Repaired));
                Ok((Started::Whole { body, progress }, Some(Mark::Revised(Degraded::Repaired))))
            }
            (Fate::Flag, started) => {
                self.call.judged(ruling.failed_as(CheckResult::Flagged));
                Ok((started, Some(Mark::Flagged(broken.told()))))
            }
            (fate, _) => {
                self.call.judged(ruling);
                let failure = Failure::Unmet(broken.told());
                let correction = (fate == Fate::Reask).then(|| broken.into_correction());
                Err(Box::new(Unmet { failure, fate, correction }))
            }
        }
    }

    /// Does what the route wants done after an answer that broke its contract.
    pub(super) fn follow(&mut self, place: usize, fate: &Fate, correction: Option<Correction>) {
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
    pub(super) fn set_aside(&mut self, won: Won) {
        self.call.attempt_failed(won.no, &Failure::Withheld, Verdict::ClientFault);
        if let Some(candidate) = self.plan.candidates.get(won.place) {
            self.failures.push(Lapse { target: candidate.target.to_string(), failure: Failure::Withheld, back: None });
        }
        self.refusal.get_or_insert(won);
    }

    /// Whether an answer is a refusal by policy that this route takes elsewhere, while there is an elsewhere.
    pub(super) fn declines(&self, started: &Started) -> bool {
        self.plan.policy.on_refusal == OnRefusal::Failover && started.is_refusal() && self.schedule.has_other()
    }
}
