//! The keys of one provider: used in turn, rested one by one.

use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Which key of a provider a request went out with, by its place in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key(pub usize);

/// The keys of one provider, in turn, passing over those that rest.
#[derive(Debug)]
pub(crate) struct KeyRing {
    /// `Authorization` values, marked sensitive so that they do not print.
    headers: Vec<HeaderValue>,
    next: AtomicUsize,
    /// Until when each key rests. Touched only where there is more than one key, or one failed.
    resting: Mutex<Vec<Option<Instant>>>,
}

impl KeyRing {
    /// A ring of `keys`; `None` where one of them cannot stand in a header.
    pub(crate) fn new(keys: &[SecretString]) -> Option<Self> {
        let bearer = |key: &SecretString| {
            let mut value = HeaderValue::try_from(format!("Bearer {}", key.expose_secret())).ok()?;
            value.set_sensitive(true);
            Some(value)
        };
        let headers = keys.iter().map(bearer).collect::<Option<Vec<_>>>()?;
        let resting = Mutex::new(vec![None; headers.len()]);
        Some(Self { headers, next: AtomicUsize::new(0), resting })
    }

    /// The next key: one that does not rest, else the one whose rest ends first. `None` where the provider wants none.
    pub(crate) fn take(&self, now: Instant) -> Option<(Key, HeaderValue)> {
        let count = self.headers.len();
        let place = match count {
            0 | 1 => 0,
            _ => {
                let start = self.next.fetch_add(1, Ordering::Relaxed);
                let resting = self.lock();
                let left =
                    |place: &usize| resting.get(*place).copied().flatten().map_or(Duration::ZERO, |until| until - now);
                (0..count).map(|step| start.wrapping_add(step) % count).min_by_key(left).unwrap_or(0)
            }
        };
        self.headers.get(place).map(|header| (Key(place), header.clone()))
    }

    /// Rests a key until `until`. A rest only ever grows longer.
    pub(crate) fn rest(&self, key: Key, until: Instant) {
        if let Some(rest) = self.lock().get_mut(key.0) {
            *rest = Some(rest.map_or(until, |before| before.max(until)));
        }
    }

    /// Whether some key does not rest.
    pub(crate) fn any_awake(&self, now: Instant) -> bool {
        self.lock().iter().any(|rest| rest.is_none_or(|until| until <= now))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Option<Instant>>> {
        // A panic elsewhere cannot leave a list of instants half-written.
        self.resting.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(keys: &[&str]) -> KeyRing {
        KeyRing::new(&keys.iter().map(|key| SecretString::from(*key)).collect::<Vec<_>>()).expect("plain keys")
    }

    fn places(ring: &KeyRing, now: Instant, times: usize) -> Vec<Option<usize>> {
        (0..times).map(|_| ring.take(now).map(|(key, _)| key.0)).collect()
    }

    #[test]
    fn keys_take_turns_and_the_resting_are_passed_over() {
        let now = Instant::now();
        let ring = ring(&["a", "b", "c"]);
        assert_eq!(places(&ring, now, 4), [Some(0), Some(1), Some(2), Some(0)]);
        ring.rest(Key(1), now + Duration::from_secs(5));
        assert_eq!(places(&ring, now, 3), [Some(2), Some(2), Some(0)]);
        let later = now + Duration::from_secs(5);
        assert!(places(&ring, later, 3).contains(&Some(1)));
    }

    #[test]
    fn a_rest_only_grows_and_where_all_rest_the_first_to_wake_serves() {
        let now = Instant::now();
        let ring = ring(&["a", "b"]);
        ring.rest(Key(0), now + Duration::from_secs(9));
        ring.rest(Key(0), now + Duration::from_secs(3));
        ring.rest(Key(1), now + Duration::from_secs(7));
        assert!(!ring.any_awake(now));
        assert_eq!(places(&ring, now, 2), [Some(1), Some(1)]);
        assert!(ring.any_awake(now + Duration::from_secs(7)));
    }

    #[test]
    fn no_keys_are_no_hindrance_and_keys_never_print() {
        assert_eq!(ring(&[]).take(Instant::now()), None);
        assert!(!ring(&[]).any_awake(Instant::now()));
        let ring = ring(&["sk-canary"]);
        assert!(!format!("{ring:?}").contains("canary"));
        assert!(KeyRing::new(&[SecretString::from("line\nbreak")]).is_none());
    }
}
