//! What clients ask, feature by feature, each in its own dialect's words.

use llm::Dialect;
use serde_json::{Value, json};

/// What is asked for.
pub(crate) const FEATURES: [&str; 27] = [
    "text",
    "system in the middle",
    "tools",
    "no tools",
    "some tools",
    "parallel calls",
    "results",
    "a failed result",
    "a picture from a tool",
    "an image inline",
    "an image at a URL",
    "a document",
    "any JSON",
    "a schema",
    "effort",
    "no thought",
    "a budget of thought",
    "thoughts signed by Anthropic",
    "a call signed by Google",
    "stops",
    "sampling",
    "a user, and a mark",
    "a refusal given back",
    "several answers",
    "likelihoods",
    "a tool that takes text",
    "a search of the web beside functions",
];

/// What is asked for in one request that holds much of it, for it to be seen whole.
pub(crate) const RICH: &str = "much at once";

/// The request of a client that asks for `feature`; nothing where its dialect has no words for it.
pub(crate) fn asked(client: Dialect, feature: &str) -> Option<Value> {
    match client {
        Dialect::OpenAiChat => chat(feature),
        Dialect::Anthropic => anthropic(feature),
        Dialect::Gemini => gemini(feature),
        Dialect::Responses => responses(feature),
        Dialect::COMPLETIONS => completions(feature),
        _ => None,
    }
}

/// `body` with the fields of `more` in place of its own.
fn with(mut body: Value, more: Value) -> Value {
    if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
        body.extend(more);
    }
    body
}

fn schema() -> Value {
    json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]})
}

