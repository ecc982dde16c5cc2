//! Text and how it falls into tokens: one token is one content event.
//!
//! Receives and hands on plain text. Never here: JSON, requests, behaviour.

/// The longest token, in characters; longer words (JSON, URLs) fall into several.
const LONGEST: usize = 16;

const VOCABULARY: [&str; 20] = [
    "A", "gateway", "keeps", "its", "word", "when", "the", "water", "is", "rough", "and", "says", "so", "plainly",
    "whenever", "an", "answer", "was", "not", "whole",
];

/// Text of multi-byte characters of every length, for split and broken encodings.
pub(crate) const MULTI_BYTE: &str = "Grüße aus dem Simulator – 你好，世界 … Привет мир 🚀 naïve café ∑ 👩‍🚀 done.";

/// The tokens of a text in order. Joined they are the text again; none is empty.
pub(crate) fn tokens(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (token, left) = rest.split_at(first_token_length(rest));
        rest = left;
        (!token.is_empty()).then_some(token)
    })
}

/// Bytes of the first token: leading white space, then a word, cut at [`LONGEST`] characters.
fn first_token_length(text: &str) -> usize {
    let mut in_word = false;
    for (count, (at, character)) in text.char_indices().enumerate() {
        let space = character.is_whitespace();
        if count == LONGEST || (in_word && space) {
            return at;
        }
        in_word |= !space;
    }
    text.len()
}

/// The beginning of a text, at most `limit` tokens, and whether something was left out.
pub(crate) fn shortened(text: String, limit: Option<u64>) -> (String, bool) {
    let Some(limit) = limit.and_then(|limit| usize::try_from(limit).ok()) else { return (text, false) };
    let kept: usize = tokens(&text).take(limit).map(str::len).sum();
    let cut = kept < text.len();
    (if cut { text[..kept].to_owned() } else { text }, cut)
}

/// `count` words: the vocabulary over and over, or words drawn by the seed. The same ones each time, and the first of
/// those that a greater count gives.
pub(crate) fn generated(count: u32, seed: Option<u64>) -> String {
    let mut text = String::with_capacity(count as usize * 6);
    let mut drawn = seed.map(fastrand::Rng::with_seed);
    for word in VOCABULARY.iter().cycle().take(count as usize) {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(drawn.as_mut().and_then(|rng| rng.choice(VOCABULARY)).unwrap_or(word));
    }
    text
}

/// The first `limit` characters of a text, marked where it goes on.
pub(crate) fn excerpt(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn tokens_join_to_the_text(text in any::<String>()) {
            let tokens: Vec<_> = tokens(&text).collect();
            prop_assert_eq!(tokens.concat(), text.as_str());
            prop_assert!(tokens.iter().all(|t| !t.is_empty() && t.chars().count() <= LONGEST));
        }

        #[test]
        fn generated_text_has_as_many_tokens_as_asked_for(count in 0_u32..500, seed: Option<u64>) {
            let text = generated(count, seed);
            prop_assert_eq!(tokens(&text).count(), count as usize);
            prop_assert!(generated(count + 9, seed).starts_with(&text));
        }
    }

    #[test]
    fn seeds_choose_the_words() {
        let said = |seed| generated(30, seed);
        assert_eq!(said(Some(1)), said(Some(1)));
        assert!(said(Some(1)) != said(Some(2)) && said(Some(1)) != said(None));
    }

    #[test]
    fn shortening_tells_whether_it_cut() {
        for (limit, expected, cut) in [(None, "one two", false), (Some(2), "one two", false), (Some(1), "one", true)] {
            assert_eq!(shortened("one two".to_owned(), limit), (expected.to_owned(), cut));
        }
    }
}
