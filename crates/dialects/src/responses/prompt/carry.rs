//! What a client of this dialect asks, made ready to be said in another.
//!
//! Must never be here: what another dialect has words for; what becomes of tools is for its writer to say.

use super::super::wire::{Raw, Word, list, object};
use crate::Unsayable;
use crate::essential::{Fate, fate};
use llm::{PartKind, Prompt};
use serde::Deserialize;

/// An item that stands in a request by its id alone.
pub(super) const REFERENCE: &str = "item_reference";

/// Takes out of `prompt`, which was read from `raw`, what is of use to a provider of this dialect alone, and tells of it
/// by name.
///
/// References to thoughts are, for nobody else could use these: the Vercel AI SDK sends them unless it is told to `store`
/// nothing (`convert-to-openai-responses-input.ts` of `@ai-sdk/openai` 3).
///
/// # Errors
/// The first field or item without which the request would be another one.
pub fn carry(prompt: &mut Prompt, raw: &[u8]) -> Result<Vec<String>, Unsayable> {
    for other in prompt.others.iter().filter(|other| !other.name.starts_with("tools")) {
        if let Fate::Refused(why) = fate(&other.name, &other.json) {
            return Err(Unsayable { field: other.name.clone(), why: why.to_owned() });
        }
    }
    if !prompt.turns.iter().flat_map(|turn| &turn.parts).any(|part| is_reference(&part.kind)) {
        return Ok(Vec::new());
    }
    let thoughts = thoughts(raw)?;
    for turn in &mut prompt.turns {
        turn.parts.retain(|part| !is_reference(&part.kind));
    }
    prompt.turns.retain(|turn| !turn.parts.is_empty());
    Ok(thoughts)
}

fn is_reference(kind: &PartKind) -> bool {
    matches!(kind, PartKind::Other { name, .. } if name == REFERENCE)
}

/// The places of all references, which have to be to thoughts.
fn thoughts(raw: &[u8]) -> Result<Vec<String>, Unsayable> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Asked<'a> {
        #[serde(borrow)]
        input: Raw<'a>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Item<'a> {
        #[serde(borrow, rename = "type")]
        kind: Word<'a>,
        #[serde(borrow)]
        role: Raw<'a>,
        #[serde(borrow)]
        id: Word<'a>,
    }
    let asked: Asked<'_> = object(raw).unwrap_or_default();
    let mut thoughts = Vec::new();
    for (at, raw) in list(asked.input).into_iter().enumerate() {
        let item: Item<'_> = object(raw.get().as_bytes()).unwrap_or_default();
        let bare = item.kind.get().is_empty() && item.role.is_none();
        if item.kind.get() != REFERENCE && !bare {
            continue;
        }
        let place = format!("input[{at}]");
        if !item.id.get().starts_with("rs_") {
            let why = "refers to an item that is kept at another provider: where `store` is false, clients send their items whole";
            return Err(Unsayable { field: place, why: why.to_owned() });
        }
        thoughts.push(place);
    }
    Ok(thoughts)
}
