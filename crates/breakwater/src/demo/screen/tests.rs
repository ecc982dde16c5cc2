//! What is shown, word for word and column for column.

use super::*;
use llm::{AttemptRecord, Dialect, Gaps, Label, PassedOver, Priority, RequestId, TargetId, Verdict};
use resilience::{Reason, Transition};

fn record(attempts: &[(&str, Option<&'static str>, Option<u16>)], end: Option<StreamEnd>) -> CallRecord {
    let attempt = |(target, cause, status): &(&str, Option<&'static str>, Option<u16>)| AttemptRecord {
        target: TargetId::parse(target).unwrap(),
        label: Label::new(0, *target),
        kind: AttemptKind::First,
        begun: Duration::ZERO,
        usage: None,
        maybe_billed: false,
        verdict: if cause.is_some() { Verdict::HardFailure } else { Verdict::Success },
        cause: *cause,
        status: *status,
        duration: Duration::ZERO,
    };
    let attempts: Vec<_> = attempts.iter().map(attempt).collect();
    let served = attempts.last().filter(|last| last.cause.is_none() || end.is_some());
    let outcome = match (served, end) {
        (Some(_), None | Some(StreamEnd::Complete)) if attempts.len() == 1 => Outcome::Success,
        (Some(_), None | Some(StreamEnd::Complete)) => Outcome::Degraded,
        (Some(_), Some(_)) => Outcome::Truncated,
        (None, _) => Outcome::Failed,
    };
    CallRecord {
        request_id: RequestId::minted("id"),
        route: Label::new(0, "chat"),
        caller: Label::new(0, "anonymous"),
        dialect: Dialect::OpenAiChat,
        model: "chat".into(),
        stream: end.is_some(),
        outcome,
        status: 200,
        error: None,
        served: served.map(|attempt| attempt.target.clone()),
        attempts,
        passed_over: Vec::new(),
        degraded: None,
        checks: Vec::new(),
        findings: Vec::new(),
        continued: 0,
        priority: Priority::Normal,
        duration: Duration::ZERO,
        first_token: None,
        overhead: Duration::ZERO,
        waited: Duration::ZERO,
        stream_end: end,
        gaps: Gaps::default(),
        finish: None,
        usage: None,
    }
}

fn seen(record: CallRecord, view: View, millis: u64) -> Seen {
    Seen { stream: record.stream, faulty: false, view, took: Duration::from_millis(millis), record }
}

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

fn widest(text: &str) -> usize {
    plain(text).lines().map(|line| line.chars().count()).max().unwrap_or_default()
}

const WIDTH: usize = 100;
const LARGE: &str = "primary/large";
const SMALL: &str = "spare/small";

#[test]
fn the_way_of_a_call_is_told_from_its_record() {
    let (complete, cut) = (Some(StreamEnd::Complete), Some(StreamEnd::Truncated));
    for (attempts, end, expected) in [
        (&[(LARGE, None, None)][..], None, "primary/large"),
        (
            &[(LARGE, Some("overloaded"), Some(503)), (SMALL, None, None)],
            complete,
            "primary/large: overloaded 503 -> spare/small",
        ),
        (&[(LARGE, Some("cut"), None)], cut, "primary/large: cut -> error event"),
        (
            &[(LARGE, Some("empty"), None), (SMALL, Some("cut"), None)],
            None,
            "primary/large: empty -> spare/small: cut -> error",
        ),
    ] {
        assert_eq!(way(&record(attempts, end)), expected);
    }
    let mut passed = record(&[(SMALL, None, None)], complete);
    let target = TargetId::parse(LARGE).unwrap();
    passed.passed_over = vec![PassedOver { target, reason: "its breaker is open", remaining: None }];
    assert_eq!(way(&passed), "primary/large passed over -> spare/small");
    let mut continued = record(&[(LARGE, Some("cut"), None), (SMALL, None, None)], complete);
    continued.attempts[1].kind = AttemptKind::Continuation;
    assert_eq!(way(&continued), "primary/large: cut -> spare/small goes on");
    let mut asked_again = record(&[(LARGE, Some("contract_unmet"), Some(200)), (LARGE, None, Some(200))], None);
    asked_again.attempts[1].kind = AttemptKind::Reask;
    assert_eq!(way(&asked_again), "primary/large: contract_unmet 200 -> primary/large asked again 200");
}

fn moved(to: State, reason: Reason, rest: Option<u64>) -> Moved {
    let transition = Transition { to, reason, until: None };
    let (at, rest) = (Duration::from_millis(12_340), rest.map(Duration::from_millis));
    Moved { at, target: LARGE.into(), rest, transition }
}

#[test]
fn a_breakers_move_is_a_line() {
    for (moved, expected) in [
        (moved(State::Open, Reason::Consecutive, Some(1_040)), "opens for 1.0 s: it failed several times in a row"),
        (moved(State::HalfOpen, Reason::Probe, None), "is half-open: its rest is over, and it is probed"),
        (moved(State::Closed, Reason::Recovered, None), "closes: it is well again"),
    ] {
        assert_eq!(plain(&move_line(&moved)), format!(" 12.3s  * the breaker of primary/large {expected}\n"));
    }
}

#[test]
fn like_calls_share_a_line() {
    let calls = [
        seen(record(&[(LARGE, None, None)], None), View::Answer, 100),
        seen(record(&[(LARGE, None, None)], Some(StreamEnd::Complete)), View::Answer, 300),
        seen(record(&[(LARGE, None, None)], None), View::Answer, 120),
        seen(record(&[(LARGE, Some("cut"), None)], Some(StreamEnd::Truncated)), View::ErrorEvent, 90),
    ];
    let text = plain(&live(Duration::from_millis(12_340), &calls, &[]));
    let expected = [
        ["12.3s", "whole", "x2", "OK", "100-120", "ms", "primary/large", "success"].join(" "),
        ["stream", "OK", "300", "ms", "primary/large", "success"].join(" "),
        ["stream", "error", "event", "primary/large:", "cut", "->", "error", "event", "truncated"].join(" "),
    ];
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(text.lines().map(words).collect::<Vec<_>>(), expected);
}

#[test]
fn shares_are_rounded_down() {
    for (good, valid, expected) in
        [(0, 0, "-"), (0, 3, "0.0%"), (2, 3, "66.6%"), (99_999, 100_000, "99.9%"), (7, 7, "100.0%")]
    {
        assert_eq!(percent(Share { good, valid }), expected);
    }
}

#[test]
fn nothing_is_wider_than_the_screen() {
    let slow = [(LARGE, Some("first_token_timeout"), None), (SMALL, None, None)];
    let lost = [(LARGE, Some("first_token_timeout"), None), (SMALL, Some("first_token_timeout"), None)];
    let calls = [
        seen(record(&slow, Some(StreamEnd::Complete)), View::Answer, 1000),
        seen(record(&slow, Some(StreamEnd::Complete)), View::Answer, 2000),
        seen(record(&lost, Some(StreamEnd::Stalled)), View::ErrorEvent, 2000),
    ];
    let mut many = Tally::default();
    (many.calls, many.answered, many.by_spare, many.errors, many.bare_failed) = (100, 100, 100, 100, 100);
    let acts = vec![many; ACTS.len()];
    let mut texts = vec![
        opening(SocketAddr::from(([127, 0, 0, 1], 65_535)), Duration::from_millis(1000)),
        live(Duration::from_secs(100), &calls, &Reason::ALL.map(|reason| moved(State::Open, reason, Some(1000)))),
        interval(&acts[0], &total(&acts)),
        table(&acts),
        closing(&total(&acts)),
    ];
    texts.extend(ACTS.iter().map(|act| announcement(1, act)));
    for text in texts {
        assert!(widest(&text) <= WIDTH, "{}", plain(&text));
    }
}
