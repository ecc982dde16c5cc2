//! Recorded answers of OpenAI's responses, and of servers that speak it too.

use super::files::{recordings, say};
use bytes::{Bytes, BytesMut};
use dialects::responses::{Reader, StreamDecoder, Writer, read_error, read_whole, whole, write_answer};
use dialects::{Ending, Head};
use llm::{Delta, ErrorKind, Event, FinishReason, Usage};
use serde_json::Value;
use std::path::Path;

/// The answers in a recorded stream, each a list of the data of its events: one file holds the steps of a conversation.
fn streams_of(path: &Path) -> Vec<Vec<String>> {
    if !path.to_str().is_some_and(|path| path.ends_with(".chunks.txt")) {
        return Vec::new();
    }
    let text = std::fs::read_to_string(path).expect("readable");
    let mut streams: Vec<Vec<String>> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        // Two lines of one recording lack their last brace.
        let whole =
            [line.to_owned(), format!("{line}}}")].into_iter().find(|line| serde_json::from_str::<Value>(line).is_ok());
        let Some(whole) = whole else { continue };
        match (type_of(&whole).as_str(), streams.last_mut()) {
            ("response.created", _) => streams.push(vec![whole]),
            (_, Some(stream)) => stream.push(whole),
            (_, None) => return Vec::new(),
        }
    }
    streams
}

fn type_of(data: &str) -> String {
    let value: Value = serde_json::from_str(data).unwrap_or_default();
    value["type"].as_str().unwrap_or_default().to_owned()
}

fn wire(events: &[String]) -> Vec<u8> {
    events.iter().flat_map(|data| format!("event: {}\ndata: {data}\n\n", type_of(data)).into_bytes()).collect()
}

/// What a stream says, cut at every `step` bytes: kinds of events, bytes, ending, progress.
fn decoded(stream: &[u8], step: usize) -> (Vec<&'static str>, Vec<u8>, String) {
    let mut decoder = StreamDecoder::new();
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

fn read<'a>(events: impl IntoIterator<Item = &'a str>) -> Vec<Delta> {
    let (mut reader, mut out) = (Reader::default(), Vec::new());
    for data in events {
        reader.push(data.as_bytes(), &mut out).expect("read");
    }
    out
}

/// What an answer says, gathered from its deltas.
#[derive(Debug, Default, PartialEq)]
struct Said {
    text: String,
    thought: String,
    refusal: String,
    calls: Vec<(String, String, String)>,
    seals: usize,
    others: Vec<String>,
    finish: Option<FinishReason>,
    usage: Option<Usage>,
}

fn said(deltas: &[Delta]) -> Said {
    let mut said = Said::default();
    for delta in deltas {
        match delta {
            Delta::Began { .. } | Delta::TextSealed { .. } => {}
            Delta::Text { text, .. } => said.text.push_str(text),
            Delta::Thought { text, .. } => said.thought.push_str(text),
            Delta::Refusal { text, .. } => said.refusal.push_str(text),
            Delta::ThoughtSealed { .. } => said.seals += 1,
            Delta::Call { call, id, name, .. } => {
                assert_eq!(*call as usize, said.calls.len());
                said.calls.push((id.clone(), name.clone(), String::new()));
            }
            Delta::Arguments { call, text, .. } => said.calls[*call as usize].2.push_str(text),
            Delta::Other { name, .. } => said.others.push(name.clone()),
            Delta::Ended { finish, .. } => said.finish = Some(*finish),
            Delta::Used(usage) => said.usage = Some(*usage),
        }
    }
    // In a stream citations come with the text that they are of, and else behind it.
    said.others.sort_unstable();
    said
}

/// What the answer's own object says, read in another way.
fn own_words(response: &Value) -> Said {
    let mut said = Said::default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for item in response["output"].as_array().expect("items") {
        match item["type"].as_str().expect("a type") {
            "message" => {
                for part in item["content"].as_array().expect("parts") {
                    said.text.push_str(&text(&part["text"]));
                    said.refusal.push_str(&text(&part["refusal"]));
                    let annotations = part["annotations"].as_array().map_or(0, Vec::len);
                    said.others.extend((0..annotations).map(|_| "annotation".to_owned()));
                    let likelihoods = part["logprobs"].as_array().is_some_and(|list| !list.is_empty());
                    said.others.extend(likelihoods.then(|| "logprobs".to_owned()));
                }
                said.others.extend(item["phase"].is_string().then(|| "phase".to_owned()));
            }
            "reasoning" => {
                let parts = ["summary", "content"].into_iter().filter_map(|field| item[field].as_array());
                let words: Vec<String> = parts.flatten().map(|part| text(&part["text"])).collect();
                said.thought.push_str(&words.concat());
                said.seals += usize::from(item["encrypted_content"].is_string());
            }
            "function_call" => {
                let name = text(&item["name"]);
                let namespace = text(&item["namespace"]);
                let name =
                    if namespace.is_empty() { name } else { format!("ns{}_{namespace}_{name}", namespace.len()) };
                said.calls.push((text(&item["call_id"]), name, text(&item["arguments"])));
            }
            "custom_tool_call" => said.calls.push((text(&item["call_id"]), text(&item["name"]), text(&item["input"]))),
            kind => said.others.push(kind.to_owned()),
        }
    }
    let count = |path: &str| response.pointer(path).and_then(Value::as_u64).unwrap_or(0);
    said.usage = Some(Usage {
        input: count("/usage/input_tokens"),
        output: count("/usage/output_tokens"),
        cached: count("/usage/input_tokens_details/cached_tokens"),
        cache_written: count("/usage/input_tokens_details/cache_write_tokens"),
        reasoning: count("/usage/output_tokens_details/reasoning_tokens"),
    });
    said.finish = Some(if said.calls.is_empty() { FinishReason::Stop } else { FinishReason::ToolCalls });
    said.others.sort_unstable();
    said
}

