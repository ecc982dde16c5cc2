//! A chat request as far as the simulator reads it.
//!
//! Receives body bytes; hands on a checked `ChatRequest` or the refusal OpenAI would give. What a request's parts may
//! be stands in the types here; the wording for parts that are not stands in `validate`. Never here: answers.

use crate::refusal::Refusal;
use crate::validate;
use crate::words;
use serde::Deserialize;
use serde_json::Value;
use std::borrow::Cow;

/// The most choices one request may ask for.
const MAX_CHOICES: i64 = 128;

#[derive(Debug, Deserialize)]
pub(crate) struct ChatRequest {
    pub(crate) model: String,
    pub(crate) messages: Vec<Message>,
    pub(crate) stream: Option<bool>,
    pub(crate) stream_options: Option<StreamOptions>,
    pub(crate) n: Option<i64>,
    pub(crate) logprobs: Option<bool>,
    pub(crate) top_logprobs: Option<i64>,
    pub(crate) max_tokens: Option<i64>,
    pub(crate) max_completion_tokens: Option<i64>,
    pub(crate) temperature: Option<f64>,
    pub(crate) top_p: Option<f64>,
    pub(crate) presence_penalty: Option<f64>,
    pub(crate) frequency_penalty: Option<f64>,
    pub(crate) tools: Option<Vec<Tool>>,
    pub(crate) tool_choice: Option<ToolChoice>,
    pub(crate) response_format: Option<ResponseFormat>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct StreamOptions {
    pub(crate) include_usage: Option<bool>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Message {
    pub(crate) role: Role,
    pub(crate) content: Option<Content>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    System,
    Developer,
    User,
    Assistant,
    Tool,
    Function,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Debug, Deserialize)]
pub(crate) struct Part {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) text: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Tool {
    pub(crate) function: Option<Function>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Function {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) parameters: Value,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum ToolChoice {
    Mode(String),
    Named { function: Named },
}

#[derive(Debug, Deserialize)]
pub(crate) struct Named {
    pub(crate) name: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct ResponseFormat {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) json_schema: Option<NamedSchema>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct NamedSchema {
    #[serde(default)]
    pub(crate) schema: Value,
}

impl Role {
    /// Its name in JSON.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Developer => "developer",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
            Self::Function => "function",
        }
    }
}

impl ChatRequest {
    /// Reads and checks a body.
    pub(crate) fn read(body: &[u8]) -> Result<Self, Refusal> {
        let request: Self = serde_json::from_slice(body).map_err(|error| validate::explain(body, &error))?;
        request.check()?;
        Ok(request)
    }

    pub(crate) fn streams(&self) -> bool {
        self.stream == Some(true)
    }

    pub(crate) fn wants_usage_event(&self) -> bool {
        self.stream_options.as_ref().is_some_and(|options| options.include_usage == Some(true))
    }

    /// How many choices it asks for.
    pub(crate) fn choices(&self) -> u32 {
        self.n.and_then(|n| u32::try_from(n).ok()).unwrap_or(1)
    }

    /// The most tokens an answer may have.
    pub(crate) fn token_limit(&self) -> Option<u64> {
        self.max_completion_tokens.or(self.max_tokens).and_then(|limit| u64::try_from(limit).ok())
    }

    /// Alternatives to report for each token; none where log probabilities were not asked for.
    pub(crate) fn alternatives(&self) -> Option<u8> {
        let asked = self.logprobs == Some(true);
        asked.then(|| self.top_logprobs.and_then(|top| u8::try_from(top).ok()).unwrap_or(0))
    }

    pub(crate) fn last(&self) -> Option<&Message> {
        self.messages.last()
    }

    /// The text that the answer is asked to go on from, and its message's index: a last message of the assistant.
    pub(crate) fn prefill(&self) -> Option<(usize, Cow<'_, str>)> {
        let last = self.last().filter(|last| last.role == Role::Assistant)?;
        Some((self.messages.len() - 1, last.text()))
    }

    pub(crate) fn last_user_text(&self) -> Cow<'_, str> {
        let last = self.messages.iter().rev().find(|message| message.role == Role::User);
        last.map_or(Cow::Borrowed(""), Message::text)
    }

    pub(crate) fn images(&self) -> usize {
        self.messages.iter().map(Message::images).sum()
    }

    pub(crate) fn prompt_tokens(&self) -> u64 {
        self.messages.iter().map(|message| words::tokens(&message.text()).count() as u64).sum()
    }

    fn check(&self) -> Result<(), Refusal> {
        if self.model.is_empty() {
            return Err(Refusal::missing("model"));
        }
        if self.messages.is_empty() {
            let message = "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty \
                           array instead.";
            return Err(Refusal::parameter("messages", "empty_array", message));
        }
        for (index, message) in self.messages.iter().enumerate() {
            message.check(index)?;
        }
        in_range("n", self.n, 1, MAX_CHOICES)?;
        in_range("top_logprobs", self.top_logprobs, 0, 20)?;
        in_range("max_tokens", self.max_tokens, 1, i64::MAX)?;
        in_range("max_completion_tokens", self.max_completion_tokens, 1, i64::MAX)?;
        in_range("temperature", self.temperature, 0.0, 2.0)?;
        in_range("top_p", self.top_p, 0.0, 1.0)?;
        in_range("presence_penalty", self.presence_penalty, -2.0, 2.0)?;
        in_range("frequency_penalty", self.frequency_penalty, -2.0, 2.0)?;
        if self.stream_options.is_some() && !self.streams() {
            let message = "The 'stream_options' parameter is only allowed when 'stream' is enabled.";
            return Err(Refusal::parameter("stream_options", "invalid_value", message));
        }
        Ok(())
    }
}

impl Message {
    /// All its text, parts joined by spaces.
    pub(crate) fn text(&self) -> Cow<'_, str> {
        match &self.content {
            None => Cow::Borrowed(""),
            Some(Content::Text(text)) => Cow::Borrowed(text),
            Some(Content::Parts(parts)) => {
                let texts: Vec<&str> = parts.iter().filter_map(|part| part.text.as_deref()).collect();
                Cow::Owned(texts.join(" "))
            }
        }
    }

    fn images(&self) -> usize {
        let Some(Content::Parts(parts)) = &self.content else { return 0 };
        parts.iter().filter(|part| part.kind == "image_url").count()
    }

    fn check(&self, index: usize) -> Result<(), Refusal> {
        if self.content.is_some() || matches!(self.role, Role::Assistant | Role::Function) {
            return Ok(());
        }
        let message = "Invalid value for 'content': expected a string, got null.";
        Err(Refusal::parameter(format!("messages[{index}].content"), "invalid_value", message))
    }
}

fn in_range<T: Copy + PartialOrd + std::fmt::Display>(
    name: &str,
    value: Option<T>,
    min: T,
    max: T,
) -> Result<(), Refusal> {
    let Some(value) = value else { return Ok(()) };
    let (code, limit) = if value < min {
        ("below_min_value", format!(">= {min}"))
    } else if value > max {
        ("above_max_value", format!("<= {max}"))
    } else {
        return Ok(());
    };
    let message = format!("Invalid '{name}': expected a value {limit}, but got {value} instead.");
    Err(Refusal::parameter(name, code, message))
}
