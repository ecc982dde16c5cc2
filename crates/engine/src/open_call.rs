//! A call that is not over: its record so far, and the promise that it is published exactly once.

use crate::{Sink, classify};
use llm::{AttemptRecord, CallRecord, ChatRequest, Dialect, Failure, Gaps, Label, Outcome, RequestId, Verdict};
use routing::{Candidate, Plan};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The longest model name kept in a record, in characters.
const MODEL_CHARS: usize = 128;

/// Where finished calls go, and how one is begun.
pub struct Journal {
    sinks: Vec<Arc<dyn Sink>>,
    nobody: Label,
    nowhere: Label,
}

impl Journal {
    /// A journal that publishes to `sinks`; `nobody` and `nowhere` label calls without caller or route.
    #[must_use]
    pub fn new(sinks: Vec<Arc<dyn Sink>>, nobody: Label, nowhere: Label) -> Self {
        Self { sinks, nobody, nowhere }
    }

    /// Begins the record of a call that arrived at `now`.
    #[must_use]
    pub fn open(self: &Arc<Self>, request_id: RequestId, dialect: Dialect, now: Instant) -> OpenCall {
        let record = CallRecord {
            request_id,
            route: self.nowhere.clone(),
            caller: self.nobody.clone(),
            dialect,
            model: String::new(),
            stream: false,
            outcome: Outcome::Cancelled,
            status: 0,
            error: None,
            served: None,
            attempts: Vec::new(),
            passed_over: Vec::new(),
            duration: Duration::ZERO,
            first_token: None,
            overhead: Duration::ZERO,
            stream_end: None,
            gaps: Gaps::default(),
            finish: None,
            usage: None,
        };
        let (record, journal) = (Box::new(record), Arc::clone(self));
        OpenCall { record, journal, arrived: now, read: None, attempting: None, ended: None, routed: false }
    }
}

/// A call on its way. Dropped, it is published; as cancelled, unless it was settled otherwise.
pub struct OpenCall {
    record: Box<CallRecord>,
    journal: Arc<Journal>,
    arrived: Instant,
    /// When the request had been read whole.
    read: Option<Instant>,
    /// When the attempt under way began, while it has not come to its commit point or failure.
    attempting: Option<Instant>,
    /// When the last byte was handed to the client, where that was before the end of everything.
    ended: Option<Instant>,
    routed: bool,
}

impl OpenCall {
    /// The call's id.
    #[must_use]
    pub fn request_id(&self) -> &RequestId {
        &self.record.request_id
    }

    /// When the call arrived.
    #[must_use]
    pub fn arrived(&self) -> Instant {
        self.arrived
    }

    /// How many attempts were made.
    #[must_use]
    pub fn attempts(&self) -> usize {
        self.record.attempts.len()
    }

    /// Notes who calls.
    pub fn identified(&mut self, caller: &Label) {
        self.record.caller = caller.clone();
    }

    /// Notes that the request has been read whole: from `now` on the gateway itself is at work.
    pub fn read(&mut self, now: Instant) {
        self.read = Some(now);
    }

    /// Notes what is asked for.
    pub fn asked(&mut self, request: &ChatRequest) {
        self.record.stream = request.stream;
        self.record.model = request.model.chars().take(MODEL_CHARS).collect();
    }

    /// Notes the route, which from now on counts the call as in flight.
    pub fn routed(&mut self, plan: &mut Plan) {
        self.record.route = plan.route.clone();
        self.record.passed_over = std::mem::take(&mut plan.passed_over);
        self.routed = true;
        for sink in &self.journal.sinks {
            sink.opened(&self.record.route);
        }
    }

    /// Settles the call with an error that goes out as `status` and is called `code`.
    pub fn lost(mut self, outcome: Outcome, status: u16, code: &'static str) {
        self.record.outcome = outcome;
        self.record.status = status;
        self.record.error = Some(code);
    }

    /// Notes that an attempt begins at `now`; neutral until it is settled.
    pub(crate) fn attempt_begins(&mut self, candidate: &Candidate, now: Instant) {
        self.attempting = Some(now);
        self.record.attempts.push(AttemptRecord {
            target: candidate.target.clone(),
            label: candidate.label.clone(),
            verdict: Verdict::Neutral,
            cause: None,
            status: None,
            duration: Duration::ZERO,
        });
    }

    /// Notes that the attempt under way came to its commit point, its failure or its abandonment at `now`.
    pub(crate) fn attempt_decided(&mut self, now: Instant) {
        if let (Some(begun), Some(attempt)) = (self.attempting.take(), self.record.attempts.last_mut()) {
            attempt.duration = now - begun;
        }
    }

    /// Settles the attempt under way as failed.
    pub(crate) fn attempt_failed(&mut self, failure: &Failure) {
        if let Some(attempt) = self.record.attempts.last_mut() {
            attempt.verdict = classify(failure).verdict;
            attempt.cause = Some(failure.as_str());
            attempt.status = failure.status();
        }
    }

    /// Settles the attempt under way as broken off after the commit point: whatever the provider says of it then, it
    /// had begun to answer, and did not finish. Only the call's own deadline is nobody's doing.
    pub(crate) fn attempt_broke(&mut self, failure: &Failure) {
        self.attempt_failed(failure);
        if let Some(attempt) = self.record.attempts.last_mut() {
            let deadline = matches!(failure, Failure::Deadline);
            attempt.verdict = if deadline { Verdict::Neutral } else { Verdict::HardFailure };
        }
    }

    /// Settles the attempt under way as a success.
    pub(crate) fn attempt_succeeded(&mut self) {
        if let Some(attempt) = self.record.attempts.last_mut() {
            attempt.verdict = Verdict::Success;
        }
    }

    /// Notes the commit point: the answer's head goes out with `status`, at `now`.
    pub(crate) fn committed(&mut self, candidate: &Candidate, status: u16, now: Instant) {
        self.record.overhead = self.own_time(now);
        self.record.served = Some(candidate.target.clone());
        self.record.status = status;
        self.record.first_token = self.record.stream.then_some(now - self.arrived);
    }

    /// Notes that the last byte was handed to the client at `now`.
    pub(crate) fn ended(&mut self, now: Instant) {
        self.ended.get_or_insert(now);
    }

    /// Of the time since the request was read, what no attempt took.
    fn own_time(&self, now: Instant) -> Duration {
        let upstream: Duration = self.record.attempts.iter().map(|attempt| attempt.duration).sum();
        self.read.map_or(Duration::ZERO, |read| (now - read).saturating_sub(upstream))
    }

    /// The record, to be completed before the drop publishes it.
    pub(crate) fn record(&mut self) -> &mut CallRecord {
        &mut self.record
    }
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.record.outcome = Outcome::Failed;
            self.record.error = Some("internal_error");
            self.record.status = if self.record.status == 0 { 500 } else { self.record.status };
        }
        let ended = self.ended.unwrap_or_else(|| tokio::time::Instant::now().into_std());
        self.attempt_decided(ended);
        if self.record.served.is_none() {
            self.record.overhead = self.own_time(ended);
        }
        self.record.duration = ended - self.arrived;
        for sink in &self.journal.sinks {
            if self.routed {
                sink.released(&self.record.route);
            }
            sink.record(&self.record);
        }
    }
}
