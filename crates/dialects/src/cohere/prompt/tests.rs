//! What is written for Cohere, and what is refused.

use super::write_prompt;
use llm::{
    Declared, Demanded, Dialect, Format, Other, Part, PartKind, Prompt, Role, Sampling, Seal, SealKind, Source, Takes,
    Thinking, Thought, ToolChoice, Turn,
};
use serde_json::{Value, json};

fn part(kind: PartKind) -> Part {
    Part { kind, cache: None }
}

fn text(text: &str) -> Part {
    part(PartKind::Text { text: text.into(), seal: None })
}

fn turn(role: Role, parts: Vec<Part>) -> Turn {
    Turn { role, name: String::new(), parts }
}

fn call(id: &str, arguments: &str) -> Part {
    let (id, name) = (id.to_owned(), "f".to_owned());
    part(PartKind::Call { id, name, arguments: arguments.into(), free: false, seal: None })
}

fn result(call: &str, parts: Vec<Part>) -> Part {
    part(PartKind::Result { call: call.into(), name: "f".into(), parts, failed: false })
}

fn picture() -> Part {
    let source = Source::Inline { media_type: "image/png".into(), data: "aGk=".into() };
    part(PartKind::Image { source, detail: "high".into() })
}

fn document(source: Source, name: &str) -> Part {
    part(PartKind::Document { source, name: name.into() })
}

