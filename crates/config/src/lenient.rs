//! Reading that does not stop at the first mistake.
//!
//! Lives here: wrappers that take whatever the file says and keep either the value or why it is none.
//! Must never be here: what a value means; the value itself in a message, for it may be a secret.

use crate::later::Later;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, IgnoredAny};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A value of the file: there, missing, or of the wrong shape. Its JSON Schema is that of `T`.
#[derive(Default)]
pub(crate) enum Lenient<T> {
    /// The key is not in the file.
    #[default]
    Absent,
    /// The value.
    Is(T),
    /// Why it is none.
    Wrong(String),
}

impl<T> Lenient<T> {
    /// Whether the file does not say anything here, right or wrong.
    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

impl<'de, T: DeserializeOwned + Shape> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let found = found(&value);
        Ok(match T::deserialize(value) {
            Ok(value) => Self::Is(value),
            Err(_) => Self::Wrong(format!("expected {}, not {found}", T::expected())),
        })
    }
}

fn found(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(number) if number.is_f64() => "a fraction",
        Value::Number(number) if number.is_i64() && !number.is_u64() => "a negative number",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

impl<T: JsonSchema> JsonSchema for Lenient<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }
    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// How a type is called where something else stands.
pub(crate) trait Shape {
    const EXPECTED: &'static str;

    /// Completes "expected ...".
    fn expected() -> Cow<'static, str> {
        Cow::Borrowed(Self::EXPECTED)
    }
}

impl Shape for bool {
    const EXPECTED: &'static str = "true or false";
}
impl Shape for u32 {
    const EXPECTED: &'static str = "a whole number up to 4294967295";
}
impl Shape for f64 {
    const EXPECTED: &'static str = "a number";
}
impl Shape for String {
    const EXPECTED: &'static str = "text";
}
impl<T> Shape for Vec<T> {
    const EXPECTED: &'static str = "a list";
}
impl<T> Shape for BTreeMap<String, T> {
    const EXPECTED: &'static str = "a mapping";
}
impl Shape for Map<String, Value> {
    const EXPECTED: &'static str = "a mapping";
}
impl<T> Shape for Section<T> {
    const EXPECTED: &'static str = "a mapping";
}

/// A value, or `false` where there is to be none, whatever is inherited.
pub(crate) enum Switched<T> {
    /// There is none.
    Off,
    /// The value.
    On(T),
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Switched<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Bool(false) => Ok(Self::Off),
            value => T::deserialize(value).map(Self::On).map_err(serde::de::Error::custom),
        }
    }
}

impl<T: Shape> Shape for Switched<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn expected() -> Cow<'static, str> {
        format!("{} or false", T::expected()).into()
    }
}

impl<T: JsonSchema> JsonSchema for Switched<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        format!("{}OrFalse", T::schema_name()).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let value = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [value, { "const": false }] })
    }
}

/// A mapping with fixed keys, and whatever other keys the file has there.
#[derive(Deserialize)]
pub(crate) struct Section<T> {
    /// The keys this version knows.
    #[serde(flatten)]
    pub(crate) known: T,
    /// All others; each becomes a fault.
    #[serde(flatten)]
    pub(crate) unknown: BTreeMap<String, IgnoredAny>,
}

impl<T: JsonSchema> Section<T> {
    /// The keys this version knows, as the schema has them.
    pub(crate) fn keys() -> Vec<String> {
        let schema = T::json_schema(&mut SchemaGenerator::default());
        let properties = schema.get("properties").and_then(Value::as_object);
        properties.map(|keys| keys.keys().cloned().collect()).unwrap_or_default()
    }
}

impl<T: JsonSchema + Later> JsonSchema for Section<T> {
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = T::json_schema(generator);
        schema.insert("additionalProperties".to_owned(), false.into());
        schema
    }
}
