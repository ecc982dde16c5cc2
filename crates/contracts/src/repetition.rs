//! Notices a text that repeats itself without end, while it is still coming.
//!
//! A loop is a text whose end repeats one piece of at most 512 bytes (some 64 tokens or more) at least 20 times, over at
//! least 256 bytes, or 1024 where the piece holds neither letter nor digit: rules and blanks are legitimate for longer.
//! It is looked for every 256 bytes, so that the result does not depend on how the text is cut. One look costs a search
//! for the last 16 bytes among those shortly before; only where they recur is anything compared.

use memchr::memrchr_iter;

/// How often a piece has to recur.
const TIMES: usize = 20;
/// The longest piece, in bytes.
const PERIOD: usize = 512;
/// How far apart two looks are, in bytes.
const STEP: usize = 256;
/// The shortest loop, in bytes, of pieces with letters or digits, and of others.
const SHORTEST: usize = 256;
const SHORTEST_RULE: usize = 1024;
/// The bytes whose recurrence is searched for.
const NEEDLE: usize = 16;
/// The places that are looked at together.
const BLOCK: usize = 32;
/// How many recurrences are followed up in one look.
const CANDIDATES: usize = 8;
/// What is kept of the text, in bytes.
const WINDOW: usize = TIMES * PERIOD;

/// Watches one text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Repetition {
    /// The end of the text: at most twice the window.
    tail: Vec<u8>,
    /// Bytes since the last look.
    since: usize,
    found: bool,
}

impl Repetition {
    /// Takes in what has come; whether there is a loop, now or before.
    pub(crate) fn push(&mut self, text: &[u8]) -> bool {
        let mut rest = text;
        while !rest.is_empty() && !self.found {
            let (now, later) = rest.split_at(rest.len().min(STEP - self.since));
            self.tail.extend_from_slice(now);
            self.since += now.len();
            rest = later;
            if self.since == STEP {
                self.look();
            }
        }
        self.found
    }

    /// Looks once more, at the end of the text.
    pub(crate) fn finish(&mut self) -> bool {
        if self.since > 0 && !self.found {
            self.look();
        }
        self.found
    }

    /// How many bytes it keeps room for.
    #[cfg(test)]
    pub(crate) fn kept(&self) -> usize {
        self.tail.capacity()
    }

    fn look(&mut self) {
        self.since = 0;
        self.found = loops(&self.tail);
        if self.tail.len() > 2 * WINDOW {
            self.tail.drain(..self.tail.len() - WINDOW);
        }
    }
}

/// Whether there is a loop in a whole text: what is found while it comes.
pub(crate) fn repeats(text: &[u8]) -> bool {
    let looks = (STEP..text.len()).step_by(STEP).chain([text.len()]);
    looks.filter_map(|end| text.get(..end)).any(loops)
}

/// Whether `text` ends in a loop.
fn loops(text: &[u8]) -> bool {
    if text.len() < SHORTEST {
        return false;
    }
    let Some((_, needle)) = text.split_last_chunk::<NEEDLE>() else { return false };
    let before = text.get((text.len() - NEEDLE).saturating_sub(PERIOD)..text.len() - 1).unwrap_or_default();
    let periods = recurrences(before, needle).map(|found| before.len() + 1 - NEEDLE - found);
    periods.take(CANDIDATES).any(|period| period <= PERIOD && is_loop(text, period))
}

/// Where `needle` stands in `text`, from behind, at places that do not overlap.
fn recurrences<'a>(text: &'a [u8], needle: &'a [u8; NEEDLE]) -> impl Iterator<Item = usize> + 'a {
    let places = (text.len() + 1).saturating_sub(NEEDLE);
    let blocks =
        (0..places.div_ceil(BLOCK)).rev().map(|block| block * BLOCK).filter(|from| may_be_in(text, *from, needle));
    let firsts = move |from: usize| {
        let block = text.get(from..places.min(from + BLOCK)).unwrap_or_default();
        memrchr_iter(needle[0], block).map(move |at| from + at)
    };
    let mut behind = places;
    blocks.flat_map(firsts).filter(move |at| {
        let here = *at < behind && text.get(*at..).is_some_and(|there| there.starts_with(needle));
        if here {
            behind = (at + 1).saturating_sub(NEEDLE);
        }
        here
    })
}

