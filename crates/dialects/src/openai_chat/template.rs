//! Recognises an event that repeats the one before with another piece of text.
//!
//! Nearly all events of a stream differ in one string alone. Where all bytes before and behind that string are those
//! of an event already read in full, and the string is plain, the event is valid JSON of the same shape and says the
//! same to the gateway: a parser would be in the same state at the string's beginning and behind its end. That costs a
//! comparison instead of a parse, about a tenth of the time.

use memchr::memmem;

/// The longest event that is remembered, in bytes.
const LONGEST: usize = 4096;

/// The bytes around the text of the event last read in full.
#[derive(Debug, Default)]
pub(super) struct Template {
    /// Up to and with the opening quote; empty where nothing is remembered.
    before: Vec<u8>,
    /// From the closing quote on.
    behind: Vec<u8>,
}

impl Template {
    /// Remembers a valid event that has content, if its `content` is a plain string.
    pub(super) fn learn(&mut self, data: &[u8]) {
        const OPENING: &[u8] = b"\"content\":\"";
        self.before.clear();
        if data.len() > LONGEST {
            return;
        }
        let Some(start) = memmem::find(data, OPENING).map(|at| at + OPENING.len()) else { return };
        let Some((before, rest)) = data.split_at_checked(start) else { return };
        let Some((text, behind)) = memchr::memchr(b'"', rest).and_then(|end| rest.split_at_checked(end)) else {
            return;
        };
        if is_plain(text) {
            self.before.extend_from_slice(before);
            self.behind.clear();
            self.behind.extend_from_slice(behind);
        }
    }

    /// Whether `data` is the event last learnt with another plain text.
    pub(super) fn fits(&self, data: &[u8]) -> bool {
        !self.before.is_empty()
            && data
                .strip_prefix(self.before.as_slice())
                .and_then(|rest| rest.strip_suffix(self.behind.as_slice()))
                .is_some_and(is_plain)
    }
}

/// Whether `text` can stand within a JSON string as it is, and is not empty.
fn is_plain(text: &[u8]) -> bool {
    !text.is_empty()
        && text.iter().all(|byte| *byte >= 0x20 && *byte != b'"' && *byte != b'\\')
        && std::str::from_utf8(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn event(text: &str) -> String {
        format!(r#"{{"choices":[{{"index":0,"delta":{{"content":"{text}"}},"finish_reason":null}}]}}"#)
    }

    #[test]
    fn only_the_text_may_differ() {
        let mut template = Template::default();
        assert!(!template.fits(event("a").as_bytes()), "nothing learnt");
        template.learn(event("first").as_bytes());
        for (data, fits) in [
            (event("second é"), true),
            (event(""), false),
            (event(r"a\n"), false),
            (event(r#"a","b":"c"#), false),
            (event("a\u{1}"), false),
            (event("a").replace("null", r#""stop""#), false),
            (event("a").replace("\"index\":0", "\"index\":1"), false),
            (format!("{} ", event("a")), false),
        ] {
            assert_eq!(template.fits(data.as_bytes()), fits, "{data}");
        }
        assert!(!template.fits(&[event("").as_bytes().split_at(46).0, b"\xff", &event("").as_bytes()[46..]].concat()));
        template.learn(event(r"not \u0041 plain").as_bytes());
        assert!(!template.fits(event("a").as_bytes()), "what is not plain is not learnt");
    }

    proptest! {
        /// Whatever fits is valid JSON, as is the event it was learnt from.
        #[test]
        fn what_fits_is_valid(first in ".{1,12}", other in proptest::collection::vec(any::<u8>(), 0..12)) {
            let learnt = serde_json::json!({"a": first, "delta": {"content": first}, "b": 1}).to_string();
            let mut template = Template::default();
            template.learn(learnt.as_bytes());
            let at = memmem::find(learnt.as_bytes(), b"\"content\":\"").expect("there") + 11;
            let end = at + serde_json::Value::from(first).to_string().len() - 2;
            let data = [&learnt.as_bytes()[..at], &other, &learnt.as_bytes()[end..]].concat();
            if template.fits(&data) {
                let read: serde_json::Value = serde_json::from_slice(&data).expect("valid");
                prop_assert_eq!(read["delta"]["content"].as_str().map(str::as_bytes), Some(other.as_slice()));
            }
        }
    }
}
