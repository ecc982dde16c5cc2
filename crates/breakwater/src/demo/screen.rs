//! What is shown: lines and tables, as text with ANSI styles for a writer that strips them where they do not fit.
//!
//! Pure: receives calls and tallies, hands on text of at most 100 columns. Must never be here: writing it.

use super::acts::{ACTS, Act};
use super::client::View;
use super::tally::{Share, Tally};
use super::watch::{Moved, Seen};
use anstyle::{AnsiColor, Style};
use llm::{AttemptKind, CallRecord, Outcome, StreamEnd};
use resilience::State;
use std::fmt::Write;
use std::net::SocketAddr;
use std::time::Duration;

/// Of a live line, what the columns take.
const CALLS: usize = 12;
const VIEW: usize = 17;
const WAY: usize = 50;
/// How a breaker's move begins.
const BREAKER: &str = "* the breaker of";

const PLAIN: Style = Style::new();
const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default();
const SAVED: Style = AnsiColor::Yellow.on_default();
const BAD: Style = AnsiColor::Red.on_default();

/// What the audience has to know beforehand; `rest` is the breaker's first.
pub(super) fn opening(gateway: SocketAddr, rest: Duration) -> String {
    format!(
        "{BOLD}One bad day of a provider, as clients behind Breakwater live through it.{BOLD:#}\n\
         The gateway is the real one, on http://{gateway}; the two providers are simulated. Clients ask\n\
         for \"chat\", half of them for a stream. The route tries primary/large first, then spare/small.\n\
         Both know the same answer. All is as by default, but for shorter timeouts and a breaker that\n\
         rests {rest:?} at first, at most twice that, to keep pace (by default 5s and 300s).\n\
         Ctrl-C ends the demo with the table so far.\n\
         \n{DIM}  time  {:<CALLS$}{:<VIEW$}{:<WAY$}outcome{DIM:#}\n",
        "calls", "clients got", "what the gateway did"
    )
}

/// The announcement of an act.
pub(super) fn announcement(place: usize, act: &Act) -> String {
    let mut text = format!(
        "\n{BOLD}{place}/{} {}{BOLD:#}\n    {DIM}With a bare proxy {}{DIM:#}\n",
        ACTS.len(),
        act.provider,
        act.bare
    );
    for line in act.note.lines() {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "    {DIM}{line}{DIM:#}");
    }
    text
}

/// Like calls, told in one line.
#[derive(Debug, PartialEq, Eq)]
struct Alike {
    stream: bool,
    view: View,
    way: String,
    outcome: Outcome,
    count: usize,
    least: Duration,
    most: Duration,
}

impl Alike {
    fn of(seen: &Seen) -> Self {
        let Seen { stream, view, took, ref record, .. } = *seen;
        Self { stream, view, way: way(record), outcome: record.outcome, count: 1, least: took, most: took }
    }

    /// Takes the other in where it tells the same.
    fn joins(&mut self, other: &Self) -> bool {
        let told = |alike: &Self| (alike.stream, alike.view, alike.outcome);
        let same = told(self) == told(other) && self.way == other.way;
        if same {
            self.count += other.count;
            self.least = self.least.min(other.least);
            self.most = self.most.max(other.most);
        }
        same
    }
}

/// A line for each move of a breaker, and for each kind of call among `calls`, which ended since the last lines; `at`
/// counts from the beginning.
pub(super) fn live(at: Duration, calls: &[Seen], moves: &[Moved]) -> String {
    let mut lines: Vec<Alike> = Vec::new();
    for one in calls.iter().map(Alike::of) {
        if !lines.iter_mut().any(|line| line.joins(&one)) {
            lines.push(one);
        }
    }
    // Always in the same order, so that the eye finds its column again.
    lines.sort_by_key(|line| line.stream);
    let times = std::iter::once(format!("{:5.1}s", at.as_secs_f64())).chain(std::iter::repeat(String::new()));
    let told = times.zip(&lines).map(|(time, line)| live_line(&time, line));
    moves.iter().map(move_line).chain(told).collect()
}

