//! Where the second stream goes on from the first: decided by the text alone, exactly, before anything leaves.
//!
//! Receives the text of the first stream and the pieces of the second; hands on what of a piece is new. White space,
//! case and punctuation are text like any other: a target that trims what it was given alters the answer.

use super::Way;

/// From how many characters on a second stream that says what the first began with is no chance any more.
///
/// A target that goes on with an answer may well open with the words that opened the answer, as lists and code do, but
/// hardly for so long; one that ignores the beginning it was handed opens so always.
pub(super) const CHANCE: usize = 24;

/// How long a text has to be, in characters, so that saying all of it once more is beyond doubt a new start.
pub(super) const TELLING: usize = 64;

/// Whether and how a second stream goes on with the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seam {
    /// Not to be told yet: nothing has left.
    Undecided,
    /// It does. By [`Way::Prefill`] its text follows the first one's; by [`Way::Repeat`] it said all of that once more,
    /// and the overlap is dropped.
    Joined(Way),
    /// It does not, or not provably: nothing has left, and nothing will.
    Altered(Mismatch),
}

/// Why a second stream cannot be joined to the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mismatch {
    /// It says something else where it should repeat.
    Words,
    /// It ended, or turned to a tool call, before it had repeated everything.
    Short,
    /// It may be a new start or a continuation that reads like one.
    Ambiguous,
    /// It opens with something that is not the text of one choice.
    Kind,
    /// More came than is held before the seam is decided.
    TooMuch,
}

impl Mismatch {
    /// Short, stable name for records and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Words => "other_words",
            Self::Short => "too_short",
            Self::Ambiguous => "ambiguous",
            Self::Kind => "other_kind",
            Self::TooMuch => "too_much",
        }
    }
}

/// Compares the second stream with the text of the first.
#[derive(Debug)]
pub(super) struct Matcher {
    way: Way,
    /// How much of the first text the second has said once more, in bytes and in characters.
    bytes: usize,
    chars: usize,
}

/// What a piece of the second stream amounts to.
#[derive(Debug, PartialEq)]
pub(super) enum Step<'a> {
    /// It repeats the first text, and more of that is left.
    Same,
    /// It decides the seam; this much of the piece is new.
    Joined(Way, &'a str),
    /// It decides that there is none.
    Altered(Mismatch),
}

impl Matcher {
    pub(super) fn new(way: Way) -> Self {
        Self { way, bytes: 0, chars: 0 }
    }

    /// Whether what was repeated so far may be chance, and thereby new text.
    pub(super) fn by_chance(&self) -> bool {
        self.way == Way::Prefill && self.chars < CHANCE
    }

    /// Takes in the next piece of text; `first` is the whole text of the first stream.
    pub(super) fn step<'a>(&mut self, first: &str, piece: &'a str) -> Step<'a> {
        let rest = first.get(self.bytes..).unwrap_or_default();
        let same = rest.chars().zip(piece.chars()).take_while(|(a, b)| a == b);
        let (bytes, chars) = same.fold((0, 0), |(bytes, chars), (c, _)| (bytes + c.len_utf8(), chars + 1));
        self.bytes += bytes;
        self.chars += chars;
        let new = piece.get(bytes..).unwrap_or_default();
        if bytes == rest.len() {
            self.repeated(first, new)
        } else if new.is_empty() {
            Step::Same
        } else if self.by_chance() {
            Step::Joined(Way::Prefill, piece)
        } else {
            Step::Altered(Mismatch::Words)
        }
    }

    /// Takes in that the text ends here: by a finish reason, or by a tool call.
    pub(super) fn stop(&self) -> Step<'static> {
        if self.by_chance() { Step::Joined(Way::Prefill, "") } else { Step::Altered(Mismatch::Short) }
    }

    /// All of the first text was said once more.
    fn repeated<'a>(&self, first: &str, new: &'a str) -> Step<'a> {
        if self.way == Way::Repeat || (self.chars >= TELLING && !is_periodic(first)) {
            Step::Joined(Way::Repeat, new)
        } else {
            Step::Altered(Mismatch::Ambiguous)
        }
    }
}

