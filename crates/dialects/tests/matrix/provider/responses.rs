//! OpenAI's responses.

use super::{Scene, Wire, bytes, pieces, sent};
use crate::meaning::Meaning;
use llm::FinishReason;
use serde_json::{Value, json};

pub(super) fn answer(scene: Scene) -> Wire {
    // Which sequence it met is not told.
    let told = Meaning { stop: None, ..scene.meaning() };
    // What is sealed comes back with the id of its item.
    let seals = told.seals.iter().map(|seal| format!("rs_1|{seal}")).collect();
    Wire { events: stream(&told), whole: bytes(&whole(&told)), meaning: Meaning { seals, ..told.clone() } }
}

pub(super) fn failure() -> Vec<u8> {
    sent([json!({"type": "response.failed", "sequence_number": 9, "response": {"id": "resp_1", "object": "response",
        "status": "failed", "error": {"code": "server_error", "message": "It broke."}, "output": []}})])
    .concat()
}

fn usage(meaning: &Meaning) -> Value {
    let usage = meaning.usage.expect("usage");
    json!({"input_tokens": usage.input, "output_tokens": usage.output, "total_tokens": usage.input + usage.output,
        "input_tokens_details": {"cached_tokens": usage.cached, "cache_write_tokens": usage.cache_written},
        "output_tokens_details": {"reasoning_tokens": usage.reasoning}})
}

fn snapshot(status: &str, output: &[Value]) -> Value {
    json!({"id": "resp_1", "object": "response", "created_at": 1, "model": "m-1", "status": status, "output": output,
        "error": null, "incomplete_details": null, "usage": null})
}

fn whole(meaning: &Meaning) -> Value {
    let items: Vec<Value> = items(meaning).into_iter().map(|(.., whole)| whole).collect();
    let reason = match meaning.finish {
        Some(FinishReason::Length) => Some("max_output_tokens"),
        Some(FinishReason::ContentFilter) => Some("content_filter"),
        Some(FinishReason::Other) => Some("tomorrow"),
        Some(FinishReason::Stop | FinishReason::ToolCalls) | None => None,
    };
    let mut answer = snapshot(if reason.is_some() { "incomplete" } else { "completed" }, &items);
    if let Some(reason) = reason {
        answer["incomplete_details"] = json!({"reason": reason});
    }
    answer["usage"] = usage(meaning);
    answer
}

/// Its items: as each begins, the events that say it, and all of it.
fn items(meaning: &Meaning) -> Vec<(Value, Vec<Value>, Value)> {
    let mut items = Vec::new();
    if !meaning.thought.is_empty() {
        let seal = meaning.seals.first().expect("a seal");
        let item = |summary: Value, content: Value| {
            json!({"type": "reasoning", "id": "rs_1", "summary": summary,
            "encrypted_content": content})
        };
        let events = pieces(&meaning.thought)
            .map(|piece| json!({"type": "response.reasoning_summary_text.delta", "summary_index": 0, "delta": piece}));
        let whole = item(json!([{"type": "summary_text", "text": meaning.thought}]), json!(seal));
        items.push((item(json!([]), json!("")), events.into(), whole));
    }
    for (kind, field, text) in [("output_text", "text", &meaning.text), ("refusal", "refusal", &meaning.refusal)] {
        if text.is_empty() {
            continue;
        }
        let event = |end: &str| format!("response.{kind}.{end}");
        let item = |status: &str, content: Value| {
            json!({"type": "message", "id": "msg_1", "role": "assistant",
            "status": status, "content": content})
        };
        let mut part = json!({"type": kind, field: text});
        if kind == "output_text" {
            part["annotations"] = json!([]);
        }
        let mut events: Vec<Value> =
            pieces(text).map(|piece| json!({"type": event("delta"), "content_index": 0, "delta": piece})).into();
        events.push(json!({"type": event("done"), "content_index": 0, field: text}));
        events.push(json!({"type": "response.content_part.done", "content_index": 0, "part": part}));
        items.push((item("in_progress", json!([])), events, item("completed", json!([part]))));
    }
    for (id, name, input) in &meaning.calls {
        let item = |arguments: &str| {
            json!({"type": "function_call", "id": format!("fc_{id}"), "call_id": id,
            "name": name, "arguments": arguments})
        };
        let all = input.to_string();
        let mut events: Vec<Value> =
            pieces(&all).map(|piece| json!({"type": "response.function_call_arguments.delta", "delta": piece})).into();
        events.push(json!({"type": "response.function_call_arguments.done", "arguments": all}));
        items.push((item(""), events, item(&all)));
    }
    items
}

fn stream(meaning: &Meaning) -> Vec<Vec<u8>> {
    let mut events = vec![
        json!({"type": "response.created", "response": snapshot("in_progress", &[])}),
        json!({"type": "response.in_progress", "response": snapshot("in_progress", &[])}),
    ];
    for (place, (begun, said, whole)) in items(meaning).into_iter().enumerate() {
        events.push(json!({"type": "response.output_item.added", "output_index": place, "item": begun}));
        for mut event in said {
            event["output_index"] = json!(place);
            event["item_id"] = whole["id"].clone();
            events.push(event);
        }
        events.push(json!({"type": "response.output_item.done", "output_index": place, "item": whole}));
    }
    let last = whole(meaning);
    events.push(json!({"type": format!("response.{}", last["status"].as_str().expect("a status")), "response": last}));
    for (number, event) in events.iter_mut().enumerate() {
        event["sequence_number"] = json!(number);
    }
    sent(events)
}
