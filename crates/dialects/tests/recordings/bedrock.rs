//! Answers of models at Amazon Bedrock. Recordings hold an event a line, without the frames that it came in.

use super::files::{recordings, say};
use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use bytes::Bytes;
use dialects::bedrock::{Reader, StreamDecoder, read_whole};
use dialects::{Ending, Fold};
use llm::{Answer, Delta, Event, FinishReason, Usage};
use serde_json::Value;
use std::path::Path;

/// The events of a recorded stream, if it is one of this dialect, as they stand in the file.
fn events_of(path: &Path) -> Option<Vec<String>> {
    let text = path.to_str()?.ends_with(".chunks.txt").then(|| std::fs::read_to_string(path).expect("readable"))?;
    let events: Vec<String> = text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect();
    let known = ["messageStart", "contentBlockStart", "contentBlockDelta"];
    let first: Value = serde_json::from_str(events.first()?).ok()?;
    known.iter().any(|kind| first.get(kind).is_some()).then_some(events)
}

/// An event in the frame that it came in.
fn framed(event: &str) -> Vec<u8> {
    let (name, payload) = event.strip_prefix("{\"").and_then(|rest| rest.split_once("\":")).expect("an event");
    let payload = payload.strip_suffix('}').expect("an event");
    let told = [(":event-type", name), (":content-type", "application/json"), (":message-type", "event")];
    let header =
        |(name, value): (&str, &str)| Header::new(name.to_owned(), HeaderValue::String(value.to_owned().into()));
    let message = Message::new_from_parts(told.into_iter().map(header).collect(), payload.as_bytes().to_vec());
    let mut out = Vec::new();
    write_message_to(&message, &mut out).expect("a frame");
    out
}

/// Kinds of frames, their bytes, the ending with the progress, and the deltas, of a stream cut at every `step` bytes.
fn read(stream: &[u8], step: usize) -> (Vec<Event>, Vec<Bytes>, String, Vec<Delta>) {
    let (mut decoder, mut reader, mut deltas) = (StreamDecoder::new(), Reader::default(), Vec::new());
    let (mut events, mut raw) = (Vec::new(), Vec::new());
    for piece in stream.chunks(step.max(1)) {
        decoder.feed(piece);
        while let Some(frame) = decoder.next_frame() {
            reader.push(&frame.raw, &mut deltas).expect("readable");
            events.push(frame.event);
            raw.push(frame.raw);
        }
    }
    let ending = match decoder.end() {
        Ending::Complete(_) => "complete".to_owned(),
        Ending::Broken(failure) => failure.to_string(),
    };
    (events, raw, format!("{ending} {:?}", decoder.progress()), deltas)
}

