//! What an answer says, read plainly from the bytes of its dialect, as the dialect's own clients read it.
//!
//! Shares nothing with the gateway, or one would agree with the other's mistakes. Must never be here: what it should be.

use crate::dialect::Dialect;
use serde_json::{Map, Value, json};

/// What an answer says. Of what its provider ran by itself nothing is heard.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Heard {
    /// What it says, and why it declines to.
    pub(crate) text: String,
    pub(crate) thoughts: String,
    /// Names and arguments: JSON, or a string where the tool takes text.
    pub(crate) calls: Vec<(String, Value)>,
    /// Why it ended, in OpenAI's words.
    pub(crate) finish: String,
    /// Tokens: in, out, of those cached and thought.
    pub(crate) tokens: [u64; 4],
}

impl Heard {
    /// Whether there is nothing in it to hear, not even why: no limit and no policy left no room for an answer.
    pub(crate) fn says_nothing(&self) -> bool {
        let may_be_empty = matches!(self.finish.as_str(), "length" | "content_filter");
        self.text.is_empty() && self.thoughts.is_empty() && self.calls.is_empty() && !may_be_empty
    }
}

/// The JSON of an answer, or of all events of a streamed one.
pub(crate) fn objects(stream: bool, body: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(body).expect("text");
    if !stream {
        return vec![serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))];
    }
    let data = text.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim);
    data.map(|data| serde_json::from_str(data).unwrap_or_else(|_| json!(data))).collect()
}

/// What an answer of `dialect` says.
pub(crate) fn heard(dialect: Dialect, stream: bool, body: &[u8]) -> Heard {
    let objects = objects(stream, body);
    let mut heard = match dialect {
        Dialect::Chat => chat(&objects),
        Dialect::Messages => messages(&objects),
        Dialect::Generate => generated(&objects),
        Dialect::Responses => responses(&objects),
    };
    if !heard.calls.is_empty() && heard.finish == "stop" {
        heard.finish = "tool_calls".into();
    }
    heard
}

/// How often a streamed answer ends, and whether it does so last.
pub(crate) fn ends(dialect: Dialect, body: &[u8]) -> (usize, bool) {
    let is_end = |event: &Value| match dialect {
        Dialect::Chat => event == "[DONE]",
        Dialect::Messages => event["type"] == "message_stop",
        Dialect::Generate => event["candidates"][0]["finishReason"].is_string(),
        Dialect::Responses => event["type"]
            .as_str()
            .is_some_and(|kind| ["response.completed", "response.incomplete", "response.failed"].contains(&kind)),
    };
    let events = objects(true, body);
    (events.iter().filter(|event| is_end(event)).count(), events.last().is_some_and(is_end))
}

/// Error events of a stream, each as the object that holds the message. (One of responses says it once more, before it.)
pub(crate) fn errors(dialect: Dialect, body: &[u8]) -> Vec<Value> {
    let error = |event: Value| match dialect {
        Dialect::Chat | Dialect::Generate | Dialect::Messages => event.get("error").cloned(),
        Dialect::Responses if event["type"] == "response.failed" => Some(event["response"]["error"].clone()),
        Dialect::Responses => None,
    };
    objects(true, body).into_iter().filter_map(error).collect()
}

