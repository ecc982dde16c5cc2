//! What a request says in the words of providers that no client speaks: Cohere's, Ollama's and Amazon's, and Mistral's.
//!
//! Written against their specifications and not with our writers. A field unknown here is said by nobody.

use crate::nouns::{Noun, Said, nouns, value};
use dialects::openai_chat::read_prompt;
use serde_json::{Value, json};

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn parsed(body: &[u8]) -> Value {
    serde_json::from_slice(body).expect("JSON")
}

/// Fails where `body` has a field that the reader does not know.
fn only(body: &Value, known: &[&str]) {
    let unknown: Vec<&String> = body
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name)
        .filter(|name| !known.contains(&name.as_str()))
        .collect();
    assert!(unknown.is_empty(), "{unknown:?} in {body}");
}

/// Numbers at their places.
fn numbers(body: &Value, places: &[(&'static str, &str)], said: &mut Said) {
    for (kind, place) in places {
        said.number(kind, body.pointer(place).filter(|number| !number.is_null()));
    }
}

/// Tools in the form of OpenAI's.
fn functions(body: &Value, said: &mut Said) {
    for tool in list(&body["tools"]) {
        let function = &tool["function"];
        assert_eq!(tool["type"], "function");
        said.tool(text(&function["name"]), text(&function["description"]), &function["parameters"].to_string());
    }
}

/// What a body for Mistral's chat completions says: OpenAI's, with other names for two things.
pub(crate) fn mistral(body: &[u8]) -> Vec<Noun> {
    let mut body = parsed(body);
    // Its specification of 2026-08: no object takes further fields.
    only(
        &body,
        &[
            "model",
            "temperature",
            "top_p",
            "max_tokens",
            "stream",
            "stop",
            "random_seed",
            "metadata",
            "messages",
            "response_format",
            "tools",
            "tool_choice",
            "presence_penalty",
            "frequency_penalty",
            "n",
            "prediction",
            "parallel_tool_calls",
            "prompt_mode",
            "reasoning_effort",
            "guardrails",
            "prompt_cache_key",
            "safe_prompt",
        ],
    );
    for message in list(&body["messages"]) {
        let known: &[&str] = match text(&message["role"]) {
            "assistant" => &["role", "content", "tool_calls", "prefix"],
            "tool" => &["role", "content", "tool_call_id", "name"],
            "system" | "user" => &["role", "content"],
            role => panic!("no role of Mistral's: {role}"),
        };
        only(message, known);
    }
    if let Some(seed) = body.as_object_mut().and_then(|fields| fields.remove("random_seed")) {
        body["seed"] = seed;
    }
    for message in body["messages"].as_array_mut().into_iter().flatten() {
        for part in message["content"].as_array_mut().into_iter().flatten() {
            if part["type"] == "document_url" {
                let file = json!({"filename": part["document_name"], "file_data": part["document_url"]});
                *part = json!({"type": "file", "file": file});
            }
        }
    }
    nouns(&read_prompt(body.to_string().as_bytes()).expect("sound"))
}

/// What a body for Groq's chat completions says: OpenAI's, without what its documents list as unsupported.
pub(crate) fn groq(body: &[u8]) -> Vec<Noun> {
    let parsed = parsed(body);
    let refused = ["logprobs", "top_logprobs", "logit_bias", "top_k"].map(|name| &parsed[name]);
    assert!(refused.into_iter().all(Value::is_null) && matches!(parsed["n"].as_u64(), None | Some(1)), "{parsed}");
    for message in list(&parsed["messages"]) {
        let refused = ["reasoning_content", "reasoning_details", "extra_content"].map(|name| &message[name]);
        assert!(refused.into_iter().all(Value::is_null), "{message}");
        assert!(message["name"].is_null() || message["role"] == "tool", "{message}");
        assert!(list(&message["tool_calls"]).iter().all(|call| call["extra_content"].is_null()), "{message}");
    }
    nouns(&read_prompt(body).expect("sound"))
}

/// What a body for `v2/chat` says.
pub(crate) fn cohere(body: &[u8]) -> Vec<Noun> {
    let (body, mut said) = (parsed(body), Said::default());
    only(
        &body,
        &[
            "model",
            "messages",
            "stream",
            "tools",
            "strict_tools",
            "tool_choice",
            "documents",
            "response_format",
            "max_tokens",
            "stop_sequences",
            "temperature",
            "p",
            "k",
            "seed",
            "frequency_penalty",
            "presence_penalty",
            "thinking",
        ],
    );
    for message in list(&body["messages"]) {
        only(message, &["role", "content", "tool_plan", "tool_calls", "tool_call_id"]);
        let who = text(&message["role"]);
        if let Some(plan) = message["tool_plan"].as_str() {
            said.say("thought", plan);
        }
        match &message["content"] {
            Value::String(words) if who == "tool" => said.result(text(&message["tool_call_id"]), words),
            Value::String(words) => said.text(who, words),
            content => list(content).iter().for_each(|block| cohere_block(who, block, &mut said)),
        }
        for call in list(&message["tool_calls"]) {
            let function = &call["function"];
            said.call(text(&call["id"]), text(&function["name"]), text(&function["arguments"]));
        }
    }
    for document in list(&body["documents"]) {
        said.say("document", format!("text {}", text(&document["data"]["text"])));
        said.number("document name", document["data"]["title"].as_str());
    }
    functions(&body, &mut said);
    if body["strict_tools"] == true {
        list(&body["tools"]).iter().for_each(|tool| said.say("strict", text(&tool["function"]["name"])));
    }
    match text(&body["tool_choice"]) {
        "REQUIRED" => said.forced(),
        // Then nothing may be called, whatever is declared.
        "NONE" => said = without_tools(said),
        _ => {}
    }
    if body["response_format"]["type"] == "json_object" {
        let schema = &body["response_format"]["json_schema"];
        said.say("format", if schema.is_null() { "object".to_owned() } else { schema.to_string() });
    }
    match text(&body["thinking"]["type"]) {
        "enabled" => said.thinking(true),
        "disabled" => said.thinking(false),
        _ => {}
    }
    let places = [
        ("max_tokens", "/max_tokens"),
        ("temperature", "/temperature"),
        ("top_p", "/p"),
        ("top_k", "/k"),
        ("seed", "/seed"),
        ("frequency_penalty", "/frequency_penalty"),
        ("presence_penalty", "/presence_penalty"),
    ];
    numbers(&body, &places, &mut said);
    list(&body["stop_sequences"]).iter().for_each(|stop| said.say("stop", text(stop)));
    said.into_nouns()
}

fn without_tools(said: Said) -> Said {
    let mut without = Said::default();
    said.into_nouns().into_iter().filter(|noun| noun.kind != "tool").for_each(|noun| without.say(noun.kind, noun.says));
    without
}

fn cohere_block(who: &str, block: &Value, said: &mut Said) {
    match text(&block["type"]) {
        "text" => said.text(who, text(&block["text"])),
        "image_url" => {
            said.say("image", located(text(&block["image_url"]["url"])));
            let detail = block["image_url"]["detail"].as_str();
            said.number("detail", detail.filter(|detail| !matches!(*detail, "" | "auto")));
        }
        kind => panic!("a block of the kind {kind}"),
    }
}

/// Where a picture is: its bytes, or its URL.
fn located(url: &str) -> String {
    match url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,")) {
        Some((media_type, data)) => format!("{media_type} {data}"),
        None => url.to_owned(),
    }
}

/// What a body for `api/chat` says.
pub(crate) fn ollama(body: &[u8]) -> Vec<Noun> {
    let (body, mut said) = (parsed(body), Said::default());
    only(&body, &["model", "messages", "stream", "tools", "format", "options", "think"]);
    for message in list(&body["messages"]) {
        only(message, &["role", "content", "thinking", "images", "tool_calls", "tool_name", "tool_call_id"]);
        let (who, content) = (text(&message["role"]), text(&message["content"]));
        said.number("thought", message["thinking"].as_str());
        if who == "tool" {
            said.result(text(&message["tool_call_id"]), content);
        } else {
            said.text(who, content);
        }
        // Its bytes say what kind of picture it is.
        list(&message["images"]).iter().for_each(|data| said.say("image", format!("image/png {}", text(data))));
        for call in list(&message["tool_calls"]) {
            let function = &call["function"];
            assert!(function["arguments"].is_object(), "{call}");
            said.call(text(&call["id"]), text(&function["name"]), &function["arguments"].to_string());
        }
    }
    functions(&body, &mut said);
    match &body["format"] {
        Value::Null => {}
        Value::String(_) => said.say("format", "object"),
        schema => said.say("format", schema.to_string()),
    }
    match &body["think"] {
        Value::Null => {}
        Value::Bool(on) => said.thinking(*on),
        _ => said.thinking(true),
    }
    let options = &body["options"];
    let places = [
        ("max_tokens", "/num_predict"),
        ("temperature", "/temperature"),
        ("top_p", "/top_p"),
        ("top_k", "/top_k"),
        ("seed", "/seed"),
        ("frequency_penalty", "/frequency_penalty"),
        ("presence_penalty", "/presence_penalty"),
    ];
    numbers(options, &places, &mut said);
    list(&options["stop"]).iter().for_each(|stop| said.say("stop", text(stop)));
    said.into_nouns()
}

/// What a body for Converse says.
pub(crate) fn bedrock(body: &[u8]) -> Vec<Noun> {
    let (body, mut said) = (parsed(body), Said::default());
    let known = ["system", "messages", "inferenceConfig", "toolConfig", "outputConfig", "additionalModelRequestFields"];
    only(&body, &known);
    list(&body["system"]).iter().for_each(|block| bedrock_block("system", block, &mut said));
    for message in list(&body["messages"]) {
        let who = text(&message["role"]);
        list(&message["content"]).iter().for_each(|block| bedrock_block(who, block, &mut said));
    }
    for tool in list(&body["toolConfig"]["tools"]) {
        let spec = &tool["toolSpec"];
        said.tool(text(&spec["name"]), text(&spec["description"]), &spec["inputSchema"]["json"].to_string());
        if spec["strict"] == true {
            said.say("strict", text(&spec["name"]));
        }
    }
    let choice = &body["toolConfig"]["toolChoice"];
    if let Some(name) = choice["tool"]["name"].as_str() {
        said = with_one_tool(said, name);
    }
    if choice["any"].is_object() || choice["tool"].is_object() {
        said.forced();
    }
    let format = &body["outputConfig"]["textFormat"];
    if format["type"] == "json_schema" {
        said.say("format", value(text(&format["structure"]["jsonSchema"]["schema"])));
    }
    let more = &body["additionalModelRequestFields"];
    only(more, &["thinking", "top_k"]);
    match text(&more["thinking"]["type"]) {
        "" => {}
        kind => said.thinking(kind != "disabled"),
    }
    said.number("top_k", more.get("top_k"));
    let places = [("max_tokens", "/maxTokens"), ("temperature", "/temperature"), ("top_p", "/topP")];
    numbers(&body["inferenceConfig"], &places, &mut said);
    list(&body["inferenceConfig"]["stopSequences"]).iter().for_each(|stop| said.say("stop", text(stop)));
    said.into_nouns()
}

fn with_one_tool(said: Said, name: &str) -> Said {
    let is_other = |noun: &Noun| noun.kind == "tool" && !noun.says.starts_with(&format!("{name} "));
    let mut with = Said::default();
    said.into_nouns().into_iter().filter(|noun| !is_other(noun)).for_each(|noun| with.say(noun.kind, noun.says));
    with
}

fn bedrock_block(who: &str, block: &Value, said: &mut Said) {
    let (kind, inner) = block.as_object().and_then(|block| block.iter().next()).expect("a block");
    let bytes = || text(&inner["source"]["bytes"]);
    match kind.as_str() {
        "text" => said.text(who, text(inner)),
        "cachePoint" => said.say("cache", "up to here"),
        "image" => said.say("image", format!("image/{} {}", text(&inner["format"]), bytes())),
        "document" => {
            said.say("document", format!("application/{} {}", text(&inner["format"]), bytes()));
            said.say("document name", text(&inner["name"]));
        }
        "toolUse" => said.call(text(&inner["toolUseId"]), text(&inner["name"]), &inner["input"].to_string()),
        "toolResult" => {
            let content = list(&inner["content"]);
            let words: Vec<&str> = content.iter().filter_map(|block| block["text"].as_str()).collect();
            said.result(text(&inner["toolUseId"]), &words.concat());
            if inner["status"] == "error" {
                said.failed();
            }
            content
                .iter()
                .filter(|block| block.get("text").is_none())
                .for_each(|block| bedrock_block(who, block, said));
        }
        "reasoningContent" => {
            let words = &inner["reasoningText"];
            said.number("thought", words["text"].as_str());
            said.number("seal", words["signature"].as_str().map(|token| format!("Anthropic Signature {token}")));
        }
        kind => panic!("a block of the kind {kind}"),
    }
}
