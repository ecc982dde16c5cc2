//! Why an answer ended, in Ollama's words and in ours.
//!
//! Must never be here: where the words stand.

use llm::FinishReason;

/// What a `done_reason` means; `calls` where the answer wants tools called, of which Ollama says `stop` as well. `load` and
/// `unload` end no answer: they tell that a model was put into memory, or taken out.
pub(super) fn finish(word: &str, calls: bool) -> FinishReason {
    match word {
        "stop" if calls => FinishReason::ToolCalls,
        "stop" => FinishReason::Stop,
        "length" => FinishReason::Length,
        _ => FinishReason::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use FinishReason::{Length, Other, Stop, ToolCalls};

    #[test]
    fn every_reason_has_its_meaning() {
        for (word, alone, with_calls) in [
            ("stop", Stop, ToolCalls),
            ("length", Length, Length),
            ("load", Other, Other),
            ("unload", Other, Other),
            ("tomorrow", Other, Other),
        ] {
            assert_eq!((finish(word, false), finish(word, true)), (alone, with_calls), "{word}");
        }
    }
}
