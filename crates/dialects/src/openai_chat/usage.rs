//! Token counts, both ways.
//!
//! `prompt_tokens` and `completion_tokens` include what their details name, as ours do.

use llm::Usage;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The usage in `raw`, where the numbers make sense.
pub(super) fn usage(raw: &RawValue) -> Option<Usage> {
    let wire: Wire = serde_json::from_str(raw.get()).ok()?;
    let (of_prompt, of_answer) =
        (wire.prompt_tokens_details.unwrap_or_default(), wire.completion_tokens_details.unwrap_or_default());
    let reasoning = of_answer.reasoning_tokens.or(wire.reasoning_tokens).unwrap_or(0);
    // xAI's completion tokens leave reasoning out, and its total says so.
    let beside = wire.total_tokens.is_some_and(|total| {
        let told = wire.prompt_tokens.saturating_add(wire.completion_tokens);
        reasoning > 0 && total == told.saturating_add(reasoning)
    });
    let output = if beside { wire.completion_tokens.saturating_add(reasoning) } else { wire.completion_tokens };
    Some(Usage {
        input: wire.prompt_tokens,
        output,
        cached: of_prompt.cached_tokens.or(wire.cached_tokens).or(wire.prompt_cache_hit_tokens).unwrap_or(0),
        cache_written: of_prompt.cache_write_tokens.unwrap_or(0),
        reasoning,
    })
}

#[derive(Deserialize)]
struct Wire {
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
    #[serde(default)]
    total_tokens: Option<u64>,
    /// Perplexity's.
    #[serde(default)]
    reasoning_tokens: Option<u64>,
    /// Moonshot's.
    #[serde(default)]
    cached_tokens: Option<u64>,
    /// DeepSeek's.
    #[serde(default)]
    prompt_cache_hit_tokens: Option<u64>,
    #[serde(default)]
    prompt_tokens_details: Option<Details>,
    #[serde(default)]
    completion_tokens_details: Option<Details>,
}

#[derive(Default, Deserialize)]
struct Details {
    #[serde(default)]
    cached_tokens: Option<u64>,
    #[serde(default)]
    cache_write_tokens: Option<u64>,
    #[serde(default)]
    reasoning_tokens: Option<u64>,
}

/// A usage as it is written.
#[derive(Debug, Serialize)]
pub(crate) struct Told {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
    prompt_tokens_details: OfPrompt,
    completion_tokens_details: OfAnswer,
}

#[derive(Debug, Serialize)]
struct OfPrompt {
    cached_tokens: u64,
    cache_write_tokens: u64,
}

#[derive(Debug, Serialize)]
struct OfAnswer {
    reasoning_tokens: u64,
}

impl From<Usage> for Told {
    fn from(usage: Usage) -> Self {
        Self {
            prompt_tokens: usage.input,
            completion_tokens: usage.output,
            total_tokens: usage.input.saturating_add(usage.output),
            prompt_tokens_details: OfPrompt { cached_tokens: usage.cached, cache_write_tokens: usage.cache_written },
            completion_tokens_details: OfAnswer { reasoning_tokens: usage.reasoning },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_found_where_servers_put_them() {
        let of = |input, output, cached, cache_written, reasoning| {
            Some(Usage { input, output, cached, cache_written, reasoning })
        };
        for (written, expected) in [
            (r#"{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12}"#, of(5, 7, 0, 0, 0)),
            (
                r#"{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12,
                    "prompt_tokens_details":{"cached_tokens":3,"cache_write_tokens":1},
                    "completion_tokens_details":{"reasoning_tokens":2}}"#,
                of(5, 7, 3, 1, 2),
            ),
            // Reasoning beside the completion, and reasoning that the total does not have twice.
            (
                r#"{"prompt_tokens":291,"completion_tokens":26,"total_tokens":513,
                    "completion_tokens_details":{"reasoning_tokens":196}}"#,
                of(291, 222, 0, 0, 196),
            ),
            (r#"{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12,"reasoning_tokens":4}"#, of(5, 7, 0, 0, 4)),
            (r#"{"prompt_tokens":5,"completion_tokens":7,"cached_tokens":4}"#, of(5, 7, 4, 0, 0)),
            (r#"{"prompt_tokens":5,"completion_tokens":7,"prompt_cache_hit_tokens":4}"#, of(5, 7, 4, 0, 0)),
            (r#"{"completion_tokens":7}"#, None),
        ] {
            let raw: Box<RawValue> = serde_json::from_str(written).expect("JSON");
            assert_eq!(usage(&raw), expected, "{written}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let told = Usage { input: 9, output: 8, cached: 4, cache_written: 2, reasoning: 3 };
        let written = serde_json::to_string(&Told::from(told)).expect("JSON");
        let raw: Box<RawValue> = serde_json::from_str(&written).expect("JSON");
        assert_eq!(usage(&raw), Some(told));
        assert!(written.contains(r#""total_tokens":17"#), "{written}");
    }
}
