//! Providers' requests: each server's words, each refusal, each hint that is left out.

use super::super::ids::fitting;
use super::super::{Ids, Server, write_prompt};
use super::*;
use crate::Unsayable;
use llm::{Declared, Demanded, Format, Other, Prompt, Sampling, Takes, Thinking, ToolChoice};
use serde_json::{Value, json};

fn written(prompt: &Prompt, server: &Server) -> (Value, Vec<String>) {
    let written = write_prompt(prompt, "gpt", server).unwrap_or_else(|e| panic!("{prompt:?}: {e}"));
    (serde_json::from_slice(&written.body).expect("JSON"), written.left_out)
}

/// The messages that are written of these turns.
fn messages(turns: Vec<Turn>, server: &Server) -> (Value, Vec<String>) {
    let (body, left_out) = written(&Prompt { turns, ..Prompt::default() }, server);
    (body["messages"].clone(), left_out)
}

#[test]
fn results_become_messages_behind_their_calls() {
    let turns = || {
        vec![
            turn(Role::Assistant, vec![text("a"), part(call("1", "f", "")), part(call("2", "g", "{}"))]),
            turn(
                Role::User,
                vec![
                    text("and now"),
                    result(
                        "1",
                        "f",
                        vec![
                            text("x"),
                            part(PartKind::Image { source: inline("image/png", "AA"), detail: String::new() }),
                        ],
                    ),
                    part(PartKind::Result { call: "2".into(), name: "g".into(), parts: vec![], failed: true }),
                ],
            ),
        ]
    };
    let calls = json!([
        {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
        {"id": "2", "type": "function", "function": {"name": "g", "arguments": "{}"}},
    ]);
    let shown = json!({"role": "user", "content": [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}]});
    let (own, left_out) = messages(turns(), &Server::OPENAI);
    assert_eq!(
        own,
        json!([
            {"role": "assistant", "content": "a", "tool_calls": calls},
            {"role": "tool", "content": "x", "tool_call_id": "1"},
            {"role": "tool", "content": "", "tool_call_id": "2"},
            shown,
            {"role": "user", "content": "and now"},
        ])
    );
    assert_eq!(left_out, ["is_error"]);
    let (others, _) = messages(turns(), &Server::COMPATIBLE);
    assert_eq!(others[1], json!({"role": "tool", "content": "x", "name": "f", "tool_call_id": "1"}));
}

