//! Seals of other providers in the places that this dialect has for its own.
//!
//! Clients give back signatures and redacted thoughts as they came, so what another provider wants back travels in them,
//! marked as whose it is. Receives seals or tokens; hands on the other. Must never be here: what a seal stands beside.

use llm::{Dialect, Seal, SealKind};
use std::borrow::Cow;

/// What every token begins with that is not Anthropic's own.
const MARK: &str = "breakwater.";
/// What marks the seal of a call, which stands in a redacted thought before it.
const OF_CALL: &str = "call.";

/// Where a seal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Beside a thought.
    Thought,
    /// Before a call.
    Call,
}

/// `seal` as a token of this dialect.
pub(super) fn token(seal: &Seal, place: Place) -> Cow<'_, str> {
    if seal.of == Dialect::Anthropic && place == Place::Thought {
        return Cow::Borrowed(&seal.token);
    }
    let kind = match seal.kind {
        SealKind::Signature => "signature",
        SealKind::Encrypted => "encrypted",
    };
    let place = if place == Place::Call { OF_CALL } else { "" };
    Cow::Owned(format!("{MARK}{place}{}.{kind}.{}", seal.of.as_str(), seal.token))
}

/// The seal that `token` is, which stands where Anthropic has seals of kind `own`.
pub(super) fn seal(token: &str, own: SealKind) -> (Place, Seal) {
    foreign(token).unwrap_or_else(|| (Place::Thought, Seal { of: Dialect::Anthropic, kind: own, token: token.into() }))
}

fn foreign(token: &str) -> Option<(Place, Seal)> {
    let rest = token.strip_prefix(MARK)?;
    let (place, rest) = match rest.strip_prefix(OF_CALL) {
        Some(rest) => (Place::Call, rest),
        None => (Place::Thought, rest),
    };
    let (of, rest) = rest.split_once('.')?;
    let (kind, token) = rest.split_once('.')?;
    let of = Dialect::ANSWERS.into_iter().find(|dialect| dialect.as_str() == of)?;
    let kind = match kind {
        "signature" => SealKind::Signature,
        "encrypted" => SealKind::Encrypted,
        _ => return None,
    };
    Some((place, Seal { of, kind, token: token.into() }))
}

/// Whether a request holds thoughts that Anthropic did not sign, and would refuse: those of other providers. Such a
/// request is written anew for it, never passed on as it came.
#[must_use]
pub fn has_foreign_thoughts(raw: &[u8]) -> bool {
    let holds = |text: &[u8]| memchr::memmem::find(raw, text).is_some();
    holds(b"\"breakwater.") || holds(b"\"signature\":\"\"") || holds(b"\"signature\": \"\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seals_come_back_as_they_went() {
        for of in Dialect::ANSWERS {
            for kind in [SealKind::Signature, SealKind::Encrypted] {
                for place in [Place::Thought, Place::Call] {
                    let sealed = Seal { of, kind, token: "a.b/c+d=".into() };
                    assert_eq!(seal(&token(&sealed, place), kind), (place, sealed.clone()), "{sealed:?} {place:?}");
                }
            }
        }
    }

    #[test]
    fn whatever_is_not_marked_is_anthropics() {
        for text in ["EvQBCkYICxgCKkAx", "", "breakwater.", "breakwater.gemini.signature", "breakwater.x.signature.t"] {
            let (place, sealed) = seal(text, SealKind::Encrypted);
            assert_eq!((place, sealed.of, sealed.kind), (Place::Thought, Dialect::Anthropic, SealKind::Encrypted));
            assert_eq!(token(&sealed, Place::Thought), text);
        }
    }

    #[test]
    fn thoughts_of_others_are_seen_in_a_request() {
        let sealed = Seal { of: Dialect::Gemini, kind: SealKind::Signature, token: "t".into() };
        for (text, expected) in [
            (format!(r#"{{"type":"thinking","thinking":"","signature":"{}"}}"#, token(&sealed, Place::Thought)), true),
            (format!(r#"{{"type":"redacted_thinking","data":"{}"}}"#, token(&sealed, Place::Call)), true),
            (r#"{"type":"thinking","thinking":"hm","signature":""}"#.into(), true),
            (r#"{"type":"thinking","thinking":"","signature": ""}"#.into(), true),
            (r#"{"type":"thinking","thinking":"","signature":"EvQB"}"#.into(), false),
            (r#"{"type":"text","text":"of breakwater.gemini"}"#.into(), false),
        ] {
            assert_eq!(has_foreign_thoughts(text.as_bytes()), expected, "{text}");
        }
    }
}
