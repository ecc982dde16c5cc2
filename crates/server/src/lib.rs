//! HTTP to clients and operators.
//!
//! Lives here: the listeners, paths, handlers, health, and the way from a reply or an error to a response.
//! Receives connections; hands calls through the stages of the rooms below.
//! Must never be here: what a request means (that is `dialects`), where it goes (`routing`), what is tried (`engine`).

mod admin;
mod app;
mod calls;
mod health;
mod intake;
mod listen;
mod live;
mod models;
mod passthrough;
mod quotas;
mod realtime;
mod respond;
mod stall;
mod targets;

pub use admin::{Admin, admin_router};
pub use app::{App, Limits, data_router};
pub use health::{Health, Phase};
pub use listen::{ListenLimits, Listener};
