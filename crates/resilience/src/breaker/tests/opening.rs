//! What opens a closed breaker, and what does not.

use super::*;
use Verdict::{ClientFault, HardFailure, Neutral, QuotaExhausted, RateLimited, SemanticFailure, Success};

#[test]
fn what_opens_it_and_why() {
    for (calls, expected) in [
        (&[(4, HardFailure)][..], None),
        (&[(5, HardFailure)], Some(Reason::Consecutive)),
        (&[(4, HardFailure), (1, Success), (4, HardFailure)], None),
        (&[(4, HardFailure), (1, Success), (5, HardFailure)], Some(Reason::Consecutive)),
        (&[(4, HardFailure), (9, ClientFault), (9, Neutral), (1, HardFailure)], Some(Reason::Consecutive)),
        (&[(4, HardFailure), (3, SemanticFailure), (1, HardFailure)], Some(Reason::Consecutive)),
        (&[(10, Success), (9, SemanticFailure)], None),
        (&[(10, Success), (10, SemanticFailure)], Some(Reason::Ratio)),
        (&[(11, Success), (10, SemanticFailure)], None),
        (&[(19, SemanticFailure)], None),
        (&[(20, SemanticFailure)], Some(Reason::Ratio)),
        (&[(10, Success), (9, SemanticFailure), (100, ClientFault), (100, Neutral)], None),
        (&[(1, RateLimited)], Some(Reason::Throttled)),
        (&[(1, QuotaExhausted)], Some(Reason::Quota)),
    ] {
        let mut stage = Stage::new(without_ramp());
        let last = calls.iter().map(|(times, verdict)| stage.calls(*times, *verdict)).last().flatten();
        assert_eq!(last.map(|moved| moved.reason), expected, "{calls:?}");
        assert_eq!(stage.state(), if expected.is_some() { State::Open } else { State::Closed }, "{calls:?}");
    }
}

#[test]
fn knobs_at_nothing_turn_their_rule_off_and_not_the_other() {
    let policy = BreakerPolicy { consecutive: 0, ..without_ramp() };
    let mut stage = Stage::new(policy);
    assert_eq!(stage.calls(19, HardFailure), None);
    assert_eq!(stage.calls(1, HardFailure).unwrap().reason, Reason::Ratio);
    let mut stage = Stage::new(BreakerPolicy { min_calls: 0, consecutive: 0, ..without_ramp() });
    assert_eq!(stage.calls(1, HardFailure).unwrap().reason, Reason::Ratio);
}

#[test]
fn results_leave_the_window_but_a_row_does_not_age() {
    let mut stage = Stage::new(without_ramp());
    stage.calls(19, SemanticFailure);
    stage.wait(SECOND * 60);
    assert_eq!(stage.calls(1, SemanticFailure), None);
    assert_eq!(stage.snapshot().counts, Counts { total: 1, failed: 1 });
    stage.calls(4, HardFailure);
    stage.wait(SECOND * 3600);
    assert_eq!(stage.calls(1, HardFailure).unwrap().reason, Reason::Consecutive);
}

#[test]
fn a_throttled_credential_counts_softly_while_others_are_fresh() {
    let mut stage = Stage::new(without_ramp());
    let report = of_one_credential(throttled(60));
    assert!((0..19).all(|_| stage.call(report).is_none()));
    assert_eq!(stage.snapshot().consecutive, 0);
    assert_eq!(stage.call(report).unwrap().reason, Reason::Ratio);
    let mut stage = Stage::new(without_ramp());
    assert!((0..100).all(|_| stage.call(of_one_credential(spent(60))).is_none()));
    assert_eq!(stage.snapshot().counts, Counts::default(), "a spent credential says nothing of the target");
}

#[test]
fn slow_calls_count_against_the_ratio_alone() {
    let policy = BreakerPolicy { slow_call: Some(SECOND), ..without_ramp() };
    for (waited, failed) in [(SECOND, 0), (SECOND + Duration::from_nanos(1), 1)] {
        let mut stage = Stage::new(policy);
        stage.calls(4, HardFailure);
        let mut ticket = stage.pass();
        stage.breaker.begun(&mut ticket, waited, stage.now, &mut stage.rng);
        let snapshot = stage.snapshot();
        assert_eq!((snapshot.counts, snapshot.consecutive), (Counts { total: 5, failed: 4 + failed }, 0));
        assert_eq!(stage.settle(ticket, Report::of(Success)), None);
        assert_eq!(stage.snapshot().counts, Counts { total: 5, failed: 4 + failed }, "counted once");
    }
    let mut stage = Stage::new(policy);
    let mut begin = || {
        let mut ticket = stage.pass();
        stage.breaker.begun(&mut ticket, SECOND * 2, stage.now, &mut stage.rng)
    };
    assert!((0..19).all(|_| begin().is_none()));
    assert_eq!(begin().unwrap().reason, Reason::Ratio);
}

