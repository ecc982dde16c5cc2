//! What a client's request says.

use super::super::{read_prompt, terms};
use super::{call, declared, part, read, result, seal, text, turn, turns};
use llm::{
    CallError, Declared, Demanded, Format, PartKind, Role, Sampling, Source, Takes, Terms, Thinking, Thought, Tool,
    ToolChoice,
};
use serde_json::{Value, json};

#[test]
fn parts_are_read_in_both_spellings() {
    let one = |written: Value| turns(&json!([{"role": "model", "parts": [written]}])).remove(0).parts;
    let inline = |media_type: &str, data: &str| Source::Inline { media_type: media_type.into(), data: data.into() };
    let picture = |source| PartKind::Image { source, detail: String::new() };
    for (written, expected) in [
        (json!({"text": "a"}), PartKind::Text { text: "a".into(), seal: None }),
        (json!({"text": "", "thoughtSignature": "s"}), PartKind::Text { text: String::new(), seal: seal("s") }),
        (json!({"thought_signature": "s"}), PartKind::Text { text: String::new(), seal: seal("s") }),
        (
            json!({"text": "t", "thought": true, "thoughtSignature": "s"}),
            PartKind::Thought(Thought { text: "t".into(), seal: seal("s") }),
        ),
        (json!({"inlineData": {"mimeType": "image/png", "data": "QQ=="}}), picture(inline("image/png", "QQ=="))),
        (json!({"inline_data": {"mime_type": "image/png", "data": "QQ=="}}), picture(inline("image/png", "QQ=="))),
        (
            json!({"inlineData": {"mimeType": "audio/mpeg", "data": "QQ=="}}),
            PartKind::Audio { data: "QQ==".into(), format: "mp3".into() },
        ),
        (
            json!({"inlineData": {"mimeType": "application/pdf", "data": "QQ==", "displayName": "d"}}),
            PartKind::Document { source: inline("application/pdf", "QQ=="), name: "d".into() },
        ),
        (
            json!({"fileData": {"mimeType": "image/png", "fileUri": "https://x/y.png"}}),
            picture(Source::Url("https://x/y.png".into())),
        ),
        (
            json!({"file_data": {"mime_type": "image/png", "file_uri": "gs://b/y"}}),
            picture(Source::File("gs://b/y".into())),
        ),
        (
            json!({"functionCall": {"id": "i", "name": "f", "args": {"a": 1}}, "thoughtSignature": "s"}),
            call("i", "f", r#"{"a":1}"#, seal("s")).kind,
        ),
        (json!({"functionCall": {"name": "f"}}), call("call_0", "f", "{}", None).kind),
        (
            json!({"functionCall": {"name": "f"}, "thoughtSignature": "skip_thought_signature_validator"}),
            call("call_0", "f", "{}", None).kind,
        ),
        (
            json!({"executableCode": {"code": "1"}}),
            PartKind::Other { name: "executableCode".into(), json: r#"{"executableCode":{"code":"1"}}"#.into() },
        ),
        (
            json!({"fileData": {"mimeType": "video/mp4", "fileUri": "gs://b/v"}, "videoMetadata": {"fps": 1}}),
            PartKind::Other {
                name: "fileData".into(),
                json: r#"{"fileData":{"fileUri":"gs://b/v","mimeType":"video/mp4"},"videoMetadata":{"fps":1}}"#.into(),
            },
        ),
    ] {
        assert_eq!(one(written.clone()), [part(expected)], "{written}");
    }
    assert_eq!(one(json!({})), []);
    let alone = read(&json!({"contents": {"parts": {"text": "a"}}, "system_instruction": {"parts": {"text": "s"}}}));
    assert_eq!(alone.turns, [turn(Role::System, vec![text("s")]), turn(Role::User, vec![text("a")])]);
}

#[test]
fn results_find_their_calls() {
    let contents = json!([
        {"role": "user", "parts": [{"text": "q"}]},
        {"role": "model", "parts": [
            {"functionCall": {"name": "f"}}, {"functionCall": {"name": "f"}}, {"functionCall": {"id": "own", "name": "g"}}]},
        {"role": "user", "parts": [
            {"functionResponse": {"id": "own", "name": "g", "response": {"x": 1}}},
            {"functionResponse": {"name": "f", "response": {"output": "first"}}},
            {"functionResponse": {"name": "f", "response": {"error": "second"}}},
            {"functionResponse": {"name": "h", "response": {"output": [1], "more": 2}}}]},
        {"role": "model", "parts": [{"functionCall": {"name": "f"}}]}]);
    let turns = turns(&contents);
    assert_eq!(turns[1].parts[..2], [call("call_0", "f", "{}", None), call("call_1", "f", "{}", None)]);
    assert_eq!(
        turns[2].parts,
        [
            result("own", "g", r#"{"x":1}"#, false),
            result("call_0", "f", "first", false),
            result("call_1", "f", "second", true),
            result("call_3", "h", r#"{"more":2,"output":[1]}"#, false),
        ]
    );
    assert_eq!(turns[3].parts, [call("call_3", "f", "{}", None)]);
}

#[test]
fn settings_are_read() {
    let of = |config: Value| read(&json!({"contents": [{"parts": [{"text": "q"}]}], "generationConfig": config}));
    let sampling = of(json!({"maxOutputTokens": 9, "temperature": 0.5, "top_p": 0.25, "topK": 40.0, "stopSequences": ["x"],
        "candidateCount": 2, "seed": 7, "presencePenalty": 1, "frequencyPenalty": 0.5, "responseLogprobs": true, "logprobs": 3}))
    .sampling;
    let expected = Sampling {
        max_tokens: Some(9),
        temperature: Some(0.5),
        top_p: Some(0.25),
        top_k: Some(40),
        stop: vec!["x".into()],
        seed: Some(7),
        choices: Some(2),
        presence_penalty: Some(1.0),
        frequency_penalty: Some(0.5),
        logprobs: Some(3),
    };
    assert_eq!(sampling, expected);
    let schema =
        |schema: &str| Format::JsonSchema(Demanded { name: String::new(), schema: schema.into(), strict: true });
    for (config, expected) in [
        (json!({}), Format::Text),
        (json!({"responseMimeType": "text/plain"}), Format::Text),
        (json!({"responseMimeType": "application/json"}), Format::JsonObject),
        (
            json!({"responseMimeType": "application/json", "responseSchema": {"type": "STRING"}}),
            schema(r#"{"type":"string"}"#),
        ),
        (
            json!({"response_mime_type": "application/json", "response_json_schema": {"type": "string"}}),
            schema(r#"{"type":"string"}"#),
        ),
        (json!({"responseMimeType": "text/x.enum", "responseSchema": {"enum": ["A"]}}), Format::Text),
    ] {
        assert_eq!(of(config.clone()).format, expected, "{config}");
    }
    for (config, expected) in [
        (json!({"thinkingLevel": "HIGH"}), Some(Thinking::Effort("high".into()))),
        (json!({"thinkingBudget": 0}), Some(Thinking::Off)),
        (json!({"thinkingBudget": -1}), Some(Thinking::Adaptive)),
        (json!({"thinkingBudget": 512, "includeThoughts": true}), Some(Thinking::Budget(512))),
        (json!({"include_thoughts": true}), Some(Thinking::Adaptive)),
        (json!({"includeThoughts": false}), None),
        (json!({}), None),
    ] {
        assert_eq!(of(json!({"thinkingConfig": config})).thinking, expected, "{config}");
    }
}

#[test]
fn tools_are_read() {
    let prompt = read(&json!({
        "contents": [{"parts": [{"text": "q"}]}],
        "tools": [
            {"functionDeclarations": [
                {"name": "f", "description": "d", "parameters": {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}}},
                {"name": "g", "parametersJsonSchema": {"type": "object"}, "behavior": "BLOCKING"}, {"name": "h"}]},
            {"googleSearch": {}}],
    }));
    let f = Declared {
        description: "d".into(),
        ..declared("f", Some(r#"{"properties":{"a":{"type":"string"}},"type":"object"}"#))
    };
    assert_eq!(prompt.tools, [f, declared("g", Some(r#"{"type":"object"}"#)), declared("h", None)]);
    let names: Vec<&str> = prompt.others.iter().map(|other| other.name.as_str()).collect();
    assert_eq!(names, ["tools.functionDeclarations.behavior", "tools[1]"]);
    let among = |names: &[&str], required| ToolChoice::Among {
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        required,
    };
    for (mode, names, expected) in [
        ("AUTO", vec![], ToolChoice::Auto),
        ("MODE_UNSPECIFIED", vec![], ToolChoice::Auto),
        ("NONE", vec![], ToolChoice::None),
        ("ANY", vec![], ToolChoice::Required),
        ("any", vec!["f"], ToolChoice::Named("f".into())),
        ("ANY", vec!["f", "g"], among(&["f", "g"], true)),
        ("VALIDATED", vec![], ToolChoice::Auto),
        ("VALIDATED", vec!["f"], among(&["f"], false)),
    ] {
        let config = json!({"functionCallingConfig": {"mode": mode, "allowedFunctionNames": names}});
        let read = read(&json!({"contents": [{}], "toolConfig": config}));
        assert_eq!(read.tool_choice, expected, "{mode} {names:?}");
    }
}

#[test]
fn faults_are_named() {
    for (body, message, param) in [
        (json!([]), "expected an object", None),
        (json!({"contents": [7]}), "expected an object", Some("contents[0]")),
        (json!({"contents": [{"parts": [{}, 7]}]}), "expected an object", Some("contents[0].parts[1]")),
        (json!({"contents": [{"parts": [{"text": 7}]}]}), "expected a string", Some("contents[0].parts[0].text")),
        (json!({"contents": [{"role": 7}]}), "expected a string", Some("contents[0].role")),
        (
            json!({"generationConfig": {"temperature": "hot"}}),
            "expected a number",
            Some("generationConfig.temperature"),
        ),
        (json!({"generation_config": {"max_output_tokens": -1}}), "negative", Some("generationConfig.maxOutputTokens")),
        (
            json!({"tools": [{"functionDeclarations": [{}]}]}),
            "must not be empty",
            Some("tools[0].functionDeclarations[0].name"),
        ),
        (json!({"toolConfig": 7}), "expected an object", Some("toolConfig")),
    ] {
        let Err(CallError::InvalidRequest { message: said, param: at }) = read_prompt(body.to_string().as_bytes())
        else {
            panic!("{body} was taken");
        };
        assert!(said.contains(message), "{body}: {said}");
        assert_eq!(at.as_deref(), param, "{body}");
    }
    assert!(read_prompt(&b"[".repeat(10_000)).is_err() && read_prompt(b"\xff").is_err());
}

#[test]
fn terms_are_those_of_the_request() {
    let raw = json!({
        "contents": [{"parts": [{"text": 7}]}],
        "tools": [{"functionDeclarations": [{"name": "f", "parameters": {"type": "OBJECT"}}]}],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY"}},
        "generationConfig": {"responseMimeType": "application/json", "responseSchema": {"type": "ARRAY"}},
    });
    let expected = Terms {
        format: Format::JsonSchema(Demanded {
            name: String::new(),
            schema: r#"{"type":"array"}"#.into(),
            strict: true,
        }),
        tools: vec![Tool { name: "f".into(), takes: Takes::Json(Some(r#"{"type":"object"}"#.into())) }],
        tool_choice: ToolChoice::Required,
        ..Terms::default()
    };
    assert_eq!(terms(raw.to_string().as_bytes()), expected);
    assert_eq!(terms(b"nonsense"), Terms::default());
    let any = terms(br#"{"generationConfig":{"responseMimeType":"application/json"}}"#).format;
    assert!(matches!(any, Format::JsonSchema(demanded) if &*demanded.schema == "{}"), "a list is JSON as well");
}
