//! What is mended, what is not, and that nothing is lost.

use super::*;
use crate::{Contract, Policy};
use llm::{Choice, Demanded, Format, Terms, Tool, ToolCall};
use proptest::prelude::*;
use serde_json::Value;

const SCHEMA: &str = r#"{"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer"},
    "scores":{"type":"array","items":{"type":"number"}},"any":{"type":["number","string"]}},"required":["name"],
    "additionalProperties":false}"#;

fn terms(schema: &str) -> Terms {
    let demanded = Demanded { name: String::new(), schema: schema.into(), strict: false };
    Terms { format: Format::JsonSchema(demanded), ..Terms::default() }
}

fn mended(terms: &Terms, numbers: bool, choice: Choice) -> Option<Repaired> {
    let policy = Policy { repair_numbers: numbers, ..Policy::default() };
    let contract = Contract::new(policy, Arc::default()).expect("sound");
    let answer = Answer { model: String::new(), choices: vec![choice] };
    let bound = contract.bind(terms, "");
    let repaired = bound.repair(&answer);
    assert!(repaired.iter().all(|repaired| bound.check(&repaired.answer).holds()));
    repaired
}

fn said(text: &str) -> Choice {
    Choice { text: text.into(), finish: Some(FinishReason::Stop), ..Choice::default() }
}

#[test]
fn texts() {
    for (text, numbers, expected) in [
        ("```json\n{\"name\":\"a\"}\n```", false, Some(("{\"name\":\"a\"}", vec!["unfenced"]))),
        ("Here: {\"name\":\"a\"}.", false, Some(("{\"name\":\"a\"}", vec!["extracted"]))),
        ("{\"name\":\"a\"}", false, None),
        ("{\"name\":\"a\",\"age\":\"7\"}", false, None),
        ("{\"name\":\"a\",\"age\":\"7\"}", true, Some(("{\"name\":\"a\",\"age\":7}", vec!["numbers"]))),
        (
            "```\n{\"name\":\"a\",\"scores\":[\"1.50\", \"-2e3\",3], \"any\":\"4\"}```",
            true,
            Some(("{\"name\":\"a\",\"scores\":[1.50, -2e3,3], \"any\":\"4\"}", vec!["unfenced", "numbers"])),
        ),
        ("{\"name\":\"a\",\"age\":\"7.5\"}", true, None),
        ("{\"name\":\"a\",\"age\":\"007\"}", true, None),
        ("{\"name\":\"a\",\"age\":\"+7\"}", true, None),
        ("{\"name\":\"a\",\"age\":\" 7\"}", true, None),
        ("{\"name\":\"a\",\"age\":\"seven\"}", true, None),
        ("{\"name\":\"a\",\"age\":\"1234567890123456\"}", true, None),
        ("{\"name\":\"a\",\"age\":\"1e999\"}", true, None),
        ("{\"name\":\"a\",\"age\":true}", true, None),
        ("```json\n{\"name\":\"a", false, None),
        ("```json\n{\"age\":1}\n```", false, None),
        ("{\"name\":\"a\"}{\"name\":\"b\"}", false, None),
        ("```json\n{\"name\":\"a\",\"name\":\"b\"}\n```", false, None),
        ("no JSON", false, None),
    ] {
        let found = mended(&terms(SCHEMA), numbers, said(text));
        let found = found.map(|repaired| {
            let mends = repaired.mends.iter().map(|(_, mend)| mend.as_str()).collect::<Vec<_>>();
            (repaired.answer.choices[0].text.clone(), mends)
        });
        assert_eq!(found, expected.map(|(text, mends)| (text.to_owned(), mends)), "{text}");
    }
}

#[test]
fn arguments_of_tools() {
    let tool = |schema: &str| Terms {
        tools: vec![Tool { name: "f".into(), takes: Takes::Json(Some(schema.into())) }],
        ..Terms::default()
    };
    for (schema, written, finish, expected) in [
        ("{}", "", FinishReason::ToolCalls, Some("{}")),
        ("{}", "", FinishReason::Length, None),
        (r#"{"required":["a"]}"#, "", FinishReason::ToolCalls, None),
        ("{}", "```json\n{\"a\":1}\n```", FinishReason::ToolCalls, Some("{\"a\":1}")),
        (r#"{"properties":{"a":{"type":"number"}}}"#, "{\"a\":\"1\"}", FinishReason::ToolCalls, Some("{\"a\":1}")),
        ("{}", "{\"a\":\"cut", FinishReason::ToolCalls, None),
        ("{}", "{\"a\":1", FinishReason::ToolCalls, None),
    ] {
        let call = ToolCall { id: "1".into(), name: "f".into(), arguments: written.into(), free: false };
        let choice = Choice { calls: vec![call], finish: Some(finish), ..Choice::default() };
        let found =
            mended(&tool(schema), true, choice).map(|repaired| repaired.answer.choices[0].calls[0].arguments.clone());
        assert_eq!(found.as_deref(), expected, "{written}");
    }
}

/// JSON values, nested a little.
fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        (-1000i32..1000).prop_map(|n| Value::from(n.to_string())),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-z{\\[`]{1,6}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Whether the two are the same but for texts that became the numbers they stood for.
fn same(before: &Value, after: &Value) -> bool {
    match (before, after) {
        (Value::String(text), Value::Number(number)) => text.parse::<f64>().ok() == number.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        (a, b) => a == b,
    }
}

proptest! {
    /// JSON in a fence or in words comes out whole, whatever it holds.
    #[test]
    fn what_is_wrapped_comes_out_unchanged(value in values(), fence in any::<bool>()) {
        let value = serde_json::json!({ "v": value });
        let text = if fence { format!("```json\n{value}\n```") } else { format!("Here you are: {value} - done.") };
        let repaired = mended(&terms(r#"{"type":"object"}"#), false, said(&text)).expect("one certain value");
        let after: Value = serde_json::from_str(&repaired.answer.choices[0].text).expect("JSON");
        prop_assert_eq!(after, value);
    }

    /// Whatever is mended satisfies its contract (asserted in `mended`) and has lost nothing.
    #[test]
    fn numbers_keep_everything_else(value in values()) {
        let value = serde_json::json!({ "v": value, "n": "12" });
        let schema = r#"{"properties":{"n":{"type":"integer"},"v":{"items":{"type":"number"},"additionalProperties":{"type":"number"}}}}"#;
        if let Some(repaired) = mended(&terms(schema), true, said(&value.to_string())) {
            let after: Value = serde_json::from_str(&repaired.answer.choices[0].text).expect("JSON");
            prop_assert!(same(&value, &after), "{} became {}", value, after);
        }
    }

    /// No cut of JSON is ever mended: nothing is closed, nothing made up.
    #[test]
    fn nothing_cut_is_mended(value in values(), cut in 0.0f64..1.0, fence in any::<bool>()) {
        let text = serde_json::json!({ "v": value }).to_string();
        let end = text.floor_char_boundary((text.len() as f64 * cut) as usize);
        let head = if fence { "```json\n" } else { "" };
        let cut = format!("{head}{}", &text[..end]);
        prop_assert_eq!(mended(&terms("{}"), true, said(&cut)), None);
    }
}
