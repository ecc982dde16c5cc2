//! Recognises an event that repeats the one before with another piece of text.
//!
//! Nearly all events of a stream differ in one string alone, and in what only tells them apart: a number that counts
//! them, a string that hides their lengths. Where all other bytes are those of an event already read in full, and what
//! differs is plain, the event is valid JSON of the same shape and says the same to the gateway: a parser would be in the
//! same state at the beginning of each value and behind its end. That costs a comparison instead of a parse, about a
//! tenth of the time.

use crate::literal::first_escape;
use llm::Delta;

/// The longest event that is remembered, in bytes.
const LONGEST: usize = 2048;
/// How many values may differ by themselves; the first of them is the text.
const VALUES: usize = 3;
/// The place behind them: of what says the text once more.
const AGAIN: usize = VALUES;

/// The bytes of the event last read in full, without the values that may differ.
#[derive(Debug, Default)]
pub(crate) struct Template {
    /// Empty where nothing is remembered.
    fixed: Vec<u8>,
    values: [Option<Value>; AGAIN + 1],
}

/// A value that may differ.
#[derive(Clone, Copy, Debug)]
struct Value {
    /// Where it stands among the fixed bytes; the quotes of a string are of those.
    at: usize,
    kind: Kind,
    /// Its place among the values as they were named.
    place: usize,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Text,
    Number,
}

impl Template {
    /// Remembers a valid event, and the literals in it that may differ, all of them parts of `data`. The first, the text,
    /// has to be there and plain; of the others, what is neither a plain text nor a number has to stay.
    pub(crate) fn learn(&mut self, data: &[u8], literals: [Option<&str>; VALUES]) {
        self.learn_doubled(data, literals, None);
    }

    /// As [`learn`](Self::learn), of an event that says its text once more in the literal `again`: its likes have to as
    /// well. One that says something else there has to stay.
    pub(crate) fn learn_doubled(&mut self, data: &[u8], literals: [Option<&str>; VALUES], again: Option<&str>) {
        self.fixed.clear();
        let again = again.filter(|again| literals[0] == Some(again));
        let literal = |place: usize| literals.get(place).copied().unwrap_or(again);
        let mut found: [_; AGAIN + 1] = std::array::from_fn(|place| Found::new(data, literal(place)?, place));
        if data.len() > LONGEST || found[0].is_none_or(|text| text.is_empty()) {
            return;
        }
        found.sort_by_key(|found| found.as_ref().map_or(usize::MAX, |found| found.start));
        let mut from = 0;
        self.values = found.map(|found| {
            let found = found?;
            self.fixed.extend_from_slice(data.get(from..found.start)?);
            from = found.end;
            Some(Value { at: self.fixed.len(), kind: found.kind, place: found.place })
        });
        self.fixed.extend_from_slice(data.get(from..).unwrap_or_default());
    }

    /// The text of `data`, and the other value, if it is the event last learnt with others.
    pub(crate) fn values<'a>(&self, data: &'a [u8]) -> Option<[&'a str; VALUES]> {
        if self.fixed.is_empty() {
            return None;
        }
        let (mut rest, mut from, mut values) = (data, 0, [""; AGAIN + 1]);
        let mut doubled = false;
        for value in self.values.iter().flatten() {
            rest = rest.strip_prefix(self.fixed.get(from..value.at)?)?;
            from = value.at;
            let read;
            (read, rest) = match value.kind {
                Kind::Text => plain(rest)?,
                Kind::Number => digits(rest)?,
            };
            *values.get_mut(value.place)? = read;
            doubled |= value.place == AGAIN;
        }
        let [text, second, third, again] = values;
        let alike = rest == self.fixed.get(from..)? && !text.is_empty() && (!doubled || again == text);
        alike.then_some([text, second, third])
    }
}

/// An event that came to one step, a piece of words, and what its likes come to.
///
/// It has to be learnt anew whenever an event is read in full: what another one said may change what words come to.
#[derive(Debug, Default)]
pub(crate) struct Mould {
    template: Template,
    step: Option<Delta>,
}

