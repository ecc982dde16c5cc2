//! Thought signatures, and what travels in their place.
//!
//! Clients give signatures back as they came, as base64. So what another provider wants back travels there too, marked as
//! whose it is; and a call that Google never signed bears the word with which Google's guide lets such calls pass, for
//! its newer models refuse a conversation whose calls bear nothing. Receives seals or tokens; hands on the other.
//! Must never be here: what a seal stands beside.

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use llm::{Dialect, Seal, SealKind};
use std::borrow::Cow;

/// The signature of calls that have none (ai.google.dev/gemini-api/docs/thought-signatures).
pub(super) const UNSIGNED: &str = "skip_thought_signature_validator";

/// What a token that is not Google's begins with, decoded.
const MARK: &str = "breakwater.";
/// The same, encoded, as far as it is the same whatever follows.
const MARK_ENCODED: &[u8] = b"\"YnJlYWt3YXRlci";

/// Clients decode and encode signatures anew: in either alphabet, with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_encode_padding(true).with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// `seal` as a signature for a client.
pub(super) fn token(seal: &Seal) -> Cow<'_, str> {
    if seal.of == Dialect::Gemini {
        return Cow::Borrowed(&seal.token);
    }
    let kind = match seal.kind {
        SealKind::Signature => "signature",
        SealKind::Encrypted => "encrypted",
    };
    Cow::Owned(BASE64.encode(format!("{MARK}{}.{kind}.{}", seal.of.as_str(), seal.token)))
}

/// The seal that a signature is; nothing where it only says that there is none.
pub(super) fn seal(token: &str) -> Option<Seal> {
    (token != UNSIGNED && !token.is_empty()).then(|| foreign(token).unwrap_or_else(|| own(token)))
}

/// A signature of Google's.
fn own(token: &str) -> Seal {
    Seal { of: Dialect::Gemini, kind: SealKind::Signature, token: token.into() }
}

fn foreign(token: &str) -> Option<Seal> {
    if !token.as_bytes().starts_with(MARK_ENCODED.strip_prefix(b"\"")?) {
        return None;
    }
    let decoded = BASE64.decode(token.replace('+', "-").replace('/', "_")).ok()?;
    let (of, rest) = std::str::from_utf8(&decoded).ok()?.strip_prefix(MARK)?.split_once('.')?;
    let (kind, token) = rest.split_once('.')?;
    let of = Dialect::ANSWERS.into_iter().find(|dialect| dialect.as_str() == of)?;
    let kind = match kind {
        "signature" => SealKind::Signature,
        "encrypted" => SealKind::Encrypted,
        _ => return None,
    };
    Some(Seal { of, kind, token: token.into() })
}

/// Whether a request holds signatures of other providers, which Google would refuse. Such a request is written anew for
/// it, never passed on as it came.
#[must_use]
pub fn has_foreign_seals(raw: &[u8]) -> bool {
    memchr::memmem::find(raw, MARK_ENCODED).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn seals_come_back_as_they_went(pick in 0usize..4, encrypted in any::<bool>(), text in "[A-Za-z0-9+/=_.-]{1,40}") {
            let kind = if encrypted && Dialect::ANSWERS[pick] != Dialect::Gemini { SealKind::Encrypted } else { SealKind::Signature };
            let sealed = Seal { of: Dialect::ANSWERS[pick], kind, token: text.as_str().into() };
            let written = token(&sealed).into_owned();
            prop_assert_eq!(seal(&written), Some(sealed.clone()));
            prop_assert_eq!(has_foreign_seals(format!("\"{written}\"").as_bytes()), sealed.of != Dialect::Gemini);
            if sealed.of != Dialect::Gemini {
                let standard = written.replace('-', "+").replace('_', "/");
                prop_assert_eq!(seal(standard.trim_end_matches('=')), Some(sealed));
            }
        }

        #[test]
        fn whatever_is_not_marked_is_googles(text in "[A-Za-z0-9+/=]{1,40}") {
            prop_assert_eq!(seal(&text).map(|seal| seal.of), Some(Dialect::Gemini));
        }
    }

    #[test]
    fn what_says_that_there_is_none_is_none() {
        assert_eq!((seal(UNSIGNED), seal("")), (None, None));
        let broken = BASE64.encode("breakwater.nobody.signature.x");
        assert_eq!(seal(&broken).map(|seal| seal.of), Some(Dialect::Gemini));
    }
}
