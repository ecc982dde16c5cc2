//! Google's `generateContent`.

use super::{Scene, Wire, bytes, pieces, sent};
use crate::meaning::Meaning;
use llm::{FinishReason, Usage};
use serde_json::{Value, json};

pub(super) fn answer(scene: Scene) -> Option<Wire> {
    let mut meaning = Meaning { stop: None, ..scene.meaning() };
    // It declines in words like any others, and does not say what it wrote to a cache.
    if scene == Scene::Refusal {
        return None;
    }
    meaning.usage = meaning.usage.map(|usage| Usage { cache_written: 0, ..usage });
    Some(Wire { events: stream(&meaning), whole: bytes(&whole(&meaning)), meaning })
}

pub(super) fn failure() -> Vec<u8> {
    sent([json!({"error": {"code": 503, "message": "It broke.", "status": "UNAVAILABLE"}})]).concat()
}

fn finish(meaning: &Meaning) -> &'static str {
    match meaning.finish {
        Some(FinishReason::Length) => "MAX_TOKENS",
        Some(FinishReason::ContentFilter) => "SAFETY",
        Some(FinishReason::Other) => "OTHER",
        Some(FinishReason::Stop | FinishReason::ToolCalls) | None => "STOP",
    }
}

/// Thoughts are not counted among the candidates.
fn usage(meaning: &Meaning) -> Value {
    let usage = meaning.usage.expect("usage");
    json!({"promptTokenCount": usage.input, "candidatesTokenCount": usage.output - usage.reasoning,
        "thoughtsTokenCount": usage.reasoning, "cachedContentTokenCount": usage.cached,
        "totalTokenCount": usage.input + usage.output})
}

fn parts(meaning: &Meaning) -> Vec<Value> {
    let mut parts: Vec<Value> = Vec::new();
    let of = |text| pieces(text).into_iter().filter(|piece| !piece.is_empty());
    parts.extend(of(&meaning.thought).map(|piece| json!({"text": piece, "thought": true})));
    parts.extend(of(&meaning.text).map(|piece| json!({"text": piece})));
    // It signs the words behind the thoughts.
    if let (Some(seal), Some(last)) = (meaning.seals.first(), parts.last_mut()) {
        last["thoughtSignature"] = json!(seal);
    }
    parts.extend(
        meaning.calls.iter().map(|(id, name, input)| json!({"functionCall": {"id": id, "name": name, "args": input}})),
    );
    parts
}

fn object(parts: &[Value], finish: Option<&str>, usage: &Value) -> Value {
    let mut candidate = json!({"index": 0, "content": {"role": "model", "parts": parts}});
    if let Some(finish) = finish {
        candidate["finishReason"] = json!(finish);
    }
    json!({"candidates": [candidate], "usageMetadata": usage, "modelVersion": "m-1", "responseId": "r-1"})
}

/// What is counted is repeated in every event.
fn stream(meaning: &Meaning) -> Vec<Vec<u8>> {
    let usage = usage(meaning);
    let mut events: Vec<Value> =
        parts(meaning).into_iter().map(|part| object(std::slice::from_ref(&part), None, &usage)).collect();
    events.push(object(&[json!({"text": ""})], Some(finish(meaning)), &usage));
    sent(events)
}

fn whole(meaning: &Meaning) -> Value {
    object(&parts(meaning), Some(finish(meaning)), &usage(meaning))
}
