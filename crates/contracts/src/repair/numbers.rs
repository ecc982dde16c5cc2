//! Text that stands for a number, where nothing but a number may stand.
//!
//! Works on the JSON's own text: two quotes go, everything else stays as the model wrote it.

use crate::json;
use crate::schema::Schema;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// The most numbers that are mended in one text.
const MOST: usize = 64;
/// The most digits of a number that every reader keeps exactly.
const DIGITS: usize = 15;

/// `text` with numbers where `schema` takes nothing else; `None` where there is nothing to mend.
pub(super) fn with_numbers(text: &str, schema: &Schema) -> Option<String> {
    let mut mended: Option<String> = None;
    for _ in 0..MOST {
        let now = mended.as_deref().unwrap_or(text);
        let Some(next) = mend_one(now, schema) else { break };
        mended = Some(next);
    }
    mended
}

fn mend_one(text: &str, schema: &Schema) -> Option<String> {
    let json = json::read(text).ok()?;
    let literal = schema.flaws(&json).into_iter().filter(|flaw| flaw.number).find_map(|flaw| {
        let literal = literal_at(text, &flaw.pointer)?;
        number_in(literal).map(|number| (literal, number))
    });
    let (literal, number) = literal?;
    // Both point into the same text, which is what borrowing a RawValue means.
    let start = (literal.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
    let (before, after) = (text.get(..start)?, text.get(start + literal.len()..)?);
    Some(format!("{before}{number}{after}"))
}

/// The literal of the value at a JSON pointer.
fn literal_at<'a>(text: &'a str, pointer: &str) -> Option<&'a str> {
    let mut at: &'a str = text.trim();
    for step in pointer.split('/').skip(1) {
        let key = step.replace("~1", "/").replace("~0", "~");
        let inner: &'a RawValue = if at.starts_with('{') {
            let fields: BTreeMap<String, &'a RawValue> = serde_json::from_str(at).ok()?;
            fields.get(&key).copied()?
        } else {
            let items: Vec<&'a RawValue> = serde_json::from_str(at).ok()?;
            items.get(key.parse::<usize>().ok()?).copied()?
        };
        at = inner.get();
    }
    Some(at)
}

/// The number between the quotes of a literal, where a number is written there as JSON writes it, and every reader
/// would keep it.
fn number_in(literal: &str) -> Option<&str> {
    let inner = literal.strip_prefix('"')?.strip_suffix('"')?;
    let begins = inner.starts_with(|c: char| c.is_ascii_digit() || c == '-');
    let ends = inner.ends_with(|c: char| c.is_ascii_digit());
    let short = inner.bytes().filter(u8::is_ascii_digit).count() <= DIGITS;
    let number = serde_json::from_str::<f64>(inner).is_ok_and(f64::is_finite);
    (begins && ends && short && number).then_some(inner)
}
