//! Small files: what one field becomes, and what is told of it.

use crate::{found, imported, read, tree};
use import::Status::{self, Approximate, Exact, Manual, Unsupported};
use serde_json::{Value, json};

/// An entry of `model_list` with these parameters.
fn entry(params: &str) -> String {
    format!("model_list: [{{ model_name: chat, litellm_params: {{ {params} }} }}]\n")
}

#[test]
fn providers_and_their_models() {
    for (params, name, provider, target) in [
        ("model: gpt-4o", "openai", json!({ "kind": "openai" }), "openai/gpt-4o"),
        (
            "model: openai/gpt-4o, api_key: os.environ/MINE",
            "openai",
            json!({ "kind": "openai", "api_key": "${MINE}" }),
            "openai/gpt-4o",
        ),
        (
            "model: openai/m, api_base: 'http://10.0.0.1:8000/v1/', api_key: none",
            "openai",
            json!({ "kind": "openai", "base_url": "http://10.0.0.1:8000/v1" }),
            "openai/m",
        ),
        (
            "model: azure/dep-a, api_base: os.environ/BASE, api_key: os.environ/KEY, api_version: 2024-10-21",
            "azure",
            json!({ "kind": "azure_openai", "base_url": "${BASE}/openai", "api_key": "${KEY}", "api_version": "2024-10-21" }),
            "azure/dep-a",
        ),
        (
            "model: anthropic/claude-haiku-4-5, api_base: 'https://api.anthropic.com'",
            "anthropic",
            json!({ "kind": "anthropic", "base_url": "https://api.anthropic.com/v1" }),
            "anthropic/claude-haiku-4-5",
        ),
        ("model: gemini/gemini-2.5-flash", "gemini", json!({ "kind": "gemini" }), "gemini/gemini-2.5-flash"),
        (
            "model: vertex_ai/claude-haiku-4-5, vertex_location: europe-west1",
            "vertex_ai",
            json!({ "kind": "vertex", "location": "europe-west1" }),
            "vertex_ai/claude-haiku-4-5",
        ),
        (
            "model: bedrock/eu-west-1/a.b-v1:0",
            "bedrock",
            json!({ "kind": "bedrock", "region": "eu-west-1" }),
            "bedrock/a.b-v1:0",
        ),
        (
            "model: bedrock/global.a.b-v1:0, aws_access_key_id: os.environ/ID, aws_secret_access_key: os.environ/KEY, \
             aws_session_token: t, aws_bedrock_runtime_endpoint: 'https://vpce.test'",
            "bedrock",
            json!({ "kind": "bedrock", "base_url": "https://vpce.test", "access_key_id": "${ID}",
                    "secret_access_key": "${KEY}", "session_token": "${BEDROCK_SESSION_TOKEN}" }),
            "bedrock/global.a.b-v1:0",
        ),
        (
            "model: vertex_ai/gemini-2.5-pro, vertex_project: p, vertex_credentials: tests/it/person.json",
            "vertex_ai",
            json!({ "kind": "vertex", "project": "p", "credentials": "tests/it/person.json" }),
            "vertex_ai/gemini-2.5-pro",
        ),
        ("model: m, custom_llm_provider: mistral", "mistral", json!({ "kind": "mistral" }), "mistral/m"),
        (
            "model: openai/responses/o3-pro",
            "openai",
            json!({ "kind": "openai", "apis": ["responses"] }),
            "openai/o3-pro",
        ),
        ("model: cohere_chat/command-r", "cohere_chat", json!({ "kind": "cohere" }), "cohere_chat/command-r"),
        (
            "model: ollama/llama3, api_base: 'http://localhost:11434'",
            "ollama",
            json!({ "kind": "ollama_native", "base_url": "http://localhost:11434/api" }),
            "ollama/llama3",
        ),
        (
            "model: hosted_vllm/a/b, api_base: 'http://h:8000/v1', extra_headers: { X-Team: os.environ/TEAM }",
            "hosted_vllm",
            json!({ "kind": "vllm", "base_url": "http://h:8000/v1", "headers": { "X-Team": "${TEAM}" } }),
            "hosted_vllm/a/b",
        ),
        (
            "model: cerebras/llama3.1-8b, api_key: secret-1",
            "cerebras",
            json!({ "kind": "openai", "base_url": "https://api.cerebras.ai/v1", "api_key": "${CEREBRAS_API_KEY}" }),
            "cerebras/llama3.1-8b",
        ),
    ] {
        let import = imported(&entry(params));
        let tree = tree(&import);
        assert_eq!(tree["providers"][name], provider, "{params}: {}", import.file);
        assert_eq!(tree["routes"]["chat"]["targets"], json!([{ "target": target, "priority": 1 }]), "{params}");
        read(&import);
    }
}

