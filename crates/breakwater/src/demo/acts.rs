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
    /// Which of the calls meet a fault: every first one, every third.
    pub(super) every: usize,
    /// What goes wrong, one after the other in equal shares of the calls; nothing where it is empty.
    pub(super) faults: &'static [Fault],
    /// Whether calls go on, up to [`MOST`] times as many, until the primary's breaker has closed.
    pub(super) mends: bool,
}

/// How many times its calls an act may make until the primary's breaker has closed.
pub(super) const MOST: usize = 3;

const WELL: Act = Act { name: "", provider: "", bare: "", note: "", calls: 28, every: 1, faults: &[], mends: false };

/// The whole script.
pub(super) static ACTS: [Act; 7] = [
    Act {
        name: "all is well",
        provider: "The primary provider answers.",
        bare: "clients would get the same answers.",
        calls: 12,
        ..WELL
    },
    Act {
        name: "outage",
        provider: "The primary answers 503 to everything.",
        bare: "every client would get the 503.",
        note: "The first failures are answered by the spare. After five in a row the breaker opens: clients no\n\
               longer wait for the primary, which gets single probes only, further and further apart.",
        faults: &[Fault::status(503)],
        ..WELL
    },
    Act {
        name: "recovery",
        provider: "The primary is well again.",
        bare: "clients would get answers again.",
        note: "Three probes in a row have to succeed; then the primary's share grows from a tenth to all.",
        mends: true,
        ..WELL
    },
    Act {
        name: "lies",
        provider: "Every third time the primary says 200 OK and sends an HTML page, nothing, or half a JSON.",
        bare: "these clients would get a \"success\" they cannot read.",
        note: "Two calls in three go well: too many to give the primary up. The others go to the spare.",
        calls: 18,
        every: 3,
        faults: &[Fault::Html, Fault::EmptyBody, Fault::InvalidJson],
        ..WELL
    },
    Act {
        name: "cut in mid-sentence",
        provider: "Every other stream of the primary breaks off after its fourth word.",
        bare: "these clients would be left with a piece.",
        note: "Their clients have four words already. The spare is asked the same; where it says the same four\n\
               words they are dropped and the stream goes on: the client reads one whole answer.",
        every: 4,
        faults: &[Fault::Cut { after: 4 }],
        ..WELL
    },
    Act {
        name: "silence",
        provider: "The primary accepts every call and says nothing.",
        bare: "every client would hang until its own patience ends.",
        note: "The first clients wait as long as the route's timeouts allow; then the breaker opens, and only\n\
               a probe has to wait.",
        calls: 24,
        faults: &[Fault::Hang],
        ..WELL
    },
    Act {
        name: "recovery",
        provider: "The primary is well again.",
        bare: "clients would get answers again.",
        note: "Nobody has to do anything.",
        mends: true,
        ..WELL
    },
];

impl Act {
    /// What goes wrong with a call, by its place in the act.
    pub(super) fn fault(&self, call: usize) -> Option<&'static Fault> {
        let hit = (call + 1).is_multiple_of(self.every.max(1));
        self.faults.get(call * self.faults.len() / self.calls.max(1)).filter(|_| hit)
    }

    /// Whether another call is to be made after so many.
    pub(super) fn goes_on(&self, begun: usize, mended: bool) -> bool {
        begun < self.calls || (self.mends && !mended && begun < self.calls * MOST)
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
    fn the_script_shows_every_fault_in_under_a_minute() {
        for act in &ACTS {
            for (place, fault) in act.faults.iter().enumerate() {
                let hit: Vec<_> = (0..act.calls).filter(|call| act.fault(*call) == Some(fault)).collect();
                assert_eq!(hit.len(), act.calls / act.every / act.faults.len(), "{}: fault {place}", act.name);
                let streams = hit.iter().filter(|call| streams(**call)).count();
                let expected = if matches!(fault, Fault::Cut { .. }) { hit.len() } else { hit.len() / 2 };
                assert_eq!(streams, expected, "{}: fault {place}", act.name);
            }
        }
        let calls: usize = ACTS.iter().map(|act| act.calls).sum();
        let lasts = EVERY * u32::try_from(calls).unwrap();
        assert!((35..50).contains(&lasts.as_secs()), "{lasts:?}");
    }

    #[test]
    fn it_begins_and_ends_well() {
        for act in [ACTS.first(), ACTS.last()] {
            assert!(act.is_some_and(|act| act.faults.is_empty()));
        }
    }

    #[test]
    fn an_act_that_mends_goes_on_until_the_breaker_has_closed_and_not_for_ever() {
        let act = Act { calls: 4, mends: true, ..WELL };
        for (begun, mended, expected) in [
            (0, true, true),
            (3, true, true),
            (4, true, false),
            (4, false, true),
            (11, false, true),
            (12, false, false),
        ] {
            assert_eq!(act.goes_on(begun, mended), expected, "{begun} {mended}");
        }
        assert!(!WELL.goes_on(WELL.calls, false));
    }
}
