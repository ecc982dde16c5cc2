//! The JSON Schema of the config file, for editors and for people.

use crate::file::Root;
use crate::lenient::Section;
use schemars::generate::SchemaSettings;
use serde_json::Value;

/// The JSON Schema (draft 7, which editors' YAML servers speak) of the config file.
#[must_use]
pub fn schema() -> Value {
    SchemaSettings::draft07().into_generator().into_root_schema_for::<Section<Root>>().to_value()
}
