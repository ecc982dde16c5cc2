//! Token counts, both ways.
//!
//! `prompt_tokens` and `completion_tokens` include what their details name, as ours do.

use crate::json::Json;
use llm::Usage;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::num::ParseIntError;

/// The usage in `raw`, where the numbers make sense.
pub(super) fn usage(raw: &RawValue) -> Option<Usage> {
    let wire: Wire = serde_json::from_str(raw.get()).ok()?;
    let (of_prompt, of_answer) =
        (wire.prompt_tokens_details.unwrap_or_default(), wire.completion_tokens_details.unwrap_or_default());
    let reasoning = of_answer.reasoning_tokens.or(wire.reasoning_tokens).unwrap_or(0);
    Some(Usage {
        input: wire.prompt_tokens,
        output: output(wire.prompt_tokens, reasoning, wire.completion_tokens, wire.total_tokens),
        cached: of_prompt.cached_tokens.or(wire.cached_tokens).or(wire.prompt_cache_hit_tokens).unwrap_or(0),
        cache_written: of_prompt.cache_write_tokens.unwrap_or(0),
        reasoning,
    })
}

/// The tokens of an answer. xAI's completion tokens leave reasoning out, and its total says so.
fn output(input: u64, reasoning: u64, completion: u64, total: Option<u64>) -> u64 {
    let told = input.saturating_add(completion).saturating_add(reasoning);
    if reasoning > 0 && total == Some(told) { completion.saturating_add(reasoning) } else { completion }
}

/// What an event tells of tokens that repeats another one but for its words and the counts that grow with them: some
/// servers count in every event.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Meter(Option<Usage>);

impl Meter {
    /// That of the likes of an event in which so much is used.
    pub(super) fn of(usage: Option<Usage>) -> Self {
        Self(usage)
    }

    /// The literals of those counts.
    pub(super) fn moving(usage: Option<&RawValue>) -> [Option<&str>; 2] {
        ["completion_tokens", "total_tokens"].map(|name| {
            let mut counts = Json::from(usage?).entries()?;
            counts.find(|(known, _)| known == name).map(|(_, count)| count.get())
        })
    }

    /// What is used where these counts are written so; nothing where none is told.
    ///
    /// # Errors
    /// What is no count.
    pub(super) fn usage(self, [completion, total]: [&str; 2]) -> Result<Option<Usage>, ParseIntError> {
        let Some(usage) = self.0.filter(|_| !(completion.is_empty() && total.is_empty())) else { return Ok(self.0) };
        let total = if total.is_empty() { None } else { Some(total.parse()?) };
        let output = output(usage.input, usage.reasoning, completion.parse()?, total);
        Ok(Some(Usage { output, ..usage }))
    }
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
    fn counts_that_grow_are_read_as_in_full() {
        let raw = |json: &str| -> Box<RawValue> { serde_json::from_str(json).expect("JSON") };
        let xai = |completion: u64, total: u64| {
            format!(
                r#"{{"prompt_tokens":10,"completion_tokens":{completion},"total_tokens":{total},"completion_tokens_details":{{"reasoning_tokens":5}}}}"#
            )
        };
        let bare = |completion: u64| format!(r#"{{"prompt_tokens":10,"completion_tokens":{completion}}}"#);
        for (first, next) in
            [(xai(1, 16), xai(2, 17)), (xai(1, 16), xai(2, 12)), (xai(6, 16), xai(7, 22)), (bare(1), bare(9))]
        {
            let (first, next) = (raw(&first), raw(&next));
            let counts = Meter::moving(Some(&next)).map(Option::unwrap_or_default);
            assert_eq!(Meter::of(usage(&first)).usage(counts), Ok(usage(&next)), "{next}");
        }
        let meter = Meter::of(usage(&raw(&bare(3))));
        assert_eq!(meter.usage(["", ""]), Ok(usage(&raw(&bare(3)))), "nothing of it moves");
        assert!(meter.usage(["", "9"]).is_err() && meter.usage(["99999999999999999999", ""]).is_err());
        assert_eq!(Meter::default().usage(["xy", ""]), Ok(None), "no counts, but what hides a length");
    }

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
