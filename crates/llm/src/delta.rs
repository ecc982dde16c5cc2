//! A step of an answer, in the words of no dialect: what one dialect's reader hands to another's writer.
//!
//! A whole answer is a short stream of them. Must never be here: how anything is written on the wire.

use crate::{FinishReason, Seal, Usage};
use std::sync::Arc;

/// A step of an answer. Whatever names a `choice` belongs to the alternative at that place.
#[derive(Clone, Debug, PartialEq)]
pub enum Delta {
    /// An answer begins. Comes once, first.
    Began {
        /// The provider's id of it; empty where it has none.
        id: String,
        /// The model that says it serves; empty where none is named.
        model: String,
    },
    /// More of what it says to the user.
    Text {
        /// The alternative.
        choice: u32,
        /// The words.
        text: String,
    },
    /// More of what it thinks.
    Thought {
        /// The alternative.
        choice: u32,
        /// The words.
        text: String,
    },
    /// A thought is over, and this has to come back with it; the words may have been kept from us.
    ThoughtSealed {
        /// The alternative.
        choice: u32,
        /// The seal.
        seal: Seal,
    },
    /// More of why it declines to answer.
    Refusal {
        /// The alternative.
        choice: u32,
        /// The words.
        text: String,
    },
    /// It wants a tool called: comes once for each call, before its arguments. The first call of an alternative is 0, and
    /// each is one more than the last.
    Call {
        /// The alternative.
        choice: u32,
        /// Which call of it.
        call: u32,
        /// By what its result will be told; empty where the provider gives none.
        id: String,
        /// The tool.
        name: String,
        /// It takes text.
        free: bool,
        /// What has to come back with it.
        seal: Option<Seal>,
    },
    /// More of the arguments of a call: JSON, or text where the tool takes that.
    Arguments {
        /// The alternative.
        choice: u32,
        /// Which call of it.
        call: u32,
        /// The piece.
        text: String,
    },
    /// What was said so far has to come back with this: of providers that seal words or nothing at all.
    TextSealed {
        /// The alternative.
        choice: u32,
        /// The seal.
        seal: Seal,
    },
    /// Something that is no noun here: a citation, a tool that the provider ran itself, sound, a picture.
    Other {
        /// The alternative.
        choice: u32,
        /// What the dialect calls it.
        name: String,
        /// All of it, as JSON text.
        json: Arc<str>,
    },
    /// An alternative is over. Comes once for each, behind all else of it.
    Ended {
        /// The alternative.
        choice: u32,
        /// Why.
        finish: FinishReason,
        /// The stop sequence that it met, where the provider tells.
        stop: Option<String>,
    },
    /// What it took, of the answer as a whole; the last one counts.
    Used(Usage),
}
