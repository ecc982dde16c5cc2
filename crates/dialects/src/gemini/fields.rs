//! The fields of a JSON object in a request, under the names that Google's documents give them.
//!
//! Google takes both spellings, `systemInstruction` and `system_instruction`, numbers in quotes, and one thing where a
//! list is wanted: so do we. Receives JSON; hands on typed fields, or the error for a field of another type.
//! Must never be here: what the fields mean.

use crate::fields;
use crate::json::Json;
use crate::place::Place;
use llm::CallError;
use serde::Deserialize;
use std::borrow::Cow;

/// The fields of one object that nobody has taken yet, those left out that are null.
pub(super) struct Fields<'a> {
    /// Where the object stands; empty for the request itself.
    at: Place<'a>,
    fields: fields::Fields<'a>,
}

impl<'a> Fields<'a> {
    /// The fields of the object that `json` has to be.
    pub(super) fn read(at: Place<'a>, json: Json<'a>) -> Result<Self, CallError> {
        match fields::Fields::spelled(json, camel) {
            Some(fields) => Ok(Self { at, fields }),
            None => Err(wrong(at, "an object", json)),
        }
    }

    /// Where the field `name` stands.
    pub(super) fn at<'n>(&self, name: &'n str) -> Place<'n>
    where
        'a: 'n,
    {
        self.at.field(name)
    }

    /// Whether a field is called `name`, and holds something.
    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.get(name).is_some()
    }

    /// Whether any field that nobody has taken holds something.
    pub(super) fn has_any(&self) -> bool {
        !self.fields.is_empty()
    }

    /// The text that `name` holds, where it holds one; it stays.
    pub(super) fn text_of(&self, name: &str) -> Option<Cow<'a, str>> {
        self.fields.get(name)?.text()
    }

    /// The truth value that `name` holds, where it holds one; it stays.
    pub(super) fn flag_of(&self, name: &str) -> Option<bool> {
        self.fields.get(name)?.read()
    }

    /// Takes out the field `name`; null is nothing.
    pub(super) fn take(&mut self, name: &str) -> Option<Json<'a>> {
        self.fields.take(name)
    }

    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, CallError> {
        let Some(json) = self.take(name) else { return Ok(None) };
        let text = json.text().ok_or_else(|| wrong(self.at(name), "a string", json))?;
        Ok(Some(text.into_owned()))
    }

    pub(super) fn flag(&mut self, name: &str) -> Result<Option<bool>, CallError> {
        self.value(name, "a boolean")
    }

    pub(super) fn number(&mut self, name: &str) -> Result<Option<f64>, CallError> {
        let Some(json) = self.take(name) else { return Ok(None) };
        number(json).map(Some).ok_or_else(|| wrong(self.at(name), "a number", json))
    }

    /// A whole number, perhaps written as `40.0`.
    pub(super) fn integer(&mut self, name: &str) -> Result<Option<i64>, CallError> {
        let Some(json) = self.take(name) else { return Ok(None) };
        let whole = |number: f64| (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64);
        let exact = json.get().trim_matches('"').parse().ok();
        exact.or_else(|| whole(number(json)?)).map(Some).ok_or_else(|| wrong(self.at(name), "an integer", json))
    }

    /// A whole number that is not negative.
    pub(super) fn count(&mut self, name: &str) -> Result<Option<u64>, CallError> {
        let Some(number) = self.integer(name)? else { return Ok(None) };
        u64::try_from(number)
            .map(Some)
            .map_err(|_| invalid(format!("Invalid value at '{}': {number} is negative.", self.at(name)), self.at(name)))
    }

    /// The items of a list, or the one thing that stands for it.
    pub(super) fn list(&mut self, name: &str) -> impl Iterator<Item = Json<'a>> + use<'a> {
        let found = self.take(name);
        let items = found.and_then(Json::items);
        let alone = found.filter(|_| items.is_none());
        items.into_iter().flatten().chain(alone)
    }

    pub(super) fn texts(&mut self, name: &str) -> Result<Vec<String>, CallError> {
        let at = self.at(name);
        let read =
            |json: Json<'a>| json.text().map(Cow::into_owned).ok_or_else(|| wrong(at, "a list of strings", json));
        self.list(name).map(read).collect()
    }

    pub(super) fn object(&mut self, name: &'a str) -> Result<Option<Self>, CallError> {
        self.take(name).map(|json| Self::read(self.at(name), json)).transpose()
    }

    /// What nobody has taken.
    pub(super) fn rest(self) -> impl Iterator<Item = (Cow<'a, str>, Json<'a>)> {
        self.fields.into_iter()
    }

    fn value<T: Deserialize<'a>>(&mut self, name: &str, what: &str) -> Result<Option<T>, CallError> {
        let Some(json) = self.take(name) else { return Ok(None) };
        json.read().map(Some).ok_or_else(|| wrong(self.at(name), what, json))
    }
}

