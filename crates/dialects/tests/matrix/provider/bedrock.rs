//! Amazon's Converse, in the frames of its event streams.

use super::{Scene, Wire, bytes, pieces};
use crate::meaning::Meaning;
use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use llm::{FinishReason, Usage};
use serde_json::{Value, json};

pub(super) fn answer(scene: Scene) -> Option<Wire> {
    // It refuses by ending so.
    if scene == Scene::Refusal {
        return None;
    }
    let told = scene.meaning();
    // It tells neither the sequence, where it is not asked to, nor how much was thought.
    let meaning =
        Meaning { stop: None, usage: told.usage.map(|usage| Usage { reasoning: 0, ..usage }), ..told.clone() };
    Some(Wire { events: stream(&meaning, finish(&told)), whole: bytes(&whole(&meaning, finish(&told))), meaning })
}

pub(super) fn failure() -> Vec<u8> {
    let headers = [
        (":exception-type", "serviceUnavailableException"),
        (":content-type", "application/json"),
        (":message-type", "exception"),
    ];
    framed(&headers, &json!({"message": "It broke."}))
}

fn framed(headers: &[(&str, &str)], payload: &Value) -> Vec<u8> {
    let header =
        |(name, value): &(&str, &str)| Header::new((*name).to_owned(), HeaderValue::String((*value).to_owned().into()));
    let message = Message::new_from_parts(headers.iter().map(header).collect(), payload.to_string().into_bytes());
    let mut out = Vec::new();
    write_message_to(&message, &mut out).expect("a frame");
    out
}

fn event((name, payload): (&str, Value)) -> Vec<u8> {
    framed(&[(":event-type", name), (":content-type", "application/json"), (":message-type", "event")], &payload)
}

fn finish(meaning: &Meaning) -> &'static str {
    match meaning.finish {
        Some(FinishReason::Length) => "max_tokens",
        Some(FinishReason::ToolCalls) => "tool_use",
        Some(FinishReason::ContentFilter) => "guardrail_intervened",
        Some(FinishReason::Other) => "malformed_model_output",
        _ if meaning.stop.is_some() => "stop_sequence",
        _ => "end_turn",
    }
}

/// What was read from a cache, or written to one, is not counted among the input.
fn usage(meaning: &Meaning) -> Value {
    let usage = meaning.usage.expect("usage");
    let input = usage.input - usage.cached - usage.cache_written;
    json!({"inputTokens": input, "outputTokens": usage.output, "totalTokens": usage.input + usage.output,
        "cacheReadInputTokens": usage.cached, "cacheWriteInputTokens": usage.cache_written})
}

fn whole(meaning: &Meaning, finish: &str) -> Value {
    let mut content = Vec::new();
    if !meaning.thought.is_empty() {
        content.push(json!({"reasoningContent": {"reasoningText":
            {"text": meaning.thought, "signature": meaning.seals.first()}}}));
    }
    if !meaning.text.is_empty() {
        content.push(json!({"text": meaning.text}));
    }
    let call = |(id, name, input): &(String, String, Value)| {
        json!({"toolUse":
        {"toolUseId": id, "name": name, "input": input}})
    };
    content.extend(meaning.calls.iter().map(call));
    json!({"output": {"message": {"role": "assistant", "content": content}}, "stopReason": finish,
        "usage": usage(meaning), "metrics": {"latencyMs": 1}})
}

fn stream(meaning: &Meaning, finish: &str) -> Vec<Vec<u8>> {
    let mut events = vec![("messageStart", json!({"role": "assistant"}))];
    let mut index = 0;
    let mut block = |start: Option<Value>, deltas: Vec<Value>| {
        if let Some(start) = start {
            events.push(("contentBlockStart", json!({"contentBlockIndex": index, "start": start})));
        }
        let delta = |delta| ("contentBlockDelta", json!({"contentBlockIndex": index, "delta": delta}));
        events.extend(deltas.into_iter().map(delta));
        events.push(("contentBlockStop", json!({"contentBlockIndex": index})));
        index += 1;
    };
    if !meaning.thought.is_empty() {
        let mut deltas: Vec<Value> =
            pieces(&meaning.thought).map(|piece| json!({"reasoningContent": {"text": piece}})).into();
        deltas.extend(meaning.seals.first().map(|seal| json!({"reasoningContent": {"signature": seal}})));
        block(None, deltas);
    }
    if !meaning.text.is_empty() {
        block(None, pieces(&meaning.text).map(|piece| json!({"text": piece})).into());
    }
    for (id, name, input) in &meaning.calls {
        let text = if input == &json!({}) { String::new() } else { input.to_string() };
        let more = |piece: &str| json!({"toolUse": {"input": piece}});
        let deltas = pieces(&text).into_iter().filter(|piece| !piece.is_empty()).map(more).collect();
        block(Some(json!({"toolUse": {"toolUseId": id, "name": name}})), deltas);
    }
    events.push(("messageStop", json!({"stopReason": finish})));
    events.push(("metadata", json!({"usage": usage(meaning), "metrics": {"latencyMs": 1}})));
    events.into_iter().map(event).collect()
}
