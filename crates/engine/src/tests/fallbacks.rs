//! Failures that say where to go next: another provider, a larger window, or nowhere.

use super::script::{fails, head, json};
use super::stage::*;
use llm::{CallError, ErrorKind, Failure, Outcome, Reach, Verdict};
use routing::{ModelFacts, OnRefusal};

#[tokio::test(start_paused = true)]
async fn an_unreachable_providers_other_targets_come_last() {
    let refused = || fails(Failure::Unreachable(Reach::Refused));
    let targets = [(0, "m1"), (0, "m2"), (1, "m"), (2, "m")];
    for (first, asked) in [(refused(), vec![0, 1, 2, 0]), (head(500), vec![0, 0, 1, 2])] {
        let stage = streamed([first, head(500), head(500)]).targets(&targets).attempts(4);
        let played = stage.play().await;
        let seen: Vec<_> = played.counts.sent.iter().map(|sent| sent.provider).collect();
        assert_eq!(seen, asked);
    }
}

#[tokio::test(start_paused = true)]
async fn too_long_a_question_goes_where_there_is_more_room_and_blames_nobody() {
    const LONG: &str =
        r#"{"error":{"message":"too long","type":"invalid_request_error","code":"context_length_exceeded"}}"#;
    let long = || json(400, LONG);
    let window = |size| ModelFacts { context_window: size, ..ModelFacts::default() };
    for (windows, asked, served) in [
        ([Some(8), Some(128), Some(8)], vec![0, 1], true),
        ([Some(8), None, Some(9)], vec![0, 2], true),
        ([None, None, Some(9)], vec![0, 2], true),
        ([Some(8), Some(8), Some(8)], vec![0], false),
        ([Some(128), Some(8), None], vec![0], false),
        ([None, None, None], vec![0], false),
    ] {
        for stream in [true, false] {
            let mut stage = Stage::new(stream, [long(), good(stream), good(stream)]);
            for (place, size) in windows.into_iter().enumerate() {
                stage = stage.facts(place, window(size));
            }
            let played = stage.play().await;
            let seen: Vec<_> = played.counts.sent.iter().map(|sent| sent.provider).collect();
            assert_eq!((seen, played.head.is_ok()), (asked.clone(), served), "{windows:?}");
            assert_eq!(played.record.attempts[0].verdict, Verdict::ClientFault);
            assert_eq!(stage.at("a/m-a").breaker.counts.failed, 0);
            if !served {
                let Err(CallError::Provider(error)) = played.head else { panic!("{:?}", played.head) };
                assert_eq!((error.status, &*error.body), (400, LONG.as_bytes()));
                assert_eq!(played.record.outcome, Outcome::ClientError);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn where_there_is_more_room_that_is_merely_away_the_client_may_come_back() {
    let long = || json(400, r#"{"error":{"message":"too long","code":"context_length_exceeded"}}"#);
    let window = |size| ModelFacts { context_window: Some(size), ..ModelFacts::default() };
    for (second, size, away) in
        [(head(503), 128, true), (head(429), 128, true), (head(500), 128, false), (head(503), 8, false)]
    {
        let stage = streamed([long(), second]).facts(0, window(8)).facts(1, window(size));
        let played = stage.play().await;
        match played.head {
            Err(CallError::AllTargetsUnavailable { .. }) => assert!(away, "{size}"),
            Err(CallError::Provider(error)) => assert!(error.kind == ErrorKind::ContextLength && !away, "{size}"),
            other => panic!("{other:?}"),
        }
    }
    let stage = streamed([long(), head(500)]).facts(0, window(8)).facts(1, window(128));
    for _ in 0..2 {
        stage.finish(stage.call_for("b/m-b")).await;
    }
    let played = stage.play().await;
    assert!(matches!(played.head, Err(CallError::AllTargetsUnavailable { .. })), "it rests: {:?}", played.head);
}

#[tokio::test(start_paused = true)]
async fn what_shares_a_failure_domain_comes_last_too() {
    let refused = fails(Failure::Unreachable(Reach::Refused));
    let stage = streamed([refused, good(true), good(true)]).domain(0, "east").domain(1, "east").domain(2, "west");
    let played = stage.play().await;
    assert_eq!(played.head, Ok(("c/m-c".into(), true)));
}

#[tokio::test(start_paused = true)]
async fn withheld_answers_are_passed_on_unless_the_route_wants_another() {
    const WITHHELD: &str = r#"{"error":{"message":"no","type":"invalid_request_error","code":"content_filter"}}"#;
    let withheld = || json(400, WITHHELD);
    for (on_refusal, asked, served) in [(OnRefusal::Pass, 1, false), (OnRefusal::Failover, 2, true)] {
        let stage = streamed([withheld(), good(true)]).policy(|policy| policy.on_refusal = on_refusal);
        let played = stage.play().await;
        assert_eq!((played.counts.sent.len(), played.head.is_ok()), (asked, served));
        assert_eq!(played.record.attempts[0].verdict, Verdict::ClientFault);
        assert_eq!(stage.at("a/m-a").breaker.counts.failed, 0);
    }
    let played = streamed([withheld(), withheld()]).policy(|p| p.on_refusal = OnRefusal::Failover).play().await;
    assert!(matches!(played.head, Err(CallError::Provider(error)) if error.kind == ErrorKind::ContentPolicy));
}
