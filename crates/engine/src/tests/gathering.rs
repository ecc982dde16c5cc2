//! What is there together leaves together, and it is the same bytes.

use super::script::{events, ms};
use super::stage::*;
use llm::Outcome;
use proptest::prelude::*;

#[tokio::test(start_paused = true)]
async fn a_burst_leaves_in_one_piece() {
    let script = events().say(ROLE).repeat(100, 0, HI).say(STOP).say(DONE);
    let played = streamed([script]).play().await;
    assert_eq!(played.pieces.len(), 1);
    assert_eq!(played.text(), [ROLE, &HI.repeat(100), STOP, DONE].concat());
}

#[tokio::test(start_paused = true)]
async fn what_comes_within_a_few_turns_leaves_together() {
    let played = streamed([events().repeat(8, 0, HI).say([STOP, DONE].concat()).by_hops()]).play().await;
    assert_eq!(played.record.outcome, Outcome::Success);
    assert!(played.pieces.len() <= 3, "{} pieces of 9", played.pieces.len());
}

#[tokio::test(start_paused = true)]
async fn no_piece_grows_past_its_bound() {
    let long = HI.replace("hi", &"x".repeat(4_000));
    let script = events().repeat(200, 0, long.clone()).say([STOP, DONE].concat());
    let played = streamed([script]).play().await;
    assert_eq!(played.text(), [&long.repeat(200), STOP, DONE].concat());
    let bound = 64 * 1024 + long.len();
    assert!(played.pieces.iter().all(|(_, piece)| piece.len() < bound));
    assert!(played.pieces.len() <= 14, "{} pieces", played.pieces.len());
}

#[tokio::test(start_paused = true)]
async fn what_comes_alone_leaves_at_once() {
    let script = events().say(HI).repeat(5, 20, HI).wait(20).say([STOP, DONE].concat());
    let played = streamed([script]).play().await;
    let times: Vec<_> = played.pieces.iter().map(|(at, _)| *at).collect();
    assert_eq!(times, (0..7).map(|n| ms(20 * n)).collect::<Vec<_>>());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_client_gets_the_same_bytes_however_they_came(
        picks in proptest::collection::vec(0usize..5, 0..40),
        cuts in proptest::collection::vec((0.0f64..1.0, 0u64..3), 0..40),
    ) {
        let all = [ROLE, HI, PING, USAGE, "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"é\"}}]}\r\n\r\n"];
        let text: String = picks.into_iter().map(|pick| all[pick]).chain([HI, STOP, USAGE, DONE]).collect();
        let mut places: Vec<_> = cuts.iter().map(|(c, wait)| ((c * text.len() as f64) as usize, *wait)).collect();
        places.sort_unstable();
        let (mut script, mut from) = (events(), 0);
        for (place, wait) in places.into_iter().chain([(text.len(), 0)]) {
            script = script.wait(wait).say(text.as_bytes()[from..place].to_vec());
            from = place;
        }
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().unwrap();
        let played = runtime.block_on(async { streamed([script]).play().await });
        prop_assert_eq!(played.text(), text);
        prop_assert_eq!(played.record.outcome, Outcome::Success);
    }
}
