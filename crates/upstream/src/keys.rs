//! The keys of one provider: used in turn, rested one by one.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Which key of a provider a request went out with, by its place in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key(pub usize);

/// The most models for which one key rests by itself; beyond it the rest that ends first is forgotten.
const MAX_MODELS: usize = 64;

/// The keys of one provider, in turn, passing over those that rest. What a key is, is not looked at here.
#[derive(Debug)]
pub(crate) struct KeyRing<T> {
    keys: Vec<T>,
    next: AtomicUsize,
    /// Whether any key was ever sent to rest: a healthy provider's lock is never touched.
    rested: AtomicBool,
    resting: Mutex<Vec<Rest>>,
}

/// Until when one key rests.
#[derive(Clone, Debug, Default)]
struct Rest {
    whole: Option<Instant>,
    models: Vec<(Box<str>, Instant)>,
}

impl<T> KeyRing<T> {
    /// A ring of `keys`, all awake.
    pub(crate) fn new(keys: Vec<T>) -> Self {
        let resting = Mutex::new(vec![Rest::default(); keys.len()]);
        Self { keys, next: AtomicUsize::new(0), rested: AtomicBool::new(false), resting }
    }

    /// The next key for `model`: one that does not rest, else the one whose rest ends first. `None` where the provider
    /// wants none.
    pub(crate) fn take(&self, model: &str, now: Instant) -> Option<(Key, &T)> {
        let count = self.keys.len();
        let place = match count {
            0 | 1 => 0,
            _ => {
                let start = self.next.fetch_add(1, Ordering::Relaxed);
                let turn = (0..count).map(|step| start.wrapping_add(step) % count);
                let resting = self.rested.load(Ordering::Relaxed).then(|| self.lock());
                let left = |place: &usize| {
                    let rest = resting.as_ref().and_then(|resting| resting.get(*place));
                    rest.map_or(Duration::ZERO, |rest| rest.left(model, now))
                };
                turn.min_by_key(left).unwrap_or(0)
            }
        };
        self.keys.get(place).map(|key| (Key(place), key))
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Rests a key until `until`, for one model or for all. A rest only ever grows longer.
    pub(crate) fn rest(&self, key: Key, model: Option<&str>, until: Instant) {
        if let Some(rest) = self.lock().get_mut(key.0) {
            rest.extend(model, until);
            self.rested.store(true, Ordering::Relaxed);
        }
    }

    /// Rests a key for `model` until `until`, where another one does not rest at `now`; `false` where none does.
    pub(crate) fn spare(&self, key: Key, model: &str, until: Instant, now: Instant) -> bool {
        let mut resting = self.lock();
        let mut others = resting.iter().enumerate().filter(|(place, _)| *place != key.0);
        if !others.any(|(_, rest)| rest.left(model, now).is_zero()) {
            return false;
        }
        if let Some(rest) = resting.get_mut(key.0) {
            rest.extend(Some(model), until);
            self.rested.store(true, Ordering::Relaxed);
        }
        true
    }

    /// Whether some key does not rest for `model`.
    pub(crate) fn any_awake(&self, model: &str, now: Instant) -> bool {
        !self.keys.is_empty() && self.rested_until(model, now).is_none()
    }

    /// When the first of the keys wakes, where all of them rest for `model`.
    pub(crate) fn rested_until(&self, model: &str, now: Instant) -> Option<Instant> {
        if !self.rested.load(Ordering::Relaxed) {
            return None;
        }
        let left = self.lock().iter().map(|rest| rest.left(model, now)).min()?;
        (!left.is_zero()).then(|| now + left)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Rest>> {
        // A panic elsewhere cannot leave a list of instants half-written.
        self.resting.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Rest {
    /// For how long the key still rests for `model`.
    fn left(&self, model: &str, now: Instant) -> Duration {
        let of_model = self.models.iter().find(|(rested, _)| **rested == *model).map(|(_, until)| *until);
        self.whole.max(of_model).map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }

    fn extend(&mut self, model: Option<&str>, until: Instant) {
        let Some(model) = model else {
            self.whole = self.whole.max(Some(until));
            return;
        };
        if let Some((_, before)) = self.models.iter_mut().find(|(rested, _)| **rested == *model) {
            *before = until.max(*before);
            return;
        }
        if self.models.len() == MAX_MODELS
            && let Some((first, _)) = self.models.iter().enumerate().min_by_key(|(_, (_, until))| *until)
        {
            self.models.swap_remove(first);
        }
        self.models.push((model.into(), until));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn ring<'a>(keys: &[&'a str]) -> KeyRing<&'a str> {
        KeyRing::new(keys.to_vec())
    }

    fn places(ring: &KeyRing<&str>, now: Instant, times: usize) -> Vec<Option<usize>> {
        (0..times).map(|_| ring.take("m", now).map(|(key, _)| key.0)).collect()
    }

    #[test]
    fn keys_take_turns_and_the_resting_are_passed_over() {
        let now = Instant::now();
        let ring = ring(&["a", "b", "c"]);
        assert_eq!(places(&ring, now, 4), [Some(0), Some(1), Some(2), Some(0)]);
        ring.rest(Key(1), None, now + 5 * SECOND);
        assert_eq!(places(&ring, now, 3), [Some(2), Some(2), Some(0)]);
        let later = now + 5 * SECOND;
        assert!(places(&ring, later, 3).contains(&Some(1)));
    }

    #[test]
    fn a_rest_only_grows_and_where_all_rest_the_first_to_wake_serves() {
        let now = Instant::now();
        let ring = ring(&["a", "b"]);
        ring.rest(Key(0), None, now + 9 * SECOND);
        ring.rest(Key(0), None, now + 3 * SECOND);
        assert_eq!(ring.rested_until("m", now), None);
        ring.rest(Key(1), None, now + 7 * SECOND);
        assert!(!ring.any_awake("m", now));
        assert_eq!(ring.rested_until("m", now), Some(now + 7 * SECOND));
        assert_eq!(places(&ring, now, 2), [Some(1), Some(1)]);
        assert!(ring.any_awake("m", now + 7 * SECOND));
        assert_eq!(ring.rested_until("m", now + 7 * SECOND), None);
    }

    #[test]
    fn a_key_may_rest_for_one_model_alone() {
        let now = Instant::now();
        let ring = ring(&["a"]);
        ring.rest(Key(0), Some("m"), now + 9 * SECOND);
        ring.rest(Key(0), Some("m"), now + SECOND);
        assert_eq!(ring.rested_until("m", now), Some(now + 9 * SECOND));
        assert_eq!(ring.rested_until("n", now), None);
        ring.rest(Key(0), None, now + 20 * SECOND);
        assert_eq!(ring.rested_until("m", now), Some(now + 20 * SECOND));
        assert_eq!(ring.rested_until("n", now), Some(now + 20 * SECOND));
    }

    #[test]
    fn a_key_is_spared_only_while_another_is_awake() {
        let now = Instant::now();
        let alone = ring(&["a"]);
        assert!(!alone.spare(Key(0), "m", now + SECOND, now));
        let ring = ring(&["a", "b"]);
        assert!(ring.spare(Key(0), "m", now + 9 * SECOND, now));
        assert_eq!(places(&ring, now, 2), [Some(1), Some(1)]);
        assert!(!ring.spare(Key(1), "m", now + 9 * SECOND, now), "the last one serves on");
        assert!(ring.any_awake("m", now) && ring.spare(Key(1), "n", now + SECOND, now));
    }

    #[test]
    fn rests_for_single_models_are_bounded() {
        let now = Instant::now();
        let ring = ring(&["a"]);
        for model in 0..=MAX_MODELS {
            ring.rest(Key(0), Some(&model.to_string()), now + SECOND * (1 + u32::try_from(model).unwrap()));
        }
        assert_eq!(ring.lock()[0].models.len(), MAX_MODELS);
        assert_eq!(ring.rested_until("0", now), None, "the rest that ends first is forgotten");
        assert!(ring.rested_until("1", now).is_some());
    }

    #[test]
    fn no_keys_are_no_hindrance() {
        assert_eq!(ring(&[]).take("m", Instant::now()), None);
        assert!(!ring(&[]).any_awake("m", Instant::now()));
        assert_eq!(ring(&[]).rested_until("m", Instant::now()), None);
    }
}
