//! Calls carried out, one or many, to the end of their answers.
//!
//! Must never be here: what providers do.

use super::Stage;
use crate::tests::script::Counts;
use crate::{Call, Lost, Reply, Tail, outcome_of};
use bytes::Bytes;
use dialects::openai_chat;
use http_body_util::BodyExt;
use llm::{CallError, CallRecord};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;
use tokio::time::Instant;

impl Stage {
    pub(in crate::tests) async fn execute(&self, call: Call) -> Result<Reply, Box<Lost>> {
        self.engine().execute(call).await
    }

    /// Plays a call that arrives now, to the end of its answer.
    pub(in crate::tests) async fn play(&self) -> Played {
        self.finish(self.call()).await
    }

    /// Plays this call to the end of its answer.
    pub(in crate::tests) async fn finish(&self, call: Call) -> Played {
        let id = call.open.request_id().as_str().to_owned();
        match self.execute(call).await {
            Err(lost) => {
                let Lost { error, open, .. } = *lost;
                let (at, told) = (self.elapsed(), openai_chat::render(&error));
                open.lost(outcome_of(&error), told.status, told.code);
                self.over(&id, Err(error), at, Vec::new())
            }
            Ok(reply) => {
                let (at, head) = (
                    self.elapsed(),
                    (reply.target.map_or("none".into(), |target| target.to_string()), reply.degraded.is_some()),
                );
                assert_eq!(reply.stream, self.stream);
                if self.is_for_one() {
                    assert_eq!(reply.attempts, self.counts().sent.len());
                }
                let pieces = self.drain(reply.body).await;
                self.over(&id, Ok(head), at, pieces)
            }
        }
    }

    /// Plays so many calls, one after the other.
    pub(in crate::tests) async fn play_each(&self, calls: usize) -> Vec<Played> {
        let mut played = Vec::new();
        for _ in 0..calls {
            played.push(self.play().await);
        }
        played
    }

    /// Makes so many calls, one every so often, and awaits the end of them all.
    pub(in crate::tests) async fn load(self: &Arc<Self>, calls: usize, every: Duration) -> Vec<CallRecord> {
        let (begun, from) = (Instant::now(), self.sink.0.lock().unwrap().records.len());
        let mut running = Vec::new();
        for call in 0..calls {
            tokio::time::sleep_until(begun + every * u32::try_from(call).unwrap()).await;
            let stage = Arc::clone(self);
            running.push(tokio::spawn(async move { stage.run(stage.call()).await }));
        }
        for one in running {
            one.await.unwrap();
        }
        self.records().split_off(from)
    }

    /// Carries out a call, and reads its answer to the end.
    pub(in crate::tests) async fn run(&self, call: Call) {
        match self.execute(call).await {
            Err(lost) => {
                let Lost { error, open, .. } = *lost;
                let told = openai_chat::render(&error);
                open.lost(outcome_of(&error), told.status, told.code);
            }
            Ok(mut reply) => while reply.body.frame().await.is_some() {},
        }
    }

    fn is_for_one(&self) -> bool {
        self.calls.load(Ordering::Relaxed) == 1
    }

    /// Reads a body to its end, as fast as it comes.
    pub(in crate::tests) async fn drain(&self, mut body: Tail) -> Vec<(Duration, Bytes)> {
        let mut pieces = Vec::new();
        while let Some(frame) = body.frame().await {
            let piece = frame.unwrap().into_data().unwrap();
            assert!(!piece.is_empty(), "an empty piece ends a chunked body");
            pieces.push((self.elapsed(), piece));
        }
        assert!(http_body::Body::is_end_stream(&body));
        pieces
    }

    fn over(
        &self,
        id: &str,
        head: Result<(String, bool), CallError>,
        at: Duration,
        pieces: Vec<(Duration, Bytes)>,
    ) -> Played {
        let over = self.elapsed();
        let (record, counts) = match self.is_for_one() {
            true => (self.settled(), self.counts()),
            false => (self.record(id), Counts::default()),
        };
        Played { head, at, pieces, over, record, counts }
    }
}

/// What came of a call.
pub(in crate::tests) struct Played {
    /// The target that served and whether that was a degradation, or the error.
    pub(in crate::tests) head: Result<(String, bool), CallError>,
    /// When the head or the error was there.
    pub(in crate::tests) at: Duration,
    /// The pieces of the body and when each came.
    pub(in crate::tests) pieces: Vec<(Duration, Bytes)>,
    /// When the body was over.
    pub(in crate::tests) over: Duration,
    pub(in crate::tests) record: CallRecord,
    /// The exchanges, where this was the only call.
    pub(in crate::tests) counts: Counts,
}

impl Played {
    pub(in crate::tests) fn text(&self) -> String {
        let bytes: Vec<u8> = self.pieces.iter().flat_map(|(_, piece)| piece.iter().copied()).collect();
        String::from_utf8(bytes).unwrap()
    }
}

/// A future, and its output once there is one.
type Pair<F> = (Pin<Box<F>>, Option<<F as Future>::Output>);

/// All of these at once, in the order given.
pub(in crate::tests) async fn futures<F: Future>(all: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut all: Vec<Pair<F>> = all.into_iter().map(|one| (Box::pin(one), None)).collect();
    std::future::poll_fn(|cx| {
        for (one, output) in all.iter_mut().filter(|(_, output)| output.is_none()) {
            if let Poll::Ready(ready) = one.as_mut().poll(cx) {
                *output = Some(ready);
            }
        }
        if all.iter().all(|(_, output)| output.is_some()) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    all.into_iter().filter_map(|(_, output)| output).collect()
}
