//! Streams that are watched, however they are cut; answers and policies that mean harm; any answer whatever.

use contracts::{Check, Code, Contract, FINDINGS, Language, MESSAGE, Pattern, Policy, Watch, reask};
use llm::{Answer, Choice, Demanded, FinishReason, Format, Lane, Takes, Terms, Tool, ToolCall, ToolChoice};
use proptest::prelude::*;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Everything at once.
fn everything() -> Policy {
    let pattern = |regex: &str| Pattern { name: regex.into(), regex: regex.into() };
    Policy {
        require: Check::ALL.iter().copied().collect(),
        deny: vec![pattern(r"\bforbidden\b"), pattern("(a+)+b$")],
        must_match: vec![pattern("x")],
        languages: [Language::English].into(),
        max_chars: Some(100_000_000),
        repair_numbers: true,
        ..Policy::default()
    }
}

fn watched() -> Policy {
    let require = [Check::Loop, Check::Deny, Check::Pii, Check::Secrets, Check::MaxChars].into();
    Policy { require, max_chars: Some(5000), ..everything() }
}

fn contract(policy: Policy) -> Arc<Contract> {
    Arc::new(Contract::new(policy, Arc::default()).expect("sound"))
}

fn said(text: &str) -> Answer {
    said_in(Lane::Text, text)
}

fn said_in(lane: Lane, words: &str) -> Answer {
    let mut choice = Choice { finish: Some(FinishReason::Stop), ..Choice::default() };
    words.clone_into(choice.words_mut(lane));
    Answer { model: "m".into(), choices: vec![choice] }
}

/// What a watch finds in words that come in pieces of so many characters.
fn streamed(contract: &Arc<Contract>, lane: Lane, text: &str, next: &mut dyn FnMut() -> usize) -> Option<Code> {
    let mut watch = Watch::new(Arc::clone(contract));
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.char_indices().nth(next()).map_or(rest.len(), |(at, _)| at);
        let (now, later) = rest.split_at(end);
        if let Some(found) = watch.push(0, lane, now) {
            return Some(found.code);
        }
        rest = later;
    }
    watch.finish().map(|found| found.code)
}

/// Words without end that say nothing.
fn filler(length: usize) -> String {
    (0u64..)
        .flat_map(|n| format!("w{} ", n.wrapping_mul(2_654_435_761) % 10_007).into_bytes())
        .take(length)
        .map(char::from)
        .collect()
}

#[test]
fn a_watched_stream_is_judged_as_the_whole_wherever_things_stand() {
    let contract = contract(watched());
    let terms = Terms::default();
    let key = ["sk-", "proj-abcdefghij0123456789"].concat();
    let things = [
        "forbidden",
        "ada@example.org",
        "4111 1111 1111 1111",
        "DE89 3704 0044 0532 0130 00",
        &key,
        "unforbidden",
        "é",
    ];
    let places = [0, 1, 200, 247, 250, 255, 256, 257, 300, 511, 512, 2040, 2304, 2305, 4000];
    for (thing, before) in things.into_iter().flat_map(|thing| places.map(|before| (thing, before))) {
        for (behind, lane) in [0, 1, 300].into_iter().flat_map(|behind| Lane::ALL.map(|lane| (behind, lane))) {
            let text = format!("{} {thing} {}", filler(before), filler(behind));
            let text = if behind == 0 { text.trim_end() } else { &text };
            let found = contract.bind(&terms, "m").check(&said_in(lane, text)).violations;
            let whole = found.first().map(|found| found.code);
            let mut rng = fastrand::Rng::with_seed(before as u64);
            let told = format!("{thing} behind {before} in {lane:?}");
            assert_eq!(streamed(&contract, lane, text, &mut || 1), whole, "{told} in characters");
            assert_eq!(streamed(&contract, lane, text, &mut || rng.usize(1..400)), whole, "{told}");
            assert_eq!(streamed(&contract, lane, text, &mut || 1 << 20), whole, "{told} at once");
        }
    }
}

#[test]
fn a_stream_ends_soon_after_what_breaks_it() {
    let contract = contract(watched());
    let mut watch = Watch::new(Arc::clone(&contract));
    let text = format!("{} forbidden {}", filler(1000), filler(4000));
    let at = text
        .char_indices()
        .position(|(at, c)| watch.push(0, Lane::Text, c.encode_utf8(&mut [0; 4])).is_some() && at > 0);
    let at = at.expect("found");
    assert!((1009..1009 + 300).contains(&at), "{at}");
    let mut watch = Watch::new(contract);
    let same = (0..200).position(|_| watch.push(0, Lane::Text, ". ").is_some());
    assert_eq!(same, Some(99), "the same piece for the hundredth time");
}

