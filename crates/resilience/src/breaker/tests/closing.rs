//! Probes, and the way back.

use super::*;
use Verdict::{ClientFault, HardFailure, Neutral, QuotaExhausted, RateLimited, SemanticFailure, Success};

fn half_open() -> Stage {
    let mut stage = Stage::new(without_ramp());
    stage.break_down();
    stage.sleep();
    stage
}

#[test]
fn waking_publishes_the_end_of_a_rest_once() {
    let mut stage = Stage::new(without_ramp());
    assert_eq!(stage.breaker.wake(stage.now), None);
    stage.break_down();
    let until = stage.snapshot().until.unwrap();
    assert_eq!(stage.breaker.wake(until - Duration::from_nanos(1)), None);
    assert_eq!(stage.breaker.state(until).state, State::HalfOpen, "it shows before anyone asks");
    let woken = stage.breaker.wake(until);
    assert_eq!(woken, Some(Transition { to: State::HalfOpen, reason: Reason::Probe, until: None }));
    assert_eq!(stage.breaker.wake(until), None);
}

#[test]
fn three_probes_in_a_row_close_it_one_at_a_time() {
    let mut stage = half_open();
    for last in [false, false, true] {
        let ticket = stage.pass();
        assert!(ticket.is_probe());
        assert_eq!(stage.refused(), Refused { reason: Reason::Probe, until: stage.now + SECOND });
        let moved = stage.settle(ticket, Report::of(Success));
        let closed = Transition { to: State::Closed, reason: Reason::Recovered, until: None };
        assert_eq!(moved, last.then_some(closed));
    }
    assert!(!stage.pass().is_probe());
    let snapshot = stage.snapshot();
    assert_eq!((snapshot.counts, snapshot.consecutive, snapshot.opened), (Counts::default(), 0, None), "a fresh start");
}

#[test]
fn a_probe_is_decided_by_its_first_content() {
    let mut stage = half_open();
    let mut streams: Vec<_> = (0..3)
        .map(|_| {
            let mut ticket = stage.pass();
            stage.begun(&mut ticket);
            ticket
        })
        .collect();
    assert_eq!(stage.state(), State::Closed, "while all three still stream");
    let broken = streams.pop().unwrap();
    stage.settle(broken, Report::of(HardFailure));
    assert_eq!((stage.state(), stage.snapshot().counts), (State::Closed, Counts { total: 1, failed: 1 }));

    let mut stage = half_open();
    let mut first = stage.pass();
    stage.begun(&mut first);
    let second = stage.pass();
    assert_eq!(stage.settle(first, Report::of(HardFailure)).unwrap().reason, Reason::ProbeFailed);
    assert_eq!(stage.settle(second, Report::of(Success)), None, "a straggler now");
    assert_eq!(stage.state(), State::Open);
}

#[test]
fn what_a_probe_may_end_as() {
    for (report, expected) in [
        (Report::of(HardFailure), Some(Reason::ProbeFailed)),
        (Report::of(SemanticFailure), Some(Reason::ProbeFailed)),
        (Report::of(RateLimited), Some(Reason::ProbeFailed)),
        (of_one_credential(Report::of(RateLimited)), Some(Reason::ProbeFailed)),
        (Report::of(QuotaExhausted), Some(Reason::Quota)),
        (of_one_credential(Report::of(QuotaExhausted)), None),
        (Report::of(ClientFault), None),
        (Report::of(Neutral), None),
    ] {
        let mut stage = half_open();
        let moved = stage.call(report);
        assert_eq!(moved.map(|moved| moved.reason), expected, "{report:?}");
        if expected.is_none() {
            assert!(stage.pass().is_probe(), "{report:?} gives the permit back");
        }
    }
}

#[test]
fn neutral_probes_neither_help_nor_hurt() {
    let mut stage = half_open();
    stage.calls(2, Success);
    stage.calls(9, Neutral);
    assert_eq!(stage.state(), State::HalfOpen);
    assert_eq!(stage.calls(1, Success).unwrap().to, State::Closed, "the two before still count");
}

#[test]
fn a_lost_probe_makes_room_at_its_deadline_and_its_failure_counts_until_another_takes_over() {
    let mut stage = half_open();
    let lost = stage.pass();
    stage.wait(PROBE - Duration::from_nanos(1));
    assert_eq!(stage.refused().until, stage.now + Duration::from_nanos(1));
    stage.wait(Duration::from_nanos(1));
    let next = stage.pass();
    assert!(next.is_probe());
    assert_eq!(stage.settle(lost, Report::of(HardFailure)), None);
    assert_eq!(stage.state(), State::HalfOpen, "nobody waits for it any more");
    stage.wait(PROBE * 2);
    assert_eq!(stage.settle(next, Report::of(HardFailure)).unwrap().reason, Reason::ProbeFailed, "nobody came between");
}

