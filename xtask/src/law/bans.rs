//! Which outside crates a room may name, and that every package keeps the workspace's lints.

use super::Breach;
use super::manifest::{Dependency, Manifest};

/// Decided purely, tested without a runtime: neither async nor HTTP servers, in tests either.
const PURE: &[&str] = &["llm", "catalogue", "dialects", "contracts", "routing"];
const NOT_IN_PURE: &[&str] = &["tokio", "hyper", "hyper-util", "axum", "axum-core", "tower"];

/// One home for each of these, whatever the kind of dependency.
const HOMES: &[(&str, &[&str])] = &[
    ("axum", &["server"]),
    ("tower-http", &["server"]),
    ("prometheus", &["telemetry"]),
    ("hyper-rustls", &["upstream"]),
    ("rustls", &["upstream"]),
    ("libfuzzer-sys", &["fuzz"]),
];

/// Every ban broken by a manifest.
pub(super) fn check(manifests: &[Manifest]) -> Vec<Breach> {
    manifests.iter().flat_map(of_one).collect()
}

fn of_one(manifest: &Manifest) -> Vec<Breach> {
    let mut breaches = Vec::new();
    if !manifest.workspace_lints {
        breaches.push("lacks `[lints] workspace = true`".to_owned());
    }
    if manifest.is_product() {
        for dependency in &manifest.dependencies {
            breaches.extend(banned_when_pure(&manifest.name, dependency));
            breaches.extend(away_from_home(&manifest.name, dependency));
            breaches.extend(client_features(&manifest.name, dependency));
        }
    }
    breaches.into_iter().map(|what| Breach::new(&manifest.path, what)).collect()
}

fn banned_when_pure(room: &str, dependency: &Dependency) -> Option<String> {
    let banned = PURE.contains(&room) && NOT_IN_PURE.contains(&dependency.name.as_str());
    banned.then(|| format!("`{room}` is pure and may not name `{}`", dependency.name))
}

fn away_from_home(room: &str, dependency: &Dependency) -> Option<String> {
    let (name, homes) = HOMES.iter().find(|(name, _)| *name == dependency.name)?;
    (!homes.contains(&room)).then(|| format!("only {} may name `{name}`", homes.join(" and ")))
}

/// The workspace table may carry client features for all; what a room asks for itself shows what it wants.
fn client_features(room: &str, dependency: &Dependency) -> Option<String> {
    let http = matches!(dependency.name.as_str(), "hyper" | "hyper-util");
    let wants = dependency.features.iter().any(|feature| feature.starts_with("client"));
    let breach = http && wants && !dependency.dev && room != "upstream";
    breach.then(|| format!("only upstream may ask `{}` for a client", dependency.name))
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::law::manifest::one;

    fn breaches(path: &str, dependencies: &str) -> usize {
        let name = path.rsplit('/').next().unwrap();
        let text = format!("[package]\nname = '{name}'\n[lints]\nworkspace = true\n{dependencies}\n");
        check(&one(&format!("{path}/Cargo.toml"), &text)).len()
    }

    #[test]
    fn bans_by_room() {
        for (path, dependencies, expected) in [
            ("crates/llm", "[dependencies]\ntokio.workspace = true", 1),
            ("crates/routing", "[dev-dependencies]\ntokio.workspace = true", 1),
            ("crates/engine", "[dependencies]\ntokio.workspace = true", 0),
            ("crates/server", "[dependencies]\naxum.workspace = true", 0),
            ("crates/simulator", "[dependencies]\naxum.workspace = true", 1),
            ("crates/engine", "[dependencies]\nprometheus.workspace = true", 1),
            ("crates/server", "[dependencies]\nhyper-rustls.workspace = true", 1),
            ("crates/upstream", "[dependencies]\nrustls.workspace = true", 0),
            ("crates/server", "[dependencies]\nrustls.workspace = true", 1),
            ("crates/server", "[dependencies]\nhyper-util = { workspace = true, features = ['client-legacy'] }", 1),
            ("crates/server", "[dev-dependencies]\nhyper-util = { workspace = true, features = ['client-legacy'] }", 0),
            ("crates/upstream", "[dependencies]\nhyper-util = { workspace = true, features = ['client-legacy'] }", 0),
            ("crates/contracts", "[dev-dependencies]\nlibfuzzer-sys.workspace = true", 1),
            ("fuzz", "[target.'cfg(fuzzing)'.dependencies]\nlibfuzzer-sys.workspace = true", 0),
            ("xtask", "[dependencies]\naxum.workspace = true", 0),
        ] {
            assert_eq!(breaches(path, dependencies), expected, "{path}: {dependencies}");
        }
    }

    #[test]
    fn lints_are_the_workspaces() {
        for lints in ["", "[lints]\nworkspace = false", "[lints.rust]\nunsafe_code = 'allow'"] {
            let text = format!("[package]\nname = 'xtask'\n{lints}\n");
            assert_eq!(check(&one("xtask/Cargo.toml", &text)).len(), 1, "{lints}");
        }
    }
}
