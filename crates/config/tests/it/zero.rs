//! What is served without a file.

use crate::{env, lines};
use config::{Provider, zero_config};
use routing::ModelChoice;

#[test]
fn every_key_in_the_environment_is_a_provider_and_a_route() {
    type Case<'a> = (&'a [(&'a str, &'a str)], &'a [(&'a str, &'a [&'a str])], Vec<String>);
    let cases: &[Case<'_>] = &[
        (&[], &[("simulator", &["*"])], vec![]),
        (&[("OPENAI_API_KEY", "")], &[("simulator", &["*"])], vec![]),
        (
            &[("OPENAI_API_KEY", "k")],
            &[("openai", &["gpt-4o-mini", "gpt-*", "chatgpt-*", "o1*", "o3*", "o4*", "*"])],
            vec![],
        ),
        (
            &[("XAI_API_KEY", "k"), ("GROQ_API_KEY", "k")],
            &[("groq", &["llama-3.1-8b-instant", "*"]), ("xai", &["grok-3-mini", "grok-*"])],
            vec![],
        ),
        (
            &[("AZURE_OPENAI_API_KEY", "k"), ("AWS_BEARER_TOKEN_BEDROCK", "k"), ("COHERE_API_KEY", "")],
            &[("simulator", &["*"])],
            vec![
                "AWS_BEARER_TOKEN_BEDROCK: bedrock is left out: its address needs a file that says where it is"
                    .to_owned(),
                "AZURE_OPENAI_API_KEY: azure_openai is left out: its address needs a file that says where it is"
                    .to_owned(),
            ],
        ),
        (
            &[("GOOGLE_API_KEY", "k"), ("ANTHROPIC_API_KEY", "k")],
            &[
                ("anthropic", &["claude-haiku-4-5", "claude-*", "*"]),
                ("gemini", &["gemini-2.5-flash", "gemini-*", "gemma-*"]),
            ],
            Vec::new(),
        ),
        (
            &[("OPENAI_API_KEY", "k"), ("OPENAI_BASE_URL", "nowhere"), ("XAI_API_KEY", " k\n")],
            &[("xai", &["grok-3-mini", "grok-*", "*"])],
            vec![ELSEWHERE.to_owned()],
        ),
    ];
    for (variables, expected, warnings) in cases {
        let settings = zero_config(&env(variables)).expect("settings");
        let routes: Vec<_> = settings.routes.iter().map(|route| (&*route.name, route.aliases.clone())).collect();
        let expected: Vec<_> =
            expected.iter().map(|(name, aliases)| (*name, aliases.iter().map(|a| (*a).to_owned()).collect())).collect();
        assert_eq!(routes, expected, "{variables:?}");
        for (route, provider) in settings.routes.iter().zip(&settings.providers) {
            assert_eq!((&route.name, &route.targets[0].provider), (provider.name(), provider.name()));
            assert_eq!(route.targets[0].model, ModelChoice::AsRequested);
        }
        assert_eq!(settings.providers.len(), settings.objectives.len());
        assert!(settings.direct.is_some() && settings.listen.ip().is_loopback());
        assert_eq!(lines(&settings.warnings), *warnings, "{variables:?}");
    }
}

const ELSEWHERE: &str =
    "OPENAI_API_KEY: openai is left out: its key or OPENAI_BASE_URL must begin with http:// or https://";

#[test]
fn keys_that_cannot_be_used_are_faults_and_no_reason_to_simulate() {
    let variables = [
        ("OPENAI_API_KEY", "k"),
        ("OPENAI_BASE_URL", "nowhere"),
        ("GROQ_API_KEY", "two\nlines"),
        ("AWS_BEARER_TOKEN_BEDROCK", "k"),
    ];
    let faults = zero_config(&env(&variables)).expect_err("faults");
    let groq = "GROQ_API_KEY: groq is left out: its key holds characters that no HTTP header can carry";
    assert_eq!(lines(&faults), [ELSEWHERE, groq]);
}

#[test]
fn openai_may_live_elsewhere() {
    let variables = [("OPENAI_API_KEY", "key-1"), ("OPENAI_BASE_URL", "http://127.0.0.1:9/v1/")];
    let settings = zero_config(&env(&variables)).expect("settings");
    let Provider::Http(provider) = &settings.providers[0] else { panic!("simulated") };
    assert_eq!(provider.base_url, "http://127.0.0.1:9/v1");
    assert!(!format!("{settings:?}").contains("key-1"));
}