#[test]
fn entries_of_one_key_share_a_provider_and_others_do_not() {
    let import = imported(
        "model_list:
  - { model_name: a, litellm_params: { model: openai/x, api_key: k-1 } }
  - { model_name: a, litellm_params: { model: openai/y, api_key: k-1 } }
  - { model_name: a, litellm_params: { model: openai/x, api_key: k-2 } }
",
    );
    let tree = tree(&import);
    assert_eq!(
        tree["providers"],
        json!({ "openai": { "kind": "openai", "api_key": "${OPENAI_API_KEY}" },
                "openai_2": { "kind": "openai", "api_key": "${OPENAI_2_API_KEY}" } })
    );
    assert_eq!(targets(&tree, "a"), ["openai/x 1 1", "openai/y 1 1", "openai_2/x 1 1"]);
    assert_eq!(
        found(&import, "model_list[2].litellm_params.api_key"),
        [(Approximate, "providers.openai_2.api_key".to_owned())]
    );
    assert_eq!(read(&import).providers.len(), 2);
}

/// The targets of a route, as `name priority weight`.
fn targets(tree: &Value, route: &str) -> Vec<String> {
    let targets = tree["routes"][route]["targets"].as_array().unwrap();
    let shown = targets.iter().map(|target| {
        let name = target["target"].as_str().unwrap();
        format!("{name} {} {}", target["priority"], target.get("weight").unwrap_or(&json!(1)))
    });
    shown.collect()
}

#[test]
fn shares_and_places() {
    for (params, strategy, expected) in [
        (["weight: 2", "weight: 1"], "simple-shuffle", ["openai/x 1 2", "openai/y 1 1"]),
        (["weight: 0.9", "weight: 0.1"], "simple-shuffle", ["openai/x 1 9", "openai/y 1 1"]),
        (["weight: 4", "rpm: 9"], "simple-shuffle", ["openai/x 1 4", "openai/y 1 1"]),
        (["rpm: 600", "rpm: 200"], "simple-shuffle", ["openai/x 1 3", "openai/y 1 1"]),
        (["tpm: 100", "tpm: 300"], "simple-shuffle", ["openai/x 1 1", "openai/y 1 3"]),
        (["rpm: 600", "rpm: 200"], "least-busy", ["openai/x 1 1", "openai/y 1 1"]),
        (["order: 2", "order: 1"], "simple-shuffle", ["openai/x 2 1", "openai/y 1 1"]),
    ] {
        let [x, y] = params;
        let import = imported(&format!(
            "model_list:
  - {{ model_name: a, litellm_params: {{ model: openai/x, {x} }} }}
  - {{ model_name: a, litellm_params: {{ model: openai/y, {y} }} }}
router_settings: {{ routing_strategy: {strategy} }}
"
        ));
        assert_eq!(targets(&tree(&import), "a"), expected, "{params:?} {strategy}");
        read(&import);
    }
}

