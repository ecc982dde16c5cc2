//! `schema`: the text is JSON that satisfies what was demanded.

use crate::contract::Bound;
use crate::finding::{Check, Code, Finding, Judgement, Place, shortened};
use crate::json::{self, Fault};
use crate::repair::{Inside, inside};
use crate::schema::{Schema, Unusable};
use llm::{Choice, FinishReason, Format};
use serde_json::Value;
use std::sync::Arc;

/// What a text has to be.
pub(crate) struct Demand {
    /// A JSON object.
    pub(crate) object: bool,
    /// JSON that satisfies these.
    pub(crate) schemas: Vec<Arc<Schema>>,
    /// Why the request's own schema is not among them.
    pub(crate) unusable: Option<Unusable>,
}

/// What the contract and the request demand of texts.
pub(crate) fn demand(bound: &Bound<'_>) -> Demand {
    let mut schemas: Vec<Arc<Schema>> = bound.contract.schema.iter().cloned().collect();
    let mut unusable = None;
    if let Format::JsonSchema(demanded) = &bound.terms.format {
        match bound.contract.schemas.get(&demanded.schema) {
            Ok(schema) => schemas.push(schema),
            Err(why) => unusable = Some(why),
        }
    }
    Demand { object: bound.terms.format == Format::JsonObject, schemas, unusable }
}

/// Whether a choice has to hold JSON: not where it calls tools, declines, or was withheld.
pub(crate) fn applies(choice: &Choice) -> bool {
    choice.calls.is_empty() && choice.refusal.is_empty() && choice.finish != Some(FinishReason::ContentFilter)
}

pub(super) fn check(bound: &Bound<'_>, choice: &Choice, judgement: &mut Judgement) {
    if !applies(choice) {
        return;
    }
    let place = Place::Text(choice.index);
    let demand = demand(bound);
    if let Some(why) = &demand.unusable {
        let mark = Finding::new(Check::Schema, Code::SchemaUnusable, place, format!("Not judged: {why}."));
        judgement.mark(mark);
    }
    // That there is nothing at all is said once.
    if bound.makes(Check::NonEmpty)
        && super::ending::is_empty(bound, choice)
        && choice.finish != Some(FinishReason::Length)
    {
        return;
    }
    judge(choice, &demand, judgement);
}

fn judge(choice: &Choice, demand: &Demand, judgement: &mut Judgement) {
    let place = Place::Text(choice.index);
    let json = match json::read(&choice.text) {
        Ok(json) => json,
        Err(fault) => return judgement.violation(no_json(place, &choice.text, &fault)),
    };
    if demand.object && !matches!(json.value, Value::Object(_)) {
        let message = "Answer with a JSON object, not with another kind of value.";
        judgement.violation(Finding::new(Check::Schema, Code::NotAnObject, place, message));
    }
    for flaw in demand.schemas.iter().flat_map(|schema| schema.flaws(&json)) {
        judgement.violation(Finding::new(Check::Schema, flaw.code, place, flaw.message).at(flaw.pointer));
    }
}

/// Why a text is no JSON, as precisely as it can be told.
fn no_json(place: Place, text: &str, fault: &Fault) -> Finding {
    let finding = |code, message: &str| Finding::new(Check::Schema, code, place, message);
    match fault {
        Fault::Cut => finding(Code::JsonCut, "The JSON is cut off: answer with the whole of it, shorter if need be."),
        Fault::TooLarge => finding(Code::JsonTooLarge, "The JSON is too large or nests too deeply."),
        Fault::Duplicate(field) => {
            let message = format!("The JSON names the field `{}` twice in one object.", shortened(field.clone(), 100));
            finding(Code::DuplicateField, &message)
        }
        Fault::Broken(why) => match inside(text) {
            Inside::Fenced(_) => finding(Code::JsonFenced, "Answer with JSON alone, without a code fence around it."),
            Inside::Prose(_) => finding(Code::JsonInProse, "Answer with JSON alone, without any words around it."),
            Inside::Cut if text.trim().is_empty() => {
                finding(Code::JsonCut, "The answer was cut before the JSON began.")
            }
            Inside::Cut => {
                finding(Code::JsonCut, "The JSON is cut off: answer with the whole of it, shorter if need be.")
            }
            Inside::Nothing => finding(Code::NotJson, &format!("The answer is no valid JSON: {why}.")),
        },
    }
}
