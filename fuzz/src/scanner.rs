//! The scanner of tool arguments that are still coming.

use crate::cuts::ways;
use contracts::{Extent, MAX_DEPTH, Scanner};
use serde_json::Value;

// It is copied for each call that comes, and holds no more however much does.
const _: () = assert!(size_of::<Scanner>() <= 64);

/// However the bytes are cut, the scanner says the same of them; and it says of JSON what a parser says.
pub fn scanner(data: &[u8]) {
    let seen = scanned([data]);
    for pieces in ways(data) {
        assert_eq!(scanned(pieces), seen, "the cuts matter");
    }
    let (extent, values, height) = seen;
    match read(data) {
        Read::Value { value, alone: true } => {
            assert_eq!(extent, Extent::Whole, "a parser takes it");
            assert!(values >= count(&value), "{values} values are fewer than a parser finds");
            // Of a field that stands twice a parser keeps one.
            assert!(height >= depth(&value), "it nests at least as deeply as a parser says");
            let once = scanned([value.to_string().as_bytes()]);
            assert_eq!((once.0, once.2), (Extent::Whole, depth(&value)), "written by a parser");
        }
        Read::Value { alone: false, .. } => {
            assert!(
                matches!(extent, Extent::Trailing | Extent::Broken),
                "{extent:?}, and a parser finds more behind it"
            );
        }
        Read::Cut if behind_blanks(data).is_empty() => assert_eq!(extent, Extent::Nothing),
        Read::Cut => assert_eq!(extent, Extent::Open, "a parser waits for more"),
        Read::Scalar | Read::Broken => {}
    }
    assert!(height <= MAX_DEPTH + 1, "it stops at the first bracket too many");
}

type Seen = (Extent, u64, u32);

fn scanned<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Seen {
    let mut scanner = Scanner::default();
    pieces.into_iter().for_each(|piece| scanner.push(piece));
    (scanner.extent(), scanner.values(), scanner.height())
}

/// What a parser makes of bytes.
enum Read {
    /// A value; `alone` where nothing but blanks follows.
    Value { value: Value, alone: bool },
    /// The beginning of a value, or nothing.
    Cut,
    /// No JSON, but it begins as a number or a word: nothing that a scanner follows.
    Scalar,
    /// No JSON.
    Broken,
}

fn read(data: &[u8]) -> Read {
    let mut values = serde_json::Deserializer::from_slice(data).into_iter::<Value>();
    let bare = behind_blanks(data).first().is_some_and(|byte| !b"{[\"".contains(byte));
    match values.next() {
        Some(Ok(value)) => {
            let rest = behind_blanks(data.get(values.byte_offset()..).unwrap_or_default());
            // Behind a number or a word without a blank stands a part of it, for who knows brackets alone.
            if bare && !rest.is_empty() { Read::Scalar } else { Read::Value { value, alone: rest.is_empty() } }
        }
        Some(Err(_)) if bare => Read::Scalar,
        Some(Err(error)) if error.is_eof() && !ends_in_escape(data) => Read::Cut,
        Some(Err(_)) => Read::Broken,
        None => Read::Cut,
    }
}

/// Whether `data` ends within the six bytes of an escape: a parser waits for all of them, even behind a quote.
fn ends_in_escape(data: &[u8]) -> bool {
    let last = data.get(data.len().saturating_sub(5)..).unwrap_or_default();
    last.windows(2).any(|two| two == b"\\u")
}

/// What follows the blanks of JSON that `data` begins with.
fn behind_blanks(data: &[u8]) -> &[u8] {
    let blanks = data.iter().take_while(|byte| b" \t\n\r".contains(byte)).count();
    data.get(blanks..).unwrap_or_default()
}

fn depth(value: &Value) -> u32 {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

fn count(value: &Value) -> u64 {
    match value {
        Value::Array(items) => 1 + items.iter().map(count).sum::<u64>(),
        Value::Object(fields) => 1 + fields.values().map(count).sum::<u64>(),
        _ => 1,
    }
}
