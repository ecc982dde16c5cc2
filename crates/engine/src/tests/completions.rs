//! Clients that want a text completed, of providers that have no completions: the same engine, with fewer words.

use super::script::{Script, events, json, ms};
use super::stage::*;
use bytes::{Bytes, BytesMut};
use dialects::{Head, Writer, write_answer};
use llm::{CallError, Degraded, Delta, Dialect, FinishReason, Outcome, StreamEnd, Usage, Verdict};
use routing::LastResort;
use serde_json::Value;

const CLIENT: Dialect = Dialect::COMPLETIONS;

fn text(text: &str) -> Delta {
    Delta::Text { choice: 0, text: text.into() }
}

fn thought() -> Delta {
    Delta::Thought { choice: 0, text: "hm".into() }
}

fn ended(finish: FinishReason) -> [Delta; 2] {
    let usage = Usage { input: 5, output: 2, ..Usage::default() };
    [Delta::Ended { choice: 0, finish, stop: None }, Delta::Used(usage)]
}

/// The bytes of Anthropic's stream that say each of these in turn; the last ones end it.
fn pieces(deltas: &[Delta], ends: bool) -> Vec<Bytes> {
    let (mut writer, mut out) = (Writer::of(Dialect::Anthropic, false, Head::default()), BytesMut::new());
    let mut pieces = Vec::new();
    for delta in deltas {
        writer.push(delta, &mut out);
        pieces.push(out.split().freeze());
    }
    if ends {
        writer.finish(&mut out);
        pieces.push(out.split().freeze());
    }
    pieces
}

/// An answer that says this.
fn says(stream: bool, deltas: &[Delta]) -> Script {
    if stream {
        pieces(deltas, true).into_iter().fold(events(), Script::say)
    } else {
        json(200, write_answer(Dialect::Anthropic, &Head::default(), deltas))
    }
}

fn stage<const N: usize>(stream: bool, scripts: [Script; N]) -> Stage {
    let stage = Stage::new(stream, scripts).client(CLIENT);
    (0..N).fold(stage, |stage, place| stage.api(place, Dialect::Anthropic))
}

/// The text that the client reads, and its last reason.
fn read(stream: bool, body: &str) -> (String, String) {
    let data = body.lines().filter_map(|line| line.strip_prefix("data: ").filter(|data| data.starts_with('{')));
    let objects: Vec<&str> = if stream { data.collect() } else { vec![body] };
    let (mut text, mut finish) = (String::new(), String::new());
    for object in objects {
        let object: Value = serde_json::from_str(object).unwrap();
        text += object["choices"][0]["text"].as_str().unwrap_or_default();
        finish += object["choices"][0]["finish_reason"].as_str().unwrap_or_default();
    }
    (text, finish)
}

#[tokio::test(start_paused = true)]
async fn what_says_nothing_to_the_client_is_replaced() {
    let call = Delta::Call { choice: 0, call: 0, id: "1".into(), name: "f".into(), free: false, seal: None };
    for stream in [false, true] {
        for hollow in [thought(), call.clone()] {
            let bad = says(stream, &[&[hollow.clone()][..], &ended(FinishReason::Stop)].concat());
            let good = says(stream, &[&[text("so")][..], &ended(FinishReason::Stop)].concat());
            let played = stage(stream, [bad, good]).play().await;
            assert_eq!(read(stream, &played.text()), ("so".into(), "stop".into()), "{hollow:?}");
            let verdicts: Vec<_> = played.record.attempts.iter().map(|attempt| attempt.verdict).collect();
            assert_eq!(verdicts, [Verdict::SemanticFailure, Verdict::Success], "{hollow:?}, stream {stream}");
            assert_eq!(played.record.usage.map(|usage| (usage.input, usage.output)), Some((5, 2)));
        }
    }
}

/// The client waits, and the model is at work.
#[tokio::test(start_paused = true)]
async fn who_thinks_for_long_is_not_silent() {
    let mut said = vec![thought(); 20];
    said.push(text("so"));
    said.extend(ended(FinishReason::Stop));
    let slow = pieces(&said, true).into_iter().fold(events(), |script, piece| script.wait(1_000).say(piece));
    let played = stage(true, [slow]).timeouts(routing::Timeouts { first_token: ms(5_000), ..TIMEOUTS }).play().await;
    assert_eq!(read(true, &played.text()), ("so".into(), "stop".into()));
    assert_eq!(played.record.outcome, Outcome::Success);
    // And who falls silent over it has stalled.
    let stalled = pieces(&said[..2], false).into_iter().fold(events(), Script::say).hang();
    let played = stage(true, [stalled]).play().await;
    assert!(played.head.is_err(), "{:?}", played.head);
    assert_eq!(played.record.attempts[0].cause, Some("idle_timeout"));
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_breaks_off_ends_in_one_error() {
    let cut = pieces(&[text("half of")], false).into_iter().fold(events(), Script::say).cut();
    let played = stage(true, [cut]).play().await;
    let body = played.text();
    assert!(body.contains("half of") && body.contains("\"error\":{") && !body.contains("[DONE]"), "{body}");
    assert_eq!(body.matches("\"error\":{").count(), 1, "{body}");
    assert_eq!((played.record.outcome, played.record.stream_end), (Outcome::Truncated, Some(StreamEnd::Truncated)));
}

#[tokio::test(start_paused = true)]
async fn what_a_conversation_cannot_be_asked_is_refused_by_name() {
    for (fields, field) in [(r#","suffix":"x""#, "suffix"), (r#","n":2"#, "n"), (r#","logprobs":1"#, "logprobs")] {
        let good = says(false, &[&[text("so")][..], &ended(FinishReason::Stop)].concat());
        let played = stage(false, [good]).fields(fields).play().await;
        match &played.head {
            Err(CallError::InvalidRequest { param, .. }) => assert_eq!(param.as_deref(), Some(field)),
            other => panic!("{fields}: {other:?}"),
        }
        assert!(played.record.attempts.is_empty(), "nobody was asked");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_contract_would_have_to_read_is_refused() {
    for stream in [false, true] {
        let good = || says(stream, &[&[text("so")][..], &ended(FinishReason::Stop)].concat());
        let longest = stage(stream, [good()]).contract(|policy| {
            policy.require.insert(contracts::Check::MaxChars);
            policy.max_chars = Some(100);
        });
        let played = longest.play().await;
        assert!(matches!(&played.head, Err(CallError::InvalidRequest { message, .. }) if message.contains("contract")));
        assert!(played.record.attempts.is_empty(), "nobody was asked");
        let fewer = stage(stream, [good()]).contract(|policy| policy.max_repairs = 0);
        assert_eq!(fewer.play().await.record.outcome, Outcome::Success, "nothing more than usual is demanded");
    }
}

#[tokio::test(start_paused = true)]
async fn a_text_of_the_configuration_stands_in_for_a_completion() {
    for stream in [false, true] {
        let down = json(500, "{}");
        let sorry = vec![LastResort::Static("Later.".into())];
        let played = stage(stream, [down]).policy(|policy| policy.last_resorts = sorry).play().await;
        assert_eq!(read(stream, &played.text()), ("Later.".into(), "stop".into()));
        assert_eq!(played.record.degraded, Some(Degraded::Static));
    }
}
