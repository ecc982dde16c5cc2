//! Requests of this dialect's clients.

use super::super::{read_prompt, terms};
use super::{call, part, result, turn, words};
use llm::{
    CallError, Declared, Demanded, Dialect, Format, Other, Part, PartKind, Prompt, Role, Seal, SealKind, Source, Takes,
    Thinking, Thought, Tool, ToolChoice,
};
use proptest::prelude::*;
use std::sync::Arc;

const HI: &str = r#"{"role":"user","content":"hi"}"#;

fn request(fields: &str) -> String {
    format!(r#"{{"model":"m","max_tokens":9,"messages":[{HI}]{fields}}}"#)
}

fn read(body: &str) -> Prompt {
    read_prompt(body.as_bytes()).unwrap_or_else(|error| panic!("{error:?}: {body}"))
}

fn with(fields: &str) -> Prompt {
    read(&request(fields))
}

/// What one block of a user is read as.
fn block(json: &str) -> Part {
    let body = format!(r#"{{"model":"m","max_tokens":9,"messages":[{{"role":"user","content":[{json}]}}]}}"#);
    read(&body).turns[0].parts[0].clone()
}

fn others(prompt: &Prompt) -> Vec<(&str, &str)> {
    prompt.others.iter().map(|Other { name, json }| (name.as_str(), &**json)).collect()
}

#[test]
fn a_request_is_read_in_full() {
    let prompt = with(
        r#","system":"be brief","stream":true,"temperature":0.5,"top_p":0.9,"top_k":40,"stop_sequences":["END"],
           "metadata":{"user_id":"u-1"},"service_tier":"auto","container":null"#,
    );
    assert_eq!(prompt.turns, [turn(Role::System, vec![words("be brief")]), turn(Role::User, vec![words("hi")])]);
    let sampling = &prompt.sampling;
    assert_eq!(
        (sampling.max_tokens, sampling.temperature, sampling.top_p, sampling.top_k),
        (Some(9), Some(0.5), Some(0.9), Some(40))
    );
    assert_eq!((&*sampling.stop, &*prompt.user), (&["END".to_owned()][..], "u-1"));
    assert!(prompt.stream && prompt.stream_usage);
    assert_eq!(others(&prompt), [("service_tier", "\"auto\"")]);
}

#[test]
fn a_conversation_is_read_turn_by_turn() {
    let body = r#"{"model":"m","max_tokens":9,"system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral"}}],"messages":[
        {"role":"user","content":[{"type":"text","text":"a"}]},
        {"role":"system","content":"in the middle"},
        {"role":"assistant","content":[
            {"type":"thinking","thinking":"","signature":"sig"},
            {"type":"redacted_thinking","data":"xyz"},
            {"type":"redacted_thinking","data":"breakwater.call.gemini.signature.g"},
            {"type":"tool_use","id":"t","name":"f","input":{"x": 1},"caller":{"type":"direct"}},
            {"type":"thinking","thinking":"hm","signature":""}]},
        {"role":"user","content":[
            {"type":"tool_result","tool_use_id":"t","content":"1"},
            {"type":"tool_result","tool_use_id":"u","is_error":true,"content":[{"type":"text","text":"b"}]},
            {"type":"tool_result","tool_use_id":"v"}]}]}"#;
    let prompt = read(body);
    let own = |kind, token: &str| Some(Seal { of: Dialect::Anthropic, kind, token: token.into() });
    let thought = |text: &str, seal| PartKind::Thought(Thought { text: text.into(), seal });
    let failed =
        PartKind::Result { call: "u".into(), name: String::new(), parts: vec![part(words("b"))], failed: true };
    let empty = PartKind::Result { call: "v".into(), name: String::new(), parts: vec![], failed: false };
    let mut sealed = call("t", "f", r#"{"x": 1}"#);
    if let PartKind::Call { seal, .. } = &mut sealed {
        *seal = Some(Seal { of: Dialect::Gemini, kind: SealKind::Signature, token: "g".into() });
    }
    let mut system = turn(Role::System, vec![words("s")]);
    system.parts[0].cache = Some(r#"{"type":"ephemeral"}"#.into());
    assert_eq!(
        prompt.turns,
        [
            system,
            turn(Role::User, vec![words("a")]),
            turn(Role::System, vec![words("in the middle")]),
            turn(
                Role::Assistant,
                vec![
                    thought("", own(SealKind::Signature, "sig")),
                    thought("", own(SealKind::Encrypted, "xyz")),
                    sealed,
                    thought("hm", None),
                ],
            ),
            turn(Role::User, vec![result("t", "f", "1"), failed, empty]),
        ]
    );
    assert!(prompt.others.is_empty());
}

#[test]
fn blocks_are_nouns_or_kept_whole() {
    let inline = Source::Inline { media_type: "image/png".into(), data: "QUJD".into() };
    let image = |source| PartKind::Image { source, detail: String::new() };
    let document = |source, name: &str| PartKind::Document { source, name: name.into() };
    for (json, expected) in [
        (r#"{"type":"text","text":"a","citations":null}"#, words("a")),
        (r#"{"type":"image","source":{"type":"base64","media_type":"image/png","data":"QUJD"}}"#, image(inline)),
        (r#"{"type":"image","source":{"type":"url","url":"https://x"}}"#, image(Source::Url("https://x".into()))),
        (r#"{"type":"image","source":{"type":"file","file_id":"file_1"}}"#, image(Source::File("file_1".into()))),
        (
            r#"{"type":"document","title":"n","source":{"type":"text","media_type":"text/plain","data":"x"},"citations":{"enabled":false}}"#,
            document(Source::Text("x".into()), "n"),
        ),
        (
            r#"{"type":"document","source":{"type":"url","url":"https://x"}}"#,
            document(Source::Url("https://x".into()), ""),
        ),
    ] {
        assert_eq!(block(json), part(expected), "{json}");
    }
    for (name, json) in [
        ("image", r#"{"type":"image","source":{"type":"url","url":"u"},"transformations":{"x":1}}"#),
        ("document", r#"{"type":"document","source":{"type":"content","content":"x"}}"#),
        ("document", r#"{"type":"document","source":{"type":"url","url":"u"},"context":"of importance"}"#),
        (
            "search_result",
            r#"{"type":"search_result","source":"s","title":"t","content":[],"cache_control":{"type":"ephemeral"}}"#,
        ),
        ("server_tool_use", r#"{"type":"server_tool_use","id":"a","name":"web_search","input":{}}"#),
        ("web_search_tool_result", r#"{"type":"web_search_tool_result","tool_use_id":"a","content":[]}"#),
        ("mcp_tool_use", r#"{"type":"mcp_tool_use","id":"a","name":"n","server_name":"s","input":{}}"#),
        (
            "tool_use",
            r#"{"type":"tool_use","id":"a","name":"n","input":{},"caller":{"type":"code_execution_20250825","tool_id":"b"}}"#,
        ),
        ("tool_result", r#"{"type":"tool_result","tool_use_id":"a","toolset_name":"x"}"#),
        ("tomorrow", r#"{"type":"tomorrow","x":[1]}"#),
    ] {
        assert_eq!(block(json), part(PartKind::Other { name: name.into(), json: json.into() }), "{json}");
    }
    let cited = r#"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":[
        {"type":"document","source":{"type":"url","url":"u"},"citations":{"enabled":true}}]}]}"#;
    assert_eq!(others(&read(cited)), [("citations", "true")]);
}

#[test]
fn tools_are_read() {
    let search = r#"{"type":"web_search_20250305","name":"web_search"}"#;
    let prompt = with(&format!(
        r#","tools":[{{"name":"f","description":"d","input_schema":{{"type":"object"}},"strict":true,"cache_control":{{"type":"ephemeral"}}}},
            {search},{{"type":"custom","name":"g","input_schema":{{}},"defer_loading":true,"eager_input_streaming":false}},
            {{"type":"bash_20250124","name":"bash"}}]"#
    ));
    let declared = Declared {
        name: "f".into(),
        description: "d".into(),
        takes: Takes::Json(Some(r#"{"type":"object"}"#.into())),
        strict: Some(true),
        cache: Some(r#"{"type":"ephemeral"}"#.into()),
    };
    assert_eq!((&prompt.tools[0], prompt.tools[1].name.as_str(), prompt.tools.len()), (&declared, "g", 2));
    let bash = r#"{"type":"bash_20250124","name":"bash"}"#;
    assert_eq!(others(&prompt), [("tools[1]", search), ("tools.defer_loading", "true"), ("tools[3]", bash)]);
    for (choice, expected, parallel) in [
        (r#"{"type":"auto"}"#, ToolChoice::Auto, None),
        (r#"{"type":"any","disable_parallel_tool_use":true}"#, ToolChoice::Required, Some(false)),
        (r#"{"type":"any","disable_parallel_tool_use":false}"#, ToolChoice::Required, Some(true)),
        (r#"{"type":"tool","name":"f"}"#, ToolChoice::Named("f".into()), None),
        (r#"{"type":"none"}"#, ToolChoice::None, None),
    ] {
        let prompt = with(&format!(r#","tool_choice":{choice}"#));
        assert_eq!((prompt.tool_choice, prompt.parallel_calls), (expected, parallel), "{choice}");
    }
}

#[test]
fn thinking_and_form_are_read() {
    let effort = |word: &str| Some(Thinking::Effort(word.into()));
    for (fields, expected, told) in [
        ("", None, vec![]),
        (r#","thinking":{"type":"enabled","budget_tokens":2000}"#, Some(Thinking::Budget(2000)), vec![]),
        (r#","thinking":{"type":"adaptive"}"#, Some(Thinking::Adaptive), vec![]),
        (
            r#","thinking":{"type":"adaptive","display":"omitted"},"output_config":{"effort":"high"}"#,
            effort("high"),
            vec![("thinking.display", "\"omitted\"")],
        ),
        (
            r#","output_config":{"effort":"low","task_budget":7}"#,
            effort("low"),
            vec![("output_config.task_budget", "7")],
        ),
        (
            r#","thinking":{"type":"disabled"},"output_config":{"effort":"low"}"#,
            Some(Thinking::Off),
            vec![("output_config.effort", "\"low\"")],
        ),
        (r#","thinking":{"type":"between_tools"}"#, None, vec![("thinking", r#"{"type":"between_tools"}"#)]),
    ] {
        let prompt = with(fields);
        assert_eq!((prompt.thinking.clone(), others(&prompt)), (expected, told), "{fields}");
    }
    let schema = Format::JsonSchema(Demanded { name: String::new(), schema: r#"{"a": 1}"#.into(), strict: true });
    for (fields, expected) in [
        (r#","output_config":{"format":{"type":"json_schema","schema":{"a": 1}}}"#, &schema),
        (r#","output_format":{"type":"json_schema","schema":{"a": 1}}"#, &schema),
        (r#","output_config":{"format":null}"#, &Format::Text),
    ] {
        assert_eq!(&with(fields).format, expected, "{fields}");
        assert_eq!(&terms(request(fields).as_bytes()).format, expected, "{fields}");
    }
}

#[test]
fn each_fault_is_named() {
    let message = |json: &str| format!(r#"{{"model":"m","max_tokens":9,"messages":[{json}]}}"#);
    let said = |json: &str| message(&format!(r#"{{"role":"user","content":[{json}]}}"#));
    for (body, expected) in [
        (format!(r#"{{"model":"m","messages":[{HI}]}}"#), "max_tokens: Field required"),
        (request(r#","max_tokens":"9""#), "max_tokens: Input should be a valid integer"),
        (request(r#","temperature":"hot""#), "temperature: Input should be a valid number"),
        (request(r#","stop_sequences":"END""#), "stop_sequences: Input should be a valid list of strings"),
        (request(r#","system":7"#), "system: Input should be a valid string or list"),
        (request(r#","metadata":"u""#), "metadata: Input should be an object"),
        (request(r#","tools":[{"input_schema":{}}]"#), "tools.0.name: Field required"),
        (request(r#","tool_choice":{"type":"tool"}"#), "tool_choice.name: Field required"),
        (request(r#","thinking":{"type":"enabled"}"#), "thinking.budget_tokens: Field required"),
        (r#"{"model":"m","max_tokens":9}"#.into(), "messages: Field required"),
        (message(""), "messages: at least one message is required"),
        (message(r#"{"content":"x"}"#), "messages.0.role: Field required"),
        (message(r#"{"role":"user"}"#), "messages.0.content: Field required"),
        (
            message(r#"{"role":"tool","content":"x"}"#),
            "messages.0.role: Input should be 'user', 'assistant' or 'system'",
        ),
        (said("7"), "messages.0.content.0: Input should be an object"),
        (said(r#"{"text":"x"}"#), "messages.0.content.0.type: Field required"),
        (said(r#"{"type":"text"}"#), "messages.0.content.0.text: Field required"),
        (said(r#"{"type":"image"}"#), "messages.0.content.0.source: Field required"),
        (
            said(r#"{"type":"image","source":{"type":"base64","data":"x"}}"#),
            "messages.0.content.0.source.media_type: Field required",
        ),
        (
            said(r#"{"type":"tool_use","id":"a","name":"f","input":"x"}"#),
            "messages.0.content.0.input: Input should be an object",
        ),
        (
            said(r#"{"type":"tool_result","tool_use_id":"a","content":[{"type":"text"}]}"#),
            "messages.0.content.0.content.0.text: Field required",
        ),
    ] {
        match read_prompt(body.as_bytes()) {
            Err(CallError::InvalidRequest { message, param }) => {
                assert_eq!(message, expected, "{body}");
                assert_eq!(param.as_deref(), expected.split_once(": ").map(|(field, _)| field));
            }
            other => panic!("{body}: {other:?}"),
        }
    }
}

#[test]
fn what_the_answer_has_to_be() {
    let read = terms(
        request(
            r#","tools":[{"name":"f","input_schema":{"type":"object"}},{"type":"bash_20250124","name":"bash"},{"type":"mcp_toolset","mcp_server_name":"s"}],
               "tool_choice":{"type":"any","disable_parallel_tool_use":true}"#,
        )
        .as_bytes(),
    );
    let tool = |name: &str, schema: Option<&str>| Tool { name: name.into(), takes: Takes::Json(schema.map(Arc::from)) };
    assert_eq!(read.tools, [tool("f", Some(r#"{"type":"object"}"#)), tool("bash", None)]);
    assert_eq!((read.tool_choice, read.one_call), (ToolChoice::Required, true));
    for body in ["", "[]", r#"{"tools":7,"tool_choice":7,"output_config":7,"thinking":7}"#] {
        assert_eq!(terms(body.as_bytes()), llm::Terms::default(), "{body}");
    }
    let odd = request(r#","thinking":7,"output_config":{"format":{"type":"json_schema","schema":{}}}"#);
    assert!(matches!(terms(odd.as_bytes()).format, Format::JsonSchema(_)));
}

proptest! {
    #[test]
    fn reading_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = (read_prompt(&bytes), terms(&bytes));
    }
}
