//! The admin listener: metrics and health. Never reachable through the data listener.

use crate::health::Health;
use crate::targets;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use engine::Engine;
use http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use std::sync::Arc;
use subtle::ConstantTimeEq;
use telemetry::Metrics;

/// What the admin listener works with.
pub struct Admin {
    /// The metrics to show.
    pub metrics: Arc<Metrics>,
    /// Whose targets to show.
    pub engine: Engine,
    /// Whether the process is ready.
    pub health: Health,
    /// The bearer token to ask for, except on the health paths.
    pub token: Option<SecretString>,
}

/// The admin listener's paths.
pub fn admin_router(admin: Arc<Admin>) -> Router {
    let health = admin.health.clone();
    Router::new()
        .route("/metrics", get(metrics))
        .route("/api/targets", get(list_targets))
        .fallback(unknown)
        .layer(from_fn_with_state(Arc::clone(&admin), authorize))
        .route("/livez", get(|| async { "alive\n" }))
        .route("/readyz", get(move || async move { health.readiness() }))
        .with_state(admin)
}

async fn metrics(State(admin): State<Arc<Admin>>) -> Response {
    const FORMAT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    // Rendering takes milliseconds where there are many series: no call should wait behind it.
    #[expect(clippy::disallowed_methods, reason = "off the request path, one at a time per scrape")]
    let page = tokio::task::spawn_blocking(move || admin.metrics.render()).await;
    match page {
        Ok(page) => ([(CONTENT_TYPE, FORMAT)], page).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn list_targets(State(admin): State<Arc<Admin>>) -> Json<serde_json::Value> {
    Json(targets::shown(&admin.engine))
}

async fn unknown() -> Response {
    (
        StatusCode::NOT_FOUND,
        Json(json!({ "error": { "message": "Nothing is served here. There is /metrics, /api/targets, /livez and /readyz." } })),
    )
        .into_response()
}

/// Lets a request through that bears the token, where one is configured.
async fn authorize(State(admin): State<Arc<Admin>>, request: Request, next: Next) -> Response {
    let allowed = admin.token.as_ref().is_none_or(|token| bears(&request, token));
    if allowed {
        return next.run(request).await;
    }
    let mut refused: Response<Body> =
        (StatusCode::UNAUTHORIZED, Json(json!({ "error": { "message": "The admin token is missing or wrong." } })))
            .into_response();
    refused.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    refused
}

fn bears(request: &Request, token: &SecretString) -> bool {
    let presented = crate::intake::key(request.headers()).unwrap_or_default();
    presented.as_bytes().ct_eq(token.expose_secret().as_bytes()).into()
}
