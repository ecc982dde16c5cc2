//! What becomes of a request's fields that are no noun, by their names, which any dialect may have given them.
//!
//! A name that two dialects give to different things is never said: a hint of one is an error of the other.

use super::Server;

/// What becomes of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is written as it came.
    Said,
    /// It changes nothing essential.
    LeftOut,
    /// The answer would be another one without it.
    Unsayable,
}

/// Fields that this dialect alone has, and OpenAI's own servers take.
const OURS: [&str; 8] = [
    "audio",
    "logit_bias",
    "modalities",
    "prediction",
    "prompt_cache_key",
    "safety_identifier",
    "verbosity",
    "web_search_options",
];

/// Of those the ones that any server of this dialect takes.
const EVERYONES: [&str; 1] = ["logit_bias"];

/// Fields on which an answer depends.
const ESSENTIAL: [&str; 20] = [
    "audio",
    "background",
    "cachedContent",
    "cached_content",
    "container",
    "context_management",
    "conversation",
    "documents",
    "echo",
    "guided_choice",
    "guided_grammar",
    "guided_json",
    "guided_regex",
    "logit_bias",
    "mcp_servers",
    "modalities",
    "previous_response_id",
    "prompt",
    "suffix",
    "web_search_options",
];

/// What becomes of the field `name`. A tool that is no noun is `tools[0]`, the grammar of one that takes text
/// `tools[0].custom.format.grammar`, the mark of a message to be gone on with `messages[0].prefix`.
pub(super) fn fate(name: &str, server: &Server) -> Fate {
    let said = if server.own { OURS.as_slice() } else { EVERYONES.as_slice() };
    let tool = name.starts_with("tools[") && (name.ends_with(']') || name.ends_with(".format.grammar"));
    let essential = ESSENTIAL.contains(&name) || tool || name.ends_with("].prefix");
    match (said.contains(&name), essential) {
        (true, _) => Fate::Said,
        (false, true) => Fate::Unsayable,
        (false, false) => Fate::LeftOut,
    }
}
