//! Watches the words of a stream while they flow.
//!
//! Receives text, refusal and reasoning as they come; hands on the first finding for which the stream has to end. What
//! it finds does not depend on how they are cut, and it keeps at most 64 KiB for each lane of a choice. A match is
//! certainly found where it is at most 2 KiB long, at the latest 256 bytes behind its end.
//! Must never be here: what can be judged only whole.

use crate::contract::{Contract, Named};
use crate::detect::{self, Entity};
use crate::finding::{Check, Code, Finding, Place};
use crate::repetition::Repetition;
use llm::Lane;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most text that is searched, in bytes. An answer with more of it breaks a contract that has to search it.
pub(crate) const MAX_SEARCHED: usize = 1 << 20;
/// How far apart two searches are, and how far each one reaches back, in bytes.
const STEP: usize = 256;
const REACH: usize = 2048;
/// What is kept at most before the oldest goes, and how much is taken in at once, in bytes.
const KEPT: usize = 8 << 10;
const AT_ONCE: usize = 4 << 10;
/// How often one and the same piece may come.
const SAME_PIECE: u32 = 100;
/// The most lanes that are watched: those of 128 choices.
const MAX_LANES: usize = 128 * Lane::ALL.len();

/// Watches one answer.
#[derive(Debug)]
pub struct Watch {
    contract: Arc<Contract>,
    watched: BTreeMap<(u32, Lane), Watched>,
    found: Option<Finding>,
}

/// The words of one lane of a choice.
#[derive(Debug, Default)]
struct Watched {
    repetition: Repetition,
    piece: String,
    same: u32,
    chars: u64,
    bytes: usize,
    tail: String,
    /// The place in `tail` up to which it has been searched.
    searched: usize,
}

impl Watch {
    /// Watches an answer for `contract`.
    #[must_use]
    pub fn new(contract: Arc<Contract>) -> Self {
        Self { contract, watched: BTreeMap::new(), found: None }
    }

    /// Takes in a piece of a choice's words in one lane; why the stream has to end, if it has to.
    pub fn push(&mut self, choice: u32, lane: Lane, words: &str) -> Option<&Finding> {
        let key = (choice, lane);
        if self.found.is_none() && (self.watched.len() < MAX_LANES || self.watched.contains_key(&key)) {
            self.found = self.watched.entry(key).or_default().push(&self.contract, key, words);
        }
        self.found.as_ref()
    }

    /// Judges what is left, once all words have come.
    pub fn finish(&mut self) -> Option<&Finding> {
        for (key, watched) in &mut self.watched {
            if self.found.is_none() {
                self.found = watched.finish(&self.contract, *key);
            }
        }
        self.found.as_ref()
    }
}

/// Whose words: the choice, and its lane.
type Key = (u32, Lane);

fn place((choice, lane): Key) -> Place {
    Place::words(choice, lane)
}