#[test]
fn much_is_bounded() {
    let contract = contract(everything());
    let tool = Tool { name: "f".into(), takes: Takes::Json(Some("{}".into())) };
    let terms = Terms { format: Format::JsonObject, tools: vec![tool], ..Terms::default() };
    let call = |arguments: String| ToolCall { id: "1".into(), name: "f".into(), arguments, free: false };
    let ten = 10 << 20;
    for text in [
        "a".repeat(ten),
        "[".repeat(ten),
        format!("[{}1]", "1,".repeat(ten / 2)),
        format!("{{\"a\":\"{}\"}}", "x".repeat(ten)),
        "{\"a\":".repeat(ten / 5),
        "```json\n".repeat(ten / 8),
        "sk-".repeat(ten / 3),
        "1 ".repeat(ten / 2),
        "[doc-1]".repeat(ten / 7),
    ] {
        let begun = Instant::now();
        let mut answer = said(&text);
        let judgement = contract.bind(&terms, "m").check(&answer);
        assert!(!judgement.holds() && judgement.violations.len() <= FINDINGS);
        assert!(contract.bind(&terms, "m").repair(&answer).is_none());
        assert!(reask(&judgement.violations).len() <= 4096);
        answer.choices[0].calls = vec![call(text.clone())];
        assert!(!contract.bind(&terms, "m").check(&answer).holds());
        assert!(streamed(&contract, Lane::Text, &text, &mut || 1000).is_some());
        assert!(begun.elapsed() < Duration::from_secs(30), "{text:.20} took {:?}", begun.elapsed());
    }
}

fn choices() -> impl Strategy<Value = Choice> {
    let text = prop_oneof!["\\PC{0,40}", r#"[\{\}\[\]",:0-9a-z `]{0,60}"#, Just(r#"{"a":"1"}"#.to_owned())];
    let call = ("[fg]", text.clone(), any::<bool>()).prop_map(|(name, arguments, free)| ToolCall {
        id: name.clone(),
        name,
        arguments,
        free,
    });
    let finish = proptest::option::of(prop_oneof![
        Just(FinishReason::Stop),
        Just(FinishReason::Length),
        Just(FinishReason::ToolCalls),
        Just(FinishReason::ContentFilter),
        Just(FinishReason::Other)
    ]);
    (0u32..3, text, "n?", "h?", proptest::collection::vec(call, 0..3), finish).prop_map(
        |(index, text, refusal, reasoning, calls, finish)| Choice {
            index,
            text,
            refusal,
            calls,
            finish,
            reasoning,
            ..Choice::default()
        },
    )
}

fn demands() -> impl Strategy<Value = Terms> {
    let schema = prop_oneof![
        Just("{}"),
        Just(r#"{"properties":{"a":{"type":"integer"}}}"#),
        Just(r#"{"$ref":"x"}"#),
        Just("not JSON")
    ];
    let format = prop_oneof![Just(0u8), Just(1), Just(2)];
    (schema, format, any::<bool>(), any::<bool>()).prop_map(|(schema, format, tools, one_call)| Terms {
        format: match format {
            0 => Format::Text,
            1 => Format::JsonObject,
            _ => Format::JsonSchema(Demanded { name: String::new(), schema: schema.into(), strict: true }),
        },
        tools: if tools { vec![Tool { name: "f".into(), takes: Takes::Json(Some(schema.into())) }] } else { vec![] },
        tool_choice: if one_call { ToolChoice::Required } else { ToolChoice::Auto },
        one_call,
        citable: ["doc-1".to_owned()].into(),
    })
}

proptest! {
    /// There is a judgement of every answer, it is bounded, it is the same each time, and what is mended satisfies it.
    #[test]
    fn judging_is_total(choices in proptest::collection::vec(choices(), 0..3), terms in demands(), all in any::<bool>()) {
        let contract = contract(if all { everything() } else { Policy { repair_numbers: true, ..Policy::default() } });
        let bound = contract.bind(&terms, "m");
        let answer = Answer { model: "m".into(), choices };
        let judgement = bound.check(&answer);
        prop_assert_eq!(&judgement, &bound.check(&answer));
        prop_assert!(judgement.violations.iter().chain(&judgement.marks).all(|found| found.message.len() <= MESSAGE));
        prop_assert!(judgement.violations.iter().all(|found| judgement.made.contains(&found.check)));
        if let Some(repaired) = bound.repair(&answer) {
            prop_assert!(!judgement.holds() && bound.check(&repaired.answer).holds());
        }
    }

    /// What is watched in pieces is judged as the whole.
    #[test]
    fn watching_is_judging(
        text in "([a-z]{1,9} |forbidden |ada@example\\.org |\u{e9}){0,300}", cut in 1usize..300, lane in 0usize..3,
    ) {
        let lane = Lane::ALL[lane];
        let contract = contract(watched());
        let terms = Terms::default();
        let whole = contract.bind(&terms, "m").check(&said_in(lane, &text)).violations;
        let found = streamed(&contract, lane, &text, &mut || cut);
        prop_assert_eq!(found.is_some(), !whole.is_empty());
        prop_assert!(found.is_none_or(|code| whole.iter().any(|other| other.code == code)));
    }
}
