//! Pictures, documents and sound: always in the request itself, in base64.
//!
//! Must never be here: who shows them.

use crate::Unsayable;
use crate::hints::unsayable;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use llm::Source;
use serde::Serialize;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// The longest name of a document, in characters.
const MAX_NAME: usize = 200;
/// What stays of it where a number follows.
const STEM: usize = MAX_NAME - 11;
/// What a document without a name is called.
const UNNAMED: &str = "document";

/// A picture, or sound.
#[derive(Debug, Serialize)]
pub(super) struct Media<'a> {
    format: &'static str,
    source: Bytes<'a>,
}

/// A document.
#[derive(Debug, Serialize)]
pub(super) struct Document<'a> {
    format: &'static str,
    name: String,
    source: Bytes<'a>,
}

#[derive(Debug, Serialize)]
struct Bytes<'a> {
    bytes: Cow<'a, str>,
}

/// Writes a picture.
///
/// # Errors
/// One that is elsewhere, or of another kind.
pub(super) fn picture(source: &Source) -> Result<Media<'_>, Unsayable> {
    let (media_type, data) = inline(source, "image_url")?;
    let format = match plain(media_type).as_str() {
        "image/png" => "png",
        "image/jpeg" | "image/jpg" => "jpeg",
        "image/gif" => "gif",
        "image/webp" => "webp",
        _ => return Err(unsayable("image_url", "is of a kind that Bedrock does not take")),
    };
    Ok(Media { format, source: Bytes { bytes: data.into() } })
}

/// Writes sound in `format`, as clients call it.
///
/// # Errors
/// A format that Bedrock does not have.
pub(super) fn sound<'a>(data: &'a str, format: &str) -> Result<Media<'a>, Unsayable> {
    /// Those of the service model that clients can name.
    const FORMATS: [&str; 10] = ["mp3", "opus", "wav", "aac", "flac", "ogg", "m4a", "mpeg", "pcm", "webm"];
    let known = if format == "pcm16" { "pcm" } else { format };
    let format = FORMATS.into_iter().find(|format| *format == known);
    let format = format.ok_or_else(|| unsayable("input_audio", "is of a kind that Bedrock does not take"))?;
    Ok(Media { format, source: Bytes { bytes: data.into() } })
}

/// Names of documents: each is given once, for Bedrock refuses two that are the same.
#[derive(Debug, Default)]
pub(super) struct Names {
    given: BTreeSet<String>,
    /// How many documents wanted a name.
    wanted: BTreeMap<String, u32>,
}

impl Names {
    /// Writes a document, and tells whether it keeps its name.
    ///
    /// # Errors
    /// One that is elsewhere, or of another kind.
    pub(super) fn document<'a>(&mut self, source: &'a Source, name: &str) -> Result<(Document<'a>, bool), Unsayable> {
        let (format, bytes) = match source {
            Source::Text(text) => ("txt", STANDARD.encode(text).into()),
            _ => {
                let (media_type, data) = inline(source, "file")?;
                let format = format(&plain(media_type))
                    .ok_or_else(|| unsayable("file", "is of a kind that Bedrock does not take"))?;
                (format, data.into())
            }
        };
        let given = self.give(&neutral(name));
        let kept = name.is_empty() || given == name;
        Ok((Document { format, name: given, source: Bytes { bytes } }, kept))
    }

    /// `name`, or one like it that is not given yet.
    fn give(&mut self, name: &str) -> String {
        let stem: String = name.chars().take(STEM).collect();
        let count = self.wanted.entry(name.to_owned()).or_default();
        loop {
            *count += 1;
            let given = if *count == 1 { name.to_owned() } else { format!("{} {count}", stem.trim_end()) };
            if self.given.insert(given.clone()) {
                return given;
            }
        }
    }
}

/// A name with what is taken alone: letters and digits, hyphens, brackets, and single spaces.
fn neutral(name: &str) -> String {
    let taken = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '(' | ')' | '[' | ']');
    let words: String = name.chars().map(|c| if taken(c) { c } else { ' ' }).take(4 * MAX_NAME).collect();
    let joined: String = words.split_ascii_whitespace().collect::<Vec<_>>().join(" ").chars().take(MAX_NAME).collect();
    if joined.is_empty() { UNNAMED.to_owned() } else { joined.trim_end().to_owned() }
}

fn format(media_type: &str) -> Option<&'static str> {
    Some(match media_type {
        "application/pdf" => "pdf",
        "text/csv" => "csv",
        "application/msword" => "doc",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => "docx",
        "application/vnd.ms-excel" => "xls",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" => "xlsx",
        "text/html" => "html",
        "text/plain" => "txt",
        "text/markdown" => "md",
        _ => return None,
    })
}

/// A media type without its parameters.
fn plain(media_type: &str) -> String {
    media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn inline<'a>(source: &'a Source, field: &str) -> Result<(&'a str, &'a str), Unsayable> {
    let why = match source {
        Source::Inline { media_type, data } => return Ok((media_type, data)),
        Source::Url(_) => "is at a URL, and Bedrock fetches none",
        Source::File(_) => "is a file that Bedrock does not have",
        Source::Text(_) => "is text",
    };
    Err(unsayable(field, why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_neutral_and_given_once() {
        let (mut names, source) = (Names::default(), Source::Text("t".into()));
        let long = "x".repeat(MAX_NAME + 9);
        for (name, expected) in [
            ("report (1)", "report (1)"),
            ("report.pdf", "report pdf"),
            ("", "document"),
            ("../../é", "document 2"),
            ("a 3", "a 3"),
            ("a", "a"),
            ("a", "a 2"),
            ("a", "a 4"),
            ("a", "a 5"),
            ("  a\t\n b ", "a b"),
            (&long, &"x".repeat(MAX_NAME)),
            (&long, &format!("{} 2", "x".repeat(STEM))),
        ] {
            let (document, kept) = names.document(&source, name).expect("a document");
            assert_eq!(document.name, expected, "{name}");
            assert_eq!(kept, name.is_empty() || name == expected, "{name}");
        }
    }
}
