//! Answers as a provider of OpenAI's dialect would write them, whole or in events.

use fastrand::Rng;
use llm::{Answer, Choice, ToolCall};
use serde_json::{Value, json};

/// The body of a whole answer.
pub(crate) fn body(answer: &Answer) -> String {
    let choices: Vec<Value> = answer.choices.iter().map(whole).collect();
    json!({ "model": answer.model, "choices": choices, "usage": USAGE }).to_string()
}

/// What stands beside the answer and has to stay.
const USAGE: &str = "of no known shape";

fn whole(choice: &Choice) -> Value {
    let calls: Vec<Value> =
        choice.calls.iter().enumerate().map(|(at, call)| opened(at, call, &call.arguments)).collect();
    let mut message = json!({ "content": choice.text, "refusal": choice.refusal, "reasoning_content": choice.reasoning,
        "tool_calls": calls });
    if choice.sealed {
        message["reasoning_details"] = sealed();
    }
    if choice.media {
        message["audio"] = json!({ "id": "a" });
    }
    json!({ "index": choice.index, "message": message, "finish_reason": finish(choice) })
}

fn finish(choice: &Choice) -> Value {
    choice.finish.map_or(Value::Null, |finish| finish.as_str().into())
}

fn sealed() -> Value {
    json!([{ "type": "reasoning.encrypted", "data": "x" }])
}

/// A call from its beginning.
fn opened(at: usize, call: &ToolCall, arguments: &str) -> Value {
    let mut wire = more(at, call, arguments);
    wire["id"] = call.id.as_str().into();
    wire[kind(call)]["name"] = call.name.as_str().into();
    wire
}

/// A call that goes on.
fn more(at: usize, call: &ToolCall, arguments: &str) -> Value {
    let key = if call.free { "input" } else { "arguments" };
    json!({ "index": at, kind(call): { key: arguments } })
}

fn kind(call: &ToolCall) -> &'static str {
    if call.free { "custom" } else { "function" }
}

/// The data of events that say the same, piece by piece; pieces are as long as chance has it.
pub(crate) fn events(answer: &Answer, rng: &mut Rng) -> Vec<String> {
    let mut events = Vec::new();
    for choice in &answer.choices {
        let mut say = |delta: Value, finish: Value| {
            let choices = json!([{ "index": choice.index, "delta": delta, "finish_reason": finish }]);
            events.push(json!({ "model": answer.model, "choices": choices }).to_string());
        };
        for (key, words) in
            [("reasoning_content", &choice.reasoning), ("content", &choice.text), ("refusal", &choice.refusal)]
        {
            pieces(words, rng).into_iter().for_each(|piece| say(json!({ key: piece }), Value::Null));
        }
        for (at, call) in choice.calls.iter().enumerate() {
            say(json!({ "tool_calls": [opened(at, call, "")] }), Value::Null);
            for piece in pieces(&call.arguments, rng) {
                say(json!({ "tool_calls": [more(at, call, piece)] }), Value::Null);
            }
        }
        if choice.sealed {
            say(json!({ "reasoning_details": sealed() }), Value::Null);
        }
        if choice.media {
            say(json!({ "audio": { "id": "a" } }), Value::Null);
        }
        say(json!({}), finish(choice));
    }
    events.push(json!({ "model": answer.model, "choices": [], "usage": USAGE }).to_string());
    events
}

/// `events` as a stream, with its terminator.
pub(crate) fn stream(events: &[String]) -> String {
    let written = events.iter().map(|data| format!("data: {data}\n\n"));
    written.chain(["data: [DONE]\n\n".to_owned()]).collect()
}

fn pieces<'a>(text: &'a str, rng: &mut Rng) -> Vec<&'a str> {
    let (mut pieces, mut rest) = (Vec::new(), text);
    while !rest.is_empty() {
        let (now, later) = rest.split_at(rest.ceil_char_boundary(rng.usize(1..24).min(rest.len())));
        pieces.push(now);
        rest = later;
    }
    pieces
}
