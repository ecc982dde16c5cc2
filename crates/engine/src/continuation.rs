//! Streams that go on: another attempt for the rest of an answer that broke off after its first content.
//!
//! Whether the rest can be had without doubling, losing or altering text is the dialect's to prove
//! (`dialects::openai_chat`); here stands what may be tried at all, and the race for it. Must never be here: wire
//! formats, what the client sees.

use crate::asking::{Asking, Correction};
use crate::judge::Judge;
use crate::race::{Claim, Won, race};
use crate::{Again, Engine, OpenCall, Schedule, classify};
use dialects::openai_chat::Transcript;
use llm::{ChatRequest, ErrorKind, Failure, Prefill};
use routing::{OnRefusal, Plan};
use std::sync::Arc;

/// What is needed to go on with a stream: all that its call still has.
pub(crate) struct Recovery {
    pub(crate) engine: Engine,
    pub(crate) request: ChatRequest,
    pub(crate) plan: Plan,
    pub(crate) schedule: Schedule,
    pub(crate) claim: Claim,
    /// The candidate that serves.
    pub(crate) serving: usize,
    /// What the answer has to satisfy.
    pub(crate) judge: Arc<Judge>,
    /// How often a target may still be asked again for breaking the contract.
    pub(crate) reasks_left: u32,
    /// Whether the route wants broken streams gone on with.
    pub(crate) goes_on: bool,
}

/// What came of it.
pub(crate) struct Recovered {
    /// The record, handed back.
    pub(crate) call: OpenCall,
    /// Why the stream had broken off.
    pub(crate) cause: Failure,
    /// Who goes on, and what is left should that one break off too.
    pub(crate) result: Option<(Won, Box<Recovery>)>,
    /// The answer is given anew, and not gone on with: nothing of the last one had left.
    pub(crate) anew: bool,
}

/// Whether a stream that ended in `failure` may be gone on with: not when the call's own time is over, nor when what it
/// said was too much.
pub(crate) fn may_go_on(failure: &Failure, on_refusal: OnRefusal) -> bool {
    match failure {
        Failure::Deadline
        | Failure::TooLarge
        | Failure::Unmet(_)
        | Failure::Unadvised(_)
        | Failure::NoToken(_)
        | Failure::Internal(_) => false,
        // What one provider's policy cut off, another is not to say, unless the route wants it so.
        Failure::Provider(error) if error.kind == ErrorKind::ContentPolicy => on_refusal == OnRefusal::Failover,
        Failure::Provider(error) => !error.kind.is_callers(),
        _ => true,
    }
}

impl Recovery {
    /// Asks the candidates that are left for the rest of the answer.
    pub(crate) async fn recover(
        mut self: Box<Self>,
        mut call: OpenCall,
        given: Transcript,
        cause: Failure,
    ) -> Recovered {
        if given.obstacle().is_some() {
            return Recovered { call, cause, result: None, anew: false };
        }
        self.ask_the_same_again(&cause);
        let Self { engine, request, plan, schedule, claim, judge, .. } = &mut *self;
        let won = match engine.track(plan) {
            Some(track) => {
                let asking = Asking::rest(request, &given, judge);
                race(track, asking, *claim, plan, schedule, &mut call).await.ok()
            }
            None => None,
        };
        self.won(call, cause, won, false)
    }

    /// Asks for the answer anew, nothing of which has left: the same target, told what was wrong, where there is a
    /// correction; else the candidates that are left.
    pub(crate) async fn redo(
        mut self: Box<Self>,
        mut call: OpenCall,
        cause: Failure,
        correction: Option<Correction>,
    ) -> Recovered {
        if correction.is_some() {
            self.reasks_left = self.reasks_left.saturating_sub(1);
            self.schedule.reopen(self.serving);
        }
        let correction = correction.map(|correction| (self.serving, correction));
        let Self { engine, request, plan, schedule, claim, judge, goes_on, .. } = &mut *self;
        let won = match engine.track(plan) {
            Some(track) => {
                let asking = Asking::again(request, *goes_on, judge, correction.as_ref());
                race(track, asking, *claim, plan, schedule, &mut call).await.ok()
            }
            None => None,
        };
        self.won(call, cause, won, true)
    }

    fn won(mut self: Box<Self>, call: OpenCall, cause: Failure, won: Option<Won>, anew: bool) -> Recovered {
        let result = won.map(|won| {
            self.serving = won.place;
            (won, self)
        });
        Recovered { call, cause, result, anew }
    }

    /// The candidate that broke off may be asked again, last, where it goes on with a given beginning and was not
    /// silent: a cut connection says little of a model.
    fn ask_the_same_again(&mut self, cause: &Failure) {
        let goes_on = self.plan.candidates.get(self.serving).is_some_and(|one| one.facts.prefill != Prefill::No);
        if goes_on && classify(cause, OnRefusal::Pass).again == Again::Backoff {
            self.schedule.reopen_last(self.serving);
        }
    }
}
