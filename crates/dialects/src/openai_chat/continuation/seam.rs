//! Where the second stream goes on from the first: decided by the text alone, exactly, before anything leaves.
//!
//! Receives the text of the first stream and the pieces of the second; hands on what of a piece is new. White space,
//! case and punctuation are text like any other; all that is forgiven is a lost space before the words that were
//! withheld, which the client has.

use super::Way;

/// Whether and how a second stream goes on with the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seam {
    /// Not to be told yet: nothing has left.
    Undecided,
    /// It does: it said this once more, which is dropped, and then goes on.
    Joined(Overlap),
    /// It does not, or not provably: nothing more leaves, and but for [`Mismatch::Limit`] nothing has.
    Altered(Mismatch),
}

/// What a second stream says once more of the first, and proves thereby that it goes on with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Overlap {
    /// The end that was withheld from it.
    End,
    /// All of it, from the beginning.
    All,
}

/// Why a second stream cannot be joined to the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mismatch {
    /// It says something else where it should repeat.
    Words,
    /// It ended, or turned to a tool call, before it had repeated everything.
    Short,
    /// It opens with something that is not the text of one choice.
    Kind,
    /// It ended at a limit of tokens that is not the client's, but what was left of it, by estimate.
    Limit,
}

impl Mismatch {
    /// Short, stable name for records and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Words => "other_words",
            Self::Short => "too_short",
            Self::Kind => "other_kind",
            Self::Limit => "lowered_limit",
        }
    }
}

/// Compares the second stream with the text of the first.
#[derive(Debug)]
pub(super) struct Matcher {
    /// Where in the first text the second may have begun to repeat it, in bytes. At most one of them comes true: what is
    /// withheld stands in the text only once.
    starts: Vec<(usize, Overlap)>,
    /// How much the second has said, in bytes.
    said: usize,
}

/// What a piece of the second stream amounts to.
#[derive(Debug, PartialEq)]
pub(super) enum Step<'a> {
    /// It repeats the first text, and more of that is left.
    Same,
    /// It repeats the last of it; this much of the piece is new.
    Joined(Overlap, &'a str),
    /// It says something else.
    Other,
}

impl Matcher {
    pub(super) fn new(way: Way) -> Self {
        let starts = match way {
            Way::Repeat => vec![(0, Overlap::All)],
            // With the space before the withheld words, or without.
            Way::Prefill(handed) => {
                vec![(handed.bytes, Overlap::End), (handed.bytes + 1, Overlap::End), (0, Overlap::All)]
            }
        };
        Self { starts, said: 0 }
    }

    /// Takes in the next piece of text; `first` is the whole text of the first stream.
    pub(super) fn step<'a>(&mut self, first: &str, piece: &'a str) -> Step<'a> {
        let said = self.said;
        self.said += piece.len();
        let mut joined = None;
        self.starts.retain(|(start, overlap)| {
            let left = first.get(start + said..).unwrap_or_default();
            if let Some(new) = piece.strip_prefix(left) {
                joined = Some(Step::Joined(*overlap, new));
            }
            left.starts_with(piece)
        });
        joined.unwrap_or(if self.starts.is_empty() { Step::Other } else { Step::Same })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Handed;
    use super::*;

    fn steps<'a>(way: Way, first: &str, pieces: &[&'a str]) -> Step<'a> {
        let mut matcher = Matcher::new(way);
        let mut last = Step::Same;
        for piece in pieces {
            assert_eq!(last, Step::Same, "decided before {piece:?}");
            last = matcher.step(first, piece);
        }
        last
    }

    #[test]
    fn a_repetition_is_exact_or_none() {
        for (first, pieces, expected) in [
            ("héllo", &["h", "é", "llo"][..], Step::Joined(Overlap::All, "")),
            ("héllo", &["h", "éllo you"], Step::Joined(Overlap::All, " you")),
            ("h", &["h😀"], Step::Joined(Overlap::All, "😀")),
            ("héllo", &["h", "e"], Step::Other),
            ("hé", &["hè"], Step::Other),
            ("hello", &[" hello"], Step::Other),
            ("hello ", &["hello"], Step::Same),
            ("a\r\nb", &["a\nb"], Step::Other),
            ("hello", &[], Step::Same),
        ] {
            assert_eq!(steps(Way::Repeat, first, pieces), expected, "{first} {pieces:?}");
        }
    }

    #[test]
    fn what_was_withheld_comes_first_or_all_of_it_or_it_is_another_answer() {
        const FIRST: &str = "The harbour lay quiet under a pale moon";
        let way = Way::Prefill(Handed { bytes: "The harbour lay quiet".len(), limited: false, echoed: false });
        let (end, all) = (Overlap::End, Overlap::All);
        for (pieces, expected) in [
            (&[" under a pale moon"][..], Step::Joined(end, "")),
            (&[" under", " a pale moon, and"], Step::Joined(end, ", and")),
            (&["under a pale", " moon!"], Step::Joined(end, "!")),
            (&[FIRST, "more"][..1], Step::Joined(all, "")),
            (&["The harbour lay", " quiet under a pale moon and"], Step::Joined(all, " and")),
            (&[" under a pale moo"], Step::Same),
            (&[], Step::Same),
            (&["The harbour lay silent"], Step::Other),
            (&["Sure! The harbour"], Step::Other),
            (&[" and nobody"], Step::Other),
            (&["\nunder a pale moon"], Step::Other),
            (&["  under a pale moon"], Step::Other),
            (&[" Under a pale moon"], Step::Other),
            (&["T", "under"], Step::Other),
        ] {
            assert_eq!(steps(way, FIRST, pieces), expected, "{pieces:?}");
        }
    }
}
