//! Gemini's conversations in real time: their paths, and the first message of a client, which names the model.
//!
//! Wire facts: google-genai 3.6 (`live.py`, `_transformers.py`) and the guide to the Live API. The Gemini API and Vertex
//! AI have the same messages at other paths. Must never be here: frames (that is `websocket`), and which model serves.

use super::path::is_placed;
use super::request::object;
use crate::openai_chat::request;
use bytes::Bytes;
use llm::{CallError, ChatRequest, Dialect, Operation};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Who has such conversations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// The Gemini API.
    Gemini,
    /// Vertex AI.
    Vertex,
}

/// What stands around the version of the API in a path.
const GEMINI: (&str, &str) = ("/ws/google.ai.generativelanguage.", ".GenerativeService.BidiGenerateContent");
const VERTEX: (&str, &str) = ("/ws/google.cloud.aiplatform.", ".LlmBidiService/BidiGenerateContent");
/// What a path ends in besides where the client holds a token in place of a key, which bounds what it may ask.
const CONSTRAINED: &str = "Constrained";

impl Service {
    const fn around(self) -> (&'static str, &'static str) {
        match self {
            Self::Gemini => GEMINI,
            Self::Vertex => VERTEX,
        }
    }

    /// The version that is asked where the client speaks to the other service.
    const fn usual_version(self) -> &'static str {
        match self {
            Self::Gemini => "v1beta",
            Self::Vertex => "v1beta1",
        }
    }
}

/// What a client's path opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    service: Service,
    version: String,
}

impl Opened {
    /// Where `service` has the same.
    #[must_use]
    pub fn path_at(&self, service: Service) -> String {
        let version = if service == self.service { &self.version } else { service.usual_version() };
        let (before, behind) = service.around();
        format!("{before}{version}{behind}")
    }
}

/// Reads a client's path. Google's client for Node doubles the first slash.
#[must_use]
pub fn opened(path: &str) -> Option<Opened> {
    let path = if path.starts_with("//") { path.get(1..)? } else { path };
    let path = path.strip_suffix(CONSTRAINED).unwrap_or(path);
    [Service::Gemini, Service::Vertex].into_iter().find_map(|service| {
        let (before, behind) = service.around();
        let version = path.strip_prefix(before)?.strip_suffix(behind)?;
        let is_version = version.starts_with('v') && version.bytes().all(|byte| byte.is_ascii_alphanumeric());
        is_version.then(|| Opened { service, version: version.to_owned() })
    })
}

/// Reads the first message of a client: `{"setup": {"model": ..., ...}}`.
///
/// # Errors
/// [`CallError::InvalidRequest`] naming the field at fault.
pub fn decode(raw: Bytes) -> Result<ChatRequest, CallError> {
    #[derive(Deserialize)]
    struct Thin<'a> {
        #[serde(borrow)]
        setup: Option<&'a RawValue>,
    }
    #[derive(Deserialize)]
    struct Setup<'a> {
        #[serde(borrow)]
        model: Option<&'a RawValue>,
    }
    let invalid = |message: String, param: &str| CallError::InvalidRequest { message, param: Some(param.into()) };
    let text = object(&raw)?;
    let thin: Thin<'_> =
        serde_json::from_str(text).map_err(|e| invalid(format!("Invalid JSON payload received. {e}."), "setup"))?;
    let setup = thin.setup.map(RawValue::get).filter(|setup| setup.starts_with('{'));
    let setup = setup.ok_or_else(|| invalid("The first message has to be a 'setup'.".into(), "setup"))?;
    let setup: Setup<'_> =
        serde_json::from_str(setup).map_err(|e| invalid(format!("Invalid value at 'setup'. {e}."), "setup"))?;
    let (named, model_span) = request::model(setup.model, text).map_err(|error| match error {
        CallError::InvalidRequest { message, .. } => invalid(message, "setup.model"),
        other => other,
    })?;
    Ok(ChatRequest {
        dialect: Dialect::Other(Operation::GeminiLive),
        model: asked(&named).into_owned(),
        stream: false,
        raw,
        demands: false,
        model_span,
        listed: false,
        forwarded: Vec::new(),
    })
}

/// The first message with `model` in place of its own: as the service names it, see [`name`].
#[must_use]
pub fn with_model(request: &ChatRequest, model: &str) -> Bytes {
    request::with_model(request, model)
}

/// The model that a client means by a name, without its place at Google: a route, an alias or `provider/model`. For the
/// latter, Google's clients for Vertex AI take the provider for a publisher.
fn asked(named: &str) -> Cow<'_, str> {
    if let Some(model) = named.strip_prefix("models/") {
        return Cow::Borrowed(model);
    }
    let published = if named.starts_with("projects/") { named.split_once("/publishers/") } else { Some(("", named)) };
    let published = published.map(|(_, behind)| behind.strip_prefix("publishers/").unwrap_or(behind));
    let is_published = named.starts_with("projects/") || named.starts_with("publishers/");
    match published.filter(|_| is_published).and_then(|behind| behind.split_once("/models/")) {
        Some(("google", model)) => Cow::Borrowed(model),
        Some((publisher, model)) => Cow::Owned(format!("{publisher}/{model}")),
        None => Cow::Borrowed(named),
    }
}

