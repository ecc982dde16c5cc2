//! Answers and errors of OpenAI and compatible servers.

use super::files::{recordings, say};
use bytes::Bytes;
use dialects::openai_chat::{StreamDecoder, read_error, read_whole};
use dialects::{Ending, Quirks};
use llm::{ErrorKind, Event};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

/// The recorded stream as it came over the wire, if it is one of this dialect.
fn stream_of(path: &Path) -> Option<Vec<u8>> {
    let text = path.to_str()?.ends_with(".chunks.txt").then(|| std::fs::read_to_string(path).expect("readable"))?;
    let is_chunk = |line: &str| {
        serde_json::from_str::<Value>(line)
            .is_ok_and(|v| v["object"] == "chat.completion.chunk" || v["choices"].is_array())
    };
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty() && *line != "[DONE]").collect();
    let ours = lines.first().is_some_and(|line| is_chunk(line));
    ours.then(|| lines.iter().chain(&["[DONE]"]).flat_map(|line| format!("data: {line}\n\n").into_bytes()).collect())
}

/// What a stream says, cut at every `step` bytes: kinds of events, bytes, ending, finish and usage.
fn read(stream: &[u8], step: usize) -> (Vec<&'static str>, Vec<u8>, String) {
    let mut decoder = StreamDecoder::new(Quirks::default());
    let (mut kinds, mut raw) = (Vec::new(), Vec::new());
    for piece in stream.chunks(step) {
        decoder.feed(piece);
        while let Some(frame) = decoder.next_frame() {
            raw.extend_from_slice(&frame.raw);
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
    (kinds, raw, format!("{ending} {:?}", decoder.progress()))
}

#[test]
fn recorded_streams_are_complete_and_keep_their_bytes() {
    let mut count = 0;
    for path in recordings() {
        let Some(stream) = stream_of(&path) else { continue };
        let shown = path.display();
        let whole = read(&stream, stream.len());
        assert_eq!(whole.1, stream, "{shown}: bytes");
        assert!(whole.2.starts_with("complete"), "{shown}: {}", whole.2);
        assert!(!whole.0.contains(&"error") && !whole.0.contains(&"garbage"), "{shown}: {:?}", whole.0);
        for step in [1, 7, 1000] {
            assert_eq!(read(&stream, step), whole, "{shown}: cut at every {step} bytes");
        }
        let cut = read(&stream[..stream.len() / 2], 4096);
        assert!(!cut.2.starts_with("complete"), "{shown}: half of it is no answer");
        count += 1;
    }
    say(&format!("{count} recorded streams"));
    assert!(count > 20 || std::env::var_os("BREAKWATER_RECORDINGS").is_none(), "{count} streams are too few");
}

#[test]
fn recorded_whole_answers_and_errors_are_told_apart() {
    let (mut answers, mut errors) = (0, 0);
    for path in recordings().into_iter().filter(|path| path.extension().is_some_and(|e| e == "json")) {
        let body = Bytes::from(std::fs::read(&path).expect("readable"));
        let Ok(value) = serde_json::from_slice::<Value>(&body) else { continue };
        let shown = path.display();
        if value["choices"].is_array() && value["choices"][0]["message"].is_object() {
            let progress = read_whole(&body).unwrap_or_else(|failure| panic!("{shown}: {failure}"));
            assert!(progress.content && progress.usage.is_some(), "{shown}: {progress:?}");
            answers += 1;
        } else if !value["error"].is_null() {
            assert!(read_whole(&body).is_err(), "{shown}");
            assert!(read_error(200, &body, None).status >= 400, "{shown}");
            errors += 1;
        }
    }
    say(&format!("{answers} recorded answers, {errors} recorded errors"));
    assert!(answers > 10 || std::env::var_os("BREAKWATER_RECORDINGS").is_none(), "{answers} answers are too few");
}

#[test]
fn recorded_errors_are_understood() {
    let seconds = |seconds| Some(Duration::from_secs_f64(seconds));
    let mut count = 0;
    for path in recordings() {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let (status, kind, advice) = match name {
            "google-429-retry-info.json" => (429, ErrorKind::RateLimited, seconds(34.4)),
            "openai-error.1.json" => (429, ErrorKind::QuotaExhausted, None),
            "gpt-image-response-format-error.json"
            | "reasoning-model-legacy-parameter-error.json"
            | "reasoning-model-temperature-error.json" => (400, ErrorKind::InvalidRequest, None),
            _ => continue,
        };
        let body = Bytes::from(std::fs::read(&path).expect("readable"));
        // As a refusal, and as an error within a 200.
        for said in [status, 200] {
            let read = read_error(said, &body, None);
            assert_eq!((read.status, read.kind, read.retry_after), (status, kind, advice), "{}", path.display());
        }
        count += 1;
    }
    say(&format!("{count} recorded errors understood"));
    assert!(count == 5 || std::env::var_os("BREAKWATER_RECORDINGS").is_none(), "{count} of 5 errors");
}
