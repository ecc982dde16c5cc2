//! How a provider's answers to one request become a client's.
//!
//! Must never be here: how anything is written on the wire.

use crate::{
    Head, Quirks, Stream, StreamDecoder, Translated, Writer, anthropic, bedrock, cohere, completions, counts, gemini,
    ollama, openai_chat, other, responses, vectors,
};
use crate::{read_deltas, write_answer};
use bytes::{Bytes, BytesMut};
use llm::{Api, Delta, Dialect, Failure, Progress, ProviderError, Vectors};
use std::time::Duration;

/// The header in which Amazon names an error.
pub const ERROR_NAME: &str = "x-amzn-errortype";

/// A whole answer for the client.
#[derive(Clone, Debug, PartialEq)]
pub struct Whole {
    /// Its body.
    pub body: Bytes,
    /// What was seen of it.
    pub progress: Progress,
    /// What it held that the client's dialect has no word for, by the provider's.
    pub left_out: Vec<String>,
}

/// Reads a provider's answers to one request, for its client.
#[derive(Clone, Debug)]
pub struct Answers {
    /// What the provider speaks.
    pub api: Api,
    /// Where that differs from the norm.
    pub quirks: Quirks,
    /// What the client speaks.
    pub dialect: Dialect,
    /// The client wants a stream as one JSON list.
    pub listed: bool,
    /// What an answer says that is written for the client, where the provider does not say it; boxed, for most are not
    /// written but passed on.
    pub head: Option<Box<Head>>,
}

impl Answers {
    /// Judges the body of a success response to a request that asked for no stream: the client's answer. The same bytes
    /// where both speak one dialect.
    ///
    /// # Errors
    /// The one [`Failure`] for which it is no answer.
    pub fn whole(&self, body: Bytes) -> Result<Whole, Failure> {
        let progress = self.read(&body)?;
        let whole = |body, progress| Whole { body, progress, left_out: Vec::new() };
        let Some(head) = &self.head else { return Ok(whole(body, progress)) };
        if vectors::wants_vectors(self.dialect) {
            return Ok(whole(vectors::told(self.api, self.dialect, head, &body)?, progress));
        }
        if counts::wants_a_count(self.dialect) {
            return Ok(whole(counts::told(self.api, self.dialect, &body)?, progress));
        }
        let deltas = read_deltas(self.api, &body).map_err(|_| Failure::NotAnAnswer("an answer that cannot be read"))?;
        let told = write_answer(self.dialect, head, &deltas);
        if progress.content && self.is_empty_to_the_client(&deltas, &told) {
            return Err(Failure::Empty);
        }
        Ok(Whole { left_out: lost(self.dialect, head, &deltas), ..whole(told, progress) })
    }

    /// Whether an answer of `deltas` says nothing to the client it was written for, and would only look complete.
    fn is_empty_to_the_client(&self, deltas: &[Delta], told: &Bytes) -> bool {
        if self.dialect == Dialect::COMPLETIONS {
            return !deltas.iter().any(completions::tells);
        }
        if deltas.iter().any(is_said_by_all) {
            return false;
        }
        let Self { quirks, dialect, listed, .. } = *self;
        let client = Self { api: Api::Shared(dialect), quirks, dialect, listed, head: None };
        matches!(client.read(told), Err(Failure::Empty))
    }

    /// Judges such a body alone.
    ///
    /// # Errors
    /// As [`whole`](Self::whole).
    pub fn read(&self, body: &Bytes) -> Result<Progress, Failure> {
        let read = match self.api {
            Api::Shared(Dialect::OpenAiChat) => openai_chat::read_whole(body),
            Api::Shared(Dialect::Anthropic) => anthropic::read_whole(body),
            Api::Shared(Dialect::Gemini) => gemini::read_whole(body),
            Api::Shared(Dialect::Responses) => responses::read_whole(body),
            Api::Shared(Dialect::Other(operation)) => other::read_whole(operation, body),
            Api::Cohere => cohere::read_whole(body),
            Api::Ollama => ollama::read_whole(body),
            Api::Bedrock => bedrock::read_whole(body),
            Api::BedrockCount => counts::read_whole(self.api, body),
            Api::Vectors(_) => vectors::read_whole(self.api, body),
        };
        read.map_err(|failure| self.failure(failure))
    }

    /// The decoder of a streamed answer.
    #[must_use]
    pub fn stream(&self) -> Stream {
        match &self.head {
            None => Stream::Passed(StreamDecoder::of(self.api, self.quirks)),
            Some(head) => {
                let head = Head::clone(head);
                Stream::Translated(Box::new(Translated::new(self.api, self.quirks, self.dialect, self.listed, head)))
            }
        }
    }

    /// What a response by `status` says that is no success; `name` is what its head calls the error ([`ERROR_NAME`]). Its body is kept where the client can read it.
    #[must_use]
    pub fn error(&self, status: u16, name: Option<&str>, body: &Bytes, retry_after: Option<Duration>) -> ProviderError {
        let api = match self.api {
            Api::Shared(Dialect::Other(operation)) => Api::Shared(operation.worded_as()),
            api => api,
        };
        let error = match api {
            Api::Shared(Dialect::OpenAiChat | Dialect::Other(_)) => openai_chat::read_error(status, body, retry_after),
            Api::Shared(Dialect::Anthropic) => anthropic::read_error(status, body, retry_after),
            Api::Shared(Dialect::Gemini) => gemini::read_error(status, body, retry_after),
            Api::Shared(Dialect::Responses) => responses::read_error(status, body, retry_after),
            Api::Cohere | Api::Vectors(Vectors::Cohere) => cohere::read_error(status, body, retry_after),
            Api::Ollama | Api::Vectors(Vectors::Ollama) => ollama::read_error(status, body, retry_after),
            Api::Bedrock | Api::BedrockCount => bedrock::read_named_error(name, status, body, retry_after),
        };
        self.readable(error)
    }

    /// A failure as the client may see it.
    #[must_use]
    pub fn failure(&self, failure: Failure) -> Failure {
        match failure {
            Failure::Provider(error) => Failure::Provider(Box::new(self.readable(*error))),
            other => other,
        }
    }

    /// An error without its body, where that is in another dialect than the client's.
    fn readable(&self, error: ProviderError) -> ProviderError {
        if self.head.is_none() { error } else { ProviderError { body: Bytes::new(), ..error } }
    }
}

/// What `deltas` hold that a client of `dialect` has no word for. Its writer knows, and need not be asked where every
/// dialect has words for all of them.
fn lost(dialect: Dialect, head: &Head, deltas: &[Delta]) -> Vec<String> {
    let known = |delta: &Delta| match delta {
        Delta::Began { .. } | Delta::Used(_) | Delta::Ended { .. } | Delta::Text { choice: 0, .. } => true,
        Delta::Call { choice: 0, .. } | Delta::Arguments { choice: 0, .. } => dialect != Dialect::COMPLETIONS,
        _ => false,
    };
    if deltas.iter().all(known) {
        return Vec::new();
    }
    let (mut writer, mut out) = (Writer::of(dialect, false, head.clone()), BytesMut::new());
    for delta in deltas {
        writer.push(delta, &mut out);
        out.clear();
    }
    writer.finish(&mut out);
    writer.left_out().to_vec()
}

/// Whether every dialect of chats has words for it: text and calls of the first alternative, which nearly every answer has.
fn is_said_by_all(delta: &Delta) -> bool {
    matches!(delta, Delta::Text { choice: 0, .. } | Delta::Call { choice: 0, .. })
}
