//! How calls are made: what a section says over what it inherits.

use super::hedge;
use crate::fault::At;
use crate::file::{Block, Hedge, Retry, Span, Text, Timeouts};
use crate::lenient::Lenient;
use crate::reader::Reader;
use routing::{Balance, OnRefusal, Policy, RecoverStream};
use std::num::NonZeroU32;
use std::time::Duration;

/// Every value of `balance`.
pub(crate) const BALANCES: &[(&str, Balance)] = &[
    ("weighted", Balance::Weighted),
    ("latency", Balance::Latency),
    ("least_busy", Balance::LeastBusy),
    ("cost", Balance::Cost),
];

/// Every value of `recover_stream`.
pub(crate) const STREAMS: &[(&str, RecoverStream)] =
    &[("continue", RecoverStream::Continue), ("error", RecoverStream::Error)];

/// Every value of `on_refusal`.
pub(crate) const REFUSALS: &[(&str, OnRefusal)] = &[("pass", OnRefusal::Pass), ("failover", OnRefusal::Failover)];

/// What is inherited of `first_token` leaves time for so many attempts, or all there may be.
const ATTEMPTS_IN_TOTAL: u32 = 3;
/// The least that is left of an inherited `first_token`, unless the total is less.
const LEAST_FIRST_TOKEN: Duration = Duration::from_secs(1);

/// The keys that a route and `defaults` share, but for breakers, which belong to targets, and last resorts.
pub(crate) struct Keys {
    pub(crate) timeouts: Block<Timeouts>,
    pub(crate) retry: Block<Retry>,
    pub(crate) hedge: Block<Hedge>,
    pub(crate) balance: Text,
    pub(crate) recover_stream: Text,
    pub(crate) on_refusal: Text,
}

/// The policy of the section at `at`, which inherits `base`. Its last resorts are the base's.
pub(crate) fn policy(reader: &mut Reader<'_>, at: &At, keys: Keys, base: &Policy) -> Policy {
    let balance = reader.choice(&at.key("balance"), keys.balance, "balance", BALANCES);
    let (mut timeouts, first_token_written) = waits(reader, &at.key("timeouts"), keys.timeouts, base.timeouts);
    let (max_attempts, retry_budget) = retry(reader, &at.key("retry"), keys.retry, base);
    if !first_token_written && (timeouts.total, max_attempts) != (base.timeouts.total, base.max_attempts) {
        timeouts.first_token = timeouts.first_token.min(part_of(timeouts.total, max_attempts));
    }
    let hedge_at = at.key("hedge");
    let written = !keys.hedge.is_absent();
    let hedge = hedge::hedge(reader, &hedge_at, keys.hedge, base.hedge, timeouts.first_token);
    if written && hedge.is_some() {
        if retry_budget <= 0.0 {
            reader.warn(&hedge_at, "does nothing: a retry_budget of 0% allows no hedges either");
        }
        if max_attempts == 1 {
            reader.warn(&hedge_at, "does nothing: a hedge is a second attempt, and max_attempts is 1");
        }
    }
    let stream_at = at.key("recover_stream");
    let recover_stream = reader.choice(&stream_at, keys.recover_stream, "recover_stream", STREAMS);
    if recover_stream == Some(RecoverStream::Continue) && max_attempts == 1 {
        reader.warn(&stream_at, "does nothing: going on is a second attempt, and max_attempts is 1");
    }
    let on_refusal = reader.choice(&at.key("on_refusal"), keys.on_refusal, "on_refusal", REFUSALS);
    Policy {
        timeouts,
        max_attempts,
        retry_budget,
        hedge,
        balance: balance.unwrap_or(base.balance),
        recover_stream: recover_stream.unwrap_or(base.recover_stream),
        on_refusal: on_refusal.unwrap_or(base.on_refusal),
        last_resorts: base.last_resorts.clone(),
    }
}

fn retry(reader: &mut Reader<'_>, at: &At, block: Block<Retry>, base: &Policy) -> (u32, f64) {
    let retry = reader.block(at, block);
    let max_attempts = reader.count(&at.key("max_attempts"), retry.max_attempts);
    let budget = reader.share(&at.key("retry_budget"), retry.retry_budget);
    (max_attempts.map_or(base.max_attempts, NonZeroU32::get), budget.unwrap_or(base.retry_budget))
}

/// The waits, and whether `first_token` is written.
fn waits(
    reader: &mut Reader<'_>,
    at: &At,
    block: Block<Timeouts>,
    base: routing::Timeouts,
) -> (routing::Timeouts, bool) {
    let timeouts = reader.block(at, block);
    let first_token_written = !timeouts.first_token.is_absent();
    let total = reader.wait(&at.key("total"), timeouts.total).unwrap_or(base.total);
    let mut within = |key, span, base| within_total(reader, &at.key(key), span, base, total);
    let waits = routing::Timeouts {
        connect: within("connect", timeouts.connect, base.connect),
        first_token: within("first_token", timeouts.first_token, base.first_token),
        idle: within("idle", timeouts.idle, base.idle),
        total,
    };
    (waits, first_token_written)
}

/// How long one attempt may stay silent so that the next ones have time left.
fn part_of(total: Duration, max_attempts: u32) -> Duration {
    let attempts = max_attempts.clamp(1, ATTEMPTS_IN_TOTAL);
    (total / attempts).max(LEAST_FIRST_TOKEN).min(total)
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
