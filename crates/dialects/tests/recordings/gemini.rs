//! Recordings of Gemini's `generateContent`, from the Gemini API and Vertex AI: read without loss, written and read again.

use crate::files::{recordings, say};
use bytes::{Bytes, BytesMut};
use dialects::gemini::{Ending, Reader, StreamDecoder, Writer, each_data, read_error, read_whole, write_answer};
use dialects::{Head, gemini};
use llm::{Delta, ErrorKind, Event, FinishReason};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

/// The recorded events, if they are of this dialect.
fn events_of(path: &Path) -> Option<Vec<String>> {
    let text = path.to_str()?.ends_with(".chunks.txt").then(|| std::fs::read_to_string(path).expect("readable"))?;
    let lines: Vec<String> = text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect();
    let first: Value = serde_json::from_str(lines.first()?).ok()?;
    first["candidates"].is_array().then_some(lines)
}

fn as_events(lines: &[String]) -> Vec<u8> {
    lines.iter().flat_map(|line| format!("data: {line}\r\n\r\n").into_bytes()).collect()
}

fn as_list(lines: &[String]) -> Vec<u8> {
    format!("[{}\n]\n", lines.join("\r\n,\r\n")).into_bytes()
}

fn head() -> Head {
    Head { id: "own".into(), model: "asked".into(), created: 1, usage: true, ..Head::default() }
}