impl Mould {
    /// Remembers an event that came to these `steps`, and the literals in it that may differ, where it says but the first.
    pub(crate) fn learn(&mut self, data: &[u8], literals: [Option<&str>; VALUES], steps: &[Delta]) {
        self.learn_doubled(data, literals, None, steps);
    }

    /// As [`learn`](Self::learn), of an event that says its words once more in the literal `again`.
    pub(crate) fn learn_doubled(
        &mut self,
        data: &[u8],
        literals: [Option<&str>; VALUES],
        again: Option<&str>,
        steps: &[Delta],
    ) {
        let plain = literals[0].and_then(|literal| literal.strip_prefix('"')?.strip_suffix('"'));
        self.step = match steps {
            [step] if plain.is_some() && words(step) == plain => cast(step, ""),
            _ => None,
        };
        let literals = if self.step.is_some() { literals } else { [None; VALUES] };
        self.template.learn_doubled(data, literals, again.filter(|_| self.step.is_some()));
    }

    /// What `data` comes to, and of how many bytes of words, if it is the event last learnt with others.
    pub(crate) fn cast(&self, data: &[u8]) -> Option<(Delta, usize)> {
        let step = self.step.as_ref()?;
        let [text, ..] = self.template.values(data)?;
        Some((cast(step, text)?, text.len()))
    }
}

/// The words of a piece; nothing where a step is another thing.
fn words(step: &Delta) -> Option<&str> {
    match step {
        Delta::Text { text, .. } | Delta::Thought { text, .. } | Delta::Arguments { text, .. } => Some(text),
        _ => None,
    }
}

/// A piece like `step`, of other words.
fn cast(step: &Delta, text: &str) -> Option<Delta> {
    let text = text.to_owned();
    match *step {
        Delta::Text { choice, .. } => Some(Delta::Text { choice, text }),
        Delta::Thought { choice, .. } => Some(Delta::Thought { choice, text }),
        Delta::Arguments { choice, call, .. } => Some(Delta::Arguments { choice, call, text }),
        _ => None,
    }
}

/// A value that was found in an event.
#[derive(Clone, Copy)]
struct Found {
    start: usize,
    end: usize,
    kind: Kind,
    place: usize,
}

impl Found {
    /// The value written as `literal`, a part of `data`; nothing where it is neither a plain text nor a number.
    fn new(data: &[u8], literal: &str, place: usize) -> Option<Self> {
        // Both point into the same bytes, which is what borrowing a literal means.
        let start = (literal.as_ptr() as usize).checked_sub(data.as_ptr() as usize)?;
        let rest = data.get(start..)?;
        if let Some(quoted) = rest.strip_prefix(b"\"") {
            let (text, _) = plain(quoted)?;
            return Some(Self { start: start + 1, end: start + 1 + text.len(), kind: Kind::Text, place });
        }
        let (number, _) = digits(rest).filter(|(number, _)| number.len() == literal.len())?;
        Some(Self { start, end: start + number.len(), kind: Kind::Number, place })
    }

    fn is_empty(&self) -> bool {
        self.start == self.end
    }
}

/// The text up to the quote that ends it, where it stands in its string as it is; what is left begins with the quote.
fn plain(rest: &[u8]) -> Option<(&str, &[u8])> {
    let (text, rest) = rest.split_at_checked(first_escape(rest)?)?;
    if rest.first() != Some(&b'"') {
        return None;
    }
    Some((std::str::from_utf8(text).ok()?, rest))
}