fn head() -> Head {
    Head { id: "resp_none".into(), model: "none".into(), created: 0, usage: true, ..Head::default() }
}

/// What a writer of this dialect has words for: what only its own providers say of words, nobody asks it for.
fn sayable(deltas: &[Delta]) -> Vec<Delta> {
    let is_note = |delta: &&Delta| matches!(delta, Delta::Other { name, .. } if name == "phase" || name == "logprobs");
    deltas.iter().filter(|delta| !is_note(delta)).cloned().collect()
}

fn written(deltas: &[Delta], shown: &str) -> Bytes {
    let (mut writer, mut out) = (Writer::new(head()), BytesMut::new());
    for delta in deltas {
        writer.push(delta, &mut out);
    }
    writer.finish(&mut out);
    assert_eq!(writer.left_out(), [] as [&str; 0], "{shown}");
    out.freeze()
}

/// Thoughts by their words alone: between them stand paragraphs that no item holds.
fn plain(mut said: Said) -> Said {
    said.thought = said.thought.split_whitespace().collect();
    said
}

#[test]
fn recorded_streams_are_read_in_full_and_keep_their_bytes() {
    let mut count = 0;
    for path in recordings() {
        for events in streams_of(&path) {
            let shown = path.display().to_string();
            let stream = wire(&events);
            let failed = events.iter().any(|data| type_of(data) == "response.failed");
            let whole = decoded(&stream, stream.len());
            assert_eq!(whole.1, stream, "{shown}: bytes");
            assert_eq!(whole.2.starts_with("complete"), !failed, "{shown}: {}", whole.2);
            assert_eq!(whole.0.contains(&"error"), failed, "{shown}: {:?}", whole.0);
            assert!(!whole.0.contains(&"garbage"), "{shown}: {:?}", whole.0);
            for step in [1, 7, 1000] {
                assert_eq!(decoded(&stream, step), whole, "{shown}: cut at every {step} bytes");
            }
            let half = decoded(&stream[..stream.len() / 2], 4096);
            assert!(!half.2.starts_with("complete"), "{shown}: half of it is no answer");
            count += 1;
            if failed {
                continue;
            }
            let deltas = read(events.iter().map(String::as_str));
            let last: Value = serde_json::from_str(events.last().expect("events")).expect("JSON");
            // One server tells its items in the stream alone; and one recording contradicts itself.
            let consistent = !path.ends_with("openai/openai-shell-container.1.chunks.txt");
            if consistent && last["response"]["output"].as_array().is_some_and(|items| !items.is_empty()) {
                assert_eq!(plain(said(&deltas)), plain(own_words(&last["response"])), "{shown}");
            }
            let deltas = sayable(&deltas);
            let again = written(&deltas, &shown);
            let mut reread = Vec::new();
            let mut reader = Reader::default();
            dialects::openai_chat::each_data(&again, |data| reader.push(data, &mut reread)).expect("read");
            assert_eq!(reread, deltas, "{shown}: written and read again");
            assert!(decoded(&again, again.len()).2.starts_with("complete"), "{shown}");
        }
    }
    say(&format!("{count} recorded streams of responses"));
    assert!(count > 40 || std::env::var_os("BREAKWATER_RECORDINGS").is_none(), "{count} streams are too few");
}

#[test]
fn recorded_whole_answers_are_read_in_full() {
    let mut count = 0;
    for path in recordings().into_iter().filter(|path| path.extension().is_some_and(|e| e == "json")) {
        let body = Bytes::from(std::fs::read(&path).expect("readable"));
        let value: Value = serde_json::from_slice(&body).unwrap_or_default();
        if value["object"] != "response" {
            continue;
        }
        let shown = path.display().to_string();
        let progress = read_whole(&body).unwrap_or_else(|failure| panic!("{shown}: {failure}"));
        assert!(progress.content && progress.usage.is_some(), "{shown}: {progress:?}");
        let deltas = whole(&body).expect("read");
        assert_eq!(plain(said(&deltas)), plain(own_words(&value)), "{shown}");
        let deltas = sayable(&deltas);
        let again = write_answer(&head(), &deltas);
        assert_eq!(said(&whole(&again).expect("read")), said(&deltas), "{shown}");
        count += 1;
    }
    say(&format!("{count} recorded answers of responses"));
    assert!(count > 30 || std::env::var_os("BREAKWATER_RECORDINGS").is_none(), "{count} answers are too few");
}

#[test]
fn a_recorded_failure_is_understood() {
    for path in recordings().into_iter().filter(|path| path.ends_with("openai/openai-error.1.chunks.txt")) {
        for data in streams_of(&path).concat() {
            if matches!(type_of(&data).as_str(), "error" | "response.failed") {
                let error = read_error(200, &Bytes::from(data), None);
                assert_eq!((error.kind, error.code.as_str()), (ErrorKind::QuotaExhausted, "insufficient_quota"));
            }
        }
    }
}
