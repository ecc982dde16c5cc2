//! The simulator over loopback, as a client sees it. `answers`: what goes right; `faults`: what goes wrong;
//! `control`: scripting and journal; `limits`: capacity, quota and what else a provider adds; `client`: a raw client that shows what a good one would hide.

#![allow(clippy::expect_used, reason = "helpers of tests end a test that cannot go on")]

mod answers;
mod client;
mod control;
mod faults;
mod limits;
