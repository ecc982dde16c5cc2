//! config/schema.json: written from what the program itself says about its config file.

use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::{Command, ExitCode};

/// Where the schema is kept, from the root of the workspace.
const FILE: &str = "config/schema.json";

/// Writes the schema, or with `check` compares it with the one on disk.
pub(crate) fn run(root: &Path, check: bool) -> Result<ExitCode> {
    let file = root.join(FILE);
    let said = ask(root)?;
    if !check {
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

fn ask(root: &Path) -> Result<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["run", "--quiet", "--package", "breakwater", "--", "schema"])
        .current_dir(root)
        .stderr(std::process::Stdio::inherit())
        .output()
        .context("cannot run cargo")?;
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