#[test]
fn a_success_not_announced_is_timed_from_its_admission() {
    let mut stage = Stage::new(BreakerPolicy { slow_call: Some(SECOND), ..without_ramp() });
    let ticket = stage.pass();
    stage.wait(SECOND * 2);
    stage.settle(ticket, Report::of(Success));
    assert_eq!(stage.snapshot().counts, Counts { total: 1, failed: 1 });
}

#[test]
fn a_stream_that_breaks_takes_its_success_back() {
    let mut stage = Stage::new(without_ramp());
    for (verdict, expected, row) in [
        (Success, Counts { total: 1, failed: 0 }, 0),
        (Neutral, Counts { total: 2, failed: 0 }, 0),
        (ClientFault, Counts { total: 3, failed: 0 }, 0),
        (SemanticFailure, Counts { total: 4, failed: 1 }, 0),
        (HardFailure, Counts { total: 5, failed: 2 }, 1),
        (HardFailure, Counts { total: 6, failed: 3 }, 2),
    ] {
        let mut ticket = stage.pass();
        stage.begun(&mut ticket);
        assert_eq!(stage.settle(ticket, Report::of(verdict)), None);
        assert_eq!((stage.snapshot().counts, stage.snapshot().consecutive), (expected, row), "{verdict:?}");
    }
}

#[test]
fn a_break_counts_from_when_it_happened() {
    let mut stage = Stage::new(without_ramp());
    let mut ticket = stage.pass();
    stage.begun(&mut ticket);
    stage.wait(SECOND * 300);
    stage.settle(ticket, Report::of(HardFailure));
    assert_eq!(stage.snapshot().counts, Counts { total: 1, failed: 1 });
}

#[test]
fn streams_that_all_break_open_it() {
    let mut stage = Stage::new(without_ramp());
    let mut cut = || {
        let mut ticket = stage.pass();
        stage.begun(&mut ticket);
        stage.settle(ticket, Report::of(HardFailure))
    };
    assert!((0..4).all(|_| cut().is_none()));
    assert_eq!(cut().unwrap().reason, Reason::Consecutive);
}

#[test]
fn a_hung_target_is_found_out_before_any_call_ends() {
    let mut stage = Stage::new(without_ramp());
    let mut waiting: Vec<_> = (0..6).map(|_| stage.pass()).collect();
    let moves: Vec<_> = waiting.iter_mut().map(|ticket| stage.silent(ticket)).collect();
    assert!(moves[..4].iter().chain(&moves[5..]).all(Option::is_none));
    assert_eq!(moves[4].unwrap().reason, Reason::Consecutive);
    assert!(waiting.iter().all(|ticket| ticket.generation() < stage.breaker.fallen()), "all are stragglers now");
}

#[test]
fn silence_counts_once_and_is_forgiven_with_an_answer() {
    // What is too slow by the policy, or else by the silence before it.
    for (slow_call, failed) in [(None, 1), (Some(SECOND), 1), (Some(SECOND * 10), 0)] {
        let mut stage = Stage::new(BreakerPolicy { slow_call, ..without_ramp() });
        let mut ticket = stage.pass();
        for _ in 0..9 {
            assert_eq!(stage.silent(&mut ticket), None);
        }
        let snapshot = stage.snapshot();
        assert_eq!((snapshot.consecutive, snapshot.counts), (1, Counts::default()), "not in the ratio");
        stage.breaker.begun(&mut ticket, SECOND * 9, stage.now, &mut stage.rng);
        let snapshot = stage.snapshot();
        assert_eq!((snapshot.consecutive, snapshot.counts), (0, Counts { total: 1, failed }));
    }
    for (verdict, row, counts) in [
        (HardFailure, 1, Counts { total: 1, failed: 1 }),
        (SemanticFailure, 0, Counts { total: 1, failed: 1 }),
        (ClientFault, 0, Counts::default()),
        (Neutral, 1, Counts::default()),
    ] {
        let mut stage = Stage::new(without_ramp());
        let mut ticket = stage.pass();
        stage.silent(&mut ticket);
        stage.settle(ticket, Report::of(verdict));
        assert_eq!((stage.snapshot().consecutive, stage.snapshot().counts), (row, counts), "{verdict:?}");
    }
}

#[test]
fn a_target_alone_opens_by_ratio_late_and_by_a_row_as_ever() {
    let policy = BreakerPolicy { consecutive: 0, ..without_ramp() };
    let mut stage = Stage::alone(policy);
    assert_eq!(stage.calls(49, HardFailure), None);
    let moved = stage.calls(1, HardFailure);
    assert_eq!(moved.unwrap().reason, Reason::Ratio);
    let mut stage = Stage::alone(BreakerPolicy { min_calls: 60, ..policy });
    assert_eq!(stage.calls(59, HardFailure), None);
    assert!(stage.calls(1, HardFailure).is_some());
    let mut stage = Stage::alone(without_ramp());
    assert_eq!(stage.calls(5, HardFailure).unwrap().reason, Reason::Consecutive);
    let mut stage = Stage::alone(policy);
    stage.calls(30, HardFailure);
    stage.alternatives = true;
    assert_eq!(stage.calls(1, HardFailure).unwrap().reason, Reason::Ratio, "it is not alone any more");
}

