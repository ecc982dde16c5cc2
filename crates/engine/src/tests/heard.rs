//! Answers that somebody outside is asked about before they leave: whole and streamed.

use super::contracts_kept::{FORM, SOUND, read, says};
use super::script::{hangs, ms};
use super::stage::*;
use bytes::Bytes;
use contracts::{Action, Check, Step};
use llm::{AttemptKind, CallError, CheckResult, Degraded, Outcome, StreamEnd, Verdict};
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::time::timeout;
use upstream::{Adviser, Asking, Silence};

/// Says what it was told to, in order, each time after a while.
#[derive(Debug)]
pub(super) struct Scripted {
    after: Duration,
    replies: Mutex<VecDeque<Result<&'static str, Silence>>>,
    asked: Arc<Mutex<Vec<Value>>>,
    /// Lives as long as a question is under way.
    under_way: Arc<()>,
}

pub(super) fn says_so(after: u64, replies: impl IntoIterator<Item = Result<&'static str, Silence>>) -> Arc<Scripted> {
    let replies = Mutex::new(replies.into_iter().collect());
    Arc::new(Scripted { after: ms(after), replies, asked: Arc::default(), under_way: Arc::default() })
}

impl Scripted {
    pub(super) fn asked(&self) -> Vec<Value> {
        self.asked.lock().unwrap().clone()
    }
}

impl Adviser for Scripted {
    fn ask(&self, question: Bytes, by: Instant) -> Asking {
        self.asked.lock().unwrap().push(serde_json::from_slice(&question).unwrap());
        let reply = self.replies.lock().unwrap().pop_front().unwrap_or(Err(Silence::Unreachable));
        let (ready, under_way) = (now() + self.after, Arc::clone(&self.under_way));
        Box::pin(async move {
            let _under_way = under_way;
            tokio::time::sleep_until(ready.min(by).into()).await;
            if ready > by { Err(Silence::Timeout) } else { reply.map(Bytes::from) }
        })
    }
}

pub(super) const YES: &str = r#"{"verdict":true}"#;
pub(super) const NO: &str = r#"{"verdict":false,"reason":"Name no prices."}"#;

fn result(record: &llm::CallRecord) -> Option<CheckResult> {
    record.checks.iter().find(|checked| checked.check == "webhook").map(|checked| checked.result)
}

fn steps(steps: &[Step]) -> impl FnOnce(&mut contracts::Policy) + use<'_> {
    |policy| policy.on_violation = steps.to_vec()
}

