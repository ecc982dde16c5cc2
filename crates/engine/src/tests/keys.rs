//! Keys that a provider turns down: another key first, then another target.

use super::script::{Script, events, head, json};
use super::stage::*;
use llm::Outcome;
use std::time::Duration;

const THROTTLED: &str = "data: {\"error\":{\"message\":\"m\",\"type\":\"rate_limit_error\"}}\n\n";

fn throttled(name: &'static str, value: &'static str) -> Script {
    head(429).header(name, value)
}

#[tokio::test(start_paused = true)]
async fn a_refused_key_rests_and_a_fresh_one_keeps_the_target() {
    for (bad, rest) in [
        (head(401), 60_000),
        (head(403), 5_000),
        (head(402), 900_000),
        (head(429), 5_000),
        (head(429).after(700), 5_000),
        (throttled("retry-after", "30"), 30_000),
        (throttled("retry-after", "86400"), 300_000),
        (throttled("retry-after-ms", "250"), 250),
        (json(200, r#"{"error":{"message":"m","type":"rate_limit_error"}}"#), 5_000),
        (json(200, r#"{"error":{"message":"m","type":"rate_limit_error"}}"#).header("retry-after", "7"), 7_000),
        (events().header("retry-after", "7").say(THROTTLED), 7_000),
    ] {
        let good = events().say([HI, STOP, DONE].concat());
        let played = streamed([bad, good.clone()]).keys(0, 2).then(0, good).play().await;
        assert_eq!(played.head, Ok(("a/m-a".into(), false)));
        assert_eq!((played.record.outcome, played.record.attempts.len()), (Outcome::Success, 2));
        assert_eq!(played.counts.keys, [Some(0), Some(1)]);
        assert_eq!(played.counts.rests, [(0, 0, Duration::from_millis(rest))]);
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_fresh_key_the_next_target_is_tried() {
    for (keys, expected) in [(0, &[None, None][..]), (1, &[Some(0), None]), (2, &[Some(0), Some(1), None])] {
        let played = whole([head(429), json(200, ANSWER)]).keys(0, keys).play().await;
        assert_eq!(played.head, Ok(("b/m-b".into(), true)), "{keys} keys");
        assert_eq!((&*played.counts.keys, played.counts.rests.len()), (expected, keys));
    }
    let played = whole([head(401), json(200, ANSWER)]).keys(0, 5).play().await;
    assert_eq!(played.head, Ok(("b/m-b".into(), true)), "the last attempt is the next target's");
    assert_eq!(played.counts.keys, [Some(0), Some(1), None]);
    let played = whole([head(401)]).keys(0, 5).play().await;
    assert_eq!((played.head.is_err(), played.counts.sent.len()), (true, 3), "keys do not lift the most attempts");
}

#[tokio::test(start_paused = true)]
async fn the_only_key_of_a_target_alone_goes_on_where_no_time_was_told() {
    // Every other call is throttled: with a key as without one, half of them are served.
    for keys in [0, 1] {
        let now_and_then = |n: usize, _| if n.is_multiple_of(2) { head(429) } else { good(false) };
        let stage = whole([head(429)]).keys(0, keys).plays(0, now_and_then).attempts(1);
        let served = stage.play_each(40).await.iter().filter(|played| played.head.is_ok()).count();
        assert_eq!((served, stage.asked_of(0)), (20, 40), "{keys} keys");
    }
    for (bad, sends) in [(throttled("retry-after", "30"), 1), (head(402), 1)] {
        let stage = whole([bad]).keys(0, 1).attempts(1);
        stage.play_each(9).await;
        assert_eq!(stage.asked_of(0), sends, "a time that was told holds");
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_nearly_used_up_is_spared_for_the_others() {
    let left = |left: &'static str| {
        let answer = json(200, ANSWER).header("x-ratelimit-limit-requests", "1000");
        answer.header("x-ratelimit-remaining-requests", left).header("x-ratelimit-reset-requests", "60s")
    };
    // The first answer is the first key's, the second one the second's.
    let stage = whole([left("1"), good(false)]).keys(0, 2).plays(0, move |n, _| left(if n < 2 { "1" } else { "900" }));
    stage.play_each(3).await;
    assert_eq!(stage.counts().keys, [Some(0), Some(1), None], "then the quota steers calls to the spare");
    tokio::time::advance(Duration::from_secs(60)).await;
    assert_eq!(stage.play().await.head, Ok(("a/m-a".into(), false)));
}

#[tokio::test(start_paused = true)]
async fn no_key_rests_for_what_is_not_its_doing() {
    for bad in [head(500), head(503), head(404), json(200, ""), json(400, "{}")] {
        let played = whole([bad, head(500)]).keys(0, 2).play().await;
        assert!(played.counts.rests.is_empty());
        let second = played.counts.sent.get(1).map(|sent| sent.provider);
        assert!(second.is_none_or(|provider| provider == 1), "nor is the target asked again before the others");
    }
}
