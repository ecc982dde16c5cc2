//! config/schema.json: written from what the program itself says about its config file.

use anyhow::{Context, Result, bail};
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// Where the schema is kept, from the root of the workspace.
const FILE: &str = "config/schema.json";

/// Writing or checking.
#[derive(Args)]
pub(crate) struct Options {
    /// Compare instead of writing; fails where they differ
    #[arg(long)]
    check: bool,
    /// The built program to ask; without it, it is built first
    #[arg(long, value_name = "BIN")]
    program: Option<PathBuf>,
}

/// Writes the schema, or compares it with the one on disk.
pub(crate) fn run(root: &Path, options: &Options) -> Result<ExitCode> {
    let file = root.join(FILE);
    let said = ask(root, options.program.as_deref())?;
    if !options.check {
        std::fs::write(&file, said).with_context(|| format!("cannot write {FILE}"))?;
        println!("wrote {FILE}");
        return Ok(ExitCode::SUCCESS);
    }
    let kept = std::fs::read_to_string(&file).with_context(|| format!("cannot read {FILE}"))?;
    if kept == said {
        println!("{FILE} is what the program says");
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!(
        "{FILE} is not what the program says{}; write it with: cargo xtask schema",
        first_difference(&kept, &said)
    );
    Ok(ExitCode::FAILURE)
}

fn ask(root: &Path, program: Option<&Path>) -> Result<String> {
    let mut command = if let Some(program) = program {
        Command::new(program)
    } else {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["run", "--quiet", "--package", "breakwater", "--"]).current_dir(root);
        cargo
    };
    let output = command.arg("schema").stderr(Stdio::inherit()).output().context("cannot ask for the schema")?;
    if !output.status.success() {
        bail!("`breakwater schema` ended with {}", output.status);
    }
    let text = String::from_utf8(output.stdout).context("the schema is not UTF-8")?;
    serde_json::from_str::<serde_json::Value>(&text).context("the schema is not JSON")?;
    Ok(format!("{}\n", text.trim_end()))
}

fn first_difference(kept: &str, said: &str) -> String {
    let same = kept.lines().zip(said.lines()).take_while(|(kept, said)| kept == said).count();
    format!(" from line {}", same + 1)
}

#[cfg(test)]
mod tests {
    use super::first_difference;

    #[test]
    fn points_at_the_first_line_that_differs() {
        for (kept, said, line) in
            [("a\nb\n", "a\nc\n", " from line 2"), ("a\n", "a\nb\n", " from line 2"), ("", "a", " from line 1")]
        {
            assert_eq!(first_difference(kept, said), line, "{kept:?} {said:?}");
        }
    }
}
