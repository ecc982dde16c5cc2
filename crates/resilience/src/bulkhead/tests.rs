//! Tables and properties of the bulkhead.

use super::queue::ROOM;
use super::*;
use Priority::{Critical, Normal, Sheddable};
use proptest::prelude::*;

const MS: Duration = Duration::from_millis(1);

/// Fills the bulkhead until a priority is turned away; returns the slots then in use.
fn fill(bulkhead: &mut Bulkhead, limit: u32, priority: Priority, now: Instant) -> u32 {
    while bulkhead.enter(limit, 0, priority, now) == Entered::Taken {}
    bulkhead.in_use()
}

/// Lets every priority be seen, and none of them in.
fn see_all(bulkhead: &mut Bulkhead, now: Instant) {
    for priority in Priority::ALL {
        assert_eq!(bulkhead.enter(0, 0, priority, now), Entered::Full);
    }
}

/// A bulkhead of one slot, taken by tenant 0.
fn taken(now: Instant) -> Bulkhead {
    let mut bulkhead = Bulkhead::new();
    assert_eq!(bulkhead.enter(1, 0, Normal, now), Entered::Taken);
    bulkhead
}

#[test]
fn the_less_important_are_turned_away_first() {
    let now = Instant::now();
    for (limit, shares) in [(0, [0, 0, 0]), (1, [1, 1, 1]), (2, [2, 2, 2]), (3, [3, 3, 3]), (10, [7, 9, 10])] {
        let mut bulkhead = Bulkhead::new();
        see_all(&mut bulkhead, now);
        let filled = Priority::ALL.map(|priority| fill(&mut bulkhead, limit, priority, now));
        assert_eq!(filled, shares, "of {limit}");
    }
    let mut bulkhead = Bulkhead::new();
    see_all(&mut bulkhead, now);
    assert_eq!(Priority::ALL.map(|priority| fill(&mut bulkhead, 1_024, priority, now)), [717, 922, 1_024]);
}

#[test]
fn a_lone_priority_uses_every_slot_until_another_is_seen() {
    let now = Instant::now();
    for priority in Priority::ALL {
        assert_eq!(fill(&mut Bulkhead::new(), 10, priority, now), 10, "{priority:?}");
    }
    let mut bulkhead = Bulkhead::new();
    bulkhead.enter(0, 0, Critical, now);
    let last = now + SEEN - MS;
    assert_eq!(fill(&mut bulkhead, 10, Normal, last), 9);
    assert_eq!(fill(&mut bulkhead, 10, Normal, now + SEEN), 10);
}

#[test]
fn a_slot_given_back_goes_to_the_best_waiter() {
    let now = Instant::now();
    // Waiters in the order they came: id, tenant, priority. Tenant 0 holds the only slot, 1 to 3 none.
    type Case = (&'static str, &'static [(u64, u32, Priority)], u64, u64);
    let cases: &[Case] = &[
        ("priority first", &[(1, 1, Sheddable), (2, 0, Critical), (3, 1, Normal)], 2, 2),
        ("then age", &[(1, 1, Normal), (2, 2, Normal), (3, 3, Normal)], 1, 3),
        ("priority before age", &[(1, 1, Normal), (2, 2, Critical), (3, 2, Normal)], 2, 2),
    ];
    for (what, waiters, calm, overloaded) in cases {
        for (later, wanted) in [(STANDING_BUT_ONE, calm), (STANDING, overloaded)] {
            let mut bulkhead = taken(now);
            for (id, tenant, priority) in *waiters {
                assert_eq!(bulkhead.wait(*id, *tenant, *priority, now), Ok(None));
            }
            assert_eq!(bulkhead.release(0, 1, now + later), Some(*wanted), "{what}, after {later:?}");
            assert_eq!((bulkhead.in_use(), bulkhead.waiting()), (1, waiters.len() - 1));
        }
    }
}

