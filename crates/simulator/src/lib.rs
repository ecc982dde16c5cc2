//! A provider that answers, streams and misbehaves on demand.
//!
//! It speaks OpenAI chat completions, whole and streamed, over HTTP/1.1. What calls get is decided by a [`Behaviour`],
//! set in Rust through [`Control`] or over HTTP under `/_sim`; what they got stands in a journal. A request's way:
//! `connection` accepts, `service` routes, `request` reads (`validate` words refusals), `stage` picks the behaviour,
//! `answer` composes the right answer, `limits` let the call in (`quota`) and give it a slot (`capacity`), `events` or
//! `whole` renders the answer, `bend` bends it, `body` plays it.
//!
//! Never here: anything of the gateway. The simulator knows providers' habits and nothing of who calls it.

mod answer;
mod behaviour;
mod bend;
mod body;
mod capacity;
mod connection;
mod control;
mod events;
mod fault;
mod headers;
mod held;
mod help;
mod journal;
mod limits;
mod logprobs;
mod plan;
mod quota;
mod refusal;
mod request;
mod schema;
mod service;
mod spell;
mod stage;
mod stamp;
mod validate;
mod whole;
mod wire;
mod words;

pub use behaviour::{BadBehaviour, Behaviour, MAX_TEXT, MAX_TOKENS, Prefill, ToolCall, UsageReport};
pub use capacity::{Capacity, Hold, MAX_CAPACITY};
pub use connection::MAX_CONNECTIONS;
pub use control::{Control, MAX_CONTROL};
pub use fault::{Code, Fault, MAX_HEAD};
pub use journal::{Counts, Ended, Entry, MAX_BODY, MAX_ENTRIES, Snapshot};
pub use quota::{Quota, RetryAfter};
pub use service::{MAX_REQUEST, MISSING_MODEL};
pub use stage::{Full, MAX_MODELS, MAX_SCRIPT};

use journal::Journal;
use service::Service;
use stage::Stage;
use std::sync::Arc;
use tokio::net::TcpListener;

/// What a simulator starts with.
#[derive(Clone, Default)]
pub struct Settings {
    /// How calls go until told otherwise.
    pub behaviour: Behaviour,
    /// Decides which calls go wrong where a fault has a share, and the answers' ids.
    pub seed: u64,
    /// Bearer keys that are accepted; all are where none is named.
    pub keys: Vec<String>,
}

/// A simulated provider. Clones are the same provider.
#[derive(Clone)]
pub struct Simulator {
    service: Arc<Service>,
}

impl Simulator {
    /// A provider that nobody can reach yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let stage = Arc::new(Stage::new(settings.behaviour.clone(), settings.seed));
        let control = Control { stage, journal: Journal::new() };
        Self { service: Arc::new(Service::new(control, settings)) }
    }

    /// Serves connections of `listener` until the future is dropped, which ends all of them. Several listeners may
    /// be served at a time.
    pub async fn serve(&self, listener: TcpListener) {
        connection::serve(Arc::clone(&self.service), listener).await;
    }

    /// Scripts this provider and reads its journal.
    #[must_use]
    pub fn control(&self) -> Control {
        self.service.control.clone()
    }
}