#[test]
fn what_is_said_of_calls_and_of_models() {
    let model = |model: &Value| json!({ "kind": "openai", "models": { "m": model } });
    for (params, section, expected) in [
        (
            "timeout: 60, stream_timeout: 8, max_retries: 4",
            "routes.chat",
            json!({
            "targets": [{ "target": "openai/m", "priority": 1 }],
            "timeouts": { "first_token": "8s", "total": "60s" }, "retry": { "max_attempts": 5 } }),
        ),
        (
            "timeout: 1.5, stream_timeout: 8",
            "routes.chat",
            json!({
            "targets": [{ "target": "openai/m", "priority": 1 }],
            "timeouts": { "first_token": "1500ms", "total": "1500ms" } }),
        ),
        ("max_parallel_requests: 20", "providers.openai", model(&json!({ "max_concurrency": 20 }))),
        (
            "input_cost_per_token: 0.00000015, output_cost_per_token: 6e-7",
            "providers.openai",
            model(&json!({ "price": { "input": 0.15, "output": 0.6 } })),
        ),
        ("input_cost_per_token: 0, output_cost_per_token: 0", "providers.openai", json!({ "kind": "openai" })),
    ] {
        let import = imported(&entry(&format!("model: openai/m, {params}")));
        let (top, name) = section.split_once('.').unwrap();
        assert_eq!(tree(&import)[top][name], expected, "{params}: {}", import.file);
        read(&import);
    }
    let import = imported(
        "model_list: [{ model_name: a, litellm_params: { model: azure/dep, api_base: 'https://r.openai.azure.com' },
  model_info: { id: x, mode: chat, base_model: azure/gpt-4o-mini, max_output_tokens: 5, supports_vision: true } }]",
    );
    let known = &tree(&import)["providers"]["azure"]["models"]["dep"];
    assert_eq!((&known["price"]["input"], &known["context_window"]), (&json!(0.15), &json!(128_000)));
    assert_eq!(known["max_output_tokens"], 5);
}

#[test]
fn settings_beside_the_list() {
    let defaults = |settings: &str| {
        let import = imported(&(entry("model: openai/m") + settings));
        read(&import);
        tree(&import)["defaults"].clone()
    };
    for (settings, expected) in [
        (
            "router_settings: { num_retries: 2, timeout: 30, stream_timeout: 40 }",
            json!({ "timeouts": { "first_token": "30s", "total": "30s" }, "retry": { "max_attempts": 3 } }),
        ),
        (
            "litellm_settings: { num_retries: 0, request_timeout: 600 }",
            json!({ "timeouts": { "total": "600s" }, "retry": { "max_attempts": 1 } }),
        ),
        (
            "router_settings: { allowed_fails: 3, cooldown_time: 30 }",
            json!({ "breaker": { "consecutive": 4, "open": "30s" } }),
        ),
        ("router_settings: { cooldown_time: 900 }", json!({ "breaker": { "open": "900s", "max_open": "900s" } })),
        (
            "router_settings: { retry_policy: { TimeoutErrorRetries: 4, RateLimitErrorRetries: 1 } }",
            json!({ "retry": { "max_attempts": 5 } }),
        ),
        ("router_settings: { routing_strategy: latency-based-routing }", json!({ "balance": "latency" })),
        ("router_settings: { routing_strategy: usage-based-routing-v2 }", json!({ "balance": "least_busy" })),
        ("router_settings: { routing_strategy: my-own }", Value::Null),
    ] {
        assert_eq!(defaults(settings), expected, "{settings}");
    }
}