const STANDING: Duration = Duration::from_millis(100);
const STANDING_BUT_ONE: Duration = Duration::from_millis(99);

#[test]
fn a_quiet_tenant_is_not_starved_by_a_noisy_one() {
    let now = Instant::now();
    let mut bulkhead = Bulkhead::new();
    assert_eq!(fill(&mut bulkhead, 4, Normal, now), 4);
    (0..ROOM as u64).for_each(|id| assert_eq!(bulkhead.wait(id, 0, Normal, now), Ok(None)));
    assert_eq!(bulkhead.wait(99, 0, Normal, now), Err(Shed), "the noisy tenant has no more room");
    assert_eq!(bulkhead.wait(100, 7, Normal, now), Ok(Some(63)), "the quiet one has");
    assert_eq!(bulkhead.release(0, 4, now), Some(100), "and comes first");
    assert_eq!(bulkhead.release(0, 4, now), Some(0));
}

#[test]
fn waiters_share_the_queue_evenly_and_no_further() {
    let now = Instant::now();
    let mut bulkhead = Bulkhead::new();
    (0..ROOM as u64).for_each(|id| assert_eq!(bulkhead.wait(id, 0, Normal, now), Ok(None)));
    let shed = (100..200).find(|id| bulkhead.wait(*id, 1, Normal, now) == Err(Shed));
    assert_eq!(shed, Some(132), "32 each, then nobody gives way");
    assert_eq!(bulkhead.waiting(), ROOM);
}

#[test]
fn the_newest_of_the_least_important_gives_way() {
    let now = Instant::now();
    let mut bulkhead = Bulkhead::new();
    assert_eq!(bulkhead.wait(0, 0, Sheddable, now), Ok(None));
    assert_eq!(bulkhead.wait(1, 0, Sheddable, now), Ok(None));
    (2..ROOM as u64).for_each(|id| assert_eq!(bulkhead.wait(id, id as u32, Normal, now), Ok(None)));
    assert_eq!(bulkhead.wait(70, 0, Sheddable, now), Err(Shed));
    assert_eq!(bulkhead.wait(71, 99, Normal, now), Ok(Some(1)));
    assert_eq!(bulkhead.wait(72, 98, Normal, now), Ok(Some(0)));
    assert_eq!(bulkhead.wait(73, 97, Normal, now), Err(Shed), "between equals nobody gives way");
    assert_eq!(bulkhead.wait(74, 0, Critical, now), Ok(Some(72)));
    assert_eq!(bulkhead.waiting(), ROOM);
}

#[test]
fn patience_ends_with_a_standing_queue_and_returns_with_an_empty_one() {
    let now = Instant::now();
    let mut bulkhead = taken(now);
    assert_eq!(bulkhead.patience(1, now), PATIENCE);
    assert_eq!(bulkhead.wait(1, 1, Normal, now), Ok(None));
    assert_eq!(bulkhead.patience(1, now + STANDING_BUT_ONE), PATIENCE);
    assert_eq!(bulkhead.wait(2, 1, Normal, now + STANDING_BUT_ONE), Ok(None));
    assert!(bulkhead.leave(1));
    assert_eq!(bulkhead.patience(0, now + STANDING), HURRY, "the queue was never empty");
    assert!(bulkhead.leave(2));
    assert_eq!(bulkhead.patience(1, now + STANDING), PATIENCE);
    assert_eq!(bulkhead.wait(3, 1, Normal, now + STANDING), Ok(None));
    assert_eq!(bulkhead.release(0, 1, now + STANDING), Some(3));
    assert_eq!(bulkhead.wait(4, 1, Normal, now + 2 * STANDING), Ok(None));
    assert_eq!(bulkhead.patience(1, now + 2 * STANDING), PATIENCE, "a promotion empties it too");
}

