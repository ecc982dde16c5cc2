//! A body that plays a plan: waits, sends, ends as told.
//!
//! Receives a `Plan`; hands frames to hyper. It keeps what the call holds, so that slot and journal learn how the call
//! goes, be it by being dropped. Never here: what the bytes mean.

use crate::held::Held;
use crate::plan::{End, Plan};
use crate::wire::Orders;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};

/// How often an ending body looks whether its last bytes have left.
const LOOK: Duration = Duration::from_millis(1);

/// The body ends the connection before its time, as planned.
#[derive(Debug)]
pub(crate) struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the simulated connection breaks here")
    }
}

impl std::error::Error for Broken {}

/// A body that plays a plan.
pub(crate) struct PlannedBody {
    plan: Plan,
    clock: Clock,
    orders: Orders,
    held: Option<Held>,
    /// How often the connection had flushed when the last bytes were handed over.
    flushed: Option<u32>,
}

impl PlannedBody {
    /// `held` is none for what is no call, such as control requests.
    pub(crate) fn new(plan: Plan, orders: Orders, held: Option<Held>) -> Self {
        let mut body = Self { plan, clock: Clock::default(), orders, held, flushed: None };
        body.settle_if_complete();
        body
    }

    /// hyper does not ask on once an announced length is reached, so completeness is noted with the last bytes.
    fn settle_if_complete(&mut self) {
        if self.plan.is_complete() {
            self.settle();
        }
    }

    fn settle(&mut self) {
        if let Some(held) = self.held.take() {
            held.settle();
        }
    }

    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        match self.plan.end {
            End::Complete => Poll::Ready(None),
            // Nothing wakes this body; hyper drops it when the client goes away.
            End::Silence => Poll::Pending,
            End::Filler { every, bytes } => {
                ready!(self.clock.poll_wait(every, cx));
                Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(bytes)))))
            }
            End::Cut => self.poll_break(cx, false),
            End::Reset => self.poll_break(cx, true),
        }
    }

    /// hyper forgets what it has buffered when a body fails, so the failure waits until all has left.
    fn poll_break(&mut self, cx: &mut Context<'_>, reset: bool) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let before = *self.flushed.get_or_insert_with(|| self.orders.flushes());
        while self.orders.flushes() == before {
            ready!(self.clock.poll_wait(LOOK, cx));
        }
        if reset {
            self.orders.reset();
        }
        self.settle();
        Poll::Ready(Some(Err(Broken)))
    }
}

impl Body for PlannedBody {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let this = self.get_mut();
        let Some(wait) = this.plan.next_wait() else { return this.poll_end(cx) };
        ready!(this.clock.poll_wait(wait, cx));
        if let Some(held) = this.held.as_mut().filter(|_| this.plan.begins()) {
            held.begun();
        }
        let bytes = this.plan.take().unwrap_or_default();
        this.plan.length = this.plan.length.map(|left| left.saturating_sub(bytes.len() as u64));
        this.settle_if_complete();
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.plan.is_complete()
    }

    fn size_hint(&self) -> SizeHint {
        self.plan.length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// Waits one after the other, each counted from the end of the one before, so that a pace does not drift.
#[derive(Default)]
struct Clock {
    sleep: Option<Pin<Box<Sleep>>>,
    last: Option<Instant>,
    waiting: bool,
}

impl Clock {
    fn poll_wait(&mut self, wait: Duration, cx: &mut Context<'_>) -> Poll<()> {
        if wait.is_zero() {
            return Poll::Ready(());
        }
        if !self.waiting {
            let now = Instant::now();
            // A client that reads slowly is not paid back in a burst of more than one wait.
            let from = self.last.filter(|last| now.duration_since(*last) < wait).unwrap_or(now);
            self.start(from + wait);
        }
        let Some(sleep) = &mut self.sleep else { return Poll::Ready(()) };
        ready!(sleep.as_mut().poll(cx));
        self.waiting = false;
        self.last = Some(sleep.deadline());
        Poll::Ready(())
    }

    fn start(&mut self, deadline: Instant) {
        self.waiting = true;
        match &mut self.sleep {
            Some(sleep) => sleep.as_mut().reset(deadline),
            None => self.sleep = Some(Box::pin(sleep_until(deadline))),
        }
    }
}
