//! The form of an answer.
//!
//! Must never be here: whether an answer has it.

use super::ids::fitting;
use crate::Unsayable;
use crate::hints::unsayable;
use crate::thin::as_object;
use llm::Format;
use serde::Serialize;
use std::borrow::Cow;

/// The field that says it, and how hard the model is to try.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OutputConfig<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    text_format: Option<TextFormat<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    effort: Option<Cow<'a, str>>,
}

#[derive(Debug, Serialize)]
struct TextFormat<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    structure: Structure<'a>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
enum Structure<'a> {
    JsonSchema {
        /// The schema, as text.
        schema: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<Cow<'a, str>>,
    },
}

/// Says which form is asked for; nothing where none is. One that the provider need not hold to is asked for in words.
///
/// # Errors
/// A schema that is no object.
pub(super) fn output<'a>(
    format: &'a Format,
    effort: Option<Cow<'a, str>>,
) -> Result<Option<OutputConfig<'a>>, Unsayable> {
    let text_format = match format {
        Format::JsonSchema(demanded) if demanded.strict => {
            if as_object(&demanded.schema).is_none() {
                return Err(unsayable("response_format", "holds a schema that is no object"));
            }
            let name = (!demanded.name.is_empty()).then(|| fitting(&demanded.name));
            let structure = Structure::JsonSchema { schema: &demanded.schema, name };
            Some(TextFormat { kind: "json_schema", structure })
        }
        Format::Text | Format::JsonObject | Format::JsonSchema(_) => None,
    };
    let said = text_format.is_some() || effort.is_some();
    Ok(said.then_some(OutputConfig { text_format, effort }))
}
