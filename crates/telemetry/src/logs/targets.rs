//! What operators have to know of targets: breakers that move, keys that are refused, accounts that are spent.
//!
//! One line for each event, never one for each call; `RUST_LOG=breakwater::targets=off` turns them off.
//! Must never be here: when a breaker moves, how long a key rests, prompt text, keys.

use engine::Sink;
use llm::{AttemptRecord, CallRecord, ErrorKind, Label};
use resilience::{Reason, State, Transition};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long the same refusal of the same target's keys is not told again.
const QUIET: Duration = Duration::from_secs(60);

/// Tells the process's log of breakers that move and of keys that are refused.
#[derive(Debug, Default)]
pub struct TargetLog {
    /// When a refusal of a key was told last, by target and cause. Bounded by the targets' labels.
    told: Mutex<HashMap<(usize, &'static str), Instant>>,
}

/// Why a breaker moved, in words that follow "opens:" or "is closed:".
#[must_use]
pub const fn why_moved(reason: Reason) -> &'static str {
    match reason {
        Reason::Consecutive => "it failed several times in a row",
        Reason::Ratio => "it failed too often",
        Reason::Domain => "its failure domain is down",
        Reason::Throttled => "it asked for patience",
        Reason::Quota => "its account has nothing left to spend",
        Reason::Unusable => "it turns us away: a wrong model or key",
        Reason::ProbeFailed => "a probe failed",
        Reason::Probe => "its rest is over, and it is probed",
        Reason::Recovered => "it is well again",
        Reason::Pardoned => "too few others of its route are left",
        Reason::Scarce => "its quota is nearly used up",
    }
}

/// What the refusal of a key amounts to, and what follows; nothing for other causes. The rests are those of the
/// engine's table of failures.
fn refusal(cause: &str) -> Option<&'static str> {
    let known = [
        (ErrorKind::Auth, "does not accept a key (401): the key rests for 1m"),
        (ErrorKind::Permission, "does not let a key use this model (403): the key rests for 5s there"),
        (ErrorKind::QuotaExhausted, "says that a key has nothing left to spend: the key rests for 15m at least"),
    ];
    known.into_iter().find(|(kind, _)| kind.as_str() == cause).map(|(_, words)| words)
}

impl TargetLog {
    /// Whether a refusal is news, and from now on told.
    fn is_news(&self, target: &Label, cause: &'static str, now: Instant) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let last = told.get(&(target.index, cause)).copied();
        let news = last.is_none_or(|last| now.saturating_duration_since(last) >= QUIET);
        if news {
            told.insert((target.index, cause), now);
        }
        news
    }

    fn refused(&self, attempt: &AttemptRecord, now: Instant) {
        let Some(cause) = attempt.cause else { return };
        let Some(words) = refusal(cause) else { return };
        if self.is_news(&attempt.label, cause, now) {
            let target = &*attempt.label.name;
            tracing::warn!(target: "breakwater::targets", cause, "{target} {words}");
        }
    }

    fn breaker_moved(&self, label: &Label, transition: &Transition, now: Instant) {
        let Transition { to, reason, until } = *transition;
        let (target, why, reason) = (&*label.name, why_moved(reason), reason.as_str());
        match to {
            State::Open => {
                // To the millisecond: what passed since it opened is no news.
                let rest = until.map_or(0.0, |until| until.saturating_duration_since(now).as_secs_f64());
                let for_s = (rest * 1e3).round() / 1e3;
                tracing::warn!(
                    target: "breakwater::targets", breaker = target, state = "open", reason, for_s,
                    "{target} is not called for {}: {why}", Span(for_s)
                );
            }
            State::HalfOpen => tracing::debug!(
                target: "breakwater::targets", breaker = target, state = "half_open", reason, "{target}: {why}"
            ),
            State::Closed => tracing::info!(
                target: "breakwater::targets", breaker = target, state = "closed", reason,
                "{target} is called again: {why}"
            ),
        }
    }
}

impl Sink for TargetLog {
    fn opened(&self, _: &Label) {}

    fn released(&self, _: &Label) {}

    fn record(&self, record: &CallRecord) {
        // Nearly every call ends here.
        if record.attempts.iter().any(|attempt| attempt.cause.is_some()) {
            let now = Instant::now();
            record.attempts.iter().for_each(|attempt| self.refused(attempt, now));
        }
    }

    fn moved(&self, target: &Label, transition: &Transition) {
        let now = Instant::now();
        if transition.reason == Reason::Quota {
            // The call that found it out need not say it again.
            self.is_news(target, ErrorKind::QuotaExhausted.as_str(), now);
        }
        self.breaker_moved(target, transition, now);
    }
}

