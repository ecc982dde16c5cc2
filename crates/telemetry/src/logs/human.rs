//! A call as one line for people: how it ended first, then where it went and how long it took.
//!
//! Must never be here: prompt text, keys, anything a script should read (that is what JSON is for).

use super::timestamp::Timestamp;
use anstyle::{AnsiColor, Style};
use llm::{AttemptKind, AttemptRecord, CallRecord, Outcome, TargetId};
use std::io::{self, Write};
use std::time::Duration;

/// Appends the line, terminator included.
pub(crate) fn write(line: &mut Vec<u8>, at: Timestamp, record: &CallRecord, colour: bool) {
    let start = line.len();
    if write_parts(line, at, record, colour).is_err() {
        line.truncate(start);
    }
}

fn write_parts(out: &mut Vec<u8>, at: Timestamp, record: &CallRecord, colour: bool) -> io::Result<()> {
    let dim = if colour { Style::new().dimmed() } else { Style::new() };
    let tone = if colour { tone(record.outcome) } else { Style::new() };
    write!(out, "{dim}{at}{dim:#}  INFO call {tone}{}{tone:#}", record.outcome.as_str())?;
    if record.status != 0 {
        write!(out, " {}", record.status)?;
    }
    if let Some(error) = record.error {
        write!(out, " {error}")?;
    }
    write!(out, " {} \"{}\"", record.route, record.model.escape_debug())?;
    if let Some(target) = &record.served {
        write!(out, " -> {}", Plain(target))?;
    }
    write!(out, " in {}", Span(record.duration))?;
    if let Some(first_token) = record.first_token {
        write!(out, ", first token {}", Span(first_token))?;
    }
    write!(out, ", overhead {}", Span(record.overhead))?;
    if !record.waited.is_zero() {
        write!(out, ", waited {}", Span(record.waited))?;
    }
    write_tried(out, &record.attempts)?;
    for one in &record.passed_over {
        write!(out, ", passed over {} ({}", Plain(&one.target), one.reason)?;
        match one.remaining {
            Some(remaining) => write!(out, ", {} left)", Span(remaining))?,
            None => out.push(b')'),
        }
    }
    for (place, code) in record.findings.iter().enumerate() {
        let lead = if place == 0 { ", findings" } else { "" };
        write!(out, "{lead} {code}")?;
    }
    write_answer(out, record)?;
    writeln!(out, " {dim}caller={} id={}{dim:#}", record.caller, record.request_id)
}

/// One attempt that succeeded is no news.
fn write_tried(out: &mut Vec<u8>, attempts: &[AttemptRecord]) -> io::Result<()> {
    if let [AttemptRecord { cause: None, .. }] = attempts {
        return Ok(());
    }
    for (place, attempt) in attempts.iter().enumerate() {
        let lead = if place == 0 { ", tried" } else { ";" };
        write!(out, "{lead} {} {}", Plain(&attempt.target), attempt.cause.unwrap_or(attempt.verdict.as_str()))?;
        if matches!(attempt.kind, AttemptKind::Hedge | AttemptKind::Continuation | AttemptKind::Reask) {
            write!(out, " as {}", attempt.kind.as_str())?;
        }
        if let Some(status) = attempt.status {
            write!(out, " {status}")?;
        }
        write!(out, " {}", Span(attempt.duration))?;
    }
    Ok(())
}

fn write_answer(out: &mut Vec<u8>, record: &CallRecord) -> io::Result<()> {
    if let Some(usage) = record.usage {
        write!(out, ", tokens {}+{}", usage.input, usage.output)?;
    }
    if let Some(finish) = record.finish {
        write!(out, ", finish {}", finish.as_str())?;
    }
    match record.stream_end {
        Some(end) => write!(out, ", stream {}", end.as_str()),
        None => Ok(()),
    }
}

fn tone(outcome: Outcome) -> Style {
    let colour = match outcome {
        Outcome::Success => AnsiColor::Green,
        Outcome::Degraded | Outcome::Refused | Outcome::ClientError | Outcome::Cancelled => AnsiColor::Yellow,
        Outcome::Failed | Outcome::Invalid | Outcome::Truncated | Outcome::Shed => AnsiColor::Red,
    };
    colour.on_default()
}

/// A target whose model may be a client's text: nothing in it ends the line or moves a terminal's cursor.
struct Plain<'a>(&'a TargetId);

impl std::fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.0.provider, self.0.model.escape_debug())
    }
}

/// A duration in the unit that suits its size.
struct Span(Duration);

impl std::fmt::Display for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0.as_micros() {
            micros @ 0..1_000 => write!(f, "{micros}us"),
            micros @ 1_000..1_000_000 => write!(f, "{}ms", micros / 1_000),
            _ => write!(f, "{:.2}s", self.0.as_secs_f64()),
        }
    }
}