#[test]
fn groups_that_stand_in() {
    const LIST: &str = "model_list:
  - { model_name: a, litellm_params: { model: openai/x } }
  - { model_name: b, litellm_params: { model: groq/y } }
  - { model_name: c, litellm_params: { model: groq/z, order: 2 } }
  - { model_name: 'groq/*', litellm_params: { model: 'groq/*' } }
";
    for (settings, route, expected, extra) in [
        (
            "router_settings: { fallbacks: [{ a: [b, c] }, { b: [a] }] }",
            "a",
            vec!["openai/x 1 1", "groq/y 2 1", "groq/z 3 1"],
            json!(null),
        ),
        (
            "router_settings: { fallbacks: [{ a: [b, c] }, { b: [a] }] }",
            "b",
            vec!["groq/y 1 1", "openai/x 2 1"],
            json!(null),
        ),
        (
            "litellm_settings: { context_window_fallbacks: [{ a: [b] }] }",
            "a",
            vec!["openai/x 1 1", "groq/y 2 1"],
            json!(null),
        ),
        (
            "litellm_settings: { content_policy_fallbacks: [{ a: [b] }] }",
            "a",
            vec!["openai/x 1 1", "groq/y 2 1"],
            json!("failover"),
        ),
        ("litellm_settings: { default_fallbacks: [b] }", "a", vec!["openai/x 1 1", "groq/y 2 1"], json!(null)),
        ("litellm_settings: { default_fallbacks: [b] }", "b", vec!["groq/y 1 1"], json!(null)),
        ("router_settings: { fallbacks: [{ '*': [c] }] }", "b", vec!["groq/y 1 1", "groq/z 2 1"], json!(null)),
        (
            "router_settings: { fallbacks: [{ a: [{ model: groq/w }] }] }",
            "a",
            vec!["openai/x 1 1", "groq/w 2 1"],
            json!(null),
        ),
    ] {
        let import = imported(&format!("{LIST}{settings}\n"));
        let tree = tree(&import);
        assert_eq!(targets(&tree, route), expected, "{settings}");
        assert_eq!(tree["routes"][route].get("on_refusal").unwrap_or(&Value::Null), &extra, "{settings}");
        read(&import);
    }
    for (retries, expected) in [("", json!(4)), ("num_retries: 2,", json!(6)), ("num_retries: 0,", json!(4))] {
        let import =
            imported(&format!("{LIST}router_settings: {{ {retries} fallbacks: [{{ a: [b, c, groq/w] }}] }}\n"));
        assert_eq!(tree(&import)["routes"]["a"]["retry"]["max_attempts"], expected, "{retries}");
    }
}

#[test]
fn patterns_and_aliases() {
    for (model_name, model, route, direct) in [
        (
            "*",
            "openai/*",
            json!({ "any": { "aliases": ["*"], "targets": [{ "target": "openai/*", "priority": 1 }] } }),
            false,
        ),
        (
            "gpt-*",
            "openai/gpt-*",
            json!({ "gptany": { "aliases": ["gpt-*"], "targets": [{ "target": "openai/*", "priority": 1 }] } }),
            false,
        ),
        (
            "any-*",
            "openai/gpt-4o",
            json!({ "anyany": { "aliases": ["any-*"], "targets": [{ "target": "openai/gpt-4o", "priority": 1 }] } }),
            false,
        ),
        ("openai/*", "openai/*", Value::Null, true),
        (
            "none",
            "openai/m",
            json!({ "none_2": { "aliases": ["none"], "targets": [{ "target": "openai/m", "priority": 1 }] } }),
            false,
        ),
    ] {
        let import = imported(&format!(
            "model_list: [{{ model_name: '{model_name}', litellm_params: {{ model: '{model}' }} }}]"
        ));
        let tree = tree(&import);
        assert_eq!(tree.get("routes").unwrap_or(&Value::Null), &route, "{model_name}");
        assert_eq!(tree.get("direct").is_some(), direct, "{model_name}");
        read(&import);
    }
    let import = imported(
        &(entry("model: openai/m")
            + "router_settings: { model_group_alias: { fast: chat, quiet: { model: chat, hidden: true }, lost: nowhere, chat: chat } }\n"),
    );
    assert_eq!(tree(&import)["routes"]["chat"]["aliases"], json!(["fast", "quiet"]));
    for (alias, expected) in [("fast", Exact), ("quiet", Approximate), ("lost", Manual), ("chat", Manual)] {
        let found = found(&import, &format!("router_settings.model_group_alias.{alias}"));
        assert!(matches!(&found[..], [(status, _)] if *status == expected), "{alias}: {found:?}");
    }
}

