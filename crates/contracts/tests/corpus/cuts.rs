//! Every place at which JSON and arguments may be cut, in the text and at the token limit.

use crate::case::Case;
use crate::forms::person;
use crate::tools::declared;
use serde_json::json;

const TEXT: &str = r#"{"name":"Ada \"L\"","age":36,"tags":["é","b"],"address":{"zip":8001.5}}"#;
const ARGUMENTS: &str = r#"{"city":"S\u00e3o \"P\"","days":12}"#;

/// Each prefix of `text` that is not the whole of it, and not nothing.
fn prefixes(text: &str) -> impl Iterator<Item = &str> {
    (1..text.len()).filter(|end| text.is_char_boundary(*end)).map(|end| &text[..end])
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases =
        vec![Case::text(TEXT).asked(person()), Case::calls(&[("1", "weather", ARGUMENTS)]).asked(declared())];
    for cut in prefixes(TEXT) {
        let case = || Case::text(cut).asked(person()).violates(&["json_cut"]);
        cases.push(case());
        cases.push(case().finish(json!("length")).marked(&["truncated"]));
        cases.push(Case::text(format!("```json\n{cut}")).asked(person()).violates(&["json_cut"]));
    }
    for cut in prefixes(ARGUMENTS) {
        let case = || Case::calls(&[("1", "weather", cut)]).asked(declared()).violates(&["arguments_cut"]);
        cases.push(case());
        cases.push(case().finish(json!("length")).marked(&["truncated"]));
    }
    cases
}
