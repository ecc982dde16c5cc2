//! What an answer of two streams cost.

use super::Way;
use llm::Usage;

/// The usage of a whole answer whose first `given` tokens another target gave.
///
/// A target that repeated the answer counted all of it itself. One that was handed the beginning counted that as a part
/// of its question: `given` tokens, an estimate, are moved from its input to the output, so that the sum stays what it
/// said. What it read from its cache stays within what is left of the input.
pub(super) fn merge_usage(given: u64, second: Usage, way: Way) -> Usage {
    if way == Way::Repeat {
        return second;
    }
    let moved = given.min(second.input);
    let input = second.input - moved;
    let output = second.output.saturating_add(moved);
    Usage { input, output, cached: second.cached.min(input), reasoning: second.reasoning }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_is_output_whoever_gave_it() {
        let usage = |input, output, cached, reasoning| Usage { input, output, cached, reasoning };
        for (given, second, way, merged) in [
            (10, usage(30, 5, 8, 1), Way::Prefill, usage(20, 15, 8, 1)),
            (10, usage(30, 5, 28, 0), Way::Prefill, usage(20, 15, 20, 0)),
            (40, usage(30, 5, 8, 0), Way::Prefill, usage(0, 35, 0, 0)),
            (0, usage(30, 5, 8, 0), Way::Prefill, usage(30, 5, 8, 0)),
            (9, usage(9, u64::MAX, 0, 0), Way::Prefill, usage(0, u64::MAX, 0, 0)),
            (10, usage(20, 15, 8, 1), Way::Repeat, usage(20, 15, 8, 1)),
        ] {
            assert_eq!(merge_usage(given, second, way), merged, "{given} {second:?} {way:?}");
        }
    }
}
