//! What several breakers say together: a failing domain, or a group that would be left without targets.
//!
//! Receives snapshots; hands on what to do about the others. Must never be here: which targets belong together.

use crate::breaker::Snapshot;
use std::time::{Duration, Instant};

/// Members count as failing together where they opened within this time.
const TOGETHER: Duration = Duration::from_secs(60);

/// Until when the rest of a failure domain should be left alone: where at least half of its members, and at least two,
/// opened by their own fault within the last 60 s and have not closed since. That is the end of the first of their
/// rests, so that the domain is probed as soon as any of them is.
#[must_use]
pub fn roll_up(members: &[Snapshot], now: Instant) -> Option<Instant> {
    let failing = || members.iter().filter(|member| fell_lately(member, now));
    let count = failing().count();
    if count < 2 || count * 2 < members.len() {
        return None;
    }
    failing().filter_map(|member| member.until).min()
}

fn fell_lately(member: &Snapshot, now: Instant) -> bool {
    member.opened.is_some_and(|(at, reason)| reason.is_fault() && now.saturating_duration_since(at) <= TOGETHER)
}

/// Whether more than half of a priority group opened by ratio and has not closed since, so that the last one to open
/// should be pardoned. A group of one never is: its target opens by ratio only after many calls, and rests shortly.
#[must_use]
pub fn over_ejection_cap(members: &[Snapshot]) -> bool {
    let ejected = members.iter().filter(|member| member.by_ratio);
    members.len() > 1 && ejected.count() * 2 > members.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::breaker::{Counts, Reason, State};

    const SECOND: Duration = Duration::from_secs(1);

    fn member(opened: Option<(Instant, Reason)>, until: Option<Instant>, state: State) -> Snapshot {
        Snapshot {
            state,
            reason: opened.map(|(_, reason)| reason),
            since: opened.map_or_else(Instant::now, |(at, _)| at),
            until,
            opened,
            by_ratio: opened.is_some_and(|(_, reason)| reason == Reason::Ratio),
            counts: Counts::default(),
            consecutive: 0,
            share: 1.0,
        }
    }

    fn well() -> Snapshot {
        member(None, None, State::Closed)
    }

    fn open(reason: Reason, at: Instant, rest: u32) -> Snapshot {
        member(Some((at, reason)), Some(at + SECOND * rest), State::Open)
    }

    #[test]
    fn half_of_a_domain_and_at_least_two_speak_for_all() {
        let start = Instant::now();
        let now = start + SECOND * 60;
        let fell = |reason| open(reason, start, 70);
        let soon = open(Reason::ProbeFailed, start + SECOND, 65);
        let half_open = member(Some((start, Reason::Ratio)), None, State::HalfOpen);
        let before = open(Reason::Ratio, start.checked_sub(Duration::from_millis(1)).unwrap(), 70);
        let (at_70, at_66) = (Some(start + SECOND * 70), Some(start + SECOND * 66));
        for (members, expected, why) in [
            (vec![], None, "nobody"),
            (vec![fell(Reason::Ratio)], None, "one is not a domain"),
            (vec![fell(Reason::Ratio), well()], None, "one of two"),
            (vec![fell(Reason::Ratio), fell(Reason::Consecutive)], at_70, "two of two"),
            (vec![fell(Reason::Ratio), soon, well(), well()], at_66, "half, until the first rest ends"),
            (vec![fell(Reason::Ratio), soon, well(), well(), well()], None, "less than half"),
            (vec![fell(Reason::Ratio), before, well(), well()], None, "too long ago"),
            (vec![fell(Reason::Ratio), half_open, well(), well()], at_70, "probing is not well"),
            (vec![half_open, half_open], None, "all are probing already"),
            (vec![fell(Reason::Throttled), fell(Reason::Quota), fell(Reason::Domain)], None, "no fault of theirs"),
        ] {
            assert_eq!(roll_up(&members, now), expected, "{why}");
        }
    }

    #[test]
    fn half_of_a_group_may_be_ejected_by_ratio_and_all_of_it_by_hard_failures() {
        let now = Instant::now();
        let fell = |reason| open(reason, now, 5);
        let ratio = fell(Reason::Ratio);
        for (members, expected) in [
            (vec![], false),
            (vec![ratio], false),
            (vec![ratio, well()], false),
            (vec![ratio, ratio], true),
            (vec![ratio, ratio, well()], true),
            (vec![ratio, ratio, well(), well()], false),
            (vec![fell(Reason::Consecutive), fell(Reason::Consecutive), ratio], false),
            (vec![ratio, member(Some((now, Reason::Ratio)), None, State::HalfOpen)], true),
            (vec![ratio, Snapshot { by_ratio: true, ..fell(Reason::ProbeFailed) }], true),
        ] {
            assert_eq!(over_ejection_cap(&members), expected, "{members:?}");
        }
    }
}
