//! How a provider of this dialect is told to answer: `generationConfig` and `toolConfig`.
//!
//! Must never be here: what is said, tools.

use super::super::json::{Object, push_list};
use super::super::schema::asked;
use super::beyond::{Beyond, add};
use crate::Unsayable;
use crate::literal::push_literal;
use llm::{Format, Prompt, Sampling, Thinking, ToolChoice};

/// The most stop sequences that Google takes.
const MAX_STOPS: usize = 5;

/// Whether `model` is of the generations before the third: they take a budget of thoughts and no level, know no signature
/// that stands for none, and take no tools together with a form of the text.
pub(super) fn is_older(model: &str) -> bool {
    ["gemini-1", "gemini-2"].iter().any(|generation| model.contains(generation))
}

/// Writes `generationConfig`, where there is anything to say.
pub(super) fn generation(
    prompt: &Prompt,
    model: &str,
    beyond: &Beyond<'_>,
    left_out: &mut Vec<String>,
) -> Result<Option<String>, Unsayable> {
    let mut out = String::new();
    let mut config = Object::open(&mut out);
    sampling(&prompt.sampling, &mut config, left_out)?;
    format(prompt, model, &mut config)?;
    if let Some(thinking) = &prompt.thinking {
        self::thinking(thinking, model, beyond.thoughts, &mut config, left_out);
    }
    add(&mut config, &beyond.config);
    let nothing = config.is_empty();
    config.close();
    Ok((!nothing).then_some(out))
}

fn sampling(sampling: &Sampling, config: &mut Object<'_>, left_out: &mut Vec<String>) -> Result<(), Unsayable> {
    if sampling.logprobs.is_some() {
        let why = "has no form of its own in what Google answers".to_owned();
        return Err(Unsayable { field: "logprobs".to_owned(), why });
    }
    if sampling.stop.len() > MAX_STOPS {
        let why = format!("holds more than the {MAX_STOPS} sequences that Google takes");
        return Err(Unsayable { field: "stop".to_owned(), why });
    }
    if let Some(tokens) = sampling.max_tokens {
        config.number("maxOutputTokens", tokens);
    }
    let numbers = [
        ("temperature", sampling.temperature),
        ("topP", sampling.top_p),
        ("presencePenalty", sampling.presence_penalty.filter(|penalty| *penalty != 0.0)),
        ("frequencyPenalty", sampling.frequency_penalty.filter(|penalty| *penalty != 0.0)),
    ];
    for (name, number) in numbers {
        if let Some(number) = number.filter(|number| number.is_finite()) {
            config.number(name, number);
        }
    }
    if let Some(top_k) = sampling.top_k {
        config.number("topK", top_k);
    }
    if !sampling.stop.is_empty() {
        push_list(config.value("stopSequences"), &sampling.stop, |out, stop| push_literal(out, stop));
    }
    if let Some(choices) = sampling.choices.filter(|choices| *choices > 1) {
        config.number("candidateCount", choices);
    }
    match sampling.seed.map(i32::try_from) {
        Some(Ok(seed)) => config.number("seed", seed),
        Some(Err(_)) => left_out.push("seed".to_owned()),
        None => {}
    }
    Ok(())
}

fn format(prompt: &Prompt, model: &str, config: &mut Object<'_>) -> Result<(), Unsayable> {
    let refused = |why: &str| Unsayable { field: "response_format".to_owned(), why: why.to_owned() };
    if prompt.format != Format::Text && !prompt.tools.is_empty() && is_older(model) {
        return Err(refused("cannot be asked of this model together with tools"));
    }
    if prompt.format != Format::Text {
        config.text("responseMimeType", "application/json");
    }
    if let Format::JsonSchema(demanded) = &prompt.format {
        config.json("responseJsonSchema", &asked(&demanded.schema, false).map_err(refused)?);
    }
    Ok(())
}

