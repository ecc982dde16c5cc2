//! What a request demands of its answer, read from its bytes when somebody asks.
//!
//! Receives a request that [`decode`](super::decode) took; hands on [`Terms`]. A field of a shape unknown here demands
//! nothing: whether it may stand there is the provider's to judge.
//! Must never be here: compiling schemas, judging answers.

use llm::{Demanded, Format, Takes, Terms, Tool, ToolChoice};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The most tools, citable ids, and documents that are read: more than any provider takes.
const MOST: usize = 4096;

/// Reads what the request in `raw` demands of its answer.
#[must_use]
pub fn terms(raw: &[u8]) -> Terms {
    let Ok(wire) = serde_json::from_slice::<Wire<'_>>(raw) else { return Terms::default() };
    let mut tools: Vec<Tool> = list::<WireTool<'_>>(wire.tools).into_iter().filter_map(WireTool::read).collect();
    tools.extend(list::<Function<'_>>(wire.functions).into_iter().filter_map(Function::read));
    Terms {
        format: format(wire.response_format),
        tools,
        tool_choice: wire.tool_choice.or(wire.function_call).map(tool_choice).unwrap_or_default(),
        one_call: wire.parallel_tool_calls.is_some_and(|flag| flag.get() == "false"),
        citable: citable(wire.documents, wire.messages),
    }
}

/// The fields that say something of the answer.
#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow, default)]
    response_format: Option<&'a RawValue>,
    #[serde(borrow, default)]
    tools: Option<&'a RawValue>,
    /// The name of `tools` until 2023, still sent by old clients.
    #[serde(borrow, default)]
    functions: Option<&'a RawValue>,
    #[serde(borrow, default)]
    tool_choice: Option<&'a RawValue>,
    #[serde(borrow, default)]
    function_call: Option<&'a RawValue>,
    #[serde(borrow, default)]
    parallel_tool_calls: Option<&'a RawValue>,
    #[serde(borrow, default)]
    documents: Option<&'a RawValue>,
    #[serde(borrow, default)]
    messages: Option<&'a RawValue>,
}

/// What `raw` holds, where it has that shape.
fn read<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> Option<T> {
    serde_json::from_str(raw?.get()).ok()
}

/// The items of a list that have the wanted shape.
fn list<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> Vec<T> {
    let items: Vec<&'a RawValue> = read(raw).unwrap_or_default();
    items.into_iter().take(MOST).filter_map(|item| serde_json::from_str(item.get()).ok()).collect()
}

fn text(raw: Option<&RawValue>) -> Option<String> {
    read(raw)
}

fn format(raw: Option<&RawValue>) -> Format {
    #[derive(Deserialize)]
    struct ResponseFormat<'a> {
        #[serde(rename = "type")]
        kind: String,
        #[serde(borrow, default)]
        json_schema: Option<JsonSchema<'a>>,
    }
    #[derive(Deserialize)]
    struct JsonSchema<'a> {
        #[serde(borrow, default)]
        name: Option<&'a RawValue>,
        #[serde(borrow, default)]
        schema: Option<&'a RawValue>,
        #[serde(borrow, default)]
        strict: Option<&'a RawValue>,
    }
    let Some(format) = read::<ResponseFormat<'_>>(raw) else { return Format::Text };
    match (format.kind.as_str(), format.json_schema) {
        ("json_object", _) => Format::JsonObject,
        ("json_schema", Some(JsonSchema { name, schema: Some(schema), strict })) => Format::JsonSchema(Demanded {
            name: text(name).unwrap_or_default(),
            schema: schema.get().into(),
            strict: strict.is_some_and(|flag| flag.get() == "true"),
        }),
        _ => Format::Text,
    }
}

#[derive(Deserialize)]
struct WireTool<'a> {
    #[serde(borrow, default)]
    function: Option<Function<'a>>,
    #[serde(default)]
    custom: Option<Name>,
}

#[derive(Deserialize)]
struct Function<'a> {
    name: String,
    #[serde(borrow, default)]
    parameters: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Name {
    name: String,
}

impl WireTool<'_> {
    /// Tools that a provider runs by itself have neither, and are never called by an answer.
    fn read(self) -> Option<Tool> {
        match (self.function, self.custom) {
            (Some(function), _) => function.read(),
            (None, Some(custom)) => Some(Tool { name: custom.name, takes: Takes::Free }),
            (None, None) => None,
        }
    }
}

impl Function<'_> {
    fn read(self) -> Option<Tool> {
        let schema = self.parameters.map(RawValue::get).filter(|schema| *schema != "null");
        Some(Tool { name: self.name, takes: Takes::Json(schema.map(Arc::from)) })
    }
}

