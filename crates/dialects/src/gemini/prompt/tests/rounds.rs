//! There and back.

use super::super::super::seal::token;
use super::super::{read_prompt, terms, write_prompt};
use super::{NEW, call, declared, part, read, result, seal, text, turn, written};
use llm::{
    Declared, Demanded, Dialect, Format, Part, PartKind, Prompt, Role, Sampling, Seal, SealKind, Source, Thinking,
    Thought, ToolChoice, Turn,
};
use proptest::prelude::*;
use serde_json::json;

#[test]
fn googles_own_fields_come_back_where_they_stood() {
    let body = json!({
        "contents": [{"role": "user", "parts": [{"text": "q"}]}],
        "cachedContent": "cachedContents/x",
        "safetySettings": [{"category": "C", "threshold": "BLOCK_NONE"}],
        "tools": [{"functionDeclarations": [{"name": "f"}]}, {"googleSearch": {}}, {"codeExecution": {}}],
        "toolConfig": {"retrievalConfig": {"languageCode": "en"}},
        "generationConfig": {"responseModalities": ["TEXT"], "thinkingConfig": {"thinkingLevel": "LOW", "includeThoughts": false}},
        "labels": {"a": "b"},
    });
    let prompt = read(&body);
    assert_eq!(written(&prompt, NEW), (body, vec![]));
    let cached = prompt
        .turns
        .iter()
        .flat_map(|turn| &turn.parts)
        .any(|part| matches!(&part.kind, PartKind::Other { name, .. } if name == "cachedContent"));
    assert!(cached, "others find a part that they cannot say");
}

#[test]
fn what_google_signed_comes_back_signed() {
    let picture = json!({"inlineData": {"mimeType": "image/png", "data": "QQ=="}, "thoughtSignature": "c2ln"});
    let body = json!({"contents": [
        {"role": "user", "parts": [{"text": "draw"}]},
        {"role": "model", "parts": [
            {"text": "see", "thoughtSignature": "YQ=="}, picture, {"text": "", "thoughtSignature": "Yg=="},
            {"functionCall": {"id": "i", "name": "f", "args": {}}, "thoughtSignature": "Yw=="},
            {"fileData": {"mimeType": "image/png", "fileUri": "gs://b/d.png"}, "thoughtSignature": "ZA=="},
            {"executableCode": {"code": "1"}, "thoughtSignature": "ZQ=="}]},
        {"role": "user", "parts": [{"functionResponse": {"id": "i", "name": "f", "response": {"a": 1}}}]}]});
    assert_eq!(written(&read(&body), NEW), (body, vec![]));
    let snakes = json!({"contents": [{"role": "model", "parts": [
        {"inline_data": {"mimeType": "image/png", "data": "QQ=="}, "thought_signature": "c2ln"}]}]});
    assert_eq!(written(&read(&snakes), NEW).0["contents"][0]["parts"], json!([picture]));
    // What others sealed never stood beside a picture, and must not reach Google.
    let theirs = Seal { of: Dialect::Anthropic, kind: SealKind::Signature, token: "t".into() };
    let foreign = token(&theirs);
    let body = json!({"contents": [{"role": "user", "parts": [
        {"inlineData": {"mimeType": "image/png", "data": "QQ=="}, "thoughtSignature": foreign}]}]});
    let said = written(&read(&body), NEW).0;
    assert_eq!(said["contents"][0]["parts"][0].get("thoughtSignature"), None);
    let result = json!({"contents": [{"parts": [
        {"functionResponse": {"id": "i", "name": "f", "response": {"a": 1}}, "thoughtSignature": "Yw=="}]}]});
    assert_eq!(written(&read(&result), NEW).1, ["contents.parts.functionResponse.thoughtSignature"]);
}

fn a_part() -> impl Strategy<Value = Part> {
    let words = "[a-z \"\\\\\n\u{e9}]{1,8}";
    prop_oneof![
        (words, proptest::option::of("[a-z]{1,4}"))
            .prop_map(|(text, token)| part(PartKind::Text { text, seal: token.and_then(|token| seal(&token)) })),
        "[A-Za-z]{0,8}".prop_map(|data| part(PartKind::Image {
            source: Source::Inline { media_type: "image/png".into(), data: data.as_str().into() },
            detail: String::new()
        })),
        Just(part(PartKind::Document { source: Source::File("gs://b/d.pdf".into()), name: String::new() })),
        Just(part(PartKind::Audio { data: "QQ==".into(), format: "wav".into() })),
    ]
}

