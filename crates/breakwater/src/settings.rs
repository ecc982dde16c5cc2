//! From the command line to settings, with what to say on the way.

use config::{Fault, Provider, Settings, Source};
use simulator::Behaviour;
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
        Source::ZeroConfig => config::zero_config(&variable),
    };
    match settings.and_then(with_sound_behaviours) {
        Ok(settings) => Ok(Loaded { settings, source }),
        Err(faults) => Err((source, faults)),
    }
}

/// Judges what `config` passes on untouched: how simulated providers are to behave.
fn with_sound_behaviours(settings: Settings) -> Result<Settings, Vec<Fault>> {
    let fault = |provider: &Provider| match provider {
        Provider::Simulated { name, behaviour: Some(behaviour) } => {
            let error = Behaviour::from_json(behaviour.to_string().as_bytes()).err()?;
            Some(Fault { path: format!("providers.{name}.behaviour"), message: error.to_string() })
        }
        Provider::Simulated { .. } | Provider::Http(_) => None,
    };
    let faults: Vec<Fault> = settings.providers.iter().filter_map(fault).collect();
    if faults.is_empty() { Ok(settings) } else { Err(faults) }
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
