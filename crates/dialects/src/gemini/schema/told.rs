//! A schema in Google's form, as JSON Schema.
//!
//! Must never be here: JSON Schema as a client writes it, which needs no words of ours.

use super::super::fields::entries;
use super::super::json::{Object, compact, literal, push_list};
use serde_json::value::RawValue;

/// The deepest schema that is read; what is deeper is taken to allow anything.
const MAX_DEPTH: usize = 64;

/// `schema` as JSON Schema.
pub(in super::super) fn told(schema: &RawValue) -> String {
    let mut out = String::new();
    write(schema, 0, &mut out);
    out
}

fn write(schema: &RawValue, depth: usize, out: &mut String) {
    let Some(fields) = entries(schema).filter(|_| depth < MAX_DEPTH) else {
        return out.push_str("{}");
    };
    let find =
        |names: [&str; 2]| fields.iter().find(|(name, _)| names.contains(&name.as_str())).map(|(_, value)| *value);
    let kind = find(["type"; 2]).and_then(word);
    let nullable = find(["nullable"; 2]).is_some_and(|flag| flag.get() == "true");
    let order: Vec<String> = find(["propertyOrdering", "property_ordering"])
        .and_then(|order| serde_json::from_str(order.get()).ok())
        .unwrap_or_default();
    let mut object = Object::open(out);
    for (name, value) in &fields {
        match name.as_str() {
            "type" => {
                if let Some(kind) = &kind {
                    let kind = literal(kind);
                    object.json("type", &if nullable { format!("[{kind},\"null\"]") } else { kind });
                }
            }
            "nullable" | "propertyOrdering" | "property_ordering" => {}
            "format" if value.get() == "\"enum\"" => {}
            "enum" => object.json("enum", &one_of(value, kind.as_deref(), nullable)),
            "anyOf" | "any_of" => {
                let options: Vec<&RawValue> = serde_json::from_str(value.get()).unwrap_or_default();
                let nothing = (nullable && kind.is_none()).then_some(None);
                push_list(object.value("anyOf"), options.into_iter().map(Some).chain(nothing), |out, option| {
                    match option {
                        Some(option) => write(option, depth + 1, out),
                        None => out.push_str("{\"type\":\"null\"}"),
                    }
                });
            }
            "items" => write(value, depth + 1, object.value("items")),
            "properties" => named(value, &order, depth, object.value("properties")),
            "defs" => named(value, &[], depth, object.value("$defs")),
            "ref" => {
                let place: String = serde_json::from_str(value.get()).unwrap_or_default();
                object.text("$ref", &place.replacen("#/defs/", "#/$defs/", 1));
            }
            "additionalProperties" | "additional_properties" => {
                let out = object.value("additionalProperties");
                if value.get().starts_with('{') { write(value, depth + 1, out) } else { out.push_str(value.get()) }
            }
            // Whole numbers that may stand in quotes.
            "minItems" | "min_items" => object.json("minItems", bare(value)),
            "maxItems" | "max_items" => object.json("maxItems", bare(value)),
            "minLength" | "min_length" => object.json("minLength", bare(value)),
            "maxLength" | "max_length" => object.json("maxLength", bare(value)),
            "minProperties" | "min_properties" => object.json("minProperties", bare(value)),
            "maxProperties" | "max_properties" => object.json("maxProperties", bare(value)),
            name => object.json(name, &compact(value.get())),
        }
    }
    object.close();
}

/// The type's name in JSON Schema; nothing where none is said.
fn word(kind: &RawValue) -> Option<String> {
    let kind: String = serde_json::from_str(kind.get()).ok()?;
    (kind != "TYPE_UNSPECIFIED").then(|| kind.to_ascii_lowercase())
}

/// A number, perhaps in quotes.
fn bare(number: &RawValue) -> &str {
    number.get().trim_matches('"')
}

/// Schemas by name, those in `order` first.
fn named(schemas: &RawValue, order: &[String], depth: usize, out: &mut String) {
    let mut fields = entries(schemas).unwrap_or_default();
    let place = |name: &String| order.iter().position(|known| known == name).unwrap_or(order.len());
    fields.sort_by_key(|(name, _)| place(name));
    let mut object = Object::open(out);
    for (name, schema) in fields {
        write(schema, depth + 1, object.value(&name));
    }
    object.close();
}

/// The values of an enumeration, which Google writes as strings whatever their type.
fn one_of(values: &RawValue, kind: Option<&str>, nullable: bool) -> String {
    let values: Vec<&RawValue> = serde_json::from_str(values.get()).unwrap_or_default();
    let numeric = matches!(kind, Some("integer" | "number"));
    let plain = |value: &RawValue| match value.get().trim_matches('"') {
        bare if numeric && bare.parse::<f64>().is_ok() => bare.to_owned(),
        _ => value.get().to_owned(),
    };
    let mut values: Vec<String> = values.into_iter().map(plain).collect();
    if nullable {
        values.push("null".to_owned());
    }
    format!("[{}]", values.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn googles_form_becomes_json_schema() {
        for (written, expected) in [
            (r#"{"type":"STRING","description":"d"}"#, r#"{"type":"string","description":"d"}"#),
            (r#"{"type":"string","format":"date-time"}"#, r#"{"type":"string","format":"date-time"}"#),
            (r#"{"type":"TYPE_UNSPECIFIED"}"#, "{}"),
            (r#"{"type":"INTEGER","nullable":true}"#, r#"{"type":["integer","null"]}"#),
            (
                r#"{"type":"STRING","format":"enum","enum":["A","B"],"nullable":true}"#,
                r#"{"type":["string","null"],"enum":["A","B",null]}"#,
            ),
            (r#"{"type":"INTEGER","enum":["1","2"]}"#, r#"{"type":"integer","enum":[1,2]}"#),
            (
                r#"{"type":"ARRAY","items":{"type":"NUMBER"},"maxItems":"3","min_items":1}"#,
                r#"{"type":"array","items":{"type":"number"},"maxItems":3,"minItems":1}"#,
            ),
            (
                r#"{"type":"OBJECT","properties":{"type":{"type":"STRING"},"a":{"type":"BOOLEAN"}},"required":["a"],"propertyOrdering":["a","type"]}"#,
                r#"{"type":"object","properties":{"a":{"type":"boolean"},"type":{"type":"string"}},"required":["a"]}"#,
            ),
            (
                r##"{"any_of":[{"type":"STRING"},{"ref":"#/defs/P"}],"nullable":true,"defs":{"P":{"type":"NULL"}}}"##,
                r##"{"anyOf":[{"type":"string"},{"$ref":"#/$defs/P"},{"type":"null"}],"$defs":{"P":{"type":"null"}}}"##,
            ),
            (
                r#"{"type":"OBJECT","additionalProperties":{"type":"STRING"}}"#,
                r#"{"type":"object","additionalProperties":{"type":"string"}}"#,
            ),
            (r#"{"type":"OBJECT","additional_properties":false}"#, r#"{"type":"object","additionalProperties":false}"#),
            ("7", "{}"),
        ] {
            let raw: Box<RawValue> = serde_json::from_str(written).expect("JSON");
            assert_eq!(told(&raw), expected, "{written}");
        }
        let deep = format!("{}{{}}{}", "{\"items\":".repeat(100), "}".repeat(100));
        assert!(told(&serde_json::from_str::<Box<RawValue>>(&deep).expect("JSON")).contains("\"items\":{}"));
    }
}
