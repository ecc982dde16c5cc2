//! Requests that are handed through to one provider as they are: nothing is read, tried again or judged.
//!
//! Must never be here: which paths of a provider may be asked.

use crate::{Engine, Lost, OpenCall};
use admission::Admitted;
use bytes::Bytes;
use dialects::Quotas;
use http::header::SEC_WEBSOCKET_ACCEPT;
use http::{HeaderMap, StatusCode};
use http_body::{Body as HttpBody, Frame, SizeHint};
use llm::{CallError, Failure, Outcome};
use routing::{Candidate, Plan};
use std::fmt::Write;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, copy_bidirectional};
use tokio::time::{Instant, Sleep, timeout};
use upstream::{Duplex, Passing, Switched};

/// How long a provider may take until its response begins, the upload of the request included: files are large.
const HEAD: Duration = Duration::from_secs(900);
/// How long nothing may come of a response that has begun.
const IDLE: Duration = Duration::from_secs(300);

/// How long a provider may take to begin a talk, and how long one may last: OpenAI ends its own after an hour.
const OPENING: Duration = Duration::from_secs(15);
const TALK: Duration = Duration::from_secs(2 * 3600);

/// A request to be handed through.
pub struct Pass {
    /// The request, and to whom.
    pub passing: Passing,
    /// The proof that the caller may ask; held until the response has ended.
    pub admitted: Admitted,
    /// The record so far.
    pub open: OpenCall,
}

/// A response as it came.
pub struct Passed {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The rest. It settles the call when it has ended, or is dropped.
    pub body: Trail,
}

impl Engine {
    /// Whether clients may have `path` of the provider at this place handed through.
    #[must_use]
    pub fn lets_pass(&self, provider: usize, path: &str) -> bool {
        self.transport().lets_pass(provider, path)
    }

    /// Hands a request through.
    ///
    /// # Errors
    /// [`Lost`] where no response came in time.
    pub async fn pass(&self, pass: Pass) -> Result<Passed, Box<Lost>> {
        let Pass { passing, admitted, mut open } = pass;
        let sent = timeout(HEAD, self.transport().pass(passing)).await.unwrap_or(Err(Failure::Silent));
        let inbound = match sent {
            Ok(inbound) => inbound,
            Err(failure) => {
                let error = CallError::UpstreamFailed { message: format!("The provider {failure}.") };
                return Err(Box::new(Lost { error, quotas: Quotas::default(), open }));
            }
        };
        let status = inbound.status;
        open.committed(None, None, status.as_u16(), Instant::now().into_std());
        let timer = Box::pin(tokio::time::sleep(IDLE));
        let body = Trail { body: inbound.body, timer, outcome: outcome(status), open, _admitted: admitted };
        Ok(Passed { status, headers: inbound.headers, body })
    }
}

/// A request to talk in real time.
pub struct Connect {
    /// Where it may go.
    pub plan: Plan,
    /// What a provider is asked for its model.
    pub asks: Box<dyn Fn(&Candidate) -> Passing + Send + Sync>,
    /// What a provider's `Sec-WebSocket-Accept` has to be; its client sees to that where it is given none.
    pub proof: Option<String>,
    /// The proof that the caller may ask; held until the talk has ended.
    pub admitted: Admitted,
    /// The record so far.
    pub open: OpenCall,
}

/// A provider that talks.
pub struct Talk {
    /// What its head says.
    pub headers: HeaderMap,
    /// What the provider calls the model in Gemini's conversations.
    pub live_name: String,
    provider: Box<dyn Duplex>,
    open: OpenCall,
    _admitted: Admitted,
}

