//! Tools that a provider runs by itself: whose they are, and what becomes of them at another provider.
//!
//! Each reader hands such a tool on as an [`Other`] named `tools[N]`, by its place in the client's list, with its JSON;
//! whose it is shows in its form. OpenAI's chat dialect has one alone, in a field of its own: `web_search_options`.
//! Must never be here: how a writer says what it can.

use crate::Unsayable;
use llm::{Dialect, Other, Prompt, ToolChoice};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// The field with which OpenAI's chat dialect asks for a search of the web.
const OPTIONS: &str = "web_search_options";

/// Settings of a search, in any dialect, that say what holds without them.
const DEFAULTS: [(&str, &str); 5] = [
    ("name", "\"web_search\""),
    ("search_context_size", "\"medium\""),
    ("external_web_access", "true"),
    ("search_content_types", "[\"text\"]"),
    ("allowed_callers", "[\"direct\"]"),
];

/// What a provider can be told of such tools.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Speaks {
    /// Whose tools it takes as they are.
    pub(crate) own: Option<Dialect>,
    /// It can be asked to search the web, beside what else this request wants of it.
    pub(crate) search: bool,
}

/// What becomes of the tools of one request.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Hosted<'a> {
    /// The provider's own, as they came.
    pub(crate) given: Vec<&'a str>,
    /// The provider is to search the web.
    pub(crate) search: bool,
    /// What it does without, by the client's names.
    pub(crate) left_out: Vec<&'a str>,
}

/// Sorts the tools of `prompt` by what becomes of them at a provider that speaks so.
///
/// A search of the web is left out where it comes in the form of OpenAI's responses beside functions: coding agents
/// always offer it (codex 0.169, see its requests), and work without. So is a search among tools, which are declared all
/// the same. Neither is where the client forces it.
///
/// # Errors
/// A tool that the provider has not, or one that is forced and no function.
pub(crate) fn hosted<'a>(prompt: &'a Prompt, speaks: Speaks) -> Result<Hosted<'a>, Unsayable> {
    let mut hosted = Hosted::default();
    for other in prompt.others.iter().filter(|other| is_hosted(&other.name)) {
        let tool = Tool::of(other);
        let free = prompt.tool_choice == ToolChoice::Auto && !is_forced(prompt);
        let unasked = tool.of == Dialect::Responses && !prompt.tools.is_empty() && !is_forced(prompt);
        match tool.search {
            _ if speaks.own == Some(tool.of) => hosted.given.push(&other.json),
            Search::Bare if speaks.search && free => {
                hosted.search = true;
                hosted.left_out.extend(tool.fields.contains_key("cache_control").then_some("cache_control"));
            }
            Search::Bare | Search::Set if unasked => hosted.left_out.push(&other.name),
            Search::AmongTools if !is_forced(prompt) => hosted.left_out.push(&other.name),
            _ => return Err(tool.refused(&other.name)),
        }
    }
    match &prompt.tool_choice {
        ToolChoice::Named(name)
            if hosted != Hosted::default() && hosted.given.is_empty() && !declares(prompt, name) =>
        {
            Err(Unsayable { field: "tool_choice".into(), why: format!("forces `{name}`, which is no function") })
        }
        _ => Ok(hosted),
    }
}

/// Whether a field that is no noun is such a tool.
pub(crate) fn is_hosted(name: &str) -> bool {
    let place = name.strip_prefix("tools[").and_then(|rest| rest.strip_suffix(']'));
    name == OPTIONS || place.is_some_and(|place| !place.is_empty() && place.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether `prompt` declares a function called `name`.
pub(crate) fn declares(prompt: &Prompt, name: &str) -> bool {
    prompt.tools.iter().any(|tool| tool.name == name)
}

/// Whether the client forces a tool that is no function: only the responses dialect has words for that.
fn is_forced(prompt: &Prompt) -> bool {
    prompt.others.iter().any(|other| other.name == "tool_choice")
}

/// What a tool searches.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Search {
    /// The web, and nothing is said of how.
    Bare,
    /// The web, in a way that only its provider knows.
    Set,
    /// The tools that are declared.
    AmongTools,
    /// It is no search, or one of something else.
    No,
}

/// One tool.
struct Tool<'a> {
    of: Dialect,
    /// What its dialect calls it.
    kind: String,
    search: Search,
    fields: BTreeMap<String, &'a RawValue>,
}

