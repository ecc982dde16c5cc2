//! Both sides of a call: what its client saw, and what the gateway recorded, paired by request id; and the breakers'
//! moves beside them.
//!
//! Must never be here: an opinion about which of the two is right.

use super::client::View;
use super::stage::SPARE;
use engine::Sink;
use llm::{AttemptRecord, CallRecord, Label, Outcome, Verdict};
use resilience::{State, Transition};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// The most moves that wait to be shown; a breaker makes a handful in a second.
const MOVES: usize = 256;

/// A sink that hands each record to whoever awaits it; all others pass by.
///
/// Bounded by the calls under way: an act's.
#[derive(Default)]
pub(super) struct Watch {
    awaited: Mutex<HashMap<String, oneshot::Sender<CallRecord>>>,
    moves: Mutex<Moves>,
}

#[derive(Default)]
struct Moves {
    unseen: Vec<(Instant, Arc<str>, Transition)>,
    /// Where the primary's breaker went last; `None` where it never moved.
    primary: Option<State>,
}

/// A move of a breaker.
#[derive(Debug)]
pub(super) struct Moved {
    /// When, counted from the beginning.
    pub(super) at: Duration,
    /// Whose breaker it is.
    pub(super) target: Arc<str>,
    /// For how long it is open, where it opened.
    pub(super) rest: Option<Duration>,
    /// Where to, and why.
    pub(super) transition: Transition,
}

impl Watch {
    /// The moves since this was asked last; `begun` is the beginning.
    pub(super) fn moves(&self, begun: Instant) -> Vec<Moved> {
        let moves = std::mem::take(&mut lock(&self.moves).unseen);
        let told = |(at, target, transition): (Instant, Arc<str>, Transition)| {
            let rest = transition.until.map(|until| until.saturating_duration_since(at));
            Moved { at: at.saturating_duration_since(begun), target, rest, transition }
        };
        moves.into_iter().map(told).collect()
    }

    /// Whether the primary's breaker is closed.
    pub(super) fn is_well(&self) -> bool {
        lock(&self.moves).primary.is_none_or(|state| state == State::Closed)
    }

    /// Promises the record of the call that will bear this id.
    pub(super) fn expect(&self, request_id: &str) -> oneshot::Receiver<CallRecord> {
        let (sender, receiver) = oneshot::channel();
        lock(&self.awaited).insert(request_id.to_owned(), sender);
        receiver
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sink for Watch {
    fn opened(&self, _: &Label) {}

    fn released(&self, _: &Label) {}

    fn record(&self, record: &CallRecord) {
        let awaiting = lock(&self.awaited).remove(record.request_id.as_str());
        if let Some(sender) = awaiting {
            // Whoever awaited it may have left.
            let _ = sender.send(record.clone());
        }
    }

    fn moved(&self, target: &Label, transition: &Transition) {
        let mut moves = lock(&self.moves);
        if moves.unseen.len() < MOVES {
            moves.unseen.push((Instant::now(), Arc::clone(&target.name), *transition));
        }
        if !target.name.starts_with(SPARE) {
            moves.primary = Some(transition.to);
        }
    }
}

/// One call from both sides.
#[derive(Debug)]
pub(super) struct Seen {
    /// Whether its client asked for a stream.
    pub(super) stream: bool,
    /// Whether the primary had been told to fail it.
    pub(super) faulty: bool,
    /// What its client got.
    pub(super) view: View,
    /// How long its client waited for the end.
    pub(super) took: Duration,
    /// What the gateway says.
    pub(super) record: CallRecord,
}

impl Seen {
    /// Whether the client got its answer, complete.
    pub(super) fn answered(&self) -> bool {
        self.view == View::Answer
    }

    /// Whether the client of a proxy to the primary alone would have got no answer: where the primary was asked, by
    /// what it did, and where it was passed over, by what it had been told to do.
    pub(super) fn bare_would_fail(&self) -> bool {
        let asked = self.record.attempts.iter().find(|attempt| is_primary(attempt));
        asked.map_or(self.faulty, |attempt| attempt.verdict != Verdict::Success)
    }

    /// How many attempts the primary got.
    pub(super) fn asked_primary(&self) -> usize {
        self.record.attempts.iter().filter(|attempt| is_primary(attempt)).count()
    }

    /// Whether gateway and client agree on whether there was an answer.
    pub(super) fn agrees(&self) -> bool {
        self.answered() == matches!(self.record.outcome, Outcome::Success | Outcome::Degraded)
    }
}

fn is_primary(attempt: &AttemptRecord) -> bool {
    *attempt.target.provider != *SPARE
}