impl Engine {
    /// Connects to the first target of a plan that has such talks and takes one.
    ///
    /// # Errors
    /// [`Lost`] where none does.
    pub async fn connect(&self, connect: Connect) -> Result<Talk, Box<Lost>> {
        let Connect { mut plan, asks, proof, admitted, mut open } = connect;
        open.routed(&mut plan);
        let dialect = open.dialect();
        let mut told = String::from("No target of this model talks in real time");
        for candidate in &plan.candidates {
            if self.transport().api(candidate.provider, &candidate.target.model, dialect).is_none() {
                continue;
            }
            let why = match timeout(OPENING, self.transport().switch(asks(candidate))).await {
                Ok(Ok(Switched::To(headers, _))) if !proves(&headers, proof.as_deref()) => {
                    "speaks no websockets".to_owned()
                }
                Ok(Ok(Switched::To(headers, provider))) => {
                    let live_name = self.transport().live_name(candidate.provider, &candidate.target.model);
                    open.committed(Some(candidate.target.clone()), None, 101, Instant::now().into_std());
                    return Ok(Talk { headers, live_name, provider, open, _admitted: admitted });
                }
                Ok(Ok(Switched::Refused(status))) => format!("answered {status}"),
                Ok(Err(failure)) => failure.to_string(),
                Err(_) => Failure::Silent.to_string(),
            };
            // Writing to a String cannot fail.
            let _ = write!(told, ": {} {why}", candidate.target);
        }
        told.push('.');
        let error = CallError::UpstreamFailed { message: told };
        Err(Box::new(Lost { error, quotas: Quotas::default(), open }))
    }
}

impl Talk {
    /// Says what a client said before there was a provider.
    ///
    /// # Errors
    /// [`Lost`] where the provider does not take it.
    pub async fn say(mut self, bytes: &[u8]) -> Result<Self, Box<Lost>> {
        let said = timeout(OPENING, async {
            self.provider.write_all(bytes).await?;
            self.provider.flush().await
        });
        if matches!(said.await, Ok(Ok(()))) {
            return Ok(self);
        }
        let error = CallError::UpstreamFailed { message: "The provider ended the talk before it began.".into() };
        Err(Box::new(Lost { error, quotas: Quotas::default(), open: self.open }))
    }

    /// Carries what either side says to the other, until one of them ends it.
    pub async fn carry(mut self, mut client: impl AsyncRead + AsyncWrite + Unpin) {
        let carried = timeout(TALK, copy_bidirectional(&mut client, &mut self.provider)).await;
        self.open.record().outcome = match carried {
            Ok(Ok(_)) => Outcome::Success,
            Ok(Err(_)) | Err(_) => Outcome::Truncated,
        };
    }
}

/// Whether a head says what it has to.
fn proves(headers: &HeaderMap, proof: Option<&str>) -> bool {
    proof.is_none_or(|proof| headers.get(SEC_WEBSOCKET_ACCEPT).is_some_and(|said| said == proof))
}

/// How a call ends whose response comes whole.
fn outcome(status: StatusCode) -> Outcome {
    if status.is_server_error() {
        Outcome::Failed
    } else if status.is_client_error() {
        Outcome::ClientError
    } else {
        Outcome::Success
    }
}

/// The body of a response that is handed through. One that breaks off ends in an error, so that its client sees that.
pub struct Trail {
    body: upstream::Body,
    timer: Pin<Box<Sleep>>,
    outcome: Outcome,
    open: OpenCall,
    _admitted: Admitted,
}

impl Trail {
    fn settle(&mut self, outcome: Outcome) {
        self.open.record().outcome = outcome;
        self.open.ended(Instant::now().into_std());
    }
}

impl HttpBody for Trail {
    type Data = Bytes;
    type Error = Failure;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        let this = &mut *self;
        match Pin::new(&mut this.body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                this.timer.as_mut().reset(Instant::now() + IDLE);
                if this.body.is_end_stream() {
                    this.settle(this.outcome);
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(failure))) => {
                this.settle(Outcome::Truncated);
                Poll::Ready(Some(Err(failure)))
            }
            Poll::Ready(None) => {
                this.settle(this.outcome);
                Poll::Ready(None)
            }
            Poll::Pending if this.timer.as_mut().poll(cx).is_ready() => {
                this.settle(Outcome::Truncated);
                Poll::Ready(Some(Err(Failure::Stalled)))
            }
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
