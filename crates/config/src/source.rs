//! Where a configuration comes from.

use crate::{Env, Fault, Settings, parse};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The largest file that is read, in bytes; with it everything in [`Settings`] is bounded.
const FILE_BYTES: u64 = 1 << 20;

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// YAML, and JSON, which is YAML.
    Yaml,
    /// TOML.
    Toml,
}

impl Format {
    /// TOML where the name ends in `.toml`, else YAML.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        let toml = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml"));
        if toml { Self::Toml } else { Self::Yaml }
    }
}

/// Which configuration to use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// This file.
    File(PathBuf),
    /// None: see [`zero_config`](crate::zero_config).
    ZeroConfig,
}

/// Chooses the configuration: `explicit`, else `$BREAKWATER_CONFIG`, else `./breakwater.yaml`,
/// else `/etc/breakwater/breakwater.yaml`, else none.
///
/// Only the last two are asked whether they exist: a file that someone named and that is not there is a fault.
#[must_use]
pub fn locate(explicit: Option<&Path>, env: Env<'_>, exists: &dyn Fn(&Path) -> bool) -> Source {
    let variable = || env("BREAKWATER_CONFIG").filter(|path| !path.is_empty()).map(PathBuf::from);
    let usual = || ["./breakwater.yaml", "/etc/breakwater/breakwater.yaml"].into_iter().map(PathBuf::from);
    explicit
        .map(Path::to_path_buf)
        .or_else(variable)
        .or_else(|| usual().find(|path| exists(path)))
        .map_or(Source::ZeroConfig, Source::File)
}

/// Reads a configuration from a file of at most 1 MiB.
///
/// # Errors
///
/// A file that cannot be read, is too large or no UTF-8, and whatever [`parse`] finds.
pub fn load(path: &Path, env: Env<'_>) -> Result<Settings, Vec<Fault>> {
    let shown = path.display();
    let bytes = read_bounded(path, FILE_BYTES)
        .map_err(|error| vec![Fault::new("", format!("cannot read {shown}: {error}"))])?;
    let text =
        String::from_utf8(bytes).map_err(|_| vec![Fault::new("", format!("{shown} is not written in UTF-8"))])?;
    parse(&text, Format::of(path), env)
}

/// The content of a file of at most `most` bytes.
pub(crate) fn read_bounded(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is larger than {} KiB", most >> 10)));
    }
    Ok(bytes)
}
