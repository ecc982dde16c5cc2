//! JSON that a parser has taken as a whole, looked into without parsing it again.
//!
//! A request is read member by member, each judged by its type. Were each parsed where it stands, words deep in a
//! conversation would be scanned once for every object around them. Here one parser looks at every byte once, and from
//! then on only ends are sought: strings are passed over by vector instructions, and nothing is copied. Of a whole request
//! the ends of objects and lists are found once and noted (`ends`).
//! Must never be here: what anything means.

mod ends;

use crate::literal::push_literal;
use crate::shape::Shape;
use memchr::memchr2;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

pub(crate) use ends::Ends;
use ends::Inner;

/// The literal of a value that a parser has taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Json<'a> {
    text: &'a str,
    /// The ends within, where they are known.
    inner: Inner<'a>,
}

impl PartialEq for Json<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Json<'_> {}

impl<'a> From<&'a RawValue> for Json<'a> {
    fn from(raw: &'a RawValue) -> Self {
        Self::plain(raw.get())
    }
}

impl<'a> Json<'a> {
    /// The one value in `text`.
    ///
    /// # Errors
    /// Where it is not JSON.
    pub(crate) fn parse(text: &'a str) -> serde_json::Result<Self> {
        serde_json::from_str::<&RawValue>(text).map(Self::from)
    }

    /// The same of bytes, whose text is judged likewise.
    pub(crate) fn parse_bytes(bytes: &'a [u8]) -> serde_json::Result<Self> {
        serde_json::from_slice::<&RawValue>(bytes).map(Self::from)
    }

    /// The body of a request that its dialect's `decode` has taken: one JSON value, and not too deep. That was judged at the
    /// door; what is no JSON all the same has members only up to where it breaks. `ends` are those of this body.
    pub(crate) fn taken(body: &'a str, ends: &'a Ends) -> Self {
        Cursor { text: body, at: 0, inner: ends.all() }.value().unwrap_or(Self::plain(""))
    }

    /// A literal whose ends are not known.
    fn plain(text: &'a str) -> Self {
        Self { text, inner: Inner::UNKNOWN }
    }

    /// The literal, without white space around it.
    pub(crate) fn get(self) -> &'a str {
        self.text
    }

    pub(crate) fn is_null(self) -> bool {
        self.text == "null"
    }

    pub(crate) fn is_text(self) -> bool {
        self.text.starts_with('"')
    }

    pub(crate) fn shape(self) -> Shape {
        Shape::of_literal(self.text)
    }

    /// What it holds, where that has the shape of `T`.
    pub(crate) fn read<T: Deserialize<'a>>(self) -> Option<T> {
        serde_json::from_str(self.text).ok()
    }

    /// The same literal, for readers of those.
    pub(crate) fn raw(self) -> Option<&'a RawValue> {
        self.read()
    }

    /// Its text, where it is one: copied only where something in it is escaped.
    pub(crate) fn text(self) -> Option<Cow<'a, str>> {
        let inner = self.text.strip_prefix('"')?.strip_suffix('"')?;
        match memchr::memchr(b'\\', inner.as_bytes()) {
            None => Some(Cow::Borrowed(inner)),
            Some(_) => self.read().map(Cow::Owned),
        }
    }

    /// The entries of an object, in order; nothing where it is none.
    pub(crate) fn entries(self) -> Option<Entries<'a>> {
        self.text.starts_with('{').then_some(Entries(self.within()))
    }

    /// The items of a list, in order; nothing where it is none.
    pub(crate) fn items(self) -> Option<Items<'a>> {
        self.text.starts_with('[').then_some(Items(self.within()))
    }

    fn within(self) -> Cursor<'a> {
        Cursor { text: self.text, at: 1, inner: self.inner }
    }
}

/// Those fields of `object`, JSON that a parser has taken, that are in `names`.
pub(crate) fn only(object: &str, names: &[&str]) -> String {
    kept(Json::taken(object, &Ends::default()), |name, value| names.contains(&name).then(|| Cow::Borrowed(value.get())))
}

