//! What the list says of one model, in the words of the catalogue.

use serde_json::{Map, Value, json};

/// What the list calls a capability, and what we do.
const CAPABILITIES: &[(&str, &str)] = &[
    ("supports_assistant_prefill", "prefill"),
    ("supports_function_calling", "tools"),
    ("supports_parallel_function_calling", "parallel_tools"),
    ("supports_response_schema", "json_schema"),
    ("supports_vision", "vision"),
    ("supports_reasoning", "reasoning"),
    ("supports_prompt_caching", "prompt_cache"),
];

/// The entry of one model; `None` where nothing is known of it. The zeros of a `free` one are prices, all others are what
/// nobody filled in.
pub(super) fn entry(facts: &Value, free: bool) -> Option<Value> {
    let mut entry = Map::new();
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            entry.insert(key.to_owned(), value);
        }
    };
    put("price", price(facts, free));
    put("context", count(facts, "max_input_tokens"));
    put("output", count(facts, "max_output_tokens").filter(|_| !embeds(facts)));
    put("can", words(facts, true));
    put("cannot", words(facts, false));
    (!entry.is_empty()).then_some(Value::Object(entry))
}

fn embeds(facts: &Value) -> bool {
    facts.get("mode").is_some_and(|mode| mode == "embedding")
}

/// Both prices or none; that of vectors has no tokens of an answer.
fn price(facts: &Value, free: bool) -> Option<Value> {
    let dollars = |key: &str| Some(per_million(facts.get(key)?.as_f64()?)).filter(|price| free || *price > 0.0);
    let mut price = Map::new();
    price.insert("in".into(), json!(dollars("input_cost_per_token")?));
    if !embeds(facts) {
        price.insert("out".into(), json!(dollars("output_cost_per_token")?));
    }
    let cache = [("cached", "cache_read_input_token_cost"), ("written", "cache_creation_input_token_cost")];
    price.extend(cache.iter().filter_map(|(ours, theirs)| Some(((*ours).to_owned(), json!(dollars(theirs)?)))));
    Some(Value::Object(price))
}

/// Dollars for a million tokens, without the dust of binary fractions.
fn per_million(dollars: f64) -> f64 {
    (dollars * 1e12).round() / 1e6
}

/// A count above zero; some entries hold text there.
fn count(facts: &Value, key: &str) -> Option<Value> {
    facts.get(key)?.as_u64().filter(|count| *count > 0).map(Value::from)
}

fn words(facts: &Value, said: bool) -> Option<Value> {
    let told = CAPABILITIES.iter().filter(|(theirs, _)| facts.get(*theirs).and_then(Value::as_bool) == Some(said));
    let words: Vec<&str> = told.map(|(_, ours)| *ours).collect();
    (!words.is_empty()).then(|| words.join(" ").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_and_what_is_not() {
        for (free, facts, expected) in [
            (
                false,
                json!({ "input_cost_per_token": 1.5e-7, "output_cost_per_token": 6e-7,
                        "cache_read_input_token_cost": 7.5e-8, "max_output_tokens": 16_384 }),
                json!({ "price": { "in": 0.15, "out": 0.6, "cached": 0.075 }, "output": 16_384 }),
            ),
            (false, json!({ "input_cost_per_token": 0, "output_cost_per_token": 6e-7 }), Value::Null),
            (false, json!({ "input_cost_per_token": 1e-6 }), Value::Null),
            (
                false,
                json!({ "mode": "embedding", "input_cost_per_token": 2e-8, "output_cost_per_token": 0,
                        "max_output_tokens": 7 }),
                json!({ "price": { "in": 0.02 } }),
            ),
            (
                true,
                json!({ "input_cost_per_token": 0, "output_cost_per_token": 0.0 }),
                json!({ "price": { "in": 0.0, "out": 0.0 } }),
            ),
            (false, json!({ "max_input_tokens": "many", "max_output_tokens": 0 }), Value::Null),
            (
                false,
                json!({ "supports_function_calling": true, "supports_vision": true, "supports_assistant_prefill": false }),
                json!({ "can": "tools vision", "cannot": "prefill" }),
            ),
        ] {
            assert_eq!(entry(&facts, free).unwrap_or_default(), expected, "{facts}");
        }
    }
}
