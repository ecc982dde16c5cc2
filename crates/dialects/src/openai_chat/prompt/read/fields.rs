//! An object of a request: fields taken out by name, each judged by its type; what is left at the end has no noun.

use super::super::super::request::{invalid, missing, wrong_type};
use crate::fields;
use crate::json::Json;
use crate::place::Place;
use llm::{CallError, Other};
use serde::de::DeserializeOwned;

/// The fields of one object, those left out that are null.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    /// Where it stands in the request; empty for the request itself.
    at: Place<'a>,
    fields: fields::Fields<'a>,
}

impl<'a> Fields<'a> {
    /// The object in `json`, which stands at `at`.
    pub(crate) fn of(json: Json<'a>, at: Place<'a>) -> Result<Self, CallError> {
        match fields::Fields::of(json) {
            Some(fields) => Ok(Self { at, fields }),
            None => Err(wrong_type(at, "an object", json.shape())),
        }
    }

    /// Where its field `name` stands.
    pub(crate) fn path<'n>(&self, name: &'n str) -> Place<'n>
    where
        'a: 'n,
    {
        self.at.field(name)
    }

    /// Where it stands itself.
    pub(crate) fn at(&self) -> Place<'a> {
        self.at
    }

    /// Takes a field out.
    pub(crate) fn take(&mut self, name: &str) -> Option<Json<'a>> {
        self.fields.take(name)
    }

    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>, CallError> {
        let Some(json) = self.take(name) else { return Ok(None) };
        text(json, self.path(name)).map(Some)
    }

    pub(crate) fn required_text(&mut self, name: &str) -> Result<String, CallError> {
        self.text(name)?.ok_or_else(|| missing(self.path(name)))
    }

    pub(crate) fn flag(&mut self, name: &str) -> Result<Option<bool>, CallError> {
        self.typed(name, "a boolean")
    }

    pub(crate) fn number<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, CallError> {
        let whole = std::any::type_name::<T>() != std::any::type_name::<f64>();
        self.typed(name, if whole { "an integer" } else { "a number" })
    }

    pub(crate) fn object(&mut self, name: &'a str) -> Result<Option<Self>, CallError> {
        self.take(name).map(|json| Self::of(json, self.path(name))).transpose()
    }

    pub(crate) fn required(&mut self, name: &'a str) -> Result<Self, CallError> {
        self.object(name)?.ok_or_else(|| missing(self.path(name)))
    }

    /// The items of a list, with where each stands.
    pub(crate) fn list(&mut self, name: &'a str, of: &str) -> Result<Vec<(Place<'a>, Json<'a>)>, CallError> {
        let Some(json) = self.take(name) else { return Ok(Vec::new()) };
        let path = self.path(name);
        let items = json.items().ok_or_else(|| wrong_type(path, of, json.shape()))?;
        Ok(items.enumerate().map(|(at, item)| (path.item(at), item)).collect())
    }

    /// The refusal of a value that is none of those there are.
    pub(crate) fn unknown(&self, name: &str, value: &str, known: &str) -> CallError {
        let value: String = value.chars().take(64).collect();
        invalid(format!("Invalid value: '{value}'. Supported values are: {known}."), Some(self.path(name).to_string()))
    }

    /// What nobody took.
    pub(crate) fn rest(self) -> impl Iterator<Item = Other> {
        let Self { at, fields } = self;
        fields.into_iter().map(move |(name, json)| Other { name: at.field(&name).to_string(), json: json.get().into() })
    }

    fn typed<T: DeserializeOwned>(&mut self, name: &str, expected: &str) -> Result<Option<T>, CallError> {
        let Some(json) = self.take(name) else { return Ok(None) };
        json.read().map(Some).ok_or_else(|| wrong_type(self.path(name), expected, json.shape()))
    }
}

/// The text in `json`, which stands at `path`.
pub(crate) fn text(json: Json<'_>, path: Place<'_>) -> Result<String, CallError> {
    let text = json.text().ok_or_else(|| wrong_type(path, "a string", json.shape()))?;
    Ok(text.into_owned())
}
