//! The script: what the primary provider does to how many calls, as data.
//!
//! Must never be here: what comes of it. Everything the demo claims is measured.

use simulator::{Behaviour, Fault};
use std::time::Duration;

/// What both providers answer to every question. Clients know it, so they can tell an answer from a piece of one.
pub(super) const ANSWER: &str = "A harbour stays calm because the breakwater takes the waves.";

/// How often a client calls at speed 1.
pub(super) const EVERY: Duration = Duration::from_millis(250);

/// One act: for so many calls the primary behaves like this.
pub(super) struct Act {
    /// Its name in the closing table.
    pub(super) name: &'static str,
    /// What the primary does to its callers.
    pub(super) provider: &'static str,
    /// What a proxy that only forwards would make of it for its clients.
    pub(super) bare: &'static str,
    /// What else there is to know; empty where nothing is.
    pub(super) note: &'static str,
    /// How many calls are made.
    pub(super) calls: usize,
    /// What goes wrong, one after the other in equal shares of the calls; nothing where it is empty.
    pub(super) faults: &'static [Fault],
}

/// The whole script.
pub(super) static ACTS: [Act; 7] = [
    Act {
        name: "all is well",
        provider: "The primary provider answers.",
        bare: "clients would get the same answers.",
        note: "",
        calls: 20,
        faults: &[],
    },
    Act {
        name: "503",
        provider: "The primary answers 503 to everything.",
        bare: "every client would get the 503.",
        note: "",
        calls: 24,
        faults: &[Fault::status(503)],
    },
    Act {
        name: "silence",
        provider: "The primary accepts every call and says nothing.",
        bare: "every client would hang until its own patience ends.",
        note: "The gateway waits as long as the route's timeouts allow, then asks the spare.",
        calls: 28,
        faults: &[Fault::Hang],
    },
    Act {
        name: "lies",
        provider: "The primary says 200 OK and sends an HTML page, then nothing, then half a JSON.",
        bare: "every client would get a \"success\" it cannot read.",
        note: "",
        calls: 36,
        faults: &[Fault::Html, Fault::EmptyBody, Fault::InvalidJson],
    },
    Act {
        name: "cut before the first word",
        provider: "The primary breaks off: streams before their first word, whole answers half way.",
        bare: "every client would be cut off.",
        note: "",
        calls: 24,
        faults: &[Fault::Cut { after: 0 }],
    },
    Act {
        name: "cut in mid-sentence",
        provider: "The primary breaks off later: streams after their fourth word, whole answers half way.",
        bare: "every client would be cut off.",
        note: "Whole answers are saved. A stream's first words are with its client already, so it ends in an\n\
               error event: the client knows that it has a piece, and never takes it for the answer.",
        calls: 24,
        faults: &[Fault::Cut { after: 4 }],
    },
    Act {
        name: "recovery",
        provider: "The primary is well again.",
        bare: "clients would get answers again.",
        note: "Traffic is back on the first choice by itself.",
        calls: 20,
        faults: &[],
    },
];

impl Act {
    /// What goes wrong with a call, by its place in the act.
    pub(super) fn fault(&self, call: usize) -> Option<&'static Fault> {
        self.faults.get(call * self.faults.len() / self.calls.max(1))
    }
}

/// Whether a call asks for a stream, by its place in the act: half of them do.
pub(super) fn streams(call: usize) -> bool {
    call % 2 == 1
}

/// How the primary answers, unless something goes wrong.
pub(super) fn primary(fault: Option<&Fault>) -> Behaviour {
    Behaviour { fault: fault.cloned(), ..answering(Duration::from_millis(90)) }
}

/// How the spare answers: a little slower, always.
pub(super) fn spare() -> Behaviour {
    answering(Duration::from_millis(140))
}

fn answering(latency: Duration) -> Behaviour {
    let (first_token, pace) = (Duration::from_millis(30), Duration::from_millis(20));
    Behaviour { latency, first_token, pace, ..Behaviour::text(ANSWER) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_shows_every_fault_to_both_kinds_of_call_in_under_a_minute() {
        for act in &ACTS {
            for (place, fault) in act.faults.iter().enumerate() {
                let hit: Vec<_> = (0..act.calls).filter(|call| act.fault(*call) == Some(fault)).collect();
                assert_eq!(hit.len(), act.calls / act.faults.len(), "{}: fault {place}", act.name);
                assert_eq!(hit.iter().filter(|call| streams(**call)).count() * 2, hit.len(), "{}", act.name);
            }
        }
        let calls: usize = ACTS.iter().map(|act| act.calls).sum();
        let lasts = EVERY * u32::try_from(calls).unwrap();
        assert!((40..50).contains(&lasts.as_secs()), "{lasts:?}");
    }

    #[test]
    fn it_begins_and_ends_well() {
        for act in [ACTS.first(), ACTS.last()] {
            assert!(act.is_some_and(|act| act.faults.is_empty()));
        }
    }
}