fn tool(name: &str, strict: Option<bool>) -> Declared {
    let takes = Takes::Json(Some(r#"{"type":"object"}"#.into()));
    Declared { name: name.into(), description: "d".into(), takes, strict, cache: None }
}

/// A prompt that says hi, with `change`.
fn asking(change: impl FnOnce(&mut Prompt)) -> Prompt {
    let mut prompt = Prompt { turns: vec![turn(Role::User, vec![text("hi")])], ..Prompt::default() };
    change(&mut prompt);
    prompt
}

fn saying(turns: Vec<Turn>) -> Prompt {
    asking(|prompt| prompt.turns = turns)
}

fn written(prompt: &Prompt) -> (Value, Vec<String>) {
    let written = write_prompt(prompt, "command-x").unwrap_or_else(|unsayable| panic!("{unsayable}"));
    (serde_json::from_slice(&written.body).expect("JSON"), written.left_out)
}

/// The fields beside the ones that every request has, with what is left out.
fn beside(change: impl FnOnce(&mut Prompt)) -> (Value, Vec<String>) {
    let (mut body, left_out) = written(&asking(change));
    let fields = body.as_object_mut().expect("an object");
    ["model", "messages", "stream"].iter().for_each(|name| assert!(fields.remove(*name).is_some(), "{name}"));
    (body, left_out)
}

fn refused(prompt: &Prompt) -> String {
    write_prompt(prompt, "command-x").map_or_else(|unsayable| unsayable.field, |written| format!("{written:?}"))
}

#[test]
fn a_plain_request_says_all_that_cohere_requires() {
    let prompt = asking(|prompt| prompt.stream = true);
    let messages = json!([{"role": "user", "content": "hi"}]);
    assert_eq!(written(&prompt), (json!({"model": "command-x", "messages": messages, "stream": true}), vec![]));
}

#[test]
fn turns_become_messages() {
    let thought = |seal| part(PartKind::Thought(Thought { text: "hm".into(), seal }));
    let sealed = Seal { of: Dialect::Anthropic, kind: SealKind::Signature, token: "s".into() };
    let called = |calls: Value| json!({"role": "assistant", "tool_calls": calls});
    let f = |id: &str, arguments: &str| json!({"id": id, "type": "function", "function": {"name": "f", "arguments": arguments}});
    let image = json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk=", "detail": "high"}});
    for (name, turns, expected, left_out) in [
        (
            "instructions come first, in one message",
            vec![
                turn(Role::System, vec![text("a")]),
                turn(Role::User, vec![text("hi")]),
                turn(Role::Developer, vec![text("b"), text("")]),
            ],
            json!([
                {"role": "system", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
                {"role": "user", "content": "hi"},
            ]),
            vec![],
        ),
        (
            "pictures",
            vec![turn(
                Role::User,
                vec![
                    text("see"),
                    picture(),
                    part(PartKind::Image { source: Source::Url("https://x/a".into()), detail: String::new() }),
                ],
            )],
            json!([{"role": "user", "content": [
                {"type": "text", "text": "see"}, image, {"type": "image_url", "image_url": {"url": "https://x/a"}},
            ]}]),
            vec![],
        ),
        (
            "calls with their plan, and results behind them before anything else",
            vec![
                turn(Role::Assistant, vec![thought(None), call("f_1", r#"{"a":1}"#), call("f_2", "")]),
                turn(
                    Role::User,
                    vec![
                        text("and?"),
                        result("f_1", vec![text("1"), text("2")]),
                        result("f_2", vec![picture()]),
                        result("f_3", vec![]),
                    ],
                ),
            ],
            json!([
                {"role": "assistant", "tool_plan": "hm", "tool_calls": [f("f_1", r#"{"a":1}"#), f("f_2", "{}")]},
                {"role": "tool", "tool_call_id": "f_1", "content": "1\n\n2"},
                {"role": "tool", "tool_call_id": "f_2", "content": "The result follows."},
                {"role": "tool", "tool_call_id": "f_3", "content": ""},
                {"role": "user", "content": [image]},
                {"role": "user", "content": "and?"},
            ]),
            vec![],
        ),
        (
            "thoughts without calls, and what seals them, are hints",
            vec![
                turn(Role::Assistant, vec![thought(None), text("a"), part(PartKind::Refusal("no".into()))]),
                turn(Role::Assistant, vec![thought(Some(sealed)), call("f_1", "{}")]),
                turn(Role::Assistant, vec![]),
            ],
            json!([
                {"role": "assistant", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "no"}]},
                {"role": "assistant", "tool_plan": "hm", "tool_calls": [f("f_1", "{}")]},
            ]),
            vec!["reasoning", "signature"],
        ),
        (
            "names, marks and failures are hints",
            vec![
                Turn { name: "ann".into(), ..turn(Role::User, vec![Part { cache: Some("{}".into()), ..text("hi") }]) },
                turn(Role::Assistant, vec![call("f_1", "{}")]),
                turn(
                    Role::User,
                    vec![part(PartKind::Result {
                        call: "f_1".into(),
                        name: String::new(),
                        parts: vec![],
                        failed: true,
                    })],
                ),
            ],
            json!([
                {"role": "user", "content": "hi"}, called(json!([f("f_1", "{}")])),
                {"role": "tool", "tool_call_id": "f_1", "content": ""},
            ]),
            vec!["name", "cache_control", "is_error"],
        ),
    ] {
        let (body, left) = written(&saying(turns));
        assert_eq!(body["messages"], expected, "{name}");
        assert_eq!(left, left_out, "{name}");
    }
}

#[test]
fn documents_stand_beside_what_is_said_where_they_may() {
    let base64 = Source::Inline { media_type: "text/plain".into(), data: "Y2Fmw6k=".into() };
    let parts = || vec![text("about?"), document(Source::Text("t".into()), "n"), document(base64.clone(), "")];
    let (body, left_out) = written(&saying(vec![turn(Role::User, parts())]));
    assert_eq!(body["documents"], json!([{"data": {"text": "t", "title": "n"}}, {"data": {"text": "café"}}]));
    assert_eq!((&body["messages"], left_out), (&json!([{"role": "user", "content": "about?"}]), vec![]));

    let among =
        json!([{"type": "text", "text": "about?"}, {"type": "text", "text": "t"}, {"type": "text", "text": "café"}]);
    let mut prompt = saying(vec![turn(Role::User, parts())]);
    prompt.format = Format::JsonObject;
    let (body, left_out) = written(&prompt);
    assert_eq!((&body["messages"][0]["content"], &body["documents"]), (&among, &Value::Null), "beside a form");
    assert_eq!(left_out, ["title"]);

    let alone = saying(vec![turn(Role::User, vec![document(Source::Text("t".into()), "")])]);
    assert_eq!(written(&alone).0["messages"][0]["content"], "t", "a message has to say something");

    let (fields, _) = beside(|prompt| {
        let json = r#"["a",{"id":"d","data":{"x":1}},{"id":"e","text":"t"},{"text":"u"}]"#;
        prompt.others = vec![Other { name: "documents".into(), json: json.into() }];
    });
    let expected = json!({"documents": [
        "a", {"id": "d", "data": {"x": 1}}, {"id": "e", "data": {"id": "e", "text": "t"}}, {"data": {"text": "u"}},
    ]});
    assert_eq!(fields, expected);
}

#[test]
fn tools_and_the_choice_among_them() {
    let f = |name: &str| json!({"type": "function", "function": {"name": name, "description": "d", "parameters": {"type": "object"}}});
    let two = || vec![tool("f", None), tool("g", None)];
    let among = |required| ToolChoice::Among { names: ["g".to_owned()].into(), required };
    for (tools, choice, parallel, expected, left_out) in [
        (two(), ToolChoice::Auto, None, json!({"tools": [f("f"), f("g")]}), vec![]),
        (two(), ToolChoice::None, None, json!({"tools": [f("f"), f("g")], "tool_choice": "NONE"}), vec![]),
        (two(), ToolChoice::Required, None, json!({"tools": [f("f"), f("g")], "tool_choice": "REQUIRED"}), vec![]),
        (two(), ToolChoice::Named("g".into()), None, json!({"tools": [f("g")], "tool_choice": "REQUIRED"}), vec![]),
        (two(), among(true), None, json!({"tools": [f("g")], "tool_choice": "REQUIRED"}), vec![]),
        (two(), among(false), None, json!({"tools": [f("g")]}), vec![]),
        (two(), ToolChoice::Auto, Some(false), json!({"tools": [f("f"), f("g")]}), vec!["parallel_tool_calls"]),
        (vec![tool("f", Some(true))], ToolChoice::Auto, None, json!({"tools": [f("f")], "strict_tools": true}), vec![]),
        (
            vec![tool("f", Some(true)), tool("g", None)],
            ToolChoice::Auto,
            None,
            json!({"tools": [f("f"), f("g")]}),
            vec!["strict"],
        ),
        (vec![], ToolChoice::None, Some(false), json!({}), vec![]),
    ] {
        let shown = format!("{choice:?} {parallel:?}");
        let (body, left) = beside(|prompt| {
            (prompt.tools, prompt.tool_choice, prompt.parallel_calls) = (tools, choice, parallel);
        });
        assert_eq!((body, left), (expected, left_out.into_iter().map(str::to_owned).collect()), "{shown}");
    }
    let bare = Declared { description: String::new(), takes: Takes::Json(None), ..tool("f", None) };
    let (body, _) = beside(|prompt| prompt.tools = vec![bare]);
    let function = json!({"name": "f", "parameters": {"type": "object", "properties": {}}});
    assert_eq!(body, json!({"tools": [{"type": "function", "function": function}]}));
}

#[test]
fn how_the_answer_is_to_be() {
    let schema = Demanded { name: "n".into(), schema: r#"{"type":"object"}"#.into(), strict: true };
    let sampling = Sampling {
        max_tokens: Some(9),
        temperature: Some(0.5),
        top_p: Some(0.9),
        top_k: Some(40),
        stop: vec!["END".into()],
        seed: Some(7),
        presence_penalty: Some(0.0),
        frequency_penalty: Some(0.5),
        choices: Some(1),
        logprobs: None,
    };
    let said = json!({"max_tokens": 9, "temperature": 0.5, "p": 0.9, "k": 40, "stop_sequences": ["END"], "seed": 7,
        "frequency_penalty": 0.5});
    let beyond = Sampling {
        top_p: Some(1.0),
        top_k: Some(900),
        seed: Some(-1),
        presence_penalty: Some(2.0),
        frequency_penalty: Some(-1.0),
        ..Sampling::default()
    };
    let both = Sampling { presence_penalty: Some(0.5), frequency_penalty: Some(0.25), ..Sampling::default() };
    let asked = |sampling: Sampling| move |prompt: &mut Prompt| prompt.sampling = sampling;
    let thinking = |thinking: Thinking| move |prompt: &mut Prompt| prompt.thinking = Some(thinking);
    let form = |format: Format| move |prompt: &mut Prompt| prompt.format = format;
    let effort = |word: &str| thinking(Thinking::Effort(word.into()));
    for ((body, left), expected, left_out) in [
        (beside(asked(sampling)), said, vec![]),
        (
            beside(asked(beyond)),
            json!({"p": 0.99, "k": 500, "presence_penalty": 1.0}),
            vec!["frequency_penalty", "presence_penalty", "seed", "top_k"],
        ),
        (beside(asked(both)), json!({"frequency_penalty": 0.25}), vec!["presence_penalty"]),
        (beside(form(Format::JsonObject)), json!({"response_format": {"type": "json_object"}}), vec![]),
        (
            beside(form(Format::JsonSchema(schema))),
            json!({"response_format": {"type": "json_object", "json_schema": {"type": "object"}}}),
            vec![],
        ),
        (beside(thinking(Thinking::Off)), json!({"thinking": {"type": "disabled"}}), vec![]),
        (beside(thinking(Thinking::Adaptive)), json!({"thinking": {"type": "enabled"}}), vec![]),
        (
            beside(thinking(Thinking::Budget(800))),
            json!({"thinking": {"type": "enabled", "token_budget": 800}}),
            vec![],
        ),
        (beside(effort("none")), json!({"thinking": {"type": "disabled"}}), vec![]),
        (beside(effort("high")), json!({"thinking": {"type": "enabled"}}), vec![]),
        (beside(effort("low")), json!({"thinking": {"type": "enabled"}}), vec!["reasoning_effort"]),
        (beside(effort("vast")), json!({}), vec!["reasoning_effort"]),
        (beside(|prompt| prompt.user = "ann".into()), json!({}), vec!["user"]),
    ] {
        assert_eq!((&body, left), (&expected, left_out.into_iter().map(str::to_owned).collect()));
    }
}

#[test]
fn fields_that_are_no_noun_pass_or_are_told_of() {
    let of = |name: &str, json: &str| {
        let other = Other { name: name.into(), json: json.into() };
        beside(|prompt| prompt.others = vec![other])
    };
    assert_eq!(of("safety_mode", "\"STRICT\""), (json!({"safety_mode": "STRICT"}), vec![]));
    let options = json!({"citation_options": {"mode": "FAST"}});
    assert_eq!(of("citation_options", r#"{"mode":"FAST"}"#), (options, vec![]));
    assert_eq!(of("metadata", "{\"a\":1}"), (json!({}), vec!["metadata".to_owned()]));
    assert_eq!(of("logit_bias", "null"), (json!({}), vec![]));
    let agent = |prompt: &mut Prompt| {
        prompt.tools = vec![tool("f", None)];
        prompt.others = vec![Other { name: "tools[1]".into(), json: r#"{"type":"web_search"}"#.into() }];
    };
    assert_eq!(beside(agent).1, ["tools[1]"]);
}

#[test]
fn what_cannot_be_said_is_refused_by_name() {
    let part_of = |kind: PartKind| saying(vec![turn(Role::User, vec![text("hi"), part(kind)])]);
    let document = |source: Source| part_of(PartKind::Document { source, name: String::new() });
    let pdf = Source::Inline { media_type: "application/pdf".into(), data: "aGk=".into() };
    let no_text = Source::Inline { media_type: "text/plain".into(), data: "/w==".into() };
    let sampling = |sampling: Sampling| asking(|prompt| prompt.sampling = sampling);
    let other = |name: &str| {
        let other = Other { name: name.into(), json: "{\"a\":1}".into() };
        asking(|prompt| prompt.others = vec![other])
    };
    let free = PartKind::Call { id: "a".into(), name: "f".into(), arguments: "t".into(), free: true, seal: None };
    let tools = |tools: Vec<Declared>, choice: ToolChoice| {
        asking(|prompt| (prompt.tools, prompt.tool_choice) = (tools, choice))
    };
    for (prompt, field) in [
        (part_of(PartKind::Audio { data: "aGk=".into(), format: "wav".into() }), "input_audio"),
        (part_of(PartKind::Image { source: Source::File("f".into()), detail: String::new() }), "image_url"),
        (part_of(PartKind::Other { name: "search_result".into(), json: "{}".into() }), "messages"),
        (document(pdf), "file"),
        (document(no_text), "file"),
        (document(Source::Url("https://x".into())), "file"),
        (document(Source::File("f".into())), "file"),
        (saying(vec![turn(Role::System, vec![picture()])]), "messages"),
        (saying(vec![turn(Role::Assistant, vec![picture()])]), "messages"),
        (saying(vec![turn(Role::Assistant, vec![part(free)])]), "messages"),
        (sampling(Sampling { choices: Some(2), ..Sampling::default() }), "n"),
        (sampling(Sampling { logprobs: Some(0), ..Sampling::default() }), "logprobs"),
        (sampling(Sampling { stop: vec!["x".into(); 6], ..Sampling::default() }), "stop"),
        (tools(vec![], ToolChoice::Required), "tool_choice"),
        (tools(vec![tool("f", None)], ToolChoice::Named("g".into())), "tool_choice"),
        (tools(vec![Declared { takes: Takes::Free, ..tool("f", None) }], ToolChoice::Auto), "tools"),
        (
            tools(vec![Declared { takes: Takes::Json(Some("true".into())), ..tool("f", None) }], ToolChoice::Auto),
            "tools",
        ),
        (
            asking(|prompt| (prompt.tools, prompt.format) = (vec![tool("f", None)], Format::JsonObject)),
            "response_format",
        ),
        (other("logit_bias"), "logit_bias"),
        (other("tools[0]"), "tools[0]"),
        (other("documents"), "documents"),
    ] {
        assert_eq!(refused(&prompt), field, "{prompt:?}");
    }
    let mut both = other("documents");
    (both.others, both.format) = (vec![Other { name: "documents".into(), json: "[\"a\"]".into() }], Format::JsonObject);
    assert_eq!(refused(&both), "documents", "beside a form");
}
