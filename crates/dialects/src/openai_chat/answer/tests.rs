//! Answers read and written, as tables and as round trips.

use super::*;
use crate::{Head, Unread};
use bytes::BytesMut;
use llm::{Delta, Dialect, FinishReason, Seal, SealKind, Usage};
use proptest::prelude::*;
use serde_json::Value;

fn head(usage: bool) -> Head {
    Head { id: "chatcmpl-ours".into(), model: "route".into(), created: 7, usage }
}

/// What the events say together.
fn read(events: &[&str]) -> Vec<Delta> {
    let (mut reader, mut out) = (Reader::default(), Vec::new());
    events.iter().for_each(|event| reader.push(event.as_bytes(), &mut out).unwrap_or_else(|e| panic!("{event}: {e}")));
    out
}

/// The events of one choice, with `id` and `model` told.
fn said(deltas: &[&str]) -> Vec<Delta> {
    let event = |delta: &&str| format!(r#"{{"id":"i","model":"m","choices":[{{"index":0,"delta":{delta}}}]}}"#);
    let events: Vec<String> = deltas.iter().map(event).collect();
    let read = read(&events.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(read.first(), Some(&Delta::Began { id: "i".into(), model: "m".into() }));
    read.into_iter().skip(1).collect()
}

/// The data of the events that are written.
fn written(head: Head, deltas: &[Delta]) -> (Vec<String>, Vec<String>) {
    let (mut writer, mut out) = (Writer::new(head), BytesMut::new());
    deltas.iter().for_each(|delta| writer.push(delta, &mut out));
    writer.finish(&mut out);
    let text = String::from_utf8(out.to_vec()).expect("text");
    let event = |block: &str| block.strip_prefix("data: ").expect("one line of data").to_owned();
    let events = text.split_terminator("\n\n").map(event).collect();
    (events, writer.left_out().to_vec())
}

fn text(text: &str) -> Delta {
    Delta::Text { choice: 0, text: text.into() }
}

fn thought(text: &str) -> Delta {
    Delta::Thought { choice: 0, text: text.into() }
}

fn seal(of: Dialect, kind: SealKind, token: &str) -> Seal {
    Seal { of, kind, token: token.into() }
}

fn sealed(of: Dialect, kind: SealKind, token: &str) -> Delta {
    Delta::ThoughtSealed { choice: 0, seal: seal(of, kind, token) }
}

fn call(call: u32, id: &str, name: &str) -> Delta {
    Delta::Call { choice: 0, call, id: id.into(), name: name.into(), free: false, seal: None }
}

fn arguments(call: u32, text: &str) -> Delta {
    Delta::Arguments { choice: 0, call, text: text.into() }
}

fn ended(finish: FinishReason) -> Delta {
    Delta::Ended { choice: 0, finish, stop: None }
}

#[test]
fn words_are_read_once_under_whatever_name() {
    use Dialect::{Anthropic, Gemini, OpenAiChat, Responses};
    use SealKind::{Encrypted, Signature};
    for (deltas, expected) in [
        (&[r#"{"role":"assistant","content":""}"#, r#"{"content":"a"}"#][..], vec![text("a")]),
        (&[r#"{"content":"a\ud83d"}"#, r#"{"content":"\ude00"}"#], vec![text("a"), text("\u{1f600}")]),
        (&[r#"{"content":null,"reasoning_content":"x","reasoning":"x"}"#], vec![thought("x")]),
        (&[r#"{"reasoning":"x"}"#], vec![thought("x")]),
        (&[r#"{"content":"a","reasoning":"x"}"#], vec![thought("x"), text("a")]),
        (
            &[
                r#"{"reasoning":"x","reasoning_details":[{"type":"reasoning.text","text":"x","index":0}]}"#,
                r#"{"reasoning_details":[{"type":"reasoning.text","signature":"s","format":"anthropic-claude-v1","index":0}]}"#,
            ],
            vec![thought("x"), sealed(Anthropic, Signature, "s")],
        ),
        (
            &[r#"{"reasoning_details":[{"type":"reasoning.summary","summary":"x"},
                {"type":"reasoning.encrypted","data":"d","format":"openai-responses-v1"},
                {"type":"reasoning.encrypted","data":"g","format":"google-gemini-v1"},
                {"type":"reasoning.encrypted","data":"o","format":"xai-responses-v1"}]}"#],
            vec![
                thought("x"),
                sealed(Responses, Encrypted, "d"),
                sealed(Gemini, Signature, "g"),
                sealed(OpenAiChat, Encrypted, "o"),
            ],
        ),
        (
            &[r#"{"reasoning_content":"xy","thinking_blocks":[{"type":"thinking","thinking":"x","signature":"s"},
                {"type":"redacted_thinking","data":"d"},{"type":"thinking","thinking":"","signature":"t"}]}"#],
            vec![
                thought("x"),
                sealed(Anthropic, Signature, "s"),
                sealed(Anthropic, Encrypted, "d"),
                sealed(Anthropic, Signature, "t"),
            ],
        ),
        (
            &[
                r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"x"}]},{"type":"text","text":"a"}]}"#,
            ],
            vec![thought("x"), text("a")],
        ),
        (&[r#"{"refusal":"no"}"#], vec![Delta::Refusal { choice: 0, text: "no".into() }]),
        (
            &[r#"{"content":"a","extra_content":{"google":{"thought_signature":"g"}}}"#],
            vec![text("a"), Delta::TextSealed { choice: 0, seal: seal(Gemini, Signature, "g") }],
        ),
        (
            &[r#"{"content":[{"type":"reference","reference_ids":[1]}],"annotations":[],"audio":null}"#],
            vec![Delta::Other {
                choice: 0,
                name: "reference".into(),
                json: r#"{"type":"reference","reference_ids":[1]}"#.into(),
            }],
        ),
        (&["7", "null", "[1]"], vec![]),
    ] {
        assert_eq!(said(deltas), expected, "{deltas:?}");
    }
}

#[test]
fn calls_are_read_with_name_and_id_once() {
    let calls = |items: &str| format!(r#"{{"tool_calls":[{items}]}}"#);
    for (items, expected) in [
        (
            vec![
                r#"{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}"#,
                r#"{"index":0,"function":{"arguments":"{\"x"}}"#,
                r#"{"index":0,"id":"","type":"function","function":{"name":"","arguments":"\":1}"}}"#,
            ],
            vec![call(0, "a", "f"), arguments(0, "{\"x"), arguments(0, "\":1}")],
        ),
        (
            // Whole calls, all numbered 0, as Gemini's endpoint sends them.
            vec![
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}"#,
                r#"{"index":0,"id":"b","function":{"name":"f","arguments":"{}"}}"#,
            ],
            vec![call(0, "a", "f"), arguments(0, "{}"), call(1, "b", "f"), arguments(1, "{}")],
        ),
        (
            // A name that comes late, and in pieces.
            vec![
                r#"{"index":3,"id":"a","function":{"arguments":"{"}}"#,
                r#"{"index":3,"function":{"name":"get"}}"#,
                r#"{"index":3,"function":{"arguments":"}"}}"#,
            ],
            vec![call(0, "a", "get"), arguments(0, "{"), arguments(0, "}")],
        ),
        (
            vec![
                r#"{"index":0,"id":"a","function":{"name":"ge","arguments":""}}"#,
                r#"{"index":0,"function":{"name":"t","arguments":""}}"#,
                r#"{"index":0,"function":{"arguments":{"x":1}}}"#,
            ],
            vec![call(0, "a", "get"), arguments(0, r#"{"x":1}"#)],
        ),
        (
            // Neither index nor id: what has a name begins.
            vec![r#"{"function":{"name":"f","arguments":"{"}}"#, r#"{"function":{"arguments":"}"}}"#],
            vec![call(0, "", "f"), arguments(0, "{"), arguments(0, "}")],
        ),
    ] {
        let deltas: Vec<String> = items.iter().map(|item| calls(item)).collect();
        let read = said(&deltas.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(read, expected, "{items:?}");
    }
}

#[test]
fn a_call_without_arguments_is_told_before_what_follows() {
    let begun = r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","custom":{"name":"f"},
        "extra_content":{"google":{"thought_signature":"g"}}}]}}]}"#;
    let told = Delta::Call {
        choice: 0,
        call: 0,
        id: "a".into(),
        name: "f".into(),
        free: true,
        seal: Some(seal(Dialect::Gemini, SealKind::Signature, "g")),
    };
    for (after, expected) in [
        (r#"{"choices":[{"index":0,"delta":{"content":"a"}}]}"#, text("a")),
        (r#"{"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"#, ended(FinishReason::ToolCalls)),
    ] {
        assert_eq!(read(&[begun, after])[1..], [told.clone(), expected], "{after}");
    }
    assert_eq!(Reader::whole(begun.replace("delta", "message").as_bytes()).expect("read")[1..], [told]);
}

#[test]
fn ends_and_counts_are_read() {
    let end = |fields: &str| format!(r#"{{"id":"i","choices":[{{"index":0,"delta":{{}},{fields}}}]}}"#);
    for (fields, expected) in [
        (r#""finish_reason":"stop","stop_reason":"END""#, vec![(FinishReason::Stop, Some("END"))]),
        (r#""finish_reason":"stop","stop_reason":7,"matched_stop":"\n""#, vec![(FinishReason::Stop, Some("\n"))]),
        (r#""finish_reason":"function_call""#, vec![(FinishReason::ToolCalls, None)]),
        (r#""finish_reason":"model_length""#, vec![(FinishReason::Length, None)]),
        (r#""finish_reason":"tomorrow""#, vec![(FinishReason::Other, None)]),
        (r#""finish_reason":null"#, vec![]),
        (r#""finish_reason":"""#, vec![]),
    ] {
        let expected: Vec<Delta> = expected
            .into_iter()
            .map(|(finish, stop)| Delta::Ended { choice: 0, finish, stop: stop.map(Into::into) })
            .collect();
        let event = end(fields);
        assert_eq!(read(&[&event, &event])[1..], expected, "{fields}, and once");
    }
    let azure = r#"{"choices":[],"id":"","model":"","prompt_filter_results":[]}"#;
    let used = r#"{"id":"i","model":"m","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#;
    let counted = Usage { input: 1, output: 2, ..Usage::default() };
    let expected = [Delta::Began { id: "i".into(), model: "m".into() }, Delta::Used(counted)];
    assert_eq!(read(&[azure, used, "[DONE]"]), expected);
    let cited = r#"{"choices":[],"citations":["u"],"usage":{"prompt_tokens":1}}"#;
    let citations = |delta: &Delta| matches!(delta, Delta::Other { name, .. } if name == "citations");
    assert_eq!(read(&[cited, cited]).iter().filter(|delta| citations(delta)).count(), 1);
}

#[test]
fn what_is_no_answer_or_too_much() {
    for event in ["", "[]", "{", "7", r#"{"error":{"message":"m"}}"#, r#"{"choices":[{"finish_reason":"error"}]}"#] {
        assert_eq!(Reader::default().push(event.as_bytes(), &mut Vec::new()), Err(Unread::NotAnAnswer), "{event}");
    }
    let list = |n: usize, item: &dyn Fn(usize) -> String| (0..n).map(item).collect::<Vec<_>>().join(",");
    for (n, sound) in [(MOST, true), (MOST + 1, false)] {
        let choices = list(n, &|i| format!(r#"{{"index":{i},"delta":{{"content":"a"}}}}"#));
        let calls = list(n, &|i| format!(r#"{{"index":{i},"function":{{"name":"f"}}}}"#));
        for body in [
            format!(r#"{{"choices":[{choices}]}}"#),
            format!(r#"{{"choices":[{{"delta":{{"tool_calls":[{calls}]}}}}]}}"#),
        ] {
            assert_eq!(Reader::whole(body.as_bytes()).is_ok(), sound, "{n}");
        }
    }
    let nameless = |n: usize| {
        let arguments = "x".repeat(n);
        format!(r#"{{"choices":[{{"delta":{{"tool_calls":[{{"function":{{"arguments":"{arguments}"}}}}]}}}}]}}"#)
    };
    for (bytes, sound) in [(64 * 1024, true), (64 * 1024 + 1, false)] {
        assert_eq!(Reader::whole(nameless(bytes).as_bytes()).is_ok(), sound, "{bytes}");
    }
}

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

/// A well-formed answer: what a reader hands on.
fn answers() -> impl Strategy<Value = Vec<Delta>> {
    let of = || prop_oneof![Just(Dialect::Anthropic), Just(Dialect::Responses), Just(Dialect::OpenAiChat)];
    let kind = || prop_oneof![Just(SealKind::Signature), Just(SealKind::Encrypted)];
    let words = || "(\\PC|\n){1,6}";
    let steps = |choice: u32| {
        let step = prop_oneof![
            words().prop_map(move |text| vec![Delta::Text { choice, text }]),
            words().prop_map(move |text| vec![Delta::Thought { choice, text }]),
            words().prop_map(move |text| vec![Delta::Refusal { choice, text }]),
            (of(), kind(), "[a-z]{1,4}").prop_map(move |(of, kind, token)| {
                vec![Delta::ThoughtSealed { choice, seal: seal(of, kind, &token) }]
            }),
            "[a-z]{1,4}".prop_map(move |token| {
                vec![Delta::TextSealed { choice, seal: seal(Dialect::Gemini, SealKind::Signature, &token) }]
            }),
            ("[a-z]{1,4}", any::<bool>(), words(), words(), any::<bool>()).prop_map(
                move |(name, free, first, second, sealed)| {
                    let seal = sealed.then(|| seal(Dialect::Gemini, SealKind::Signature, "g"));
                    vec![
                        Delta::Call { choice, call: 0, id: String::new(), name, free, seal },
                        Delta::Arguments { choice, call: 0, text: first },
                        Delta::Arguments { choice, call: 0, text: second },
                    ]
                }
            ),
        ];
        (proptest::collection::vec(step, 1..8), any::<bool>()).prop_map(move |(steps, long)| {
            let (mut out, mut calls) = (Vec::new(), 0);
            for mut step in steps {
                for delta in &mut step {
                    match delta {
                        Delta::Call { call, id, .. } => {
                            (*call, *id) = (calls, format!("id-{choice}-{calls}"));
                            calls += 1;
                        }
                        Delta::Arguments { call, .. } => *call = calls - 1,
                        _ => {}
                    }
                }
                out.extend(step);
            }
            let finish = match (long, calls) {
                (true, _) => FinishReason::Length,
                (false, 0) => FinishReason::Stop,
                (false, _) => FinishReason::ToolCalls,
            };
            out.push(Delta::Ended { choice, finish, stop: None });
            out
        })
    };
    (steps(0), steps(1), any::<(u32, u32)>()).prop_map(|(first, second, (input, output))| {
        let began = Delta::Began { id: "i".into(), model: "m".into() };
        let used = Usage { input: input.into(), output: output.into(), ..Usage::default() };
        [vec![began], first, second, vec![Delta::Used(used)]].concat()
    })
}

/// What a fold of them gives, thoughts and seals as well: pieces that follow each other are one.
fn joined(deltas: Vec<Delta>) -> Vec<Delta> {
    let mut out: Vec<Delta> = Vec::new();
    for delta in deltas {
        match (out.last_mut(), &delta) {
            (Some(Delta::Text { choice, text }), Delta::Text { choice: of, text: more })
            | (Some(Delta::Thought { choice, text }), Delta::Thought { choice: of, text: more })
            | (Some(Delta::Refusal { choice, text }), Delta::Refusal { choice: of, text: more })
                if choice == of =>
            {
                text.push_str(more);
            }
            (Some(Delta::Arguments { choice, call, text }), Delta::Arguments { choice: of, call: to, text: more })
                if (*choice, *call) == (*of, *to) =>
            {
                text.push_str(more);
            }
            _ => out.push(delta),
        }
    }
    out
}

proptest! {
    #[test]
    fn what_is_streamed_is_read_again(deltas in answers(), usage in any::<bool>()) {
        let (events, left_out) = written(head(usage), &deltas);
        prop_assert!(left_out.is_empty());
        let events: Vec<&str> = events.iter().map(String::as_str).collect();
        let told = |delta: &Delta| usage || !matches!(delta, Delta::Used(_));
        prop_assert_eq!(read(&events), deltas.into_iter().filter(told).collect::<Vec<_>>());
    }

    /// A whole message has its parts in an order of its own; each kind comes out in order.
    #[test]
    fn what_is_written_whole_is_read_again(deltas in answers()) {
        let again = Reader::whole(&write_answer(&head(false), &deltas)).expect("read");
        type Kind = fn(&Delta) -> bool;
        let kinds: [Kind; 5] = [
            |delta| matches!(delta, Delta::Text { .. }),
            |delta| matches!(delta, Delta::Refusal { .. }),
            |delta| matches!(delta, Delta::Thought { .. } | Delta::ThoughtSealed { .. }),
            |delta| matches!(delta, Delta::Call { .. } | Delta::Arguments { .. }),
            |delta| matches!(delta, Delta::Began { .. } | Delta::Ended { .. } | Delta::Used(_)),
        ];
        for of_kind in kinds {
            let only = |all: &[Delta]| joined(all.iter().filter(|delta| of_kind(delta)).cloned().collect());
            prop_assert_eq!(only(&again), only(&deltas));
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Reader::whole(&bytes);
    }
}
