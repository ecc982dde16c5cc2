//! Timeouts and attempts: what a section says over what it inherits.

use crate::fault::At;
use crate::file::{Block, Retry, Span, Timeouts};
use crate::lenient::Lenient;
use crate::reader::Reader;
use routing::Policy;
use std::time::Duration;

/// The policy of the section at `at`, which inherits `base`.
pub(crate) fn policy(
    reader: &mut Reader<'_>,
    at: &At,
    timeouts: Block<Timeouts>,
    retry: Block<Retry>,
    base: Policy,
) -> Policy {
    let retry_at = at.key("retry");
    let retry = reader.block(&retry_at, retry);
    let max_attempts = reader.count(&retry_at.key("max_attempts"), retry.max_attempts);
    Policy {
        timeouts: waits(reader, &at.key("timeouts"), timeouts, base.timeouts),
        max_attempts: max_attempts.map_or(base.max_attempts, std::num::NonZeroU32::get),
    }
}

fn waits(reader: &mut Reader<'_>, at: &At, block: Block<Timeouts>, base: routing::Timeouts) -> routing::Timeouts {
    let timeouts = reader.block(at, block);
    let total = reader.wait(&at.key("total"), timeouts.total).unwrap_or(base.total);
    let mut within = |key, span, base| within_total(reader, &at.key(key), span, base, total);
    routing::Timeouts {
        connect: within("connect", timeouts.connect, base.connect),
        first_token: within("first_token", timeouts.first_token, base.first_token),
        idle: within("idle", timeouts.idle, base.idle),
        total,
    }
}

/// What is written must fit into the total; what is inherited is cut to it, for nobody asked for both.
fn within_total(
    reader: &mut Reader<'_>,
    at: &At,
    span: Lenient<Span>,
    inherited: Duration,
    total: Duration,
) -> Duration {
    let Some(written) = reader.wait(at, span) else {
        return inherited.min(total);
    };
    if written > total {
        reader.fault(at, format!("is longer than the total of {total:?}, so it could never act"));
    }
    written
}
