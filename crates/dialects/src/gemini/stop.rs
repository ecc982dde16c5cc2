//! Why a candidate is over, in Google's words and in ours.
//!
//! Must never be here: where the words stand.

use llm::FinishReason;

/// A reason that Google gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reason(FinishReason);

impl Reason {
    /// What `word` amounts to; nothing where it says that nothing is said.
    pub(super) fn read(word: &str) -> Option<Self> {
        Some(Self(match word {
            "" | "FINISH_REASON_UNSPECIFIED" => return None,
            "STOP" => FinishReason::Stop,
            // Not Google's: servers that speak its dialect say it (aimock 1.43).
            "FUNCTION_CALL" => FinishReason::ToolCalls,
            // Vertex's word for an answer that another request goes on with.
            "MAX_TOKENS" | "CONTINUATION" => FinishReason::Length,
            "SAFETY"
            | "RECITATION"
            | "BLOCKLIST"
            | "PROHIBITED_CONTENT"
            | "SPII"
            | "MODEL_ARMOR"
            | "IMAGE_SAFETY"
            | "IMAGE_PROHIBITED_CONTENT"
            | "IMAGE_RECITATION" => FinishReason::ContentFilter,
            // A call that cannot be read (MALFORMED_FUNCTION_CALL, UNEXPECTED_TOOL_CALL) is no call.
            _ => FinishReason::Other,
        }))
    }

    /// The reason, told of a candidate with or without calls: Google says STOP of both.
    pub(super) fn of(self, calls: bool) -> FinishReason {
        match self.0 {
            FinishReason::Stop if calls => FinishReason::ToolCalls,
            FinishReason::ToolCalls if !calls => FinishReason::Other,
            reason => reason,
        }
    }
}

/// What is told of a candidate with or without calls, of which a provider said `reason`, or nothing: one that called tools
/// ended in that, if it ended well at all, as in all dialects.
pub(super) fn told(reason: Option<FinishReason>, calls: bool) -> FinishReason {
    match reason {
        Some(FinishReason::Other) if calls => FinishReason::ToolCalls,
        reason => reason.unwrap_or(FinishReason::Other),
    }
}

/// Google's word for `reason`.
pub(super) fn word(reason: FinishReason) -> &'static str {
    match reason {
        FinishReason::Stop | FinishReason::ToolCalls => "STOP",
        FinishReason::Length => "MAX_TOKENS",
        FinishReason::ContentFilter => "SAFETY",
        FinishReason::Other => "OTHER",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_googles_has_a_meaning() {
        use FinishReason::{ContentFilter, Length, Other, Stop, ToolCalls};
        for (word, calls, expected) in [
            ("STOP", false, Some(Stop)),
            ("STOP", true, Some(ToolCalls)),
            ("FUNCTION_CALL", true, Some(ToolCalls)),
            ("FUNCTION_CALL", false, Some(Other)),
            ("MAX_TOKENS", true, Some(Length)),
            ("CONTINUATION", false, Some(Length)),
            ("SAFETY", false, Some(ContentFilter)),
            ("RECITATION", false, Some(ContentFilter)),
            ("BLOCKLIST", false, Some(ContentFilter)),
            ("PROHIBITED_CONTENT", true, Some(ContentFilter)),
            ("SPII", false, Some(ContentFilter)),
            ("MODEL_ARMOR", false, Some(ContentFilter)),
            ("IMAGE_SAFETY", false, Some(ContentFilter)),
            ("MALFORMED_FUNCTION_CALL", false, Some(Other)),
            ("UNEXPECTED_TOOL_CALL", true, Some(Other)),
            ("LANGUAGE", false, Some(Other)),
            ("OTHER", false, Some(Other)),
            ("TOMORROW", false, Some(Other)),
            ("FINISH_REASON_UNSPECIFIED", false, None),
            ("", false, None),
        ] {
            assert_eq!(Reason::read(word).map(|reason| reason.of(calls)), expected, "{word}");
        }
    }

    #[test]
    fn an_end_that_nobody_knows_is_one_in_calls_where_there_are_any() {
        use FinishReason::{Length, Other, Stop, ToolCalls};
        for (reason, calls, expected) in [
            (Some(Other), true, ToolCalls),
            (Some(Other), false, Other),
            (None, true, Other),
            (None, false, Other),
            (Some(Length), true, Length),
            (Some(Stop), false, Stop),
        ] {
            assert_eq!(told(reason, calls), expected, "{reason:?} {calls}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        use FinishReason::{ContentFilter, Length, Other, Stop, ToolCalls};
        for (reason, calls) in
            [(Stop, false), (ToolCalls, true), (Length, false), (ContentFilter, false), (Other, true)]
        {
            assert_eq!(Reason::read(word(reason)).map(|read| read.of(calls)), Some(reason), "{reason:?}");
        }
    }
}