/// Whether `needle` may stand at one of a block of places: not where four of its bytes stand at none of them. All are
/// looked at without a branch for each, which takes some nanoseconds.
fn may_be_in(text: &[u8], from: usize, needle: &[u8; NEEDLE]) -> bool {
    let block = |at: usize| text.get(from + at..)?.first_chunk::<BLOCK>();
    let (Some(w), Some(x), Some(y), Some(z)) = (block(0), block(5), block(10), block(NEEDLE - 1)) else { return true };
    let [a, .., d] = *needle;
    let (b, c) = (needle[5], needle[10]);
    (0..BLOCK).fold(false, |any, at| any | ((w[at] == a) & (x[at] == b) & (y[at] == c) & (z[at] == d)))
}

fn is_loop(text: &[u8], period: usize) -> bool {
    let Some(piece) = text.len().checked_sub(period).and_then(|from| text.get(from..)) else { return false };
    let worded = piece.iter().any(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii());
    let needed = (TIMES * period).max(if worded { SHORTEST } else { SHORTEST_RULE });
    let Some(end) = text.len().checked_sub(needed).and_then(|from| text.get(from..)) else { return false };
    end.get(period..) == end.get(..end.len() - period)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(text: &str) -> bool {
        repeats(text.as_bytes())
    }

    #[test]
    fn loops_are_told_from_lists() {
        let list: String = (0..200).map(|n| format!("{n}. item number {n}\n")).collect();
        let sentence = "I am sorry, I cannot do that. ";
        for (text, expected) in [
            (sentence.repeat(20), true),
            (sentence.repeat(19), false),
            (format!("{list}{}", sentence.repeat(25)), true),
            (format!("{}{list}", sentence.repeat(15)), false),
            ("ha".repeat(128), true),
            ("ha".repeat(100), false),
            ("-".repeat(1000), false),
            ("-".repeat(1024), true),
            ("\n".repeat(2000), true),
            ("|---".repeat(60), false),
            ("é".repeat(200), true),
            (list.clone(), false),
            (format!("{}{}", "x".repeat(100), "y".repeat(100)), false),
            ("The same long paragraph, which is more than a few words long, again and again. ".repeat(25), true),
            (("z".repeat(511) + "a").repeat(20), true),
            (("z".repeat(600) + "a").repeat(30), true),
            ((list.get(..700).expect("long")).repeat(30), false),
        ] {
            assert_eq!(found(&text), expected, "{text:.60}");
        }
    }

    #[test]
    fn little_is_kept_of_much() {
        let mut watch = Repetition::default();
        let text: String = (0..2_000_000u32).map(|n| format!("{n} ")).collect();
        assert!(!watch.push(text.as_bytes()));
        assert!(watch.kept() <= 4 * WINDOW, "{}", watch.kept());
    }

    proptest! {
        #[test]
        fn no_recurrence_is_missed(text in "[ab]{0,20}|[a-c]{0,200}|(abcdefghijklmnop|x){0,20}", at in 0usize..200) {
            let text = text.as_bytes();
            if let Some(needle) = text.get(at..).and_then(|text| text.first_chunk()) {
                let expected: Vec<usize> = memchr::memmem::rfind_iter(text, needle).collect();
                prop_assert_eq!(recurrences(text, needle).collect::<Vec<_>>(), expected);
            }
        }

        #[test]
        fn cuts_change_nothing(head in "[a-c ]{0,300}", piece in "[a-z ]{1,30}", times in 0usize..40, cut in 1usize..90) {
            let text = format!("{head}{}", piece.repeat(times));
            let mut pieces = Repetition::default();
            let seen = text.as_bytes().chunks(cut).fold(false, |_, part| pieces.push(part)) | pieces.finish();
            prop_assert_eq!(seen, found(&text));
        }
    }
}
