//! The command line, and which command does what.

use crate::{check, demo, explain, import, serve, simulate, verify};
use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::future::Future;
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

const EXAMPLES: &str = "Examples:
  breakwater demo                         an outage, played and survived in under a minute
  breakwater serve                        with the providers whose keys are set, or the simulator
  breakwater serve --config gateway.yaml
  breakwater check gateway.yaml           every fault with its path
  breakwater explain --route chat         where a call would go, and why
  breakwater verify --contract contract.yaml --answer answer.json
  breakwater import litellm config.yaml > breakwater.yaml
  breakwater simulate --listen 127.0.0.1:9000";

/// How long calls that still run at the very end may take to be dropped.
const PARTING: Duration = Duration::from_secs(1);

/// A gateway between applications and language model providers.
///
/// Speaks the OpenAI API, routes every call over several providers, survives their outages, and counts as success
/// only what reached the user complete, valid and in time.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the gateway
    Serve(Serve),
    /// Play an outage against the real gateway: no key, no network, under a minute
    Demo {
        /// How many times faster the calls come, 1 to 100
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
        speed: u32,
        /// No colours, whatever the terminal can show
        #[arg(long)]
        plain: bool,
    },
    /// Run a stand-alone simulated provider, scripted under /_sim
    Simulate {
        /// Where to listen; port 0 lets the system choose
        #[arg(long, default_value = "127.0.0.1:9000")]
        listen: SocketAddr,
        /// Makes it answer and fail the same way again
        #[arg(long, default_value_t = 0)]
        seed: u64,
    },
    /// Check a configuration: every fault with its path, and warnings
    Check {
        /// The file; by default the one that `serve` would use
        file: Option<PathBuf>,
    },
    /// Show where a call would go: candidates in order, how each of them is now, and why others are passed over
    Explain(Explain),
    /// Judge an answer by a contract: exit code 0 where it holds, 1 where it does not
    Verify(Verify),
    /// Print the JSON Schema of the configuration file
    Schema,
    /// Convert the configuration of another gateway: ours on standard output, a finding for each field on standard error
    #[command(subcommand)]
    Import(Import),
}

/// Whose configuration it is.
#[derive(Debug, Subcommand)]
pub(crate) enum Import {
    /// The `config.yaml` of LiteLLM's proxy
    Litellm {
        /// The file
        file: PathBuf,
        /// Fail with exit code 1 where a finding is not `exact`
        #[arg(long)]
        strict: bool,
    },
}

/// Run the gateway.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// The configuration file [default: $BREAKWATER_CONFIG, ./breakwater.yaml, /etc/breakwater/breakwater.yaml, or
    /// none: every provider whose usual key variable is set]
    #[arg(long, short)]
    pub(crate) config: Option<PathBuf>,
    /// Where clients connect, instead of what the configuration says
    #[arg(long)]
    pub(crate) listen: Option<SocketAddr>,
    /// Where metrics and administration are, instead of what the configuration says
    #[arg(long)]
    pub(crate) admin: Option<SocketAddr>,
    /// How to write logs [default: human on a terminal, else json]
    #[arg(long, env = "BREAKWATER_LOG_FORMAT")]
    pub(crate) log_format: Option<LogFormat>,
}

/// Show where a call would go.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The route's name
    #[arg(long, required_unless_present = "request")]
    pub(crate) route: Option<String>,
    /// A request body (JSON) whose `model` decides
    #[arg(long)]
    pub(crate) request: Option<PathBuf>,
    /// The configuration file, found as by `serve`
    #[arg(long, short)]
    pub(crate) config: Option<PathBuf>,
    /// The admin listener to ask how targets are, instead of the one in the configuration
    #[arg(long)]
    pub(crate) admin: Option<SocketAddr>,
}

/// Judge an answer by a contract.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// What stands under `contract` of a route, in a file (YAML, JSON or TOML)
    #[arg(long)]
    pub(crate) contract: PathBuf,
    /// The answer: a whole one (JSON), or a recorded stream
    #[arg(long)]
    pub(crate) answer: PathBuf,
    /// The request that was answered (JSON): what it demands is judged too
    #[arg(long)]
    pub(crate) request: Option<PathBuf>,
    /// The model that was meant to serve, instead of the request's
    #[arg(long)]
    pub(crate) model: Option<String>,
    /// Show what repair would make of it
    #[arg(long)]
    pub(crate) repair: bool,
    /// How to report
    #[arg(long, default_value = "text")]
    pub(crate) format: ReportFormat,
}

/// How a judgement is reported.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ReportFormat {
    /// For people
    Text,
    /// For programs
    Json,
}

/// How logs are written.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    Human,
    /// One JSON object a line
    Json,
}

impl LogFormat {
    /// What was asked for, else what fits where standard error goes.
    pub(crate) fn choose(asked: Option<Self>) -> Self {
        asked.unwrap_or(if std::io::stderr().is_terminal() { Self::Human } else { Self::Json })
    }
}

/// Carries out a command.
///
/// # Errors
/// A failure at run time. A bad configuration is no error here: it is told, and decides the exit code.
pub(crate) fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Serve(options) => serve::run(options),
        Command::Demo { speed, plain } => block_on(demo::run(speed, plain)),
        Command::Simulate { listen, seed } => block_on(simulate::run(listen, seed)),
        Command::Check { file } => Ok(check::run(file.as_deref())),
        Command::Explain(options) => block_on(explain::run(options)),
        Command::Verify(options) => Ok(verify::run(&options)),
        Command::Import(Import::Litellm { file, strict }) => import::litellm(&file, strict),
        Command::Schema => {
            anstream::println!("{:#}", config::schema());
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Runs `work` on a runtime with a thread for each processor that this process may use.
///
/// # Errors
/// What `work` says, or that no runtime could be made.
pub(crate) fn block_on(work: impl Future<Output = Result<ExitCode>>) -> Result<ExitCode> {
    let alone = std::thread::available_parallelism().is_ok_and(|processors| processors.get() == 1);
    let mut builder = if alone {
        // A second thread would only cost wake-ups.
        tokio::runtime::Builder::new_current_thread()
    } else {
        tokio::runtime::Builder::new_multi_thread()
    };
    let runtime = builder.enable_all().build().context("cannot start the runtime")?;
    let done = runtime.block_on(work);
    // Calls that still run are dropped, and dropped they are recorded: that is worth waiting for, a name lookup is not.
    runtime.shutdown_timeout(PARTING);
    done
}
