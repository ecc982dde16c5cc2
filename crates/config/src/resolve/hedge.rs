//! `hedge`: when a second target is asked beside a slow one.

use crate::defaults;
use crate::fault::{At, quote};
use crate::file::{self, Block, Text};
use crate::measure;
use crate::reader::Reader;
use routing::{Hedge, HedgeAfter};
use std::time::Duration;

/// What `after` says.
enum After {
    /// Hedges start so late.
    Some(HedgeAfter),
    /// They never start.
    Never,
}

/// The hedge of the section at `at`; one that is written is on, unless it says `after: never`.
pub(crate) fn hedge(
    reader: &mut Reader<'_>,
    at: &At,
    block: Block<file::Hedge>,
    base: Option<Hedge>,
    first_token: Duration,
) -> Option<Hedge> {
    if block.is_absent() {
        return base;
    }
    let hedge = reader.block(at, block);
    let base = base
        .unwrap_or(Hedge { after: HedgeAfter::Quantile(defaults::HEDGE_AFTER), max_share: defaults::HEDGE_MAX_SHARE });
    let share_at = at.key("max_share");
    let written = !hedge.max_share.is_absent();
    let max_share = reader.part(&share_at, hedge.max_share).unwrap_or(base.max_share);
    let after = match after(reader, &at.key("after"), hedge.after, first_token) {
        Some(After::Some(after)) => after,
        None => base.after,
        Some(After::Never) => {
            if written {
                reader.fault(&share_at, "does nothing beside `after: never`");
            }
            return None;
        }
    };
    Some(Hedge { after, max_share })
}

fn after(reader: &mut Reader<'_>, at: &At, text: Text, first_token: Duration) -> Option<After> {
    let words = reader.text(at, text)?;
    if words.value == "never" {
        return Some(After::Never);
    }
    let after = quantile(&words.value).map(HedgeAfter::Quantile).or_else(|| {
        let wait = measure::duration(&words.value).ok()?;
        (!wait.is_zero()).then_some(HedgeAfter::Fixed(wait))
    });
    match after {
        None => {
            let written = quote(&words.written);
            reader.fault(at, format!("{written} is no time to hedge after: write p95 (p50 to p99), 800ms or never"));
        }
        Some(HedgeAfter::Fixed(wait)) if wait >= first_token => {
            reader.fault(at, format!("is not shorter than timeouts.first_token of {first_token:?}, so it never acts"));
        }
        _ => {}
    }
    after.map(After::Some)
}

/// `p50` to `p99` as a share.
fn quantile(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('p').filter(|digits| digits.len() == 2)?;
    let percent: u8 = digits.parse().ok()?;
    (50..=99).contains(&percent).then(|| f64::from(percent) / 100.0)
}