/// A question, and an answer with thoughts, calls and their results.
fn an_exchange() -> impl Strategy<Value = Vec<Turn>> {
    let calls = proptest::collection::vec(("[a-z]{1,4}", any::<i32>(), "[a-z]{1,8}", any::<bool>()), 0..3);
    (proptest::collection::vec(a_part(), 1..4), "[a-z]{1,8}", any::<bool>(), calls).prop_map(
        |(asked, thought, sealed, calls)| {
            let seal = || sealed.then(|| seal("s")).flatten();
            let thought = part(PartKind::Thought(Thought { text: thought, seal: seal() }));
            let (mut said, mut given) = (vec![thought], Vec::new());
            for (at, (name, number, told, failed)) in calls.into_iter().enumerate() {
                let (id, arguments) = (format!("id_{at}"), format!("{{\"n\":{number}}}"));
                said.push(call(&id, &name, &arguments, if at == 0 { seal() } else { None }));
                given.push(result(&id, &name, &told, failed));
            }
            let mut turns = vec![turn(Role::User, asked), turn(Role::Assistant, said)];
            if !given.is_empty() {
                turns.push(turn(Role::User, given));
            }
            turns
        },
    )
}

fn a_prompt() -> impl Strategy<Value = Prompt> {
    let choice = prop_oneof![
        Just(ToolChoice::Auto),
        Just(ToolChoice::None),
        Just(ToolChoice::Required),
        Just(ToolChoice::Named("f".into())),
        Just(ToolChoice::Among { names: ["f".to_owned(), "g".to_owned()].into(), required: true }),
    ];
    let format = prop_oneof![
        Just(Format::Text),
        Just(Format::JsonObject),
        Just(Format::JsonSchema(Demanded {
            name: String::new(),
            schema: r#"{"type":"array","items":{"type":"string"}}"#.into(),
            strict: true
        })),
    ];
    let thinking = prop_oneof![
        Just(None),
        Just(Some(Thinking::Adaptive)),
        (1u64..9999).prop_map(|budget| Some(Thinking::Budget(budget))),
        prop_oneof![Just("low"), Just("medium"), Just("high")].prop_map(|word| Some(Thinking::Effort(word.into()))),
    ];
    let sampling = (
        proptest::option::of(0u64..9999),
        proptest::option::of(0.0f64..2.0),
        proptest::collection::vec("[a-z]{1,3}", 0..3),
    );
    let turns = proptest::collection::vec(an_exchange(), 1..4);
    (turns, any::<bool>(), choice, format, thinking, sampling).prop_map(
        |(exchanges, system, tool_choice, format, thinking, (max_tokens, temperature, stop))| {
            let mut turns: Vec<Turn> = exchanges.into_iter().flatten().collect();
            if system {
                turns.insert(0, turn(Role::System, vec![text("be brief")]));
            }
            let f = Declared {
                description: "d".into(),
                ..declared("f", Some(r#"{"type":"object","properties":{"b":{},"a":{}}}"#))
            };
            Prompt {
                turns,
                tools: vec![f, declared("g", None)],
                tool_choice,
                format,
                thinking,
                sampling: Sampling { max_tokens, temperature, stop, ..Sampling::default() },
                stream_usage: true,
                ..Prompt::default()
            }
        },
    )
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(prompt in a_prompt()) {
        let body = write_prompt(&prompt, NEW).expect("sayable").body;
        prop_assert_eq!(read_prompt(&body), Ok(prompt));
    }

    #[test]
    fn no_request_panics(
        key in "(contents|parts|tools|role|text|functionCall|generationConfig|functionResponse|args|inlineData)",
        bytes in proptest::collection::vec(any::<u8>(), 0..80),
        word in "\\PC{0,12}",
    ) {
        let _ = (read_prompt(&bytes), terms(&bytes));
        for value in [json!(word), json!([word]), json!({"parts": [{(&key): word}]}), json!({(&key): [{}]})] {
            let raw = json!({"contents": [{(&key): value, "parts": [value]}], (&key): value}).to_string();
            if let Ok(prompt) = read_prompt(raw.as_bytes()) {
                let _ = write_prompt(&prompt, &word);
            }
        }
    }
}
