//! The words of no dialect to a request for a provider of this one.
//!
//! Receives a [`Prompt`]; hands on the body, or what cannot be said. Must never be here: the model's name, which stands in
//! the path, but for what its generation takes.

use super::super::json::{Object, push_list};
use super::super::schema::asked;
use super::beyond::{Beyond, add};
use super::config::{generation, is_older, tool_config};
use super::contents::said;
use crate::hosted::{Hosted, Speaks, hosted};
use crate::{Unsayable, Written};
use llm::{Declared, Dialect, Format, Prompt, Takes};

/// The longest name of a function, in characters.
const MAX_NAME: usize = 128;

/// Writes `prompt` for `model`, named as its provider names it.
///
/// # Errors
/// [`Unsayable`] names what the request cannot do without and Google has no word for.
pub fn write_prompt(prompt: &Prompt, model: &str) -> Result<Written, Unsayable> {
    let mut beyond = Beyond::of(&prompt.others)?;
    let mut left_out = std::mem::take(&mut beyond.left_out);
    let said = said(&prompt.turns, model, &mut left_out)?;
    let hosted = hosted(prompt, speaks(prompt, model))?;
    let tools = tools(prompt, &hosted)?;
    tool_hints(prompt, &hosted, &mut left_out);
    let generation = generation(prompt, model, &beyond, &mut left_out)?;
    if !prompt.user.is_empty() {
        left_out.push("user".to_owned());
    }
    if prompt.parallel_calls == Some(false) && !prompt.tools.is_empty() {
        left_out.push("parallel_tool_calls".to_owned());
    }
    let mut body = String::with_capacity(said.contents.len() + 256);
    let mut object = Object::open(&mut body);
    let tool_config = tool_config(prompt, &beyond);
    let fields = [
        ("systemInstruction", said.system.as_deref()),
        ("contents", Some(said.contents.as_str())),
        ("tools", tools.as_deref()),
        ("toolConfig", tool_config.as_deref()),
        ("generationConfig", generation.as_deref()),
        (super::CACHED, said.cached),
    ];
    for (name, json) in fields {
        if let Some(json) = json {
            object.json(name, json);
        }
    }
    add(&mut object, &beyond.top);
    object.close();
    Ok(Written { body: body.into(), left_out })
}

/// What Google can be asked for: a search not beside functions, for then its newer models want to be given back what was
/// found, which other dialects have no words for (ai.google.dev/gemini-api/docs/tool-combination), and its older ones
/// refuse both; nor do these take it with a form of the text.
fn speaks(prompt: &Prompt, model: &str) -> Speaks {
    let formed = is_older(model) && prompt.format != Format::Text;
    Speaks { own: Some(Dialect::Gemini), search: prompt.tools.is_empty() && !formed }
}

/// Writes the tools, where there are any: all declared ones in one, Google's own beside it.
fn tools(prompt: &Prompt, hosted: &Hosted<'_>) -> Result<Option<String>, Unsayable> {
    let mut written = Vec::new();
    if !prompt.tools.is_empty() {
        let declared = prompt.tools.iter().map(declaration).collect::<Result<Vec<_>, _>>()?;
        written.push(format!("{{\"functionDeclarations\":[{}]}}", declared.join(",")));
    }
    written.extend(hosted.given.iter().map(|json| (*json).to_owned()));
    written.extend(hosted.search.then(|| r#"{"googleSearch":{}}"#.to_owned()));
    let mut out = String::new();
    push_list(&mut out, &written, |out, tool| out.push_str(tool));
    Ok((!written.is_empty()).then_some(out))
}

/// Tells of what Google takes of no tool.
fn tool_hints(prompt: &Prompt, hosted: &Hosted<'_>, left_out: &mut Vec<String>) {
    if prompt.tools.iter().any(|tool| tool.strict == Some(true)) {
        left_out.push("strict".to_owned());
    }
    let marked = prompt.tools.iter().any(|tool| tool.cache.is_some()).then_some("cache_control");
    for name in marked.into_iter().chain(hosted.left_out.iter().copied()) {
        if !left_out.iter().any(|known| known == name) {
            left_out.push(name.to_owned());
        }
    }
}

fn declaration(tool: &Declared) -> Result<String, Unsayable> {
    let refused = |why: String| Unsayable { field: "tools".to_owned(), why };
    let schema = match &tool.takes {
        Takes::Json(schema) => schema.as_deref(),
        Takes::Free => return Err(refused(format!("hold one that takes text, which Google's do not: {}", tool.name))),
    };
    if !is_name(&tool.name) {
        return Err(refused(format!("hold one whose name Google does not take: {}", tool.name)));
    }
    let mut out = String::new();
    let mut object = Object::open(&mut out);
    object.text("name", &tool.name);
    if !tool.description.is_empty() {
        object.text("description", &tool.description);
    }
    if let Some(schema) = schema {
        let schema =
            asked(schema, true).map_err(|why| refused(format!("hold one whose schema {why}: {}", tool.name)))?;
        object.json("parametersJsonSchema", &schema);
    }
    object.close();
    Ok(out)
}

/// Whether Google takes a function of that name, as its discovery document says.
fn is_name(name: &str) -> bool {
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':' | '-');
    starts && name.len() <= MAX_NAME && name.chars().all(fits)
}
