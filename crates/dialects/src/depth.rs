//! How deeply a JSON text nests, found without building anything.
//!
//! A body of ten million brackets is refused before any parser sees it.

use crate::json::after_string;

/// The deepest nesting taken from a client, as in `serde_json`.
pub(crate) const MAX_DEPTH: usize = 128;

/// Whether brackets outside strings nest deeper than [`MAX_DEPTH`].
///
/// Reads each byte at most once and stops at the first bracket too many; says nothing of validity.
pub(crate) fn too_deep(json: &[u8]) -> bool {
    let mut depth = 0usize;
    let mut at = 0;
    while let Some(&byte) = json.get(at) {
        at += 1;
        match byte {
            b'"' => at = after_string(json, at),
            b'[' | b'{' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return true;
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_count_only_outside_strings() {
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        for (text, deep) in [
            (nested(MAX_DEPTH), false),
            (nested(MAX_DEPTH + 1), true),
            ("[".repeat(10_000_000), true),
            (format!("{{\"a\":\"{}\"}}", "[".repeat(500)), false),
            (format!("[\"\\\"{}\"]", "[".repeat(500)), false),
            ("[]".repeat(500), false),
            ("\"unclosed".into(), false),
            ("\"\\".into(), false),
        ] {
            assert_eq!(too_deep(text.as_bytes()), deep, "{text:.40}");
        }
    }
}
