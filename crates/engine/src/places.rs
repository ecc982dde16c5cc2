//! A small set of places in a plan.
//!
//! One word, so that a schedule is copied and asked without allocating. Must never be here: what the places mean.

use std::ops::{BitAnd, BitOr, Sub};

/// A set of places below 64; others are never in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Places(u64);

impl Places {
    /// The first `count` places.
    #[must_use]
    pub const fn first(count: usize) -> Self {
        if count >= 64 { Self(u64::MAX) } else { Self((1 << count) - 1) }
    }

    /// Adds a place.
    pub const fn insert(&mut self, place: usize) {
        self.0 |= Self::bit(place);
    }

    /// Takes a place out.
    pub const fn remove(&mut self, place: usize) {
        self.0 &= !Self::bit(place);
    }

    /// Whether a place is in it.
    #[must_use]
    pub const fn contains(self, place: usize) -> bool {
        self.0 & Self::bit(place) != 0
    }

    /// Whether none is in it.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many are in it.
    #[must_use]
    pub const fn count(self) -> u32 {
        self.0.count_ones()
    }

    /// The lowest one in it.
    #[must_use]
    pub const fn lowest(self) -> Option<usize> {
        if self.0 == 0 { None } else { Some(self.0.trailing_zeros() as usize) }
    }

    const fn bit(place: usize) -> u64 {
        if place < 64 { 1 << place } else { 0 }
    }
}

impl FromIterator<usize> for Places {
    fn from_iter<I: IntoIterator<Item = usize>>(places: I) -> Self {
        Self(places.into_iter().fold(0, |bits, place| bits | Self::bit(place)))
    }
}

impl BitAnd for Places {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl BitOr for Places {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl Sub for Places {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_it_was_given_and_nothing_beyond_its_bound() {
        let mut places = Places::first(2);
        places.insert(63);
        places.insert(64);
        assert_eq!((places.count(), places.lowest()), (3, Some(0)));
        assert!(places.contains(63) && !places.contains(64) && !places.contains(2));
        places.remove(0);
        assert_eq!(places.lowest(), Some(1));
        assert_eq!(Places::first(64).count(), 64);
        assert_eq!(Places::first(1000), Places::first(64));
        assert_eq!((Places::first(3) - Places::first(1)).count(), 2);
        assert_eq!([5, 70].into_iter().collect::<Places>().lowest(), Some(5));
        assert!((Places::first(1) & Places::default()).is_empty());
        assert_eq!((Places::first(1) | [4].into_iter().collect()).count(), 2);
    }
}
