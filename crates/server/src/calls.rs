//! Calls of every dialect: the stages of a call, in order.

use crate::app::App;
use crate::{intake, quotas, respond};
use admission::{Admitted, Refusal};
use axum::body::Body;
use axum::extract::State;
use bytes::Bytes;
use dialects::{Quotas, anthropic, gemini, openai_chat, other, responses};
use engine::{Call, Lost, OpenCall, outcome_of};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Request, Response};
use llm::{CallError, ChatRequest, Dialect, Operation, Priority};
use routing::{Pick, Plan};
use std::sync::Arc;
use std::time::Duration;

/// `POST /v1/chat/completions`.
pub(crate) async fn completions(State(app): State<Arc<App>>, request: Request<Body>) -> Response<Body> {
    call(&app, request, Dialect::OpenAiChat, openai_chat::decode).await
}

/// `POST /v1/responses`.
pub(crate) async fn responses(State(app): State<Arc<App>>, request: Request<Body>) -> Response<Body> {
    call(&app, request, Dialect::Responses, responses::decode).await
}

/// `POST /v1/messages`.
pub(crate) async fn messages(State(app): State<Arc<App>>, request: Request<Body>) -> Response<Body> {
    call(&app, request, Dialect::Anthropic, anthropic::decode).await
}

/// `POST /v1beta/models/{model}:{operation}`, and the same below `/v1/models`.
pub(crate) async fn generate(State(app): State<Arc<App>>, request: Request<Body>) -> Response<Body> {
    let uri = request.uri();
    let behind = uri.path().split_once("/models/").map_or("", |(_, behind)| behind);
    let Some(gemini::Asked { model, operation }) = gemini::asked(behind, uri.query()) else {
        return crate::app::unknown(&request, Dialect::Gemini);
    };
    let beside = match operation {
        gemini::Operation::Generate | gemini::Operation::Stream { .. } => {
            let (stream, listed) = match operation {
                gemini::Operation::Stream { events } => (true, !events),
                _ => (false, false),
            };
            let decode = |raw| gemini::decode(&model, stream, raw).map(|request| ChatRequest { listed, ..request });
            return call(&app, request, Dialect::Gemini, decode).await;
        }
        gemini::Operation::CountTokens => Operation::GeminiCountTokens,
        gemini::Operation::Embed => Operation::GeminiEmbed,
        gemini::Operation::BatchEmbed => Operation::GeminiBatchEmbed,
    };
    call(&app, request, Dialect::Other(beside), |raw| other::decode(beside, Some(&model), raw)).await
}

/// What is asked beside answers, at the path of `operation`.
pub(crate) async fn other(app: Arc<App>, operation: Operation, request: Request<Body>) -> Response<Body> {
    let dialect = Dialect::Other(operation);
    if !operation.is_a_form() {
        return call(&app, request, dialect, |raw| other::decode(operation, None, raw)).await;
    }
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let content_type = content_type.unwrap_or_default().to_owned();
    call(&app, request, dialect, |raw| other::decode_form(operation, &content_type, raw)).await
}

/// Carries out a call whose body `decode` reads.
async fn call(
    app: &App,
    request: Request<Body>,
    dialect: Dialect,
    decode: impl FnOnce(Bytes) -> Result<ChatRequest, CallError>,
) -> Response<Body> {
    let (head, body) = request.into_parts();
    let id = intake::request_id(&head.headers);
    let mut open = app.journal.open(id, dialect, intake::now());
    let key = intake::key_in(dialect, &head.headers, &head.uri);
    let admitted = match admit_by(app, key.as_deref(), &mut open) {
        Ok(admitted) => admitted,
        Err(Refusal { error, limits }) => {
            intake::unread(body, app.limits.body).await;
            return settle(&error, open, None, quotas::own(limits));
        }
    };
    let limits = admitted.limits();
    let prepared = match prepare(app, &head.headers, body, decode, admitted, &mut open).await {
        Ok(prepared) => prepared,
        Err(error) => return settle(&error, open, None, quotas::own(limits)),
    };
    let Prepared { request, plan, admitted, timeout, priority } = prepared;
    let (route, listed) = (plan.route.clone(), request.listed);
    // Boxed, or every layer around this handler would move its kilobytes about.
    match Box::pin(app.engine.execute(Call { request, plan, admitted, open, timeout, priority })).await {
        Ok(reply) => respond::reply(reply, dialect, &route.name, limits, listed),
        Err(lost) => {
            let Lost { error, quotas, open } = *lost;
            settle(&error, open, Some(&route.name), quotas::with_own(quotas, limits))
        }
    }
}

/// A call that may be carried out.
struct Prepared {
    request: ChatRequest,
    plan: Plan,
    admitted: Admitted,
    timeout: Option<Duration>,
    priority: Priority,
}

/// Who calls, and whether they may: decided before their body is read.
pub(crate) fn admit(app: &App, headers: &HeaderMap, open: &mut OpenCall) -> Result<Admitted, Refusal> {
    admit_by(app, intake::key(headers), open)
}

/// The same, by the key that was presented.
pub(crate) fn admit_by(app: &App, key: Option<&str>, open: &mut OpenCall) -> Result<Admitted, Refusal> {
    let caller = app.admission.identify(key)?;
    open.identified(caller.caller());
    caller.admit(open.arrived())
}

/// Everything else that comes before the first attempt.
async fn prepare(
    app: &App,
    headers: &HeaderMap,
    body: Body,
    decode: impl FnOnce(Bytes) -> Result<ChatRequest, CallError>,
    admitted: Admitted,
    open: &mut OpenCall,
) -> Result<Prepared, CallError> {
    let (timeout, priority) = (intake::client_timeout(headers)?, intake::priority(headers)?);
    let raw = intake::body(headers, body, app.limits.body).await?;
    open.read(intake::now());
    let request = decode(raw)?;
    let request = ChatRequest { forwarded: intake::forwarded(headers, request.dialect), ..request };
    open.asked(&request);
    let plan = plan(app, &admitted, &request.model, intake::session(headers))?;
    Ok(Prepared { request, plan, admitted, timeout, priority })
}

/// The plan for `model`; a route that the caller may not use is to it as if there were none.
pub(crate) fn plan(app: &App, admitted: &Admitted, model: &str, session: Option<&str>) -> Result<Plan, CallError> {
    const SHOWN: usize = 128;
    let unknown = || CallError::ModelNotFound { model: model.chars().take(SHOWN).collect() };
    let mut pick = Pick { rng: &mut fastrand::Rng::new(), session, loads: &**app.engine.health() };
    let plan = app.table.plan(model, &mut pick).map_err(|_| unknown())?;
    if admitted.may_use(&plan.route.name) { Ok(plan) } else { Err(unknown()) }
}

/// Ends a call in an error: told to the client, noted in the record.
pub(crate) fn settle(error: &CallError, open: OpenCall, route: Option<&str>, quotas: Quotas) -> Response<Body> {
    let told = respond::lost(error, open.dialect(), open.request_id(), route, open.attempts(), &quotas);
    open.lost(outcome_of(error), told.status, told.code);
    told.response
}
