//! A call that is not over: its record so far, and the promise that it is published exactly once.

use crate::Sink;
use crate::judge::Ruling;
use llm::{
    AttemptKind, AttemptRecord, CallRecord, ChatRequest, Degraded, Dialect, Failure, Gaps, Label, Outcome, PassedOver,
    Priority, RequestId, TargetId, Usage, Verdict,
};
use routing::Plan;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The longest model name kept in a record, in characters.
const MODEL_CHARS: usize = 128;
/// How many attempts may run side by side: one, and a hedge.
pub(crate) const MAX_RUNNING: usize = 2;

/// The most codes of findings kept in a record.
const MAX_FINDINGS: usize = 64;

/// An attempt of a call, by its place in the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AttemptNo(usize);

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
            degraded: None,
            checks: Vec::new(),
            findings: Vec::new(),
            continued: 0,
            priority: Priority::default(),
            duration: Duration::ZERO,
            first_token: None,
            overhead: Duration::ZERO,
            waited: Duration::ZERO,
            stream_end: None,
            gaps: Gaps::default(),
            finish: None,
            usage: None,
        };
        let (record, journal) = (Box::new(record), Arc::clone(self));
        let (running, upstream) = ([None; MAX_RUNNING], Duration::ZERO);
        OpenCall {
            record,
            journal,
            arrived: now,
            read: None,
            running,
            busy: None,
            upstream,
            ended: None,
            routed: false,
        }
    }
}

/// A call on its way. Dropped, it is published; as cancelled, unless it was settled otherwise.
pub struct OpenCall {
    record: Box<CallRecord>,
    journal: Arc<Journal>,
    arrived: Instant,
    /// When the request had been read whole.
    read: Option<Instant>,
    /// The attempts under way, with when they began, until each has come to its commit point or failure.
    running: [Option<(AttemptNo, Instant)>; MAX_RUNNING],
    /// Since when at least one is under way.
    busy: Option<Instant>,
    /// For how long at least one was, before.
    upstream: Duration,
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

