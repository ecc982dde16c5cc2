//! What a race asks its candidates for: an answer, or the rest of one.
//!
//! Receives the request, and the transcript where there is one; hands on what to send and how to read it.
//! Must never be here: whom to ask, and when.

use crate::attempt::{Dispatch, since_epoch};
use crate::judge::Judge;
use crate::reading::Reading;
use contracts::About;
use dialects::openai_chat::{self, Continuation, StreamDecoder, Transcript, Way};
use dialects::{Answers, Translated, Written, correction_for, head_for, request_for};
use llm::{Answer, Api, AttemptKind, CallError, ChatRequest, Dialect, Failure, Prefill, RequestId, TargetId};
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

/// Why a candidate is not asked.
pub(crate) enum Unasked {
    /// The way of asking is not open to it; others may be.
    Impossible,
    /// Its dialect cannot say what the client asks, or the client's request cannot be read to its end.
    Unsayable(Box<CallError>),
}

/// With what a candidate is asked.
#[derive(Clone, Copy)]
pub(crate) struct Manner<'a> {
    pub(crate) prefill: Prefill,
    /// What is wrong with its last answer, where that broke the contract.
    pub(crate) correction: Option<&'a Correction>,
    pub(crate) connect: Duration,
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

    /// What the client speaks.
    pub(crate) fn dialect(&self) -> Dialect {
        self.request.dialect
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

    /// What to send to a candidate for the call `id`, and how to read its answer.
    ///
    /// # Errors
    /// [`Unasked`] where there is nothing to send.
    pub(crate) fn dispatch(
        &self,
        transport: &dyn Transport,
        candidate: &Candidate,
        id: &RequestId,
        manner: Manner<'_>,
    ) -> Result<Dispatch, Unasked> {
        let request = self.request;
        let (provider, model) = (candidate.provider, &candidate.target.model);
        let api = transport.api(provider, model, request.dialect).ok_or_else(|| no_operation(request))?;
        let quirks = transport.quirks(provider);
        let head = || Box::new(head_for(request, id.as_str(), since_epoch().as_secs()));
        let head = (!api.is(request.dialect)).then(head);
        let answers = Answers { api, quirks, dialect: request.dialect, listed: request.listed, head };
        let (Written { body, left_out }, reading, heard) = match self.what {
            What::Anew { recording } | What::Again { recording, .. } => {
                let reading = request.stream.then(|| reading(&answers, recording));
                let written = match manner.correction {
                    Some(Correction { answer, text }) => {
                        correction_for(request, api, quirks, model, answer, text).ok_or(Unasked::Impossible)
                    }
                    None => request_for(request, api, quirks, model).map_err(unsayable),
                };
                (written?, reading, None)
            }
            What::Rest(transcript) => {
                let asked = openai_chat::continuation_request(request, transcript, model, manner.prefill);
                let (body, way) = asked.map_err(|_| Unasked::Impossible)?;
                let rest = openai_chat::decode(body).map_err(unsayable)?;
                let written = request_for(&rest, api, quirks, model).map_err(unsayable)?;
                let reading = Reading::going_on(Continuation::new(quirks, transcript.clone(), way));
                let reading = match translated(&answers) {
                    None => reading,
                    Some(translated) => reading.through(translated),
                };
                (written, Some(reading), Some(Arc::default()))
            }
        };
        let headers = if answers.head.is_none() { request.forwarded.clone() } else { Vec::new() };
        let outbound = Outbound {
            provider,
            api,
            model: Arc::clone(model),
            body,
            stream: request.stream,
            listed: request.listed,
            headers,
            connect: manner.connect,
        };
        Ok(Dispatch { outbound, answers, reading, heard, left_out })
    }

    fn way(&self, transcript: &Transcript, prefill: Prefill) -> Option<Way> {
        openai_chat::way(self.request, transcript, prefill).ok()
    }
}

/// How a stream is read that begins.
fn reading(answers: &Answers, recording: bool) -> Reading {
    let chat = answers.dialect == Dialect::OpenAiChat;
    let decoder =
        || if recording { StreamDecoder::recording(answers.quirks) } else { StreamDecoder::new(answers.quirks) };
    match translated(answers) {
        None if chat && answers.api == Api::Shared(Dialect::OpenAiChat) => Reading::anew(decoder()),
        Some(translated) if chat && recording => Reading::anew(decoder()).through(translated),
        _ => Reading::alone(answers.stream()),
    }
}

fn translated(answers: &Answers) -> Option<Translated> {
    let Answers { api, quirks, dialect, listed, head } = answers;
    let head = head.as_deref()?.clone();
    Some(Translated::new(*api, *quirks, *dialect, *listed, head))
}

fn unsayable(error: CallError) -> Unasked {
    Unasked::Unsayable(Box::new(error))
}

fn no_operation(request: &ChatRequest) -> Unasked {
    let operation = request.dialect.as_str();
    let message = format!("No provider of the model `{}` has this operation ({operation}).", request.model);
    unsayable(CallError::InvalidRequest { message, param: Some("model".into()) })
}
