//! What an answer of two streams cost.

use super::{Overlap, Way};
use llm::Usage;

/// The usage of a whole answer whose first `given` tokens, an estimate, another target gave and this one was handed.
///
/// A target that was handed the beginning counted that as a part of its question, which it is not for the client:
/// `given` tokens are taken off its input. Where it went on from there, or its provider merely put the beginning in
/// front, they are the answer's and added to the output; one that said all of it once more has counted them there
/// itself. The withheld end is the second's alone, and counted once. What it read from its cache stays within what is
/// left of the input.
pub(super) fn merge_usage(given: u64, second: Usage, way: Way, overlap: Overlap) -> Usage {
    let Way::Prefill(handed) = way else { return second };
    let moved = given.min(second.input);
    let input = second.input - moved;
    let said_it_itself = overlap == Overlap::All && !handed.echoed;
    let output = second.output.saturating_add(if said_it_itself { 0 } else { moved });
    Usage { input, output, cached: second.cached.min(input), ..second }
}

#[cfg(test)]
mod tests {
    use super::super::Handed;
    use super::*;

    #[test]
    fn the_beginning_is_output_whoever_gave_it() {
        let usage = |input, output, cached, reasoning| Usage { input, output, cached, reasoning, ..Usage::default() };
        let prefill = |echoed| Way::Prefill(Handed { bytes: 9, limited: false, echoed });
        let (end, all) = (Overlap::End, Overlap::All);
        for (given, second, way, overlap, merged) in [
            (10, usage(30, 5, 8, 1), prefill(false), end, usage(20, 15, 8, 1)),
            (10, usage(30, 5, 28, 0), prefill(true), end, usage(20, 15, 20, 0)),
            (40, usage(30, 5, 8, 0), prefill(false), end, usage(0, 35, 0, 0)),
            (0, usage(30, 5, 8, 0), prefill(false), end, usage(30, 5, 8, 0)),
            (9, usage(9, u64::MAX, 0, 0), prefill(false), end, usage(0, u64::MAX, 0, 0)),
            (10, usage(30, 15, 8, 1), prefill(false), all, usage(20, 15, 8, 1)),
            (10, usage(30, 5, 8, 1), prefill(true), all, usage(20, 15, 8, 1)),
            (10, usage(20, 15, 8, 1), Way::Repeat, all, usage(20, 15, 8, 1)),
        ] {
            assert_eq!(merge_usage(given, second, way, overlap), merged, "{given} {second:?} {way:?} {overlap:?}");
        }
    }
}
