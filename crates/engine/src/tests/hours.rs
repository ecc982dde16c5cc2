//! Hours of trouble on a clock that takes none: providers that are flaky, slow, dead, throttled and well again, and what
//! clients and the providers themselves notice of it.

use super::script::{Asked, Script, events, fails, hangs, head, json, ms};
use super::stage::*;
use llm::{CallRecord, Failure, Outcome, Reach};
use resilience::{State, Transition};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

const SEEDS: [u64; 3] = [1, 2, 3];

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// What a provider is like, from an instant on.
#[derive(Clone, Copy)]
struct Spell {
    from: Duration,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    Well,
    /// This share of calls fails, the others take this long.
    Flaky(f64, Duration),
    Refuses,
    Hangs,
}

/// A provider that goes through these spells.
fn provider(spells: &[(u64, Kind)], seed: u64) -> impl FnMut(Asked) -> Script + Send + use<> {
    let spells: Vec<Spell> = spells.iter().map(|(from, kind)| Spell { from: s(*from), kind: *kind }).collect();
    let mut chance = fastrand::Rng::with_seed(seed);
    move |asked| {
        let now = spells.iter().rev().find(|spell| spell.from <= asked.at).map_or(Kind::Well, |spell| spell.kind);
        match now {
            Kind::Well => answers(asked.stream, 50 + chance.u64(0..100)),
            Kind::Flaky(share, _) if chance.f64() < share => head(500).after(20),
            Kind::Flaky(_, latency) => answers(asked.stream, latency.as_millis() as u64 + chance.u64(0..500)),
            Kind::Refuses => fails(Failure::Unreachable(Reach::Refused)).after(2),
            Kind::Hangs => hangs(),
        }
    }
}

/// A provider that takes so many calls in ten seconds, and tells the others when the next ten begin.
fn throttled(calls: u32, seed: u64) -> impl FnMut(Asked) -> Script + Send + use<> {
    let (mut well, mut window, mut taken) = (provider(&[], seed), 0, 0);
    move |asked| {
        let current = asked.at.as_secs() / 10;
        if current != window {
            (window, taken) = (current, 0);
        }
        taken += 1;
        if taken <= calls {
            return well(asked);
        }
        let left = s(window * 10 + 10) - asked.at;
        head(429).header("retry-after-ms", (left.as_millis() + 1).to_string())
    }
}

fn answers(stream: bool, latency: u64) -> Script {
    match stream {
        true => events().after(latency).say([ROLE, HI].concat()).repeat(2, 300, HI).say([STOP, DONE].concat()),
        false => json(200, ANSWER).after(latency + 600),
    }
}

/// What came of an hour.
struct Hour {
    /// When each call came, and its record.
    calls: Vec<(Duration, CallRecord)>,
    /// When each target's breaker moved.
    moves: Vec<(Duration, Arc<str>, Transition)>,
}

/// Plays so many seconds: half streams, half whole answers, at chance moments.
async fn hour(stage: Stage, seconds: u64, per_second: f64, seed: u64) -> Hour {
    let stage = Arc::new(stage);
    let (mut chance, begun, mut at) = (fastrand::Rng::with_seed(seed), Instant::now(), Duration::ZERO);
    let (mut running, mut arrived) = (Vec::new(), Vec::new());
    while at < s(seconds) {
        sleep_until(begun + at).await;
        arrived.push(begun.elapsed());
        let (stage, stream) = (Arc::clone(&stage), chance.bool());
        running.push(tokio::spawn(async move { stage.run(stage.call_of_kind(stream)).await }));
        at += Duration::from_secs_f64(chance.f64() * 2.0 / per_second);
    }
    for one in running {
        one.await.unwrap();
    }
    stage.idle();
    let mut calls: Vec<_> = stage.records().into_iter().map(|record| (arrived[number(&record)], record)).collect();
    calls.sort_by_key(|(at, _)| *at);
    Hour { calls, moves: stage.moves() }
}

/// The place of a call among all.
fn number(record: &CallRecord) -> usize {
    record.request_id.as_str()[2..].parse::<usize>().unwrap() - 1
}

impl Hour {
    fn during(&self, when: Range<u64>) -> impl Iterator<Item = &CallRecord> {
        let when = s(when.start)..s(when.end);
        self.calls.iter().filter(move |(at, _)| when.contains(at)).map(|(_, record)| record)
    }

