//! `shed_total`: calls turned away because the gateway had no room.
//!
//! Must never be here: when to turn calls away.

use super::registry::Names;
use llm::Priority;
use prometheus::{Error, IntCounter};

/// Our error codes for it; the last takes whatever else there may be.
const REASONS: [&str; 2] = ["overloaded", "other"];

pub(crate) struct Shed([[IntCounter; Priority::ALL.len()]; REASONS.len()]);

impl Shed {
    pub(crate) fn new(names: &Names) -> Result<Self, Error> {
        let help = "Calls turned away because the gateway had no room.";
        let shed = names.counters("shed_total", help, &["reason", "priority"])?;
        Ok(Self(
            REASONS.map(|reason| Priority::ALL.map(|priority| shed.with_label_values(&[reason, priority.as_str()]))),
        ))
    }

    pub(crate) fn count(&self, error: Option<&'static str>, priority: Priority) {
        let place = REASONS.iter().position(|reason| Some(*reason) == error).unwrap_or(REASONS.len() - 1);
        if let Some(counter) = self.0.get(place).and_then(|counters| counters.get(priority as usize)) {
            counter.inc();
        }
    }
}
