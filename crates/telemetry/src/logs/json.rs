//! A call as one JSON object. Field names are what log queries rely on.
//!
//! Must never be here: prompt text, keys.

use super::timestamp::Timestamp;
use llm::{AttemptKind, AttemptRecord, CallRecord, CheckResult, Checked, PassedOver, TargetId};
use serde::{Serialize, Serializer};
use std::fmt::Display;
use std::time::Duration;

/// Appends the line, terminator included.
pub(crate) fn write(line: &mut Vec<u8>, at: Timestamp, record: &CallRecord) {
    let start = line.len();
    match serde_json::to_writer(&mut *line, &Line::new(at, record)) {
        Ok(()) => line.push(b'\n'),
        Err(_) => line.truncate(start),
    }
}

#[derive(Serialize)]
struct Line<'a> {
    #[serde(serialize_with = "shown")]
    ts: Timestamp,
    level: &'static str,
    msg: &'static str,
    request_id: &'a str,
    route: &'a str,
    caller: &'a str,
    dialect: &'static str,
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<Shown<&'a TargetId>>,
    stream: bool,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    degraded: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    #[serde(skip_serializing_if = "is_normal")]
    priority: &'static str,
    attempts: usize,
    #[serde(skip_serializing_if = "is_zero")]
    continued: u32,
    tried: Tried<'a>,
    #[serde(skip_serializing_if = "PassedOvers::is_empty")]
    passed_over: PassedOvers<'a>,
    /// What each check came to that did not pass.
    #[serde(skip_serializing_if = "Unpassed::is_empty")]
    checks: Unpassed<'a>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    findings: &'a [&'static str],
    duration_ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_token_ms: Option<f64>,
    overhead_us: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    waited_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tokens_in: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tokens_out: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tokens_cached: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finish: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_end: Option<&'static str>,
}

impl<'a> Line<'a> {
    fn new(ts: Timestamp, record: &'a CallRecord) -> Self {
        Self {
            ts,
            level: "info",
            msg: "call",
            request_id: record.request_id.as_str(),
            route: &record.route.name,
            caller: &record.caller.name,
            dialect: record.dialect.as_str(),
            model: &record.model,
            target: record.served.as_ref().map(Shown),
            stream: record.stream,
            outcome: record.outcome.as_str(),
            degraded: record.degraded.map(llm::Degraded::as_str),
            status: (record.status != 0).then_some(record.status),
            error: record.error,
            priority: record.priority.as_str(),
            attempts: record.attempts.len(),
            continued: record.continued,
            tried: Tried(&record.attempts),
            passed_over: PassedOvers(&record.passed_over),
            checks: Unpassed(&record.checks),
            findings: &record.findings,
            duration_ms: millis(record.duration),
            first_token_ms: record.first_token.map(millis),
            overhead_us: u64::try_from(record.overhead.as_micros()).unwrap_or(u64::MAX),
            waited_ms: (!record.waited.is_zero()).then(|| millis(record.waited)),
            tokens_in: record.usage.map(|usage| usage.input),
            tokens_out: record.usage.map(|usage| usage.output),
            tokens_cached: record.usage.map(|usage| usage.cached),
            finish: record.finish.map(llm::FinishReason::as_str),
            stream_end: record.stream_end.map(llm::StreamEnd::as_str),
        }
    }
}

/// What nearly every call says is left out.
fn is_normal(priority: &str) -> bool {
    priority == llm::Priority::Normal.as_str()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over references")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// Milliseconds to three places.
fn millis(duration: Duration) -> f64 {
    u32::try_from(duration.as_micros()).map_or(duration.as_secs_f64() * 1e3, |micros| f64::from(micros) / 1e3)
}

struct Shown<T>(T);

impl<T: Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

fn shown<S: Serializer>(value: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

struct Tried<'a>(&'a [AttemptRecord]);

#[derive(Serialize)]
struct Attempt<'a> {
    target: Shown<&'a TargetId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    begun_ms: f64,
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    maybe_billed: Option<bool>,
}

impl Serialize for Tried<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|attempt| Attempt {
            target: Shown(&attempt.target),
            kind: (attempt.kind != AttemptKind::First).then(|| attempt.kind.as_str()),
            begun_ms: millis(attempt.begun),
            verdict: attempt.verdict.as_str(),
            cause: attempt.cause,
            status: attempt.status,
            ms: millis(attempt.duration),
            maybe_billed: attempt.maybe_billed.then_some(true),
        }))
    }
}

struct PassedOvers<'a>(&'a [PassedOver]);

#[derive(Serialize)]
struct Skipped<'a> {
    target: Shown<&'a TargetId>,
    reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    for_ms: Option<f64>,
}

impl PassedOvers<'_> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> Serialize for PassedOvers<'a> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let skipped = |one: &'a PassedOver| Skipped {
            target: Shown(&one.target),
            reason: one.reason,
            for_ms: one.remaining.map(millis),
        };
        serializer.collect_seq(self.0.iter().map(skipped))
    }
}

struct Unpassed<'a>(&'a [Checked]);

impl<'a> Unpassed<'a> {
    fn iter(&self) -> impl Iterator<Item = &'a Checked> + use<'a> {
        self.0.iter().filter(|checked| checked.result != CheckResult::Passed)
    }

    fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }
}

impl Serialize for Unpassed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|checked| (checked.check, checked.result.as_str())))
    }
}
