//! Answers written, as tables.

use super::{MOST, Writer, write_answer};
use crate::{Answers, Head, Quirks, Translated};
use bytes::{Bytes, BytesMut};
use llm::{Api, Delta, Dialect, Failure, FinishReason, Seal, SealKind, Usage};
use serde_json::{Value, json};

fn head(usage: bool) -> Head {
    Head { id: "cmpl-ours".into(), model: "route".into(), created: 7, usage, ..Head::default() }
}

fn began() -> Delta {
    Delta::Began { id: "theirs".into(), model: "m".into() }
}

fn text(choice: u32, text: &str) -> Delta {
    Delta::Text { choice, text: text.into() }
}

fn ended(choice: u32, finish: FinishReason) -> Delta {
    Delta::Ended { choice, finish, stop: Some("END".into()) }
}

fn call(name: &str) -> Delta {
    Delta::Call { choice: 0, call: 0, id: "1".into(), name: name.into(), free: false, seal: None }
}

/// The bytes of a stream, and what is left out of it.
fn written(head: Head, deltas: &[Delta]) -> (String, Vec<String>) {
    let (mut writer, mut out) = (Writer::new(head), BytesMut::new());
    deltas.iter().for_each(|delta| writer.push(delta, &mut out));
    writer.finish(&mut out);
    (String::from_utf8(out.to_vec()).expect("text"), writer.left_out().to_vec())
}

/// The choices of each event: text, place and end.
fn told(deltas: &[Delta]) -> Vec<(String, u64, Value)> {
    let (stream, _) = written(head(false), deltas);
    let events = stream.split_terminator("\n\n").filter_map(|event| event.strip_prefix("data: {"));
    let objects = events.map(|rest| serde_json::from_str::<Value>(&format!("{{{rest}")).expect("JSON"));
    let one = |event: Value| {
        let choice = &event["choices"][0];
        let said = choice["text"].as_str().expect("a text").to_owned();
        (said, choice["index"].as_u64().expect("a place"), choice["finish_reason"].clone())
    };
    objects.map(one).collect()
}

#[test]
fn a_stream_is_written_so() {
    let usage = Usage { input: 5, output: 2, cached: 3, ..Usage::default() };
    let deltas = [began(), text(0, "so \"é\"\n"), Delta::Used(usage), ended(0, FinishReason::Stop)];
    let opening = r#"data: {"id":"theirs","object":"text_completion","created":7,"model":"m","choices":["#;
    let details = r#""prompt_tokens_details":{"cached_tokens":3,"cache_write_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}"#;
    for (wanted, none, last) in [
        (false, "", String::new()),
        (
            true,
            r#","usage":null"#,
            format!(
                "{opening}],\"usage\":{{\"prompt_tokens\":5,\"completion_tokens\":2,\"total_tokens\":7,{details}}}}}\n\n"
            ),
        ),
    ] {
        let expected = [
            format!(
                "{opening}{{\"text\":\"so \\\"é\\\"\\n\",\"index\":0,\"logprobs\":null,\"finish_reason\":null}}]{none}}}\n\n"
            ),
            format!("{opening}{{\"text\":\"\",\"index\":0,\"logprobs\":null,\"finish_reason\":\"stop\"}}]{none}}}\n\n"),
            last,
            "data: [DONE]\n\n".into(),
        ];
        assert_eq!(written(head(wanted), &deltas), (expected.concat(), vec![]));
    }
}

#[test]
fn a_whole_answer_is_written_so() {
    let usage = Usage { input: 5, output: 2, ..Usage::default() };
    let deltas =
        [began(), text(1, "b"), text(0, "so "), text(0, "\"é\"\n"), Delta::Used(usage), ended(0, FinishReason::Length)];
    let body: Value = serde_json::from_slice(&write_answer(&head(false), &deltas)).expect("JSON");
    let expected = json!({
        "id": "theirs", "object": "text_completion", "created": 7, "model": "m",
        "choices": [
            {"text": "so \"é\"\n", "index": 0, "logprobs": null, "finish_reason": "length"},
            {"text": "b", "index": 1, "logprobs": null, "finish_reason": "stop"},
        ],
        "usage": {
            "prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7,
            "prompt_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0},
        },
    });
    assert_eq!(body, expected);
    let nameless: Value = serde_json::from_slice(&write_answer(&head(false), &[text(0, "a")])).expect("JSON");
    assert_eq!((&nameless["id"], &nameless["model"]), (&"cmpl-ours".into(), &"route".into()));
    assert!(nameless.get("usage").is_none(), "unknown is not zero");
}

#[test]
fn only_legal_reasons_are_given() {
    for (finish, word) in [
        (FinishReason::Stop, "stop"),
        (FinishReason::Length, "length"),
        (FinishReason::ContentFilter, "content_filter"),
        (FinishReason::ToolCalls, "stop"),
        (FinishReason::Other, "stop"),
    ] {
        let deltas = [text(0, "a"), call("f"), ended(0, finish)];
        assert_eq!(told(&deltas).last().map(|(.., end)| end.clone()), Some(word.into()), "{finish:?}");
        let body: Value = serde_json::from_slice(&write_answer(&head(false), &deltas)).expect("JSON");
        assert_eq!(body["choices"][0]["finish_reason"], word, "{finish:?}");
    }
}

