//! Ollama's `api/chat`.

use super::{Scene, Wire, bytes, pieces};
use crate::meaning::Meaning;
use llm::{FinishReason, Usage};
use serde_json::{Value, json};

pub(super) fn answer(scene: Scene) -> Option<Wire> {
    // It has no word for refusals, nor a policy.
    if matches!(scene, Scene::Refusal | Scene::Withheld) {
        return None;
    }
    let meaning = scene.meaning();
    // It signs nothing, and counts the two sides alone.
    let meaning = Meaning {
        stop: None,
        seals: Vec::new(),
        usage: meaning.usage.map(|Usage { input, output, .. }| Usage { input, output, ..Usage::default() }),
        ..meaning
    };
    Some(Wire { events: stream(&meaning), whole: bytes(&whole(&meaning)), meaning })
}

pub(super) fn failure() -> Vec<u8> {
    b"{\"error\":\"It broke.\"}\n".to_vec()
}

fn calls(meaning: &Meaning) -> Vec<Value> {
    let call = |(index, (id, name, input)): (usize, &(String, String, Value))| {
        json!({"id": id,
        "function": {"index": index, "name": name, "arguments": input}})
    };
    meaning.calls.iter().enumerate().map(call).collect()
}

fn object(message: &Value) -> Value {
    json!({"model": "m-1", "created_at": "2026-11-29T10:00:00Z", "message": message, "done": false})
}

fn ended(meaning: &Meaning, message: &Value) -> Value {
    let usage = meaning.usage.expect("usage");
    let mut last = object(message);
    last["done"] = json!(true);
    last["done_reason"] = json!(match meaning.finish {
        Some(FinishReason::Length) => "length",
        Some(FinishReason::Other) => "tomorrow",
        _ => "stop",
    });
    last["prompt_eval_count"] = json!(usage.input);
    last["eval_count"] = json!(usage.output);
    last
}

fn whole(meaning: &Meaning) -> Value {
    let mut message = json!({"role": "assistant", "content": meaning.text});
    if !meaning.thought.is_empty() {
        message["thinking"] = json!(meaning.thought);
    }
    if !meaning.calls.is_empty() {
        message["tool_calls"] = json!(calls(meaning));
    }
    ended(meaning, &message)
}

fn stream(meaning: &Meaning) -> Vec<Vec<u8>> {
    let said = |field: &str, piece: &str| {
        let mut message = json!({"role": "assistant", "content": ""});
        message[field] = json!(piece);
        object(&message)
    };
    let mut lines = Vec::new();
    for (field, text) in [("thinking", &meaning.thought), ("content", &meaning.text)] {
        lines.extend(pieces(text).into_iter().filter(|piece| !piece.is_empty()).map(|piece| said(field, piece)));
    }
    lines.extend(
        calls(meaning)
            .into_iter()
            .map(|call| object(&json!({"role": "assistant", "content": "", "tool_calls": [call]}))),
    );
    lines.push(ended(meaning, &json!({"role": "assistant", "content": ""})));
    lines.iter().map(|line| format!("{line}\n").into_bytes()).collect()
}
