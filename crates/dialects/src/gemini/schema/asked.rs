//! JSON Schema as Google takes it.
//!
//! Google's subset has no `allOf` and no `const`, allows nothing beside a `$ref`, and finds what is referred to under
//! `$defs` alone. So what stands beside a reference is joined with what it refers to, once; where a schema refers to
//! itself, the bare reference stays. Keywords that Google does not know are passed over by it, and stay.
//! Must never be here: Google's own form.

use super::super::json::compact;
use crate::json::Json;
use crate::literal::push_literal;
use memchr::{memchr_iter, memmem};
use std::borrow::Cow;

/// The deepest schema that is written, references followed.
const MAX_DEPTH: usize = 64;
/// The longest, in bytes.
const MAX_BYTES: usize = 256 << 10;
/// What is said otherwise to Google, wherever it stands: references and what belongs to them, names that are escaped
/// perhaps, and two keywords.
const OTHERWISE: [&str; 5] = ["$", "\\", "\"allOf\"", "\"const\"", "\"definitions\""];

/// `schema` for Google; as one of an object where `object` is asked for, as of arguments.
///
/// # Errors
/// Why it cannot be said, as the end of a sentence about it.
pub(in super::super) fn asked(schema: &str, object: bool) -> Result<Cow<'_, str>, &'static str> {
    if is_googles(schema, object) {
        return Ok(Cow::Borrowed(schema));
    }
    rewritten(schema, object).map(Cow::Owned)
}

fn rewritten(schema: &str, object: bool) -> Result<String, &'static str> {
    let root = Json::parse(schema).map_err(|_| "is no JSON")?;
    let mut writer = Writer { root, within: Vec::new(), out: String::new() };
    let mut fields = writer.settled(entries(root), true)?;
    if object && !fields.iter().any(|(name, _)| name == "type") {
        fields.insert(0, ("type".into(), Value::Json("\"object\"".to_owned())));
    }
    writer.object(fields, 0)?;
    Ok(writer.out)
}

/// Whether Google takes a schema as it stands: it holds no word that Google reads otherwise, and says what it is of where
/// that has to be said. There is no need to look where the words stand: most schemas have none of them.
fn is_googles(schema: &str, object: bool) -> bool {
    let says = |words: &str| memmem::find(schema.as_bytes(), words.as_bytes()).is_some();
    let flat = memchr_iter(b'{', schema.as_bytes()).nth(MAX_DEPTH).is_none();
    let whole = schema.starts_with('{') && schema.ends_with('}');
    let begins = schema.starts_with("{\"type\":") || !object;
    whole && begins && flat && !OTHERWISE.into_iter().any(says)
}