impl<'a> Tool<'a> {
    fn of(other: &'a Other) -> Self {
        let fields: BTreeMap<String, &'a RawValue> = serde_json::from_str(&other.json).unwrap_or_default();
        let typed: Option<String> = fields.get("type").and_then(|raw| serde_json::from_str(raw.get()).ok());
        let (of, kind) = match typed {
            _ if other.name == OPTIONS => (Dialect::OpenAiChat, OPTIONS.to_owned()),
            Some(kind) if is_anthropics(&kind) => (Dialect::Anthropic, kind),
            Some(kind) => (Dialect::Responses, kind),
            None => (Dialect::Gemini, fields.keys().map(String::as_str).collect::<Vec<_>>().join(", ")),
        };
        let search = match kind.as_str() {
            "googleSearch" if fields.values().all(|settings| is_empty(settings)) => Search::Bare,
            "googleSearch" => Search::Set,
            kind if kind.starts_with("tool_search") => Search::AmongTools,
            kind if !kind.starts_with("web_search") => Search::No,
            _ if fields.iter().all(|(name, value)| is_default(name, value)) => Search::Bare,
            _ => Search::Set,
        };
        Self { of, kind, search, fields }
    }

    fn refused(&self, name: &str) -> Unsayable {
        let how = if self.search == Search::Set { ", with settings of its own," } else { "" };
        let kind: String = self.kind.chars().take(64).collect();
        let why = format!("is `{kind}`{how} which its provider runs by itself, and this one cannot be asked for");
        Unsayable { field: name.to_owned(), why }
    }
}

/// Anthropic's types end in the date of their version; a set of tools elsewhere has none.
fn is_anthropics(kind: &str) -> bool {
    let dated = |(_, date): (&str, &str)| date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit());
    kind == "mcp_toolset" || kind.rsplit_once('_').is_some_and(dated)
}

fn is_default(name: &str, value: &RawValue) -> bool {
    let compact: String = value.get().split_ascii_whitespace().collect();
    matches!(name, "type" | "cache_control") || is_empty(value) || DEFAULTS.contains(&(name, &compact))
}

fn is_empty(value: &RawValue) -> bool {
    let compact: String = value.get().split_ascii_whitespace().collect();
    matches!(compact.as_str(), "null" | "{}" | "[]")
}

#[cfg(test)]
mod tests {
    use super::*;
    use llm::{Declared, Takes};

    const NOTHING: Speaks = Speaks { own: None, search: false };
    const SEARCHES: Speaks = Speaks { own: None, search: true };

    fn function() -> Declared {
        Declared { name: "f".into(), description: String::new(), takes: Takes::Json(None), strict: None, cache: None }
    }

    fn asking(others: &[(&str, &str)], functions: bool, tool_choice: ToolChoice) -> Prompt {
        let others = others.iter().map(|(name, json)| Other { name: (*name).into(), json: (*json).into() });
        let tools = if functions { vec![function()] } else { vec![] };
        Prompt { others: others.collect(), tools, tool_choice, ..Prompt::default() }
    }

    /// What becomes of one tool: `given`, `search`, `left out`, or the field that is refused.
    fn fate(name: &str, json: &str, functions: bool, speaks: Speaks) -> String {
        let prompt = asking(&[(name, json)], functions, ToolChoice::Auto);
        match hosted(&prompt, speaks) {
            Ok(Hosted { given, .. }) if given == [json] => "given".into(),
            Ok(Hosted { search: true, .. }) => "search".into(),
            Ok(Hosted { left_out, .. }) if left_out == [name] => "left out".into(),
            Ok(other) => panic!("{json}: {other:?}"),
            Err(refused) => format!("{}: {}", refused.field, refused.why.split('`').nth(1).unwrap_or_default()),
        }
    }

