//! The bench: CPU time per call of the gateway, beside nginx as a bare proxy on the same core.
//!
//! Receives options, starts what it measures and ends it again, hands on a table. Wall time is never
//! reported: on a shared machine only the kernel's own account of CPU time can be compared, and only
//! between processes that were driven in turn within one run.

mod driver;
mod process;
mod proxies;
mod report;
mod workload;

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, ValueEnum};
use driver::{Answer, Load};
use process::Process;
use proxies::{Gateway, Nginx, Upstream};
use report::{Report, Round};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use workload::Workload;

/// The core of what is measured, and the core of everything else.
const MEASURED: usize = 0;
const DRIVING: usize = 1;

/// What to measure, and against what.
#[derive(Args)]
pub(crate) struct Options {
    /// The gateway's binary; without it, it is built for release first
    #[arg(long, value_name = "BIN")]
    gateway: Option<PathBuf>,
    /// A running OpenAI-compatible server that knows the models unary, burst and paced, instead of the simulator
    #[arg(long, value_name = "URL")]
    upstream: Option<String>,
    /// Calls in each round of each workload
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    calls: Option<u32>,
    /// One measurement alone
    #[arg(long, value_enum)]
    only: Option<Only>,
    /// Shorter rounds
    #[arg(long)]
    quick: bool,
    /// Fail where a limit is broken
    #[arg(long)]
    assert: bool,
    /// So many more routes and targets in the gateway's configuration, which are never asked for
    #[arg(long, value_name = "N", default_value_t = 0)]
    idle_routes: usize,
    /// Leave both access logs on, written to a file (both are off otherwise)
    #[arg(long)]
    access_log: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Only {
    /// 1.4 KB request, 0.9 KB answer
    Unary,
    /// A stream of 103 events at once
    Burst,
    /// Streams of events 20 ms apart, 200 at a time
    Paced,
    /// Resident memory of the gateway before its first call
    Idle,
}

/// Measures and prints; with `--assert` fails above a limit.
pub(crate) fn run(root: &Path, options: &Options) -> Result<ExitCode> {
    let cores = std::thread::available_parallelism().context("cannot count cores")?;
    ensure!(cores.get() > DRIVING, "the bench needs two cores: one to measure on, one to drive from");
    let binary = match &options.gateway {
        Some(binary) => binary.canonicalize().with_context(|| format!("no gateway at {}", binary.display()))?,
        None => build(root)?,
    };
    pin_self()?;
    let report =
        tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(measure(&binary, options))?;
    print!("{report}");
    if !options.assert {
        return Ok(ExitCode::SUCCESS);
    }
    let broken = report.broken();
    for line in &broken {
        eprintln!("over the limit: {line}");
    }
    Ok(if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn measure(binary: &Path, options: &Options) -> Result<Report> {
    let dir = tempfile::tempdir().context("cannot make a temporary folder")?;
    let upstream = match &options.upstream {
        Some(url) => Upstream::running(url)?,
        None => Upstream::simulator(binary, dir.path()).await?,
    };
    let gateway = Gateway::start(binary, dir.path(), &upstream, options.access_log, options.idle_routes).await?;
    let mut report = Report { idle: gateway.idle_memory().await?, rows: Vec::new() };
    if options.only == Some(Only::Idle) {
        return Ok(report);
    }
    let nginx = Nginx::start(dir.path(), &upstream, options.access_log).await?;
    if nginx.is_none() {
        ensure!(!options.assert, "nginx is not installed: there is nothing to compare with");
        eprintln!("nginx is not installed: no ratios");
    }
    for workload in chosen(options.only) {
        if options.upstream.is_none() {
            driver::script(upstream.address, workload.model, &workload.behaviour()).await?;
        }
        let calls = options.calls.map_or(workload.calls(options.quick), |calls| calls as usize);
        report.rows.push(one(&workload, calls, &upstream, &gateway, nginx.as_ref()).await?);
    }
    Ok(report)
}

fn chosen(only: Option<Only>) -> Vec<Workload> {
    let named = |name: Only| only.is_none() || only == Some(name);
    let all = [(Only::Unary, Workload::UNARY), (Only::Burst, Workload::BURST), (Only::Paced, Workload::PACED)];
    all.into_iter().filter(|(name, _)| named(*name)).map(|(_, workload)| workload).collect()
}

/// Rounds of each workload; their median counts, so that ten may meet a bad moment of the machine.
const ROUNDS: usize = 21;

/// Drives gateway and nginx in turn, so that a change of the machine's mood meets both.
async fn one(
    workload: &Workload,
    calls: usize,
    upstream: &Upstream,
    gateway: &Gateway,
    nginx: Option<&Nginx>,
) -> Result<report::Row> {
    let request = workload.request();
    let load = |address| Load {
        address,
        request: &request,
        streamed: workload.streamed,
        at_once: workload.at_once,
        stagger: workload.pace,
    };
    let expected = driver::one(&load(upstream.address)).await.context("the upstream itself")?;
    let streamed = workload.streamed;
    let warm = (calls / 10).max(workload.at_once);
    driver::drive(&load(gateway.address), warm, &expected).await.context("warming the gateway")?;
    if let Some(nginx) = nginx {
        driver::drive(&load(nginx.address(streamed)), warm, &expected).await.context("warming nginx")?;
    }
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let gateway =
            cost(&gateway.process, &load(gateway.address), calls, &expected).await.context("through the gateway")?;
        let nginx = match nginx {
            Some(nginx) => Some(
                cost(&nginx.process, &load(nginx.address(streamed)), calls, &expected)
                    .await
                    .context("through nginx")?,
            ),
            None => None,
        };
        rounds.push(Round { gateway, nginx });
    }
    Ok(report::Row { workload: *workload, calls, request: request.len(), answer: expected, rounds })
}

/// CPU microseconds that `process` spent on each call.
async fn cost(process: &Process, load: &Load<'_>, calls: usize, expected: &Answer) -> Result<f64> {
    let before = process.cpu()?;
    driver::drive(load, calls, expected).await?;
    let spent = process.cpu()?.saturating_sub(before);
    Ok(spent.as_secs_f64() * 1e6 / calls as f64)
}

fn build(root: &Path) -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let done = Command::new(cargo).args(["build", "--release", "-p", "breakwater"]).current_dir(root).status()?;
    ensure!(done.success(), "the gateway does not build");
    // This program lies in <target>/debug; the gateway was built into <target>/release.
    let own = std::env::current_exe().context("cannot find the build folder")?;
    let target = own.parent().and_then(Path::parent).context("cannot find the build folder")?;
    let binary = target.join("release").join("breakwater");
    ensure!(binary.exists(), "no gateway at {}", binary.display());
    Ok(binary)
}

/// Moves this process, and with it what it starts, off the measured core.
fn pin_self() -> Result<()> {
    let pid = std::process::id().to_string();
    let output = Command::new("taskset").args(["-a", "-c", "-p", &DRIVING.to_string(), &pid]).output();
    match output.context("taskset (util-linux) is needed to pin processes to cores")? {
        done if done.status.success() => Ok(()),
        done => bail!("taskset: {}", done.stderr.escape_ascii()),
    }
}
