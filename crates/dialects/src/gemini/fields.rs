//! The fields of a JSON object in a request, under the names that Google's documents give them.
//!
//! Google takes both spellings, `systemInstruction` and `system_instruction`, numbers in quotes, and one thing where a
//! list is wanted: so do we. Receives JSON; hands on typed fields, or the error for a field of another type.
//! Must never be here: what the fields mean.

use llm::CallError;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// The fields of one object that nobody has taken yet.
pub(super) struct Fields<'a> {
    /// Where the object stands; empty for the request itself.
    at: String,
    fields: Vec<(String, &'a RawValue)>,
}

impl<'a> Fields<'a> {
    /// The fields of the object that `raw` has to be.
    pub(super) fn read(at: &str, raw: &'a RawValue) -> Result<Self, CallError> {
        let Some(entries) = entries(raw) else { return Err(wrong(at, "an object", raw)) };
        let fields = entries.into_iter().map(|(name, value)| (camel(name), value)).collect();
        Ok(Self { at: at.to_owned(), fields })
    }

    /// Where the field `name` stands.
    pub(super) fn at(&self, name: &str) -> String {
        if self.at.is_empty() { name.to_owned() } else { format!("{}.{name}", self.at) }
    }

    /// Whether a field is called `name`, and holds something.
    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(known, value)| known == name && value.get() != "null")
    }

    /// Whether any field that nobody has taken holds something.
    pub(super) fn has_any(&self) -> bool {
        self.fields.iter().any(|(_, value)| value.get() != "null")
    }

    /// The text that `name` holds, where it holds one; it stays.
    pub(super) fn text_of(&self, name: &str) -> Option<String> {
        self.look(name)
    }

    /// The truth value that `name` holds, where it holds one; it stays.
    pub(super) fn flag_of(&self, name: &str) -> Option<bool> {
        self.look(name)
    }

    fn look<T: Deserialize<'a>>(&self, name: &str) -> Option<T> {
        let (_, value) = self.fields.iter().rfind(|(known, _)| known == name)?;
        serde_json::from_str(value.get()).ok()
    }

    /// Takes out the field `name`; null is nothing.
    pub(super) fn take(&mut self, name: &str) -> Option<&'a RawValue> {
        let at = self.fields.iter().rposition(|(known, _)| known == name)?;
        let (_, value) = self.fields.remove(at);
        (value.get() != "null").then_some(value)
    }

    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, CallError> {
        self.value(name, "a string")
    }

    pub(super) fn flag(&mut self, name: &str) -> Result<Option<bool>, CallError> {
        self.value(name, "a boolean")
    }

    pub(super) fn number(&mut self, name: &str) -> Result<Option<f64>, CallError> {
        let Some(raw) = self.take(name) else { return Ok(None) };
        number(raw).map(Some).ok_or_else(|| wrong(&self.at(name), "a number", raw))
    }

    /// A whole number, perhaps written as `40.0`.
    pub(super) fn integer(&mut self, name: &str) -> Result<Option<i64>, CallError> {
        let Some(raw) = self.take(name) else { return Ok(None) };
        let whole = |number: f64| (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64);
        let exact = raw.get().trim_matches('"').parse().ok();
        exact.or_else(|| whole(number(raw)?)).map(Some).ok_or_else(|| wrong(&self.at(name), "an integer", raw))
    }

    /// A whole number that is not negative.
    pub(super) fn count(&mut self, name: &str) -> Result<Option<u64>, CallError> {
        let Some(number) = self.integer(name)? else { return Ok(None) };
        u64::try_from(number)
            .map(Some)
            .map_err(|_| invalid(format!("Invalid value at '{}': {number} is negative.", self.at(name)), self.at(name)))
    }

    /// The items of a list, or the one thing that stands for it.
    pub(super) fn list(&mut self, name: &str) -> Result<Vec<&'a RawValue>, CallError> {
        let Some(raw) = self.take(name) else { return Ok(Vec::new()) };
        if !raw.get().starts_with('[') {
            return Ok(vec![raw]);
        }
        serde_json::from_str(raw.get()).map_err(|_| wrong(&self.at(name), "a list", raw))
    }

    pub(super) fn texts(&mut self, name: &str) -> Result<Vec<String>, CallError> {
        let at = self.at(name);
        let read = |raw: &RawValue| serde_json::from_str(raw.get()).map_err(|_| wrong(&at, "a list of strings", raw));
        self.list(name)?.into_iter().map(read).collect()
    }

    pub(super) fn object(&mut self, name: &str) -> Result<Option<Self>, CallError> {
        let at = self.at(name);
        self.take(name).map(|raw| Self::read(&at, raw)).transpose()
    }

    /// What nobody has taken, nulls left out.
    pub(super) fn rest(self) -> impl Iterator<Item = (String, &'a RawValue)> {
        self.fields.into_iter().filter(|(_, value)| value.get() != "null")
    }

    fn value<T: Deserialize<'a>>(&mut self, name: &str, what: &str) -> Result<Option<T>, CallError> {
        let Some(raw) = self.take(name) else { return Ok(None) };
        serde_json::from_str(raw.get()).map(Some).map_err(|_| wrong(&self.at(name), what, raw))
    }
}

