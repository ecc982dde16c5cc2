//! What holds of every request that is written.

use super::*;
use crate::bedrock::prompt::ids::fits;
use proptest::prelude::*;

fn words() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[ \n]{1,3}", "[a-z.:é\"\\\\]{1,8}", "[a-zA-Z0-9_-]{60,70}", "\\PC{0,12}"]
}

fn source() -> impl Strategy<Value = Source> {
    prop_oneof![
        Just(inline("image/png")),
        Just(inline("application/pdf")),
        words().prop_map(Source::Text),
        words().prop_map(Source::Url),
    ]
}

fn seal() -> impl Strategy<Value = Option<Seal>> {
    let kind = prop_oneof![Just(SealKind::Signature), Just(SealKind::Encrypted)];
    let of = prop_oneof![Just(Dialect::Anthropic), Just(Dialect::Gemini)];
    prop::option::of((of, kind, words()).prop_map(|(of, kind, token)| Seal { of, kind, token: token.into() }))
}

fn kind() -> impl Strategy<Value = PartKind> {
    let flat = prop_oneof![
        4 => words().prop_map(|text| PartKind::Text { text, seal: None }),
        1 => source().prop_map(|source| PartKind::Image { source, detail: String::new() }),
        1 => (source(), words()).prop_map(|(source, name)| PartKind::Document { source, name }),
        1 => words().prop_map(PartKind::Refusal),
    ];
    let flat = flat.boxed();
    let parts = prop::collection::vec(flat.clone().prop_map(part), 0..3);
    prop_oneof![
        4 => flat,
        1 => (words(), seal()).prop_map(|(text, seal)| PartKind::Thought(Thought { text, seal })),
        1 => (words(), words(), words(), any::<bool>()).prop_map(|(id, name, arguments, free)| {
            PartKind::Call { id, name, arguments, free, seal: None }
        }),
        1 => (words(), words(), parts, any::<bool>()).prop_map(|(call, name, parts, failed)| {
            PartKind::Result { call, name, parts, failed }
        }),
    ]
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let role = prop_oneof![
        1 => Just(Role::System), 1 => Just(Role::Developer), 4 => Just(Role::User), 4 => Just(Role::Assistant),
    ];
    let mark = prop::option::of(Just(r#"{"type":"ephemeral"}"#.into()));
    let part = (kind(), mark).prop_map(|(kind, cache)| Part { kind, cache });
    // Mostly what each may say: else hardly anything would be written.
    let said = |role: Role, part: &Part| match part.kind {
        PartKind::Text { .. } => true,
        PartKind::Refusal(_) | PartKind::Thought(_) | PartKind::Call { .. } => role == Role::Assistant,
        _ => role == Role::User,
    };
    let turn = (role, prop::collection::vec(part, 0..5))
        .prop_map(move |(role, parts)| turn(role, parts.into_iter().filter(|part| said(role, part)).collect()));
    prop::collection::vec(turn, 0..8)
}

fn check(body: &Value) {
    let messages = body["messages"].as_array().expect("messages");
    for (at, message) in messages.iter().enumerate() {
        assert_eq!(message["role"], if at % 2 == 0 { "user" } else { "assistant" });
        let content = message["content"].as_array().expect("content");
        assert!(!content.is_empty());
        let results =
            content.iter().take_while(|block| !block["toolResult"].is_null() || !block["cachePoint"].is_null());
        let all = content.iter().filter(|block| !block["toolResult"].is_null()).count();
        assert_eq!(results.filter(|block| !block["toolResult"].is_null()).count(), all, "results come first");
        for block in content {
            assert_eq!(block.as_object().map(serde_json::Map::len), Some(1), "one entry names a block");
            if let Some(text) = block["text"].as_str() {
                assert!(!text.trim().is_empty());
            }
            for id in [&block["toolUse"]["toolUseId"], &block["toolUse"]["name"], &block["toolResult"]["toolUseId"]] {
                assert!(id.as_str().is_none_or(fits), "{id}");
            }
            assert!(block["toolUse"].is_null() || block["toolUse"]["input"].is_object());
        }
    }
    let called = body["messages"].to_string().contains("\"toolUseId\"");
    assert!(!called || body["toolConfig"]["tools"].as_array().is_some_and(|tools| !tools.is_empty()));
}

proptest! {
    #[test]
    fn whatever_is_asked_is_refused_or_a_request(
        turns in turns(),
        names in prop::collection::vec(words(), 0..2),
        json in prop_oneof![Just(None), words().prop_map(Some)],
        choice in 0..4,
        model in prop_oneof![Just(CLAUDE), Just(NEW_CLAUDE), Just(NOVA), Just(LLAMA)],
    ) {
        let tools = names.iter().map(|name| Declared { takes: Takes::Json(json.clone().map(Into::into)), ..tool(name) });
        let tool_choice = match choice {
            0 => ToolChoice::None,
            1 => ToolChoice::Required,
            2 => ToolChoice::Named(names.first().cloned().unwrap_or_default()),
            _ => ToolChoice::Auto,
        };
        let others = json.iter().map(|json| Other { name: "additionalModelRequestFields".into(), json: (**json).into() });
        let prompt =
            Prompt { turns, tools: tools.collect(), tool_choice, others: others.collect(), ..Prompt::default() };
        if let Ok(written) = write_prompt(&prompt, model) {
            check(&serde_json::from_slice(&written.body).expect("JSON"));
        }
    }

    #[test]
    fn a_conversation_in_its_words_is_always_written(turns in turns(), model in prop_oneof![Just(CLAUDE), Just(LLAMA)]) {
        let mut prompt = saying(turns);
        for turn in &mut prompt.turns {
            turn.parts.retain(|part| {
                !matches!(part.kind, PartKind::Image { .. } | PartKind::Document { .. } | PartKind::Result { .. })
            });
        }
        let written = write_prompt(&prompt, model);
        prop_assert!(written.is_ok(), "{written:?}");
        check(&serde_json::from_slice(&written.expect("checked").body).expect("JSON"));
    }
}
