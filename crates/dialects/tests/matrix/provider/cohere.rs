//! Cohere's `v2/chat`.

use super::{Scene, Wire, bytes, pieces, sent};
use crate::meaning::Meaning;
use llm::{FinishReason, Usage};
use serde_json::{Value, json};

pub(super) fn answer(scene: Scene) -> Option<Wire> {
    // It has no word for refusals, nor for what its policy ends.
    if matches!(scene, Scene::Refusal | Scene::Withheld) {
        return None;
    }
    let told = scene.meaning();
    // It signs nothing, and tells neither the sequence nor what was thought or written to a cache.
    let meaning = Meaning {
        stop: None,
        seals: Vec::new(),
        usage: told.usage.map(|usage| Usage { cache_written: 0, reasoning: 0, ..usage }),
        ..told.clone()
    };
    Some(Wire { events: stream(&meaning, finish(&told)), whole: bytes(&whole(&meaning, finish(&told))), meaning })
}

pub(super) fn failure() -> Vec<u8> {
    sent([json!({"type": "message-end", "delta": {"finish_reason": "ERROR", "error": "It broke."}})]).concat()
}

fn finish(meaning: &Meaning) -> &'static str {
    match meaning.finish {
        Some(FinishReason::Length) => "MAX_TOKENS",
        Some(FinishReason::ToolCalls) => "TOOL_CALL",
        Some(FinishReason::Other) => "TOMORROW",
        _ if meaning.stop.is_some() => "STOP_SEQUENCE",
        _ => "COMPLETE",
    }
}

fn usage(meaning: &Meaning) -> Value {
    let usage = meaning.usage.expect("usage");
    json!({"billed_units": {"input_tokens": 3, "output_tokens": 4}, "cached_tokens": usage.cached,
        "tokens": {"input_tokens": usage.input, "output_tokens": usage.output}})
}

fn call((id, name, input): &(String, String, Value)) -> Value {
    json!({"id": id, "type": "function", "function": {"name": name, "arguments": input.to_string()}})
}

fn whole(meaning: &Meaning, finish: &str) -> Value {
    let mut content = Vec::new();
    if !meaning.thought.is_empty() {
        content.push(json!({"type": "thinking", "thinking": meaning.thought}));
    }
    if !meaning.text.is_empty() {
        content.push(json!({"type": "text", "text": meaning.text}));
    }
    let calls: Vec<Value> = meaning.calls.iter().map(call).collect();
    json!({"id": "c-1", "finish_reason": finish, "usage": usage(meaning),
        "message": {"role": "assistant", "content": content, "tool_calls": calls}})
}

fn stream(meaning: &Meaning, finish: &str) -> Vec<Vec<u8>> {
    let mut events = vec![json!({"type": "message-start", "id": "c-1",
        "delta": {"message": {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}}})];
    let mut index = 0;
    for (kind, text) in [("thinking", &meaning.thought), ("text", &meaning.text)] {
        if text.is_empty() {
            continue;
        }
        let said = |kind: &str, content: Value| {
            json!({"type": kind, "index": index,
            "delta": {"message": {"content": content}}})
        };
        events.push(said("content-start", json!({"type": kind, kind: ""})));
        events.extend(pieces(text).map(|piece| said("content-delta", json!({kind: piece}))));
        events.push(json!({"type": "content-end", "index": index}));
        index += 1;
    }
    for (index, (id, name, input)) in meaning.calls.iter().enumerate() {
        let said = |kind: &str, call: Value| {
            json!({"type": kind, "index": index,
            "delta": {"message": {"tool_calls": call}}})
        };
        let begun = json!({"id": id, "type": "function", "function": {"name": name, "arguments": ""}});
        events.push(said("tool-call-start", begun));
        let all = input.to_string();
        let more = |piece: &str| said("tool-call-delta", json!({"function": {"arguments": piece}}));
        events.extend(pieces(&all).map(more));
        events.push(json!({"type": "tool-call-end", "index": index}));
    }
    events.push(json!({"type": "message-end", "delta": {"finish_reason": finish, "usage": usage(meaning)}}));
    sent(events)
}
