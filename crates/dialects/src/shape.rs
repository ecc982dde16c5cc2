//! The outline of a JSON value: enough to judge it, without building it.

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;
use std::marker::PhantomData;

/// What kind of value stands somewhere, and the little of it that is ever asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Shape {
    /// Nothing stands there.
    #[default]
    Absent,
    Null,
    Bool(bool),
    Number,
    Text {
        empty: bool,
    },
    List {
        empty: bool,
    },
    Object,
}

impl Shape {
    /// Whether it says anything to a reader: not absent, null, or empty.
    pub(crate) fn is_something(self) -> bool {
        !matches!(self, Self::Absent | Self::Null | Self::Text { empty: true } | Self::List { empty: true })
    }

    /// What stands at `raw`.
    ///
    /// Judges the literal, so that a string is never decoded: servers that cut text between UTF-16 halves send escapes
    /// that are valid JSON and no text.
    pub(crate) fn of(raw: &RawValue) -> Self {
        Self::of_literal(raw.get())
    }

    /// The same of the literal of a value.
    pub(crate) fn of_literal(literal: &str) -> Self {
        match literal.as_bytes() {
            [b'"', b'"'] => Self::Text { empty: true },
            [b'"', ..] => Self::Text { empty: false },
            [b'[', inner @ .., _] => Self::List { empty: inner.trim_ascii().is_empty() },
            [b'{', ..] => Self::Object,
            b"null" => Self::Null,
            b"true" => Self::Bool(true),
            b"false" => Self::Bool(false),
            _ => Self::Number,
        }
    }

    /// The words OpenAI uses for it in "got ... instead".
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Absent => "nothing",
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number => "a number",
            Self::Text { .. } => "a string",
            Self::List { .. } => "an array",
            Self::Object => "an object",
        }
    }
}

/// Something read from any JSON value whatever, in one pass: containers as it likes, the rest by their shape.
pub(crate) trait Outline<'de>: Sized {
    /// From a value that is not read further.
    fn other(shape: Shape) -> Self;

    /// From an object; by default its entries are passed over.
    fn object<A: MapAccess<'de>>(mut entries: A) -> Result<Self, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::other(Shape::Object))
    }

    /// From a list; by default its items are passed over.
    fn list<A: SeqAccess<'de>>(mut items: A) -> Result<Self, A::Error> {
        let empty = items.next_element::<IgnoredAny>()?.is_none();
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::other(Shape::List { empty }))
    }
}

/// Reads an [`Outline`]; fails only on broken JSON. Fits `#[serde(deserialize_with)]`.
pub(crate) fn outline<'de, T: Outline<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_any(OutlineVisitor(PhantomData))
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&RawValue>::deserialize(deserializer).map(Self::of)
    }
}

struct OutlineVisitor<T>(PhantomData<T>);

impl<'de, T: Outline<'de>> Visitor<'de> for OutlineVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<T, E> {
        Ok(T::other(Shape::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<T, E> {
        Ok(T::other(Shape::Bool(value)))
    }

    fn visit_u64<E>(self, _: u64) -> Result<T, E> {
        Ok(T::other(Shape::Number))
    }

    fn visit_i64<E>(self, _: i64) -> Result<T, E> {
        Ok(T::other(Shape::Number))
    }

    fn visit_f64<E>(self, _: f64) -> Result<T, E> {
        Ok(T::other(Shape::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<T, E> {
        Ok(T::other(Shape::Text { empty: value.is_empty() }))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<T, A::Error> {
        T::list(items)
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<T, A::Error> {
        T::object(entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_value_has_its_shape() {
        for (text, shape, something) in [
            ("null", Shape::Null, false),
            ("true", Shape::Bool(true), true),
            ("-3", Shape::Number, true),
            ("1.5", Shape::Number, true),
            ("\"\"", Shape::Text { empty: true }, false),
            ("\"a\\n\"", Shape::Text { empty: false }, true),
            (r#""\ud83d""#, Shape::Text { empty: false }, true),
            ("[]", Shape::List { empty: true }, false),
            ("[ ]", Shape::List { empty: true }, false),
            ("[1,[2]]", Shape::List { empty: false }, true),
            ("{}", Shape::Object, true),
        ] {
            let read: Shape = serde_json::from_str(text).expect("valid");
            assert_eq!(read, shape, "{text}");
            assert_eq!(read.is_something(), something, "{text}");
        }
    }
}
