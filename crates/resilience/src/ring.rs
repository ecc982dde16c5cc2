//! Exact counts over a sliding span of time, in buckets.
//!
//! Receives instants; hands on what was counted lately. Must never be here: what is counted, or what follows from it.

use std::time::{Duration, Instant};

/// `N` buckets of one width each; a bucket is forgotten once `N` widths have passed since it began.
/// Nothing runs in the background: a bucket that is too old is passed over when read and emptied when used again,
/// so a gap longer than the whole ring forgets everything.
#[derive(Clone, Debug)]
pub(crate) struct Ring<T, const N: usize> {
    origin: Instant,
    /// In nanoseconds, at least 1.
    width: u64,
    buckets: [Bucket<T>; N],
}

#[derive(Clone, Copy, Debug, Default)]
struct Bucket<T> {
    tick: u64,
    content: T,
}

impl<T: Copy + Default, const N: usize> Ring<T, N> {
    /// An empty ring whose first bucket begins now.
    pub(crate) fn new(width: Duration, now: Instant) -> Self {
        Self { origin: now, width: nanos(width).max(1), buckets: [Bucket::default(); N] }
    }

    /// The number of the bucket that this instant falls into.
    pub(crate) fn tick(&self, now: Instant) -> u64 {
        nanos(now.saturating_duration_since(self.origin)) / self.width
    }

    /// What is counted in the bucket of this number, emptied first where it held something older. Instants that are
    /// a little late (taken before another thread's) count in the newer bucket that took the place.
    pub(crate) fn at(&mut self, tick: u64) -> Option<&mut T> {
        let bucket = self.buckets.get_mut(place::<N>(tick))?;
        if bucket.tick < tick {
            *bucket = Bucket { tick, content: T::default() };
        }
        Some(&mut bucket.content)
    }

    /// The bucket of this number, where it has not been forgotten or used again.
    pub(crate) fn kept(&mut self, tick: u64, now: Instant) -> Option<&mut T> {
        let age = self.tick(now).saturating_sub(tick);
        let bucket = self.buckets.get_mut(place::<N>(tick))?;
        (bucket.tick == tick && age < N as u64).then_some(&mut bucket.content)
    }

    /// Every bucket not forgotten, with its age in widths.
    pub(crate) fn live(&self, now: Instant) -> impl Iterator<Item = (u64, T)> + '_ {
        let tick = self.tick(now);
        let aged = self.buckets.iter().map(move |bucket| (tick.saturating_sub(bucket.tick), bucket.content));
        aged.filter(|(age, _)| *age < N as u64)
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.buckets = [Bucket::default(); N];
    }
}

fn place<const N: usize>(tick: u64) -> usize {
    usize::try_from(tick % (N as u64).max(1)).unwrap_or_default()
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(ring: &Ring<u32, 10>, now: Instant) -> u32 {
        ring.live(now).map(|(_, count)| count).sum()
    }

    #[test]
    fn counts_are_exact_until_their_bucket_is_forgotten() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut ring = Ring::<u32, 10>::new(Duration::from_secs(1), start);
        for (when, times) in [(0, 3), (999, 1), (1000, 5), (9999, 7)] {
            let tick = ring.tick(at(when));
            *ring.at(tick).unwrap() += times;
        }
        for (when, expected) in [(9999, 16), (10_000, 12), (10_999, 12), (11_000, 7), (18_999, 7), (19_000, 0)] {
            assert_eq!(sum(&ring, at(when)), expected, "after {when} ms");
        }
    }

    #[test]
    fn a_bucket_used_again_is_empty_and_a_late_instant_does_not_empty_it() {
        let start = Instant::now();
        let mut ring = Ring::<u32, 10>::new(Duration::from_secs(1), start);
        *ring.at(3).unwrap() += 1;
        *ring.at(13).unwrap() += 1;
        assert_eq!(sum(&ring, start + Duration::from_secs(13)), 1);
        *ring.at(3).unwrap() += 1;
        assert_eq!(sum(&ring, start + Duration::from_secs(13)), 2, "counted with the newer ones");
        assert!(ring.kept(3, start + Duration::from_secs(13)).is_none());
        assert!(ring.kept(13, start + Duration::from_secs(22)).is_some());
        assert!(ring.kept(13, start + Duration::from_secs(23)).is_none());
    }

    #[test]
    fn a_width_of_nothing_is_harmless() {
        let start = Instant::now();
        let mut ring = Ring::<u32, 10>::new(Duration::ZERO, start);
        *ring.at(0).unwrap() += 1;
        assert_eq!(sum(&ring, start), 1);
        assert_eq!(sum(&ring, start + Duration::from_secs(1)), 0);
    }
}
