//! Rests that a target asks for.

use super::*;
use Verdict::{HardFailure, Success};

#[test]
fn it_rests_as_long_as_told() {
    for (report, secs, reason) in [
        (throttled(None), 5, Reason::Throttled),
        (throttled(0), 0, Reason::Throttled),
        (throttled(42), 42, Reason::Throttled),
        (throttled(1000), 300, Reason::Throttled),
        (spent(None), 900, Reason::Quota),
        (spent(42), 900, Reason::Quota),
        (spent(1800), 1800, Reason::Quota),
        (spent(100_000), 3600, Reason::Quota),
    ] {
        let mut stage = Stage::new(without_ramp());
        let moved = stage.call(report);
        assert_eq!((stage.rest_of(moved), moved.unwrap().reason), (SECOND * secs, reason), "{report:?}");
    }
}

#[test]
fn one_good_probe_ends_a_told_rest() {
    for (report, share) in [(throttled(9), 1.0), (spent(None), 0.1)] {
        let mut stage = Stage::new(BreakerPolicy::default());
        stage.call(report);
        stage.sleep();
        let ticket = stage.pass();
        assert!(ticket.is_probe());
        assert_eq!(stage.refused().reason, Reason::Probe);
        assert_eq!(stage.settle(ticket, Report::of(Success)).unwrap().to, State::Closed);
        assert_eq!(stage.snapshot().share, share, "{report:?}");
        assert!(
            about(
                {
                    stage.alternatives = false;
                    stage.break_down()
                },
                5
            ),
            "no escalation"
        );
    }
}

#[test]
fn a_long_answer_does_not_prolong_a_told_rest() {
    for (report, share) in [(throttled(2), 1.0), (spent(None), 0.1)] {
        let mut stage = Stage::new(BreakerPolicy::default());
        stage.call(report);
        stage.sleep();
        let probe = stage.pass();
        stage.wait(SECOND - Duration::from_millis(1));
        assert_eq!(stage.refused().reason, Reason::Probe, "it may still be turned away");
        stage.wait(Duration::from_millis(1));
        let moved = stage.breaker.wake(stage.now).unwrap();
        assert_eq!(
            (moved.to, moved.reason),
            (State::Closed, Reason::Recovered),
            "who is turned away learns it at once"
        );
        assert_eq!(stage.snapshot().share, share, "{report:?}");
        stage.wait(SECOND * 40);
        assert_eq!(stage.settle(probe, Report::of(Success)), None);
        assert_eq!(stage.snapshot().counts, Counts { total: 1, failed: 0 });
    }
}

#[test]
fn credentials_come_back_at_once_and_domains_as_after_a_failure() {
    for (reason, probes, share) in [(Reason::Unusable, 1, 1.0), (Reason::Domain, 3, 0.1)] {
        let mut stage = Stage::new(BreakerPolicy::default());
        stage.breaker.trip(reason, stage.now + SECOND, stage.now);
        stage.sleep();
        assert_eq!(stage.calls(probes - 1, Success), None);
        assert!(stage.calls(1, Success).is_some(), "{reason:?}");
        assert_eq!(stage.snapshot().share, share);
    }
}

#[test]
fn patience_unsaid_is_doubled_once_where_one_follows_on_another() {
    let mut stage = Stage::new(without_ramp());
    for secs in [5, 10, 10] {
        let moved = stage.call(throttled(None));
        assert_eq!(stage.rest_of(moved), SECOND * secs);
        stage.sleep();
    }
    stage.calls(1, Success);
    let moved = stage.call(throttled(None));
    assert_eq!(stage.rest_of(moved), SECOND * 5, "a success stands between");
    stage.sleep();
    stage.calls(1, HardFailure);
    stage.recover();
    let moved = stage.call(throttled(None));
    assert_eq!(stage.rest_of(moved), SECOND * 5, "so does a failure");
}

#[test]
fn a_probe_after_a_told_rest_may_be_told_again_or_fail() {
    let mut stage = Stage::new(without_ramp());
    stage.call(throttled(9));
    stage.sleep();
    let moved = stage.call(throttled(30));
    assert_eq!((stage.rest_of(moved), moved.unwrap().reason), (SECOND * 30, Reason::Throttled));
    stage.sleep();
    let moved = stage.calls(1, HardFailure);
    assert_eq!(moved.unwrap().reason, Reason::ProbeFailed);
    assert!(about(stage.rest_of(moved), 5));
    stage.sleep();
    assert_eq!(stage.calls(2, Success), None, "it takes three now");
}

#[test]
fn a_failing_target_that_asks_for_patience_gets_it() {
    let mut stage = Stage::new(without_ramp());
    stage.calls(4, HardFailure);
    let moved = stage.call(Report { retry_after: Some(SECOND * 60), ..Report::of(HardFailure) });
    assert_eq!((stage.rest_of(moved), moved.unwrap().reason), (SECOND * 60, Reason::Consecutive));
    stage.sleep();
    let moved = stage.call(throttled(1000));
    assert_eq!((stage.rest_of(moved), moved.unwrap().reason), (SECOND * 300, Reason::ProbeFailed));
    stage.sleep();
    let moved = stage.call(throttled(1));
    assert!(about(stage.rest_of(moved), 20), "its own rest is longer than what it asks for");
}

#[test]
fn a_target_alone_that_throttles_without_a_time_is_asked_on() {
    let mut stage = Stage::alone(without_ramp());
    assert_eq!(stage.call(throttled(None)), None);
    assert_eq!(stage.snapshot().counts, Counts { total: 1, failed: 1 });
    let moved = stage.call(throttled(9));
    assert_eq!((stage.rest_of(moved), moved.unwrap().reason), (SECOND * 9, Reason::Throttled));
    let mut stage = Stage::alone(without_ramp());
    assert!((0..49).all(|_| stage.call(throttled(None)).is_none()));
    assert_eq!(stage.call(throttled(None)).unwrap().reason, Reason::Ratio);
}

#[test]
fn stragglers_may_extend_a_rest_and_never_shorten_it() {
    for (report, rest) in [
        (throttled(None), 20),
        (throttled(19), 20),
        (throttled(21), 21),
        (spent(None), 900),
        (of_one_credential(throttled(60)), 20),
        (of_one_credential(spent(60)), 20),
    ] {
        let mut stage = Stage::new(without_ramp());
        let straggler = stage.pass();
        stage.call(throttled(20));
        assert_eq!(stage.settle(straggler, report), None);
        assert_eq!(stage.snapshot().until, Some(stage.now + SECOND * rest), "{report:?}");
        assert_eq!(stage.snapshot().reason, Some(Reason::Throttled));
    }
}

#[test]
fn a_burst_of_refusals_is_one_refusal() {
    let mut stage = Stage::new(without_ramp());
    let burst: Vec<_> = (0..10).map(|_| stage.pass()).collect();
    for ticket in burst {
        stage.settle(ticket, throttled(None));
    }
    assert_eq!(stage.snapshot().until, Some(stage.now + SECOND * 5));
}