/// A field's value.
enum Value<'a> {
    Raw(Json<'a>),
    /// Schemas by name, from several places.
    Named(Vec<Entry<'a>>),
    /// Items of lists, from several places.
    Items(Vec<Json<'a>>),
    /// Something of ours.
    Json(String),
}

type Entry<'a> = (Cow<'a, str>, Json<'a>);
type Field<'a> = (Cow<'a, str>, Value<'a>);

/// The entries of an object; none of anything else.
fn entries(json: Json<'_>) -> Vec<Entry<'_>> {
    json.entries().into_iter().flatten().collect()
}

struct Writer<'a> {
    root: Json<'a>,
    /// The places that are being written in full.
    within: Vec<Cow<'a, str>>,
    out: String,
}

impl<'a> Writer<'a> {
    fn schema(&mut self, json: Json<'a>, depth: usize) -> Result<(), &'static str> {
        if depth > MAX_DEPTH {
            return Err("nests too deeply");
        }
        if self.out.len() > MAX_BYTES {
            return Err("is too long once its references are followed");
        }
        let Some(entries) = json.entries() else {
            self.out.push_str(&compact(json.get()));
            return Ok(());
        };
        let known = self.within.len();
        let fields = self.settled(entries.collect(), depth == 0)?;
        self.object(fields, depth)?;
        self.within.truncate(known);
        Ok(())
    }

    /// The fields of a schema, with what stands beside a reference or in `allOf` joined.
    fn settled(&mut self, schema: Vec<Entry<'a>>, root: bool) -> Result<Vec<Field<'a>>, &'static str> {
        let mut fields: Vec<Field<'a>> = Vec::new();
        let beside = schema.iter().any(|(name, _)| !name.starts_with('$'));
        let parts = schema.iter().find(|(name, _)| name == "allOf").map(|(_, parts)| *parts);
        // What stands beside a reference counts more than what it refers to.
        let (refers, others): (Vec<_>, Vec<_>) = schema.into_iter().partition(|(name, _)| name == "$ref");
        for (name, value) in refers.into_iter().chain(others) {
            if name == "$ref" && (beside || root) {
                let place = value.text().ok_or("refers to no place")?;
                if self.within.contains(&place) {
                    return Ok(vec![(name, Value::Raw(value))]);
                }
                let target = self.at(&place).ok_or("refers to a place that is not in it")?;
                self.within.push(place);
                if self.within.len() > MAX_DEPTH {
                    return Err("nests too deeply");
                }
                for (name, value) in self.settled(entries(target), false)? {
                    join(&mut fields, name, value);
                }
            } else if name != "allOf" {
                join(&mut fields, name, Value::Raw(value));
            }
        }
        for part in parts.and_then(Json::items).into_iter().flatten() {
            // What is joined stands beside the rest, a lone reference too.
            for (name, value) in self.settled(entries(part), true)? {
                join(&mut fields, name, value);
            }
        }
        Ok(fields)
    }

    fn object(&mut self, fields: Vec<Field<'a>>, depth: usize) -> Result<(), &'static str> {
        self.out.push('{');
        let mut any = false;
        for (name, value) in fields {
            if name == "$schema" {
                continue;
            }
            if std::mem::replace(&mut any, true) {
                self.out.push(',');
            }
            let name = if name == "definitions" { Cow::Borrowed("$defs") } else { name };
            push_literal(&mut self.out, if name == "const" { "enum" } else { &name });
            self.out.push(':');
            self.field(&name, value, depth)?;
        }
        self.out.push('}');
        Ok(())
    }

    fn field(&mut self, name: &str, value: Value<'a>, depth: usize) -> Result<(), &'static str> {
        let json = match value {
            Value::Raw(json) => json,
            Value::Named(schemas) => return self.named(schemas, depth),
            Value::Items(items) => {
                let items: Vec<&str> = items.into_iter().map(Json::get).collect();
                self.out.push_str(&format!("[{}]", items.join(",")));
                return Ok(());
            }
            Value::Json(json) => {
                self.out.push_str(&json);
                return Ok(());
            }
        };
        match name {
            "properties" | "patternProperties" | "$defs" => self.named(entries(json), depth),
            "anyOf" | "oneOf" | "prefixItems" => self.list(json, depth),
            "items" if json.items().is_some() => self.list(json, depth),
            "items" | "additionalProperties" | "not" | "contains" | "if" | "then" | "else" => {
                self.schema(json, depth + 1)
            }
            "const" => {
                self.out.push_str(&format!("[{}]", compact(json.get())));
                Ok(())
            }
            "$ref" => {
                let place = json.text().unwrap_or_default();
                push_literal(&mut self.out, &place.replacen("#/definitions/", "#/$defs/", 1));
                Ok(())
            }
            _ => {
                self.out.push_str(&compact(json.get()));
                Ok(())
            }
        }
    }

    fn named(&mut self, schemas: Vec<Entry<'a>>, depth: usize) -> Result<(), &'static str> {
        self.out.push('{');
        for (at, (name, schema)) in schemas.into_iter().enumerate() {
            if at > 0 {
                self.out.push(',');
            }
            push_literal(&mut self.out, &name);
            self.out.push(':');
            self.schema(schema, depth + 1)?;
        }
        self.out.push('}');
        Ok(())
    }

    fn list(&mut self, schemas: Json<'a>, depth: usize) -> Result<(), &'static str> {
        self.out.push('[');
        for (at, schema) in schemas.items().into_iter().flatten().enumerate() {
            if at > 0 {
                self.out.push(',');
            }
            self.schema(schema, depth + 1)?;
        }
        self.out.push(']');
        Ok(())
    }

    /// What stands at `place`, a JSON pointer behind `#`.
    fn at(&self, place: &str) -> Option<Json<'a>> {
        let mut found = self.root;
        for step in place.strip_prefix('#')?.split('/').skip(1) {
            let name = step.replace("~1", "/").replace("~0", "~");
            found = found.entries()?.find(|(known, _)| *known == name)?.1;
        }
        Some(found)
    }
}

/// Adds a field, or joins it with the one of its name: properties and what is required add up, else the later counts.
fn join<'a>(fields: &mut Vec<Field<'a>>, name: Cow<'a, str>, value: Value<'a>) {
    let Some((_, known)) = fields.iter_mut().find(|(known, _)| *known == name) else {
        fields.push((name, value));
        return;
    };
    let before = std::mem::replace(known, Value::Items(Vec::new()));
    *known = match &*name {
        "properties" | "$defs" | "definitions" => {
            let mut schemas = schemas(before);
            for (name, schema) in self::schemas(value) {
                match schemas.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, known)) => *known = schema,
                    None => schemas.push((name, schema)),
                }
            }
            Value::Named(schemas)
        }
        "required" => Value::Items(items(before).into_iter().chain(items(value)).collect()),
        _ => value,
    };
}

fn schemas(value: Value<'_>) -> Vec<Entry<'_>> {
    match value {
        Value::Named(schemas) => schemas,
        Value::Raw(json) => entries(json),
        Value::Items(_) | Value::Json(_) => Vec::new(),
    }
}

fn items(value: Value<'_>) -> Vec<Json<'_>> {
    match value {
        Value::Items(items) => items,
        Value::Raw(json) => json.items().into_iter().flatten().collect(),
        Value::Named(_) | Value::Json(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn what_google_takes_stays_and_the_rest_is_said_otherwise() {
        for (written, expected) in [
            (
                r#"{"$schema":"x","type":"object","properties":{"b":{"type":"string"},"a":{"exclusiveMinimum":0}},"additionalProperties":false}"#,
                r#"{"type":"object","properties":{"b":{"type":"string"},"a":{"exclusiveMinimum":0}},"additionalProperties":false}"#,
            ),
            ("{}", r#"{"type":"object"}"#),
            ("true", r#"{"type":"object"}"#),
            (r#"{"properties":{}}"#, r#"{"type":"object","properties":{}}"#),
            (
                r#"{"type":"object","properties":{"k":{"const":"x"},"$schema":{"type":"string"}}}"#,
                r#"{"type":"object","properties":{"k":{"enum":["x"]},"$schema":{"type":"string"}}}"#,
            ),
            // A lone reference stays, under the name that Google knows.
            (
                r##"{"type":"object","properties":{"p":{"$ref":"#/definitions/P"}},"definitions":{"P":{"type":"string"}}}"##,
                r##"{"type":"object","properties":{"p":{"$ref":"#/$defs/P"}},"$defs":{"P":{"type":"string"}}}"##,
            ),
            // One with siblings is followed.
            (
                r##"{"type":"object","properties":{"p":{"$ref":"#/$defs/P","description":"d"}},"$defs":{"P":{"type":"string","description":"e"}}}"##,
                r##"{"type":"object","properties":{"p":{"type":"string","description":"d"}},"$defs":{"P":{"type":"string","description":"e"}}}"##,
            ),
            (
                r##"{"$ref":"#/$defs/N","$defs":{"N":{"type":"object","properties":{"next":{"$ref":"#/$defs/N","title":"t"}}}}}"##,
                r##"{"type":"object","properties":{"next":{"$ref":"#/$defs/N"}},"$defs":{"N":{"type":"object","properties":{"next":{"$ref":"#/$defs/N"}}}}}"##,
            ),
            (
                r##"{"type":"object","properties":{"p":{"allOf":[{"$ref":"#/$defs/P"},{"properties":{"c":{}},"required":["c"]}],"title":"t"}},"$defs":{"P":{"properties":{"b":{}},"required":["b"]}}}"##,
                r##"{"type":"object","properties":{"p":{"title":"t","properties":{"b":{},"c":{}},"required":["b","c"]}},"$defs":{"P":{"properties":{"b":{}},"required":["b"]}}}"##,
            ),
            (
                r#"{"type":"object","properties":{"u":{"anyOf":[{"$schema":"x","type":"null"}]},"l":{"items":[{"const":1}]}}}"#,
                r#"{"type":"object","properties":{"u":{"anyOf":[{"type":"null"}]},"l":{"items":[{"enum":[1]}]}}}"#,
            ),
        ] {
            assert_eq!(asked(written, true).as_deref(), Ok(expected), "{written}");
        }
        assert_eq!(asked(r#"{"enum":["a"]}"#, false).as_deref(), Ok(r#"{"enum":["a"]}"#));
    }

    #[test]
    fn what_cannot_be_said_is_refused() {
        let twice = |n: usize| json!({"$ref": format!("#/$defs/{}", n + 1), "title": "t"});
        let mut defs = serde_json::Map::new();
        for n in 0..40 {
            defs.insert(n.to_string(), json!({"properties": {"a": twice(n), "b": twice(n)}}));
        }
        defs.insert("40".into(), json!({}));
        let bomb = json!({"$ref": "#/$defs/0", "$defs": defs}).to_string();
        let deep = format!("{}{{}}{}", "{\"items\":".repeat(70), "}".repeat(70));
        for (schema, why) in [
            (bomb.as_str(), "is too long once its references are followed"),
            (&deep, "nests too deeply"),
            (r#"{"properties":{"a":{"$ref":"https://x/y","title":"t"}}}"#, "refers to a place that is not in it"),
            ("{", "is no JSON"),
        ] {
            assert_eq!(asked(schema, true), Err(why), "{schema:.60}");
        }
    }

    proptest! {
        #[test]
        fn no_schema_panics_and_what_comes_out_is_json(
            picks in proptest::collection::vec(0usize..8, 0..12),
        ) {
            let mut schema = json!({"type": "string"});
            for pick in picks {
                schema = match pick {
                    0 => json!({"items": schema}),
                    1 => json!({"properties": {"p": schema}}),
                    2 => json!({"anyOf": [schema, true]}),
                    3 => json!({"$ref": "#", "title": "t", "items": schema}),
                    4 => json!({"$defs": {"D": schema}, "$ref": "#/$defs/D"}),
                    5 => json!({"allOf": [schema, {"$ref": "#/$defs/D"}]}),
                    6 => json!({"allOf": 7, "properties": 7, "required": 7, "not": schema}),
                    _ => json!({"definitions": {"D": schema}, "const": null}),
                };
            }
            if let Ok(out) = asked(&schema.to_string(), true) {
                prop_assert!(serde_json::from_str::<serde_json::Value>(&out).is_ok(), "{}", out);
            }
        }

        #[test]
        fn what_stands_as_it_is_would_be_written_so(
            names in proptest::collection::vec(
                prop::sample::select(vec!["items", "anyOf", "properties", "enum", "const", "allOf", "title", "$defs", "not", "type"]), 0..8,
            ),
            object: bool,
            pretty: bool,
        ) {
            let mut schema = json!({"type": "string", "description": "of a const, allOf it"});
            for name in names {
                schema = match name {
                    "anyOf" | "allOf" | "enum" => json!({"type": "object", name: [schema]}),
                    "properties" | "$defs" => json!({"type": "object", name: {"const": schema}}),
                    _ => json!({"type": "object", name: schema}),
                };
            }
            let schema = if pretty { format!("{schema:#}") } else { schema.to_string() };
            let parsed = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
            let (out, written) = (asked(&schema, object), rewritten(&schema, object));
            prop_assert_eq!(out.as_deref().map(parsed), written.as_deref().map(parsed));
        }
    }
}
