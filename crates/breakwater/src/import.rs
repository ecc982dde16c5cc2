//! `breakwater import`: another gateway's configuration in our words.

use anyhow::{Context, Result};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

/// The largest file that is read, in bytes, as of ours.
const FILE_BYTES: u64 = 1 << 20;

/// Prints our configuration, and what became of each field of theirs. Exit code 2 where the file cannot be understood,
/// and 1 where `strict` forbids that a field means anything else in ours.
///
/// # Errors
/// A file that cannot be read.
pub(crate) fn litellm(file: &Path, strict: bool) -> Result<ExitCode> {
    let shown = file.display();
    let text = read(file).with_context(|| format!("cannot read {shown}"))?;
    let import = match import::litellm(&text) {
        Ok(import) => import,
        Err(why) => {
            anstream::eprintln!("error: {shown}: {why}");
            return Ok(ExitCode::from(crate::BAD_CONFIG));
        }
    };
    for finding in &import.findings {
        anstream::eprintln!("{finding}");
    }
    anstream::print!("{}", import.file);
    Ok(if strict && !import.is_exact() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn read(file: &Path) -> Result<String> {
    let mut text = String::new();
    File::open(file)?.take(FILE_BYTES + 1).read_to_string(&mut text)?;
    anyhow::ensure!(text.len() as u64 <= FILE_BYTES, "it is larger than {} KiB", FILE_BYTES >> 10);
    Ok(text)
}
