//! What is known of models that the file says nothing of: the catalogue's word, where it is about this provider.

use crate::{accepted, env};
use config::zero_config;
use llm::Capability::{self, PromptCache, Tools, Vision};
use llm::Prefill;
use routing::{Listed, ModelFacts, ProviderFacts};
use std::sync::Arc;

fn of(provider: &ProviderFacts, model: &str) -> ModelFacts {
    let known = provider.models.get(model).or_else(|| provider.listed.get(model));
    known.copied().unwrap_or(provider.others)
}

fn able(facts: ModelFacts, capability: Capability) -> Option<bool> {
    facts.capabilities.of(capability)
}

#[test]
fn the_file_comes_first_then_the_catalogue() {
    let settings = accepted(
        "providers:
  o:
    kind: openai
    api_key: k
    models:
      gpt-4o: { price: { input: 7, output: 8 } }
      gpt-4o-mini: { context_window: 5, max_output_tokens: 6, capabilities: [vision] }
      mine: { context_window: 9 }
routes: { r: { targets: [o/gpt-4o, o/gpt-4o-mini, o/mine, o/gpt-4.1-2025-04-14, o/nobody-knows] } }
",
    );
    let provider = &settings.facts[0];
    let input = |facts: ModelFacts| facts.price.map(|price| price.input);
    let gpt_4o = of(provider, "gpt-4o");
    assert_eq!((input(gpt_4o), gpt_4o.price.unwrap().cached_input), (Some(7.0), None), "a price is replaced whole");
    assert_eq!((gpt_4o.context_window, able(gpt_4o, Tools)), (Some(128_000), Some(true)));
    let told = Listed { context_window: true, max_output_tokens: true, price: false, capabilities: true };
    assert_eq!(gpt_4o.listed, told);

    let mini = of(provider, "gpt-4o-mini");
    assert_eq!((mini.context_window, mini.max_output_tokens, input(mini)), (Some(5), Some(6), Some(0.15)));
    assert_eq!([Tools, Vision, PromptCache].map(|one| able(mini, one)), [Some(false), Some(true), Some(true)]);
    assert_eq!(mini.listed, Listed { price: true, ..Listed::default() });

    assert_eq!(of(provider, "mine"), ModelFacts { context_window: Some(9), ..ModelFacts::default() });
    assert!(of(provider, "gpt-4.1-2025-04-14").price.is_some());
    assert_eq!(of(provider, "nobody-knows"), ModelFacts::default(), "unknown stays unknown");
    assert_eq!(provider.models.len(), 4, "only what can be asked for is kept");
    assert!(provider.listed.is_empty());
}

#[test]
fn what_holds_for_all_others_comes_before_the_catalogue_too() {
    let settings = accepted(
        "providers: { o: { kind: openai, api_key: k, models: { '*': { context_window: 5 }, gpt-4o-mini: {} } } }
routes: { r: { targets: [o/gpt-4o, 'o/*'] } }
",
    );
    let provider = &settings.facts[0];
    for (model, window, priced) in
        [("gpt-4o", 5, true), ("gpt-4.1", 5, true), ("gpt-4o-mini", 128_000, true), ("nobody-knows", 5, false)]
    {
        let facts = of(provider, model);
        assert_eq!((facts.context_window, facts.price.is_some()), (Some(window), priced), "{model}");
    }
    assert_eq!(provider.models.len(), 2);
    assert!(!provider.models.contains_key("*"));
}

#[test]
fn the_catalogue_speaks_of_vendors_and_not_of_others_at_their_addresses() {
    for (kind, base_url, known) in [
        ("openai", "", true),
        ("openai", "https://api.openai.com/v1", true),
        ("openai", "https://EU.api.openai.com/v1", true),
        ("openai", "https://notapi.openai.com/v1", false),
        ("openai", "http://127.0.0.1:8000/v1", false),
        ("vllm", "", false),
    ] {
        let address = if base_url.is_empty() { String::new() } else { format!(", base_url: '{base_url}'") };
        let settings = accepted(&format!(
            "providers: {{ o: {{ kind: {kind}, api_key: k{address} }} }}\nroutes: {{ r: {{ targets: [o/gpt-4o, 'o/*'] }} }}\n"
        ));
        let provider = &settings.facts[0];
        assert_eq!(of(provider, "gpt-4o").price.is_some(), known, "{kind} {base_url}");
        assert_eq!(provider.listed.contains_key("gpt-4.1"), known, "{kind} {base_url}");
    }
}

#[test]
fn references_in_targets_are_followed_and_their_faults_are_the_routes() {
    let settings = accepted(
        "providers: { o: { kind: openai, api_key: k } }
routes: { r: { targets: ['o/${UNSET:-gpt-4o}', { target: o/gpt-4o-mini }] } }
",
    );
    assert!(["gpt-4o", "gpt-4o-mini"].iter().all(|model| of(&settings.facts[0], model).price.is_some()));
    let faults = crate::read("routes: { r: { targets: ['p/${UNSET}', 5, {}] } }").unwrap_err();
    assert_eq!(faults.len(), 3, "{faults:?}");
}

#[test]
fn providers_of_one_kind_share_what_clients_may_name() {
    let settings = accepted(
        "providers: { a: { kind: openai, api_key: k }, b: { kind: openai, api_key: l }, c: { kind: groq } }
routes: { r: { targets: [a/m] } }
direct: true
",
    );
    let [a, b, c] = &settings.facts[..] else { panic!("three") };
    assert!(Arc::ptr_eq(&a.listed, &b.listed) && a.listed.contains_key("gpt-4o"));
    assert!(!Arc::ptr_eq(&a.listed, &c.listed) && !c.listed.contains_key("gpt-4o"));
}

#[test]
fn cost_is_compared_without_a_word_of_prices() {
    accepted(
        "providers: { o: { kind: openai, api_key: k }, g: { kind: groq } }
routes: { r: { balance: cost, targets: [{ target: o/gpt-4o, priority: 1 }, { target: g/openai/gpt-oss-120b, priority: 1 }] } }
",
    );
}

#[test]
fn without_a_file_all_models_of_the_kinds_are_known() {
    let facts = zero_config(&env(&[("OPENAI_API_KEY", "k"), ("MISTRAL_API_KEY", "l")])).unwrap().facts;
    let [openai, mistral] = &facts[..] else { panic!("two") };
    assert!(of(openai, "gpt-4o-mini").price.is_some());
    let small = of(mistral, "mistral-small-latest");
    assert_eq!((small.prefill, small.price.is_some()), (Prefill::PrefixFlag, true));
    let elsewhere = env(&[("OPENAI_API_KEY", "k"), ("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")]);
    assert_eq!(zero_config(&elsewhere).unwrap().facts[0].listed.len(), 0);
}
