//! Prompts: each field read and written, each fault named, each refusal, and both ways in a row.

use super::*;
use llm::{
    CallError, Declared, Demanded, Dialect, Format, Other, Part, PartKind, Prompt, Role, Sampling, Seal, SealKind,
    Source, Takes, Thinking, Thought, ToolChoice, Turn,
};
use proptest::prelude::*;
use serde_json::{Value, json};

fn bare(kind: PartKind) -> Part {
    Part { kind, cache: None }
}

fn text(text: &str) -> Part {
    bare(PartKind::Text { text: text.into(), seal: None })
}

fn turn(role: Role, parts: Vec<Part>) -> Turn {
    Turn { role, name: String::new(), parts }
}

fn thought(words: &str, seal: Option<Seal>) -> Part {
    bare(PartKind::Thought(Thought { text: words.into(), seal }))
}

fn call(id: &str, name: &str, arguments: &str) -> Part {
    bare(PartKind::Call { id: id.into(), name: name.into(), arguments: arguments.into(), free: false, seal: None })
}

fn result(call: &str, name: &str, parts: Vec<Part>) -> Part {
    bare(PartKind::Result { call: call.into(), name: name.into(), parts, failed: false })
}

fn seal(of: Dialect, kind: SealKind, token: &str) -> Seal {
    Seal { of, kind, token: token.into() }
}

fn other(name: &str, json: &str) -> Other {
    Other { name: name.into(), json: json.into() }
}

fn read(fields: &Value) -> Prompt {
    let mut body = json!({"model": "m", "input": "hi"});
    body.as_object_mut().expect("an object").extend(fields.as_object().expect("an object").clone());
    read_prompt(body.to_string().as_bytes()).unwrap_or_else(|error| panic!("{body}: {error:?}"))
}

/// The body without what every one has, and what was left out.
fn write(prompt: &Prompt) -> (Value, Vec<String>) {
    let written = write_prompt(prompt, "gpt").unwrap_or_else(|error| panic!("{error}"));
    let mut body: Value = serde_json::from_slice(&written.body).expect("JSON");
    let fields = body.as_object_mut().expect("an object");
    assert_eq!(fields.remove("model"), Some(json!("gpt")));
    if fields.get("stream") == Some(&json!(false)) {
        fields.remove("stream");
    }
    if fields.get("store") == Some(&json!(false)) {
        fields.remove("store");
    }
    if fields.get("input") == Some(&json!([])) {
        fields.remove("input");
    }
    (body, written.left_out)
}

fn asking(change: impl FnOnce(&mut Prompt)) -> Prompt {
    let mut prompt = Prompt::default();
    change(&mut prompt);
    prompt
}

