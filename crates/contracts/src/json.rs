//! JSON of a model: read strictly and within bounds, or why not.
//!
//! Must never be here: what the JSON has to look like.

use crate::scan::{Extent, Scanner};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::map::Entry;
use serde_json::{Map, Number, Value};
use std::cell::RefCell;
use std::fmt;

/// The most values that are read.
pub(crate) const MAX_VALUES: u64 = 100_000;
/// The longest JSON that is read, in bytes.
const MAX_BYTES: usize = 16 << 20;

/// JSON that could be read.
#[derive(Debug)]
pub(crate) struct Json {
    pub(crate) value: Value,
    /// How many values it holds.
    pub(crate) values: u64,
    /// How deeply it nests.
    pub(crate) height: u32,
    /// How long it is, in bytes.
    pub(crate) bytes: usize,
}

/// Why a text is no JSON that can be judged.
#[derive(Debug, PartialEq)]
pub(crate) enum Fault {
    /// It ends before it is whole.
    Cut,
    /// Something in it is no JSON: what, and where.
    Broken(String),
    /// An object names this field twice.
    Duplicate(String),
    /// It is too large or too deep.
    TooLarge,
}

/// Reads one JSON value with blanks around it.
pub(crate) fn read(text: &str) -> Result<Json, Fault> {
    if text.len() > MAX_BYTES {
        return Err(Fault::TooLarge);
    }
    let noted = RefCell::new(Noted::default());
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let read = Strict { noted: &noted, depth: 0 }.deserialize(&mut deserializer);
    let value = read.and_then(|value| deserializer.end().map(|()| value)).map_err(|error| fault(text, &error))?;
    let Noted { duplicate, values, height } = noted.into_inner();
    match duplicate {
        Some(field) => Err(Fault::Duplicate(field)),
        None => Ok(Json { value, values, height, bytes: text.len() }),
    }
}

/// Why reading ended in an error.
fn fault(text: &str, error: &serde_json::Error) -> Fault {
    let mut scanner = Scanner::default();
    scanner.push(text.as_bytes());
    if scanner.values() > MAX_VALUES || scanner.height() > crate::scan::MAX_DEPTH {
        return Fault::TooLarge;
    }
    if error.is_eof() && may_go_on(text, scanner.extent()) { Fault::Cut } else { Fault::Broken(error.to_string()) }
}

/// Whether more could come of a text. A parser wants more behind a closed string too, where an escape at its end lacks
/// digits.
fn may_go_on(text: &str, extent: Extent) -> bool {
    // A word that stands alone, as `tru`, has no brackets that could be open.
    let word = || !text.trim_ascii_start().starts_with(['{', '[', '"']);
    extent == Extent::Open || extent == Extent::Whole && word()
}

/// What is noted on the way.
#[derive(Default)]
struct Noted {
    /// The first field that an object names twice: readers differ in which one they take.
    duplicate: Option<String>,
    values: u64,
    height: u32,
}

/// Builds a value that has so many brackets around it.
#[derive(Clone, Copy)]
struct Strict<'a> {
    noted: &'a RefCell<Noted>,
    depth: u32,
}

impl Strict<'_> {
    /// For what lies between the brackets of this value.
    fn within(self) -> Self {
        let depth = self.depth + 1;
        let mut noted = self.noted.borrow_mut();
        noted.height = noted.height.max(depth);
        Self { depth, ..self }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let values = {
            let mut noted = self.noted.borrow_mut();
            noted.values += 1;
            noted.values
        };
        if values > MAX_VALUES {
            return Err(D::Error::custom("too many values"));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }
    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let (inner, mut list) = (self.within(), Vec::new());
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let (inner, mut map) = (self.within(), Map::new());
        while let Some(key) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(inner)?;
            match map.entry(key) {
                Entry::Vacant(place) => {
                    place.insert(value);
                }
                Entry::Occupied(place) => {
                    self.noted.borrow_mut().duplicate.get_or_insert_with(|| place.key().clone());
                }
            }
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_has_its_name() {
        for (text, expected) in [
            (r#" {"a":[1,-2,2.5,"x",null,true]} "#, "ok"),
            ("", "broken"),
            ("  ", "broken"),
            ("tru", "cut"),
            (r#"{"a":"#, "cut"),
            (r#"{"a":"x"#, "cut"),
            (r#"{"a":1}}"#, "broken"),
            (r#"{"a":1} {"b":2}"#, "broken"),
            ("{'a':1}", "broken"),
            (r#"{"a":1,}"#, "broken"),
            ("1e999", "broken"),
            ("NaN", "broken"),
            (r#""\ud800""#, "broken"),
            (r#""\ud""#, "broken"),
            (r#"{"a":"\ud"}"#, "broken"),
            (r#"{"a":1,"b":{"c":1,"c":2}}"#, "duplicate c"),
            (r#"{"a":1,"\u0061":2}"#, "duplicate a"),
            (&"[".repeat(129), "too large"),
            (&format!("[{}1]", "1,".repeat(100_001)), "too large"),
            (&"x".repeat((16 << 20) + 1), "too large"),
        ] {
            let found = match read(text) {
                Ok(_) => "ok".to_owned(),
                Err(Fault::Cut) => "cut".into(),
                Err(Fault::Broken(_)) => "broken".into(),
                Err(Fault::Duplicate(field)) => format!("duplicate {field}"),
                Err(Fault::TooLarge) => "too large".into(),
            };
            assert_eq!(found, expected, "{text:.60}");
        }
    }

    #[test]
    fn values_are_those_of_the_usual_reader() {
        let text = r#"{"a":[1,-2,2.5,1e3,18446744073709551615,"\u00e9",null,true,{}],"b":{}}"#;
        let json = read(text).expect("sound");
        assert_eq!(json.value, serde_json::from_str::<Value>(text).expect("sound"));
        assert_eq!((json.values, json.height), (12, 3));
        let scalar = read("1").expect("sound");
        assert_eq!((scalar.values, scalar.height), (1, 0));
    }
}
