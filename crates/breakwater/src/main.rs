//! The breakwater command: wiring, serve, demo, check, explain.
fn main() {}