/// Whether at least half of `text` stands both at its beginning and at its end: more of such a text looks like all of it.
///
/// The longest proper border, by the failure function of Knuth, Morris and Pratt ("Fast pattern matching in strings",
/// 1977), over bytes.
fn is_periodic(text: &str) -> bool {
    let text = text.as_bytes();
    let mut borders: Vec<usize> = Vec::with_capacity(text.len());
    let mut border = 0;
    for (at, byte) in text.iter().enumerate() {
        while border > 0 && text.get(border) != Some(byte) {
            border = borders.get(border - 1).copied().unwrap_or(0);
        }
        if at > 0 && text.get(border) == Some(byte) {
            border += 1;
        }
        borders.push(border);
    }
    2 * border >= text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: &str = "The quick brown fox jumps over the lazy dog, and nobody asked it. é😀";

    fn steps<'a>(way: Way, first: &str, pieces: &[&'a str]) -> Step<'a> {
        let mut matcher = Matcher::new(way);
        let mut last = Step::Same;
        for piece in pieces {
            assert_eq!(last, Step::Same, "decided before {piece:?}");
            last = matcher.step(first, piece);
        }
        if last == Step::Same { matcher.stop() } else { last }
    }

    #[test]
    fn a_repetition_is_exact_or_none() {
        use Mismatch::{Short, Words};
        for (first, pieces, expected) in [
            ("héllo", &["h", "é", "llo"][..], Step::Joined(Way::Repeat, "")),
            ("héllo", &["h", "éllo you"], Step::Joined(Way::Repeat, " you")),
            ("h", &["h😀"], Step::Joined(Way::Repeat, "😀")),
            ("héllo", &["h", "e"], Step::Altered(Words)),
            ("hé", &["hè"], Step::Altered(Words)),
            ("hello", &[" hello"], Step::Altered(Words)),
            ("hello ", &["hello"], Step::Altered(Short)),
            ("hello", &[], Step::Altered(Short)),
        ] {
            assert_eq!(steps(Way::Repeat, first, pieces), expected, "{first} {pieces:?}");
        }
    }

    #[test]
    fn a_continuation_may_open_as_the_answer_did_only_by_chance() {
        use Mismatch::{Ambiguous, Short, Words};
        let (chance, beyond) = (&LONG[..CHANCE - 1], &LONG[..CHANCE]);
        let periodic = "ab".repeat(TELLING);
        let told: String = LONG.chars().take(TELLING).collect();
        let untold: String = LONG.chars().take(TELLING - 1).collect();
        for (first, pieces, expected) in [
            (LONG, &[" And so on"][..], Step::Joined(Way::Prefill, " And so on")),
            (LONG, &["The ", "end"], Step::Joined(Way::Prefill, "end")),
            (LONG, &[], Step::Joined(Way::Prefill, "")),
            (LONG, &[chance, "#"], Step::Joined(Way::Prefill, "#")),
            (LONG, &[chance], Step::Joined(Way::Prefill, "")),
            (LONG, &[beyond, "#"], Step::Altered(Words)),
            (LONG, &[beyond], Step::Altered(Short)),
            (LONG, &[LONG, "more"][..1], Step::Joined(Way::Repeat, "")),
            (&told, &[LONG], Step::Joined(Way::Repeat, &LONG[TELLING..])),
            (&untold, &[LONG], Step::Altered(Ambiguous)),
            (&periodic, &[&periodic], Step::Altered(Ambiguous)),
            ("The", &["The end"], Step::Altered(Ambiguous)),
        ] {
            assert_eq!(steps(Way::Prefill, first, pieces), expected, "{first} {pieces:?}");
        }
    }

    #[test]
    fn borders_of_half_the_text_make_it_periodic() {
        for (text, periodic) in [
            ("", true),
            ("a", false),
            ("ab", false),
            ("aa", true),
            ("abab", true),
            ("abcab", false),
            ("ababa", true),
            ("abcdabc", false),
            ("aabaab", true),
            ("aabaaab", false),
            (LONG, false),
        ] {
            assert_eq!(is_periodic(text), periodic, "{text}");
            let border = (0..text.len()).rev().find(|n| text.as_bytes().ends_with(&text.as_bytes()[..*n])).unwrap_or(0);
            assert_eq!(2 * border >= text.len(), periodic, "{text}, the slow way");
        }
    }
}
