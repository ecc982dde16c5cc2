//! `breakwater check`.

use crate::settings::{Loaded, load, name, tell};
use std::path::Path;
use std::process::ExitCode;

/// Checks a configuration and says what is wrong with it. Exit code 0 where nothing is, else 2.
pub(crate) fn run(file: Option<&Path>) -> ExitCode {
    match load(file) {
        Ok(Loaded { settings, source }) => {
            anstream::eprint!("{}", config::render(&[], &settings.warnings));
            let (providers, routes, callers) =
                (settings.providers.len(), settings.routes.len(), settings.callers.len());
            anstream::println!("{}: good. Providers {providers}, routes {routes}, callers {callers}.", name(&source));
            ExitCode::SUCCESS
        }
        Err((source, faults)) => {
            tell(&source, &faults);
            ExitCode::from(crate::BAD_CONFIG)
        }
    }
}
