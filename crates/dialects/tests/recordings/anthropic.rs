//! Answers of Anthropic.

use super::files::{recordings, say};
use bytes::{Bytes, BytesMut};
use dialects::anthropic::{Reader, StreamDecoder, Writer, read_whole, write_answer};
use dialects::openai_chat::each_data;
use dialects::{Ending, Head, Quirks};
use llm::{Delta, Event, FinishReason, Usage};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// The file whose second half begins another answer in the middle of the first.
const SPLICED: &str = "spliced-message-start.chunks.txt";

/// The events of each answer in a recorded stream, if it is one of this dialect.
fn answers_of(path: &Path) -> Option<Vec<Vec<Value>>> {
    let text = path.to_str()?.ends_with(".chunks.txt").then(|| std::fs::read_to_string(path).expect("readable"))?;
    let events: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    if events.first()?["type"] != "message_start" {
        return None;
    }
    // Some hold several turns.
    let answers = events.split_inclusive(|event| event["type"] == "message_stop").map(<[Value]>::to_vec);
    Some(answers.filter(|events| !events.is_empty()).collect())
}

/// The events as they came over the wire.
fn wire(events: &[Value]) -> Vec<u8> {
    let event = |event: &Value| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap_or_default());
    events.iter().flat_map(|value| event(value).into_bytes()).collect()
}

