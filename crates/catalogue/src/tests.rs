//! The shipped file, and lookups in it and in a small one.

use super::{Catalogue, Entry, FILE, Facts, File, Models};
use llm::{Capabilities, Capability, Price};
use std::collections::BTreeMap;

const SMALL: &str = r#"{
    "a": { "price": { "in": 1, "out": 2, "cached": 0.1 }, "context": 1000, "can": "tools prefill", "cannot": "vision" },
    "a-2024-01-01": { "context": 1 },
    "b-20240101": { "context": 10 },
    "b-20250101": { "context": 20 },
    "b-mini-20260101": { "context": 30 },
    "vendor.c-v1:0": { "context": 40, "price": { "in": 3 } },
    "eu.vendor.c-v1:0": { "context": 50 },
    "ft:a": { "context": 60 }
}"#;

fn small() -> Models {
    Models::new(serde_json::from_str(SMALL).unwrap())
}

#[test]
fn a_model_is_found_under_its_names() {
    let models = small();
    for (name, window) in [
        ("a", Some(1000)),
        ("a-2024-01-01", Some(1)),
        ("a-2024-12-31", Some(1000)),
        ("a-latest", Some(1000)),
        ("b", Some(20)),
        ("b-latest", Some(20)),
        ("b-20250101", Some(20)),
        ("b-20230101", None),
        ("b-mini", Some(30)),
        ("b-min", None),
        ("vendor.c-v1:0", Some(40)),
        ("vendor.c", Some(40)),
        ("us.vendor.c-v1:0", Some(40)),
        ("eu.vendor.c-v1:0", Some(50)),
        ("arn:aws:bedrock:us-east-1:1:inference-profile/eu.vendor.c-v1:0", Some(50)),
        ("us-gov.vendor.c-v1:0", None),
        ("ft:a:mine::1", Some(60)),
        ("ft:b:mine::1", None),
        ("A", None),
        ("", None),
    ] {
        assert_eq!(models.of(name).and_then(|facts| facts.context_window), window, "{name}");
    }
}

#[test]
fn what_is_absent_is_unknown() {
    let models = small();
    let capabilities = Capabilities::default().with(Capability::Tools, true).with(Capability::Vision, false);
    let price = Price { input: 1.0, output: 2.0, cached_input: Some(0.1), cache_write: None };
    let a = Facts {
        price: Some(price),
        context_window: Some(1000),
        max_output_tokens: None,
        prefill: Some(true),
        capabilities,
    };
    assert_eq!(models.of("a"), Some(a));
    assert_eq!(models.of("ft:a"), Some(Facts { context_window: Some(60), ..Facts::default() }));
    assert_eq!(models.of("vendor.c").unwrap().price, Some(Price { input: 3.0, ..Price::default() }));
    assert_eq!(Catalogue::default().models("no-such-kind").iter().count(), 0);
}

#[test]
fn the_shipped_file_is_sound() {
    let file: File = serde_json::from_str(FILE).unwrap();
    assert!(FILE.len() < 400 << 10, "modest: {} bytes", FILE.len());
    for (kind, part) in file.kinds {
        let entries: BTreeMap<&str, Entry> = serde_json::from_str(part.get()).unwrap();
        let models = Models::new(entries);
        assert!(models.iter().count() > 0, "{kind}");
        for (name, entry) in models.entries() {
            let facts = entry.facts();
            assert_eq!(models.of(name), Some(facts), "{kind}/{name}");
            assert!(facts != Facts::default(), "{kind}/{name}: says nothing");
            let unknown = entry.words().find(|word| *word != "prefill" && Capability::from_word(word).is_none());
            assert_eq!(unknown, None, "{kind}/{name}");
            let counts = [facts.context_window, facts.max_output_tokens];
            assert!(!counts.contains(&Some(0)), "{kind}/{name}");
            let free = facts.price.is_some_and(|price| price.input <= 0.0);
            assert!(!free || kind == "ollama", "{kind}/{name}: a zero that is no price");
        }
    }
}

#[test]
fn well_known_models_are_known() {
    let mut catalogue = Catalogue::default();
    for (kind, model, input) in [
        ("openai", "gpt-4o-mini", 0.15),
        ("openai", "gpt-4o-mini-2024-07-18", 0.15),
        ("azure_openai", "gpt-4o-mini", 0.15),
        ("anthropic", "claude-haiku-4-5", 1.0),
        ("anthropic", "claude-haiku-4-5-20251001", 1.0),
        ("bedrock", "anthropic.claude-haiku-4-5-20251001-v1:0", 1.0),
        ("bedrock", "global.anthropic.claude-haiku-4-5-20251001-v1:0", 1.0),
        ("gemini", "gemini-2.5-flash", 0.3),
        ("vertex", "gemini-2.5-flash", 0.3),
        ("vertex", "claude-haiku-4-5@20251001", 1.0),
        ("openai", "text-embedding-3-small", 0.02),
    ] {
        let facts = catalogue.models(kind).of(model);
        let price = facts.and_then(|facts| facts.price).map(|price| price.input);
        assert_eq!(price, Some(input), "{kind}/{model}");
        assert!(facts.is_some_and(|facts| facts.context_window.is_some()), "{kind}/{model}");
    }
    let haiku = catalogue.models("anthropic").of("claude-haiku-4-5").unwrap();
    assert_eq!(haiku.capabilities.of(Capability::Tools), Some(true));
    assert_eq!(haiku.price.and_then(|price| price.cached_input), Some(0.1));
}
