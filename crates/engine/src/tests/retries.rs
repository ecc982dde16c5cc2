//! How often a call tries again, when, and how much of that a route allows itself.

use super::script::{Script, events, hangs, head, ms};
use super::stage::*;
use llm::{AttemptKind, CallError, CallRecord, Outcome};
use std::sync::Arc;
use std::time::Duration;

/// No breaker interferes.
fn unguarded(stage: Stage) -> Stage {
    stage.gate(|gate| {
        gate.breaker.consecutive = 0;
        gate.breaker.min_calls = u32::MAX;
    })
}

/// The most attempts beyond the first within any ten seconds, for each call in them; begins of calls are `every` apart.
fn most_in_ten_seconds(records: &[CallRecord], every: Duration) -> usize {
    let begun = (0u32..).zip(records).flat_map(|(call, record)| {
        let beyond = record.attempts.iter().skip(1);
        beyond.map(move |attempt| every * call + attempt.begun)
    });
    let mut begun: Vec<Duration> = begun.collect();
    begun.sort_unstable();
    let within = |from: &Duration| begun.iter().filter(|at| (*from..*from + ms(10_000)).contains(*at)).count();
    begun.iter().map(within).max().unwrap_or(0)
}

#[tokio::test(start_paused = true)]
async fn attempts_beyond_the_first_are_a_share_of_the_calls_whatever_they_are_for() {
    let cut = || events().say([ROLE, HI].concat()).wait(10).cut();
    let slow = || good(true).after(900);
    for (name, kind, stage) in [
        ("retries", AttemptKind::Retry, streamed([head(500), head(500)])),
        ("hedges", AttemptKind::Hedge, streamed([slow(), slow()]).hedged(100)),
        ("continuations", AttemptKind::Continuation, streamed([cut(), cut(), cut()])),
    ] {
        let stage = Arc::new(unguarded(stage));
        let (calls, every) = (1_500, ms(20));
        let mut records = stage.load(calls, every).await;
        records.sort_by_key(|record| record.request_id.as_str()[2..].parse::<usize>().unwrap());
        let beyond = records.iter().flat_map(|record| &record.attempts).filter(|attempt| attempt.kind == kind).count();
        let (share, floor) = (calls / 5, 30 + 3 * 30);
        assert!(beyond <= share + floor, "{name}: {beyond}");
        assert!(beyond >= share, "{name}: {beyond}, though there was leave for more");
        let most = most_in_ten_seconds(&records, every);
        assert!(most <= 100 + 30, "{name}: {most} within ten seconds of 500 calls");
        assert_eq!(stage.asked().len(), calls + beyond, "{name}");
        stage.idle();
    }
}

#[tokio::test(start_paused = true)]
async fn with_the_budget_used_up_the_error_says_so() {
    for (stream, max) in [(true, 3), (false, 9)] {
        let stage =
            Stage::new(stream, [head(500), good(stream)]).policy(|policy| policy.retry_budget = 0.0).attempts(max);
        let played = stage.play().await;
        let message = "No target answered: a/m-a answered 500. The route's retry budget is used up for now.";
        assert_eq!(played.head, Err(CallError::UpstreamFailed { message: message.into() }));
        assert_eq!((played.counts.sent.len(), played.at), (1, ms(0)));
    }
}

