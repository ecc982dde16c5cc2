//! A request's way through the simulator: route, key, read, cue, compose, admit, wait, bend, answer.
//!
//! Receives hyper requests of one connection; hands back responses or the connection's end. Never here: what answers
//! say and how faults bend them.

use crate::answer::Answer;
use crate::behaviour::Behaviour;
use crate::bend::{self, Act, Reply};
use crate::body::{Broken, PlannedBody};
use crate::capacity::{Hold, Turn};
use crate::control::Control;
use crate::events::Gallery;
use crate::fault::Fault;
use crate::headers;
use crate::held::Held;
use crate::journal::Note;
use crate::limits::Entry;
use crate::plan::Tempo;
use crate::refusal::Refusal;
use crate::request::ChatRequest;
use crate::stamp::{Stamp, since_1970};
use crate::wire::Orders;
use crate::{Settings, stage::Cue};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONNECTION};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use serde_json::json;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// The largest request body, in bytes.
pub const MAX_REQUEST: usize = 32 * 1024 * 1024;
/// The model that nobody has.
pub const MISSING_MODEL: &str = "missing-model";

const MODELS: [&str; 2] = ["sim-large", "sim-small"];
const OVERRIDE: &str = "x-sim-behaviour";

/// What all connections share.
pub(crate) struct Service {
    pub(crate) control: Control,
    seed: u64,
    keys: Vec<String>,
    calls: AtomicU64,
    gallery: Gallery,
}

/// A good call: how it is to go, and the right answer to it.
struct Scene {
    answer: Answer,
    /// None where a whole answer is asked for.
    tempo: Option<Tempo>,
    fault: Option<Fault>,
    /// Further headers of the response.
    headers: HeaderMap,
    /// Where slots are counted.
    turn: Option<Turn>,
    hold: Hold,
    /// The wait once a slot is there.
    latency: Duration,
}

impl Service {
    pub(crate) fn new(control: Control, settings: Settings) -> Self {
        let Settings { seed, keys, .. } = settings;
        Self { control, seed, keys, calls: AtomicU64::new(0), gallery: Gallery::default() }
    }

    /// Answers one request.
    ///
    /// # Errors
    /// [`Broken`] ends the connection without a byte.
    pub(crate) async fn respond(
        &self,
        request: Request<Incoming>,
        orders: Orders,
    ) -> Result<Response<PlannedBody>, Broken> {
        let (head, body) = request.into_parts();
        let body = match Limited::new(body, MAX_REQUEST).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<http_body_util::LengthLimitError>() => {
                return Ok(response(Reply::refusal(&Refusal::too_large(MAX_REQUEST)), orders, None));
            }
            Err(_) => return Err(Broken),
        };
        let path = head.uri.path();
        if let Some(rest) = path.strip_prefix("/_sim").filter(|rest| rest.is_empty() || rest.starts_with('/')) {
            return Ok(response(self.control.answer(&head.method, rest, &body), orders, None));
        }
        let path = path.strip_prefix("/v1").filter(|rest| rest.starts_with('/')).unwrap_or(path);
        match (head.method.as_str(), path) {
            ("POST", "/chat/completions") => self.chat(&head.headers, body, orders).await,
            ("GET", _) if path == "/models" || path.starts_with("/models/") => {
                let reply = self
                    .key(&head.headers)
                    .and_then(|()| models(path))
                    .unwrap_or_else(|refusal| Reply::refusal(&refusal));
                Ok(response(reply, orders, None))
            }
            _ => Ok(response(Reply::refusal(&Refusal::path(&head.method, head.uri.path())), orders, None)),
        }
    }

    async fn chat(&self, headers: &HeaderMap, body: Bytes, orders: Orders) -> Result<Response<PlannedBody>, Broken> {
        let mut note = Note { authorization_tail: bearer(headers).map(tail), body, ..Note::default() };
        let scene = self.scene(headers, &mut note);
        let ticket = self.control.journal.open(note);
        let Scene { answer, tempo, fault, headers, turn, hold, latency } = match scene {
            Ok(scene) => scene,
            Err(refusal) => {
                let held = Held::new(ticket, None, Hold::End);
                return Ok(response(Reply::refusal(&refusal), orders, Some(held)));
            }
        };
        let stamp = Stamp::new(self.seed, self.calls.fetch_add(1, Ordering::Relaxed));
        let slot = match turn {
            Some(turn) => turn.slot().await,
            None => None,
        };
        let held = Held::new(ticket, slot, hold);
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        let act = bend::bent(answer, fault.as_ref(), tempo, &stamp, &self.gallery);
        carry_out(act, headers, &stamp, orders, held).await
    }

    /// Reads a call and decides how it goes; what it learns on the way it notes for the journal.
    fn scene(&self, headers: &HeaderMap, note: &mut Note) -> Result<Scene, Refusal> {
        self.key(headers)?;
        let own = own_behaviour(headers)?;
        let request = ChatRequest::read(&note.body)?;
        note.model.clone_from(&request.model);
        note.stream = request.streams();
        note.last_role = request.last().map(|last| last.role.name());
        if request.model == MISSING_MODEL {
            return Err(Refusal::model(MISSING_MODEL));
        }
        let cue = self.control.stage.cue(&request.model, own);
        let answer = Answer::compose(&request, &bend::prepared(&cue.behaviour, cue.fault()))?;
        let Behaviour { first_token, pace, .. } = *cue.behaviour;
        let tempo = request.streams().then_some(Tempo { first_token, pace });
        Ok(admitted(&cue, answer, tempo, note))
    }

    fn key(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let given = bearer(headers);
        let known = self.keys.is_empty() || given.is_some_and(|given| self.keys.iter().any(|key| key == given));
        if known { Ok(()) } else { Err(Refusal::key(given.map(tail).as_deref())) }
    }
}

