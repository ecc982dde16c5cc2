//! What is counted per target: attempts by verdict, tokens by direction.
//!
//! Must never be here: how an attempt got its verdict.

use super::registry::Names;
use llm::{CallRecord, Label, Verdict};
use prometheus::{Error, IntCounter};

pub(crate) struct Targets(Vec<Target>);

struct Target {
    attempts: [IntCounter; Verdict::ALL.len()],
    input: IntCounter,
    output: IntCounter,
    cached: IntCounter,
    reasoning: IntCounter,
}

impl Targets {
    pub(crate) fn new(names: &Names, targets: &[Label]) -> Result<Self, Error> {
        let attempts = names.counters("attempts_total", "Attempts by how they ended.", &["target", "verdict"])?;
        let tokens = "Tokens as providers report them; cached is a part of input, reasoning a part of output.";
        let tokens = names.counters("tokens_total", tokens, &["target", "direction"])?;
        let handles = targets.iter().map(|target| {
            let target = &*target.name;
            Target {
                attempts: Verdict::ALL.map(|verdict| attempts.with_label_values(&[target, verdict.as_str()])),
                input: tokens.with_label_values(&[target, "input"]),
                output: tokens.with_label_values(&[target, "output"]),
                cached: tokens.with_label_values(&[target, "cached"]),
                reasoning: tokens.with_label_values(&[target, "reasoning"]),
            }
        });
        Ok(Self(handles.collect()))
    }

    pub(crate) fn count(&self, record: &CallRecord) {
        for attempt in &record.attempts {
            let Some(target) = self.0.get(attempt.label.index) else { continue };
            if let Some(counter) = target.attempts.get(attempt.verdict as usize) {
                counter.inc();
            }
            if let Some(usage) = attempt.usage {
                target.input.inc_by(usage.input);
                target.output.inc_by(usage.output);
                target.cached.inc_by(usage.cached);
                target.reasoning.inc_by(usage.reasoning);
            }
        }
    }
}
