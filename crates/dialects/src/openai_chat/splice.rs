//! JSON text of which parts are replaced in place: whatever is not replaced stays as it is, byte for byte.
//!
//! Receives the text and literals borrowed from it; hands on places and new text. Must never be here: what is replaced,
//! and why.

use bytes::{Bytes, BytesMut};
use serde_json::value::RawValue;
use std::ops::Range;

/// A place, and what is to stand there.
pub(super) type Splice = (Range<usize>, String);

/// `raw` with each range replaced; the ranges must not overlap.
pub(super) fn splice(raw: &[u8], mut splices: Vec<Splice>) -> Bytes {
    splices.sort_by_key(|(range, _)| range.start);
    let added: usize = splices.iter().map(|(_, text)| text.len()).sum();
    let mut spliced = BytesMut::with_capacity(raw.len() + added);
    let mut from = 0;
    for (range, text) in splices {
        spliced.extend_from_slice(raw.get(from..range.start).unwrap_or_default());
        spliced.extend_from_slice(text.as_bytes());
        from = range.end;
    }
    spliced.extend_from_slice(raw.get(from..).unwrap_or_default());
    spliced.freeze()
}

/// Where `literal`, read from `raw`, stands in it.
pub(super) fn span(raw: &[u8], literal: &RawValue) -> Range<usize> {
    // Both point into the same bytes, which is what borrowing a RawValue means.
    let start = (literal.get().as_ptr() as usize).saturating_sub(raw.as_ptr() as usize);
    start..start + literal.get().len()
}

/// The place in `raw` before the bracket that closes `list`, a list read from it.
pub(super) fn list_end(raw: &[u8], list: &RawValue) -> Range<usize> {
    let end = span(raw, list).end.saturating_sub(1);
    end..end
}

/// `text` as a JSON string.
pub(super) fn literal(text: &str) -> String {
    // A string cannot fail to serialise.
    serde_json::to_string(text).unwrap_or_default()
}
