//! There and back: steps that are written and read again are the same steps.

use super::{Reader, Writer, write_answer};
use crate::Head;
use crate::gemini::each_data;
use bytes::BytesMut;
use llm::{Delta, Dialect, FinishReason, Seal, SealKind, Usage};
use proptest::prelude::*;

fn head() -> Head {
    Head { id: "own".into(), model: "asked".into(), created: 1, usage: false, ..Head::default() }
}

fn seal(token: &str) -> Seal {
    Seal { of: Dialect::Gemini, kind: SealKind::Signature, token: token.into() }
}

/// Steps with neighbouring pieces joined, and what comes last in the order in which it is written.
fn joined(steps: &[Delta]) -> Vec<Delta> {
    let mut out: Vec<Delta> = Vec::new();
    for step in steps {
        match (out.last_mut(), step) {
            (Some(Delta::Text { choice: a, text }), Delta::Text { choice: b, text: more }) if a == b => {
                text.push_str(more);
            }
            (Some(Delta::Thought { choice: a, text }), Delta::Thought { choice: b, text: more }) if a == b => {
                text.push_str(more);
            }
            (_, step) => out.push(step.clone()),
        }
    }
    out
}

fn streamed(steps: &[Delta], mut writer: Writer) -> (Vec<Delta>, BytesMut) {
    let mut out = BytesMut::new();
    for step in steps {
        writer.push(step, &mut out);
    }
    writer.finish(&mut out);
    let (mut reader, mut read) = (Reader::default(), Vec::new());
    each_data(&out, |data| reader.push(data, &mut read)).expect("an answer");
    (read, out)
}

fn whole(steps: &[Delta]) -> Vec<Delta> {
    Reader::whole(&write_answer(&head(), steps)).expect("an answer")
}

fn all_ways(steps: &[Delta]) -> [Vec<Delta>; 3] {
    [streamed(steps, Writer::new(head())).0, streamed(steps, Writer::list(head())).0, whole(steps)]
}

fn a_piece() -> impl Strategy<Value = Vec<Delta>> {
    let text = "[a-z \"\\n\u{e9}]{1,8}";
    prop_oneof![
        text.prop_map(|text| vec![Delta::Text { choice: 0, text }]),
        text.prop_map(|text| vec![
            Delta::Text { choice: 0, text },
            Delta::TextSealed { choice: 0, seal: seal("t+/=") }
        ]),
        text.prop_map(|text| vec![Delta::Thought { choice: 0, text }]),
        text.prop_map(|text| vec![
            Delta::Thought { choice: 0, text },
            Delta::ThoughtSealed { choice: 0, seal: seal("h") }
        ]),
        Just(vec![Delta::Other {
            choice: 0,
            name: "executableCode".into(),
            json: r#"{"executableCode":{"code":"1"}}"#.into()
        }]),
    ]
}