#[test]
fn each_alternative_is_told_apart_and_ends_once() {
    let (none, stop) = (Value::Null, Value::from("stop"));
    let said = |text: &str, choice, end: &Value| (text.to_owned(), choice, end.clone());
    let deltas = [
        text(1, "b"),
        text(0, "a"),
        text(0, ""),
        ended(1, FinishReason::Stop),
        ended(1, FinishReason::Length),
        ended(2, FinishReason::Length),
    ];
    let expected = [
        said("b", 1, &none),
        said("a", 0, &none),
        said("", 1, &stop),
        said("", 2, &"length".into()),
        said("", 0, &stop),
    ];
    assert_eq!(told(&deltas), expected);
    let last = MOST - 1;
    let (stream, left_out) = written(head(false), &[text(last, "a"), text(MOST, "b"), ended(MOST, FinishReason::Stop)]);
    assert_eq!(left_out, ["choices"]);
    assert!(stream.contains("\"index\":127") && !stream.contains("128"), "{stream}");
    let body = write_answer(&head(false), &[text(last, "a"), text(MOST, "b")]);
    assert!(!body.windows(3).any(|window| window == b"128"), "{body:?}");
}

#[test]
fn what_has_no_word_is_left_out_and_told() {
    let seal = Seal { of: Dialect::Anthropic, kind: SealKind::Signature, token: "c2ln".into() };
    let deltas = [
        began(),
        Delta::Thought { choice: 0, text: "hm".into() },
        Delta::ThoughtSealed { choice: 0, seal: seal.clone() },
        text(0, "a"),
        Delta::TextSealed { choice: 0, seal },
        call("weather"),
        Delta::Arguments { choice: 0, call: 0, text: "{\"city\":1}".into() },
        Delta::Other { choice: 0, name: "citations".into(), json: "[1]".into() },
        ended(0, FinishReason::Stop),
    ];
    let (stream, left_out) = written(head(true), &deltas);
    assert_eq!(left_out, ["reasoning", "signature", "tool_calls", "citations"]);
    let body = write_answer(&head(true), &deltas);
    for shown in [&*stream, std::str::from_utf8(&body).expect("text")] {
        for unsaid in ["hm", "c2ln", "weather", "city", "citations"] {
            assert!(!shown.contains(unsaid), "{unsaid}: {shown}");
        }
    }
}

#[test]
fn a_refusal_is_text() {
    let deltas = [Delta::Refusal { choice: 0, text: "I won't.".into() }, ended(0, FinishReason::ContentFilter)];
    assert_eq!(told(&deltas), [("I won't.".into(), 0, Value::Null), (String::new(), 0, Value::from("content_filter"))]);
    let body: Value = serde_json::from_slice(&write_answer(&head(false), &deltas)).expect("JSON");
    assert_eq!(body["choices"][0]["text"], "I won't.");
}

/// An answer of a provider of chat completions, whole and streamed, to a client.
fn of_chat(message: &str, finish: &str) -> (Result<Value, Failure>, Option<String>) {
    let object = format!(
        r#"{{"id":"1","model":"m","choices":[{{"index":0,"message":{message},"delta":{message},"finish_reason":"{finish}"}}]}}"#
    );
    let (api, dialect) = (Api::Shared(Dialect::OpenAiChat), Dialect::COMPLETIONS);
    let (quirks, head) = (Quirks::default(), head(false));
    let answers = Answers { api, quirks, dialect, listed: false, head: Some(Box::new(head.clone())) };
    let whole = answers.whole(Bytes::from(object.clone()));
    let mut stream = Translated::new(api, quirks, dialect, false, head);
    stream.feed(format!("data: {object}\n\ndata: [DONE]\n\n").as_bytes());
    assert!(stream.speaks(), "whatever of it is told");
    let out: Vec<u8> = std::iter::from_fn(|| stream.next_frame()).flat_map(|frame| frame.raw).collect();
    let streamed = matches!(stream.end(), crate::Ending::Complete(_)).then(|| String::from_utf8(out).expect("text"));
    assert_eq!(stream.has_begun(), streamed.is_some());
    (whole.map(|whole| serde_json::from_slice(&whole.body).expect("JSON")), streamed)
}

#[test]
fn what_says_nothing_to_this_client_is_no_answer() {
    const CALL: &str = r#"{"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"{}"}}]}"#;
    const THOUGHT: &str = r#"{"reasoning_content":"hm"}"#;
    for (message, finish) in [(CALL, "tool_calls"), (THOUGHT, "stop"), (r#"{"content":"","audio":{"id":"a"}}"#, "stop")]
    {
        assert_eq!(of_chat(message, finish), (Err(Failure::Empty), None), "{message}");
    }
    // That a limit or a policy left no room for words is something to know.
    for (message, finish) in [(THOUGHT, "length"), (THOUGHT, "content_filter"), (r#"{"content":"a"}"#, "stop")] {
        let (whole, streamed) = of_chat(message, finish);
        assert_eq!(whole.expect("an answer")["choices"][0]["finish_reason"], finish, "{message}");
        let streamed = streamed.expect("an answer");
        assert!(streamed.contains(&format!("\"finish_reason\":\"{finish}\"")), "{streamed}");
        assert!(streamed.ends_with("data: [DONE]\n\n"), "{streamed}");
    }
}
