//! The parts of a schema, and which of them apply where.
//!
//! Receives a schema; hands on its parts with their edges, or why such a schema is not taken.
//! Must never be here: values.

use super::Unusable;
use serde_json::{Map, Value};
use std::collections::HashMap;

/// The most patterns, and the longest one, in bytes.
const MAX_PATTERNS: usize = 64;
const MAX_PATTERN: usize = 1024;

/// The drafts that `$schema` may name.
const DRAFTS: &[&str] = &[
    "json-schema.org/draft/2020-12/schema",
    "json-schema.org/draft/2019-09/schema",
    "json-schema.org/draft-07/schema",
    "json-schema.org/draft-06/schema",
    "json-schema.org/draft-04/schema",
];

/// One part of a schema.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// What it costs by itself, in visits.
    pub(super) own: u64,
    /// The parts that judge the same value, and how often each does.
    pub(super) same: Vec<(usize, u64)>,
    /// The parts that judge the field of this name.
    pub(super) named: Vec<(String, usize)>,
    /// The parts that may judge any field or item.
    pub(super) any: Vec<usize>,
}

/// All parts of a schema; the first is the whole.
#[derive(Debug, Default)]
pub(super) struct Survey {
    pub(super) parts: Vec<Part>,
    /// By their places.
    places: HashMap<String, usize>,
    anchors: HashMap<String, usize>,
    references: Vec<(usize, String)>,
    patterns: usize,
}

impl Survey {
    pub(super) fn of(root: &Value) -> Result<Self, Unusable> {
        let mut survey = Self::default();
        survey.part(root, "")?;
        for (from, target) in std::mem::take(&mut survey.references) {
            let to = survey.resolve(&target)?;
            if let Some(part) = survey.parts.get_mut(from) {
                part.same.push((to, 1));
            }
        }
        Ok(survey)
    }

    fn resolve(&self, target: &str) -> Result<usize, Unusable> {
        let Some(fragment) = target.strip_prefix('#') else {
            return Err(Unusable(format!(
                "refers to another document, `{}`",
                crate::finding::shortened(target.into(), 80)
            )));
        };
        let found = if fragment.is_empty() || fragment.starts_with('/') {
            self.places.get(&unescaped(fragment))
        } else {
            self.anchors.get(fragment)
        };
        found.copied().ok_or_else(|| Unusable(format!("refers to `{target:.80}`, where there is no schema")))
    }

    /// Notes the schema at `place`, and all below it.
    fn part(&mut self, schema: &Value, place: &str) -> Result<usize, Unusable> {
        let id = self.parts.len();
        self.places.insert(place.to_owned(), id);
        self.parts.push(Part { own: 1, ..Part::default() });
        if let Value::Object(map) = schema {
            self.head(map, id)?;
            for (key, value) in map {
                self.keyword(id, key, value, &format!("{place}/{}", escaped(key)))?;
            }
            // They judge again what the other keywords have judged.
            if map.contains_key("unevaluatedProperties") || map.contains_key("unevaluatedItems") {
                self.edit(id, |part| part.same.iter_mut().for_each(|(_, times)| *times *= 2));
            }
        }
        Ok(id)
    }

    /// Identity and references.
    fn head(&mut self, map: &Map<String, Value>, id: usize) -> Result<(), Unusable> {
        let text = |key: &str| map.get(key).and_then(Value::as_str);
        if let Some(draft) = text("$schema") {
            let bare = draft.trim_end_matches('#').trim_start_matches("https://").trim_start_matches("http://");
            if !DRAFTS.contains(&bare) {
                return Err(Unusable(format!("is of an unknown draft, `{draft:.80}`")));
            }
        }
        if id != 0
            && let Some(name) = text("$id")
        {
            // Below another identity `#` means something else.
            let anchor = name.strip_prefix('#').ok_or_else(|| Unusable("holds another schema with an `$id`".into()))?;
            self.anchors.insert(anchor.to_owned(), id);
        }
        for anchor in ["$anchor", "$dynamicAnchor"].into_iter().filter_map(text) {
            self.anchors.insert(anchor.to_owned(), id);
        }
        for target in ["$ref", "$dynamicRef", "$recursiveRef"].into_iter().filter_map(text) {
            self.references.push((id, target.to_owned()));
        }
        Ok(())
    }

