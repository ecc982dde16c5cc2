//! The gate as calls see it.

use super::*;
use crate::{BreakerPolicy, Report, Rest, State};
use llm::{QuotaKind, Verdict};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::AtomicU32;
use std::sync::{OnceLock, Weak};
use std::task::{Context, Poll, Wake, Waker};

mod queue;

const SECOND: Duration = Duration::from_secs(1);

/// Looks into the gate whenever it is told something, which would never return if the lock were still held.
#[derive(Default)]
struct Onlooker {
    gate: OnceLock<Weak<Gate>>,
    told: Mutex<Vec<(State, Reason, u32)>>,
    woken: AtomicU32,
}

impl Onlooker {
    fn waiting_now(&self) -> u32 {
        let gate = self.gate.get().and_then(Weak::upgrade).unwrap();
        u32::try_from(gate.look(Instant::now()).waiting).unwrap()
    }
}

impl Watch for Onlooker {
    fn moved(&self, transition: &Transition) {
        let waiting = self.waiting_now();
        self.told.lock().unwrap().push((transition.to, transition.reason, waiting));
    }
}

impl Wake for Onlooker {
    fn wake(self: Arc<Self>) {
        self.waiting_now();
        self.woken.fetch_add(1, Ordering::Relaxed);
    }
}

struct Stage {
    gate: Arc<Gate>,
    onlooker: Arc<Onlooker>,
    now: Instant,
    rng: fastrand::Rng,
    ask: Ask,
}

impl Stage {
    /// A gate with so many slots, and no slow start.
    fn new(slots: u32) -> Self {
        let breaker = BreakerPolicy { ramp: Duration::ZERO, ..BreakerPolicy::default() };
        Self::with(GatePolicy { breaker, max_concurrency: Some(slots) })
    }

    fn with(policy: GatePolicy) -> Self {
        let (now, onlooker) = (Instant::now(), Arc::new(Onlooker::default()));
        let gate = Gate::new(policy, now, Arc::clone(&onlooker) as Arc<dyn Watch>);
        onlooker.gate.set(Arc::downgrade(&gate)).unwrap();
        let ask = Ask { tenant: 1, priority: Priority::Normal, probe_by: now + SECOND * 3600, alternatives: true };
        Self { gate, onlooker, now, rng: fastrand::Rng::with_seed(1), ask }
    }

    fn enter(&mut self) -> Entry {
        self.gate.enter(self.ask, self.now, &mut self.rng)
    }

    fn pass(&mut self) -> Permit {
        match self.enter() {
            Entry::Permit(permit) => permit,
            other => panic!("{other:?}"),
        }
    }

    fn refused(&mut self) -> Reason {
        match self.enter() {
            Entry::Refused(refused) => refused.reason,
            other => panic!("{other:?}"),
        }
    }

    fn is_full(&mut self) -> bool {
        matches!(self.enter(), Entry::Full)
    }

    fn begun(&mut self, permit: &mut Permit) {
        permit.begun(self.now, &mut self.rng);
    }

    fn settle(&mut self, permit: Permit, report: Report) {
        permit.settle(report, self.now, &mut self.rng);
    }

    fn calls(&mut self, times: u32, verdict: Verdict) {
        for _ in 0..times {
            let permit = self.pass();
            self.settle(permit, Report::of(verdict));
        }
    }

    fn look(&self) -> GateSnapshot {
        self.gate.look(self.now)
    }

    /// Slots in use, calls under way, calls waiting.
    fn counts(&self) -> (u32, u32, usize) {
        let GateSnapshot { in_flight, under_way, waiting, .. } = self.look();
        (in_flight, under_way, waiting)
    }

    /// Breaks it down and waits until it can be probed.
    fn half_open(&mut self) {
        self.calls(5, Verdict::HardFailure);
        self.now = self.look().breaker.until.unwrap();
    }

    fn told(&self) -> Vec<(State, Reason, u32)> {
        std::mem::take(&mut self.onlooker.told.lock().unwrap())
    }
}