/// Kinds of frames, their bytes, the ending with the progress, and the deltas, of a stream cut at every `step` bytes.
fn read(stream: &[u8], step: usize) -> (Vec<&'static str>, Vec<u8>, String, Vec<Delta>) {
    let mut decoder = StreamDecoder::new(Quirks::default());
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

/// What an answer says, put together: its text, thoughts, calls by place with their arguments, all else by name.
#[derive(Debug, Default, PartialEq)]
struct Said {
    text: String,
    thoughts: String,
    seals: Vec<String>,
    calls: Vec<(String, String, Value)>,
    others: BTreeMap<String, usize>,
    usage: Option<Usage>,
}

fn put_together(deltas: &[Delta]) -> Said {
    let mut said = Said::default();
    let mut arguments: Vec<String> = Vec::new();
    for delta in deltas {
        match delta {
            Delta::Text { text, .. } => said.text.push_str(text),
            Delta::Thought { text, .. } => said.thoughts.push_str(text),
            Delta::ThoughtSealed { seal, .. } => said.seals.push(seal.token.to_string()),
            Delta::Call { id, name, .. } => {
                said.calls.push((id.clone(), name.clone(), Value::Null));
                arguments.push(String::new());
            }
            Delta::Arguments { call, text, .. } => arguments[*call as usize].push_str(text),
            Delta::Other { name, .. } if name != "citations" && name != "container" => {
                *said.others.entry(name.clone()).or_default() += 1;
            }
            Delta::Used(usage) => said.usage = Some(*usage),
            _ => {}
        }
    }
    for (call, arguments) in said.calls.iter_mut().zip(&arguments) {
        call.2 = serde_json::from_str(arguments).expect("JSON");
    }
    said
}

/// The same, straight from the recorded events, as Anthropic's own client puts them together.
fn recorded(events: &[Value]) -> Said {
    let mut said = Said::default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut blocks: Vec<(Value, String)> = Vec::new();
    let mut usage = serde_json::Map::new();
    for event in events {
        let told = [&event["usage"], &event["message"]["usage"]];
        for (key, value) in
            told.into_iter().filter_map(Value::as_object).flatten().filter(|(_, value)| !value.is_null())
        {
            usage.insert(key.clone(), value.clone());
        }
        for block in event["message"]["content"].as_array().into_iter().flatten().chain(event.get("content_block")) {
            blocks.push((block.clone(), String::new()));
        }
        let delta = &event["delta"];
        if let Some((block, input)) = blocks.last_mut() {
            for key in ["text", "thinking", "signature"] {
                if delta[key].is_string() {
                    block[key] = (text(&block[key]) + &text(&delta[key])).into();
                }
            }
            input.push_str(&text(&delta["partial_json"]));
        }
    }
    for (block, input) in blocks {
        match block["type"].as_str().expect("a type") {
            "text" => said.text.push_str(&text(&block["text"])),
            "thinking" => {
                said.thoughts.push_str(&text(&block["thinking"]));
                said.seals.push(text(&block["signature"]));
            }
            "tool_use" => {
                let input =
                    if input.is_empty() { block["input"].clone() } else { serde_json::from_str(&input).expect("JSON") };
                said.calls.push((text(&block["id"]), text(&block["name"]), input));
            }
            other => *said.others.entry(other.to_owned()).or_default() += 1,
        }
    }
    let count = |key: &str| usage.get(key).and_then(Value::as_u64).unwrap_or(0);
    let (cached, cache_written) = (count("cache_read_input_tokens"), count("cache_creation_input_tokens"));
    said.usage = Some(Usage {
        input: count("input_tokens") + cached + cache_written,
        output: count("output_tokens"),
        cached,
        cache_written,
        reasoning: usage.get("output_tokens_details").and_then(|d| d["thinking_tokens"].as_u64()).unwrap_or(0),
    });
    said
}

/// Of usage the last alone, and the end as it is written where others have no word for it: a pause, and calls that the
/// provider's own code made and had answered.
fn settled(mut deltas: Vec<Delta>) -> Vec<Delta> {
    let used = deltas.iter().rev().find(|delta| matches!(delta, Delta::Used(_))).cloned();
    deltas.retain(|delta| !matches!(delta, Delta::Used(_)));
    let calls = deltas.iter().any(|delta| matches!(delta, Delta::Call { .. }));
    for delta in &mut deltas {
        if let Delta::Ended { finish: finish @ (FinishReason::Other | FinishReason::Stop), .. } = delta {
            *finish = if calls { FinishReason::ToolCalls } else { FinishReason::Stop };
        }
    }
    deltas.extend(used);
    deltas
}

fn head() -> Head {
    Head { id: "ours".into(), model: "asked".into(), created: 0, usage: true, ..Head::default() }
}

#[test]
fn recorded_streams_lose_nothing_and_come_back_from_our_own_writer() {
    let mut count = 0;
    for path in recordings().into_iter().filter(|path| path.file_name().is_some_and(|name| name != SPLICED)) {
        for events in answers_of(&path).into_iter().flatten() {
            let (shown, stream) = (path.display(), wire(&events));
            let whole = read(&stream, stream.len());
            assert_eq!(whole.1, stream, "{shown}: bytes");
            assert!(whole.2.starts_with("complete"), "{shown}: {}", whole.2);
            assert!(!whole.0.contains(&"error") && !whole.0.contains(&"garbage"), "{shown}: {:?}", whole.0);
            for step in [1, 7, 1000] {
                assert_eq!(read(&stream, step), whole, "{shown}: cut at every {step} bytes");
            }
            let cut = read(&stream[..stream.len() / 2], 4096);
            assert!(!cut.2.starts_with("complete"), "{shown}: half of it is no answer");
            assert_eq!(put_together(&whole.3), recorded(&events), "{shown}");

            let (mut writer, mut out) = (Writer::new(head()), BytesMut::new());
            whole.3.iter().for_each(|delta| writer.push(delta, &mut out));
            writer.finish(&mut out);
            let again = read(&out, out.len());
            assert!(again.2.starts_with("complete"), "{shown}: {}", again.2);
            assert_eq!(settled(again.3), settled(whole.3), "{shown}: written and read");
            assert!(writer.left_out().is_empty(), "{shown}: {:?}", writer.left_out());
            count += 1;
        }
    }
    say(&format!("{count} recorded streams of Anthropic"));
    assert!(count > 30 || std::env::var_os("BREAKWATER_RECORDINGS").is_none(), "{count} streams are too few");
}

#[test]
fn recorded_whole_answers_lose_nothing_and_come_back_from_our_own_writer() {
    let mut count = 0;
    for path in recordings().into_iter().filter(|path| path.extension().is_some_and(|e| e == "json")) {
        let body = Bytes::from(std::fs::read(&path).expect("readable"));
        let Ok(value) = serde_json::from_slice::<Value>(&body) else { continue };
        if value["type"] != "message" {
            continue;
        }
        let shown = path.display();
        let progress = read_whole(&body).unwrap_or_else(|failure| panic!("{shown}: {failure}"));
        assert!(progress.usage.is_some() && progress.done, "{shown}: {progress:?}");
        let deltas = Reader::whole(&body).unwrap_or_else(|unread| panic!("{shown}: {unread}"));
        let event = serde_json::json!({ "message": value });
        assert_eq!(put_together(&deltas), recorded(&[event]), "{shown}");
        let again = Reader::whole(&write_answer(&head(), &deltas)).expect("a message");
        assert_eq!(settled(again), settled(deltas), "{shown}: written and read");
        count += 1;
    }
    say(&format!("{count} recorded answers of Anthropic"));
    assert!(count > 25 || std::env::var_os("BREAKWATER_RECORDINGS").is_none(), "{count} answers are too few");
}

#[test]
fn an_answer_with_another_spliced_into_it_is_none() {
    for path in recordings().into_iter().filter(|path| path.file_name().is_some_and(|name| name == SPLICED)) {
        for events in answers_of(&path).into_iter().flatten() {
            let mut decoder = StreamDecoder::new(Quirks::default());
            decoder.feed(&wire(&events));
            let frames: Vec<Event> = std::iter::from_fn(|| decoder.next_frame()).map(|frame| frame.event).collect();
            assert!(frames.contains(&Event::Garbage), "{frames:?}");
        }
    }
}
