//! JSON Schema, 2020-12 and draft-07 among others, within bounds.
//!
//! Receives schemas as text; hands on what a value lacks. The validator is a crate's; here it is wrapped, so that
//! nothing is fetched, every pattern is linear, and no schema costs more than it may.
//! Must never be here: where a schema comes from, which text it is for.

mod cache;
mod growth;
mod survey;

pub use cache::Schemas;

use crate::finding::{Code, shortened};
use crate::json::Json;
use growth::Growth;
use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::{JsonType, PatternOptions, ValidationError, Validator};
use serde_json::Value;
use std::fmt;
use survey::Survey;

/// The longest schema, in bytes.
const MAX_BYTES: usize = 64 << 10;
/// The deepest nesting of a schema.
const MAX_DEPTH: u32 = 32;
/// The most that one pattern of a schema may take compiled, in bytes.
const PATTERN_BYTES: usize = 256 << 10;
/// The most visits of a value by a part of a schema, in one judgement: some 50 ms.
const MAX_VISITS: u64 = 2_000_000;
/// The most flaws told of one value.
const MAX_FLAWS: usize = 8;

/// Why a schema cannot be used, in words that complete "the schema ...".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable(pub(crate) String);

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the schema {}", self.0)
    }
}

impl std::error::Error for Unusable {}

/// A schema, compiled.
#[derive(Debug)]
pub(crate) struct Schema {
    validator: Validator,
    growth: Growth,
}

/// What a value lacks, and where.
#[derive(Debug)]
pub(crate) struct Flaw {
    pub(crate) code: Code,
    pub(crate) pointer: String,
    pub(crate) message: String,
    /// Nothing but a number may stand there.
    pub(crate) number: bool,
}

impl Schema {
    /// Compiles a schema.
    pub(crate) fn compile(text: &str) -> Result<Self, Unusable> {
        let unusable = |why: &str| Unusable(why.to_owned());
        if text.len() > MAX_BYTES {
            return Err(unusable("is longer than 64 KiB"));
        }
        let mut scanner = crate::scan::Scanner::default();
        scanner.push(text.as_bytes());
        if scanner.height() > MAX_DEPTH {
            return Err(unusable("nests deeper than 32 levels"));
        }
        let root: Value = serde_json::from_str(text).map_err(|error| Unusable(format!("is no JSON: {error}")))?;
        let survey = Survey::of(&root)?;
        let growth = Growth::of(&survey)?;
        let patterns = PatternOptions::regex().size_limit(PATTERN_BYTES).dfa_size_limit(PATTERN_BYTES);
        // A format is a note to the reader, as the newer drafts have it: which ones are known differs from one
        // validator to the next.
        let options = jsonschema::options().with_pattern_options(patterns).should_validate_formats(false);
        let validator = options
            .build(&root)
            .map_err(|error| Unusable(shortened(format!("does not compile: {}", error.masked()), 300)))?;
        Ok(Self { validator, growth })
    }

    /// What `json` lacks; nothing where it satisfies the schema.
    pub(crate) fn flaws(&self, json: &Json) -> Vec<Flaw> {
        if self.visits(json) > MAX_VISITS {
            let message = "The JSON is too large to be judged by this schema.".to_owned();
            return vec![Flaw { code: Code::JsonTooLarge, pointer: String::new(), message, number: false }];
        }
        if self.validator.is_valid(&json.value) {
            return Vec::new();
        }
        self.validator.iter_errors(&json.value).take(MAX_FLAWS).map(|error| flaw(&error)).collect()
    }

    /// Whether a value satisfies the schema; `false` where that would cost too much.
    pub(crate) fn accepts(&self, json: &Json) -> bool {
        self.visits(json) <= MAX_VISITS && self.validator.is_valid(&json.value)
    }

    fn visits(&self, json: &Json) -> u64 {
        // Strings count by their length: patterns read them.
        let parts = json.values.saturating_add(json.bytes as u64 / 64);
        parts.saturating_mul(self.growth.most(json.height))
    }
}

fn flaw(error: &ValidationError<'_>) -> Flaw {
    let code = match error.kind() {
        Kind::Required { .. } => Code::MissingField,
        Kind::AdditionalProperties { .. } | Kind::UnevaluatedProperties { .. } | Kind::PropertyNames { .. } => {
            Code::UnexpectedField
        }
        Kind::Type { .. } => Code::WrongType,
        Kind::Enum { .. } | Kind::Constant { .. } => Code::WrongValue,
        _ => Code::SchemaMismatch,
    };
    let pointer = error.instance_path().as_str().to_owned();
    let found = if code == Code::WrongType { format!(" (it is {})", kind(error.instance())) } else { String::new() };
    let number = matches!(error.kind(), Kind::Type { kind: TypeKind::Single(JsonType::Number | JsonType::Integer) });
    Flaw { code, pointer, number, message: format!("{}{found}.", shortened(error.masked().to_string(), 300)) }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests;