    fn keyword(&mut self, id: usize, key: &str, value: &Value, place: &str) -> Result<(), Unusable> {
        match key {
            "allOf" | "anyOf" | "oneOf" => {
                for part in self.listed(value, place)? {
                    self.edit(id, |own| own.same.push((part, 1)));
                }
            }
            "not" | "if" | "then" | "else" => {
                let part = self.part(value, place)?;
                self.edit(id, |own| own.same.push((part, 1)));
            }
            "dependentSchemas" | "dependencies" => {
                for (_, part) in self.mapped(value, place)? {
                    self.edit(id, |own| own.same.push((part, 1)));
                }
            }
            "properties" => {
                for (name, part) in self.mapped(value, place)? {
                    self.edit(id, |own| own.named.push((name, part)));
                }
            }
            "patternProperties" => {
                for (pattern, part) in self.mapped(value, place)? {
                    self.pattern(&pattern)?;
                    self.edit(id, |own| own.any.push(part));
                }
            }
            "items" | "prefixItems" if value.is_array() => {
                for part in self.listed(value, place)? {
                    self.edit(id, |own| own.any.push(part));
                }
            }
            "items"
            | "additionalItems"
            | "unevaluatedItems"
            | "contains"
            | "additionalProperties"
            | "unevaluatedProperties"
            | "propertyNames" => {
                let part = self.part(value, place)?;
                self.edit(id, |own| own.any.push(part));
            }
            "$defs" | "definitions" => {
                self.mapped(value, place)?;
            }
            "pattern" => self.pattern(value.as_str().unwrap_or_default())?,
            "enum" | "required" => {
                let weight = value.as_array().map_or(0, Vec::len) as u64 / 8;
                self.edit(id, |own| own.own += weight);
            }
            _ => {}
        }
        Ok(())
    }

    fn listed(&mut self, value: &Value, place: &str) -> Result<Vec<usize>, Unusable> {
        let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
        items.iter().enumerate().map(|(at, item)| self.part(item, &format!("{place}/{at}"))).collect()
    }

    fn mapped(&mut self, value: &Value, place: &str) -> Result<Vec<(String, usize)>, Unusable> {
        let Some(map) = value.as_object() else { return Ok(Vec::new()) };
        // Of `dependencies`, lists of names judge nothing more.
        let schemas = map.iter().filter(|(_, schema)| !schema.is_array());
        schemas
            .map(|(key, schema)| Ok((key.clone(), self.part(schema, &format!("{place}/{}", escaped(key)))?)))
            .collect()
    }

    fn pattern(&mut self, pattern: &str) -> Result<(), Unusable> {
        self.patterns += 1;
        if self.patterns > MAX_PATTERNS {
            return Err(Unusable("has more than 64 patterns".into()));
        }
        if pattern.len() > MAX_PATTERN {
            return Err(Unusable("has a pattern longer than 1 KiB".into()));
        }
        Ok(())
    }

    fn edit(&mut self, id: usize, change: impl FnOnce(&mut Part)) {
        if let Some(part) = self.parts.get_mut(id) {
            change(part);
        }
    }
}

/// A key as part of a pointer. The map holds escaped pointers, as references write them.
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// A fragment without its percent signs.
fn unescaped(fragment: &str) -> String {
    let mut bytes = Vec::with_capacity(fragment.len());
    let mut rest = fragment.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let code = (*first == b'%').then(|| std::str::from_utf8(behind.get(..2)?).ok()).flatten();
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = behind.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_default()
}
