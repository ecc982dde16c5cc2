//! A breaker as seen from outside: its states, why it is in one, and until when.
//!
//! Plain data, made by the breaker, read by the gate, metrics and people. Must never be here: what follows from it.

use std::time::Instant;

/// What a breaker does with calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Lets them through.
    Closed,
    /// Lets one at a time through, to see whether the target is well again.
    HalfOpen,
    /// Refuses them.
    Open,
}

impl State {
    /// All of them, for tables made at start.
    pub const ALL: [Self; 3] = [Self::Closed, Self::HalfOpen, Self::Open];

    /// The word people and dashboards see.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::HalfOpen => "half_open",
            Self::Open => "open",
        }
    }

    /// The value of the state in metrics: the higher, the fewer calls pass.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Closed => 0,
            Self::HalfOpen => 1,
            Self::Open => 2,
        }
    }
}

/// Why a breaker moved, or why a call was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Hard failures in a row opened it.
    Consecutive,
    /// The share of failures in the window opened it.
    Ratio,
    /// Enough of its failure domain opened, so it was opened too.
    Domain,
    /// The target asked for patience.
    Throttled,
    /// The account has nothing left to spend.
    Quota,
    /// It turned calls away for our fault: its model or its credential is wrong.
    Unusable,
    /// A probe failed.
    ProbeFailed,
    /// The rest is over: probes are let through. As a refusal: a probe is under way.
    Probe,
    /// The probes succeeded. As a refusal: its share of the traffic is still growing.
    Recovered,
    /// Too many of its priority group were open by ratio, so it was closed again.
    Pardoned,
    /// Only as a refusal: the quota is nearly used up, and others are fresh.
    Scarce,
}

impl Reason {
    /// All of them, for tables made at start.
    pub const ALL: [Self; 11] = [
        Self::Consecutive,
        Self::Ratio,
        Self::Domain,
        Self::Throttled,
        Self::Quota,
        Self::Unusable,
        Self::ProbeFailed,
        Self::Probe,
        Self::Recovered,
        Self::Pardoned,
        Self::Scarce,
    ];

    /// The label value in metrics, and the word people see.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Consecutive => "consecutive",
            Self::Ratio => "ratio",
            Self::Domain => "domain",
            Self::Throttled => "throttled",
            Self::Quota => "quota",
            Self::Unusable => "unusable",
            Self::ProbeFailed => "probe_failed",
            Self::Probe => "probe",
            Self::Recovered => "recovered",
            Self::Pardoned => "pardoned",
            Self::Scarce => "scarce",
        }
    }

    /// Whether it says that the target itself fails, so that its domain may be blamed too.
    #[must_use]
    pub const fn is_fault(self) -> bool {
        matches!(self, Self::Consecutive | Self::Ratio | Self::ProbeFailed)
    }

    /// Whether the target works, and only does not let us in for now: it says so at once, and one call that it does let
    /// in is proof enough.
    pub(crate) const fn is_told(self) -> bool {
        matches!(self, Self::Throttled | Self::Quota | Self::Unusable)
    }

    /// Whether the target may be cold or weak after such a rest, so that its traffic has to grow slowly.
    pub(crate) const fn needs_ramp(self) -> bool {
        !matches!(self, Self::Throttled | Self::Unusable)
    }
}

/// A breaker's move from one state to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    /// The state it is in now.
    pub to: State,
    /// Why it moved.
    pub reason: Reason,
    /// Where it opened: the end of the rest.
    pub until: Option<Instant>,
}

/// Why a call may not pass, and when it is worth asking again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub reason: Reason,
    /// The earliest instant that is worth another try.
    pub until: Instant,
}

/// What a breaker counted in its window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls whose result counts.
    pub total: u32,
    /// How many of them failed, were too slow, or were turned away.
    pub failed: u32,
}

/// A breaker at one instant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Snapshot {
    /// What it does with calls now. A rest that is over shows as half-open, whether a call has come since or not.
    pub state: State,
    /// Why it is in this state; `None` where it has never moved.
    pub reason: Option<Reason>,
    /// Since when it is in this state.
    pub since: Instant,
    /// Where it is open: the end of the rest.
    pub until: Option<Instant>,
    /// When and why it last opened, where it has not closed since.
    pub opened: Option<(Instant, Reason)>,
    /// Whether it was the share of failures that opened it first, and it has not closed since.
    pub by_ratio: bool,
    /// The results in its window; while it is not closed, what is left of those that were in it when it opened.
    pub counts: Counts,
    /// Hard failures in a row.
    pub consecutive: u32,
    /// The share of calls that it lets through: 0 while it is not closed, then growing from 0.1 to 1.
    pub share: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_list_every_variant_once_in_order() {
        for (place, state) in State::ALL.iter().enumerate() {
            assert_eq!((*state as usize, usize::from(state.code())), (place, place));
        }
        for (place, reason) in Reason::ALL.iter().enumerate() {
            assert_eq!(*reason as usize, place);
            assert_eq!(Reason::ALL.iter().filter(|other| other.as_str() == reason.as_str()).count(), 1);
        }
    }
}
