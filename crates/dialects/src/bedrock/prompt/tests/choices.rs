//! What stands beside what is said.

use super::*;

/// The request and what is left out, as a pair to compare.
fn told(body: Value, left_out: &[&str]) -> (Value, Vec<String>) {
    (body, left_out.iter().map(|name| (*name).to_owned()).collect())
}

fn spec(name: &str) -> Value {
    json!({"toolSpec": {"name": name, "description": "d", "inputSchema": {"json": {"type": "object"}}}})
}

#[test]
fn tools_are_declared_and_chosen_among() {
    let with = |model: &str, choice: ToolChoice| {
        beside(model, |prompt| (prompt.tools, prompt.tool_choice) = (vec![tool("f"), tool("g")], choice))
    };
    let both = json!([spec("f"), spec("g")]);
    let among = |required| ToolChoice::Among { names: ["g".to_owned()].into(), required };
    let named = || ToolChoice::Named("g".into());
    for (model, choice, expected) in [
        (LLAMA, ToolChoice::Auto, json!({"toolConfig": {"tools": both}})),
        (LLAMA, ToolChoice::Required, json!({"toolConfig": {"tools": both, "toolChoice": {"any": {}}}})),
        (CLAUDE, named(), json!({"toolConfig": {"tools": both, "toolChoice": {"tool": {"name": "g"}}}})),
        (LLAMA, named(), json!({"toolConfig": {"tools": [spec("g")], "toolChoice": {"any": {}}}})),
        (NOVA, among(false), json!({"toolConfig": {"tools": [spec("g")]}})),
        (NOVA, among(true), json!({"toolConfig": {"tools": [spec("g")], "toolChoice": {"any": {}}}})),
        (NOVA, ToolChoice::None, json!({})),
    ] {
        assert_eq!(with(model, choice.clone()), told(expected, &[]), "{choice:?}");
    }
}

#[test]
fn a_tool_says_all_that_is_said_of_it() {
    let plain = Declared { description: String::new(), takes: Takes::Json(None), ..tool("f") };
    let schema = |json: &str| Takes::Json(Some(json.into()));
    let full = Declared {
        takes: schema(r#"{"properties":{}}"#),
        strict: Some(true),
        cache: Some(r#"{"type":"ephemeral"}"#.into()),
        ..tool("g")
    };
    let point = json!({"cachePoint": {"type": "default"}});
    let f = json!({"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object"}}}});
    let mut g = spec("g");
    g["toolSpec"]["inputSchema"]["json"]["properties"] = json!({});
    g["toolSpec"]["strict"] = json!(true);
    let declared = |model: &str| {
        beside(model, |prompt| {
            (prompt.tools, prompt.parallel_calls) = (vec![plain.clone(), full.clone()], Some(false));
        })
    };
    let claude = told(json!({"toolConfig": {"tools": [f, g, point]}}), &["parallel_tool_calls"]);
    assert_eq!(declared(CLAUDE), claude);
    let nova = told(json!({"toolConfig": {"tools": [f, g]}}), &["cache_control", "parallel_tool_calls"]);
    assert_eq!(declared(NOVA), nova);
    let long = Declared { cache: Some(r#"{"type":"ephemeral","ttl":"1h"}"#.into()), ..tool("f") };
    let lasting = json!([spec("f"), {"cachePoint": {"type": "default", "ttl": "1h"}}]);
    let expected = told(json!({"toolConfig": {"tools": lasting}}), &[]);
    assert_eq!(beside(CLAUDE, |prompt| prompt.tools = vec![long]), expected);
}

#[test]
fn tools_are_declared_wherever_calls_were_made() {
    let turns = |result_alone: bool| {
        let mut turns = vec![
            turn(Role::User, vec![text("hi")]),
            turn(Role::Assistant, vec![call("a", "f", "")]),
            turn(Role::User, vec![result("a", vec![], false)]),
        ];
        if result_alone {
            turns.remove(1);
        }
        turns
    };
    let stand_in = json!({"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object"}}}});
    for (tools, choice, alone, expected, left_out) in [
        (vec![], ToolChoice::Auto, false, json!([stand_in]), vec![]),
        (vec![], ToolChoice::Auto, true, json!([stand_in]), vec![]),
        (vec![tool("g")], ToolChoice::Auto, false, json!([spec("g")]), vec![]),
        (vec![tool("g")], ToolChoice::None, false, json!([spec("g")]), vec!["tool_choice"]),
    ] {
        let mut prompt = saying(turns(alone));
        (prompt.tools, prompt.tool_choice) = (tools, choice);
        let (body, left) = written(&prompt, LLAMA);
        assert_eq!((&body["toolConfig"], left), (&json!({"tools": expected}), told(json!({}), &left_out).1));
    }
}

