//! JSON Schemas of requests and policies, and the values judged by them. Input: a schema, and what a model answered.

use crate::parts::parts;
use contracts::{Check, Code, Contract, FINDINGS, Finding, Judgement, MESSAGE, Policy};
use jsonschema::{PatternOptions, Retrieve, Uri, Validator};
use llm::{Answer, Choice, Demanded, FinishReason, Format, Terms};
use serde_json::Value;
use std::error::Error;
use std::sync::Arc;

/// A schema is refused or judges alike however it is brought; what it says is bounded, and is what the validator says.
/// Nothing is fetched for its sake.
pub fn schema(data: &[u8]) {
    let [schema, answer] = parts(data);
    let demanded = by_request(schema, answer);
    bounded(&demanded);
    assert_eq!(demanded, by_request(schema, answer), "judged twice");
    let unusable = demanded.marks.iter().any(|mark| mark.code == Code::SchemaUnusable);
    match by_policy(schema, answer) {
        Ok(judgement) => {
            assert!(!unusable, "the request's is refused, the policy's is not");
            assert_eq!(demanded.violations, judgement.violations, "by the request and by the policy");
        }
        Err(why) => {
            assert!(unusable && why.len() <= MESSAGE, "{why}");
            assert!(demanded.violations.iter().all(is_of_json), "judged by nothing");
        }
    }
    as_the_validator_says(schema, answer, &demanded, unusable);
}

fn said(text: &str) -> Answer {
    let choice = Choice { text: text.to_owned(), finish: Some(FinishReason::Stop), ..Choice::default() };
    Answer { model: String::new(), choices: vec![choice] }
}

fn policy(schema: Option<&str>) -> Policy {
    Policy { require: [Check::Schema].into(), schema: schema.map(Arc::from), ..Policy::default() }
}

fn by_request(schema: &str, answer: &str) -> Judgement {
    let contract = Contract::new(policy(None), Arc::default()).expect("nothing to compile");
    let demanded = Demanded { name: String::new(), schema: schema.into(), strict: true };
    let terms = Terms { format: Format::JsonSchema(demanded), ..Terms::default() };
    contract.bind(&terms, "").check(&said(answer))
}

/// The judgement, or why there can be none.
fn by_policy(schema: &str, answer: &str) -> Result<Judgement, String> {
    let contract = Contract::new(policy(Some(schema)), Arc::default());
    let contract = contract.map_err(|why| why.first().map(ToString::to_string).unwrap_or_default())?;
    Ok(contract.bind(&Terms::default(), "").check(&said(answer)))
}

fn bounded(judgement: &Judgement) {
    for found in judgement.violations.iter().chain(&judgement.marks) {
        assert!(found.message.len() <= MESSAGE && found.pointer.len() <= MESSAGE, "{found}");
    }
    assert!(judgement.violations.len() <= FINDINGS && judgement.marks.len() <= FINDINGS);
}

/// Whether a finding is about the JSON as such, and not about what a schema wants of it.
fn is_of_json(found: &Finding) -> bool {
    matches!(
        found.code,
        Code::NotJson
            | Code::JsonCut
            | Code::JsonFenced
            | Code::JsonInProse
            | Code::DuplicateField
            | Code::JsonTooLarge
    )
}

/// What `demanded` says beside what a plain parser and the validator itself say.
fn as_the_validator_says(schema: &str, answer: &str, demanded: &Judgement, unusable: bool) {
    let refused = demanded.violations.iter().find(|found| is_of_json(found));
    let Ok(value) = serde_json::from_str::<Value>(answer) else {
        assert!(refused.is_some(), "no parser takes it");
        return;
    };
    if let Some(found) = refused {
        let ours = matches!(found.code, Code::DuplicateField | Code::JsonTooLarge);
        return assert!(ours, "a parser takes what is {}", found.code);
    }
    for found in &demanded.violations {
        let shortened = found.pointer.len() > MESSAGE - 4;
        assert!(shortened || value.pointer(&found.pointer).is_some(), "nothing stands at {}", found.pointer);
    }
    if !unusable {
        assert_eq!(validator(schema).is_valid(&value), demanded.holds(), "{:?}", demanded.violations);
    }
}

/// The same schema in the validator's own hands.
fn validator(schema: &str) -> Validator {
    let schema: Value = serde_json::from_str(schema).expect("a schema that is used is JSON");
    let options = jsonschema::options().with_pattern_options(PatternOptions::regex()).should_validate_formats(false);
    options.with_retriever(Nobody).build(&schema).expect("a schema that is used compiles")
}

/// Must not be asked.
struct Nobody;

impl Retrieve for Nobody {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn Error + Send + Sync>> {
        panic!("{uri} would be fetched");
    }
}