fn folded(deltas: &[Delta]) -> Answer {
    let mut fold = Fold::default();
    deltas.iter().for_each(|delta| fold.push(delta).expect("held"));
    fold.finish()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// What an answer says, straight from its JSON: text, thoughts, seals, and calls with their arguments as text.
#[derive(Debug, Default, PartialEq)]
struct Said {
    text: String,
    thoughts: String,
    seals: String,
    calls: Vec<(String, String, String)>,
}

impl Said {
    /// Takes in a block, its beginning, or what is added to it.
    fn take(&mut self, block: &Value) {
        self.text += &text(&block["text"]);
        let thought = &block["reasoningContent"];
        for thought in [thought, &thought["reasoningText"]] {
            self.thoughts += &text(&thought["text"]);
            self.seals += &text(&thought["signature"]);
        }
        let call = &block["toolUse"];
        if call.get("toolUseId").is_some() {
            self.calls.push((text(&call["toolUseId"]), text(&call["name"]), String::new()));
        }
        if let Some((input, (.., arguments))) = call.get("input").zip(self.calls.last_mut()) {
            *arguments += &input.as_str().map_or_else(|| input.to_string(), str::to_owned);
        }
    }

    /// Calls without arguments have an empty object of them.
    fn done(mut self) -> Self {
        for (.., arguments) in self.calls.iter_mut().filter(|(.., arguments)| arguments.is_empty()) {
            *arguments = "{}".into();
        }
        self
    }
}

/// The same from deltas, which a fold puts together.
fn said(deltas: &[Delta]) -> Said {
    let answer = folded(deltas);
    let choice = answer.choices.first().expect("a choice");
    let seals = deltas.iter().filter_map(|delta| match delta {
        Delta::ThoughtSealed { seal, .. } => Some(&*seal.token),
        _ => None,
    });
    let arguments = |text: &str| {
        let read: Value = serde_json::from_str(text).expect("JSON");
        read.to_string()
    };
    Said {
        text: choice.text.clone(),
        thoughts: choice.reasoning.clone(),
        seals: seals.collect(),
        calls: choice.calls.iter().map(|c| (c.id.clone(), c.name.clone(), arguments(&c.arguments))).collect(),
    }
}

fn usage(told: &Value) -> Option<Usage> {
    let count = |name: &str| told.get(name).and_then(Value::as_u64);
    let (cached, cache_written) = (count("cacheReadInputTokens")?, count("cacheWriteInputTokens")?);
    let (input, output) = (count("inputTokens")? + cached + cache_written, count("outputTokens")?);
    Some(Usage { input, output, cached, cache_written, reasoning: 0 })
}

fn last_usage(deltas: &[Delta]) -> Option<Usage> {
    deltas.iter().rev().find_map(|delta| match delta {
        Delta::Used(usage) => Some(*usage),
        _ => None,
    })
}

fn is_ended(deltas: &[Delta], calls: bool) -> bool {
    let expected = if calls { FinishReason::ToolCalls } else { FinishReason::Stop };
    let ends = deltas.iter().filter(|delta| matches!(delta, Delta::Ended { .. }));
    ends.eq([&Delta::Ended { choice: 0, finish: expected, stop: None }])
}

#[test]
fn recorded_streams_lose_nothing() {
    let mut count = 0;
    for path in recordings() {
        let Some(events) = events_of(&path) else { continue };
        let shown = path.display();
        let stream: Vec<u8> = events.iter().flat_map(|event| framed(event)).collect();
        let whole = read(&stream, stream.len());
        assert_eq!(whole.1, events, "{shown}: each event as it is recorded");
        assert!(whole.2.starts_with("complete"), "{shown}: {}", whole.2);
        assert!(
            !whole.0.iter().any(|event| matches!(event, Event::Error(_) | Event::Garbage)),
            "{shown}: {:?}",
            whole.0
        );
        for step in [1, 7, 100] {
            assert_eq!(read(&stream, step), whole, "{shown}: cut at every {step} bytes");
        }
        let cut = read(&stream[..stream.len() / 2], 4096);
        assert!(!cut.2.starts_with("complete"), "{shown}: half of it is no answer");

        let (mut expected, mut told) = (Said::default(), Value::Null);
        for event in &events {
            let event: Value = serde_json::from_str(event).expect("JSON");
            expected.take(&event["contentBlockStart"]["start"]);
            expected.take(&event["contentBlockDelta"]["delta"]);
            if let Some(usage) = event["metadata"].get("usage") {
                told = usage.clone();
            }
        }
        let expected = expected.done();
        assert!(is_ended(&whole.3, !expected.calls.is_empty()), "{shown}: {:?}", whole.3);
        let used = last_usage(&whole.3);
        assert_eq!(used.map(|u| (u.input, u.output)), told["inputTokens"].as_u64().zip(told["outputTokens"].as_u64()));
        assert_eq!(whole.0.last() == Some(&Event::Done), used.is_some(), "{shown}: over with usage and reason");
        let read = said(&whole.3);
        assert_eq!(
            (read.text, read.thoughts, read.seals),
            (expected.text, expected.thoughts, expected.seals),
            "{shown}"
        );
        let arguments = |text: &str| serde_json::from_str::<Value>(text).expect("JSON").to_string();
        let calls: Vec<_> = expected.calls.into_iter().map(|(id, name, text)| (id, name, arguments(&text))).collect();
        assert_eq!(read.calls, calls, "{shown}");
        count += 1;
    }
    say(&format!("{count} recorded streams of Bedrock"));
    assert!(count > 10 || std::env::var_os("BREAKWATER_RECORDINGS").is_none(), "{count} streams are too few");
}

#[test]
fn recorded_whole_answers_lose_nothing() {
    let mut count = 0;
    for path in recordings().into_iter().filter(|path| path.extension().is_some_and(|e| e == "json")) {
        let body = Bytes::from(std::fs::read(&path).expect("readable"));
        let Ok(value) = serde_json::from_slice::<Value>(&body) else { continue };
        let Some(content) = value.pointer("/output/message/content").and_then(Value::as_array) else { continue };
        let shown = path.display();
        let progress = read_whole(&body).unwrap_or_else(|failure| panic!("{shown}: {failure}"));
        assert!(progress.usage.is_some() && progress.done && progress.content, "{shown}: {progress:?}");
        let deltas = Reader::whole(&body).unwrap_or_else(|unread| panic!("{shown}: {unread}"));
        let mut expected = Said::default();
        content.iter().for_each(|block| expected.take(block));
        assert!(is_ended(&deltas, !expected.calls.is_empty()), "{shown}: {deltas:?}");
        assert_eq!(said(&deltas), expected.done(), "{shown}");
        assert_eq!(progress.usage, last_usage(&deltas), "{shown}");
        if let Some(usage) = usage(&value["usage"]) {
            assert_eq!(progress.usage, Some(usage), "{shown}");
        }
        count += 1;
    }
    say(&format!("{count} recorded answers of Bedrock"));
    assert!(count > 8 || std::env::var_os("BREAKWATER_RECORDINGS").is_none(), "{count} answers are too few");
}
