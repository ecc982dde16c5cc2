//! Targets that hang: they are found out before the first of their calls times out.

use super::script::{Script, events, hangs, ms};
use super::stage::*;
use llm::{Outcome, Verdict};
use resilience::{Reason, State};
use std::sync::Arc;
use std::time::Duration;

/// Long timers, so that only silence itself can be the reason.
fn patient(stage: Stage) -> Stage {
    stage.timeouts(routing::Timeouts { first_token: ms(60_000), ..TIMEOUTS })
}

/// A target that answered once, and then hangs, or does this.
fn hung(then: Script, spare: Option<Script>) -> Arc<Stage> {
    let stage = streamed([hangs()].into_iter().chain(spare));
    let play = move |n: usize, _| if n == 0 { good(true).after(100) } else { then.clone() };
    Arc::new(patient(stage).plays(0, play).within(ms(60_000)))
}

#[tokio::test(start_paused = true)]
async fn the_fifth_silent_call_opens_it_and_those_who_wait_go_elsewhere() {
    for bad in [hangs(), events().hang(), events().say(ROLE).repeat(99, 1_000, PING)] {
        let stage = hung(bad, Some(good(true)));
        stage.play().await;
        let begun = stage.elapsed();
        let records = stage.load(10, ms(500)).await;
        // The fifth call begins after 2 s and is silent for 5 s.
        let opened = stage.moves()[0].clone();
        assert_eq!((opened.0 - begun, opened.2.reason), (ms(7_000), Reason::Consecutive));
        for record in &records {
            assert_eq!(record.outcome, Outcome::Degraded);
            let first = record.first_token.expect("content");
            let least = ms(5_000);
            assert!((least..=least + ms(2_500)).contains(&first), "{first:?}");
            assert_eq!(record.attempts[0].cause, Some("first_token_timeout"));
        }
        let after = stage.play().await;
        assert_eq!((after.at, stage.asked_of(0)), (stage.elapsed(), 11), "later calls do not ask it");
        stage.idle();
    }
}

#[tokio::test(start_paused = true)]
async fn more_than_the_budget_lets_go_at_once_go_one_by_one() {
    let stage = hung(hangs(), Some(good(true)));
    stage.play().await;
    let records = stage.load(100, ms(40)).await;
    let firsts: Vec<_> = records.iter().filter_map(|record| record.first_token).collect();
    assert!(records.iter().all(|record| record.outcome == Outcome::Degraded), "none is lost");
    assert!(firsts.iter().all(|first| *first >= ms(5_000)) && firsts.iter().any(|first| *first > ms(9_000)));
    assert!(firsts.iter().all(|first| *first <= ms(60_000)), "{:?}", firsts.iter().max());
    stage.idle();
}

#[tokio::test(start_paused = true)]
async fn time_that_this_process_lost_is_nobodys_silence() {
    let stage = hung(good(true).after(24_000), Some(good(true)));
    stage.play().await;
    let calls = tokio::spawn({
        let stage = Arc::clone(&stage);
        async move { stage.load(8, Duration::ZERO).await }
    });
    tokio::task::yield_now().await;
    tokio::time::advance(ms(20_000)).await;
    for record in calls.await.unwrap() {
        assert_eq!((record.outcome, record.attempts.len()), (Outcome::Success, 1), "its answer came meanwhile");
    }
    assert_eq!((stage.state("a/m-a"), stage.moves().len()), (State::Closed, 0));
}

#[tokio::test(start_paused = true)]
async fn without_a_spare_they_wait_on() {
    let stage = hung(good(true).after(30_000), None);
    stage.play().await;
    let records = stage.load(8, ms(100)).await;
    assert_eq!(stage.state("a/m-a"), State::Closed, "a closed door would help nobody");
    for record in records {
        assert_eq!((record.outcome, record.first_token), (Outcome::Success, Some(ms(30_000))));
        assert_eq!(record.attempts[0].verdict, Verdict::Success);
    }
    stage.idle();
}

#[tokio::test(start_paused = true)]
async fn four_silent_calls_prove_nothing() {
    let stage = hung(good(true).after(30_000), Some(good(true)));
    stage.play().await;
    for record in stage.load(4, ms(100)).await {
        assert_eq!((record.outcome, record.first_token), (Outcome::Success, Some(ms(30_000))));
    }
    assert_eq!((stage.state("a/m-a"), stage.moves().len()), (State::Closed, 0));
}

#[tokio::test(start_paused = true)]
async fn whoever_answers_late_is_waited_for_longer_the_next_time() {
    let stage = patient(streamed([good(true).after(12_000), good(true)]));
    let stage = Arc::new(stage.within(ms(60_000)));
    stage.load(8, ms(10)).await;
    let known = stage.at("a/m-a").breaker;
    assert_eq!((known.state, known.consecutive), (State::Closed, 0), "never answered: 15 s of patience");
    for record in stage.load(8, ms(10)).await {
        assert_eq!(record.outcome, Outcome::Success, "four times 12 s");
    }
}

#[tokio::test(start_paused = true)]
async fn what_counts_as_slow_can_be_told() {
    let stage = patient(streamed([hangs(), good(true)])).gate(|gate| gate.breaker.slow_call = Some(ms(4_000)));
    let stage = Arc::new(stage);
    for record in stage.load(5, Duration::ZERO).await {
        let first = record.first_token.expect("content");
        assert!(record.outcome == Outcome::Degraded && (ms(4_000)..=ms(5_000)).contains(&first), "{first:?}");
    }
    let stage = patient(streamed([good(true).after(4_001), good(true)]));
    let stage = Arc::new(stage.gate(|gate| gate.breaker.slow_call = Some(ms(4_000))));
    stage.load(20, ms(100)).await;
    assert!(stage.moves().iter().any(|(.., moved)| moved.reason == Reason::Ratio), "slow answers count by their share");
}