fn move_line(moved: &Moved) -> String {
    let Moved { at, target, rest, transition } = moved;
    let why = telemetry::why_moved(transition.reason);
    let (tone, what) = match (transition.to, rest) {
        (State::Open, Some(rest)) => (BAD, format!("opens for {:.1} s: {why}", rest.as_secs_f64())),
        (State::Open, None) => (BAD, format!("opens: {why}")),
        (State::HalfOpen, _) => (SAVED, format!("is half-open: {why}")),
        (State::Closed, _) => (GOOD, format!("closes: {why}")),
    };
    format!("{DIM}{:5.1}s{DIM:#}  {tone}{BREAKER} {target} {what}{tone:#}\n", at.as_secs_f64())
}

fn live_line(time: &str, line: &Alike) -> String {
    let kind = if line.stream { "stream" } else { "whole" };
    let calls = if line.count == 1 { kind.to_owned() } else { format!("{kind} x{}", line.count) };
    let (view, tone) = match line.view {
        View::Answer => (format!("OK {} ms", range(line.least, line.most)), GOOD),
        View::Status(status) => (format!("error {status}"), BAD),
        View::ErrorEvent => ("error event".to_owned(), BAD),
        View::Untold => ("A FALSE END".to_owned(), BAD),
    };
    let way_tone = if line.outcome == Outcome::Success { PLAIN } else { SAVED };
    format!(
        "{DIM}{time:<6}{DIM:#}  {calls:<CALLS$}{tone}{view:<VIEW$}{tone:#}{way_tone}{:<WAY$}{way_tone:#}{}\n",
        shortened(&line.way, WAY - 1),
        outcome(line.outcome)
    )
}

fn outcome(outcome: Outcome) -> String {
    let tone = match outcome {
        Outcome::Success => GOOD,
        Outcome::Degraded => SAVED,
        _ => BAD,
    };
    format!("{tone}{}{tone:#}", outcome.as_str())
}

/// What the gateway did with a call, from its record alone.
fn way(record: &CallRecord) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    for passed in &record.passed_over {
        let lead = if text.is_empty() { "" } else { ", " };
        let _ = write!(text, "{lead}{} passed over", passed.target);
    }
    for attempt in &record.attempts {
        let lead = if text.is_empty() { "" } else { " -> " };
        let _ = write!(text, "{lead}{}", attempt.target);
        match attempt.kind {
            AttemptKind::Continuation => text.push_str(" goes on"),
            AttemptKind::Reask => text.push_str(" asked again"),
            AttemptKind::First | AttemptKind::Retry | AttemptKind::Hedge => {}
        }
        if let Some(cause) = attempt.cause {
            let _ = write!(text, ": {cause}");
        }
        if let Some(status) = attempt.status {
            let _ = write!(text, " {status}");
        }
    }
    match record.stream_end {
        Some(StreamEnd::Complete) => {}
        Some(_) => text.push_str(" -> error event"),
        None if record.served.is_none() => text.push_str(" -> error"),
        None => {}
    }
    text
}

fn shortened(text: &str, columns: usize) -> String {
    if text.chars().count() <= columns {
        return text.to_owned();
    }
    text.chars().take(columns.saturating_sub(3)).chain("...".chars()).collect()
}

fn range(least: Duration, most: Duration) -> String {
    let (least, most) = (least.as_millis(), most.as_millis());
    if least == most { least.to_string() } else { format!("{least}-{most}") }
}

/// What an act came to, and all of them so far.
pub(super) fn interval(act: &Tally, so_far: &Tally) -> String {
    let Tally { calls, answered, by_spare, asked_primary, openings, .. } = act;
    let opened = if *openings > 0 { format!("; its breaker opened {openings} times") } else { String::new() };
    let spare = if *by_spare > 0 { format!(" ({by_spare} by the spare)") } else { String::new() };
    let errors = match act.errors + act.untold {
        0 => "no errors".to_owned(),
        1 => "1 error".to_owned(),
        errors => format!("{errors} errors"),
    };
    let (availability, bare) = (percent(so_far.availability), percent(so_far.as_bare()));
    format!(
        "   =    {calls} calls: {answered} answered{spare}, {errors}.\n        \
         The primary was asked {asked_primary} times{opened}. SLO so far {BOLD}{availability}{BOLD:#}, with a bare proxy {bare}\n"
    )
}

