//! What is written for Bedrock, and what is refused.

use super::write_prompt;
use llm::{
    Declared, Demanded, Dialect, Format, Other, Part, PartKind, Prompt, Role, Sampling, Seal, SealKind, Source, Takes,
    Thinking, Thought, ToolChoice, Turn,
};
use serde_json::{Value, json};

mod choices;
mod properties;
mod turns;

const CLAUDE: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
/// Caches for minutes alone.
const OLD_CLAUDE: &str = "us.anthropic.claude-opus-4-1-20250805-v1:0";
const NEW_CLAUDE: &str = "us.anthropic.claude-opus-4-7";
const NOVA: &str = "amazon.nova-pro-v1:0";
const LLAMA: &str = "meta.llama4-scout-17b-instruct-v1:0";

fn part(kind: PartKind) -> Part {
    Part { kind, cache: None }
}

fn marked(part: Part, mark: &str) -> Part {
    Part { cache: Some(mark.into()), ..part }
}

fn text(text: &str) -> Part {
    part(PartKind::Text { text: text.into(), seal: None })
}

fn turn(role: Role, parts: Vec<Part>) -> Turn {
    Turn { role, name: String::new(), parts }
}

fn call(id: &str, name: &str, arguments: &str) -> Part {
    let (id, name) = (id.to_owned(), name.to_owned());
    part(PartKind::Call { id, name, arguments: arguments.into(), free: false, seal: None })
}

fn result(call: &str, parts: Vec<Part>, failed: bool) -> Part {
    part(PartKind::Result { call: call.into(), name: "f".into(), parts, failed })
}

fn inline(media_type: &str) -> Source {
    Source::Inline { media_type: media_type.into(), data: "aGk=".into() }
}

fn picture(source: Source) -> Part {
    part(PartKind::Image { source, detail: String::new() })
}

fn document(source: Source, name: &str) -> Part {
    part(PartKind::Document { source, name: name.into() })
}

fn thought(text: &str, seal: Option<(Dialect, SealKind, &str)>) -> Part {
    let seal = seal.map(|(of, kind, token)| Seal { of, kind, token: token.into() });
    part(PartKind::Thought(Thought { text: text.into(), seal }))
}

