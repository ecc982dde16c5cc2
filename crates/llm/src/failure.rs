//! Why an attempt did not give an answer. One enum for everything a provider can do to us.

use bytes::Bytes;
use std::fmt;
use std::time::Duration;

/// The one cause for which an attempt failed.
#[derive(Clone, Debug, PartialEq)]
pub enum Failure {
    /// No connection came about; nothing was sent.
    Unreachable(Reach),
    /// The connection broke before a whole response head came. The provider may have worked, and billed.
    ConnectionLost,
    /// What came is not HTTP.
    BadHttp,
    /// The response head is larger than we read.
    HeadTooLarge,
    /// No meaningful content within the first-token timeout (or a whole answer's share of the time).
    Silent,
    /// The answer began and then nothing came for the idle timeout.
    Stalled,
    /// The call's own deadline passed before the target had its time.
    Deadline,
    /// A redirect, which is never followed.
    Redirect(u16),
    /// The provider said no: by status, in a 200 body, or in an event.
    Provider(Box<ProviderError>),
    /// A success status with something that is no answer of the dialect: HTML, another content type, broken JSON.
    NotAnAnswer(&'static str),
    /// A success status with no content at all.
    Empty,
    /// An answer without choices.
    NoChoices,
    /// The answer ended politely without saying why it stopped.
    Truncated,
    /// The connection broke in the middle of an answer.
    Cut,
    /// An event in the middle of an answer could not be read.
    Garbage,
    /// The answer, or what precedes its first content, is larger than we hold.
    TooLarge,
    /// The model, or its provider's policy, declined to answer, on a route that then asks elsewhere.
    Withheld,
    /// Asked to go on with an answer, the target began another one.
    Altered,
    /// The answer is whole, and breaks its contract. Says how, by codes and places, without its own words.
    Unmet(Box<str>),
    /// The answer is whole, but nobody said whether it may pass, without which its contract lets none. Says why.
    Unadvised(Box<str>),
    /// No access token could be had for the provider, so that nothing was sent. Says why, without secrets.
    NoToken(Box<str>),
    /// Our own fault: a request could not be built.
    Internal(&'static str),
}

/// How far a connection came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The name did not resolve.
    Dns,
    /// The address refused.
    Refused,
    /// The connect timeout passed (name, TCP and TLS together).
    Timeout,
    /// The TLS handshake failed.
    Tls,
    /// Any other reason.
    Other,
}

/// What a provider said when it refused.
#[derive(Clone, Debug, PartialEq)]
pub struct ProviderError {
    /// HTTP status, or the one that the error object stands for.
    pub status: u16,
    /// What it amounts to.
    pub kind: ErrorKind,
    /// The provider's own code or type, shortened; empty where it gave none.
    pub code: String,
    /// The provider's message, shortened; for logs and for errors of our own wording.
    pub message: String,
    /// How long the provider wants to be left alone, where it said so.
    pub retry_after: Option<Duration>,
    /// The body as the provider worded it, bounded.
    pub body: Bytes,
}

/// What a provider's refusal amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The client's request is at fault (400, 413, 422).
    InvalidRequest,
    /// The request does not fit into the model's context window, or is alone more than the account may ask for at once.
    ContextLength,
    /// The provider's content policy withheld the answer.
    ContentPolicy,
    /// The credential is not accepted (401).
    Auth,
    /// The credential may not do this (403).
    Permission,
    /// The provider does not know the model or path (404).
    NotFound,
    /// Too many requests for now (429).
    RateLimited,
    /// Nothing left to spend (402, or a 429 that says so): waiting does not help soon.
    QuotaExhausted,
    /// The provider is overloaded (503, 529, and others' own codes).
    Overloaded,
    /// Anything else: its own failure (other 4xx and 5xx).
    Server,
}

