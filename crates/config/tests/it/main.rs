//! The config file as its users know it: text in, settings or faults out.

// Clippy knows test functions, but not the functions they share.
#![allow(clippy::expect_used, clippy::unwrap_used)]

mod amazon;
mod catalogue;
mod clouds;
mod contracts;
mod examples;
mod resilience;
mod resilience_rules;
mod rules;
mod sources;
mod values;
mod webhooks;
mod zero;

use config::{Fault, Format, Settings, parse};

/// An environment of a few variables.
fn env<'a>(variables: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
    move |name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
}

const VARIABLES: &[(&str, &str)] = &[
    ("SECRET", "resolved-secret-1"),
    ("SHORT", "abc"),
    ("NEWLINE", "resolved\nsecret"),
    ("EMPTY", ""),
    ("GROQ_API_KEY", "groq-key-1"),
    ("MISTRAL_API_KEY", "bad\nkey"),
];

/// Reads YAML; sections that the case is not about are supplied.
fn read(yaml: &str) -> Result<Settings, Vec<Fault>> {
    let mut text = String::new();
    let says = |section| yaml.lines().any(|line| line.starts_with(section));
    if !says("providers:") {
        text.push_str("providers: { p: { kind: simulator }, q: { kind: simulator } }\n");
    }
    if !says("routes:") {
        text.push_str("routes: { r: { targets: [p/m] } }\n");
    }
    parse(&(text + yaml), Format::Yaml, &env(VARIABLES))
}

/// The settings that YAML like that comes to.
fn accepted(yaml: &str) -> Settings {
    read(yaml).map_err(|faults| lines(&faults)).expect(yaml)
}

fn lines(faults: &[Fault]) -> Vec<String> {
    faults.iter().map(ToString::to_string).collect()
}