fn tool_choice(raw: &RawValue) -> ToolChoice {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Choice {
        Word(String),
        Function {
            function: Name,
        },
        Custom {
            custom: Name,
        },
        Allowed {
            allowed_tools: Allowed,
        },
        /// Of `function_call`.
        Bare(Name),
        Other(serde::de::IgnoredAny),
    }
    #[derive(Deserialize)]
    struct Allowed {
        #[serde(default)]
        mode: String,
        tools: Vec<BTreeMap<String, serde_json::Value>>,
    }
    match own(raw) {
        Some(Choice::Word(word)) if word == "none" => ToolChoice::None,
        // Mistral calls it `any`.
        Some(Choice::Word(word)) if word == "required" || word == "any" => ToolChoice::Required,
        Some(Choice::Function { function: Name { name } } | Choice::Custom { custom: Name { name } }) => {
            ToolChoice::Named(name)
        }
        Some(Choice::Bare(Name { name })) => ToolChoice::Named(name),
        Some(Choice::Allowed { allowed_tools }) => {
            let name = |tool: BTreeMap<String, serde_json::Value>| {
                let inner = tool.get("function").or_else(|| tool.get("custom"))?;
                inner.get("name")?.as_str().map(str::to_owned)
            };
            let names: BTreeSet<String> = allowed_tools.tools.into_iter().filter_map(name).collect();
            ToolChoice::Among { names, required: allowed_tools.mode == "required" }
        }
        Some(Choice::Word(_) | Choice::Other(_)) | None => ToolChoice::Auto,
    }
}

fn own<T: DeserializeOwned>(raw: &RawValue) -> Option<T> {
    serde_json::from_str(raw.get()).ok()
}

/// Ids of `documents` (Cohere's and vLLM's field), of document parts in messages, and of messages themselves.
fn citable(documents: Option<&RawValue>, messages: Option<&RawValue>) -> BTreeSet<String> {
    #[derive(Deserialize)]
    struct Known<'a> {
        #[serde(borrow, default)]
        id: Option<&'a RawValue>,
        #[serde(borrow, default)]
        tool_call_id: Option<&'a RawValue>,
        #[serde(borrow, default)]
        content: Option<&'a RawValue>,
        #[serde(borrow, default)]
        document: Option<&'a RawValue>,
    }
    fn collect<'a>(raw: Option<&'a RawValue>, depth: u8, found: &mut BTreeSet<String>) {
        for known in list::<Known<'a>>(raw) {
            let inner = read::<Known<'a>>(known.document).and_then(|document| document.id);
            let ids = [known.id, known.tool_call_id, inner].into_iter().filter_map(text);
            found.extend(ids.take(MOST.saturating_sub(found.len())));
            if depth > 0 {
                collect(known.content, depth - 1, found);
            }
        }
    }
    let mut found = BTreeSet::new();
    collect(documents, 0, &mut found);
    collect(messages, 1, &mut found);
    found
}

#[cfg(test)]
mod tests {
    use super::super::request::decode;
    use super::*;
    use proptest::prelude::*;

