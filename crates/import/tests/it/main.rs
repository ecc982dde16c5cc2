//! What LiteLLM's files come to: small ones field by field, and whole ones, all of which our own reader accepts.

// Clippy knows test functions, but not the functions they share.
#![allow(clippy::expect_used, clippy::unwrap_used)]

mod cases;
mod faults;
mod walk;
mod whole;

use config::{Format, Settings};
use import::{Import, Status};
use serde_json::Value;

fn imported(text: &str) -> Import {
    import::litellm(text).expect(text)
}

/// Our file as a tree.
fn tree(import: &Import) -> Value {
    serde_saphyr::from_str(&import.file).expect(&import.file)
}

/// What our own reader makes of the file.
fn read(import: &Import) -> Settings {
    let variable = |name: &str| {
        let value = match name {
            "GOOGLE_CLOUD_PROJECT" | "PROJECT" => "a-project",
            "GOOGLE_CLOUD_LOCATION" => "global",
            "AWS_REGION" => "eu-west-1",
            "VERTEX_JSON" => concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/person.json"),
            _ => "https://a-value-of-some-length.example.com/v1",
        };
        Some(value.to_owned())
    };
    let settings = config::parse(&import.file, Format::Yaml, &variable);
    settings.map_err(|faults| config::render(&faults, &[])).expect(&import.file)
}

/// The findings that are about this place, in short.
fn found(import: &Import, from: &str) -> Vec<(Status, String)> {
    let about = import.findings.iter().filter(|finding| finding.from == from);
    about.map(|finding| (finding.status, finding.to.clone())).collect()
}
