//! Why an answer ended, in this dialect's words and in ours.
//!
//! Must never be here: what follows from it.

use llm::FinishReason;

/// What a `stop_reason` means. A turn that the provider paused (`pause_turn`) is neither done nor cut: its client sends
/// it back to have it go on.
pub(super) fn finish(word: &str) -> FinishReason {
    match word {
        "end_turn" | "stop_sequence" => FinishReason::Stop,
        "max_tokens" | "model_context_window_exceeded" => FinishReason::Length,
        "tool_use" => FinishReason::ToolCalls,
        "refusal" => FinishReason::ContentFilter,
        _ => FinishReason::Other,
    }
}

/// How an end that others told is written. Whether it wants tools called is seen from the calls, for providers differ
/// in what they say of an answer that holds some.
pub(super) fn word(finish: FinishReason, calls: bool, at_sequence: bool, refused: bool) -> &'static str {
    match finish {
        FinishReason::Length => "max_tokens",
        FinishReason::ContentFilter => "refusal",
        FinishReason::Stop | FinishReason::ToolCalls | FinishReason::Other if calls => "tool_use",
        FinishReason::Stop if at_sequence => "stop_sequence",
        _ if refused => "refusal",
        FinishReason::Stop | FinishReason::ToolCalls | FinishReason::Other => "end_turn",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use FinishReason::{ContentFilter, Length, Other, Stop, ToolCalls};

    #[test]
    fn every_reason_has_its_meaning() {
        for (word, expected) in [
            ("end_turn", Stop),
            ("stop_sequence", Stop),
            ("max_tokens", Length),
            ("model_context_window_exceeded", Length),
            ("tool_use", ToolCalls),
            ("refusal", ContentFilter),
            ("pause_turn", Other),
            ("tomorrow", Other),
        ] {
            assert_eq!(finish(word), expected, "{word}");
        }
    }

    #[test]
    fn an_answer_with_calls_never_ends_as_if_it_had_none() {
        for (finish, calls, at_sequence, refused, expected) in [
            (Stop, false, false, false, "end_turn"),
            (Stop, false, true, false, "stop_sequence"),
            (Stop, true, false, false, "tool_use"),
            (Stop, true, true, false, "tool_use"),
            (ToolCalls, true, false, false, "tool_use"),
            (ToolCalls, false, false, false, "end_turn"),
            (Other, false, false, false, "end_turn"),
            (Other, true, false, false, "tool_use"),
            (Length, true, false, false, "max_tokens"),
            (Length, false, false, true, "max_tokens"),
            (ContentFilter, false, false, false, "refusal"),
            (ContentFilter, true, false, false, "refusal"),
            (Stop, false, false, true, "refusal"),
        ] {
            assert_eq!(
                word(finish, calls, at_sequence, refused),
                expected,
                "{finish:?} {calls} {at_sequence} {refused}"
            );
        }
    }
}
