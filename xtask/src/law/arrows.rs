//! Which crate may depend on which: arrows point to a lower floor, and nowhere else.

use super::Breach;
use super::manifest::{Dependency, Manifest};

/// The house, floor by floor. A new crate gets its floor here before it gets its first line.
const FLOORS: &[(&str, u8)] = &[
    ("llm", 1),
    ("resilience", 1),
    ("catalogue", 2),
    ("dialects", 2),
    ("contracts", 2),
    ("admission", 2),
    ("routing", 2),
    ("upstream", 2),
    ("engine", 3),
    ("slo", 3),
    ("store", 3),
    ("telemetry", 4),
    ("config", 4),
    ("server", 5),
    ("import", 5),
    ("breakwater", 6),
];

/// Arrows along a floor, each with its reason.
const ALONG_A_FLOOR: &[(&str, &str)] = &[
    // Gates are told verdicts and priorities, which are nouns.
    ("resilience", "llm"),
    // A provider's oddities are data of its dialect, and a preset of upstream names them.
    ("upstream", "dialects"),
];

/// Stands alone: it shares no code with what it tests, and only the command line starts it.
const SIMULATOR: &str = "simulator";

/// Stands outside: it may use every crate, and no build needs it.
const FUZZ: &str = "fuzz";

/// Names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] = &["common", "utils", "util", "core", "types", "helpers"];

/// Every arrow that points where it may not, and every crate without a place. Tests may depend on anything.
pub(super) fn check(manifests: &[Manifest]) -> Vec<Breach> {
    manifests.iter().filter(|manifest| manifest.is_product()).flat_map(of_one).collect()
}

fn of_one(manifest: &Manifest) -> Vec<Breach> {
    let at = |what: String| Breach::new(&manifest.path, what);
    if EMPTY_NAMES.contains(&manifest.name.as_str()) {
        return vec![at(format!("`{}` says nothing; name the crate after what lives in it", manifest.name))];
    }
    if manifest.name != SIMULATOR && floor(&manifest.name).is_none() {
        return vec![at(format!("`{}` has no floor; give it one in the law", manifest.name))];
    }
    let arrows = manifest.dependencies.iter().filter(|dependency| !dependency.dev);
    arrows.filter_map(|to| forbidden(&manifest.name, to)).map(at).collect()
}

fn forbidden(from: &str, to: &Dependency) -> Option<String> {
    let to = to.name.as_str();
    if to == SIMULATOR {
        return (from != "breakwater").then(|| "only breakwater starts the simulator".to_owned());
    }
    if to == FUZZ {
        return Some("nothing is built on the fuzz targets".to_owned());
    }
    let target = floor(to)?;
    let Some(own) = floor(from) else {
        return Some(format!("the simulator stands alone and may not use `{to}`"));
    };
    if target < own || ALONG_A_FLOOR.contains(&(from, to)) {
        return None;
    }
    Some(format!("`{from}` (floor {own}) may not depend on `{to}` (floor {target}): arrows point down"))
}

/// The floor of a product crate; `None` for the simulator and for crates from outside.
fn floor(name: &str) -> Option<u8> {
    FLOORS.iter().find(|(known, _)| *known == name).map(|(_, floor)| *floor)
}

/// Names of the product's crates, for rules that need to know one when they see it.
pub(super) fn crates() -> impl Iterator<Item = &'static str> {
    FLOORS.iter().map(|(name, _)| *name).chain([SIMULATOR])
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::law::manifest::one;

    fn breaches(from: &str, table: &str, to: &str) -> usize {
        let text = format!("[package]\nname = '{from}'\n[{table}]\n{to}.workspace = true\n");
        check(&one(&format!("crates/{from}/Cargo.toml"), &text)).len()
    }

    #[test]
    fn arrows_point_down() {
        for (from, to, expected) in [
            ("engine", "upstream", 0),
            ("server", "engine", 0),
            ("engine", "server", 1),
            ("routing", "admission", 1),
            ("telemetry", "config", 1),
            ("upstream", "dialects", 0),
            ("dialects", "upstream", 1),
            ("llm", "bytes", 0),
            ("simulator", "llm", 1),
            ("server", "simulator", 1),
            ("breakwater", "simulator", 0),
            ("contracts", "fuzz", 1),
            ("breakwater", "fuzz", 1),
        ] {
            assert_eq!(breaches(from, "dependencies", to), expected, "{from} -> {to}");
        }
    }

    #[test]
    fn tests_may_depend_on_anything_but_builds_may_not() {
        assert_eq!(breaches("engine", "dev-dependencies", "simulator"), 0);
        assert_eq!(breaches("engine", "build-dependencies", "server"), 1);
    }

    #[test]
    fn a_crate_needs_a_floor_and_a_name_that_says_something() {
        for (name, expected) in [("utils", 1), ("core", 1), ("newcomer", 1), ("slo", 0)] {
            assert_eq!(breaches(name, "dependencies", "bytes"), expected, "{name}");
        }
    }
}
