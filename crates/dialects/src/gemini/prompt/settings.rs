//! The tools of a request, and how it wants to be answered.
//!
//! Must never be here: what is said.

use super::super::fields::{Fields, invalid};
use super::super::json::{Object, compact};
use super::super::schema::told;
use super::read::Others;
use crate::json::Json;
use llm::{CallError, Declared, Demanded, Format, Sampling, Takes, Thinking, ToolChoice};

/// The tools that are declared. Those that Google runs itself are kept as they came, those of one object together, as
/// `tools[0]`.
pub(super) fn tools(fields: &mut Fields<'_>, others: &mut Others) -> Result<Vec<Declared>, CallError> {
    let mut declared = Vec::new();
    let of_tools = fields.at("tools");
    for (at, json) in fields.list("tools").enumerate() {
        let at = of_tools.item(at);
        let mut tool = Fields::read(at, json)?;
        let place = tool.at("functionDeclarations");
        for (at, json) in tool.list("functionDeclarations").enumerate() {
            declared.push(declaration(Fields::read(place.item(at), json)?, others)?);
        }
        let mut hosted = String::new();
        let mut object = Object::open(&mut hosted);
        for (name, json) in tool.rest() {
            object.json(&name, json.get());
        }
        if !object.is_empty() {
            object.close();
            others.keep(at.to_string(), Json::from(&*super::super::json::raw(hosted)));
        }
    }
    Ok(declared)
}

fn declaration(mut function: Fields<'_>, others: &mut Others) -> Result<Declared, CallError> {
    let at = function.at("name");
    let name = function.text("name")?.filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| invalid(format!("Invalid function name at '{at}': it must not be empty."), at))?;
    let description = function.text("description")?.unwrap_or_default();
    let own = function.take("parameters").map(told);
    let schema = function.take("parametersJsonSchema").map(|schema| compact(schema.get()).into_owned()).or(own);
    others.keep_rest("tools.functionDeclarations", function);
    let takes = Takes::Json(schema.map(Into::into));
    Ok(Declared { name, description, takes, strict: None, cache: None })
}

/// Which tools have to be called.
pub(super) fn choice(fields: &mut Fields<'_>, others: &mut Others) -> Result<ToolChoice, CallError> {
    let Some(mut config) = fields.object("toolConfig")? else { return Ok(ToolChoice::Auto) };
    let calling = config.object("functionCallingConfig")?;
    others.keep_rest("toolConfig", config);
    let Some(mut calling) = calling else { return Ok(ToolChoice::Auto) };
    let mode = calling.text("mode")?.unwrap_or_default().to_ascii_uppercase();
    let mut names = calling.texts("allowedFunctionNames")?;
    others.keep_rest("toolConfig.functionCallingConfig", calling);
    Ok(match mode.as_str() {
        "NONE" => ToolChoice::None,
        "ANY" if names.is_empty() => ToolChoice::Required,
        "ANY" if names.len() == 1 => ToolChoice::Named(names.remove(0)),
        "ANY" => ToolChoice::Among { names: names.into_iter().collect(), required: true },
        // Like AUTO, held to what is declared.
        "VALIDATED" if !names.is_empty() => ToolChoice::Among { names: names.into_iter().collect(), required: false },
        _ => ToolChoice::Auto,
    })
}

/// The form of the answer's text, from `generationConfig`.
pub(super) fn format(config: &mut Fields<'_>) -> Result<Format, CallError> {
    // One word out of several is a form that only Google has: it stays where it is.
    if config.text_of("responseMimeType").is_some_and(|kind| kind == "text/x.enum") {
        return Ok(Format::Text);
    }
    let json = config.text("responseMimeType")?.as_deref() == Some("application/json");
    let own = config.take("responseSchema").map(told);
    let schema = config.take("responseJsonSchema").map(|schema| compact(schema.get()).into_owned()).or(own);
    Ok(match schema {
        Some(schema) => Format::JsonSchema(Demanded { name: String::new(), schema: schema.into(), strict: true }),
        None if json => Format::JsonObject,
        None => Format::Text,
    })
}

/// How the answer is sampled, and how much the model is to think before it.
pub(super) fn generation(
    mut config: Fields<'_>,
    others: &mut Others,
) -> Result<(Sampling, Option<Thinking>), CallError> {
    let thinking = config.object("thinkingConfig")?.map(|config| thinking(config, others)).transpose()?.flatten();
    let told = config.flag("responseLogprobs")?;
    let logprobs = config.count("logprobs")?.map(|count| u32::try_from(count).unwrap_or(u32::MAX));
    let choices = config.count("candidateCount")?.map(|count| u32::try_from(count).unwrap_or(u32::MAX));
    let sampling = Sampling {
        max_tokens: config.count("maxOutputTokens")?,
        temperature: config.number("temperature")?,
        top_p: config.number("topP")?,
        top_k: config.count("topK")?,
        stop: config.texts("stopSequences")?,
        seed: config.integer("seed")?,
        choices,
        presence_penalty: config.number("presencePenalty")?,
        frequency_penalty: config.number("frequencyPenalty")?,
        logprobs: logprobs.or_else(|| (told == Some(true)).then_some(0)),
    };
    others.keep_rest("generationConfig", config);
    Ok((sampling, thinking))
}

fn thinking(mut config: Fields<'_>, others: &mut Others) -> Result<Option<Thinking>, CallError> {
    let level = config.text("thinkingLevel")?.map(|level| level.to_ascii_lowercase());
    let budget = config.integer("thinkingBudget")?;
    if config.flag_of("includeThoughts") == Some(true) {
        config.take("includeThoughts");
        if level.is_none() && budget.is_none() {
            others.keep_rest("generationConfig.thinkingConfig", config);
            return Ok(Some(Thinking::Adaptive));
        }
    }
    others.keep_rest("generationConfig.thinkingConfig", config);
    Ok(match (level.filter(|level| level != "thinking_level_unspecified"), budget) {
        (Some(level), _) => Some(Thinking::Effort(level)),
        (None, Some(0)) => Some(Thinking::Off),
        (None, Some(budget)) => Some(u64::try_from(budget).map_or(Thinking::Adaptive, Thinking::Budget)),
        (None, None) => None,
    })
}
