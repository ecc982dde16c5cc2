//! What a provider, or one of its models, holds its calls to: quota first, then capacity.
//!
//! Receives a call's behaviour and time; hands on whether it goes in, when, and the headers its answer bears. Never
//! here: the numbers, which stand in the behaviour, and which calls share limits, which `stage` knows.

use crate::behaviour::Behaviour;
use crate::capacity::{Gate, Overloaded, Turn};
use crate::fault::Fault;
use crate::quota::{Quota, Window};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// What calls share that got their behaviour from one place.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    gate: Arc<Gate>,
    window: Mutex<Window>,
}

/// How a call fares with the limits.
#[derive(Debug)]
pub(crate) struct Admission {
    pub(crate) entry: Entry,
    /// Headers of the answer, whatever it is.
    pub(crate) headers: BTreeMap<String, String>,
}

/// Whether a call goes in.
#[derive(Debug)]
pub(crate) enum Entry {
    /// At once.
    Free,
    /// With a slot.
    Turn(Turn),
    /// Not at all: `limit` answers with `fault`.
    Away { limit: &'static str, fault: Fault },
}

impl Entry {
    /// The turn to wait for, where there is one.
    pub(crate) fn turn(self) -> Option<Turn> {
        match self {
            Self::Turn(turn) => Some(turn),
            Self::Free | Self::Away { .. } => None,
        }
    }
}

impl Limits {
    /// A call comes; `since_1970` is the time of day.
    pub(crate) fn enter(&self, behaviour: &Behaviour, now: Instant, since_1970: Duration) -> Admission {
        let mut headers = BTreeMap::new();
        if let Some(quota) = &behaviour.quota {
            let refusal = self.take(quota, &mut headers, now, since_1970);
            if let Some(fault) = refusal {
                return Admission { entry: Entry::Away { limit: "quota", fault }, headers };
            }
        }
        let entry = match behaviour.capacity.map(|capacity| self.gate.enter(capacity)) {
            None => Entry::Free,
            Some(Ok(turn)) => Entry::Turn(turn),
            Some(Err(Overloaded)) => Entry::Away { limit: "capacity", fault: Fault::status(503) },
        };
        Admission { entry, headers }
    }

    /// Takes a call from the quota; gives the refusal where it is used up.
    fn take(
        &self,
        quota: &Quota,
        headers: &mut BTreeMap<String, String>,
        now: Instant,
        since_1970: Duration,
    ) -> Option<Fault> {
        let allowance = self.window.lock().unwrap_or_else(PoisonError::into_inner).take(quota, now);
        *headers = allowance.headers();
        (!allowance.passes).then(|| quota.refusal(allowance.reset, since_1970))
    }
}
