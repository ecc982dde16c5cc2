//! Seals, as this dialect carries them: in the `encrypted_content` of a reasoning item.
//!
//! A thought that the provider encrypted is such an item by itself, and the token of its seal is `ID|CONTENT`: the item's
//! id has to ride along. Every other seal is put into an envelope, `seal:DIALECT:KIND:PLACE:TOKEN`, since reasoning items
//! are what clients give back as they came: behind its thought, before its call, or behind its text. So is that of a
//! thought whose words were already written under another id.
//! Must never be here: what a seal means to its provider.

use llm::{Dialect, Seal, SealKind};
use std::sync::Arc;

/// What an envelope begins with; no provider's own content does.
const ENVELOPE: &str = "seal";

/// Whether there may be an envelope in the JSON text `raw`.
pub(super) fn may_hold_envelopes(raw: &[u8]) -> bool {
    memchr::memmem::find(raw, b"\"seal:").is_some()
}

/// What a seal belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The thought in the same item.
    Thought,
    /// The call that follows.
    Call,
    /// The text that precedes.
    Text,
}

impl Place {
    const ALL: [Self; 3] = [Self::Thought, Self::Call, Self::Text];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Thought => "thought",
            Self::Call => "call",
            Self::Text => "text",
        }
    }
}

const KINDS: [SealKind; 2] = [SealKind::Signature, SealKind::Encrypted];

const fn word(kind: SealKind) -> &'static str {
    match kind {
        SealKind::Signature => "signature",
        SealKind::Encrypted => "encrypted",
    }
}

/// Whether an item's encrypted content is an envelope.
pub(super) fn is_envelope(content: &str) -> bool {
    enveloped(content).is_some()
}

/// The id, if there is one, and the encrypted content of the item that a thought's own seal came in.
pub(super) fn own(seal: &Seal) -> Option<(&str, &str)> {
    if seal.of != Dialect::Responses || seal.kind != SealKind::Encrypted {
        return None;
    }
    Some(seal.token.split_once('|').unwrap_or(("", &seal.token)))
}

/// The id, if it has to have one, and the encrypted content of an item that carries `seal` to a client. An item that is
/// `named` already cannot be given an id.
pub(super) fn carried(seal: &Seal, place: Place, named: bool) -> (&str, String) {
    match own(seal) {
        Some((id, content)) if place == Place::Thought && !named => (id, content.to_owned()),
        _ => {
            let Seal { of, kind, token } = seal;
            ("", format!("{ENVELOPE}:{}:{}:{}:{token}", of.as_str(), word(*kind), place.as_str()))
        }
    }
}

/// The seal in an item's encrypted content, and what it belongs to.
pub(super) fn opened(id: &str, content: &str) -> (Place, Seal) {
    enveloped(content).unwrap_or_else(|| {
        let id = if id.contains('|') { "" } else { id };
        let token = Arc::from(format!("{id}|{content}"));
        (Place::Thought, Seal { of: Dialect::Responses, kind: SealKind::Encrypted, token })
    })
}

fn enveloped(content: &str) -> Option<(Place, Seal)> {
    let mut fields = content.splitn(5, ':');
    let mut next = || fields.next();
    if next()? != ENVELOPE {
        return None;
    }
    let of = next()?;
    let of = Dialect::ANSWERS.into_iter().find(|dialect| dialect.as_str() == of)?;
    let kind = next()?;
    let kind = KINDS.into_iter().find(|one| word(*one) == kind)?;
    let place = next()?;
    let place = Place::ALL.into_iter().find(|one| one.as_str() == place)?;
    Some((place, Seal { of, kind, token: next()?.into() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_seal_comes_back_byte_for_byte() {
        for of in Dialect::ANSWERS {
            for kind in KINDS {
                for place in Place::ALL {
                    for (token, named) in [("|a", false), ("rs_1|gAA=", true), ("rs_1|gAA=", false), ("a:b|c:é", true)]
                    {
                        let seal = Seal { of, kind, token: token.into() };
                        let (id, content) = carried(&seal, place, named);
                        assert_eq!(opened(id, &content), (place, seal.clone()));
                        let bare = own(&seal).is_some() && place == Place::Thought && !named;
                        assert_eq!(may_hold_envelopes(format!("\"{content}\"").as_bytes()), !bare);
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_no_envelope_is_the_providers_own() {
        for content in ["gAAAA", "seal", "seal:gemini", "seal:nobody:signature:call:t", "seal:gemini:signature:call"] {
            let (place, seal) = opened("rs_1", content);
            assert_eq!((place, own(&seal)), (Place::Thought, Some(("rs_1", content))));
        }
        assert_eq!(own(&opened("rs|1", "c").1), Some(("", "c")));
    }
}
