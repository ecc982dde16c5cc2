//! What must not cost a healthy target its traffic, or a client its answer: short deadlines, policies, repetitions.

use super::script::{Script, events, hangs, head, json, ms};
use super::stage::*;
use llm::{Outcome, Verdict};
use resilience::State;
use routing::{OnRefusal, Timeouts};
use std::sync::Arc;

const POLICY: &str = "data: {\"error\":{\"message\":\"Output blocked by content filtering policy\",\
     \"type\":\"invalid_request_error\",\"code\":\"content_filter\"}}\n\n";

fn says(text: &str) -> String {
    format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n")
}

#[tokio::test(start_paused = true)]
async fn a_short_deadline_leaves_time_for_the_spare_and_a_hung_target_is_found() {
    let usual = Timeouts { first_token: ms(60_000), idle: ms(60_000), total: ms(600_000), connect: ms(2_000) };
    for (stream, within) in [(true, 30_000), (false, 30_000), (true, 8_000), (true, 2_000)] {
        let stage = Stage::new(stream, [hangs(), good(stream)]).timeouts(usual).within(ms(within));
        let stage = Arc::new(stage);
        let records = stage.load(120, ms(1_000)).await;
        let good = |outcome| matches!(outcome, Outcome::Success | Outcome::Degraded);
        assert!(records.iter().all(|record| good(record.outcome)), "streams: {stream}");
        assert_ne!(stage.state("a/m-a"), State::Closed, "streams: {stream}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_one_policy_cuts_off_no_other_target_completes() {
    let first = || events().say([ROLE, &says("How to make ")].concat()).wait(100).say(POLICY);
    let second = || events().say([ROLE, &says("How to make tea"), STOP, DONE].concat());
    for (on_refusal, outcome, sends) in
        [(OnRefusal::Pass, Outcome::Refused, 1), (OnRefusal::Failover, Outcome::Degraded, 2)]
    {
        let stage = streamed([first(), second()]).policy(|policy| policy.on_refusal = on_refusal);
        let played = stage.play().await;
        assert_eq!((played.record.outcome, played.counts.sent.len()), (outcome, sends), "{on_refusal:?}");
        assert_eq!(played.record.attempts[0].verdict, Verdict::ClientFault);
        assert_eq!(stage.at("a/m-a").breaker.counts.failed, 0, "rules about words blame no target");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_what_the_client_gets_where_nobody_else_answers() {
    let refused = "data: {\"choices\":[{\"index\":0,\"delta\":{\"refusal\":\"I cannot help\"}}]}\n\n";
    let declines = || events().say([ROLE, refused, STOP, DONE].concat());
    for (second, served) in [(json(404, "{}"), "a/m-a"), (good(true), "b/m-b")] {
        let stage = streamed([declines(), second]).policy(|policy| policy.on_refusal = OnRefusal::Failover);
        let played = stage.play().await;
        assert_eq!(played.head.as_ref().map(|(target, _)| &**target), Ok(served));
        assert_eq!(played.text().contains("I cannot help"), served == "a/m-a");
        assert_eq!(stage.at("a/m-a").breaker.counts.failed, 0);
    }
}

/// A spare that repeats what was said, at the pace at which it was said, before it goes on.
#[tokio::test(start_paused = true)]
async fn a_spare_that_repeats_a_long_beginning_is_neither_silent_nor_late() {
    let told = |words: u64| {
        (0..words)
            .fold(events().say(ROLE), |script: Script, word| script.wait(1_000).say(says(&format!("word{word} "))))
    };
    for first_token in [60_000, 10_000] {
        let (cut, complete) = (told(20).cut(), told(25).say([STOP, DONE].concat()));
        let stage = streamed([cut, hangs()])
            .plays(1, move |exchange, _| if exchange == 0 { good(true).after(500) } else { complete.clone() });
        let stage = Arc::new(stage.timeouts(Timeouts { first_token: ms(first_token), ..TIMEOUTS }));
        stage.run(stage.call_for("b/m-b")).await;
        let records = stage.load(10, ms(1)).await;
        assert!(records.iter().all(|record| record.outcome == Outcome::Degraded && record.continued == 1));
        assert_eq!((stage.state("b/m-b"), stage.at("b/m-b").breaker.counts.failed), (State::Closed, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_of_an_answer_that_nobody_took_are_counted() {
    let stage = whole([good(false)]);
    drop(stage.execute(stage.call()).await.ok());
    let record = stage.settled();
    assert_eq!(record.outcome, Outcome::Cancelled);
    assert!(record.usage.is_some() && record.attempts[0].usage == record.usage);
}

#[tokio::test(start_paused = true)]
async fn an_unavailable_target_is_back_no_sooner_than_its_breaker_says() {
    let stage = streamed([head(503)]).attempts(1);
    stage.play_each(4).await;
    let played = stage.play().await;
    let Err(llm::CallError::AllTargetsUnavailable { retry_after, .. }) = played.head else {
        panic!("{:?}", played.head)
    };
    assert!(retry_after >= Some(ms(4_000)), "{retry_after:?}: this call opened the breaker");
}
