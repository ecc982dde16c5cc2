//! The arguments of a call that come value by value, each with its place.
//!
//! Vertex sends them so where `streamFunctionCallArguments` is asked for: `$.recipe.steps[2]` with a piece of text that
//! goes on with what stands there, or with a number, a truth value or nothing. Receives the pieces; hands on JSON text.
//! Must never be here: when a call is over.

use super::super::chunk::PartialArg;
use super::super::json::literal;
use crate::Unread;

/// The most values of one call's arguments, those that stand in between included.
const MAX_VALUES: usize = 16_384;
/// The deepest place.
const MAX_DEPTH: usize = 128;

/// Arguments under construction: always an object.
#[derive(Debug, Default)]
pub(super) struct Arguments {
    fields: Vec<(String, Node)>,
    values: usize,
    /// Where something was put last.
    last: Vec<Step>,
}

#[derive(Debug)]
enum Node {
    /// A text that may grow.
    Text(String),
    /// Anything else without parts, as JSON.
    Literal(String),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

impl Node {
    const fn nothing() -> Self {
        Self::Literal(String::new())
    }
}

#[derive(Debug, PartialEq)]
enum Step {
    Name(String),
    Index(usize),
}

impl Arguments {
    pub(super) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Puts a value in its place, or goes on with the text that stands there.
    pub(super) fn put(&mut self, piece: &PartialArg<'_>) -> Result<(), Unread> {
        self.last = steps(&piece.json_path.0).ok_or(Unread::NotAnAnswer)?;
        let place = place(&mut self.fields, &self.last, &mut self.values)?;
        match (&piece.string_value, place) {
            (Some(text), Node::Text(so_far)) => so_far.push_str(&text.0),
            (Some(text), place) => *place = Node::Text(text.0.clone().into_owned()),
            (None, place) => *place = Node::Literal(plain(piece)),
        }
        if self.values > MAX_VALUES { Err(Unread::TooLarge) } else { Ok(()) }
    }

    /// Goes on with the text that was put last.
    pub(super) fn go_on(&mut self, text: &str) {
        if let Ok(Node::Text(so_far)) = place(&mut self.fields, &self.last, &mut self.values) {
            so_far.push_str(text);
        }
    }

    /// All of it, as JSON.
    pub(super) fn into_json(self) -> String {
        let mut out = String::new();
        write(&Node::Object(self.fields), &mut out);
        out
    }
}

/// The place to which these steps lead, made where there is none.
fn place<'a>(fields: &'a mut Vec<(String, Node)>, steps: &[Step], values: &mut usize) -> Result<&'a mut Node, Unread> {
    let [Step::Name(first), steps @ ..] = steps else { return Err(Unread::NotAnAnswer) };
    let mut place = field(fields, first, values);
    for step in steps {
        place = match step {
            Step::Name(name) => {
                if !matches!(place, Node::Object(_)) {
                    *place = Node::Object(Vec::new());
                }
                let Node::Object(fields) = place else { return Err(Unread::NotAnAnswer) };
                field(fields, name, values)
            }
            Step::Index(index) => {
                if !matches!(place, Node::List(_)) {
                    *place = Node::List(Vec::new());
                }
                let Node::List(items) = place else { return Err(Unread::NotAnAnswer) };
                item(items, *index, values)?
            }
        };
    }
    Ok(place)
}

/// A value that is no text, as JSON; nothing where none of them is told, for that is how nothing is written.
fn plain(piece: &PartialArg<'_>) -> String {
    match (piece.number_value, piece.bool_value) {
        (Some(number), _) => number.get().to_owned(),
        (None, Some(flag)) => flag.to_string(),
        (None, None) => String::new(),
    }
}

/// The field `name`, made where there is none. The last one is usually meant.
fn field<'a>(fields: &'a mut Vec<(String, Node)>, name: &str, values: &mut usize) -> &'a mut Node {
    let at = fields.iter().rposition(|(known, _)| *known == name).unwrap_or_else(|| {
        *values += 1;
        fields.push((name.to_owned(), Node::nothing()));
        fields.len() - 1
    });
    &mut fields[at].1
}

/// The item at `index`, made where there is none, with all before it.
fn item<'a>(items: &'a mut Vec<Node>, index: usize, values: &mut usize) -> Result<&'a mut Node, Unread> {
    if index > MAX_VALUES {
        return Err(Unread::TooLarge);
    }
    while items.len() <= index {
        *values += 1;
        items.push(Node::nothing());
    }
    items.get_mut(index).ok_or(Unread::TooLarge)
}

fn write(node: &Node, out: &mut String) {
    match node {
        Node::Text(text) => out.push_str(&literal(text)),
        Node::Literal(json) if json.is_empty() => out.push_str("null"),
        Node::Literal(json) => out.push_str(json),
        Node::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Node::Object(fields) => {
            out.push('{');
            for (at, (name, value)) in fields.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                out.push_str(&literal(name));
                out.push(':');
                write(value, out);
            }
            out.push('}');
        }
    }
}

