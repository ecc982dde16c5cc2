//! What stands between the driver and the provider: the gateway, and nginx as the bare proxy to compare with.

use super::driver;
use super::process::Process;
use super::{DRIVING, MEASURED};
use anyhow::{Context, Result};
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The provider that both proxies call.
pub(super) struct Upstream {
    pub(super) address: SocketAddr,
    _process: Option<Process>,
}

impl Upstream {
    /// Somebody else's server, named by `http://ADDRESS[/v1]`.
    pub(super) fn running(url: &str) -> Result<Self> {
        let address = url.trim_end_matches('/').trim_end_matches("/v1").trim_start_matches("http://");
        let address = address.parse().with_context(|| format!("{url}: not http://ADDRESS:PORT"))?;
        Ok(Self { address, _process: None })
    }

    /// The gateway's own simulator, off the measured core.
    pub(super) async fn simulator(binary: &Path, dir: &Path) -> Result<Self> {
        let arguments = ["simulate", "--listen", "127.0.0.1:0"].map(OsString::from);
        let mut process = Process::start_with(
            "simulator",
            DRIVING,
            dir,
            binary,
            &arguments,
            &[("RUST_LOG", "breakwater=info,breakwater::access=off,warn")],
        )?;
        Ok(Self { address: process.address("listening on").await?, _process: Some(process) })
    }
}

/// The gateway with a provider, a spare, and a route for each workload.
pub(super) struct Gateway {
    pub(super) address: SocketAddr,
    pub(super) process: Process,
}

impl Gateway {
    pub(super) async fn start(
        binary: &Path,
        dir: &Path,
        upstream: &Upstream,
        access_log: bool,
        idle_routes: usize,
    ) -> Result<Self> {
        let config = dir.join("breakwater.yaml");
        std::fs::write(&config, gateway_config(upstream.address, idle_routes))?;
        let arguments = ["serve".into(), "--config".into(), config.into_os_string()];
        // The program's own lines say where it listens; a line per call comes from elsewhere.
        let filter = if access_log { "info" } else { "breakwater=info,breakwater::access=off,warn" };
        let mut process = Process::start_with("gateway", MEASURED, dir, binary, &arguments, &[("RUST_LOG", filter)])?;
        let address = process.address("listening on").await?;
        driver::probe(address, "/readyz").await.context("the gateway is not ready")?;
        Ok(Self { address, process })
    }

    /// Resident memory before the first call, in bytes.
    pub(super) async fn idle_memory(&self) -> Result<u64> {
        // What start-up leaves to background threads is done by then.
        tokio::time::sleep(Duration::from_secs(1)).await;
        self.process.resident()
    }
}

/// `idle_routes` more routes, each with a target of its own, are never asked for: they must cost nothing.
fn gateway_config(upstream: SocketAddr, idle_routes: usize) -> String {
    let idle: String =
        (0..idle_routes).map(|route| format!("  idle{route}: {{ targets: [sim/idle{route}] }}\n")).collect();
    format!(
        "listen: 127.0.0.1:0
admin: {{ listen: 127.0.0.1:0 }}
providers:
  sim: {{ kind: openai, base_url: \"http://{upstream}/v1\", api_key: bench-key-1 }}
  spare: {{ kind: openai, base_url: \"http://{upstream}/v1\", api_key: bench-key-2 }}
routes:
  unary: {{ targets: [sim/unary, spare/unary] }}
  burst: {{ targets: [sim/burst, spare/burst] }}
  paced: {{ targets: [sim/paced, spare/paced] }}
{idle}"
    )
}

/// nginx with one worker, keep-alive on both sides, and nothing else switched on.
pub(super) struct Nginx {
    pub(super) process: Process,
    whole: SocketAddr,
    streamed: SocketAddr,
}

impl Nginx {
    /// Starts it; `None` where it is not installed.
    pub(super) async fn start(dir: &Path, upstream: &Upstream, access_log: bool) -> Result<Option<Self>> {
        let Some(program) = installed("nginx") else { return Ok(None) };
        let (whole, streamed) = (free_address()?, free_address()?);
        let config = dir.join("nginx.conf");
        std::fs::write(&config, nginx_config(dir, upstream.address, whole, streamed, access_log))?;
        let arguments = [
            "-p".into(),
            dir.as_os_str().to_owned(),
            "-e".into(),
            "stderr".into(),
            "-c".into(),
            config.into_os_string(),
        ];
        let mut process = Process::start("nginx", MEASURED, dir, &program, &arguments)?;
        process.accepts(whole).await?;
        Ok(Some(Self { process, whole, streamed }))
    }

    /// Streams are forwarded unbuffered, which nginx decides by listener.
    pub(super) fn address(&self, streamed: bool) -> SocketAddr {
        if streamed { self.streamed } else { self.whole }
    }
}

/// Debian keeps nginx where only root's search path leads.
fn installed(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from));
    folders.map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// nginx cannot listen on port 0 and say which it got.
fn free_address() -> Result<SocketAddr> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// `master_process off` makes the one worker the process itself: one id to measure and to end.
fn nginx_config(dir: &Path, upstream: SocketAddr, whole: SocketAddr, streamed: SocketAddr, access_log: bool) -> String {
    let dir = dir.display();
    let log = if access_log { format!("{dir}/nginx-access.log") } else { "off".to_owned() };
    let server = |address: SocketAddr, buffering: &str| {
        format!(
            "server {{
    listen {address};
    location / {{
      proxy_pass http://provider;
      proxy_http_version 1.1;
      proxy_set_header Connection \"\";
      proxy_buffering {buffering};
    }}
  }}"
        )
    };
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let temporary: String = temporary.iter().map(|kind| format!("{kind}_temp_path {dir}/{kind};\n  ")).collect();
    format!(
        "daemon off;
master_process off;
worker_processes 1;
pid {dir}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 2048; }}
http {{
  access_log {log};
  {temporary}keepalive_requests 100000000;
  keepalive_timeout 300s;
  upstream provider {{
    server {upstream};
    keepalive 512;
    keepalive_requests 100000000;
  }}
  {}
  {}
}}
",
        server(whole, "on"),
        server(streamed, "off"),
    )
}

#[cfg(test)]
mod tests {
    use super::Upstream;

    #[test]
    fn an_upstream_is_named_by_its_address() {
        for (url, good) in [
            ("http://127.0.0.1:9000", true),
            ("http://127.0.0.1:9000/v1/", true),
            ("127.0.0.1:9000", true),
            ("https://127.0.0.1:9000", false),
            ("http://example.org", false),
        ] {
            assert_eq!(Upstream::running(url).is_ok(), good, "{url}");
        }
    }
}