/// How much a model of this generation is told to think.
enum Amount {
    Budget(i64),
    Level(&'static str),
    /// As it sees fit.
    Free,
}

fn thinking(
    thinking: &Thinking,
    model: &str,
    wanted: Option<bool>,
    config: &mut Object<'_>,
    left_out: &mut Vec<String>,
) {
    let Some(amount) = (if is_older(model) { budget(thinking) } else { level(thinking, model) }) else {
        return left_out.push("reasoning_effort".to_owned());
    };
    let off = matches!(thinking, Thinking::Off) || matches!(amount, Amount::Budget(0));
    if matches!((thinking, &amount), (Thinking::Off, Amount::Level(_))) {
        // It thinks all the same, as little as it can.
        left_out.push("thinking".to_owned());
    }
    let mut thinking = Object::open(config.value("thinkingConfig"));
    match amount {
        Amount::Budget(tokens) => thinking.number("thinkingBudget", tokens),
        Amount::Level(level) => thinking.text("thinkingLevel", level),
        Amount::Free => {}
    }
    if !off {
        // Whoever asks for thoughts wants to see them; it costs nothing more.
        thinking.json("includeThoughts", if wanted == Some(false) { "false" } else { "true" });
    }
    thinking.close();
}

/// Of the second generation. The budgets of words are those of Google's own OpenAI dialect.
fn budget(thinking: &Thinking) -> Option<Amount> {
    Some(Amount::Budget(match thinking {
        Thinking::Off => 0,
        Thinking::Adaptive => -1,
        Thinking::Budget(tokens) => i64::from(i32::try_from(*tokens).unwrap_or(i32::MAX)),
        Thinking::Effort(word) => match word.as_str() {
            "none" => 0,
            "minimal" | "low" => 1024,
            "medium" => 8192,
            "high" | "xhigh" | "max" => 24_576,
            _ => return None,
        },
    }))
}

/// Of the third generation and later, which cannot leave it altogether; the larger models know no level below low, and
/// the first of them no medium one.
fn level(thinking: &Thinking, model: &str) -> Option<Amount> {
    let least = if model.contains("pro") { "LOW" } else { "MINIMAL" };
    Some(match thinking {
        Thinking::Off => Amount::Level(least),
        Thinking::Adaptive => Amount::Free,
        Thinking::Budget(tokens) => Amount::Budget(i64::from(i32::try_from(*tokens).unwrap_or(i32::MAX))),
        Thinking::Effort(word) => Amount::Level(match word.as_str() {
            "none" | "minimal" => least,
            "low" => "LOW",
            "medium" if !model.contains("gemini-3-pro") => "MEDIUM",
            "medium" | "high" | "xhigh" | "max" => "HIGH",
            _ => return None,
        }),
    })
}

/// Writes `toolConfig`, where there is anything to say.
pub(super) fn tool_config(prompt: &Prompt, beyond: &Beyond<'_>) -> Option<String> {
    let mut out = String::new();
    let mut config = Object::open(&mut out);
    if let Some((mode, names)) = mode(&prompt.tool_choice).filter(|_| !prompt.tools.is_empty()) {
        let mut calling = Object::open(config.value("functionCallingConfig"));
        calling.text("mode", mode);
        if !names.is_empty() {
            push_list(calling.value("allowedFunctionNames"), names, push_literal);
        }
        calling.close();
    }
    add(&mut config, &beyond.tool_config);
    let nothing = config.is_empty();
    config.close();
    (!nothing).then_some(out)
}

/// Google's word for a choice of tools, and the names that it holds to.
fn mode(choice: &ToolChoice) -> Option<(&'static str, Vec<&str>)> {
    Some(match choice {
        ToolChoice::Auto => return None,
        ToolChoice::None => ("NONE", Vec::new()),
        ToolChoice::Required => ("ANY", Vec::new()),
        ToolChoice::Named(name) => ("ANY", vec![name]),
        ToolChoice::Among { names, required } => {
            (if *required { "ANY" } else { "VALIDATED" }, names.iter().map(String::as_str).collect())
        }
    })
}
