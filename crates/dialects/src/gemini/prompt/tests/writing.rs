//! What a provider is asked, what cannot be asked, and what is left out.

use super::super::write_prompt;
use super::{NEW, call, declared, hi, part, refusal, result, seal, text, turn, written};
use llm::{
    Declared, Demanded, Dialect, Format, Other, Part, PartKind, Prompt, Role, Sampling, Seal, SealKind, Source, Takes,
    Thinking, Thought, ToolChoice, Turn,
};
use serde_json::{Value, json};

#[test]
fn a_conversation_of_others_is_one_that_google_takes() {
    let free = |arguments: &str| {
        part(PartKind::Call { id: "c".into(), name: "t".into(), arguments: arguments.into(), free: true, seal: None })
    };
    let prompt = Prompt {
        turns: vec![
            turn(Role::System, vec![text("be"), text("")]),
            turn(Role::User, vec![text("q")]),
            turn(Role::Developer, vec![text("brief")]),
            turn(Role::Assistant, vec![text("let me see"), call("a", "f", "", None)]),
            turn(Role::Assistant, vec![call("b", "g", "{ \"x\": 1 }", None), free("ls")]),
            turn(Role::User, vec![text("meanwhile"), result("a", "", r#"{"t": 8}"#, false)]),
            turn(Role::User, vec![result("b", "", "plain", false), result("c", "", "no", true)]),
            turn(Role::Assistant, vec![part(PartKind::Refusal("I will not".into())), text("")]),
            turn(Role::User, vec![]),
        ],
        ..Prompt::default()
    };
    let skip = "skip_thought_signature_validator";
    let (body, left_out) = written(&prompt, NEW);
    assert_eq!(
        body,
        json!({
            "systemInstruction": {"parts": [{"text": "be"}, {"text": "brief"}]},
            "contents": [
                {"role": "user", "parts": [{"text": "q"}]},
                {"role": "model", "parts": [
                    {"text": "let me see"},
                    {"functionCall": {"id": "a", "name": "f", "args": {}}, "thoughtSignature": skip},
                    {"functionCall": {"id": "b", "name": "g", "args": {"x": 1}}},
                    {"functionCall": {"id": "c", "name": "t", "args": {"input": "ls"}}}]},
                {"role": "user", "parts": [{"functionResponse": {"id": "a", "name": "f", "response": {"t": 8}}}]},
                {"role": "user", "parts": [{"text": "meanwhile"}]},
                {"role": "user", "parts": [
                    {"functionResponse": {"id": "b", "name": "g", "response": {"output": "plain"}}},
                    {"functionResponse": {"id": "c", "name": "t", "response": {"error": "no"}}}]},
                {"role": "model", "parts": [{"text": "I will not"}]},
            ],
        })
    );
    assert_eq!(left_out, [""; 0]);
    let older = written(&prompt, "gemini-2.5-flash").0;
    assert_eq!(older["contents"][1]["parts"][1]["thoughtSignature"], Value::Null, "the older know no such word");
}

#[test]
fn parts_are_written() {
    let foreign = Some(Seal { of: Dialect::Anthropic, kind: SealKind::Signature, token: "x".into() });
    let one = |role, kind| {
        let prompt = Prompt { turns: vec![turn(role, vec![part(kind)])], ..Prompt::default() };
        written(&prompt, NEW).0["contents"][0]["parts"][0].clone()
    };
    let inline = |media_type: &str| Source::Inline { media_type: media_type.into(), data: "QQ==".into() };
    let image = |source| PartKind::Image { source, detail: String::new() };
    let result = |parts| PartKind::Result { call: "c".into(), name: "f".into(), parts, failed: false };
    let given = |said: &str| one(Role::User, result(vec![text(said)]))["functionResponse"]["response"].clone();
    for (kind, expected) in [
        (PartKind::Text { text: "a".into(), seal: seal("s") }, json!({"text": "a", "thoughtSignature": "s"})),
        (PartKind::Text { text: String::new(), seal: seal("s") }, json!({"text": "", "thoughtSignature": "s"})),
        (PartKind::Text { text: "a".into(), seal: foreign.clone() }, json!({"text": "a"})),
        (
            PartKind::Thought(Thought { text: "t".into(), seal: seal("s") }),
            json!({"text": "t", "thought": true, "thoughtSignature": "s"}),
        ),
        (PartKind::Thought(Thought { text: "t".into(), seal: foreign }), json!({"text": "t", "thought": true})),
        (image(inline("image/png")), json!({"inlineData": {"mimeType": "image/png", "data": "QQ=="}})),
        (
            image(Source::Url("https://x/y.WEBP?z=1".into())),
            json!({"fileData": {"mimeType": "image/webp", "fileUri": "https://x/y.WEBP?z=1"}}),
        ),
        (
            image(Source::Url("https://x/y".into())),
            json!({"fileData": {"mimeType": "image/jpeg", "fileUri": "https://x/y"}}),
        ),
        (
            PartKind::Document { source: Source::File("gs://b/d".into()), name: String::new() },
            json!({"fileData": {"mimeType": "application/pdf", "fileUri": "gs://b/d"}}),
        ),
        (PartKind::Document { source: Source::Text("plain".into()), name: String::new() }, json!({"text": "plain"})),
        (
            PartKind::Audio { data: "QQ==".into(), format: "wav".into() },
            json!({"inlineData": {"mimeType": "audio/wav", "data": "QQ=="}}),
        ),
        (
            PartKind::Other { name: "executableCode".into(), json: r#"{"executableCode":{"code":"1"}}"#.into() },
            json!({"executableCode": {"code": "1"}}),
        ),
        (
            result(vec![text("seen"), part(image(inline("image/png")))]),
            json!({"functionResponse": {"id": "c", "name": "f", "response": {"output": "seen"},
                "parts": [{"inlineData": {"mimeType": "image/png", "data": "QQ=="}}]}}),
        ),
    ] {
        assert_eq!(one(Role::User, kind.clone()), expected, "{kind:?}");
    }
    for (said, expected) in [
        (r#"{"a": 1}"#, json!({"a": 1})),
        ("[1]", json!({"output": "[1]"})),
        ("", json!({"output": ""})),
        // Google would look up the reference.
        (r##"{"$ref": "#/x"}"##, json!({"output": r##"{"$ref": "#/x"}"##})),
    ] {
        assert_eq!(given(said), expected, "{said}");
    }
}

#[test]
fn settings_are_written() {
    let config = |prompt: &Prompt, model: &str| written(prompt, model).0["generationConfig"].clone();
    let sampling = Sampling {
        max_tokens: Some(9),
        temperature: Some(0.5),
        top_p: Some(1.0),
        top_k: Some(40),
        stop: vec!["\"".into()],
        seed: Some(7),
        choices: Some(2),
        presence_penalty: Some(0.0),
        frequency_penalty: Some(0.5),
        logprobs: None,
    };
    assert_eq!(
        config(&Prompt { sampling, ..hi() }, NEW),
        json!({"maxOutputTokens": 9, "temperature": 0.5, "topP": 1, "topK": 40, "stopSequences": ["\""], "seed": 7,
            "candidateCount": 2, "frequencyPenalty": 0.5})
    );
    assert_eq!(
        config(&Prompt { sampling: Sampling { choices: Some(1), ..Sampling::default() }, ..hi() }, NEW),
        Value::Null
    );
    let schema = Demanded { name: "n".into(), schema: r##"{"$schema":"x","type":"object"}"##.into(), strict: true };
    assert_eq!(
        config(&Prompt { format: Format::JsonSchema(schema), ..hi() }, NEW),
        json!({"responseMimeType": "application/json", "responseJsonSchema": {"type": "object"}})
    );
    assert_eq!(
        config(&Prompt { format: Format::JsonObject, ..hi() }, NEW),
        json!({"responseMimeType": "application/json"})
    );
    let effort = |word: &str| Thinking::Effort(word.into());
    for (model, thinking, expected) in [
        ("gemini-2.5-flash", Thinking::Off, json!({"thinkingBudget": 0})),
        ("gemini-2.5-flash", effort("none"), json!({"thinkingBudget": 0})),
        ("gemini-2.5-flash", Thinking::Adaptive, json!({"thinkingBudget": -1, "includeThoughts": true})),
        ("gemini-2.5-pro", effort("low"), json!({"thinkingBudget": 1024, "includeThoughts": true})),
        ("gemini-2.5-pro", effort("medium"), json!({"thinkingBudget": 8192, "includeThoughts": true})),
        ("gemini-2.5-pro", effort("xhigh"), json!({"thinkingBudget": 24_576, "includeThoughts": true})),
        ("gemini-2.5-pro", Thinking::Budget(u64::MAX), json!({"thinkingBudget": i32::MAX, "includeThoughts": true})),
        (NEW, Thinking::Off, json!({"thinkingLevel": "MINIMAL"})),
        (NEW, effort("minimal"), json!({"thinkingLevel": "MINIMAL", "includeThoughts": true})),
        (NEW, effort("medium"), json!({"thinkingLevel": "MEDIUM", "includeThoughts": true})),
        (NEW, effort("max"), json!({"thinkingLevel": "HIGH", "includeThoughts": true})),
        (NEW, Thinking::Adaptive, json!({"includeThoughts": true})),
        (NEW, Thinking::Budget(512), json!({"thinkingBudget": 512, "includeThoughts": true})),
        ("gemini-3-pro-preview", Thinking::Off, json!({"thinkingLevel": "LOW"})),
        ("gemini-3-pro-preview", effort("medium"), json!({"thinkingLevel": "HIGH", "includeThoughts": true})),
        ("gemini-3.1-pro-preview", effort("medium"), json!({"thinkingLevel": "MEDIUM", "includeThoughts": true})),
    ] {
        let written = config(&Prompt { thinking: Some(thinking.clone()), ..hi() }, model);
        assert_eq!(written["thinkingConfig"], expected, "{model} {thinking:?}");
    }
}

#[test]
fn tools_are_written() {
    let tools = vec![
        Declared {
            description: "d".into(),
            ..declared("f", Some(r#"{"$schema":"x","type":"object","additionalProperties":false}"#))
        },
        declared("g", None),
    ];
    let with = |tool_choice| written(&Prompt { tools: tools.clone(), tool_choice, ..hi() }, NEW).0;
    assert_eq!(
        with(ToolChoice::Auto)["tools"],
        json!([{"functionDeclarations": [
            {"name": "f", "description": "d", "parametersJsonSchema": {"type": "object", "additionalProperties": false}},
            {"name": "g"}]}])
    );
    let names = || ["f".to_owned(), "g".to_owned()].into();
    for (choice, expected) in [
        (ToolChoice::Auto, Value::Null),
        (ToolChoice::None, json!({"mode": "NONE"})),
        (ToolChoice::Required, json!({"mode": "ANY"})),
        (ToolChoice::Named("f".into()), json!({"mode": "ANY", "allowedFunctionNames": ["f"]})),
        (
            ToolChoice::Among { names: names(), required: true },
            json!({"mode": "ANY", "allowedFunctionNames": ["f", "g"]}),
        ),
        (
            ToolChoice::Among { names: names(), required: false },
            json!({"mode": "VALIDATED", "allowedFunctionNames": ["f", "g"]}),
        ),
    ] {
        assert_eq!(with(choice.clone())["toolConfig"]["functionCallingConfig"], expected, "{choice:?}");
    }
    let none = written(&Prompt { tool_choice: ToolChoice::Required, ..hi() }, NEW).0;
    assert_eq!(none["toolConfig"], Value::Null, "without tools there is nothing to choose");
}

#[test]
fn what_cannot_be_said_is_refused() {
    let said = |kind| Prompt { turns: vec![turn(Role::User, vec![part(kind)])], ..Prompt::default() };
    let other = |name: &str| Prompt { others: vec![Other { name: name.into(), json: r#"{"a":1}"#.into() }], ..hi() };
    let image = |source| said(PartKind::Image { source, detail: String::new() });
    let searching = |json: &str| Prompt { others: vec![Other { name: "tools[0]".into(), json: json.into() }], ..hi() };
    let free = Declared { takes: Takes::Free, ..declared("shell", None) };
    let lost = declared("f", Some(r##"{"properties":{"a":{"$ref":"#/nowhere","title":"t"}}}"##));
    let instructed = PartKind::Image { source: Source::Url("https://x/y".into()), detail: String::new() };
    for (prompt, field, why) in [
        (said(PartKind::Other { name: "input_video".into(), json: "{}".into() }), "messages", "input_video"),
        (said(PartKind::Other { name: "executableCode".into(), json: "7".into() }), "messages", "executableCode"),
        (image(Source::File("file-abc".into())), "messages", "another provider"),
        (image(Source::Url("data:image/png;base64,QQ==".into())), "messages", "cannot fetch"),
        (said(result("nobody", "", "x", false).kind), "messages", "nobody"),
        (Prompt { turns: vec![turn(Role::System, vec![text("s")])], ..Prompt::default() }, "messages", "instructions"),
        (
            Prompt { turns: vec![turn(Role::System, vec![part(instructed)])], ..Prompt::default() },
            "messages",
            "more than words",
        ),
        (Prompt { sampling: Sampling { logprobs: Some(0), ..Sampling::default() }, ..hi() }, "logprobs", "form"),
        (
            Prompt { sampling: Sampling { stop: vec!["x".into(); 6], ..Sampling::default() }, ..hi() },
            "stop",
            "more than the 5",
        ),
        (Prompt { tools: vec![free], ..hi() }, "tools", "shell"),
        (Prompt { tools: vec![lost], ..hi() }, "tools", "not in it"),
        (Prompt { tools: vec![declared("7f", None)], ..hi() }, "tools", "7f"),
        (Prompt { tools: vec![declared(&"f".repeat(129), None)], ..hi() }, "tools", "name"),
        (other("logit_bias"), "logit_bias", "words"),
        (other("previous_response_id"), "previous_response_id", "state"),
        (searching(r#"{"type":"file_search"}"#), "tools[0]", "file_search"),
        (Prompt { format: Format::JsonObject, ..searching(r#"{"type":"web_search"}"#) }, "tools[0]", "web_search"),
    ] {
        let model = if prompt.format == Format::Text { NEW } else { "gemini-2.5-flash" };
        let fault = refusal(&prompt, model);
        assert_eq!(fault.field, field, "{fault}");
        assert!(fault.why.contains(why), "{fault}");
    }
    let both = Prompt { format: Format::JsonObject, tools: vec![declared("f", None)], ..hi() };
    assert_eq!(refusal(&both, "gemini-2.5-flash").field, "response_format");
    assert!(write_prompt(&both, NEW).is_ok());
}

#[test]
fn hints_are_left_out_and_told() {
    let image =
        |detail: &str| part(PartKind::Image { source: Source::Url("https://x/y.png".into()), detail: detail.into() });
    let marked = Part { cache: Some("{}".into()), ..text("q") };
    let strict = Declared { strict: Some(true), cache: Some("{}".into()), ..declared("f", None) };
    let other = |name: &str| Prompt { others: vec![Other { name: name.into(), json: "1".into() }], ..hi() };
    let agents = |json: &str| Prompt {
        others: vec![Other { name: "tools[0]".into(), json: json.into() }],
        tools: vec![declared("f", None)],
        ..hi()
    };
    let said = |parts| Prompt { turns: vec![turn(Role::User, parts)], ..Prompt::default() };
    let seed = |seed| Prompt { sampling: Sampling { seed: Some(seed), ..Sampling::default() }, ..hi() };
    let one_call = |tools| Prompt { parallel_calls: Some(false), tools, ..hi() };
    for (prompt, expected) in [
        (hi(), &[][..]),
        (Prompt { user: "u".into(), ..hi() }, &["user"]),
        (Prompt { turns: vec![Turn { name: "n".into(), ..turn(Role::User, vec![text("q")]) }], ..hi() }, &["name"]),
        (said(vec![marked]), &["cache_control"]),
        (said(vec![image("low"), image("high")]), &["detail"]),
        (said(vec![image("auto")]), &[]),
        (seed(1), &[]),
        (seed(i64::MAX), &["seed"]),
        (Prompt { tools: vec![strict], ..hi() }, &["strict", "cache_control"]),
        (one_call(vec![declared("f", None)]), &["parallel_tool_calls"]),
        (one_call(vec![]), &[]),
        (Prompt { parallel_calls: Some(true), tools: vec![declared("f", None)], ..hi() }, &[]),
        (Prompt { thinking: Some(Thinking::Effort("turbo".into())), ..hi() }, &["reasoning_effort"]),
        (other("metadata"), &["metadata"]),
        (agents(r#"{"type":"web_search"}"#), &["tools[0]"]),
        (other("contents.parts.mediaResolution"), &["contents.parts.mediaResolution"]),
    ] {
        assert_eq!(written(&prompt, NEW).1, expected, "{prompt:?}");
    }
}
