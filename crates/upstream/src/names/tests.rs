//! F05, F06 and F07 of the fault catalogue, with a resolver that follows a script, under paused time.

use super::*;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use tokio::time::{Instant as Clock, advance};

const HANGS: u8 = 0;
const UNKNOWN: u8 = 1;

/// A name service: `HANGS`, `UNKNOWN`, or the last byte of the address that every name has. Names that begin with `b`
/// are well whatever it is, and have address 9.
#[derive(Default)]
struct Service {
    state: AtomicU8,
    lookups: AtomicUsize,
}

fn address(last: u8) -> Addresses {
    [SocketAddr::from(([192, 0, 2, last], 0))].into()
}

impl Service {
    fn new(state: u8) -> (Arc<Self>, Names) {
        let service = Arc::new(Self { state: state.into(), ..Self::default() });
        let asked = Arc::clone(&service);
        (service, Names::by(move |name| asked.look_up(&name)))
    }

    fn look_up(&self, name: &Name) -> Looking {
        self.lookups.fetch_add(1, Ordering::Relaxed);
        let state = if name.as_str().starts_with('b') { 9 } else { self.state.load(Ordering::Relaxed) };
        Box::pin(async move {
            match state {
                HANGS => std::future::pending().await,
                UNKNOWN => Err(io::ErrorKind::NotFound.into()),
                last => Ok(address(last)),
            }
        })
    }

    fn becomes(&self, state: u8) {
        self.state.store(state, Ordering::Relaxed);
    }

    fn lookups(&self) -> usize {
        self.lookups.load(Ordering::Relaxed)
    }
}

/// What a name's address is, and how long it took to learn.
async fn ask(names: &Names, name: &str) -> (Option<u8>, Duration) {
    let began = Clock::now();
    let found = names.clone().addresses(name.parse().expect("a name")).await.ok();
    let last = found.map(|found| match found[0] {
        SocketAddr::V4(address) => address.ip().octets()[3],
        SocketAddr::V6(_) => panic!("no such address"),
    });
    (last, began.elapsed())
}

/// Within the millisecond that a timer may be late.
fn about(took: Duration, expected: Duration) -> bool {
    took >= expected && took <= expected + Duration::from_millis(2)
}

#[tokio::test(start_paused = true)]
async fn f05_the_last_good_address_of_an_unknown_name_serves_for_a_minute() {
    let (service, names) = Service::new(1 + UNKNOWN);
    assert_eq!(ask(&names, "a").await.0, Some(2));
    // Long after: what counts is since when nobody knows better.
    advance(Duration::from_secs(3600)).await;
    service.becomes(UNKNOWN);
    assert_eq!(ask(&names, "a").await, (Some(2), Duration::ZERO));
    advance(SPARE).await;
    assert_eq!(ask(&names, "a").await, (Some(2), Duration::ZERO));
    advance(Duration::from_millis(1)).await;
    assert_eq!(ask(&names, "a").await, (None, Duration::ZERO), "the next target is tried at once");
    service.becomes(3);
    assert_eq!(ask(&names, "a").await.0, Some(3), "and it heals with the name service");
}

#[tokio::test(start_paused = true)]
async fn f05_a_name_that_never_had_an_address_fails_at_once() {
    let (service, names) = Service::new(UNKNOWN);
    for lookups in 1..=3 {
        assert_eq!(ask(&names, "a").await, (None, Duration::ZERO));
        assert_eq!(service.lookups(), lookups, "a failure is not remembered");
    }
}

#[tokio::test(start_paused = true)]
async fn f06_a_lookup_that_hangs_is_one_lookup_and_ends_in_time() {
    let (service, names) = Service::new(HANGS);
    let calls: Vec<_> = (0..1000).map(|_| tokio::spawn(ask_owned(names.clone(), "a"))).collect();
    assert_eq!(ask(&names, "b").await, (Some(9), Duration::ZERO), "other names wait for nothing");
    for call in calls {
        let (found, took) = call.await.expect("an end");
        assert!(found.is_none() && about(took, BOUND), "{found:?} after {took:?}");
    }
    assert_eq!(service.lookups(), 2);
    assert_eq!(ask(&names, "a").await, (None, Duration::ZERO), "who comes later does not wait once more");
}

async fn ask_owned(names: Names, name: &'static str) -> (Option<u8>, Duration) {
    ask(&names, name).await
}

#[tokio::test(start_paused = true)]
async fn f06_while_a_lookup_hangs_the_last_good_address_serves_for_a_minute() {
    let (service, names) = Service::new(2);
    assert_eq!(ask(&names, "a").await.0, Some(2));
    advance(FRESH).await;
    service.becomes(HANGS);
    let (found, took) = ask(&names, "a").await;
    assert!(found == Some(2) && about(took, GRACE), "{found:?} after {took:?}");
    for _ in 0..10 {
        assert_eq!(ask(&names, "a").await, (Some(2), Duration::ZERO), "and the next ones wait for nothing");
    }
    advance(SPARE).await;
    assert_eq!(ask(&names, "a").await, (None, Duration::ZERO));
    assert_eq!(service.lookups(), 2);
}

#[tokio::test(start_paused = true)]
async fn f07_a_new_address_is_used_within_seconds() {
    let (service, names) = Service::new(2);
    assert_eq!(ask(&names, "a").await.0, Some(2));
    service.becomes(3);
    assert_eq!((ask(&names, "a").await.0, service.lookups()), (Some(2), 1), "a burst asks once");
    advance(FRESH).await;
    assert_eq!((ask(&names, "a").await.0, service.lookups()), (Some(3), 2));
    assert!(FRESH <= Duration::from_secs(30));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_does_not_end_the_lookup_of_the_others() {
    let (service, names) = Service::new(HANGS);
    let first = tokio::spawn(ask_owned(names.clone(), "a"));
    tokio::task::yield_now().await;
    first.abort();
    let (found, took) = ask(&names, "a").await;
    assert!(found.is_none() && took <= BOUND && service.lookups() == 1, "{found:?} after {took:?}");
}

#[tokio::test(start_paused = true)]
async fn no_more_names_are_kept_than_there_is_room_for() {
    let (service, names) = Service::new(2);
    for place in 0..=MAX_NAMES {
        assert_eq!(ask(&names, &format!("b{place}")).await.0, Some(9));
        advance(Duration::from_millis(1)).await;
    }
    assert_eq!((names.shared.hosts().len(), service.lookups()), (MAX_NAMES, MAX_NAMES + 1));
    assert!(!names.shared.hosts().contains_key(&"b0".parse().expect("a name")), "the oldest went");
    let (service, hung) = Service::new(HANGS);
    for place in 0..MAX_NAMES {
        tokio::spawn(ask_owned(hung.clone(), Box::leak(format!("a{place}").into_boxed_str())));
    }
    while service.lookups() < MAX_NAMES {
        tokio::task::yield_now().await;
    }
    assert_eq!(ask(&hung, "c").await, (None, Duration::ZERO), "nor more threads held");
}

#[test]
fn a_lookup_ends_before_the_connection_has_to_be_there() {
    let (_, names) = Service::new(HANGS);
    for (timeout, bound) in [(500, 450), (2000, 1800), (60_000, 2000)] {
        let bounded = names.within(Duration::from_millis(timeout));
        assert_eq!(bounded.bound, Duration::from_millis(bound));
    }
}
