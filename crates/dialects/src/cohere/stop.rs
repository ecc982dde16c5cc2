//! Why an answer ended, in Cohere's words and in ours.
//!
//! Must never be here: where the words stand.

use llm::FinishReason;

/// What a `finish_reason` means; `calls` where the answer wants tools called, whatever the word.
pub(super) fn finish(word: &str, calls: bool) -> FinishReason {
    match word {
        "COMPLETE" | "STOP_SEQUENCE" if calls => FinishReason::ToolCalls,
        "COMPLETE" | "STOP_SEQUENCE" => FinishReason::Stop,
        "MAX_TOKENS" => FinishReason::Length,
        "TOOL_CALL" => FinishReason::ToolCalls,
        _ => FinishReason::Other,
    }
}

/// The HTTP status that a `finish_reason` stands for which says that the provider failed; nothing for all others.
pub(super) fn status(word: &str) -> Option<u16> {
    match word {
        "ERROR" => Some(500),
        "TIMEOUT" => Some(504),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use FinishReason::{Length, Other, Stop, ToolCalls};

    #[test]
    fn every_reason_has_its_meaning() {
        for (word, alone, with_calls, fails) in [
            ("COMPLETE", Stop, ToolCalls, None),
            ("STOP_SEQUENCE", Stop, ToolCalls, None),
            ("MAX_TOKENS", Length, Length, None),
            ("TOOL_CALL", ToolCalls, ToolCalls, None),
            ("ERROR", Other, Other, Some(500)),
            ("TIMEOUT", Other, Other, Some(504)),
            ("TOMORROW", Other, Other, None),
        ] {
            assert_eq!((finish(word, false), finish(word, true), status(word)), (alone, with_calls, fails), "{word}");
        }
    }
}