impl Failure {
    /// Short, stable name for metrics and logs.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Unreachable(Reach::Dns) => "dns",
            Self::Unreachable(Reach::Refused) => "connect_refused",
            Self::Unreachable(Reach::Timeout) => "connect_timeout",
            Self::Unreachable(Reach::Tls) => "tls",
            Self::Unreachable(Reach::Other) => "connect_failed",
            Self::ConnectionLost => "connection_lost",
            Self::BadHttp => "bad_http",
            Self::HeadTooLarge => "head_too_large",
            Self::Silent => "first_token_timeout",
            Self::Stalled => "idle_timeout",
            Self::Deadline => "deadline",
            Self::Redirect(_) => "redirect",
            Self::Provider(error) => error.kind.as_str(),
            Self::NotAnAnswer(_) => "not_an_answer",
            Self::Empty => "empty",
            Self::NoChoices => "no_choices",
            Self::Truncated => "truncated",
            Self::Cut => "cut",
            Self::Garbage => "garbage",
            Self::TooLarge => "too_large",
            Self::Withheld => "withheld",
            Self::Altered => "altered",
            Self::Unmet(_) => "contract_unmet",
            Self::Unadvised(_) => "unadvised",
            Self::NoToken(_) => "no_token",
            Self::Internal(_) => "internal",
        }
    }

    /// Whether the provider may charge for the attempt: the request may have reached it, and it did not turn it away.
    #[must_use]
    pub fn may_be_billed(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Redirect(_) | Self::NoToken(_) | Self::Internal(_) => false,
            // Gateways in front of it say these of a model that may have worked all the while.
            Self::Provider(error) => error.kind == ErrorKind::Server,
            _ => true,
        }
    }

    /// The HTTP status behind it, where one came.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Provider(error) => Some(error.status),
            Self::Redirect(status) => Some(*status),
            _ => None,
        }
    }

    /// How long to leave the provider alone, where it said so.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Provider(error) => error.retry_after,
            _ => None,
        }
    }
}

/// For people: one clause that completes "the provider ...". Carries no provider text beyond its code.
impl std::error::Error for Failure {}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(Reach::Dns) => f.write_str("has a name that does not resolve"),
            Self::Unreachable(Reach::Refused) => f.write_str("refused the connection"),
            Self::Unreachable(Reach::Timeout) => f.write_str("did not connect in time"),
            Self::Unreachable(Reach::Tls) => f.write_str("failed the TLS handshake"),
            Self::Unreachable(Reach::Other) => f.write_str("could not be reached"),
            Self::ConnectionLost => f.write_str("closed the connection before answering"),
            Self::BadHttp => f.write_str("sent something that is not HTTP"),
            Self::HeadTooLarge => f.write_str("sent a response head over the limit"),
            Self::Silent => f.write_str("sent no content in time"),
            Self::Stalled => f.write_str("stopped sending in the middle of its answer"),
            Self::Deadline => f.write_str("did not finish before the deadline"),
            Self::Redirect(status) => write!(f, "answered with a redirect ({status})"),
            Self::Provider(error) if error.code.is_empty() => write!(f, "answered {}", error.status),
            Self::Provider(error) => write!(f, "answered {} ({})", error.status, error.code),
            Self::NotAnAnswer(what) => write!(f, "sent {what} instead of an answer"),
            Self::Empty => f.write_str("sent an empty answer"),
            Self::NoChoices => f.write_str("sent an answer without choices"),
            Self::Truncated => f.write_str("ended its answer without a finish reason"),
            Self::Cut => f.write_str("broke off in the middle of its answer"),
            Self::Garbage => f.write_str("sent an event that cannot be read"),
            Self::TooLarge => f.write_str("sent more than the answer limit"),
            Self::Withheld => f.write_str("declined to answer"),
            Self::Altered => f.write_str("did not go on where the answer had broken off"),
            Self::Unmet(why) => write!(f, "broke the contract ({why})"),
            Self::Unadvised(why) => write!(f, "was not let pass ({why})"),
            Self::NoToken(why) => write!(f, "was not called for want of a token: {why}"),
            Self::Internal(what) => write!(f, "was not called: {what}"),
        }
    }
}

impl ErrorKind {
    /// Whether the request is at fault and no target: the client is told so in the provider's words.
    #[must_use]
    pub const fn is_callers(self) -> bool {
        matches!(self, Self::InvalidRequest | Self::ContextLength | Self::ContentPolicy)
    }

    /// Short, stable name for metrics and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::ContextLength => "context_length",
            Self::ContentPolicy => "content_policy",
            Self::Auth => "auth",
            Self::Permission => "permission",
            Self::NotFound => "not_found",
            Self::RateLimited => "rate_limited",
            Self::QuotaExhausted => "quota_exhausted",
            Self::Overloaded => "overloaded",
            Self::Server => "server_error",
        }
    }
}
