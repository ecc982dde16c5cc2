//! Targets that take only so many calls at one time, and targets whose quota is nearly used up.

use super::script::{Script, events, hangs, head, ms};
use super::stage::*;
use llm::{CallError, Outcome, Priority, Verdict};
use resilience::State;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// So many slots at each target.
fn narrow(stage: Stage, slots: u32) -> Arc<Stage> {
    Arc::new(stage.gate(|gate| gate.max_concurrency = Some(slots)))
}

/// A call under way in the background until it is aborted.
fn begin(stage: &Arc<Stage>, priority: Priority) -> tokio::task::JoinHandle<()> {
    let stage = Arc::clone(stage);
    tokio::spawn(async move { stage.run(stage.call_of(priority)).await })
}

/// Fills so many slots with calls that hang.
async fn filled(stage: &Arc<Stage>, calls: usize) -> Vec<tokio::task::JoinHandle<()>> {
    let running: Vec<_> = (0..calls).map(|_| begin(stage, Priority::Normal)).collect();
    tokio::task::yield_now().await;
    assert_eq!(stage.at("a/m-a").in_flight as usize, calls);
    running
}

async fn emptied(stage: &Stage, running: Vec<tokio::task::JoinHandle<()>>) {
    for one in running {
        one.abort();
        assert!(one.await.is_err());
    }
    stage.idle();
}

/// How long something takes.
async fn timed<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let begun = tokio::time::Instant::now();
    (work.await, begun.elapsed())
}

#[tokio::test(start_paused = true)]
async fn with_no_slot_free_the_spare_is_asked_at_once() {
    let stage = narrow(streamed([hangs(), good(true)]), 1);
    let running = filled(&stage, 1).await;
    let (played, took) = timed(stage.play()).await;
    assert_eq!((played.head, took), (Ok(("b/m-b".into(), true)), ms(0)));
    assert_eq!(played.record.passed_over[0].reason, "no slot is free");
    emptied(&stage, running).await;
}

#[tokio::test(start_paused = true)]
async fn without_a_spare_a_call_waits_a_moment_and_is_told_to_come_back() {
    let stage = narrow(streamed([hangs()]), 1);
    let running = filled(&stage, 1).await;
    let (played, took) = timed(stage.play()).await;
    assert_eq!(played.head, Err(CallError::Overloaded { retry_after: Duration::from_secs(1) }));
    assert_eq!((took, played.record.waited, played.record.outcome), (ms(100), ms(100), Outcome::Shed));
    assert!(played.record.attempts.is_empty());
    // One waited in vain just now: those who come next wait shorter, so that they learn sooner.
    let calls = (0..20).map(|call| {
        let stage = Arc::clone(&stage);
        async move {
            sleep(ms(20 * call)).await;
            timed(stage.play()).await.1
        }
    });
    let waits = futures(calls).await;
    assert!(waits.iter().all(|wait| *wait == ms(5)), "{waits:?}");
    sleep(ms(1_000)).await;
    assert_eq!(timed(stage.play()).await.1, ms(100), "a quiet second later");
    emptied(&stage, running).await;
}

#[tokio::test(start_paused = true)]
async fn a_slot_that_comes_free_goes_to_the_one_that_waits() {
    let stage = narrow(streamed([good(true).after(60)]), 1);
    let running = filled(&stage, 1).await;
    let (played, took) = timed(stage.play()).await;
    assert_eq!((played.head.is_ok(), took), (true, ms(120)));
    assert_eq!((played.record.waited, played.record.overhead), (ms(60), ms(0)));
    for one in running {
        one.await.unwrap();
    }
    stage.idle();
}

#[tokio::test(start_paused = true)]
async fn a_call_that_had_to_wait_has_all_its_time_at_the_target() {
    let play = |n: usize, _| if n == 0 { good(true).after(60) } else { hangs() };
    let stage = narrow(streamed([hangs()]).plays(0, play), 1);
    let running = filled(&stage, 1).await;
    let (played, took) = timed(stage.play()).await;
    assert_eq!(took, ms(10_060));
    assert!(matches!(played.head, Err(CallError::UpstreamFailed { .. })), "{:?}", played.head);
    let attempt = &played.record.attempts[0];
    assert_eq!((attempt.verdict, attempt.cause), (Verdict::HardFailure, Some("first_token_timeout")));
    for one in running {
        one.await.unwrap();
    }
    stage.idle();
}

