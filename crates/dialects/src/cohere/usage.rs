//! Token counts as Cohere tells them.
//!
//! `tokens` are those that the model read and wrote; `billed_units` leave out what Cohere adds to a prompt, and count only
//! where the others are not told. Must never be here: prices.

use crate::thin::{Raw, count, object};
use llm::Usage;
use serde::Deserialize;

#[derive(Default, Deserialize)]
struct Wire<'a> {
    #[serde(borrow, default)]
    tokens: Raw<'a>,
    #[serde(borrow, default)]
    billed_units: Raw<'a>,
    /// A part of the prompt's.
    #[serde(borrow, default)]
    cached_tokens: Raw<'a>,
}

#[derive(Default, Deserialize)]
struct Counts<'a> {
    #[serde(borrow, default)]
    input_tokens: Raw<'a>,
    #[serde(borrow, default)]
    output_tokens: Raw<'a>,
}

/// What a `usage` object tells; nothing where it does not tell both sides.
pub(super) fn usage(raw: Raw<'_>) -> Option<Usage> {
    let wire: Wire<'_> = object(raw);
    let told = |raw| {
        let counts: Counts<'_> = object(raw);
        Some((count(counts.input_tokens)?, count(counts.output_tokens)?))
    };
    let (input, output) = told(wire.tokens).or_else(|| told(wire.billed_units))?;
    Some(Usage { input, output, cached: count(wire.cached_tokens).unwrap_or(0).min(input), ..Usage::default() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::value::RawValue;

    #[test]
    fn tokens_count_before_what_is_billed() {
        const BILLED: &str = r#""billed_units":{"input_tokens":12,"output_tokens":7}"#;
        for (json, expected) in [
            (
                format!(r#"{{{BILLED},"tokens":{{"input_tokens":507,"output_tokens":10}},"cached_tokens":448}}"#),
                Some((507, 10, 448)),
            ),
            (r#"{"tokens":{"input_tokens":507.0,"output_tokens":1e1}}"#.into(), Some((507, 10, 0))),
            (format!("{{{BILLED}}}"), Some((12, 7, 0))),
            (format!(r#"{{{BILLED},"tokens":{{"output_tokens":10}},"cached_tokens":448}}"#), Some((12, 7, 12))),
            (r#"{"tokens":{"input_tokens":0,"output_tokens":0}}"#.into(), Some((0, 0, 0))),
            (r#"{"tokens":{"input_tokens":507}}"#.into(), None),
            (r#"{"tokens":{"input_tokens":-1,"output_tokens":"7"}}"#.into(), None),
            ("{}".into(), None),
            ("null".into(), None),
            ("[1,2,3]".into(), None),
        ] {
            let raw: &RawValue = serde_json::from_str(&json).expect("JSON");
            let told = usage(Some(raw)).map(|usage| (usage.input, usage.output, usage.cached));
            assert_eq!(told, expected, "{json}");
        }
        assert_eq!(usage(None), None);
    }
}
