//! `breakwater serve`: the life of the process.

use crate::cli::{LogFormat, Serve, block_on};
use crate::gateway::Gateway;
use crate::settings::{Loaded, load, tell};
use anyhow::{Context, Result};
use config::{Drain, Fault, Provider, Settings, Source};
use engine::Sink;
use server::{Health, Phase};
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use telemetry::{AccessLog, Format, LogSink, TargetLog};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Runs the gateway until it is told to stop.
///
/// # Errors
/// Anything that keeps it from starting, but for a bad configuration, which decides the exit code.
pub(crate) fn run(options: Serve) -> Result<ExitCode> {
    let Serve { config, listen, admin, log_format } = options;
    let loaded = load(config.as_deref()).and_then(|Loaded { settings, source }| {
        let settings = settings.listening(listen, admin).map_err(|faults| (source.clone(), faults))?;
        Ok(Loaded { settings, source })
    });
    let Loaded { settings, source } = match loaded {
        Ok(loaded) => loaded,
        Err((source, faults)) => {
            tell(&source, &faults);
            return Ok(ExitCode::from(crate::BAD_CONFIG));
        }
    };
    let format = match LogFormat::choose(log_format) {
        LogFormat::Human => Format::Human,
        LogFormat::Json => Format::Json,
    };
    let log = LogSink::stderr().context("cannot start the log writer")?;
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    telemetry::init_logs(format, log.clone(), colour).context("cannot start logging")?;
    let done = block_on(serve(settings, &source, format, log.clone(), colour));
    log.flush();
    done
}

async fn serve(settings: Settings, source: &Source, format: Format, log: LogSink, colour: bool) -> Result<ExitCode> {
    // Before anything is announced: whoever reads the announcement may already send signals.
    let signals = Signals::listen()?;
    let drain = settings.drain;
    let greeting = Greeting::of(&settings, source);
    let access: Arc<dyn Sink> = Arc::new(AccessLog::new(log.clone(), format, colour));
    let targets: Arc<dyn Sink> = Arc::new(TargetLog::default());
    let gateway = Gateway::build(settings, vec![access, targets], Some(&log)).await?;
    let models = gateway.models();
    greeting.say(format, gateway.address()?, gateway.admin_address()?, &models);
    let health = gateway.health();
    let running = tokio::spawn(gateway.run());
    let patience = run_down(signals, health, drain);
    tokio::select! {
        ended = running => ended.context("the gateway ended by a fault of its own")?,
        () = patience => {}
    }
    tracing::info!(target: "breakwater", "stopped");
    Ok(ExitCode::SUCCESS)
}

/// What is said at start.
struct Greeting {
    notes: Vec<String>,
    /// Calls need a caller's key.
    keyed: bool,
}

impl Greeting {
    fn of(settings: &Settings, source: &Source) -> Self {
        let mut notes = vec![match source {
            Source::File(path) => format!("configuration: {}", path.display()),
            Source::ZeroConfig => "no configuration file: serving what the environment has keys for".into(),
        }];
        let simulated = |provider: &Provider| matches!(provider, Provider::Simulated { .. });
        if matches!(source, Source::ZeroConfig) && settings.providers.iter().all(simulated) {
            notes.push(
                "no provider key is set (OPENAI_API_KEY, MISTRAL_API_KEY, ...): answers come from the built-in simulator"
                    .into(),
            );
        }
        notes.extend(settings.warnings.iter().map(|Fault { path, message }| format!("warning: {path}: {message}")));
        Self { notes, keyed: !settings.callers.is_empty() }
    }

    fn say(&self, format: Format, data: SocketAddr, admin: SocketAddr, models: &[String]) {
        let listening = format!("listening on http://{data}");
        let administered = format!("admin on http://{admin}");
        if format == Format::Json {
            for line in self.notes.iter().chain([&administered, &listening]) {
                tracing::info!(target: "breakwater", "{line}");
            }
            return;
        }
        let model = models.first().map_or("MODEL", String::as_str);
        anstream::eprintln!("breakwater {}", env!("CARGO_PKG_VERSION"));
        for note in &self.notes {
            anstream::eprintln!("  {note}");
        }
        anstream::eprintln!("  {administered} (metrics under /metrics)");
        anstream::eprintln!("  {listening}");
        let key = if self.keyed { " -H \"authorization: Bearer $KEY\"" } else { "" };
        anstream::eprintln!(
            "\nTry it:\n  curl http://{data}/v1/chat/completions -H 'content-type: application/json'{key} \\"
        );
        anstream::eprintln!(
            "    -d '{{\"model\":\"{model}\",\"messages\":[{{\"role\":\"user\",\"content\":\"Hello\"}}]}}'\n"
        );
    }
}

/// The signals that end the process.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

/// How the process was asked to end.
enum Asked {
    /// By an orchestrator, which needs time to notice.
    Terminate,
    /// By a person at the keyboard.
    Interrupt,
}

impl Signals {
    fn listen() -> Result<Self> {
        let listen = |kind| signal(kind).context("cannot listen for signals");
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.terminate.recv() => Asked::Terminate,
            _ = self.interrupt.recv() => Asked::Interrupt,
        }
    }
}

/// Moves the gateway through its phases once asked; resolves when patience is over.
async fn run_down(mut signals: Signals, health: Health, drain: Drain) {
    let linger = match signals.next().await {
        Asked::Terminate => drain.linger,
        Asked::Interrupt => std::time::Duration::ZERO,
    };
    health.advance(Phase::Lingering);
    tracing::info!(target: "breakwater", linger_s = linger.as_secs_f64(), "stopping: unready, still accepting");
    let patience = async {
        tokio::time::sleep(linger).await;
        health.advance(Phase::Draining);
        tracing::info!(target: "breakwater", timeout_s = drain.timeout.as_secs_f64(), "draining: finishing what runs");
        tokio::time::sleep(drain.timeout).await;
        tracing::warn!(target: "breakwater", "drain timeout over: dropping what still runs");
    };
    tokio::select! {
        () = patience => {}
        _ = signals.next() => tracing::warn!(target: "breakwater", "told twice: ending at once"),
    }
    health.advance(Phase::Ending);
}