/// What a stream says, cut at every `step` bytes: kinds of events, bytes, ending and progress, and the steps.
fn read(stream: &[u8], step: usize) -> (Vec<&'static str>, Vec<u8>, String, Vec<Delta>) {
    let (mut decoder, mut reader) = (StreamDecoder::new(), Reader::default());
    let (mut kinds, mut raw, mut steps) = (Vec::new(), Vec::new(), Vec::new());
    for piece in stream.chunks(step) {
        decoder.feed(piece);
        while let Some(frame) = decoder.next_frame() {
            raw.extend_from_slice(&frame.raw);
            each_data(&frame.raw, |data| reader.push(data, &mut steps)).expect("an answer");
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
        Ending::Complete(lacking) => {
            raw.extend_from_slice(&lacking.unwrap_or_default());
            "complete".to_owned()
        }
        Ending::Broken(failure) => failure.to_string(),
    };
    (kinds, raw, format!("{ending} {:?}", decoder.progress()), steps)
}

/// What the objects say, read plainly: text, thoughts, names and arguments of whole calls, signatures.
fn plainly(objects: &[Value]) -> (String, String, Vec<(String, Value)>, Vec<String>) {
    let (mut text, mut thoughts, mut calls, mut seals) = (String::new(), String::new(), Vec::new(), Vec::new());
    let parts =
        objects.iter().flat_map(|object| object["candidates"][0]["content"]["parts"].as_array().into_iter().flatten());
    for part in parts {
        let words = part["text"].as_str().unwrap_or_default();
        if part["thought"] == true {
            thoughts.push_str(words);
        } else {
            text.push_str(words);
        }
        if let Some(name) = part["functionCall"]["name"].as_str() {
            calls.push((name.to_owned(), part["functionCall"]["args"].clone()));
        }
        seals.extend(part["thoughtSignature"].as_str().map(str::to_owned));
    }
    (text, thoughts, calls, seals)
}

fn of_steps(steps: &[Delta]) -> (String, String, Vec<(String, Value)>, Vec<String>) {
    let (mut all, mut thoughts, mut calls, mut seals) = (String::new(), String::new(), Vec::new(), Vec::new());
    for step in steps {
        match step {
            Delta::Text { text, .. } => all.push_str(text),
            Delta::Thought { text, .. } => thoughts.push_str(text),
            Delta::TextSealed { seal, .. } | Delta::ThoughtSealed { seal, .. } => seals.push(seal.token.to_string()),
            Delta::Call { name, seal, .. } => {
                calls.push((name.clone(), Value::Null));
                seals.extend(seal.as_ref().map(|seal| seal.token.to_string()));
            }
            Delta::Arguments { text, .. } => {
                calls.last_mut().expect("a call").1 = serde_json::from_str(text).expect("JSON");
            }
            _ => {}
        }
    }
    (all, thoughts, calls, seals)
}

/// Whether the steps end well, and as the last object says.
fn assert_ended(steps: &[Delta], last: &Value, shown: &str) {
    let called = steps.iter().any(|step| matches!(step, Delta::Call { .. }));
    let finish = if called { FinishReason::ToolCalls } else { FinishReason::Stop };
    assert_eq!(last["candidates"][0]["finishReason"], "STOP", "{shown}");
    let ends: Vec<&Delta> = steps.iter().filter(|step| matches!(step, Delta::Ended { .. })).collect();
    assert_eq!(ends, [&Delta::Ended { choice: 0, finish, stop: None }], "{shown}");
    let used = steps.iter().rev().find_map(|step| match step {
        Delta::Used(usage) => Some(*usage),
        _ => None,
    });
    let used = used.expect("usage");
    assert_eq!(Some(used.input + used.output), last["usageMetadata"]["totalTokenCount"].as_u64(), "{shown}");
}

/// Steps with neighbouring text joined, and behind them the last usage, which is the one that counts.
fn settled(steps: &[Delta]) -> Vec<Delta> {
    let mut out: Vec<Delta> = Vec::new();
    let (used, said): (Vec<&Delta>, Vec<&Delta>) = steps.iter().partition(|step| matches!(step, Delta::Used(_)));
    for step in said {
        match (out.last_mut(), step) {
            (Some(Delta::Text { text, .. }), Delta::Text { text: more, .. }) => text.push_str(more),
            (_, step) => out.push(step.clone()),
        }
    }
    out.extend(used.last().copied().cloned());
    out
}

fn assert_written(steps: &[Delta], shown: &str) {
    let mut written = BytesMut::new();
    let mut writer = Writer::new(head());
    for step in steps {
        writer.push(step, &mut written);
    }
    writer.finish(&mut written);
    assert!(writer.left_out().is_empty(), "{shown}: {:?}", writer.left_out());
    let (kinds, _, ending, again) = read(&written, written.len());
    assert!(ending.starts_with("complete") && !kinds.contains(&"garbage"), "{shown}: {ending} {kinds:?}");
    assert_eq!(settled(&again), settled(steps), "{shown}: streamed");
    let whole = write_answer(&head(), steps);
    read_whole(&whole).unwrap_or_else(|failure| panic!("{shown}: {failure}"));
    assert_eq!(settled(&Reader::whole(&whole).expect("an answer")), settled(steps), "{shown}: whole");
}

#[test]
fn recorded_streams_are_read_without_loss_and_keep_their_bytes() {
    let mut count = 0;
    for path in recordings() {
        let Some(lines) = events_of(&path) else { continue };
        let shown = path.display().to_string();
        let objects: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        for stream in [as_events(&lines), as_list(&lines)] {
            let whole = read(&stream, stream.len());
            // White space behind a list is nobody's.
            let (kept, rest) = stream.split_at(whole.1.len());
            assert_eq!((kept, rest.trim_ascii()), (&*whole.1, &b""[..]), "{shown}: bytes");
            assert!(whole.2.starts_with("complete"), "{shown}: {}", whole.2);
            assert!(!whole.0.contains(&"error") && !whole.0.contains(&"garbage"), "{shown}: {:?}", whole.0);
            for step in [1, 7, 1000] {
                assert_eq!(read(&stream, step), whole, "{shown}: cut at every {step} bytes");
            }
            let cut = read(&stream[..stream.len() / 2], 4096);
            assert!(!cut.2.starts_with("complete"), "{shown}: half of it is no answer");
        }
        let steps = read(&as_events(&lines), 1 << 20).3;
        assert_eq!(steps, Reader::whole(&as_list(&lines)).expect("an answer"), "{shown}: in a list");
        let (said, told) = (of_steps(&steps), plainly(&objects));
        assert_eq!((&said.0, &said.1, &said.3), (&told.0, &told.1, &told.3), "{shown}");
        let named = |calls: &[(String, Value)]| calls.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        assert_eq!(named(&said.2), named(&told.2), "{shown}");
        assert_ended(&steps, objects.last().expect("an event"), &shown);
        assert_written(&steps, &shown);
        count += 1;
    }
    say(&format!("{count} recorded streams of Gemini's"));
    assert!(count >= 9 || std::env::var_os("BREAKWATER_RECORDINGS").is_none(), "{count} streams are too few");
}

#[test]
fn recorded_calls_in_pieces_are_put_together() {
    let mut count = 0;
    for path in recordings() {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let expected: &[&str] = match name {
            "google-stream-no-args-tool-call.chunks.txt" => {
                &[r#"{}"#, r#"{"id":"A"}"#, r#"{"id":"B"}"#, r#"{"id":"C"}"#]
            }
            "google-stream-tool-call-arguments.chunks.txt" => {
                &[r#"{"location":"Boston"}"#, r#"{"location":"San Francisco"}"#]
            }
            "google-stream-tool-call-array-arguments-missing-terminal-function-call.chunks.txt" => &[concat!(
                r#"{"operations":[{"action":"add","description":"Fresh red apple","itemid":"apple_001","price":0.5},"#,
                r#"{"action":"add","description":"Ripe yellow banana","itemid":"banana_001","price":0.3}]}"#
            )],
            _ => continue,
        };
        let lines = events_of(&path).expect("a stream");
        let steps = read(&as_events(&lines), 1 << 20).3;
        let arguments: Vec<&str> = steps
            .iter()
            .filter_map(|step| match step {
                Delta::Arguments { text, .. } => Some(text.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(arguments, expected, "{name}");
        count += 1;
    }
    assert!(count == 3 || std::env::var_os("BREAKWATER_RECORDINGS").is_none(), "{count} of 3 recordings");
}

#[test]
fn recorded_whole_answers_are_read_without_loss() {
    let mut count = 0;
    for path in recordings().into_iter().filter(|path| path.extension().is_some_and(|e| e == "json")) {
        let body = Bytes::from(std::fs::read(&path).expect("readable"));
        let Ok(value) = serde_json::from_slice::<Value>(&body) else { continue };
        if !value["candidates"].is_array() {
            continue;
        }
        let shown = path.display().to_string();
        let progress = read_whole(&body).unwrap_or_else(|failure| panic!("{shown}: {failure}"));
        assert!(progress.content && progress.usage.is_some() && !progress.model.is_empty(), "{shown}: {progress:?}");
        let steps = Reader::whole(&body).expect("an answer");
        assert_eq!(of_steps(&steps), plainly(std::slice::from_ref(&value)), "{shown}");
        assert_ended(&steps, &value, &shown);
        assert_written(&steps, &shown);
        count += 1;
    }
    say(&format!("{count} recorded answers of Gemini's"));
    assert!(count >= 4 || std::env::var_os("BREAKWATER_RECORDINGS").is_none(), "{count} answers are too few");
}

#[test]
fn the_recorded_error_is_understood() {
    for path in recordings() {
        if path.file_name().is_some_and(|name| name == "google-429-retry-info.json") {
            let body = Bytes::from(std::fs::read(&path).expect("readable"));
            let read = read_error(429, &body, None);
            let advice = Some(Duration::from_secs_f64(34.4));
            assert_eq!((read.status, read.kind, read.retry_after), (429, ErrorKind::RateLimited, advice));
            let told = gemini::render(&llm::CallError::Provider(Box::new(read)));
            assert!(told.body.starts_with(br#"{"error":{"code":429"#));
        }
    }
}