    /// What its client speaks.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.record.dialect
    }

    /// When the call arrived.
    #[must_use]
    pub fn arrived(&self) -> Instant {
        self.arrived
    }

    /// Who calls.
    #[must_use]
    pub fn caller(&self) -> &Label {
        &self.record.caller
    }

    /// The name of the route that it goes by.
    pub(crate) fn route(&self) -> &str {
        &self.record.route.name
    }

    /// How long an attempt took to its commit point.
    pub(crate) fn taken(&self, no: AttemptNo) -> Duration {
        self.record.attempts.get(no.0).map_or(Duration::ZERO, |attempt| attempt.duration)
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

    /// Notes how much the call matters.
    pub fn weighed(&mut self, priority: Priority) {
        self.record.priority = priority;
    }

    /// Notes that an attempt begins at `now`; neutral until it is settled.
    pub(crate) fn attempt_begins(
        &mut self,
        target: &TargetId,
        label: &Label,
        kind: AttemptKind,
        now: Instant,
    ) -> AttemptNo {
        let no = AttemptNo(self.record.attempts.len());
        self.busy.get_or_insert(now);
        if let Some(free) = self.running.iter_mut().find(|running| running.is_none()) {
            *free = Some((no, now));
        }
        self.record.attempts.push(AttemptRecord {
            target: target.clone(),
            label: label.clone(),
            kind,
            begun: now - self.arrived,
            verdict: Verdict::Neutral,
            cause: None,
            status: None,
            duration: Duration::ZERO,
            usage: None,
            // So it is wherever the attempt is given up.
            maybe_billed: true,
        });
        no
    }

    /// Notes that an attempt came to its commit point, its failure or its abandonment at `now`.
    pub(crate) fn attempt_decided(&mut self, no: AttemptNo, now: Instant) {
        let place = self.running.iter_mut().find(|running| running.is_some_and(|(running, _)| running == no));
        let Some((_, begun)) = place.and_then(Option::take) else { return };
        if let Some(attempt) = self.attempt(no) {
            attempt.duration = now - begun;
        }
        if self.running.iter().all(Option::is_none)
            && let Some(busy) = self.busy.take()
        {
            self.upstream += now - busy;
        }
    }

    /// Settles an attempt as failed.
    pub(crate) fn attempt_failed(&mut self, no: AttemptNo, failure: &Failure, verdict: Verdict) {
        if let Some(attempt) = self.attempt(no) {
            attempt.verdict = verdict;
            attempt.cause = Some(failure.as_str());
            attempt.status = failure.status();
            attempt.maybe_billed = failure.may_be_billed();
        }
    }

    /// Settles an attempt as given up because another one won.
    pub(crate) fn attempt_outrun(&mut self, no: AttemptNo) {
        if let Some(attempt) = self.attempt(no) {
            attempt.cause = Some("outrun");
        }
    }

    /// Settles an attempt as broken off after the commit point: whatever the provider says of it then, it had begun to
    /// answer, and did not finish. Only the call's own deadline, what we had asked for, a silence that a process saw which
    /// `lagged` itself, and rules about its words are not the target's doing.
    pub(crate) fn attempt_broke(
        &mut self,
        no: AttemptNo,
        failure: &Failure,
        lagged: bool,
        usage: Option<Usage>,
    ) -> Verdict {
        let verdict = match failure {
            _ if lagged => Verdict::Neutral,
            Failure::Deadline | Failure::Unadvised(_) => Verdict::Neutral,
            // It ended as we had told it to, and not as the client had; or it was whole, and no use.
            Failure::Altered | Failure::Unmet(_) => Verdict::SemanticFailure,
            // Rules about the words, not a fault of the target.
            Failure::Provider(error) if error.kind.is_callers() => Verdict::ClientFault,
            _ => Verdict::HardFailure,
        };
        // A spent account is told apart in the record, for those who can pay; to the gate it is an answer broken off.
        let spent = matches!(failure, Failure::Provider(error) if error.kind == llm::ErrorKind::QuotaExhausted);
        self.attempt_failed(no, failure, if spent { Verdict::QuotaExhausted } else { verdict });
        self.attempt_used(no, usage);
        verdict
    }

    /// Settles an attempt as a success.
    pub(crate) fn attempt_succeeded(&mut self, no: AttemptNo, usage: Option<Usage>) {
        if let Some(attempt) = self.attempt(no) {
            (attempt.verdict, attempt.cause, attempt.maybe_billed) = (Verdict::Success, None, false);
        }
        self.attempt_used(no, usage);
    }

    /// Notes the tokens an attempt took.
    pub(crate) fn attempt_used(&mut self, no: AttemptNo, usage: Option<Usage>) {
        if let Some(attempt) = self.attempt(no) {
            attempt.usage = usage;
        }
    }

    /// Notes what judging an answer came to.
    pub(crate) fn judged(&mut self, ruling: Ruling) {
        let Ruling { checks, findings, besides, .. } = ruling;
        if besides {
            self.record.checks.extend(checks);
        } else {
            self.record.checks = checks;
        }
        let room = MAX_FINDINGS.saturating_sub(self.record.findings.len());
        self.record.findings.extend(findings.into_iter().take(room));
    }

    /// The target that an attempt was made at.
    pub(crate) fn target_of(&self, no: AttemptNo) -> Option<&TargetId> {
        self.record.attempts.get(no.0).map(|attempt| &attempt.target)
    }

    fn attempt(&mut self, no: AttemptNo) -> Option<&mut AttemptRecord> {
        self.record.attempts.get_mut(no.0)
    }

    /// Notes a target that cannot be asked now; each stands in the record once, with the last reason.
    pub(crate) fn passed_over(&mut self, passed: PassedOver) {
        match self.record.passed_over.iter_mut().find(|before| before.target == passed.target) {
            Some(before) => *before = passed,
            None => self.record.passed_over.push(passed),
        }
    }

    /// Notes a deliberate wait.
    pub(crate) fn waited(&mut self, wait: Duration) {
        self.record.waited += wait;
    }

    /// Notes the commit point: the answer's head goes out with `status`, at `now`.
    pub(crate) fn committed(
        &mut self,
        served: Option<TargetId>,
        degraded: Option<Degraded>,
        status: u16,
        now: Instant,
    ) {
        self.record.overhead = self.own_time(now);
        // Who serves after all, though it had declined at first, was not passed over.
        self.record.passed_over.retain(|passed| Some(&passed.target) != served.as_ref());
        self.record.served = served;
        self.record.degraded = degraded;
        self.record.status = status;
        self.record.first_token = self.record.stream.then_some(now - self.arrived);
    }

    /// Notes that the last byte was handed to the client at `now`.
    pub(crate) fn ended(&mut self, now: Instant) {
        self.ended.get_or_insert(now);
    }

    /// Of the time since the request was read, what no attempt took and no wait.
    fn own_time(&self, now: Instant) -> Duration {
        let upstream = self.upstream + self.busy.map_or(Duration::ZERO, |busy| now - busy);
        self.read.map_or(Duration::ZERO, |read| (now - read).saturating_sub(upstream + self.record.waited))
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
        for (no, _) in self.running.into_iter().flatten() {
            self.attempt_decided(no, ended);
        }
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
