//! Requests of other dialects, written in this one.

use super::super::{write_prompt, write_prompt_in};
use super::{call, json, part, result, turn, words};
use crate::Unsayable;
use crate::anthropic::Version;
use llm::{
    Declared, Demanded, Dialect, Format, Other, Part, PartKind, Prompt, Role, Sampling, Seal, SealKind, Source, Takes,
    Thinking, Thought, ToolChoice, Turn,
};
use serde_json::{Value, json};

const OLD: &str = "claude-sonnet-4-5";
const NEW: &str = "claude-opus-5";

fn hi() -> Turn {
    turn(Role::User, vec![words("hi")])
}

fn said(prompt: &Prompt, model: &str) -> (Value, Vec<String>) {
    let written = write_prompt(prompt, model).unwrap_or_else(|unsayable| panic!("{unsayable}: {prompt:?}"));
    (serde_json::from_slice(&written.body).expect("JSON"), written.left_out)
}

fn field(prompt: &Prompt, name: &str) -> Value {
    said(prompt, OLD).0[name].clone()
}

fn messages(turns: Vec<Turn>) -> (Value, Vec<String>) {
    let (body, left_out) = said(&Prompt { turns, ..Prompt::default() }, OLD);
    (body["messages"].clone(), left_out)
}

fn refusal(prompt: &Prompt) -> String {
    match write_prompt(prompt, OLD) {
        Err(Unsayable { field, .. }) => field,
        Ok(written) => panic!("{prompt:?}: {written:?}"),
    }
}

fn text(text: &str) -> Value {
    json!({ "type": "text", "text": text })
}

fn seal(of: Dialect, kind: SealKind) -> Option<Seal> {
    Some(Seal { of, kind, token: "tok".into() })
}

fn thought(text: &str, seal: Option<Seal>) -> PartKind {
    PartKind::Thought(Thought { text: text.into(), seal })
}

#[test]
fn the_least_request() {
    let (body, left_out) = said(&Prompt { turns: vec![hi()], ..Prompt::default() }, NEW);
    let expected = json!({
        "model": NEW, "max_tokens": 64000, "messages": [{"role": "user", "content": [text("hi")]}],
    });
    assert_eq!((body, left_out), (expected, vec![]));
}

#[test]
fn instructions_stand_apart_wherever_they_were_given() {
    let system = |role, said: &str| turn(role, vec![words(said)]);
    let turns =
        vec![system(Role::System, "a"), hi(), system(Role::Developer, "b"), turn(Role::User, vec![words("more")])];
    let (body, _) = said(&Prompt { turns, ..Prompt::default() }, OLD);
    assert_eq!(body["system"], json!([text("a"), text("b")]));
    assert_eq!(body["messages"], json!([{"role": "user", "content": [text("hi"), text("more")]}]));
    let picture = PartKind::Image { source: Source::Url("https://x".into()), detail: String::new() };
    assert_eq!(
        refusal(&Prompt { turns: vec![turn(Role::System, vec![picture]), hi()], ..Prompt::default() }),
        "system"
    );
}

