//! Files that come to nothing, and secrets that never come out.

use crate::imported;

#[test]
fn files_that_are_none() {
    for (text, expected) in [
        ("", "it is no mapping of keys such as model_list"),
        ("[]", "it is no mapping of keys such as model_list"),
        ("a: [", "it is no YAML at line 1"),
        ("general_settings: {}", "it has no model_list"),
        ("model_list: {}", "it has no model_list"),
        ("model_list: []", "nothing in its model_list could be called here"),
        ("model_list: [5, {}]", "nothing in its model_list could be called here"),
        (
            "model_list: [{ model_name: a, litellm_params: { model: sagemaker/x } }]",
            "nothing in its model_list could be called here",
        ),
    ] {
        let error = import::litellm(text).unwrap_err();
        assert!(error.starts_with(expected), "{text}: {error}");
    }
}

#[test]
fn no_literal_secret_comes_out() {
    const SECRET: &str = "hush-hush-4711";
    let places = [
        "api_key: hush-hush-4711",
        "api_base: 'https://user:hush-hush-4711@example.com/v1'",
        "api_base: 'https://example.com/v1?key=hush-hush-4711'",
        "extra_headers: { X-Key: hush-hush-4711 }",
        "organization: hush-hush-4711",
        "aws_secret_access_key: hush-hush-4711",
        "aws_access_key_id: a, aws_secret_access_key: hush-hush-4711, aws_session_token: hush-hush-4711",
        "vertex_credentials: hush-hush-4711",
        "vertex_credentials: { private_key: hush-hush-4711 }",
        "unheard_of: hush-hush-4711",
        "litellm_credential_name: mine",
        "timeout: hush-hush-4711",
    ];
    for place in places {
        for model in ["openai/m", "bedrock/a.b", "vertex_ai/gemini-2.5-pro"] {
            let import = imported(&format!(
                "model_list: [{{ model_name: a, litellm_params: {{ model: {model}, {place} }} }}]
credential_list: [{{ credential_name: mine, credential_values: {{ api_key: {SECRET} }} }}]
general_settings: {{ master_key: {SECRET}, database_url: 'postgres://u:{SECRET}@h/d' }}
environment_variables: {{ OPENAI_API_KEY: {SECRET} }}
litellm_settings: {{ cache_params: {{ password: {SECRET} }}, callbacks: [{SECRET}] }}
router_settings: {{ redis_password: {SECRET}, routing_strategy: {SECRET} }}
"
            ));
            let told: String = import.findings.iter().map(ToString::to_string).collect();
            assert!(!import.file.contains(SECRET) && !told.contains(SECRET), "{place}: {}\n{told}", import.file);
        }
    }
    let error = import::litellm(&format!("model_list: [ {SECRET}: {{ {SECRET}")).unwrap_err();
    assert!(!error.contains(SECRET), "{error}");
}