#[tokio::test(start_paused = true)]
async fn a_slot_is_free_again_with_the_first_content_or_with_the_end_of_a_call_that_is_counted() {
    let begins = || streamed([events().wait(50).say(HI).hang()]);
    for (stage, in_flight, second_begins) in [(Arc::new(begins()), 0, true), (narrow(begins(), 1), 1, false)] {
        let Ok(first) = stage.execute(stage.call()).await else { panic!("no answer") };
        assert_eq!((stage.at("a/m-a").in_flight, stage.at("a/m-a").under_way), (in_flight, 1));
        let (second, took) = timed(stage.execute(stage.call())).await;
        assert_eq!((second.is_ok(), took), (second_begins, ms(if second_begins { 50 } else { 100 })));
        drop(first);
        let third = stage.execute(stage.call()).await;
        assert!(third.is_ok());
        if let Err(lost) = second {
            lost.open.lost(Outcome::Shed, 503, "overloaded");
        }
        drop(third);
    }
}

#[tokio::test(start_paused = true)]
async fn those_who_leave_the_queue_leave_no_trace() {
    let stage = narrow(streamed([hangs()]), 1);
    let running = filled(&stage, 1).await;
    let waiting = timeout(ms(30), futures((0..5).map(|_| stage.execute(stage.call())))).await;
    assert!(waiting.is_err());
    assert_eq!(stage.at("a/m-a").waiting, 0);
    let cancelled = stage.records().iter().filter(|record| record.outcome == Outcome::Cancelled).count();
    assert_eq!(cancelled, 5);
    emptied(&stage, running).await;
}

#[tokio::test(start_paused = true)]
async fn what_matters_least_is_turned_away_first() {
    use Priority::{Critical, Normal, Sheddable};
    let stage = narrow(streamed([hangs()]), 10);
    for priority in [Sheddable, Normal, Critical] {
        let one = begin(&stage, priority);
        tokio::task::yield_now().await;
        one.abort();
    }
    tokio::task::yield_now().await;
    let mut running = Vec::new();
    for (priority, most) in [(Sheddable, 7), (Normal, 9), (Critical, 10)] {
        for _ in 0..10 {
            running.push(begin(&stage, priority));
        }
        sleep(ms(110)).await;
        assert_eq!(stage.at("a/m-a").in_flight, most, "{priority:?}");
    }
    let shed = |priority| move |one: &&llm::CallRecord| one.priority == priority && one.outcome == Outcome::Shed;
    for (priority, turned_away) in [(Sheddable, 3), (Normal, 8), (Critical, 9)] {
        assert_eq!(stage.records().iter().filter(shed(priority)).count(), turned_away, "{priority:?}");
    }
    running.into_iter().for_each(|one| one.abort());
    tokio::task::yield_now().await;
    stage.idle();
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_at_a_target_that_falls_are_told_at_once() {
    let stage = narrow(streamed([head(500).after(10)]).attempts(1), 1);
    let calls = (0..9).map(|_| timed(stage.play()));
    let seen = futures(calls).await;
    assert_eq!(stage.asked_of(0), 5, "then it was given up");
    assert!(seen.iter().skip(5).all(|(played, took)| played.head.is_err() && *took == ms(50)), "with the fifth");
    assert_eq!(stage.state("a/m-a"), State::Open);
    stage.idle();
}

/// An answer that tells how many calls are left until when.
fn counting(remaining: u64, reset: &str) -> Script {
    good(true)
        .header("x-ratelimit-limit-requests", "100")
        .header("x-ratelimit-remaining-requests", remaining.to_string())
        .header("x-ratelimit-reset-requests", reset)
}

#[tokio::test(start_paused = true)]
async fn a_quota_that_is_used_up_is_noticed_before_it_is_refused() {
    let play = |n: usize, _| if n == 0 { counting(0, "7s") } else { counting(99, "7s") };
    let stage = streamed([good(true), good(true)]).plays(0, play);
    assert_eq!(stage.play().await.head, Ok(("a/m-a".into(), false)));
    let played = stage.play().await;
    assert_eq!((played.head, played.record.attempts.len()), (Ok(("b/m-b".into(), true)), 1));
    let passed = &played.record.passed_over[0];
    assert_eq!((passed.reason, passed.remaining), ("its quota is nearly used up", Some(ms(7_000))));
    tokio::time::advance(ms(6_999)).await;
    assert_eq!(stage.play().await.head, Ok(("b/m-b".into(), true)));
    tokio::time::advance(ms(1)).await;
    assert_eq!(stage.play().await.head, Ok(("a/m-a".into(), false)));
    assert_eq!(stage.play().await.head, Ok(("a/m-a".into(), false)));
}

#[tokio::test(start_paused = true)]
async fn a_target_alone_is_asked_though_its_quota_is_nearly_used_up() {
    let stage = streamed([counting(0, "7s")]);
    assert!(stage.play_each(9).await.iter().all(|played| played.head.is_ok()));
    let stage = streamed([counting(0, "7s"), head(500)]);
    stage.play().await;
    let played = stage.play().await;
    let asked: Vec<_> = played.record.attempts.iter().map(|attempt| attempt.target.to_string()).collect();
    assert_eq!(asked, ["b/m-b", "a/m-a"], "nor is it left out where all others fail");
    assert!(played.head.is_ok());
}
