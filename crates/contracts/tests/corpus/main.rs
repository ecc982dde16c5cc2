//! Answers with what is found in them, whole and streamed: one table for each way to fail.
//!
//! Each case is judged whole, then fed to the assembler event by event in single characters and in random pieces; the
//! judgement and the repair must be the same.

// Clippy knows test functions, but not the functions they share.
#![allow(clippy::expect_used, clippy::unwrap_used)]

mod bounds;
mod case;
mod cuts;
mod endings;
mod forms;
mod redaction;
mod tools;
mod wordings;

use case::Case;

#[test]
fn every_answer_is_judged_as_expected_whole_and_in_pieces() {
    let mut cases: Vec<Case> = Vec::new();
    cases.extend(endings::cases());
    cases.extend(forms::cases());
    cases.extend(tools::cases());
    cases.extend(wordings::cases());
    cases.extend(cuts::cases());
    assert!(cases.len() >= 300, "{} cases", cases.len());
    let failed: Vec<String> = cases.iter().filter_map(|case| case.judge().err()).collect();
    assert!(failed.is_empty(), "{} of {} failed:\n{}", failed.len(), cases.len(), failed.join("\n"));
}