#[tokio::test(start_paused = true)]
async fn what_is_approved_leaves_as_it_came_and_not_before() {
    for stream in [true, false] {
        let (said, adviser) = (|| says(stream, "Fine weather.", 3), says_so(500, [Ok(YES)]));
        let plain = Stage::new(stream, [said()]).play().await;
        let played = Stage::new(stream, [said()]).advised_by(adviser.clone(), false).play().await;
        assert_eq!(played.text(), plain.text());
        assert!(played.pieces.iter().all(|(at, _)| *at >= ms(500)), "{:?}", played.pieces);
        let record = &played.record;
        assert_eq!(
            (record.outcome, record.degraded, result(record)),
            (Outcome::Success, None, Some(CheckResult::Passed))
        );
        assert!(record.checks.len() > 1, "what is checked here is told too: {:?}", record.checks);
        let [question] = &adviser.asked()[..] else { panic!("asked once") };
        assert_eq!((&question["route"], &question["target"]), (&"chat".into(), &"a/m-a".into()));
        assert_eq!(question["answer"]["choices"][0]["content"], "Fine weather.");
        assert_eq!(question["request"]["model"], "chat");
        assert_eq!(question["request_id"], record.request_id.as_str());
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_goes_through_the_ladder() {
    for stream in [true, false] {
        let (bad, good) = (|| says(stream, "It costs 3.", 3), || says(stream, "No idea.", 3));
        let adviser = says_so(5, [Ok(NO), Ok(YES)]);
        let stage = || Stage::new(stream, [bad(), good()]).advised_by(adviser.clone(), false);
        let reasked = stage().then(0, good()).contract(steps(&[Step::Reask])).play().await;
        assert_eq!(read(&reasked), ("No idea.".into(), String::new(), true));
        let kinds: Vec<_> = reasked.record.attempts.iter().map(|attempt| (attempt.kind, attempt.verdict)).collect();
        let expected = [(AttemptKind::First, Verdict::SemanticFailure), (AttemptKind::Reask, Verdict::Success)];
        assert_eq!((kinds, reasked.record.outcome), (expected.to_vec(), Outcome::Success));
        assert_eq!(result(&reasked.record), Some(CheckResult::Passed));
        let asked = std::str::from_utf8(&reasked.counts.sent[1].body).unwrap();
        assert!(asked.contains("Name no prices.") && asked.contains("It costs 3."), "{asked}");

        let adviser = says_so(5, [Ok(NO), Ok(YES)]);
        let stage = || Stage::new(stream, [bad(), good()]).advised_by(adviser.clone(), false);
        let elsewhere = stage().contract(steps(&[Step::Failover])).play().await;
        assert_eq!(read(&elsewhere), ("No idea.".into(), String::new(), true));
        assert_eq!((elsewhere.record.outcome, elsewhere.record.attempts.len()), (Outcome::Degraded, 2));
        assert_eq!(adviser.asked()[1]["target"], "b/m-b");

        let adviser = says_so(5, [Ok(NO)]);
        let stage = Stage::new(stream, [bad(), hangs()]).advised_by(adviser, false);
        let flagged = stage.contract(steps(&[Step::Flag])).play().await;
        assert_eq!(read(&flagged), ("It costs 3.".into(), String::new(), true));
        assert_eq!((flagged.record.outcome, result(&flagged.record)), (Outcome::Invalid, Some(CheckResult::Flagged)));

        let adviser = says_so(5, [Ok(NO)]);
        let stage = Stage::new(stream, [bad(), hangs()]).advised_by(adviser, false);
        let failed = stage.contract(steps(&[Step::Fail])).play().await;
        assert!(!failed.text().contains("costs") && !failed.text().contains("[DONE]"), "{}", failed.text());
        assert_eq!((failed.record.outcome, failed.record.attempts.len()), (Outcome::Invalid, 1));
        assert_eq!(&*failed.record.findings, &["webhook_refused"]);
        let told = match &failed.head {
            Err(CallError::ContractUnmet { message }) => message.clone(),
            _ => failed.text(),
        };
        assert!(told.contains("webhook_refused") && !told.contains("prices"), "codes, not words: {told}");
    }
}

#[tokio::test(start_paused = true)]
async fn where_nobody_says_so_the_route_decides_and_no_target_is_blamed() {
    for stream in [true, false] {
        for reply in [Err(Silence::Unreachable), Err(Silence::Status(500)), Ok("maybe"), Ok("{}")] {
            let said = || says(stream, "Fine weather.", 3);
            let open = Stage::new(stream, [said(), hangs()]).advised_by(says_so(5, [reply]), true).play().await;
            assert_eq!((read(&open).0, open.record.outcome), ("Fine weather.".into(), Outcome::Success));
            assert_eq!(result(&open.record), Some(CheckResult::Flagged));
            assert_eq!(&*open.record.findings, &["webhook_unavailable"]);

            let closed = Stage::new(stream, [said(), said()]).advised_by(says_so(5, [reply]), false).play().await;
            assert!(!closed.text().contains("weather"), "{}", closed.text());
            let record = &closed.record;
            assert_eq!((record.outcome, record.attempts.len()), (Outcome::Invalid, 1));
            assert_eq!((record.attempts[0].verdict, record.attempts[0].cause), (Verdict::Neutral, Some("unadvised")));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn only_what_would_leave_is_asked_about_and_as_it_would_leave() {
    for stream in [true, false] {
        let adviser = says_so(5, [Ok(YES)]);
        let broken = Stage::new(stream, [says(stream, "{}", 3)]).fields(FORM).advised_by(adviser.clone(), false);
        assert_eq!(broken.contract(steps(&[Step::Fail])).play().await.record.outcome, Outcome::Invalid);
        assert_eq!(adviser.asked().len(), 0);

        let fenced = says(stream, &format!("```json\n{SOUND}\n```"), 3);
        let mended = Stage::new(stream, [fenced]).fields(FORM).advised_by(adviser.clone(), false).play().await;
        assert_eq!((read(&mended).0.as_str(), mended.record.degraded), (SOUND, Some(Degraded::Repaired)));
        assert_eq!(adviser.asked()[0]["answer"]["choices"][0]["content"], SOUND);

        let adviser = says_so(5, [Ok(YES)]);
        let stage = Stage::new(stream, [says(stream, "Write to ada@mail.example.", 3)]);
        let redacted = stage.advised_by(adviser.clone(), false).contract(|policy| {
            policy.require.insert(Check::Pii);
            policy.pii_action = Action::Redact;
        });
        let redacted = redacted.play().await;
        assert_eq!(read(&redacted).0, "Write to <EMAIL_ADDRESS>.");
        assert_eq!(redacted.record.degraded, Some(Degraded::Redacted));
        assert_eq!(adviser.asked()[0]["answer"]["choices"][0]["content"], "Write to <EMAIL_ADDRESS>.");
    }
}

#[tokio::test(start_paused = true)]
async fn who_waits_is_kept_alive_and_not_beyond_the_deadline() {
    let patient = routing::Timeouts { total: ms(28_000), ..TIMEOUTS };
    for stream in [true, false] {
        let stage = Stage::new(stream, [says(stream, "Fine.", 3)]).timeouts(patient).hold(64 * 1024, 60_000);
        let played = stage.advised_by(says_so(3_600_000, [Ok(YES)]), false).play().await;
        assert!(played.over <= ms(28_100), "{:?}", played.over);
        assert_eq!((played.record.outcome, played.text().contains("Fine")), (Outcome::Invalid, false));
        let comments = played.pieces.iter().filter(|(_, piece)| piece.starts_with(b": ")).count();
        assert_eq!(comments, if stream { 2 } else { 0 });
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_ends_the_question() {
    use http_body_util::BodyExt;
    for stream in [true, false] {
        let adviser = says_so(5_000, [Ok(YES)]);
        let stage = Stage::new(stream, [says(stream, "Fine.", 3)]).advised_by(adviser.clone(), false);
        let waiting = async {
            let mut reply = stage.execute(stage.call()).await.ok()?;
            reply.body.frame().await
        };
        assert!(timeout(ms(1_000), waiting).await.is_err());
        assert_eq!((adviser.asked().len(), Arc::strong_count(&adviser.under_way)), (1, 1));
        let record = stage.settled();
        assert_eq!((record.outcome, record.attempts[0].verdict), (Outcome::Cancelled, Verdict::Neutral));
        assert_eq!(record.stream_end, stream.then_some(StreamEnd::Cancelled));
    }
}