/// The fields of `object` that `keep` has a value for, with that.
pub(crate) fn kept<'a>(object: Json<'a>, mut keep: impl FnMut(&str, Json<'a>) -> Option<Cow<'a, str>>) -> String {
    let mut out = String::with_capacity(object.get().len());
    out.push('{');
    for (name, value) in object.entries().into_iter().flatten() {
        let Some(value) = keep(&name, value) else { continue };
        out.push_str(if out.len() > 1 { "," } else { "" });
        push_literal(&mut out, &name);
        out.push(':');
        out.push_str(&value);
    }
    out.push('}');
    out
}

/// The entries of an object: each name, unescaped, and its value.
#[derive(Clone, Debug)]
pub(crate) struct Entries<'a>(Cursor<'a>);

impl<'a> Iterator for Entries<'a> {
    type Item = (Cow<'a, str>, Json<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let name = self.0.value()?;
        let value = self.0.value()?;
        // A name whose escapes are no text is called as it is written.
        Some((name.text().unwrap_or(Cow::Borrowed(name.get())), value))
    }
}

/// The items of a list.
#[derive(Clone, Debug)]
pub(crate) struct Items<'a>(Cursor<'a>);

impl<'a> Iterator for Items<'a> {
    type Item = Json<'a>;

    fn next(&mut self) -> Option<Json<'a>> {
        self.0.value()
    }
}

/// A place between the values of a container.
#[derive(Clone, Debug)]
struct Cursor<'a> {
    text: &'a str,
    at: usize,
    /// The ends of what has not been passed yet.
    inner: Inner<'a>,
}

impl<'a> Cursor<'a> {
    /// The next value, a name being one; nothing behind the last.
    fn value(&mut self) -> Option<Json<'a>> {
        let bytes = self.text.as_bytes();
        let between = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b',' | b':');
        let start = self.at + bytes.get(self.at..)?.iter().take_while(|byte| between(byte)).count();
        let mut inner = Inner::UNKNOWN;
        self.at = match bytes.get(start)? {
            b'"' => after_string(bytes, start + 1),
            b'{' | b'[' => match self.inner.next() {
                Some((length, within)) => {
                    inner = within;
                    start + length
                }
                None => after_container(bytes, start + 1),
            },
            b'}' | b']' => return None,
            _ => after_word(bytes, start),
        };
        self.text.get(start..self.at).map(|text| Json { text, inner })
    }
}

/// The place behind the string whose content starts at `at`.
pub(crate) fn after_string(json: &[u8], mut at: usize) -> usize {
    while let Some(here) = quote_or_escape(json, at) {
        match json.get(here) {
            Some(b'"') => return here + 1,
            _ => at = here + 2,
        }
    }
    json.len()
}

/// Where the next quote or backslash is, from `at` on.
fn quote_or_escape(json: &[u8], mut at: usize) -> Option<usize> {
    // Names and short words end before a search by vectors has begun.
    for _ in 0..2 {
        let Some(eight) = json.get(at..).and_then(<[u8]>::first_chunk) else { break };
        let eight = u64::from_le_bytes(*eight);
        let found = zeros(eight ^ (ONES * u64::from(b'"'))) | zeros(eight ^ (ONES * u64::from(b'\\')));
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    json.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)).map(|found| at + found)
}

const ONES: u64 = 0x0101_0101_0101_0101;

/// The bytes of `word` that are zero, by their highest bits; of those behind the first, more may be told (Hacker's
/// Delight, 6-1).
fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & (ONES << 7)
}

/// The place behind the object or list whose content starts at `at`.
fn after_container(json: &[u8], mut at: usize) -> usize {
    let mut depth = 1_usize;
    while let Some(byte) = json.get(at) {
        at += 1;
        match byte {
            b'"' => at = after_string(json, at),
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return at;
                }
            }
            _ => {}
        }
    }
    json.len()
}

