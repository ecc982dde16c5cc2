//! What the fall of some targets means for those around them.

use super::script::{events, head};
use super::stage::*;
use resilience::{Reason, State};

/// Five hard failures of one target.
async fn fell(stage: &Stage, target: &str) {
    for _ in 0..5 {
        stage.finish(stage.call_for(target)).await;
    }
    assert_eq!(stage.state(target), State::Open, "{target}");
}

fn reason(stage: &Stage, target: &str) -> Option<Reason> {
    stage.at(target).breaker.reason
}

#[tokio::test(start_paused = true)]
async fn where_half_a_domain_falls_the_rest_is_left_alone_too() {
    let bad = || head(500);
    let stage = streamed([bad(), bad(), bad(), bad(), good(true)]).attempts(1);
    let stage = (0..4).fold(stage, |stage, provider| stage.domain(provider, "x")).domain(4, "y");
    fell(&stage, "a/m-a").await;
    assert_eq!([reason(&stage, "b/m-b"), reason(&stage, "c/m-c")], [None, None], "one of four says nothing");
    fell(&stage, "b/m-b").await;
    for target in ["c/m-c", "d/m-d"] {
        let breaker = stage.at(target).breaker;
        assert_eq!((breaker.state, breaker.reason), (State::Open, Some(Reason::Domain)), "{target}");
        let first = stage.at("a/m-a").breaker.until.min(stage.at("b/m-b").breaker.until);
        assert_eq!(breaker.until, first, "probed as soon as any of them is");
    }
    assert_eq!(stage.state("e/m-e"), State::Closed);
    let played = stage.play().await;
    assert_eq!(played.head, Ok(("e/m-e".into(), true)));
    let why: Vec<_> = played.record.passed_over.iter().map(|passed| passed.reason).collect();
    assert_eq!(why[2], "its breaker is open: its failure domain is down");
    assert_eq!((why.len(), played.record.attempts.len()), (4, 1));
}

#[tokio::test(start_paused = true)]
async fn one_target_alone_says_nothing_of_its_domain() {
    let stage = streamed([head(500), good(true)]).attempts(1).domain(0, "x").domain(1, "x");
    fell(&stage, "a/m-a").await;
    assert_eq!(stage.play().await.head, Ok(("b/m-b".into(), true)));
    assert_eq!(stage.state("b/m-b"), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn throttling_is_nobody_elses_business() {
    let stage = streamed([head(429).header("retry-after", "5"), head(429), good(true)]).attempts(1);
    let stage = (0..3).fold(stage, |stage, provider| stage.domain(provider, "x"));
    stage.play_each(2).await;
    for target in ["a/m-a", "b/m-b"] {
        assert_eq!(reason(&stage, target), Some(Reason::Throttled), "{target}");
    }
    assert_eq!(stage.state("c/m-c"), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn mere_shares_of_failures_never_take_more_than_half_of_a_route() {
    let stage =
        streamed([events(), events(), events(), events()]).policy(|policy| policy.retry_budget = 9.0).attempts(4);
    for _ in 0..100 {
        stage.play().await;
        let open = ["a/m-a", "b/m-b", "c/m-c", "d/m-d"].iter().filter(|target| stage.state(target) != State::Closed);
        assert!(open.count() <= 2);
    }
    let pardons = stage.moves().iter().filter(|(.., moved)| moved.reason == Reason::Pardoned).count();
    assert!(pardons > 0 && stage.at("a/m-a").breaker.by_ratio);
}

#[tokio::test(start_paused = true)]
async fn hard_failures_in_a_row_take_all_of_it() {
    let stage = streamed([head(500), head(500), head(500)]).policy(|policy| policy.retry_budget = 9.0);
    stage.play_each(5).await;
    assert!(["a/m-a", "b/m-b", "c/m-c"].iter().all(|target| stage.state(target) == State::Open));
}
