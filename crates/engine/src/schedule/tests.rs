//! What comes next, by tables: orders, refusals, pauses, deadlines; and that attempts are bounded whatever happens.

use super::*;
use crate::Scope;
use proptest::prelude::*;

const SECOND: Duration = Duration::from_secs(1);
const KEY: Advice = Advice::OtherKey(SECOND, Scope::Key);

fn policy(max_attempts: u32) -> Policy {
    let timeouts = Timeouts { connect: SECOND, first_token: 10 * SECOND, idle: SECOND, total: 120 * SECOND };
    Policy { timeouts, max_attempts, ..Policy::default() }
}

fn schedule(attempts: u32, candidates: usize, stream: bool, now: Instant, seconds: u32) -> Schedule {
    Schedule::new(&policy(attempts), candidates, stream, now + seconds * SECOND)
}

fn rng() -> fastrand::Rng {
    fastrand::Rng::with_seed(1)
}

/// The candidate asked next, which then begins.
fn tries(schedule: &mut Schedule, now: Instant) -> Result<usize, Step> {
    match schedule.step(now, &mut rng()) {
        Step::Try { candidate, .. } => {
            schedule.began(candidate);
            Ok(candidate)
        }
        other => Err(other),
    }
}

fn fails(schedule: &mut Schedule, candidate: usize, advice: Advice) {
    schedule.failed(candidate, advice, Again::No, false, Around::default());
}

#[test]
fn candidates_follow_in_order_until_attempts_run_out() {
    let now = Instant::now();
    let mut schedule = schedule(3, 5, true, now, 120);
    for candidate in 0..3 {
        assert_eq!(tries(&mut schedule, now), Ok(candidate));
        fails(&mut schedule, candidate, Advice::Next);
    }
    assert_eq!(tries(&mut schedule, now), Err(Step::Stop(Stop::Exhausted)));
}

#[test]
fn advice_decides_where_to_go() {
    let now = Instant::now();
    for (attempts, candidates, advice, fresh, then) in [
        (3, 2, Advice::Next, true, Ok(1)),
        (3, 2, KEY, true, Ok(0)),
        (3, 2, KEY, false, Ok(1)),
        (2, 2, KEY, true, Ok(1)),
        (2, 1, KEY, true, Ok(0)),
        (3, 2, Advice::Never, true, Err(Step::Stop(Stop::Exhausted))),
    ] {
        let mut schedule = schedule(attempts, candidates, true, now, 60);
        assert_eq!(tries(&mut schedule, now), Ok(0));
        schedule.failed(0, advice, Again::No, fresh, Around::default());
        assert_eq!(tries(&mut schedule, now), then, "{attempts} {candidates} {advice:?} {fresh}");
    }
}

#[test]
fn an_unreachable_provider_sends_its_other_targets_to_the_end() {
    let now = Instant::now();
    let mut schedule = schedule(4, 4, true, now, 60);
    assert_eq!(tries(&mut schedule, now), Ok(0));
    let around = Around { same_domain: [0, 1].into_iter().collect(), ..Around::default() };
    schedule.failed(0, Advice::Elsewhere, Again::No, false, around);
    let order: Vec<_> = std::iter::from_fn(|| tries(&mut schedule, now).ok()).collect();
    assert_eq!(order, [2, 3, 1]);
}

#[test]
fn too_long_a_question_goes_only_where_there_is_more_room() {
    let now = Instant::now();
    let mut schedule = schedule(4, 4, true, now, 60);
    assert_eq!(tries(&mut schedule, now), Ok(0));
    let around = Around { larger_window: [2].into_iter().collect(), ..Around::default() };
    schedule.failed(0, Advice::LargerWindow, Again::No, false, around);
    assert_eq!(tries(&mut schedule, now), Ok(2));
    schedule.failed(2, Advice::LargerWindow, Again::No, false, Around::default());
    assert_eq!(tries(&mut schedule, now), Err(Step::Stop(Stop::Exhausted)));
}

#[test]
fn the_reluctant_and_the_full_are_asked_when_nobody_else_is_left() {
    let now = Instant::now();
    let mut schedule = schedule(3, 3, true, now, 60);
    let by = now + 10 * SECOND;
    let step = |schedule: &mut Schedule| schedule.step(now, &mut rng());
    assert_eq!(step(&mut schedule), Step::Try { candidate: 0, by, alternatives: true });
    schedule.refused(0, true);
    assert_eq!(step(&mut schedule), Step::Try { candidate: 1, by, alternatives: true });
    schedule.full(1);
    assert_eq!(step(&mut schedule), Step::Try { candidate: 2, by, alternatives: true });
    schedule.refused(2, false);
    assert_eq!(step(&mut schedule), Step::Try { candidate: 0, by, alternatives: false });
    schedule.refused(0, false);
    assert_eq!(step(&mut schedule), Step::Queue { candidate: 1, by });
    schedule.full(1);
    assert_eq!(step(&mut schedule), Step::Stop(Stop::Exhausted));
}

#[test]
fn what_was_turned_away_costs_no_attempt() {
    let now = Instant::now();
    let mut schedule = schedule(1, 2, true, now, 60);
    schedule.refused(0, false);
    assert_eq!(tries(&mut schedule, now), Ok(1));
}

