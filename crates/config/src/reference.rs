//! References to values outside the file: `${NAME}`, `${NAME:-default}`, `os.environ/NAME`, `{env: NAME}`, `{file: PATH}`.
//!
//! References are replaced scalar by scalar after the file was parsed, so that no value can change its structure.
//! Errors name the variable or the file, never what they hold.

use crate::Env;
use crate::fault::quote;
use crate::reader::Words;
use crate::source::read_bounded;
use std::path::Path;

/// The largest `{file: PATH}`, in bytes.
const SECRET_FILE_BYTES: u64 = 64 << 10;

/// `text` with its references replaced; a `$` before anything but `{` is a plain character, `$${` stands for `${`.
pub(crate) fn expand(text: &str, env: Env<'_>) -> Result<String, Vec<String>> {
    if let Some(name) = text.strip_prefix("os.environ/") {
        return variable(name, env).map_err(|error| vec![error]);
    }
    let mut done = String::new();
    let mut errors = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let (before, from) = rest.split_at(start);
        if let Some(kept) = before.strip_suffix('$') {
            done.push_str(kept);
            done.push_str("${");
            rest = &from[2..];
            continue;
        }
        done.push_str(before);
        let Some(end) = from.find('}') else {
            errors.push("`${` has no closing `}`".to_owned());
            return Err(errors);
        };
        match reference(&from[2..end], env) {
            Ok(value) => done.push_str(&value),
            Err(error) => errors.push(error),
        }
        rest = &from[end + 1..];
    }
    done.push_str(rest);
    if errors.is_empty() { Ok(done) } else { Err(errors) }
}

fn reference(inside: &str, env: Env<'_>) -> Result<String, String> {
    match inside.split_once(":-") {
        Some((name, default)) => {
            named(name)?;
            Ok(env(name).filter(|value| !value.is_empty()).unwrap_or_else(|| default.to_owned()))
        }
        None => variable(inside, env),
    }
}

/// The value of a variable that must be set.
pub(crate) fn variable(name: &str, env: Env<'_>) -> Result<String, String> {
    named(name)?;
    env(name).ok_or_else(|| format!("the variable {name} is not set"))
}

fn named(name: &str) -> Result<(), String> {
    let starts = name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    if starts && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return Ok(());
    }
    Err("a reference must name a variable: letters, digits and `_`".to_owned())
}

/// The content of a file without the newline editors leave at its end.
pub(crate) fn file(path: &Words) -> Result<String, String> {
    let shown = quote(&path.written);
    let bytes = read_bounded(Path::new(&path.value), SECRET_FILE_BYTES)
        .map_err(|error| format!("cannot read the file {shown}: {error}"))?;
    let text = String::from_utf8(bytes).map_err(|_| format!("the file {shown} is not written in UTF-8"))?;
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_replaced_and_plain_dollars_stay() {
        let env = |name: &str| match name {
            "A" => Some("alpha".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        for (text, expected) in [
            ("plain", Ok("plain")),
            ("${A}", Ok("alpha")),
            ("x-${A}-${A}", Ok("x-alpha-alpha")),
            ("${B:-beta}", Ok("beta")),
            ("${EMPTY:-beta}", Ok("beta")),
            ("${B:-}", Ok("")),
            ("os.environ/A", Ok("alpha")),
            ("pa$$word$A$", Ok("pa$$word$A$")),
            ("$${A}", Ok("${A}")),
            ("${B} ${C}", Err(vec!["the variable B is not set", "the variable C is not set"])),
            ("${A", Err(vec!["`${` has no closing `}`"])),
            ("${}", Err(vec!["a reference must name a variable: letters, digits and `_`"])),
            ("os.environ/B", Err(vec!["the variable B is not set"])),
        ] {
            let expected = expected.map(str::to_owned).map_err(|e| e.into_iter().map(str::to_owned).collect());
            assert_eq!(expand(text, &env), expected, "{text}");
        }
    }
}
