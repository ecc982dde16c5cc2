//! What holds whatever happens.

use super::*;

#[derive(Clone, Copy, Debug)]
enum Step {
    Wait(u64),
    Admit { alternatives: bool },
    Begin(usize),
    Silent(usize),
    Settle(usize, Verdict, Option<u64>, bool),
    Forget(usize),
    Trip(Reason, u64),
    Pardon,
}

fn step() -> impl Strategy<Value = Step> {
    let verdict = prop::sample::select(Verdict::ALL.to_vec());
    let reason = prop::sample::select(vec![Reason::Domain, Reason::Unusable, Reason::Quota]);
    prop_oneof![
        3 => prop_oneof![0..50_u64, 0..20_000_u64, 0..400_000_u64].prop_map(Step::Wait),
        8 => prop::bool::weighted(0.8).prop_map(|alternatives| Step::Admit { alternatives }),
        4 => (0..8_usize).prop_map(Step::Begin),
        1 => (0..8_usize).prop_map(Step::Silent),
        6 => (0..8_usize, verdict, prop::option::of(0..500_u64), any::<bool>())
            .prop_map(|(which, verdict, after, target)| Step::Settle(which, verdict, after, target)),
        1 => (0..8_usize).prop_map(Step::Forget),
        1 => (reason, 0..400_u64).prop_map(|(reason, secs)| Step::Trip(reason, secs)),
        1 => Just(Step::Pardon),
    ]
}

fn policy() -> impl Strategy<Value = BreakerPolicy> {
    (0..4_u32, 0.1..1.0_f64, 1..6_u32, any::<bool>(), 1..4_u32).prop_map(
        |(consecutive, failure_ratio, min_calls, slow, half_open_successes)| BreakerPolicy {
            consecutive,
            failure_ratio,
            min_calls,
            slow_call: slow.then_some(SECOND / 2),
            half_open_successes,
            ..BreakerPolicy::default()
        },
    )
}

fn take(tickets: &mut Vec<Ticket>, which: usize) -> Option<Ticket> {
    (!tickets.is_empty()).then(|| tickets.swap_remove(which % tickets.len()))
}

/// The number of the probe whose verdict this step gives.
fn answered(tickets: &[Ticket], step: Step) -> Option<u64> {
    let (Step::Begin(which) | Step::Settle(which, ..)) = step else { return None };
    tickets.get(which % tickets.len().max(1)).and_then(|ticket| ticket.probe)
}

/// Carries a step out; the transition it brought.
fn act(stage: &mut Stage, tickets: &mut Vec<Ticket>, step: Step) -> Option<Transition> {
    match step {
        Step::Wait(millis) => stage.wait(Duration::from_millis(millis)),
        Step::Admit { alternatives } => {
            stage.alternatives = alternatives;
            if let Admit::Through(ticket) | Admit::Probe(ticket) = stage.admit() {
                tickets.push(ticket);
            }
        }
        Step::Begin(which) => {
            let place = which % tickets.len().max(1);
            return tickets.get_mut(place).and_then(|ticket| stage.begun(ticket));
        }
        Step::Silent(which) => {
            let place = which % tickets.len().max(1);
            return tickets.get_mut(place).and_then(|ticket| stage.silent(ticket));
        }
        Step::Settle(which, verdict, after, target) => {
            let rest = if target { Rest::Target } else { Rest::Credential };
            let report = Report { verdict, retry_after: after.map(Duration::from_secs), rest };
            return take(tickets, which).and_then(|ticket| stage.settle(ticket, report));
        }
        Step::Forget(which) => drop(take(tickets, which)),
        Step::Trip(reason, secs) => return stage.breaker.trip(reason, stage.now + SECOND * secs as u32, stage.now),
        Step::Pardon => return stage.breaker.pardon(stage.now),
    }
    None
}

proptest! {
    #[test]
    fn one_probe_at_a_time_and_rests_only_grow(policy in policy(), steps in prop::collection::vec(step(), 0..300)) {
        let mut stage = Stage::new(policy);
        let mut tickets = Vec::new();
        let mut awaited: Vec<(u64, u64, Instant)> = Vec::new();
        for step in steps {
            let before = stage.snapshot();
            let probes = stage.breaker.probes;
            let answered = answered(&tickets, step);
            let moved = act(&mut stage, &mut tickets, step);
            let after = stage.snapshot();
            let pardoned = moved.is_some_and(|moved| moved.reason == Reason::Pardoned);
            if let (Some(old), Some(new)) = (before.until, after.until) {
                prop_assert!(new >= old, "a rest was cut short by {step:?}");
            } else if before.until.is_some_and(|until| stage.now < until) {
                prop_assert!(pardoned, "a rest was ended by {step:?}");
            }
            if let Some(moved) = moved {
                let over = moved.until.is_some_and(|until| until <= stage.now);
                prop_assert_eq!(if over { State::HalfOpen } else { moved.to }, after.state);
            }
            prop_assert_eq!(after.state == State::Open, after.until.is_some());
            prop_assert!(after.counts.failed <= after.counts.total);
            awaited.retain(|(number, ..)| Some(*number) != answered);
            if stage.breaker.probes > probes {
                let generation = stage.breaker.generation;
                let current = awaited.iter().filter(|(_, since, _)| *since == generation);
                prop_assert!(current.clone().all(|(.., by)| *by <= stage.now), "two probes at one time");
                awaited.push((stage.breaker.probes, generation, stage.now + PROBE));
            }
        }
    }

    #[test]
    fn neutral_results_change_nothing(policy in policy(), steps in prop::collection::vec(step(), 0..200)) {
        let mut stage = Stage::new(policy);
        let mut tickets = Vec::new();
        for step in steps {
            act(&mut stage, &mut tickets, step);
            stage.alternatives = true;
            stage.breaker.wake(stage.now);
            let before = stage.snapshot();
            if let Admit::Through(ticket) = stage.admit() {
                prop_assert_eq!(stage.settle(ticket, Report::of(Verdict::Neutral)), None);
                prop_assert_eq!(stage.snapshot(), before);
            }
        }
    }

    #[test]
    fn it_never_wedges(policy in policy(), steps in prop::collection::vec(step(), 0..200)) {
        let mut stage = Stage::new(policy);
        let mut tickets = Vec::new();
        for step in steps {
            act(&mut stage, &mut tickets, step);
        }
        stage.wait(SECOND * 3600 + PROBE);
        stage.alternatives = true;
        for _ in 0..3 {
            stage.breaker.wake(stage.now);
            if stage.state() == State::Closed {
                break;
            }
            let ticket = stage.pass();
            stage.settle(ticket, Report::of(Verdict::Success));
        }
        prop_assert_eq!(stage.state(), State::Closed);
    }
}
