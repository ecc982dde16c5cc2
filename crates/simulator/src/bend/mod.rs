//! How a fault bends an answer.
//!
//! Receives a right `Answer` and the fault that happens; hands on an `Act` for the service to carry out.
//! Never here: timers and sockets; whether the fault happens is decided before.

mod stream;
mod whole;

use crate::answer::Answer;
use crate::behaviour::Behaviour;
use crate::events::Gallery;
use crate::fault::Fault;
use crate::plan::{End, Plan, Tempo};
use crate::refusal::{ErrorObject, Refusal};
use crate::stamp::Stamp;
use crate::words;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderValue, StatusCode};
use std::borrow::Cow;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream; charset=utf-8");
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const PAGE: &str = "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in.</body></html>";
/// One header of an oversized head; few large ones, so that size and not number is what is too much.
const PADDING: usize = 16 * 1024;

/// What a call gets.
#[derive(Debug)]
pub(crate) enum Act {
    /// A response.
    Reply(Box<Reply>),
    /// Nothing, the connection open.
    Hang,
    /// The end of the connection, in order.
    Close,
    /// The end of the connection by reset.
    Reset,
    /// Bytes that are no response.
    NotHttp,
}

/// A response.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) plan: Plan,
}

impl Reply {
    pub(crate) fn new(status: StatusCode, content_type: HeaderValue, plan: Plan) -> Self {
        Self { status, headers: HeaderMap::from_iter([(CONTENT_TYPE, content_type)]), plan }
    }

    pub(crate) fn json(status: StatusCode, body: String) -> Self {
        Self::new(status, JSON, Plan::whole(body))
    }

    pub(crate) fn refusal(refusal: &Refusal) -> Self {
        Self::json(refusal.status, refusal.error.to_json())
    }

    fn ok(streamed: bool, plan: Plan) -> Self {
        let mut reply = Self::new(StatusCode::OK, if streamed { EVENTS } else { JSON }, plan);
        if streamed {
            reply.headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        }
        reply
    }
}

impl From<Reply> for Act {
    fn from(reply: Reply) -> Self {
        Self::Reply(Box::new(reply))
    }
}

/// The behaviour, with what the fault needs to show itself: split characters want characters to split.
pub(crate) fn prepared<'a>(behaviour: &'a Behaviour, fault: Option<&Fault>) -> Cow<'a, Behaviour> {
    match fault {
        Some(Fault::SplitUtf8) if behaviour.text.is_none() => {
            Cow::Owned(Behaviour { text: Some(words::MULTI_BYTE.to_owned()), ..behaviour.clone() })
        }
        _ => Cow::Borrowed(behaviour),
    }
}

/// What a call gets that would get `answer`, were it not for the fault.
pub(crate) fn bent(
    mut answer: Answer,
    fault: Option<&Fault>,
    tempo: Option<Tempo>,
    stamp: &Stamp,
    gallery: &Gallery,
) -> Act {
    let streamed = tempo.is_some();
    if let Some(act) = fault.and_then(|fault| instead(fault, streamed)) {
        return act;
    }
    match fault {
        Some(Fault::NoFinish) => answer.finish = None,
        Some(Fault::NoChoices) => answer.choices = 0,
        _ => {}
    }
    let plan = match tempo {
        Some(tempo) => stream::bent(gallery.events(answer, stamp), fault, tempo),
        None => whole::bent(answer, fault, stamp),
    };
    Reply::ok(streamed, plan).into()
}

/// What a fault puts in the place of any answer.
fn instead(fault: &Fault, streamed: bool) -> Option<Act> {
    let reply = match fault {
        Fault::Reset => return Some(Act::Reset),
        Fault::Close => return Some(Act::Close),
        Fault::Hang => return Some(Act::Hang),
        Fault::NotHttp => return Some(Act::NotHttp),
        Fault::Status { status, code, message, kind, headers: _, body } => {
            let error = ErrorObject::usual(*status, code.as_ref(), kind.as_deref(), message.as_deref());
            let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            Reply::json(status, body.clone().unwrap_or_else(|| error.to_json()))
        }
        Fault::Redirect { location } => redirected(location),
        Fault::Silence => Reply::ok(streamed, Plan::only(End::Silence)),
        Fault::OversizedHeaders { bytes } => padded(Reply::json(StatusCode::OK, "{}".to_owned()), *bytes),
        Fault::Html => Reply::new(StatusCode::OK, HTML, Plan::whole(PAGE)),
        Fault::EmptyBody => Reply::ok(streamed, Plan::default()),
        Fault::ErrorObject { code, kind, message } => {
            let error = ErrorObject::usual(500, code.as_ref(), kind.as_deref(), message.as_deref());
            Reply::json(StatusCode::OK, error.to_json())
        }
        Fault::ErrorEvent { code, message, .. } if !streamed => {
            let error = ErrorObject::usual(500, code.as_ref(), None, message.as_deref());
            Reply::json(StatusCode::OK, error.to_json())
        }
        _ => return None,
    };
    Some(reply.into())
}

fn redirected(location: &str) -> Reply {
    let mut reply = Reply::json(StatusCode::TEMPORARY_REDIRECT, String::new());
    reply.headers.extend(HeaderValue::try_from(location).ok().map(|location| (LOCATION, location)));
    reply
}

fn padded(mut reply: Reply, bytes: usize) -> Reply {
    const LINE: HeaderValue = HeaderValue::from_static(match std::str::from_utf8(&[b'x'; PADDING]) {
        Ok(text) => text,
        Err(_) => "",
    });
    for _ in 0..bytes.div_ceil(PADDING) {
        reply.headers.append("x-sim-padding", LINE);
    }
    reply
}
