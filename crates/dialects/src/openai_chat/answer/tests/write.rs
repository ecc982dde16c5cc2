//! Answers for clients: the laws of a stream and of a whole answer.

use super::super::write_answer;
use super::*;
use llm::Usage;
use serde_json::Value;

#[test]
fn a_stream_keeps_the_laws() {
    let deltas = [
        Delta::Began { id: String::new(), model: String::new() },
        thought("x"),
        sealed(Dialect::Anthropic, SealKind::Signature, "s"),
        sealed(Dialect::Anthropic, SealKind::Encrypted, "d"),
        text("a"),
        call(0, "", "f"),
        call(1, "b", "g"),
        arguments(1, "{\"x\":"),
        Delta::Used(Usage { input: 5, output: 3, cached: 2, cache_written: 1, reasoning: 1 }),
        ended(FinishReason::Stop),
        ended(FinishReason::Length),
    ];
    let (events, left_out) = written(head(true), &deltas);
    assert_eq!(left_out, Vec::<String>::new());
    assert_eq!(events.last().map(String::as_str), Some("[DONE]"));
    let values: Vec<Value> = events[..events.len() - 1].iter().map(|e| serde_json::from_str(e).expect(e)).collect();
    for value in &values {
        assert_eq!((&value["id"], &value["model"]), (&"chatcmpl-ours".into(), &"route".into()));
        assert_eq!((&value["object"], &value["created"]), (&"chat.completion.chunk".into(), &7.into()));
    }
    let (last, rest) = values.split_last().expect("events");
    assert_eq!((last["choices"].as_array().map(Vec::len), &last["usage"]["total_tokens"]), (Some(0), &8.into()));
    assert_eq!(last["usage"]["prompt_tokens_details"]["cache_write_tokens"], 1);
    assert!(rest.iter().all(|value| value["usage"].is_null()));
    let shown: Vec<String> = rest
        .iter()
        .map(|value| format!("{} {}", value["choices"][0]["delta"], value["choices"][0]["finish_reason"]))
        .collect();
    assert_eq!(
        shown,
        [
            r#"{"content":"","refusal":null,"role":"assistant"} null"#,
            r#"{"reasoning_content":"x","reasoning_details":[{"index":0,"text":"x","type":"reasoning.text"}]} null"#,
            r#"{"reasoning_details":[{"format":"anthropic-claude-v1","index":0,"signature":"s","type":"reasoning.text"}]} null"#,
            r#"{"reasoning_details":[{"data":"d","format":"anthropic-claude-v1","index":1,"type":"reasoning.encrypted"}]} null"#,
            r#"{"content":"a"} null"#,
            r#"{"tool_calls":[{"function":{"arguments":"","name":"f"},"id":"call_ours_0_0","index":0,"type":"function"}]} null"#,
            r#"{"tool_calls":[{"function":{"arguments":"","name":"g"},"id":"b","index":1,"type":"function"}]} null"#,
            r#"{"tool_calls":[{"function":{"arguments":"{\"x\":"},"index":1}]} null"#,
            r#"{"tool_calls":[{"function":{"arguments":"{}"},"index":0}]} null"#,
            r#"{} "tool_calls""#,
        ]
    );
}

#[test]
fn a_choice_ends_in_a_legal_word() {
    use FinishReason::{ContentFilter, Length, Other, Stop, ToolCalls};
    for (finish, called, expected) in [
        (Stop, false, "stop"),
        (Stop, true, "tool_calls"),
        (ToolCalls, true, "tool_calls"),
        (ToolCalls, false, "stop"),
        (Other, false, "stop"),
        (Other, true, "tool_calls"),
        (Length, true, "length"),
        (ContentFilter, false, "content_filter"),
    ] {
        let mut deltas = vec![text("a")];
        if called {
            deltas.extend([call(0, "a", "f"), arguments(0, "{}")]);
        }
        deltas.push(ended(finish));
        let (events, _) = written(head(false), &deltas);
        let value: Value = serde_json::from_str(&events[events.len() - 2]).expect("JSON");
        assert_eq!(value["choices"][0]["finish_reason"], expected, "{finish:?} {called}");
        assert!(value.get("usage").is_none(), "usage is told to those who ask");
        let whole: Value = serde_json::from_slice(&write_answer(&head(false), &deltas)).expect("JSON");
        assert_eq!(whole["choices"][0]["finish_reason"], expected, "{finish:?} {called}");
    }
}

#[test]
fn what_has_no_place_is_told() {
    let other = |name: &str, json: &str| Delta::Other { choice: 0, name: name.into(), json: json.into() };
    let foreign = Delta::TextSealed { choice: 0, seal: seal(Dialect::Anthropic, SealKind::Signature, "s") };
    let (events, left_out) = written(
        head(false),
        &[
            other("citations", "[1,\n2]"),
            other("annotations", "[3]"),
            other("logprobs", "{}"),
            other("logprobs", "[]"),
            other("server_tool_use", "{}"),
            other("images", "broken"),
            foreign,
            arguments(4, "of no call"),
        ],
    );
    assert_eq!(left_out, ["logprobs", "server_tool_use", "images", "signature", "tool_calls"]);
    let has = |part: &str| events.iter().any(|event| event.contains(part));
    assert!(has(r#""choices":[],"citations":[1, 2]}"#) && has(r#""delta":{"annotations":[3]}"#));
    assert!(has(r#""logprobs":{},"finish_reason":null"#));
    let many: Vec<Delta> = (0..99).map(|n| other(&format!("x{n}"), "1")).collect();
    assert_eq!(written(head(false), &many).1.len(), 16);
}

#[test]
fn a_whole_answer_is_written() {
    let deltas = [
        Delta::Began { id: "theirs".into(), model: "m".into() },
        thought("x"),
        sealed(Dialect::Responses, SealKind::Encrypted, "e"),
        sealed(Dialect::Anthropic, SealKind::Signature, "s"),
        Delta::Call {
            choice: 0,
            call: 0,
            id: "a".into(),
            name: "f".into(),
            free: false,
            seal: Some(seal(Dialect::Gemini, SealKind::Signature, "g")),
        },
        Delta::Call { choice: 0, call: 1, id: "b".into(), name: "h".into(), free: true, seal: None },
        arguments(1, "t"),
        ended(FinishReason::Stop),
        Delta::Used(Usage { input: 1, output: 2, ..Usage::default() }),
    ];
    let body: Value = serde_json::from_slice(&write_answer(&head(false), &deltas)).expect("JSON");
    let expected = serde_json::json!({
        "id": "theirs", "object": "chat.completion", "created": 7, "model": "m",
        "choices": [{"index": 0, "logprobs": null, "finish_reason": "tool_calls", "message": {
            "role": "assistant", "content": null, "refusal": null, "reasoning_content": "x",
            "reasoning_details": [
                {"type": "reasoning.text", "text": "x", "index": 0},
                {"type": "reasoning.encrypted", "data": "e", "format": "openai-responses-v1", "index": 1},
                {"type": "reasoning.text", "text": "", "signature": "s", "format": "anthropic-claude-v1", "index": 2},
            ],
            "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"},
                 "extra_content": {"google": {"thought_signature": "g"}}},
                {"id": "b", "type": "custom", "custom": {"name": "h", "input": "t"}},
            ],
        }}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3,
            "prompt_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0}},
    });
    assert_eq!(body, expected);
}
