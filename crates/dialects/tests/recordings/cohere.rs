//! Answers of Cohere.

use super::files::{recordings, say};
use bytes::Bytes;
use dialects::Ending;
use dialects::cohere::{Reader, StreamDecoder, read_whole};
use dialects::openai_chat::each_data;
use llm::{Delta, Event, FinishReason, Usage};
use serde_json::Value;
use std::path::Path;

/// The events of a recorded stream, if it is one of this dialect.
fn events_of(path: &Path) -> Option<Vec<String>> {
    let text = path.to_str()?.ends_with(".chunks.txt").then(|| std::fs::read_to_string(path).expect("readable"))?;
    let events: Vec<String> = text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
    let first: Value = serde_json::from_str(events.first()?).ok()?;
    (first["type"] == "message-start").then_some(events)
}

/// The events as they come over the wire.
fn wire(events: &[String]) -> Vec<u8> {
    events.iter().flat_map(|data| format!("data: {data}\n\n").into_bytes()).collect()
}

/// Kinds of frames, their bytes, the ending with the progress, and the deltas, of a stream cut at every `step` bytes.
fn read(stream: &[u8], step: usize) -> (Vec<&'static str>, Vec<u8>, String, Vec<Delta>) {
    let mut decoder = StreamDecoder::new();
    let (mut reader, mut deltas) = (Reader::default(), Vec::new());
    let (mut kinds, mut raw) = (Vec::new(), Vec::new());
    for piece in stream.chunks(step.max(1)) {
        decoder.feed(piece);
        while let Some(frame) = decoder.next_frame() {
            raw.extend_from_slice(&frame.raw);
            each_data(&frame.raw, |data| reader.push(data, &mut deltas)).expect("readable");
            let kind = match frame.event {
                Event::Preamble => "preamble",
                Event::Content => "content",
                Event::Closing => "closing",
                Event::Error(_) => "error",
                Event::Done => "done",
                Event::Garbage => "garbage",
            };
            if kinds.last() != Some(&kind) {
                kinds.push(kind);
            }
        }
    }
    let ending = match decoder.end() {
        Ending::Complete(_) => "complete".to_owned(),
        Ending::Broken(failure) => failure.to_string(),
    };
    (kinds, raw, format!("{ending} {:?}", decoder.progress()), deltas)
}

/// What an answer says, put together.
#[derive(Debug, Default, PartialEq)]
struct Said {
    text: String,
    thoughts: String,
    calls: Vec<(String, String, Value)>,
    citations: Vec<Value>,
    finish: Option<FinishReason>,
    usage: Option<Usage>,
}