/// What the limits make of a good call. One turned away gets its refusal at once.
fn admitted(cue: &Cue, answer: Answer, tempo: Option<Tempo>, note: &mut Note) -> Scene {
    let behaviour = &cue.behaviour;
    let admission = cue.limits.enter(behaviour, Instant::now(), since_1970());
    let (turn, fault, latency) = match admission.entry {
        Entry::Away { limit, fault } => {
            note.fault = Some(limit);
            (None, Some(fault), Duration::ZERO)
        }
        entry => {
            note.fault = cue.fault().map(Fault::name);
            (entry.turn(), cue.fault().cloned(), behaviour.latency)
        }
    };
    let mut named = HeaderMap::new();
    headers::put(&mut named, &admission.headers);
    headers::put(&mut named, &behaviour.headers);
    if let Some(Fault::Status { headers, .. }) = &fault {
        headers::put(&mut named, headers);
    }
    let hold = behaviour.capacity.map(|capacity| capacity.hold).unwrap_or_default();
    Scene { answer, tempo, fault, headers: named, turn, hold, latency }
}

async fn carry_out(
    act: Act,
    headers: HeaderMap,
    stamp: &Stamp,
    orders: Orders,
    held: Held,
) -> Result<Response<PlannedBody>, Broken> {
    match act {
        Act::Reply(mut reply) => {
            let id = HeaderValue::try_from(stamp.request_id()).ok();
            reply.headers.extend(id.map(|id| (http::HeaderName::from_static("x-request-id"), id)));
            reply.headers.extend(headers);
            Ok(response(*reply, orders, Some(held)))
        }
        Act::Hang => {
            // Ends when the client goes away: hyper then drops this future, and what the call holds.
            let _held = held;
            std::future::pending().await
        }
        Act::Close => {
            held.settle();
            Err(Broken)
        }
        Act::Reset => {
            orders.reset();
            held.settle();
            Err(Broken)
        }
        Act::NotHttp => {
            orders.garble();
            let mut reply = Reply::json(StatusCode::OK, String::new());
            reply.headers.insert(CONNECTION, HeaderValue::from_static("close"));
            Ok(response(reply, orders, Some(held)))
        }
    }
}

fn response(reply: Reply, orders: Orders, held: Option<Held>) -> Response<PlannedBody> {
    let Reply { status, headers, plan } = reply;
    let mut built = Response::new(PlannedBody::new(plan, orders, held));
    *built.status_mut() = status;
    *built.headers_mut() = headers;
    built
}

fn own_behaviour(headers: &HeaderMap) -> Result<Option<Behaviour>, Refusal> {
    let Some(json) = headers.get(OVERRIDE) else { return Ok(None) };
    let read = Behaviour::from_json(json.as_bytes());
    read.map(Some).map_err(|bad| Refusal::bad_request(format!("{OVERRIDE}: {bad}")))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, key) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

/// The last four characters of a key: enough to tell keys apart, too few to use.
fn tail(key: &str) -> String {
    let from = key.char_indices().rev().nth(3).map_or(0, |(at, _)| at);
    key[from..].to_owned()
}

fn models(path: &str) -> Result<Reply, Refusal> {
    let model = |id: &str| json!({ "id": id, "object": "model", "created": 1_700_000_000, "owned_by": "simulator" });
    let found = match path.strip_prefix("/models/") {
        None => json!({ "object": "list", "data": MODELS.map(model) }),
        Some(id) if MODELS.contains(&id) => model(id),
        Some(id) => return Err(Refusal::model(id)),
    };
    Ok(Reply::json(StatusCode::OK, found.to_string()))
}
