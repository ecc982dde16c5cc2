//! Both sides of a call: what its client saw, and what the gateway recorded, paired by request id.
//!
//! Must never be here: an opinion about which of the two is right.

use super::client::View;
use engine::Sink;
use llm::{CallRecord, Label, Outcome, Verdict};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// A sink that hands each record to whoever awaits it; all others pass by.
///
/// Bounded by the calls under way: an act's.
#[derive(Default)]
pub(super) struct Watch {
    awaited: Mutex<HashMap<String, oneshot::Sender<CallRecord>>>,
}

impl Watch {
    /// Promises the record of the call that will bear this id.
    pub(super) fn expect(&self, request_id: &str) -> oneshot::Receiver<CallRecord> {
        let (sender, receiver) = oneshot::channel();
        self.awaited().insert(request_id.to_owned(), sender);
        receiver
    }

    fn awaited(&self) -> MutexGuard<'_, HashMap<String, oneshot::Sender<CallRecord>>> {
        self.awaited.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink for Watch {
    fn opened(&self, _: &Label) {}

    fn released(&self, _: &Label) {}

    fn record(&self, record: &CallRecord) {
        let awaiting = self.awaited().remove(record.request_id.as_str());
        if let Some(sender) = awaiting {
            // Whoever awaited it may have left.
            let _ = sender.send(record.clone());
        }
    }
}

/// One call from both sides.
#[derive(Debug)]
pub(super) struct Seen {
    /// Whether its client asked for a stream.
    pub(super) stream: bool,
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

    /// Whether the first attempt failed: a proxy with that one target would have had nothing else to give.
    pub(super) fn first_attempt_failed(&self) -> bool {
        let verdict = self.record.attempts.first().map(|attempt| attempt.verdict);
        !matches!(verdict, Some(Verdict::Success))
    }

    /// Whether gateway and client agree on whether there was an answer.
    pub(super) fn agrees(&self) -> bool {
        self.answered() == matches!(self.record.outcome, Outcome::Success | Outcome::Degraded)
    }
}
