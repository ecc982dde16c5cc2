//! The process's own events: start, reload, drain, faults. `RUST_LOG` says which; `info` by default.
//!
//! Must never be here: one line per call (that is the access log's).

use super::timestamp::Timestamp;
use super::{Format, LogSink};
use serde_json::{Map, Value};
use std::fmt;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{EnvFilter, Layer};

/// Sends the process's events to `sink`, once per process. A directive in `RUST_LOG` that cannot be read is
/// skipped. Flush the sink before the process ends: this subscriber holds it for good.
///
/// # Errors
/// Somebody did so before.
pub fn init_logs(format: Format, sink: LogSink, colour: bool) -> Result<(), TryInitError> {
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env_lossy();
    tracing_subscriber::registry().with(filter).with(layer(format, sink, colour)).try_init()
}

fn layer<S>(format: Format, sink: LogSink, colour: bool) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let layer = tracing_subscriber::fmt::layer().with_writer(sink);
    match format {
        Format::Human => layer.with_ansi(colour).boxed(),
        Format::Json => layer.with_ansi(false).event_format(JsonLines).boxed(),
    }
}

/// The same first fields as in the access log, so that one query reads both.
struct JsonLines;

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut line = Fields::default();
        line.set("ts", Timestamp::now().to_string());
        line.set("level", level(*event.metadata().level()));
        line.set("target", event.metadata().target());
        event.record(&mut line);
        writeln!(out, "{}", Value::Object(line.0))
    }
}

const fn level(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn set(&mut self, name: &str, value: impl Into<Value>) {
        let name = if name == "message" { "msg" } else { name };
        self.0.insert(name.to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field.name(), value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field.name(), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field.name(), value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field.name(), value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.set(field.name(), format!("{value:?}"));
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::AccessLog;
    use engine::Sink;
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Seen(Arc<Mutex<Vec<u8>>>);

    impl Write for Seen {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What reaches the output when `what` happens under `RUST_LOG=directives`.
    pub(in super::super) fn logged(format: Format, directives: &str, what: impl FnOnce(&AccessLog)) -> String {
        let seen = Seen::default();
        let sink = LogSink::new(seen.clone()).unwrap();
        let access = AccessLog::new(sink.clone(), format, false);
        let subscriber =
            tracing_subscriber::registry().with(EnvFilter::new(directives)).with(layer(format, sink.clone(), false));
        tracing::subscriber::with_default(subscriber, || what(&access));
        sink.flush();
        let bytes = seen.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn an_event_is_one_line() {
        let event = |_: &AccessLog| tracing::warn!(port = 8080_u64, reason = %"in use", "cannot\nlisten");
        let json: Value = serde_json::from_str(&logged(Format::Json, "info", event)).unwrap();
        let text = |name: &str| json[name].as_str().unwrap();
        assert_eq!((text("level"), text("msg"), text("reason")), ("warn", "cannot\nlisten", "in use"));
        assert_eq!((json["port"].as_u64(), text("ts").len()), (Some(8080), 27));
        let human = logged(Format::Human, "info", |_| tracing::info!(port = 8080, "listening"));
        assert!(human.ends_with("INFO telemetry::logs::process::tests: listening port=8080\n"), "{human}");
    }

    #[test]
    fn rust_log_chooses_what_is_written() {
        let call = |access: &AccessLog| {
            tracing::debug!("detail");
            access.record(&crate::samples::unrouted());
        };
        for (directives, lines) in [("info", 1), ("debug", 2), ("info,breakwater::access=off", 0), ("off", 0)] {
            assert_eq!(logged(Format::Json, directives, call).lines().count(), lines, "{directives}");
        }
    }
}