/// The place behind the number, or the word, that starts at `at`.
fn after_word(json: &[u8], at: usize) -> usize {
    let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n');
    let length = json.get(at..).and_then(|rest| rest.iter().position(ends));
    length.map_or(json.len(), |length| at + length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn parsed(text: &str) -> Json<'_> {
        Json::parse(text).expect("JSON")
    }

    #[test]
    fn containers_fall_into_their_members() {
        let spaced = " { \"a\" : \"x\\\"y\" ,\"b\\u0063\":[1 , {\"c\":\"}]\"}, [] ],\n\"\":-1.5e3\t, \"n\":null} ";
        let entries: Vec<_> = parsed(spaced).entries().expect("an object").collect();
        let expected = [("a", r#""x\"y""#), ("bc", r#"[1 , {"c":"}]"}, [] ]"#), ("", "-1.5e3"), ("n", "null")];
        assert_eq!(entries, expected.map(|(name, json)| (Cow::Borrowed(name), Json::plain(json))));
        let items: Vec<_> = entries[1].1.items().expect("a list").map(Json::get).collect();
        assert_eq!(items, ["1", r#"{"c":"}]"}"#, "[]"]);
        assert!(entries[3].1.is_null() && entries[0].1.is_text());
    }

    #[test]
    fn what_is_no_container_has_no_members() {
        for text in ["7", "null", "true", "\"{}\""] {
            assert!(parsed(text).entries().is_none() && parsed(text).items().is_none(), "{text}");
        }
        for text in ["{}", "{ }", "[]", "[ \n]"] {
            assert_eq!(parsed(text).entries().map_or(0, Iterator::count), 0, "{text}");
            assert_eq!(parsed(text).items().map_or(0, Iterator::count), 0, "{text}");
        }
        assert!(Json::parse("{\"a\":1").is_err() && Json::parse("1 2").is_err() && Json::parse_bytes(b"\xff").is_err());
    }

    #[test]
    fn texts_are_copied_only_where_they_must_be() {
        assert_eq!(parsed("\"plain\"").text(), Some(Cow::Borrowed("plain")));
        assert!(matches!(parsed(r#""a\n\u00e9""#).text(), Some(Cow::Owned(text)) if text == "a\n\u{e9}"));
        // Half a character is valid JSON, and no text.
        for text in [r#""\ud83d""#, "7", "[\"a\"]"] {
            assert_eq!(parsed(text).text(), None, "{text}");
        }
        let odd: Vec<_> = parsed(r#"{"\ud83d":1}"#).entries().expect("an object").collect();
        assert_eq!(odd, [(Cow::Borrowed(r#""\ud83d""#), Json::plain("1"))]);
    }

    #[test]
    fn what_breaks_has_members_up_to_there() {
        for (text, members) in
            [("{", 0), (r#"{"a":1,"b""#, 1), (r#"{"a":1,"b":"x"#, 2), (r#"{"a":[{"#, 1), ("{\"a\\", 0)]
        {
            assert_eq!(
                Json::taken(text, &Ends::of(text.as_bytes())).entries().map_or(0, Iterator::count),
                members,
                "{text}"
            );
            assert_eq!(Json::taken(text, &Ends::default()).entries().map_or(0, Iterator::count), members, "{text}");
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[\\[\\]{}\",:\\\\ a-zé]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[\\[\\]{}\",:\\\\a-c]{0,3}", inner, 0..4).prop_map(|map| json!(map)),
            ]
        })
    }

    /// What `json` holds, found member by member.
    fn walked(json: Json<'_>) -> Value {
        match (json.entries(), json.items()) {
            (Some(entries), _) => entries.map(|(name, value)| (name.into_owned(), walked(value))).collect(),
            (_, Some(items)) => items.map(walked).collect(),
            _ => json.read().expect("a value"),
        }
    }

    proptest! {
        #[test]
        fn every_value_is_found_as_a_parser_finds_it(value in any_json(), pretty: bool) {
            let text = if pretty { format!("{value:#}") } else { value.to_string() };
            prop_assert_eq!(walked(parsed(&text)), value.clone());
            prop_assert_eq!(walked(Json::taken(&text, &Ends::of(text.as_bytes()))), value);
        }
    }
}
