//! How much of a text is withheld from a target that is to go on with it: what it has to say first, as proof.
//!
//! A target that was handed the beginning of an answer says what it likes: the rest, or an answer of its own. Only
//! from the rest does the client get one answer, and no way of comparing tells the rest from something else that
//! diverges at once. So the last words are kept back: who says exactly these has read all that stood before them. Pure
//! text; must never be here: requests, tokens.

use super::super::transcript::MAX_WITHHELD;

/// How many characters prove it. Nobody begins an answer with so many that stand in the middle of a sentence of
/// another, unless by going on with it; and a target that does is unlikely to choose other words in so few.
const PROOF: usize = 16;

/// Where to part `text`, in bytes: before it is handed over, and the space there and what follows are withheld.
///
/// - At a single space between two words, so that what is handed over ends as templates leave it (many trim the last
///   message, as `message['content'] | trim` in those of Llama 3 and Gemma) and both parts fall into tokens as they did.
/// - In the middle of a sentence: with the words that begin one, an answer of its own might begin too.
/// - Where what is withheld stands nowhere else in the text: it is then neither how the answer began, nor the end of a
///   beginning that was handed on in part.
///
/// Nothing where there is no such place near the end: in short texts, in those that repeat themselves, and in scripts
/// without spaces.
pub(super) fn parting(text: &str) -> Option<usize> {
    let spaces = text.rmatch_indices(' ').map(|(at, _)| at);
    spaces.take_while(|at| text.len() - at <= MAX_WITHHELD).find(|at| proves(text, *at))
}

fn proves(text: &str, at: usize) -> bool {
    let (Some(given), Some(words)) = (text.get(..at), text.get(at + 1..)) else { return false };
    let flows = given.ends_with(|c: char| c.is_alphanumeric() || c == ',') && !words.starts_with(char::is_whitespace);
    flows && words.trim_end().chars().count() >= PROOF && text.find(words) == Some(at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_last_words_are_withheld_where_they_prove_anything() {
        for (text, given) in [
            ("The harbour lay quiet under a pale moon", Some("The harbour lay quiet")),
            ("The harbour lay quiet under a pale mo", Some("The harbour lay")),
            ("One, two, buckle my shoe now", Some("One, two,")),
            ("The harbour lay quiet under a\n\n", Some("The harbour")),
            ("The harbour\n\nlay quiet under a pale", Some("The harbour\n\nlay")),
            ("Run:\n```rust\nfn main() {\n    let total = 1 + 2;\n", Some("Run:\n```rust\nfn")),
            ("The harbour lay quiet\r\nunder a pale moon", Some("The harbour lay")),
            ("Die Brücke hält é😀é😀é😀é😀é😀é😀é😀é😀", Some("Die Brücke hält")),
            // Too short, or no word before.
            ("", None),
            ("Certainly", None),
            ("The harbour lay", None),
            (" certainlyandsurely", None),
            // Where a sentence begins, or a line.
            ("It was. Certainly, of course, yes", Some("It")),
            ("It was. Certainly", None),
            ("- one\n- certainlyandsurely", None),
            ("Was  certainlyandsurely", None),
            // It stands there twice.
            ("lay quiet and still, so lay quiet and still", Some("lay quiet and still,")),
            ("one two three four, one two three four", Some("one two three")),
            ("no spaces in 港は青白い月の下で静かだった、鐘は鳴らなかった、誰も聞かなかった", Some("no spaces in")),
            ("港は青白い月の下で静かだった、鐘は鳴らなかった、誰も聞かなかった", None),
        ] {
            let place = parting(text);
            assert_eq!(place.and_then(|place| text.get(..place)), given, "{text}");
        }
        assert_eq!(parting(&"one two ".repeat(40)), None, "it goes round in circles");
        let far = format!("The harbour {}", "x".repeat(MAX_WITHHELD));
        assert_eq!((parting(&far), parting(&far[..far.len() - 1])), (None, Some(11)));
    }

    proptest! {
        #[test]
        fn what_is_withheld_stands_nowhere_else(text in "([a-c]{1,3} |[é,.\n😀]){0,40}") {
            if let Some(place) = parting(&text) {
                let words = text[place..].strip_prefix(' ').expect("a space");
                prop_assert_eq!(text.matches(words).count(), 1);
                prop_assert!(!text[..place].is_empty() && !text[..place].ends_with(char::is_whitespace));
                prop_assert!(words.chars().count() >= PROOF && words.len() < MAX_WITHHELD);
            }
        }
    }
}
