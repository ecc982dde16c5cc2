//! Waiting for a slot.

use super::*;

impl Stage {
    fn wait(&self) -> Waiting {
        self.gate.queue(self.ask, self.now).unwrap()
    }

    fn poll(&self, waiting: &mut Waiting) -> Poll<Result<Permit, Denied>> {
        let waker = Waker::from(Arc::clone(&self.onlooker));
        Pin::new(waiting).poll(&mut Context::from_waker(&waker))
    }

    fn permit(&self, waiting: &mut Waiting) -> Permit {
        match self.poll(waiting) {
            Poll::Ready(Ok(permit)) => permit,
            other => panic!("{other:?}"),
        }
    }

    fn denied(&self, waiting: &mut Waiting) -> Denied {
        match self.poll(waiting) {
            Poll::Ready(Err(denied)) => denied,
            other => panic!("{other:?}"),
        }
    }

    fn woken(&self) -> u32 {
        self.onlooker.woken.swap(0, Ordering::Relaxed)
    }
}

#[test]
fn a_freed_slot_goes_to_a_waiter_who_is_woken_outside_the_lock() {
    let mut stage = Stage::new(1);
    let permit = stage.pass();
    let mut waiting = stage.wait();
    for _ in 0..3 {
        assert!(stage.poll(&mut waiting).is_pending());
    }
    assert_eq!((stage.counts(), stage.woken()), ((1, 1, 1), 0));
    drop(permit);
    assert_eq!((stage.counts(), stage.woken()), ((1, 0, 0), 1));
    assert!(stage.is_full(), "the slot is the waiter's");
    stage.now += SECOND;
    let mut permit = stage.permit(&mut waiting);
    assert_eq!(stage.counts(), (1, 1, 0));
    drop(waiting);
    stage.begun(&mut permit);
    stage.settle(permit, Report::of(Verdict::Success));
    assert_eq!(stage.counts(), (0, 0, 0));
    assert_eq!(stage.look().first_token, 1.0, "timed from when it got the slot");
}

#[test]
fn who_gives_up_hurries_those_behind_and_who_is_dropped_does_not() {
    for (gives_up, patience) in [(true, 5), (false, 100)] {
        let mut stage = Stage::new(1);
        let _permit = stage.pass();
        let mut waiting = stage.wait();
        assert!(stage.poll(&mut waiting).is_pending());
        stage.now += Duration::from_millis(100);
        if gives_up {
            waiting.give_up(stage.now);
        } else {
            drop(waiting);
        }
        assert_eq!(stage.counts(), (1, 1, 0));
        assert_eq!(stage.gate.patience(1, stage.now), Duration::from_millis(patience));
    }
}

#[test]
fn a_waiter_who_never_asked_finds_its_slot() {
    let mut stage = Stage::new(1);
    let permit = stage.pass();
    let mut waiting = stage.wait();
    drop(permit);
    assert!(!stage.permit(&mut waiting).is_probe());
}

#[test]
fn a_slot_freed_before_the_queue_was_joined_is_not_lost() {
    let mut stage = Stage::new(1);
    let permit = stage.pass();
    assert!(stage.is_full());
    drop(permit);
    let mut waiting = stage.wait();
    drop(stage.permit(&mut waiting));
    assert_eq!(stage.counts(), (0, 0, 0));
}

#[test]
fn whoever_leaves_holds_nothing_and_passes_on_what_it_was_given() {
    let mut stage = Stage::new(1);
    let permit = stage.pass();
    let (mut first, second, mut third) = (stage.wait(), stage.wait(), stage.wait());
    assert!(stage.poll(&mut first).is_pending());
    assert!(stage.poll(&mut third).is_pending());
    drop(second);
    assert_eq!(stage.counts(), (1, 1, 2));
    drop(permit);
    assert_eq!((stage.counts(), stage.woken()), ((1, 0, 1), 1));
    drop(first);
    assert_eq!((stage.counts(), stage.woken()), ((1, 0, 0), 1), "the first had been given the slot");
    drop(third);
    assert_eq!(stage.counts(), (0, 0, 0));
    drop(stage.pass());
}

#[test]
fn an_opening_breaker_sends_everyone_away_at_once() {
    let mut stage = Stage::new(5);
    let mut hanging: Vec<_> = (0..5).map(|_| stage.pass()).collect();
    let (mut one, mut two) = (stage.wait(), stage.wait());
    assert!(stage.poll(&mut one).is_pending() && stage.poll(&mut two).is_pending());
    for permit in &mut hanging {
        permit.silent(stage.now, &mut stage.rng);
    }
    assert_eq!((stage.counts(), stage.woken()), ((5, 5, 0), 2));
    let until = stage.look().breaker.until.unwrap();
    let refused = Denied::Refused(Refused { reason: Reason::Consecutive, until });
    assert_eq!((stage.denied(&mut one), stage.denied(&mut two)), (refused, refused));
    let mut late = stage.wait();
    assert_eq!(stage.denied(&mut late), refused);
    drop(hanging);
    assert_eq!(stage.counts(), (0, 0, 0));
}

#[test]
fn a_waiter_may_become_the_probe_and_the_others_may_not() {
    let mut stage = Stage::new(2);
    stage.ask.tenant = 2;
    let hanging = [stage.pass(), stage.pass()];
    stage.gate.trip(Reason::Domain, stage.now + SECOND, stage.now);
    stage.now += SECOND;
    let (mut one, mut two) = (stage.wait(), stage.wait());
    drop(hanging);
    assert_eq!(stage.counts(), (1, 0, 0), "one holds a slot, the other was sent away");
    let probe = stage.permit(&mut one);
    assert!(probe.is_probe());
    assert!(matches!(stage.denied(&mut two), Denied::Refused(Refused { reason: Reason::Probe, .. })));
    drop(probe);
    assert!(stage.pass().is_probe());
}

#[test]
fn a_probe_given_to_a_waiter_who_left_is_returned() {
    let mut stage = Stage::new(1);
    let hanging = stage.pass();
    stage.gate.trip(Reason::Domain, stage.now + SECOND, stage.now);
    stage.now += SECOND;
    let waiting = stage.wait();
    drop(hanging);
    assert_eq!(stage.refused(), Reason::Probe);
    drop(waiting);
    assert!(stage.pass().is_probe());
}

#[test]
fn a_full_queue_sheds_the_less_important() {
    let mut stage = Stage::new(1);
    let _permit = stage.pass();
    stage.ask.priority = Priority::Sheddable;
    let mut queue: Vec<_> = (0..64).map(|_| stage.wait()).collect();
    assert_eq!(stage.gate.queue(stage.ask, stage.now).map(drop), Err(Shed));
    assert!(queue.iter_mut().all(|waiting| stage.poll(waiting).is_pending()));
    stage.ask.priority = Priority::Critical;
    let _important = stage.wait();
    assert_eq!((stage.look().waiting, stage.woken()), (64, 1));
    let shed = |waiting: &mut Waiting| matches!(stage.poll(waiting), Poll::Ready(Err(Denied::Shed(_))));
    assert_eq!(queue.iter_mut().map(shed).filter(|shed| *shed).count(), 1);
}
