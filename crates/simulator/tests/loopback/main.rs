//! The simulator over loopback, as a client sees it. `answers`: what goes right; `faults`: what goes wrong;
//! `control`: scripting and journal; `client`: a raw client that shows what a good one would hide.

#![allow(clippy::expect_used, reason = "helpers of tests end a test that cannot go on")]

mod answers;
mod client;
mod control;
mod faults;
