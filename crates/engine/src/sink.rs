//! Where finished calls go.

use llm::{CallRecord, Label};
use resilience::Transition;

/// Something that wants to know of calls: metrics, the access log, later a ledger.
///
/// Called on the request path: must neither block nor wait.
pub trait Sink: Send + Sync {
    /// A call was given to a route.
    fn opened(&self, route: &Label);
    /// A call that had been given to a route is over, however it ended.
    fn released(&self, route: &Label);
    /// Everything there is to say about a call that is over, routed or not.
    fn record(&self, record: &CallRecord);
    /// A target's breaker moved.
    fn moved(&self, target: &Label, transition: &Transition) {
        let _ = (target, transition);
    }
}