/// A whole number that is not negative, as JSON writes it.
fn digits(rest: &[u8]) -> Option<(&str, &[u8])> {
    let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = rest.split_at_checked(length)?;
    match number {
        [] | [b'0', _, ..] => None,
        _ => Some((std::str::from_utf8(number).ok()?, rest)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn event(text: &str, hidden: &str, number: &str) -> String {
        format!(
            r#"{{"choices":[{{"index":0,"delta":{{"content":"{text}"}},"finish_reason":null}}],"o":"{hidden}","n":{number}}}"#
        )
    }

    /// Where `event` has a literal.
    fn literal<'a>(event: &'a str, written: &str) -> Option<&'a str> {
        event.rfind(written).map(|at| &event[at..at + written.len()])
    }

    fn learnt(text: &str, other: &str) -> Template {
        let (mut template, event) = (Template::default(), event(text, "xy", "17"));
        template.learn(event.as_bytes(), [literal(&event, &format!("\"{text}\"")), literal(&event, other), None]);
        template
    }

    #[test]
    fn only_what_is_named_may_differ() {
        assert_eq!(Template::default().values(event("a", "b", "1").as_bytes()), None, "nothing learnt");
        for (data, of_text, of_number) in [
            (event("second é", "z", "17"), Some(["second é", "z", ""]), None),
            (event("more", "", "17"), Some(["more", "", ""]), None),
            (event("more", "xy", "18"), None, Some(["more", "18", ""])),
            (event("more", "xy", "0"), None, Some(["more", "0", ""])),
            (event("more", "xy", "017"), None, None),
            (event("more", "xy", "1.5"), None, None),
            (event("more", "xy", "-1"), None, None),
            (event("more", "xy", ""), None, None),
            (event("", "xy", "17"), None, None),
            (event(r"a\n", "xy", "17"), None, None),
            (event(r#"a","b":"c"#, "xy", "17"), None, None),
            (event("a\u{1}", "xy", "17"), None, None),
            (event("a", "xy", "17").replace("null", r#""stop""#), None, None),
            (event("a", "xy", "17").replace("\"index\":0", "\"index\":1"), None, None),
            (format!("{} ", event("a", "xy", "17")), None, None),
        ] {
            assert_eq!(learnt("first", "\"xy\"").values(data.as_bytes()), of_text, "{data}");
            assert_eq!(learnt("first", "17").values(data.as_bytes()), of_number, "{data}");
        }
        let mut broken = event("abc", "xy", "17").into_bytes();
        broken[40] = 0xff;
        assert_eq!(learnt("first", "17").values(&broken), None);
        let again = event("a", "xy", "17");
        assert_eq!(learnt(r"not \u0041 plain", "17").values(again.as_bytes()), None, "what is not plain is not learnt");
        // What is neither a text nor a number stays as it was.
        assert_eq!(learnt("first", "null").values(again.as_bytes()), Some(["a", "", ""]));
    }

    #[test]
    fn what_says_the_text_once_more_has_to_go_on_so() {
        for doubled in [
            |text: &str, again: &str| format!(r#"{{"t":"{text}","l":[{{"a":"{again}"}}]}}"#),
            |text: &str, again: &str| format!(r#"{{"l":[{{"a":"{again}"}}],"t":"{text}"}}"#),
        ] {
            let literal = |event: &str, key: &str| {
                let start = event.find(key).expect("there") + key.len();
                start..start + 1 + event[start + 1..].find('"').expect("an end") + 1
            };
            let learnt = |text: &str, again: &str| {
                let (mut template, event) = (Template::default(), doubled(text, again));
                let [text, again] = [r#""t":"#, r#""a":"#].map(|key| &event[literal(&event, key)]);
                template.learn_doubled(event.as_bytes(), [Some(text), None, None], Some(again));
                template
            };
            let first = learnt("first", "first");
            for (text, again, alike) in
                [("more", "more", true), ("more", "mere", false), ("more", "", false), ("", "", false)]
            {
                let values = first.values(doubled(text, again).as_bytes()).map(|[text, ..]| text.to_owned());
                assert_eq!(values, alike.then(|| text.to_owned()), "{text} {again}");
            }
            let other = learnt("first", "other");
            assert!(other.values(doubled("more", "other").as_bytes()).is_some(), "it has to stay");
            assert!(other.values(doubled("more", "more").as_bytes()).is_none());
        }
    }

    #[test]
    fn only_the_content_itself_is_taken_for_it() {
        let event = |inner: &str, text: &str| {
            format!(r#"{{"x":{{"content":"{inner}"}},"choices":[{{"delta":{{"content": "{text}"}}}}]}}"#)
        };
        let (mut template, first) = (Template::default(), event("inner", "said"));
        template.learn(first.as_bytes(), [literal(&first, "\"said\""), None, None]);
        assert_eq!(template.values(event("inner", "more").as_bytes()), Some(["more", "", ""]));
        assert_eq!(template.values(event("other", "said").as_bytes()), None);
        template.learn(first.as_bytes(), [None; VALUES]);
        assert_eq!(template.values(first.as_bytes()), None, "an event without text is not learnt");
    }

    #[test]
    fn what_came_to_one_piece_is_cast_with_other_words() {
        let (first, second) = (event("a", "xy", "17"), event("b", "", "17"));
        let literals = [literal(&first, "\"a\""), literal(&first, "\"xy\""), None];
        let text = |text: &str| Delta::Text { choice: 2, text: text.into() };
        let thought = |text: &str| Delta::Thought { choice: 0, text: text.into() };
        let arguments = |text: &str| Delta::Arguments { choice: 1, call: 3, text: text.into() };
        let refusal = Delta::Refusal { choice: 0, text: "a".into() };
        for (steps, expected) in [
            (&[text("a")][..], Some(text("b"))),
            (&[thought("a")], Some(thought("b"))),
            (&[arguments("a")], Some(arguments("b"))),
            (&[text("other")], None),
            (&[text("a"), text("a")], None),
            (&[refusal], None),
            (&[], None),
        ] {
            let mut mould = Mould::default();
            mould.learn(first.as_bytes(), literals, steps);
            assert_eq!(mould.cast(second.as_bytes()), expected.map(|step| (step, 1)), "{steps:?}");
            mould.learn(second.as_bytes(), [None; VALUES], steps);
            assert_eq!(mould.cast(second.as_bytes()), None, "another event is forgotten");
        }
    }

    #[test]
    fn what_is_long_is_not_learnt() {
        for (padding, fits) in [(LONGEST - 11, true), (LONGEST - 10, false)] {
            let event = format!(r#"{{"t":"a"{}}}"#, " ".repeat(padding + 2));
            let mut template = Template::default();
            template.learn(event.as_bytes(), [literal(&event, "\"a\""), None, None]);
            assert_eq!(template.values(event.as_bytes()).is_some(), fits, "{} bytes", event.len());
        }
    }

    proptest! {
        /// Whatever fits is valid JSON, as is the event it was learnt from.
        #[test]
        fn what_fits_is_valid(
            first in ".{1,12}",
            other in proptest::collection::vec(any::<u8>(), 0..12),
            number in proptest::collection::vec(prop_oneof![Just(b'0'), any::<u8>()], 0..4),
        ) {
            let learnt = serde_json::json!({"a": first, "delta": {"content": first}, "z": 7}).to_string();
            let at = learnt.find("\"content\":").expect("there") + 10;
            let end = at + serde_json::Value::from(first).to_string().len();
            let z = learnt.len() - 2;
            let mut template = Template::default();
            template.learn(learnt.as_bytes(), [Some(&learnt[at..end]), None, Some(&learnt[z..=z])]);
            let bytes = learnt.as_bytes();
            let data = [&bytes[..=at], &other, &bytes[end - 1..z], &number, &bytes[z + 1..]].concat();
            if let Some([text, _, number]) = template.values(&data) {
                let read: serde_json::Value = serde_json::from_slice(&data).expect("valid");
                prop_assert_eq!(read["delta"]["content"].as_str(), Some(text));
                prop_assert_eq!(read["z"].to_string(), number);
                prop_assert_eq!(text.as_bytes(), other.as_slice());
            }
        }
    }
}
