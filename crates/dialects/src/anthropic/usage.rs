//! Token counts, to and from this dialect.
//!
//! Its `input_tokens` are those that were neither read from a cache nor written to one; ours hold all of them. What a
//! stream says later counts in place of what it said before, field by field. Must never be here: prices.

use llm::Usage;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// What has been told of an answer's usage so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counted {
    input: Option<u64>,
    read: Option<u64>,
    written: Option<u64>,
    output: Option<u64>,
    thinking: Option<u64>,
}

/// A `usage` object; nobody needs more of it.
#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    input_tokens: Option<u64>,
    #[serde(default)]
    cache_read_input_tokens: Option<u64>,
    #[serde(default)]
    cache_creation_input_tokens: Option<u64>,
    #[serde(default)]
    output_tokens: Option<u64>,
    #[serde(default)]
    output_tokens_details: Option<Details>,
}

#[derive(Deserialize)]
struct Details {
    #[serde(default)]
    thinking_tokens: Option<u64>,
}

impl Counted {
    /// Takes in a `usage` object, where it is one and its numbers make sense.
    pub(super) fn take(&mut self, raw: Option<&RawValue>) {
        let Some(wire) = super::json::object::<Wire>(raw) else { return };
        self.input = wire.input_tokens.or(self.input);
        self.read = wire.cache_read_input_tokens.or(self.read);
        self.written = wire.cache_creation_input_tokens.or(self.written);
        self.output = wire.output_tokens.or(self.output);
        self.thinking = wire.output_tokens_details.and_then(|details| details.thinking_tokens).or(self.thinking);
    }

    /// What the answer took, as far as it is told; nothing where neither side's count is.
    pub(super) fn usage(&self) -> Option<Usage> {
        self.input.or(self.output)?;
        let (cached, cache_written) = (self.read.unwrap_or(0), self.written.unwrap_or(0));
        Some(Usage {
            input: self.input.unwrap_or(0).saturating_add(cached).saturating_add(cache_written),
            output: self.output.unwrap_or(0),
            cached,
            cache_written,
            reasoning: self.thinking.unwrap_or(0),
        })
    }
}

/// Usage as this dialect writes it. It has no word for a count that is not known.
#[derive(Serialize)]
pub(super) struct Told {
    input_tokens: u64,
    cache_creation_input_tokens: u64,
    cache_read_input_tokens: u64,
    output_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_tokens_details: Option<Thought>,
}

#[derive(Serialize)]
struct Thought {
    thinking_tokens: u64,
}

impl From<Usage> for Told {
    fn from(usage: Usage) -> Self {
        Self {
            input_tokens: usage.input.saturating_sub(usage.cached).saturating_sub(usage.cache_written),
            cache_creation_input_tokens: usage.cache_written,
            cache_read_input_tokens: usage.cached,
            output_tokens: usage.output,
            output_tokens_details: (usage.reasoning > 0).then_some(Thought { thinking_tokens: usage.reasoning }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(told: &[&str]) -> Option<Usage> {
        let mut counted = Counted::default();
        for json in told {
            let raw: &RawValue = serde_json::from_str(json).expect("JSON");
            counted.take(Some(raw));
        }
        counted.usage()
    }

    #[test]
    fn caches_are_added_and_later_counts_win() {
        let usage = |input, output, cached, cache_written, reasoning| {
            Some(Usage { input, output, cached, cache_written, reasoning })
        };
        for (told, expected) in [
            (
                &[r#"{"input_tokens":562,"cache_read_input_tokens":3059,"output_tokens":1}"#][..],
                usage(3621, 1, 3059, 0, 0),
            ),
            (
                &[
                    r#"{"input_tokens":2,"cache_creation_input_tokens":3068,"cache_read_input_tokens":0,"output_tokens":69}"#,
                    r#"{"input_tokens":6,"cache_creation_input_tokens":3337,"cache_read_input_tokens":6289,"output_tokens":198,"output_tokens_details":{"thinking_tokens":7}}"#,
                ],
                usage(9632, 198, 6289, 3337, 7),
            ),
            (&[r#"{"input_tokens":17,"output_tokens":1}"#, r#"{"output_tokens":227}"#], usage(17, 227, 0, 0, 0)),
            (
                &[r#"{"input_tokens":17,"output_tokens":1}"#, r#"{"input_tokens":null,"output_tokens":9}"#],
                usage(17, 9, 0, 0, 0),
            ),
            (&[r#"{"input_tokens":43,"output_tokens":1}"#, r#"{"input_tokens":-1}"#], usage(43, 1, 0, 0, 0)),
            (&["{}"], None),
            (&["null"], None),
            (&["[1,2]"], None),
        ] {
            assert_eq!(counted(told), expected, "{told:?}");
        }
    }

    #[test]
    fn what_is_written_is_read_as_it_was() {
        for usage in [
            Usage { input: 3621, output: 9, cached: 3059, cache_written: 12, reasoning: 4 },
            Usage { input: 5, output: 0, cached: 0, cache_written: 0, reasoning: 0 },
            Usage::default(),
        ] {
            let json = serde_json::to_string(&Told::from(usage)).expect("JSON");
            assert_eq!(counted(&[&json]), Some(usage), "{json}");
        }
        let odd = Told::from(Usage { input: 1, cached: 5, ..Usage::default() });
        assert_eq!(odd.input_tokens, 0, "a provider that counts otherwise does not make it negative");
    }
}
