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

#[cfg(test)]
mod tests {
    use config::Format;

    #[test]
    fn every_configuration_that_the_readme_shows_is_good() {
        let readme = include_str!("../../../README.md");
        let shown: Vec<&str> = readme.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
        assert!(shown.len() > 1, "the README shows configurations");
        for file in shown {
            let settings = config::parse(file, Format::Yaml, &|_| Some("a-key-of-some-length".into()));
            let warnings = settings.map_or_else(|faults| faults, |settings| settings.warnings);
            assert!(warnings.is_empty(), "{}", config::render(&warnings, &[]));
        }
    }
}
