//! The paths of this dialect, both ways: the model and what is wanted of it stand there, not in the body.
//!
//! Below a provider's base address (`.../v1beta`, Vertex's `.../publishers/google`) and below a client's alike, it is
//! `/models/{model}:{operation}`. Must never be here: which model serves.

use crate::escapes::{escaped_but, unescaped};

/// What is wanted of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A whole answer.
    Generate,
    /// A streamed one: as server-sent events, else as one JSON list.
    Stream {
        /// `alt=sse` is asked for.
        events: bool,
    },
    /// How many tokens a request has.
    CountTokens,
    /// The place of one text among others.
    Embed,
    /// The same of several.
    BatchEmbed,
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Generate,
        Self::Stream { events: true },
        Self::Stream { events: false },
        Self::CountTokens,
        Self::Embed,
        Self::BatchEmbed,
    ];

    /// The operation that `method` names.
    fn read(method: &str, events: bool) -> Option<Self> {
        Some(match method {
            "generateContent" => Self::Generate,
            "streamGenerateContent" => Self::Stream { events },
            "countTokens" => Self::CountTokens,
            "embedContent" => Self::Embed,
            "batchEmbedContents" => Self::BatchEmbed,
            _ => return None,
        })
    }

    /// What stands behind the colon, the query with it.
    const fn method(self) -> &'static str {
        match self {
            Self::Generate => "generateContent",
            Self::Stream { events: true } => "streamGenerateContent?alt=sse",
            Self::Stream { events: false } => "streamGenerateContent",
            Self::CountTokens => "countTokens",
            Self::Embed => "embedContent",
            Self::BatchEmbed => "batchEmbedContents",
        }
    }
}

/// What a client's path asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The model, as the client names it: a route, an alias or `provider/model`.
    pub model: String,
    /// What is wanted of it.
    pub operation: Operation,
}

/// The path of `operation` on `model` below a provider's base address, with its query.
///
/// A name that says of itself where it stands (`tunedModels/x`) keeps that place.
#[must_use]
pub fn path(model: &str, operation: Operation) -> String {
    let mut path = String::from(if is_placed(model) { "/" } else { "/models/" });
    path.push_str(&escaped_but(model, b"/@"));
    path.push(':');
    path.push_str(operation.method());
    path
}

/// Whether a name says of itself where it stands.
pub(super) fn is_placed(model: &str) -> bool {
    ["models/", "tunedModels/"].iter().any(|place| model.starts_with(place))
}

/// Reads what stands behind `/models/` in a client's path, and the query behind that.
///
/// The model may hold slashes and colons, percent-encoded or not: what is wanted of it stands behind the last colon.
#[must_use]
pub fn asked(behind: &str, query: Option<&str>) -> Option<Asked> {
    let behind = unescaped(behind)?;
    let (model, method) = behind.rsplit_once(':')?;
    let events = query.unwrap_or_default().split('&').any(|pair| pair.eq_ignore_ascii_case("alt=sse"));
    let operation = Operation::read(method, events)?;
    (!model.is_empty()).then(|| Asked { model: model.to_owned(), operation })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paths_name_model_and_operation() {
        for (model, operation, expected) in [
            ("gemini-2.5-flash", Operation::Generate, "/models/gemini-2.5-flash:generateContent"),
            ("m", Operation::Stream { events: true }, "/models/m:streamGenerateContent?alt=sse"),
            ("m", Operation::Stream { events: false }, "/models/m:streamGenerateContent"),
            ("m", Operation::CountTokens, "/models/m:countTokens"),
            ("m", Operation::Embed, "/models/m:embedContent"),
            ("m", Operation::BatchEmbed, "/models/m:batchEmbedContents"),
            ("tunedModels/x", Operation::Generate, "/tunedModels/x:generateContent"),
            ("models/x", Operation::Generate, "/models/x:generateContent"),
            ("a b:c?d", Operation::Generate, "/models/a%20b%3Ac%3Fd:generateContent"),
        ] {
            assert_eq!(path(model, operation), expected);
        }
    }

    #[test]
    fn clients_paths_are_understood() {
        let stream = |events| Operation::Stream { events };
        for (behind, query, expected) in [
            ("gemini-2.5-flash:generateContent", None, Some(("gemini-2.5-flash", Operation::Generate))),
            ("m:streamGenerateContent", Some("alt=sse"), Some(("m", stream(true)))),
            ("m:streamGenerateContent", Some("key=k&alt=SSE"), Some(("m", stream(true)))),
            ("m:streamGenerateContent", Some("alt=json"), Some(("m", stream(false)))),
            ("m:streamGenerateContent", None, Some(("m", stream(false)))),
            ("openai/gpt-4o:generateContent", None, Some(("openai/gpt-4o", Operation::Generate))),
            ("openai%2Fgpt-4o%3AgenerateContent", None, Some(("openai/gpt-4o", Operation::Generate))),
            ("local/llama3:8b:countTokens", None, Some(("local/llama3:8b", Operation::CountTokens))),
            ("m:embedContent", None, Some(("m", Operation::Embed))),
            ("m:batchEmbedContents", None, Some(("m", Operation::BatchEmbed))),
            ("m", None, None),
            ("m:predict", None, None),
            (":generateContent", None, None),
            ("m%:generateContent", None, None),
            ("m%zz:generateContent", None, None),
            ("m%ff:generateContent", None, None),
        ] {
            let read = asked(behind, query);
            let expected = expected.map(|(model, operation)| Asked { model: model.to_owned(), operation });
            assert_eq!(read, expected, "{behind}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(model in "[a-z][\\PC]{0,12}", pick in 0usize..6) {
            let operation = Operation::ALL[pick];
            let path = path(&model, operation);
            let (path, query) = path.split_once('?').map_or((path.as_str(), None), |(path, query)| (path, Some(query)));
            let behind = path.strip_prefix("/models/").expect("a model");
            prop_assert_eq!(asked(behind, query), Some(Asked { model, operation }));
        }

        #[test]
        fn no_path_panics(behind in any::<String>(), query in any::<String>()) {
            let _ = asked(&behind, Some(&query));
        }
    }
}
