//! The entries of an object of a request, taken out one by one, so that what is left is what is not known.
//!
//! Must never be here: which entries there are.

use super::super::fault::fault;
use crate::shape::Shape;
use llm::CallError;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::sync::Arc;

/// An object's entries, those left out that are null.
#[derive(Clone, Debug)]
pub(super) struct Fields<'a> {
    /// Where it stands in the request; empty for the request itself.
    path: String,
    entries: BTreeMap<String, &'a RawValue>,
}

impl<'a> Fields<'a> {
    /// The entries of the object in `raw`, which stands at `path`.
    pub(super) fn of(raw: &'a RawValue, path: &str) -> Result<Self, CallError> {
        let entries = Some(raw).filter(|raw| Shape::of(raw) == Shape::Object);
        let mut entries: BTreeMap<String, &'a RawValue> = entries
            .and_then(|raw| serde_json::from_str(raw.get()).ok())
            .ok_or_else(|| fault(path, "Input should be an object"))?;
        entries.retain(|_, raw| raw.get() != "null");
        Ok(Self { path: path.to_owned(), entries })
    }

    /// The path of an entry.
    pub(super) fn path(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// Takes out an entry, as it stands.
    pub(super) fn raw(&mut self, name: &str) -> Option<&'a RawValue> {
        self.entries.remove(name)
    }

    /// Takes out an entry that has to be of a type, of which `words` is the name.
    pub(super) fn value<T: Deserialize<'a>>(&mut self, name: &str, words: &str) -> Result<Option<T>, CallError> {
        let Some(raw) = self.raw(name) else { return Ok(None) };
        let wrong = |_| fault(&self.path(name), &format!("Input should be a valid {words}"));
        serde_json::from_str(raw.get()).map(Some).map_err(wrong)
    }

    /// Takes out a text.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, CallError> {
        self.value(name, "string")
    }

    /// Takes out a text that has to be there.
    pub(super) fn needed(&mut self, name: &str) -> Result<String, CallError> {
        self.text(name)?.ok_or_else(|| fault(&self.path(name), "Field required"))
    }

    /// Takes out the items of a list; none where there is no list.
    pub(super) fn list(&mut self, name: &str) -> Result<Vec<&'a RawValue>, CallError> {
        Ok(self.value(name, "list")?.unwrap_or_default())
    }

    /// Takes out an object that may be there.
    pub(super) fn object(&mut self, name: &str) -> Result<Option<Self>, CallError> {
        let path = self.path(name);
        self.raw(name).map(|raw| Self::of(raw, &path)).transpose()
    }

    /// Whether nothing is left.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What is left, by name.
    pub(super) fn rest(self) -> impl Iterator<Item = (String, Arc<str>)> + use<'a> {
        self.entries.into_iter().map(|(name, raw)| (name, raw.get().into()))
    }
}
