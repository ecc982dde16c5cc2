//! A second target beside a slow one: when it is asked, who wins, what the loser is told, and how often it may happen.

use super::script::{Script, events, hangs, head, ms};
use super::stage::*;
use llm::{AttemptKind, CallRecord, Outcome, Verdict};
use resilience::State;
use routing::{Hedge, HedgeAfter};
use std::sync::Arc;
use std::time::Duration;

fn late(millis: u64) -> Script {
    good(true).after(millis)
}

/// What each attempt was for, when it began, how it ended, and after how long.
fn attempts(record: &CallRecord) -> Vec<(AttemptKind, Duration, Verdict, Option<&'static str>, Duration)> {
    record.attempts.iter().map(|a| (a.kind, a.begun, a.verdict, a.cause, a.duration)).collect()
}

#[tokio::test(start_paused = true)]
async fn nobody_is_asked_beside_another_unless_the_route_says_so() {
    let played = streamed([late(9_000), late(0)]).play().await;
    assert_eq!((played.at, played.counts.sent.len()), (ms(9_000), 1));
    let mut stage = whole([good(false).after(9_000), good(false)]).hedged(100);
    let played = stage.play().await;
    assert_eq!((played.at, played.counts.sent.len()), (ms(100), 2), "whole answers are hedged as streams are");
    stage = streamed([late(9_000)]).hedged(100);
    assert_eq!(stage.play().await.counts.sent.len(), 1, "nor the same target twice");
    stage = streamed([late(100), late(0)]).hedged(100);
    assert_eq!(stage.play().await.counts.sent.len(), 1, "nor beside one that answers just in time");
}

#[tokio::test(start_paused = true)]
async fn the_first_to_begin_wins_and_the_other_is_dropped_at_once() {
    use AttemptKind::{First, Hedge};
    use Verdict::{Neutral, Success};
    for (first, second, at, served, seen) in [
        (
            late(900),
            late(300),
            400,
            "b/m-b",
            [(First, ms(0), Neutral, Some("outrun"), ms(400)), (Hedge, ms(100), Success, None, ms(300))],
        ),
        (
            late(350),
            late(300),
            350,
            "a/m-a",
            [(First, ms(0), Success, None, ms(350)), (Hedge, ms(100), Neutral, Some("outrun"), ms(250))],
        ),
        (
            hangs(),
            events().say(ROLE).wait(50).say([HI, STOP, DONE].concat()),
            150,
            "b/m-b",
            [(First, ms(0), Neutral, Some("outrun"), ms(150)), (Hedge, ms(100), Success, None, ms(50))],
        ),
    ] {
        let stage = streamed([first, second]).hedged(100);
        let played = stage.play().await;
        assert_eq!((played.at, played.head), (ms(at), Ok((served.into(), served == "b/m-b"))));
        assert_eq!(attempts(&played.record), seen);
        assert_eq!(stage.dropped(), [ms(at)], "the loser's exchange is gone");
        assert_eq!((stage.at("a/m-a").breaker.counts.failed, stage.at("b/m-b").breaker.counts.failed), (0, 0));
        assert_eq!(played.record.overhead, ms(0), "waiting for two at once is waiting once");
        stage.idle();
    }
}