fn put_together(deltas: &[Delta]) -> Said {
    let mut said = Said::default();
    let mut arguments: Vec<String> = Vec::new();
    for delta in deltas {
        match delta {
            Delta::Text { text, .. } => said.text.push_str(text),
            Delta::Thought { text, .. } => said.thoughts.push_str(text),
            Delta::Call { id, name, .. } => {
                said.calls.push((id.clone(), name.clone(), Value::Null));
                arguments.push(String::new());
            }
            Delta::Arguments { call, text, .. } => arguments[*call as usize].push_str(text),
            Delta::Other { name, json, .. } if name == "citations" => {
                let list: Vec<Value> = serde_json::from_str(json).expect("a list");
                said.citations.extend(list);
            }
            Delta::Ended { finish, .. } => said.finish = Some(*finish),
            Delta::Used(usage) => said.usage = Some(*usage),
            Delta::Began { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    for (call, arguments) in said.calls.iter_mut().zip(&arguments) {
        call.2 = serde_json::from_str(arguments).expect("JSON");
    }
    said
}

/// The same, straight from the recorded objects: a whole answer, or the deltas of a stream, which have its form.
fn recorded<'a>(pieces: impl IntoIterator<Item = &'a Value>) -> Said {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let many = |value: &Value| match value {
        Value::Array(list) => list.clone(),
        Value::Object(_) => vec![value.clone()],
        _ => Vec::new(),
    };
    let mut said = Said::default();
    let mut calls: Vec<(String, String, String)> = Vec::new();
    for piece in pieces {
        let message = &piece["message"];
        said.thoughts += &text(&message["tool_plan"]);
        for block in many(&message["content"]) {
            said.thoughts += &text(&block["thinking"]);
            said.text += &text(&block["text"]);
        }
        for call in many(&message["tool_calls"]) {
            let function = &call["function"];
            if call["id"].is_string() {
                calls.push((text(&call["id"]), text(&function["name"]), String::new()));
            }
            calls.last_mut().expect("a call").2 += &text(&function["arguments"]);
        }
        said.citations.extend(many(&message["citations"]));
        said.finish = match piece["finish_reason"].as_str() {
            Some("COMPLETE") => Some(FinishReason::Stop),
            Some("TOOL_CALL") => Some(FinishReason::ToolCalls),
            Some("MAX_TOKENS") => Some(FinishReason::Length),
            Some(other) => panic!("{other}"),
            None => None,
        };
        let count = |value: &Value| value.as_u64().expect("a count");
        said.usage = piece.get("usage").map(|usage| Usage {
            input: count(&usage["tokens"]["input_tokens"]),
            output: count(&usage["tokens"]["output_tokens"]),
            cached: count(&usage["cached_tokens"]),
            ..Usage::default()
        });
    }
    for (id, name, arguments) in calls {
        let arguments = if matches!(arguments.as_str(), "" | "null") { "{}" } else { &arguments };
        said.calls.push((id, name, serde_json::from_str(arguments).expect("JSON")));
    }
    said
}

#[test]
fn recorded_streams_lose_nothing() {
    let mut count = 0;
    for path in recordings() {
        let Some(events) = events_of(&path) else { continue };
        let (shown, stream) = (path.display(), wire(&events));
        let whole = read(&stream, stream.len());
        assert_eq!(whole.1, stream, "{shown}: bytes");
        assert!(whole.2.starts_with("complete"), "{shown}: {}", whole.2);
        assert!(!whole.0.contains(&"error") && !whole.0.contains(&"garbage"), "{shown}: {:?}", whole.0);
        assert_eq!(whole.0.last(), Some(&"done"), "{shown}");
        for step in [1, 7, 1000] {
            assert_eq!(read(&stream, step), whole, "{shown}: cut at every {step} bytes");
        }
        let cut = read(&stream[..stream.len() / 2], 4096);
        assert!(!cut.2.starts_with("complete"), "{shown}: half of it is no answer");
        let deltas: Vec<Value> =
            events.iter().map(|data| serde_json::from_str::<Value>(data).expect("JSON")["delta"].clone()).collect();
        assert_eq!(put_together(&whole.3), recorded(&deltas), "{shown}");
        count += 1;
    }
    say(&format!("{count} recorded streams of Cohere"));
    assert!(count > 3 || std::env::var_os("BREAKWATER_RECORDINGS").is_none(), "{count} streams are too few");
}

#[test]
fn recorded_whole_answers_lose_nothing() {
    let mut count = 0;
    for path in recordings().into_iter().filter(|path| path.extension().is_some_and(|e| e == "json")) {
        let body = Bytes::from(std::fs::read(&path).expect("readable"));
        let Ok(value) = serde_json::from_slice::<Value>(&body) else { continue };
        if !value["usage"]["billed_units"].is_object() || !value["message"].is_object() {
            continue;
        }
        let shown = path.display();
        let progress = read_whole(&body).unwrap_or_else(|failure| panic!("{shown}: {failure}"));
        let said = put_together(&Reader::whole(&body).unwrap_or_else(|unread| panic!("{shown}: {unread}")));
        assert_eq!(said, recorded([&value]), "{shown}");
        assert_eq!((progress.finish, progress.usage, progress.done), (said.finish, said.usage, true), "{shown}");
        count += 1;
    }
    say(&format!("{count} recorded answers of Cohere"));
    assert!(count > 5 || std::env::var_os("BREAKWATER_RECORDINGS").is_none(), "{count} answers are too few");
}
