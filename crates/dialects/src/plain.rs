//! Documents as words, for providers that read no others.
//!
//! Must never be here: where the words go.

use crate::Unsayable;
use crate::hints::unsayable;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use llm::Source;
use std::borrow::Cow;

/// The text of a document that is in the request, as text or in base64.
///
/// # Errors
/// A document that is no text, or elsewhere.
pub(crate) fn words(source: &Source) -> Result<Cow<'_, str>, Unsayable> {
    let why = match source {
        Source::Text(text) => return Ok(text.into()),
        Source::Inline { media_type, data } if media_type.starts_with("text/") => {
            let text = STANDARD.decode(&**data).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            match text {
                Some(text) => return Ok(text.into()),
                None => "is no text in base64, as its type says",
            }
        }
        Source::Inline { .. } => "is of a kind that the provider does not read",
        Source::Url(_) => "is at a URL, and the provider fetches none",
        Source::File(_) => "is a file that the provider does not have",
    };
    Err(unsayable("file", why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_in_the_request_are_words() {
        let inline = |media_type: &str, data: &str| Source::Inline { media_type: media_type.into(), data: data.into() };
        for (source, expected) in [
            (Source::Text("t".into()), Some("t")),
            (inline("text/markdown", "Y2Fmw6k="), Some("café")),
            (inline("text/plain", "/w=="), None),
            (inline("text/plain", "?"), None),
            (inline("application/pdf", "Y2Fmw6k="), None),
            (Source::Url("https://x/a.txt".into()), None),
            (Source::File("f".into()), None),
        ] {
            let read = words(&source);
            assert_eq!(read.as_deref().ok(), expected, "{source:?}");
            assert!(read.is_ok() || read.is_err_and(|unsayable| unsayable.field == "file"));
        }
    }
}