/// Seconds, in the unit that suits their number.
struct Span(f64);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secs = self.0.round();
        match secs {
            ..10.0 => write!(f, "{:.1}s", self.0),
            10.0..60.0 => write!(f, "{secs}s"),
            _ => write!(f, "{}m{:02}s", (secs / 60.0).floor(), secs % 60.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Format;
    use crate::logs::process::tests::logged;
    use crate::samples::{attempt, targets, unrouted};
    use llm::Verdict;

    const SECOND: Duration = Duration::from_secs(1);

    fn human(what: impl FnOnce(&TargetLog)) -> Vec<String> {
        let text = logged(Format::Human, "info", |_| what(&TargetLog::default()));
        // Without the time of day, which is first.
        text.lines().filter_map(|line| Some(line.trim().split_once("Z ")?.1.trim().to_owned())).collect()
    }

    #[test]
    fn a_breakers_move_is_one_line() {
        let now = Instant::now();
        let label = targets().remove(0);
        for (to, reason, rest, expected) in [
            (
                State::Open,
                Reason::Quota,
                Some(900_000),
                "WARN breakwater::targets: a/m1 is not called for 15m00s: its account has nothing left to spend \
                 breaker=\"a/m1\" state=\"open\" reason=\"quota\" for_s=900.0",
            ),
            (
                State::Open,
                Reason::Consecutive,
                Some(5_250),
                "WARN breakwater::targets: a/m1 is not called for 5.2s: it failed several times in a row \
                 breaker=\"a/m1\" state=\"open\" reason=\"consecutive\" for_s=5.25",
            ),
            (
                State::Closed,
                Reason::Recovered,
                None,
                "INFO breakwater::targets: a/m1 is called again: it is well again \
                 breaker=\"a/m1\" state=\"closed\" reason=\"recovered\"",
            ),
        ] {
            let until = rest.map(|rest| now + Duration::from_millis(rest));
            let move_ = Transition { to, reason, until };
            assert_eq!(human(|log| log.breaker_moved(&label, &move_, now)), [expected]);
        }
        let probing = Transition { to: State::HalfOpen, reason: Reason::Probe, until: None };
        assert!(human(|log| log.breaker_moved(&label, &probing, now)).is_empty(), "half-open is no news by default");
    }

    #[test]
    fn rests_are_told_in_fitting_units() {
        for (secs, expected) in
            [(0.0, "0.0s"), (9.44, "9.4s"), (9.5, "10s"), (59.4, "59s"), (59.5, "1m00s"), (899.999, "15m00s")]
        {
            assert_eq!(Span(secs).to_string(), expected);
        }
    }

    #[test]
    fn machines_find_the_same_in_fields() {
        let now = Instant::now();
        let spent = Transition { to: State::Open, reason: Reason::Quota, until: Some(now + SECOND * 900) };
        let line = logged(Format::Json, "info", |_| {
            TargetLog::default().breaker_moved(&targets().remove(0), &spent, now);
        });
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        let text = |name: &str| line[name].as_str().unwrap();
        assert_eq!((text("level"), text("target"), text("breaker")), ("warn", "breakwater::targets", "a/m1"));
        assert_eq!((text("reason"), line["for_s"].as_f64()), ("quota", Some(900.0)));
        assert_eq!(text("msg"), "a/m1 is not called for 15m00s: its account has nothing left to spend");
    }

    #[test]
    fn a_refused_key_is_told_once_in_a_while_and_not_for_each_call() {
        let now = Instant::now();
        for (cause, expected) in [
            (ErrorKind::Auth, "a/m1 does not accept a key (401): the key rests for 1m"),
            (ErrorKind::Permission, "a/m1 does not let a key use this model (403): the key rests for 5s there"),
            (
                ErrorKind::QuotaExhausted,
                "a/m1 says that a key has nothing left to spend: the key rests for 15m at least",
            ),
        ] {
            let refused = attempt(0, Verdict::HardFailure, Some(cause.as_str()));
            let elsewhere = attempt(1, Verdict::HardFailure, Some(cause.as_str()));
            let line = |words: &str| format!("WARN breakwater::targets: {words} cause=\"{}\"", cause.as_str());
            let told = human(|log| {
                for (attempt, at) in [(&refused, 0), (&refused, 59), (&elsewhere, 59), (&refused, 60)] {
                    log.refused(attempt, now + SECOND * at);
                }
            });
            assert_eq!(told, [line(expected), line(&expected.replace("a/m1", "b/m2")), line(expected)]);
        }
        let spent = attempt(0, Verdict::QuotaExhausted, Some(ErrorKind::QuotaExhausted.as_str()));
        let opened = Transition { to: State::Open, reason: Reason::Quota, until: Some(now + SECOND * 900) };
        let told = human(|log| {
            log.moved(&spent.label, &opened);
            log.refused(&spent, now);
        });
        assert_eq!(told.len(), 1, "{told:?}");
        let others = [None, Some(ErrorKind::RateLimited.as_str()), Some("cut")];
        let attempts = others.map(|cause| attempt(0, Verdict::HardFailure, cause)).into();
        assert!(human(|log| log.record(&CallRecord { attempts, ..unrouted() })).is_empty());
    }
}
