//! Breakers as calls meet them: what opens one, what does not, who probes, and how the traffic comes back.

use super::script::{Script, events, fails, hangs, head, json, ms};
use super::stage::*;
use llm::{CallError, Dialect, Failure, Operation, Outcome, Reach, Verdict};
use resilience::{Reason, State};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{advance, timeout};

const SECOND: Duration = Duration::from_secs(1);

/// A first target that does this, and a good one behind it.
fn over(stream: bool, bad: Script) -> Stage {
    Stage::new(stream, [bad, good(stream)])
}

/// The target `a` with an open breaker, good again behind it.
async fn fallen() -> Stage {
    let stage = streamed([head(500), good(true)]).plays(0, |n, _| if n < 5 { head(500) } else { good(true) });
    stage.play_each(5).await;
    assert_eq!(stage.state("a/m-a"), State::Open);
    stage
}

/// The time passes until the first target is probed.
async fn rest(stage: &Stage) {
    let until = stage.at("a/m-a").breaker.until.expect("an open breaker");
    advance(until - now()).await;
}

#[tokio::test(start_paused = true)]
async fn five_hard_failures_in_a_row_open_it_and_the_next_call_goes_past() {
    for stream in [true, false] {
        for (name, bad) in [
            ("500", head(500)),
            ("refused", fails(Failure::Unreachable(Reach::Refused))),
            ("cut", json(200, "{").cut()),
            ("silent", hangs()),
        ] {
            let stage = over(stream, bad);
            for call in 0..5 {
                assert_eq!(stage.state("a/m-a"), State::Closed, "{name}, {call} failures");
                stage.play().await;
            }
            let sixth = stage.play().await;
            assert_eq!(stage.asked_of(0), 5, "{name}");
            assert_eq!(sixth.head, Ok(("b/m-b".into(), true)), "{name}");
            assert_eq!((sixth.record.outcome, sixth.record.attempts.len()), (Outcome::Degraded, 1), "{name}");
            let passed = &sixth.record.passed_over[0];
            assert_eq!(passed.target.to_string(), "a/m-a");
            assert_eq!(passed.reason, "its breaker is open: it failed several times in a row");
            let left = passed.remaining.expect("a time");
            assert!((SECOND * 4..=SECOND * 6).contains(&left), "{name}: {left:?}");
            stage.idle();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn with_everything_open_the_answer_is_no_at_once_with_the_least_rest() {
    let stage = streamed([head(500), head(500)]).policy(|policy| policy.retry_budget = 9.0);
    stage.play_each(3).await;
    advance(SECOND).await;
    stage.play_each(3).await;
    let before = stage.elapsed();
    let played = stage.play().await;
    assert_eq!((played.at, played.record.attempts.len()), (before, 0));
    let rests: Vec<Duration> = played.record.passed_over.iter().filter_map(|passed| passed.remaining).collect();
    let Err(CallError::AllTargetsUnavailable { message, retry_after }) = played.head else {
        panic!("{:?}", played.head)
    };
    assert_eq!(message, "All targets of this route rest after failures.");
    assert_eq!((retry_after, rests.len()), (rests.iter().min().copied(), 2));
    assert_eq!(played.record.outcome, Outcome::Failed);
}

#[tokio::test(start_paused = true)]
async fn of_many_calls_one_probes_and_the_others_go_elsewhere() {
    let stage = streamed([head(500), good(true)]);
    let stage = stage.plays(0, |n, _| if n < 5 { head(500) } else { good(true).after(300) });
    stage.play_each(5).await;
    rest(&stage).await;
    let before = stage.elapsed();
    let calls = (0..10).map(|_| stage.play());
    let played = futures(calls).await;
    assert_eq!(stage.asked_of(0), 6, "one probe");
    let served: Vec<_> = played.iter().filter(|one| one.head == Ok(("a/m-a".into(), false))).collect();
    assert_eq!(served.len(), 1);
    for one in played.iter().filter(|one| one.head != Ok(("a/m-a".into(), false))) {
        assert_eq!((one.head.clone(), one.at), (Ok(("b/m-b".into(), true)), before), "nobody waits for the probe");
        assert_eq!(one.record.passed_over[0].reason, "its breaker is half-open: a probe is under way");
    }
    stage.idle();
}

#[tokio::test(start_paused = true)]
async fn a_probe_whose_client_leaves_gives_its_leave_back() {
    let stage = streamed([head(500), good(true)]);
    let stage = stage.plays(0, |n, _| match n {
        0..5 => head(500),
        5 => hangs(),
        _ => good(true),
    });
    stage.play_each(5).await;
    rest(&stage).await;
    assert!(timeout(ms(50), stage.execute(stage.call())).await.is_err());
    assert_eq!(stage.state("a/m-a"), State::HalfOpen);
    let next = stage.play().await;
    assert_eq!(next.head, Ok(("a/m-a".into(), false)), "the next call probes at once");
    stage.idle();
}

#[tokio::test(start_paused = true)]
async fn three_good_probes_close_it_and_a_bad_one_doubles_the_rest() {
    let stage = fallen().await;
    rest(&stage).await;
    for probe in 0..3 {
        assert_eq!(stage.state("a/m-a"), State::HalfOpen, "{probe} probes");
        assert_eq!(stage.play().await.head, Ok(("a/m-a".into(), false)));
    }
    assert_eq!(stage.state("a/m-a"), State::Closed);
    let to: Vec<_> = stage.moves().into_iter().map(|(.., moved)| (moved.to, moved.reason)).collect();
    let (opened, probing) = ((State::Open, Reason::Consecutive), (State::HalfOpen, Reason::Probe));
    assert_eq!(to, [opened, probing, (State::Closed, Reason::Recovered)]);

    let stage = over(true, head(500));
    stage.play_each(5).await;
    for middle in [5, 10, 20] {
        let rested = stage.at("a/m-a").breaker.until.expect("open") - now();
        assert!((SECOND * middle * 4 / 5..=SECOND * middle * 6 / 5).contains(&rested), "{rested:?}, not {middle} s");
        rest(&stage).await;
        let before = stage.asked_of(0);
        assert_eq!(stage.play().await.head, Ok(("b/m-b".into(), true)), "the client is served by another");
        assert_eq!((stage.asked_of(0), stage.state("a/m-a")), (before + 1, State::Open));
    }
}

#[tokio::test(start_paused = true)]
async fn traffic_comes_back_little_by_little_and_those_turned_away_are_served_elsewhere() {
    let stage = fallen().await;
    rest(&stage).await;
    stage.play_each(3).await;
    let closed = stage.elapsed();
    let mut shares = Vec::new();
    for third in 1..=4 {
        let before = stage.asked_of(0);
        for _ in 0..100 {
            let played = stage.play().await;
            assert!(played.head.is_ok() && played.at == stage.elapsed());
            advance(ms(100)).await;
        }
        shares.push(stage.asked_of(0) - before);
        assert_eq!(stage.elapsed() - closed, SECOND * 10 * third);
    }
    assert!((10..40).contains(&shares[0]) && (35..75).contains(&shares[1]), "{shares:?}");
    assert!((65..97).contains(&shares[2]) && shares[3] == 100, "{shares:?}");
}

#[tokio::test(start_paused = true)]
async fn a_target_alone_gets_all_its_traffic_back_at_once() {
    let stage = streamed([head(500)]).plays(0, |n, _| if n < 5 { head(500) } else { good(true) }).attempts(1);
    stage.play_each(5).await;
    assert!(matches!(stage.play().await.head, Err(CallError::AllTargetsUnavailable { .. })));
    rest(&stage).await;
    let played = stage.play_each(50).await;
    assert!(played.iter().all(|one| one.head.is_ok()));
}

#[tokio::test(start_paused = true)]
async fn a_throttled_target_rests_exactly_as_long_as_it_asked() {
    let told = |name: &'static str, value: &'static str| head(429).header(name, value);
    for (name, bad, millis, reason) in [
        ("untold", head(429), 5_000, Reason::Throttled),
        ("seconds", told("retry-after", "7"), 7_000, Reason::Throttled),
        ("milliseconds", told("retry-after-ms", "1500"), 1_500, Reason::Throttled),
        ("the longest", told("retry-after", "301"), 300_000, Reason::Throttled),
        ("402", head(402), 900_000, Reason::Quota),
        ("402, told", head(402).header("retry-after", "1"), 900_000, Reason::Quota),
        ("402, told long", head(402).header("retry-after", "86400"), 3_600_000, Reason::Quota),
    ] {
        let stage = over(true, bad.clone()).plays(0, move |n, _| if n == 0 { bad.clone() } else { good(true) });
        stage.play().await;
        let breaker = stage.at("a/m-a").breaker;
        let until = breaker.until.expect(name) - now();
        assert_eq!((until, breaker.reason), (ms(millis), Some(reason)), "{name}");
        advance(until - ms(1)).await;
        assert_eq!(stage.play().await.head, Ok(("b/m-b".into(), true)), "{name}: a moment before");
        advance(ms(1)).await;
        assert_eq!(stage.play().await.head, Ok(("a/m-a".into(), false)), "{name}: then");
        assert_eq!(stage.state("a/m-a"), State::Closed, "{name}: one good probe is proof enough");
    }
}

#[tokio::test(start_paused = true)]
async fn a_throttled_key_among_fresh_ones_is_not_the_targets_doing() {
    for bad in [head(429), head(402), head(429).header("retry-after", "100")] {
        let stage = over(true, bad.clone()).keys(0, 2);
        let stage = stage.plays(0, move |n, _| if n == 0 { bad.clone() } else { good(true) });
        let played = stage.play().await;
        assert_eq!(played.head, Ok(("a/m-a".into(), false)));
        assert_eq!((stage.state("a/m-a"), played.record.attempts.len()), (State::Closed, 2));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_the_targets_doing_never_opens_it() {
    for (name, bad) in [("400", json(400, "{}")), ("413", head(413)), ("our own", fails(Failure::Internal("x")))] {
        let stage = over(false, bad);
        stage.play_each(60).await;
        assert_eq!((stage.state("a/m-a"), stage.asked_of(0)), (State::Closed, 60), "{name}");
    }
    for patience in [0, 1, 5_000] {
        let stage = over(true, hangs());
        for _ in 0..60 {
            assert!(timeout(ms(patience), stage.execute(stage.call())).await.is_err());
        }
        assert_eq!((stage.state("a/m-a"), stage.at("a/m-a").breaker.counts.failed), (State::Closed, 0), "cancelled");
        stage.idle();
    }
    let stage = over(false, hangs()).within(ms(9_999));
    for played in stage.play_each(60).await {
        assert_eq!(played.record.attempts[0].verdict, Verdict::Neutral);
    }
    assert_eq!((stage.state("a/m-a"), stage.at("a/m-a").breaker.counts.failed), (State::Closed, 0), "short of time");
}

#[tokio::test(start_paused = true)]
async fn a_target_that_turns_every_call_away_is_left_alone_and_costs_nobody_anything() {
    for status in [401, 403, 404] {
        let stage = Arc::new(over(true, head(status)));
        let records = stage.load(600, ms(10)).await;
        assert!(records.iter().all(|record| record.outcome == Outcome::Degraded), "{status}: the spare is well");
        assert_eq!(stage.asked_of(0), 5, "{status}");
        let breaker = stage.at("a/m-a").breaker;
        assert_eq!((breaker.state, breaker.reason), (State::Open, Some(Reason::Unusable)), "{status}");
        assert_eq!((breaker.counts.failed, breaker.consecutive), (0, 0), "{status}: it is our fault");
        advance(breaker.until.unwrap() - now()).await;
        stage.load(100, ms(10)).await;
        assert_eq!(stage.asked_of(0), 6, "{status}: one probe");
    }
    // Where it is about single calls, or there is nobody else, it goes on as it was.
    let now_and_then = |n: usize, _| if n % 5 == 4 { good(true) } else { head(404) };
    let stage = over(true, head(404)).plays(0, now_and_then);
    stage.play_each(50).await;
    assert_eq!((stage.state("a/m-a"), stage.asked_of(0)), (State::Closed, 50));
    let alone = streamed([head(404)]);
    alone.play_each(50).await;
    assert_eq!((alone.state("a/m-a"), alone.asked_of(0)), (State::Closed, 50));
    // Nor where it only does not count tokens, or does not complete texts.
    let count = Dialect::Other(Operation::CountTokens);
    let completed = r#"{"choices":[{"text":"a","finish_reason":"stop"}]}"#;
    for (operation, told) in [(count, r#"{"input_tokens":5}"#), (Dialect::COMPLETIONS, completed)] {
        let stage = Stage::new(false, [head(404), json(200, told)])
            .fields(r#","messages":[{"role":"user","content":"hi"}]"#)
            .client(operation)
            .api(0, operation)
            .api(1, operation);
        let stage = Arc::new(stage);
        let records = stage.load(50, SECOND).await;
        assert!(records.iter().all(|record| record.outcome == Outcome::Degraded), "{operation:?}: the spare does");
        assert_eq!((stage.state("a/m-a"), stage.asked_of(0)), (State::Closed, 50), "{operation:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn streams_that_break_count_though_they_had_begun() {
    let begun = || events().say([ROLE, HI].concat()).wait(100);
    for (name, bad) in [
        ("cut", begun().cut()),
        ("stall", begun().hang()),
        ("error", begun().say(OVERLOADED)),
        ("garbage", begun().say("data: {\n\n")),
        ("polite end", begun()),
    ] {
        let stage = streamed([bad]);
        for broken in 0..5 {
            assert_eq!(stage.state("a/m-a"), State::Closed, "{name}: {broken}");
            let played = stage.play().await;
            assert_eq!(played.record.attempts[0].verdict, Verdict::HardFailure, "{name}");
        }
        assert_eq!(stage.state("a/m-a"), State::Open, "{name}");
        stage.idle();
    }
    let stage = streamed([begun().hang()]);
    for _ in 0..20 {
        let Ok(reply) = stage.execute(stage.call()).await else { panic!("no answer") };
        drop(reply);
    }
    let breaker = stage.at("a/m-a").breaker;
    assert_eq!((breaker.state, breaker.counts.failed), (State::Closed, 0), "a client that leaves breaks nothing");
}

#[tokio::test(start_paused = true)]
async fn empty_answers_count_by_their_share_alone() {
    let stage = over(true, events()).policy(|policy| policy.retry_budget = 9.0);
    stage.play_each(19).await;
    assert_eq!(stage.state("a/m-a"), State::Closed, "however many in a row");
    stage.play().await;
    let breaker = stage.at("a/m-a").breaker;
    assert_eq!((breaker.state, breaker.reason), (State::Open, Some(Reason::Ratio)));
    assert_eq!(stage.play().await.record.passed_over[0].reason, "its breaker is open: it failed too often");
}

#[tokio::test(start_paused = true)]
async fn a_model_outside_the_configuration_falls_alone() {
    let broken = |n: usize, _| if n < 5 { head(500) } else { good(true) };
    let stage = streamed([good(true)]).plays(0, broken).attempts(1);
    for _ in 0..5 {
        stage.finish(stage.call_for("a/x")).await;
    }
    assert_eq!((stage.state("a/x"), stage.state("a/m-a")), (State::Open, State::Closed));
    assert!(stage.finish(stage.call_for("a/x")).await.head.is_err());
    for model in ["a/y", "a/m-a", "chat"] {
        assert!(stage.finish(stage.call_for(model)).await.head.is_ok(), "{model}");
    }
}

#[tokio::test(start_paused = true)]
async fn models_outside_the_configuration_are_told_apart_up_to_a_bound() {
    let stage = streamed([good(true)]).attempts(1);
    let targets = || stage.engine().targets(now()).len();
    for model in 0..300 {
        stage.finish(stage.call_for(&format!("a/x{model}"))).await;
        assert!(targets() <= 1 + 256);
    }
    let (stage, unwell) = (streamed([head(500)]).attempts(1), 256);
    for model in 0..unwell {
        for _ in 0..5 {
            stage.finish(stage.call_for(&format!("a/x{model}"))).await;
        }
    }
    // All seats are taken by the unwell: the next ones share one.
    assert_eq!(stage.engine().targets(now()).len(), 1 + unwell);
    for call in 0..5 {
        assert!(!stage.finish(stage.call_for(&format!("a/y{call}"))).await.record.attempts.is_empty());
    }
    assert!(stage.finish(stage.call_for("a/y9")).await.record.attempts.is_empty(), "which opens for all of them");
    assert_eq!((stage.engine().targets(now()).len(), stage.state("a/m-a")), (1 + unwell, State::Closed));
    // Until they have rested, and are forgotten where nobody asks for them.
    advance(600 * SECOND).await;
    assert!(!stage.finish(stage.call_for("a/z")).await.record.attempts.is_empty());
    assert_eq!(stage.engine().targets(now()).len(), 2);
    assert!(stage.at("a/z").breaker.counts.failed > 0, "a seat of its own");
}

#[tokio::test(start_paused = true)]
async fn the_worst_of_a_providers_unnamed_models_is_what_their_label_shows() {
    let stage = streamed([head(500)]).attempts(1);
    let states = || stage.engine().health().states(now());
    assert_eq!(states(), [State::Closed, State::Closed]);
    for _ in 0..5 {
        stage.finish(stage.call_for("a/x")).await;
    }
    assert_eq!(states(), [State::Closed, State::Open]);
}
