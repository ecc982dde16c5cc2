//! Errors in OpenAI's shape: the simulator's own refusals and the error objects of faults.
//!
//! Receives what is wrong; hands on status and JSON bytes. Never here: who checks what.

use crate::fault::Code;
use http::StatusCode;
use serde::Serialize;

/// One error as OpenAI words it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) error: ErrorObject,
}

/// The value of `error`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct ErrorObject {
    pub(crate) message: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) param: Option<String>,
    pub(crate) code: Option<Code>,
}

impl Refusal {
    fn new(status: StatusCode, kind: &str, code: Option<&str>, message: impl Into<String>) -> Self {
        let error =
            ErrorObject { message: message.into(), kind: kind.to_owned(), param: None, code: code.map(Code::from) };
        Self { status, error }
    }

    /// A request that is wrong as a whole.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request_error", None, message)
    }

    /// A request that is wrong in one parameter.
    pub(crate) fn parameter(param: impl Into<String>, code: &str, message: impl Into<String>) -> Self {
        let mut refusal = Self::new(StatusCode::BAD_REQUEST, "invalid_request_error", Some(code), message);
        refusal.error.param = Some(param.into());
        refusal
    }

    /// A conversation that ends with words of the assistant, which not every model goes on from.
    pub(crate) fn prefill(index: usize) -> Self {
        let message = format!(
            "Invalid value for 'messages[{index}].role': the last message is of role 'assistant', and this model does \
             not go on from a prefill. The conversation must end with a message of another role."
        );
        Self::parameter(format!("messages[{index}].role"), "unsupported_value", message)
    }

    /// A parameter that is not there.
    pub(crate) fn missing(param: &str) -> Self {
        Self::parameter(param, "missing_required_parameter", format!("Missing required parameter: '{param}'."))
    }

    /// A key that is not accepted; only its last four characters are repeated.
    pub(crate) fn key(tail: Option<&str>) -> Self {
        let message = match tail {
            Some(tail) => format!("Incorrect API key provided: ****{tail}."),
            None => "You didn't provide an API key in an Authorization header using Bearer auth.".to_owned(),
        };
        Self::new(StatusCode::UNAUTHORIZED, "invalid_request_error", Some("invalid_api_key"), message)
    }

    /// A model that nobody has.
    pub(crate) fn model(model: &str) -> Self {
        let message = format!("The model `{model}` does not exist or you do not have access to it.");
        Self::new(StatusCode::NOT_FOUND, "invalid_request_error", Some("model_not_found"), message)
    }

    /// A method or path that nobody serves.
    pub(crate) fn path(method: &http::Method, path: &str) -> Self {
        let message = format!("Invalid URL ({method} {path})");
        Self::new(StatusCode::NOT_FOUND, "invalid_request_error", None, message)
    }

    /// A body over the limit.
    pub(crate) fn too_large(limit: usize) -> Self {
        let message = format!("The request body is larger than {limit} bytes.");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "invalid_request_error", Some("request_too_large"), message)
    }
}

impl ErrorObject {
    /// What a provider usually says with a status; given parts replace the usual ones.
    pub(crate) fn usual(status: u16, code: Option<&Code>, kind: Option<&str>, message: Option<&str>) -> Self {
        let (usual_kind, usual_code, usual_message) = match status {
            401 => ("invalid_request_error", Some("invalid_api_key"), "Incorrect API key provided."),
            403 => ("permission_error", Some("forbidden"), "You are not allowed to do this."),
            404 => ("invalid_request_error", Some("model_not_found"), "The model does not exist."),
            408 => ("timeout_error", Some("timeout"), "The request took too long."),
            429 => ("requests", Some("rate_limit_exceeded"), "Rate limit reached."),
            503 => ("server_error", Some("server_is_overloaded"), "The engine is currently overloaded."),
            529 => ("overloaded_error", Some("overloaded"), "Overloaded."),
            500.. => ("server_error", None, "The server had an error while processing your request."),
            _ => ("invalid_request_error", None, "The simulator was told to refuse this."),
        };
        Self {
            message: message.unwrap_or(usual_message).to_owned(),
            kind: kind.unwrap_or(usual_kind).to_owned(),
            param: None,
            code: code.cloned().or(usual_code.map(Code::from)),
        }
    }

    /// `{"error": ...}`.
    pub(crate) fn to_json(&self) -> String {
        #[derive(Serialize)]
        struct Wrapped<'a> {
            error: &'a ErrorObject,
        }
        // Writing strings and numbers to memory cannot fail; were it to, the empty body would show in tests.
        serde_json::to_string(&Wrapped { error: self }).unwrap_or_default()
    }
}
