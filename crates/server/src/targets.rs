//! `GET /api/targets`: how every target is, why, and until when.
//!
//! Receives the engine's reports; hands on JSON. Times are RFC 3339 and also counted from now, in milliseconds.
//! Must never be here: judgement of targets.

use engine::{Engine, TargetReport};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use telemetry::Timestamp;

/// Every target as it is now.
pub(crate) fn shown(engine: &Engine) -> Value {
    let (now, at) = (crate::intake::now(), Timestamp::now());
    let targets: Vec<Value> = engine.targets(now).iter().map(|report| target(report, now, at)).collect();
    json!({ "targets": targets })
}

fn target(report: &TargetReport, now: Instant, at: Timestamp) -> Value {
    let gate = &report.gate;
    let breaker = &gate.breaker;
    let left =
        |until: Option<Instant>| until.map(|until| until.saturating_duration_since(now)).filter(|left| !left.is_zero());
    let until = left(breaker.until);
    json!({
        "target": report.target,
        "state": breaker.state.as_str(),
        "reason": report.why().and(breaker.reason).map(resilience::Reason::as_str),
        "why": report.why(),
        "until": until.map(|left| (at + left).to_string()),
        "for_ms": until.map(millis),
        "since_ms": millis(now.saturating_duration_since(breaker.since)),
        "window": { "calls": breaker.counts.total, "failed": breaker.counts.failed },
        "consecutive_failures": breaker.consecutive,
        "share": breaker.share,
        "slots": { "in_use": gate.in_flight, "limit": gate.limit, "waiting": gate.waiting },
        "under_way": gate.under_way,
        "first_token_ms": (gate.first_token * 1e3).round(),
        "quota_low_for_ms": left(gate.scarce_until).map(millis),
        "keys_rest_for_ms": left(report.keys_until).map(millis),
        "declined_prefill": report.declined_prefill,
    })
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
