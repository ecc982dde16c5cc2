//! Where a configuration is looked for, and how a file is read.

use crate::{env, lines};
use config::{Format, Source, load, locate};
use std::path::{Path, PathBuf};

#[test]
fn the_first_place_that_names_a_file_wins() {
    let file = |path: &str| Source::File(PathBuf::from(path));
    let local = "./breakwater.yaml";
    let system = "/etc/breakwater/breakwater.yaml";
    for (explicit, variable, existing, expected) in [
        (Some("a.yaml"), "b.yaml", vec![local, system], file("a.yaml")),
        (None, "b.yaml", vec![local, system], file("b.yaml")),
        (None, "", vec![local, system], file(local)),
        (None, "", vec![system], file(system)),
        (None, "", vec![], Source::ZeroConfig),
    ] {
        let exists = |path: &Path| existing.iter().any(|known| Path::new(known) == path);
        let found = locate(explicit.map(Path::new), &env(&[("BREAKWATER_CONFIG", variable)]), &exists);
        assert_eq!(found, expected);
    }
}

#[test]
fn the_name_tells_the_format() {
    for (name, expected) in [
        ("a.yaml", Format::Yaml),
        ("a.json", Format::Yaml),
        ("a", Format::Yaml),
        ("a.toml", Format::Toml),
        ("A.TOML", Format::Toml),
    ] {
        assert_eq!(Format::of(Path::new(name)), expected, "{name}");
    }
}

#[test]
fn files_are_read_whole_or_not_at_all() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let toml = b"providers.p = { kind = 'simulator' }\nroutes.r.targets = ['p/m']\n";
    let mut largest = b"providers: { p: { kind: simulator } }\nroutes: { r: { targets: [p/m] } }\n#".to_vec();
    largest.resize(1 << 20, b'x');
    let mut larger = largest.clone();
    larger.push(b'x');
    for (name, content, expected) in [
        ("sound.toml", &toml[..], None),
        ("largest.yaml", &largest, None),
        ("larger.yaml", &larger, Some("larger than 1024 KiB")),
        ("binary.yaml", b"\xff\xfe", Some("is not written in UTF-8")),
        ("empty.yaml", b"", Some("the file is empty")),
    ] {
        std::fs::write(path(name), content).unwrap();
        let found = load(&path(name), &env(&[])).map(|_| ()).map_err(|faults| lines(&faults).join("\n"));
        match expected {
            None => assert_eq!(found, Ok(()), "{name}"),
            Some(expected) => assert!(found.clone().is_err_and(|text| text.contains(expected)), "{name}: {found:?}"),
        }
    }
    let missing = lines(&load(&path("missing.yaml"), &env(&[])).map(|_| ()).unwrap_err()).join("\n");
    assert!(missing.starts_with("cannot read ") && missing.contains("missing.yaml"), "{missing}");
}
