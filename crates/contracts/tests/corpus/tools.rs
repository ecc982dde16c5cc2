//! Tool calls.

use crate::case::Case;
use serde_json::{Value, json};

/// Two tools, as a request declares them.
pub(crate) fn declared() -> Value {
    json!({ "tools": [
        { "type": "function", "function": { "name": "weather", "parameters": { "type": "object",
            "properties": { "city": { "type": "string" }, "days": { "type": "integer" } },
            "required": ["city"], "additionalProperties": false } } },
        { "type": "function", "function": { "name": "now" } } ] })
}

fn choosing(choice: Value) -> Value {
    let mut request = declared();
    request["tool_choice"] = choice;
    request
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = arguments().into_iter().map(|case| case.asked(declared())).collect();
    cases.extend(several().into_iter().map(|case| case.asked(declared())));
    cases.extend(choices());
    cases.extend(edges());
    cases
}

const OSLO: &str = r#"{"city":"Oslo"}"#;

fn arguments() -> Vec<Case> {
    let none: &[&'static str] = &[];
    let mut cases: Vec<Case> = [
        (OSLO, none),
        (r#"{"city":"Oslo","days":3}"#, none),
        ("{}", &["missing_field"]),
        (r#"{"town":"Oslo"}"#, &["unexpected_field", "missing_field"]),
        (r#"{"city":7}"#, &["wrong_type"]),
        (r#"{"city":"Oslo","days":"3"}"#, &["wrong_type"]),
        (r#"{"city":"Oslo","days":3.5}"#, &["wrong_type"]),
        (r#"{"city":"Oslo","city":"Rome"}"#, &["duplicate_field"]),
        ("[]", &["not_an_object"]),
        ("\"Oslo\"", &["not_an_object"]),
        ("null", &["not_an_object"]),
        ("Oslo", &["arguments_not_json"]),
        ("{city:\"Oslo\"}", &["arguments_not_json"]),
        ("", &["arguments_not_json"]),
    ]
    .into_iter()
    .map(|(arguments, codes)| Case::calls(&[("1", "weather", arguments)]).violates(codes))
    .collect();
    cases.push(Case::calls(&[("1", "now", "")]).violates(&["arguments_not_json"]).mended("{}"));
    cases.push(Case::calls(&[("1", "now", "{}")]));
    cases.push(Case::calls(&[("1", "now", r#"{"any":1}"#)]));
    let fenced = format!("```json\n{OSLO}\n```");
    cases.push(Case::calls(&[("1", "weather", &fenced)]).violates(&["arguments_not_json"]).mended(OSLO));
    for name in ["Weather", "weather ", "functions.weather", "", "get_weather"] {
        cases.push(Case::calls(&[("1", name, OSLO)]).violates(&["tool_undeclared"]));
    }
    cases.push(
        Case::calls(&[("1", "now", "")])
            .finish(json!("length"))
            .violates(&["arguments_not_json"])
            .marked(&["truncated"]),
    );
    cases.push(Case::calls(&[("1", "weather", OSLO)]).finish(json!("stop")));
    cases.push(Case::calls(&[("", "weather", OSLO)]));
    cases
}

fn several() -> Vec<Case> {
    vec![
        Case::calls(&[("1", "weather", OSLO), ("2", "now", "{}")]),
        Case::calls(&[("1", "weather", OSLO), ("2", "weather", r#"{"city":"Rome"}"#)]),
        Case::calls(&[("1", "weather", OSLO), ("2", "weather", "{}")]).violates(&["missing_field"]),
        Case::calls(&[("1", "weather", "{"), ("2", "gone", "{}")]).violates(&["arguments_cut", "tool_undeclared"]),
        Case::calls(&[("1", "weather", OSLO), ("1", "now", "{}")]).violates(&["tool_call_id"]),
        Case::calls(&[("", "weather", OSLO), ("", "now", "{}")]).violates(&["tool_call_id"]),
    ]
}

fn choices() -> Vec<Case> {
    let named = |name: &str| choosing(json!({ "type": "function", "function": { "name": name } }));
    let among = |mode: &str| {
        let tools = json!([{ "type": "function", "function": { "name": "now" } }]);
        choosing(json!({ "type": "allowed_tools", "allowed_tools": { "mode": mode, "tools": tools } }))
    };
    let weather = || Case::calls(&[("1", "weather", OSLO)]);
    let now = || Case::calls(&[("1", "now", "{}")]);
    let words = || Case::text("It rains.");
    let refused = || Case { message: json!({ "refusal": "No." }), ..words().marked(&["refused"]) };
    vec![
        weather().asked(choosing(json!("auto"))),
        words().asked(choosing(json!("auto"))),
        weather().asked(choosing(json!("none"))).violates(&["tool_forbidden"]),
        words().asked(choosing(json!("none"))),
        weather().asked(choosing(json!("required"))),
        words().asked(choosing(json!("required"))).violates(&["tool_call_missing"]),
        refused().asked(choosing(json!("required"))),
        weather().asked(named("weather")),
        weather().finish(json!("stop")).asked(named("weather")),
        now().asked(named("weather")).violates(&["tool_call_missing", "tool_forbidden"]),
        words().asked(named("weather")).violates(&["tool_call_missing"]),
        now().asked(among("auto")),
        words().asked(among("auto")),
        weather().asked(among("auto")).violates(&["tool_forbidden"]),
        words().asked(among("required")).violates(&["tool_call_missing"]),
        words().finish(json!("tool_calls")).asked(declared()).violates(&["tool_call_missing"]),
    ]
}

fn edges() -> Vec<Case> {
    let mut one = declared();
    one["parallel_tool_calls"] = json!(false);
    let bad = json!({ "tools": [{ "type": "function", "function": { "name": "f", "parameters": { "$ref": "http://x/y" } } }] });
    let old = json!({ "functions": [{ "name": "f", "parameters": { "required": ["a"] } }] });
    vec![
        Case::calls(&[("1", "now", "{}")]).asked(one.clone()),
        Case::calls(&[("1", "now", "{}"), ("2", "now", "{}")]).asked(one).violates(&["too_many_tool_calls"]),
        Case::calls(&[("1", "f", "{}")]).asked(bad.clone()).marked(&["schema_unusable"]),
        Case::calls(&[("1", "f", "{")]).asked(bad).violates(&["arguments_cut"]),
        Case::calls(&[("1", "f", "{}")]).asked(old).violates(&["missing_field"]),
        // Nothing was declared, so nothing is judged of calls.
        Case::calls(&[("1", "f", "{")]),
    ]
}
