//! What is taken out of answers, what stays a violation, and that both are told apart in one and the same way.

use bytes::Bytes;
use contracts::{Action, Check, Contract, Entity, Judgement, Policy, Redacted};
use dialects::openai_chat::{self, Assembler, each_data, read_answer};
use llm::{Answer, Choice, FinishReason, Lane, Terms, ToolCall};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::Arc;

const MAIL: &str = "ada@example.org";

fn policy() -> Policy {
    Policy {
        require: [Check::Pii, Check::Secrets].into(),
        pii: [Entity::EmailAddress, Entity::CreditCard, Entity::UsSsn].into(),
        pii_action: Action::Redact,
        secrets_action: Action::Redact,
        ..Policy::default()
    }
}

fn choice() -> Choice {
    Choice { finish: Some(FinishReason::Stop), ..Choice::default() }
}

fn calling(arguments: &str, free: bool) -> Choice {
    let call = ToolCall { id: "1".into(), name: "f".into(), arguments: arguments.into(), free };
    Choice { calls: vec![call], ..choice() }
}

/// The judgement before, what was redacted, and the judgement behind.
fn redact(policy: Policy, choice: Choice) -> (Judgement, Option<Redacted>, Judgement) {
    let contract = Contract::new(policy, Arc::default()).expect("sound");
    let terms = Terms::default();
    let bound = contract.bind(&terms, "m");
    let answer = Answer { model: "m".into(), choices: vec![choice] };
    let redacted = bound.redacted(&answer);
    let after = bound.check(redacted.as_ref().map_or(&answer, |redacted| &redacted.answer));
    (bound.check(&answer), redacted, after)
}

