//! Tool calls as they come in, each told once with its name and then piece by piece.
//!
//! Servers number calls differently, repeat names or send them in pieces, and send arguments as objects; what is handed
//! on has none of that. Must never be here: text and thoughts.

use super::super::raw::{object, text, value};
use super::super::seal::of_extra;
use super::super::shape::Shape;
use super::MOST;
use super::wire::{self, Function};
use crate::Unread;
use crate::text::{Half, continued};
use llm::{Delta, Seal};
use serde_json::value::RawValue;
use std::hash::{DefaultHasher, Hash, Hasher};

/// The most of a call that waits for its name, in bytes.
const MAX_WAITING: usize = 64 * 1024;

/// The calls of all alternatives: some 80 bytes each, and at most [`MOST`] of them.
#[derive(Debug, Default)]
pub(super) struct Calls {
    begun: Vec<Begun>,
    /// The last call, while it is not told: its name may not be all there.
    waiting: Option<Box<Waiting>>,
}

#[derive(Debug)]
struct Begun {
    choice: u32,
    /// Which call of its alternative.
    call: u32,
    /// The place that the provider gives it.
    index: Option<u64>,
    /// A fingerprint of its id; none where that has not come.
    id: Option<u64>,
    half: Half,
}

#[derive(Debug)]
struct Waiting {
    /// Its position among the calls begun.
    at: usize,
    id: String,
    name: String,
    arguments: String,
    free: bool,
    seal: Option<Seal>,
}

/// What an event says of one call.
struct Piece<'a> {
    index: Option<u64>,
    id: String,
    name: String,
    arguments: Option<&'a RawValue>,
    free: bool,
    seal: Option<Seal>,
}

impl<'a> Piece<'a> {
    fn of(raw: &'a RawValue) -> Option<Self> {
        let call: wire::Call<'_> = object(Some(raw))?;
        let custom: Option<Function<'_>> = object(call.custom);
        let free = custom.is_some();
        let function = custom.or_else(|| object(call.function)).unwrap_or_default();
        Some(Self {
            index: value(call.index),
            id: text(call.id),
            seal: of_extra(call.extra_content),
            ..Self::named(&function, free)
        })
    }

    /// Of the field that came before `tool_calls`.
    fn legacy(raw: &'a RawValue) -> Option<Self> {
        let function: Function<'_> = object(Some(raw))?;
        Some(Self { index: Some(u64::MAX), ..Self::named(&function, false) })
    }

    fn named(function: &Function<'a>, free: bool) -> Self {
        let arguments = function.arguments.or(function.input);
        Self { index: None, id: String::new(), name: text(function.name), arguments, free, seal: None }
    }
}

impl Calls {
    /// Takes in an item of `tool_calls`.
    pub(super) fn call(&mut self, choice: u32, raw: &RawValue, out: &mut Vec<Delta>) -> Result<(), Unread> {
        Piece::of(raw).map_or(Ok(()), |piece| self.take(choice, piece, out))
    }

    /// Takes in a `function_call`.
    pub(super) fn legacy(&mut self, choice: u32, raw: &RawValue, out: &mut Vec<Delta>) -> Result<(), Unread> {
        Piece::legacy(raw).map_or(Ok(()), |piece| self.take(choice, piece, out))
    }

    /// Tells the call that waits, as far as it has come: something else follows.
    pub(super) fn settle(&mut self, out: &mut Vec<Delta>) {
        let Some(waiting) = self.waiting.take() else { return };
        let Some(&Begun { choice, call, .. }) = self.begun.get(waiting.at) else { return };
        let Waiting { id, name, arguments, free, seal, .. } = *waiting;
        out.push(Delta::Call { choice, call, id, name, free, seal });
        if !arguments.is_empty() {
            out.push(Delta::Arguments { choice, call, text: arguments });
        }
    }

    fn take(&mut self, choice: u32, piece: Piece<'_>, out: &mut Vec<Delta>) -> Result<(), Unread> {
        let at = match self.place(choice, &piece) {
            Some(at) => at,
            None => self.begin(choice, &piece, out)?,
        };
        let Some(begun) = self.begun.get_mut(at) else { return Ok(()) };
        begun.id = begun.id.or_else(|| fingerprint(&piece.id));
        let added = piece.arguments.and_then(|raw| added(&mut begun.half, raw)).unwrap_or_default();
        let (choice, call) = (begun.choice, begun.call);
        match &mut self.waiting {
            Some(waiting) if waiting.at == at => {
                waiting.add(piece, &added);
                if waiting.arguments.len() > MAX_WAITING && waiting.name.is_empty() {
                    return Err(Unread::TooLarge);
                }
                if !waiting.arguments.is_empty() && !waiting.name.is_empty() {
                    self.settle(out);
                }
            }
            _ => {
                if !added.is_empty() {
                    out.push(Delta::Arguments { choice, call, text: added });
                }
                if let Some(seal) = piece.seal {
                    // The call is told already; its text may still be sealed.
                    out.push(Delta::TextSealed { choice, seal });
                }
            }
        }
        Ok(())
    }

    fn begin(&mut self, choice: u32, piece: &Piece<'_>, out: &mut Vec<Delta>) -> Result<usize, Unread> {
        self.settle(out);
        let at = self.begun.len();
        if at >= MOST {
            return Err(Unread::TooLarge);
        }
        let before = self.begun.iter().filter(|begun| begun.choice == choice).count();
        let call = u32::try_from(before).unwrap_or(u32::MAX);
        self.begun.push(Begun { choice, call, index: piece.index, id: None, half: None });
        self.waiting = Some(Box::new(Waiting {
            at,
            id: String::new(),
            name: String::new(),
            arguments: String::new(),
            free: piece.free,
            seal: None,
        }));
        Ok(at)
    }

    /// Which call a piece goes on with. One that has another id is another call, whatever its index: Gemini's
    /// compatible endpoint numbers all of them 0.
    fn place(&self, choice: u32, piece: &Piece<'_>) -> Option<usize> {
        let of_choice = |begun: &Begun| begun.choice == choice;
        let at = match piece.index {
            Some(_) => self.begun.iter().rposition(|begun| of_choice(begun) && begun.index == piece.index)?,
            None if piece.id.is_empty() && piece.name.is_empty() => self.begun.iter().rposition(of_choice)?,
            None => return None,
        };
        let (known, told) = (self.begun.get(at)?.id, fingerprint(&piece.id));
        let another = known.is_some() && told.is_some() && known != told && !piece.name.is_empty();
        (!another).then_some(at)
    }
}

impl Waiting {
    fn add(&mut self, piece: Piece<'_>, arguments: &str) {
        if self.id.is_empty() {
            self.id = piece.id;
        }
        // Some servers repeat the name in every event.
        if self.name != piece.name {
            self.name.push_str(&piece.name);
        }
        self.arguments.push_str(arguments);
        self.seal = piece.seal.or_else(|| self.seal.take());
    }
}

/// The text that `raw` adds to arguments; an object is its own text.
fn added(half: &mut Half, raw: &RawValue) -> Option<String> {
    match Shape::of(raw) {
        Shape::Text { .. } => continued(half, raw.get()),
        Shape::Object | Shape::List { .. } => Some(raw.get().to_owned()),
        _ => None,
    }
}

fn fingerprint(id: &str) -> Option<u64> {
    (!id.is_empty()).then(|| {
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        hasher.finish()
    })
}