impl Watched {
    fn push(&mut self, contract: &Contract, key: Key, words: &str) -> Option<Finding> {
        if contract.requires(Check::Loop) && (self.repetition.push(words.as_bytes()) | self.same_again(words)) {
            return Some(repeats(place(key)));
        }
        let most = contract.policy.max_chars.filter(|_| key.1 == Lane::Text && contract.requires(Check::MaxChars));
        if let Some(most) = most {
            self.chars += words.chars().count() as u64;
            if self.chars > most {
                return Some(too_long(place(key), most));
            }
        }
        let check = contract.searches(key.1)?;
        self.bytes += words.len();
        if self.bytes > MAX_SEARCHED {
            return Some(too_much(check, place(key)));
        }
        let mut rest = words;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.ceil_char_boundary(rest.len().min(AT_ONCE)));
            self.tail.push_str(now);
            rest = later;
            let found = self.search_new(contract, key);
            if found.is_some() {
                return found;
            }
        }
        None
    }

    fn finish(&mut self, contract: &Contract, key: Key) -> Option<Finding> {
        if contract.requires(Check::Loop) && self.repetition.finish() {
            return Some(repeats(place(key)));
        }
        self.search(contract, key, self.tail.len(), true)
    }

    fn same_again(&mut self, words: &str) -> bool {
        // Longer pieces recur as a period of the text.
        if words.is_empty() || words.len() > STEP {
            return false;
        }
        if self.piece == words {
            self.same += 1;
        } else {
            self.piece.clear();
            self.piece.push_str(words);
            self.same = 1;
        }
        self.same >= SAME_PIECE
    }

    fn search_new(&mut self, contract: &Contract, key: Key) -> Option<Finding> {
        while self.tail.len() >= self.searched + STEP + 4 {
            let end = self.tail.ceil_char_boundary(self.searched + STEP);
            let found = self.search(contract, key, end, false);
            if found.is_some() {
                return found;
            }
            self.searched = end;
        }
        if self.tail.len() > KEPT {
            // One more character than is searched, for what looks behind.
            let gone = self.tail.floor_char_boundary(self.searched.saturating_sub(REACH + STEP + 8));
            self.tail.drain(..gone);
            self.searched -= gone;
        }
        None
    }

    /// Searches what ends at `end`. A match that reaches it may go on, or end only because the text does: it counts
    /// when more has come, or nothing more will.
    fn search(&self, contract: &Contract, key: Key, end: usize, last: bool) -> Option<Finding> {
        let text = self.tail.get(..end)?;
        let start = text.floor_char_boundary(end.saturating_sub(STEP + REACH));
        if contract.denies(key.1) {
            let hit = |pattern: &&Named| {
                let hit = pattern.regex.shortest_match_at(text, start);
                hit.is_some_and(|at| last || at < end)
            };
            if let Some(pattern) = contract.deny.iter().find(hit) {
                return Some(denied(place(key), pattern));
            }
        }
        contract.detects()?;
        let found = detect::find(text, start, contract.wanted());
        let found =
            found.into_iter().find(|found| !contract.takes_out(found.entity) && (last || found.range.end < end));
        found.map(|found| leaked(place(key), found.entity))
    }
}

pub(crate) fn repeats(place: Place) -> Finding {
    Finding::new(Check::Loop, Code::Repetition, place, "The answer repeats itself without end.")
}

pub(crate) fn too_long(place: Place, most: u64) -> Finding {
    Finding::new(Check::MaxChars, Code::TooLong, place, format!("Answer in at most {most} characters."))
}

pub(crate) fn too_much(check: Check, place: Place) -> Finding {
    Finding::new(check, Code::TooLongToSearch, place, "The answer is too long to be searched.")
}

pub(crate) fn denied(place: Place, pattern: &Named) -> Finding {
    let message = format!("The answer holds what `{}` forbids.", pattern.name);
    Finding::new(Check::Deny, Code::PatternDenied, place, message)
}

pub(crate) fn leaked(place: Place, entity: Entity) -> Finding {
    let (check, code) =
        if entity.is_secret() { (Check::Secrets, Code::Secret) } else { (Check::Pii, Code::PersonalData) };
    Finding::new(check, code, place, format!("The answer must not hold {entity}."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Pattern, Policy};

    /// In every lane, however much comes at once.
    #[test]
    fn little_is_kept_of_much() {
        let deny = vec![Pattern { name: "p".into(), regex: "never said".into() }];
        let require = [Check::Loop, Check::Deny, Check::Pii, Check::Secrets].into();
        let contract = Contract::new(Policy { require, deny, ..Policy::default() }, Arc::default()).expect("sound");
        let mut watch = Watch::new(Arc::new(contract));
        let text: String = (0..40_000u32).map(|n| format!("w{n} ")).collect();
        for (at, size) in [1, 100, 1000, 200_000].into_iter().enumerate() {
            for lane in Lane::ALL {
                let (choice, mut rest) = (at as u32, &text[..200_000]);
                while !rest.is_empty() {
                    let (now, later) = rest.split_at(rest.len().min(size));
                    assert_eq!(watch.push(choice, lane, now), None);
                    rest = later;
                }
            }
        }
        for (key, watched) in &watch.watched {
            let kept = watched.repetition.kept() + watched.piece.capacity() + watched.tail.capacity();
            assert!(kept <= 64 << 10, "{kept} of {key:?}");
        }
        for choice in 0..200 {
            let _ = watch.push(choice, Lane::Text, "a");
        }
        assert!(watch.watched.len() <= MAX_LANES);
    }
}
