//! What providers say in each dialect: short answers in pieces, and refusals in their own words.
//!
//! Must never be here: what becomes of it.

use crate::dialect::Dialect;
use serde_json::{Value, json};

/// A streamed answer: what opens it, an event for each word, and what closes it. Five tokens in, two out.
pub(crate) struct Speech {
    pub(crate) opening: String,
    pub(crate) words: Vec<String>,
    pub(crate) closing: String,
}

impl Speech {
    /// All of it.
    pub(crate) fn whole(&self) -> String {
        format!("{}{}{}", self.opening, self.words.concat(), self.closing)
    }

    /// Its beginning, and this many words.
    pub(crate) fn begun(&self, words: usize) -> String {
        format!("{}{}", self.opening, self.words[..words].concat())
    }
}

fn named(data: &Value) -> String {
    format!("event: {}\ndata: {data}\n\n", data["type"].as_str().expect("a type"))
}

fn plain(data: &Value) -> String {
    format!("data: {data}\n\n")
}

/// A stream that says `words`, one event each.
pub(crate) fn speech(dialect: Dialect, words: &[&str]) -> Speech {
    let all = words.concat();
    match dialect {
        Dialect::Chat => {
            let chunk = |delta: Value, finish: Value| {
                let choice = json!({"index": 0, "delta": delta, "finish_reason": finish});
                plain(
                    &json!({"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}),
                )
            };
            let usage = json!({"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7});
            Speech {
                opening: chunk(json!({"role": "assistant", "content": ""}), Value::Null),
                words: words.iter().map(|word| chunk(json!({"content": word}), Value::Null)).collect(),
                closing: chunk(json!({}), json!("stop"))
                    + &plain(&json!({"id": "c1", "object": "chat.completion.chunk", "choices": [], "usage": usage}))
                    + "data: [DONE]\n\n",
            }
        }
        Dialect::Messages => {
            let message = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [],
                "stop_reason": null, "stop_sequence": null, "usage": {"input_tokens": 5, "output_tokens": 1}});
            let block =
                json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}});
            let word = |word: &&str| {
                named(
                    &json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}}),
                )
            };
            let end = json!({"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": null},
                "usage": {"output_tokens": 2}});
            Speech {
                opening: named(&json!({"type": "message_start", "message": message})) + &named(&block),
                words: words.iter().map(word).collect(),
                closing: named(&json!({"type": "content_block_stop", "index": 0}))
                    + &named(&end)
                    + &named(&json!({"type": "message_stop"})),
            }
        }
        Dialect::Generate => {
            let candidate = |text: &str| json!({"content": {"parts": [{"text": text}], "role": "model"}, "index": 0});
            let usage = json!({"promptTokenCount": 5, "candidatesTokenCount": 2, "totalTokenCount": 7});
            let mut last = candidate("");
            last["finishReason"] = json!("STOP");
            Speech {
                opening: String::new(),
                words: words
                    .iter()
                    .map(|word| plain(&json!({"candidates": [candidate(word)], "modelVersion": "m"})))
                    .collect(),
                closing: plain(&json!({"candidates": [last], "usageMetadata": usage, "modelVersion": "m"})),
            }
        }
        Dialect::Responses => {
            let response = |status: &str, output: Value, usage: Value| {
                json!({"id": "resp_1", "object": "response", "created_at": 1, "model": "m", "status": status,
                    "output": output, "usage": usage, "error": null, "incomplete_details": null})
            };
            let part = |text: &str| json!({"type": "output_text", "text": text, "annotations": []});
            let item = |status: &str, content: Value| json!({"id": "msg_1", "type": "message", "role": "assistant", "status": status, "content": content});
            let created = response("in_progress", json!([]), Value::Null);
            let added = item("in_progress", json!([]));
            let done = item("completed", json!([part(&all)]));
            let usage = json!({"input_tokens": 5, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 2,
                "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 7});
            let at = |kind: &str, more: Value| {
                let mut event = json!({"type": kind, "item_id": "msg_1", "output_index": 0, "content_index": 0});
                let (Value::Object(all), Value::Object(more)) = (&mut event, more) else { panic!("objects") };
                all.extend(more);
                named(&event)
            };
            Speech {
                opening: named(&json!({"type": "response.created", "response": created}))
                    + &named(&json!({"type": "response.output_item.added", "output_index": 0, "item": added}))
                    + &at("response.content_part.added", json!({"part": part("")})),
                words: words.iter().map(|word| at("response.output_text.delta", json!({"delta": word}))).collect(),
                closing: at("response.output_text.done", json!({"text": all}))
                    + &at("response.content_part.done", json!({"part": part(&all)}))
                    + &named(&json!({"type": "response.output_item.done", "output_index": 0, "item": done}))
                    + &named(&json!({"type": "response.completed",
                        "response": response("completed", json!([done]), usage)})),
            }
        }
    }
}

