//! Anthropic's messages.

use super::{Scene, Wire, bytes, pieces, sent};
use crate::meaning::Meaning;
use llm::FinishReason;
use serde_json::{Value, json};

pub(super) fn answer(scene: Scene) -> Option<Wire> {
    // It refuses by ending so.
    let meaning = match scene {
        Scene::Refusal => return None,
        _ => scene.meaning(),
    };
    Some(Wire { events: stream(&meaning), whole: bytes(&whole(&meaning)), meaning })
}

pub(super) fn failure() -> Vec<u8> {
    sent([json!({"type": "error", "error": {"type": "overloaded_error", "message": "It broke."}})]).concat()
}

fn finish(meaning: &Meaning) -> &'static str {
    match meaning.finish {
        Some(FinishReason::Length) => "max_tokens",
        Some(FinishReason::ToolCalls) => "tool_use",
        Some(FinishReason::ContentFilter) => "refusal",
        Some(FinishReason::Other) => "pause_turn",
        _ if meaning.stop.is_some() => "stop_sequence",
        Some(FinishReason::Stop) | None => "end_turn",
    }
}

/// What was read from a cache, or written to one, is not counted among the input.
fn usage(meaning: &Meaning, output: u64) -> Value {
    let usage = meaning.usage.expect("usage");
    json!({"input_tokens": usage.input - usage.cached - usage.cache_written, "cache_read_input_tokens": usage.cached,
        "cache_creation_input_tokens": usage.cache_written, "output_tokens": output,
        "output_tokens_details": {"thinking_tokens": usage.reasoning}})
}

fn head(meaning: &Meaning) -> Value {
    json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "m-1", "content": [], "stop_reason": null,
        "stop_sequence": null, "usage": usage(meaning, 1)})
}

/// Its blocks: as each begins, what is added to it, and all of it.
fn blocks(meaning: &Meaning) -> Vec<(Value, Vec<Value>, Value)> {
    let mut blocks = Vec::new();
    if !meaning.thought.is_empty() {
        let signature = meaning.seals.first().expect("a signature");
        let mut deltas: Vec<Value> =
            pieces(&meaning.thought).map(|piece| json!({"type": "thinking_delta", "thinking": piece})).into();
        deltas.push(json!({"type": "signature_delta", "signature": signature}));
        let whole = json!({"type": "thinking", "thinking": meaning.thought, "signature": signature});
        blocks.push((json!({"type": "thinking", "thinking": "", "signature": ""}), deltas, whole));
    }
    if !meaning.text.is_empty() {
        let deltas = pieces(&meaning.text).map(|piece| json!({"type": "text_delta", "text": piece})).into();
        blocks.push((json!({"type": "text", "text": ""}), deltas, json!({"type": "text", "text": meaning.text})));
    }
    for (id, name, input) in &meaning.calls {
        let text = if input == &json!({}) { String::new() } else { input.to_string() };
        let deltas = pieces(&text).map(|piece| json!({"type": "input_json_delta", "partial_json": piece})).into();
        let call = |input: &Value| json!({"type": "tool_use", "id": id, "name": name, "input": input});
        blocks.push((call(&json!({})), deltas, call(input)));
    }
    blocks
}

fn stream(meaning: &Meaning) -> Vec<Vec<u8>> {
    let mut events = vec![json!({"type": "message_start", "message": head(meaning)})];
    for (index, (begun, deltas, _)) in blocks(meaning).into_iter().enumerate() {
        events.push(json!({"type": "content_block_start", "index": index, "content_block": begun}));
        events.push(json!({"type": "ping"}));
        let delta = |delta| json!({"type": "content_block_delta", "index": index, "delta": delta});
        events.extend(deltas.into_iter().map(delta));
        events.push(json!({"type": "content_block_stop", "index": index}));
    }
    let output = meaning.usage.expect("usage").output;
    events.push(json!({"type": "message_delta", "usage": usage(meaning, output),
        "delta": {"stop_reason": finish(meaning), "stop_sequence": meaning.stop}}));
    events.push(json!({"type": "message_stop"}));
    sent(events)
}

fn whole(meaning: &Meaning) -> Value {
    let mut message = head(meaning);
    message["content"] = blocks(meaning).into_iter().map(|(.., whole)| whole).collect();
    message["stop_reason"] = json!(finish(meaning));
    message["stop_sequence"] = json!(meaning.stop);
    message["usage"] = usage(meaning, meaning.usage.expect("usage").output);
    message
}
