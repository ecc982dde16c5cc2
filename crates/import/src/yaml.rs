//! A small writer of YAML: mappings in the order given, every text quoted that could be taken for something else.

use std::fmt::Write;

/// A value to write.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    Text(String),
    Number(f64),
    Count(u64),
    Flag(bool),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Node {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// The entries that are there.
    pub(crate) fn map<const N: usize>(entries: [(&str, Option<Self>); N]) -> Self {
        let there = entries.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
        Self::Map(there.collect())
    }

    /// This, where it is a mapping or a list that holds something, or anything else.
    pub(crate) fn filled(self) -> Option<Self> {
        let empty = match &self {
            Self::List(items) => items.is_empty(),
            Self::Map(entries) => entries.is_empty(),
            _ => false,
        };
        (!empty).then_some(self)
    }

    fn is_short(&self) -> bool {
        match self {
            Self::Map(entries) => entries.iter().all(|(_, value)| !matches!(value, Self::Map(_) | Self::List(_))),
            Self::List(items) => items.iter().all(|item| !matches!(item, Self::Map(_) | Self::List(_))),
            _ => true,
        }
    }
}

/// A whole document.
pub(crate) fn document(entries: &[(String, Node)]) -> String {
    let mut text = String::new();
    block(&mut text, entries, 0);
    text
}

fn block(text: &mut String, entries: &[(String, Node)], depth: usize) {
    for (key, value) in entries {
        // Writing to a String cannot fail.
        let _ = write!(text, "{:depth$}{}:", "", scalar(key), depth = depth * 2);
        nested(text, value, depth);
    }
}

fn nested(text: &mut String, value: &Node, depth: usize) {
    match value {
        Node::Map(entries) if !value.is_short() || depth == 0 => {
            text.push('\n');
            block(text, entries, depth + 1);
        }
        Node::List(items) if !value.is_short() => {
            text.push('\n');
            for item in items {
                let _ = writeln!(text, "{:depth$}- {}", "", flow(item), depth = (depth + 1) * 2);
            }
        }
        short => {
            let _ = writeln!(text, " {}", flow(short));
        }
    }
}

fn flow(value: &Node) -> String {
    match value {
        Node::Text(text) => scalar(text),
        Node::Number(number) => number.to_string(),
        Node::Count(count) => count.to_string(),
        Node::Flag(flag) => flag.to_string(),
        Node::List(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Node::Map(entries) if entries.is_empty() => "{}".to_owned(),
        Node::Map(entries) => {
            let entries = entries.iter().map(|(key, value)| format!("{}: {}", scalar(key), flow(value)));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

/// Plain where it is a word that begins with a letter and means nothing else; a JSON string is YAML, too.
fn scalar(text: &str) -> String {
    const MEANINGS: &[&str] = &["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let starts = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
    let plain = starts && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-./".contains(&byte));
    if plain && !MEANINGS.contains(&text.to_ascii_lowercase().as_str()) {
        return text.to_owned();
    }
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_read_as_they_were_meant() {
        let deep = Node::map([
            ("plain", Some(Node::text("gpt-4o"))),
            ("off", Some(Node::text("no"))),
            ("empty", Some(Node::text(""))),
            ("odd", Some(Node::text("${A}: #x\n\"q\""))),
            ("gone", None),
            ("list", Some(Node::List(vec![Node::text("*"), Node::map([("a", Some(Node::Number(0.15)))])]))),
            ("short", Some(Node::map([("b", Some(Node::Flag(true))), ("1", Some(Node::Count(3)))]))),
            ("none", Some(Node::Map(Vec::new()))),
        ]);
        let text = document(&[("top".to_owned(), deep), ("x".to_owned(), Node::List(Vec::new()))]);
        let read: serde_json::Value = serde_saphyr::from_str(&text).unwrap();
        let expected = serde_json::json!({
            "top": { "plain": "gpt-4o", "off": "no", "empty": "", "odd": "${A}: #x\n\"q\"",
                     "list": ["*", { "a": 0.15 }], "short": { "b": true, "1": 3 }, "none": {} },
            "x": [],
        });
        assert_eq!(read, expected, "{text}");
    }
}
