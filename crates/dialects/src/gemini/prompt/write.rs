//! The words of no dialect to a request for a provider of this one.
//!
//! Receives a [`Prompt`]; hands on the body, or what cannot be said. Must never be here: the model's name, which stands in
//! the path, but for what its generation takes.

use super::super::json::{Object, push_list};
use super::super::schema::asked;
use super::beyond::{Beyond, add};
use super::config::{generation, tool_config};
use super::contents::said;
use crate::{Unsayable, Written};
use llm::{Declared, Prompt, Takes};

/// Writes `prompt` for `model`, named as its provider names it.
///
/// # Errors
/// [`Unsayable`] names what the request cannot do without and Google has no word for.
pub fn write_prompt(prompt: &Prompt, model: &str) -> Result<Written, Unsayable> {
    let mut beyond = Beyond::of(&prompt.others)?;
    let mut left_out = std::mem::take(&mut beyond.left_out);
    let said = said(&prompt.turns, model, &mut left_out)?;
    let tools = tools(prompt, &beyond, &mut left_out)?;
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

/// Writes the tools, where there are any: all declared ones in one, each of Google's own beside it.
fn tools(prompt: &Prompt, beyond: &Beyond<'_>, left_out: &mut Vec<String>) -> Result<Option<String>, Unsayable> {
    let mut written = Vec::new();
    if !prompt.tools.is_empty() {
        let declared = prompt.tools.iter().map(declaration).collect::<Result<Vec<_>, _>>()?;
        written.push(format!("{{\"functionDeclarations\":[{}]}}", declared.join(",")));
    }
    written.extend(beyond.tools.iter().map(|(name, json)| format!("{{\"{name}\":{json}}}")));
    if prompt.tools.iter().any(|tool| tool.strict == Some(true)) {
        left_out.push("strict".to_owned());
    }
    if prompt.tools.iter().any(|tool| tool.cache.is_some()) && !left_out.iter().any(|name| name == "cache_control") {
        left_out.push("cache_control".to_owned());
    }
    let mut out = String::new();
    push_list(&mut out, &written, |out, tool| out.push_str(tool));
    Ok((!written.is_empty()).then_some(out))
}

fn declaration(tool: &Declared) -> Result<String, Unsayable> {
    let refused = |why: String| Unsayable { field: "tools".to_owned(), why };
    let schema = match &tool.takes {
        Takes::Json(schema) => schema.as_deref(),
        Takes::Free => return Err(refused(format!("hold one that takes text, which Google's do not: {}", tool.name))),
    };
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
