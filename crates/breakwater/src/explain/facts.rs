//! What is known of a candidate's model, and who says so.
//!
//! Pure: receives facts, hands on lines. Must never be here: looking them up.

use llm::{Capability, Prefill, Price};
use routing::{Listed, ModelFacts};

/// The facts in lines; none where nothing is known.
pub(super) fn describe(facts: &ModelFacts) -> Vec<String> {
    let Listed { context_window, max_output_tokens, price, capabilities } = facts.listed;
    let window = facts.context_window.map(|tokens| format!("window of {tokens} tokens{}", by(context_window)));
    let output = facts.max_output_tokens.map(|tokens| format!("answers of {tokens} at most{}", by(max_output_tokens)));
    let amounts: Vec<String> = [window, output].into_iter().flatten().collect();
    let able = [("can", words(facts, true)), ("cannot", words(facts, false))];
    let able: Vec<String> = able
        .iter()
        .filter(|(_, words)| !words.is_empty())
        .map(|(verb, words)| format!("{verb}: {}", words.join(", ")))
        .collect();
    let lines = [
        facts.price.map(|known| format!("price: {}{}", dollars(known), by(price))),
        (!amounts.is_empty()).then(|| amounts.join("; ")),
        (!able.is_empty()).then(|| format!("{}{}", able.join("; "), by(capabilities))),
    ];
    lines.into_iter().flatten().collect()
}

/// What the configuration does not say itself is marked.
fn by(listed: bool) -> &'static str {
    if listed { " (catalogue)" } else { "" }
}

fn dollars(price: Price) -> String {
    let Price { input, output, cached_input, cache_write } = price;
    let cache = [("cached", cached_input), ("written to the cache", cache_write)];
    let cache = cache.iter().filter_map(|(what, price)| Some(format!(", ${} {what}", (*price)?)));
    format!("${input} in, ${output} out{} for a million tokens", cache.collect::<String>())
}

/// What a model is known to be able to do, or not to be.
fn words(facts: &ModelFacts, has: bool) -> Vec<&'static str> {
    let prefill = (has && facts.prefill != Prefill::No).then_some("prefill");
    prefill.into_iter().chain(facts.capabilities.known(has).map(Capability::as_str)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use llm::Capabilities;

    #[test]
    fn facts_and_who_says_so() {
        let price = Price { input: 0.15, output: 0.6, cached_input: Some(0.075), cache_write: None };
        let capabilities = Capabilities::default().with(Capability::Tools, true).with(Capability::Vision, false);
        for (facts, expected) in [
            (ModelFacts::default(), &[] as &[&str]),
            (
                ModelFacts {
                    price: Some(price),
                    context_window: Some(128_000),
                    max_output_tokens: Some(16_384),
                    prefill: Prefill::Plain,
                    capabilities,
                    listed: Listed { max_output_tokens: true, price: true, ..Listed::default() },
                },
                &[
                    "price: $0.15 in, $0.6 out, $0.075 cached for a million tokens (catalogue)",
                    "window of 128000 tokens; answers of 16384 at most (catalogue)",
                    "can: prefill, tools; cannot: vision",
                ],
            ),
            (
                ModelFacts {
                    capabilities: Capabilities::default().with(Capability::Reasoning, false),
                    listed: Listed { capabilities: true, ..Listed::default() },
                    ..ModelFacts::default()
                },
                &["cannot: reasoning (catalogue)"],
            ),
        ] {
            assert_eq!(describe(&facts), expected);
        }
    }
}
