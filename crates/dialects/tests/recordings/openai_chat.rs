//! Answers and errors of OpenAI and compatible servers.

use super::files::{recordings, say};
use bytes::{Bytes, BytesMut};
use dialects::openai_chat::{
    Assembler, Reader, StreamDecoder, Writer, each_data, read_answer, read_error, read_whole, write_answer,
};
use dialects::{Ending, Fold, Head, Quirks};
use llm::{Answer, Delta, ErrorKind, Event, Usage};
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

/// The deltas of a stream.
fn deltas(stream: &[u8]) -> Vec<Delta> {
    let (mut reader, mut out) = (Reader::default(), Vec::new());
    each_data(stream, |data| reader.push(data, &mut out)).expect("an answer");
    out
}

fn folded(deltas: &[Delta]) -> Answer {
    let mut fold = Fold::default();
    deltas.iter().for_each(|delta| fold.push(delta).expect("not too large"));
    fold.finish()
}

fn used(deltas: &[Delta]) -> Option<Usage> {
    deltas.iter().rev().find_map(|delta| if let Delta::Used(usage) = delta { Some(*usage) } else { None })
}

/// All that is thought.
fn thought(deltas: &[Delta]) -> String {
    deltas
        .iter()
        .filter_map(|delta| if let Delta::Thought { text, .. } = delta { Some(text.as_str()) } else { None })
        .collect()
}

/// What a JSON object of an answer holds as reasoning, found without the reader.
fn reasoning(value: &Value) -> String {
    let choice = &value["choices"][0];
    let said = if choice["delta"].is_object() { &choice["delta"] } else { &choice["message"] };
    let plain = said["reasoning_content"].as_str().or(said["reasoning"].as_str()).unwrap_or_default();
    let parts = said["content"].as_array().into_iter().flatten().flat_map(|part| part["thinking"].as_array());
    parts.flatten().filter_map(|part| part["text"].as_str()).fold(plain.to_owned(), |all, text| all + text)
}

/// A wire form of the same deltas, read again.
fn again(deltas: &[Delta], streamed: bool) -> Vec<Delta> {
    let head = Head { id: "chatcmpl-0".into(), model: "m".into(), created: 1, usage: true, ..Head::default() };
    if !streamed {
        return Reader::whole(&write_answer(&head, deltas)).expect("an answer");
    }
    let (mut writer, mut out) = (Writer::new(head), BytesMut::new());
    deltas.iter().for_each(|delta| writer.push(delta, &mut out));
    writer.finish(&mut out);
    self::deltas(&out)
}

/// Checks that `deltas` say all that the bytes do, and say it again when they are written and read.
fn check(shown: &str, deltas: &[Delta], assembled: &Answer, usage: Option<Usage>, reasoning: &str, streamed: bool) {
    assert_eq!(&folded(deltas), assembled, "{shown}");
    assert_eq!(used(deltas), usage, "{shown}");
    assert_eq!(thought(deltas), reasoning, "{shown}");
    let again = again(deltas, streamed);
    assert_eq!(&folded(&again), assembled, "{shown}: again");
    assert_eq!((used(&again), thought(&again)), (usage, thought(deltas)), "{shown}: again");
    if streamed {
        let lasting = |delta: &&Delta| !matches!(delta, Delta::Used(_) | Delta::Other { .. });
        let (before, after): (Vec<_>, Vec<_>) =
            (deltas.iter().filter(lasting).collect(), again.iter().filter(lasting).collect());
        assert_eq!(before, after, "{shown}: again");
    }
}

#[test]
fn recorded_answers_are_read_and_written_without_loss() {
    let (mut streams, mut wholes) = (0, 0);
    for path in recordings() {
        let shown = path.display().to_string();
        if let Some(stream) = stream_of(&path) {
            let (mut assembler, mut decoder) = (Assembler::default(), StreamDecoder::new(Quirks::default()));
            let mut thoughts = String::new();
            let each = each_data(&stream, |data| {
                thoughts.push_str(&serde_json::from_slice(data).map(|value| reasoning(&value)).unwrap_or_default());
                assembler.push(data)
            });
            each.expect("an answer");
            decoder.feed(&stream);
            check(&shown, &deltas(&stream), &assembler.finish(), decoder.progress().usage, &thoughts, true);
            streams += 1;
        } else if path.extension().is_some_and(|e| e == "json") {
            let body = Bytes::from(std::fs::read(&path).expect("readable"));
            let Ok(progress) = read_whole(&body) else { continue };
            let thoughts = reasoning(&serde_json::from_slice(&body).expect("JSON"));
            let deltas = Reader::whole(&body).expect("an answer");
            check(&shown, &deltas, &read_answer(&body).expect("an answer"), progress.usage, &thoughts, false);
            wholes += 1;
        }
    }
    say(&format!("{streams} streams and {wholes} whole answers read and written"));
    let enough = streams > 20 && wholes > 10;
    assert!(enough || std::env::var_os("BREAKWATER_RECORDINGS").is_none(), "{streams} and {wholes} are too few");
}
