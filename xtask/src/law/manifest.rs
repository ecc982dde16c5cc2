//! What the law reads from a Cargo.toml: the name, the dependencies, the lints.

use super::Breach;
use super::tree::Tree;
use toml::{Table, Value};

/// One package of the workspace.
#[derive(Debug)]
pub(super) struct Manifest {
    pub(super) path: String,
    pub(super) name: String,
    pub(super) dependencies: Vec<Dependency>,
    pub(super) workspace_lints: bool,
}

/// One line of a dependency table.
#[derive(Debug)]
pub(super) struct Dependency {
    /// The package's own name, whatever it is called here.
    pub(super) name: String,
    /// Only for tests and benches.
    pub(super) dev: bool,
    /// Features named in this manifest, not those of the workspace table.
    pub(super) features: Vec<String>,
}

impl Manifest {
    /// Packages of the product obey floors and bans; xtask, the fuzz targets and the black-box tests stand outside.
    pub(super) fn is_product(&self) -> bool {
        self.path.starts_with("crates/")
    }
}

/// Every package manifest, and a breach for each that cannot be read.
pub(super) fn read_all(tree: &Tree) -> (Vec<Manifest>, Vec<Breach>) {
    let mut manifests = Vec::new();
    let mut breaches = Vec::new();
    for (path, text) in tree.iter().filter(|(path, _)| path.ends_with("/Cargo.toml")) {
        match text.parse::<Table>() {
            Ok(table) => manifests.extend(read(path, &table)),
            Err(error) => breaches.push(Breach::new(path, format!("not TOML: {}", error.message()))),
        }
    }
    (manifests, breaches)
}

fn read(path: &str, table: &Table) -> Option<Manifest> {
    let name = table.get("package")?.get("name")?.as_str()?.to_owned();
    let platforms = table.get("target").and_then(Value::as_table).into_iter().flat_map(|targets| targets.values());
    let scopes = platforms.filter_map(Value::as_table).chain([table]);
    let workspace_lints = table.get("lints").and_then(|lints| lints.get("workspace")).and_then(Value::as_bool);
    Some(Manifest {
        path: path.to_owned(),
        name,
        dependencies: scopes.flat_map(dependencies).collect(),
        workspace_lints: workspace_lints == Some(true),
    })
}

fn dependencies(scope: &Table) -> Vec<Dependency> {
    [("dependencies", false), ("build-dependencies", false), ("dev-dependencies", true)]
        .into_iter()
        .filter_map(|(table, dev)| Some((scope.get(table)?.as_table()?, dev)))
        .flat_map(|(table, dev)| table.iter().map(move |(name, value)| dependency(name, value, dev)))
        .collect()
}

fn dependency(name: &str, value: &Value, dev: bool) -> Dependency {
    let package = value.get("package").and_then(Value::as_str).unwrap_or(name);
    let features = value.get("features").and_then(Value::as_array).into_iter().flatten();
    Dependency {
        name: package.to_owned(),
        dev,
        features: features.filter_map(Value::as_str).map(str::to_owned).collect(),
    }
}

#[cfg(test)]
pub(super) fn one(path: &str, text: &str) -> Vec<Manifest> {
    let (manifests, breaches) = read_all(&Tree::of(&[(path, text)]));
    assert!(breaches.is_empty(), "{breaches:?}");
    manifests
}

#[cfg(test)]
mod tests {
    use super::{Tree, one, read_all};

    #[test]
    fn finds_dependencies_of_every_table_under_their_real_names() {
        let manifests = one(
            "crates/llm/Cargo.toml",
            "[package]\nname = 'llm'\n[dependencies]\na = '1'\nalias = { package = 'b', version = '1', features = ['x'] }\n\
             [build-dependencies]\nc = '1'\n[dev-dependencies]\nd = '1'\n[target.'cfg(unix)'.dependencies]\ne.workspace = true\n",
        );
        let found: Vec<_> = manifests[0].dependencies.iter().map(|dep| (dep.name.as_str(), dep.dev)).collect();
        assert_eq!(found, [("e", false), ("a", false), ("b", false), ("c", false), ("d", true)]);
    }

    #[test]
    fn an_unreadable_manifest_is_a_breach() {
        let (_, breaches) = read_all(&Tree::of(&[("crates/llm/Cargo.toml", "[package")]));
        assert_eq!(breaches.len(), 1);
    }
}
