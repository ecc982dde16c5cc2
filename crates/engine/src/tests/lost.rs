//! Calls that nobody answered: what the client is told, and when.

use super::script::{Script, events, fails, hangs, head, json, ms};
use super::stage::*;
use llm::{CallError, Failure, Outcome, Reach, Verdict};
use std::time::Duration;

fn refused() -> Script {
    fails(Failure::Unreachable(Reach::Refused))
}

fn unavailable(message: &str, retry_after: Option<u64>) -> CallError {
    CallError::AllTargetsUnavailable { message: message.into(), retry_after: retry_after.map(Duration::from_secs) }
}

fn failed(message: &str) -> CallError {
    CallError::UpstreamFailed { message: message.into() }
}

#[tokio::test(start_paused = true)]
async fn the_error_says_whether_coming_back_may_help() {
    let throttled = |seconds| head(429).header("retry-after", seconds);
    for stream in [true, false] {
        for (scripts, sends, expected) in [
            (vec![], 0, unavailable("No target of this route may be called.", None)),
            (
                vec![throttled("9"), throttled("900")],
                2,
                unavailable("No target answered: a/m-a answered 429; b/m-b answered 429.", Some(9)),
            ),
            (vec![throttled("900")], 1, unavailable("No target answered: a/m-a answered 429.", Some(300))),
            (vec![refused()], 1, unavailable("No target answered: a/m-a refused the connection.", Some(1))),
            (
                vec![refused(), throttled("30"), head(503).header("retry-after", "7")],
                3,
                unavailable(
                    "No target answered: a/m-a refused the connection; b/m-b answered 429; c/m-c answered 503.",
                    Some(1),
                ),
            ),
            (
                vec![throttled("9"), json(500, "")],
                2,
                failed("No target answered: a/m-a answered 429; b/m-b answered 500."),
            ),
            (vec![head(401)], 1, failed("No target answered: a/m-a answered 401.")),
            (
                vec![refused(), refused(), refused(), json(200, ANSWER)],
                3,
                unavailable(
                    "No target answered: a/m-a refused the connection; b/m-b refused the connection; \
                     c/m-c refused the connection.",
                    Some(1),
                ),
            ),
        ] {
            let played = Stage::new(stream, scripts).attempts(sends).play().await;
            assert_eq!(played.head, Err(expected));
            assert_eq!((played.counts.sent.len(), played.record.attempts.len()), (sends, sends));
            assert_eq!((played.record.outcome, played.record.served), (Outcome::Failed, None));
            assert_eq!((played.record.first_token, played.record.stream_end), (None, None));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_quotas_told_are_those_of_the_target_that_is_told_of() {
    fn with(script: Script, remaining: &str) -> Script {
        script.header("x-ratelimit-remaining-requests", remaining)
    }
    let throttled = |seconds, remaining| with(head(429).header("retry-after", seconds), remaining);
    let wrong = || json(400, r#"{"error":{"message":"no","type":"invalid_request_error"}}"#);
    for stream in [true, false] {
        for (scripts, told) in [
            (vec![with(good(stream), "7")], Some(7)),
            (vec![good(stream)], None),
            (vec![with(json(500, ""), "1"), with(good(stream), "7")], Some(7)),
            (vec![with(json(500, ""), "1"), good(stream)], None),
            // A lost call: whoever may be asked again first, or has found fault with the request.
            (vec![throttled("9", "1"), throttled("900", "2")], Some(1)),
            (vec![throttled("900", "2"), throttled("9", "1")], Some(1)),
            (vec![throttled("900", "2"), head(429).header("retry-after", "9")], None),
            (vec![with(json(500, ""), "4")], Some(4)),
            (vec![throttled("9", "1"), with(wrong(), "3")], Some(3)),
            (vec![refused()], None),
        ] {
            let stage = Stage::new(stream, scripts).attempts(3);
            let quotas = match stage.execute(stage.call()).await {
                Ok(reply) => reply.quotas,
                Err(lost) => lost.quotas,
            };
            assert_eq!(quotas.first().map(|reading| reading.remaining), told);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_comes_before_the_target_had_its_time_blames_nobody() {
    let limit = ms(3_000);
    for (stream, scripts, verdicts) in [
        (true, vec![hangs()], vec![Verdict::Neutral]),
        (false, vec![hangs(), json(500, "")], vec![Verdict::Neutral]),
        (true, vec![events().repeat(9, 1_000, PING)], vec![Verdict::Neutral]),
        (false, vec![json(500, "").after(1_000), hangs()], vec![Verdict::HardFailure, Verdict::Neutral]),
    ] {
        let played = Stage::new(stream, scripts).within(limit).play().await;
        assert_eq!(played.head, Err(CallError::DeadlineExceeded { limit }));
        assert_eq!(played.at, limit);
        let seen: Vec<_> = played.record.attempts.iter().map(|attempt| attempt.verdict).collect();
        assert_eq!(seen, verdicts);
        assert_eq!(played.record.attempts.last().unwrap().cause, Some("deadline"));
    }
}

#[tokio::test(start_paused = true)]
async fn no_attempt_is_made_without_time() {
    let played = streamed([hangs()]).within(Duration::ZERO).play().await;
    assert_eq!(played.head, Err(CallError::DeadlineExceeded { limit: Duration::ZERO }));
    assert_eq!(played.counts.sent.len(), 0);
    let played = streamed([hangs(), hangs()]).within(ms(10_000)).play().await;
    assert_eq!(played.head, Err(CallError::DeadlineExceeded { limit: ms(10_000) }));
    assert_eq!((played.counts.sent.len(), played.at), (2, ms(10_000)), "half of it each, and no third one");
}

#[tokio::test(start_paused = true)]
async fn whole_answers_share_the_time_that_is_left() {
    let answer = || json(200, ANSWER);
    for (scripts, within, at) in [
        (vec![answer().after(59_000)], None, 59_000),
        (vec![hangs(), answer().after(29_000)], None, 59_000),
        (vec![hangs(), hangs(), answer().after(19_000)], None, 59_000),
        (vec![hangs(), answer().after(14_000)], Some(30_000), 29_000),
        (vec![hangs(), answer().after(1_000)], Some(12_000), 11_000),
        (vec![answer().after(59_000)], Some(90_000), 59_000),
    ] {
        let mut stage = whole(scripts);
        if let Some(within) = within {
            stage = stage.within(ms(within));
        }
        let played = stage.play().await;
        assert!(played.head.is_ok(), "{within:?}: {:?}", played.head);
        assert_eq!(played.at, ms(at));
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_passed_is_told_as_one_though_the_target_had_its_time() {
    for (stream, scripts, asked, limit) in [
        (false, vec![hangs()], 60_000, 60_000),
        (false, vec![hangs()], 90_000, 60_000),
        (false, vec![hangs()], 30_000, 30_000),
        (false, vec![hangs(), hangs()], 60_000, 60_000),
        (true, vec![hangs()], 10_000, 10_000),
    ] {
        let (limit, sends) = (ms(limit), scripts.len());
        let played = Stage::new(stream, scripts).within(ms(asked)).play().await;
        assert_eq!(played.head, Err(CallError::DeadlineExceeded { limit }));
        assert_eq!((played.at, played.counts.sent.len()), (limit, sends));
        assert!(played.record.attempts.iter().all(|attempt| attempt.verdict == Verdict::HardFailure));
    }
}
