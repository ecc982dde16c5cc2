//! A gateway under test: a configuration in a directory of its own, the real process, its log and its metrics.
//!
//! Receives YAML; hands back answers, access-log lines and metrics. Must never be here: what any of it should be.

use crate::child::Process;
use crate::client::{Answer, Ask, Exchange, TOO_LONG, soon};
use serde_json::Value;
use std::net::SocketAddr;
use tempfile::TempDir;

/// A running gateway.
pub(crate) struct Gateway {
    pub(crate) process: Process,
    pub(crate) data: SocketAddr,
    pub(crate) admin: SocketAddr,
    directory: TempDir,
}

/// A configuration: providers of kind `openai` at these addresses, then more YAML.
pub(crate) fn config(providers: &[(&str, &str)], rest: &str) -> String {
    let providers: String =
        providers.iter().map(|(name, url)| format!("  {name}: {{ kind: openai, base_url: \"{url}\" }}\n")).collect();
    format!("providers:\n{providers}{rest}\n")
}

/// Serves the `breakwater.yaml` of the working directory on ports of its own.
const SERVE: [&str; 5] = ["serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"];

/// A directory with this `breakwater.yaml` in it.
pub(crate) fn directory(yaml: &str) -> TempDir {
    let directory = TempDir::new().expect("a directory");
    std::fs::write(directory.path().join("breakwater.yaml"), yaml).expect("a file");
    directory
}

impl Gateway {
    /// Starts one on ports of its own.
    pub(crate) async fn start(yaml: &str) -> Self {
        Self::with(yaml, &[]).await
    }

    /// Starts one on ports of its own, with these variables.
    pub(crate) async fn with(yaml: &str, variables: &[(&str, &str)]) -> Self {
        Self::within(directory(yaml), variables).await
    }

    async fn within(directory: TempDir, variables: &[(&str, &str)]) -> Self {
        let process = Process::start(directory.path(), &SERVE, variables);
        let address = |line: &str, what: &str| line.split_once(what)?.1.split('"').next()?.parse().ok();
        let admin = process.stderr.find("admin address", |line| address(line, "admin on http://")).await;
        let data = process.stderr.find("address", |line| address(line, "listening on http://")).await;
        Self { process, data, admin, directory }
    }

    /// One with a route `chat` over these providers in order, each asked for the model `m`, then more YAML.
    pub(crate) async fn chain(providers: &[(&str, &str)], rest: &str) -> Self {
        let targets: Vec<_> = providers.iter().map(|(name, _)| format!("{name}/m")).collect();
        let route = format!("routes:\n  chat: {{ targets: [{}] }}\n{rest}", targets.join(", "));
        Self::start(&config(providers, &route)).await
    }

    /// Kills it, and starts it again with the same configuration.
    pub(crate) async fn again(self) -> Self {
        let Self { process, directory, .. } = self;
        drop(process);
        Self::within(directory, &[]).await
    }

    /// Takes its configuration away.
    pub(crate) fn forget_configuration(&self) {
        std::fs::remove_file(self.directory.path().join("breakwater.yaml")).expect("a file");
    }

    /// Sends a request.
    pub(crate) async fn send(&self, ask: Ask) -> Exchange {
        ask.send(self.data).await
    }

    /// Sends a request and reads the answer to its end.
    pub(crate) async fn ask(&self, ask: Ask) -> Answer {
        self.send(ask).await.answer().await
    }

    /// The access-log line of a call.
    pub(crate) async fn record(&self, id: &str) -> Value {
        let of_call = |line: &str| {
            let line = line.contains("\"request_id\"").then(|| serde_json::from_str::<Value>(line).ok()).flatten()?;
            (line["request_id"] == id).then_some(line)
        };
        self.process.stderr.find(&format!("access-log line of {id}"), of_call).await
    }

    /// The metrics page.
    pub(crate) async fn metrics(&self) -> String {
        Ask::get("/metrics").send(self.admin).await.answer().await.text()
    }

    /// A target as `/api/targets` shows it; null where it is not shown.
    pub(crate) async fn target(&self, name: &str) -> Value {
        let page = Ask::get("/api/targets").send(self.admin).await.answer().await;
        assert_eq!(page.status, 200, "{}", page.text());
        let mut page = page.json();
        let targets = page["targets"].as_array_mut().expect("targets");
        targets.iter_mut().find(|target| target["target"] == name).map(Value::take).unwrap_or_default()
    }

    /// Waits until a target is shown in this state.
    pub(crate) async fn until_target(&self, name: &str, state: &str) -> Value {
        let waiting = async {
            loop {
                let target = self.target(name).await;
                if target["state"] == state {
                    return target;
                }
            }
        };
        soon(&format!("{name} to be {state}"), waiting).await
    }

    /// Waits until each sample, written as on the page but without the prefix, has its value.
    pub(crate) async fn expect(&self, samples: &[(&str, f64)]) {
        let mut wrong = Vec::new();
        let settled = async {
            loop {
                let page = self.metrics().await;
                let value = |name: &str| sample(&page, name).unwrap_or(f64::NAN);
                wrong = samples.iter().map(|(name, wanted)| (*name, *wanted, value(name))).collect();
                wrong.retain(|(_, wanted, value)| wanted != value);
                if wrong.is_empty() {
                    return;
                }
            }
        };
        // A metric may follow its log line by a moment.
        if tokio::time::timeout(TOO_LONG / 4, settled).await.is_err() {
            panic!("sample, wanted, found: {wrong:#?}");
        }
    }
}

/// The value of a sample on a metrics page.
pub(crate) fn sample(page: &str, name: &str) -> Option<f64> {
    let mut ours = page.lines().filter_map(|line| line.strip_prefix("breakwater_"));
    ours.find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}
