//! Fields that are no noun, in all dialects: without which of them a request is another one.
//!
//! Asked by each writer of the fields that its own dialect does not have; what is left is a hint, and told.
//! Must never be here: fields that a writer can say.

/// What becomes of a field at a provider whose dialect does not have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It says what holds without it.
    Nothing,
    /// It is done without, and told.
    LeftOut,
    /// The request is refused, for this reason.
    Refused(&'static str),
}

const STATE: &str = "needs a provider that keeps state between calls: send the conversation itself, with `store` false";
const KEPT: &str = "names something that is kept at another provider";
const MEDIA: &str = "asks for more than text";
const FORM: &str = "asks for a form of the answer that this provider does not have";
const WORDS: &str = "sets which words the answer is made of, which this provider cannot be told";
const PLACE: &str = "says where the request may be worked on, which this provider cannot be told";
const TOOLS: &str = "brings tools that another provider runs by itself";
const GOES_ON: &str = "asks to go on with what was said, which this provider cannot be told";
const READ: &str = "brings something to be read that this provider cannot be told of";

/// What a request cannot do without, by the client's name for it, and why it is refused.
const ESSENTIAL: [(&str, &str); 27] = [
    ("audio", MEDIA),
    ("background", STATE),
    ("cachedContent", KEPT),
    ("cached_content", KEPT),
    ("container", KEPT),
    ("continuationToken", STATE),
    ("conversation", STATE),
    ("documents", READ),
    ("echo", FORM),
    ("generationConfig.imageConfig", MEDIA),
    ("generationConfig.responseMimeType", FORM),
    ("generationConfig.responseModalities", MEDIA),
    ("generationConfig.responseSchema", FORM),
    ("generationConfig.speechConfig", MEDIA),
    ("guided_choice", FORM),
    ("guided_grammar", FORM),
    ("guided_json", FORM),
    ("guided_regex", FORM),
    ("inference_geo", PLACE),
    ("logit_bias", WORDS),
    ("mcp_servers", TOOLS),
    ("modalities", MEDIA),
    ("moderation", "asks for a judgement that another provider gives"),
    ("previous_response_id", STATE),
    ("prompt", KEPT),
    ("suffix", GOES_ON),
    ("tool_choice", "forces a tool that its provider runs by itself"),
];

/// What becomes of the field `name`, which holds `json`.
pub(crate) fn fate(name: &str, json: &str) -> Fate {
    if says_nothing(name, json) {
        return Fate::Nothing;
    }
    if name.ends_with("].prefix") {
        return Fate::Refused(GOES_ON);
    }
    // The grammar of a tool that takes text.
    if name.starts_with("tools") && (name.ends_with(".format") || name.ends_with(".format.grammar")) {
        return Fate::Refused(FORM);
    }
    let known = ESSENTIAL.iter().find(|(known, _)| *known == name);
    known.map_or(Fate::LeftOut, |(_, why)| Fate::Refused(why))
}

/// Whether a field says what holds without it, in every dialect.
fn says_nothing(name: &str, json: &str) -> bool {
    let compact: String = json.split_ascii_whitespace().collect();
    match (name, compact.as_str()) {
        (_, "null" | "{}" | "[]" | "\"\"") => true,
        ("store" | "background" | "echo", "false") | ("inference_geo", "\"global\"") => true,
        ("modalities" | "generationConfig.responseModalities", modalities) => {
            modalities.eq_ignore_ascii_case("[\"text\"]")
        }
        ("generationConfig.responseMimeType", kind) => kind == "\"text/plain\"",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_names_each_field_once() {
        let names: std::collections::BTreeSet<&str> = ESSENTIAL.iter().map(|(name, _)| *name).collect();
        assert_eq!(names.len(), ESSENTIAL.len());
    }

    #[test]
    fn what_is_essential_depends_on_its_value() {
        for (name, json, expected) in [
            ("store", "false", Fate::Nothing),
            ("store", "true", Fate::LeftOut),
            ("background", "false", Fate::Nothing),
            ("background", "true", Fate::Refused(STATE)),
            ("modalities", "[ \"text\" ]", Fate::Nothing),
            ("modalities", r#"["text","audio"]"#, Fate::Refused(MEDIA)),
            ("generationConfig.responseModalities", r#"["TEXT"]"#, Fate::Nothing),
            ("generationConfig.responseModalities", r#"["IMAGE"]"#, Fate::Refused(MEDIA)),
            ("generationConfig.responseMimeType", "\"text/x.enum\"", Fate::Refused(FORM)),
            ("generationConfig.responseMimeType", "\"text/plain\"", Fate::Nothing),
            ("mcp_servers", "[]", Fate::Nothing),
            ("mcp_servers", r#"[{"url":"u"}]"#, Fate::Refused(TOOLS)),
            ("logit_bias", "{}", Fate::Nothing),
            ("context_management", r#"{"edits":[1]}"#, Fate::LeftOut),
            ("messages[3].prefix", "true", Fate::Refused(GOES_ON)),
            ("tools.patch.format", r#"{"type":"grammar"}"#, Fate::Refused(FORM)),
            ("tomorrow", "1", Fate::LeftOut),
        ] {
            assert_eq!(fate(name, json), expected, "{name} {json}");
        }
    }
}
