//! Values of the file, taken out one by one; what is left was not understood.

use crate::finding::Findings;
use serde_json::{Map, Value};

/// A mapping that shrinks as it is understood.
pub(super) type Fields = Map<String, Value>;

/// A mapping; `None` where it is none.
pub(super) fn fields(value: Option<Value>) -> Option<Fields> {
    match value? {
        Value::Object(fields) => Some(fields),
        _ => None,
    }
}

/// A list; `None` where it is none.
pub(super) fn list(value: Option<Value>) -> Option<Vec<Value>> {
    match value? {
        Value::Array(items) => Some(items),
        _ => None,
    }
}

/// A text, or a number as one writes it.
pub(super) fn text(value: Option<Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A number, written as such or as text. References to variables are none.
pub(super) fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.filter(|number| number.is_finite() && *number >= 0.0)
}

/// A whole number.
pub(super) fn count(value: &Value) -> Option<u64> {
    // Numbers of the file are far below the bound up to which floats count exactly.
    number(value).filter(|number| number.fract() == 0.0 && *number < 1e15).map(|number| number as u64)
}

/// Seconds, in milliseconds, from 1 to those of a month.
pub(super) fn millis(value: &Value) -> Option<u64> {
    number(value)
        .map(|seconds| (seconds * 1e3).round())
        .filter(|millis| (1.0..=2.592e9).contains(millis))
        .map(|millis| millis as u64)
}

/// Where a field stands.
pub(super) fn place(at: &str, key: &str) -> String {
    if at.is_empty() { key.to_owned() } else { format!("{at}.{key}") }
}

/// Takes a field out by its name and reads it; a value that cannot be read is told, and nothing.
pub(super) fn take<T>(
    fields: &mut Fields,
    at: &str,
    key: &str,
    findings: &mut Findings,
    read: impl FnOnce(&Value) -> Option<T>,
) -> Option<T> {
    let value = fields.remove(key).filter(|value| !value.is_null())?;
    let read = read(&value);
    if read.is_none() {
        findings.manual(&place(at, key), "its value is not one that could be read here");
    }
    read
}

/// Takes a text out by its name.
pub(super) fn take_text(fields: &mut Fields, at: &str, key: &str, findings: &mut Findings) -> Option<String> {
    take(fields, at, key, findings, |value| text(Some(value.clone())))
}

/// Takes a mapping out by its name.
pub(super) fn take_fields(from: &mut Fields, at: &str, key: &str, findings: &mut Findings) -> Option<Fields> {
    take(from, at, key, findings, |value| fields(Some(value.clone())))
}

/// Takes a list out by its name.
pub(super) fn take_list(from: &mut Fields, at: &str, key: &str, findings: &mut Findings) -> Option<Vec<Value>> {
    take(from, at, key, findings, |value| list(Some(value.clone())))
}

/// Takes out all of `keys`, which say the same, and hands on the first that is there with its name.
pub(super) fn take_first<T>(
    fields: &mut Fields,
    at: &str,
    keys: &[&'static str],
    findings: &mut Findings,
    read: impl Fn(&Value) -> Option<T>,
) -> Option<(&'static str, T)> {
    let mut first = None;
    for key in keys.iter().copied() {
        let Some(value) = take(fields, at, key, findings, &read) else { continue };
        match &first {
            None => first = Some((key, value)),
            Some((before, _)) => findings.approximate(&place(at, key), "", format!("{before} goes first")),
        }
    }
    first
}

/// Tells of everything that is left.
pub(super) fn rest(fields: &Fields, at: &str, findings: &mut Findings, why: impl Fn(&str) -> &'static str) {
    for key in fields.keys() {
        findings.unsupported(&place(at, key), why(key));
    }
}

/// The variable that a value names.
pub(super) fn variable(text: &str) -> Option<&str> {
    let name = text.strip_prefix("os.environ/")?;
    let starts = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    (starts && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')).then_some(name)
}

/// A text that is no secret, as our files write it: a variable is a reference, and `${` is none.
pub(super) fn plain(text: &str) -> String {
    variable(text).map_or_else(|| text.replace("${", "$${"), |name| format!("${{{name}}}"))
}