fn tool(name: &str) -> Declared {
    let takes = Takes::Json(Some(r#"{"type":"object"}"#.into()));
    Declared { name: name.into(), description: "d".into(), takes, strict: None, cache: None }
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

fn written(prompt: &Prompt, model: &str) -> (Value, Vec<String>) {
    let written = write_prompt(prompt, model).unwrap_or_else(|unsayable| panic!("{unsayable}"));
    (serde_json::from_slice(&written.body).expect("JSON"), written.left_out)
}

/// The fields beside what is said, with what is left out.
fn beside(model: &str, change: impl FnOnce(&mut Prompt)) -> (Value, Vec<String>) {
    let (mut body, left_out) = written(&asking(change), model);
    assert!(body.as_object_mut().expect("an object").remove("messages").is_some());
    (body, left_out)
}

fn refused(prompt: &Prompt, model: &str) -> String {
    write_prompt(prompt, model).map_or_else(|unsayable| unsayable.field, |written| format!("{written:?}"))
}

#[test]
fn a_plain_request_says_what_is_said_and_no_more() {
    let prompt = asking(|prompt| (prompt.stream, prompt.stream_usage) = (true, true));
    let messages = json!([{"role": "user", "content": [{"text": "hi"}]}]);
    for model in [CLAUDE, NOVA, LLAMA] {
        assert_eq!(written(&prompt, model), (json!({"messages": messages}), vec![]), "{model}");
    }
}

#[test]
fn fields_that_are_no_noun_pass_or_are_told_of() {
    let of = |model: &str, fields: &[(&str, &str)]| {
        let other = |(name, json): &(&str, &str)| Other { name: (*name).into(), json: (*json).into() };
        let top_k = Sampling { top_k: Some(5), ..Sampling::default() };
        beside(model, |prompt| (prompt.others, prompt.sampling) = (fields.iter().map(other).collect(), top_k))
    };
    let guardrail = json!({"guardrailIdentifier": "g", "guardrailVersion": "1"});
    let (body, left_out) = of(
        CLAUDE,
        &[
            ("guardrailConfig", &guardrail.to_string()),
            ("serviceTier", r#"{"type":"flex"}"#),
            ("performanceConfig", "\"no object\""),
            ("metadata", r#"{"a":"b"}"#),
            ("store", "false"),
            ("additionalModelRequestFields", r#"{"x":[1],"top_k":7}"#),
        ],
    );
    let expected = json!({
        "guardrailConfig": guardrail, "serviceTier": {"type": "flex"},
        "additionalModelRequestFields": {"x": [1], "top_k": 7},
    });
    assert_eq!((body, left_out), (expected, vec!["performanceConfig".into(), "metadata".into()]));
    assert_eq!(of(LLAMA, &[("thinking.display", "\"omitted\"")]), (json!({}), vec!["top_k".to_owned()]));
}

#[test]
fn what_cannot_be_said_is_refused_by_name() {
    let user = |part: Part| saying(vec![turn(Role::User, vec![text("hi"), part])]);
    let assistant = |part: Part| saying(vec![turn(Role::Assistant, vec![part])]);
    let sampling = |sampling: Sampling| asking(|prompt| prompt.sampling = sampling);
    let other = |name: &str, json: &str| {
        let other = Other { name: name.into(), json: json.into() };
        asking(|prompt| prompt.others = vec![other])
    };
    let sound = |format: &str| part(PartKind::Audio { data: "aGk=".into(), format: format.into() });
    let unknown = || part(PartKind::Other { name: "search_result".into(), json: "{}".into() });
    let tools = |tools: Vec<Declared>, choice: ToolChoice| {
        asking(|prompt| (prompt.tools, prompt.tool_choice) = (tools, choice))
    };
    let takes = |takes: Takes| tools(vec![Declared { takes, ..tool("f") }], ToolChoice::Auto);
    let schema = Demanded { name: String::new(), schema: "true".into(), strict: true };
    let among = ToolChoice::Among { names: ["g".to_owned()].into(), required: true };
    for (prompt, field) in [
        (user(picture(Source::Url("https://x/a".into()))), "image_url"),
        (user(picture(Source::File("f".into()))), "image_url"),
        (user(picture(inline("image/tiff"))), "image_url"),
        (user(document(Source::Url("https://x/a".into()), "")), "file"),
        (user(document(Source::File("f".into()), "")), "file"),
        (user(document(inline("image/png"), "")), "file"),
        (user(sound("midi")), "input_audio"),
        (user(unknown()), "search_result"),
        (user(thought("", None)), "messages"),
        (user(call("a", "f", "{}")), "messages"),
        (user(result("a", vec![sound("wav")], false)), "messages"),
        (user(result("a", vec![unknown()], false)), "search_result"),
        (assistant(picture(inline("image/png"))), "messages"),
        (assistant(document(inline("application/pdf"), "")), "messages"),
        (saying(vec![turn(Role::System, vec![picture(inline("image/png"))])]), "system"),
        (sampling(Sampling { choices: Some(2), ..Sampling::default() }), "n"),
        (sampling(Sampling { logprobs: Some(0), ..Sampling::default() }), "logprobs"),
        (sampling(Sampling { stop: vec!["x".into(); 2501], ..Sampling::default() }), "stop"),
        (tools(vec![], ToolChoice::Required), "tool_choice"),
        (tools(vec![tool("f")], ToolChoice::Named("g".into())), "tool_choice"),
        (tools(vec![tool("f")], among), "tool_choice"),
        (tools(vec![tool("f.g")], ToolChoice::Auto), "tools"),
        (tools(vec![tool(&"f".repeat(65))], ToolChoice::Auto), "tools"),
        (takes(Takes::Free), "tools"),
        (takes(Takes::Json(Some("true".into()))), "tools"),
        (takes(Takes::Json(Some(r#"{"type":"string"}"#.into()))), "tools"),
        (asking(|prompt| prompt.format = Format::JsonSchema(schema)), "response_format"),
        (other("logit_bias", r#"{"1":5}"#), "logit_bias"),
        (other("previous_response_id", "\"r\""), "previous_response_id"),
        (other("tools[0]", r#"{"type":"web_search"}"#), "tools[0]"),
    ] {
        for model in [CLAUDE, LLAMA] {
            assert_eq!(refused(&prompt, model), field, "{prompt:?}");
        }
    }
    let most = Sampling { stop: vec!["x".into(); 2500], ..Sampling::default() };
    assert!(write_prompt(&sampling(most), LLAMA).is_ok());
    assert!(write_prompt(&tools(vec![tool(&"f".repeat(64))], ToolChoice::Auto), LLAMA).is_ok());
    assert!(write_prompt(&user(sound("wav")), NOVA).is_ok());
}

/// For the tables beside.
type Row<'a> = (&'a str, &'a str, Prompt, Value, Vec<&'a str>);

fn thinking(model: &str, wish: Thinking, max_tokens: Option<u64>) -> (Value, Vec<String>) {
    beside(model, |prompt| {
        (prompt.thinking, prompt.sampling.max_tokens) = (Some(wish), max_tokens);
    })
}
