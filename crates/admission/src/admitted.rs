//! The proof that a caller's limits were asked, and the refusal.
//!
//! Travels with the call; what it holds comes back when it is dropped. Must never be here: routes, providers.

use crate::rate::{Exceeded, RequestLimits};
use crate::slot::Slot;
use crate::{Identified, callers::Caller};
use llm::{CallError, Label};
use std::time::{Duration, Instant};

/// A slot comes back when some call ends, which nobody can know: soon, for a client that asks.
const SLOT_RETRY: Duration = Duration::from_secs(1);

/// A call that its caller's limits let through. Dropping it gives the caller's slot back.
#[derive(Debug)]
pub struct Admitted {
    caller: Identified,
    limits: Option<RequestLimits>,
    _slot: Option<Slot>,
}

/// A call that its caller's limits turned down.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// What to tell the client: [`CallError::RateLimited`].
    pub error: CallError,
    /// The state of the request rate, where that was the limit.
    pub limits: Option<RequestLimits>,
}

impl From<CallError> for Refusal {
    fn from(error: CallError) -> Self {
        Self { error, limits: None }
    }
}

impl Admitted {
    pub(crate) fn new(caller: Identified, now: Instant) -> Result<Self, Refusal> {
        let slot = take_slot(&caller.0)?;
        let limits = take_request(&caller.0, now)?;
        Ok(Self { caller, limits, _slot: slot })
    }

    /// Who calls.
    #[must_use]
    pub fn caller(&self) -> &Label {
        self.caller.caller()
    }

    /// Whether the caller may use the route of this name.
    #[must_use]
    pub fn may_use(&self, route: &str) -> bool {
        self.caller.may_use(route)
    }

    /// What is left of the caller's requests per minute; `None` where there is no such limit.
    #[must_use]
    pub fn limits(&self) -> Option<RequestLimits> {
        self.limits
    }
}

fn take_slot(caller: &Caller) -> Result<Option<Slot>, Refusal> {
    let Some(slots) = &caller.slots else { return Ok(None) };
    let slot = slots.take().ok_or_else(|| {
        let limit = format!("{} at one time", counted(slots.limit(), "request"));
        Refusal { error: CallError::RateLimited { limit, retry_after: SLOT_RETRY }, limits: None }
    })?;
    Ok(Some(slot))
}

fn take_request(caller: &Caller, now: Instant) -> Result<Option<RequestLimits>, Refusal> {
    let Some(rate) = &caller.rate else { return Ok(None) };
    let limits = rate.take(now).map_err(|Exceeded { retry_after, limits }| {
        let limit = format!("{} per minute", counted(limits.limit, "request"));
        Refusal { error: CallError::RateLimited { limit, retry_after }, limits: Some(limits) }
    })?;
    Ok(Some(limits))
}

fn counted(number: u32, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Admission, CallerSettings};
    use std::num::NonZeroU32;

    fn caller(name: &str, rpm: u32, concurrency: u32) -> CallerSettings {
        CallerSettings {
            name: name.into(),
            key: format!("sk-{name}").into(),
            routes: Some(vec!["chat".into()]),
            rpm: NonZeroU32::new(rpm),
            concurrency: NonZeroU32::new(concurrency),
        }
    }

    fn limited(limit: &str, retry_after: u64) -> CallError {
        CallError::RateLimited { limit: limit.into(), retry_after: Duration::from_secs(retry_after) }
    }

    #[test]
    fn a_key_names_its_caller_and_no_other_key_names_anyone() {
        let admission = Admission::new(vec![caller("a", 0, 0), caller("b", 0, 0)]);
        for (presented, expected) in [
            (Some("sk-a"), Ok("a")),
            (Some("sk-b"), Ok("b")),
            (Some("sk-b "), Err(CallError::InvalidApiKey { presented: true })),
            (Some(""), Err(CallError::InvalidApiKey { presented: true })),
            (None, Err(CallError::InvalidApiKey { presented: false })),
        ] {
            let found = admission.identify(presented).map(|caller| caller.caller().name.to_string());
            assert_eq!(found, expected.map(str::to_owned), "{presented:?}");
        }
        let labels = admission.caller_labels();
        assert!(labels.iter().enumerate().all(|(place, label)| label.index == place));
        assert_eq!(labels.last(), Some(admission.anonymous()));
        assert_eq!(labels.iter().map(|label| &*label.name).collect::<Vec<_>>(), ["a", "b", "anonymous"]);
    }

    #[test]
    fn without_callers_everyone_is_anonymous_and_unlimited() {
        let admission = Admission::new(Vec::new());
        for presented in [None, Some("anything")] {
            let admitted = admission.identify(presented).unwrap().admit(Instant::now()).unwrap();
            assert_eq!((admitted.caller(), admitted.limits()), (admission.anonymous(), None));
            assert!(admitted.may_use("any"));
        }
    }

    #[test]
    fn limits_refuse_in_words_and_give_back_what_was_held() {
        let caller = Admission::new(vec![caller("a", 3, 1)]).identify(Some("sk-a")).unwrap();
        let now = Instant::now();
        let first = caller.admit(now).unwrap();
        assert_eq!(first.limits().map(|limits| limits.remaining), Some(2));
        assert!(first.may_use("chat") && !first.may_use("direct"));
        let crowded = caller.admit(now).unwrap_err();
        assert_eq!(crowded, Refusal { error: limited("1 request at one time", 1), limits: None });
        drop(first);
        drop(caller.admit(now).unwrap());
        drop(caller.admit(now).unwrap());
        for _ in 0..2 {
            let refusal = caller.admit(now).unwrap_err();
            assert_eq!(refusal.error, limited("3 requests per minute", 20), "and the slot is free again");
            let limits = RequestLimits { limit: 3, remaining: 0, reset: Duration::from_secs(60) };
            assert_eq!(refusal.limits, Some(limits));
        }
        caller.admit(now + Duration::from_secs(20)).unwrap();
    }
}
