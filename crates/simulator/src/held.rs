//! What a call holds while it is answered: its slot and its page in the journal.
//!
//! Receives both when work on a call begins; gives them back when the answer ends, be it by being dropped. The slot
//! goes first: who reads in the journal that a call has ended finds its slot free. Never here: when an answer ends.

use crate::capacity::{Hold, Slot};
use crate::journal::Ticket;

pub(crate) struct Held {
    // Fields are dropped in this order.
    slot: Option<Slot>,
    hold: Hold,
    ticket: Ticket,
}

impl Held {
    /// `slot` is none where slots are not counted.
    pub(crate) fn new(ticket: Ticket, slot: Option<Slot>, hold: Hold) -> Self {
        Self { slot, hold, ticket }
    }

    /// The first content is on its way.
    pub(crate) fn begun(&mut self) {
        if self.hold == Hold::FirstToken {
            self.slot = None;
        }
    }

    /// The call went as planned, rightly or wrongly.
    pub(crate) fn settle(self) {
        drop(self.slot);
        self.ticket.settle();
    }
}
