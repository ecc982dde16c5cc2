//! JSON read thinly: whatever has another shape than expected says nothing.
//!
//! Receives literals borrowed from a body or an event; hands on what stands in them. Must never be here: what any of it
//! means.

use crate::shape::Shape;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// What `raw` holds, where it has that shape.
pub(crate) fn value<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> Option<T> {
    serde_json::from_str(raw?.get()).ok()
}

/// The object in `raw`. A derived struct would take a list for its fields in order.
pub(crate) fn object<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> Option<T> {
    value(raw.filter(|raw| Shape::of(raw) == Shape::Object))
}

/// The items of the list in `raw`; none where it is no list.
pub(crate) fn list(raw: Option<&RawValue>) -> Vec<&RawValue> {
    value(raw).unwrap_or_default()
}

/// The text in `raw`, not copied where nothing in it is escaped; empty where it is no text.
pub(crate) fn text(raw: Option<&RawValue>) -> Cow<'_, str> {
    let Some(literal) = raw.map(RawValue::get) else { return Cow::Borrowed("") };
    match literal.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(plain) if !plain.contains('\\') => Cow::Borrowed(plain),
        _ => serde_json::from_str(literal).map(Cow::Owned).unwrap_or_default(),
    }
}

/// Whether something stands there that says anything.
pub(crate) fn says(raw: Option<&RawValue>) -> bool {
    raw.is_some_and(|raw| Shape::of(raw).is_something())
}

/// Whether an object stands there that has entries.
pub(crate) fn has_entries(raw: &RawValue) -> bool {
    raw.get().strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).is_some_and(|inner| !inner.trim().is_empty())
}

/// The text of one JSON object, checked; nothing where `text` is another thing.
pub(crate) fn as_object(text: &str) -> Option<&RawValue> {
    serde_json::from_str::<&RawValue>(text).ok().filter(|raw| Shape::of(raw) == Shape::Object)
}

/// Arguments as an object: what a model wrote that is none is wrapped in one, under the name that Anthropic's documents
/// have for that.
pub(crate) fn as_input(arguments: &str) -> Cow<'_, str> {
    if as_object(arguments).is_some() {
        return arguments.into();
    }
    if arguments.trim().is_empty() {
        return "{}".into();
    }
    format!("{{\"INVALID_JSON\":{}}}", literal(arguments)).into()
}

/// JSON on one line: line ends stand between its values alone, where any white space does.
pub(crate) fn on_one_line(json: &str) -> Cow<'_, str> {
    if json.contains(['\n', '\r']) { Cow::Owned(json.replace(['\n', '\r'], " ")) } else { Cow::Borrowed(json) }
}

/// `whole` with `part`, a literal read from it, replaced.
pub(crate) fn with(whole: &str, part: &RawValue, new: &str) -> String {
    // Both point into the same text, which is what borrowing a RawValue means.
    let start = (part.get().as_ptr() as usize).saturating_sub(whole.as_ptr() as usize);
    let end = start + part.get().len();
    [whole.get(..start).unwrap_or_default(), new, whole.get(end..).unwrap_or_default()].concat()
}

/// The empty object.
pub(crate) fn nothing() -> &'static RawValue {
    // It is JSON as it stands; there is a constant only for null.
    serde_json::from_str("{}").unwrap_or(RawValue::NULL)
}

/// `text` as a JSON string.
pub(crate) fn literal(text: &str) -> String {
    // A string cannot fail to serialise.
    serde_json::to_string(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_as_json_says() {
        for (literal, expected) in [
            (r#""plain""#, "plain"),
            (r#""a\"\u00e9""#, "a\"é"),
            ("\"\"", ""),
            ("7", ""),
            ("null", ""),
            ("[\"a\"]", ""),
        ] {
            let raw: &RawValue = serde_json::from_str(literal).expect("JSON");
            assert_eq!(text(Some(raw)), expected, "{literal}");
        }
        assert_eq!(text(None), "");
    }

    #[test]
    fn a_part_is_replaced_in_place() {
        #[derive(Deserialize)]
        struct Holder<'a> {
            #[serde(borrow)]
            input: &'a RawValue,
        }
        let whole = r#"{"a":1, "input" : {"x":[]} ,"b":2}"#;
        let holder: Holder<'_> = serde_json::from_str(whole).expect("JSON");
        assert_eq!(with(whole, holder.input, "{}"), r#"{"a":1, "input" : {} ,"b":2}"#);
    }

    #[test]
    fn objects_are_told_from_other_texts() {
        for (text, entries) in [("{}", Some(false)), ("{ }", Some(false)), (r#"{"a":1}"#, Some(true))] {
            assert_eq!(as_object(text).map(has_entries), entries, "{text}");
        }
        for text in ["", "[]", "{", "1", "\"{}\"", "{} x"] {
            assert!(as_object(text).is_none(), "{text}");
        }
        assert_eq!(on_one_line("{\n\"a\\n\":\r\n1}"), "{ \"a\\n\":  1}");
    }
}
