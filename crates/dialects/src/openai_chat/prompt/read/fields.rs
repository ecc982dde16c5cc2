//! An object of a request: fields taken out by name, each judged by its type; what is left at the end has no noun.

use super::super::super::request::{invalid, missing, wrong_type};
use super::super::super::shape::Shape;
use llm::{CallError, Other};
use serde::de::{Deserialize, DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// The fields of one object, those left out that are null.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    /// Where it stands in the request; empty for the request itself.
    at: String,
    entries: Vec<(String, &'a RawValue)>,
}

impl<'a> Fields<'a> {
    /// The object in `raw`, which stands at `at`.
    pub(super) fn of(raw: &'a RawValue, at: String) -> Result<Self, CallError> {
        match serde_json::from_str::<Entries<'a>>(raw.get()) {
            Ok(Entries(entries)) => Ok(Self { at, entries }),
            Err(_) => Err(wrong_type(&at, "an object", Shape::of(raw))),
        }
    }

    /// Where its field `name` stands.
    pub(super) fn path(&self, name: &str) -> String {
        if self.at.is_empty() { name.to_owned() } else { format!("{}.{name}", self.at) }
    }

    /// Where it stands itself.
    pub(super) fn at(&self) -> &str {
        &self.at
    }

    /// Takes a field out.
    pub(super) fn take(&mut self, name: &str) -> Option<&'a RawValue> {
        let at = self.entries.iter().position(|(known, _)| known == name)?;
        Some(self.entries.remove(at).1)
    }

    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, CallError> {
        self.take(name).map(|raw| text(raw, &self.path(name))).transpose()
    }

    pub(super) fn required_text(&mut self, name: &str) -> Result<String, CallError> {
        self.text(name)?.ok_or_else(|| missing(&self.path(name)))
    }

    pub(super) fn flag(&mut self, name: &str) -> Result<Option<bool>, CallError> {
        self.typed(name, "a boolean")
    }

    pub(super) fn number<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, CallError> {
        let whole = std::any::type_name::<T>() != std::any::type_name::<f64>();
        self.typed(name, if whole { "an integer" } else { "a number" })
    }

    pub(super) fn object(&mut self, name: &str) -> Result<Option<Self>, CallError> {
        self.take(name).map(|raw| Self::of(raw, self.path(name))).transpose()
    }

    pub(super) fn required(&mut self, name: &str) -> Result<Self, CallError> {
        self.object(name)?.ok_or_else(|| missing(&self.path(name)))
    }

    /// The items of a list, with where each stands.
    pub(super) fn list(&mut self, name: &str, of: &str) -> Result<Vec<(String, &'a RawValue)>, CallError> {
        let Some(raw) = self.take(name) else { return Ok(Vec::new()) };
        let path = self.path(name);
        let items = list(raw, &path, of)?;
        Ok(items.into_iter().enumerate().map(|(at, item)| (format!("{path}[{at}]"), item)).collect())
    }

    /// The refusal of a value that is none of those there are.
    pub(super) fn unknown(&self, name: &str, value: &str, known: &str) -> CallError {
        let value: String = value.chars().take(64).collect();
        invalid(format!("Invalid value: '{value}'. Supported values are: {known}."), Some(self.path(name)))
    }

    /// What nobody took.
    pub(super) fn rest(self) -> impl Iterator<Item = Other> {
        let Self { at, entries } = self;
        entries.into_iter().map(move |(name, raw)| Other {
            name: if at.is_empty() { name } else { format!("{at}.{name}") },
            json: raw.get().into(),
        })
    }

    fn typed<T: DeserializeOwned>(&mut self, name: &str, expected: &str) -> Result<Option<T>, CallError> {
        let Some(raw) = self.take(name) else { return Ok(None) };
        let read = serde_json::from_str(raw.get());
        read.map(Some).map_err(|_| wrong_type(&self.path(name), expected, Shape::of(raw)))
    }
}

/// The text in `raw`, which stands at `path`.
pub(super) fn text(raw: &RawValue, path: &str) -> Result<String, CallError> {
    serde_json::from_str(raw.get()).map_err(|_| wrong_type(path, "a string", Shape::of(raw)))
}

/// The items of the list in `raw`, which stands at `path` and should be `expected`.
pub(super) fn list<'a>(raw: &'a RawValue, path: &str, expected: &str) -> Result<Vec<&'a RawValue>, CallError> {
    serde_json::from_str(raw.get()).map_err(|_| wrong_type(path, expected, Shape::of(raw)))
}

struct Entries<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reading<'a>(std::marker::PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for Reading<'a> {
            type Value = Entries<'a>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<'a>, A::Error> {
                let mut entries = Vec::new();
                while let Some((name, raw)) = map.next_entry::<String, &'de RawValue>()? {
                    if raw.get() != "null" {
                        entries.push((name, raw));
                    }
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Reading(std::marker::PhantomData))
    }
}