/// A whole answer that says `text`.
pub(crate) fn answer(dialect: Dialect, text: &str) -> String {
    let answer = match dialect {
        Dialect::Chat => json!({"id": "c1", "object": "chat.completion", "created": 1, "model": "m",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}}),
        Dialect::Messages => json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "m",
            "content": [{"type": "text", "text": text}], "stop_reason": "end_turn", "stop_sequence": null,
            "usage": {"input_tokens": 5, "output_tokens": 2}}),
        Dialect::Generate => json!({"candidates": [{"content": {"parts": [{"text": text}], "role": "model"},
            "finishReason": "STOP", "index": 0}], "modelVersion": "m",
            "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 2, "totalTokenCount": 7}}),
        Dialect::Responses => json!({"id": "resp_1", "object": "response", "created_at": 1, "model": "m",
            "status": "completed", "error": null, "incomplete_details": null,
            "output": [{"id": "msg_1", "type": "message", "role": "assistant", "status": "completed",
                "content": [{"type": "output_text", "text": text, "annotations": []}]}],
            "usage": {"input_tokens": 5, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 2,
                "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 7}}),
    };
    answer.to_string()
}

/// The body by which a provider of `dialect` refuses with `status`.
pub(crate) fn refusal(dialect: Dialect, status: u16, message: &str) -> String {
    let kind = match (dialect, status) {
        (Dialect::Messages, 401) => "authentication_error",
        (Dialect::Messages, 404) => "not_found_error",
        (Dialect::Messages, 429) => "rate_limit_error",
        (Dialect::Messages, 500) => "api_error",
        (Dialect::Messages, 529) => "overloaded_error",
        (Dialect::Generate, 401) => "UNAUTHENTICATED",
        (Dialect::Generate, 404) => "NOT_FOUND",
        (Dialect::Generate, 429) => "RESOURCE_EXHAUSTED",
        (Dialect::Generate, 500) => "INTERNAL",
        (Dialect::Generate, 503 | 529) => "UNAVAILABLE",
        (Dialect::Generate, _) => "INVALID_ARGUMENT",
        (Dialect::Chat | Dialect::Responses, 429) => "rate_limit_exceeded",
        (Dialect::Chat | Dialect::Responses, 500..) => "server_error",
        _ => "invalid_request_error",
    };
    let body = match dialect {
        Dialect::Messages => {
            json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"})
        }
        Dialect::Generate => json!({"error": {"code": status, "message": message, "status": kind}}),
        Dialect::Chat | Dialect::Responses => {
            json!({"error": {"message": message, "type": kind, "param": null, "code": null}})
        }
    };
    body.to_string()
}

/// The event by which a provider of `dialect` says within a stream that it is overloaded.
pub(crate) fn failure(dialect: Dialect, message: &str) -> String {
    match dialect {
        Dialect::Chat => plain(&json!({"error": {"message": message, "type": "server_error", "code": 503}})),
        Dialect::Messages => {
            named(&json!({"type": "error", "error": {"type": "overloaded_error", "message": message}}))
        }
        Dialect::Generate => plain(&json!({"error": {"code": 503, "message": message, "status": "UNAVAILABLE"}})),
        Dialect::Responses => {
            named(&json!({"type": "response.failed", "response": {"id": "resp_1", "object": "response",
            "status": "failed", "output": [], "error": {"code": "server_error", "message": message}}}))
        }
    }
}
