//! `apis` of a provider: what it speaks.

use crate::fault::{At, did_you_mean, quote};
use crate::file::List;
use crate::reader::Reader;
use llm::{Api, Dialect, Operation, Vectors};

/// The APIs of answers that a provider can be said to speak.
const WORDS: [(&str, Api); 10] = [
    ("chat_completions", Api::Shared(Dialect::OpenAiChat)),
    ("responses", Api::Shared(Dialect::Responses)),
    ("messages", Api::Shared(Dialect::Anthropic)),
    ("generate_content", Api::Shared(Dialect::Gemini)),
    ("cohere", Api::Cohere),
    ("ollama", Api::Ollama),
    ("converse", Api::Bedrock),
    ("bedrock_count_tokens", Api::BedrockCount),
    ("cohere_embed", Api::Vectors(Vectors::Cohere)),
    ("ollama_embed", Api::Vectors(Vectors::Ollama)),
];

/// Every word that may stand in the list, with what it names.
fn all() -> impl Iterator<Item = (&'static str, Api)> {
    let other = |operation: Operation| (operation.as_str(), Api::Shared(Dialect::Other(operation)));
    let asked = Operation::ALL.into_iter().filter(|operation| *operation != Operation::Passthrough);
    WORDS.into_iter().chain(asked.map(other))
}

/// Every word that may stand in the list.
pub(crate) fn words() -> impl Iterator<Item = &'static str> {
    all().map(|(word, _)| word)
}

/// What the file says that a provider speaks; `None` where it does not.
pub(crate) fn spoken(reader: &mut Reader<'_>, at: &At, apis: List<String>) -> Option<Vec<Api>> {
    let apis = reader.filled(at, apis, "is empty; name at least one");
    let mut spoken = Vec::new();
    for (at, written) in reader.list(at, apis)? {
        let Some(written) = reader.words(&at, written) else { continue };
        match all().find(|(word, _)| *word == written.value) {
            Some((_, api)) if spoken.contains(&api) => reader.fault(&at, "is named twice"),
            Some((_, api)) => spoken.push(api),
            None => {
                let (guess, known) = (did_you_mean(&written.written, words()), words().collect::<Vec<_>>().join(", "));
                reader.fault(&at, format!("unknown API {}{guess}; known are {known}", quote(&written.written)));
            }
        }
    }
    (!spoken.is_empty()).then_some(spoken)
}
