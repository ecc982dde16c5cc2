//! `tools`: calls are of declared tools, as the request allows, with arguments that satisfy their schema.

use crate::contract::Bound;
use crate::finding::{Check, Code, Finding, Judgement, Place, shortened};
use crate::json::{self, Fault};
use llm::{Choice, FinishReason, Takes, ToolCall, ToolChoice};
use serde_json::Value;
use std::collections::HashSet;

/// The most calls of one choice that are judged; a dialect's reader takes no more.
const MAX_CALLS: usize = 128;

pub(super) fn check(bound: &Bound<'_>, choice: &Choice, judgement: &mut Judgement) {
    obeyed(bound, choice, judgement);
    ids(choice, judgement);
    for (at, call) in choice.calls.iter().take(MAX_CALLS).enumerate() {
        let place = Place::Call(choice.index, at);
        let Some(tool) = bound.terms.tools.iter().find(|tool| tool.name == call.name) else {
            let message = format!("There is no tool named `{}`.", shortened(call.name.clone(), 100));
            judgement.violation(finding(Code::ToolUndeclared, place, &message));
            continue;
        };
        if let Takes::Json(schema) = &tool.takes {
            arguments(bound, schema.as_ref(), call, place, judgement);
        }
    }
}

fn finding(code: Code, place: Place, message: &str) -> Finding {
    Finding::new(Check::Tools, code, place, message)
}

/// Whether the request's choice of tools is kept.
fn obeyed(bound: &Bound<'_>, choice: &Choice, judgement: &mut Judgement) {
    let place = Place::Choice(choice.index);
    let declined = !choice.refusal.is_empty() || choice.finish == Some(FinishReason::ContentFilter);
    let called = |name: &str| choice.calls.iter().any(|call| call.name == name);
    let missing = match &bound.terms.tool_choice {
        ToolChoice::Required | ToolChoice::Among { required: true, .. } if choice.calls.is_empty() => {
            Some("Call one of the tools.".to_owned())
        }
        ToolChoice::Named(name) if !called(name) => Some(format!("Call the tool `{}`.", shortened(name.clone(), 100))),
        // Some servers say so and bring none.
        _ if choice.finish == Some(FinishReason::ToolCalls) && choice.calls.is_empty() => {
            Some("The answer says that it calls a tool, and calls none.".to_owned())
        }
        _ => None,
    };
    if let Some(message) = missing.filter(|_| !declined) {
        judgement.violation(finding(Code::ToolCallMissing, place, &message));
    }
    for (at, call) in choice.calls.iter().take(MAX_CALLS).enumerate() {
        let forbidden = match &bound.terms.tool_choice {
            ToolChoice::None => true,
            ToolChoice::Named(name) => call.name != *name,
            ToolChoice::Among { names, .. } => !names.contains(&call.name),
            ToolChoice::Auto | ToolChoice::Required => false,
        };
        if forbidden {
            let message = format!("The tool `{}` must not be called here.", shortened(call.name.clone(), 100));
            judgement.violation(finding(Code::ToolForbidden, Place::Call(choice.index, at), &message));
        }
    }
    if bound.terms.one_call && choice.calls.len() > 1 {
        judgement.violation(finding(Code::TooManyToolCalls, place, "Call one tool at a time."));
    }
}

/// Whether results could be told apart.
fn ids(choice: &Choice, judgement: &mut Judgement) {
    if choice.calls.len() < 2 {
        return;
    }
    let mut seen = HashSet::new();
    if !choice.calls.iter().all(|call| seen.insert(call.id.as_str())) {
        let message = "Each tool call needs an id of its own.";
        judgement.violation(finding(Code::ToolCallId, Place::Choice(choice.index), message));
    }
}

fn arguments(
    bound: &Bound<'_>,
    schema: Option<&std::sync::Arc<str>>,
    call: &ToolCall,
    place: Place,
    judgement: &mut Judgement,
) {
    let json = match json::read(&call.arguments) {
        Ok(json) => json,
        Err(fault) => return judgement.violation(no_json(place, &fault)),
    };
    if !matches!(json.value, Value::Object(_)) {
        return judgement.violation(finding(Code::NotAnObject, place, "The arguments have to be a JSON object."));
    }
    match schema.map(|text| bound.contract.schemas.get(text)) {
        None => {}
        Some(Err(why)) => judgement.mark(finding(Code::SchemaUnusable, place, &format!("Not judged: {why}."))),
        Some(Ok(schema)) => {
            for flaw in schema.flaws(&json) {
                judgement.violation(finding(flaw.code, place, &flaw.message).at(flaw.pointer));
            }
        }
    }
}

fn no_json(place: Place, fault: &Fault) -> Finding {
    match fault {
        Fault::Cut => finding(Code::ArgumentsCut, place, "The arguments are cut off: give the whole of them."),
        Fault::TooLarge => finding(Code::JsonTooLarge, place, "The arguments are too large or nest too deeply."),
        Fault::Duplicate(field) => {
            let message = format!("The arguments name the field `{}` twice.", shortened(field.clone(), 100));
            finding(Code::DuplicateField, place, &message)
        }
        Fault::Broken(why) => {
            finding(Code::ArgumentsNotJson, place, &format!("The arguments are no valid JSON: {why}."))
        }
    }
}
