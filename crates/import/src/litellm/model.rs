//! What is said of a model itself: prices, windows, how many calls it takes.

use super::fields::{Fields, count, number, rest, take, take_text};
use crate::finding::Findings;
use crate::gateway::Model;
use catalogue::{Catalogue, Facts};

/// Dollars for a token as dollars for a million, without the dust of binary fractions.
fn per_million(value: &serde_json::Value) -> Option<f64> {
    number(value).map(|dollars| (dollars * 1e12).round() / 1e6)
}

/// Takes what `fields` say; `to` is the model's place in our file.
pub(super) fn take_facts(fields: &mut Fields, at: &str, to: &str, model: &mut Model, findings: &mut Findings) {
    const PRICES: [(&str, &str); 4] = [
        ("input_cost_per_token", "input"),
        ("output_cost_per_token", "output"),
        ("cache_read_input_token_cost", "cached_input"),
        ("cache_creation_input_token_cost", "cache_write"),
    ];
    let [input, output, cached, written] = PRICES.map(|(key, _)| take(fields, at, key, findings, per_million));
    let both = input.zip(output).filter(|(input, output)| *input > 0.0 && *output > 0.0);
    for ((key, name), price) in PRICES.into_iter().zip([input, output, cached, written]) {
        let from = format!("{at}.{key}");
        match price {
            None => {}
            Some(price) if both.is_some() && price > 0.0 => findings.exact(&from, format!("{to}.price.{name}")),
            Some(_) => findings.approximate(&from, "", "a price here has both halves and no zeros; else it is unknown"),
        }
    }
    if both.is_some() {
        model.price = both;
        model.cached_input = cached.filter(|price| *price > 0.0);
        model.cache_write = written.filter(|price| *price > 0.0);
    }
    let counts = [
        ("max_input_tokens", "context_window", &mut model.context_window),
        ("max_output_tokens", "max_output_tokens", &mut model.max_output_tokens),
        ("max_parallel_requests", "max_concurrency", &mut model.max_concurrency),
    ];
    for (key, name, place) in counts {
        let most = u64::from(u32::MAX);
        let Some(found) = take(fields, at, key, findings, |value| count(value).filter(|n| (1..=most).contains(n)))
        else {
            continue;
        };
        findings.exact(&format!("{at}.{key}"), format!("{to}.{name}"));
        *place = Some(found);
    }
}

/// Takes `model_info`.
pub(super) fn take_info(mut info: Fields, at: &str, to: &str, model: &mut Model, kind: &str, findings: &mut Findings) {
    take_facts(&mut info, at, to, model, findings);
    if let Some(base) = take_text(&mut info, at, "base_model", findings) {
        let from = format!("{at}.base_model");
        let base = base.rsplit('/').next().unwrap_or(&base).to_owned();
        match Catalogue::default().models(kind).of(&base) {
            Some(facts) => {
                fill(model, facts);
                findings.approximate(&from, to, "its price and sizes are copied from the catalogue of models");
            }
            None => findings
                .manual(&from, format!("the catalogue of models knows no such model; give its price under {to}")),
        }
    }
    if let Some(mode) = take_text(&mut info, at, "mode", findings) {
        let from = format!("{at}.mode");
        match mode.as_str() {
            "chat" | "responses" | "completion" => findings.exact(&from, ""),
            _ => findings.approximate(&from, "", "the client's request decides what is asked for"),
        }
    }
    if info.remove("id").is_some() {
        findings.approximate(&format!("{at}.id"), "", "a target is called provider/model");
    }
    rest(&info, at, findings, |key| match key {
        "access_groups" => "there are no groups of models: list the routes of each caller",
        key if key.starts_with("supports_") => {
            "the catalogue of models knows it, or `capabilities` lists all that it can do"
        }
        _ => "there is nothing like it",
    });
}

/// What the catalogue knows of a model that is called otherwise here, where it is not said already.
pub(super) fn fill_from(kind: &str, name: &str, model: &mut Model) {
    if let Some(facts) = Catalogue::default().models(kind).of(name) {
        fill(model, facts);
    }
}

/// What is not said already.
fn fill(model: &mut Model, facts: Facts) {
    if let (None, Some(price)) = (model.price, facts.price.filter(|price| price.input > 0.0 && price.output > 0.0)) {
        model.price = Some((price.input, price.output));
        (model.cached_input, model.cache_write) = (price.cached_input, price.cache_write);
    }
    let in_a_file = |tokens: &u64| *tokens <= u64::from(u32::MAX);
    model.context_window = model.context_window.or(facts.context_window.filter(in_a_file));
    model.max_output_tokens = model.max_output_tokens.or(facts.max_output_tokens.filter(in_a_file));
}
