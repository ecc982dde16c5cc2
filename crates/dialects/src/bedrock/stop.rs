//! Why an answer ended, in Bedrock's words and in ours.
//!
//! Must never be here: what follows from it.

use llm::FinishReason;

/// What a `stopReason` means, of an answer with or without calls: some models say `end_turn` of one that has them.
pub(super) fn finish(word: &str, calls: bool) -> FinishReason {
    match word {
        "end_turn" | "stop_sequence" if calls => FinishReason::ToolCalls,
        "end_turn" | "stop_sequence" => FinishReason::Stop,
        "max_tokens" | "model_context_window_exceeded" => FinishReason::Length,
        "tool_use" => FinishReason::ToolCalls,
        "guardrail_intervened" | "content_filtered" | "refusal" => FinishReason::ContentFilter,
        // `malformed_model_output`, `malformed_tool_use`, and what is invented tomorrow: neither done nor cut.
        _ => FinishReason::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use FinishReason::{ContentFilter, Length, Other, Stop, ToolCalls};

    #[test]
    fn every_reason_has_its_meaning() {
        for (word, calls, expected) in [
            ("end_turn", false, Stop),
            ("end_turn", true, ToolCalls),
            ("stop_sequence", false, Stop),
            ("tool_use", true, ToolCalls),
            ("tool_use", false, ToolCalls),
            ("max_tokens", true, Length),
            ("model_context_window_exceeded", false, Length),
            ("guardrail_intervened", false, ContentFilter),
            ("content_filtered", true, ContentFilter),
            ("refusal", false, ContentFilter),
            ("malformed_model_output", false, Other),
            ("malformed_tool_use", true, Other),
            ("tomorrow", false, Other),
        ] {
            assert_eq!(finish(word, calls), expected, "{word} {calls}");
        }
    }
}
