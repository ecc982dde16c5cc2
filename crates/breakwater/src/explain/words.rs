//! A plan in words: the route's policy, each candidate with its state, and what is left when all of them fail.
//!
//! Pure: receives the plan, how targets are watched, and what a gateway said; hands on text.
//! Must never be here: asking, printing.

use super::facts;
use super::live::{Live, Slots, Target};
use config::Gates;
use routing::{Balance, Candidate, Hedge, HedgeAfter, OnRefusal, Plan, Policy, RecoverStream, Resort};
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

/// A plan in words.
pub(super) fn describe(plan: &Plan, gates: &Gates, domains: &[Arc<str>], live: &Live) -> String {
    let Plan { route, policy, candidates, passed_over, last_resorts } = plan;
    let mut text = head(&route.name, policy);
    let watched: Vec<String> = candidates.iter().map(|candidate| breaker(gates, candidate)).collect();
    let alike = watched.windows(2).all(|pair| matches!(pair, [a, b] if a == b));
    // Writing to a String cannot fail.
    if let Some(watched) = watched.first().filter(|_| alike) {
        let _ = writeln!(text, "  {watched}");
    }
    let _ = match live {
        Live::Told(at, _) => writeln!(text, "  states: as the gateway on {at} tells them"),
        Live::Unknown(why) => writeln!(text, "  states: {why}"),
    };
    for (place, (candidate, watched)) in candidates.iter().zip(&watched).enumerate() {
        let late = place >= policy.max_attempts as usize;
        let note = if late { "  (only if an attempt is left: over max_attempts)" } else { "" };
        let _ = writeln!(text, "  {}. {}  priority {}{note}", place + 1, candidate.target, candidate.priority);
        if let Live::Told(_, targets) = live {
            for line in state(targets.get(&candidate.target.to_string())) {
                let _ = writeln!(text, "       {line}");
            }
        }
        if !alike {
            let _ = writeln!(text, "       {watched}");
        }
        for line in facts::describe(&candidate.facts) {
            let _ = writeln!(text, "       {line}");
        }
        let names: Vec<&str> = candidate.domains.iter().filter_map(|one| domains.get(*one)).map(|one| &**one).collect();
        if !names.is_empty() {
            let _ = writeln!(text, "       failure domains: {}", names.join(", "));
        }
    }
    if candidates.windows(2).any(|pair| matches!(pair, [a, b] if a.priority == b.priority)) {
        let _ = writeln!(text, "  {}", balance(policy.balance));
    }
    for passed in passed_over {
        let _ = writeln!(text, "  passed over: {}: {}", passed.target, passed.reason);
    }
    for resort in last_resorts {
        let _ = writeln!(text, "  {}", last_resort(resort));
    }
    text
}

/// What holds for the whole route.
fn head(route: &str, policy: &Policy) -> String {
    let Policy { timeouts, max_attempts, retry_budget, .. } = policy;
    let hedge = policy.hedge.map_or_else(|| "no hedge".to_owned(), hedge);
    let recovery = match policy.recover_stream {
        RecoverStream::Continue => "go on at another target where that is provably right",
        RecoverStream::Error => "end in an error event",
    };
    let refusals = match policy.on_refusal {
        OnRefusal::Pass => "are passed on",
        OnRefusal::Failover => "go to the next target",
    };
    format!(
        "route {route}: at most {max_attempts} attempts; connect {:?}, first token {:?}, idle {:?}, total {:?}\n  \
         retries, hedges and continuations: {} of the route's calls; {hedge}\n  \
         streams that break off {recovery}; content-policy refusals {refusals}\n",
        timeouts.connect,
        timeouts.first_token,
        timeouts.idle,
        timeouts.total,
        percent(*retry_budget),
    )
}

