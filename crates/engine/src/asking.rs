//! What a race asks its candidates for: an answer, or the rest of one.
//!
//! Receives the request, and the transcript where there is one; hands on what to send and how to read it.
//! Must never be here: whom to ask, and when.

use crate::attempt::Dispatch;
use crate::judge::Judge;
use crate::reading::Reading;
use contracts::About;
use dialects::openai_chat::{self, Continuation, StreamDecoder, Transcript, Way};
use llm::{Answer, AttemptKind, ChatRequest, Failure, Prefill, RequestId, TargetId};
use routing::Candidate;
use std::sync::Arc;
use std::time::Duration;
use upstream::{Outbound, Transport};

/// What a race asks for.
#[derive(Clone, Copy)]
pub(crate) struct Asking<'a> {
    request: &'a ChatRequest,
    judge: &'a Judge,
    what: What<'a>,
}

/// What a target is told that is asked again because its answer broke the contract.
#[derive(Clone)]
pub(crate) struct Correction {
    pub(crate) answer: Answer,
    pub(crate) text: String,
}

#[derive(Clone, Copy)]
enum What<'a> {
    /// An answer; whether what the client is given of it is kept, so that another target could go on with it.
    Anew { recording: bool },
    /// An answer in place of one that nobody was given; perhaps of the candidate at this place, corrected.
    Again { recording: bool, correction: Option<&'a (usize, Correction)> },
    /// The rest of the answer that the client was given this much of.
    Rest(&'a Transcript),
}

impl<'a> Asking<'a> {
    pub(crate) fn anew(request: &'a ChatRequest, recording: bool, judge: &'a Judge) -> Self {
        Self { request, judge, what: What::Anew { recording } }
    }

    pub(crate) fn again(
        request: &'a ChatRequest,
        recording: bool,
        judge: &'a Judge,
        correction: Option<&'a (usize, Correction)>,
    ) -> Self {
        Self { request, judge, what: What::Again { recording, correction } }
    }

    pub(crate) fn rest(request: &'a ChatRequest, transcript: &'a Transcript, judge: &'a Judge) -> Self {
        Self { request, judge, what: What::Rest(transcript) }
    }

    /// What an answer has to satisfy.
    pub(crate) fn judge(&self) -> &'a Judge {
        self.judge
    }

    /// What somebody outside is told of the call whose answer they are asked about.
    pub(crate) fn about<'b>(&'b self, id: &'b RequestId, route: &'b str, target: &'b TargetId) -> About<'b> {
        About { request_id: id.as_str(), route, target, request: &self.request.raw }
    }

    /// With which correction the race begins, and whom it is for.
    pub(crate) fn correction(&self) -> Option<(usize, Correction)> {
        match self.what {
            What::Again { correction, .. } => correction.cloned(),
            What::Anew { .. } | What::Rest(_) => None,
        }
    }

    /// What an attempt is for; `retry` says whether one was made before.
    pub(crate) fn kind(&self, retry: bool) -> AttemptKind {
        match self.what {
            What::Rest(_) => AttemptKind::Continuation,
            What::Again { .. } => AttemptKind::Retry,
            What::Anew { .. } if retry => AttemptKind::Retry,
            What::Anew { .. } => AttemptKind::First,
        }
    }

    /// Whether a candidate that understands `prefill` can be asked for this at all.
    pub(crate) fn may_go_to(&self, prefill: Prefill) -> bool {
        match self.what {
            What::Anew { .. } | What::Again { .. } => true,
            What::Rest(transcript) => self.way(transcript, prefill).is_some(),
        }
    }

    /// Whether such a candidate is asked for the rest in a way that it may decline.
    pub(crate) fn prefills(&self, prefill: Prefill) -> bool {
        match self.what {
            What::Anew { .. } | What::Again { .. } => false,
            What::Rest(transcript) => matches!(self.way(transcript, prefill), Some(Way::Prefill(_))),
        }
    }

    /// Whether the answer is to come piece by piece.
    pub(crate) fn is_for_a_stream(&self) -> bool {
        self.request.stream
    }

    /// Whether this asks for the rest of an answer.
    fn is_for_the_rest(&self) -> bool {
        matches!(self.what, What::Rest(_))
    }

    /// Whether an answer had begun before, so that every attempt is one more.
    pub(crate) fn is_extra(&self) -> bool {
        matches!(self.what, What::Rest(_) | What::Again { .. })
    }

    /// Whether a failure says that the way of asking was wrong, and not the question.
    pub(crate) fn spoilt_by(&self, failure: &Failure) -> bool {
        let refused = matches!(failure, Failure::Provider(error) if error.kind.is_callers());
        self.is_for_the_rest() && refused
    }

    /// What to send to a candidate that understands `prefill`, and how to read its answer; corrected, where its last one
    /// broke the contract.
    pub(crate) fn dispatch(
        &self,
        transport: &dyn Transport,
        candidate: &Candidate,
        prefill: Prefill,
        correction: Option<&Correction>,
        connect: Duration,
    ) -> Option<Dispatch> {
        let quirks = transport.quirks(candidate.provider);
        let model = &candidate.target.model;
        let (body, reading, heard) = match self.what {
            What::Anew { recording } | What::Again { recording, .. } => {
                let decoder = || if recording { StreamDecoder::recording(quirks) } else { StreamDecoder::new(quirks) };
                let reading = self.request.stream.then(|| Reading::anew(decoder()));
                let body = match correction {
                    Some(Correction { answer, text }) => openai_chat::corrected(self.request, model, answer, text)?,
                    None => openai_chat::with_model(self.request, model),
                };
                (body, reading, None)
            }
            What::Rest(transcript) => {
                let asked = openai_chat::continuation_request(self.request, transcript, model, prefill);
                let (body, way) = asked.ok()?;
                let continuation = Continuation::new(quirks, transcript.clone(), way);
                (body, Some(Reading::going_on(continuation)), Some(Arc::default()))
            }
        };
        let outbound = Outbound {
            provider: candidate.provider,
            model: model.clone(),
            path: openai_chat::PATH,
            body,
            stream: self.request.stream,
            connect,
        };
        Some(Dispatch { outbound, reading, heard })
    }

    fn way(&self, transcript: &Transcript, prefill: Prefill) -> Option<Way> {
        openai_chat::way(self.request, transcript, prefill).ok()
    }
}
