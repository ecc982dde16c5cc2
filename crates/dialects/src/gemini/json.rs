//! JSON text, handled as text.
//!
//! Must never be here: what it means.

use crate::literal::push_literal;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// `json` without the space between its tokens: no line feed is left, so it may stand in a line of a stream.
pub(super) fn compact(json: &str) -> Cow<'_, str> {
    let is_space = |byte: u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    // A text is one token.
    if json.starts_with('"') || !json.bytes().any(is_space) {
        return Cow::Borrowed(json);
    }
    let (mut out, mut in_string, mut escaped) = (String::with_capacity(json.len()), false, false);
    for c in json.chars() {
        if in_string {
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else if u8::try_from(c).is_ok_and(is_space) {
            continue;
        } else {
            in_string = c == '"';
        }
        out.push(c);
    }
    Cow::Owned(out)
}

/// Whether `text` is a JSON object.
pub(super) fn is_object(text: &str) -> bool {
    text.trim_ascii_start().starts_with('{') && serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// `text` as a JSON string.
pub(super) fn literal(text: &str) -> String {
    // A string cannot fail to serialise.
    serde_json::to_string(text).unwrap_or_default()
}

/// An object under construction.
pub(super) struct Object<'o> {
    out: &'o mut String,
    any: bool,
}

impl<'o> Object<'o> {
    pub(super) fn open(out: &'o mut String) -> Self {
        out.push('{');
        Self { out, any: false }
    }

    /// Begins the field `name`; hands on where its value is to be written.
    pub(super) fn value(&mut self, name: &str) -> &mut String {
        if std::mem::replace(&mut self.any, true) {
            self.out.push(',');
        }
        push_literal(self.out, name);
        self.out.push(':');
        self.out
    }

    /// Adds a field whose value is JSON.
    pub(super) fn json(&mut self, name: &str, json: &str) {
        self.value(name).push_str(json);
    }

    pub(super) fn text(&mut self, name: &str, text: &str) {
        push_literal(self.value(name), text);
    }

    pub(super) fn number(&mut self, name: &str, number: impl std::fmt::Display) {
        self.json(name, &number.to_string());
    }

    /// Whether nothing has been added.
    pub(super) fn is_empty(&self) -> bool {
        !self.any
    }

    pub(super) fn close(self) {
        self.out.push('}');
    }
}

/// Adds a list, each item written by `write`.
pub(super) fn push_list<T>(
    out: &mut String,
    items: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut String, T),
) {
    out.push('[');
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        write(out, item);
    }
    out.push(']');
}

/// The arguments of a call as Google wants them, an object: nothing is none, and what is no object stands in one, under
/// `input`. Whether it was one.
pub(super) fn arguments(text: &str) -> (Cow<'_, str>, bool) {
    if text.trim_ascii().is_empty() {
        (Cow::Borrowed("{}"), true)
    } else if is_object(text) {
        (compact(text), true)
    } else {
        (Cow::Owned(input(text)), false)
    }
}

/// The arguments of a call that takes text: the text, under `input`.
pub(super) fn input(text: &str) -> String {
    format!("{{\"input\":{}}}", literal(text))
}

/// `json`, which is valid, to be written as it is.
pub(super) fn raw(json: String) -> Box<RawValue> {
    RawValue::from_string(json).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    #[test]
    fn space_goes_and_strings_stay() {
        for (json, expected) in [
            ("{\n  \"a b\" : [ 1, \"c \\\" d\" ]\r\n}", r#"{"a b":[1,"c \" d"]}"#),
            (r#"{"a":"\\ "}"#, r#"{"a":"\\ "}"#),
            ("{}", "{}"),
        ] {
            assert_eq!(compact(json), expected);
        }
    }

    #[test]
    fn arguments_are_an_object() {
        for (text, expected, whole) in [
            ("", "{}", true),
            (" \n", "{}", true),
            ("{ \"a\": 1 }", r#"{"a":1}"#, true),
            ("[1]", r#"{"input":"[1]"}"#, false),
            ("{\"a\":", r#"{"input":"{\"a\":"}"#, false),
            ("plain\ntext", r#"{"input":"plain\ntext"}"#, false),
        ] {
            assert_eq!(arguments(text), (Cow::Borrowed(expected), whole), "{text}");
        }
    }

    proptest! {
        #[test]
        fn compacting_changes_no_value(text in "\\PC{0,12}", key in "[ \\\\\"a\n]{0,6}", number in any::<i32>()) {
            let value = serde_json::json!({(key): [text, number, null], "b": {}});
            let pretty = serde_json::to_string_pretty(&value).expect("JSON");
            let read: Value = serde_json::from_str(&compact(&pretty)).expect("still JSON");
            prop_assert_eq!(read, value);
            prop_assert!(!compact(&pretty).contains('\n'));
        }
    }
}