fn chat(feature: &str) -> Option<Value> {
    let hi = || json!({"role": "user", "content": "hi"});
    let function = |name: &str| json!({"type": "function", "function": {"name": name, "description": "does", "parameters": schema()}});
    let call = |id: &str, name: &str| json!({"id": id, "type": "function", "function": {"name": name, "arguments": "{\"city\":\"Rome\"}"}});
    let result = |id: &str, text: &str| json!({"role": "tool", "tool_call_id": id, "content": text});
    let calls = |calls: Value| json!({"role": "assistant", "content": null, "tool_calls": calls});
    let image = |url: &str| {
        json!({"messages": [{"role": "user", "content": [
        {"type": "text", "text": "see"}, {"type": "image_url", "image_url": {"url": url}}]}]})
    };
    let tools = || json!([function("f"), function("g")]);
    let body = json!({"model": "m", "messages": [hi()]});
    Some(with(
        body,
        match feature {
            "text" => json!({}),
            "system in the middle" => json!({"messages": [{"role": "system", "content": "one"}, hi(),
            {"role": "assistant", "content": "hello"}, {"role": "system", "content": "two"}, {"role": "user", "content": "go on"}]}),
            "tools" => json!({"tools": tools(), "tool_choice": {"type": "function", "function": {"name": "f"}}}),
            "no tools" => json!({"tools": tools(), "tool_choice": "none"}),
            "some tools" => json!({"tools": tools(), "tool_choice": {"type": "allowed_tools",
            "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "f"}}]}}}),
            "parallel calls" => json!({"tools": tools(), "parallel_tool_calls": false, "tool_choice": "required"}),
            "results" => {
                json!({"tools": tools(), "messages": [hi(), calls(json!([call("call_a", "f"), call("call_b", "g")])),
            result("call_a", "sunny"), result("call_b", "{\"t\":1}")]})
            }
            "an image inline" => image("data:image/png;base64,QUJD"),
            "an image at a URL" => image("https://x.test/a.png"),
            "a document" => json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "read"},
            {"type": "file", "file": {"filename": "report", "file_data": "data:application/pdf;base64,QUJD"}}]}]}),
            "any JSON" => json!({"response_format": {"type": "json_object"}}),
            "a schema" => {
                json!({"response_format": {"type": "json_schema", "json_schema": {"name": "place", "schema": schema(), "strict": true}}})
            }
            "effort" => json!({"reasoning_effort": "high"}),
            "no thought" => json!({"reasoning_effort": "none"}),
            "a budget of thought" => json!({"reasoning": {"max_tokens": 2000}, "max_tokens": 4000}),
            "thoughts signed by Anthropic" => json!({"tools": tools(), "messages": [hi(),
            {"role": "assistant", "content": "so", "tool_calls": [call("call_a", "f")],
                "reasoning_details": [{"type": "reasoning.text", "text": "hm", "signature": "c2ln", "format": "anthropic-claude-v1"}]},
            result("call_a", "sunny")]}),
            "a call signed by Google" => json!({"tools": tools(), "messages": [hi(),
            calls(json!([with(call("call_a", "f"), json!({"extra_content": {"google": {"thought_signature": "c2ln"}}}))])),
            result("call_a", "sunny")]}),
            "stops" => json!({"stop": ["END", "STOP"]}),
            "sampling" => {
                json!({"max_tokens": 50, "temperature": 0.5, "seed": 7, "presence_penalty": 0.5, "frequency_penalty": 0.25})
            }
            "a user, and a mark" => json!({"user": "u", "messages": [{"role": "user", "content": [
            {"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}}]}]}),
            "a refusal given back" => json!({"messages": [hi(),
            {"role": "assistant", "content": null, "refusal": "I won't."}, {"role": "user", "content": "do"}]}),
            "several answers" => json!({"n": 2}),
            "likelihoods" => json!({"logprobs": true, "top_logprobs": 2}),
            "a tool that takes text" => {
                json!({"tools": [function("f"), {"type": "custom", "custom": {"name": "patch"}}]})
            }
            RICH => json!({"tools": [function("f")], "max_tokens": 50, "temperature": 0.5, "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "see"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}}]},
            calls(json!([call("call_a", "f")])), result("call_a", "sunny")]}),
            "a search of the web beside functions" => json!({"tools": tools(), "web_search_options": {}}),
            _ => return None,
        },
    ))
}

fn anthropic(feature: &str) -> Option<Value> {
    let hi = || json!({"role": "user", "content": "hi"});
    let tool = |name: &str| json!({"name": name, "description": "does", "input_schema": schema()});
    let call = |id: &str, name: &str| json!({"type": "tool_use", "id": id, "name": name, "input": {"city": "Rome"}});
    let result = |id: &str, text: &str| json!({"type": "tool_result", "tool_use_id": id, "content": text});
    let said = |blocks: Value| json!({"role": "assistant", "content": blocks});
    let given = |blocks: Value| json!({"role": "user", "content": blocks});
    let image = |source: Value| json!({"messages": [given(json!([{"type": "text", "text": "see"}, {"type": "image", "source": source}]))]});
    let tools = || json!([tool("f"), tool("g")]);
    let body = json!({"model": "m", "max_tokens": 64, "messages": [hi()]});
    Some(with(
        body,
        match feature {
            "text" => json!({}),
            "system in the middle" => json!({"system": "one", "messages": [hi(),
            said(json!("hello")), {"role": "system", "content": "two"}, {"role": "user", "content": "go on"}]}),
            "tools" => json!({"tools": tools(), "tool_choice": {"type": "tool", "name": "f"}}),
            "no tools" => json!({"tools": tools(), "tool_choice": {"type": "none"}}),
            "parallel calls" => {
                json!({"tools": tools(), "tool_choice": {"type": "any", "disable_parallel_tool_use": true}})
            }
            "results" => {
                json!({"tools": tools(), "messages": [hi(), said(json!([call("call_a", "f"), call("call_b", "g")])),
            given(json!([result("call_a", "sunny"), result("call_b", "{\"t\":1}")]))]})
            }
            "a failed result" => json!({"tools": tools(), "messages": [hi(), said(json!([call("call_a", "f")])),
            given(json!([with(result("call_a", "no"), json!({"is_error": true}))]))]}),
            "a picture from a tool" => json!({"tools": tools(), "messages": [hi(), said(json!([call("call_a", "f")])),
            given(json!([{"type": "tool_result", "tool_use_id": "call_a", "content": [{"type": "text", "text": "see"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QUJD"}}]}]))]}),
            "a document" => json!({"messages": [given(json!([{"type": "text", "text": "read"}, {"type": "document",
            "title": "report", "source": {"type": "base64", "media_type": "application/pdf", "data": "QUJD"}}]))]}),
            "an image inline" => image(json!({"type": "base64", "media_type": "image/png", "data": "QUJD"})),
            "an image at a URL" => image(json!({"type": "url", "url": "https://x.test/a.png"})),
            "a schema" => json!({"output_config": {"format": {"type": "json_schema", "schema": schema()}}}),
            "effort" => json!({"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}),
            "no thought" => json!({"thinking": {"type": "disabled"}}),
            "a budget of thought" => {
                json!({"thinking": {"type": "enabled", "budget_tokens": 2000}, "max_tokens": 4000})
            }
            "thoughts signed by Anthropic" => json!({"tools": tools(), "messages": [hi(),
            said(json!([{"type": "thinking", "thinking": "hm", "signature": "c2ln"}, {"type": "text", "text": "so"}, call("call_a", "f")])),
            given(json!([result("call_a", "sunny")]))]}),
            "a call signed by Google" => json!({"tools": tools(), "messages": [hi(),
            said(json!([{"type": "redacted_thinking", "data": "breakwater.call.gemini.signature.c2ln"}, call("call_a", "f")])),
            given(json!([result("call_a", "sunny")]))]}),
            "stops" => json!({"stop_sequences": ["END", "STOP"]}),
            "sampling" => json!({"max_tokens": 50, "temperature": 0.5, "top_k": 4}),
            "a user, and a mark" => json!({"metadata": {"user_id": "u"}, "messages": [given(json!([
            {"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}}]))]}),
            RICH => {
                json!({"tools": [tool("f")], "max_tokens": 50, "temperature": 0.5, "system": "Be brief.", "messages": [
            given(json!([{"type": "text", "text": "see"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QUJD"}}])),
            said(json!([call("call_a", "f")])), given(json!([result("call_a", "sunny")]))]})
            }
            "a search of the web beside functions" => {
                json!({"tools": [tool("f"), {"type": "web_search_20250305", "name": "web_search"}]})
            }
            _ => return None,
        },
    ))
}

fn gemini(feature: &str) -> Option<Value> {
    let user = |parts: Value| json!({"role": "user", "parts": parts});
    let model = |parts: Value| json!({"role": "model", "parts": parts});
    let hi = || user(json!([{"text": "hi"}]));
    let function = |name: &str| json!({"name": name, "description": "does", "parametersJsonSchema": schema()});
    let call = |id: &str, name: &str| json!({"functionCall": {"id": id, "name": name, "args": {"city": "Rome"}}});
    let result = |id: &str, name: &str, response: Value| json!({"functionResponse": {"id": id, "name": name, "response": response}});
    let tools = || json!([{"functionDeclarations": [function("f"), function("g")]}]);
    let config = |config: Value| json!({"generationConfig": config});
    let body = json!({"contents": [hi()]});
    Some(with(
        body,
        match feature {
            "text" => json!({}),
            "system in the middle" => json!({"systemInstruction": {"parts": [{"text": "one"}]}, "contents": [hi(),
            model(json!([{"text": "hello"}])), {"role": "system", "parts": [{"text": "two"}]}, user(json!([{"text": "go on"}]))]}),
            "tools" => {
                json!({"tools": tools(), "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}}})
            }
            "no tools" => json!({"tools": tools(), "toolConfig": {"functionCallingConfig": {"mode": "NONE"}}}),
            "some tools" => json!({"tools": tools(),
            "toolConfig": {"functionCallingConfig": {"mode": "VALIDATED", "allowedFunctionNames": ["f"]}}}),
            "parallel calls" => json!({"tools": tools(), "toolConfig": {"functionCallingConfig": {"mode": "ANY"}}}),
            "results" => {
                json!({"tools": tools(), "contents": [hi(), model(json!([call("call_a", "f"), call("call_b", "g")])),
            user(json!([result("call_a", "f", json!({"output": "sunny"})), result("call_b", "g", json!({"t": 1}))]))]})
            }
            "a failed result" => json!({"tools": tools(), "contents": [hi(), model(json!([call("call_a", "f")])),
            user(json!([result("call_a", "f", json!({"error": "no"}))]))]}),
            "a picture from a tool" => {
                let mut given = result("call_a", "f", json!({"output": "see"}));
                given["functionResponse"]["parts"] = json!([{"inlineData": {"mimeType": "image/png", "data": "QUJD"}}]);
                json!({"tools": tools(), "contents": [hi(), model(json!([call("call_a", "f")])), user(json!([given]))]})
            }
            "a document" => json!({"contents": [user(json!([{"text": "read"}, {"inlineData":
            {"mimeType": "application/pdf", "data": "QUJD", "displayName": "report"}}]))]}),
            "an image inline" => {
                json!({"contents": [user(json!([{"text": "see"}, {"inlineData": {"mimeType": "image/png", "data": "QUJD"}}]))]})
            }
            "an image at a URL" => json!({"contents": [user(json!([{"text": "see"},
            {"fileData": {"mimeType": "image/png", "fileUri": "https://x.test/a.png"}}]))]}),
            "a schema" => config(json!({"responseMimeType": "application/json", "responseJsonSchema": schema()})),
            "any JSON" => config(json!({"responseMimeType": "application/json"})),
            "no thought" => config(json!({"thinkingConfig": {"thinkingBudget": 0}})),
            "a budget of thought" => config(
                json!({"thinkingConfig": {"thinkingBudget": 2000, "includeThoughts": true}, "maxOutputTokens": 4000}),
            ),
            "effort" => config(json!({"thinkingConfig": {"thinkingLevel": "HIGH", "includeThoughts": true}})),
            // `breakwater.anthropic.signature.c2ln`
            "thoughts signed by Anthropic" => json!({"tools": tools(), "contents": [hi(),
            model(json!([{"text": "hm", "thought": true, "thoughtSignature": "YnJlYWt3YXRlci5hbnRocm9waWMuc2lnbmF0dXJlLmMybG4="},
                {"text": "so"}, call("call_a", "f")])),
            user(json!([result("call_a", "f", json!({"output": "sunny"}))]))]}),
            "a call signed by Google" => json!({"tools": tools(), "contents": [hi(),
            model(json!([with(call("call_a", "f"), json!({"thoughtSignature": "c2ln"}))])),
            user(json!([result("call_a", "f", json!({"output": "sunny"}))]))]}),
            "stops" => config(json!({"stopSequences": ["END", "STOP"]})),
            "sampling" => config(
                json!({"maxOutputTokens": 50, "temperature": 0.5, "topK": 4, "seed": 7, "presencePenalty": 0.5, "frequencyPenalty": 0.25}),
            ),
            "several answers" => config(json!({"candidateCount": 2})),
            "likelihoods" => config(json!({"responseLogprobs": true, "logprobs": 2})),
            RICH => json!({"tools": [{"functionDeclarations": [function("f")]}],
            "generationConfig": {"maxOutputTokens": 50, "temperature": 0.5},
            "systemInstruction": {"parts": [{"text": "Be brief."}]}, "contents": [
                user(json!([{"text": "see"}, {"inlineData": {"mimeType": "image/png", "data": "QUJD"}}])),
                model(json!([call("call_a", "f")])),
                user(json!([result("call_a", "f", json!({"output": "sunny"}))]))]}),
            "a search of the web beside functions" => {
                json!({"tools": [{"functionDeclarations": [function("f")], "googleSearch": {}}]})
            }
            _ => return None,
        },
    ))
}

fn responses(feature: &str) -> Option<Value> {
    let said = |role: &str, text: &str| json!({"role": role, "content": text});
    let hi = || said("user", "hi");
    let function = |name: &str| json!({"type": "function", "name": name, "description": "does", "parameters": schema(), "strict": false});
    let call = |id: &str, name: &str| json!({"type": "function_call", "call_id": id, "name": name, "arguments": "{\"city\":\"Rome\"}"});
    let result = |id: &str, text: &str| json!({"type": "function_call_output", "call_id": id, "output": text});
    let image = |url: &str| {
        json!({"input": [{"role": "user", "content": [
        {"type": "input_text", "text": "see"}, {"type": "input_image", "image_url": url, "detail": "auto"}]}]})
    };
    let sealed =
        |content: &str, words: Value| json!({"type": "reasoning", "summary": words, "encrypted_content": content});
    let tools = || json!([function("f"), function("g")]);
    let body = json!({"model": "m", "store": false, "input": [hi()]});
    Some(with(
        body,
        match feature {
            "text" => json!({}),
            "system in the middle" => json!({"instructions": "one", "input": [hi(),
            said("assistant", "hello"), said("developer", "two"), said("user", "go on")]}),
            "tools" => json!({"tools": tools(), "tool_choice": {"type": "function", "name": "f"}}),
            "no tools" => json!({"tools": tools(), "tool_choice": "none"}),
            "some tools" => json!({"tools": tools(), "tool_choice": {"type": "allowed_tools", "mode": "auto",
            "tools": [{"type": "function", "name": "f"}]}}),
            "a picture from a tool" => {
                let mut given = result("call_a", "");
                given["output"] = json!([{"type": "input_text", "text": "see"},
                    {"type": "input_image", "image_url": "data:image/png;base64,QUJD"}]);
                json!({"tools": tools(), "input": [hi(), call("call_a", "f"), given]})
            }
            "a document" => json!({"input": [{"role": "user", "content": [{"type": "input_text", "text": "read"},
            {"type": "input_file", "filename": "report", "file_data": "data:application/pdf;base64,QUJD"}]}]}),
            "parallel calls" => json!({"tools": tools(), "parallel_tool_calls": false, "tool_choice": "required"}),
            "results" => json!({"tools": tools(), "input": [hi(), call("call_a", "f"), call("call_b", "g"),
            result("call_a", "sunny"), result("call_b", "{\"t\":1}")]}),
            "an image inline" => image("data:image/png;base64,QUJD"),
            "an image at a URL" => image("https://x.test/a.png"),
            "a schema" => {
                json!({"text": {"format": {"type": "json_schema", "name": "place", "schema": schema(), "strict": true}}})
            }
            "any JSON" => json!({"text": {"format": {"type": "json_object"}}}),
            "effort" => json!({"reasoning": {"effort": "high"}}),
            "no thought" => json!({"reasoning": {"effort": "none"}}),
            "a user, and a mark" => json!({"user": "u"}),
            "a refusal given back" => json!({"input": [hi(), {"type": "message", "role": "assistant",
            "content": [{"type": "refusal", "refusal": "I won't."}]}, said("user", "do")]}),
            "likelihoods" => json!({"include": ["message.output_text.logprobs"], "top_logprobs": 2}),
            "a tool that takes text" => json!({"tools": [function("f"), {"type": "custom", "name": "patch"}]}),
            "thoughts signed by Anthropic" => json!({"tools": tools(), "input": [hi(),
            sealed("seal:anthropic:signature:thought:c2ln", json!([{"type": "summary_text", "text": "hm"}])),
            said("assistant", "so"), call("call_a", "f"), result("call_a", "sunny")]}),
            "a call signed by Google" => json!({"tools": tools(), "input": [hi(),
            sealed("seal:gemini:signature:call:c2ln", json!([])), call("call_a", "f"), result("call_a", "sunny")]}),
            "sampling" => json!({"max_output_tokens": 50, "temperature": 0.5}),
            RICH => json!({"tools": [function("f")], "max_output_tokens": 50, "temperature": 0.5,
            "instructions": "Be brief.", "input": [{"role": "user", "content": [{"type": "input_text", "text": "see"},
                {"type": "input_image", "image_url": "data:image/png;base64,QUJD", "detail": "auto"}]},
            call("call_a", "f"), result("call_a", "sunny")]}),
            "a search of the web beside functions" => json!({"tools": [function("f"), {"type": "web_search"}]}),
            _ => return None,
        },
    ))
}

fn completions(feature: &str) -> Option<Value> {
    Some(with(
        json!({"model": "m", "prompt": "hi"}),
        match feature {
            "text" => json!({}),
            "stops" => json!({"stop": ["END", "STOP"]}),
            "sampling" => {
                json!({"max_tokens": 50, "temperature": 0.5, "seed": 7, "presence_penalty": 0.5, "frequency_penalty": 0.25})
            }
            "a user, and a mark" => json!({"user": "u"}),
            "several answers" => json!({"n": 2}),
            RICH => {
                json!({"prompt": ["Once"], "max_tokens": 50, "temperature": 0.5, "top_p": 0.9, "seed": 7,
            "user": "u", "echo": false, "best_of": 1, "suffix": null, "logprobs": null})
            }
            _ => return None,
        },
    ))
}
