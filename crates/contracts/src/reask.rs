//! The words with which a model is told what was wrong, and asked again.
//!
//! Receives findings; hands on one text, bounded. Must never be here: how it is put into a request.

use crate::finding::{Code, Finding, Place, shortened};
use std::fmt::Write as _;

/// The longest text, in bytes.
const LONGEST: usize = 4096;
/// The most findings that are told: a model mends few things at a time.
const TOLD: usize = 8;

/// What to tell a model whose answer broke its contract. Each thing once, in the order found.
#[must_use]
pub fn reask(findings: &[Finding]) -> String {
    let mut text = "Your last answer cannot be used:\n".to_owned();
    for finding in findings.iter().take(TOLD) {
        let _ = writeln!(text, "- {}{}", place(finding), finding.message);
    }
    if let Some(more) = findings.len().checked_sub(TOLD).filter(|more| *more > 0) {
        let _ = writeln!(text, "- and {more} more.");
    }
    let cut = findings.iter().any(|found| matches!(found.code, Code::JsonCut | Code::ArgumentsCut));
    text.push_str(if cut {
        "Answer again, whole and shorter, without mentioning this correction."
    } else {
        "Answer again, whole, without mentioning this correction."
    });
    shortened(text, LONGEST)
}

/// Where, as far as the model can know.
fn place(finding: &Finding) -> String {
    let part = match finding.place {
        Place::Call(_, call) => format!("tool call {}", call + 1),
        Place::Reasoning(_) => "your reasoning".to_owned(),
        _ if finding.pointer.is_empty() => return String::new(),
        _ => String::new(),
    };
    match (part.is_empty(), finding.pointer.is_empty()) {
        (false, false) => format!("In {part}, at {}: ", finding.pointer),
        (false, true) => format!("In {part}: "),
        _ => format!("At {}: ", finding.pointer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Check;

    #[test]
    fn the_model_is_told_what_and_where() {
        let found = [
            Finding::new(Check::Schema, Code::WrongType, Place::Text(0), "A number, please.").at("/age"),
            Finding::new(Check::Tools, Code::ArgumentsCut, Place::Call(0, 1), "Cut."),
            Finding::new(Check::NonEmpty, Code::Empty, Place::Choice(0), "Empty."),
            Finding::new(Check::Pii, Code::PersonalData, Place::Reasoning(0), "None."),
        ];
        let expected = "Your last answer cannot be used:\n- At /age: A number, please.\n- In tool call 2: Cut.\n- Empty.\n\
            - In your reasoning: None.\n\
            Answer again, whole and shorter, without mentioning this correction.";
        assert_eq!(reask(&found), expected);
    }

    #[test]
    fn it_is_bounded() {
        let one = Finding::new(Check::Schema, Code::WrongType, Place::Text(0), "x".repeat(600));
        let text = reask(&vec![one; 100]);
        assert!(text.len() <= LONGEST && text.starts_with("Your last answer"));
    }
}
