//! What is written is read again.

use super::super::{Server, read_prompt, write_prompt};
use super::*;
use llm::{Declared, Demanded, Format, Other, Prompt, Sampling, Takes, Thinking, ToolChoice};
use proptest::prelude::*;

fn words() -> impl Strategy<Value = String> {
    "(\\PC|\n){1,8}"
}

fn sealing() -> impl Strategy<Value = Seal> {
    let of = prop_oneof![Just(Dialect::Anthropic), Just(Dialect::Responses), Just(Dialect::OpenAiChat)];
    let kind = prop_oneof![Just(SealKind::Signature), Just(SealKind::Encrypted)];
    (of, kind, "[a-z]{1,4}").prop_map(|(of, kind, token)| seal(of, kind, &token))
}

fn user_part() -> impl Strategy<Value = Part> {
    let kind = prop_oneof![
        words().prop_map(|text| PartKind::Text { text, seal: None }),
        ("https://[a-z]{1,8}", "(low|high|)")
            .prop_map(|(url, detail)| PartKind::Image { source: Source::Url(url), detail }),
        "[A-Za-z0-9+/]{1,8}"
            .prop_map(|data| PartKind::Image { source: inline("image/png", &data), detail: String::new() }),
        ("[A-Za-z0-9]{1,8}", "(wav|mp3)").prop_map(|(data, format)| PartKind::Audio { data: data.into(), format }),
        ("[a-z]{1,5}", words())
            .prop_map(|(data, name)| PartKind::Document { source: inline("application/pdf", &data), name }),
        "[a-z]{1,5}".prop_map(|id| PartKind::Document { source: Source::File(id), name: String::new() }),
    ];
    (kind, any::<bool>())
        .prop_map(|(kind, marked)| Part { kind, cache: marked.then(|| r#"{"type":"ephemeral"}"#.into()) })
}

fn assistant_turn() -> impl Strategy<Value = Turn> {
    let thoughts = proptest::collection::vec((words(), sealing()), 0..3);
    let calls = proptest::collection::vec(("[a-z]{1,5}", words()), 0..3);
    (thoughts, proptest::option::of(words()), calls).prop_map(|(thoughts, said, calls)| {
        let mut parts: Vec<Part> = thoughts.into_iter().map(|(text, seal)| thought(&text, Some(seal))).collect();
        parts.extend(said.as_deref().or(calls.is_empty().then_some("")).map(text));
        if parts.len() > 1 {
            parts.retain(|part| *part != text(""));
        }
        parts.extend(
            calls.iter().zip(0..).map(|((name, arguments), at)| part(call(&format!("id-{at}"), name, arguments))),
        );
        turn(Role::Assistant, parts)
    })
}

fn prompts() -> impl Strategy<Value = Prompt> {
    let tool = ("[a-z]{1,5}", words(), any::<bool>(), proptest::option::of(any::<bool>())).prop_map(
        |(name, description, schema, strict)| Declared {
            name,
            description,
            takes: Takes::Json(schema.then(|| r#"{"type":"object"}"#.into())),
            strict,
            cache: None,
        },
    );
    let user = proptest::collection::vec(user_part(), 1..4).prop_map(|parts| turn(Role::User, parts));
    let turns = proptest::collection::vec(
        prop_oneof![user, assistant_turn(), words().prop_map(|said| turn(Role::System, vec![text(&said)]))],
        1..6,
    );
    let sampling = (any::<Option<u32>>(), any::<Option<i64>>(), proptest::collection::vec(words(), 0..4), 0u32..9)
        .prop_map(|(max_tokens, seed, stop, logprobs)| Sampling {
            max_tokens: max_tokens.map(Into::into),
            seed,
            stop,
            temperature: Some(f64::from(logprobs) / 4.0),
            top_k: Some(logprobs.into()),
            choices: Some(logprobs + 2),
            presence_penalty: Some(0.5),
            logprobs: Some(logprobs),
            ..Sampling::default()
        });
    let thinking = proptest::option::of(prop_oneof![
        Just(Thinking::Off),
        Just(Thinking::Adaptive),
        "(low|high)".prop_map(Thinking::Effort),
        any::<u32>().prop_map(|most| Thinking::Budget(most.into())),
    ]);
    let format = prop_oneof![
        Just(Format::Text),
        Just(Format::JsonObject),
        any::<bool>().prop_map(|strict| {
            Format::JsonSchema(Demanded { name: "n".into(), schema: r#"{"a":[1]}"#.into(), strict })
        }),
    ];
    (turns, proptest::collection::vec(tool, 1..3), sampling, thinking, format, any::<bool>()).prop_map(
        |(turns, tools, sampling, thinking, format, stream)| Prompt {
            turns,
            tool_choice: ToolChoice::Named(tools[0].name.clone()),
            tools,
            parallel_calls: Some(stream),
            format,
            sampling,
            thinking,
            stream,
            stream_usage: stream,
            user: "u".into(),
            others: vec![Other { name: "logit_bias".into(), json: r#"{"7":1}"#.into() }],
        },
    )
}

proptest! {
    /// OpenRouter's server takes all that a prompt here can hold.
    #[test]
    fn what_is_written_is_read_again(prompt in prompts()) {
        let written = write_prompt(&prompt, "gpt", &Server::OPENROUTER).expect("sayable");
        prop_assert_eq!(&written.left_out, &Vec::<String>::new());
        prop_assert_eq!(read_prompt(&written.body), Ok(prompt));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read_prompt(&bytes);
    }
}
