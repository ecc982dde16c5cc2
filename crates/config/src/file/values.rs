//! Single values of the file: secrets, durations, sizes, shares.
//!
//! Must never be here: what they are for, `Debug` (literal secrets stand in these types).

use crate::lenient::Shape;
use schemars::JsonSchema;
use serde::Deserialize;

/// A secret, best kept outside the file: `${NAME}`, `{env: NAME}` or `{file: PATH}`.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Secret {
    Text(String),
    Env(EnvSecret),
    File(FileSecret),
}

/// A secret in a variable.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EnvSecret {
    /// The variable's name.
    pub(crate) env: String,
}

/// A secret in a file.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileSecret {
    /// The file's path; a newline at its end is not part of the secret.
    pub(crate) file: String,
}

/// A duration with its unit: 500ms, 2s, 1m30s, 1h.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "Duration", extend("pattern" = r"^([0-9]+(ms|s|m|h))+$|\$\{|^os\.environ/"))]
pub(crate) struct Span(pub(crate) String);

/// A size with its unit: 64KiB, 16MiB, 10MB, 1GiB.
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("pattern" = r"^[0-9]+([KMG]i?)?B$|\$\{|^os\.environ/"))]
pub(crate) struct Size(pub(crate) String);

/// A share, in percent or as a number from 0 to 1: 20%, 0.2.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Share {
    /// In percent.
    #[schemars(extend("pattern" = r"^[0-9]+(\.[0-9]+)?%?$|\$\{|^os\.environ/"))]
    Text(String),
    /// As a number.
    Number(#[schemars(range(min = 0, max = 1))] f64),
}

impl Shape for Secret {
    const EXPECTED: &'static str = "text, {env: NAME} or {file: PATH}";
}
impl Shape for Span {
    const EXPECTED: &'static str = "a duration with its unit (500ms, 2s, 1m30s, 1h)";
}
impl Shape for Size {
    const EXPECTED: &'static str = "a size with its unit (64KiB, 16MiB, 10MB, 1GiB)";
}
impl Shape for Share {
    const EXPECTED: &'static str = "a share (20% or 0.2)";
}
