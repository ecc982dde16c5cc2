//! Where in the events of an answer words are replaced.
//!
//! Receives the events' data and what is to be replaced; hands on places and new literals. The first event that says
//! anything of what changes says all of it; what later events say of it is taken out.

use super::super::assemble::{Assembler, Field, Piece, Slot};
use super::super::splice::{Splice, literal, span};
use super::doubles::{Doubled, doubles};
use super::{Changes, Manner};
use llm::Lane;
use std::collections::{BTreeMap, BTreeSet};

/// What is to be done with one event.
#[derive(Debug)]
pub(super) struct Edit {
    pub(super) splices: Vec<Splice>,
    /// It says all of something that is new.
    pub(super) leads: bool,
    /// It says nothing in two places that belongs to one.
    pub(super) once: bool,
}

/// What is to be done with each event, of which `all` are the data, empty where there are none; nothing where a change
/// has no place in them, and where one is no answer's.
pub(super) fn edits(all: &[&[u8]], changes: &Changes<'_>, manner: Manner) -> Option<Vec<Edit>> {
    let places = places(all)?;
    let mut edits: Vec<Edit> = all.iter().map(|_| Edit { splices: Vec::new(), leads: false, once: true }).collect();
    let mut doubled: BTreeMap<u32, Doubled<'_>> = BTreeMap::new();
    for ((choice, slot), words) in changes {
        let pieces = places.get(&(*choice, *slot))?;
        let (lead, _) = pieces.iter().find(|(_, piece)| says_something(piece)).or(pieces.first())?;
        edits.get_mut(*lead)?.leads = true;
        let doubled = doubled.entry(*choice).or_default();
        if *slot == Slot::Words(Lane::Reasoning) {
            doubled.reasoning = Some((*lead, words));
        }
        let mut led = BTreeSet::new();
        for (at, piece) in pieces.iter().filter(|(at, piece)| at == lead || says_something(piece)) {
            let first = at == lead && led.insert(piece.field);
            // Their entries are replaced as a whole.
            if matches!(piece.field, Field::Details | Field::Blocks) {
                continue;
            }
            let edit = edits.get_mut(*at)?;
            edit.once &= first;
            edit.splices.push((span(all.get(*at)?, piece.literal), literal(if first { words } else { "" })));
        }
    }
    for (at, (data, edit)) in all.iter().zip(&mut edits).enumerate().filter(|(_, (data, _))| !data.is_empty()) {
        edit.splices.extend(doubles(data, at, &doubled, manner));
    }
    Some(edits)
}

/// Each piece of each part of the answer, with the position of its event.
type Places<'a> = BTreeMap<(u32, Slot), Vec<(usize, Piece<'a>)>>;

fn places<'a>(all: &[&'a [u8]]) -> Option<Places<'a>> {
    let mut places = Places::new();
    let mut assembler = Assembler::default();
    for (at, data) in all.iter().enumerate().filter(|(_, data)| !data.is_empty()) {
        let mut told = |piece: Piece<'a>| places.entry((piece.choice, piece.slot)).or_default().push((at, piece));
        assembler.push_telling(data, &mut told).ok()?;
    }
    Some(places)
}

/// Whether anything stands at `piece` that would be read.
fn says_something(piece: &Piece<'_>) -> bool {
    !matches!(piece.literal.get(), "null" | "\"\"")
}