/// The message of an error body, which has to be in the form that clients of `dialect` read.
pub(crate) fn told(dialect: Dialect, status: u16, body: &Value) -> String {
    let error = &body["error"];
    let fits = match dialect {
        Dialect::Chat | Dialect::Responses => {
            error["type"].is_string() && error.get("code").is_some() && error.get("param").is_some()
        }
        Dialect::Messages => body["type"] == "error" && text(&error["type"]).ends_with("_error"),
        Dialect::Generate => error["code"] == status && error["status"].is_string(),
    };
    assert!(fits && error["message"].is_string(), "{dialect:?} {status}: {body}");
    text(&error["message"]).to_owned()
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

pub(crate) fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

pub(crate) fn count(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}

/// JSON as a model wrote it; text where it is none.
pub(crate) fn arguments(written: &str) -> Value {
    let written = if written.is_empty() { "{}" } else { written };
    serde_json::from_str(written).unwrap_or_else(|_| json!(written))
}

fn chat(objects: &[Value]) -> Heard {
    let mut heard = Heard::default();
    let mut calls: Vec<(Value, String, String, bool)> = Vec::new();
    for object in objects {
        let choice = &object["choices"][0];
        let said = if choice["delta"].is_object() { &choice["delta"] } else { &choice["message"] };
        heard.text += text(&said["content"]);
        heard.text += text(&said["refusal"]);
        heard.thoughts += said["reasoning_content"].as_str().unwrap_or(text(&said["reasoning"]));
        for part in list(&said["content"]) {
            heard.text += text(&part["text"]);
            heard.thoughts.extend(list(&part["thinking"]).map(|thought| text(&thought["text"])));
        }
        for call in list(&said["tool_calls"]) {
            let known = calls.iter().position(|(index, ..)| call["index"].is_u64() && *index == call["index"]);
            let at = known.unwrap_or_else(|| {
                calls.push((call["index"].clone(), String::new(), String::new(), false));
                calls.len() - 1
            });
            let (free, named) = (call["custom"].is_object(), &call["function"]);
            calls[at].1 += text(if free { &call["custom"]["name"] } else { &named["name"] });
            calls[at].2 += text(if free { &call["custom"]["input"] } else { &named["arguments"] });
            calls[at].3 |= free;
        }
        if let Some(word) = choice["finish_reason"].as_str() {
            heard.finish = word.to_owned();
        }
        let usage = &object["usage"];
        if usage.is_object() {
            let [input, output] = ["prompt_tokens", "completion_tokens"].map(|name| count(&usage[name]));
            let thought = count(&usage["completion_tokens_details"]["reasoning_tokens"]);
            // xAI counts thoughts beside the answer, Moonshot tells of its cache in a field of its own.
            let beside = if count(&usage["total_tokens"]) == input + output + thought { thought } else { 0 };
            let cached = count(&usage["prompt_tokens_details"]["cached_tokens"]).max(count(&usage["cached_tokens"]));
            heard.tokens = [input, output + beside, cached, thought];
        }
    }
    let taken = |written: String, free| if free { json!(written) } else { arguments(&written) };
    heard.calls = calls.into_iter().map(|(_, name, written, free)| (name, taken(written, free))).collect();
    heard
}

fn messages(objects: &[Value]) -> Heard {
    let mut heard = Heard::default();
    let (mut usage, mut blocks) = (Map::new(), Vec::<(Value, String)>::new());
    for object in objects {
        for told in [object, &object["message"]] {
            let fields = told["usage"].as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
            usage.extend(fields.map(|(key, value)| (key.clone(), value.clone())));
            blocks.extend(list(&told["content"]).map(|block| (block.clone(), String::new())));
        }
        if object["type"] == "content_block_start" {
            blocks.push((object["content_block"].clone(), String::new()));
        }
        for told in [object, &object["delta"], &object["message"]] {
            heard.text += text(&told["stop_details"]["explanation"]);
            heard.finish = told["stop_reason"].as_str().map_or(heard.finish, |word| {
                match word {
                    "max_tokens" | "model_context_window_exceeded" => "length",
                    "tool_use" => "tool_calls",
                    "refusal" => "content_filter",
                    _ => "stop",
                }
                .to_owned()
            });
        }
        if let Some((block, input)) = blocks.last_mut() {
            for key in ["text", "thinking"] {
                if let Some(more) = object["delta"][key].as_str() {
                    block[key] = json!(format!("{}{more}", text(&block[key])));
                }
            }
            *input += text(&object["delta"]["partial_json"]);
        }
    }
    for (block, input) in blocks {
        match text(&block["type"]) {
            "text" => heard.text += text(&block["text"]),
            "thinking" => heard.thoughts += text(&block["thinking"]),
            "tool_use" => {
                let input = if input.is_empty() { block["input"].clone() } else { arguments(&input) };
                heard.calls.push((text(&block["name"]).to_owned(), input));
            }
            _ => {}
        }
    }
    let usage = Value::Object(usage);
    let cached = count(&usage["cache_read_input_tokens"]);
    let input = count(&usage["input_tokens"]) + cached + count(&usage["cache_creation_input_tokens"]);
    let thought = count(&usage["output_tokens_details"]["thinking_tokens"]);
    heard.tokens = [input, count(&usage["output_tokens"]), cached, thought];
    heard
}

fn generated(objects: &[Value]) -> Heard {
    let mut heard = Heard::default();
    let mut going_on = false;
    for object in objects {
        let candidate = &object["candidates"][0];
        for part in list(&candidate["content"]["parts"]) {
            let words = if part["thought"] == true { &mut heard.thoughts } else { &mut heard.text };
            *words += text(&part["text"]);
            let call = &part["functionCall"];
            if !call.is_object() {
                continue;
            }
            if !going_on {
                let whole = if call["args"].is_object() { call["args"].clone() } else { json!({}) };
                heard.calls.push((text(&call["name"]).to_owned(), whole));
            }
            for piece in list(&call["partialArgs"]) {
                put(&mut heard.calls.last_mut().expect("a call").1, piece);
            }
            going_on = call["willContinue"] == true;
        }
        if let Some(word) = candidate["finishReason"].as_str() {
            heard.finish = match word {
                "STOP" => "stop",
                "MAX_TOKENS" => "length",
                _ => "content_filter",
            }
            .to_owned();
        }
        let usage = &object["usageMetadata"];
        if usage.is_object() {
            let thought = count(&usage["thoughtsTokenCount"]);
            heard.tokens = [
                count(&usage["promptTokenCount"]) + count(&usage["toolUsePromptTokenCount"]),
                count(&usage["candidatesTokenCount"]) + thought,
                count(&usage["cachedContentTokenCount"]),
                thought,
            ];
        }
    }
    heard
}

/// Puts a piece of arguments where its path says.
fn put(arguments: &mut Value, piece: &Value) {
    let path = text(&piece["jsonPath"]).replace(['$', ']'], "").replace('[', ".");
    let place =
        path.split('.').filter(|step| !step.is_empty()).fold(arguments, |at, step| match step.parse::<usize>() {
            Ok(index) => {
                if !at.is_array() {
                    *at = json!([]);
                }
                let all = at.as_array_mut().expect("a list");
                all.resize(all.len().max(index + 1), Value::Null);
                &mut all[index]
            }
            Err(_) => &mut at[step.trim_matches('\'')],
        });
    let value = ["stringValue", "numberValue", "boolValue"].into_iter().find_map(|kind| piece.get(kind));
    *place = match (&*place, value) {
        (Value::String(before), Some(Value::String(more))) => json!(format!("{before}{more}")),
        (_, Some(value)) => value.clone(),
        (_, None) => Value::Null,
    };
}

fn responses(objects: &[Value]) -> Heard {
    let (mut heard, mut items) = (Heard::default(), Vec::new());
    for object in objects {
        let kind = text(&object["type"]);
        if kind == "response.output_item.done" {
            items.push(&object["item"]);
        }
        let is_end = ["response.completed", "response.incomplete"].contains(&kind);
        let response = if is_end { &object["response"] } else { object };
        if !is_end && object["object"] != "response" {
            continue;
        }
        if items.is_empty() {
            items.extend(list(&response["output"]));
        }
        heard.finish = match text(&response["incomplete_details"]["reason"]) {
            "" => "stop",
            "max_output_tokens" => "length",
            _ => "content_filter",
        }
        .to_owned();
        let usage = &response["usage"];
        heard.tokens = [
            count(&usage["input_tokens"]),
            count(&usage["output_tokens"]),
            count(&usage["input_tokens_details"]["cached_tokens"]),
            count(&usage["output_tokens_details"]["reasoning_tokens"]),
        ];
    }
    for item in items {
        match text(&item["type"]) {
            "message" => {
                let said =
                    |part: &Value| ["text", "refusal"].into_iter().map(|key| text(&part[key])).collect::<String>();
                heard.text.extend(list(&item["content"]).map(said));
            }
            "reasoning" => {
                let parts = list(&item["content"]).chain(list(&item["summary"]));
                heard.thoughts.extend(parts.map(|part| text(&part["text"])));
            }
            "function_call" => {
                // Elsewhere a name has no namespace beside it: the gateway puts both into one.
                let name = match (text(&item["namespace"]), text(&item["name"])) {
                    ("", name) => name.to_owned(),
                    (namespace, name) => format!("ns{}_{namespace}_{name}", namespace.len()),
                };
                heard.calls.push((name, arguments(text(&item["arguments"]))));
            }
            "custom_tool_call" => heard.calls.push((text(&item["name"]).into(), json!(text(&item["input"])))),
            _ => {}
        }
    }
    heard
}

/// That a stream of responses says the same in its pieces, its items and its end.
pub(crate) fn adds_up(body: &[u8]) -> bool {
    let events = objects(true, body);
    let whole = events.last().unwrap_or(&Value::Null)["response"].to_string();
    let said = |event: &Value| ["response.output_text.delta", "response.refusal.delta"].contains(&text(&event["type"]));
    let pieces: String = events.iter().filter(|event| said(event)).map(|event| text(&event["delta"])).collect();
    let heard = heard(Dialect::Responses, true, body);
    heard == self::heard(Dialect::Responses, false, whole.as_bytes()) && heard.text == pieces
}
