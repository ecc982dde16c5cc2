//! A request as Google's Vertex takes it: the model stands in the path, the version of the API in the body.
//!
//! Wire facts: Anthropic's document on Claude on Vertex AI. Must never be here: paths, and who pays.

use crate::thin;
use bytes::Bytes;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;
use std::ops::Range;

/// What stands in place of the model.
const VERSION: &str = r#""anthropic_version":"vertex-2023-10-16""#;

/// `body` without its `model`, and with Vertex's version of the API unless it names one. Every other byte stays as it is.
///
/// `None` where it is no JSON object, or an empty one.
#[must_use]
pub fn for_vertex(body: &Bytes) -> Option<Bytes> {
    let members: Members<'_> = thin::read(body)?;
    let places: Vec<Place> = members.0.iter().map(|(key, value)| Place::of(body, key, value)).collect();
    match (members.named("model"), members.named("anthropic_version")) {
        (Some(model), None) => spliced(body, places.get(model)?.whole(), VERSION),
        (Some(model), Some(_)) => spliced(body, alone(&places, model)?, ""),
        (None, None) => begun(body, places.first()?),
        (None, Some(_)) => Some(body.clone()),
    }
}

/// The same of a request to count its tokens, whose `model` stays: all are counted in one place (Anthropic's client for
/// Python 2.14, `lib/vertex/_client.py`).
#[must_use]
pub fn counted_on_vertex(body: &Bytes) -> Option<Bytes> {
    let members: Members<'_> = thin::read(body)?;
    if members.named("anthropic_version").is_some() {
        return Some(body.clone());
    }
    let (key, value) = members.0.first()?;
    begun(body, &Place::of(body, key, value))
}

/// `body` with the version before its first member.
fn begun(body: &Bytes, first: &Place) -> Option<Bytes> {
    spliced(body, first.key..first.key, &format!("{VERSION},"))
}

/// `body` with `put` in place of what stands at `cut`.
fn spliced(body: &Bytes, cut: Range<usize>, put: &str) -> Option<Bytes> {
    let (before, behind) = (body.get(..cut.start)?, body.get(cut.end..)?);
    Some([before, put.as_bytes(), behind].concat().into())
}

/// The members of an object, keys as they are written.
struct Members<'a>(Vec<(&'a RawValue, &'a RawValue)>);

impl Members<'_> {
    /// The place of the member that is called so.
    fn named(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|(key, _)| thin::text(Some(key)) == name)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = entries.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Read)
    }
}

/// Where a member stands, in bytes.
struct Place {
    key: usize,
    end: usize,
}

impl Place {
    /// All three are parts of one text, which is what borrowing a `RawValue` means.
    fn of(body: &Bytes, key: &RawValue, value: &RawValue) -> Self {
        let start = |raw: &RawValue| raw.get().as_ptr() as usize - body.as_ptr() as usize;
        Self { key: start(key), end: start(value) + value.get().len() }
    }

    fn whole(&self) -> Range<usize> {
        self.key..self.end
    }
}

/// A member with the comma that parts it from its neighbour.
fn alone(places: &[Place], at: usize) -> Option<Range<usize>> {
    let place = places.get(at)?;
    let next = places.get(at + 1);
    let last = at.checked_sub(1).and_then(|before| places.get(before));
    Some(match (next, last) {
        (Some(next), _) => place.key..next.key,
        (None, Some(last)) => last.end..place.end,
        (None, None) => place.whole(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_model_gives_way_to_the_version() {
        for (body, expected) in [
            (r#"{"model":"claude-x","max_tokens":9}"#, r#"{"anthropic_version":"vertex-2023-10-16","max_tokens":9}"#),
            (
                "{ \"max_tokens\" : 9,\n \"m\\u006fdel\" : \"claude-x\" , \"x\" : [1.0e2] }",
                "{ \"max_tokens\" : 9,\n \"anthropic_version\":\"vertex-2023-10-16\" , \"x\" : [1.0e2] }",
            ),
            (
                r#"{"metadata":{"model":"inner"},"model":"m"}"#,
                r#"{"metadata":{"model":"inner"},"anthropic_version":"vertex-2023-10-16"}"#,
            ),
            (r#"{"model":"m","anthropic_version":"v","x":1}"#, r#"{"anthropic_version":"v","x":1}"#),
            (r#"{"anthropic_version":"v","model":"m","x":1}"#, r#"{"anthropic_version":"v","x":1}"#),
            (r#"{"x":1, "anthropic_version":"v", "model":"m" }"#, r#"{"x":1, "anthropic_version":"v" }"#),
            (r#"{"x":1}"#, r#"{"anthropic_version":"vertex-2023-10-16","x":1}"#),
            (r#"{"anthropic_version":"v"}"#, r#"{"anthropic_version":"v"}"#),
        ] {
            assert_eq!(for_vertex(&Bytes::from(body)).as_deref(), Some(expected.as_bytes()), "{body}");
        }
        for body in ["", "[]", "{}", "{\"model\":", "\u{fffd}"] {
            assert_eq!(for_vertex(&Bytes::from(body)), None, "{body}");
        }
    }

    #[test]
    fn where_tokens_are_counted_the_model_stays() {
        for (body, expected) in [
            (r#"{"model":"m","x":1}"#, r#"{"anthropic_version":"vertex-2023-10-16","model":"m","x":1}"#),
            ("{ \"x\" : [1.0e2] }", "{ \"anthropic_version\":\"vertex-2023-10-16\",\"x\" : [1.0e2] }"),
            (r#"{"model":"m","anthropic\u005fversion":"v"}"#, r#"{"model":"m","anthropic\u005fversion":"v"}"#),
        ] {
            assert_eq!(counted_on_vertex(&Bytes::from(body)).as_deref(), Some(expected.as_bytes()), "{body}");
        }
        for body in ["", "[]", "{}", "{\"model\":"] {
            assert_eq!(counted_on_vertex(&Bytes::from(body)), None, "{body}");
        }
    }

    proptest! {
        #[test]
        fn every_other_byte_stays(before in "[a-z \\n]{0,9}", behind in "\\PC{0,20}") {
            let before = format!("{{\"{}\":  {} ,", before.escape_default(), "[1e5, \"\\u00e9\"]");
            let behind = format!(", \"text\" : {} }}\n", serde_json::Value::from(behind));
            let body = Bytes::from(format!("{before}\"model\" : \"m\"{behind}"));
            let spliced = for_vertex(&body).expect("an object");
            prop_assert_eq!(spliced, format!("{before}{VERSION}{behind}"));
        }

        #[test]
        fn nothing_panics(body in proptest::collection::vec(any::<u8>(), 0..100)) {
            let body = body.into();
            let _ = (for_vertex(&body), counted_on_vertex(&body));
        }
    }
}
