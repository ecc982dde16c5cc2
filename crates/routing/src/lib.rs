//! Which targets a request may go to, in which order, and why others may not.
//!
//! Lives here: the route table, name matching, weights, the plan.
//! Receives a model name and a source of chance; hands on a [`Plan`].
//! Must never be here: time, sockets, tokio.

mod policy;

pub use policy::{ModelChoice, Policy, RouteSettings, TargetSettings, Timeouts};