#[tokio::test(start_paused = true)]
async fn what_passes_a_target_over_costs_no_retry() {
    let stage = streamed([head(429).header("retry-after", "60"), good(true)]);
    let stage = stage.policy(|policy| policy.retry_budget = 0.0);
    assert!(stage.play().await.head.is_err());
    for played in stage.play_each(20).await {
        assert_eq!(played.head, Ok(("b/m-b".into(), true)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_target_alone_is_asked_again_after_a_pause() {
    let told = |seconds: &'static str| head(429).header("retry-after", seconds);
    for (name, bad, within, attempts, least, most) in [
        ("500", head(500), 60_000, 2, 0, 200),
        ("cut", events().cut(), 60_000, 2, 0, 200),
        ("empty", events(), 60_000, 2, 0, 200),
        ("429", head(429), 60_000, 2, 5_000, 5_000),
        ("429, 2 s", told("2"), 60_000, 2, 2_000, 2_000),
        ("429, 6 s", told("6"), 60_000, 1, 0, 0),
        ("503, 2 s", head(503).header("retry-after", "2"), 60_000, 2, 2_000, 2_000),
        ("503, 6 s", head(503).header("retry-after", "6"), 60_000, 1, 0, 0),
        ("429, 2 s, in a hurry", told("2"), 2_000, 1, 0, 0),
        ("429, 2 s, just so", told("2"), 2_201, 2, 2_000, 2_000),
        ("402", head(402), 60_000, 1, 0, 0),
        ("404", head(404), 60_000, 1, 0, 0),
        ("a web page", head(200).header("content-type", "text/html").say("<p>"), 60_000, 1, 0, 0),
    ] {
        let stage = streamed([bad]).then(0, good(true)).within(ms(within));
        let played = stage.play().await;
        assert_eq!((played.head.is_ok(), played.record.attempts.len()), (attempts == 2, attempts), "{name}");
        // Pauses that a target asked for may be longer by a tenth, so that not all come back at once.
        assert!((ms(least)..=ms(most) * 11 / 10).contains(&played.at), "{name}: {:?}", played.at);
        assert_eq!((played.record.waited, played.record.overhead), (played.at, ms(0)), "{name}");
        if attempts == 2 {
            assert_eq!((played.record.attempts[1].kind, played.record.outcome), (AttemptKind::Retry, Outcome::Success));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_target_that_was_silent_is_not_asked_again() {
    let played = streamed([hangs()]).then(0, good(true)).play().await;
    assert_eq!((played.head.is_err(), played.counts.sent.len(), played.at), (true, 1, ms(10_000)));
}

#[tokio::test(start_paused = true)]
async fn the_others_come_first_and_pauses_grow() {
    let stage = streamed([head(500), head(500)]).attempts(6).policy(|policy| policy.retry_budget = 9.0);
    let played = stage.play().await;
    let asked: Vec<_> = played.counts.sent.iter().map(|sent| sent.provider).collect();
    assert_eq!(asked, [0, 1, 0, 1, 0, 1]);
    let begun: Vec<_> = played.record.attempts.iter().map(|attempt| attempt.begun).collect();
    assert_eq!((begun[0], begun[2]), (begun[1], begun[3]));
    assert!(begun[2] <= ms(200) && begun[4] - begun[3] <= ms(400), "{begun:?}");
}

#[tokio::test(start_paused = true)]
async fn a_flaky_first_target_costs_clients_nothing_and_its_spare_little() {
    for (seed, stream, guarded) in [(1, true, true), (2, false, true), (3, true, true), (4, true, false)] {
        let mut chance = fastrand::Rng::with_seed(seed);
        let play = move |_, _| if chance.f64() < 0.3 { head(500).after(20) } else { good(stream).after(50) };
        let stage = Stage::new(stream, [head(500), good(stream)]).plays(0, play);
        let stage = Arc::new(if guarded { stage } else { unguarded(stage) });
        let records = stage.load(3_000, ms(10)).await;
        let lost = records.iter().filter(|record| !matches!(record.outcome, Outcome::Success | Outcome::Degraded));
        assert!(lost.count() <= 2, "seed {seed}: fewer than one in a thousand");
        let sends = stage.asked().len();
        assert!(sends <= 3_000 * 5 / 4, "seed {seed}: {sends} sends for 3000 calls");
        if !guarded {
            assert!(stage.asked_of(0) > 1_700, "the first target still serves where it can");
            let short = "it fails often, and the retry budget is nearly used up";
            assert!(records.iter().flat_map(|record| &record.passed_over).any(|passed| passed.reason == short));
        }
        stage.idle();
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_is_passed_over_for_being_flaky_where_nobody_else_is_left() {
    let mut chance = fastrand::Rng::with_seed(1);
    let play = move |_, _| if chance.f64() < 0.3 { head(500) } else { good(true) };
    let stage = Arc::new(unguarded(streamed([head(500)]).plays(0, play)));
    let records = stage.load(2_000, ms(10)).await;
    assert!(records.iter().all(|record| record.passed_over.is_empty() && !record.attempts.is_empty()));
}

/// A script that is never asked for.
fn unasked() -> Script {
    hangs()
}

#[tokio::test(start_paused = true)]
async fn no_more_attempts_than_allowed_whatever_they_are_for() {
    let cut = || events().say([ROLE, HI].concat()).cut();
    for (scripts, asked) in [
        (vec![head(500), head(500), head(500), unasked()], 3),
        (vec![head(500), cut(), cut(), unasked()], 3),
        (vec![cut(), cut(), cut(), unasked()], 3),
    ] {
        let played = streamed(scripts).play().await;
        assert_eq!(played.counts.sent.len(), asked);
    }
}
