//! The whole gateway, as a client sees it: the real binary over loopback, between simulated providers.
//!
//! Where a new test belongs: `failover`, what a provider does before the first content; `midstream`, after it, where
//! nobody goes on; `going_on`, where somebody does; `faults`, one fault of the numbered catalogue (its head has the
//! table); `breakers`, what many of them do to a target; `quotas`, throttling, spending and keys; `overload`, more calls
//! than can be served; `balance`, which target is chosen and what is left where none answers; `passthrough`, which bytes
//! reach whom; `cancel`, clients that leave; `timeouts`, clocks; `tls`, certificates; `input`, requests that are wrong or
//! hostile; `admission`, who may call and how much; `routing`, which target a model name leads to and with which key;
//! `live`, Gemini's talks in real time; `process`, commands, exit codes, signals; `contracts`, answers that are wrong; `webhook`, what others say of them, and
//! what is taken out of them; `verify`, answers judged offline; `observe`, metrics, the admin listener and the access log.
//! Of clouds: `clouds`, where models are and how they are paid; `vertex`, tokens that are asked for.
//! Of dialects: `same_dialect`, bytes and keys; `recordings`, real answers replayed to clients of each; `crossed` and
//! `crossed_flow`, clients over providers of other dialects, `completions` those that want a text completed; `refused`, how
//! each kind refuses; `clouds` and `signed`, where clouds are asked and by whose
//! leave.
//! Tests stand on `gateway` (a configuration, its process, log and metrics), `child` (any command), `client` (raw HTTP),
//! `provider` (simulators and raw servers), `socket` (websockets), `dialect`, `speech` and `heard` (how clients ask, what
//! providers say, and what comes of it); `turn` gives those that measure the machine to themselves. Every wait is
//! for an event and bounded; no test sleeps until something has probably happened. (Loads leave at their times, and a
//! stopped process stays stopped for a while.)

#![allow(clippy::expect_used, reason = "helpers of tests end a test that cannot go on")]

mod admission;
mod balance;
mod breakers;
mod cancel;
mod child;
mod client;
mod clouds;
mod completions;
mod contracts;
mod crossed;
mod crossed_flow;
mod dialect;
mod failover;
mod faults;
mod gateway;
mod going_on;
mod heard;
mod input;
mod listed;
mod live;
mod midstream;
mod observe;
mod operations;
mod overload;
mod passthrough;
mod process;
mod provider;
mod quotas;
mod recordings;
mod refused;
mod routing;
mod same_dialect;
#[cfg(feature = "aws")]
mod signed;
mod socket;
mod speech;
mod timeouts;
mod tls;
mod turn;
mod verify;
mod vertex;
mod webhook;
