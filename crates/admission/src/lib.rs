//! Who may call, and how much.
//!
//! Lives here: keys, request rates, concurrency, and the [`Admitted`] guard that proves they were asked.
//! Receives a presented key and the time; hands on a guard or a refusal.
//! Must never be here: HTTP types, what the request says.

mod admitted;
mod callers;
mod keys;
mod policy;
mod rate;
mod slot;

pub use admitted::{Admitted, Refusal};
pub use callers::{Admission, Identified};
pub use policy::CallerSettings;
pub use rate::RequestLimits;
