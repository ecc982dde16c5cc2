//! A streamed answer on its way: what is left of it, its clocks, how far it has come.
//!
//! Must never be here: what its frames mean, what becomes of one that breaks off.

use super::{ALIVE, COMMENT, LINGER, Serving, settle};
use crate::asking::Correction;
use crate::continuation::{Recovered, Recovery};
use crate::keeping::Keeping;
use crate::open_call::AttemptNo;
use crate::reading::Reading;
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Empty};
use llm::{Answer, Degraded, Failure, Verdict};
use resilience::Permit;
use std::future::Future;
use std::pin::Pin;
use std::task::Context;
use std::time::Duration;
use tokio::time::{Instant, Sleep};
use upstream::Asking;

/// The clocks of a stream.
#[derive(Clone, Copy)]
pub(crate) struct Times {
    pub(crate) idle: Duration,
    pub(crate) deadline: std::time::Instant,
    pub(crate) limit: Duration,
}

/// What is left of a streamed answer.
pub(crate) struct Stream {
    pub(super) reading: Reading,
    pub(super) body: upstream::Body,
    pub(super) no: AttemptNo,
    /// `None` once settled.
    pub(super) permit: Option<Permit>,
    /// What is wrong with the answer, though it is handed on.
    pub(super) flaw: Option<Failure>,
    /// What is held back of it until it is judged.
    pub(super) keeping: Keeping,
    /// Shows a client that waits for what is held back that it is still coming; made where that is needed.
    pub(super) alive: Option<Pin<Box<Sleep>>>,
    /// How to go on where the stream breaks off; `None` where it is to end.
    pub(super) recovery: Option<Box<Recovery>>,
    /// Ready to leave.
    pub(super) out: BytesMut,
    pub(super) idle: Duration,
    pub(super) deadline: Instant,
    pub(super) limit: Duration,
    pub(super) timer: Pin<Box<Sleep>>,
    /// When anything last came, and when content last came.
    pub(super) heard: Instant,
    pub(super) spoke: Instant,
    /// The upstream connection was let run on since anything last came, and brought nothing.
    pub(super) yielded: bool,
    pub(super) phase: Phase,
}

pub(super) type Recovering = Pin<Box<dyn Future<Output = Recovered> + Send>>;

/// What may come after a stream that is not handed on any further.
pub(super) enum After {
    /// The rest of its answer, of another attempt.
    GoOn,
    /// Another answer, nothing of this one having left; of the same target, where it is corrected.
    Anew(Option<Correction>),
    /// Nothing.
    End,
}

/// An answer that satisfies its contract as far as can be told here, held back until somebody outside has spoken.
pub(super) struct Hearing {
    pub(super) asking: Asking,
    pub(super) answer: Answer,
    /// What leaves in its place.
    pub(super) revision: Option<Revision>,
    pub(super) terminator: Bytes,
}

/// Bytes that leave in place of an answer's own, and what they are.
pub(super) type Revision = (Degraded, Bytes);

/// The body of an exchange that is over.
pub(super) fn no_body() -> upstream::Body {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// How far a stream has come.
pub(super) enum Phase {
    Flowing,
    /// The terminator has been handed over; only the end of the exchange is awaited, so that its connection is reused.
    Terminated,
    /// All of it has come, and waits for what somebody outside says of it.
    Unheard(Box<Hearing>),
    /// It broke off, and another attempt may go on with it.
    Recovering(Recovering),
    /// Nothing more is to come.
    Ended,
}

impl Stream {
    pub(crate) fn new(
        reading: Reading,
        body: upstream::Body,
        (no, permit, flaw): Serving,
        Times { idle, deadline, limit }: Times,
        keeping: Keeping,
        recovery: Option<Box<Recovery>>,
    ) -> Self {
        let now = Instant::now();
        let deadline = Instant::from_std(deadline);
        let timer = Box::pin(tokio::time::sleep_until(deadline.min(now + idle)));
        Self {
            reading,
            body,
            no,
            permit: Some(permit),
            flaw,
            keeping,
            alive: None,
            recovery,
            out: BytesMut::new(),
            idle,
            deadline,
            limit,
            timer,
            heard: now,
            spoke: now,
            yielded: false,
            phase: Phase::Flowing,
        }
    }

    /// When the stream is given up if nothing more comes.
    pub(super) fn due(&self) -> Instant {
        match self.phase {
            Phase::Terminated => self.heard + LINGER,
            Phase::Flowing | Phase::Unheard(_) | Phase::Recovering(_) | Phase::Ended => {
                let due = self.deadline.min(self.heard + self.idle);
                self.keeping.due().map_or(due, |held| due.min(held))
            }
        }
    }

    /// Whether a client that waits for what is held back should be shown that it is still coming.
    pub(super) fn poll_alive(&mut self, cx: &mut Context<'_>) -> bool {
        if !self.keeping.is_exchangeable() {
            return false;
        }
        let alive = self.alive.get_or_insert_with(|| Box::pin(tokio::time::sleep(ALIVE)));
        if alive.as_mut().poll(cx).is_pending() {
            return false;
        }
        alive.as_mut().reset(Instant::now() + ALIVE);
        // White space may stand anywhere in a list.
        self.out.extend_from_slice(if self.keeping.is_listed() { b"\n" } else { COMMENT });
        true
    }

    /// Tells the target's gate how the attempt ended.
    pub(super) fn settle(&mut self, verdict: Verdict) {
        if let Some(permit) = self.permit.take() {
            settle(permit, verdict);
        }
    }

    /// Ends the stream unless another attempt goes on with it, or it waits to be let pass.
    pub(super) fn close(&mut self) {
        if !matches!(self.phase, Phase::Recovering(_) | Phase::Unheard(_)) {
            self.phase = Phase::Ended;
        }
    }
}
