//! The data listener's paths, and what their handlers work with.

use crate::health::Health;
use crate::{calls, live, models, passthrough, realtime, respond};
use admission::Admission;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::routing::{any, get, post};
use dialects::gemini;
use engine::{Engine, Journal};
use http::{HeaderMap, Request, Response};
use llm::{CallError, Dialect, Operation};
use routing::RouteTable;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;

/// Everything a call passes through, made once at start.
pub struct App {
    /// Who may call.
    pub admission: Admission,
    /// Where calls go.
    pub table: RouteTable,
    /// What carries them out.
    pub engine: Engine,
    /// Where they are recorded.
    pub journal: Arc<Journal>,
    /// The names of all providers, by place.
    pub providers: Vec<Arc<str>>,
    /// The place of the provider that files and batches go to, where one does.
    pub files: Option<usize>,
    /// Room for talks in real time.
    pub talks: Arc<Semaphore>,
    /// What is taken in.
    pub limits: Limits,
    /// Whether the process is ready.
    pub health: Health,
}

impl App {
    /// Room for as many talks in real time as are carried at one time.
    #[must_use]
    pub fn room_for_talks() -> Arc<Semaphore> {
        Arc::new(Semaphore::new(realtime::MAX_TALKS))
    }
}

/// What the data listener takes in.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The largest request body, in bytes.
    pub body: usize,
}

/// Where what is asked beside answers has its paths; Gemini's stand with its answers.
const OTHERS: [(&str, Operation); 13] = [
    ("/v1/completions", Operation::Completions),
    ("/v1/embeddings", Operation::Embeddings),
    ("/v1/moderations", Operation::Moderations),
    ("/v1/images/generations", Operation::ImageGenerations),
    ("/v1/images/edits", Operation::ImageEdits),
    ("/v1/images/variations", Operation::ImageVariations),
    ("/v1/audio/speech", Operation::Speech),
    ("/v1/audio/transcriptions", Operation::Transcriptions),
    ("/v1/audio/translations", Operation::Translations),
    ("/v1/rerank", Operation::Rerank),
    ("/v2/rerank", Operation::Rerank),
    ("/v1/messages/count_tokens", Operation::CountTokens),
    ("/v1/responses/input_tokens", Operation::InputTokens),
];

/// The data listener's paths.
pub fn data_router(app: Arc<App>) -> Router {
    let instead = |allowed, dialect| move |headers: HeaderMap| wrong_method(allowed, dialect, headers);
    let not_post = |dialect| instead("POST", dialect);
    let not_get = |dialect| instead("GET", dialect);
    let other = |router: Router<Arc<App>>, (path, operation): (&str, Operation)| {
        let ask = move |State(app): State<Arc<App>>, request: Request<Body>| calls::other(app, operation, request);
        router.route(path, post(ask).fallback(not_post(Dialect::Other(operation))))
    };
    OTHERS
        .into_iter()
        .fold(Router::new(), other)
        .route("/v1/chat/completions", post(calls::completions).fallback(not_post(Dialect::OpenAiChat)))
        .route("/v1/responses", post(calls::responses).fallback(not_post(Dialect::Responses)))
        .route("/v1/messages", post(calls::messages).fallback(not_post(Dialect::Anthropic)))
        .route("/v1/models", get(models::list).fallback(not_get(Dialect::OpenAiChat)))
        .route("/v1/models/{*id}", get(models::one).post(calls::generate).fallback(not_on_a_model))
        .route("/v1beta/models", get(models::list_of_gemini).fallback(not_get(Dialect::Gemini)))
        .route("/v1beta/models/{*id}", get(models::one_of_gemini).post(calls::generate).fallback(not_on_a_model))
        .route("/v1/realtime", get(realtime::connect).fallback(not_get(Dialect::OpenAiChat)))
        .route("/ws/{*rest}", get(live::connect).fallback(not_get(Dialect::Gemini)))
        // As Google's client for Node has it.
        .route("//ws/{*rest}", get(live::connect).fallback(not_get(Dialect::Gemini)))
        .route("/passthrough/{*rest}", any(passthrough::listed))
        .route("/v1/files", any(passthrough::files))
        .route("/v1/files/{*rest}", any(passthrough::files))
        .route("/v1/uploads", any(passthrough::files))
        .route("/v1/uploads/{*rest}", any(passthrough::files))
        .route("/v1/batches", any(passthrough::files))
        .route("/v1/batches/{*rest}", any(passthrough::files))
        .route("/livez", get(|| async { "alive\n" }))
        .route("/readyz", get(|State(app): State<Arc<App>>| async move { app.health.readiness() }))
        .fallback(unknown_path)
        .layer(CatchPanicLayer::custom(|_| respond::error(&CallError::Internal, &HeaderMap::new())))
        .with_state(app)
}

/// The answer to a path that does not exist.
pub(crate) async fn unknown_path(request: Request<Body>) -> Response<Body> {
    unknown(&request, Dialect::OpenAiChat)
}

/// The same, for a client of `dialect`.
pub(crate) fn unknown(request: &Request<Body>, dialect: Dialect) -> Response<Body> {
    const SHOWN: usize = 128;
    let path: String = request.uri().path().chars().take(SHOWN).collect();
    let asked = format!("{} {path}", request.method());
    respond::error_in(dialect, &CallError::UnknownPath { asked }, request.headers())
}

/// The answer to a method that no model takes: what is done with one is asked in Gemini's words.
async fn not_on_a_model(request: Request<Body>) -> Response<Body> {
    let path = request.uri().path();
    let operation = path.split_once("/models/").and_then(|(_, behind)| gemini::asked(behind, None)).is_some();
    let dialect = if operation || path.starts_with("/v1beta/") { Dialect::Gemini } else { Dialect::OpenAiChat };
    wrong_method(if operation { "POST" } else { "GET" }, dialect, request.headers().clone()).await
}

async fn wrong_method(allowed: &'static str, dialect: Dialect, headers: HeaderMap) -> Response<Body> {
    respond::error_in(dialect, &CallError::MethodNotAllowed { allowed }, &headers)
}