fn hedge(hedge: Hedge) -> String {
    let Hedge { after, max_share } = hedge;
    let after = match after {
        HedgeAfter::Quantile(share) => format!("the time within which {} of first tokens come", percent(share)),
        HedgeAfter::Fixed(after) => format!("{after:?}"),
    };
    format!("hedge after {after}, for at most {} of calls", percent(max_share))
}

/// When a candidate's breaker opens, and how many calls it takes.
fn breaker(gates: &Gates, candidate: &Candidate) -> String {
    let policy = gates.of(&candidate.target);
    let breaker = policy.breaker;
    let row = match breaker.consecutive {
        0 => String::new(),
        count => format!("after {count} hard failures in a row, or "),
    };
    let slow = breaker.slow_call.map_or_else(String::new, |limit| format!(" (slow: over {limit:?})"));
    let slots = policy.max_concurrency.map_or_else(String::new, |most| format!("; at most {most} waiting calls"));
    format!(
        "breaker: opens {row}at {} of at least {} calls in {:?}{slow}; rests {:?} to {:?}, then {} probes{slots}",
        percent(breaker.failure_ratio),
        breaker.min_calls,
        breaker.window,
        breaker.open,
        breaker.max_open,
        breaker.half_open_successes,
    )
}

/// How a target is, in lines.
fn state(target: Option<&Target>) -> Vec<String> {
    let Some(target) = target else { return vec!["not known to that gateway".into()] };
    let Slots { in_use, limit, waiting } = target.slots;
    let mut lines = vec![
        breaker_state(target),
        format!("calls under way: {}; slots in use: {in_use} of {limit}; waiting for one: {waiting}", target.under_way),
    ];
    if let Some(left) = target.quota_low_for_ms {
        lines.push(format!("its quota is nearly used up, for {} more", span(left)));
    }
    if let Some(left) = target.keys_rest_for_ms {
        lines.push(format!("all keys of its provider rest, for {} more", span(left)));
    }
    if target.declined_prefill {
        lines.push("it would not go on with a given beginning, and is not asked to for ten minutes".into());
    }
    lines
}

fn breaker_state(target: &Target) -> String {
    let mut text = target.state.replace('_', "-");
    if let Some(why) = &target.why {
        // Some reasons begin with the state, which stands before them here.
        let why = why.strip_prefix(&format!("its breaker is {text}: ")).unwrap_or(why).to_owned();
        let _ = write!(text, ": {why}");
    }
    if let (Some(until), Some(left)) = (&target.until, target.for_ms) {
        let _ = write!(text, "; until {until}, for {} more", span(left));
    }
    if target.state == "closed" && target.share < 1.0 {
        let _ = write!(text, ": it has just recovered and takes {} of its calls", percent(target.share));
    }
    text
}

fn balance(balance: Balance) -> &'static str {
    match balance {
        Balance::Weighted => "Targets of equal priority are drawn by weight for every call; this is one draw.",
        Balance::Latency => {
            "Of targets of equal priority two are drawn by weight for every call, and the quicker is tried first; \
             this is one draw, as though all were equally quick."
        }
        Balance::LeastBusy => {
            "Of targets of equal priority the one with the fewest calls under way for its weight is tried first; \
             this is the order when all are idle: equal weights are drawn for every call."
        }
        Balance::Cost => "Of targets of equal priority the cheapest is tried first; equal prices are drawn by weight.",
    }
}

fn last_resort(resort: &Resort) -> String {
    match resort {
        Resort::Plan(plan) => format!("last resort: route {}", plan.route),
        Resort::Static(answer) => format!("last resort: a static answer of {} characters", answer.chars().count()),
    }
}

fn percent(share: f64) -> String {
    format!("{}%", (share * 1000.0).round() / 10.0)
}

/// A time that is left, in seconds where they matter.
fn span(millis: u64) -> String {
    let left = Duration::from_millis(millis);
    match left.as_secs() {
        0..60 => format!("{:.1}s", left.as_secs_f64()),
        secs => format!("{}m{:02}s", secs / 60, secs % 60),
    }
}

#[cfg(test)]
mod tests;
