//! From the command line to settings, with what to say on the way.

use config::{Fault, Settings, Source};
use std::path::Path;

/// Settings and where they came from.
pub(crate) struct Loaded {
    pub(crate) settings: Settings,
    pub(crate) source: Source,
}

/// Finds and reads the configuration.
///
/// # Errors
/// Every fault in it.
pub(crate) fn load(explicit: Option<&Path>) -> Result<Loaded, (Source, Vec<Fault>)> {
    let source = config::locate(explicit, &variable, &Path::exists);
    let settings = match &source {
        Source::File(path) => config::load(path, &variable),
        Source::ZeroConfig => Ok(config::zero_config(&variable)),
    };
    match settings {
        Ok(settings) => Ok(Loaded { settings, source }),
        Err(faults) => Err((source, faults)),
    }
}

/// The faults of a configuration, for people.
pub(crate) fn tell(source: &Source, faults: &[Fault]) {
    let count = faults.len();
    anstream::eprint!("{}", config::render(faults, &[]));
    anstream::eprintln!("{}: {count} fault{}", name(source), if count == 1 { "" } else { "s" });
}

/// What a source is called.
pub(crate) fn name(source: &Source) -> String {
    match source {
        Source::File(path) => path.display().to_string(),
        Source::ZeroConfig => "zero-config".into(),
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