/// The entries of an object, in order; nothing where `raw` is none.
pub(super) fn entries(raw: &RawValue) -> Option<Vec<(String, &RawValue)>> {
    struct Entries<'a>(Vec<(String, &'a RawValue)>);
    struct Each;
    impl<'de> Visitor<'de> for Each {
        type Value = Entries<'de>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<'de>, A::Error> {
            let mut entries = Vec::new();
            while let Some(entry) = map.next_entry()? {
                entries.push(entry);
            }
            Ok(Entries(entries))
        }
    }
    impl<'de> Deserialize<'de> for Entries<'de> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_map(Each)
        }
    }
    serde_json::from_str::<Entries<'_>>(raw.get()).ok().map(|entries| entries.0)
}

/// `name` in the spelling of Google's documents.
pub(super) fn camel(name: String) -> String {
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
    out
}

fn number(raw: &RawValue) -> Option<f64> {
    raw.get().trim_matches('"').parse().ok().filter(|number: &f64| number.is_finite())
}

/// The error for a value of another type than is wanted.
pub(super) fn wrong(at: &str, wanted: &str, got: &RawValue) -> CallError {
    let mut shown: String = got.get().chars().take(40).collect();
    if shown.len() < got.get().len() {
        shown.push_str("...");
    }
    invalid(format!("Invalid value at '{at}' (expected {wanted}), {shown}"), at.to_owned())
}

pub(super) fn invalid(message: String, param: String) -> CallError {
    CallError::InvalidRequest { message, param: Some(param).filter(|param| !param.is_empty()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with<T>(json: &str, look: impl FnOnce(Fields<'_>) -> T) -> T {
        let raw: Box<RawValue> = serde_json::from_str(json).expect("JSON");
        look(Fields::read("a", &raw).expect("an object"))
    }

    #[test]
    fn both_spellings_and_loose_values_are_taken() {
        with(
            r#"{"top_k":"40","maxOutputTokens":8.0,"a_b":null,"stop":"x","temperature":"0.5","response_json_schema":{}}"#,
            |mut fields| {
                assert_eq!(fields.integer("topK"), Ok(Some(40)));
                assert_eq!(fields.count("maxOutputTokens"), Ok(Some(8)));
                assert_eq!(fields.take("aB").map(RawValue::get), None);
                assert_eq!(fields.texts("stop"), Ok(vec!["x".to_owned()]));
                assert_eq!(fields.number("temperature"), Ok(Some(0.5)));
                let rest: Vec<String> = fields.rest().map(|(name, _)| name).collect();
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