#[test]
fn each_server_is_spoken_to_in_its_words() {
    let turns = || {
        vec![
            turn(Role::Developer, vec![text("d"), Part { cache: Some(r#"{"type":"ephemeral"}"#.into()), ..text("e") }]),
            turn(
                Role::Assistant,
                vec![
                    thought("x", Some(seal(Dialect::Anthropic, SealKind::Signature, "s"))),
                    text("a"),
                    text("b"),
                    part(PartKind::Call {
                        id: "1".into(),
                        name: "f".into(),
                        arguments: "{}".into(),
                        free: false,
                        seal: Some(seal(Dialect::Gemini, SealKind::Signature, "g")),
                    }),
                ],
            ),
        ]
    };
    let parts = |texts: [&str; 2]| json!(texts.map(|text| json!({"type": "text", "text": text})));
    let plain = json!([{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]);
    let mut nine = plain.clone();
    nine[0]["id"] = json!(fitting("1", Ids::Nine));
    let mut signed = plain.clone();
    signed[0]["extra_content"] = json!({"google": {"thought_signature": "g"}});
    let said = |role: &str, first: Value, second: Value, extra: Value, calls: &Value| {
        let mut assistant = json!({"role": "assistant", "content": second, "tool_calls": calls});
        assistant.as_object_mut().expect("object").extend(extra.as_object().expect("object").clone());
        json!([{"role": role, "content": first}, assistant])
    };
    let details = json!({"reasoning": "x", "reasoning_details": [
        {"type": "reasoning.text", "text": "x", "signature": "s", "format": "anthropic-claude-v1", "index": 0}]});
    let mut marked = parts(["d", "e"]);
    marked[1]["cache_control"] = json!({"type": "ephemeral"});
    for (server, expected, left) in [
        (
            Server::OPENAI,
            said("developer", parts(["d", "e"]), parts(["a", "b"]), json!({}), &plain),
            &["cache_control", "signature", "reasoning"][..],
        ),
        (
            Server::COMPATIBLE,
            said("system", json!("d\n\ne"), json!("ab"), json!({"reasoning_content": "x"}), &plain),
            &["cache_control", "signature"],
        ),
        (
            Server::VLLM,
            said("system", json!("d\n\ne"), json!("ab"), json!({"reasoning": "x"}), &plain),
            &["cache_control", "signature"],
        ),
        (Server::OPENROUTER, said("system", marked, parts(["a", "b"]), details, &plain), &["signature"]),
        (
            Server::GEMINI,
            said("system", json!("d\n\ne"), json!("ab"), json!({}), &signed),
            &["cache_control", "reasoning"],
        ),
        (
            Server::MISTRAL,
            said("system", json!("d\n\ne"), json!("ab"), json!({}), &nine),
            &["cache_control", "signature", "reasoning"],
        ),
    ] {
        let (written, left_out) = messages(turns(), &server);
        assert_eq!(written, expected, "{server:?}");
        assert_eq!(left_out, left, "{server:?}");
    }
}

#[test]
fn fields_are_written_in_each_servers_words() {
    let sampling = Sampling { max_tokens: Some(5), top_k: Some(3), seed: Some(1), ..Sampling::default() };
    let thinking = |thinking: Thinking| Prompt {
        turns: vec![turn(Role::User, vec![text("hi")])],
        sampling: sampling.clone(),
        thinking: Some(thinking),
        stream: true,
        ..Prompt::default()
    };
    let usage = json!({"include_usage": true});
    for (server, thinks, expected, left) in [
        (
            Server::OPENAI,
            Thinking::Off,
            json!({"max_completion_tokens": 5, "seed": 1, "reasoning_effort": "none", "stream_options": usage}),
            &["top_k"][..],
        ),
        (
            Server::COMPATIBLE,
            Thinking::Budget(4096),
            json!({"max_tokens": 5, "seed": 1, "top_k": 3, "reasoning_effort": "medium", "stream_options": usage}),
            &["budget_tokens"],
        ),
        (
            Server::OPENROUTER,
            Thinking::Budget(4096),
            json!({"max_tokens": 5, "seed": 1, "top_k": 3, "reasoning": {"max_tokens": 4096}, "stream_options": usage}),
            &[],
        ),
        (
            Server::OPENROUTER,
            Thinking::Effort("low".into()),
            json!({"max_tokens": 5, "seed": 1, "top_k": 3, "reasoning": {"effort": "low"}, "stream_options": usage}),
            &[],
        ),
        (Server::GROQ, Thinking::Adaptive, json!({"max_tokens": 5, "seed": 1, "stream_options": usage}), &["top_k"]),
        (
            Server::MISTRAL,
            Thinking::Off,
            json!({"max_tokens": 5, "random_seed": 1, "reasoning_effort": "none"}),
            &["top_k"],
        ),
        (
            Server::MISTRAL,
            Thinking::Budget(900),
            json!({"max_tokens": 5, "random_seed": 1, "reasoning_effort": "high"}),
            &["top_k", "budget_tokens"],
        ),
        (
            Server::MISTRAL,
            Thinking::Effort("low".into()),
            json!({"max_tokens": 5, "random_seed": 1, "reasoning_effort": "high"}),
            &["top_k", "reasoning_effort"],
        ),
    ] {
        let (body, left_out) = written(&thinking(thinks), &server);
        let mut all = json!({"model": "gpt", "messages": [{"role": "user", "content": "hi"}], "stream": true});
        all.as_object_mut().expect("object").extend(expected.as_object().expect("object").clone());
        assert_eq!(body, all, "{server:?}");
        let mut left_out = left_out;
        left_out.sort();
        let mut left = left.to_vec();
        left.sort_unstable();
        assert_eq!(left_out, left, "{server:?}");
    }
}

#[test]
fn a_choice_among_tools_is_kept_whatever_the_server_knows() {
    let tool = |name: &str| Declared {
        name: name.into(),
        description: String::new(),
        takes: Takes::Json(None),
        strict: None,
        cache: None,
    };
    let prompt = Prompt {
        turns: vec![turn(Role::User, vec![text("hi")])],
        tools: vec![tool("f"), tool("g")],
        tool_choice: ToolChoice::Among { names: ["g".to_owned()].into(), required: true },
        parallel_calls: Some(false),
        ..Prompt::default()
    };
    let g = json!({"type": "function", "function": {"name": "g"}});
    let (own, _) = written(&prompt, &Server::OPENAI);
    assert_eq!((own["tools"].as_array().map(Vec::len), &own["parallel_tool_calls"]), (Some(2), &json!(false)));
    assert_eq!(
        own["tool_choice"],
        json!({"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [g]}})
    );
    let (other, _) = written(&prompt, &Server::COMPATIBLE);
    assert_eq!((&other["tools"], &other["tool_choice"]), (&json!([g]), &json!("required")));
    let (any, _) = written(&prompt, &Server::MISTRAL);
    assert_eq!((&any["tools"], &any["tool_choice"]), (&json!([g]), &json!("any")));
    let (none, _) = written(&Prompt { tools: vec![], ..prompt }, &Server::OPENAI);
    assert!(none.get("tool_choice").is_none() && none.get("parallel_tool_calls").is_none());
}

#[test]
fn what_cannot_be_said_is_refused_and_hints_are_told() {
    let hi = || Prompt { turns: vec![turn(Role::User, vec![text("hi")])], ..Prompt::default() };
    let saying = |kind: PartKind| Prompt { turns: vec![turn(Role::User, vec![part(kind)])], ..hi() };
    let other = |name: &str| Prompt { others: vec![Other { name: name.into(), json: "1".into() }], ..hi() };
    let free = |name: &str| Declared {
        name: name.into(),
        description: String::new(),
        takes: Takes::Free,
        strict: None,
        cache: None,
    };
    let named = |name: &str| Prompt { tools: vec![Declared { takes: Takes::Json(None), ..free(name) }], ..hi() };
    let hosted =
        |name: &str, json: &str| Prompt { others: vec![Other { name: name.into(), json: json.into() }], ..hi() };
    let call = PartKind::Call { id: "1".into(), name: "g".into(), arguments: "t".into(), free: true, seal: None };
    let called = Prompt { turns: vec![turn(Role::Assistant, vec![part(call)])], ..hi() };
    let stops = Sampling { stop: vec!["x".into(); 5], ..Sampling::default() };
    let told = Sampling { logprobs: Some(0), ..Sampling::default() };
    let picture = |source: Source| saying(PartKind::Image { source, detail: String::new() });
    let document = |source: Source| saying(PartKind::Document { source, name: String::new() });
    let broken = Format::JsonSchema(Demanded { name: String::new(), schema: "{".into(), strict: false });
    for (prompt, server, field) in [
        (Prompt { sampling: stops, ..hi() }, Server::OPENAI, "stop"),
        (picture(Source::File("f".into())), Server::OPENAI, "messages"),
        (document(Source::Url("u".into())), Server::OPENAI, "messages"),
        (saying(PartKind::Other { name: "video".into(), json: "1".into() }), Server::OPENAI, "messages"),
        (Prompt { tools: vec![free("g")], ..hi() }, Server::COMPATIBLE, "tools"),
        (called, Server::COMPATIBLE, "messages"),
        (named(&"f".repeat(65)), Server::OPENAI, "tools"),
        (named("a.b"), Server::OPENAI, "tools"),
        (
            Prompt { tools: vec![free("g")], ..hosted("tools.g.format", r#"{"type":"secret"}"#) },
            Server::OPENAI,
            "tools.g.format",
        ),
        (hosted("tools[1]", r#"{"type":"web_search"}"#), Server::OPENAI, "tools[1]"),
        (Prompt { format: broken, ..hi() }, Server::OPENAI, "response_format"),
        (other("tools[1]"), Server::OPENAI, "tools[1]"),
        (other("tools.g.format"), Server::OPENAI, "tools.g.format"),
        (other("previous_response_id"), Server::OPENAI, "previous_response_id"),
        (other("messages[3].prefix"), Server::OPENAI, "messages[3].prefix"),
        // The last turn is not the assistant's.
        (other("messages[0].prefix"), Server::MISTRAL, "messages[0].prefix"),
        (other("web_search_options"), Server::COMPATIBLE, "web_search_options"),
        (other("logit_bias"), Server::MISTRAL, "logit_bias"),
        (Prompt { sampling: told, ..hi() }, Server::MISTRAL, "logprobs"),
        (document(Source::File("f".into())), Server::MISTRAL, "messages"),
    ] {
        let refused: Result<_, Unsayable> = write_prompt(&prompt, "gpt", &server);
        assert_eq!(refused.map_err(|unsayable| unsayable.field), Err(field.to_owned()), "{prompt:?}");
    }
    for (name, server, said) in [
        ("web_search_options", Server::OPENAI, true),
        ("logit_bias", Server::COMPATIBLE, true),
        ("verbosity", Server::COMPATIBLE, false),
        ("metadata", Server::OPENAI, false),
        ("tomorrow", Server::OPENAI, false),
        ("tools[0].function.examples", Server::OPENAI, false),
    ] {
        let (body, left_out) = written(&other(name), &server);
        assert_eq!((body.get(name).is_some(), left_out.contains(&name.to_owned())), (said, !said), "{name}");
    }
    let search = || vec![Other { name: "tools[0]".into(), json: r#"{"type":"web_search"}"#.into() }];
    let agent = Prompt { others: search(), ..named(&"f".repeat(64)) };
    for server in [Server::OPENAI, Server::COMPATIBLE] {
        assert_eq!(written(&agent, &server).1, ["tools[0]"]);
    }
    let searching = Prompt { others: search(), ..hi() };
    let said = write_prompt(&searching, "gpt-4o-search-preview", &Server::OPENAI).expect("said");
    let said: Value = serde_json::from_slice(&said.body).expect("JSON");
    assert_eq!(said["web_search_options"], json!({}));
    let ruled = r#"{"type":"grammar","syntax":"lark","definition":"start: \"a\""}"#;
    let grammar = Prompt { tools: vec![free("g")], ..hosted("tools.g.format", ruled) };
    let (body, left_out) = written(&grammar, &Server::OPENAI);
    let format = json!({"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: \"a\""}});
    assert_eq!((&body["tools"][0]["custom"]["format"], left_out.len()), (&format, 0));
    let read = super::super::read_prompt(body.to_string().as_bytes()).expect("read");
    let rules: Value = serde_json::from_str(&read.others[0].json).expect("JSON");
    assert_eq!((read.others[0].name.as_str(), &rules), ("tools.g.format", &serde_json::from_str(ruled).expect("JSON")));
    let words = document(Source::Text("words".into()));
    assert_eq!(written(&words, &Server::OPENAI).0["messages"][0]["content"], "words");
}

#[test]
fn mistral_is_told_nothing_that_it_refuses() {
    let mut prompt = Prompt {
        turns: vec![
            Turn { name: "ann".into(), ..turn(Role::User, vec![text("hi")]) },
            turn(Role::Assistant, vec![part(PartKind::Refusal("no".into()))]),
            turn(Role::Assistant, vec![part(call("call_1", "f", "{}"))]),
            turn(Role::User, vec![result("call_1", "f", vec![text("x")])]),
        ],
        user: "ann".into(),
        sampling: Sampling { seed: Some(-1), ..Sampling::default() },
        ..Prompt::default()
    };
    let id = fitting("call_1", Ids::Nine);
    let expected = json!({"model": "gpt", "messages": [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "no"},
        {"role": "assistant", "content": null, "tool_calls": [
            {"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
        {"role": "tool", "content": "x", "name": "f", "tool_call_id": id},
    ]});
    let (body, left_out) = written(&prompt, &Server::MISTRAL);
    assert_eq!((body, left_out), (expected, ["name", "seed", "user"].map(str::to_owned).to_vec()));

    let document = |source: Source, name: &str| part(PartKind::Document { source, name: name.into() });
    let documents =
        vec![document(inline("application/pdf", "AA"), "n"), document(Source::Url("https://x/a.pdf".into()), "")];
    prompt.turns = vec![turn(Role::User, documents)];
    let (body, _) = written(&prompt, &Server::MISTRAL);
    let expected = json!([
        {"type": "document_url", "document_url": "data:application/pdf;base64,AA", "document_name": "n"},
        {"type": "document_url", "document_url": "https://x/a.pdf"},
    ]);
    assert_eq!(body["messages"][0]["content"], expected);
}

#[test]
fn a_beginning_is_marked_where_the_server_goes_on_with_it() {
    let prefix = || vec![Other { name: "messages[1].prefix".into(), json: "true".into() }];
    let begun = Prompt {
        turns: vec![turn(Role::User, vec![text("hi")]), turn(Role::Assistant, vec![text("ho")])],
        others: prefix(),
        ..Prompt::default()
    };
    let (body, left_out) = written(&begun, &Server::MISTRAL);
    assert_eq!(body["messages"][1], json!({"role": "assistant", "content": "ho", "prefix": true}));
    assert!(
        body["messages"][0].get("prefix").is_none() && body.get("messages[1].prefix").is_none() && left_out.is_empty()
    );
    // The mark of another message is not moved to the last one.
    let two = [Role::User, Role::Assistant].map(|role| turn(role, vec![text("hi")]));
    let twice = Prompt { turns: [two.clone(), two].concat(), others: prefix(), ..Prompt::default() };
    let refused = write_prompt(&twice, "gpt", &Server::MISTRAL).map_err(|unsayable| unsayable.field);
    assert_eq!(refused, Err("messages[1].prefix".into()));
    for server in [Server::OPENAI, Server::GROQ, Server::COMPATIBLE] {
        assert_eq!(
            write_prompt(&begun, "gpt", &server).map_err(|unsayable| unsayable.field),
            Err("messages[1].prefix".into())
        );
    }
}
