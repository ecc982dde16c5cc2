//! `breakwater simulate`: a provider to play and test with.

use anyhow::{Context, Result};
use simulator::{Settings, Simulator};
use std::net::SocketAddr;
use std::process::ExitCode;
use tokio::net::TcpListener;

/// Serves a simulated provider until interrupted.
///
/// # Errors
/// The address cannot be listened on.
pub(crate) async fn run(listen: SocketAddr, seed: u64) -> Result<ExitCode> {
    let listener = TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
    let address = listener.local_addr().context("cannot tell the address")?;
    anstream::eprintln!("simulated provider listening on http://{address}");
    anstream::eprintln!("its API is under /v1; curl http://{address}/_sim tells how to script it");
    let simulator = Simulator::new(Settings { seed, ..Settings::default() });
    tokio::select! {
        () = simulator.serve(listener) => {}
        signal = stop() => signal?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Waits for an interrupt or a request to end.
async fn stop() -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for signals")?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.context("cannot listen for signals"),
        _ = terminate.recv() => Ok(()),
    }
}
