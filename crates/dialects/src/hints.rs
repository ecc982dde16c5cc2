//! What a request loses on its way to a provider with fewer words: hints are left out and told, all else is refused.
//!
//! Must never be here: a wire format.

use crate::Unsayable;
use llm::Other;

/// Names of hints that are left out, each once, in the order in which they are met.
#[derive(Debug, Default)]
pub(crate) struct Hints(Vec<String>);

impl Hints {
    /// Does without a hint.
    pub(crate) fn lose(&mut self, name: &str) {
        if !self.0.iter().any(|known| known == name) {
            self.0.push(name.to_owned());
        }
    }

    /// Does without a hint where it was given.
    pub(crate) fn lose_if(&mut self, given: bool, name: &str) {
        if given {
            self.lose(name);
        }
    }

    /// The names.
    pub(crate) fn into_names(self) -> Vec<String> {
        self.0
    }
}

/// Why a request cannot do without `field`.
pub(crate) fn unsayable(field: &str, why: &str) -> Unsayable {
    Unsayable { field: field.to_owned(), why: why.to_owned() }
}

/// The last names of fields without which a request would be another one, whatever its dialect.
const ESSENTIAL: [&str; 24] = [
    "audio",
    "background",
    "cachedContent",
    "cached_content",
    "container",
    "conversation",
    "documents",
    "echo",
    "function_call",
    "functions",
    "guided_choice",
    "guided_grammar",
    "guided_json",
    "guided_regex",
    "logit_bias",
    "logprobs",
    "mcp_servers",
    "modalities",
    "previous_response_id",
    "prompt",
    "responseModalities",
    "suffix",
    "top_logprobs",
    "web_search_options",
];

/// Whether a request would be another one without a field that is no noun: an instruction, a tool of a kind that only its
/// own provider has, another form of the answer.
pub(crate) fn is_essential(other: &Other) -> bool {
    let name = other.name.as_str();
    let json: String = other.json.chars().filter(|c| !c.is_ascii_whitespace()).take(9).collect();
    let nothing = match json.as_str() {
        "null" | "false" | "[]" | "\"\"" => true,
        "{}" => !is_a_tool(name),
        "[\"text\"]" => name == "modalities",
        _ => false,
    };
    if nothing {
        return false;
    }
    let last = name.rsplit('.').next().unwrap_or(name);
    ESSENTIAL.contains(&last) || name.ends_with("].prefix") || is_a_tool(name)
}

/// Whether the field is a tool that is no noun, or the grammar of one: `tools`, `tools[0]`, `tools.googleSearch`,
/// `tools[0].custom.format.grammar`, `tools.sql.format`.
fn is_a_tool(name: &str) -> bool {
    name.strip_prefix("tools").is_some_and(|rest| match rest.as_bytes().first() {
        None => true,
        Some(b'[') => rest.ends_with(']') || rest.ends_with(".format.grammar"),
        Some(b'.') => rest.bytes().filter(|byte| *byte == b'.').count() == 1 || rest.ends_with(".format"),
        Some(_) => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_another_answer_is_told_from_hints() {
        for (name, json, essential) in [
            ("metadata", "{}", false),
            ("service_tier", "\"auto\"", false),
            ("logit_bias", "{\"1\":5}", true),
            ("logit_bias", "null", false),
            ("logit_bias", "{ }", false),
            ("modalities", "[ \"text\" ]", false),
            ("modalities", "[\"text\",\"audio\"]", true),
            ("generationConfig.responseModalities", "[\"IMAGE\"]", true),
            ("tools", "[{}]", true),
            ("tools[0]", "{\"a\":1}", true),
            ("tools[0].custom.format.grammar", "{\"a\":1}", true),
            ("tools[0].function.x", "{\"a\":1}", false),
            ("tools.googleSearch", "{}", true),
            ("tools.sql.format", "{\"a\":1}", true),
            ("tools.crm.description", "\"customers\"", false),
            ("tools.functionDeclarations.response", "{\"a\":1}", false),
            ("toolset", "{\"a\":1}", false),
            ("background", "false", false),
            ("background", "true", true),
            ("messages[3].prefix", "true", true),
        ] {
            let other = Other { name: name.to_owned(), json: json.into() };
            assert_eq!(is_essential(&other), essential, "{name} {json}");
        }
    }

    #[test]
    fn each_hint_is_told_once() {
        let mut hints = Hints::default();
        hints.lose("b");
        hints.lose_if(false, "c");
        hints.lose_if(true, "a");
        hints.lose("b");
        assert_eq!(hints.into_names(), ["b", "a"]);
    }
}