#[test]
fn a_slot_is_held_until_first_content_and_a_call_until_its_end() {
    let mut stage = Stage::with(GatePolicy::default());
    let mut first = stage.pass();
    let second = stage.pass();
    assert_eq!(stage.counts(), (2, 2, 0));
    stage.begun(&mut first);
    stage.begun(&mut first);
    assert_eq!(stage.counts(), (1, 2, 0));
    let third = stage.pass();
    assert_eq!(stage.counts(), (2, 3, 0));
    stage.settle(first, Report::of(Verdict::Success));
    stage.settle(second, Report::of(Verdict::SemanticFailure));
    drop(third);
    assert_eq!(stage.counts(), (0, 0, 0));
    assert_eq!(stage.look().limit, 1_024);
}

#[test]
fn where_it_is_said_how_many_a_target_takes_a_slot_is_held_to_the_end() {
    let mut stage = Stage::new(2);
    let (mut first, mut second) = (stage.pass(), stage.pass());
    assert!(stage.is_full());
    stage.begun(&mut first);
    stage.begun(&mut second);
    assert_eq!((stage.counts(), stage.is_full()), ((2, 2, 0), true));
    stage.settle(first, Report::of(Verdict::Success));
    let _third = stage.pass();
    assert!(stage.is_full());
    drop(second);
    assert_eq!((stage.counts(), stage.look().limit), ((1, 1, 0), 2));
}

#[test]
fn a_full_gate_blames_nobody() {
    let mut stage = Stage::new(1);
    let _permit = stage.pass();
    let before = stage.look();
    assert!(stage.is_full());
    assert_eq!(stage.look(), before);
}

#[test]
fn a_probe_passes_a_full_gate_and_takes_a_slot_where_there_is_one() {
    for (busy, in_flight) in [(0, 1), (1, 1)] {
        let mut stage = Stage::new(1);
        let hanging: Vec<_> = (0..busy).map(|_| stage.pass()).collect();
        stage.gate.trip(Reason::Domain, stage.now + SECOND, stage.now);
        stage.now += SECOND;
        let probe = stage.pass();
        assert!(probe.is_probe());
        assert_eq!(stage.counts(), (in_flight, busy + 1, 0));
        stage.settle(probe, Report::of(Verdict::Success));
        assert_eq!(stage.counts(), (busy, busy, 0));
        drop(hanging);
        assert_eq!(stage.counts(), (0, 0, 0));
    }
}

#[test]
fn a_dropped_probe_makes_room_for_the_next() {
    let mut stage = Stage::new(9);
    stage.half_open();
    let probe = stage.pass();
    assert_eq!(stage.refused(), Reason::Probe);
    drop(probe);
    let probe = stage.pass();
    assert!(probe.is_probe());
    stage.settle(probe, Report::of(Verdict::HardFailure));
    assert_eq!(stage.refused(), Reason::ProbeFailed);
}

#[test]
fn moves_are_told_outside_the_lock_in_order() {
    let mut stage = Stage::new(9);
    stage.half_open();
    stage.calls(3, Verdict::Success);
    stage.gate.trip(Reason::Unusable, stage.now + SECOND, stage.now);
    stage.now += SECOND;
    let mut probe = stage.pass();
    stage.begun(&mut probe);
    stage.calls(20, Verdict::SemanticFailure);
    stage.gate.pardon(stage.now);
    assert_eq!(
        stage.told(),
        [
            (State::Open, Reason::Consecutive, 0),
            (State::HalfOpen, Reason::Probe, 0),
            (State::Closed, Reason::Recovered, 0),
            (State::Open, Reason::Unusable, 0),
            (State::HalfOpen, Reason::Probe, 0),
            (State::Closed, Reason::Recovered, 0),
            (State::Open, Reason::Ratio, 0),
            (State::Closed, Reason::Pardoned, 0),
        ]
    );
}

#[test]
fn a_nearly_spent_quota_steers_only_those_who_can_go_elsewhere() {
    let mut stage = Stage::new(9);
    let reading =
        |remaining| QuotaReading { kind: QuotaKind::Requests, limit: Some(1000), remaining, reset: Some(SECOND * 60) };
    stage.gate.quota(&[reading(900)], stage.now);
    drop(stage.pass());
    stage.gate.quota(&[reading(0)], stage.now);
    assert_eq!(stage.refused(), Reason::Scarce);
    assert_eq!(stage.look().scarce_until, Some(stage.now + SECOND * 60));
    stage.ask.alternatives = false;
    drop(stage.pass());
    stage.ask.alternatives = true;
    stage.now += SECOND * 60;
    drop(stage.pass());
}

