//! JSON read thinly, for dialects that only providers speak: whatever has another shape than expected says nothing.
//!
//! Receives literals borrowed from a body or an event; hands on what stands in them. Must never be here: what any of it
//! means.

use crate::shape::Shape;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// A value that may stand somewhere.
pub(crate) type Raw<'a> = Option<&'a RawValue>;

/// The object that `data` is, whole. A derived struct would take a list for its fields in order.
pub(crate) fn read<'a, T: Deserialize<'a>>(data: &'a [u8]) -> Option<T> {
    data.trim_ascii_start().starts_with(b"{").then(|| serde_json::from_slice(data).ok())?
}

/// The object in `raw`; its fields by default where it is none.
pub(crate) fn object<'a, T: Deserialize<'a> + Default>(raw: Raw<'a>) -> T {
    let raw = raw.filter(|raw| Shape::of(raw) == Shape::Object);
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
}

/// Whether an object stands there.
pub(crate) fn is_object(raw: Raw<'_>) -> bool {
    raw.is_some_and(|raw| Shape::of(raw) == Shape::Object)
}

/// The items of the list in `raw`, or the one object that stands in its place.
pub(crate) fn items(raw: Raw<'_>) -> Vec<&RawValue> {
    match raw.map(|raw| (raw, Shape::of(raw))) {
        Some((raw, Shape::Object)) => vec![raw],
        Some((raw, Shape::List { .. })) => serde_json::from_str(raw.get()).unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// The text in `raw`, not copied where nothing in it is escaped; empty where it is no text.
pub(crate) fn text(raw: Raw<'_>) -> Cow<'_, str> {
    let Some(literal) = raw.map(RawValue::get) else { return Cow::Borrowed("") };
    match literal.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(plain) if !plain.contains('\\') => Cow::Borrowed(plain),
        Some(_) => serde_json::from_str(literal).map(Cow::Owned).unwrap_or_default(),
        // Known without asking a parser, whose errors cost more than its answers.
        None => Cow::Borrowed(""),
    }
}

/// The count in `raw`, which some write as `7.0`; nothing where it is no number, or makes no sense as one.
pub(crate) fn count(raw: Raw<'_>) -> Option<u64> {
    let literal = raw?.get();
    let float = || literal.parse::<f64>().ok().filter(|count| (0.0..9e15).contains(count));
    // Counts are far below the numbers that a float cannot tell apart.
    literal.parse().ok().or_else(|| float().map(|count| count as u64))
}

/// Whether something stands there that says anything.
pub(crate) fn says(raw: Raw<'_>) -> bool {
    raw.is_some_and(|raw| Shape::of(raw).is_something())
}

/// `text` as a JSON string.
pub(crate) fn literal(text: &str) -> String {
    // A string cannot fail to serialise.
    serde_json::to_string(text).unwrap_or_default()
}

/// The JSON object that `text` is; nothing where it is another thing.
pub(crate) fn as_object(text: &str) -> Option<Box<RawValue>> {
    serde_json::from_str::<Box<RawValue>>(text).ok().filter(|raw| Shape::of(raw) == Shape::Object)
}

/// The arguments of a call as an object: nothing is none, and what is no object stands in one, under `input`.
pub(crate) fn arguments(text: &str) -> Box<RawValue> {
    let nothing = text.trim_ascii().is_empty() || text.trim_ascii() == "null";
    let whole = if nothing { as_object("{}") } else { as_object(text) };
    whole.or_else(|| as_object(&format!("{{\"input\":{}}}", literal(text)))).unwrap_or_default()
}

/// JSON on one line: line ends stand between its values alone, where any white space does.
pub(crate) fn on_one_line(json: &str) -> Cow<'_, str> {
    if json.contains(['\n', '\r']) { Cow::Owned(json.replace(['\n', '\r'], " ")) } else { Cow::Borrowed(json) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(literal: &str) -> Box<RawValue> {
        serde_json::from_str(literal).expect("JSON")
    }

    #[test]
    fn whatever_has_another_shape_says_nothing() {
        for (literal, said, number, many) in [
            (r#""plain""#, "plain", None, 0),
            (r#""a\"\u00e9""#, "a\"é", None, 0),
            ("7", "", Some(7), 0),
            ("7.0", "", Some(7), 0),
            ("-1", "", None, 0),
            ("1e300", "", None, 0),
            ("null", "", None, 0),
            (r#"{"a":1}"#, "", None, 1),
            ("[{},7]", "", None, 2),
        ] {
            let raw = raw(literal);
            let (text, count, items) = (text(Some(&raw)), count(Some(&raw)), items(Some(&raw)).len());
            assert_eq!((&*text, count, items), (said, number, many), "{literal}");
        }
        assert_eq!((text(None), count(None), items(None).len()), ("".into(), None, 0));
    }

    #[test]
    fn arguments_are_an_object() {
        for (text, expected) in [
            ("", "{}"),
            (" \n", "{}"),
            ("null", "{}"),
            (r#"{"a": 1}"#, r#"{"a": 1}"#),
            ("[1]", r#"{"input":"[1]"}"#),
            ("{\"a\":", r#"{"input":"{\"a\":"}"#),
        ] {
            assert_eq!(arguments(text).get(), expected, "{text}");
        }
    }
}
