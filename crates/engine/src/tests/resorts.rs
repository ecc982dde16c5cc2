//! What a client gets where no target of its route answered.

use super::script::{Script, fails, hangs, head, json, ms};
use super::stage::*;
use llm::{AttemptKind, CallError, Degraded, Dialect, Failure, FinishReason, Outcome, StreamEnd};
use routing::LastResort;
use std::sync::Arc;

const SORRY: &str = "Please come back \"later\".";

fn text() -> LastResort {
    LastResort::Static(Arc::from(SORRY))
}

fn spare() -> LastResort {
    LastResort::Route("spare".into())
}

/// The route `chat` over the first provider; the route `spare` over the second.
fn stage(stream: bool, scripts: [Script; 2], resorts: &[LastResort]) -> Stage {
    let resorts = resorts.to_vec();
    let stage = Stage::new(stream, scripts).targets(&[(0, "m-a")]).route("spare", &[(1, "m-b")]);
    stage.policy(|policy| policy.last_resorts = resorts)
}

#[tokio::test(start_paused = true)]
async fn another_route_answers() {
    for stream in [true, false] {
        let played =
            stage(stream, [fails(Failure::BadHttp).after(20), good(stream).after(30)], &[spare()]).play().await;
        assert_eq!((played.head, played.at), (Ok(("b/m-b".into(), true)), ms(50)));
        let record = played.record;
        assert_eq!((record.outcome, record.degraded), (Outcome::Degraded, Some(Degraded::Fallback)));
        assert_eq!((&*record.route.name, record.status, record.error), ("chat", 200, None));
        let kinds: Vec<_> = record.attempts.iter().map(|attempt| attempt.kind).collect();
        assert_eq!(kinds, [AttemptKind::First, AttemptKind::Retry]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_text_of_the_configuration_reads_as_a_models_answer() {
    for stream in [true, false] {
        let played = stage(stream, [head(404), good(stream)], &[text()]).play().await;
        assert_eq!(played.head, Ok(("none".into(), true)));
        let body = played.text();
        assert!(body.contains(r#"Please come back \"later\"."#), "{body}");
        assert!(body.contains(r#""finish_reason":"stop""#) && body.contains(r#""id":"chatcmpl-r-1""#), "{body}");
        if stream {
            assert!(body.starts_with("data: {") && body.ends_with("data: [DONE]\n\n"), "{body}");
        } else {
            assert!(body.starts_with('{') && body.ends_with('}'), "{body}");
        }
        let record = played.record;
        assert_eq!((record.outcome, record.degraded), (Outcome::Degraded, Some(Degraded::Static)));
        assert_eq!((record.served, record.finish), (None, Some(FinishReason::Stop)));
        assert_eq!((record.attempts.len(), record.stream_end), (1, stream.then_some(StreamEnd::Complete)));
    }
}

#[tokio::test(start_paused = true)]
async fn they_are_tried_in_their_order() {
    for (resorts, scripts, served, sends) in [
        (vec![spare(), text()], [head(404), good(true)], "b/m-b", 2),
        (vec![spare(), text()], [head(404), head(404)], "none", 2),
        (vec![text(), spare()], [head(404), good(true)], "none", 1),
    ] {
        let played = stage(true, scripts, &resorts).play().await;
        assert_eq!(played.head, Ok((served.into(), true)), "{resorts:?}");
        assert_eq!(played.counts.sent.len(), sends);
    }
    let played = stage(true, [head(404), head(404)], &[spare()]).play().await;
    assert_eq!(
        played.head,
        Err(CallError::UpstreamFailed { message: "No target answered: b/m-b answered 404.".into() })
    );
}

#[tokio::test(start_paused = true)]
async fn a_target_that_answers_needs_none_and_nobody_is_asked_for_a_clients_own_fault() {
    let played = stage(true, [good(true), good(true)], &[spare()]).play().await;
    assert_eq!((played.head, played.record.degraded), (Ok(("a/m-a".into(), false)), None));
    for bad in [json(400, "{}"), head(413), json(400, r#"{"error":{"code":"context_length_exceeded"}}"#)] {
        let played = stage(true, [bad, good(true)], &[spare(), text()]).play().await;
        assert!(matches!(played.head, Err(CallError::Provider(_))), "{:?}", played.head);
        assert_eq!(played.counts.sent.len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_text_is_there_even_when_the_time_is_over() {
    let stage = stage(true, [hangs(), good(true)], &[spare(), text()]).within(ms(3_000));
    let played = stage.play().await;
    assert_eq!((played.head, played.at), (Ok(("none".into(), true)), ms(3_000)));
    assert_eq!(played.counts.sent.len(), 1, "but no time to ask anyone else");
}

#[tokio::test(start_paused = true)]
async fn they_are_there_at_once_where_every_target_rests() {
    let stage = stage(false, [head(500), good(false)], &[spare()]).attempts(1);
    stage.play_each(5).await;
    let before = stage.elapsed();
    let played = stage.play().await;
    assert_eq!((played.head, played.at), (Ok(("b/m-b".into(), true)), before));
    assert_eq!((stage.asked_of(0), played.record.attempts.len()), (5, 1));
    stage.idle();
}

#[tokio::test(start_paused = true)]
async fn what_one_provider_cannot_be_asked_another_route_may_be() {
    // `logit_bias` means something in its own dialect alone.
    let fields = r#","logit_bias":{"7":-100},"store":true"#;
    let stage = |resorts: &[LastResort]| {
        stage(false, [good(false), good(false)], resorts).fields(fields).api(0, Dialect::Anthropic)
    };
    let played = stage(&[text()]).play().await;
    assert!(matches!(played.head, Err(CallError::InvalidRequest { .. })), "{:?}", played.head);
    let played = stage(&[text(), spare()]).play().await;
    assert_eq!((played.head, played.counts.sent.len()), (Ok(("b/m-b".into(), true)), 1));
}
