//! A provider's vectors, and how a client is told them.
//!
//! Numbers pass as they are written, but where a client wants them in base64. Must never be here: how anybody is asked.

use crate::Head;
use crate::fields::Fields;
use crate::json::Json;
use crate::literal::push_literal;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use llm::{Api, Dialect, Failure, Operation, Progress, Usage, Vectors};
use std::fmt::Write;

/// What a provider answers.
struct Answer<'a> {
    /// Each a list of numbers, in the order of the texts.
    vectors: Vec<Json<'a>>,
    model: String,
    usage: Option<Usage>,
}

/// Judges the body of a success response of whoever speaks `api`.
///
/// # Errors
/// The one [`Failure`] for which it holds no vectors.
pub(crate) fn read_whole(api: Api, body: &Bytes) -> Result<Progress, Failure> {
    let answer = read(api, body)?;
    let (usage, model) = (answer.usage, answer.model.into());
    Ok(Progress { content: true, finished: true, done: true, usage, model, ..Progress::default() })
}

/// The answer in `body` for a client of `dialect`.
///
/// # Errors
/// As [`read_whole`], and fewer or more vectors than texts were sent.
pub(crate) fn told(api: Api, dialect: Dialect, head: &Head, body: &Bytes) -> Result<Bytes, Failure> {
    let answer = read(api, body)?;
    if head.texts.is_some_and(|texts| texts != answer.vectors.len()) {
        return Err(Failure::Truncated);
    }
    match dialect {
        Dialect::Other(Operation::GeminiEmbed) => {
            let values = answer.vectors.first().map_or("[]", |vector| vector.get());
            Ok(format!("{{\"embedding\":{{\"values\":{values}}}}}").into())
        }
        Dialect::Other(Operation::GeminiBatchEmbed) => {
            let vectors: Vec<String> =
                answer.vectors.iter().map(|vector| format!("{{\"values\":{}}}", vector.get())).collect();
            Ok(format!("{{\"embeddings\":[{}]}}", vectors.join(",")).into())
        }
        _ => of_openai(&answer, head).map(Bytes::from),
    }
}

fn of_openai(answer: &Answer<'_>, head: &Head) -> Result<String, Failure> {
    let mut out = String::from("{\"object\":\"list\",\"data\":[");
    for (at, vector) in answer.vectors.iter().enumerate() {
        let comma = if at > 0 { "," } else { "" };
        // Writing into a string cannot fail.
        let _ = write!(out, "{comma}{{\"object\":\"embedding\",\"index\":{at},\"embedding\":");
        if head.base64 {
            push_literal(&mut out, &in_base64(*vector)?);
        } else {
            out.push_str(vector.get());
        }
        out.push('}');
    }
    out.push_str("],\"model\":");
    push_literal(&mut out, if answer.model.is_empty() { &head.model } else { &answer.model });
    if let Some(Usage { input, .. }) = answer.usage {
        let _ = write!(out, ",\"usage\":{{\"prompt_tokens\":{input},\"total_tokens\":{input}}}");
    }
    out.push('}');
    Ok(out)
}

/// The numbers as OpenAI writes them in base64: four bytes each, the lowest first.
fn in_base64(vector: Json<'_>) -> Result<String, Failure> {
    let numbers: Vec<f32> = vector.read().ok_or(Failure::NotAnAnswer("a vector that is no list of numbers"))?;
    let bytes: Vec<u8> = numbers.into_iter().flat_map(f32::to_le_bytes).collect();
    Ok(STANDARD.encode(bytes))
}

fn read(api: Api, body: &Bytes) -> Result<Answer<'_>, Failure> {
    let body = Json::parse_bytes(body).map_err(|_| Failure::NotAnAnswer("broken JSON"))?;
    let body = Fields::of(body).ok_or(Failure::NotAnAnswer("something else than a JSON object"))?;
    let object = |name: &str| body.get(name).and_then(Fields::of);
    let count = |fields: Option<Fields<'_>>, name: &str| fields?.get(name)?.read::<u64>();
    let (vectors, input) = match api {
        Api::Shared(Dialect::Other(Operation::GeminiBatchEmbed)) => {
            let vectors = items(body.get("embeddings")).map(|one| Fields::of(one)?.get("values"));
            (vectors.collect(), count(object("usageMetadata"), "promptTokenCount"))
        }
        Api::Vectors(Vectors::Cohere) => {
            let billed = object("meta").and_then(|meta| meta.get("billed_units")).and_then(Fields::of);
            let vectors = items(object("embeddings").and_then(|all| all.get("float"))).map(Some);
            (vectors.collect(), count(billed, "input_tokens"))
        }
        Api::Vectors(Vectors::Ollama) => {
            let vectors = items(body.get("embeddings")).map(Some);
            (vectors.collect(), body.get("prompt_eval_count").and_then(Json::read))
        }
        _ => {
            let mut data: Vec<(u64, Option<Json<'_>>)> = items(body.get("data"))
                .filter_map(Fields::of)
                .map(|one| (one.get("index").and_then(Json::read).unwrap_or(0), one.get("embedding")))
                .collect();
            data.sort_by_key(|(index, _)| *index);
            (data.into_iter().map(|(_, vector)| vector).collect(), count(object("usage"), "prompt_tokens"))
        }
    };
    let vectors: Option<Vec<Json<'_>>> = vectors;
    let vectors = vectors
        .filter(|vectors| vectors.iter().all(|vector| vector.items().is_some_and(|mut one| one.next().is_some())));
    let vectors = vectors.ok_or(Failure::NotAnAnswer("vectors in no known form"))?;
    if vectors.is_empty() {
        return Err(Failure::Empty);
    }
    let model = body.get("model").and_then(Json::text).map(String::from).unwrap_or_default();
    Ok(Answer { vectors, model, usage: input.map(|input| Usage { input, ..Usage::default() }) })
}

/// The items of a list; none where it is none.
fn items(json: Option<Json<'_>>) -> impl Iterator<Item = Json<'_>> {
    json.and_then(Json::items).into_iter().flatten()
}
