//! The models that a caller may ask for.

use crate::app::App;
use crate::{intake, respond};
use admission::Identified;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use http::HeaderMap;
use llm::CallError;
use serde_json::{Value, json};
use std::sync::Arc;

/// `GET /v1/models`: routes and their aliases, patterns left out.
pub(crate) async fn list(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let caller = match app.admission.identify(intake::key(&headers)) {
        Ok(caller) => caller,
        Err(error) => return respond::error(&error, &headers),
    };
    let names = app.table.models().into_iter().filter(|name| may_ask(&app, &caller, name));
    let data: Vec<Value> = names.map(|name| model(&name)).collect();
    respond::json(&json!({ "object": "list", "data": data }), &headers)
}

/// `GET /v1/models/{id}`: anything that a call could name.
pub(crate) async fn one(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    id: Result<Path<String>, PathRejection>,
) -> Response {
    // A name that is no text is nobody's.
    let id = id.map(|Path(id)| id).unwrap_or_default();
    match app.admission.identify(intake::key(&headers)) {
        Ok(caller) if may_ask(&app, &caller, &id) => respond::json(&model(&id), &headers),
        Ok(_) => respond::error(&CallError::ModelNotFound { model: id.chars().take(128).collect() }, &headers),
        Err(error) => respond::error(&error, &headers),
    }
}

fn may_ask(app: &App, caller: &Identified, model: &str) -> bool {
    app.table.route_of(model).is_some_and(|route| caller.may_use(&route.name))
}

fn model(id: &str) -> Value {
    json!({ "id": id, "object": "model", "created": 0, "owned_by": "breakwater" })
}
