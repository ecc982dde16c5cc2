//! Streams that break off and go on: what the client reads is one answer, or an honest error.

use super::reader::*;
use super::script::{Asked, Script, events, fails, hangs, head, json, ms};
use super::stage::*;
use http_body_util::BodyExt;
use llm::{AttemptKind, Failure, Outcome, Prefill, StreamEnd, Usage, Verdict};
use proptest::prelude::*;
use resilience::State;
use routing::{ModelFacts, RecoverStream};
use tokio::time::timeout;

/// The target understands prefills.
fn goes_on(stage: Stage, provider: usize) -> Stage {
    stage.facts(provider, ModelFacts { prefill: Prefill::Plain, ..ModelFacts::default() })
}

fn kinds(played: &Played) -> Vec<(String, AttemptKind, Verdict, Option<&'static str>)> {
    let attempts = played.record.attempts.iter();
    attempts.map(|one| (one.target.provider.to_string(), one.kind, one.verdict, one.cause)).collect()
}

use AttemptKind::{Continuation, First, Retry};
use Verdict::{HardFailure, Neutral, SemanticFailure, Success};

#[tokio::test(start_paused = true)]
async fn however_it_breaks_off_another_target_goes_on() {
    let begun = || told("a", &first(40)).wait(500);
    for (name, script, cause, at) in [
        ("cut", begun().cut(), "cut", 500),
        ("cut in an event", begun().say(says("a", "x")[..30].to_owned()).cut(), "cut", 500),
        ("stall", told("a", &first(40)).hang(), "idle_timeout", 4_000),
        ("polite end", begun(), "truncated", 500),
        ("terminator", begun().say(DONE), "truncated", 500),
        ("error", begun().say(OVERLOADED).hang(), "overloaded", 500),
        ("garbage", begun().say("data: {\"cho\n\n").hang(), "garbage", 500),
    ] {
        let stage = streamed([script, answers("b", TEXT).after(200)]);
        let played = stage.play().await;
        assert_eq!(read(&played.text()), whole_answer(), "{name}");
        assert_eq!((played.head.clone(), played.over), (Ok(("a/m-a".into(), false)), ms(at + 200)), "{name}");
        let a = ("a".to_owned(), First, HardFailure, Some(cause));
        assert_eq!(kinds(&played), [a, ("b".into(), Continuation, Success, None)], "{name}");
        let record = &played.record;
        assert_eq!((record.outcome, record.stream_end), (Outcome::Degraded, Some(StreamEnd::Complete)), "{name}");
        assert_eq!((record.continued, record.error, record.status), (1, None, 200), "{name}");
        let usage = Usage { input: 30, output: 50, cached: 0, ..Usage::default() };
        assert_eq!((record.usage, record.attempts[1].usage), (Some(usage), Some(usage)), "{name}");
        assert_eq!((record.attempts[0].usage, record.attempts[1].duration), (None, ms(200)), "{name}");
        assert_eq!(record.gaps.sum, ms(at + 200), "{name}: a reader had to wait for it");
        assert_eq!(stage.at("a/m-a").breaker.counts.failed, 1, "{name}");
        stage.idle();
    }
}

