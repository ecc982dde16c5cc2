//! The gate where threads meet, under random schedules: `cargo test -p resilience --features shuttle --test threads`.
//!
//! Shuttle runs each story some thousand times, every time with another interleaving at the gate's lock, and fails on a
//! deadlock too: a slot that is lost leaves its waiter asleep for ever.

use llm::{Priority, Verdict};
use resilience::{Ask, BreakerPolicy, Entry, Gate, GatePolicy, Permit, Reason, Report, State, Waiting};
use shuttle::Runner;
use shuttle::scheduler::RandomScheduler;
use shuttle::sync::atomic::{AtomicU32, Ordering};
use shuttle::thread;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

const SCHEDULES: usize = 3_000;
const SEED: u64 = 1;
const SECOND: Duration = Duration::from_secs(1);

/// What every thread of a story has: the gate, the one instant it plays at, and who counts along.
#[derive(Clone)]
struct Scene {
    gate: Arc<Gate>,
    now: Instant,
    inside: Arc<AtomicU32>,
    most: u32,
}

impl Scene {
    fn new(slots: u32, most: u32) -> Self {
        let now = Instant::now();
        let breaker = BreakerPolicy { ramp: Duration::ZERO, ..BreakerPolicy::default() };
        let gate = Gate::new(GatePolicy { breaker, max_concurrency: Some(slots) }, now, Arc::new(()));
        Self { gate, now, inside: Arc::new(AtomicU32::new(0)), most }
    }

    /// The same at the end of a rest: the next call is a probe.
    fn half_open(slots: u32, most: u32) -> Self {
        let mut scene = Self::new(slots, most);
        scene.gate.trip(Reason::Domain, scene.now + SECOND, scene.now);
        scene.now += SECOND;
        scene
    }

    fn ask(&self, tenant: u32) -> Ask {
        Ask { tenant, priority: Priority::Normal, probe_by: self.now + SECOND * 60, alternatives: true }
    }

    fn enter(&self, tenant: u32) -> Entry {
        self.gate.enter(self.ask(tenant), self.now, &mut fastrand::Rng::with_seed(1))
    }

    /// A permit, after waiting where the gate is full; `None` where the queue or the breaker sends the call away.
    fn pass(&self, tenant: u32) -> Option<Permit> {
        match self.enter(tenant) {
            Entry::Permit(permit) => Some(permit),
            Entry::Refused(_) => None,
            Entry::Full => shuttle::future::block_on(self.gate.queue(self.ask(tenant), self.now).ok()?).ok(),
        }
    }

    fn counted_in(&self) {
        assert!(self.inside.fetch_add(1, Ordering::SeqCst) < self.most, "more than {} at one time", self.most);
        thread::yield_now();
    }

    /// The call's own end, in one of the ways there are.
    fn end(&self, mut permit: Permit, way: u32) {
        let rng = &mut fastrand::Rng::with_seed(1);
        self.inside.fetch_sub(1, Ordering::SeqCst);
        match way % 4 {
            0 => drop(permit),
            1 => permit.settle(Report::of(Verdict::Success), self.now, rng),
            2 => {
                permit.begun(self.now, rng);
                thread::yield_now();
                permit.settle(Report::of(Verdict::Success), self.now, rng);
            }
            _ => permit.settle(Report::of(Verdict::Neutral), self.now, rng),
        }
    }

    fn assert_empty(&self) {
        let look = self.gate.look(self.now);
        assert_eq!((look.in_flight, look.under_way, look.waiting), (0, 0, 0));
    }
}

/// Random schedules, and the same ones every time.
fn in_many_schedules(story: impl Fn() + Send + Sync + 'static) {
    let scheduler = RandomScheduler::new_from_seed(SEED, SCHEDULES);
    Runner::new(scheduler, shuttle::Config::default()).run(story);
}

fn together(threads: u32, story: impl Fn(u32) + Clone + Send + 'static) {
    let running: Vec<_> = (0..threads)
        .map(|thread| {
            let story = story.clone();
            thread::spawn(move || story(thread))
        })
        .collect();
    assert!(running.into_iter().all(|thread| thread.join().is_ok()));
}

/// Asks once whether the wait is over.
fn poll(waiting: &mut Waiting) -> bool {
    !matches!(Pin::new(waiting).poll(&mut Context::from_waker(Waker::noop())), Poll::Pending)
}

#[test]
fn one_probe_at_a_time_and_none_is_lost() {
    let story = || {
        let scene = Scene::half_open(9, 1);
        let each = scene.clone();
        together(4, move |thread| {
            for turn in 0..2 {
                // After three successes it is closed, and whoever passes is no probe.
                if let Some(permit) = each.pass(thread)
                    && permit.is_probe()
                {
                    each.counted_in();
                    each.end(permit, thread + turn);
                }
            }
        });
        scene.assert_empty();
        match scene.enter(0) {
            Entry::Permit(permit) => {
                assert_eq!(permit.is_probe(), scene.gate.look(scene.now).breaker.state == State::HalfOpen);
            }
            other => panic!("wedged: {other:?}"),
        }
    };
    in_many_schedules(story);
}

#[test]
fn slots_are_never_more_than_the_limit_and_all_come_back() {
    let story = || {
        let scene = Scene::new(2, 2);
        let each = scene.clone();
        together(5, move |thread| {
            let permit = each.pass(thread).expect("nobody is sent away");
            each.counted_in();
            assert!(each.gate.look(each.now).in_flight <= 2);
            each.end(permit, thread);
        });
        scene.assert_empty();
    };
    in_many_schedules(story);
}

#[test]
fn a_slot_given_to_a_waiter_who_leaves_at_that_moment_reaches_the_next() {
    let story = || {
        let scene = Scene::new(1, 1);
        let Entry::Permit(holder) = scene.enter(0) else { panic!("it is empty") };
        scene.counted_in();
        let mut leaver = scene.gate.queue(scene.ask(1), scene.now).unwrap();
        let each = scene.clone();
        let stays = thread::spawn(move || {
            let permit = each.pass(2).expect("the slot comes to whoever stays");
            each.counted_in();
            each.end(permit, 0);
        });
        let leaves = thread::spawn(move || {
            poll(&mut leaver);
            drop(leaver);
        });
        scene.end(holder, 0);
        leaves.join().unwrap();
        stays.join().unwrap();
        scene.assert_empty();
    };
    in_many_schedules(story);
}

#[test]
fn a_breaker_that_opens_leaves_nobody_asleep() {
    let story = || {
        let scene = Scene::new(1, 1);
        let Entry::Permit(holder) = scene.enter(0) else { panic!("it is empty") };
        let each = scene.clone();
        let waits = thread::spawn(move || drop(each.pass(1)));
        let gate = Arc::clone(&scene.gate);
        let now = scene.now;
        let trips = thread::spawn(move || gate.trip(Reason::Domain, now + SECOND, now));
        waits.join().unwrap_or_else(|_| panic!("it waits for a slot that is still held"));
        trips.join().unwrap();
        drop(holder);
        scene.assert_empty();
    };
    in_many_schedules(story);
}
