//! JSON read thinly: whatever has another shape than expected says nothing.
//!
//! Must never be here: what any of it means.

use super::shape::Shape;
use serde::Deserialize;
use serde_json::value::RawValue;

/// What `raw` holds, where it has that shape.
pub(super) fn value<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> Option<T> {
    serde_json::from_str(raw?.get()).ok()
}

/// The object in `raw`. A derived struct would take a list for its fields in order.
pub(super) fn object<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> Option<T> {
    value(raw.filter(|raw| Shape::of(raw) == Shape::Object))
}

/// The items of the list in `raw`; none where it is no list.
pub(super) fn list(raw: Option<&RawValue>) -> Vec<&RawValue> {
    value(raw).unwrap_or_default()
}

/// The text in `raw`; empty where it is no text.
pub(super) fn text(raw: Option<&RawValue>) -> String {
    value(raw).unwrap_or_default()
}
