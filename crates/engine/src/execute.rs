//! One call, from plan to reply.

use crate::attempt::Started;
use crate::classify::is_unavailable;
use crate::race::{Exhausted, Won, race};
use crate::tail::{Stream, Tail};
use crate::{OpenCall, Schedule, Stop};
use admission::Admitted;
use llm::{CallError, ChatRequest, Failure, Outcome, TargetId};
use routing::Plan;
use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};
use upstream::Transport;

/// When a target may be back that did not say.
const RETRY_SOON: Duration = Duration::from_secs(1);
/// The longest that clients are asked to wait: OpenAI's give up above it, and targets come back one by one.
const RETRY_LATEST: Duration = Duration::from_secs(120);

/// Everything that one call needs.
pub struct Call {
    /// What is asked.
    pub request: ChatRequest,
    /// Where it may go.
    pub plan: Plan,
    /// The proof that the caller may ask it; held until the reply has ended.
    pub admitted: Admitted,
    /// The record so far.
    pub open: OpenCall,
    /// The client's own timeout, which can only shorten the route's.
    pub timeout: Option<Duration>,
}

/// An answer that has begun.
pub struct Reply {
    /// The call's id.
    pub request_id: llm::RequestId,
    /// Who serves it.
    pub target: TargetId,
    /// How many attempts it took.
    pub attempts: usize,
    /// Whether it comes from another target than the first choice.
    pub degraded: bool,
    /// Whether it is a stream.
    pub stream: bool,
    /// The answer itself. It settles the call when it has ended, or is dropped.
    pub body: Tail,
}

/// A call that ended without an answer: the error to tell, and the record to settle with it.
pub struct Lost {
    /// What to tell the client.
    pub error: CallError,
    /// The record.
    pub open: OpenCall,
}

/// Carries out calls over one transport.
#[derive(Clone)]
pub struct Engine {
    transport: Arc<dyn Transport>,
}

impl Engine {
    /// An engine over `transport`.
    #[must_use]
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        Self { transport }
    }

    /// Carries out one call up to its commit point; the rest is the reply's.
    ///
    /// # Errors
    /// [`Lost`] where no candidate began to answer in time. Dropped before it resolves, the call is cancelled,
    /// and so is the work upstream.
    pub async fn execute(&self, call: Call) -> Result<Reply, Box<Lost>> {
        let Call { request, mut plan, admitted, mut open, timeout } = call;
        let total = plan.policy.timeouts.total;
        let limit = timeout.map_or(total, |timeout| timeout.min(total));
        let deadline = open.arrived() + limit;
        let first = plan.candidates.first().map(|candidate| candidate.target.clone());
        open.routed(&mut plan);
        let schedule = Schedule::new(plan.policy, plan.candidates.len(), request.stream, deadline);
        let raced = race(&*self.transport, &request, &mut plan, schedule, &mut open).await;
        let Won { started, candidate } = match raced {
            Ok(won) => won,
            Err(exhausted) => return Err(Box::new(Lost { error: error_of(exhausted, limit), open })),
        };
        open.committed(&candidate, 200, now());
        let degraded = first.as_ref() != Some(&candidate.target);
        let good = if degraded { Outcome::Degraded } else { Outcome::Success };
        Ok(Reply {
            request_id: open.request_id().clone(),
            attempts: open.attempts(),
            degraded,
            stream: request.stream,
            body: match started {
                Started::Whole { body, progress } => Tail::whole(body, progress, request.dialect, good, open, admitted),
                Started::Stream { frames, decoder, body } => {
                    let stream = Stream::new(*decoder, body, plan.policy.timeouts.idle, deadline, limit);
                    Tail::stream(frames, stream, request.dialect, good, open, admitted)
                }
            },
            target: candidate.target,
        })
    }
}

/// The one error that a call without a winner ends in.
fn error_of(exhausted: Exhausted, limit: Duration) -> CallError {
    let Exhausted { stop, mut failures } = exhausted;
    match failures.pop() {
        Some((_, Failure::Provider(error))) if error.kind == llm::ErrorKind::InvalidRequest => {
            return CallError::Provider(error);
        }
        Some((_, Failure::Deadline)) => return CallError::DeadlineExceeded { limit },
        Some(last) => failures.push(last),
        None => {}
    }
    if stop == Stop::Deadline {
        return CallError::DeadlineExceeded { limit };
    }
    let message = summary(&failures);
    if failures.iter().all(|(_, failure)| is_unavailable(failure)) {
        let advised = failures.iter().map(|(_, failure)| failure.retry_after().unwrap_or(RETRY_SOON));
        let retry_after = advised.min().map(|advised| advised.min(RETRY_LATEST));
        return CallError::AllTargetsUnavailable { message, retry_after };
    }
    CallError::UpstreamFailed { message }
}

/// What happened, a clause for each attempt.
fn summary(failures: &[(String, Failure)]) -> String {
    if failures.is_empty() {
        return "No target of this route may be called.".into();
    }
    let mut text = String::from("No target answered: ");
    for (place, (target, failure)) in failures.iter().enumerate() {
        let separator = if place == 0 { "" } else { "; " };
        // Writing to a String cannot fail.
        let _ = write!(text, "{separator}{target} {failure}");
    }
    text.push('.');
    text
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
