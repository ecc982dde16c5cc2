//! A value that satisfies a JSON schema: for tool arguments and `response_format`.
//!
//! Receives a schema as a client wrote it; hands on a value. Bounded in depth and in size, whatever the schema says.
//! Never here: checking values against schemas.

use serde_json::{Map, Value, json};

/// The deepest nesting generated.
const MAX_DEPTH: usize = 16;
/// From this depth on only what the schema requires is generated, so that recursive schemas end.
const SPARING_DEPTH: usize = 4;
/// The most values generated for one schema.
const MAX_VALUES: usize = 4096;
/// The longest string that `minLength` can ask for.
const MAX_STRING: u64 = 4096;

/// A value satisfying `schema`, as far as its keywords are known here; `null` where they are not.
pub(crate) fn example(schema: &Value) -> Value {
    Generator { root: schema, left: MAX_VALUES }.value(schema, "text", 0)
}

struct Generator<'a> {
    root: &'a Value,
    left: usize,
}

impl<'a> Generator<'a> {
    /// `name` is the property's name, which doubles as its text.
    fn value(&mut self, schema: &'a Value, name: &str, depth: usize) -> Value {
        if depth >= MAX_DEPTH || self.left == 0 {
            return Value::Null;
        }
        self.left -= 1;
        if let Some(fixed) = fixed(schema) {
            return fixed.clone();
        }
        if let Some(target) = schema["$ref"].as_str() {
            let root = self.root;
            let resolved = target.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
            return resolved.map_or(Value::Null, |resolved| self.value(resolved, name, depth + 1));
        }
        if let Some(branch) = branch(schema, depth) {
            return self.value(branch, name, depth + 1);
        }
        match kind(schema) {
            "object" => self.object(schema, depth),
            "array" => self.array(schema, name, depth),
            "string" => string(schema, name),
            "integer" => integer(schema),
            "number" => number(schema),
            "boolean" => Value::Bool(true),
            _ => Value::Null,
        }
    }

    fn object(&mut self, schema: &'a Value, depth: usize) -> Value {
        let mut object = Map::new();
        let parts = schema["allOf"].as_array().into_iter().flatten();
        for part in parts {
            if let Value::Object(fields) = self.value(part, "text", depth + 1) {
                object.extend(fields);
            }
        }
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            if depth < SPARING_DEPTH || required.contains(&name.as_str()) {
                object.insert(name.clone(), self.value(property, name, depth + 1));
            }
        }
        for name in required {
            object.entry(name).or_insert(Value::Null);
        }
        Value::Object(object)
    }

    fn array(&mut self, schema: &'a Value, name: &str, depth: usize) -> Value {
        let fewest = schema["minItems"].as_u64().unwrap_or(u64::from(depth < SPARING_DEPTH));
        let most = schema["maxItems"].as_u64().unwrap_or(u64::MAX);
        let count = usize::try_from(fewest.min(most)).unwrap_or(MAX_VALUES).min(self.left);
        Value::Array((0..count).map(|_| self.value(&schema["items"], name, depth + 1)).collect())
    }
}

fn fixed(schema: &Value) -> Option<&Value> {
    schema.get("const").or_else(|| schema.get("enum")?.get(0))
}

/// The first branch; in the depth the one that ends a recursion, if there is one.
fn branch(schema: &Value, depth: usize) -> Option<&Value> {
    let branches = schema.get("anyOf").or_else(|| schema.get("oneOf"))?.as_array()?;
    let null = branches.iter().find(|branch| branch["type"] == "null").filter(|_| depth >= SPARING_DEPTH);
    null.or_else(|| branches.first())
}

fn kind(schema: &Value) -> &str {
    match &schema["type"] {
        Value::String(kind) => kind,
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or("null"),
        _ if schema.get("properties").is_some() || schema.get("allOf").is_some() => "object",
        _ if schema.get("items").is_some() => "array",
        Value::Null if schema.is_object() || schema == &Value::Bool(true) => "string",
        _ => "null",
    }
}

fn string(schema: &Value, name: &str) -> Value {
    let text = match schema["format"].as_str() {
        Some("date-time") => "2026-01-31T12:00:00Z",
        Some("date") => "2026-01-31",
        Some("time") => "12:00:00Z",
        Some("email") => "sim@example.com",
        Some("uri" | "url") => "https://example.com/",
        Some("uuid") => "00000000-0000-4000-8000-000000000000",
        _ => name,
    };
    let fewest = schema["minLength"].as_u64().unwrap_or(0).min(MAX_STRING);
    let most = schema["maxLength"].as_u64().unwrap_or(MAX_STRING).max(fewest);
    let padded = text.chars().chain(std::iter::repeat_n('x', usize::try_from(fewest).unwrap_or(0)));
    let length = (text.chars().count() as u64).clamp(fewest, most);
    Value::String(padded.take(usize::try_from(length).unwrap_or(0)).collect())
}

