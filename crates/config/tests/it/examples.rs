//! The example files load, and the published schema is the one the code has.

use crate::{env, lines};
use config::{load, schema};
use std::path::{Path, PathBuf};

const HEAD: &str = "# yaml-language-server: $schema=./schema.json\n";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config")
}

#[test]
fn every_example_loads_without_faults_or_warnings() {
    let variables = [
        ("OPENAI_API_KEY", "sk-1"),
        ("MISTRAL_API_KEY", "sk-2"),
        ("GROQ_API_KEY", "sk-3"),
        ("OPENAI_KEY_1", "sk-4"),
        ("OPENAI_KEY_2", "sk-5"),
        ("BREAKWATER_ADMIN_TOKEN", "admin-token"),
        ("APP_KEY", "app-key-1"),
        ("BATCH_KEY", "batch-key-1"),
        ("CHECKS_TOKEN", "checks-token-1"),
    ];
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name == "schema.json" {
            continue;
        }
        let settings = load(&path, &env(&variables)).map_err(|faults| lines(&faults)).expect(&name);
        assert_eq!(lines(&settings.warnings), [""; 0], "{name}");
        assert!(std::fs::read_to_string(&path).unwrap().starts_with(HEAD), "{name} names its schema");
        names.push(name);
    }
    names.sort();
    assert_eq!(
        names,
        [
            "callers.yaml",
            "contracts.yaml",
            "demo-simulator.yaml",
            "failover.yaml",
            "local.yaml",
            "minimal.yaml",
            "resilience.yaml"
        ]
    );
}

/// `BLESS=1 cargo test -p config` writes it anew.
#[test]
fn the_committed_schema_is_the_codes() {
    let path = folder().join("schema.json");
    let current = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &current).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == current, "config/schema.json is out of date: run BLESS=1 cargo test -p config");
}

#[test]
fn the_schema_shows_plain_types_and_closed_mappings() {
    let schema = schema();
    assert_eq!(schema["title"], "Breakwater configuration");
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(schema["properties"]["open"]["type"], "boolean");
    assert_eq!(schema["properties"]["listen"]["type"], "string");
    let definitions = schema["definitions"].as_object().unwrap();
    for (name, definition) in definitions {
        let mapping = definition["type"] == "object";
        assert!(!mapping || definition["additionalProperties"] == false, "{name} is open");
        assert!(!name.contains("Lenient") && !name.contains("Section"), "{name}");
        assert!(definition["description"].is_string(), "{name} says what it is");
    }
    assert!(definitions.contains_key("Route"));
}
