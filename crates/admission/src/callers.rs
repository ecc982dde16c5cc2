//! The callers, and which of them presented a key.
//!
//! Receives the configured callers once; hands on an [`Identified`] caller per presented key.
//! Must never be here: where in a request the key stands.

use crate::keys::Keys;
use crate::rate::Rate;
use crate::slot::Slots;
use crate::{Admitted, CallerSettings, Refusal};
use llm::{CallError, Label};
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

/// Everyone who may call. Without any, everyone may, and is `anonymous`.
pub struct Admission {
    keys: Keys,
    /// In the order of the keys.
    callers: Vec<Identified>,
    anonymous: Identified,
}

/// A caller whose key was recognised. Cheap to clone.
#[derive(Clone)]
pub struct Identified(pub(crate) Arc<Caller>);

pub(crate) struct Caller {
    pub(crate) label: Label,
    pub(crate) routes: Option<HashSet<Arc<str>>>,
    pub(crate) rate: Option<Rate>,
    pub(crate) slots: Option<Arc<Slots>>,
}

impl Admission {
    /// Takes the callers as configured; their keys are kept as digests only.
    #[must_use]
    pub fn new(callers: Vec<CallerSettings>) -> Self {
        let keys = Keys::new(callers.iter().map(|caller| &caller.key));
        let label = Label::new(callers.len(), "anonymous");
        let anonymous = Identified(Arc::new(Caller { label, routes: None, rate: None, slots: None }));
        let callers = callers.into_iter().enumerate().map(|(place, caller)| Identified::new(place, caller));
        Self { keys, callers: callers.collect(), anonymous }
    }

    /// Whose key this is. Takes equally long whichever it is, and whether it is anyone's.
    ///
    /// # Errors
    /// [`CallError::InvalidApiKey`] where callers are configured and the key is none of theirs, or missing.
    pub fn identify(&self, presented: Option<&str>) -> Result<Identified, CallError> {
        if self.callers.is_empty() {
            return Ok(self.anonymous.clone());
        }
        let key = presented.ok_or(CallError::InvalidApiKey { presented: false })?;
        let caller = self.keys.place_of(key).and_then(|place| self.callers.get(place));
        caller.cloned().ok_or(CallError::InvalidApiKey { presented: true })
    }

    /// Whether anybody may call, with a key or without.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.callers.is_empty()
    }

    /// Every label a call's caller may have; each stands at its own index, `anonymous` at the end.
    #[must_use]
    pub fn caller_labels(&self) -> Vec<Label> {
        self.callers.iter().chain([&self.anonymous]).map(|caller| caller.0.label.clone()).collect()
    }

    /// The label of calls whose caller is not known, or not yet.
    #[must_use]
    pub fn anonymous(&self) -> &Label {
        self.anonymous.caller()
    }
}

impl Identified {
    fn new(place: usize, settings: CallerSettings) -> Self {
        Self(Arc::new(Caller {
            label: Label::new(place, settings.name),
            routes: settings.routes.map(|routes| routes.into_iter().collect()),
            rate: settings.rpm.map(Rate::per_minute),
            slots: settings.concurrency.map(|limit| Slots::new(limit.get())),
        }))
    }

    /// Who it is.
    #[must_use]
    pub fn caller(&self) -> &Label {
        &self.0.label
    }

    /// Whether the caller may use the route of this name.
    #[must_use]
    pub fn may_use(&self, route: &str) -> bool {
        self.0.routes.as_ref().is_none_or(|routes| routes.contains(route))
    }

    /// Takes a place among the caller's calls at one time, then one of its requests per minute.
    ///
    /// # Errors
    /// A limit is reached. A call refused for want of a place costs no request.
    pub fn admit(&self, now: Instant) -> Result<Admitted, Refusal> {
        Admitted::new(self.clone(), now)
    }
}

impl fmt::Debug for Identified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Identified").field(&self.0.label).finish()
    }
}