/// The steps of a JSON path (RFC 9535) that names one place: `$.a.b[0]`, `$['a b'][0]`.
fn steps(path: &str) -> Option<Vec<Step>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if steps.len() == MAX_DEPTH {
            return None;
        }
        let (step, behind) = if let Some(name) = rest.strip_prefix('.') {
            let end = name.find(['.', '[']).unwrap_or(name.len());
            let (name, behind) = name.split_at_checked(end)?;
            (Step::Name(name.to_owned()), behind)
        } else {
            bracketed(rest.strip_prefix('[')?)?
        };
        steps.push(step);
        rest = behind;
    }
    Some(steps)
}

/// The step behind an opening bracket, and what is behind the closing one.
fn bracketed(inner: &str) -> Option<(Step, &str)> {
    let Some(quote) = inner.chars().next().filter(|c| matches!(c, '\'' | '"')) else {
        let (index, behind) = inner.split_once(']')?;
        return Some((Step::Index(index.parse().ok()?), behind));
    };
    let quoted = inner.get(1..)?;
    let (mut name, mut chars) = (String::new(), quoted.char_indices());
    while let Some((at, c)) = chars.next() {
        if c == quote {
            return Some((Step::Name(name), quoted.get(at + 1..)?.strip_prefix(']')?));
        }
        name.push(if c == '\\' { escaped(&mut chars)? } else { c });
    }
    None
}

/// The character that an escape stands for. Halves of characters are none.
fn escaped(chars: &mut std::str::CharIndices<'_>) -> Option<char> {
    Some(match chars.next()?.1 {
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => {
            let digits: String = chars.take(4).map(|(_, c)| c).collect();
            char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?
        }
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn built(pieces: &[&str]) -> Result<String, Unread> {
        let mut arguments = Arguments::default();
        for piece in pieces {
            arguments.put(&serde_json::from_str::<PartialArg<'_>>(piece).expect("a piece"))?;
        }
        Ok(arguments.into_json())
    }

    #[test]
    fn values_stand_where_they_belong() {
        for (pieces, expected) in [
            (&[][..], "{}"),
            (
                &[
                    r#"{"jsonPath":"$.id","stringValue":"A","willContinue":true}"#,
                    r#"{"jsonPath":"$.id","stringValue":"b\n"}"#,
                    r#"{"jsonPath":"$.id","stringValue":""}"#,
                ],
                r#"{"id":"Ab\n"}"#,
            ),
            (
                &[
                    r#"{"jsonPath":"$.z[0].a","stringValue":"x"}"#,
                    r#"{"jsonPath":"$.z[0].price","numberValue":0.50}"#,
                    r#"{"jsonPath":"$.z[1].a","boolValue":false}"#,
                    r#"{"jsonPath":"$.a.b","nullValue":"NULL_VALUE"}"#,
                    r#"{"jsonPath":"$.big","numberValue":12345678901234567890}"#,
                ],
                r#"{"z":[{"a":"x","price":0.50},{"a":false}],"a":{"b":null},"big":12345678901234567890}"#,
            ),
            (&[r#"{"jsonPath":"$['a b'][\"c\\\"\"]","stringValue":""}"#], r#"{"a b":{"c\"":""}}"#),
            (&[r#"{"jsonPath":"$.m[1][0]","nullValue":null}"#], r#"{"m":[null,[null]]}"#),
        ] {
            assert_eq!(built(pieces).as_deref(), Ok(expected), "{pieces:?}");
        }
    }

    #[test]
    fn places_that_are_none_are_refused() {
        for (path, expected) in [
            ("", Unread::NotAnAnswer),
            ("$", Unread::NotAnAnswer),
            ("$[0]", Unread::NotAnAnswer),
            ("a", Unread::NotAnAnswer),
            ("$.a[x]", Unread::NotAnAnswer),
            ("$.a['b", Unread::NotAnAnswer),
            ("$.a[*]", Unread::NotAnAnswer),
            ("$.a[4000000000]", Unread::TooLarge),
            ("$.a[16384]", Unread::TooLarge),
            (&format!("${}", ".a".repeat(129)), Unread::NotAnAnswer),
        ] {
            let piece = serde_json::json!({"jsonPath": path, "boolValue": true}).to_string();
            assert_eq!(built(&[&piece]), Err(expected), "{path:.40}");
        }
    }

    proptest! {
        #[test]
        fn no_path_panics(path in "[$.'\"\\[\\]a0\\\\u]{0,16}", other in any::<String>()) {
            let _ = (steps(&path), steps(&other));
        }
    }
}