#[test]
fn a_lost_probe_that_begins_late_is_a_success_and_the_other_is_still_awaited() {
    let mut stage = half_open();
    stage.calls(1, Success);
    let mut lost = stage.pass();
    stage.wait(PROBE);
    let probe = stage.pass();
    assert_eq!(stage.begun(&mut lost), None);
    assert_eq!(stage.refused().reason, Reason::Probe);
    assert_eq!(stage.settle(probe, Report::of(Success)).unwrap().to, State::Closed);
    let mut stage = Stage::new(BreakerPolicy { slow_call: Some(SECOND / 2), ..without_ramp() });
    stage.break_down();
    stage.sleep();
    let mut lost = stage.pass();
    stage.wait(PROBE);
    let _probe = stage.pass();
    assert_eq!(stage.begun(&mut lost), None, "too slow, and nobody waits for it");
    assert_eq!(stage.state(), State::HalfOpen);
}

#[test]
fn answers_longer_than_the_deadline_of_a_probe_close_it() {
    for alternatives in [true, false] {
        let mut stage = half_open();
        stage.alternatives = alternatives;
        let mut waiting = std::collections::VecDeque::new();
        for _ in 0..220 {
            stage.wait(SECOND);
            while waiting.front().is_some_and(|(due, _)| *due <= stage.now) {
                let (_, ticket) = waiting.pop_front().unwrap();
                stage.settle(ticket, Report::of(Success));
            }
            if let Admit::Through(ticket) | Admit::Probe(ticket) = stage.admit() {
                waiting.push_back((stage.now + SECOND * 90, ticket));
            }
        }
        assert_eq!(stage.state(), State::Closed);
    }
}

#[test]
fn one_good_probe_closes_a_target_alone() {
    let mut stage = half_open();
    stage.alternatives = false;
    assert_eq!(stage.calls(1, Success).unwrap().to, State::Closed);
}

#[test]
fn a_slow_probe_fails() {
    let mut stage = Stage::new(BreakerPolicy { slow_call: Some(SECOND), ..without_ramp() });
    stage.break_down();
    stage.sleep();
    let mut ticket = stage.pass();
    let moved = stage.breaker.begun(&mut ticket, SECOND * 2, stage.now, &mut stage.rng);
    assert_eq!(moved.unwrap().reason, Reason::ProbeFailed);
}

#[test]
fn a_silent_probe_waits_for_its_deadline() {
    let mut stage = half_open();
    let mut ticket = stage.pass();
    assert_eq!(stage.silent(&mut ticket), None);
    assert!(stage.settle(ticket, Report::of(Success)).is_none());
    assert_eq!(stage.state(), State::HalfOpen);
}

#[test]
fn rests_grow_with_failed_probes_and_shrink_with_health() {
    let mut stage = Stage::new(without_ramp());
    assert!(about(stage.break_down(), 5));
    for secs in [10, 20, 40, 80, 160] {
        stage.sleep();
        let moved = stage.calls(1, HardFailure);
        assert!(about(stage.rest_of(moved), secs), "{secs}");
    }
    stage.recover();
    stage.wait(SECOND * 240);
    assert!(about(stage.break_down(), 20), "six steps, less four minutes");
    stage.recover();
    stage.wait(SECOND * 59);
    stage.call(throttled(1));
    stage.recover();
    stage.wait(SECOND);
    assert!(about(stage.break_down(), 20), "a told rest interrupts health and does not end it");
}

#[test]
fn the_longest_rest_is_never_passed() {
    let mut stage = Stage::new(without_ramp());
    stage.break_down();
    for _ in 0..40 {
        stage.sleep();
        let moved = stage.calls(1, HardFailure);
        assert!(stage.rest_of(moved) <= stage.breaker.policy.max_open);
    }
}

#[test]
fn a_target_alone_always_rests_shortly_and_gets_all_its_traffic_back() {
    let mut stage = Stage::alone(BreakerPolicy::default());
    assert!(about(stage.break_down(), 5));
    for _ in 0..9 {
        stage.sleep();
        let moved = stage.calls(1, HardFailure);
        assert!(about(stage.rest_of(moved), 5));
    }
    stage.recover();
    assert_eq!(stage.snapshot().share, 1.0);
}

#[test]
fn traffic_comes_back_little_by_little() {
    let mut stage = Stage::new(BreakerPolicy::default());
    stage.break_down();
    stage.recover();
    for (secs, expected) in [(0, 100), (10, 400), (10, 700), (10, 1000)] {
        stage.wait(SECOND * secs);
        let mut passed = 0;
        for _ in 0..1000 {
            match stage.admit() {
                Admit::Through(_) => passed += 1,
                Admit::Refused(refused) => {
                    assert_eq!(refused, Refused { reason: Reason::Recovered, until: stage.now + SECOND });
                }
                Admit::Probe(_) => panic!("it is closed"),
            }
        }
        assert!(i32::abs(passed - expected) < 60, "{passed} of 1000, not about {expected}");
    }
}

#[test]
fn a_call_without_alternatives_is_never_held_back_by_the_slow_start() {
    let mut stage = Stage::new(BreakerPolicy::default());
    stage.break_down();
    stage.recover();
    stage.alternatives = false;
    for _ in 0..1000 {
        drop(stage.pass());
    }
}