#[test]
fn the_cheapest_where_all_prices_are_known() {
    for (second, expected) in [("gpt-4o-mini", json!("cost")), ("nobody-knows", Value::Null)] {
        let import = imported(&format!(
            "model_list:
  - {{ model_name: a, litellm_params: {{ model: openai/gpt-4o }} }}
  - {{ model_name: a, litellm_params: {{ model: openai/{second} }} }}
  - {{ model_name: b, litellm_params: {{ model: groq/nobody-knows-either }} }}
router_settings: {{ routing_strategy: cost-based-routing, fallbacks: [{{ a: [b] }}] }}
"
        ));
        assert_eq!(tree(&import)["routes"]["a"].get("balance").unwrap_or(&Value::Null), &expected, "{second}");
        read(&import);
    }
}

#[test]
fn every_field_has_a_finding() {
    const ID: &str = "model_list[0].litellm_params.aws_access_key_id";
    const FILE: &str = "model_list[0].litellm_params.vertex_credentials";
    let table: [(&str, &str, Status); 26] = [
        ("model: openai/m", "model_list[0].litellm_params.model", Exact),
        ("model: openai/m, tags: [eu]", "model_list[0].litellm_params.tags", Unsupported),
        ("model: openai/m, silent_model: x", "model_list[0].litellm_params.silent_model", Unsupported),
        ("model: openai/m, temperature: 0", "model_list[0].litellm_params.temperature", Unsupported),
        ("model: openai/m, rpm: 5", "model_list[0].litellm_params.rpm", Approximate),
        ("model: openai/m, rpm: many", "model_list[0].litellm_params.rpm", Manual),
        ("model: openai/m, weight: 5", "model_list[0].litellm_params.weight", Exact),
        ("model: openai/m, aws_role_name: x", "model_list[0].litellm_params.aws_role_name", Manual),
        ("model: bedrock/a.b, aws_access_key_id: os.environ/A, aws_secret_access_key: os.environ/B", ID, Exact),
        ("model: bedrock/a.b, aws_access_key_id: a, aws_secret_access_key: b", ID, Approximate),
        (
            "model: bedrock/a.b, aws_access_key_id: a, aws_secret_access_key: b, aws_role_name: r",
            "model_list[0].litellm_params.aws_role_name",
            Manual,
        ),
        ("model: bedrock/a.b, aws_access_key_id: os.environ/A", ID, Manual),
        ("model: bedrock/a.b, aws_access_key_id: a, aws_secret_access_key: b, api_key: k", ID, Approximate),
        ("model: vertex_ai/gemini-2.5-pro, vertex_credentials: /a.json", FILE, Exact),
        ("model: vertex_ai/gemini-2.5-pro, vertex_credentials: os.environ/A", FILE, Approximate),
        ("model: vertex_ai/gemini-2.5-pro, vertex_credentials: { type: service_account }", FILE, Manual),
        ("model: ollama_chat/m", "model_list[0].litellm_params.model", Exact),
        ("model: ollama/m", "model_list[0].litellm_params.model", Approximate),
        ("model: openai/m, litellm_credential_name: x", "model_list[0].litellm_params.litellm_credential_name", Manual),
        (
            "model: openai/m } }, { model_name: b, litellm_params: { model: watsonx/x",
            "model_list[1].litellm_params.model",
            Unsupported,
        ),
        (
            "model: openai/m } }, { model_name: b, litellm_params: { model: '*'",
            "model_list[1].litellm_params.model",
            Manual,
        ),
        ("model: openai/m }, model_info: { id: x", "model_list[0].model_info.id", Approximate),
        ("model: openai/m }, model_info: { base_model: unknown", "model_list[0].model_info.base_model", Manual),
        ("model: openai/m }, model_info: { access_groups: [x]", "model_list[0].model_info.access_groups", Unsupported),
        ("model: openai/m, timeout: 3", "model_list[0].litellm_params.timeout", Approximate),
        ("model: openai/m, stream_timeout: 0", "model_list[0].litellm_params.stream_timeout", Manual),
    ];
    for (params, from, expected) in table {
        let import = imported(&entry(params));
        let found = found(&import, from);
        assert!(found.iter().any(|(status, _)| *status == expected), "{params}: {:?}", import.findings);
        assert!(expected == Exact || !import.is_exact(), "{params}");
    }
    assert!(imported(&entry("model: openai/m")).is_exact());
}
