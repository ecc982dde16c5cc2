//! Requests written and read again.

use super::super::{read_prompt, write_prompt};
use super::{call, part, result, turn, words};
use llm::{
    Declared, Demanded, Dialect, Format, Other, Part, PartKind, Prompt, Role, Sampling, Seal, SealKind, Source, Takes,
    Thinking, Thought, ToolChoice, Turn,
};
use proptest::prelude::*;

const MARK: &str = r#"{"type":"ephemeral"}"#;

fn marked(kind: PartKind, mark: bool) -> Part {
    Part { kind, cache: mark.then(|| MARK.into()) }
}

fn users() -> impl Strategy<Value = Vec<Part>> {
    let source = prop_oneof![
        Just(Source::Inline { media_type: "image/png".into(), data: "QUJD".into() }),
        Just(Source::Url("https://x/y".into())),
        Just(Source::File("file_1".into())),
    ];
    let kind = prop_oneof![
        "[a-z\"é😀]{1,6}".prop_map(|text| words(&text)),
        source.prop_map(|source| PartKind::Image { source, detail: String::new() }),
        "[a-z]{0,3}".prop_map(|name| PartKind::Document { source: Source::Text("x".into()), name }),
        Just(PartKind::Other { name: "search_result".into(), json: r#"{"type":"search_result","source":"s"}"#.into() }),
    ];
    let marks = |kind: &PartKind| !matches!(kind, PartKind::Other { .. });
    let part = (kind, any::<bool>()).prop_map(move |(kind, mark)| {
        let mark = mark && marks(&kind);
        marked(kind, mark)
    });
    proptest::collection::vec(part, 1..4)
}

fn thoughts() -> impl Strategy<Value = Vec<Part>> {
    let thought = ("[a-z]{0,4}", any::<bool>()).prop_map(|(text, signed)| {
        let kind = if signed { SealKind::Signature } else { SealKind::Encrypted };
        let text = if signed { text } else { String::new() };
        let seal = Some(Seal { of: Dialect::Anthropic, kind, token: "tok".into() });
        part(PartKind::Thought(Thought { text, seal }))
    });
    proptest::collection::vec(thought, 0..3)
}

/// A user, an assistant who calls, and results, some times over; a user has the last word.
fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let exchange = (users(), thoughts(), "[a-z]{1,5}", 0usize..3).prop_map(|(asked, thoughts, text, calls)| {
        let spoken = |role, parts| Turn { role, name: String::new(), parts };
        let mut said = thoughts;
        said.push(part(words(&text)));
        let id = |n: usize| format!("toolu_{n}");
        said.extend((0..calls).map(|n| part(call(&id(n), "f", r#"{"x": [1]}"#))));
        let results: Vec<Part> = (0..calls).map(|n| part(result(&id(n), "f", "1"))).collect();
        let mut turns = vec![spoken(Role::User, asked), spoken(Role::Assistant, said)];
        if !results.is_empty() {
            turns.push(spoken(Role::User, results));
            turns.push(turn(Role::Assistant, vec![words("so")]));
        }
        turns
    });
    (any::<bool>(), proptest::collection::vec(exchange, 0..3), users()).prop_map(|(system, exchanges, last)| {
        let system =
            system.then(|| Turn { parts: vec![marked(words("be brief"), true)], ..turn(Role::System, vec![]) });
        let last = Turn { role: Role::User, name: String::new(), parts: last };
        system.into_iter().chain(exchanges.into_iter().flatten()).chain([last]).collect()
    })
}

fn prompts() -> impl Strategy<Value = Prompt> {
    let choice = prop_oneof![
        Just(ToolChoice::Auto),
        Just(ToolChoice::None),
        Just(ToolChoice::Required),
        Just(ToolChoice::Named("f".into())),
    ];
    let thinking = proptest::option::of(prop_oneof![
        Just(Thinking::Off),
        Just(Thinking::Adaptive),
        Just(Thinking::Effort("high".into())),
        Just(Thinking::Budget(2000)),
    ]);
    let sampling = (1u64..99_999, proptest::option::of(0u64..50), proptest::collection::vec("[a-z]{1,3}", 0..3));
    (turns(), choice, any::<[bool; 4]>(), thinking, sampling).prop_map(
        |(turns, tool_choice, [one, form, stream, named], thinking, (max_tokens, top_k, stop))| {
            let tool = Declared {
                name: "f".into(),
                description: "does".into(),
                takes: Takes::Json(Some(r#"{"type": "object"}"#.into())),
                strict: Some(true),
                cache: Some(MARK.into()),
            };
            let parallel_calls = (one && tool_choice != ToolChoice::None).then_some(false);
            let forced = matches!(tool_choice, ToolChoice::Required | ToolChoice::Named(_));
            let thinking = thinking.filter(|thinking| !forced || *thinking == Thinking::Off);
            let thinks = thinking.as_ref().is_some_and(|thinking| *thinking != Thinking::Off);
            let schema = Demanded { name: String::new(), schema: r#"{"type":"object"}"#.into(), strict: true };
            Prompt {
                turns,
                tools: vec![tool],
                tool_choice,
                parallel_calls,
                format: if form { Format::JsonSchema(schema) } else { Format::Text },
                sampling: Sampling {
                    max_tokens: Some(max_tokens.max(4096)),
                    top_k: top_k.filter(|_| !thinks),
                    temperature: (!thinks).then_some(0.5),
                    stop,
                    ..Sampling::default()
                },
                thinking,
                stream,
                stream_usage: stream,
                user: if named { "u-1".into() } else { String::new() },
                others: vec![Other { name: "context_management".into(), json: r#"{"edits":[]}"#.into() }],
            }
        },
    )
}

proptest! {
    #[test]
    fn a_request_comes_back_as_it_was(prompt in prompts()) {
        // Takes every way to think, and is sampled.
        let written = write_prompt(&prompt, "claude-opus-4-6").expect("sayable");
        prop_assert!(written.left_out.is_empty(), "{:?}", written.left_out);
        prop_assert_eq!(read_prompt(&written.body).expect("readable"), prompt);
    }
}