#[test]
fn a_target_may_be_asked_again_after_a_pause() {
    let now = Instant::now();
    for (again, least, most) in [
        (Again::Backoff, Duration::ZERO, 9 * SECOND),
        (Again::After(2 * SECOND), 2 * SECOND, 2 * SECOND * 11 / 10),
        (Again::After(5 * SECOND), 5 * SECOND, 5 * SECOND * 11 / 10),
    ] {
        let mut schedule = schedule(2, 1, true, now, 60);
        assert_eq!(tries(&mut schedule, now), Ok(0));
        schedule.failed(0, Advice::Next, again, false, Around::default());
        let Step::Pause(until) = schedule.step(now, &mut rng()) else { panic!("no pause: {again:?}") };
        assert!((now + least..=now + most).contains(&until), "{again:?}");
        assert_eq!(tries(&mut schedule, until), Ok(0));
        schedule.failed(0, Advice::Next, again, false, Around::default());
        assert_eq!(schedule.step(until, &mut rng()), Step::Stop(Stop::Exhausted), "attempts run out");
    }
}

#[test]
fn no_pause_is_made_that_is_asked_for_too_long_or_outlasts_the_call() {
    let now = Instant::now();
    for (again, seconds) in [(Again::After(6 * SECOND), 60), (Again::After(5 * SECOND), 5), (Again::No, 60)] {
        let mut schedule = schedule(3, 1, true, now, seconds);
        assert_eq!(tries(&mut schedule, now), Ok(0));
        schedule.failed(0, Advice::Next, again, false, Around::default());
        assert_eq!(schedule.step(now, &mut rng()), Step::Stop(Stop::Exhausted), "{again:?} {seconds}");
    }
}

#[test]
fn no_attempt_begins_after_the_deadline_or_outlives_it() {
    let now = Instant::now();
    let mut schedule = schedule(3, 1, true, now, 3);
    let by = now + 3 * SECOND;
    assert_eq!(schedule.step(now, &mut rng()), Step::Try { candidate: 0, by, alternatives: true });
    schedule.began(0);
    fails(&mut schedule, 0, Advice::Next);
    assert_eq!(schedule.beside(now + 3 * SECOND), None);
    assert_eq!(schedule.step(now + 3 * SECOND, &mut rng()), Step::Stop(Stop::Deadline));
}

#[test]
fn a_stream_leaves_the_next_target_as_much_of_a_short_time() {
    let now = Instant::now();
    for (attempts, candidates, seconds, millis) in [
        (3, 3, 120, 10_000),
        (3, 2, 18, 9_000),
        (3, 3, 18, 9_000),
        (3, 2, 8, 4_000),
        (3, 1, 8, 8_000),
        (1, 2, 8, 8_000),
        (3, 2, 1, 500),
    ] {
        let mut schedule = schedule(attempts, candidates, true, now, seconds);
        let Step::Try { by, .. } = schedule.step(now, &mut rng()) else { panic!("no step") };
        assert_eq!(by - now, Duration::from_millis(millis), "{attempts} {candidates} {seconds}");
    }
}

#[test]
fn a_whole_answer_may_take_longer_while_time_is_left_for_the_others() {
    let now = Instant::now();
    for (attempts, candidates, seconds, expected) in
        [(3, 3, 120, 40), (3, 3, 300, 50), (3, 1, 120, 120), (1, 3, 120, 120), (3, 3, 12, 10)]
    {
        let mut schedule = schedule(attempts, candidates, false, now, seconds);
        let Step::Try { by, .. } = schedule.step(now, &mut rng()) else { panic!("no step") };
        assert_eq!(by - now, expected * SECOND, "{attempts} {candidates} {seconds}");
    }
}

proptest! {
    /// Whatever happens, attempts stay within their number and no candidate outside the plan is named.
    #[test]
    fn attempts_are_bounded(
        attempts in 1u32..6,
        candidates in 0usize..6,
        events in proptest::collection::vec((0u8..6, any::<bool>()), 0..60),
        seed: u64,
    ) {
        let start = Instant::now();
        let (mut now, mut begun) = (start, 0);
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut schedule = schedule(attempts, candidates, true, start, 60);
        for (event, flag) in events {
            match schedule.step(now, &mut rng) {
                Step::Stop(_) => break,
                Step::Pause(until) => {
                    prop_assert!(until >= now && until < schedule.deadline());
                    now = until;
                }
                Step::Queue { candidate, by } | Step::Try { candidate, by, .. } => {
                    prop_assert!(candidate < candidates);
                    prop_assert!(by <= schedule.deadline());
                    match event {
                        0 => schedule.refused(candidate, flag),
                        1 => schedule.full(candidate),
                        _ => {
                            schedule.began(candidate);
                            begun += 1;
                            let advice = match event {
                                2 => KEY,
                                3 => Advice::Elsewhere,
                                4 => Advice::LargerWindow,
                                _ => Advice::Next,
                            };
                            let again = if flag { Again::Backoff } else { Again::After(SECOND) };
                            schedule.failed(candidate, advice, again, flag, Around::default());
                        }
                    }
                }
            }
        }
        prop_assert!(begun <= attempts);
    }
}
