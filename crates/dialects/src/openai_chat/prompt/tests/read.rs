//! Clients' requests: every form, every default, every fault.

use super::super::read_prompt;
use super::*;
use llm::{CallError, Declared, Demanded, Format, Other, Prompt, Sampling, Takes, Thinking, ToolChoice};

const HI: &str = r#"{"role":"user","content":"hi"}"#;

fn read(body: &str) -> Prompt {
    read_prompt(body.as_bytes()).unwrap_or_else(|e| panic!("{body}: {e:?}"))
}

/// A request of these fields.
fn of(fields: &str) -> Prompt {
    read(&format!(r#"{{"model":"m","messages":[{HI}]{fields}}}"#))
}

/// The turns of these messages.
fn turns(messages: &str) -> Vec<Turn> {
    let prompt = read(&format!(r#"{{"model":"m","messages":[{messages}]}}"#));
    assert_eq!(prompt.others, [], "{messages}");
    prompt.turns
}

#[test]
fn messages_are_read_in_every_form() {
    use Role::{Assistant, Developer, System, User};
    for (messages, expected) in [
        (r#"{"role":"system","content":"s"}"#, vec![turn(System, vec![text("s")])]),
        (r#"{"role":"developer","content":[{"type":"text","text":"d"}]}"#, vec![turn(Developer, vec![text("d")])]),
        (
            r#"{"role":"user","name":"ann","content":"hi"}"#,
            vec![Turn { name: "ann".into(), ..turn(User, vec![text("hi")]) }],
        ),
        (
            r#"{"role":"user","content":[
                {"type":"image_url","image_url":{"url":"https://x/y.png","detail":"low"}},
                {"type":"image_url","image_url":"data:image/png;base64,AAAA"},
                {"type":"input_audio","input_audio":{"data":"BBBB","format":"wav"}},
                {"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,CCCC"}},
                {"type":"file","file":{"file_id":"file-1"}},
                {"type":"file","file":{"file_data":"DDDD"}},
                {"type":"video_url","video_url":{"url":"v"}},
                {"type":"text","text":"t","cache_control":{"type":"ephemeral","ttl":"1h"}},
                {"type":"text","text":"u","prompt_cache_breakpoint":{"mode":"explicit"}}]}"#,
            vec![turn(
                User,
                vec![
                    part(PartKind::Image { source: Source::Url("https://x/y.png".into()), detail: "low".into() }),
                    part(PartKind::Image { source: inline("image/png", "AAAA"), detail: String::new() }),
                    part(PartKind::Audio { data: "BBBB".into(), format: "wav".into() }),
                    part(PartKind::Document { source: inline("application/pdf", "CCCC"), name: "a.pdf".into() }),
                    part(PartKind::Document { source: Source::File("file-1".into()), name: String::new() }),
                    part(PartKind::Document { source: inline("application/pdf", "DDDD"), name: String::new() }),
                    part(PartKind::Other {
                        name: "video_url".into(),
                        json: r#"{"type":"video_url","video_url":{"url":"v"}}"#.into(),
                    }),
                    Part { cache: Some(r#"{"type":"ephemeral","ttl":"1h"}"#.into()), ..text("t") },
                    Part { cache: Some(r#"{"type":"ephemeral"}"#.into()), ..text("u") },
                ],
            )],
        ),
        (
            r#"{"role":"assistant","content":null,"refusal":null,"annotations":[],"audio":null,"function_call":null,
                "tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}},
                {"id":"b","type":"custom","custom":{"name":"g","input":"text"}},
                {"id":"c","type":"function","function":{"name":"f","arguments":{"x":1}}}]},
               {"role":"tool","tool_call_id":"a","content":"1"},
               {"role":"tool","tool_call_id":"b","content":[{"type":"text","text":"2"}]},
               {"role":"tool","tool_call_id":"z","name":"h","content":""},
               {"role":"user","content":"go on"}"#,
            vec![
                turn(
                    Assistant,
                    vec![
                        part(call("a", "f", "{}")),
                        part(PartKind::Call {
                            id: "b".into(),
                            name: "g".into(),
                            arguments: "text".into(),
                            free: true,
                            seal: None,
                        }),
                        part(call("c", "f", r#"{"x":1}"#)),
                    ],
                ),
                turn(
                    User,
                    vec![
                        result("a", "f", vec![text("1")]),
                        result("b", "g", vec![text("2")]),
                        result("z", "h", vec![text("")]),
                    ],
                ),
                turn(User, vec![text("go on")]),
            ],
        ),
        (
            r#"{"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}},
               {"role":"function","name":"f","content":"1"}"#,
            vec![
                turn(Assistant, vec![part(call("call_0", "f", "{}"))]),
                turn(User, vec![result("call_0", "f", vec![text("1")])]),
            ],
        ),
        (
            r#"{"role":"assistant","content":"","refusal":"no"}"#,
            vec![turn(Assistant, vec![part(PartKind::Refusal("no".into()))])],
        ),
        (
            r#"{"role":"assistant","content":""},{"role":"assistant"}"#,
            vec![turn(Assistant, vec![text("")]), turn(Assistant, vec![])],
        ),
    ] {
        assert_eq!(turns(messages), expected, "{messages}");
    }
}

#[test]
fn thoughts_come_back_with_their_seals() {
    let gemini = || seal(Dialect::Gemini, SealKind::Signature, "g");
    let sealed_call =
        PartKind::Call { id: "a".into(), name: "f".into(), arguments: "{}".into(), free: false, seal: Some(gemini()) };
    for (message, expected) in [
        (r#"{"role":"assistant","reasoning_content":"x","content":"a"}"#, vec![thought("x", None), text("a")]),
        (r#"{"role":"assistant","reasoning":"x","content":"a"}"#, vec![thought("x", None), text("a")]),
        (
            r#"{"role":"assistant","content":"a","reasoning_content":"xy","reasoning_details":[
                {"type":"reasoning.text","text":"x","signature":"s","format":"anthropic-claude-v1","index":0},
                {"type":"reasoning.encrypted","data":"d","format":"anthropic-claude-v1","index":1},
                {"type":"reasoning.text","text":"","signature":"t","format":"anthropic-claude-v1","index":2},
                {"type":"reasoning.text","text":"y","index":3}]}"#,
            vec![
                thought("x", Some(seal(Dialect::Anthropic, SealKind::Signature, "s"))),
                thought("", Some(seal(Dialect::Anthropic, SealKind::Encrypted, "d"))),
                thought("", Some(seal(Dialect::Anthropic, SealKind::Signature, "t"))),
                thought("y", None),
                text("a"),
            ],
        ),
        (
            r#"{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function",
                "function":{"name":"f","arguments":"{}"},"extra_content":{"google":{"thought_signature":"g"}}}]}"#,
            vec![part(sealed_call)],
        ),
        (
            r#"{"role":"assistant","content":"a","extra_content":{"google":{"thought_signature":"g"}}}"#,
            vec![part(PartKind::Text { text: "a".into(), seal: Some(gemini()) })],
        ),
        (
            r#"{"role":"assistant","content":[{"type":"thinking","thinking":"x","signature":"s"},{"type":"text","text":"a"}]}"#,
            vec![thought("x", Some(seal(Dialect::Anthropic, SealKind::Signature, "s"))), text("a")],
        ),
    ] {
        assert_eq!(turns(message), [turn(Role::Assistant, expected)], "{message}");
    }
}

#[test]
fn fields_are_read() {
    let base = of("");
    let sampled = |sampling: Sampling| Prompt { sampling, ..base.clone() };
    let thinks = |thinking: Thinking| Prompt { thinking: Some(thinking), ..base.clone() };
    let stops = |stop: &[&str]| stop.iter().map(|stop| (*stop).to_owned()).collect();
    for (fields, expected) in [
        (r#""max_tokens":5"#, sampled(Sampling { max_tokens: Some(5), ..Sampling::default() })),
        (
            r#""max_tokens":5,"max_completion_tokens":6"#,
            sampled(Sampling { max_tokens: Some(6), ..Sampling::default() }),
        ),
        (
            r#""temperature":0,"top_p":0.5,"top_k":3,"seed":-1,"n":2,"presence_penalty":1,"frequency_penalty":-0.5"#,
            sampled(Sampling {
                temperature: Some(0.0),
                top_p: Some(0.5),
                top_k: Some(3),
                seed: Some(-1),
                choices: Some(2),
                presence_penalty: Some(1.0),
                frequency_penalty: Some(-0.5),
                ..Sampling::default()
            }),
        ),
        (r#""stop":"x""#, sampled(Sampling { stop: stops(&["x"]), ..Sampling::default() })),
        (r#""stop":["x","y"]"#, sampled(Sampling { stop: stops(&["x", "y"]), ..Sampling::default() })),
        (r#""logprobs":true"#, sampled(Sampling { logprobs: Some(0), ..Sampling::default() })),
        (r#""logprobs":true,"top_logprobs":4"#, sampled(Sampling { logprobs: Some(4), ..Sampling::default() })),
        // What stands at its default says nothing.
        (
            r#""n":1,"logprobs":false,"top_logprobs":0,"presence_penalty":0,"frequency_penalty":0.0,"store":false,
              "service_tier":"auto","modalities":["text"],"logit_bias":{},"stop":null,"user":null,"stream":false"#,
            base.clone(),
        ),
        (r#""reasoning_effort":"none""#, thinks(Thinking::Off)),
        (r#""reasoning_effort":"high""#, thinks(Thinking::Effort("high".into()))),
        (r#""reasoning":{"max_tokens":9}"#, thinks(Thinking::Budget(9))),
        (r#""reasoning":{"effort":"low","exclude":false}"#, thinks(Thinking::Effort("low".into()))),
        (r#""reasoning":{"enabled":true}"#, thinks(Thinking::Adaptive)),
        (r#""reasoning":{"enabled":false,"effort":"low"}"#, thinks(Thinking::Off)),
        (r#""thinking":{"type":"disabled"}"#, thinks(Thinking::Off)),
        (r#""thinking":{"type":"enabled","budget_tokens":9}"#, thinks(Thinking::Budget(9))),
        (
            r#""stream":true,"stream_options":{"include_usage":true},"user":"u","parallel_tool_calls":false"#,
            Prompt { stream: true, stream_usage: true, user: "u".into(), parallel_calls: Some(false), ..base.clone() },
        ),
        (r#""response_format":{"type":"json_object"}"#, Prompt { format: Format::JsonObject, ..base.clone() }),
        (
            r#""response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"a":1},"strict":true}}"#,
            Prompt {
                format: Format::JsonSchema(Demanded { name: "n".into(), schema: r#"{"a":1}"#.into(), strict: true }),
                ..base.clone()
            },
        ),
    ] {
        assert_eq!(of(&format!(",{fields}")), expected, "{fields}");
    }
}

#[test]
fn tools_and_choices_are_read() {
    let declared = |name: &str, takes: Takes| Declared {
        name: name.into(),
        description: String::new(),
        takes,
        strict: None,
        cache: None,
    };
    let prompt = of(r#","tools":[
        {"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"},"strict":true}},
        {"type":"custom","custom":{"name":"g","format":{"type":"text"}},"cache_control":{"type":"ephemeral"}},
        {"type":"web_search"}],"functions":[{"name":"h"}]"#);
    assert_eq!(
        prompt.tools,
        [
            Declared {
                description: "d".into(),
                strict: Some(true),
                ..declared("f", Takes::Json(Some(r#"{"type":"object"}"#.into())))
            },
            Declared { cache: Some(r#"{"type":"ephemeral"}"#.into()), ..declared("g", Takes::Free) },
            declared("h", Takes::Json(None)),
        ]
    );
    assert_eq!(prompt.others, [Other { name: "tools[2]".into(), json: r#"{"type":"web_search"}"#.into() }]);
    let named = || ToolChoice::Named("f".into());
    let among = |required| ToolChoice::Among { names: ["f".to_owned()].into(), required };
    for (written, expected) in [
        (r#""tool_choice":"auto""#, ToolChoice::Auto),
        (r#""tool_choice":"none""#, ToolChoice::None),
        (r#""tool_choice":"any""#, ToolChoice::Required),
        (r#""tool_choice":{"type":"function","function":{"name":"f"}}"#, named()),
        (r#""tool_choice":{"type":"custom","custom":{"name":"f"}}"#, named()),
        (r#""function_call":{"name":"f"}"#, named()),
        (
            r#""tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"function","function":{"name":"f"}}]}}"#,
            among(false),
        ),
    ] {
        assert_eq!(of(&format!(",{written}")).tool_choice, expected, "{written}");
    }
}

#[test]
fn what_has_no_noun_is_handed_on_by_name() {
    let body = format!(
        r#"{{"model":"m","messages":[{HI},{{"role":"assistant","content":"a","prefix":true,"id":"x"}},
            {{"role":"user","content":[{{"type":"text","text":"a","mood":1}},
            {{"type":"image_url","image_url":{{"url":"u","crop":1}}}}]}},
            {{"role":"assistant","tool_calls":[{{"index":0,"id":"a","type":"function","mood":2,
            "function":{{"name":"f","arguments":"","mood":3}}}}]}}],
        "metadata":{{"a":"b"}},"tomorrow":1,"stream_options":{{"include_obfuscation":true}},
        "tools":[{{"type":"custom","custom":{{"name":"g","format":{{"type":"grammar","grammar":{{"syntax":"lark"}}}}}}}},
            {{"type":"function","later":true,"function":{{"name":"h","examples":[1]}}}}]}}"#
    );
    let names: Vec<String> = read(&body).others.into_iter().map(|other| other.name).collect();
    assert_eq!(
        names,
        [
            "messages[1].prefix",
            "messages[1].id",
            "messages[2].content[0].mood",
            "messages[2].content[1].image_url.crop",
            "messages[3].tool_calls[0].function.mood",
            "messages[3].tool_calls[0].mood",
            "tools.g.format",
            "tools[1].function.examples",
            "tools[1].later",
            "stream_options.include_obfuscation",
            "metadata",
            "tomorrow",
        ]
    );
}

#[test]
fn each_fault_is_named() {
    let message = |message: &str| format!(r#"{{"model":"m","messages":[{message}]}}"#);
    let field = |field: &str| format!(r#"{{"model":"m","messages":[{HI}],{field}}}"#);
    for body in ["", "[]", "7"] {
        let refused = read_prompt(body.as_bytes());
        assert!(matches!(refused, Err(CallError::InvalidRequest { param: None, .. })), "{body}: {refused:?}");
    }
    for (body, said, param) in [
        (r#"{"model":"m"}"#.into(), "Missing required parameter: 'messages'", "messages"),
        (message(r#"{"content":"a"}"#), "Missing required parameter", "messages[0].role"),
        (message(r#"{"role":"user"}"#), "Missing required parameter", "messages[0].content"),
        (message(r#"{"role":"wizard","content":"a"}"#), "Invalid value: 'wizard'", "messages[0].role"),
        (message(r#"{"role":"user","content":7}"#), "a string or an array of objects", "messages[0].content"),
        (message(r#"{"role":"user","content":[7]}"#), "expected an object", "messages[0].content[0]"),
        (message(r#"{"role":"user","content":[{"text":"a"}]}"#), "Missing", "messages[0].content[0].type"),
        (message(r#"{"role":"user","content":[{"type":"text"}]}"#), "Missing", "messages[0].content[0].text"),
        (
            message(r#"{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:x"}}]}"#),
            "Invalid image",
            "messages[0].content[0].image_url",
        ),
        (
            message(r#"{"role":"user","content":[{"type":"file","file":{}}]}"#),
            "Missing",
            "messages[0].content[0].file.file_data",
        ),
        (message(r#"{"role":"tool","content":"a"}"#), "Missing", "messages[0].tool_call_id"),
        (message(r#"{"role":"assistant","tool_calls":[{"id":"a"}]}"#), "Missing", "messages[0].tool_calls[0].function"),
        (field(r#""temperature":"hot""#), "expected a number, but got a string", "temperature"),
        (field(r#""max_tokens":1.5"#), "expected an integer, but got a number", "max_tokens"),
        (field(r#""stop":7"#), "a string or an array of strings", "stop"),
        (field(r#""stop":[7]"#), "expected a string", "stop[0]"),
        (field(r#""top_logprobs":2"#), "only allowed when 'logprobs' is enabled", "top_logprobs"),
        (field(r#""response_format":{"type":"xml"}"#), "Invalid value: 'xml'", "response_format.type"),
        (field(r#""response_format":{"type":"json_schema"}"#), "Missing", "response_format.json_schema"),
        (field(r#""tools":[{"type":"function"}]"#), "Missing", "tools[0].function"),
        (field(r#""tool_choice":"some""#), "Invalid value: 'some'", "tool_choice"),
        (field(r#""tool_choice":{"type":"x"}"#), "Missing", "tool_choice.name"),
        (field(r#""stream":"yes""#), "expected a boolean", "stream"),
    ] {
        match read_prompt(body.as_bytes()) {
            Err(CallError::InvalidRequest { message, param: at }) => {
                assert!(message.contains(said), "{body}: {message}");
                assert_eq!(at.as_deref(), Some(param), "{body}");
            }
            other => panic!("{body}: {other:?}"),
        }
    }
}
