//! Which targets a request may go to, in which order, and why others may not.
//!
//! Lives here: the route table, name matching, balancing, the plan.
//! Receives a model name and a [`Pick`]; hands on a [`Plan`].
//! Must never be here: time, sockets, tokio.

mod facts;
mod glob;
mod order;
mod pick;
mod plan;
mod policy;
mod seats;
mod table;
mod target;

pub use facts::{Listed, ModelFacts, ProviderFacts};
pub use pick::{Load, Loads, NoLoads, Pick};
pub use plan::{Candidate, MAX_CANDIDATES, NoRoute, Plan, Resort};
pub use policy::{
    Balance, Hedge, HedgeAfter, LastResort, ModelChoice, OnRefusal, Policy, RecoverStream, RouteSettings,
    TargetSettings, Timeouts,
};
pub use seats::TargetSeat;
pub use table::{BuildError, RouteTable};
