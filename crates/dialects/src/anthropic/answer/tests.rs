//! Answers read, written, and read again.

use super::super::fixtures::{ALL, stream};
use super::super::{Reader, StreamDecoder, Writer, write_answer};
use crate::openai_chat::each_data;
use crate::{Ending, Head, Quirks, Unread};
use bytes::BytesMut;
use llm::{Delta, Dialect, FinishReason, Seal, SealKind, Usage};
use proptest::prelude::*;
use serde_json::Value;

fn head() -> Head {
    Head { id: "msg_ours".into(), model: "asked".into(), created: 7, usage: true, ..Head::default() }
}

fn read(events: &[&str]) -> Result<Vec<Delta>, Unread> {
    let (mut reader, mut out) = (Reader::default(), Vec::new());
    events.iter().try_for_each(|event| reader.push(event.as_bytes(), &mut out))?;
    Ok(out)
}

fn read_stream(bytes: &[u8]) -> Vec<Delta> {
    let (mut reader, mut out) = (Reader::default(), Vec::new());
    each_data(bytes, |data| reader.push(data, &mut out)).expect("readable");
    out
}

fn written(deltas: &[Delta]) -> (Vec<u8>, Vec<String>) {
    let (mut writer, mut out) = (Writer::new(head()), BytesMut::new());
    deltas.iter().for_each(|delta| writer.push(delta, &mut out));
    writer.finish(&mut out);
    (out.to_vec(), writer.left_out().to_vec())
}

/// Neighbours joined, and of usage the last alone: what a reader may cut otherwise.
fn joined(deltas: Vec<Delta>) -> Vec<Delta> {
    let used = deltas.iter().rev().find(|delta| matches!(delta, Delta::Used(_))).cloned();
    let mut out: Vec<Delta> = Vec::new();
    for delta in deltas {
        match (&delta, out.last_mut()) {
            (Delta::Used(_), _) => {}
            (Delta::Text { text, .. }, Some(Delta::Text { text: before, .. }))
            | (Delta::Thought { text, .. }, Some(Delta::Thought { text: before, .. }))
            | (Delta::Refusal { text, .. }, Some(Delta::Refusal { text: before, .. }))
            | (Delta::Arguments { text, .. }, Some(Delta::Arguments { text: before, .. })) => before.push_str(text),
            _ => out.push(delta),
        }
    }
    out.extend(used);
    out
}

fn text(text: &str) -> Delta {
    Delta::Text { choice: 0, text: text.into() }
}

fn call(call: u32, id: &str, name: &str) -> Delta {
    Delta::Call { choice: 0, call, id: id.into(), name: name.into(), free: false, seal: None }
}

fn arguments(call: u32, text: &str) -> Delta {
    Delta::Arguments { choice: 0, call, text: text.into() }
}

fn sealed(of: Dialect, kind: SealKind, token: &str) -> Delta {
    Delta::ThoughtSealed { choice: 0, seal: Seal { of, kind, token: token.into() } }
}

fn other(name: &str, json: &str) -> Delta {
    Delta::Other { choice: 0, name: name.into(), json: json.into() }
}

fn ended(finish: FinishReason) -> Delta {
    Delta::Ended { choice: 0, finish, stop: None }
}

fn used(input: u64, output: u64, reasoning: u64) -> Delta {
    Delta::Used(Usage { input, output, cached: 400, cache_written: 30, reasoning })
}

fn of_fixture(name: &str) -> Vec<Delta> {
    let (_, events) = ALL.into_iter().find(|(known, _)| *known == name).expect("a fixture");
    read(events).expect("readable")
}

