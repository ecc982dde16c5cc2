//! What a provider can do wrong after the first content: all that came, one error event, and no terminator.

use super::script::{Script, events, ms};
use super::stage::*;
use dialects::openai_chat::{as_event, render};
use http_body_util::BodyExt;
use llm::Verdict::{HardFailure, Neutral};
use llm::{CallError, Outcome, StreamEnd, Verdict};

/// An answer that has well begun.
fn begun() -> Script {
    events().say([ROLE, HI].concat()).wait(500).say(HI)
}

/// What a broken answer amounts to: the error told, the call's end, the attempt's.
struct Broken {
    error: CallError,
    call: (Outcome, StreamEnd),
    attempt: (Verdict, &'static str, Option<u16>),
}

fn broken(how: &str, call: (Outcome, StreamEnd), attempt: (Verdict, &'static str, Option<u16>)) -> Broken {
    Broken {
        error: CallError::UpstreamFailed { message: format!("The answer broke off: a/m-a {how}.") },
        call,
        attempt,
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_breaks_off_ends_in_one_error_event() {
    use Outcome::{Failed, Truncated};
    let truncated = (Truncated, StreamEnd::Truncated);
    let said = (Failed, StreamEnd::ErrorEvent);
    let cut = broken("broke off in the middle of its answer", truncated, (HardFailure, "cut", None));
    let ended = broken("ended its answer without a finish reason", truncated, (HardFailure, "truncated", None));
    let stall = (Truncated, StreamEnd::Stalled);
    let stall = broken("stopped sending in the middle of its answer", stall, (HardFailure, "idle_timeout", None));
    let busy = broken("answered 503 (overloaded_error)", said, (HardFailure, "overloaded", Some(503)));
    let throttled = broken("answered 429 (rate_limit_error)", said, (HardFailure, "rate_limited", Some(429)));
    let garbage = (Failed, StreamEnd::Garbage);
    let garbage = broken("sent an event that cannot be read", garbage, (HardFailure, "garbage", None));
    let late = Broken {
        error: CallError::DeadlineExceeded { limit: TIMEOUTS.total },
        call: (Truncated, StreamEnd::Deadline),
        attempt: (Neutral, "deadline", None),
    };
    let twice = [ROLE, HI, HI].concat();
    let stopped = [&*twice, STOP].concat();
    let pinged = [&*twice, &PING.repeat(59)].concat();
    let half = &HI[..30];
    let throttle = OVERLOADED.replace("overloaded_error", "rate_limit_error");
    let then_more = [OVERLOADED, HI, STOP, DONE].concat();
    let junk = "data: {\"cho\n\n";
    for (name, script, sent, as_what, at) in [
        ("cut", begun().cut(), &twice, &cut, 500),
        ("cut in an event", begun().say(half).wait(9).cut(), &twice, &cut, 509),
        ("stall", begun().hang(), &twice, &stall, 4_500),
        ("stall in an event", begun().wait(100).say(half).hang(), &twice, &stall, 4_600),
        ("stall behind the finish", begun().say(STOP).hang(), &stopped, &stall, 4_500),
        ("polite end", begun(), &twice, &ended, 500),
        ("polite end in an event", begun().say(half), &twice, &ended, 500),
        ("no finish", begun().say(DONE), &twice, &ended, 500),
        ("no terminator", begun().say(STOP), &stopped, &ended, 500),
        ("error", begun().say(OVERLOADED).hang(), &twice, &busy, 500),
        ("error, then more", begun().say(then_more), &twice, &busy, 500),
        ("error in a last line", begun().say(OVERLOADED.trim_end()), &twice, &busy, 500),
        ("throttle", begun().say(throttle), &twice, &throttled, 500),
        ("garbage", begun().say(junk).say([HI, STOP, DONE].concat()).hang(), &twice, &garbage, 500),
        ("an endless event", begun().repeat(99, 1, vec![b'x'; 100_000]), &twice, &garbage, 584),
        ("deadline", begun().repeat(99, 1_000, PING), &pinged, &late, 60_000),
    ] {
        let played = streamed([script]).play().await;
        assert_eq!(played.head, Ok(("a/m-a".into(), false)), "{name}");
        let event = String::from_utf8(as_event(&render(&as_what.error)).to_vec()).unwrap();
        assert_eq!(played.text(), format!("{sent}{event}"), "{name}");
        assert_eq!(played.over, ms(at), "{name}");
        let Broken { call: (outcome, end), attempt: (verdict, cause, status), .. } = *as_what;
        let record = played.record;
        assert_eq!((record.outcome, record.stream_end), (outcome, Some(end)), "{name}");
        assert_eq!((record.status, record.error), (200, Some(render(&as_what.error).code)), "{name}");
        let seen: Vec<_> = record.attempts.iter().map(|a| (a.verdict, a.cause, a.status, a.duration)).collect();
        assert_eq!(seen, [(verdict, Some(cause), status, ms(0))], "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_broken_off_is_dropped_upstream() {
    for (script, dropped) in [
        (begun().cut(), vec![]),
        (begun().hang(), vec![ms(4_500)]),
        (begun().say(OVERLOADED).hang(), vec![ms(500)]),
        (begun().say("data: <\n\n").hang(), vec![ms(500)]),
        (begun().repeat(99, 1_000, HI), vec![ms(60_000)]),
    ] {
        let stage = streamed([script]);
        stage.play().await;
        assert_eq!(stage.dropped(), dropped);
    }
}

#[tokio::test(start_paused = true)]
async fn a_terminator_is_supplied_where_the_provider_has_none() {
    for script in [begun().say(STOP), begun().say(STOP.trim_end()), begun().say([STOP, DONE].concat())] {
        let played = streamed([script]).without_done_marker().play().await;
        assert_eq!(played.text(), [ROLE, HI, HI, STOP, DONE].concat());
        assert_eq!(played.record.outcome, Outcome::Success);
        assert_eq!(played.record.attempts[0].verdict, Verdict::Success);
    }
    let played = streamed([begun()]).without_done_marker().play().await;
    assert_eq!((played.record.outcome, played.text().contains("[DONE]")), (Outcome::Truncated, false));
}

#[tokio::test(start_paused = true)]
async fn nothing_follows_a_terminator() {
    let played = streamed([begun().say([STOP, DONE, HI, OVERLOADED].concat()).say(DONE)]).play().await;
    assert_eq!(played.text(), [ROLE, HI, HI, STOP, DONE].concat());
    assert_eq!((played.record.outcome, played.record.stream_end), (Outcome::Success, Some(StreamEnd::Complete)));
}

#[tokio::test(start_paused = true)]
async fn the_exchange_is_gone_with_the_last_piece() {
    let stage = streamed([events().say(HI).wait(500).say(OVERLOADED).hang()]);
    let Ok(mut reply) = stage.execute(stage.call()).await else { panic!("no answer") };
    for _ in 0..2 {
        reply.body.frame().await.unwrap().unwrap();
    }
    assert_eq!(stage.dropped(), [ms(500)], "though the client has not come back for more");
    assert!(http_body::Body::is_end_stream(&reply.body));
}
