//! Call records that several tests look at.

use llm::{
    AttemptKind, AttemptRecord, CallRecord, CheckResult, Checked, Degraded, Dialect, FinishReason, Gaps, Label,
    Outcome, PassedOver, Priority, RequestId, StreamEnd, TargetId, Usage, Verdict,
};
use std::time::Duration;

pub(crate) fn routes() -> Vec<Label> {
    labels(&["chat", "direct", "none"])
}

pub(crate) fn callers() -> Vec<Label> {
    labels(&["app", "anonymous"])
}

pub(crate) fn targets() -> Vec<Label> {
    labels(&["a/m1", "b/m2", "a/other", "b/other"])
}

pub(crate) fn labels(names: &[&str]) -> Vec<Label> {
    names.iter().enumerate().map(|(place, name)| Label::new(place, *name)).collect()
}

pub(crate) fn attempt(place: usize, verdict: Verdict, cause: Option<&'static str>) -> AttemptRecord {
    let label = targets().remove(place);
    AttemptRecord {
        target: TargetId::parse(&label.name).unwrap(),
        label,
        kind: if place == 0 { AttemptKind::First } else { AttemptKind::Retry },
        begun: Duration::from_millis(40),
        verdict,
        cause,
        status: Some(200),
        duration: Duration::from_millis(420),
        usage: None,
        maybe_billed: false,
    }
}

/// Ended before it had a route.
pub(crate) fn unrouted() -> CallRecord {
    CallRecord {
        request_id: RequestId::minted("req-2"),
        route: routes().remove(2),
        caller: callers().remove(1),
        dialect: Dialect::OpenAiChat,
        model: String::new(),
        stream: false,
        outcome: Outcome::ClientError,
        status: 400,
        error: Some("invalid_request"),
        served: None,
        attempts: Vec::new(),
        passed_over: Vec::new(),
        degraded: None,
        checks: Vec::new(),
        findings: Vec::new(),
        continued: 0,
        priority: Priority::Normal,
        duration: Duration::from_micros(42),
        first_token: None,
        overhead: Duration::from_micros(42),
        waited: Duration::ZERO,
        stream_end: None,
        gaps: Gaps::default(),
        finish: None,
        usage: None,
    }
}

/// Served as a stream by the second choice.
pub(crate) fn degraded_stream() -> CallRecord {
    let mut gaps = Gaps::default();
    for millis in [20, 30, 50_000] {
        gaps.observe(Duration::from_millis(millis));
    }
    let usage = Some(Usage { input: 12, output: 34, cached: 5, reasoning: 8, ..Usage::default() });
    let limited = AttemptRecord {
        status: Some(429),
        duration: Duration::from_micros(31_500),
        ..attempt(0, Verdict::RateLimited, Some("rate_limited"))
    };
    CallRecord {
        request_id: RequestId::minted("req-1"),
        route: routes().remove(0),
        caller: callers().remove(0),
        model: "fast-\"1\"\n".to_owned(),
        stream: true,
        outcome: Outcome::Degraded,
        status: 200,
        error: None,
        served: TargetId::parse("b/m2"),
        degraded: Some(Degraded::Fallback),
        attempts: vec![limited, AttemptRecord { usage, ..attempt(1, Verdict::Success, None) }],
        passed_over: vec![
            PassedOver { target: TargetId::parse("a/m0").unwrap(), reason: "weight 0", remaining: None },
            PassedOver {
                target: TargetId::parse("a/m9").unwrap(),
                reason: "its breaker is open",
                remaining: Some(Duration::from_millis(2_500)),
            },
        ],
        duration: Duration::from_millis(1_500),
        first_token: Some(Duration::from_millis(460)),
        overhead: Duration::from_micros(85),
        stream_end: Some(StreamEnd::Complete),
        gaps,
        finish: Some(FinishReason::Stop),
        usage,
        ..unrouted()
    }
}

/// Mended by the gateway, after the model had been asked again.
pub(crate) fn repaired() -> CallRecord {
    let unmet = AttemptRecord { usage: None, ..attempt(0, Verdict::SemanticFailure, Some("contract_unmet")) };
    let again = AttemptRecord { kind: AttemptKind::Reask, ..attempt(0, Verdict::Success, None) };
    CallRecord {
        request_id: RequestId::minted("req-3"),
        route: routes().remove(0),
        model: "chat".to_owned(),
        outcome: Outcome::Degraded,
        status: 200,
        error: None,
        served: TargetId::parse("a/m1"),
        degraded: Some(Degraded::Repaired),
        attempts: vec![unmet, again],
        checks: vec![
            Checked { check: "complete", result: CheckResult::Passed },
            Checked { check: "schema", result: CheckResult::Repaired },
            Checked { check: "max_chars", result: CheckResult::Flagged },
        ],
        findings: vec!["missing_field", "json_fenced", "too_long"],
        duration: Duration::from_millis(900),
        finish: Some(FinishReason::Stop),
        ..unrouted()
    }
}
