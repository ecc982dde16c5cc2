//! How answers end, who served them, and whether they say anything.

use crate::case::Case;
use contracts::Policy;
use serde_json::{Value, json};

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = finishes();
    cases.extend(empty());
    cases.extend(models());
    cases
}

fn finishes() -> Vec<Case> {
    let none: &[&str] = &[];
    [
        (json!("stop"), none, none),
        (json!("eos"), none, none),
        (json!("function_call"), none, none),
        (json!("length"), none, &["truncated"][..]),
        (json!("max_tokens"), none, &["truncated"]),
        (json!("model_length"), none, &["truncated"]),
        (json!("content_filter"), none, &["content_filtered"]),
        (json!(null), &["finish_missing"], none),
        (json!(""), &["finish_missing"], none),
        (json!(7), &["finish_missing"], none),
        (json!("insufficient_system_resource"), &["finish_unknown"], none),
        (json!("malformed_function_call"), &["finish_unknown"], none),
        (json!("STOP?"), &["finish_unknown"], none),
    ]
    .into_iter()
    .map(|(finish, violations, marks)| Case::text("Hello.").finish(finish).violates(violations).marked(marks))
    .collect()
}

fn said(message: Value, finish: &str) -> Case {
    Case { name: format!("{message}"), message, ..Case::text("").finish(json!(finish)) }
}

fn empty() -> Vec<Case> {
    let lax = || Policy { reasoning_is_content: true, ..Policy::default() };
    vec![
        Case::text("").violates(&["empty"]),
        Case::text(" \n\t").violates(&["empty"]),
        said(json!({ "content": null }), "stop").violates(&["empty"]),
        said(json!({}), "stop").violates(&["empty"]),
        said(json!({ "content": "" }), "length").marked(&["truncated"]),
        said(json!({ "content": "" }), "content_filter").marked(&["content_filtered"]),
        said(json!({ "content": null, "refusal": "I cannot." }), "stop").marked(&["refused"]),
        said(json!({ "content": "", "reasoning_content": "hm" }), "stop").violates(&["empty"]),
        said(json!({ "content": "", "reasoning_content": "hm" }), "stop").under(lax()),
        said(json!({ "content": "x", "reasoning_content": "hm" }), "stop"),
        said(json!({ "content": null, "tool_calls": [] }), "stop").violates(&["empty"]),
        said(json!({ "content": null, "tool_calls": [] }), "tool_calls").violates(&["empty"]),
    ]
}

fn models() -> Vec<Case> {
    let allow = |models: &[&str]| Policy {
        models: models.iter().map(|name| (*name).to_owned()).collect(),
        ..Policy::default()
    };
    let exact = || Policy { dated_models: false, ..allow(&["none"]) };
    [
        ("m", Policy::default(), false),
        ("", Policy::default(), false),
        ("m-2024-08-06", Policy::default(), false),
        ("m-20240806", Policy::default(), false),
        ("vendor/m", Policy::default(), false),
        ("m:free", Policy::default(), false),
        ("M", Policy::default(), false),
        ("m-mini", Policy::default(), true),
        ("m2", Policy::default(), true),
        ("other", Policy::default(), true),
        ("m-mini", allow(&["none"]), true),
        ("m2", allow(&["none"]), true),
        ("m-20240806", allow(&["none"]), false),
        ("m-2024-08-06", exact(), true),
        ("other", allow(&["ot*"]), false),
        ("other", allow(&["*"]), false),
        ("other", allow(&["another"]), true),
    ]
    .into_iter()
    .map(|(served, policy, wrong)| {
        let codes: &[&'static str] = if wrong { &["wrong_model"] } else { &[] };
        let (violations, marks): (&[_], &[_]) = if policy.models.is_empty() { (&[], codes) } else { (codes, &[]) };
        Case {
            model: served,
            name: format!("served by {served}"),
            ..Case::text("Hi.").under(policy).violates(violations).marked(marks)
        }
    })
    .collect()
}