#[test]
fn words_of_every_lane() {
    let token = ["sk-", "proj-abcdefghij0123456789"].concat();
    for (words, expected, taken) in [
        (
            "é ada@example.org, 4111111111111111 and 10.0.0.1.".to_owned(),
            "é <EMAIL_ADDRESS>, <CREDIT_CARD> and 10.0.0.1.",
            2,
        ),
        (format!("{token}."), "<OPENAI_KEY>.", 1),
        (format!("{MAIL} {MAIL}"), "<EMAIL_ADDRESS> <EMAIL_ADDRESS>", 1),
        // JSON stays JSON, whatever its escapes are.
        (r#"{"a":"\n078-05-1121\"","b":"\u00e9"}"#.to_owned(), r#"{"a":"\n<US_SSN>\"","b":"\u00e9"}"#, 1),
        (r#"{"a":"ada\u0040example.org"}"#.to_owned(), r#"{"a":"<EMAIL_ADDRESS>"}"#, 1),
        (r#"{"ada@example.org":"\n"}"#.to_owned(), r#"{"<EMAIL_ADDRESS>":"\n"}"#, 1),
        (r#"{"a":4111111111111111,"b":"\n"}"#.to_owned(), r#"{"a":<CREDIT_CARD>,"b":"\n"}"#, 1),
    ] {
        for lane in Lane::ALL {
            let mut said = choice();
            said.words_mut(lane).clone_from(&words);
            let (before, redacted, after) = redact(policy(), said);
            let redacted = redacted.expect("something");
            assert_eq!(redacted.answer.choices[0].words(lane), expected, "{lane:?}");
            assert_eq!(redacted.taken.len(), taken, "{words}");
            assert!(before.holds() && !before.marks.is_empty(), "{words}: {before:?}");
            assert!(after.holds() && after.marks.is_empty(), "{words}: {after:?}");
        }
    }
}

#[test]
fn arguments_stay_what_they_are() {
    for (arguments, free, expected, holds) in [
        (r#"{"to": "ada@example.org"}"#, false, Some(r#"{"to": "<EMAIL_ADDRESS>"}"#), true),
        (
            r#"{"to":["Ada <ada\u0040example.org>","\n078-05-1121"]}"#,
            false,
            Some(r#"{"to":["Ada <<EMAIL_ADDRESS>>","\n<US_SSN>"]}"#),
            true,
        ),
        (r#"{"card":4111111111111111}"#, false, None, false),
        (r#"{"ada@example.org":1}"#, false, None, false),
        (r#"{"ada\u0040example.org":1}"#, false, None, false),
        (
            r#"{"to":"ada@example.org","ada@example.org":1}"#,
            false,
            Some(r#"{"to":"<EMAIL_ADDRESS>","ada@example.org":1}"#),
            false,
        ),
        (r#"{"to":"ada@example.org"#, false, None, false),
        ("ada@example.org", false, None, false),
        ("ada@example.org", true, Some("<EMAIL_ADDRESS>"), true),
        (r#"{"to":"Ada"}"#, false, None, true),
    ] {
        let (before, redacted, after) = redact(policy(), calling(arguments, free));
        let found = redacted.map(|redacted| redacted.answer.choices[0].calls[0].arguments.clone());
        assert_eq!(found.as_deref(), expected, "{arguments}");
        assert_eq!((before.holds(), after.holds()), (holds, holds), "{arguments}: {before:?} {after:?}");
        assert!(after.marks.is_empty(), "{arguments}: {after:?}");
    }
}

#[test]
fn only_what_the_policy_takes_out_goes() {
    let both = format!("{MAIL} {}", ["ghp_", &"a1B2".repeat(9)].concat());
    let said = || Choice { text: both.clone(), ..choice() };
    let pii = Policy { secrets_action: Action::Fail, ..policy() };
    let (before, redacted, after) = redact(pii, said());
    assert!(!before.holds() && !after.holds() && before.marks.len() == 1 && after.marks.is_empty());
    assert_eq!(redacted.expect("one").taken, [MAIL.to_owned()].into());
    let neither = Policy { pii_action: Action::Fail, secrets_action: Action::Fail, ..policy() };
    assert_eq!(redact(neither, said()).1, None);
    let unsearched = Policy { require: [Check::Loop].into(), ..policy() };
    assert_eq!(redact(unsearched, said()).1, None);
    let large = Choice { text: format!("{MAIL} {}", "x".repeat(1 << 20)), ..choice() };
    let (before, redacted, _) = redact(policy(), large);
    assert!(redacted.is_none() && !before.holds(), "what is not searched is not vouched for");
    let many = Choice { text: (0..40_000).map(|n| format!("ada{n}@example.org ")).collect(), ..choice() };
    let (_, redacted, after) = redact(policy(), many);
    assert!(after.holds() && after.marks.is_empty() && redacted.expect("all").taken.len() == 40_000);
}

/// From bytes to bytes, whole and in single characters.
#[test]
fn what_leaves_is_judged_clean() {
    let contract = Contract::new(policy(), Arc::default()).expect("sound");
    let terms = Terms::default();
    let bound = contract.bind(&terms, "m");
    let arguments = format!(r#"{{"to":"{MAIL}"}}"#);
    let words = format!("Ask {MAIL}.");
    let call =
        |arguments: &str| json!([{ "index": 0, "id": "1", "function": { "name": "f", "arguments": arguments } }]);
    let message = json!({ "content": words, "refusal": words, "reasoning": words, "tool_calls": call(&arguments) });
    let body =
        Bytes::from(json!({ "model": "m", "choices": [{ "message": message, "finish_reason": "stop" }] }).to_string());
    let before = read_answer(&body).expect("an answer");
    let redacted = bound.redacted(&before).expect("something");
    let whole = openai_chat::redacted(&body, &before, &redacted.answer, &redacted.taken).expect("written");
    let event = |delta: Value| format!("data: {}\n\n", json!({ "model": "m", "choices": [{ "delta": delta }] }));
    let mut held = String::new();
    for field in ["content", "refusal", "reasoning"] {
        held.extend(words.chars().map(|c| event(json!({ field: c }))));
    }
    held += &event(json!({ "tool_calls": call("") }));
    let part = |c: char| json!([{ "index": 0, "function": { "arguments": c } }]);
    held.extend(arguments.chars().map(|c| event(json!({ "tool_calls": part(c) }))));
    held += "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
    let streamed = openai_chat::redacted_stream(held.as_bytes(), &before, &redacted.answer, &redacted.taken);
    let mut assembler = Assembler::default();
    each_data(&streamed.expect("written"), |data| assembler.push(data)).expect("events");
    for left in [read_answer(&whole).expect("an answer"), assembler.finish()] {
        assert_eq!(left, redacted.answer);
        assert!(
            bound.check(&left).holds() && bound.check(&left).marks.is_empty() && !format!("{left:?}").contains(MAIL)
        );
    }
}

/// Words, keys and escapes around what has to go, as text or as JSON.
fn words() -> impl Strategy<Value = String> {
    let thing = prop_oneof![
        Just(MAIL.to_owned()),
        Just("078-05-1121".to_owned()),
        Just("4111 1111 1111 1111".to_owned()),
        Just("-----BEGIN ".to_owned() + "PRIVATE KEY-----\nMIIE"),
        Just("sk-".to_owned() + "ant-api03-abcdefghij0123456789"),
        "[a-z<>@.\"\\\\ \n]{0,6}",
        "\\PC{0,3}",
    ];
    proptest::collection::vec(thing, 0..5).prop_map(|things| things.concat())
}

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        words().prop_map(Value::from),
        any::<u32>().prop_map(Value::from),
        Just(4_111_111_111_111_111u64.into())
    ];
    let nested = leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(words(), inner, 0..4)
                .prop_map(|fields| fields.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    });
    (nested, any::<bool>()).prop_map(|(value, escaped)| {
        let json = value.to_string();
        if escaped { json.replace('@', "\\u0040").replace('-', "\\u002d") } else { json }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    /// An answer that was redacted and is judged again holds, but for what is in keys and numbers of arguments, and has
    /// nothing left to take out.
    #[test]
    fn what_goes_is_gone(text in prop_oneof![words(), json()], thought in words(), arguments in json(), free in any::<bool>()) {
        let said = Choice { text, reasoning: thought.clone(), refusal: thought, ..calling(&arguments, free) };
        let (before, redacted, after) = redact(Policy { pii: [].into(), ..policy() }, said.clone());
        prop_assert!(after.marks.is_empty(), "{:?} {:?} {:?}", said, redacted, after);
        prop_assert_eq!(before.violations.len() + before.marks.len() > 0, redacted.is_some() || !after.holds());
        let in_call = |found: &contracts::Finding| matches!(found.place, contracts::Place::Call(..));
        prop_assert!(after.violations.iter().all(in_call) && (!free || after.holds()), "{:?} {:?}", said, after);
        if let Some(Redacted { answer, taken }) = redacted {
            prop_assert!(!taken.is_empty());
            let arguments = &answer.choices[0].calls[0].arguments;
            prop_assert!(free || serde_json::from_str::<Value>(arguments).is_ok(), "{}", arguments);
            for lane in [Lane::Refusal, Lane::Reasoning] {
                prop_assert!(answer.choices[0].words(lane).len() == said.words(lane).len() || answer.choices[0].words(lane).contains('<'));
            }
        }
    }
}
