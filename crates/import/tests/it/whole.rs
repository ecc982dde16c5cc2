//! Whole files as people write them, and every finding about them.

use crate::{imported, read, tree};
use import::{Import, Status};
use serde_json::json;
use std::path::Path;

pub(crate) const SMALL_TEAM: &str = include_str!("small_team.yaml");
pub(crate) const PLATFORM: &str = include_str!("platform.yaml");
pub(crate) const CLOUDS: &str = include_str!("clouds.yaml");

/// Our file, and what is told, are those that stand beside the other's.
fn kept(name: &str, import: &Import) {
    let told: String = import.findings.iter().map(|finding| format!("{finding}\n")).collect();
    for (name, made) in [(format!("{name}.ours.yaml"), &import.file), (format!("{name}.findings.txt"), &told)] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it").join(&name);
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&path, made).unwrap();
        }
        assert_eq!(&std::fs::read_to_string(&path).unwrap(), made, "{name}; BLESS=1 writes it anew");
    }
}

#[test]
fn a_small_teams_file() {
    let import = imported(SMALL_TEAM);
    let settings = read(&import);
    let names: Vec<&str> = settings.routes.iter().map(|route| &*route.name).collect();
    assert_eq!(names, ["embeddings", "fast", "smart"]);
    assert_eq!(settings.callers.len(), 1);
    kept("small_team", &import);
}

#[test]
fn a_file_of_clouds() {
    let import = imported(CLOUDS);
    assert_eq!(read(&import).providers.len(), tree(&import)["providers"].as_object().unwrap().len());
    assert!(!import.file.contains("sk-") && import.findings.iter().all(|finding| !finding.to_string().contains("sk-")));
    kept("clouds", &import);
}

#[test]
fn a_platforms_file() {
    let import = imported(PLATFORM);
    read(&import);
    let tree = tree(&import);
    let kinds: Vec<_> =
        tree["providers"].as_object().unwrap().values().map(|provider| provider["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds.len(), 7, "{kinds:?}");
    for kind in ["anthropic", "azure_openai", "bedrock", "gemini", "ollama_native", "vertex"] {
        assert!(kinds.contains(&kind), "{kind}");
    }
    assert_eq!(tree["routes"]["gpt-4o"]["retry"]["max_attempts"], json!(5));
    let count = |status: Status| import.findings.iter().filter(|finding| finding.status == status).count();
    let counts = [Status::Exact, Status::Approximate, Status::Manual, Status::Unsupported].map(count);
    assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
    assert!(!import.is_exact());
    assert!(!import.file.contains("sk-") && import.findings.iter().all(|finding| !finding.to_string().contains("sk-")));
}
