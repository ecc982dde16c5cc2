//! Who may call, and how much.
//!
//! Lives here: keys, request rates, concurrency, and the [`Admitted`] guard that proves they were asked.
//! Receives a presented key; hands on a guard or a refusal.
//! Must never be here: HTTP types, what the request says.

mod policy;

pub use policy::CallerSettings;
