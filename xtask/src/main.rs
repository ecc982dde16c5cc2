//! The one automation beside cargo: the architecture law, generated files, the bench.
//!
//! Each command is a module. No product code lives here, and no product crate is a dependency:
//! what is measured or printed is the built program.

mod bench;
mod catalogue;
mod law;
mod schema;

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::path::Path;
use std::process::ExitCode;

const EXAMPLES: &str = "Examples:
  cargo xtask law                        every rule of the house, or what breaks it
  cargo xtask schema                     write config/schema.json
  cargo xtask schema --check             compare it with what the program says
  cargo xtask catalogue prices.json --source WHENCE --date YYYY-MM-DD
                                         write crates/catalogue/models.json
  cargo xtask bench                      CPU per call beside nginx, all workloads
  cargo xtask bench --only burst --quick
  cargo xtask bench --assert             the same, failing above the limits";

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "Automation of the workspace", after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Checks the architecture law: crate arrows, bans, file heads, paths in documents
    Law,
    /// Writes the JSON Schema of the config file
    Schema(schema::Options),
    /// Writes the catalogue of models from LiteLLM's price list
    Catalogue(catalogue::Options),
    /// Measures CPU time per call of the gateway, beside nginx on the same core
    Bench(bench::Options),
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Law => law::report(root()),
        Command::Schema(options) => schema::run(root(), &options),
        Command::Catalogue(options) => catalogue::run(root(), &options),
        Command::Bench(options) => bench::run(root(), &options),
    }
}

/// The workspace this program was built from.
fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}
