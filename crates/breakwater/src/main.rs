//! The `breakwater` command.
//!
//! Lives here: the command line, the wiring of the rooms into a gateway, the life of the process.
//! Must never be here: anything a call depends on once it is under way.

mod check;
mod cli;
mod demo;
mod explain;
mod gateway;
mod http_client;
mod import;
mod serve;
mod settings;
mod simulate;
mod verify;

use clap::Parser;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Bad usage or bad configuration.
const BAD_CONFIG: u8 = 2;

fn main() -> ExitCode {
    match cli::run(cli::Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            anstream::eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