    /// The share of calls that came then and were answered.
    fn success(&self, when: Range<u64>) -> f64 {
        let good = |record: &&CallRecord| matches!(record.outcome, Outcome::Success | Outcome::Degraded);
        self.during(when.clone()).filter(good).count() as f64 / self.during(when).count() as f64
    }

    /// How long all but one in a hundred of the streams that came then took to begin.
    fn p99(&self, when: Range<u64>) -> Duration {
        let mut first: Vec<Duration> = self.during(when).filter_map(|record| record.first_token).collect();
        first.sort_unstable();
        first[first.len() * 99 / 100]
    }

    /// When attempts at the first target began and ended.
    fn at_first(&self) -> Vec<Range<Duration>> {
        let attempts = self.calls.iter().flat_map(|(at, record)| record.attempts.iter().map(move |one| (*at, one)));
        let at_first = attempts.filter(|(_, one)| &*one.target.provider == "a");
        let mut spans: Vec<_> = at_first.map(|(at, one)| at + one.begun..at + one.begun + one.duration).collect();
        spans.sort_unstable_by_key(|span| span.start);
        spans
    }

    /// How many attempts at the first target began then.
    fn sent_to_first(&self, when: Range<Duration>) -> usize {
        self.at_first().iter().filter(|span| when.contains(&span.start)).count()
    }

    /// The most attempts at the first target side by side, of those that began then.
    fn side_by_side(&self, when: Range<Duration>) -> usize {
        let spans: Vec<_> = self.at_first().into_iter().filter(|span| when.contains(&span.start)).collect();
        let beside = |one: &Range<Duration>| spans.iter().filter(|other| other.contains(&one.start)).count();
        spans.iter().map(beside).max().unwrap_or(0)
    }

    /// When the first target's breaker came into this state.
    fn came(&self, state: State) -> Vec<Duration> {
        let moves = self.moves.iter().filter(|(_, target, moved)| &**target == "a/m-a" && moved.to == state);
        moves.map(|(at, ..)| *at).collect()
    }

    /// How many attempts all calls took.
    fn attempts(&self) -> usize {
        self.calls.iter().map(|(_, record)| record.attempts.len()).sum()
    }
}

fn with_spare(spells: &[(u64, Kind)], seed: u64) -> Stage {
    let scripts = [good(true), good(true)];
    let timeouts = routing::Timeouts { first_token: s(60), total: s(120), ..TIMEOUTS };
    streamed(scripts).timeouts(timeouts).lives(0, provider(spells, seed)).lives(1, provider(&[], seed + 100))
}

