//! The work that both benches measure: requests of 2 KB, and streams of short words.

use bytes::{Bytes, BytesMut};
use dialects::{Head, Quirks, Translated, Writer, Written, request_for};
use llm::{Api, ChatRequest, Delta, Dialect, FinishReason, Usage};

/// Events of a stream that is measured.
pub(crate) const EVENTS: usize = 100;

/// A conversation of three turns and a tool, about 2 KB.
pub(crate) fn request(dialect: Dialect) -> ChatRequest {
    let words = "Sentences that say a little about nothing at all. ".repeat(6);
    let schema = r#"{"type":"object","properties":{"city":{"type":"string","description":"Where"},"days":{"type":"integer"}},"required":["city"]}"#;
    let raw = match dialect {
        Dialect::OpenAiChat => format!(
            r#"{{"model":"m","messages":[{{"role":"system","content":"{words}"}},{{"role":"user","content":"{words}"}},{{"role":"assistant","content":"{words}"}},{{"role":"user","content":[{{"type":"text","text":"{words}"}}]}}],"tools":[{{"type":"function","function":{{"name":"weather","description":"{words}","parameters":{schema}}}}}],"tool_choice":"auto","temperature":0.5,"max_tokens":500,"stream":true}}"#
        ),
        Dialect::Anthropic => format!(
            r#"{{"model":"m","system":"{words}","messages":[{{"role":"user","content":"{words}"}},{{"role":"assistant","content":"{words}"}},{{"role":"user","content":[{{"type":"text","text":"{words}"}}]}}],"tools":[{{"name":"weather","description":"{words}","input_schema":{schema}}}],"tool_choice":{{"type":"auto"}},"temperature":0.5,"max_tokens":500,"stream":true}}"#
        ),
        Dialect::Responses => format!(
            r#"{{"model":"m","instructions":"{words}","input":[{{"role":"user","content":"{words}"}},{{"role":"assistant","content":"{words}"}},{{"role":"user","content":[{{"type":"input_text","text":"{words}"}}]}}],"tools":[{{"type":"function","name":"weather","description":"{words}","parameters":{schema}}}],"tool_choice":"auto","temperature":0.5,"max_output_tokens":500,"stream":true,"store":false}}"#
        ),
        _ => format!(
            r#"{{"systemInstruction":{{"parts":[{{"text":"{words}"}}]}},"contents":[{{"role":"user","parts":[{{"text":"{words}"}}]}},{{"role":"model","parts":[{{"text":"{words}"}}]}},{{"role":"user","parts":[{{"text":"{words}"}}]}}],"tools":[{{"functionDeclarations":[{{"name":"weather","description":"{words}","parameters":{schema}}}]}}],"generationConfig":{{"temperature":0.5,"maxOutputTokens":500}}}}"#
        ),
    };
    let raw = Bytes::from(raw);
    assert!((1900..2400).contains(&raw.len()), "{} bytes", raw.len());
    let read = match dialect {
        Dialect::OpenAiChat => dialects::openai_chat::decode(raw),
        Dialect::Anthropic => dialects::anthropic::decode(raw),
        Dialect::Responses => dialects::responses::decode(raw),
        _ => dialects::gemini::decode("m", true, raw),
    };
    read.expect("a request")
}

/// What is said of the answer.
pub(crate) fn head() -> Head {
    Head { id: "id".into(), model: "m".into(), created: 1_700_000_000, usage: true, ..Head::default() }
}

/// A stream of short words, as a provider of `dialect` would send it: an event in each piece.
pub(crate) fn stream(dialect: Dialect) -> Vec<Bytes> {
    let (mut writer, mut pieces) = (Writer::of(dialect, false, head()), Vec::new());
    let mut say = |delta: &Delta| {
        let mut out = BytesMut::new();
        writer.push(delta, &mut out);
        pieces.push(out.freeze());
    };
    say(&Delta::Began { id: "id".into(), model: "m".into() });
    (0..EVENTS).for_each(|n| say(&Delta::Text { choice: 0, text: format!("word{n} ") }));
    say(&Delta::Used(Usage { input: 10, output: 100, ..Usage::default() }));
    say(&Delta::Ended { choice: 0, finish: FinishReason::Stop, stop: None });
    let mut out = BytesMut::new();
    writer.finish(&mut out);
    pieces.push(out.freeze());
    pieces.retain(|piece| !piece.is_empty());
    pieces
}
/// Every client's dialect with every other one's provider.
pub(crate) fn pairs() -> impl Iterator<Item = (Dialect, Dialect)> {
    let others = |from: Dialect| Dialect::ANSWERS.into_iter().filter(move |to| *to != from).map(move |to| (from, to));
    Dialect::ANSWERS.into_iter().flat_map(others)
}

/// `request`, as a provider of another dialect is asked it.
pub(crate) fn asked(request: &ChatRequest, to: Dialect) -> Written {
    request_for(request, Api::Shared(to), Quirks::default(), "other").expect("written")
}

/// Translates a whole stream, an event in each piece; the bytes that are told.
pub(crate) fn told(pieces: &[Bytes], from: Dialect, to: Dialect) -> usize {
    let mut translated = Translated::new(Api::Shared(from), Quirks::default(), to, false, head());
    let mut bytes = 0;
    for piece in pieces {
        translated.feed(piece);
        while let Some(frame) = translated.next_frame() {
            bytes += frame.raw.len();
        }
    }
    assert!(translated.progress().finished);
    bytes
}
