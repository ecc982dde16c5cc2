//! Schemas that are taken, refused, and bounded.

use super::*;
use crate::json;
use std::time::{Duration, Instant};

fn flaws(schema: &str, value: &str) -> Vec<(&'static str, String)> {
    let schema = Schema::compile(schema).unwrap_or_else(|why| panic!("{schema}: {why}"));
    let found = schema.flaws(&json::read(value).expect("JSON"));
    found.into_iter().map(|flaw| (flaw.code.as_str(), flaw.pointer)).collect()
}

#[test]
fn each_flaw_has_its_code_and_place() {
    let person = r#"{"type":"object","properties":{"name":{"type":"string","minLength":1,"pattern":"^\\w+$"},
        "age":{"type":"integer"},"role":{"enum":["a","b"]},"tags":{"type":"array","items":{"type":"string"}}},
        "required":["name","age"],"additionalProperties":false}"#;
    for (value, expected) in [
        (r#"{"name":"x","age":1}"#, &[][..]),
        (r#"{"name":"x"}"#, &[("missing_field", "")]),
        (r#"{"name":"x","age":"1"}"#, &[("wrong_type", "/age")]),
        (r#"{"name":"x","age":1.5}"#, &[("wrong_type", "/age")]),
        (r#"{"name":"x","age":1,"role":"c"}"#, &[("wrong_value", "/role")]),
        (r#"{"name":"x","years":1}"#, &[("missing_field", ""), ("unexpected_field", "")]),
        (r#"{"name":"x","age":1,"tags":["a",2]}"#, &[("wrong_type", "/tags/1")]),
        (r#"{"name":"a b","age":1}"#, &[("schema_mismatch", "/name")]),
        ("[]", &[("wrong_type", "")]),
    ] {
        let mut found = flaws(person, value);
        found.sort();
        let expected: Vec<_> = expected.iter().map(|(code, at)| (*code, (*at).to_owned())).collect();
        assert_eq!(found, expected, "{value}");
    }
}

#[test]
fn both_drafts_are_spoken() {
    let newer = r##"{"$schema":"https://json-schema.org/draft/2020-12/schema","$defs":{"n":{"$anchor":"num","type":"number"}},
        "type":"array","prefixItems":[{"$ref":"#num"}],"items":false}"##;
    assert_eq!(flaws(newer, "[1]"), []);
    assert_eq!(flaws(newer, "[\"a\"]").len(), 1);
    assert_eq!(flaws(newer, "[1,2]").len(), 1);
    let older = r##"{"$schema":"http://json-schema.org/draft-07/schema#","definitions":{"n":{"type":"number"}},
        "type":"array","items":[{"$ref":"#/definitions/n"}],"additionalItems":false}"##;
    assert_eq!(flaws(older, "[1]"), []);
    assert_eq!(flaws(older, "[\"a\"]").len(), 1);
    assert_eq!(flaws(older, "[1,2]").len(), 1);
}

/// Two to the power of `steps` visits of one value.
fn doubling(steps: usize) -> String {
    let step =
        |n: usize| format!(r##""d{n}":{{"allOf":[{{"$ref":"#/$defs/d{0}"}},{{"$ref":"#/$defs/d{0}"}}]}}"##, n + 1);
    let steps_text: Vec<String> = (0..steps).map(step).collect();
    format!(r##"{{"$defs":{{{},"d{steps}":{{"type":"integer"}}}},"$ref":"#/$defs/d0"}}"##, steps_text.join(","))
}

#[test]
fn what_is_not_taken_says_why() {
    let deep = |n: usize| format!("{}{}{}", r#"{"not":"#.repeat(n), "{}", "}".repeat(n));
    let patterns: Vec<String> = (0..65).map(|n| format!(r#""p{n}":{{"pattern":"a"}}"#)).collect();
    for (schema, why) in [
        ("{".to_owned(), "no JSON"),
        (format!(r#"{{"title":"{}"}}"#, "x".repeat(64 << 10)), "64 KiB"),
        (deep(32), "32 levels"),
        ("[".repeat(60_000), "32 levels"),
        (r#"{"$ref":"https://example.com/schema.json"}"#.into(), "another document"),
        (r#"{"properties":{"a":{"$ref":"file:///etc/passwd"}}}"#.into(), "another document"),
        (r#"{"$ref":"other.json#/a"}"#.into(), "another document"),
        (r##"{"$ref":"#/$defs/gone"}"##.into(), "no schema"),
        (r#"{"$schema":"https://example.com/own"}"#.into(), "unknown draft"),
        (r#"{"$defs":{"a":{"$id":"https://example.com/a"}}}"#.into(), "`$id`"),
        (r##"{"$ref":"#"}"##.into(), "without an end"),
        (
            r##"{"$defs":{"a":{"allOf":[{"$ref":"#/$defs/b"}]},"b":{"$ref":"#/$defs/a"}},"$ref":"#/$defs/a"}"##.into(),
            "without an end",
        ),
        (r#"{"type":"nothing"}"#.into(), "does not compile"),
        (r#"{"pattern":"(a"}"#.into(), "does not compile"),
        (r#"{"pattern":"(?=a)b"}"#.into(), "does not compile"),
        (r#"{"pattern":"(a{1000}){1000}"}"#.into(), "does not compile"),
        (format!(r#"{{"properties":{{{}}}}}"#, patterns.join(",")), "64 patterns"),
        (format!(r#"{{"pattern":"{}"}}"#, "a".repeat(1025)), "1 KiB"),
    ] {
        let begun = Instant::now();
        let refused = Schema::compile(&schema).err().unwrap_or_else(|| panic!("{schema:.80} was taken"));
        assert!(refused.to_string().contains(why), "{schema:.80}: {refused}");
        assert!(begun.elapsed() < Duration::from_secs(2), "{schema:.80}");
    }
    assert!(Schema::compile(&deep(31)).is_ok());
}

#[test]
fn hostile_work_is_refused_and_honest_work_is_not() {
    let ast = r##"{"$defs":{"e":{"anyOf":[
        {"type":"object","properties":{"op":{"const":"+"},"l":{"$ref":"#/$defs/e"},"r":{"$ref":"#/$defs/e"}},"required":["op","l","r"]},
        {"type":"object","properties":{"op":{"const":"-"},"l":{"$ref":"#/$defs/e"},"r":{"$ref":"#/$defs/e"}},"required":["op","l","r"]},
        {"type":"number"}]}},"$ref":"#/$defs/e"}"##;
    let tree = r##"{"type":"object","properties":{"l":{"$ref":"#"},"r":{"$ref":"#"},"v":{"type":"integer"}},"additionalProperties":false}"##;
    let grown = |depth: usize| format!("{}1{}", r#"{"op":"+","r":1,"l":"#.repeat(depth), "}".repeat(depth));
    let chain = |depth: usize| format!("{}{{}}{}", r#"{"v":1,"l":"#.repeat(depth), "}".repeat(depth));
    let broken = |depth: usize| chain(depth).replace("\"v\":1", "\"v\":\"x\"");
    let list = format!("[{}1]", "1,".repeat(90_000));
    for (schema, value, expected) in [
        (ast.to_owned(), grown(5), &[][..]),
        (ast.to_owned(), grown(100), &["json_too_large"]),
        (tree.to_owned(), chain(100), &[]),
        (tree.to_owned(), broken(1), &["wrong_type"]),
        (doubling(8), "1".into(), &[]),
        (doubling(60), "1".into(), &["json_too_large"]),
        (r#"{"items":{"type":"integer"}}"#.into(), list.clone(), &[]),
        (format!(r#"{{"items":{{"enum":[{}1]}}}}"#, "2,".repeat(9000)), list, &["json_too_large"]),
    ] {
        let begun = Instant::now();
        let found: Vec<&str> = flaws(&schema, &value).into_iter().map(|(code, _)| code).collect();
        assert_eq!(found, expected, "{schema:.80}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{schema:.80}");
    }
}
