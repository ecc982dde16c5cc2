//! Watches the text of a stream while it flows.
//!
//! Receives text as it comes; hands on the first finding for which the stream has to end. What it finds does not depend
//! on how the text is cut, and it keeps some 30 KiB for each choice. A match is certainly found where it is at most
//! 2 KiB long, at the latest 256 bytes behind its end.
//! Must never be here: what can be judged only whole.

use crate::contract::{Contract, Named};
use crate::detect::{self, Entity};
use crate::finding::{Check, Code, Finding, Place};
use crate::policy::Action;
use crate::repetition::Repetition;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most text that is searched, in bytes. An answer with more of it breaks a contract that has to search it.
pub(crate) const MAX_SEARCHED: usize = 1 << 20;
/// How far apart two searches are, and how far each one reaches back, in bytes.
const STEP: usize = 256;
const REACH: usize = 2048;
/// What is kept at most before the oldest goes, in bytes.
const KEPT: usize = 16 << 10;
/// How often one and the same piece may come.
const SAME_PIECE: u32 = 100;
/// The most choices that are watched.
const MAX_CHOICES: usize = 128;

/// Watches one answer.
#[derive(Debug)]
pub struct Watch {
    contract: Arc<Contract>,
    lanes: BTreeMap<u32, Lane>,
    found: Option<Finding>,
}

/// One choice.
#[derive(Debug, Default)]
struct Lane {
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
        Self { contract, lanes: BTreeMap::new(), found: None }
    }

    /// Takes in a piece of a choice's text; why the stream has to end, if it has to.
    pub fn push(&mut self, choice: u32, text: &str) -> Option<&Finding> {
        if self.found.is_none() && (self.lanes.len() < MAX_CHOICES || self.lanes.contains_key(&choice)) {
            let lane = self.lanes.entry(choice).or_default();
            self.found = lane.push(&self.contract, Place::Text(choice), text);
        }
        self.found.as_ref()
    }

    /// Judges what is left, once all text has come.
    pub fn finish(&mut self) -> Option<&Finding> {
        for (choice, lane) in &mut self.lanes {
            if self.found.is_none() {
                self.found = lane.finish(&self.contract, Place::Text(*choice));
            }
        }
        self.found.as_ref()
    }
}

impl Lane {
    fn push(&mut self, contract: &Contract, place: Place, text: &str) -> Option<Finding> {
        let makes = |check| contract.policy.require.contains(&check);
        if makes(Check::Loop) && (self.repetition.push(text.as_bytes()) | self.same_again(text)) {
            return Some(repeats(place));
        }
        self.chars += text.chars().count() as u64;
        if let Some(most) = contract.policy.max_chars.filter(|most| makes(Check::MaxChars) && self.chars > *most) {
            return Some(too_long(place, most));
        }
        if !makes(Check::Deny) && !contract.detects() {
            return None;
        }
        self.bytes += text.len();
        if self.bytes > MAX_SEARCHED {
            let check = if makes(Check::Deny) { Check::Deny } else { Check::Secrets };
            return Some(too_much(check, place));
        }
        let mut rest = text;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.ceil_char_boundary(rest.len().min(KEPT)));
            self.tail.push_str(now);
            rest = later;
            let found = self.search_new(contract, place);
            if found.is_some() {
                return found;
            }
        }
        None
    }

    fn finish(&mut self, contract: &Contract, place: Place) -> Option<Finding> {
        if contract.policy.require.contains(&Check::Loop) && self.repetition.finish() {
            return Some(repeats(place));
        }
        self.search(contract, place, self.tail.len(), true)
    }

    fn same_again(&mut self, text: &str) -> bool {
        // Longer pieces recur as a period of the text.
        if text.is_empty() || text.len() > STEP {
            return false;
        }
        if self.piece == text {
            self.same += 1;
        } else {
            self.piece.clear();
            self.piece.push_str(text);
            self.same = 1;
        }
        self.same >= SAME_PIECE
    }

    fn search_new(&mut self, contract: &Contract, place: Place) -> Option<Finding> {
        while self.tail.len() >= self.searched + STEP + 4 {
            let end = self.tail.ceil_char_boundary(self.searched + STEP);
            let found = self.search(contract, place, end, false);
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
    fn search(&self, contract: &Contract, place: Place, end: usize, last: bool) -> Option<Finding> {
        let text = self.tail.get(..end)?;
        let start = text.floor_char_boundary(end.saturating_sub(STEP + REACH));
        if contract.policy.require.contains(&Check::Deny) {
            let hit = |pattern: &&Named| {
                let hit = pattern.regex.shortest_match_at(text, start);
                hit.is_some_and(|at| last || at < end)
            };
            if let Some(pattern) = contract.deny.iter().find(hit) {
                return Some(denied(place, pattern));
            }
        }
        if !contract.detects() {
            return None;
        }
        let wanted = |entity| contract.wants(entity) && contract.action(entity) == Action::Fail;
        let found = detect::find(text, start, &wanted).into_iter().find(|found| last || found.range.end < end);
        found.map(|found| leaked(place, found.entity))
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