fn integer(schema: &Value) -> Value {
    let least = schema["minimum"].as_i64().or_else(|| schema["exclusiveMinimum"].as_i64()?.checked_add(1));
    let most = schema["maximum"].as_i64().or_else(|| schema["exclusiveMaximum"].as_i64()?.checked_sub(1));
    let step = schema["multipleOf"].as_i64().filter(|step| *step > 0).unwrap_or(1);
    let wanted = 1.max(least.unwrap_or(1)).min(most.unwrap_or(i64::MAX));
    let down = wanted - wanted.rem_euclid(step);
    let fits = least.is_none_or(|least| down >= least);
    json!(if fits { down } else { down.saturating_add(step) })
}

fn number(schema: &Value) -> Value {
    let above = schema["exclusiveMinimum"].as_f64();
    let below = schema["exclusiveMaximum"].as_f64();
    if let (Some(above), Some(below)) = (above, below) {
        return json!(f64::midpoint(above, below));
    }
    let least = schema["minimum"].as_f64().or(above.map(|above| above + 1.0)).unwrap_or(1.5);
    let most = schema["maximum"].as_f64().or(below.map(|below| below - 1.0)).unwrap_or(f64::MAX);
    json!(least.max(1.5).min(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_follow_their_schema() {
        for (schema, expected) in [
            (json!({"type": "string"}), json!("text")),
            (json!({"type": "string", "minLength": 6}), json!("textxx")),
            (json!({"type": "string", "maxLength": 2}), json!("te")),
            (json!({"type": "string", "format": "date"}), json!("2026-01-31")),
            (json!({"enum": ["b", "a"]}), json!("b")),
            (json!({"const": 7}), json!(7)),
            (json!({"type": "integer"}), json!(1)),
            (json!({"type": "integer", "minimum": 3, "multipleOf": 5}), json!(5)),
            (json!({"type": "integer", "maximum": -4}), json!(-4)),
            (json!({"type": "number"}), json!(1.5)),
            (json!({"type": "number", "maximum": 0.5}), json!(0.5)),
            (json!({"type": "boolean"}), json!(true)),
            (json!({"type": "null"}), json!(null)),
            (json!({"type": ["null", "integer"]}), json!(1)),
            (json!({"anyOf": [{"type": "integer"}, {"type": "string"}]}), json!(1)),
            (json!({"type": "array", "items": {"type": "integer"}, "minItems": 2}), json!([1, 1])),
            (json!({"type": "array", "items": {"type": "integer"}, "maxItems": 0}), json!([])),
            (
                json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}),
                json!({"city": "city"}),
            ),
            (
                json!({"$defs": {"n": {"type": "integer"}}, "type": "object", "properties": {"a": {"$ref": "#/$defs/n"}}}),
                json!({"a": 1}),
            ),
            (json!({"$ref": "#/nowhere"}), json!(null)),
        ] {
            assert_eq!(example(&schema), expected, "{schema}");
        }
    }

    #[test]
    fn recursive_schemas_end() {
        let tree = json!({"$defs": {"node": {"type": "object", "required": ["next"], "properties": {
            "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}
        }}}, "$ref": "#/$defs/node"});
        let text = example(&tree).to_string();
        assert!(text.starts_with(r#"{"next":"#) && text.ends_with("}") && text.len() < 200, "{text}");

        let itself = json!({"$ref": "#"});
        assert_eq!(example(&itself), Value::Null);
    }

    #[test]
    fn wide_recursion_is_bounded() {
        let names: Vec<String> = (0..10).map(|n| n.to_string()).collect();
        let properties: Map<String, Value> = names.iter().map(|n| (n.clone(), json!({"$ref": "#"}))).collect();
        let wide = json!({"type": "object", "required": names, "properties": properties});
        assert!(example(&wide).to_string().len() < MAX_VALUES * 100);
        let long = json!({"type": "array", "minItems": u64::MAX, "items": {"type": "integer"}});
        assert!(example(&long).as_array().is_some_and(|items| items.len() <= MAX_VALUES));
    }
}
