//! Which targets a request may go to, in which order, and why others may not.
//!
//! Lives here: the route table, name matching, weights, the plan.
//! Receives a model name and a source of chance; hands on a [`Plan`].
//! Must never be here: time, sockets, tokio.

mod glob;
mod labels;
mod order;
mod plan;
mod policy;
mod table;

pub use plan::{Candidate, NoRoute, Plan};
pub use policy::{ModelChoice, Policy, RouteSettings, TargetSettings, Timeouts};
pub use table::{BuildError, RouteTable};
