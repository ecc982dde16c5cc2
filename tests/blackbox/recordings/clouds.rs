//! Answers in dialects that no client speaks: how they come over the wire, and what they say.
//!
//! Shares nothing with the gateway, or one would agree with the other's mistakes.

use crate::heard::{Heard, arguments, count, list, text};
use serde_json::{Value, json};

/// An event of Bedrock's in its frame, as the AWS event-stream encoding has it: the total length and that of the headers
/// with their checksum, the headers, the payload, and the checksum of all. The event is named by its only key.
pub(super) fn framed(event: &str) -> Vec<u8> {
    let (name, payload) = event.strip_prefix("{\"").and_then(|rest| rest.split_once("\":")).expect("an event");
    let payload = payload.strip_suffix('}').expect("an event").as_bytes();
    /// The type of a header that is text.
    const TEXT: u8 = 7;
    let mut headers = Vec::new();
    for (key, value) in [(":event-type", name), (":content-type", "application/json"), (":message-type", "event")] {
        headers.push(u8::try_from(key.len()).expect("a short name"));
        headers.extend(key.as_bytes());
        headers.push(TEXT);
        headers.extend(u16::try_from(value.len()).expect("a short value").to_be_bytes());
        headers.extend(value.as_bytes());
    }
    let length = |bytes: usize| u32::try_from(bytes).expect("a short frame").to_be_bytes();
    let mut frame = [length(16 + headers.len() + payload.len()), length(headers.len())].concat();
    frame.extend(checksum(&frame).to_be_bytes());
    frame.extend([&headers, payload].concat());
    frame.extend(checksum(&frame).to_be_bytes());
    frame
}

/// CRC-32 as in IEEE 802.3.
fn checksum(bytes: &[u8]) -> u32 {
    let of_byte = |sum: u32, byte: &u8| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xEDB8_8320 & (sum & 1).wrapping_neg()))
    };
    !bytes.iter().fold(u32::MAX, of_byte)
}

/// Calls as they are told: names, and arguments in pieces.
fn taken(calls: Vec<(String, String)>) -> Vec<(String, Value)> {
    calls.into_iter().map(|(name, written)| (name, arguments(&written))).collect()
}

/// What an answer of Bedrock's Converse says, or its events do.
pub(super) fn bedrock(objects: &[Value]) -> Heard {
    let (mut heard, mut calls) = (Heard::default(), Vec::<(String, String)>::new());
    for object in objects {
        let pieces = [&object["contentBlockStart"]["start"], &object["contentBlockDelta"]["delta"]];
        for block in list(&object["output"]["message"]["content"]).chain(pieces) {
            heard.text += text(&block["text"]);
            let thought = &block["reasoningContent"];
            heard.thoughts.extend([thought, &thought["reasoningText"]].map(|thought| text(&thought["text"])));
            let call = &block["toolUse"];
            calls.extend(call["name"].as_str().map(|name| (name.to_owned(), String::new())));
            if let Some((input, (_, written))) = call.get("input").zip(calls.last_mut()) {
                *written += &input.as_str().map_or_else(|| input.to_string(), str::to_owned);
            }
        }
        for told in [object, &object["messageStop"]] {
            heard.finish = told["stopReason"].as_str().map_or(heard.finish, |word| match word {
                "end_turn" | "stop_sequence" => "stop".into(),
                "tool_use" => "tool_calls".into(),
                "max_tokens" => "length".into(),
                other => panic!("{other}"),
            });
        }
        for usage in [&object["usage"], &object["metadata"]["usage"]].into_iter().filter(|usage| usage.is_object()) {
            let [input, output, cached, written] =
                ["inputTokens", "outputTokens", "cacheReadInputTokens", "cacheWriteInputTokens"]
                    .map(|name| count(&usage[name]));
            heard.tokens = [input + cached + written, output, cached, 0];
        }
    }
    Heard { calls: taken(calls), ..heard }
}

/// What an answer of Cohere's chat says, or its events do.
pub(super) fn cohere(objects: &[Value]) -> Heard {
    let (mut heard, mut calls) = (Heard::default(), Vec::<(String, String)>::new());
    for object in objects {
        // The deltas of a stream have the form of a whole answer, with one thing where that has a list.
        let said = if object["delta"].is_object() { &object["delta"] } else { object };
        let message = &said["message"];
        heard.thoughts += text(&message["tool_plan"]);
        for block in many(&message["content"]) {
            heard.text += text(&block["text"]);
            heard.thoughts += text(&block["thinking"]);
        }
        for call in many(&message["tool_calls"]) {
            let function = &call["function"];
            calls.extend(function["name"].as_str().map(|name| (name.to_owned(), String::new())));
            if let Some((_, written)) = calls.last_mut() {
                *written += text(&function["arguments"]);
            }
        }
        heard.finish = said["finish_reason"].as_str().map_or(heard.finish, |word| match word {
            "COMPLETE" | "STOP_SEQUENCE" => "stop".into(),
            "TOOL_CALL" => "tool_calls".into(),
            "MAX_TOKENS" => "length".into(),
            other => panic!("{other}"),
        });
        let usage = &said["usage"];
        if usage.is_object() {
            let [input, output] = ["input_tokens", "output_tokens"].map(|name| count(&usage["tokens"][name]));
            heard.tokens = [input, output, count(&usage["cached_tokens"]), 0];
        }
    }
    // A call without arguments is told as one with nothing.
    let mut calls = taken(calls);
    calls.iter_mut().filter(|(_, taken)| taken.is_null()).for_each(|(_, taken)| *taken = json!({}));
    Heard { calls, ..heard }
}

/// A list, or the one thing that stands where others have one.
fn many(value: &Value) -> impl Iterator<Item = &Value> {
    list(value).chain(value.is_object().then_some(value))
}