#[test]
fn who_waited_in_vain_spares_others_the_wait() {
    let now = Instant::now();
    let mut bulkhead = taken(now);
    assert_eq!(bulkhead.wait(1, 0, Normal, now), Ok(None));
    assert!(bulkhead.give_up(1, now + STANDING));
    assert!(!bulkhead.give_up(1, now + STANDING));
    for (later, patience) in [(STANDING, HURRY), (STANDING + MS * 999, HURRY), (STANDING + MS * 1_000, PATIENCE)] {
        assert_eq!((bulkhead.waiting(), bulkhead.patience(0, now + later)), (0, patience), "after {later:?}");
    }
}

#[test]
fn who_left_gets_nothing_and_who_got_a_slot_cannot_leave_the_queue() {
    let now = Instant::now();
    let mut bulkhead = taken(now);
    assert_eq!(bulkhead.wait(1, 1, Normal, now), Ok(None));
    assert_eq!(bulkhead.wait(2, 1, Normal, now), Ok(None));
    assert!(bulkhead.leave(1));
    assert!(!bulkhead.leave(1));
    assert_eq!(bulkhead.release(0, 1, now), Some(2));
    assert!(!bulkhead.leave(2));
    assert_eq!((bulkhead.in_use(), bulkhead.waiting()), (1, 0));
}

#[test]
fn a_smaller_limit_drains_and_a_larger_one_is_filled() {
    let now = Instant::now();
    let mut bulkhead = Bulkhead::new();
    assert_eq!(fill(&mut bulkhead, 3, Normal, now), 3);
    (1..=4).for_each(|id| assert_eq!(bulkhead.wait(id, 1, Normal, now), Ok(None)));
    assert_eq!(bulkhead.release(0, 1, now), None, "two are still in use");
    assert_eq!(bulkhead.release(0, 1, now), None);
    assert_eq!(bulkhead.release(0, 1, now), Some(1));
    assert_eq!(bulkhead.promote(1, now), None);
    let promoted: Vec<_> = std::iter::from_fn(|| bulkhead.promote(3, now)).collect();
    assert_eq!((promoted, bulkhead.in_use()), (vec![2, 3], 3));
}

proptest! {
    #[test]
    fn slots_and_waiters_stay_within_their_bounds(
        limit in 1u32..12,
        steps in prop::collection::vec((0u8..4, 0u32..5, 0usize..3, 0u32..60), 1..400),
    ) {
        let mut now = Instant::now();
        let mut bulkhead = Bulkhead::new();
        // The truth: who holds a slot, and who waits.
        let (mut holders, mut waiting) = (Vec::new(), Vec::<(u64, u32)>::new());
        for (id, (step, tenant, priority, later)) in (0u64..).zip(steps) {
            now += MS * later;
            let priority = Priority::ALL[priority];
            match step {
                0 | 1 => match bulkhead.enter(limit, tenant, priority, now) {
                    Entered::Taken => holders.push(tenant),
                    Entered::Full => if let Ok(gone) = bulkhead.wait(id, tenant, priority, now) {
                        waiting.retain(|(waiter, _)| Some(*waiter) != gone);
                        waiting.push((id, tenant));
                    },
                },
                2 if !holders.is_empty() => {
                    let tenant = holders.swap_remove(tenant as usize % holders.len());
                    if let Some(got) = bulkhead.release(tenant, limit, now) {
                        let at = waiting.iter().position(|(waiter, _)| *waiter == got).unwrap();
                        holders.push(waiting.remove(at).1);
                    }
                }
                _ => {
                    let gone = waiting.pop();
                    prop_assert_eq!(bulkhead.leave(gone.map_or(id, |(waiter, _)| waiter)), gone.is_some());
                }
            }
            prop_assert!(bulkhead.in_use() <= limit && bulkhead.waiting() <= ROOM);
            prop_assert_eq!((bulkhead.in_use() as usize, bulkhead.waiting()), (holders.len(), waiting.len()));
        }
        for tenant in holders.drain(..) {
            bulkhead.release(tenant, 0, now);
        }
        prop_assert_eq!(bulkhead.in_use(), 0);
    }
}
