//! The limit against simulated targets, on a simulated clock.

use super::*;
use proptest::prelude::*;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A target and its clients: each client asks again as soon as it has its first content, or is let in.
struct World {
    limit: AdaptiveLimit,
    rng: fastrand::Rng,
    start: Instant,
    now: Duration,
    /// When each call in flight began to answer, and how long that took.
    calls: BinaryHeap<Reverse<(Duration, Duration)>>,
    /// Calls the target answers without delay.
    capacity: f64,
    /// Seconds to first content up to the capacity.
    base: f64,
    noise: Option<Noise>,
}

/// How many times as long a call takes.
type Noise = fn(&mut fastrand::Rng) -> f64;

/// What was seen over some time.
struct Seen {
    /// On average, the lowest, the highest.
    limits: [f64; 3],
    /// Calls per second.
    goodput: f64,
}

impl World {
    fn new(max_concurrency: Option<u32>, capacity: u32) -> Self {
        Self {
            limit: AdaptiveLimit::new(max_concurrency),
            rng: fastrand::Rng::with_seed(7),
            start: Instant::now(),
            now: Duration::ZERO,
            calls: BinaryHeap::new(),
            capacity: f64::from(capacity),
            base: 1.0,
            noise: None,
        }
    }

    /// Lets as many clients as given ask for `seconds`.
    fn run(&mut self, clients: u32, seconds: u64) -> Seen {
        let (from, mut done) = (self.now, 0u32);
        let mut limits = [0.0, f64::MAX, 0.0_f64];
        while self.now < from + Duration::from_secs(seconds) {
            while self.calls.len() < clients.min(self.limit.limit()) as usize {
                let took = self.first_token();
                self.calls.push(Reverse((self.now + took, took)));
            }
            let in_flight = self.calls.len() as u32;
            let Reverse((at, took)) = self.calls.pop().unwrap();
            self.now = at;
            done += 1;
            self.limit.observe(took, in_flight, self.start + at);
            let limit = f64::from(self.limit.limit());
            limits = [limits[0] + limit, limits[1].min(limit), limits[2].max(limit)];
        }
        limits[0] /= f64::from(done);
        Seen { limits, goodput: f64::from(done) / (self.now - from).as_secs_f64() }
    }

    fn first_token(&mut self) -> Duration {
        let crowd = (self.calls.len() as f64 + 1.0) / self.capacity;
        let noise = self.noise.map_or(1.0, |noise| noise(&mut self.rng));
        Duration::from_secs_f64(self.base * crowd.max(1.0) * noise)
    }
}

/// From half to one and a half times as long.
fn uniform(rng: &mut fastrand::Rng) -> f64 {
    0.5 + rng.f64()
}

/// Log-normal with a deviation of 1: one call in a hundred takes ten times as long as the usual one.
fn long_tailed(rng: &mut fastrand::Rng) -> f64 {
    ((0..12).map(|_| rng.f64()).sum::<f64>() - 6.0).exp()
}

#[test]
fn endless_demand_settles_the_limit_between_the_capacity_and_twice_that() {
    for capacity in [20, 50, 100, 400] {
        // A few times too much after a quiet time; or far too much from the first moment.
        for (clients, noise) in [(5 * capacity, None), (4_000, None), (4_000, Some(uniform as Noise))] {
            let mut world = World { noise, ..World::new(None, capacity) };
            if clients < 1_024 {
                world.run(capacity / 2, 120);
            }
            world.run(clients, 900);
            let seen = world.run(clients, 900);
            let [mean, lowest, highest] = seen.limits.map(|limit| limit / f64::from(capacity));
            let what = format!("{capacity} of {clients}: {lowest} to {highest}, {mean} on average, {}", seen.goodput);
            assert!((1.0..2.0).contains(&mean) && lowest > 0.55 && highest < 2.25, "{what}");
            assert!(seen.goodput > 0.95 * f64::from(capacity), "{what}");
        }
    }
}

#[test]
fn noise_below_capacity_never_shrinks_the_limit_below_demand() {
    for noise in [uniform as Noise, long_tailed] {
        for clients in [1, 9, 30, 100, 300] {
            let mut world = World { noise: Some(noise), ..World::new(None, 400) };
            let [_, lowest, _] = world.run(clients, 1_800).limits;
            assert!(
                lowest >= f64::from(clients),
                "{clients} clients, {lowest}, {:?}",
                noise(&mut fastrand::Rng::with_seed(1))
            );
        }
    }
}

#[test]
fn a_healthy_target_at_its_ceiling_is_hardly_disturbed() {
    let mut world = World { noise: Some(uniform), ..World::new(Some(100), 400) };
    let seen = world.run(200, 1_800);
    assert!(seen.goodput > 98.0, "{}", seen.goodput);
    assert_eq!(seen.limits[2], 100.0);
}

#[test]
fn capacity_that_left_and_came_back_is_used_again() {
    let mut world = World::new(None, 200);
    world.run(1_000, 600);
    world.capacity = 40.0;
    world.run(1_000, 300);
    let poor = world.run(1_000, 300);
    assert!(poor.limits[2] < 90.0 && poor.goodput > 38.0, "{:?}, {}", poor.limits, poor.goodput);
    world.capacity = 200.0;
    world.run(1_000, 120);
    let rich = world.run(1_000, 300);
    assert!(rich.goodput > 190.0, "{:?}, {}", rich.limits, rich.goodput);
}

