//! Token counts, in the words of several operations.

use llm::Usage;
use serde::Deserialize;
use serde_json::value::RawValue;

/// What `usage` says; nothing where it counts no tokens.
///
/// OpenAI's embeddings and completions count `prompt_tokens`, its images and words from speech `input_tokens`.
pub(super) fn usage(raw: &RawValue) -> Option<Usage> {
    #[derive(Deserialize)]
    struct Wire {
        #[serde(alias = "prompt_tokens")]
        input_tokens: u64,
        #[serde(default, alias = "completion_tokens")]
        output_tokens: u64,
    }
    let Wire { input_tokens: input, output_tokens: output } = serde_json::from_str(raw.get()).ok()?;
    Some(Usage { input, output, ..Usage::default() })
}