#[tokio::test(start_paused = true)]
async fn a_target_that_takes_a_beginning_is_handed_it() {
    let stage = goes_on(streamed([told("a", &first(45)).cut(), answers("b", &goes_on_from(45))]), 1);
    let played = stage.play().await;
    assert_eq!(read(&played.text()), whole_answer());
    let body = String::from_utf8(played.counts.sent[1].body.to_vec()).unwrap();
    let handed = "The harbour lay quiet under";
    assert!(body.contains(&format!(r#"{{"role":"assistant","content":"{handed}"}}]"#)), "{body}");
    // Three pieces were handed over, and counted as a part of the question; two were said once more.
    assert_eq!(played.record.usage, Some(Usage { input: 27, output: 53, cached: 0, ..Usage::default() }));
    assert_eq!(played.record.attempts[1].usage, Some(Usage { input: 30, output: 50, cached: 0, ..Usage::default() }));
    assert_eq!((played.record.continued, played.record.outcome), (1, Outcome::Degraded));
    assert!(played.text().contains(r#""completion_tokens":53"#), "as the client is told");
}

#[tokio::test(start_paused = true)]
async fn one_that_repeats_or_echoes_everything_instead_is_recognised() {
    for chars in [80, 45, 12, 3] {
        let stage = goes_on(streamed([told("a", &first(chars)).cut(), answers("b", TEXT)]), 1);
        let played = stage.play().await;
        assert_eq!(read(&played.text()), whole_answer());
        assert_eq!((played.record.continued, played.counts.sent.len()), (1, 2));
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_anew_is_never_taken_for_the_rest() {
    let silent = TEXT.replace("quiet", "silent");
    let sure = format!("Sure! {TEXT}");
    for (name, anew) in [
        ("other words", silent.as_str()),
        ("an opening", &sure),
        ("what follows alone", &rest(45)),
        ("nothing", ""),
        ("half of what was withheld", &goes_on_from(45)[..9]),
    ] {
        let stage = goes_on(streamed([told("a", &first(45)).cut(), answers("b", anew)]), 1).then(1, answers("b", TEXT));
        let played = stage.play().await;
        assert_eq!(read(&played.text()), whole_answer(), "{name}");
        let altered = ("b".to_owned(), Continuation, SemanticFailure, Some("altered"));
        let cut = ("a".to_owned(), First, HardFailure, Some("cut"));
        assert_eq!(kinds(&played), [cut, altered, ("b".into(), Continuation, Success, None)], "{name}");
        let handed: Vec<_> = played.counts.sent.iter().map(|sent| is_handed_over(&sent.body)).collect();
        assert_eq!(handed, [false, true, false], "{name}: then it is asked to repeat");
        let targets = stage.engine().targets(now());
        assert!(targets.iter().all(|target| !target.declined_prefill), "{name}: other words may be chance");

        let scripts = [told("a", &first(45)).cut(), answers("b", anew)];
        let played = goes_on(streamed(scripts), 1).then(1, answers("b", anew)).play().await;
        assert_eq!(read(&played.text()), broken(&first(45)), "{name}");
    }
}

fn is_handed_over(body: &[u8]) -> bool {
    std::str::from_utf8(body).unwrap().contains(r#""assistant""#)
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_was_lowered_is_no_end() {
    let length = || [event("b", "", "\"length\""), DONE.into()].concat();
    let said = [goes_on_from(45)[..40].to_owned(), first(90)];
    for (name, more) in [("goes on", &said[0]), ("repeats", &said[1])] {
        for wait in [0, 100] {
            let b = || told("b", more).wait(wait).say(length());
            let stage = |scripts: Vec<_>| goes_on(streamed(scripts), 1).fields(r#","max_tokens":300"#);
            let played = stage(vec![told("a", &first(45)).cut(), b(), answers("c", TEXT)]).play().await;
            assert_eq!(read(&played.text()), whole_answer(), "{name} {wait}");
            let body = String::from_utf8(played.counts.sent[1].body.to_vec()).unwrap();
            assert!(body.contains(r#""max_tokens":273"#), "{body}");
            let b_s = ("b".to_owned(), Continuation, SemanticFailure, Some("altered"));
            assert_eq!(kinds(&played)[1], b_s, "{name} {wait}");

            let stage = stage(vec![told("a", &first(45)).cut(), b()]).then(1, hangs());
            let reader = read(&stage.play().await.text());
            assert_eq!((reader.finishes, reader.terminators, reader.errors), (0, 0, 1), "{name} {wait}");
            assert!(TEXT.starts_with(&reader.text), "{name} {wait}: {}", reader.text);
            assert_eq!(stage.at("b/m-b").breaker.counts.failed, 0, "it did as it was told");
            stage.idle();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_rejects_it_is_asked_in_the_other_way_now_and_from_then_on() {
    let rejects = || json(400, r#"{"error":{"message":"no prefill","type":"invalid_request_error"}}"#);
    let stage = goes_on(streamed([told("a", &first(40)).cut(), rejects()]), 1).then(1, answers("b", TEXT));
    let played = stage.play().await;
    assert_eq!(read(&played.text()), whole_answer());
    let rejected = ("b".to_owned(), Continuation, Neutral, Some("invalid_request"));
    let cut = ("a".to_owned(), First, HardFailure, Some("cut"));
    assert_eq!(kinds(&played), [cut, rejected, ("b".into(), Continuation, Success, None)]);
    let declined =
        |target: &str| stage.engine().targets(now()).iter().any(|t| t.target == target && t.declined_prefill);
    assert!(declined("b/m-b") && !declined("a/m-a"));
    assert_eq!(stage.at("b/m-b").breaker.counts.failed, 0, "what we added is not its doing");
    let next = stage.play().await;
    assert_eq!((read(&next.text()), next.record.attempts.len()), (whole_answer(), 2));
    stage.idle();
}

#[tokio::test(start_paused = true)]
async fn a_beginning_that_is_merely_too_long_is_not_held_against_prefills() {
    let long = json(400, r#"{"error":{"message":"too long","code":"context_length_exceeded"}}"#);
    let stage = goes_on(streamed([told("a", &first(40)).cut(), long]), 1);
    let played = stage.play().await;
    assert_eq!(read(&played.text()), broken(&first(40)));
    assert!(stage.engine().targets(now()).iter().all(|target| !target.declined_prefill));
}

#[tokio::test(start_paused = true)]
async fn another_answer_is_never_mixed_in() {
    let other = TEXT.replace("quiet", "silent");
    let cut = || told("a", &first(40)).cut();
    let stage = streamed([cut(), answers("b", &other), answers("c", TEXT)]);
    let played = stage.play().await;
    assert_eq!(read(&played.text()), whole_answer());
    assert_eq!(kinds(&played)[1], ("b".into(), Continuation, SemanticFailure, Some("altered")));
    assert_eq!((stage.state("b/m-b"), stage.at("b/m-b").breaker.counts.failed), (State::Closed, 0), "nobody's fault");

    for (name, scripts, sends) in [
        ("altered", vec![cut(), answers("b", &other), answers("c", &other)], 3),
        ("too short", vec![cut(), answers("b", &first(30))], 2),
        ("one alone", vec![cut()], 1),
        ("rejected", vec![cut(), json(400, "{}"), head(413)], 3),
        ("out of reach", vec![cut(), fails(Failure::BadHttp), hangs()], 3),
        ("says nothing", vec![cut(), events().say(begins("b")).hang(), events().say(begins("c")).hang()], 3),
    ] {
        let stage = streamed(scripts);
        let played = stage.play().await;
        assert_eq!(read(&played.text()), broken(&first(40)), "{name}");
        assert!(played.text().contains("The answer broke off: a/m-a broke off in the middle of its answer."), "{name}");
        assert_eq!((played.counts.sent.len(), played.record.continued), (sends, 0), "{name}");
        assert_eq!(played.record.outcome, Outcome::Truncated, "{name}");
        assert_eq!(
            (played.record.stream_end, played.record.error),
            (Some(StreamEnd::Truncated), Some("upstream_failed"))
        );
        stage.idle();
    }
}

#[tokio::test(start_paused = true)]
async fn some_answers_are_never_gone_on_with() {
    let tool = event("a", r#""tool_calls":[{"index":0,"id":"t","function":{"name":"f","arguments":"{"}}]"#, "null");
    let thought = event("a", r#""reasoning_content":"hm""#, "null");
    let second = says("a", "x").replace(r#""index":0"#, r#""index":1"#);
    let likely = says("a", "x").replace(r#""delta""#, r#""logprobs":{"content":[]},"delta""#);
    let refusal = event("a", r#""refusal":"no""#, "null");
    let ended = event("a", "", "\"stop\"");
    let begun = || told("a", &first(40));
    for (name, script, fields) in [
        ("tool call", begun().say(tool.clone()).cut(), ""),
        ("tool call first", events().say([begins("a"), tool].concat()).cut(), ""),
        ("reasoning", events().say([begins("a"), thought, says("a", &first(40))].concat()).cut(), ""),
        ("two choices", begun().say(second).cut(), ""),
        ("log probabilities", begun().say(likely).cut(), ""),
        ("refusal", begun().say(refusal).cut(), ""),
        ("finished", begun().say(ended).cut(), ""),
        ("two choices asked for", begun().cut(), r#","n":2"#),
        ("log probabilities asked for", begun().cut(), r#","logprobs":true"#),
        ("the route does not want it", begun().cut(), "-"),
        ("the retry budget is used up", begun().cut(), "0"),
    ] {
        let mut stage = goes_on(streamed([script, answers("b", TEXT)]), 1);
        stage = match fields {
            "-" => stage.policy(|policy| policy.recover_stream = RecoverStream::Error),
            "0" => stage.policy(|policy| policy.retry_budget = 0.0),
            fields => stage.fields(fields),
        };
        let played = stage.play().await;
        let reader = read(&played.text());
        assert_eq!((reader.errors, reader.terminators, reader.more), (1, 0, 0), "{name}: {}", played.text());
        assert_eq!((played.counts.sent.len(), played.record.continued), (1, 0), "{name}");
        stage.idle();
    }
}

#[tokio::test(start_paused = true)]
async fn what_breaks_again_goes_on_again() {
    let scripts = [told("a", &first(40)).cut(), told("b", &first(90)).wait(100).cut(), answers("c", TEXT)];
    let stage = streamed(scripts);
    let played = stage.play().await;
    assert_eq!(read(&played.text()), whole_answer());
    let broke = |provider: &str, kind| (provider.to_owned(), kind, HardFailure, Some("cut"));
    assert_eq!(
        kinds(&played),
        [broke("a", First), broke("b", Continuation), ("c".into(), Continuation, Success, None)]
    );
    assert_eq!((played.record.continued, played.record.outcome), (2, Outcome::Degraded));
    stage.idle();

    let scripts = [told("a", &first(40)).cut(), told("b", &first(90)).wait(100).cut()];
    let played = streamed(scripts).play().await;
    assert_eq!(read(&played.text()), broken(&first(90)));
    assert!(played.text().contains("The answer broke off: b/m-b broke off"), "{}", played.text());
    assert_eq!((played.record.continued, played.record.served.map(|t| t.to_string())), (1, Some("a/m-a".into())));
}

#[tokio::test(start_paused = true)]
async fn a_target_alone_goes_on_with_its_own_answer_where_it_takes_beginnings() {
    let stage = goes_on(streamed([told("a", &first(40)).cut()]), 0).then(0, answers("b", &goes_on_from(40)));
    let played = stage.play().await;
    assert_eq!(read(&played.text()), whole_answer());
    assert_eq!(played.record.continued, 1);
    let stage = goes_on(streamed([told("a", &first(40)).hang()]), 0).then(0, answers("b", &goes_on_from(40)));
    assert_eq!(read(&stage.play().await.text()), broken(&first(40)), "one that fell silent is not asked again");
}

#[tokio::test(start_paused = true)]
async fn others_are_asked_before_the_one_that_broke_off() {
    let stage = goes_on(streamed([told("a", &first(40)).cut(), head(500)]), 0).then(0, answers("x", &goes_on_from(40)));
    let played = stage.play().await;
    assert_eq!(read(&played.text()), whole_answer());
    let asked: Vec<_> = played.counts.sent.iter().map(|sent| sent.provider).collect();
    assert_eq!(asked, [0, 1, 0]);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_before_the_answer_counts_among_the_most() {
    let stage = streamed([head(500), told("a", &first(40)).cut(), answers("c", TEXT)]);
    let played = stage.play().await;
    assert_eq!(read(&played.text()), whole_answer());
    let seen: Vec<_> = kinds(&played).into_iter().map(|(_, kind, ..)| kind).collect();
    assert_eq!((seen, played.record.outcome), (vec![First, Retry, Continuation], Outcome::Degraded));
}

#[tokio::test(start_paused = true)]
async fn the_deadline_holds_while_someone_is_asked_to_go_on() {
    let stage = streamed([told("a", &first(40)).wait(100).cut(), hangs()]).within(ms(3_000));
    let played = stage.play().await;
    assert_eq!((read(&played.text()), played.over), (broken(&first(40)), ms(3_000)));
    let cut = ("a".to_owned(), First, HardFailure, Some("cut"));
    assert_eq!(kinds(&played), [cut, ("b".into(), Continuation, Neutral, Some("deadline"))]);
    assert_eq!(stage.dropped(), [ms(3_000)]);
    stage.idle();
    let slow = told("b", &first(60)).repeat(99, 1_000, PING);
    let played = streamed([told("a", &first(40)).wait(100).cut(), slow]).within(ms(3_000)).play().await;
    assert_eq!((read(&played.text()), played.over), (broken(&first(60)), ms(3_000)));
    assert_eq!((played.record.stream_end, played.record.continued), (Some(StreamEnd::Deadline), 1));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_meanwhile_ends_it() {
    let stage = streamed([told("a", &first(40)).wait(100).cut(), hangs()]);
    let Ok(mut reply) = stage.execute(stage.call()).await else { panic!("no answer") };
    reply.body.frame().await.unwrap().unwrap();
    assert!(timeout(ms(700), reply.body.frame()).await.is_err());
    assert!(stage.is_running());
    drop(reply);
    assert_eq!(stage.dropped(), [ms(700)]);
    let record = stage.settled();
    assert_eq!((record.outcome, record.stream_end), (Outcome::Cancelled, Some(StreamEnd::Cancelled)));
    let seen: Vec<_> = record.attempts.iter().map(|attempt| (attempt.verdict, attempt.cause)).collect();
    assert_eq!(seen, [(HardFailure, Some("cut")), (Neutral, None)]);
    assert_eq!((record.continued, record.duration), (0, ms(700)));
    stage.idle();
}

#[tokio::test(start_paused = true)]
async fn a_stalled_exchange_is_gone_before_another_begins() {
    let stage = streamed([told("a", &first(40)).hang(), answers("b", TEXT).after(300)]);
    stage.play().await;
    assert_eq!(stage.dropped(), [ms(4_000)]);
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_is_not_asked_to_go_on() {
    let stage = streamed([told("a", &first(40)).cut(), head(500), answers("c", TEXT)]);
    for _ in 0..5 {
        stage.finish(stage.call_for("b/m-b")).await;
    }
    let before = stage.asked_of(1);
    let played = stage.play().await;
    assert_eq!((read(&played.text()), stage.asked_of(1)), (whole_answer(), before));
    assert_eq!(played.record.passed_over[0].reason, "its breaker is open: it failed several times in a row");
}

/// What a model of a target says: how it takes a beginning, and how its stream ends.
fn plays(id: &'static str, (takes, ends_as, size): (u8, u8, usize), asked: Asked) -> Script {
    let answer = match (takes, asked.handed) {
        (0, Some(handed)) => TEXT[handed..].to_owned(),
        (1, Some(handed)) => TEXT[handed..].trim_start().to_owned(),
        (2, Some(_)) => String::new(),
        (3, Some(handed)) => TEXT[handed + 1..].to_owned() + "!",
        (4, Some(_)) => TEXT.replace("quiet", "silent"),
        (5, Some(_)) => format!("Sure! {TEXT}"),
        (6, _) => TEXT.replace("bell", "horn"),
        // It echoes the beginning, or answers as ever: this cannot be told from without.
        _ => TEXT.to_owned(),
    };
    let said: String = pieces(&answer, size).iter().map(|one| says(id, one)).collect();
    let half: String = pieces(&answer, size).iter().take(9).map(|one| says(id, one)).collect();
    match ends_as {
        0 => events().say([begins(id), half].concat()).cut(),
        1 => {
            events().say([begins(id), half].concat()).wait(50).say([event(id, "", "\"length\""), DONE.into()].concat())
        }
        2 => events().say([begins(id), half].concat()).wait(50).say(OVERLOADED),
        _ => events().say([begins(id), said].concat()).wait(50).say(ends(id, 30, 50)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whoever goes on, and however: the client reads the text as far as it goes and a true end of it, or an error.
    #[test]
    fn nothing_is_ever_doubled_lost_or_altered(
        chars in 1usize..130,
        others in prop::collection::vec((0u8..8, 0u8..8, 1usize..30), 1..4),
        limited: bool,
    ) {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().unwrap();
        let played = runtime.block_on(async {
            let mut stage = streamed([told("a", &first(chars)).cut()].into_iter().chain(others.iter().map(|_| hangs())));
            for (place, other) in others.iter().copied().enumerate() {
                let id = ["b", "c", "d"][place];
                stage = goes_on(stage, place + 1).lives(place + 1, move |asked| plays(id, other, asked));
            }
            if limited {
                stage = stage.fields(r#","max_tokens":250"#);
            }
            let stage = stage.attempts(6);
            let played = stage.play().await;
            stage.idle();
            played
        });
        let reader = read(&played.text());
        // A target with other words behind the place is as good as any.
        let horn = TEXT.replace("bell", "horn");
        let wholes = [TEXT.to_owned(), format!("{TEXT}!"), format!("{horn}!"), horn];
        prop_assert!(wholes.iter().any(|whole| whole.starts_with(&reader.text)), "{}", reader.text);
        prop_assert_eq!((reader.roles, reader.more, &reader.ids), (1, 0, &vec!["a".to_owned()]));
        prop_assert_eq!(reader.finishes + reader.errors, 1);
        prop_assert_eq!(reader.terminators, reader.finishes);
        let stopped = played.text().contains(r#""finish_reason":"stop""#);
        if stopped {
            prop_assert!(wholes.contains(&reader.text), "a false stop");
        } else if reader.finishes == 1 {
            let last = played.counts.sent.last().unwrap();
            prop_assert!(!limited || !is_handed_over(&last.body), "a limit of ours is no end");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Whatever comes when: the client reads one answer.
    #[test]
    fn the_text_is_whole_wherever_it_broke(
        chars in 1usize..130,
        sizes in (1usize..20, 1usize..20),
        cuts in prop::collection::vec((0.0f64..1.0, 0u64..3), 0..8),
        way in 0usize..3,
        how in 0usize..3,
    ) {
        let begun = pieces(&first(chars), sizes.0).iter().map(|one| says("a", one)).collect::<String>();
        let a = events().say([begins("a"), begun].concat());
        let a = match how {
            0 => a.cut(),
            1 => a.hang(),
            _ => a.say(OVERLOADED),
        };
        // Of a short beginning nothing can be withheld.
        let goes_on_here = way == 1 && parted(&first(chars)).is_some();
        let text = if goes_on_here { goes_on_from(chars) } else { TEXT.to_owned() };
        let said = pieces(&text, sizes.1).iter().map(|one| says("b", one)).collect::<String>();
        let bytes = [begins("b"), said, ends("b", 30, 50)].concat();
        let mut places: Vec<_> = cuts.iter().map(|(c, wait)| ((c * bytes.len() as f64) as usize, *wait)).collect();
        places.sort_unstable();
        let (mut b, mut from) = (events(), 0);
        for (place, wait) in places.into_iter().chain([(bytes.len(), 0)]) {
            b = b.wait(wait).say(bytes.as_bytes()[from..place].to_vec());
            from = place;
        }
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().unwrap();
        let played = runtime.block_on(async {
            let stage = streamed([a, b]);
            let stage = if way == 0 { stage } else { goes_on(stage, 1) };
            let played = stage.play().await;
            stage.idle();
            played
        });
        prop_assert_eq!(read(&played.text()), whole_answer());
        prop_assert_eq!((played.record.continued, played.record.outcome), (1, Outcome::Degraded));
    }
}
