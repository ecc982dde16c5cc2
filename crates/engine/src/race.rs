//! The only loop over attempts: start, wait, note, decide again.

use crate::attempt::{Failed, Started, attempt};
use crate::{Advice, OpenCall, Schedule, Step, Stop, classify};
use llm::{ChatRequest, Failure};
use routing::{Candidate, Plan};
use std::time::Instant;
use upstream::Transport;

/// The attempt that won.
pub(crate) struct Won {
    pub(crate) started: Started,
    pub(crate) candidate: Candidate,
}

/// A race that nobody won.
pub(crate) struct Exhausted {
    pub(crate) stop: Stop,
    /// Every failure, with the target that failed, in order.
    pub(crate) failures: Vec<(String, Failure)>,
}

/// Tries candidates as the schedule says until one begins to answer. Dropped, it ends the exchange under way.
pub(crate) async fn race(
    transport: &dyn Transport,
    request: &ChatRequest,
    plan: &mut Plan,
    mut schedule: Schedule,
    call: &mut OpenCall,
) -> Result<Won, Exhausted> {
    let mut failures = Vec::new();
    loop {
        let begun = now();
        let (place, by) = match schedule.step(begun) {
            Step::Try { candidate, by } => (candidate, by),
            Step::Stop(stop) => return Err(Exhausted { stop, failures }),
        };
        let Some(candidate) = plan.candidates.get(place) else {
            return Err(Exhausted { stop: Stop::Exhausted, failures });
        };
        call.attempt_begins(candidate, begun);
        let result = attempt(transport, request, candidate, plan.policy.timeouts, begun.into(), by.into()).await;
        let ended = now();
        call.attempt_decided(ended);
        match result {
            Ok(started) => return Ok(Won { started, candidate: plan.candidates.swap_remove(place) }),
            Err(Failed { failure, key }) => {
                call.attempt_failed(&failure);
                let advice = classify(&failure).advice;
                if let (Advice::OtherKey(rest), Some(key)) = (advice, key) {
                    transport.rest(candidate.provider, key, ended + rest);
                }
                schedule.failed(advice, transport.has_fresh_key(candidate.provider, ended));
                failures.push((candidate.target.to_string(), failure));
            }
        }
    }
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