#[tokio::test(start_paused = true)]
async fn where_one_fails_the_other_goes_on() {
    use AttemptKind::{First, Hedge, Retry};
    let failing = |millis| head(500).after(millis);
    for (name, scripts, at, served, kinds) in [
        ("the hedge fails", vec![late(900), failing(10), late(0)], 900, "a/m-a", vec![First, Hedge]),
        ("the first fails", vec![failing(200), late(500), late(0)], 600, "b/m-b", vec![First, Hedge]),
        ("both fail", vec![failing(200), failing(500), late(7)], 607, "c/m-c", vec![First, Hedge, Retry]),
        (
            "both fail the other way round",
            vec![failing(700), failing(10), late(7)],
            707,
            "c/m-c",
            vec![First, Hedge, Retry],
        ),
        ("it fails before the hedge", vec![failing(50), late(900), late(0)], 150, "c/m-c", vec![First, Retry, Hedge]),
    ] {
        let stage = streamed(scripts).hedged(100);
        let played = stage.play().await;
        assert_eq!((played.at, played.head), (ms(at), Ok((served.into(), served != "a/m-a"))), "{name}");
        let seen: Vec<_> = played.record.attempts.iter().map(|attempt| attempt.kind).collect();
        assert_eq!(seen, kinds, "{name}");
        stage.idle();
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_ends_both() {
    let stage = streamed([hangs(), hangs()]).hedged(100);
    assert!(tokio::time::timeout(ms(500), stage.execute(stage.call())).await.is_err());
    assert_eq!(stage.dropped(), [ms(500), ms(500)]);
    let record = stage.settled();
    assert_eq!(record.outcome, Outcome::Cancelled);
    assert!(record.attempts.iter().all(|attempt| attempt.verdict == Verdict::Neutral && attempt.cause.is_none()));
    stage.idle();
}

#[tokio::test(start_paused = true)]
async fn a_target_that_rests_is_not_asked_beside_another() {
    let stage = streamed([late(400), head(500), late(50)]).hedged(100).attempts(1);
    for _ in 0..5 {
        stage.finish(stage.call_for("b/m-b")).await;
    }
    assert_eq!(stage.state("b/m-b"), State::Open);
    let before = stage.elapsed();
    let stage = Stage::attempts(stage, 3);
    let played = stage.play().await;
    assert_eq!((played.at - before, stage.asked_of(1)), (ms(400), 5), "the next one is not looked for");
}

#[tokio::test(start_paused = true)]
async fn a_route_learns_when_a_target_is_slow() {
    let hedge = Hedge { after: HedgeAfter::Quantile(0.95), max_share: 1.0 };
    let play = |n: usize, _| late(if n < 50 { 200 } else { 5_000 });
    let stage = streamed([late(0), late(100)]).plays(0, play).policy(|policy| policy.hedge = Some(hedge));
    for played in stage.play_each(50).await {
        assert_eq!(played.record.attempts.len(), 1);
    }
    let before = stage.elapsed();
    let played = stage.play().await;
    assert_eq!(played.record.attempts.len(), 2);
    let after = played.record.attempts[1].begun;
    assert!((ms(180)..=ms(240)).contains(&after), "{after:?}");
    assert!(played.at - before <= ms(340));
}

#[tokio::test(start_paused = true)]
async fn nobody_is_hedged_before_fifty_answers_are_known() {
    let hedge = Hedge { after: HedgeAfter::Quantile(0.95), max_share: 1.0 };
    let play = |n: usize, _| late(if n < 49 { 200 } else { 5_000 });
    let stage = streamed([late(0), late(100)]).plays(0, play).policy(|policy| policy.hedge = Some(hedge));
    assert_eq!(stage.play_each(50).await[49].record.attempts.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn hedges_stay_within_their_share_and_the_retry_budget() {
    for (max_share, retry_budget, most) in [(0.1, 0.2, 200), (0.5, 0.2, 400 + 90), (0.5, 0.0, 0), (0.0, 0.2, 0)] {
        let hedge = Hedge { after: HedgeAfter::Fixed(ms(100)), max_share };
        let stage = streamed([late(300), late(300)]).policy(|policy| {
            (policy.hedge, policy.retry_budget) = (Some(hedge), retry_budget);
        });
        let stage = Arc::new(stage);
        let records = stage.load(2_000, ms(10)).await;
        let hedges =
            records.iter().flat_map(|record| &record.attempts).filter(|a| a.kind == AttemptKind::Hedge).count();
        assert!(hedges <= most, "{max_share} {retry_budget}: {hedges}");
        assert!(hedges * 2 >= most, "{max_share} {retry_budget}: {hedges}");
        assert!(records.iter().all(|record| record.outcome == Outcome::Success));
        stage.idle();
    }
}
