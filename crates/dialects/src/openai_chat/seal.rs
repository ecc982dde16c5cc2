//! What a provider wants back byte for byte, as this dialect carries it.
//!
//! Two carriers are in use: OpenRouter's `reasoning_details`, whose `format` says whose token it is, and Gemini's
//! `extra_content.google.thought_signature` on a tool call or a message. Must never be here: the words beside a seal.

use super::raw::{object, value};
use llm::{Dialect, Seal, SealKind};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Formats by whose token they hold. Any other, xAI's and Azure's among them, is only ever given back to a server of
/// this dialect.
const FORMATS: [(&str, Dialect); 3] = [
    ("anthropic-claude-v1", Dialect::Anthropic),
    ("google-gemini-v1", Dialect::Gemini),
    ("openai-responses-v1", Dialect::Responses),
];

/// What `format` says of a token whose owner it does not name.
const UNKNOWN: &str = "unknown";

/// The seal in an entry of `reasoning_details`.
///
/// Gemini has signatures alone, which OpenRouter tells as encrypted data.
pub(super) fn of_format(format: Option<&RawValue>, kind: SealKind, token: &str) -> Seal {
    let format: Option<String> = value(format);
    let known = FORMATS.iter().find(|(name, _)| format.as_deref() == Some(*name));
    let of = known.map_or(Dialect::OpenAiChat, |(_, of)| *of);
    let kind = if of == Dialect::Gemini { SealKind::Signature } else { kind };
    Seal { of, kind, token: token.into() }
}

/// The `format` of a seal in `reasoning_details`.
pub(super) fn format(of: Dialect) -> &'static str {
    FORMATS.iter().find(|(_, owner)| *owner == of).map_or(UNKNOWN, |(name, _)| name)
}

/// Whether a seal is told as data that only the provider can read, and not as a signature of words.
pub(super) fn is_data(seal: &Seal) -> bool {
    seal.kind == SealKind::Encrypted || seal.of == Dialect::Gemini
}

/// An entry of `reasoning_details` as it is written.
#[derive(Debug, Serialize)]
pub(super) struct Detail<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<&'static str>,
    /// Pieces with one index belong to one entry.
    index: u32,
}

impl<'a> Detail<'a> {
    /// Words, and the signature that they come with.
    pub(super) fn words(text: Option<&'a str>, signature: Option<&'a Seal>, index: u32) -> Self {
        let (token, format) = (signature.map(|seal| &*seal.token), signature.map(|seal| format(seal.of)));
        Self { kind: "reasoning.text", text, signature: token, data: None, format, index }
    }

    /// Data that only its provider can read.
    pub(super) fn data(seal: &'a Seal, index: u32) -> Self {
        let (data, format) = (Some(&*seal.token), Some(format(seal.of)));
        Self { kind: "reasoning.encrypted", text: None, signature: None, data, format, index }
    }
}

/// Thoughts as they are given back whole: in order, each with what seals it.
pub(super) fn details<'a>(thoughts: impl Iterator<Item = (&'a str, Option<&'a Seal>)>) -> Vec<Detail<'a>> {
    let place = |before: usize| u32::try_from(before).unwrap_or(u32::MAX);
    let mut details = Vec::new();
    for (text, seal) in thoughts {
        let (data, signature) = (seal.filter(|seal| is_data(seal)), seal.filter(|seal| !is_data(seal)));
        if !text.is_empty() || signature.is_some() {
            details.push(Detail::words(Some(text), signature, place(details.len())));
        }
        if let Some(seal) = data {
            details.push(Detail::data(seal, place(details.len())));
        }
    }
    details
}

/// Gemini's signature in an `extra_content`.
pub(super) fn of_extra(extra: Option<&RawValue>) -> Option<Seal> {
    #[derive(Deserialize)]
    struct Extra<'a> {
        #[serde(borrow, default)]
        google: Option<&'a RawValue>,
    }
    #[derive(Deserialize)]
    struct Google<'a> {
        #[serde(borrow, default)]
        thought_signature: Option<&'a RawValue>,
    }
    let google: Google<'_> = object(object::<Extra<'_>>(extra)?.google)?;
    let token: String = value(google.thought_signature)?;
    Some(Seal { of: Dialect::Gemini, kind: SealKind::Signature, token: token.into() })
}

/// An `extra_content` as it is written.
#[derive(Debug, Serialize)]
pub(super) struct Extra<'a> {
    google: Google<'a>,
}

#[derive(Debug, Serialize)]
struct Google<'a> {
    thought_signature: &'a str,
}

/// The `extra_content` that holds `seal`, where it is Gemini's: others have no such place.
pub(super) fn extra(seal: &Seal) -> Option<Extra<'_>> {
    (seal.of == Dialect::Gemini).then(|| Extra { google: Google { thought_signature: &seal.token } })
}