/// The closing table: a row for each act that was played, and their sum.
pub(super) fn table(acts: &[Tally]) -> String {
    let head = [
        ["", "", "", "by", "streams", "honest", "bare proxy", "primary", "answer", "answer"],
        ["", "calls", "answered", "spare", "went on", "errors", "would fail", "asked", "p50", "p95"],
    ];
    let head = head.map(|[name, calls, answered, spare, continued, errors, bare, asked, p50, p95]| {
        format!(
            "{DIM}{name:<23}{calls:>6}{answered:>10}{spare:>7}{continued:>9}{errors:>8}{bare:>12}{asked:>9}{p50:>8}{p95:>8}{DIM:#}\n"
        )
    });
    let mut text = format!("\n{}", head.concat());
    for (place, (act, tally)) in ACTS.iter().zip(acts).enumerate() {
        text.push_str(&row(&format!("{} {}", place + 1, act.name), tally, PLAIN));
    }
    text.push_str(&row("  all", &total(acts), BOLD));
    text
}

/// The sum of all acts.
pub(super) fn total(acts: &[Tally]) -> Tally {
    acts.iter().fold(Tally::default(), |mut sum, act| {
        sum += act;
        sum
    })
}

fn row(name: &str, tally: &Tally, style: Style) -> String {
    let Tally { calls, answered, by_spare, continued, errors, bare_failed, asked_primary, .. } = tally;
    let errors_tone = if *errors > 0 { BAD } else { style };
    let bare_tone = if *bare_failed > 0 { BAD } else { style };
    let (p50, p95) = (wait(tally.percentile(50)), wait(tally.percentile(95)));
    format!(
        "{style}{name:<23}{calls:>6}{answered:>10}{by_spare:>7}{continued:>9}{style:#}\
         {errors_tone}{errors:>8}{errors_tone:#}{bare_tone}{bare_failed:>12}{bare_tone:#}\
         {style}{asked_primary:>9}{p50:>8}{p95:>8}{style:#}\n"
    )
}

/// What the numbers mean, and what to do next.
pub(super) fn closing(total: &Tally) -> String {
    let (availability, first_token) = (total.availability, total.first_token);
    let mut text = format!(
        "\nSLO: availability {} ({} good of {} valid), first token in time {} ({} of {}).\n\
         A bare proxy to the primary alone: {}. Answers that only looked complete: {}.\n",
        percent(availability),
        availability.good,
        availability.valid,
        percent(first_token),
        first_token.good,
        first_token.valid,
        percent(total.as_bare()),
        total.untold,
    );
    if total.disputed > 0 {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{BAD}Clients and gateway disagree about {} calls.{BAD:#}", total.disputed);
    }
    let _ = write!(
        text,
        "\nNext: {BOLD}breakwater serve{BOLD:#}   with your providers' keys in the environment, or none to simulate\n      \
         {BOLD}curl http://127.0.0.1:8080/v1/models{BOLD:#}   what to ask it for; serve prints a whole call to try\n"
    );
    text
}

/// In per cent, rounded down, so that one lost call of a million is not hidden; a dash where nothing counts.
fn percent(share: Share) -> String {
    match (share.good * 1000).checked_div(share.valid) {
        Some(permille) => format!("{}.{}%", permille / 10, permille % 10),
        None => "-".into(),
    }
}

fn wait(wait: Option<Duration>) -> String {
    wait.map_or_else(|| "-".into(), |wait| format!("{} ms", wait.as_millis()))
}

#[cfg(test)]
mod tests;
