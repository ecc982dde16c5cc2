//! What is written for Ollama, and what is refused.

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

fn result(call: &str, name: &str, parts: Vec<Part>) -> Part {
    part(PartKind::Result { call: call.into(), name: name.into(), parts, failed: false })
}

fn picture(detail: &str) -> Part {
    let source = Source::Inline { media_type: "image/png".into(), data: "aGk=".into() };
    part(PartKind::Image { source, detail: detail.into() })
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
    let written = write_prompt(prompt, "llama").unwrap_or_else(|unsayable| panic!("{unsayable}"));
    (serde_json::from_slice(&written.body).expect("JSON"), written.left_out)
}

/// The fields beside the ones that every request has, with what is left out.
fn beside(change: impl FnOnce(&mut Prompt)) -> (Value, Vec<String>) {
    let (mut body, left_out) = written(&asking(change));
    let fields = body.as_object_mut().expect("an object");
    ["model", "messages", "stream"].iter().for_each(|name| assert!(fields.remove(*name).is_some(), "{name}"));
    (body, left_out)
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn a_plain_request_says_whether_it_is_streamed() {
    for stream in [false, true] {
        let messages = json!([{"role": "user", "content": "hi"}]);
        let expected = json!({"model": "llama", "messages": messages, "stream": stream});
        assert_eq!(written(&asking(|prompt| prompt.stream = stream)), (expected, vec![]));
    }
}

#[test]
fn turns_become_messages() {
    let thought = |seal| part(PartKind::Thought(Thought { text: "hm".into(), seal }));
    let sealed = Seal { of: Dialect::Anthropic, kind: SealKind::Signature, token: "s".into() };
    let document = |name: &str| part(PartKind::Document { source: Source::Text("t".into()), name: name.into() });
    let f = |id: &str, arguments: Value| json!({"id": id, "function": {"name": "f", "arguments": arguments}});
    for (name, turns, expected, left_out) in [
        (
            "text is one",
            vec![
                turn(Role::Developer, vec![text("a"), text("b")]),
                turn(Role::User, vec![text("c"), text(""), document("n")]),
                turn(Role::Assistant, vec![text("d"), text("e"), part(PartKind::Refusal("no".into()))]),
                turn(Role::System, vec![text("later")]),
            ],
            json!([
                {"role": "system", "content": "a\n\nb"},
                {"role": "user", "content": "c\n\nt"},
                {"role": "assistant", "content": "deno"},
                {"role": "system", "content": "later"},
            ]),
            names(&["title"]),
        ),
        (
            "pictures stand beside it",
            vec![turn(Role::User, vec![picture("high"), text("see"), picture("auto")])],
            json!([{"role": "user", "content": "see", "images": ["aGk=", "aGk="]}]),
            names(&["detail"]),
        ),
        (
            "calls with their thoughts, and results behind them before anything else",
            vec![
                turn(Role::Assistant, vec![thought(Some(sealed)), call("c1", r#"{"a":1}"#), call("", "")]),
                turn(
                    Role::User,
                    vec![
                        text("and?"),
                        result("c1", "f", vec![text("1"), text("2")]),
                        result("", "", vec![picture("")]),
                    ],
                ),
            ],
            json!([
                {"role": "assistant", "content": "", "thinking": "hm", "tool_calls": [
                    f("c1", json!({"a": 1})), {"function": {"name": "f", "arguments": {}}},
                ]},
                {"role": "tool", "content": "1\n\n2", "tool_name": "f", "tool_call_id": "c1"},
                {"role": "tool", "content": "The result follows."},
                {"role": "user", "content": "", "images": ["aGk="]},
                {"role": "user", "content": "and?"},
            ]),
            names(&["signature"]),
        ),
        (
            "arguments are an object whatever the model wrote",
            vec![turn(Role::Assistant, vec![call("a", "null"), call("b", "[1]"), call("c", "{\"a\":")])],
            json!([{"role": "assistant", "content": "", "tool_calls": [
                f("a", json!({})), f("b", json!({"input": "[1]"})), f("c", json!({"input": "{\"a\":"})),
            ]}]),
            vec![],
        ),
        (
            "names, marks and failures are hints",
            vec![
                Turn { name: "ann".into(), ..turn(Role::User, vec![Part { cache: Some("{}".into()), ..text("hi") }]) },
                turn(Role::Assistant, vec![]),
                turn(
                    Role::User,
                    vec![part(PartKind::Result { call: "c".into(), name: "f".into(), parts: vec![], failed: true })],
                ),
            ],
            json!([
                {"role": "user", "content": "hi"},
                {"role": "tool", "content": "", "tool_name": "f", "tool_call_id": "c"},
            ]),
            names(&["name", "cache_control", "is_error"]),
        ),
    ] {
        let (body, left) = written(&saying(turns));
        assert_eq!(body["messages"], expected, "{name}");
        assert_eq!(left, left_out, "{name}");
    }
}

#[test]
fn tools_that_may_be_called() {
    let f = |name: &str| json!({"type": "function", "function": {"name": name, "description": "d", "parameters": {"type": "object"}}});
    let two = || vec![tool("f", None), tool("g", Some(true))];
    let among = ToolChoice::Among { names: ["f".to_owned()].into(), required: false };
    for (choice, parallel, expected, left_out) in [
        (ToolChoice::Auto, None, json!({"tools": [f("f"), f("g")]}), names(&["strict"])),
        (ToolChoice::None, Some(false), json!({}), vec![]),
        (among, Some(false), json!({"tools": [f("f")]}), names(&["parallel_tool_calls"])),
    ] {
        let shown = format!("{choice:?} {parallel:?}");
        let (body, left) = beside(|prompt| {
            (prompt.tools, prompt.tool_choice, prompt.parallel_calls) = (two(), choice, parallel);
        });
        assert_eq!((body, left), (expected, left_out), "{shown}");
    }
}

#[test]
fn how_the_answer_is_to_be() {
    let schema = Demanded { name: "n".into(), schema: r#"{"type":"object"}"#.into(), strict: false };
    let sampling = Sampling {
        max_tokens: Some(9),
        temperature: Some(0.5),
        top_p: Some(1.0),
        top_k: Some(40),
        stop: vec!["END".into()],
        seed: Some(-7),
        presence_penalty: Some(0.25),
        frequency_penalty: Some(0.5),
        choices: Some(1),
        logprobs: None,
    };
    let said = json!({"options": {"num_predict": 9, "temperature": 0.5, "top_p": 1.0, "top_k": 40, "stop": ["END"],
        "seed": -7, "presence_penalty": 0.25, "frequency_penalty": 0.5}});
    let endless = Sampling { max_tokens: Some(u64::MAX), temperature: Some(f64::NAN), ..Sampling::default() };
    let asked = |sampling: Sampling| move |prompt: &mut Prompt| prompt.sampling = sampling;
    let thinking = |thinking: Thinking| move |prompt: &mut Prompt| prompt.thinking = Some(thinking);
    let form = |format: Format| move |prompt: &mut Prompt| prompt.format = format;
    let effort = |word: &str| thinking(Thinking::Effort(word.into()));
    for ((body, left), expected, left_out) in [
        (beside(asked(sampling)), said, vec![]),
        (beside(asked(endless)), json!({}), names(&["max_tokens"])),
        (beside(form(Format::JsonObject)), json!({"format": "json"}), vec![]),
        (beside(form(Format::JsonSchema(schema))), json!({"format": {"type": "object"}}), vec![]),
        (beside(thinking(Thinking::Off)), json!({"think": false}), vec![]),
        (beside(thinking(Thinking::Adaptive)), json!({"think": true}), vec![]),
        (beside(thinking(Thinking::Budget(800))), json!({"think": true}), names(&["budget_tokens"])),
        (beside(effort("none")), json!({"think": false}), vec![]),
        (beside(effort("minimal")), json!({"think": "low"}), vec![]),
        (beside(effort("medium")), json!({"think": "medium"}), vec![]),
        (beside(effort("max")), json!({"think": "high"}), vec![]),
        (beside(effort("vast")), json!({}), names(&["reasoning_effort"])),
        (beside(|prompt| prompt.user = "ann".into()), json!({}), names(&["user"])),
    ] {
        assert_eq!((&body, left), (&expected, left_out));
    }
}

#[test]
fn fields_that_are_no_noun_pass_or_are_told_of() {
    let (body, left_out) = beside(|prompt| {
        prompt.sampling.top_k = Some(7);
        prompt.others = [
            ("keep_alive", "\"5m\""),
            ("options", r#"{"num_ctx":8192,"top_k":1}"#),
            ("metadata", r#"{"a":1}"#),
            ("logit_bias", "null"),
        ]
        .map(|(name, json)| Other { name: name.into(), json: json.into() })
        .into();
    });
    assert_eq!(body, json!({"keep_alive": "5m", "options": {"num_ctx": 8192, "top_k": 7}}));
    assert_eq!(left_out, ["metadata"]);
    let (_, left_out) = beside(|prompt| {
        prompt.tools = vec![tool("f", None)];
        prompt.others = vec![Other { name: "tools[1]".into(), json: r#"{"type":"web_search"}"#.into() }];
    });
    assert_eq!(left_out, ["tools[1]"]);
}

#[test]
fn what_cannot_be_said_is_refused_by_name() {
    let part_of = |kind: PartKind| saying(vec![turn(Role::User, vec![text("hi"), part(kind)])]);
    let image = |source: Source| part_of(PartKind::Image { source, detail: String::new() });
    let pdf = Source::Inline { media_type: "application/pdf".into(), data: "aGk=".into() };
    let sampling = |sampling: Sampling| asking(|prompt| prompt.sampling = sampling);
    let other = |name: &str, json: &str| {
        let other = Other { name: name.into(), json: json.into() };
        asking(|prompt| prompt.others = vec![other])
    };
    let free = PartKind::Call { id: "a".into(), name: "f".into(), arguments: "t".into(), free: true, seal: None };
    let choice =
        |choice: ToolChoice| asking(|prompt| (prompt.tools, prompt.tool_choice) = (vec![tool("f", None)], choice));
    let takes = |takes: Takes| asking(|prompt| prompt.tools = vec![Declared { takes, ..tool("f", None) }]);
    for (prompt, field) in [
        (part_of(PartKind::Audio { data: "aGk=".into(), format: "wav".into() }), "input_audio"),
        (image(Source::Url("https://x/a.png".into())), "image_url"),
        (image(Source::File("f".into())), "image_url"),
        (part_of(PartKind::Other { name: "search_result".into(), json: "{}".into() }), "messages"),
        (part_of(PartKind::Document { source: pdf, name: String::new() }), "file"),
        (saying(vec![turn(Role::System, vec![picture("")])]), "messages"),
        (saying(vec![turn(Role::Assistant, vec![picture("")])]), "messages"),
        (saying(vec![turn(Role::Assistant, vec![part(free)])]), "messages"),
        (sampling(Sampling { choices: Some(2), ..Sampling::default() }), "n"),
        (sampling(Sampling { logprobs: Some(0), ..Sampling::default() }), "logprobs"),
        (choice(ToolChoice::Required), "tool_choice"),
        (choice(ToolChoice::Named("f".into())), "tool_choice"),
        (choice(ToolChoice::Among { names: ["f".to_owned()].into(), required: true }), "tool_choice"),
        (takes(Takes::Free), "tools"),
        (takes(Takes::Json(Some("true".into()))), "tools"),
        (other("logit_bias", "{\"1\":5}"), "logit_bias"),
        (other("tools[0]", r#"{"googleSearch":{}}"#), "tools[0]"),
        (other("options", "[]"), "options"),
    ] {
        let unsayable = write_prompt(&prompt, "llama").expect_err(field);
        assert_eq!(unsayable.field, field, "{prompt:?}");
    }
}
