//! The simulator's strings: what to do next, and what happened.
//!
//! Receives behaviours, as Rust values or over HTTP under `/_sim`; hands them to the stage, and the journal back.
//! Never here: chat.

use crate::behaviour::{BadBehaviour, Behaviour};
use crate::bend::Reply;
use crate::help;
use crate::journal::{Counts, Journal, Snapshot};
use crate::refusal::Refusal;
use crate::stage::{Full, Stage};
use http::{Method, StatusCode};
use serde_json::json;
use std::sync::Arc;

/// The largest control request, in bytes.
pub const MAX_CONTROL: usize = 4 * 1024 * 1024;

/// Scripts a simulator and reads its journal. Clones act on the same simulator.
#[derive(Clone)]
pub struct Control {
    pub(crate) stage: Arc<Stage>,
    pub(crate) journal: Arc<Journal>,
}

impl Control {
    /// How calls go that neither the script nor their model decides.
    pub fn set_behaviour(&self, behaviour: Behaviour) {
        self.stage.set_default(behaviour);
    }

    /// How calls of one model go.
    ///
    /// # Errors
    /// [`Full::Models`] where too many models have a behaviour already.
    pub fn set_model(&self, model: &str, behaviour: Behaviour) -> Result<(), Full> {
        self.stage.set_model(model, behaviour)
    }

    /// Adds behaviours that the next good calls consume, one each, whatever their model. Tells the script's length.
    ///
    /// # Errors
    /// [`Full::Script`] where the script would become too long.
    pub fn script(&self, behaviours: impl IntoIterator<Item = Behaviour>) -> Result<usize, Full> {
        self.stage.extend_script(behaviours.into_iter().collect())
    }

    /// How many calls came and how they ended.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.journal.counts()
    }

    /// Waits until the counts satisfy `wanted`, and gives them. Has no time limit of its own.
    pub async fn until(&self, wanted: impl FnMut(&Counts) -> bool) -> Counts {
        self.journal.until(wanted).await
    }

    /// The counts and the last calls.
    #[must_use]
    pub fn journal(&self) -> Snapshot {
        self.journal.snapshot()
    }

    /// Back to the beginning: the first behaviour, no script, an empty journal, the seed's first chance, free slots and
    /// a new window. Calls still under way keep no slot from later ones.
    pub fn reset(&self) {
        self.stage.reset();
        self.journal.reset();
    }

    /// Answers a control request; `path` is what follows `/_sim`.
    pub(crate) fn answer(&self, method: &Method, path: &str, body: &[u8]) -> Reply {
        if body.len() > MAX_CONTROL {
            return Reply::refusal(&Refusal::too_large(MAX_CONTROL));
        }
        let model = path.strip_prefix("/models/").filter(|model| !model.is_empty());
        let done = match (method.as_str(), path, model) {
            ("GET", "" | "/", _) => return Reply::json(StatusCode::OK, help::text()),
            ("GET", "/journal", _) => return Reply::json(StatusCode::OK, json!(self.journal()).to_string()),
            ("DELETE", "" | "/", _) => {
                self.reset();
                Ok(json!({ "reset": true }))
            }
            ("PUT", "/behaviour", _) => read(body).map(|behaviour| {
                self.set_behaviour(behaviour);
                json!({ "set": "behaviour" })
            }),
            ("PUT", _, Some(model)) => read(body)
                .and_then(|behaviour| self.set_model(model, behaviour).map_err(|full| refused(&full)))
                .map(|()| json!({ "set": model })),
            ("POST", "/script", _) => Behaviour::list_from_json(body)
                .map_err(|bad| refused(&bad))
                .and_then(|script| self.script(script).map_err(|full| refused(&full)))
                .map(|queued| json!({ "queued": queued })),
            _ => Err(Refusal::path(method, &format!("/_sim{path}"))),
        };
        match done {
            Ok(done) => Reply::json(StatusCode::OK, done.to_string()),
            Err(refusal) => Reply::refusal(&refusal),
        }
    }
}

fn read(body: &[u8]) -> Result<Behaviour, Refusal> {
    Behaviour::from_json(body).map_err(|bad: BadBehaviour| refused(&bad))
}

fn refused(error: &dyn std::error::Error) -> Refusal {
    Refusal::bad_request(error.to_string())
}