/// `name` in the spelling of Google's documents.
pub(super) fn camel(name: Cow<'_, str>) -> Cow<'_, str> {
    if !name.contains('_') {
        return name;
    }
    let mut out = String::with_capacity(name.len());
    let mut upper = false;
    for c in name.chars() {
        if c == '_' {
            upper = true;
        } else {
            out.push(if upper { c.to_ascii_uppercase() } else { c });
            upper = false;
        }
    }
    Cow::Owned(out)
}

fn number(json: Json<'_>) -> Option<f64> {
    json.get().trim_matches('"').parse().ok().filter(|number: &f64| number.is_finite())
}

/// The error for a value of another type than is wanted.
pub(super) fn wrong(at: Place<'_>, wanted: &str, got: Json<'_>) -> CallError {
    let mut shown: String = got.get().chars().take(40).collect();
    if shown.len() < got.get().len() {
        shown.push_str("...");
    }
    invalid(format!("Invalid value at '{at}' (expected {wanted}), {shown}"), at)
}

pub(super) fn invalid(message: String, place: Place<'_>) -> CallError {
    CallError::InvalidRequest { message, param: Some(place.to_string()).filter(|param| !param.is_empty()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with<T>(json: &str, look: impl FnOnce(Fields<'_>) -> T) -> T {
        look(Fields::read(Place::default().field("a"), Json::parse(json).expect("JSON")).expect("an object"))
    }

    #[test]
    fn both_spellings_and_loose_values_are_taken() {
        with(
            r#"{"top_k":"40","maxOutputTokens":8.0,"a_b":null,"stop":"x","temperature":"0.5","response_json_schema":{}}"#,
            |mut fields| {
                assert_eq!(fields.integer("topK"), Ok(Some(40)));
                assert_eq!(fields.count("maxOutputTokens"), Ok(Some(8)));
                assert_eq!(fields.take("aB").map(Json::get), None);
                assert_eq!(fields.texts("stop"), Ok(vec!["x".to_owned()]));
                assert_eq!(fields.number("temperature"), Ok(Some(0.5)));
                let rest: Vec<_> = fields.rest().map(|(name, _)| name).collect();
                assert_eq!(rest, ["responseJsonSchema"]);
            },
        );
    }

    #[test]
    fn values_of_other_types_are_named() {
        let json = r#"{"text":7,"flag":"yes","number":"hot","count":-1,"whole":1.5,"object":[],"texts":[7]}"#;
        let faults = with(json, |mut fields| {
            [
                fields.text("text").map(drop),
                fields.flag("flag").map(drop),
                fields.number("number").map(drop),
                fields.count("count").map(drop),
                fields.integer("whole").map(drop),
                fields.object("object").map(drop),
                fields.texts("texts").map(drop),
            ]
        });
        let names = ["text", "flag", "number", "count", "whole", "object", "texts"];
        for (fault, name) in faults.into_iter().zip(names) {
            let Err(CallError::InvalidRequest { message, param }) = fault else { panic!("{name} was taken") };
            assert!(message.starts_with(&format!("Invalid value at 'a.{name}'")), "{message}");
            assert_eq!(param, Some(format!("a.{name}")));
        }
    }
}