#[test]
fn a_target_that_is_slower_for_good_keeps_its_traffic() {
    let mut world = World { noise: Some(uniform), ..World::new(None, 1_000) };
    world.run(60, 300);
    world.base = 4.0;
    world.run(60, 900);
    let seen = world.run(60, 900);
    assert!(seen.goodput > 0.9 * 60.0 / 4.0, "{:?}, {}", seen.limits, seen.goodput);
}

/// One whole batch of equal samples.
fn batch(limit: &mut AdaptiveLimit, seconds: u64, in_flight: u32, now: Instant) {
    for _ in 0..in_flight.div_ceil(2).max(20) {
        limit.observe(Duration::from_secs(seconds), in_flight, now);
    }
}

#[test]
fn congestion_draws_the_limit_down_to_twice_what_is_in_flight() {
    let now = Instant::now();
    for (in_flight, slow, wanted) in [(9, 60, 1_024), (10, 60, 20), (40, 60, 80), (40, 1, 1_024), (300, 60, 600)] {
        let mut limit = AdaptiveLimit::new(None);
        batch(&mut limit, 1, 1, now);
        batch(&mut limit, slow, in_flight, now);
        assert_eq!(limit.limit(), wanted, "{in_flight} in flight, {slow} s");
    }
}

#[test]
fn it_grows_only_while_half_of_it_is_in_flight() {
    let now = Instant::now();
    for (in_flight, wanted) in [(39, 80), (40, 81)] {
        let mut limit = AdaptiveLimit::new(None);
        batch(&mut limit, 1, 1, now);
        batch(&mut limit, 60, 40, now);
        batch(&mut limit, 1, in_flight, now);
        assert_eq!(limit.limit(), wanted, "{in_flight}");
    }
}

#[test]
fn the_ceiling_is_where_it_starts_and_a_low_one_is_fixed() {
    let now = Instant::now();
    let ceilings = [(None, 1_024), (Some(0), 1), (Some(1), 1), (Some(20), 20), (Some(5_000), 5_000)];
    for (max_concurrency, wanted) in ceilings {
        assert_eq!(AdaptiveLimit::new(max_concurrency).limit(), wanted);
    }
    for (ceiling, wanted) in [(10, 10), (20, 20), (21, 20)] {
        let mut limit = AdaptiveLimit::new(Some(ceiling));
        batch(&mut limit, 1, 1, now);
        (0..100).for_each(|_| batch(&mut limit, 60, 10, now));
        assert_eq!(limit.limit(), wanted);
    }
}

#[test]
fn a_sounding_that_gets_no_answer_is_given_up() {
    let now = Instant::now();
    let mut limit = AdaptiveLimit::new(Some(100));
    (0..4).for_each(|_| batch(&mut limit, 1, 100, now));
    assert_eq!(limit.limit(), 70);
    limit.observe(Duration::from_secs(1), 100, now + Duration::from_secs(119));
    assert_eq!(limit.limit(), 70);
    limit.observe(Duration::from_secs(1), 100, now + Duration::from_secs(120));
    assert_eq!(limit.limit(), 100);
}

#[test]
fn a_limit_is_sounded_where_normal_calls_fill_their_share_of_it() {
    let now = Instant::now();
    for (in_flight, wanted) in [(84, 100), (85, 59), (92, 64), (100, 70)] {
        let mut limit = AdaptiveLimit::new(Some(100));
        (0..4).for_each(|_| batch(&mut limit, 1, in_flight, now));
        assert_eq!(limit.limit(), wanted, "{in_flight} of 100");
    }
}

#[test]
fn soundings_that_find_nothing_become_rare() {
    let mut now = Instant::now();
    let mut limit = AdaptiveLimit::new(Some(100));
    let mut soundings = Vec::new();
    let start = now;
    for _ in 0..500_000 {
        let before = limit.limit();
        // The gate keeps to the limit.
        limit.observe(Duration::from_secs(1), before, now);
        if before == 100 && limit.limit() == 70 {
            soundings.push((now - start).as_secs());
        }
        now += Duration::from_millis(10);
    }
    let pauses: Vec<_> = soundings.windows(2).map(|two| (two[1] - two[0]) / 30).collect();
    assert_eq!(pauses, [1, 2, 4, 8, 16, 20, 20, 20, 20, 20, 20], "in half minutes");
}

proptest! {
    #[test]
    fn always_within_its_bounds(
        ceiling in prop::option::of(any::<u32>()),
        samples in prop::collection::vec((0u64..u64::MAX, any::<u32>(), 0u64..10_000), 0..300),
    ) {
        let mut now = Instant::now();
        let mut limit = AdaptiveLimit::new(ceiling);
        for (nanos, in_flight, later) in samples {
            now += Duration::from_millis(later);
            limit.observe(Duration::from_nanos(nanos), in_flight, now);
            prop_assert!((1..=ceiling.unwrap_or(1_024).max(1)).contains(&limit.limit()));
        }
    }
}
