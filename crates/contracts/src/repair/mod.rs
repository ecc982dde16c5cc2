//! Mends an answer where that is certain and loses nothing.
//!
//! Three things are done, and no more: JSON is taken out of a code fence or out of words around it, where there is
//! exactly one; empty arguments of a tool that accepts `{}` become that; and, where the policy allows it, text that is a
//! number becomes that number, where the schema takes nothing else. What is cut stays cut, and no field is made up. An
//! answer that would not satisfy its contract afterwards is not mended at all.

mod inside;
mod numbers;

pub(crate) use inside::{Inside, inside};

use crate::check::text::{Demand, applies, demand};
use crate::contract::Bound;
use crate::finding::{Check, Place, words};
use crate::json;
use crate::schema::Schema;
use llm::{Answer, FinishReason, Takes};
use numbers::with_numbers;
use std::sync::Arc;

words! {
    /// What was done to mend something.
    Mend {
        /// JSON was taken out of a code fence.
        Unfenced => "unfenced",
        /// JSON was taken out of the words around it.
        Extracted => "extracted",
        /// Text became the number that it stood for.
        Numbers => "numbers",
        /// Empty arguments became an empty object.
        EmptyObject => "empty_object",
    }
}

/// An answer that was mended.
#[derive(Clone, Debug, PartialEq)]
pub struct Repaired {
    /// The answer, which satisfies its contract.
    pub answer: Answer,
    /// What was done, and where.
    pub mends: Vec<(Place, Mend)>,
}

pub(crate) fn repair(bound: &Bound<'_>, answer: &Answer) -> Option<Repaired> {
    let mut repaired = Repaired { answer: answer.clone(), mends: Vec::new() };
    let demand = demand(bound);
    for choice in &mut repaired.answer.choices {
        if bound.makes(Check::Schema) && applies(choice) {
            let place = Place::Text(choice.index);
            let mended = text(bound, &demand, &choice.text);
            apply(&mut choice.text, mended, place, &mut repaired.mends);
        }
        let cut = choice.finish == Some(FinishReason::Length);
        for (at, call) in choice.calls.iter_mut().enumerate().filter(|_| bound.makes(Check::Tools)) {
            let tool = bound.terms.tools.iter().find(|tool| tool.name == call.name);
            let Some(Takes::Json(schema)) = tool.map(|tool| &tool.takes) else { continue };
            let schema = schema.as_ref().and_then(|text| bound.contract.schemas.get(text).ok());
            let mended = arguments(bound, schema, &call.arguments, cut);
            apply(&mut call.arguments, mended, Place::Call(choice.index, at), &mut repaired.mends);
        }
    }
    let whole = !repaired.mends.is_empty() && bound.check(&repaired.answer).holds();
    whole.then_some(repaired)
}

/// A mended text, and how it was mended.
type Mended = Option<(String, Vec<Mend>)>;

fn apply(text: &mut String, mended: Mended, place: Place, mends: &mut Vec<(Place, Mend)>) {
    if let Some((mended, how)) = mended {
        *text = mended;
        mends.extend(how.into_iter().map(|mend| (place, mend)));
    }
}

fn text(bound: &Bound<'_>, demand: &Demand, text: &str) -> Mended {
    json_of(text, &demand.schemas, bound.contract.policy.repair_numbers)
}

fn arguments(bound: &Bound<'_>, schema: Option<Arc<Schema>>, text: &str, cut: bool) -> Mended {
    const EMPTY: &str = "{}";
    let schemas: Vec<Arc<Schema>> = schema.into_iter().collect();
    // Where the token limit struck, what is missing may not be nothing.
    if text.trim().is_empty() && !cut {
        let empty = json::read(EMPTY).ok()?;
        let accepted = schemas.iter().all(|schema| schema.accepts(&empty));
        return accepted.then(|| (EMPTY.to_owned(), vec![Mend::EmptyObject]));
    }
    json_of(text, &schemas, bound.contract.policy.repair_numbers)
}

/// The JSON that `text` is or holds, with numbers as `schemas` want them.
fn json_of(text: &str, schemas: &[Arc<Schema>], numbers: bool) -> Mended {
    let mut mends = Vec::new();
    let mut json = text;
    if json::read(text).is_err() {
        (json, mends) = match inside(text) {
            Inside::Fenced(json) => (json, vec![Mend::Unfenced]),
            Inside::Prose(json) => (json, vec![Mend::Extracted]),
            Inside::Cut | Inside::Nothing => return None,
        };
    }
    let mut mended = json.to_owned();
    for schema in schemas.iter().filter(|_| numbers) {
        if let Some(with) = with_numbers(&mended, schema) {
            mended = with;
            mends.push(Mend::Numbers);
        }
    }
    mends.dedup();
    (!mends.is_empty()).then_some((mended, mends))
}

#[cfg(test)]
mod tests;