#[test]
fn slow_answers_open_it_by_their_share() {
    let mut stage = Stage::new(BreakerPolicy { consecutive: 0, ..without_ramp() });
    let mut slowly = |slow| {
        let mut ticket = stage.pass();
        if slow {
            assert_eq!(stage.silent(&mut ticket), None);
        }
        stage.breaker.begun(&mut ticket, SECOND, stage.now, &mut stage.rng)
    };
    assert!((0..19).all(|call| slowly(call % 2 == 1).is_none()));
    assert_eq!(slowly(true).unwrap().reason, Reason::Ratio);
}

#[test]
fn results_of_long_calls_count_until_there_are_enough() {
    // Ten failures a minute: no minute ever holds the twenty that prove something.
    for (calls_under_way, opens) in [(1, false), (15, true)] {
        let mut stage = Stage::new(BreakerPolicy { consecutive: 0, ..without_ramp() });
        let mut waiting: Vec<_> = (0..calls_under_way).map(|_| stage.pass()).collect();
        let moved = (0..80).find_map(|_| {
            stage.wait(SECOND * 6);
            let oldest = waiting.remove(0);
            let moved = stage.settle(oldest, Report::of(HardFailure));
            waiting.extend(moved.is_none().then(|| stage.pass()));
            moved
        });
        assert_eq!(
            moved.map(|moved| moved.reason),
            opens.then_some(Reason::Ratio),
            "each takes {calls_under_way} * 6 s"
        );
    }
}

#[test]
fn stragglers_change_nothing() {
    let mut stage = Stage::new(without_ramp());
    let mut old: Vec<_> = (0..8).map(|_| stage.pass()).collect();
    stage.break_down();
    let before = stage.snapshot();
    let mut late = old.pop().unwrap();
    assert_eq!(stage.begun(&mut late), None);
    assert_eq!(stage.silent(&mut late), None);
    for verdict in [Success, HardFailure, SemanticFailure, ClientFault, Neutral] {
        let straggler = old.pop().unwrap();
        assert_eq!(stage.settle(straggler, Report::of(verdict)), None);
        assert_eq!(stage.snapshot(), before, "{verdict:?}");
    }
    stage.recover();
    for verdict in [HardFailure, RateLimited] {
        let straggler =
            if verdict == HardFailure { old.pop().unwrap() } else { std::mem::replace(&mut late, stage.pass()) };
        assert_eq!(stage.settle(straggler, Report::of(verdict)), None);
        assert_eq!((stage.state(), stage.snapshot().counts), (State::Closed, Counts::default()));
    }
}

#[test]
fn opened_from_outside() {
    let until = |stage: &Stage| stage.now + SECOND * 9;
    let mut stage = Stage::new(without_ramp());
    let opened = stage.breaker.trip(Reason::Domain, until(&stage), stage.now).unwrap();
    assert_eq!((opened.to, opened.until), (State::Open, Some(until(&stage))));
    assert_eq!(stage.refused(), Refused { reason: Reason::Domain, until: until(&stage) });
    let end = until(&stage);
    for (reason, offered, expected) in [
        (Reason::Domain, end + SECOND, end),
        (Reason::Unusable, end - SECOND, end),
        (Reason::Unusable, end + SECOND, end + SECOND),
    ] {
        assert_eq!(stage.breaker.trip(reason, offered, stage.now), None);
        assert_eq!(stage.snapshot().until, Some(expected), "{reason:?}");
    }
    stage.sleep();
    drop(stage.pass());
    assert_eq!(stage.breaker.trip(Reason::Domain, stage.now + SECOND, stage.now), None, "it is being probed");
    assert!(stage.breaker.trip(Reason::Unusable, stage.now + SECOND, stage.now).is_some());
}

#[test]
fn a_pardon_is_for_the_ratio_alone() {
    let mut stage = Stage::new(without_ramp());
    assert_eq!(stage.breaker.pardon(stage.now), None, "it is closed");
    let first = {
        let moved = stage.calls(20, SemanticFailure);
        stage.rest_of(moved)
    };
    assert!(about(first, 5));
    let pardoned = stage.breaker.pardon(stage.now).unwrap();
    assert_eq!(pardoned, Transition { to: State::Closed, reason: Reason::Pardoned, until: None });
    assert_eq!(stage.snapshot().counts, Counts::default());
    assert_eq!(stage.snapshot().share, 1.0);
    let rest = stage.break_down();
    assert!(about(rest, 5), "a pardoned opening makes the next rest no longer");
    assert_eq!(stage.breaker.pardon(stage.now), None, "it broke down");
}