#[test]
fn fixtures_say_what_they_say() {
    let began = || Delta::Began { id: "msg_1".into(), model: "claude-x".into() };
    let thought = |text: &str| Delta::Thought { choice: 0, text: text.into() };
    let signed = |token| sealed(Dialect::Anthropic, SealKind::Signature, token);
    for (name, expected) in [
        (
            "words",
            vec![
                began(),
                used(442, 1, 0),
                text("Caf"),
                text("é \"é\" 😀\n"),
                Delta::Ended { choice: 0, finish: FinishReason::Stop, stop: Some("END".into()) },
                used(442, 30, 0),
            ],
        ),
        (
            "thoughts",
            vec![
                began(),
                used(442, 1, 0),
                thought("hm"),
                signed("sig-1"),
                signed("sig-2"),
                sealed(Dialect::Anthropic, SealKind::Encrypted, "xyz"),
                text("42"),
                ended(FinishReason::Stop),
                used(445, 30, 20),
            ],
        ),
        (
            "calls",
            vec![
                began(),
                used(442, 1, 0),
                text("Let me"),
                call(0, "toolu_1", "f"),
                arguments(0, r#"{"a":"}\"","#),
                arguments(0, r#""b":[1]}"#),
                call(1, "toolu_2", "g"),
                arguments(1, "{}"),
                call(2, "toolu_3", "h"),
                arguments(2, r#"{"whole":true}"#),
                ended(FinishReason::ToolCalls),
                used(442, 48, 0),
            ],
        ),
        (
            "server",
            vec![
                began(),
                used(442, 1, 0),
                other(
                    "server_tool_use",
                    r#"{"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{"query":"x"}}"#,
                ),
                other(
                    "web_search_tool_result",
                    r#"{"type":"web_search_tool_result","tool_use_id":"srvtoolu_1","content":[{"type":"web_search_result","url":"https://x"}]}"#,
                ),
                text("It says "),
                other("citations", "[]"),
                other("citations", r#"[{"type":"web_search_result_location","url":"https://x"}]"#),
                text("this"),
                other("citations", "[]"),
                text("."),
                other("container", r#"{"id":"container_1"}"#),
                ended(FinishReason::Other),
                used(442, 48, 0),
            ],
        ),
        (
            "refused",
            vec![
                began(),
                used(442, 1, 0),
                Delta::Refusal { choice: 0, text: "This was blocked.".into() },
                ended(FinishReason::ContentFilter),
                used(442, 5, 0),
            ],
        ),
    ] {
        assert_eq!(of_fixture(name), expected, "{name}");
    }
    let at_once = of_fixture("at once");
    assert_eq!(at_once[1..4], [call(0, "toolu_1", "f"), arguments(0, r#"{"a":1}"#), ended(FinishReason::ToolCalls)]);
}

#[test]
fn what_is_no_answer_is_refused() {
    let start = r#"{"type":"message_start","message":{"id":"a","content":[]}}"#;
    let hi = r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"hi"}}"#;
    for events in [
        &["<html>"][..],
        &["[]"],
        &["{}"],
        &[r#"{"type":"message_start"}"#],
        &[r#"{"type":"content_block_start","index":0}"#],
        &[r#"{"type":"error","error":{"type":"overloaded_error"}}"#],
        &[start, hi, start],
        &[start, r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{"}}"#],
    ] {
        assert_eq!(read(events), Err(Unread::NotAnAnswer), "{events:?}");
    }
    assert_eq!(read(&[start, start, hi, "[DONE]", r#"{"type":"tomorrow"}"#]).map(|deltas| deltas.len()), Ok(2));
    for body in ["", "[]", "{}", r#"{"type":"error","error":{}}"#, r#"{"content":"x"}"#] {
        assert_eq!(Reader::whole(body.as_bytes()), Err(Unread::NotAnAnswer), "{body}");
    }
}

#[test]
fn what_is_read_is_bounded() {
    let block = |n: usize| {
        format!(
            r#"{{"type":"content_block_start","index":{n},"content_block":{{"type":"tool_use","id":"a","name":"f","input":{{}}}}}}"#
        )
    };
    let calls: Vec<String> = (0..129).map(block).collect();
    let calls: Vec<&str> = calls.iter().map(String::as_str).collect();
    assert_eq!(read(&calls), Err(Unread::TooLarge));
    assert!(read(&calls[..128]).is_ok());
    let long = format!(
        r#"{{"type":"content_block_delta","index":0,"delta":{{"type":"text_delta","text":"{}"}}}}"#,
        "x".repeat(4 << 20)
    );
    assert!(read(&[&*long; 8]).is_ok());
    assert_eq!(read(&[&*long; 9]), Err(Unread::TooLarge));
}

#[test]
fn fixtures_come_back_streamed_and_whole() {
    for (name, _) in ALL {
        let deltas = joined(of_fixture(name));
        let (bytes, left_out) = written(&deltas);
        let mut expected = deltas.clone();
        if name == "server" {
            // A pause is nobody else's word.
            let at = expected.len() - 2;
            expected[at] = ended(FinishReason::Stop);
        }
        assert_eq!(joined(read_stream(&bytes)), expected, "{name}");
        let whole = write_answer(&head(), &deltas);
        assert_eq!(joined(Reader::whole(&whole).expect("a message")), expected, "{name}");
        assert!(left_out.is_empty(), "{name}: {left_out:?}");
        let mut decoder = StreamDecoder::new(Quirks::default());
        decoder.feed(&bytes);
        while decoder.next_frame().is_some() {}
        assert_eq!(decoder.end(), Ending::Complete(None), "{name}");
    }
}

#[test]
fn a_stream_begins_and_ends_as_the_dialect_does() {
    let deltas = [
        Delta::Began { id: String::new(), model: String::new() },
        used(442, 1, 0),
        text("hi"),
        ended(FinishReason::Length),
        used(442, 9, 3),
    ];
    let (bytes, _) = written(&deltas);
    let expected = [
        r#"{"type":"message_start","message":{"id":"msg_ours","type":"message","role":"assistant","model":"asked","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":12,"cache_creation_input_tokens":30,"cache_read_input_tokens":400,"output_tokens":1}}}"#,
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"hi"}}"#,
        r#"{"type":"content_block_stop","index":0}"#,
        r#"{"type":"message_delta","delta":{"stop_reason":"max_tokens","stop_sequence":null},"usage":{"input_tokens":12,"cache_creation_input_tokens":30,"cache_read_input_tokens":400,"output_tokens":9,"output_tokens_details":{"thinking_tokens":3}}}"#,
        r#"{"type":"message_stop"}"#,
    ];
    assert_eq!(String::from_utf8(bytes), String::from_utf8(stream(&expected)));
    let whole: Value = serde_json::from_slice(&write_answer(&head(), &deltas)).expect("JSON");
    assert_eq!(whole["content"], serde_json::json!([{"type": "text", "text": "hi"}]));
    assert_eq!((&whole["stop_reason"], &whole["usage"]["output_tokens"]), (&"max_tokens".into(), &9.into()));
}

/// The blocks of a whole answer, as JSON.
fn content(deltas: &[Delta]) -> (Value, Vec<String>) {
    let (bytes, left_out) = written(deltas);
    assert_in_order(&bytes);
    let whole: Value = serde_json::from_slice(&write_answer(&head(), deltas)).expect("JSON");
    assert_eq!(
        joined(read_stream(&bytes)).len(),
        joined(Reader::whole(&write_answer(&head(), deltas)).expect("a message")).len(),
        "both forms say the same"
    );
    (whole["content"].clone(), left_out)
}

#[test]
fn calls_told_side_by_side_are_written_one_after_the_other() {
    let input = |n: u32| serde_json::json!({"type": "tool_use", "id": format!("t{n}"), "name": "f", "input": {"n": n}});
    let said = |text: &str| serde_json::json!({"type": "text", "text": text});
    let (c0, c1) = (call(0, "t0", "f"), call(1, "t1", "f"));
    let half = |n, text| arguments(n, text);
    for (deltas, expected) in [
        (
            vec![c0.clone(), c1.clone(), half(0, r#"{"n":"#), half(1, r#"{"n":"#), half(0, "0}"), half(1, "1}")],
            vec![input(0), input(1)],
        ),
        (
            vec![c0.clone(), c1.clone(), half(1, r#"{"n":1}"#), half(0, r#"{"n":0}"#), text("so")],
            vec![input(0), input(1), said("so")],
        ),
        (
            vec![
                c0.clone(),
                half(0, r#"{"n":"#),
                text("a"),
                text("b"),
                half(0, "0}"),
                c1.clone(),
                half(1, r#"{"n":1}"#),
            ],
            vec![input(0), said("ab"), input(1)],
        ),
        (vec![text("a"), c0.clone(), half(0, r#"{"n":0}"#), text("b")], vec![said("a"), input(0), said("b")]),
        (
            vec![c0.clone(), c1.clone()],
            vec![
                serde_json::json!({"type": "tool_use", "id": "t0", "name": "f", "input": {}}),
                serde_json::json!({"type": "tool_use", "id": "t1", "name": "f", "input": {}}),
            ],
        ),
        (
            vec![c0.clone(), half(0, "not json")],
            vec![
                serde_json::json!({"type": "tool_use", "id": "t0", "name": "f", "input": {"INVALID_JSON": "not json"}}),
            ],
        ),
        (
            vec![call(0, "", "f"), half(0, r#"{"n":0}"#)],
            vec![serde_json::json!({"type": "tool_use", "id": "toolu_msg_ours_0", "name": "f", "input": {"n": 0}})],
        ),
    ] {
        let (written, left_out) = content(&deltas);
        assert_eq!(written, Value::from(expected), "{deltas:?}");
        assert!(left_out.is_empty());
    }
}

#[test]
fn whole_arguments_are_added_like_pieces() {
    let (bytes, _) = written(&[call(0, "t", "f"), arguments(0, r#"{"a":1}"#), ended(FinishReason::Stop)]);
    let text = String::from_utf8(bytes).expect("UTF-8");
    assert!(text.contains(r#""content_block":{"type":"tool_use","id":"t","name":"f","input":{}}"#), "{text}");
    assert!(text.contains(r#""delta":{"type":"input_json_delta","partial_json":"{\"a\":1}"}"#), "{text}");
    assert!(text.contains(r#""stop_reason":"tool_use""#), "{text}");
}

#[test]
fn text_for_a_tool_is_wrapped_as_it_comes() {
    let free = Delta::Call { choice: 0, call: 0, id: "t".into(), name: "f".into(), free: true, seal: None };
    let (written, _) = content(&[free.clone(), arguments(0, "say \"é"), arguments(0, "\n}")]);
    assert_eq!(written[0]["input"], serde_json::json!({"input": "say \"é\n}"}));
    assert_eq!(content(&[free]).0[0]["input"], serde_json::json!({"input": ""}));
}

#[test]
fn seals_of_others_come_back_whose_they_are() {
    let of_call = Seal { of: Dialect::Gemini, kind: SealKind::Signature, token: "g".into() };
    let deltas = [
        Delta::Began { id: "a".into(), model: "m".into() },
        Delta::Thought { choice: 0, text: "hm".into() },
        sealed(Dialect::Responses, SealKind::Encrypted, "r"),
        sealed(Dialect::Gemini, SealKind::Signature, "s"),
        Delta::Call { choice: 0, call: 0, id: "t".into(), name: "f".into(), free: false, seal: Some(of_call) },
        arguments(0, "{}"),
        ended(FinishReason::ToolCalls),
        used(500, 3, 0),
    ];
    assert_eq!(joined(read_stream(&written(&deltas).0)), deltas);
    assert_eq!(joined(Reader::whole(&write_answer(&head(), &deltas)).expect("a message")), deltas);
}

#[test]
fn what_cannot_be_said_is_told() {
    let of_text = Seal { of: Dialect::Gemini, kind: SealKind::Signature, token: "g".into() };
    let (written, left_out) = content(&[
        other("citations", r#"[{"start":0,"end":4,"text":"Café","type":"TEXT_CONTENT"}]"#),
        other("citations", r#"["https://x"]"#),
        text("a"),
        Delta::TextSealed { choice: 0, seal: of_text },
        other("annotations", "[]"),
        other("logprobs", "{}"),
        other("web_search_call", r#"{"type":"web_search_call"}"#),
        other("fallback", r#"{"type":"fallback","from":{"model":"a"}}"#),
        Delta::Text { choice: 1, text: "another".into() },
        arguments(7, "{}"),
    ]);
    assert_eq!(
        written,
        serde_json::json!([{"type": "text", "text": "a"}, {"type": "fallback", "from": {"model": "a"}}])
    );
    assert_eq!(
        left_out,
        ["citations", "signature", "annotations", "logprobs", "web_search_call", "choices", "tool_use.input"]
    );
    let many: Vec<Delta> = (0..100).map(|n| other(&format!("{n}{}", "x".repeat(100)), "{}")).collect();
    let (_, left_out) = content(&many);
    assert!(left_out.len() == 32 && left_out.iter().all(|name| name.len() <= 64));
}

#[test]
fn blocks_that_others_wrote_over_several_lines_are_one_event() {
    let (bytes, _) = written(&[other("fallback", "{\n \"type\": \"fallback\",\r\n \"input\": {\"a\":\n1}}")]);
    assert_in_order(&bytes);
    let blocks = read_stream(&bytes).into_iter().filter(|delta| matches!(delta, Delta::Other { .. }));
    assert_eq!(blocks.count(), 1);
}

/// Whether a stream keeps the dialect's laws.
fn assert_in_order(bytes: &[u8]) {
    let mut events = Vec::new();
    each_data(bytes, |data| {
        events.push(serde_json::from_slice::<Value>(data).expect("JSON"));
        Ok::<(), ()>(())
    })
    .expect("events");
    let kinds: Vec<&str> = events.iter().map(|event| event["type"].as_str().expect("a type")).collect();
    assert_eq!(
        (kinds[0], kinds[kinds.len() - 2], kinds[kinds.len() - 1]),
        ("message_start", "message_delta", "message_stop")
    );
    let (mut next, mut open) = (0, false);
    for (event, kind) in events.iter().zip(&kinds).take(kinds.len() - 2).skip(1) {
        assert_eq!(event["index"], next, "{kinds:?}");
        match *kind {
            "content_block_start" => assert!(!std::mem::replace(&mut open, true), "{kinds:?}"),
            "content_block_delta" => assert!(open, "{kinds:?}"),
            "content_block_stop" => {
                assert!(std::mem::take(&mut open), "{kinds:?}");
                next += 1;
            }
            other => panic!("{other}: {kinds:?}"),
        }
    }
    assert!(!open, "{kinds:?}");
}

/// Deltas as a reader gives them: each call before its arguments, which are whole JSON.
fn an_answer() -> impl Strategy<Value = Vec<Delta>> {
    let part = prop_oneof![
        "\\PC{1,8}".prop_map(|said| vec![text(&said)]),
        ("\\PC{0,8}", "[a-zA-Z0-9+/=.]{1,9}", 0usize..4, any::<bool>()).prop_map(|(thought, token, of, signed)| {
            let kind = if signed { SealKind::Signature } else { SealKind::Encrypted };
            let own = Dialect::ANSWERS[of] == Dialect::Anthropic;
            let words =
                (!thought.is_empty() && (signed || !own)).then_some(Delta::Thought { choice: 0, text: thought });
            words.into_iter().chain([sealed(Dialect::ANSWERS[of], kind, &token)]).collect()
        }),
        ("[a-z]{1,5}", "[a-z]{1,5}", "\\PC{0,8}", proptest::option::of("[a-z.]{1,5}")).prop_map(
            |(id, name, value, token)| {
                let seal =
                    token.map(|token| Seal { of: Dialect::Gemini, kind: SealKind::Signature, token: token.into() });
                let json = serde_json::json!({ "value": value }).to_string();
                vec![Delta::Call { choice: 0, call: 0, id, name, free: false, seal }, arguments(0, &json)]
            }
        ),
        Just(vec![other("fallback", r#"{"type":"fallback","to":{"model":"b"}}"#)]),
    ];
    let finish = prop_oneof![Just(FinishReason::Stop), Just(FinishReason::Length), Just(FinishReason::ContentFilter)];
    (proptest::collection::vec(part, 0..8), finish, any::<[u16; 5]>()).prop_map(|(parts, finish, counts)| {
        let mut deltas = vec![Delta::Began { id: "a".into(), model: "m".into() }];
        deltas.extend(parts.into_iter().flatten());
        let mut calls = 0;
        for delta in &mut deltas {
            match delta {
                Delta::Call { call, .. } => {
                    calls += 1;
                    *call = calls - 1;
                }
                Delta::Arguments { call, .. } => *call = calls - 1,
                _ => {}
            }
        }
        let finish = if calls > 0 && finish == FinishReason::Stop { FinishReason::ToolCalls } else { finish };
        deltas.push(ended(finish));
        let [fresh, cached, written, thought, said] = counts.map(u64::from);
        deltas.push(Delta::Used(Usage {
            input: fresh + cached + written,
            output: thought + said,
            cached,
            cache_written: written,
            reasoning: thought,
        }));
        joined(deltas)
    })
}

/// Deltas in any order whatever.
fn anything() -> impl Strategy<Value = Vec<Delta>> {
    let piece = prop_oneof![Just("{"), Just("}"), Just("\"a\":1"), Just("\""), Just("\\"), Just("x"), Just("")];
    let delta = prop_oneof![
        "[a-z]{0,3}".prop_map(|said| text(&said)),
        "[a-z]{0,3}".prop_map(|said| Delta::Thought { choice: 0, text: said }),
        (0usize..4, any::<bool>()).prop_map(|(of, signed)| {
            let kind = if signed { SealKind::Signature } else { SealKind::Encrypted };
            sealed(Dialect::ANSWERS[of], kind, "t")
        }),
        (0u32..4).prop_map(|n| call(n, "", "f")),
        (0u32..4, any::<bool>()).prop_map(|(n, free)| Delta::Call {
            choice: 0,
            call: n,
            id: "i".into(),
            name: "f".into(),
            free,
            seal: None
        }),
        (0u32..4, piece).prop_map(|(n, piece)| arguments(n, piece)),
        Just(other("citations", "[]")),
        Just(other("citations", r#"[{"type":"char_location"}]"#)),
        Just(other("fallback", r#"{"type":"fallback"}"#)),
        Just(ended(FinishReason::Stop)),
        Just(used(500, 1, 0)),
    ];
    proptest::collection::vec(delta, 0..24)
}

proptest! {
    #[test]
    fn an_answer_comes_back_as_it_was(deltas in an_answer()) {
        prop_assert_eq!(&joined(read_stream(&written(&deltas).0)), &deltas);
        prop_assert_eq!(&joined(Reader::whole(&write_answer(&head(), &deltas)).expect("a message")), &deltas);
    }

    #[test]
    fn the_laws_hold_whatever_comes(deltas in anything()) {
        let (bytes, _) = written(&deltas);
        assert_in_order(&bytes);
        let texts = |deltas: &[Delta]| -> String {
            deltas.iter().filter_map(|delta| match delta { Delta::Text { text, .. } => Some(&**text), _ => None }).collect()
        };
        prop_assert_eq!(texts(&read_stream(&bytes)), texts(&deltas));
        let whole = Reader::whole(&write_answer(&head(), &deltas)).expect("a message");
        prop_assert_eq!(texts(&whole), texts(&deltas));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Reader::default().push(&bytes, &mut Vec::new());
        let _ = Reader::whole(&bytes);
    }
}
