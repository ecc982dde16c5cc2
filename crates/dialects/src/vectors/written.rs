//! A provider's request for vectors.
//!
//! Must never be here: what a client wrote.

use super::asked::Wanted;
use crate::literal::{to_vec, words};
use crate::{Unsayable, Written};
use llm::{Api, Dialect, Operation, Vectors};
use serde::Serialize;

/// What Cohere wants to know of every text; of several, that it is to be found (Cohere's own name for documents).
const DOCUMENT: &str = "search_document";

/// Writes `wanted` for whoever speaks `api`.
///
/// # Errors
/// An API that gives no vectors.
pub(super) fn write(wanted: &Wanted, api: Api, model: &str) -> Result<Written, Unsayable> {
    let Wanted { texts, dimensions, purpose, hints } = wanted;
    let mut left_out = hints.clone();
    let texts: Vec<Text<'_>> = texts.iter().map(|text| Text(text)).collect();
    let untold = |left_out: &mut Vec<String>| left_out.extend(purpose.as_ref().map(|(name, _)| (*name).to_owned()));
    let body = match api {
        Api::Shared(Dialect::Other(Operation::Embeddings)) => {
            untold(&mut left_out);
            to_vec(&OpenAi { model, input: texts, dimensions: *dimensions, encoding_format: "float" })
        }
        Api::Shared(Dialect::Other(Operation::GeminiBatchEmbed)) => {
            let (model, purpose) = (format!("models/{model}"), purpose.as_ref().map(|(_, word)| word.as_str()));
            let requests = texts.into_iter().map(|text| Gemini {
                model: &model,
                content: Content { parts: [Part { text }] },
                task_type: purpose,
                output_dimensionality: *dimensions,
            });
            to_vec(&Batch { requests: requests.collect() })
        }
        Api::Vectors(Vectors::Cohere) => {
            let known = purpose.as_ref().and_then(|(_, word)| of_cohere(word));
            if known.is_none() {
                untold(&mut left_out);
            }
            let input_type = known.unwrap_or(DOCUMENT);
            to_vec(&Cohere { model, texts, input_type, embedding_types: ["float"], output_dimension: *dimensions })
        }
        Api::Vectors(Vectors::Ollama) => {
            untold(&mut left_out);
            to_vec(&Ollama { model, input: texts, dimensions: *dimensions })
        }
        Api::Shared(_) | Api::Cohere | Api::Ollama | Api::Bedrock | Api::BedrockCount => {
            return Err(Unsayable { field: "model".into(), why: "has no provider that gives vectors".into() });
        }
    };
    // Maps with names that are no texts, which alone cannot be written, do not occur.
    Ok(Written { body: body.unwrap_or_default().into(), left_out })
}

/// Cohere's word for what vectors are for.
fn of_cohere(purpose: &str) -> Option<&'static str> {
    Some(match purpose {
        "RETRIEVAL_DOCUMENT" => DOCUMENT,
        "RETRIEVAL_QUERY" | "QUESTION_ANSWERING" | "FACT_VERIFICATION" | "CODE_RETRIEVAL_QUERY" => "search_query",
        "CLASSIFICATION" => "classification",
        "CLUSTERING" => "clustering",
        _ => return None,
    })
}

/// A text, which may be long.
#[derive(Serialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(serialize_with = "words")] &'a str);

#[derive(Serialize)]
struct OpenAi<'a> {
    model: &'a str,
    input: Vec<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dimensions: Option<u64>,
    encoding_format: &'static str,
}

#[derive(Serialize)]
struct Batch<'a> {
    requests: Vec<Gemini<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Gemini<'a> {
    model: &'a str,
    content: Content<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_dimensionality: Option<u64>,
}

#[derive(Serialize)]
struct Content<'a> {
    parts: [Part<'a>; 1],
}

#[derive(Serialize)]
struct Part<'a> {
    text: Text<'a>,
}

#[derive(Serialize)]
struct Cohere<'a> {
    model: &'a str,
    texts: Vec<Text<'a>>,
    input_type: &'static str,
    embedding_types: [&'static str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    output_dimension: Option<u64>,
}

#[derive(Serialize)]
struct Ollama<'a> {
    model: &'a str,
    input: Vec<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dimensions: Option<u64>,
}