fn an_answer() -> impl Strategy<Value = Vec<Delta>> {
    let finish = prop_oneof![
        Just(FinishReason::Stop),
        Just(FinishReason::Length),
        Just(FinishReason::ContentFilter),
        Just(FinishReason::Other)
    ];
    let call = ("[a-z]{0,4}", "[a-z]{1,4}", any::<bool>(), proptest::collection::vec(0i64..99, 0..3));
    let usage = (0u64..99, 0u64..99, 0u64..99, 0u64..99);
    (proptest::collection::vec(a_piece(), 0..6), proptest::collection::vec(call, 0..3), finish, usage).prop_map(
        |(pieces, calls, finish, (input, answer, cached, reasoning))| {
            let mut steps = vec![Delta::Began { id: "r".into(), model: "m".into() }];
            steps.extend(pieces.into_iter().flatten());
            let called = !calls.is_empty();
            for (call, (id, name, sealed, numbers)) in (0..).zip(calls) {
                let seal = sealed.then(|| seal("c"));
                steps.push(Delta::Call { choice: 0, call, id, name, free: false, seal });
                steps.push(Delta::Arguments {
                    choice: 0,
                    call,
                    text: format!(r#"{{"n":{}}}"#, serde_json::json!(numbers)),
                });
            }
            let is_call = called && matches!(finish, FinishReason::Stop | FinishReason::Other);
            let finish = if is_call { FinishReason::ToolCalls } else { finish };
            steps.push(Delta::Ended { choice: 0, finish, stop: None });
            let (output, cached) = (answer + reasoning, cached.min(input));
            steps.push(Delta::Used(Usage { input, output, cached, cache_written: 0, reasoning }));
            steps
        },
    )
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(steps in an_answer()) {
        let expected = joined(&steps);
        for read in all_ways(&steps) {
            prop_assert_eq!(joined(&read), expected.clone());
        }
    }

    #[test]
    fn whatever_the_steps_the_answer_is_one(
        picks in proptest::collection::vec((0usize..9, 0u32..3, 0u32..3), 0..24),
    ) {
        let steps: Vec<Delta> = picks.into_iter().map(|(pick, choice, call)| match pick {
            0 => Delta::Began { id: String::new(), model: String::new() },
            1 => Delta::Text { choice, text: "t".into() },
            2 => Delta::Thought { choice, text: String::new() },
            3 => Delta::Call { choice, call, id: String::new(), name: "f".into(), free: true, seal: None },
            4 => Delta::Arguments { choice, call, text: "broken {".into() },
            5 => Delta::Other { choice, name: "annotation".into(), json: "{".into() },
            6 => Delta::Ended { choice, finish: FinishReason::Stop, stop: None },
            7 => Delta::Refusal { choice, text: "no".into() },
            _ => Delta::Used(Usage { output: 1, reasoning: 9, ..Usage::default() }),
        }).collect();
        for read in all_ways(&steps) {
            let ends = read.iter().filter(|step| matches!(step, Delta::Ended { .. })).count();
            let choices: std::collections::BTreeSet<u32> = steps.iter().filter_map(|step| match step {
                Delta::Text { choice, .. } | Delta::Call { choice, .. } | Delta::Ended { choice, .. } => Some(*choice),
                _ => None,
            }).collect();
            prop_assert!(ends >= choices.len(), "{:?}", read);
        }
    }
}

#[test]
fn a_stream_has_one_last_object_with_reason_calls_and_usage() {
    let steps = [
        Delta::Began { id: "r".into(), model: String::new() },
        Delta::Text { choice: 0, text: "a\nb".into() },
        Delta::Call { choice: 0, call: 0, id: "i".into(), name: "f".into(), free: false, seal: Some(seal("s")) },
        Delta::Arguments { choice: 0, call: 0, text: "{\"a\":".into() },
        Delta::Ended { choice: 0, finish: FinishReason::ToolCalls, stop: None },
        Delta::Arguments { choice: 0, call: 0, text: " 1}".into() },
        Delta::Used(Usage { input: 5, output: 7, cached: 2, cache_written: 1, reasoning: 3 }),
    ];
    let expected = concat!(
        r#"data: {"candidates":[{"content":{"parts":[{"text":"a\nb"}],"role":"model"},"index":0}],"modelVersion":"asked","responseId":"r"}"#,
        "\n\n",
        r#"data: {"candidates":[{"content":{"parts":[{"functionCall":{"id":"i","name":"f","args":{"a":1}},"thoughtSignature":"s"}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":5,"cachedContentTokenCount":2,"candidatesTokenCount":4,"thoughtsTokenCount":3,"totalTokenCount":12},"modelVersion":"asked","responseId":"r"}"#,
        "\n\n",
    );
    assert_eq!(streamed(&steps, Writer::new(head())).1, expected);
    let list = streamed(&steps, Writer::list(head())).1;
    let read: Vec<serde_json::Value> = serde_json::from_slice(&list).expect("a JSON list");
    assert_eq!(read.len(), 2);
}

#[test]
fn an_answer_of_nothing_is_still_one() {
    for read in all_ways(&[]) {
        let ended = Delta::Ended { choice: 0, finish: FinishReason::Other, stop: None };
        assert_eq!(read, [Delta::Began { id: "own".into(), model: "asked".into() }, ended]);
    }
}

#[test]
fn what_google_has_no_word_for_is_told() {
    let mut writer = Writer::new(head());
    let mut out = BytesMut::new();
    for step in [
        Delta::Other { choice: 0, name: "annotations".into(), json: "[]".into() },
        Delta::Other { choice: 0, name: "annotations".into(), json: "[]".into() },
        Delta::Text { choice: 128, text: "far".into() },
        Delta::Call { choice: 0, call: 0, id: String::new(), name: "f".into(), free: false, seal: None },
        Delta::Arguments { choice: 0, call: 0, text: "plain".into() },
    ] {
        writer.push(&step, &mut out);
    }
    assert!(out.is_empty());
    writer.finish(&mut out);
    assert_eq!(writer.left_out(), ["annotations", "choices", "arguments"]);
    assert!(out.windows(17).any(|w| w == br#"{"input":"plain"}"#));
    for name in 0..99 {
        writer.push(&Delta::Other { choice: 0, name: name.to_string(), json: "{}".into() }, &mut out);
    }
    assert_eq!(writer.left_out().len(), 32);
}

#[test]
fn text_that_a_tool_takes_stays_text_whatever_it_looks_like() {
    for text in ["", "plain", "{\"a\":1}"] {
        let steps = [
            Delta::Call { choice: 0, call: 0, id: String::new(), name: "f".into(), free: true, seal: None },
            Delta::Arguments { choice: 0, call: 0, text: text.into() },
            Delta::Ended { choice: 0, finish: FinishReason::ToolCalls, stop: None },
        ];
        let told = serde_json::json!({ "input": text }).to_string();
        for read in all_ways(&steps) {
            let taken = read.iter().find_map(|step| match step {
                Delta::Arguments { text, .. } => Some(text.as_str()),
                _ => None,
            });
            assert_eq!(taken, Some(&*told));
        }
        let mut writer = Writer::new(head());
        steps.iter().for_each(|step| writer.push(step, &mut BytesMut::new()));
        writer.finish(&mut BytesMut::new());
        assert!(writer.left_out().is_empty(), "nothing is lost");
    }
}

#[test]
fn seals_of_others_travel_and_calls_that_nobody_signed_say_so() {
    let foreign = Seal { of: Dialect::Anthropic, kind: SealKind::Signature, token: "a+/=".into() };
    let call = |call, seal| Delta::Call { choice: 0, call, id: String::new(), name: "f".into(), free: false, seal };
    let began = Delta::Began { id: "r".into(), model: "m".into() };
    let nothing = |call| Delta::Arguments { choice: 0, call, text: "{}".into() };
    let ended = Delta::Ended { choice: 0, finish: FinishReason::ToolCalls, stop: None };
    let steps = [
        began,
        Delta::Thought { choice: 0, text: "t".into() },
        Delta::ThoughtSealed { choice: 0, seal: foreign },
        call(0, None),
        nothing(0),
        call(1, None),
        nothing(1),
        ended,
    ];
    for read in all_ways(&steps) {
        assert_eq!(read, steps);
    }
    let mark = |steps: &[Delta]| {
        let body: serde_json::Value = serde_json::from_slice(&write_answer(&head(), steps)).expect("JSON");
        let parts = body["candidates"][0]["content"]["parts"].as_array().expect("parts").clone();
        parts.iter().filter(|part| part["thoughtSignature"] == crate::gemini::seal::UNSIGNED).count()
    };
    assert_eq!(mark(&steps), 1, "the first of a step alone");
    assert_eq!(mark(&[call(0, Some(seal("s"))), call(1, None)]), 0, "Google signed the first");
}

#[test]
fn an_error_ends_either_form() {
    let error = crate::gemini::render(&llm::CallError::Internal);
    for (mut writer, text, start, end) in [
        (Writer::new(head()), true, "data: {\"cand", "}\n\n"),
        (Writer::list(head()), true, "[{\"cand", "}\n]\n"),
        (Writer::list(head()), false, "[{\"error\":", "}\n]\n"),
    ] {
        let mut out = BytesMut::new();
        if text {
            writer.push(&Delta::Text { choice: 0, text: "a".into() }, &mut out);
        }
        writer.fail(&error, &mut out);
        let said = std::str::from_utf8(&out).expect("UTF-8");
        assert!(said.starts_with(start) && said.ends_with(end), "{said}");
        assert!(said.contains("{\"error\":"), "{said}");
    }
}