    #[test]
    fn each_tool_is_its_own_providers() {
        for (name, json, of) in [
            ("tools[0]", r#"{"type":"web_search_20250305","name":"web_search","max_uses":3}"#, Dialect::Anthropic),
            ("tools[0]", r#"{"type":"bash_20250124","name":"bash"}"#, Dialect::Anthropic),
            ("tools[0]", r#"{"type":"mcp_toolset","mcp_server_name":"s"}"#, Dialect::Anthropic),
            ("tools[0]", r#"{"type":"web_search_preview_2025_03_11"}"#, Dialect::Responses),
            ("tools[0]", r#"{"type":"file_search","vector_store_ids":[]}"#, Dialect::Responses),
            ("tools[0]", r#"{"googleSearch":{},"codeExecution":{}}"#, Dialect::Gemini),
            ("web_search_options", r#"{"search_context_size":"low"}"#, Dialect::OpenAiChat),
        ] {
            for own in Dialect::ANSWERS {
                let found = fate(name, json, false, Speaks { own: Some(own), search: false });
                assert_eq!(found == "given", own == of, "{json} at {own:?}: {found}");
            }
        }
    }

    #[test]
    fn a_search_of_the_web_is_every_providers_who_has_one() {
        for (json, functions, speaks, expected) in [
            (r#"{"type":"web_search"}"#, false, SEARCHES, "search"),
            (r#"{"type":"web_search"}"#, true, SEARCHES, "search"),
            (r#"{"type":"web_search_preview","search_context_size":"medium"}"#, true, SEARCHES, "search"),
            (r#"{"type":"web_search","external_web_access":true,"filters":null}"#, true, SEARCHES, "search"),
            (r#"{"type":"web_search_20250305","name":"web_search"}"#, true, SEARCHES, "search"),
            (r#"{"googleSearch":{ }}"#, false, SEARCHES, "search"),
            // Settings are not translated.
            (r#"{"type":"web_search","external_web_access":false}"#, false, SEARCHES, "tools[3]: web_search"),
            (
                r#"{"type":"web_search_20250305","name":"web_search","max_uses":1}"#,
                true,
                SEARCHES,
                "tools[3]: web_search_20250305",
            ),
            (r#"{"googleSearch":{"excludeDomains":["x"]}}"#, true, SEARCHES, "tools[3]: googleSearch"),
            (r#"{"googleSearch":{},"codeExecution":{}}"#, true, SEARCHES, "tools[3]: codeExecution, googleSearch"),
            // What agents always offer is not missed.
            (r#"{"type":"web_search"}"#, true, NOTHING, "left out"),
            (r#"{"type":"web_search","external_web_access":false}"#, true, SEARCHES, "left out"),
            (r#"{"type":"web_search"}"#, false, NOTHING, "tools[3]: web_search"),
            (r#"{"type":"web_search_20250305","name":"web_search"}"#, true, NOTHING, "tools[3]: web_search_20250305"),
            (r#"{"googleSearch":{}}"#, true, NOTHING, "tools[3]: googleSearch"),
            (r#"{"type":"tool_search"}"#, true, NOTHING, "left out"),
            (r#"{"type":"tool_search_tool_bm25_20251119","name":"t"}"#, true, NOTHING, "left out"),
            (r#"{"type":"file_search"}"#, true, SEARCHES, "tools[3]: file_search"),
            (r#"{"type":"code_interpreter","container":{}}"#, true, SEARCHES, "tools[3]: code_interpreter"),
            ("7", true, SEARCHES, "tools[3]: "),
        ] {
            assert_eq!(fate("tools[3]", json, functions, speaks), expected, "{json}");
        }
        assert_eq!(fate("web_search_options", "{}", true, SEARCHES), "search");
        assert_eq!(fate("web_search_options", "{}", true, NOTHING), "web_search_options: web_search_options");
        let marked = asking(
            &[(
                "tools[0]",
                r#"{"type":"web_search_20250305","name":"web_search","cache_control":{"type":"ephemeral"}}"#,
            )],
            false,
            ToolChoice::Auto,
        );
        assert_eq!(hosted(&marked, SEARCHES).map(|hosted| hosted.left_out), Ok(vec!["cache_control"]));
    }

    #[test]
    fn a_tool_that_is_forced_is_never_left_out() {
        const SEARCH: (&str, &str) = ("tools[0]", r#"{"type":"web_search"}"#);
        const THEIRS: (&str, &str) = ("tools[0]", r#"{"type":"web_search_20250305","name":"web_search"}"#);
        const FORCED: (&str, &str) = ("tool_choice", r#"{"type":"web_search"}"#);
        let named = |name: &str| ToolChoice::Named(name.into());
        for (others, choice, speaks, refused) in [
            (&[SEARCH, FORCED][..], ToolChoice::Auto, SEARCHES, Some("tools[0]")),
            (&[SEARCH], named("web_search"), SEARCHES, Some("tool_choice")),
            (&[SEARCH], named("f"), SEARCHES, None),
            (&[SEARCH], ToolChoice::Required, SEARCHES, None),
            (&[THEIRS], named("web_search"), SEARCHES, Some("tools[0]")),
            (&[THEIRS], named("web_search"), Speaks { own: Some(Dialect::Anthropic), search: true }, None),
            (&[THEIRS], ToolChoice::Required, SEARCHES, Some("tools[0]")),
            (&[], named("web_search"), SEARCHES, None),
        ] {
            let prompt = asking(others, true, choice);
            assert_eq!(hosted(&prompt, speaks).err().map(|one| one.field).as_deref(), refused, "{prompt:?}");
        }
    }

    #[test]
    fn such_tools_are_known_by_name() {
        for (name, is) in [
            ("tools[0]", true),
            ("tools[12]", true),
            ("web_search_options", true),
            ("tools[]", false),
            ("tools[0].later", false),
            ("tools[0].function.examples[1]", false),
            ("tools", false),
        ] {
            assert_eq!(is_hosted(name), is, "{name}");
        }
    }
}
