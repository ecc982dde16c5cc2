//! Texts that have to be JSON.

use crate::case::Case;
use contracts::Policy;
use serde_json::{Value, json};

/// A person, as a request demands one.
pub(crate) fn person() -> Value {
    let schema = json!({ "type": "object", "additionalProperties": false, "required": ["name", "age"],
        "properties": {
            "name": { "type": "string", "minLength": 1 },
            "age": { "type": "integer", "minimum": 0 },
            "role": { "enum": ["admin", "user"] },
            "tags": { "type": "array", "items": { "type": "string" }, "maxItems": 2 },
            "address": { "type": "object", "properties": { "zip": { "type": "number" } }, "required": ["zip"] } } });
    json!({ "response_format": { "type": "json_schema", "json_schema": { "name": "person", "strict": true, "schema": schema } } })
}

fn object() -> Value {
    json!({ "response_format": { "type": "json_object" } })
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = schema().into_iter().map(|case| case.asked(person())).collect();
    cases.extend(wrapped());
    cases.extend(objects().into_iter().map(|case| case.asked(object())));
    cases.extend(numbers());
    cases.extend(unusable());
    cases.extend(demanded_by_policy());
    cases
}

const ADA: &str = r#"{"name":"Ada","age":36}"#;

fn schema() -> Vec<Case> {
    let none: &[&'static str] = &[];
    [
        (ADA, none),
        (" \n{\"name\":\"Ada\",\"age\":36}\n", none),
        (r#"{"name":"Ada","age":36.0}"#, none),
        (r#"{"name":"Ada","age":36,"role":"admin","tags":["a","b"],"address":{"zip":1}}"#, none),
        (r#"{"age":36}"#, &["missing_field"]),
        (r#"{"name":"Ada"}"#, &["missing_field"]),
        ("{}", &["missing_field", "missing_field"]),
        (r#"{"name":"Ada","years":36}"#, &["missing_field", "unexpected_field"]),
        (r#"{"name":"Ada","age":36,"extra":1}"#, &["unexpected_field"]),
        (r#"{"name":"Ada","age":"36"}"#, &["wrong_type"]),
        (r#"{"name":"Ada","age":36.5}"#, &["wrong_type"]),
        (r#"{"name":"Ada","age":null}"#, &["wrong_type"]),
        (r#"{"name":7,"age":36}"#, &["wrong_type"]),
        (r#"{"name":["Ada"],"age":36}"#, &["wrong_type"]),
        (r#"{"name":"","age":36}"#, &["schema_mismatch"]),
        (r#"{"name":"Ada","age":-1}"#, &["schema_mismatch"]),
        (r#"{"name":"Ada","age":36,"role":"root"}"#, &["wrong_value"]),
        (r#"{"name":"Ada","age":36,"role":"Admin"}"#, &["wrong_value"]),
        (r#"{"name":"Ada","age":36,"tags":["a",1]}"#, &["wrong_type"]),
        (r#"{"name":"Ada","age":36,"tags":["a","b","c"]}"#, &["schema_mismatch"]),
        (r#"{"name":"Ada","age":36,"tags":"a"}"#, &["wrong_type"]),
        (r#"{"name":"Ada","age":36,"address":{}}"#, &["missing_field"]),
        (r#"{"name":"Ada","age":36,"address":{"zip":"8001"}}"#, &["wrong_type"]),
        ("[]", &["wrong_type"]),
        ("null", &["wrong_type"]),
        ("\"Ada\"", &["wrong_type"]),
        ("I cannot say.", &["not_json"]),
        ("{'name':'Ada','age':36}", &["not_json"]),
        ("{name:\"Ada\",age:36}", &["not_json"]),
        (r#"{"name":"Ada","age":36,}"#, &["not_json"]),
        (r#"{"name":"Ada" "age":36}"#, &["not_json"]),
        (r#"{"name":"Ada","age":036}"#, &["not_json"]),
        (r#"{"name":"Ada","age":NaN}"#, &["not_json"]),
        (r#"{"name":"Ada","age":36} {"name":"Bob","age":1}"#, &["not_json"]),
        (r#"{"name":"Ada","age":36,"age":37}"#, &["duplicate_field"]),
        (r#"{"name":"Ada","age":36}}"#, &["not_json"]),
        ("name: Ada\nage: 36", &["not_json"]),
        ("<person name=\"Ada\"/>", &["not_json"]),
    ]
    .into_iter()
    .map(|(text, codes)| Case::text(text).violates(codes))
    .collect()
}

fn wrapped() -> Vec<Case> {
    let fence = |info: &str| format!("```{info}\n{ADA}\n```");
    let mut cases = Vec::new();
    for info in ["json", "", "JSON", "jsonc", "javascript"] {
        cases.push(Case::text(fence(info)).violates(&["json_fenced"]).mended(ADA));
    }
    cases.push(Case::text(format!("```json\n{ADA}")).violates(&["json_fenced"]).mended(ADA));
    for (before, behind) in [
        ("Here is the JSON: ", ""),
        ("", "\n\nLet me know if you need more."),
        ("Sure!\n\n", "\nDone."),
        ("Here:\n```json\n", "\n```\nEnjoy."),
        ("<answer>", "</answer>"),
        ("**Result**\n", ""),
    ] {
        cases.push(Case::text(format!("{before}{ADA}{behind}")).violates(&["json_in_prose"]).mended(ADA));
    }
    for text in [
        format!("{ADA} or {{\"name\":\"Bob\",\"age\":1}}"),
        format!("[note] {ADA}"),
        format!("{ADA} [see below]"),
        format!("Use {{}} as in {ADA}"),
        "```json\nnothing\n```".to_owned(),
        "{'name': [1, 2]}".to_owned(),
    ] {
        cases.push(Case::text(text).violates(&["not_json"]));
    }
    // Taken out, it would still break the schema, and is left as it is.
    cases.push(Case::text("```json\n{\"name\":\"Ada\"}\n```").violates(&["json_fenced"]));
    cases.push(Case::text("Here: {\"name\":\"Ada\",\"age\":\"x\"}").violates(&["json_in_prose"]));
    cases.push(
        Case::text(fence("json")).finish(json!("length")).violates(&["json_fenced"]).marked(&["truncated"]).mended(ADA),
    );
    cases.push(Case::text("").violates(&["empty"]));
    cases.push(Case::text("").finish(json!("length")).violates(&["json_cut"]).marked(&["truncated"]));
    cases.push(Case::text("I will not.").finish(json!("content_filter")).marked(&["content_filtered"]));
    let refusal = json!({ "content": null, "refusal": "No." });
    cases.push(Case { message: refusal, ..Case::text("refusal").marked(&["refused"]) });
    cases.into_iter().map(|case| case.asked(person())).collect()
}

fn objects() -> Vec<Case> {
    let none: &[&'static str] = &[];
    [
        ("{}", none),
        (r#"{"anything":[1,2]}"#, none),
        ("[1]", &["not_an_object"]),
        ("1", &["not_an_object"]),
        ("\"text\"", &["not_an_object"]),
        ("null", &["not_an_object"]),
        ("text", &["not_json"]),
        (r#"{"a":1,"a":2}"#, &["duplicate_field"]),
        ("{\"a\":\"\u{1}\"}", &["not_json"]),
        (r#"{"a":"\x"}"#, &["not_json"]),
        (r#"{"a":1e999}"#, &["not_json"]),
    ]
    .into_iter()
    .map(|(text, codes)| Case::text(text).violates(codes))
    .collect()
}

fn numbers() -> Vec<Case> {
    let policy = || Policy { repair_numbers: true, ..Policy::default() };
    let mut cases = Vec::new();
    for (text, mended) in [
        (r#"{"name":"Ada","age":"36"}"#, Some(r#"{"name":"Ada","age":36}"#)),
        (r#"{ "name" : "36", "age" : "36" }"#, Some(r#"{ "name" : "36", "age" : 36 }"#)),
        (
            r#"{"name":"Ada","age":36,"address":{"zip":"8001"}}"#,
            Some(r#"{"name":"Ada","age":36,"address":{"zip":8001}}"#),
        ),
        (r#"{"name":"Ada","age":"36 years"}"#, None),
        (r#"{"name":"Ada","age":"036"}"#, None),
        (r#"{"name":"Ada","age":"0x24"}"#, None),
        (r#"{"name":"Ada","age":"3_6"}"#, None),
        (r#"{"name":"Ada","age":""}"#, None),
        (r#"{"name":"Ada","age":"-36"}"#, None),
        (r#"{"name":"Ada","age":true}"#, None),
        (r#"{"name":"Ada","age":"99999999999999999999"}"#, None),
    ] {
        let case = Case::text(text).violates(&["wrong_type"]).under(policy());
        cases.push(match mended {
            Some(mended) => case.mended(mended),
            None => case,
        });
    }
    let fenced = format!("```\n{}\n```", r#"{"name":"Ada","age":"36"}"#);
    cases.push(Case::text(fenced).violates(&["json_fenced"]).under(policy()).mended(ADA));
    cases.into_iter().map(|case| case.asked(person())).collect()
}

fn with_schema(schema: &Value) -> Value {
    json!({ "response_format": { "type": "json_schema", "json_schema": { "name": "x", "schema": schema } } })
}

fn unusable() -> Vec<Case> {
    [
        json!({ "$ref": "https://example.com/x.json" }),
        json!({ "$ref": "#/$defs/gone" }),
        json!({ "$ref": "#" }),
        json!({ "type": "nothing" }),
        json!({ "pattern": "(?<=a)b" }),
        json!({ "title": "x".repeat(70_000) }),
        json!({ "$schema": "https://example.com/own" }),
    ]
    .into_iter()
    .flat_map(|schema| {
        let request = with_schema(&schema);
        let sound = Case::text("{}").marked(&["schema_unusable"]).asked(request.clone());
        let broken = Case::text("no").marked(&["schema_unusable"]).violates(&["not_json"]).asked(request);
        [sound, broken]
    })
    .collect()
}

fn demanded_by_policy() -> Vec<Case> {
    let policy = || Policy { schema: Some(r#"{"type":"object","required":["ok"]}"#.into()), ..Policy::default() };
    vec![
        Case::text(r#"{"ok":1}"#).under(policy()),
        Case::text(r#"{"no":1}"#).under(policy()).violates(&["missing_field"]),
        Case::text("ok").under(policy()).violates(&["not_json"]),
        Case::text("```\n{\"ok\":1}\n```").under(policy()).violates(&["json_fenced"]).mended(r#"{"ok":1}"#),
        Case::text(ADA).asked(person()).under(policy()).violates(&["missing_field"]),
    ]
}