    fn of(fields: &str) -> Terms {
        terms(format!(r#"{{"model":"m","messages":[]{fields}}}"#).as_bytes())
    }

    #[test]
    fn formats() {
        let schema =
            Format::JsonSchema(Demanded { name: "n".into(), schema: r#"{"type": "object"}"#.into(), strict: true });
        for (written, expected) in [
            ("", Format::Text),
            (r#"{"type":"text"}"#, Format::Text),
            (r#"{"type":"json_object"}"#, Format::JsonObject),
            (r#"{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":{"type": "object"}}}"#, schema),
            (r#"{"type":"json_schema"}"#, Format::Text),
            (r#"{"type":"json_schema","json_schema":{"name":"n"}}"#, Format::Text),
            (r#"{"type":7}"#, Format::Text),
            (r#""json_object""#, Format::Text),
            ("null", Format::Text),
        ] {
            let field = if written.is_empty() { String::new() } else { format!(r#","response_format":{written}"#) };
            assert_eq!(of(&field).format, expected, "{written}");
        }
    }

    #[test]
    fn tools_old_and_new() {
        let json =
            |name: &str, schema: Option<&str>| Tool { name: name.into(), takes: Takes::Json(schema.map(Arc::from)) };
        for (fields, expected) in [
            ("", vec![]),
            (
                r#","tools":[{"type":"function","function":{"name":"a","parameters":{"type":"object"}}},
                    {"type":"function","function":{"name":"b","parameters":null}},{"type":"web_search"},7,
                    {"type":"custom","custom":{"name":"c","format":{"type":"text"}}}]"#,
                vec![
                    json("a", Some(r#"{"type":"object"}"#)),
                    json("b", None),
                    Tool { name: "c".into(), takes: Takes::Free },
                ],
            ),
            (r#","functions":[{"name":"old","parameters":{}}]"#, vec![json("old", Some("{}"))]),
            (r#","tools":{"a":1}"#, vec![]),
        ] {
            assert_eq!(of(fields).tools, expected, "{fields}");
        }
        assert!(of(r#","parallel_tool_calls":false"#).one_call && !of(r#","parallel_tool_calls":true"#).one_call);
    }

    #[test]
    fn tool_choices() {
        let named = || ToolChoice::Named("f".into());
        for (written, expected) in [
            (r#""tool_choice":"auto""#, ToolChoice::Auto),
            (r#""tool_choice":"none""#, ToolChoice::None),
            (r#""tool_choice":"required""#, ToolChoice::Required),
            (r#""tool_choice":"any""#, ToolChoice::Required),
            (r#""tool_choice":"tomorrow""#, ToolChoice::Auto),
            (r#""tool_choice":{"type":"function","function":{"name":"f"}}"#, named()),
            (r#""tool_choice":{"type":"custom","custom":{"name":"f"}}"#, named()),
            (r#""tool_choice":[7]"#, ToolChoice::Auto),
            (r#""function_call":{"name":"f"}"#, named()),
            (r#""function_call":"none""#, ToolChoice::None),
            (
                r#""tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"f"}}]}}"#,
                ToolChoice::Among { names: ["f".to_owned()].into(), required: true },
            ),
        ] {
            assert_eq!(of(&format!(",{written}")).tool_choice, expected, "{written}");
        }
    }

    #[test]
    fn what_may_be_cited() {
        let raw = br#"{"documents":[{"id":"doc-1","text":"x"},{"text":"no id"},{"id":7}],
            "messages":[{"role":"user","id":"m-1","content":[{"type":"document","document":{"id":"doc-2"}},{"type":"text"}]},
            {"role":"tool","tool_call_id":"call_9","content":"x"},{"role":"user","content":"plain"}]}"#;
        let found: Vec<String> = terms(raw).citable.into_iter().collect();
        assert_eq!(found, ["call_9", "doc-1", "doc-2", "m-1"]);
    }

    #[test]
    fn what_demands_nothing_is_told_with_the_request() {
        for (fields, demands) in [
            ("", false),
            (r#","response_format" : {"type":"text"}"#, true),
            (r#","response_format":null,"tools":null"#, false),
            (r#","tools":[]"#, true),
            (r#","tool_choice":"auto""#, true),
            (r#","functions":[]"#, true),
            (r#","function_call":"none""#, true),
            (r#","parallel_tool_calls":false"#, true),
            (r#","t\u006fols":[]"#, true),
            (r#","tool\u005Fchoice":"required""#, true),
            (r#","tool":1,"function":2,"toolset":3,"tool_calls":[],"response_formats":4"#, false),
            (r#","x":"tools, \"tools\", 'functions'""#, false),
            (r#","x":"h\u00e9 \u003cb\u003e \ud83d\ude00 \n""#, false),
        ] {
            let raw = format!(r#"{{"model":"m","messages":[{{"role":"tool","content":"c"}}]{fields}}}"#);
            assert_eq!(decode(raw.into()).expect("a request").demands, demands, "{fields}");
        }
    }

    proptest! {
        #[test]
        fn whatever_demands_something_is_told(
            fields in proptest::collection::vec((0usize..7, 0usize..6, proptest::collection::vec(any::<bool>(), 20)), 0..4),
        ) {
            const FIELDS: [&str; 7] = ["response_format", "tools", "tool_choice", "functions", "function_call",
                "parallel_tool_calls", "documents"];
            const VALUES: [&str; 6] = [r#"{"type":"json_object"}"#, r#"[{"function":{"name":"f"}}]"#, "\"required\"",
                r#"[{"name":"f"}]"#, r#"{"name":"f"}"#, "false"];
            let escape = |name: &str, escaped: &[bool]| -> String {
                let write = |(c, escaped): (char, &bool)| {
                    if *escaped { format!("\\u{:04x}", u32::from(c)) } else { c.to_string() }
                };
                name.chars().zip(escaped).map(write).collect()
            };
            let fields: String = fields.iter()
                .map(|(name, value, escaped)| format!(",\"{}\": {}", escape(FIELDS[*name], escaped), VALUES[*value]))
                .collect();
            let raw = format!(r#"{{"model":"m","messages":[{{"id":"m-1"}}]{fields}}}"#);
            let read = terms(raw.as_bytes());
            let nothing = Terms { citable: read.citable.clone(), ..Terms::default() };
            // A field that stands there twice is refused.
            let told = decode(raw.clone().into()).is_ok_and(|request| !request.demands);
            prop_assert!(read == nothing || !told, "{}", raw);
        }

        #[test]
        fn reading_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = terms(&bytes);
        }
    }
}
