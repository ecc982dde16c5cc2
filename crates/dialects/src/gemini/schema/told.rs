//! A schema in Google's form, as JSON Schema.
//!
//! Must never be here: JSON Schema as a client writes it, which needs no words of ours.

use super::super::json::{Object, compact, push_list};
use crate::json::Json;
use crate::literal::push_literal;
use std::borrow::Cow;

/// The deepest schema that is read; what is deeper is taken to allow anything.
const MAX_DEPTH: usize = 64;

/// `schema` as JSON Schema.
pub(in super::super) fn told(schema: Json<'_>) -> String {
    let mut out = String::new();
    write(schema, 0, &mut out);
    out
}

fn write(schema: Json<'_>, depth: usize, out: &mut String) {
    let Some(fields) = schema.entries().filter(|_| depth < MAX_DEPTH) else {
        return out.push_str("{}");
    };
    let fields: Vec<_> = fields.collect();
    let find = |names: [&str; 2]| fields.iter().find(|(name, _)| names.contains(&&**name)).map(|(_, value)| *value);
    let kind = find(["type"; 2]).and_then(word);
    let nullable = find(["nullable"; 2]).is_some_and(|flag| flag.get() == "true");
    let order = find(["propertyOrdering", "property_ordering"]).and_then(Json::items).into_iter().flatten();
    let order: Vec<_> = order.filter_map(Json::text).collect();
    let mut object = Object::open(out);
    for (name, value) in &fields {
        match &**name {
            "type" => {
                if let Some(kind) = &kind {
                    let out = object.value("type");
                    out.push_str(if nullable { "[" } else { "" });
                    push_literal(out, kind);
                    out.push_str(if nullable { ",\"null\"]" } else { "" });
                }
            }
            "nullable" | "propertyOrdering" | "property_ordering" => {}
            "format" if value.get() == "\"enum\"" => {}
            "enum" => object.json("enum", &one_of(*value, kind.as_deref(), nullable)),
            "anyOf" | "any_of" => {
                let options = value.items().into_iter().flatten();
                let nothing = (nullable && kind.is_none()).then_some(None);
                push_list(object.value("anyOf"), options.map(Some).chain(nothing), |out, option| match option {
                    Some(option) => write(option, depth + 1, out),
                    None => out.push_str("{\"type\":\"null\"}"),
                });
            }
            "items" => write(*value, depth + 1, object.value("items")),
            "properties" => named(*value, &order, depth, object.value("properties")),
            "defs" => named(*value, &[], depth, object.value("$defs")),
            "ref" => {
                let place = value.text().unwrap_or_default();
                object.text("$ref", &place.replacen("#/defs/", "#/$defs/", 1));
            }
            "additionalProperties" | "additional_properties" => {
                let out = object.value("additionalProperties");
                if value.entries().is_some() { write(*value, depth + 1, out) } else { out.push_str(value.get()) }
            }
            // Whole numbers that may stand in quotes.
            "minItems" | "min_items" => object.json("minItems", bare(*value)),
            "maxItems" | "max_items" => object.json("maxItems", bare(*value)),
            "minLength" | "min_length" => object.json("minLength", bare(*value)),
            "maxLength" | "max_length" => object.json("maxLength", bare(*value)),
            "minProperties" | "min_properties" => object.json("minProperties", bare(*value)),
            "maxProperties" | "max_properties" => object.json("maxProperties", bare(*value)),
            name => object.json(name, &compact(value.get())),
        }
    }
    object.close();
}

/// The type's name in JSON Schema; nothing where none is said.
fn word(kind: Json<'_>) -> Option<Cow<'_, str>> {
    let kind = kind.text().filter(|kind| kind != "TYPE_UNSPECIFIED")?;
    let written = kind.bytes().any(|byte| byte.is_ascii_uppercase());
    Some(if written { Cow::Owned(kind.to_ascii_lowercase()) } else { kind })
}

/// A number, perhaps in quotes.
fn bare(number: Json<'_>) -> &str {
    number.get().trim_matches('"')
}

/// Schemas by name, those in `order` first.
fn named(schemas: Json<'_>, order: &[Cow<'_, str>], depth: usize, out: &mut String) {
    let mut fields: Vec<_> = schemas.entries().into_iter().flatten().collect();
    let place = |name: &str| order.iter().position(|known| known == name).unwrap_or(order.len());
    fields.sort_by_key(|(name, _)| place(name));
    let mut object = Object::open(out);
    for (name, schema) in fields {
        write(schema, depth + 1, object.value(&name));
    }
    object.close();
}

/// The values of an enumeration, which Google writes as strings whatever their type.
fn one_of(values: Json<'_>, kind: Option<&str>, nullable: bool) -> String {
    let values = values.items().into_iter().flatten();
    let numeric = matches!(kind, Some("integer" | "number"));
    let plain = |value: Json<'_>| match value.get().trim_matches('"') {
        bare if numeric && bare.parse::<f64>().is_ok() => bare.to_owned(),
        _ => value.get().to_owned(),
    };
    let mut values: Vec<String> = values.map(plain).collect();
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
            assert_eq!(told(Json::parse(written).expect("JSON")), expected, "{written}");
        }
        let deep = format!("{}{{}}{}", "{\"items\":".repeat(100), "}".repeat(100));
        assert!(told(Json::parse(&deep).expect("JSON")).contains("\"items\":{}"));
    }
}
