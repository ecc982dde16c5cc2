//! The entries of an object of a request, taken out one by one, so that what is left is what is not known.
//!
//! Must never be here: which entries there are.

use super::super::fault::fault;
use crate::fields;
use crate::json::Json;
use crate::place::Place;
use llm::CallError;
use serde::Deserialize;
use std::sync::Arc;

/// An object's entries, those left out that are null.
#[derive(Clone, Debug)]
pub(super) struct Fields<'a> {
    /// Where it stands in the request; empty for the request itself.
    path: Place<'a>,
    fields: fields::Fields<'a>,
}

impl<'a> Fields<'a> {
    /// The entries of the object in `json`, which stands at `path`.
    pub(super) fn of(json: Json<'a>, path: Place<'a>) -> Result<Self, CallError> {
        match fields::Fields::of(json) {
            Some(fields) => Ok(Self { path, fields }),
            None => Err(fault(path, "Input should be an object")),
        }
    }

    /// The path of an entry.
    pub(super) fn path<'n>(&self, name: &'n str) -> Place<'n>
    where
        'a: 'n,
    {
        self.path.field(name)
    }

    /// Takes out an entry, as it stands.
    pub(super) fn take(&mut self, name: &str) -> Option<Json<'a>> {
        self.fields.take(name)
    }

    /// Takes out an entry that has to be of a type, of which `words` is the name.
    pub(super) fn value<T: Deserialize<'a>>(&mut self, name: &str, words: &str) -> Result<Option<T>, CallError> {
        let Some(json) = self.take(name) else { return Ok(None) };
        json.read().map(Some).ok_or_else(|| self.wrong(name, words))
    }

    /// Takes out a text.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, CallError> {
        let Some(json) = self.take(name) else { return Ok(None) };
        let text = json.text().ok_or_else(|| self.wrong(name, "string"))?;
        Ok(Some(text.into_owned()))
    }

    /// Takes out a text that has to be there.
    pub(super) fn needed(&mut self, name: &str) -> Result<String, CallError> {
        self.text(name)?.ok_or_else(|| fault(self.path(name), "Field required"))
    }

    /// Takes out the items of a list; nothing where there is no list.
    pub(super) fn list(&mut self, name: &str) -> Result<Option<Vec<Json<'a>>>, CallError> {
        let Some(json) = self.take(name) else { return Ok(None) };
        let items = json.items().ok_or_else(|| self.wrong(name, "list"))?;
        Ok(Some(items.collect()))
    }

    /// Takes out an object that may be there.
    pub(super) fn object(&mut self, name: &'a str) -> Result<Option<Self>, CallError> {
        self.take(name).map(|json| Self::of(json, self.path(name))).transpose()
    }

    /// Whether nothing is left.
    pub(super) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// What is left, by name.
    pub(super) fn rest(self) -> impl Iterator<Item = (String, Arc<str>)> + use<'a> {
        self.fields.into_iter().map(|(name, json)| (name.into_owned(), json.get().into()))
    }

    fn wrong(&self, name: &str, words: &str) -> CallError {
        fault(self.path(name), &format!("Input should be a valid {words}"))
    }
}
