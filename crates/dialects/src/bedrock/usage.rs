//! Token counts. Bedrock's `inputTokens` are those that were neither read from a cache nor written to one; ours hold all
//! of them.
//!
//! Must never be here: prices.

use crate::anthropic::json::object;
use llm::Usage;
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    #[serde(default)]
    input_tokens: Option<u64>,
    #[serde(default)]
    output_tokens: Option<u64>,
    #[serde(default)]
    cache_read_input_tokens: Option<u64>,
    #[serde(default)]
    cache_write_input_tokens: Option<u64>,
}

/// What a `usage` object tells; nothing where it is none, or tells neither side's count.
pub(super) fn usage(raw: Option<&RawValue>) -> Option<Usage> {
    let wire: Wire = object(raw)?;
    wire.input_tokens.or(wire.output_tokens)?;
    let cached = wire.cache_read_input_tokens.unwrap_or(0);
    let cache_written = wire.cache_write_input_tokens.unwrap_or(0);
    Some(Usage {
        input: wire.input_tokens.unwrap_or(0).saturating_add(cached).saturating_add(cache_written),
        output: wire.output_tokens.unwrap_or(0),
        cached,
        cache_written,
        // Thoughts are counted with the rest.
        reasoning: 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cached_tokens_are_part_of_the_input() {
        let told =
            |input, output, cached, cache_written| Some(Usage { input, output, cached, cache_written, reasoning: 0 });
        for (json, expected) in [
            (r#"{"inputTokens":22,"outputTokens":55,"totalTokens":77,"serverToolUsage":{}}"#, told(22, 55, 0, 0)),
            (
                r#"{"inputTokens":562,"outputTokens":9,"cacheReadInputTokens":3059,"cacheWriteInputTokens":5}"#,
                told(3626, 9, 3059, 5),
            ),
            (r#"{"inputTokens":18446744073709551615,"cacheReadInputTokens":9}"#, told(u64::MAX, 0, 9, 0)),
            (r#"{"outputTokens":0}"#, told(0, 0, 0, 0)),
            (r#"{"cacheReadInputTokens":9}"#, None),
            (r#"{"inputTokens":-1,"outputTokens":2}"#, None),
            ("[1,2]", None),
            ("null", None),
        ] {
            let raw: &RawValue = serde_json::from_str(json).expect("JSON");
            assert_eq!(usage(Some(raw)), expected, "{json}");
        }
        assert_eq!(usage(None), None);
    }
}
