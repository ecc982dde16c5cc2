//! What is known of a provider's models: the file's word first, then the catalogue's, then what its kind is known for.
//!
//! Only what can be asked for is kept: models that the file names, and those of the whole kind where clients may name
//! any. Must never be here: reading the file.

use super::EVERY_OTHER;
use super::asked::Asked;
use super::model::{Models, Said};
use catalogue::{Catalogue, Facts};
use llm::Prefill;
use routing::{Listed, ModelFacts, ProviderFacts};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

type ByModel = HashMap<Arc<str>, ModelFacts>;

/// The catalogue, and what is made of it once for all providers of a kind.
#[derive(Default)]
pub(crate) struct Library {
    catalogue: Catalogue,
    shared: BTreeMap<String, Arc<ByModel>>,
}

impl Library {
    /// The facts of one provider's models, without its name and domains. A provider that is not `listed` may serve
    /// anything under the names of the catalogue, which says nothing of it then.
    pub(crate) fn facts(&mut self, kind: &str, listed: bool, models: &Models, asked: &Asked<'_>) -> ProviderFacts {
        let mut found =
            |model: &str| listed.then(|| self.catalogue.models(kind).of(model)).flatten().unwrap_or_default();
        let others = known(&models.others, Facts::default(), kind);
        let named =
            models.named.iter().map(|(model, said)| (Arc::from(model.as_str()), known(said, found(model), kind)));
        let mut facts: ByModel = named.collect();
        for model in asked.models.iter().filter(|model| *model != EVERY_OTHER && !models.named.contains_key(*model)) {
            let known = known(&models.others, found(model), kind);
            if known != others {
                facts.insert(Arc::from(model.as_str()), known);
            }
        }
        let listed = if listed && asked.anything { self.all(kind, &models.others) } else { Arc::default() };
        ProviderFacts { models: facts, others, listed, ..ProviderFacts::default() }
    }

    /// Every model of a kind, of which the file says `others`. Where it says nothing, one copy serves all providers.
    fn all(&mut self, kind: &str, others: &Said) -> Arc<ByModel> {
        if *others != Said::default() {
            return Arc::new(self.made(kind, others));
        }
        if let Some(shared) = self.shared.get(kind) {
            return Arc::clone(shared);
        }
        let made = Arc::new(self.made(kind, others));
        self.shared.insert(kind.to_owned(), Arc::clone(&made));
        made
    }

    fn made(&mut self, kind: &str, said: &Said) -> ByModel {
        let models = self.catalogue.models(kind).iter();
        models.map(|(model, told)| (Arc::from(model), known(said, told, kind))).collect()
    }
}

/// One model's facts.
fn known(said: &Said, told: Facts, kind: &str) -> ModelFacts {
    let capabilities = said.declared.map(|declared| declared.capabilities).unwrap_or_default();
    ModelFacts {
        context_window: said.context_window.or(told.context_window),
        max_output_tokens: said.max_output_tokens.or(told.max_output_tokens),
        prefill: prefill(said.declared.map(|declared| declared.prefill), told.prefill, kind),
        // A price is one thing: parts of two of them make none.
        price: said.price.or(told.price),
        capabilities: capabilities.or(told.capabilities),
        listed: Listed {
            context_window: said.context_window.is_none() && told.context_window.is_some(),
            max_output_tokens: said.max_output_tokens.is_none() && told.max_output_tokens.is_some(),
            price: said.price.is_none() && told.price.is_some(),
            capabilities: said.declared.is_none() && told.capabilities != capabilities,
        },
    }
}

/// How a model goes on with a given beginning: as its kind does, where it does at all.
fn prefill(declared: Option<bool>, told: Option<bool>, kind: &str) -> Prefill {
    let goes_on = match declared.or(told) {
        // The catalogue has it of kinds, too, that want a word of their own for it which is not known here.
        Some(true) => declared == Some(true) || flagged(kind).is_some() || PLAIN.contains(&kind),
        Some(false) => false,
        None => flagged(kind).is_some(),
    };
    if goes_on { flagged(kind).unwrap_or(Prefill::Plain) } else { Prefill::No }
}

/// Kinds whose models go on with a last message of the assistant as it stands, where the catalogue says that they do:
/// those that serve Anthropic's, whose API documents it.
const PLAIN: &[&str] = &["anthropic", "bedrock", "vertex"];

/// How models of a kind go on with a given beginning: those that need a flag for it, and do by themselves.
///
/// Mistral documents `prefix` on the last message of its chat API; vLLM and SGLang document `continue_final_message`
/// of their servers.
fn flagged(kind: &str) -> Option<Prefill> {
    match kind {
        "mistral" => Some(Prefill::PrefixFlag),
        "vllm" | "sglang" => Some(Prefill::ContinueFlag),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::prefill;
    use llm::Prefill::{self, ContinueFlag, No, Plain, PrefixFlag};

    #[test]
    fn who_goes_on_with_a_given_beginning() {
        let table: [(Option<bool>, Option<bool>, &str, Prefill); 11] = [
            (None, None, "openai", No),
            (None, None, "mistral", PrefixFlag),
            (None, Some(true), "mistral", PrefixFlag),
            (None, Some(false), "mistral", No),
            (Some(true), Some(false), "mistral", PrefixFlag),
            (None, Some(true), "anthropic", Plain),
            (None, Some(false), "anthropic", No),
            (None, Some(true), "deepseek", No),
            (Some(true), None, "deepseek", Plain),
            (Some(false), Some(true), "anthropic", No),
            (Some(true), None, "vllm", ContinueFlag),
        ];
        for (declared, told, kind, expected) in table {
            assert_eq!(prefill(declared, told, kind), expected, "{declared:?} {told:?} {kind}");
        }
    }
}
