//! OpenAI's chat completions, with thoughts as each server tells them.

use super::{Scene, Wire, bytes, pieces, sent};
use crate::meaning::Meaning;
use crate::rows::Row;
use llm::FinishReason;
use serde_json::{Value, json};

pub(super) fn answer(row: Row, scene: Scene) -> Wire {
    // Which sequence it met is not told.
    let mut meaning = Meaning { stop: None, ..scene.meaning() };
    let thoughts = Thoughts::of(row);
    if thoughts == Thoughts::Untold {
        meaning.thought.clear();
    }
    if thoughts != Thoughts::Details {
        meaning.seals.clear();
    }
    let mut events = stream(thoughts, &meaning);
    if !row.quirks.done_marker {
        events.pop();
    }
    Wire { events, whole: bytes(&whole(thoughts, &meaning)), meaning }
}

/// Where a server tells what it thought.
#[derive(Clone, Copy, PartialEq)]
enum Thoughts {
    /// Nowhere: OpenAI.
    Untold,
    /// In a field of its own.
    Field(&'static str),
    /// In `reasoning`, and with what seals them in `reasoning_details`: OpenRouter.
    Details,
    /// Among the parts of the content: Mistral.
    Parts,
}

impl Thoughts {
    fn of(row: Row) -> Self {
        match row.name {
            "openai" => Self::Untold,
            "openrouter" => Self::Details,
            "mistral" => Self::Parts,
            "vllm" | "groq" => Self::Field("reasoning"),
            _ => Self::Field("reasoning_content"),
        }
    }

    /// A thought as a part of a message, in a stream or in a whole one.
    fn said(self, text: &str, signature: Option<&String>) -> Value {
        match self {
            Self::Untold => json!({}),
            Self::Field(name) => json!({name: text}),
            Self::Details => json!({"reasoning": text, "reasoning_details": [detail(text, signature)]}),
            Self::Parts => json!({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": text}]}]}),
        }
    }
}

pub(super) fn failure() -> Vec<u8> {
    sent([json!({"error": {"message": "It broke.", "type": "server_error", "param": null, "code": null}})]).concat()
}

fn finish(meaning: &Meaning) -> &'static str {
    match meaning.finish {
        Some(FinishReason::Length) => "length",
        Some(FinishReason::ToolCalls) => "tool_calls",
        Some(FinishReason::ContentFilter) => "content_filter",
        Some(FinishReason::Other) => "tomorrow",
        Some(FinishReason::Stop) | None => "stop",
    }
}

fn usage(meaning: &Meaning) -> Value {
    let usage = meaning.usage.expect("usage");
    json!({"prompt_tokens": usage.input, "completion_tokens": usage.output, "total_tokens": usage.input + usage.output,
        "prompt_tokens_details": {"cached_tokens": usage.cached, "cache_write_tokens": usage.cache_written},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning}})
}

fn detail(text: &str, signature: Option<&String>) -> Value {
    let mut detail = json!({"type": "reasoning.text", "text": text, "index": 0, "format": "anthropic-claude-v1"});
    if let Some(signature) = signature {
        detail["signature"] = json!(signature);
    }
    detail
}

fn stream(thoughts: Thoughts, meaning: &Meaning) -> Vec<Vec<u8>> {
    let chunk = |choices: Value| {
        json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m-1",
        "choices": choices, "usage": null})
    };
    let said = |delta: Value| chunk(json!([{"index": 0, "delta": delta, "logprobs": null, "finish_reason": null}]));
    let mut events = vec![said(json!({"role": "assistant", "content": "", "refusal": null}))];
    if !meaning.thought.is_empty() {
        events.extend(pieces(&meaning.thought).map(|text| said(thoughts.said(text, None))));
        events.extend(meaning.seals.first().map(|seal| said(json!({"reasoning_details": [detail("", Some(seal))]}))));
    }
    for (field, text) in [("content", &meaning.text), ("refusal", &meaning.refusal)] {
        events.extend(
            pieces(text).into_iter().filter(|piece| !piece.is_empty()).map(|piece| said(json!({field: piece}))),
        );
    }
    for (index, (id, name, input)) in meaning.calls.iter().enumerate() {
        events.push(said(json!({"tool_calls": [{"index": index, "id": id, "type": "function",
            "function": {"name": name, "arguments": ""}}]})));
        let more = |piece: &str| said(json!({"tool_calls": [{"index": index, "function": {"arguments": piece}}]}));
        let input = if input == &json!({}) { String::new() } else { input.to_string() };
        events.extend(pieces(&input).into_iter().filter(|piece| !piece.is_empty()).map(more));
    }
    events.push(chunk(json!([{"index": 0, "delta": {}, "logprobs": null, "finish_reason": finish(meaning)}])));
    let mut last = chunk(json!([]));
    last["usage"] = usage(meaning);
    events.push(last);
    let mut stream = sent(events);
    stream.push(b"data: [DONE]\n\n".to_vec());
    stream
}

fn whole(thoughts: Thoughts, meaning: &Meaning) -> Value {
    let something = |text: &String| Some(text).filter(|text| !text.is_empty()).cloned();
    let mut message = json!({"role": "assistant", "content": something(&meaning.text),
        "refusal": something(&meaning.refusal)});
    if !meaning.thought.is_empty() {
        let mut said = thoughts.said(&meaning.thought, meaning.seals.first());
        if thoughts == Thoughts::Parts {
            let text = json!({"type": "text", "text": meaning.text});
            said["content"].as_array_mut().expect("parts").push(text);
        }
        message.as_object_mut().expect("a message").extend(said.as_object().expect("fields").clone());
    }
    if !meaning.calls.is_empty() {
        let call = |(id, name, input): &(String, String, Value)| {
            json!({"id": id, "type": "function",
            "function": {"name": name, "arguments": input.to_string()}})
        };
        message["tool_calls"] = meaning.calls.iter().map(call).collect();
    }
    json!({"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m-1", "usage": usage(meaning),
        "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": finish(meaning)}]})
}