#[test]
fn a_search_of_the_web_beside_functions_is_a_hint() {
    let search = Other { name: "tools[1]".into(), json: r#"{"type":"web_search"}"#.into() };
    let (body, left_out) = beside(CLAUDE, |prompt| {
        (prompt.tools, prompt.others) = (vec![tool("f")], vec![search]);
    });
    assert_eq!((body, left_out), told(json!({"toolConfig": {"tools": [spec("f")]}}), &["tools[1]"]));
}

#[test]
fn answers_are_sampled_as_models_let_themselves_be() {
    let all = || Sampling {
        max_tokens: Some(9),
        temperature: Some(1.5),
        top_p: Some(0.5),
        top_k: Some(7),
        stop: vec!["a".into(), "\n".into(), String::new()],
        seed: Some(1),
        choices: Some(1),
        presence_penalty: Some(0.0),
        frequency_penalty: Some(0.5),
        logprobs: None,
    };
    let free = || Sampling { temperature: Some(1.0), top_p: Some(0.5), ..Sampling::default() };
    let none = || Sampling { temperature: Some(f64::NAN), top_p: Some(f64::INFINITY), ..Sampling::default() };
    let k = json!({"top_k": 7});
    for (model, sampling, expected, left_out) in [
        (
            CLAUDE,
            all(),
            json!({
                "inferenceConfig": {"maxTokens": 9, "temperature": 1.0, "stopSequences": ["a"]},
                "additionalModelRequestFields": k,
            }),
            vec!["seed", "frequency_penalty", "temperature", "top_p", "stop"],
        ),
        (
            NEW_CLAUDE,
            all(),
            json!({"inferenceConfig": {"maxTokens": 9, "stopSequences": ["a"]}}),
            vec!["seed", "frequency_penalty", "temperature", "top_p", "top_k", "stop"],
        ),
        (
            LLAMA,
            all(),
            json!({"inferenceConfig": {
                "maxTokens": 9, "temperature": 1.0, "topP": 0.5, "stopSequences": ["a", "\n"],
            }}),
            vec!["seed", "frequency_penalty", "temperature", "top_k", "stop"],
        ),
        (CLAUDE, free(), json!({"inferenceConfig": {"topP": 0.5}}), vec![]),
        (NOVA, free(), json!({"inferenceConfig": {"temperature": 1.0, "topP": 0.5}}), vec![]),
        (NOVA, none(), json!({}), vec![]),
    ] {
        let sampled = beside(model, |prompt| prompt.sampling = sampling.clone());
        assert_eq!(sampled, told(expected, &left_out), "{model} {sampling:?}");
    }
    assert_eq!(beside(CLAUDE, |prompt| prompt.user = "ann".into()), told(json!({}), &["user"]));
}

#[test]
fn a_claude_is_asked_to_think_and_others_are_not() {
    let within = |tokens: u64, max: u64| {
        json!({
            "inferenceConfig": {"maxTokens": max},
            "additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": tokens}},
        })
    };
    let way = |kind: &str| json!({"additionalModelRequestFields": {"thinking": {"type": kind}}});
    let mut trying = way("adaptive");
    trying["outputConfig"] = json!({"effort": "high"});
    let effort = |word: &str| Thinking::Effort(word.into());
    for (model, wish, max_tokens, expected, left_out) in [
        (CLAUDE, Thinking::Budget(2000), Some(9000), within(2000, 9000), vec![]),
        (CLAUDE, Thinking::Budget(2000), Some(1500), within(1499, 1500), vec![]),
        (CLAUDE, Thinking::Budget(2000), None, within(2000, 64_000), vec![]),
        (CLAUDE, Thinking::Budget(2000), Some(9), json!({"inferenceConfig": {"maxTokens": 9}}), vec!["thinking"]),
        (CLAUDE, effort("low"), None, within(4096, 64_000), vec![]),
        (CLAUDE, Thinking::Off, None, way("disabled"), vec![]),
        (CLAUDE, effort("tomorrow"), None, json!({}), vec!["reasoning_effort"]),
        (NEW_CLAUDE, Thinking::Budget(2000), None, way("adaptive"), vec!["budget_tokens"]),
        (NEW_CLAUDE, effort("high"), None, trying, vec![]),
        (NOVA, effort("high"), None, json!({}), vec!["reasoning_effort"]),
        (LLAMA, Thinking::Budget(2000), None, json!({}), vec!["thinking"]),
        (LLAMA, Thinking::Off, None, json!({}), vec!["thinking"]),
    ] {
        let asked = format!("{model} {wish:?} {max_tokens:?}");
        assert_eq!(thinking(model, wish, max_tokens), told(expected, &left_out), "{asked}");
    }
    let sampled = beside(CLAUDE, |prompt| {
        prompt.thinking = Some(Thinking::Budget(2000));
        (prompt.sampling.temperature, prompt.sampling.top_k) = (Some(0.2), Some(5));
    });
    assert_eq!(sampled, told(within(2000, 64_000), &["temperature", "top_k"]));
    let (forced, left_out) = beside(CLAUDE, |prompt| {
        prompt.thinking = Some(Thinking::Budget(2000));
        (prompt.tools, prompt.tool_choice) = (vec![tool("f")], ToolChoice::Required);
    });
    assert_eq!((&forced["additionalModelRequestFields"], left_out), (&Value::Null, vec!["thinking".to_owned()]));
    let effort = || vec![Other { name: "output_config.effort".into(), json: "\"max\"".into() }];
    let tried = told(json!({"outputConfig": {"effort": "max"}}), &[]);
    assert_eq!(beside(NEW_CLAUDE, |prompt| prompt.others = effort()), tried);
    for model in [CLAUDE, NOVA] {
        assert_eq!(beside(model, |prompt| prompt.others = effort()), told(json!({}), &["output_config.effort"]));
    }
}

#[test]
fn forms_are_asked_for_where_there_is_a_word_for_them() {
    let schema = r#"{"type":"object"}"#;
    let demanded =
        |name: &str, strict| Format::JsonSchema(Demanded { name: name.into(), schema: schema.into(), strict });
    let form = |json_schema: Value| json!({"outputConfig": {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": json_schema}}}});
    let words = |words: &str| json!({"system": [{"text": words}]});
    let satisfying = format!("Answer with JSON that satisfies this JSON Schema, and nothing else:\n{schema}");
    for (format, expected) in [
        (Format::Text, json!({})),
        (demanded("city", true), form(json!({"schema": schema, "name": "city"}))),
        (demanded("", true), form(json!({"schema": schema}))),
        (demanded("city", false), words(&satisfying)),
        (Format::JsonObject, words("Answer with one JSON object and nothing else.")),
    ] {
        assert_eq!(beside(LLAMA, |prompt| prompt.format = format.clone()), told(expected, &[]), "{format:?}");
    }
}
