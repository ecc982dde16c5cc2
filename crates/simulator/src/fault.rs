//! What can go wrong, as data: one closed enum, each variant one thing a provider has been seen to do.
//!
//! Receives JSON or Rust values; hands on `Fault`, which `bend` carries out. Never here: how it is carried out.

use crate::behaviour::duration;
use crate::headers;
use http::HeaderValue;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// The largest response head that [`Fault::OversizedHeaders`] may be told to send, in bytes.
pub const MAX_HEAD: usize = 16 * 1024 * 1024;

/// What goes wrong with a call. `after` counts content events of a stream that still arrive well.
///
/// In JSON: `"reset"`, or with fields `{"cut": {"after": 3}}`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(remote = "Self", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// An error status, in the OpenAI error shape unless `body` says otherwise.
    Status {
        /// 200 to 599.
        #[serde(deserialize_with = "status")]
        status: u16,
        /// `error.code`; by default the usual one for the status.
        #[serde(default)]
        code: Option<Code>,
        /// `error.message`.
        #[serde(default)]
        message: Option<String>,
        /// `error.type`; by default the usual one for the status.
        #[serde(default, rename = "type")]
        kind: Option<String>,
        /// Further headers, such as `retry-after`.
        #[serde(default, deserialize_with = "headers::read")]
        headers: BTreeMap<String, String>,
        /// Raw text instead of the error object.
        #[serde(default)]
        body: Option<String>,
    },
    /// 307 to another place.
    Redirect {
        /// The `location` header.
        #[serde(deserialize_with = "location")]
        location: String,
    },
    /// TCP reset before any byte of a response.
    Reset,
    /// Connection closed in order before any byte of a response.
    Close,
    /// The request is read and never answered.
    Hang,
    /// 200 and headers, then nothing for ever.
    Silence,
    /// A response head larger than clients read.
    OversizedHeaders {
        /// Size of the head, at most [`MAX_HEAD`].
        #[serde(default = "default_head", deserialize_with = "head")]
        bytes: usize,
    },
    /// Bytes that are no HTTP response.
    NotHttp,
    /// 200 with an HTML page.
    Html,
    /// 200 with no body.
    EmptyBody,
    /// 200 with an error object.
    ErrorObject {
        /// `error.code`.
        #[serde(default)]
        code: Option<Code>,
        /// `error.type`.
        #[serde(default, rename = "type")]
        kind: Option<String>,
        /// `error.message`.
        #[serde(default)]
        message: Option<String>,
    },
    /// 200 with broken JSON; in a stream the first event is broken.
    InvalidJson,
    /// 200 with `choices: []`.
    NoChoices,
    /// The connection closes in the middle: a stream without its terminating chunk, a whole answer at half its length.
    Cut {
        /// Content events that arrive.
        #[serde(default)]
        after: u32,
    },
    /// As `cut`, with a TCP reset.
    CutReset {
        /// Content events that arrive.
        #[serde(default)]
        after: u32,
    },
    /// The answer ends in good order half said: no finish reason, no `[DONE]`.
    PoliteEnd {
        /// Content events (of a whole answer: words) that arrive.
        #[serde(default)]
        after: u32,
    },
    /// All content, and `[DONE]`, but no finish reason.
    NoFinish,
    /// All content with its finish reason, but no `[DONE]`. A whole answer has none to lose and is right.
    NoDone,
    /// Silence in the middle, the connection open. A whole answer stops at half its length.
    Stall {
        /// Content events that arrive.
        #[serde(default)]
        after: u32,
    },
    /// Only comments (of a whole answer: blank lines) from the middle on, for ever.
    StallWithComments {
        /// Content events that arrive.
        #[serde(default)]
        after: u32,
        /// Time between two comments.
        #[serde(default = "default_comments", deserialize_with = "duration")]
        every: Duration,
    },
    /// One byte at a time.
    Drip {
        /// Time between two bytes.
        #[serde(deserialize_with = "duration")]
        every: Duration,
    },
    /// One unreadable event in the middle, then on as if nothing were.
    Garbage {
        /// Content events before it.
        #[serde(default)]
        after: u32,
    },
    /// A right answer of multi-byte text, every byte its own body frame.
    SplitUtf8,
    /// One event whose text is no UTF-8, then on as if nothing were.
    InvalidUtf8 {
        /// Content events before it.
        #[serde(default)]
        after: u32,
    },
    /// An error event, then the end without `[DONE]`. A whole answer is the error object with status 200.
    ErrorEvent {
        /// Content events before it; with 0 it is the very first event.
        #[serde(default)]
        after: u32,
        /// `error.code`.
        #[serde(default)]
        code: Option<Code>,
        /// `error.message`.
        #[serde(default)]
        message: Option<String>,
    },
    /// The announcing event and comments for ever, no content. A whole answer is blank lines for ever.
    NeverContent {
        /// Time between two comments.
        #[serde(default = "default_comments", deserialize_with = "duration")]
        every: Duration,
    },
}

