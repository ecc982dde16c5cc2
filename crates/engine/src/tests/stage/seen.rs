//! What was seen of calls, exchanges and breakers, and what must hold for all of them.
//!
//! Must never be here: how calls are made.

use super::{Stage, now};
use crate::Sink;
use llm::{AttemptKind, CallRecord, Label};
use resilience::{GateSnapshot, State, Transition};
use routing::OnRefusal;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

impl Stage {
    /// The one record of the only call, which must be over in every respect.
    pub(in crate::tests) fn settled(&self) -> CallRecord {
        let counts = self.counts();
        assert_eq!(counts.open, 0, "exchanges left open");
        // A hedge runs beside another, and a refusal is kept while another target is asked.
        let beside = self.policy.hedge.is_some() || self.policy.on_refusal == OnRefusal::Failover;
        let side_by_side = if beside { 2 } else { 1 };
        assert!(counts.most_open <= side_by_side, "exchanges side by side");
        let tally = self.sink.0.lock().unwrap();
        assert_eq!((tally.opened.len(), &tally.released), (1, &tally.opened));
        assert_eq!(tally.records.len(), 1, "records");
        self.check(&tally.records[0]);
        tally.records[0].clone()
    }

    /// The one record of the call `id`.
    pub(in crate::tests) fn record(&self, id: &str) -> CallRecord {
        let tally = self.sink.0.lock().unwrap();
        // Published last, or nearly so.
        let mut records = tally.records.iter().rev().filter(|record| record.request_id.as_str() == id);
        let record = records.next().expect("a record").clone();
        assert!(records.next().is_none(), "{id} was published twice");
        self.check(&record);
        record
    }

    /// Every record so far, in the order of their publication.
    pub(in crate::tests) fn records(&self) -> Vec<CallRecord> {
        let records = self.sink.0.lock().unwrap().records.clone();
        records.iter().for_each(|record| self.check(record));
        records
    }

    /// What holds for every record.
    fn check(&self, record: &CallRecord) {
        let routes = 1 + self.policy.last_resorts.len();
        let most = usize::try_from(self.policy.max_attempts).unwrap() * routes;
        assert!(record.attempts.len() <= most, "{} attempts", record.attempts.len());
        for pair in record.attempts.windows(2) {
            let apart = pair[0].begun + pair[0].duration <= pair[1].begun;
            let hedged = pair.iter().any(|attempt| attempt.kind == AttemptKind::Hedge);
            assert!(apart || hedged, "attempts side by side: {pair:?}");
        }
        let hedges = record.attempts.iter().filter(|attempt| attempt.kind == AttemptKind::Hedge).count();
        assert!(hedges <= 1, "{hedges} hedges");
    }

    /// Nothing is under way, and nothing was kept that was taken for a call.
    pub(in crate::tests) fn idle(&self) {
        assert_eq!(self.counts().open, 0, "exchanges left open");
        for target in self.engine().targets(now()) {
            let GateSnapshot { in_flight, under_way, waiting, .. } = target.gate;
            assert_eq!((in_flight, under_way, waiting), (0, 0, 0), "{}", target.target);
        }
        let tally = self.sink.0.lock().unwrap();
        let calls = self.calls.load(Ordering::Relaxed);
        assert_eq!((tally.opened.len(), tally.released.len(), tally.records.len()), (calls, calls, calls));
    }

    /// The gate of a target as it is now.
    pub(in crate::tests) fn at(&self, target: &str) -> GateSnapshot {
        let targets = self.engine().targets(now());
        targets.into_iter().find(|report| report.target == target).expect("a target").gate
    }

    /// The state of a target's breaker.
    pub(in crate::tests) fn state(&self, target: &str) -> State {
        self.at(target).breaker.state
    }

    /// The providers asked so far, in order.
    pub(in crate::tests) fn asked(&self) -> Vec<usize> {
        self.log.with(|counts| counts.sent.iter().map(|sent| sent.provider).collect())
    }

    /// How often a provider was asked.
    pub(in crate::tests) fn asked_of(&self, provider: usize) -> usize {
        self.asked().into_iter().filter(|asked| *asked == provider).count()
    }

    /// Every move of a breaker so far, and when.
    pub(in crate::tests) fn moves(&self) -> Vec<(Duration, Arc<str>, Transition)> {
        let moves = self.sink.0.lock().unwrap().moves.clone();
        moves.into_iter().map(|(at, target, transition)| (at - self.begun, target, transition)).collect()
    }

    /// Whether nothing has been published yet.
    pub(in crate::tests) fn is_running(&self) -> bool {
        let tally = self.sink.0.lock().unwrap();
        tally.opened.len() == 1 && tally.released.is_empty() && tally.records.is_empty()
    }
}

/// A sink that keeps everything.
#[derive(Default)]
pub(super) struct Tally(pub(super) Mutex<Told>);

#[derive(Default)]
pub(super) struct Told {
    opened: Vec<Arc<str>>,
    released: Vec<Arc<str>>,
    pub(super) records: Vec<CallRecord>,
    moves: Vec<(Instant, Arc<str>, Transition)>,
}

impl Sink for Tally {
    fn opened(&self, route: &Label) {
        self.0.lock().unwrap().opened.push(route.name.clone());
    }

    fn released(&self, route: &Label) {
        self.0.lock().unwrap().released.push(route.name.clone());
    }

    fn record(&self, record: &CallRecord) {
        self.0.lock().unwrap().records.push(record.clone());
    }

    fn moved(&self, target: &Label, transition: &Transition) {
        self.0.lock().unwrap().moves.push((Instant::now(), target.name.clone(), *transition));
    }
}