#[tokio::test(start_paused = true)]
async fn half_an_outage_is_hardly_noticed() {
    let bad = Kind::Flaky(0.3, s(8));
    for seed in SEEDS {
        for slow_call in [Some(s(4)), None] {
            let stage = with_spare(&[(60, bad), (240, Kind::Well)], seed);
            let hour = hour(stage.gate(|gate| gate.breaker.slow_call = slow_call), 300, 15.0, seed).await;
            let name = format!("seed {seed}, slow calls: {slow_call:?}");
            assert!(hour.success(0..300) >= 0.999, "{name}: {}", hour.success(0..300));
            assert!(hour.p99(60..70) < s(10), "{name}: {:?}", hour.p99(60..70));
            assert!(hour.p99(70..210) < s(1), "{name}: {:?}", hour.p99(70..210));
            assert!(hour.attempts() <= hour.calls.len() * 6 / 5, "{name}: {} attempts", hour.attempts());
            assert!(hour.came(State::Open).len() <= 10, "{name}: {:?}", hour.came(State::Open));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_minute_without_the_first_target_costs_no_call_and_it_is_not_trampled_after() {
    for seed in SEEDS {
        // A dead target is found out by its failures; a hung one when calls are silent for 5 s.
        for (dead, found, back) in [(Kind::Refuses, s(1), s(30)), (Kind::Hangs, s(6), s(60))] {
            let hour = hour(with_spare(&[(60, dead), (120, Kind::Well)], seed), 210, 30.0, seed).await;
            let name = format!("seed {seed}, found after {found:?}");
            assert!((hour.success(0..210) - 1.0).abs() < f64::EPSILON, "{name}");
            let (opened, closed) = (hour.came(State::Open)[0], hour.came(State::Closed));
            assert!(opened - s(60) <= found, "{name}: {opened:?}");
            assert!(hour.p99(70..210) < s(1), "{name}: {:?}", hour.p99(70..210));
            let came = hour.calls.iter().filter(|(at, _)| (s(60)..opened).contains(at)).count();
            assert!(hour.sent_to_first(s(60)..opened) * 5 <= came * 6, "{name}: amplified");
            let probing = opened + ms(1)..closed[0];
            assert!(hour.sent_to_first(probing.start..s(120)) <= 4, "{name}: probes");
            assert_eq!(hour.side_by_side(probing), 1, "{name}: one probe at a time");
            assert_eq!(closed.len(), 1, "{name}: {closed:?}");
            assert!(closed[0] > s(120) && closed[0] - s(120) < back, "{name}: {closed:?}");
            let burst = hour.sent_to_first(closed[0]..closed[0] + s(3));
            assert!(burst <= 3 * 30 / 4, "{name}: {burst} calls in the first three seconds");
            let all = closed[0] + s(31)..s(210);
            let load = hour.calls.iter().filter(|(at, _)| all.contains(at)).count();
            assert_eq!(hour.sent_to_first(all), load, "{name}: all its traffic is back");
            assert!(hour.attempts() <= hour.calls.len() * 11 / 10, "{name}: {} attempts", hour.attempts());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_throttled_target_gets_what_it_takes_and_no_more() {
    for seed in SEEDS {
        let stage =
            streamed([good(true), good(true)]).lives(0, throttled(100, seed)).lives(1, provider(&[], seed + 100));
        let hour = hour(stage, 200, 20.0, seed).await;
        let attempts = || hour.calls.iter().flat_map(|(_, record)| &record.attempts);
        let refused = attempts().filter(|attempt| attempt.status == Some(429)).count();
        assert!((hour.success(0..200) - 1.0).abs() < f64::EPSILON, "seed {seed}");
        assert!((15..=40).contains(&refused), "seed {seed}: refused {refused} times in 20 windows");
        assert!(hour.at_first().len() >= 1_900, "seed {seed}: {} of 2000 it would take", hour.at_first().len());
        assert!(hour.p99(0..200) < s(1), "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_target_that_keeps_falling_is_trusted_ever_less() {
    let spells: Vec<_> = (0..30).map(|n| (n * 10, if n % 2 == 1 { Kind::Refuses } else { Kind::Well })).collect();
    for seed in SEEDS {
        let hour = hour(with_spare(&spells, seed), 300, 20.0, seed).await;
        assert!((hour.success(0..300) - 1.0).abs() < f64::EPSILON, "seed {seed}");
        let opened = hour.came(State::Open);
        assert!((2..=8).contains(&opened.len()), "seed {seed}: {opened:?}");
        assert!(hour.attempts() <= hour.calls.len() * 21 / 20, "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn where_nobody_is_left_calls_learn_it_at_once_and_it_ends_soon_after() {
    for seed in SEEDS {
        let play = provider(&[(60, Kind::Refuses), (120, Kind::Well)], seed);
        let hour = hour(streamed([good(true)]).lives(0, play), 180, 30.0, seed).await;
        assert!((hour.success(0..60) - 1.0).abs() < f64::EPSILON, "seed {seed}");
        assert!((hour.success(127..180) - 1.0).abs() < f64::EPSILON, "seed {seed}: a target alone rests shortly");
        assert!(hour.during(60..120).all(|record| record.duration < s(1)), "seed {seed}");
        let (sent, came) = (hour.sent_to_first(s(61)..s(120)), hour.during(61..120).count());
        assert!(sent * 20 <= came, "seed {seed}: {sent} sends for {came} calls");
    }
}

#[tokio::test(start_paused = true)]
async fn a_whole_hour_of_one_thing_after_another() {
    let slow = Kind::Flaky(0.3, s(8));
    let spells = [
        (300, Kind::Refuses),
        (360, Kind::Well),
        (900, slow),
        (1_500, Kind::Well),
        (1_800, Kind::Hangs),
        (1_830, Kind::Well),
        (2_400, Kind::Flaky(0.1, ms(100))),
        (2_700, Kind::Flaky(1.0, s(0))),
        (2_820, Kind::Well),
    ];
    let hour = hour(with_spare(&spells, 9), 3_600, 5.0, 9).await;
    assert!(hour.success(0..3_600) >= 0.999, "{}", hour.success(0..3_600));
    assert!(hour.attempts() <= hour.calls.len() * 11 / 10);
    let all = hour.calls.iter().filter(|(at, _)| *at >= s(3_300)).count();
    assert_eq!(hour.sent_to_first(s(3_300)..s(3_600)), all, "at the end all is as it was");
}