#[test]
fn what_each_end_says_of_the_load() {
    let faded = |secs: u32| 2.0 * (-f64::from(secs) / 10.0).exp();
    for (verdict, begun, expected) in [
        (Verdict::Success, false, 7.0),
        (Verdict::Success, true, faded(5)),
        (Verdict::HardFailure, false, 7.0),
        (Verdict::HardFailure, true, 5.0),
        (Verdict::Neutral, false, 7.0),
        (Verdict::Neutral, true, faded(5)),
        (Verdict::RateLimited, false, faded(7)),
        (Verdict::QuotaExhausted, false, faded(7)),
        (Verdict::ClientFault, false, faded(7)),
        (Verdict::SemanticFailure, false, faded(7)),
    ] {
        let mut stage = Stage::with(GatePolicy::default());
        let mut first = stage.pass();
        stage.now += SECOND * 2;
        stage.begun(&mut first);
        let mut permit = stage.pass();
        let end = stage.now + SECOND * 7;
        if begun {
            stage.now += SECOND * 2;
            stage.begun(&mut permit);
        }
        stage.now = end;
        stage.settle(permit, Report { rest: Rest::Credential, ..Report::of(verdict) });
        let seen = stage.look().first_token;
        assert!((seen - expected).abs() < 1e-9, "{verdict:?}, begun {begun}: {seen}");
        assert_eq!(stage.gate.load(stage.now), Load { expected: seen, in_flight: 0, under_way: 1 });
    }
}

#[test]
fn load_grows_with_the_calls_that_wait() {
    let mut stage = Stage::with(GatePolicy::default());
    let mut permits: Vec<_> = (0..3).map(|_| stage.pass()).collect();
    let load = stage.gate.load(stage.now);
    assert_eq!((load.in_flight, load.under_way), (3, 3));
    assert_eq!(load.expected, stage.look().first_token * 4.0);
    stage.begun(&mut permits[0]);
    assert_eq!((stage.gate.load(stage.now).in_flight, stage.gate.load(stage.now).under_way), (2, 3));
}

#[test]
fn a_dropped_call_is_timed_by_the_latest_instant_anyone_told() {
    let mut stage = Stage::new(9);
    let hanging = stage.pass();
    stage.now += SECOND * 40;
    stage.calls(1, Verdict::ClientFault);
    drop(hanging);
    assert_eq!(stage.look().first_token, 40.0);
}

#[test]
fn calls_that_hang_open_it_together_and_know_that_they_are_stale() {
    let mut stage = Stage::new(9);
    let mut hanging: Vec<_> = (0..5).map(|_| stage.pass()).collect();
    for permit in &mut hanging {
        assert!(!permit.is_stale());
        permit.silent(stage.now, &mut stage.rng);
        permit.silent(stage.now, &mut stage.rng);
    }
    assert_eq!(stage.told(), [(State::Open, Reason::Consecutive, 0)]);
    assert!(hanging.iter().all(Permit::is_stale));
    stage.now += SECOND * 2;
    stage.begun(&mut hanging[0]);
    assert_eq!(stage.gate.usual(true), None, "how late it is now is not what is usual");
    drop(hanging);
    assert_eq!(stage.refused(), Reason::Consecutive);
}

#[test]
fn a_rest_that_the_target_asked_for_makes_nobody_stale() {
    let mut stage = Stage::new(9);
    let permit = stage.pass();
    stage.calls(1, Verdict::RateLimited);
    assert_eq!(stage.refused(), Reason::Throttled);
    assert!(!permit.is_stale());
}

#[test]
fn suspicion_follows_the_pace() {
    let mut stage = Stage::new(9);
    let patience = |stage: &Stage| [true, false].map(|stream| stage.gate.patience_for_answer(stream));
    assert_eq!((patience(&stage), stage.gate.usual(true)), ([SECOND * 15, SECOND * 60], None));
    let mut permit = stage.pass();
    stage.now += SECOND * 5;
    stage.begun(&mut permit);
    assert_eq!((patience(&stage), stage.gate.usual(true)), ([SECOND * 20, SECOND * 60], Some(SECOND * 5)));
    assert_eq!(stage.gate.patience(0, stage.now), Duration::from_millis(100));
}
