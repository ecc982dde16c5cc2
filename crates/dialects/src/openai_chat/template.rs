//! Recognises an event that repeats the one before with another piece of text.
//!
//! Nearly all events of a stream differ in one string alone. Where all bytes before and behind that string are those
//! of an event already read in full, and the string is plain, the event is valid JSON of the same shape and says the
//! same to the gateway: a parser would be in the same state at the string's beginning and behind its end. That costs a
//! comparison instead of a parse, about a tenth of the time.

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
    /// Remembers a valid event whose content is the string written as `literal`, a part of `data`, if that is plain.
    pub(super) fn learn(&mut self, data: &[u8], literal: Option<&str>) {
        self.before.clear();
        if data.len() > LONGEST {
            return;
        }
        let Some((before, text, behind)) = literal.and_then(|literal| parts(data, literal)) else { return };
        if plain(text).is_some() {
            self.before.extend_from_slice(before);
            self.behind.clear();
            self.behind.extend_from_slice(behind);
        }
    }

    /// The text of `data`, if it is the event last learnt with another plain text.
    pub(super) fn text<'a>(&self, data: &'a [u8]) -> Option<&'a str> {
        if self.before.is_empty() {
            return None;
        }
        data.strip_prefix(self.before.as_slice())?.strip_suffix(self.behind.as_slice()).and_then(plain)
    }
}

/// `data` up to and with the opening quote of the literal that lies in it, between its quotes, and from the closing one.
fn parts<'a>(data: &'a [u8], literal: &str) -> Option<(&'a [u8], &'a [u8], &'a [u8])> {
    // Both point into the same bytes, which is what borrowing a RawValue means.
    let start = (literal.as_ptr() as usize).checked_sub(data.as_ptr() as usize)? + 1;
    let (before, rest) = data.split_at_checked(start)?;
    let (text, behind) = rest.split_at_checked(literal.len().checked_sub(2)?)?;
    Some((before, text, behind))
}

/// `text` itself, where it can stand within a JSON string as it is, and is not empty.
fn plain(text: &[u8]) -> Option<&str> {
    let plain = !text.is_empty() && text.iter().all(|byte| *byte >= 0x20 && *byte != b'"' && *byte != b'\\');
    if plain { std::str::from_utf8(text).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn event(text: &str) -> String {
        format!(r#"{{"choices":[{{"index":0,"delta":{{"content":"{text}"}},"finish_reason":null}}]}}"#)
    }

    /// Where `event` has the literal of `text`.
    fn literal<'a>(event: &'a str, text: &str) -> Option<&'a str> {
        let quoted = format!("\"{text}\"");
        event.find(&quoted).map(|at| &event[at..at + quoted.len()])
    }

    fn learnt(text: &str) -> Template {
        let (mut template, event) = (Template::default(), event(text));
        template.learn(event.as_bytes(), literal(&event, text));
        template
    }

    #[test]
    fn only_the_text_may_differ() {
        let template = Template::default();
        assert_eq!(template.text(event("a").as_bytes()), None, "nothing learnt");
        let template = learnt("first");
        for (data, text) in [
            (event("second é"), Some("second é")),
            (event(""), None),
            (event(r"a\n"), None),
            (event(r#"a","b":"c"#), None),
            (event("a\u{1}"), None),
            (event("a").replace("null", r#""stop""#), None),
            (event("a").replace("\"index\":0", "\"index\":1"), None),
            (format!("{} ", event("a")), None),
        ] {
            assert_eq!(template.text(data.as_bytes()), text, "{data}");
        }
        let broken = [event("").as_bytes().split_at(46).0, b"\xff", &event("").as_bytes()[46..]].concat();
        assert_eq!(template.text(&broken), None);
        assert_eq!(learnt(r"not \u0041 plain").text(event("a").as_bytes()), None, "what is not plain is not learnt");
    }

    #[test]
    fn only_the_content_itself_is_taken_for_it() {
        let event = |inner: &str, text: &str| {
            format!(r#"{{"x":{{"content":"{inner}"}},"choices":[{{"delta":{{"content": "{text}"}}}}]}}"#)
        };
        let (mut template, first) = (Template::default(), event("inner", "said"));
        template.learn(first.as_bytes(), literal(&first, "said"));
        assert_eq!(template.text(event("inner", "more").as_bytes()), Some("more"));
        assert_eq!(template.text(event("other", "said").as_bytes()), None);
        template.learn(first.as_bytes(), None);
        assert_eq!(template.text(first.as_bytes()), None, "an event without text is not learnt");
    }

    proptest! {
        /// Whatever fits is valid JSON, as is the event it was learnt from.
        #[test]
        fn what_fits_is_valid(first in ".{1,12}", other in proptest::collection::vec(any::<u8>(), 0..12)) {
            let learnt = serde_json::json!({"a": first, "delta": {"content": first}, "b": 1}).to_string();
            let at = learnt.find("\"content\":").expect("there") + 10;
            let end = at + serde_json::Value::from(first).to_string().len();
            let mut template = Template::default();
            template.learn(learnt.as_bytes(), Some(&learnt[at..end]));
            let data = [&learnt.as_bytes()[..=at], &other, &learnt.as_bytes()[end - 1..]].concat();
            if let Some(text) = template.text(&data) {
                let read: serde_json::Value = serde_json::from_slice(&data).expect("valid");
                prop_assert_eq!(read["delta"]["content"].as_str(), Some(text));
                prop_assert_eq!(text.as_bytes(), other.as_slice());
            }
        }
    }
}