#[test]
fn results_are_one_users_message_and_come_first() {
    let (messages, _) = messages(vec![
        hi(),
        turn(Role::Assistant, vec![words("let me"), call("a", "f", r#"{"x":1}"#), call("b", "g", "")]),
        turn(Role::User, vec![result("a", "f", "1")]),
        turn(Role::User, vec![words("and?")]),
        turn(Role::User, vec![PartKind::Result { call: "b".into(), name: String::new(), parts: vec![], failed: true }]),
    ]);
    assert_eq!(
        messages,
        json!([
            {"role": "user", "content": [text("hi")]},
            {"role": "assistant", "content": [
                text("let me"),
                {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}},
                {"type": "tool_use", "id": "b", "name": "g", "input": {}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "a", "content": [text("1")]},
                {"type": "tool_result", "tool_use_id": "b", "is_error": true},
                text("and?"),
            ]},
        ])
    );
}

#[test]
fn a_conversation_keeps_the_dialects_shape() {
    let user = |content: Value| json!({ "role": "user", "content": content });
    let assistant = |content: Value| json!({ "role": "assistant", "content": content });
    let opening = || user(json!([text("(The conversation begins.)")]));
    let says = |role, said: &str| turn(role, vec![words(said)]);
    for (turns, expected) in [
        (vec![], json!([opening()])),
        (
            vec![says(Role::Assistant, "Hello!"), hi()],
            json!([opening(), assistant(json!([text("Hello!")])), user(json!([text("hi")]))]),
        ),
        (vec![says(Role::User, " \n"), hi(), says(Role::User, "")], json!([user(json!([text("hi")]))])),
        (
            vec![hi(), says(Role::Assistant, "It is \n ")],
            json!([user(json!([text("hi")])), assistant(json!([text("It is")]))]),
        ),
        (
            vec![hi(), turn(Role::Assistant, vec![words("a "), words("\n")])],
            json!([user(json!([text("hi")])), assistant(json!([text("a")]))]),
        ),
        (vec![hi(), says(Role::Assistant, " ")], json!([user(json!([text("hi")]))])),
        (
            vec![hi(), says(Role::Assistant, "a "), says(Role::Assistant, "b"), hi()],
            json!([user(json!([text("hi")])), assistant(json!([text("a "), text("b")])), user(json!([text("hi")]))]),
        ),
        (
            vec![hi(), turn(Role::Assistant, vec![PartKind::Refusal("I will not.".into())]), hi()],
            json!([user(json!([text("hi")])), assistant(json!([text("I will not.")])), user(json!([text("hi")]))]),
        ),
    ] {
        assert_eq!(messages(turns.clone()).0, expected, "{turns:?}");
    }
}

#[test]
fn thoughts_go_back_to_whoever_signed_them() {
    let own = Dialect::Anthropic;
    for (kind, expected) in [
        (
            thought("hm", seal(own, SealKind::Signature)),
            Some(json!({"type": "thinking", "thinking": "hm", "signature": "tok"})),
        ),
        (
            thought("", seal(own, SealKind::Signature)),
            Some(json!({"type": "thinking", "thinking": "", "signature": "tok"})),
        ),
        (thought("", seal(own, SealKind::Encrypted)), Some(json!({"type": "redacted_thinking", "data": "tok"}))),
        (thought("hm", None), None),
        (thought("hm", seal(Dialect::Gemini, SealKind::Signature)), None),
        (thought("", seal(Dialect::Responses, SealKind::Encrypted)), None),
    ] {
        let (messages, left_out) = messages(vec![hi(), turn(Role::Assistant, vec![kind.clone(), words("so")]), hi()]);
        let told: Vec<&str> = if expected.is_none() { vec!["reasoning"] } else { vec![] };
        let content: Vec<Value> = expected.into_iter().chain([text("so")]).collect();
        assert_eq!(
            (&messages[1]["content"], left_out),
            (&content.into(), told.into_iter().map(String::from).collect()),
            "{kind:?}"
        );
    }
}

#[test]
fn ids_are_such_as_the_dialect_takes() {
    let (messages, _) = messages(vec![
        hi(),
        turn(
            Role::Assistant,
            vec![
                call("functions.f:0", "f", "{}"),
                call("functions_f:0", "f", "{}"),
                call("", "g", "{}"),
                call("", "g", "{}"),
            ],
        ),
        turn(
            Role::User,
            vec![
                result("functions.f:0", "f", "0"),
                result("functions_f:0", "f", "1"),
                result("", "g", "2"),
                result("", "g", "3"),
            ],
        ),
    ]);
    let id = |message: usize, at: usize, name: &str| {
        messages[message]["content"][at][name].as_str().expect("an id").to_owned()
    };
    let calls: Vec<String> = (0..4).map(|at| id(1, at, "id")).collect();
    let results: Vec<String> = (0..4).map(|at| id(2, at, "tool_use_id")).collect();
    assert_eq!(calls, results);
    let distinct: std::collections::BTreeSet<&String> = calls.iter().collect();
    assert_eq!(distinct.len(), 4, "{calls:?}");
    assert!(calls.iter().all(|id| id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')), "{calls:?}");
}

#[test]
fn arguments_become_an_object() {
    let free =
        PartKind::Call { id: "a".into(), name: "f".into(), arguments: "say \"x\"".into(), free: true, seal: None };
    for (kind, expected) in [
        (call("a", "f", r#" {"x": [1]} "#), json!({"x": [1]})),
        (call("a", "f", " "), json!({})),
        (call("a", "f", "[1]"), json!({"INVALID_JSON": "[1]"})),
        (call("a", "f", "{\"x\":"), json!({"INVALID_JSON": "{\"x\":"})),
        (free, json!({"input": "say \"x\""})),
    ] {
        let (messages, _) = messages(vec![hi(), turn(Role::Assistant, vec![kind.clone()]), hi()]);
        assert_eq!(messages[1]["content"][0]["input"], expected, "{kind:?}");
    }
}

#[test]
fn pictures_and_documents_are_written_or_refused() {
    let inline = |media_type: &str| Source::Inline { media_type: media_type.into(), data: "QUJD".into() };
    let image = |source| PartKind::Image { source, detail: "auto".into() };
    let document = |source| PartKind::Document { source, name: "n".into() };
    for (kind, expected) in [
        (
            image(inline("image/png")),
            Ok(json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QUJD"}})),
        ),
        (
            image(Source::Url("https://x/y.png".into())),
            Ok(json!({"type": "image", "source": {"type": "url", "url": "https://x/y.png"}})),
        ),
        (
            image(Source::File("file_1".into())),
            Ok(json!({"type": "image", "source": {"type": "file", "file_id": "file_1"}})),
        ),
        (image(inline("image/tiff")), Err("image_url")),
        (image(Source::Url("gs://x".into())), Err("image_url")),
        (image(Source::File("file-abc".into())), Err("image_url")),
        (image(Source::Text("x".into())), Err("image_url")),
        (
            document(inline("application/pdf")),
            Ok(
                json!({"type": "document", "title": "n", "source": {"type": "base64", "media_type": "application/pdf", "data": "QUJD"}}),
            ),
        ),
        (
            document(Source::Text("x".into())),
            Ok(
                json!({"type": "document", "title": "n", "source": {"type": "text", "media_type": "text/plain", "data": "x"}}),
            ),
        ),
        (document(inline("application/msword")), Err("file")),
        (document(Source::File("file-abc".into())), Err("file")),
        (PartKind::Audio { data: "QUJD".into(), format: "wav".into() }, Err("input_audio")),
        (PartKind::Other { name: "video_url".into(), json: r#"{"type":"video_url"}"#.into() }, Err("video_url")),
        (PartKind::Other { name: "document".into(), json: r#"{"document":{"id":"d"}}"#.into() }, Err("document")),
        (
            PartKind::Other { name: "search_result".into(), json: r#"{"type":"search_result","source":"s"}"#.into() },
            Ok(json!({"type": "search_result", "source": "s"})),
        ),
    ] {
        let prompt = Prompt { turns: vec![turn(Role::User, vec![kind.clone()])], ..Prompt::default() };
        match expected {
            Ok(block) => assert_eq!(field(&prompt, "messages")[0]["content"][0], block, "{kind:?}"),
            Err(name) => assert_eq!(refusal(&prompt), name, "{kind:?}"),
        }
    }
    let looked = PartKind::Image { source: Source::Url("https://x".into()), detail: "high".into() };
    assert_eq!(messages(vec![turn(Role::User, vec![looked.clone()])]).1, ["detail"]);
    assert_eq!(
        refusal(&Prompt { turns: vec![hi(), turn(Role::Assistant, vec![looked])], ..Prompt::default() }),
        "messages"
    );
    let prompt = Prompt {
        turns: vec![hi(), turn(Role::Assistant, vec![document(Source::Text("x".into()))]), hi()],
        ..Prompt::default()
    };
    assert!(write_prompt_in(Version::June2023, &prompt, OLD).is_ok());
    assert!(write_prompt_in(Version::October2026, &prompt, OLD).is_err());
}

#[test]
fn cache_marks_stand_where_they_stood() {
    let marked = |text: &str, mark: &str| Part { kind: words(text), cache: Some(mark.into()) };
    let own = r#"{"type":"ephemeral","ttl":"1h"}"#;
    let parts = vec![marked("a", own), marked("b", r#"{"point":true}"#), marked(" ", own)];
    let (messages, left_out) = messages(vec![Turn { role: Role::User, name: "Ann".into(), parts }]);
    assert_eq!(
        messages[0]["content"],
        json!([{"type": "text", "text": "a", "cache_control": {"type": "ephemeral", "ttl": "1h"}}, text("b")])
    );
    assert_eq!(left_out, ["name", "cache_control"]);
}

fn tool(name: &str, schema: Option<&str>) -> Declared {
    Declared {
        name: name.into(),
        description: String::new(),
        takes: Takes::Json(schema.map(Into::into)),
        strict: None,
        cache: None,
    }
}

#[test]
fn tools_are_declared() {
    for (schema, expected) in [
        (None, json!({"type": "object"})),
        (Some("{}"), json!({"type": "object"})),
        (Some(r#"{ "properties": {"a": {}} }"#), json!({"type": "object", "properties": {"a": {}}})),
        (Some(r#"{"$schema":"s","type":"object"}"#), json!({"$schema": "s", "type": "object"})),
    ] {
        let prompt = Prompt { turns: vec![hi()], tools: vec![tool("f", schema)], ..Prompt::default() };
        assert_eq!(field(&prompt, "tools"), json!([{"name": "f", "input_schema": expected}]), "{schema:?}");
    }
    let full = Declared {
        description: "does".into(),
        strict: Some(true),
        cache: Some(r#"{"type":"ephemeral"}"#.into()),
        ..tool("f", None)
    };
    let prompt = Prompt { turns: vec![hi()], tools: vec![full], ..Prompt::default() };
    assert_eq!(
        field(&prompt, "tools")[0],
        json!({"name": "f", "description": "does", "input_schema": {"type": "object"}, "strict": true, "cache_control": {"type": "ephemeral"}})
    );
    let free = Declared { takes: Takes::Free, ..tool("f", None) };
    for refused in
        [free, tool("a.b", None), tool("", None), tool("f", Some(r#"{"type":"string"}"#)), tool("f", Some("7"))]
    {
        let prompt = Prompt { turns: vec![hi()], tools: vec![refused.clone()], ..Prompt::default() };
        assert_eq!(refusal(&prompt), "tools", "{refused:?}");
    }
}

#[test]
fn choices_of_tools() {
    let among = |required| ToolChoice::Among { names: ["g".to_owned()].into(), required };
    for (choice, parallel, expected, declared) in [
        (ToolChoice::Auto, None, Value::Null, 2),
        (ToolChoice::Auto, Some(true), Value::Null, 2),
        (ToolChoice::Auto, Some(false), json!({"type": "auto", "disable_parallel_tool_use": true}), 2),
        (ToolChoice::None, Some(false), json!({"type": "none"}), 2),
        (ToolChoice::Required, None, json!({"type": "any"}), 2),
        (ToolChoice::Required, Some(false), json!({"type": "any", "disable_parallel_tool_use": true}), 2),
        (ToolChoice::Named("f".into()), None, json!({"type": "tool", "name": "f"}), 2),
        (among(true), None, json!({"type": "any"}), 1),
        (among(false), None, Value::Null, 1),
    ] {
        let prompt = Prompt {
            turns: vec![hi()],
            tools: vec![tool("f", None), tool("g", None)],
            tool_choice: choice.clone(),
            parallel_calls: parallel,
            ..Prompt::default()
        };
        let (body, _) = said(&prompt, OLD);
        assert_eq!(
            (&body["tool_choice"], body["tools"].as_array().map(Vec::len)),
            (&expected, Some(declared)),
            "{choice:?}"
        );
    }
    let none = |tool_choice| Prompt { turns: vec![hi()], tool_choice, ..Prompt::default() };
    for choice in [ToolChoice::Required, ToolChoice::Named("f".into())] {
        assert_eq!(refusal(&none(choice)), "tool_choice");
    }
    assert_eq!(said(&none(ToolChoice::None), OLD).0.get("tool_choice"), None);
}

#[test]
fn calls_of_tools_no_longer_declared_are_kept() {
    let turns =
        vec![hi(), turn(Role::Assistant, vec![call("a", "f", "{}")]), turn(Role::User, vec![result("a", "f", "1")])];
    let (body, _) = said(&Prompt { turns, ..Prompt::default() }, OLD);
    assert_eq!(body["tools"], json!([{"name": "f", "input_schema": {"type": "object"}}]));
    assert_eq!(body["tool_choice"], json!({"type": "none"}));
}

#[test]
fn sampling_is_said_where_it_is_taken() {
    let sampling = Sampling {
        max_tokens: Some(9),
        temperature: Some(0.5),
        top_p: Some(0.9),
        top_k: Some(40),
        stop: vec!["END".into(), " \n".into()],
        seed: Some(7),
        choices: Some(1),
        presence_penalty: Some(0.0),
        frequency_penalty: Some(0.5),
        logprobs: None,
    };
    let prompt = Prompt { turns: vec![hi()], sampling, ..Prompt::default() };
    let (body, left_out) = said(&prompt, OLD);
    assert_eq!(
        [&body["max_tokens"], &body["temperature"], &body["top_p"], &body["top_k"], &body["stop_sequences"]],
        [&json!(9), &json!(0.5), &Value::Null, &json!(40), &json!(["END"])]
    );
    assert_eq!(left_out, ["stop", "top_p", "seed", "frequency_penalty"]);
    for (version, model) in [(Version::June2023, NEW), (Version::October2026, OLD)] {
        let written = write_prompt_in(version, &prompt, model).expect("sayable");
        let body = json(std::str::from_utf8(&written.body).expect("UTF-8"));
        assert!(["temperature", "top_p", "top_k"].iter().all(|name| body.get(name).is_none()), "{body}");
        assert_eq!(written.left_out, ["stop", "temperature", "top_p", "top_k", "seed", "frequency_penalty"]);
    }
    let sampled = |sampling| Prompt { turns: vec![hi()], sampling, ..Prompt::default() };
    let usual = Sampling { temperature: Some(1.0), top_p: Some(1.0), ..Sampling::default() };
    assert_eq!(said(&sampled(usual), NEW).1, [""; 0]);
    let hot = sampled(Sampling { temperature: Some(1.7), ..Sampling::default() });
    assert_eq!((&said(&hot, OLD).0["temperature"], said(&hot, OLD).1), (&json!(1.0), vec!["temperature".into()]));
    assert_eq!(refusal(&sampled(Sampling { choices: Some(2), ..Sampling::default() })), "n");
    assert_eq!(refusal(&sampled(Sampling { logprobs: Some(0), ..Sampling::default() })), "logprobs");
}

#[test]
fn thinking_is_asked_for_as_the_model_is_asked() {
    let effort = |word: &str| Thinking::Effort(word.into());
    let within = |tokens: u64| json!({"type": "enabled", "budget_tokens": tokens});
    let adaptive = || json!({"type": "adaptive"});
    let off = || json!({"type": "disabled"});
    let told = |name: &str| vec![name.to_owned()];
    for (thinking, model, expected, word, left_out) in [
        (Thinking::Off, OLD, off(), None, vec![]),
        (effort("none"), NEW, off(), None, vec![]),
        (Thinking::Adaptive, NEW, adaptive(), None, vec![]),
        (Thinking::Adaptive, OLD, within(16_384), None, vec![]),
        (effort("minimal"), NEW, adaptive(), Some("low"), vec![]),
        (effort("high"), NEW, adaptive(), Some("high"), vec![]),
        (effort("high"), OLD, within(32_768), None, vec![]),
        (effort("tomorrow"), NEW, Value::Null, None, told("reasoning_effort")),
        (effort("tomorrow"), OLD, Value::Null, None, told("reasoning_effort")),
        (Thinking::Budget(2000), OLD, within(2000), None, vec![]),
        (Thinking::Budget(2000), "claude-opus-4-6", within(2000), None, vec![]),
        (Thinking::Budget(2000), NEW, adaptive(), None, told("budget_tokens")),
        (Thinking::Budget(90_000), OLD, within(63_999), None, vec![]),
        (Thinking::Budget(10), OLD, Value::Null, None, told("thinking")),
    ] {
        let prompt = Prompt { turns: vec![hi()], thinking: Some(thinking.clone()), ..Prompt::default() };
        let (body, left) = said(&prompt, model);
        assert_eq!((&body["thinking"], left), (&expected, left_out), "{thinking:?} {model}");
        assert_eq!(body["output_config"]["effort"].as_str(), word, "{thinking:?} {model}");
    }
}

#[test]
fn thinking_gives_way_where_it_would_be_refused() {
    let forced = Prompt {
        turns: vec![hi()],
        tools: vec![tool("f", None)],
        tool_choice: ToolChoice::Required,
        thinking: Some(Thinking::Effort("high".into())),
        ..Prompt::default()
    };
    for model in [OLD, NEW] {
        let (body, left_out) = said(&forced, model);
        assert_eq!((body.get("thinking"), left_out), (None, vec!["thinking".to_owned()]), "{model}");
    }
    let going_on = |kinds: Vec<PartKind>, last: Vec<PartKind>| Prompt {
        turns: vec![hi(), turn(Role::Assistant, kinds), turn(Role::User, last)],
        tools: vec![tool("f", None)],
        thinking: Some(Thinking::Budget(2000)),
        ..Prompt::default()
    };
    let own = thought("hm", seal(Dialect::Anthropic, SealKind::Signature));
    let answered = || vec![result("a", "f", "1")];
    for (prompt, thinks) in [
        (going_on(vec![call("a", "f", "{}")], answered()), false),
        (going_on(vec![own, call("a", "f", "{}")], answered()), true),
        (going_on(vec![words("so")], vec![words("and?")]), true),
    ] {
        assert_eq!(said(&prompt, OLD).0.get("thinking").is_some(), thinks, "{prompt:?}");
        assert!(said(&prompt, NEW).0.get("thinking").is_some(), "newer models think without");
    }
    let sampled = Prompt {
        sampling: Sampling { temperature: Some(0.2), ..Sampling::default() },
        ..going_on(vec![words("so")], vec![words("and?")])
    };
    assert_eq!(said(&sampled, OLD).1, ["temperature"]);
}

#[test]
fn the_form_of_the_answer_is_asked_for() {
    let schema =
        |strict| Format::JsonSchema(Demanded { name: "n".into(), schema: r#"{"type":"object"}"#.into(), strict });
    let with = |format| Prompt { turns: vec![hi()], format, ..Prompt::default() };
    let (body, left_out) = said(&with(schema(true)), NEW);
    assert_eq!(body["output_config"], json!({"format": {"type": "json_schema", "schema": {"type": "object"}}}));
    assert!(left_out.is_empty() && body.get("system").is_none());
    for (format, ending) in
        [(schema(false), "nothing else:\n{\"type\":\"object\"}"), (Format::JsonObject, "nothing else.")]
    {
        let (body, _) = said(&with(format), NEW);
        assert!(body.get("output_config").is_none());
        assert!(body["system"][0]["text"].as_str().is_some_and(|text| text.ends_with(ending)), "{body}");
    }
}

#[test]
fn fields_of_no_noun_pass_or_are_told_or_refused() {
    let other = |name: &str, json: &str| Other { name: name.into(), json: json.into() };
    let with =
        |name: &str, json: &str| Prompt { turns: vec![hi()], others: vec![other(name, json)], ..Prompt::default() };
    for (name, value) in [
        ("context_management", r#"{"edits":[]}"#),
        ("mcp_servers", "[]"),
        ("container", "\"c\""),
        ("service_tier", "\"standard_only\""),
        ("cache_control", r#"{"type":"ephemeral"}"#),
    ] {
        let (body, left_out) = said(&with(name, value), NEW);
        assert_eq!((&body[name], left_out.len()), (&json(value), 0), "{name}");
    }
    for (name, value) in
        [("store", "true"), ("service_tier", "\"flex\""), ("citations", "true"), ("tools.defer_loading", "true")]
    {
        let (body, left_out) = said(&with(name, value), NEW);
        assert_eq!((body.get(name), left_out), (None, vec![name.to_owned()]));
    }
    for (name, value) in [("metadata", "null"), ("modalities", "[ \"text\" ]"), ("thinking.display", "\"omitted\"")] {
        assert_eq!(said(&with(name, value), NEW).1, [""; 0], "{name}");
    }
    for (name, value) in
        [("modalities", r#"["text","audio"]"#), ("previous_response_id", "\"r\""), ("logit_bias", r#"{"5":1}"#)]
    {
        assert_eq!(refusal(&with(name, value)), name);
    }
    let search = r#"{"type":"web_search_20250305","name":"web_search","max_uses":3}"#;
    assert_eq!(said(&with("tools[2]", search), NEW).0["tools"], json!([json(search)]));
    let bare = json!([{"type": "web_search_20250305", "name": "web_search"}]);
    for (name, foreign) in
        [("tools[0]", r#"{"type":"web_search"}"#), ("tools[0]", r#"{"googleSearch":{}}"#), ("web_search_options", "{}")]
    {
        assert_eq!(said(&with(name, foreign), NEW).0["tools"], bare, "{foreign}");
    }
    assert_eq!(refusal(&with("tools[1]", r#"{"type":"file_search","vector_store_ids":[]}"#)), "tools[1]");
    let taken = Prompt { tools: vec![tool("web_search", None)], ..with("web_search_options", "{}") };
    assert_eq!(refusal(&taken), "web_search_options", "two tools may not bear one name");
    let displayed = Prompt { thinking: Some(Thinking::Adaptive), ..with("thinking.display", "\"omitted\"") };
    assert_eq!(said(&displayed, NEW).0["thinking"], json!({"type": "adaptive", "display": "omitted"}));
    assert_eq!(said(&with("output_config.task_budget", "7"), NEW).0["output_config"], json!({"task_budget": 7}));
}

#[test]
fn users_are_named() {
    let with = |user: &str| Prompt { turns: vec![hi()], user: user.into(), stream: true, ..Prompt::default() };
    let (body, _) = said(&with("u-1"), NEW);
    assert_eq!((&body["metadata"], &body["stream"]), (&json!({"user_id": "u-1"}), &json!(true)));
    let (body, left_out) = said(&with(&"u".repeat(257)), NEW);
    assert_eq!((body.get("metadata"), left_out), (None, vec!["user".to_owned()]));
}

#[test]
fn results_hold_what_tools_gave() {
    let picture = PartKind::Image {
        source: Source::Inline { media_type: "image/png".into(), data: "QUJD".into() },
        detail: String::new(),
    };
    let parts = vec![part(words("a")), part(words("")), part(picture)];
    let given = PartKind::Result { call: "a".into(), name: "f".into(), parts, failed: false };
    let (messages, _) =
        messages(vec![hi(), turn(Role::Assistant, vec![call("a", "f", "{}")]), turn(Role::User, vec![given])]);
    let content = &messages[2]["content"][0]["content"];
    assert_eq!(
        (content.as_array().map(Vec::len), &content[0], &content[1]["type"]),
        (Some(2), &text("a"), &json!("image"))
    );
}