#[test]
fn input_becomes_turns() {
    let png = Source::Inline { media_type: "image/png".into(), data: "AAA=".into() };
    let signed = seal(Dialect::Anthropic, SealKind::Signature, "sig");
    let own = seal(Dialect::Responses, SealKind::Encrypted, "rs_1|gAA");
    let reasoning = |id: &str, words: &str, content: Option<&str>| json!({"type": "reasoning", "id": id, "summary": [{"type": "summary_text", "text": words}], "encrypted_content": content});
    let search = json!({"id": "ws_1", "type": "web_search_call"});
    let reference = json!({"type": "item_reference", "id": "msg_1"});
    let as_other =
        |name: &str, json: &Value| bare(PartKind::Other { name: name.into(), json: json.to_string().into() });
    for (input, expected) in [
        (json!("hi"), vec![turn(Role::User, vec![text("hi")])]),
        (
            json!([{"role": "developer", "content": "be"}, {"type": "message", "role": "system", "content": [{"type": "input_text", "text": "a"}]},
                {"role": "user", "content": [{"type": "input_text", "text": "b", "prompt_cache_breakpoint": {"mode": "explicit"}}]}]),
            vec![
                turn(Role::Developer, vec![text("be")]),
                turn(Role::System, vec![text("a")]),
                turn(Role::User, vec![Part { cache: Some(r#"{"mode":"explicit"}"#.into()), ..text("b") }]),
            ],
        ),
        (
            json!([{"role": "user", "content": [
                {"type": "input_image", "image_url": "data:image/png;base64,AAA=", "detail": "high"},
                {"type": "input_image", "image_url": "https://x/y.png"}, {"type": "input_image", "file_id": "file-1"},
                {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,BBB="},
                {"type": "input_file", "file_url": "https://x/y.pdf"}, {"type": "input_file", "file_id": "file-2"},
                {"type": "input_audio", "input_audio": {"data": "CCC=", "format": "wav"}}, {"type": "tomorrow"}]}]),
            vec![turn(
                Role::User,
                vec![
                    bare(PartKind::Image { source: png.clone(), detail: "high".into() }),
                    bare(PartKind::Image { source: Source::Url("https://x/y.png".into()), detail: String::new() }),
                    bare(PartKind::Image { source: Source::File("file-1".into()), detail: String::new() }),
                    bare(PartKind::Document {
                        source: Source::Inline { media_type: "application/pdf".into(), data: "BBB=".into() },
                        name: "a.pdf".into(),
                    }),
                    bare(PartKind::Document { source: Source::Url("https://x/y.pdf".into()), name: String::new() }),
                    bare(PartKind::Document { source: Source::File("file-2".into()), name: String::new() }),
                    bare(PartKind::Audio { data: "CCC=".into(), format: "wav".into() }),
                    as_other("tomorrow", &json!({"type": "tomorrow"})),
                ],
            )],
        ),
        // What the model said is one turn, and so are results that follow each other.
        (
            json!([reasoning("rs_1", "hm", Some("gAA")), {"role": "assistant", "content": "I look"},
                {"type": "function_call", "id": "fc_1", "call_id": "a", "namespace": "crm", "name": "find", "arguments": "{}"},
                {"type": "custom_tool_call", "call_id": "b", "name": "sql", "input": "SELECT"},
                {"type": "custom_tool_call_output", "call_id": "b", "output": [{"type": "input_text", "text": "1"},
                    {"type": "input_image", "image_url": "data:image/png;base64,AAA="}]},
                {"type": "function_call_output", "call_id": "a", "output": "none"},
                {"role": "user", "content": "so"}, {"role": "user", "content": "what"}]),
            vec![
                turn(
                    Role::Assistant,
                    vec![
                        thought("hm", Some(own.clone())),
                        text("I look"),
                        call("a", "ns3_crm_find", "{}"),
                        bare(PartKind::Call {
                            id: "b".into(),
                            name: "sql".into(),
                            arguments: "SELECT".into(),
                            free: true,
                            seal: None,
                        }),
                    ],
                ),
                turn(
                    Role::User,
                    vec![
                        result(
                            "b",
                            "sql",
                            vec![text("1"), bare(PartKind::Image { source: png, detail: String::new() })],
                        ),
                        result("a", "ns3_crm_find", vec![text("none")]),
                    ],
                ),
                turn(Role::User, vec![text("so")]),
                turn(Role::User, vec![text("what")]),
            ],
        ),
        // Seals come back to what they belong to.
        (
            json!([reasoning("rs_0", "hm", Some("seal:anthropic:signature:thought:sig")), {"role": "assistant", "content": [
                    {"type": "output_text", "text": "x", "annotations": []}, {"type": "refusal", "refusal": "no"}]},
                reasoning("rs_2", "", Some("seal:anthropic:signature:text:sig")),
                reasoning("rs_3", "", Some("seal:anthropic:signature:call:sig")),
                {"type": "function_call", "call_id": "a", "name": "f", "arguments": ""}, reasoning("rs_4", "bare", None)]),
            vec![turn(
                Role::Assistant,
                vec![
                    thought("hm", Some(signed.clone())),
                    text("x"),
                    bare(PartKind::Refusal("no".into())),
                    bare(PartKind::Text { text: String::new(), seal: Some(signed.clone()) }),
                    bare(PartKind::Call {
                        id: "a".into(),
                        name: "f".into(),
                        arguments: String::new(),
                        free: false,
                        seal: Some(signed.clone()),
                    }),
                    thought("bare", None),
                ],
            )],
        ),
        (
            json!([{"role": "assistant", "content": "x"}, reasoning("rs_2", "", Some("seal:anthropic:signature:text:sig"))]),
            vec![turn(Role::Assistant, vec![bare(PartKind::Text { text: "x".into(), seal: Some(signed) })])],
        ),
        (
            json!([search, {"id": "msg_1"}, reference, {"type": "shell_call_output", "call_id": "s"}]),
            vec![
                turn(
                    Role::Assistant,
                    vec![
                        as_other("web_search_call", &search),
                        as_other("item_reference", &json!({"id": "msg_1"})),
                        as_other("item_reference", &reference),
                    ],
                ),
                turn(
                    Role::User,
                    vec![as_other("shell_call_output", &json!({"type": "shell_call_output", "call_id": "s"}))],
                ),
            ],
        ),
    ] {
        assert_eq!(read(&json!({"input": input})).turns, expected, "{input}");
    }
    let instructed = read_prompt(br#"{"instructions":"be","input":"hi"}"#).expect("read");
    assert_eq!(instructed.turns, [turn(Role::System, vec![text("be")]), turn(Role::User, vec![text("hi")])]);
}

#[test]
fn each_field_is_read() {
    let asked = |fields: &Value| {
        let prompt = read(fields);
        Prompt { turns: Vec::new(), ..prompt }
    };
    let base = || asking(|prompt| prompt.stream_usage = true);
    let with = |change: &dyn Fn(&mut Prompt)| {
        let mut prompt = base();
        change(&mut prompt);
        prompt
    };
    let sampled = |sampling: Sampling| with(&|prompt| prompt.sampling = sampling.clone());
    let left = |others: &[(&str, &str)]| {
        with(&|prompt| prompt.others = others.iter().map(|(name, json)| other(name, json)).collect())
    };
    let function = |name: &str, schema: Option<&str>, strict: Option<bool>| Declared {
        name: name.into(),
        description: String::new(),
        takes: Takes::Json(schema.map(Into::into)),
        strict,
        cache: None,
    };
    let schema =
        || Format::JsonSchema(Demanded { name: "n".into(), schema: r#"{"type":"object"}"#.into(), strict: true });
    for (fields, expected) in [
        (json!({}), base()),
        (json!({"stream": true}), with(&|prompt| prompt.stream = true)),
        (json!({"parallel_tool_calls": false}), with(&|prompt| prompt.parallel_calls = Some(false))),
        (json!({"user": "u"}), with(&|prompt| prompt.user = "u".into())),
        (
            json!({"max_output_tokens": 9, "temperature": 0.5, "top_p": 1, "top_logprobs": 0}),
            sampled(Sampling { max_tokens: Some(9), temperature: Some(0.5), top_p: Some(1.0), ..Sampling::default() }),
        ),
        (json!({"top_logprobs": 3}), sampled(Sampling { logprobs: Some(3), ..Sampling::default() })),
        (json!({"reasoning": {"effort": "none"}}), with(&|prompt| prompt.thinking = Some(Thinking::Off))),
        (
            json!({"reasoning": {"effort": "xhigh", "summary": "auto"}}),
            with(&|prompt| {
                prompt.thinking = Some(Thinking::Effort("xhigh".into()));
                prompt.others = vec![other("reasoning.summary", "\"auto\"")];
            }),
        ),
        (json!({"text": {"format": {"type": "text"}, "verbosity": "medium"}}), base()),
        (json!({"text": {"format": {"type": "json_object"}}}), with(&|prompt| prompt.format = Format::JsonObject)),
        (
            json!({"text": {"verbosity": "low", "format": {"type": "json_schema", "name": "n", "strict": true,
                "description": "d", "schema": {"type": "object"}}}}),
            with(&|prompt| {
                prompt.format = schema();
                // The test's JSON is sorted.
                prompt.others = vec![other("text.format.description", "\"d\""), other("text.verbosity", "\"low\"")];
            }),
        ),
        (
            json!({"tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": true,
                    "defer_loading": false}, {"type": "function", "name": "g", "parameters": null, "description": null}]}),
            with(&|prompt| {
                prompt.tools = vec![function("f", Some(r#"{"type":"object"}"#), Some(true)), function("g", None, None)];
            }),
        ),
        (
            json!({"tools": [{"type": "custom", "name": "patch", "description": "d", "format": {"type": "grammar"}},
                {"type": "custom", "name": "any", "format": {"type": "text"}},
                {"type": "namespace", "name": "crm", "description": "customers", "tools": [{"type": "function", "name": "find"}]},
                {"type": "web_search"}]}),
            with(&|prompt| {
                let free = |name: &str| Declared { takes: Takes::Free, ..function(name, None, None) };
                prompt.tools = vec![
                    Declared { description: "d".into(), ..free("patch") },
                    free("any"),
                    function("ns3_crm_find", None, None),
                ];
                prompt.others = vec![
                    other("tools.patch.format", r#"{"type":"grammar"}"#),
                    other("tools.crm.description", "\"customers\""),
                    other("tools[3]", r#"{"type":"web_search"}"#),
                ];
            }),
        ),
        (json!({"tool_choice": "none"}), with(&|prompt| prompt.tool_choice = ToolChoice::None)),
        (json!({"tool_choice": "required"}), with(&|prompt| prompt.tool_choice = ToolChoice::Required)),
        (json!({"tool_choice": "auto"}), base()),
        (
            json!({"tool_choice": {"type": "custom", "name": "f"}}),
            with(&|prompt| prompt.tool_choice = ToolChoice::Named("f".into())),
        ),
        (
            json!({"tool_choice": {"type": "allowed_tools", "mode": "required", "tools": [
                {"type": "function", "name": "f"}, {"type": "image_generation"}]}}),
            with(&|prompt| {
                prompt.tool_choice = ToolChoice::Among { names: ["f".to_owned()].into(), required: true };
            }),
        ),
        (json!({"tool_choice": {"type": "mcp"}}), left(&[("tool_choice", r#"{"type":"mcp"}"#)])),
        (
            json!({"background": false, "truncation": "disabled", "service_tier": "auto", "metadata": {}, "store": null}),
            base(),
        ),
        (
            json!({"background": true, "client_metadata": {"a": "b"}, "include": ["reasoning.encrypted_content"],
                "prompt_cache_key": "k", "store": false, "tomorrow": 1}),
            left(&[
                ("background", "true"),
                ("client_metadata", r#"{"a":"b"}"#),
                ("include", r#"["reasoning.encrypted_content"]"#),
                ("prompt_cache_key", "\"k\""),
                ("store", "false"),
                ("tomorrow", "1"),
            ]),
        ),
    ] {
        assert_eq!(asked(&fields), expected, "{fields}");
    }
}

#[test]
fn faults_are_named() {
    for (fields, message, param) in [
        (json!({"input": 7}), "expected a string or an array of objects, but got a number", "input"),
        (json!({"input": [7]}), "expected an object, but got a number", "input[0]"),
        (json!({"input": [{}]}), "Missing required parameter: 'input[0].type'", "input[0].type"),
        (json!({"input": [{"role": "robot", "content": ""}]}), "Invalid value: 'robot'", "input[0].role"),
        (json!({"input": [{"role": "user"}]}), "Missing required parameter", "input[0].content"),
        (json!({"input": [{"role": "user", "content": {}}]}), "but got an object", "input[0].content"),
        (
            json!({"input": [{"role": "user", "content": [{"type": "input_text"}]}]}),
            "Missing",
            "input[0].content[0].text",
        ),
        (
            json!({"input": [{"role": "user", "content": [{"type": "input_image"}]}]}),
            "Missing",
            "input[0].content[0].image_url",
        ),
        (json!({"input": [{"type": "function_call", "name": "f"}]}), "Missing", "input[0].call_id"),
        (json!({"input": [{"type": "function_call_output", "call_id": "c"}]}), "Missing", "input[0].output"),
        (json!({"instructions": []}), "expected a string, but got an array", "instructions"),
        (json!({"tools": {}}), "expected an array of objects", "tools"),
        (json!({"tools": [{"name": "f"}]}), "Missing", "tools[0].type"),
        (json!({"tools": [{"type": "function", "function": {"name": "f"}}]}), "Missing", "tools[0].name"),
        (json!({"tools": [{"type": "namespace", "name": "n"}]}), "Missing", "tools[0].tools"),
        (
            json!({"tools": [{"type": "namespace", "name": "n", "tools": [{"type": "web_search"}]}]}),
            "'function' and 'custom'",
            "tools[0].tools[0].type",
        ),
        (json!({"tool_choice": "any"}), "Invalid value: 'any'", "tool_choice"),
        (json!({"tool_choice": {"type": "function"}}), "Missing", "tool_choice.name"),
        (json!({"text": {"format": {"type": "xml"}}}), "Invalid value: 'xml'", "text.format.type"),
        (json!({"text": {"format": {"type": "json_schema"}}}), "Missing", "text.format.schema"),
        (json!({"temperature": "hot"}), "expected a number, but got a string", "temperature"),
        (json!({"max_output_tokens": -1}), "expected an integer", "max_output_tokens"),
        (json!({"stream": 1}), "expected a boolean", "stream"),
    ] {
        let mut body = json!({"model": "m", "input": "hi"});
        body.as_object_mut().expect("an object").extend(fields.as_object().expect("an object").clone());
        let Err(CallError::InvalidRequest { message: said, param: at }) = read_prompt(body.to_string().as_bytes())
        else {
            panic!("{fields} was taken");
        };
        assert!(said.contains(message), "{fields}: {said}");
        assert_eq!(at.as_deref(), Some(param), "{fields}");
    }
    for body in ["", "[]", "\u{1}"] {
        assert!(read_prompt(body.as_bytes()).is_err(), "{body}");
    }
}

#[test]
fn turns_become_input() {
    let own = seal(Dialect::Responses, SealKind::Encrypted, "rs_1|gAA");
    let foreign = seal(Dialect::Anthropic, SealKind::Signature, "s");
    let image = |source: Source| bare(PartKind::Image { source, detail: String::new() });
    let document = |source: Source, name: &str| bare(PartKind::Document { source, name: name.into() });
    let inline = |media_type: &str| Source::Inline { media_type: media_type.into(), data: "AA==".into() };
    let message = |role: &str, content: Value| json!({"type": "message", "role": role, "content": content});
    for (turns, input, left_out) in [
        (
            vec![turn(Role::System, vec![text("be")]), turn(Role::Developer, vec![text("a"), text("b")])],
            json!([
                message("system", json!("be")),
                message(
                    "developer",
                    json!([{"type": "input_text", "text": "a"},
                {"type": "input_text", "text": "b"}])
                )
            ]),
            vec![],
        ),
        (
            vec![turn(
                Role::User,
                vec![
                    image(inline("image/png")),
                    image(Source::Url("https://x".into())),
                    image(Source::File("file-1".into())),
                    document(inline("application/pdf"), ""),
                    document(Source::Text("h\u{e9}".into()), "notes.txt"),
                    document(Source::Url("https://y".into()), "lost"),
                    document(Source::File("file-2".into()), ""),
                ],
            )],
            json!([message(
                "user",
                json!([
                {"type": "input_image", "image_url": "data:image/png;base64,AA==", "detail": "auto"},
                {"type": "input_image", "image_url": "https://x", "detail": "auto"},
                {"type": "input_image", "file_id": "file-1", "detail": "auto"},
                {"type": "input_file", "filename": "document.pdf", "file_data": "data:application/pdf;base64,AA=="},
                {"type": "input_file", "filename": "notes.txt", "file_data": "data:text/plain;base64,aMOp"},
                {"type": "input_file", "file_url": "https://y"}, {"type": "input_file", "file_id": "file-2"}])
            )]),
            vec![],
        ),
        (
            vec![
                turn(
                    Role::Assistant,
                    vec![
                        thought("hm", Some(own)),
                        thought("", Some(foreign.clone())),
                        thought("bare", None),
                        text("x"),
                        bare(PartKind::Refusal("no".into())),
                        call("a", "ns3_crm_find", ""),
                        bare(PartKind::Call {
                            id: "b".into(),
                            name: "sql".into(),
                            arguments: "SELECT".into(),
                            free: true,
                            seal: Some(foreign),
                        }),
                    ],
                ),
                turn(
                    Role::User,
                    vec![
                        result("a", "", vec![]),
                        bare(PartKind::Result {
                            call: "b".into(),
                            name: String::new(),
                            parts: vec![text("1"), text("2")],
                            failed: true,
                        }),
                        text("so"),
                    ],
                ),
            ],
            json!([{"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "gAA"},
                message("assistant", json!([{"type": "output_text", "text": "x", "annotations": []}, {"type": "refusal", "refusal": "no"}])),
                {"type": "function_call", "call_id": "a", "namespace": "crm", "name": "find", "arguments": "{}"},
                {"type": "custom_tool_call", "call_id": "b", "name": "sql", "input": "SELECT"},
                {"type": "function_call_output", "call_id": "a", "output": ""},
                {"type": "custom_tool_call_output", "call_id": "b", "output": [{"type": "input_text", "text": "1"}, {"type": "input_text", "text": "2"}]},
                message("user", json!("so"))]),
            vec!["is_error", "reasoning", "signature"],
        ),
        (
            vec![
                Turn {
                    name: "Ann".into(),
                    ..turn(
                        Role::User,
                        vec![
                            Part { cache: Some(r#"{"type":"ephemeral"}"#.into()), ..text("a") },
                            Part { cache: Some(r#"{"mode":"explicit"}"#.into()), ..text("b") },
                        ],
                    )
                },
                turn(
                    Role::Assistant,
                    vec![bare(PartKind::Other {
                        name: "web_search_call".into(),
                        json: r#"{"type":"web_search_call"}"#.into(),
                    })],
                ),
            ],
            json!([message("user", json!([{"type": "input_text", "text": "a"},
                {"type": "input_text", "text": "b", "prompt_cache_breakpoint": {"mode": "explicit"}}])), {"type": "web_search_call"}]),
            vec!["cache_control", "name"],
        ),
    ] {
        let (body, left) = write(&asking(|prompt| prompt.turns = turns));
        assert_eq!(body["input"], input);
        assert_eq!(left, left_out, "{input}");
    }
}

#[test]
fn each_field_is_written() {
    let declared = |name: &str, takes: Takes| Declared {
        name: name.into(),
        description: "d".into(),
        takes,
        strict: None,
        cache: None,
    };
    let with_others = |others: &[(&str, &str)]| {
        asking(|prompt| prompt.others = others.iter().map(|(name, json)| other(name, json)).collect())
    };
    let thinking = |thinking: Thinking| asking(|prompt| prompt.thinking = Some(thinking));
    let tools = vec![
        declared("f", Takes::Json(Some(r#"{"type": "object"}"#.into()))),
        declared("sql", Takes::Free),
        declared("ns3_crm_find", Takes::Json(None)),
    ];
    let said_tools = json!([
        {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}, "strict": false},
        {"type": "custom", "name": "sql", "description": "d", "format": {"type": "grammar"}},
        {"type": "namespace", "name": "crm", "description": "customers", "tools": [
            {"type": "function", "name": "find", "description": "d", "parameters": null, "strict": false}]},
        {"type": "web_search"},
    ]);
    let encrypted = json!(["reasoning.encrypted_content"]);
    for (prompt, expected, left_out) in [
        (asking(|prompt| prompt.stream = true), json!({"stream": true}), &[][..]),
        (asking(|prompt| prompt.parallel_calls = Some(true)), json!({"parallel_tool_calls": true}), &[]),
        (asking(|prompt| prompt.user = "u".into()), json!({"user": "u"}), &[]),
        (
            asking(|prompt| {
                prompt.sampling = Sampling {
                    max_tokens: Some(9),
                    temperature: Some(0.5),
                    top_p: Some(0.25),
                    top_k: Some(4),
                    seed: Some(7),
                    choices: Some(1),
                    presence_penalty: Some(0.0),
                    frequency_penalty: Some(1.0),
                    ..Sampling::default()
                };
            }),
            json!({"max_output_tokens": 9, "temperature": 0.5, "top_p": 0.25}),
            &["frequency_penalty", "seed", "top_k"],
        ),
        (thinking(Thinking::Adaptive), json!({}), &[]),
        (thinking(Thinking::Off), json!({"reasoning": {"effort": "none"}}), &[]),
        (thinking(Thinking::Effort("max".into())), json!({"reasoning": {"effort": "max"}, "include": encrypted}), &[]),
        (
            thinking(Thinking::Budget(1024)),
            json!({"reasoning": {"effort": "low"}, "include": encrypted}),
            &["budget_tokens"],
        ),
        (
            thinking(Thinking::Budget(4096)),
            json!({"reasoning": {"effort": "medium"}, "include": encrypted}),
            &["budget_tokens"],
        ),
        (
            thinking(Thinking::Budget(64_000)),
            json!({"reasoning": {"effort": "high"}, "include": encrypted}),
            &["budget_tokens"],
        ),
        (
            asking(|prompt| prompt.format = Format::JsonObject),
            json!({"text": {"format": {"type": "json_object"}}}),
            &[],
        ),
        (
            asking(|prompt| {
                prompt.format =
                    Format::JsonSchema(Demanded { name: String::new(), schema: r#"{"a":1}"#.into(), strict: true });
                prompt.others = vec![other("verbosity", "\"low\""), other("text.format.description", "\"d\"")];
            }),
            json!({"text": {"verbosity": "low", "format": {"type": "json_schema", "name": "answer", "description": "d",
                "schema": {"a": 1}, "strict": true}}}),
            &[],
        ),
        (
            asking(|prompt| {
                prompt.tools = tools.clone();
                prompt.tool_choice =
                    ToolChoice::Among { names: ["sql".to_owned(), "ns3_crm_find".into()].into(), required: false };
                prompt.others = vec![
                    other("tools[0]", r#"{"type":"web_search"}"#),
                    other("tools.sql.format", r#"{"type":"grammar"}"#),
                    other("tools.crm.description", "\"customers\""),
                    other("tools.f.defer_loading", "true"),
                ];
            }),
            json!({"tools": said_tools, "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [
                {"type": "function", "namespace": "crm", "name": "find"}, {"type": "custom", "name": "sql"}]}}),
            &["tools.f.defer_loading"],
        ),
        (asking(|prompt| prompt.tool_choice = ToolChoice::None), json!({"tool_choice": "none"}), &[]),
        (asking(|prompt| prompt.tool_choice = ToolChoice::Required), json!({"tool_choice": "required"}), &[]),
        (
            asking(|prompt| prompt.tool_choice = ToolChoice::Named("f".into())),
            json!({"tool_choice": {"type": "function", "name": "f"}}),
            &[],
        ),
        (with_others(&[("tool_choice", r#"{"type":"mcp"}"#)]), json!({"tool_choice": {"type": "mcp"}}), &[]),
        // Fields of this dialect, in whichever they come.
        (
            with_others(&[
                ("store", "true"),
                ("metadata", r#"{"a":"b"}"#),
                ("service_tier", "\"flex\""),
                ("prompt_cache_key", "\"k\""),
                ("include", r#"["file_search_call.results"]"#),
                ("reasoning.summary", "\"auto\""),
                ("previous_response_id", "\"resp_1\""),
            ]),
            json!({"store": true, "metadata": {"a": "b"}, "service_tier": "flex", "prompt_cache_key": "k",
                "include": ["file_search_call.results"], "reasoning": {"summary": "auto"}, "previous_response_id": "resp_1"}),
            &[],
        ),
        // Fields of others that have the same name, and hints.
        (
            with_others(&[
                ("metadata", r#"{"user_id":7}"#),
                ("service_tier", "\"standard_only\""),
                ("context_management", r#"{"edits":[]}"#),
                ("prediction", r#"{"type":"content"}"#),
                ("logit_bias", "{}"),
                ("modalities", r#"["text"]"#),
            ]),
            json!({}),
            &["context_management", "metadata", "prediction", "service_tier"],
        ),
    ] {
        let (body, left) = write(&prompt);
        assert_eq!((&body, &left[..]), (&expected, &left_out.iter().map(ToString::to_string).collect::<Vec<_>>()[..]));
    }
    let plain: Value =
        serde_json::from_slice(&write_prompt(&Prompt::default(), "m").expect("said").body).expect("JSON");
    assert_eq!(plain, json!({"model": "m", "input": [], "stream": false, "store": false}));
}

#[test]
fn what_cannot_be_said_is_refused() {
    let sampled = |sampling: Sampling| asking(|prompt| prompt.sampling = sampling);
    let with_other = |name: &str, json: &str| asking(|prompt| prompt.others = vec![other(name, json)]);
    let holding = |role: Role, kind: PartKind| asking(|prompt| prompt.turns = vec![turn(role, vec![bare(kind)])]);
    let image = || PartKind::Image { source: Source::Url("https://x".into()), detail: String::new() };
    for (prompt, field) in [
        (sampled(Sampling { choices: Some(2), ..Sampling::default() }), "n"),
        (sampled(Sampling { logprobs: Some(0), ..Sampling::default() }), "logprobs"),
        (sampled(Sampling { stop: vec!["x".into()], ..Sampling::default() }), "stop"),
        (with_other("logit_bias", r#"{"1":5}"#), "logit_bias"),
        (with_other("modalities", r#"["text","audio"]"#), "modalities"),
        (with_other("web_search_options", r#"{"a":1}"#), "web_search_options"),
        (with_other("mcp_servers", r#"[{"a":1}]"#), "mcp_servers"),
        (holding(Role::User, PartKind::Audio { data: "AA==".into(), format: "wav".into() }), "input_audio"),
        (holding(Role::Assistant, image()), "content"),
        (holding(Role::User, PartKind::Other { name: "search_result".into(), json: "{}".into() }), "search_result"),
        (holding(Role::User, PartKind::Image { source: Source::Text("x".into()), detail: String::new() }), "image"),
    ] {
        assert_eq!(write_prompt(&prompt, "m").expect_err("refused").field, field, "{prompt:?}");
    }
}

#[test]
fn what_needs_this_dialect_is_told_from_what_may_be_left_out() {
    for (fields, field) in [
        (json!({"previous_response_id": "resp_1"}), Some("previous_response_id")),
        (json!({"conversation": "conv_1"}), Some("conversation")),
        (json!({"background": true}), Some("background")),
        (json!({"prompt": {"id": "p"}}), Some("prompt")),
        (json!({"moderation": {"model": "m"}}), Some("moderation")),
        (json!({"tool_choice": {"type": "web_search_preview"}}), Some("tool_choice")),
        (
            json!({"tool_choice": {"type": "allowed_tools", "mode": "required", "tools": [{"type": "mcp"}]}}),
            Some("tool_choice"),
        ),
        (
            json!({"background": false, "store": false, "include": [], "tools": [{"type": "web_search"},
            {"type": "tool_search"}, {"type": "custom", "name": "p", "format": {"type": "grammar"}},
            {"type": "namespace", "name": "n", "description": "d", "tools": []}]}),
            None,
        ),
    ] {
        assert_eq!(carry(&mut read(&fields), b"{}").err().map(|one| one.field).as_deref(), field, "{fields}");
    }
}

#[test]
fn references_to_thoughts_are_left_behind_and_all_others_named() {
    let asked = |input: Value| {
        let body = json!({"model": "m", "input": input}).to_string();
        let mut prompt = read_prompt(body.as_bytes()).expect("sound");
        let carried = carry(&mut prompt, body.as_bytes());
        carried.map(|left_out| (prompt.turns.len(), left_out)).map_err(|unsayable| unsayable.to_string())
    };
    let (user, bare) = (json!({"role": "user", "content": "hi"}), json!({"id": "rs_2"}));
    let reference = |id: &str| json!({"type": "item_reference", "id": id});
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(asked(json!([user, user])), Ok((2, vec![])));
    assert_eq!(asked(json!([user, reference("rs_1"), user])), Ok((2, names(&["input[1]"]))));
    assert_eq!(asked(json!([user, reference("rs_1"), bare, user])), Ok((2, names(&["input[1]", "input[2]"]))));
    for id in ["msg_1", "fc_1", ""] {
        let refused = asked(json!([user, reference("rs_1"), user, reference(id)])).expect_err("refused");
        assert!(refused.starts_with("`input[3]`") && refused.contains("`store` is false"), "{refused}");
    }
}

/// Parts of a message that this dialect has a word for.
fn said() -> impl Strategy<Value = Part> {
    let cache = proptest::option::of(Just(std::sync::Arc::<str>::from(r#"{"mode":"explicit"}"#)));
    let source = prop_oneof![
        "[a-zA-Z0-9]{1,8}".prop_map(|data| Source::Inline { media_type: "image/png".into(), data: data.into() }),
        "https://[a-z]{1,5}".prop_map(Source::Url),
        "file-[a-z]{1,5}".prop_map(Source::File),
    ];
    let detail = prop_oneof![Just("auto"), Just("high")];
    let kind = prop_oneof![
        3 => "\\PC{0,12}".prop_map(|text| PartKind::Text { text, seal: None }),
        1 => (source, detail).prop_map(|(source, detail)| PartKind::Image { source, detail: detail.into() }),
        1 => "[a-z]{1,5}".prop_map(|name| PartKind::Document {
            source: Source::Inline { media_type: "application/pdf".into(), data: "AA==".into() },
            name,
        }),
    ];
    (kind, cache).prop_map(|(kind, cache)| Part { kind, cache })
}

fn answered() -> impl Strategy<Value = Vec<Turn>> {
    let words = prop_oneof![
        "\\PC{1,12}".prop_map(|text| PartKind::Text { text, seal: None }),
        "\\PC{1,12}".prop_map(PartKind::Refusal),
        ("\\PC{0,12}", "rs_[a-z]{0,3}\\|[a-z]{1,5}").prop_map(|(text, token)| {
            PartKind::Thought(Thought { text, seal: Some(seal(Dialect::Responses, SealKind::Encrypted, &token)) })
        }),
    ];
    let called = (any::<bool>(), "[a-z_]{1,6}", "\\PC{1,8}");
    let parts = proptest::collection::vec(words, 1..4);
    (parts, proptest::collection::vec((called, proptest::collection::vec(said(), 1..3)), 0..3)).prop_map(
        |(words, calls)| {
            let (mut answer, mut results): (Vec<Part>, Vec<Part>) = (words.into_iter().map(bare).collect(), Vec::new());
            for (at, ((free, name, arguments), parts)) in calls.into_iter().enumerate() {
                let id = format!("call_{at}");
                results.push(result(&id, &name, parts));
                answer.push(bare(PartKind::Call { id, name, arguments, free, seal: None }));
            }
            let results = (!results.is_empty()).then(|| turn(Role::User, results));
            [turn(Role::Assistant, answer)].into_iter().chain(results).collect()
        },
    )
}

fn prompts() -> impl Strategy<Value = Prompt> {
    let role = prop_oneof![Just(Role::User), Just(Role::System), Just(Role::Developer)];
    let asked = (role, proptest::collection::vec(said(), 1..3)).prop_map(|(role, parts)| vec![turn(role, parts)]);
    let turns = proptest::collection::vec((asked, answered()), 0..3)
        .prop_map(|pairs| pairs.into_iter().flat_map(|(asked, answered)| [asked, answered].concat()).collect());
    let sampling =
        (proptest::option::of(any::<u32>()), proptest::option::of(0u8..8)).prop_map(|(max, temperature)| Sampling {
            max_tokens: max.map(Into::into),
            temperature: temperature.map(|quarters| f64::from(quarters) / 4.0),
            ..Sampling::default()
        });
    let choice = prop_oneof![
        Just(ToolChoice::Auto),
        Just(ToolChoice::None),
        Just(ToolChoice::Required),
        Just(ToolChoice::Named("a".into())),
        Just(ToolChoice::Among { names: ["a".to_owned(), "ns1_n_b".into()].into(), required: true }),
    ];
    let format = prop_oneof![
        Just(Format::Text),
        Just(Format::JsonObject),
        Just(Format::JsonSchema(Demanded { name: "n".into(), schema: r#"{"type": "object"}"#.into(), strict: false })),
    ];
    let thinking = proptest::option::of(prop_oneof![Just(Thinking::Off), Just(Thinking::Effort("low".into()))]);
    let flags = (proptest::option::of(any::<bool>()), any::<bool>(), any::<bool>());
    (turns, sampling, choice, format, thinking, flags).prop_map(
        |(turns, sampling, tool_choice, format, thinking, (parallel_calls, stream, store))| {
            let tool = |name: &str, takes: Takes, strict: Option<bool>| Declared {
                name: name.into(),
                description: String::new(),
                takes,
                strict,
                cache: None,
            };
            let mut others = vec![other("store", &store.to_string()), other("text.verbosity", "\"low\"")];
            if let Some(Thinking::Effort(_)) = thinking {
                others.push(other("include", r#"["reasoning.encrypted_content"]"#));
            }
            Prompt {
                turns,
                tools: vec![
                    tool("a", Takes::Json(Some(r#"{"type": "object"}"#.into())), Some(true)),
                    tool("c", Takes::Free, None),
                    tool("ns1_n_b", Takes::Json(None), Some(false)),
                ],
                tool_choice,
                parallel_calls,
                format,
                sampling,
                thinking,
                stream,
                stream_usage: true,
                user: "u".into(),
                others,
            }
        },
    )
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(mut prompt in prompts()) {
        let written = write_prompt(&prompt, "m").expect("said");
        prop_assert_eq!(&written.left_out, &[] as &[String]);
        let mut read = read_prompt(&written.body).expect("read");
        // A namespace has to be described, be it by nothing.
        read.others.retain(|one| one.name != "tools.n.description");
        for others in [&mut read.others, &mut prompt.others] {
            others.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        }
        prop_assert_eq!(read, prompt);
    }

    #[test]
    fn no_body_makes_it_panic(body in "\\PC{0,120}") {
        let _ = read_prompt(body.as_bytes());
    }
}
