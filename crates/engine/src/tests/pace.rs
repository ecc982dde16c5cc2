//! Streams that take their time.

use super::script::{events, ms};
use super::stage::*;
use http_body_util::BodyExt;
use llm::{Outcome, StreamEnd};
use routing::Timeouts;
use tokio::time::sleep;

#[tokio::test(start_paused = true)]
async fn comments_keep_a_committed_stream_alive() {
    let end = [STOP, DONE].concat();
    for (every, outcome, over) in [(3_900, Outcome::Success, 39_000), (4_001, Outcome::Truncated, 4_000)] {
        let played = streamed([events().say(HI).repeat(10, every, PING).say(end.clone())]).play().await;
        assert_eq!((played.record.outcome, played.over), (outcome, ms(over)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_may_outlive_every_timer_but_the_total() {
    let timeouts = Timeouts { connect: ms(10), first_token: ms(100), idle: ms(50), total: ms(5_000) };
    let end = [STOP, DONE].concat();
    for (pieces, outcome, end_as, over) in
        [(120, Outcome::Success, StreamEnd::Complete, 4_800), (999, Outcome::Truncated, StreamEnd::Deadline, 5_000)]
    {
        let script = events().say(HI).repeat(pieces, 40, HI).say(end.clone());
        let played = streamed([script]).timeouts(timeouts).play().await;
        assert_eq!((played.record.outcome, played.record.stream_end), (outcome, Some(end_as)));
        assert_eq!(played.over, ms(over));
    }
}

#[tokio::test(start_paused = true)]
async fn the_clients_timeout_holds_for_the_stream_too() {
    let played = streamed([events().say(HI).repeat(99, 1_000, HI)]).within(ms(7_500)).play().await;
    assert_eq!((played.record.stream_end, played.over), (Some(StreamEnd::Deadline), ms(7_500)));
    assert!(played.text().contains("deadline_exceeded"));
}

#[tokio::test(start_paused = true)]
async fn a_connection_left_open_behind_the_terminator_is_soon_given_up() {
    let stage = streamed([events().say([HI, STOP].concat()).wait(100).say(DONE).hang()]);
    let played = stage.play().await;
    assert_eq!(played.pieces.last().unwrap().0, ms(100), "the client has its terminator at once");
    assert_eq!(played.record.duration, ms(100), "which is when the call is over for it");
    assert_eq!((played.over, stage.dropped()), (ms(600), vec![ms(600)]));
    assert_eq!((played.record.outcome, played.record.stream_end), (Outcome::Success, Some(StreamEnd::Complete)));
}

#[tokio::test(start_paused = true)]
async fn nor_does_chatter_behind_the_terminator_hold_it_open() {
    let stage = streamed([events().say([HI, STOP, DONE].concat()).repeat(99, 100, PING)]);
    let played = stage.play().await;
    assert_eq!((played.over, stage.dropped()), (ms(500), vec![ms(500)]));
    assert_eq!(played.record.outcome, Outcome::Success);
}

#[tokio::test(start_paused = true)]
async fn the_total_holds_for_a_provider_that_is_always_ahead_of_its_reader() {
    let long = HI.replace("hi", &"x".repeat(70_000));
    let stage = streamed([events().repeat(99, 0, long).say([STOP, DONE].concat())]);
    let Ok(mut reply) = stage.execute(stage.call()).await else { panic!("no answer") };
    while let Some(frame) = reply.body.frame().await {
        frame.unwrap();
        sleep(ms(1_000)).await;
    }
    drop(reply);
    assert_eq!(stage.settled().stream_end, Some(StreamEnd::Deadline));
}
