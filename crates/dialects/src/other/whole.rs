//! A whole answer: something of what was asked for, or why not.

use super::usage::usage;
use crate::shape::Shape;
use crate::{anthropic, gemini, openai_chat};
use bytes::Bytes;
use llm::{Dialect, Failure, FinishReason, Operation, Progress};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Judges the body of a success response to `operation`.
///
/// # Errors
/// The one [`Failure`] for which it is no answer.
pub fn read_whole(operation: Operation, body: &Bytes) -> Result<Progress, Failure> {
    let start = body.trim_ascii_start().first().copied();
    let progress = Progress { content: true, finished: true, done: true, ..Progress::default() };
    match (operation, start) {
        (_, None) => Err(Failure::Empty),
        (_, Some(b'<')) => Err(Failure::NotAnAnswer("a web page")),
        // Sound, subtitles and bare words are what they are.
        (Operation::Speech | Operation::Transcriptions | Operation::Translations, Some(byte)) if byte != b'{' => {
            Ok(progress)
        }
        (_, Some(b'{')) => object(operation, body, progress),
        (_, Some(_)) => Err(Failure::NotAnAnswer("something else than a JSON object")),
    }
}

fn object(operation: Operation, body: &Bytes, progress: Progress) -> Result<Progress, Failure> {
    let answer: Wire<'_> = serde_json::from_slice(body).map_err(|_| Failure::NotAnAnswer("broken JSON"))?;
    if answer.error.is_something() {
        let read = match operation.worded_as() {
            Dialect::Anthropic => anthropic::read_error,
            Dialect::Gemini => gemini::read_error,
            _ => openai_chat::read_error,
        };
        return Err(Failure::Provider(Box::new(read(200, body, None))));
    }
    let Wire { data, results, choices, .. } = &answer;
    let there = match operation {
        Operation::Completions => return completed(choices.as_deref().unwrap_or_default(), &answer, progress),
        Operation::Embeddings | Operation::ImageGenerations | Operation::ImageEdits | Operation::ImageVariations => {
            data.is_something()
        }
        Operation::Moderations => results.is_something(),
        // No document may have to do with the question.
        Operation::Rerank => matches!(results, Shape::List { .. }) || matches!(data, Shape::List { .. }),
        Operation::Speech => return Err(Failure::NotAnAnswer("JSON instead of sound")),
        // Nothing may have been said.
        Operation::Transcriptions | Operation::Translations => matches!(answer.text, Shape::Text { .. }),
        Operation::CountTokens | Operation::InputTokens => answer.input_tokens == Shape::Number,
        Operation::GeminiCountTokens => answer.total_tokens == Shape::Number,
        Operation::GeminiEmbed => answer.embedding == Shape::Object,
        Operation::Realtime | Operation::GeminiLive | Operation::Passthrough => true,
        Operation::GeminiBatchEmbed => answer.embeddings.is_something(),
    };
    if there { Ok(answer.noted(progress)) } else { Err(Failure::Empty) }
}

/// Judges the texts that OpenAI's completions gave.
fn completed(choices: &[Choice<'_>], answer: &Wire<'_>, progress: Progress) -> Result<Progress, Failure> {
    let Some(last) = choices.last() else { return Err(Failure::NoChoices) };
    if choices.iter().any(|choice| choice.finish().is_none()) {
        return Err(Failure::Truncated);
    }
    if choices.iter().all(|choice| !choice.text.is_something()) && last.finish() != Some(FinishReason::Length) {
        return Err(Failure::Empty);
    }
    Ok(answer.noted(Progress { finish: last.finish(), ..progress }))
}

/// What is read of an answer to any of them.
#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Wire<'a> {
    error: Shape,
    data: Shape,
    results: Shape,
    #[serde(borrow)]
    choices: Option<Vec<Choice<'a>>>,
    text: Shape,
    input_tokens: Shape,
    #[serde(rename = "totalTokens")]
    total_tokens: Shape,
    embedding: Shape,
    embeddings: Shape,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(borrow)]
    model: Option<&'a RawValue>,
}

/// One text of OpenAI's completions.
#[derive(Deserialize)]
pub(super) struct Choice<'a> {
    #[serde(default)]
    pub(super) text: Shape,
    #[serde(borrow)]
    finish_reason: Option<&'a RawValue>,
}

impl Wire<'_> {
    fn noted(&self, mut progress: Progress) -> Progress {
        let model = self.model.and_then(|raw| serde_json::from_str::<Box<str>>(raw.get()).ok());
        (progress.usage, progress.model) = (self.usage.and_then(usage), model.unwrap_or_default());
        progress
    }
}

impl Choice<'_> {
    /// Why the text ended; nothing while it has not.
    pub(super) fn finish(&self) -> Option<FinishReason> {
        let word: Option<String> = serde_json::from_str(self.finish_reason?.get()).ok()?;
        Some(match word?.as_str() {
            "stop" => FinishReason::Stop,
            "length" => FinishReason::Length,
            "content_filter" => FinishReason::ContentFilter,
            _ => FinishReason::Other,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_operation_has_its_answers_and_those_that_are_none() {
        use Operation as O;
        for (operation, body, cause) in [
            (O::Embeddings, r#"{"data":[{"embedding":[0.1]}],"usage":{"prompt_tokens":3}}"#, None),
            (O::Embeddings, r#"{"data":[]}"#, Some("empty")),
            (O::Embeddings, r#"{"error":{"message":"m","type":"server_error"}}"#, Some("server_error")),
            (O::Embeddings, "<html>", Some("not_an_answer")),
            (O::Embeddings, "", Some("empty")),
            (O::Embeddings, "{", Some("not_an_answer")),
            (O::Completions, r#"{"choices":[{"text":"a","finish_reason":"stop"}]}"#, None),
            (O::Completions, r#"{"choices":[{"text":"a","finish_reason":null}]}"#, Some("truncated")),
            (O::Completions, r#"{"choices":[{"text":"","finish_reason":"stop"}]}"#, Some("empty")),
            (O::Completions, r#"{"choices":[{"text":"","finish_reason":"length"}]}"#, None),
            (O::Completions, r#"{"choices":[]}"#, Some("no_choices")),
            (O::Moderations, r#"{"results":[{"flagged":false}]}"#, None),
            (O::ImageGenerations, r#"{"data":[{"b64_json":"a"}],"usage":{"input_tokens":1,"output_tokens":2}}"#, None),
            (O::Speech, "ID3\u{4}sound", None),
            (O::Speech, r#"{"detail":"busy"}"#, Some("not_an_answer")),
            (O::Transcriptions, r#"{"text":""}"#, None),
            (O::Transcriptions, "1\n00:00:00,000 --> 00:00:01,000\nhi", None),
            (O::Rerank, r#"{"results":[]}"#, None),
            (O::Rerank, "{}", Some("empty")),
            (O::CountTokens, r#"{"input_tokens":3}"#, None),
            (
                O::CountTokens,
                r#"{"type":"error","error":{"type":"overloaded_error","message":"m"}}"#,
                Some("overloaded"),
            ),
            (O::GeminiCountTokens, r#"{"totalTokens":3}"#, None),
            (O::GeminiEmbed, r#"{"embedding":{"values":[1]}}"#, None),
            (O::GeminiBatchEmbed, r#"{"embeddings":[{"values":[1]}]}"#, None),
        ] {
            let read = read_whole(operation, &Bytes::from_static(body.as_bytes()));
            assert_eq!(read.as_ref().err().map(Failure::as_str), cause, "{operation:?} {body}");
        }
    }
}
