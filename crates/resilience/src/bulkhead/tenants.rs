//! Who holds how many slots.
//!
//! Receives slots taken and given back; hands on counts.
//! Must never be here: limits, waiters.

/// Tenants counted one by one. Those who come when all places are taken are counted together until a place is free:
/// they then share what is fair among themselves, and the sum stays exact.
const TRACKED: usize = 256;

/// Slots per tenant. Only tenants that hold a slot have an entry.
#[derive(Clone, Debug, Default)]
pub(super) struct Tenants {
    /// Sorted by tenant; at most [`TRACKED`] entries, none of them zero.
    held: Vec<Held>,
    /// Slots of tenants that found no place.
    others: u32,
    total: u32,
}

#[derive(Clone, Copy, Debug)]
struct Held {
    tenant: u32,
    slots: u32,
}

impl Tenants {
    /// Slots held in all.
    pub(super) const fn total(&self) -> u32 {
        self.total
    }

    /// Slots held by a tenant; by all who are counted together, if it is none of those counted one by one.
    pub(super) fn held_by(&self, tenant: u32) -> u32 {
        let found = self.find(tenant).ok().and_then(|at| self.held.get(at));
        found.map_or(self.others, |held| held.slots)
    }

    /// Whether a tenant holds less than it would if all who hold slots, and itself, had equally many; where it is alone
    /// there is nobody to be fair to.
    pub(super) fn is_below_its_share(&self, tenant: u32) -> bool {
        let held = self.held_by(tenant);
        let others = self.held.iter().filter(|one| one.tenant != tenant).count();
        let sharing = u32::try_from(others).unwrap_or(u32::MAX).saturating_add(1);
        sharing > 1 && held < self.total / sharing
    }

    pub(super) fn take(&mut self, tenant: u32) {
        match self.find(tenant) {
            Ok(at) => self.held.iter_mut().skip(at).take(1).for_each(|held| held.slots += 1),
            Err(at) if self.held.len() < TRACKED => self.held.insert(at, Held { tenant, slots: 1 }),
            Err(_) => self.others += 1,
        }
        self.total += 1;
    }

    /// Takes back one slot of a tenant. Of one that holds none there is nothing to take.
    pub(super) fn give_back(&mut self, tenant: u32) {
        let gone = match self.find(tenant) {
            Ok(at) => self.give_back_at(at),
            Err(_) if self.others > 0 => {
                self.others -= 1;
                true
            }
            Err(_) => false,
        };
        self.total -= u32::from(gone);
    }

    fn give_back_at(&mut self, at: usize) -> bool {
        let Some(held) = self.held.get_mut(at) else { return false };
        held.slots -= 1;
        if held.slots == 0 {
            self.held.remove(at);
        }
        true
    }

    fn find(&self, tenant: u32) -> Result<usize, usize> {
        self.held.binary_search_by_key(&tenant, |held| held.tenant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_share_is_fair_among_those_who_hold_slots() {
        for (held, below) in [
            (&[(1, 10)][..], true),
            (&[(0, 10)], false),
            (&[(0, 4), (1, 6)], true),
            (&[(0, 5), (1, 5)], false),
            (&[(0, 3), (1, 3), (2, 4)], false),
            (&[(0, 2), (1, 4), (2, 4)], true),
            (&[], false),
        ] {
            let mut tenants = Tenants::default();
            held.iter().for_each(|(tenant, slots)| (0..*slots).for_each(|_| tenants.take(*tenant)));
            assert_eq!(tenants.is_below_its_share(0), below, "{held:?}");
        }
    }

    #[test]
    fn entries_end_at_zero_and_at_the_bound() {
        let mut tenants = Tenants::default();
        (0..TRACKED as u32 + 10).for_each(|tenant| tenants.take(tenant));
        assert_eq!((tenants.held.len(), tenants.others, tenants.total()), (TRACKED, 10, 266));
        assert_eq!((tenants.held_by(255), tenants.held_by(256)), (1, 10));
        (0..TRACKED as u32 + 10).for_each(|tenant| tenants.give_back(tenant));
        assert_eq!((tenants.held.len(), tenants.others, tenants.total()), (0, 0, 0));
        tenants.give_back(7);
        assert_eq!(tenants.total(), 0);
    }

    #[test]
    fn a_latecomer_gets_a_place_of_its_own_when_one_is_free() {
        let mut tenants = Tenants::default();
        (0..=TRACKED as u32).for_each(|tenant| tenants.take(tenant));
        tenants.give_back(0);
        tenants.take(256);
        assert_eq!((tenants.held_by(256), tenants.others), (1, 1));
        tenants.give_back(256);
        tenants.give_back(256);
        assert_eq!((tenants.held.len(), tenants.others, tenants.total()), (255, 0, 255));
    }

    proptest! {
        #[test]
        fn the_sum_is_exact(steps in prop::collection::vec((any::<bool>(), 0u32..400), 0..2_000)) {
            let mut tenants = Tenants::default();
            let mut truth = vec![0u32; 400];
            for (take, tenant) in steps {
                if take {
                    tenants.take(tenant);
                    truth[tenant as usize] += 1;
                } else if truth[tenant as usize] > 0 {
                    tenants.give_back(tenant);
                    truth[tenant as usize] -= 1;
                }
                prop_assert_eq!(tenants.total(), truth.iter().sum::<u32>());
                prop_assert!(tenants.held.len() <= TRACKED);
            }
        }
    }
}
