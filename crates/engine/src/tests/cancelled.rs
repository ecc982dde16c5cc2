//! Clients that leave: in every phase the work upstream ends with them, and nobody is blamed.

use super::script::{Script, events, fails, hangs, head, json, ms};
use super::stage::*;
use admission::{Admission, CallerSettings};
use http_body_util::BodyExt;
use llm::{Failure, Outcome, StreamEnd, Verdict};
use std::num::NonZeroU32;
use tokio::time::timeout;

#[tokio::test(start_paused = true)]
async fn leaving_before_the_answer_ends_the_attempt_under_way() {
    let refused = || fails(Failure::ConnectionLost).after(1_000);
    for (name, stream, scripts, verdicts) in [
        ("no head yet", true, vec![hangs()], vec![Verdict::Neutral]),
        ("no head yet", false, vec![hangs()], vec![Verdict::Neutral]),
        ("holding the head", true, vec![events().say(ROLE).repeat(9, 1_000, PING)], vec![Verdict::Neutral]),
        ("half an answer", false, vec![json(200, &ANSWER[..9]).repeat(9, 1_000, " ")], vec![Verdict::Neutral]),
        ("second attempt", true, vec![refused(), hangs()], vec![Verdict::HardFailure, Verdict::Neutral]),
    ] {
        let stage = Stage::new(stream, scripts);
        assert!(timeout(ms(2_500), stage.execute(stage.call())).await.is_err(), "{name}");
        assert_eq!(stage.dropped(), [ms(2_500)], "{name}");
        let record = stage.settled();
        assert_eq!((record.outcome, record.status, record.error), (Outcome::Cancelled, 0, None), "{name}");
        assert_eq!((record.served, record.stream_end, record.duration), (None, None, ms(2_500)), "{name}");
        let seen: Vec<_> = record.attempts.iter().map(|attempt| attempt.verdict).collect();
        assert_eq!(seen, verdicts, "{name}");
    }
}

/// Takes so many pieces, waits, leaves.
async fn leaves_after(stage: &Stage, pieces: usize, wait: u64) {
    let Ok(mut reply) = stage.execute(stage.call()).await else { panic!("no answer") };
    for _ in 0..pieces {
        reply.body.frame().await.unwrap().unwrap();
    }
    let _ = timeout(ms(wait), reply.body.frame()).await;
    assert!(stage.is_running(), "published before the end");
}

#[tokio::test(start_paused = true)]
async fn leaving_in_the_middle_of_a_stream_blames_nobody() {
    let script = || events().say([ROLE, HI].concat()).wait(500).say(HI).wait(9_000).say(STOP);
    for (pieces, wait) in [(1, 1), (1, 499), (2, 1), (2, 3_999)] {
        let stage = streamed([script()]);
        leaves_after(&stage, pieces, wait).await;
        assert_eq!(stage.dropped(), [stage.elapsed()]);
        let record = stage.settled();
        assert_eq!((record.outcome, record.stream_end), (Outcome::Cancelled, Some(StreamEnd::Cancelled)));
        assert_eq!((record.attempts[0].verdict, record.attempts[0].cause), (Verdict::Neutral, None));
        assert_eq!((record.status, record.served.is_some()), (200, true));
    }
}

#[tokio::test(start_paused = true)]
async fn leaving_with_the_terminator_is_no_cancellation() {
    let open = events().say([ROLE, HI].concat()).wait(500).say([STOP, USAGE, DONE].concat()).hang();
    let stage = streamed([open]);
    leaves_after(&stage, 2, 10).await;
    assert_eq!(stage.dropped(), [ms(510)]);
    let record = stage.settled();
    assert_eq!((record.outcome, record.stream_end), (Outcome::Success, Some(StreamEnd::Complete)));
    assert_eq!(record.attempts[0].verdict, Verdict::Success);
    assert_eq!(record.usage.map(|usage| (usage.input, usage.output)), Some((3, 2)));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_was_never_taken_is_cancelled() {
    let whole_stream = || events().say([ROLE, HI, STOP, DONE].concat());
    let begun = || events().say(HI).hang();
    for (stream, script, end, verdict) in [
        (false, json(200, ANSWER), None, Verdict::Neutral),
        (true, begun(), Some(StreamEnd::Cancelled), Verdict::Neutral),
        // The target has done all it could.
        (true, whole_stream(), Some(StreamEnd::Cancelled), Verdict::Success),
    ] {
        let stage = Stage::new(stream, [script]);
        let Ok(reply) = stage.execute(stage.call()).await else { panic!("no answer") };
        assert!(stage.is_running());
        drop(reply);
        let record = stage.settled();
        assert_eq!((record.outcome, record.stream_end, record.attempts[0].verdict), (Outcome::Cancelled, end, verdict));
    }
}

#[tokio::test(start_paused = true)]
async fn the_callers_slot_is_held_until_the_body_is_gone() {
    let settings = CallerSettings {
        name: "app".into(),
        key: String::from("sk-app").into(),
        routes: None,
        rpm: None,
        concurrency: NonZeroU32::new(1),
    };
    let caller = Admission::new(vec![settings]).identify(Some("sk-app")).unwrap();
    let play = |script: Script| {
        let stage = streamed([script]);
        let call = stage.routed(stage.arrives(), caller.admit(now()).unwrap());
        (stage, call)
    };
    let (stage, call) = play(events().say(HI).hang());
    let Ok(mut reply) = stage.execute(call).await else { panic!("no answer") };
    reply.body.frame().await.unwrap().unwrap();
    assert!(caller.admit(now()).is_err());
    drop(reply);
    let (stage, call) = play(hangs());
    assert!(timeout(ms(5), stage.execute(call)).await.is_err());
    let (stage, call) = play(head(500));
    assert!(stage.execute(call).await.is_err());
    assert!(caller.admit(now()).is_ok());
}
