//! What a judgement costs: the usual answers, and those that mean harm. `cargo bench -p contracts`.

// Clippy knows test functions, but not those of a bench; criterion's macros make a function without a comment.
#![allow(clippy::expect_used, missing_docs)]

use contracts::{Check, Contract, Pattern, Policy, Watch};
use criterion::{Criterion, criterion_group, criterion_main};
use llm::{Answer, Choice, Demanded, FinishReason, Format, Lane, Terms};
use std::hint::black_box;
use std::sync::Arc;

// What the program ships with.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn said(text: String) -> Answer {
    let choice = Choice { text, finish: Some(FinishReason::Stop), ..Choice::default() };
    Answer { model: "gpt-4o-2024-08-06".into(), choices: vec![choice] }
}

fn contract(policy: Policy) -> Arc<Contract> {
    Arc::new(Contract::new(policy, Arc::default()).expect("sound"))
}

fn schema(text: &str) -> Terms {
    let demanded = Demanded { name: "x".into(), schema: text.into(), strict: true };
    Terms { format: Format::JsonSchema(demanded), ..Terms::default() }
}

const PEOPLE: &str = r#"{"type":"object","required":["people"],"additionalProperties":false,"properties":{"people":
    {"type":"array","items":{"type":"object","required":["name","age","mail"],"additionalProperties":false,"properties":
    {"name":{"type":"string"},"age":{"type":"integer"},"mail":{"type":"string"},"tags":{"type":"array","items":{"type":"string"}}}}}}}"#;

/// JSON of about so many bytes that satisfies `PEOPLE`.
fn people(bytes: usize) -> String {
    let one = r#"{"name":"Ada Lovelace","age":36,"mail":"a at b","tags":["maths","engine"]}"#;
    format!(r#"{{"people":[{}]}}"#, vec![one; bytes / one.len()].join(","))
}

/// Text of at least so many bytes.
fn prose(bytes: usize) -> String {
    let mut text = String::new();
    let mut n = 0;
    while text.len() < bytes {
        text.push_str(&format!("Sentence {n} says a little about nothing. "));
        n += 1;
    }
    text
}

fn usual(c: &mut Criterion) {
    let (defaults, plain) = (contract(Policy::default()), Terms::default());
    let text = said(prose(1024));
    c.bench_function("defaults, 1 KB of text", |b| b.iter(|| defaults.bind(&plain, "gpt-4o").check(black_box(&text))));
    let (terms, json) = (schema(PEOPLE), said(people(1024)));
    assert!(defaults.bind(&terms, "gpt-4o").check(&json).holds());
    c.bench_function("schema, 1 KB of JSON", |b| b.iter(|| defaults.bind(&terms, "gpt-4o").check(black_box(&json))));
    let mut policy = Policy { max_chars: Some(100_000), ..Policy::default() };
    policy.require.extend([Check::Loop, Check::MaxChars]);
    let bounded = contract(policy.clone());
    c.bench_function("loop and length, 1 KB of text", |b| {
        b.iter(|| bounded.bind(&plain, "gpt-4o").check(black_box(&text)));
    });
    policy.require.extend([Check::Pii, Check::Secrets, Check::Deny]);
    policy.deny = vec![Pattern { name: "p".into(), regex: "(?i)confidential".into() }];
    let searching = contract(policy);
    c.bench_function("everything searched, 1 KB of text", |b| {
        b.iter(|| searching.bind(&plain, "gpt-4o").check(black_box(&text)));
    });
    for (name, contract) in [("watch loop, 1 KB in tokens", &bounded), ("watch everything, 1 KB in tokens", &searching)]
    {
        let words: Vec<&str> = text.choices[0].text.split_inclusive(' ').collect();
        c.bench_function(name, |b| {
            b.iter(|| {
                let mut watch = Watch::new(Arc::clone(contract));
                words.iter().for_each(|word| assert!(watch.push(0, Lane::Text, word).is_none()));
                watch.finish().is_none()
            });
        });
    }
    let fenced = said(format!("```json\n{}\n```", people(1024)));
    c.bench_function("repair of a fence, 1 KB", |b| {
        b.iter(|| defaults.bind(&terms, "gpt-4o").repair(black_box(&fenced)));
    });
}

fn hostile(c: &mut Criterion) {
    let mut group = c.benchmark_group("hostile");
    group.sample_size(10);
    let (defaults, terms) = (contract(Policy::default()), schema(PEOPLE));
    for (name, text) in [
        ("10 MB of brackets", "[".repeat(10 << 20)),
        ("10 MB of numbers", format!("[{}1]", "1,".repeat(5 << 20))),
        ("10 MB in one string", format!("{{\"a\":\"{}\"}}", "x".repeat(10 << 20))),
        ("10 MB of prose", prose(10 << 20)),
    ] {
        let answer = said(text);
        group.bench_function(name, |b| b.iter(|| defaults.bind(&terms, "gpt-4o").check(black_box(&answer))));
    }
    let doubling: Vec<String> = (0..60)
        .map(|n| format!(r##""d{n}":{{"allOf":[{{"$ref":"#/$defs/d{0}"}},{{"$ref":"#/$defs/d{0}"}}]}}"##, n + 1))
        .collect();
    let doubling = format!(r##"{{"$defs":{{{},"d60":{{}}}},"$ref":"#/$defs/d0"}}"##, doubling.join(","));
    let patterns: Vec<String> =
        (0..64).map(|n| format!(r#""p{n}":{{"pattern":"(\\pL{{1,20}}x{n}){{1,4}}"}}"#)).collect();
    for (name, text) in [
        ("a schema that doubles", doubling),
        ("a schema of 64 patterns", format!(r#"{{"properties":{{{}}}}}"#, patterns.join(","))),
        ("a schema of 64 KiB", format!(r#"{{"enum":[{}1]}}"#, "\"abcdefgh\",".repeat(5900))),
        ("a schema too large", format!(r#"{{"title":"{}"}}"#, "x".repeat(1 << 20))),
    ] {
        let (terms, answer) = (schema(&text), said("1".to_owned()));
        // A cache of its own each time: compiling is what costs.
        group.bench_function(name, |b| {
            b.iter(|| contract(Policy::default()).bind(&terms, "gpt-4o").check(black_box(&answer)));
        });
    }
    let mut policy = Policy { deny: vec![Pattern { name: "p".into(), regex: "(a+)+b".into() }], ..Policy::default() };
    policy.require.insert(Check::Deny);
    let deny = contract(policy);
    let (plain, answer) = (Terms::default(), said("a".repeat(1 << 20)));
    group.bench_function("(a+)+b over 1 MiB", |b| b.iter(|| deny.bind(&plain, "gpt-4o").check(black_box(&answer))));
    group.finish();
}

criterion_group!(benches, usual, hostile);
criterion_main!(benches);