impl Fault {
    /// Its name in JSON and in the journal.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Status { .. } => "status",
            Self::Redirect { .. } => "redirect",
            Self::Reset => "reset",
            Self::Close => "close",
            Self::Hang => "hang",
            Self::Silence => "silence",
            Self::OversizedHeaders { .. } => "oversized_headers",
            Self::NotHttp => "not_http",
            Self::Html => "html",
            Self::EmptyBody => "empty_body",
            Self::ErrorObject { .. } => "error_object",
            Self::InvalidJson => "invalid_json",
            Self::NoChoices => "no_choices",
            Self::Cut { .. } => "cut",
            Self::CutReset { .. } => "cut_reset",
            Self::PoliteEnd { .. } => "polite_end",
            Self::NoFinish => "no_finish",
            Self::NoDone => "no_done",
            Self::Stall { .. } => "stall",
            Self::StallWithComments { .. } => "stall_with_comments",
            Self::Drip { .. } => "drip",
            Self::Garbage { .. } => "garbage",
            Self::SplitUtf8 => "split_utf8",
            Self::InvalidUtf8 { .. } => "invalid_utf8",
            Self::ErrorEvent { .. } => "error_event",
            Self::NeverContent { .. } => "never_content",
        }
    }

    /// An error status with nothing else chosen.
    #[must_use]
    pub const fn status(status: u16) -> Self {
        Self::Status { status, code: None, message: None, kind: None, headers: BTreeMap::new(), body: None }
    }
}

/// An error's code: most providers send a word, some a number.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, Deserialize)]
#[serde(untagged)]
pub enum Code {
    /// A number, as OpenRouter and vLLM send.
    Number(i64),
    /// A word.
    Word(String),
}

impl From<&str> for Code {
    fn from(word: &str) -> Self {
        Self::Word(word.to_owned())
    }
}

impl<'de> Deserialize<'de> for Fault {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (name, fields) = match Value::deserialize(deserializer)? {
            Value::String(name) => (name, json!({})),
            Value::Object(map) if map.len() == 1 => map.into_iter().next().unwrap_or_default(),
            _ => return Err(D::Error::custom("expected one fault: its name, or {name: {fields}}")),
        };
        if fields.as_object().is_some_and(serde_json::Map::is_empty)
            && let Ok(plain) = Self::deserialize(Value::String(name.clone()))
        {
            return Ok(plain);
        }
        Self::deserialize(json!({ name.as_str(): fields })).map_err(|e| D::Error::custom(format_args!("`{name}`: {e}")))
    }
}

fn default_head() -> usize {
    512 * 1024
}

fn default_comments() -> Duration {
    Duration::from_secs(1)
}

fn head<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    let bytes = usize::deserialize(deserializer)?;
    if bytes <= MAX_HEAD { Ok(bytes) } else { Err(D::Error::custom(format_args!("`bytes` is at most {MAX_HEAD}"))) }
}

fn status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    let status = u16::deserialize(deserializer)?;
    let fits = (200..=599).contains(&status);
    if fits { Ok(status) } else { Err(D::Error::custom("`status` lies in 200 to 599")) }
}

fn location<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let location = String::deserialize(deserializer)?;
    let fits = HeaderValue::from_str(&location).is_ok();
    if fits { Ok(location) } else { Err(D::Error::custom("`location` is no header value")) }
}
