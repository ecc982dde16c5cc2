//! The models that a caller may ask for, in the words of each dialect.

use crate::app::App;
use crate::{intake, respond};
use admission::Identified;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use dialects::anthropic;
use http::{HeaderMap, Uri};
use llm::{CallError, Dialect};
use serde_json::{Value, json};
use std::sync::Arc;

/// `GET /v1/models`: routes and their aliases, patterns left out.
pub(crate) async fn list(State(app): State<Arc<App>>, uri: Uri, headers: HeaderMap) -> Response {
    listed(&app, spoken(&headers), &uri, &headers)
}

/// `GET /v1beta/models`.
pub(crate) async fn list_of_gemini(State(app): State<Arc<App>>, uri: Uri, headers: HeaderMap) -> Response {
    listed(&app, Dialect::Gemini, &uri, &headers)
}

/// `GET /v1/models/{id}`: anything that a call could name.
pub(crate) async fn one(
    State(app): State<Arc<App>>,
    uri: Uri,
    headers: HeaderMap,
    id: Result<Path<String>, PathRejection>,
) -> Response {
    named(&app, spoken(&headers), &uri, &headers, id)
}

/// `GET /v1beta/models/{id}`.
pub(crate) async fn one_of_gemini(
    State(app): State<Arc<App>>,
    uri: Uri,
    headers: HeaderMap,
    id: Result<Path<String>, PathRejection>,
) -> Response {
    named(&app, Dialect::Gemini, &uri, &headers, id)
}

/// What each of Google's clients says of itself; those that are given an address of their own ask below `/v1`
/// (google-genai 3.6.1).
const GOOGLE_CLIENT: &str = "x-goog-api-client";

/// Whose client asks at the path that three dialects share.
fn spoken(headers: &HeaderMap) -> Dialect {
    if headers.contains_key(anthropic::Version::HEADER) {
        Dialect::Anthropic
    } else if headers.contains_key(GOOGLE_CLIENT) {
        Dialect::Gemini
    } else {
        Dialect::OpenAiChat
    }
}

fn listed(app: &App, dialect: Dialect, uri: &Uri, headers: &HeaderMap) -> Response {
    let caller = match app.admission.identify(intake::key_in(dialect, headers, uri).as_deref()) {
        Ok(caller) => caller,
        Err(error) => return respond::error_in(dialect, &error, headers),
    };
    let names = app.table.models().into_iter().filter(|name| may_ask(app, &caller, name));
    let names: Vec<String> = names.collect();
    let models: Vec<Value> = names.iter().map(|name| model(dialect, name)).collect();
    let list = match dialect {
        Dialect::Gemini => json!({ "models": models }),
        Dialect::Anthropic => {
            json!({ "data": models, "has_more": false, "first_id": names.first(), "last_id": names.last() })
        }
        Dialect::OpenAiChat | Dialect::Responses | Dialect::Other(_) => json!({ "object": "list", "data": models }),
    };
    respond::json(&list, dialect, headers)
}

fn named(
    app: &App,
    dialect: Dialect,
    uri: &Uri,
    headers: &HeaderMap,
    id: Result<Path<String>, PathRejection>,
) -> Response {
    // A name that is no text is nobody's.
    let id = id.map(|Path(id)| id).unwrap_or_default();
    match app.admission.identify(intake::key_in(dialect, headers, uri).as_deref()) {
        Ok(caller) if may_ask(app, &caller, &id) => respond::json(&model(dialect, &id), dialect, headers),
        Ok(_) => {
            let model = id.chars().take(128).collect();
            respond::error_in(dialect, &CallError::ModelNotFound { model }, headers)
        }
        Err(error) => respond::error_in(dialect, &error, headers),
    }
}

fn may_ask(app: &App, caller: &Identified, model: &str) -> bool {
    app.table.route_of(model).is_some_and(|route| caller.may_use(&route.name))
}

/// What is told of a model: its name. When it was made is not known.
fn model(dialect: Dialect, id: &str) -> Value {
    match dialect {
        Dialect::Gemini => json!({
            "name": format!("models/{id}"),
            "baseModelId": id,
            "version": "",
            "displayName": id,
            "supportedGenerationMethods": ["generateContent", "streamGenerateContent"],
        }),
        Dialect::Anthropic => {
            json!({ "type": "model", "id": id, "display_name": id, "created_at": "1970-01-01T00:00:00Z" })
        }
        Dialect::OpenAiChat | Dialect::Responses | Dialect::Other(_) => {
            json!({ "id": id, "object": "model", "created": 0, "owned_by": "breakwater" })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    #[test]
    fn clients_are_known_by_what_they_say_of_themselves() {
        for (name, dialect) in [
            ("authorization", Dialect::OpenAiChat),
            ("x-api-key", Dialect::OpenAiChat),
            ("anthropic-version", Dialect::Anthropic),
            ("x-goog-api-client", Dialect::Gemini),
        ] {
            let header = (HeaderName::from_static(name), HeaderValue::from_static("x"));
            assert_eq!(spoken(&HeaderMap::from_iter([header])), dialect, "{name}");
        }
    }
}
