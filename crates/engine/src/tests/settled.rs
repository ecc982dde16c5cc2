//! What the record says of a call that was answered, to the millisecond.

use super::script::{events, fails, head, json, ms};
use super::stage::*;
use http_body::Body;
use llm::{Failure, FinishReason, Outcome, StreamEnd, Usage};
use tokio::time::sleep;

const TOLD: Usage = Usage { input: 3, output: 2, cached: 0, cache_written: 0, reasoning: 0 };

#[tokio::test(start_paused = true)]
async fn a_streams_times_are_exact() {
    let slow = events().after(150).wait(50).say(ROLE).wait(100).say(HI);
    let paced = slow.repeat(2, 40, HI).wait(300).say(PING).wait(400).say(HI).wait(30).say([STOP, USAGE, DONE].concat());
    let stage = streamed([fails(Failure::ConnectionLost).after(200), paced]);
    let mut open = stage.arrives();
    sleep(ms(7)).await;
    open.read(now());
    open.asked(&stage.request());
    sleep(ms(5)).await;
    let played = stage.finish(stage.routed(open, anyone())).await;
    let record = played.record;
    assert_eq!(played.at, ms(512));
    assert_eq!(record.overhead, ms(5), "neither reading the request nor waiting upstream");
    assert_eq!(record.first_token, Some(ms(512)));
    assert_eq!(record.attempts.iter().map(|attempt| attempt.duration).collect::<Vec<_>>(), [ms(200), ms(300)]);
    let gaps: Vec<_> = record.gaps.buckets.iter().enumerate().filter(|(_, count)| **count > 0).collect();
    assert_eq!((gaps, record.gaps.sum), (vec![(3, &2), (8, &1)], ms(780)), "two of 40 ms, one of 700 ms");
    assert_eq!(record.duration, ms(512 + 780 + 30));
    assert_eq!((record.finish, record.usage), (Some(FinishReason::Stop), Some(TOLD)));
    assert_eq!((record.model.as_str(), &*record.route.name), ("chat", "chat"));
}

#[tokio::test(start_paused = true)]
async fn a_whole_answer_is_handed_over_as_it_came() {
    let (front, back) = ANSWER.split_at(31);
    let stage = whole([head(503).after(20), json(200, front).wait(80).say(back)]);
    let Ok(reply) = stage.execute(stage.call()).await else { panic!("no answer") };
    assert_eq!((reply.attempts, reply.degraded, reply.request_id.as_str()), (2, Some(llm::Degraded::Fallback), "r-1"));
    assert_eq!(reply.body.size_hint().exact(), Some(ANSWER.len() as u64));
    assert!(!reply.body.is_end_stream());
    sleep(ms(11)).await;
    let pieces = stage.drain(reply.body).await;
    assert_eq!(pieces, [(ms(111), ANSWER.into())]);
    let record = stage.settled();
    assert_eq!((record.outcome, record.duration, record.overhead), (Outcome::Degraded, ms(111), ms(0)));
    assert_eq!((record.first_token, record.stream_end, record.gaps.sum), (None, None, ms(0)));
    assert_eq!((record.finish, record.usage), (Some(FinishReason::Stop), Some(TOLD)));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_the_model_declined_counts_as_refused() {
    let filtered = [HI, &STOP.replace("stop", "content_filter"), DONE].concat();
    let declined = [&HI.replace("\"content\"", "\"refusal\""), STOP, DONE].concat();
    for (stream, script) in [
        (true, events().say(filtered)),
        (true, events().say(declined)),
        (false, json(200, ANSWER.replace("\"stop\"", "\"content_filter\""))),
        (false, json(200, ANSWER.replace("\"content\"", "\"refusal\""))),
    ] {
        let record = Stage::new(stream, [script]).play().await.record;
        assert_eq!((record.outcome, record.stream_end), (Outcome::Refused, stream.then_some(StreamEnd::Complete)));
    }
}