/// What a service calls its `model`; `parent` is the project and the location at Vertex AI (`projects/p/locations/l`).
#[must_use]
pub fn name(service: Service, parent: &str, model: &str) -> String {
    match service {
        Service::Gemini if is_placed(model) => model.to_owned(),
        Service::Gemini => format!("models/{model}"),
        Service::Vertex if model.starts_with("projects/") => model.to_owned(),
        Service::Vertex if parent.is_empty() => format!("publishers/google/models/{model}"),
        Service::Vertex => format!("{parent}/publishers/google/models/{model}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_both_services_are_known() {
        let gemini = |version: &str| format!("{}{version}{}", GEMINI.0, GEMINI.1);
        let vertex = |version: &str| format!("{}{version}{}", VERTEX.0, VERTEX.1);
        for (path, at_gemini, at_vertex) in [
            (gemini("v1beta"), gemini("v1beta"), vertex("v1beta1")),
            (gemini("v1"), gemini("v1"), vertex("v1beta1")),
            (gemini("v1alpha") + CONSTRAINED, gemini("v1alpha"), vertex("v1beta1")),
            (format!("/{}", gemini("v1beta")), gemini("v1beta"), vertex("v1beta1")),
            (vertex("v1"), gemini("v1beta"), vertex("v1")),
            (vertex("v1beta1"), gemini("v1beta"), vertex("v1beta1")),
        ] {
            let opened = opened(&path).expect("a path");
            assert_eq!(opened.path_at(Service::Gemini), at_gemini, "{path}");
            assert_eq!(opened.path_at(Service::Vertex), at_vertex, "{path}");
        }
        for path in ["/ws/", "/", "", &gemini(""), &gemini("v1/.."), &gemini("beta"), &gemini("v1")[1..]] {
            assert_eq!(opened(path), None, "{path}");
        }
    }

    #[test]
    fn the_model_is_found_and_nothing_else_is_changed() {
        let message = |model: &str| format!(" {{\"setup\":{{\"a\":[1 ],\"model\": \"{model}\" , \"b\":{{}} }}}}");
        for (named, model) in [
            ("models/gemini-live", "gemini-live"),
            ("models/openai/gpt", "openai/gpt"),
            ("tunedModels/x", "tunedModels/x"),
            ("gemini-live", "gemini-live"),
            ("openai/gpt", "openai/gpt"),
            ("publishers/google/models/m", "m"),
            ("publishers/gemini/models/m", "gemini/m"),
            ("projects/p/locations/l/publishers/google/models/m", "m"),
            ("projects/p/locations/l/endpoints/7", "projects/p/locations/l/endpoints/7"),
        ] {
            let request = decode(message(named).into()).expect("a setup");
            assert_eq!((request.model.as_str(), request.stream), (model, false), "{named}");
            assert_eq!(with_model(&request, "models/other"), message("models/other"), "{named}");
        }
    }

    #[test]
    fn each_fault_is_named() {
        for (body, said, param) in [
            ("", "Expected an object", None),
            ("[]", "Expected an object", None),
            ("{", "Invalid JSON payload", Some("setup")),
            ("{}", "has to be a 'setup'", Some("setup")),
            (r#"{"setup":null}"#, "has to be a 'setup'", Some("setup")),
            (r#"{"setup":["m"]}"#, "has to be a 'setup'", Some("setup")),
            (r#"{"setup":{}}"#, "model", Some("setup.model")),
            (r#"{"setup":{"model":""}}"#, "model", Some("setup.model")),
            (r#"{"setup":{"model":7}}"#, "model", Some("setup.model")),
        ] {
            let Err(CallError::InvalidRequest { message, param: at }) = decode(Bytes::from(body)) else {
                panic!("{body}");
            };
            assert!(message.contains(said), "{body}: {message}");
            assert_eq!(at.as_deref(), param, "{body}");
        }
    }

    #[test]
    fn models_are_named_as_each_service_has_them() {
        for (service, parent, model, expected) in [
            (Service::Gemini, "", "m", "models/m"),
            (Service::Gemini, "", "models/m", "models/m"),
            (Service::Gemini, "", "tunedModels/m", "tunedModels/m"),
            (Service::Vertex, "projects/p/locations/l", "m", "projects/p/locations/l/publishers/google/models/m"),
            (Service::Vertex, "", "m", "publishers/google/models/m"),
            (Service::Vertex, "projects/p/locations/l", "projects/q/e/7", "projects/q/e/7"),
        ] {
            assert_eq!(name(service, parent, model), expected);
        }
    }
}
