//! Counting the tokens of a request, without an answer.
//!
//! Google takes what is said alone, or a whole request in a field; at Vertex AI the whole request stands where the count's
//! does. Must never be here: counting.

use crate::json::{Ends, Json, only};
use bytes::Bytes;

/// The request for an answer that `body` wants counted: as it stands there, or the body itself.
#[must_use]
pub fn counted(body: &Bytes) -> Bytes {
    let ends = Ends::default();
    let entries = std::str::from_utf8(body).ok().and_then(|text| Json::taken(text, &ends).entries());
    let whole = entries.into_iter().flatten().find(|(name, value)| is_whole(name) && value.entries().is_some());
    whole.map_or_else(|| body.clone(), |(_, value)| body.slice_ref(value.get().as_bytes()))
}

/// What Vertex AI counts of a request, in both spellings that Google takes (its discovery document, `CountTokensRequest`).
const AT_VERTEX: &[&str] =
    &["contents", "systemInstruction", "system_instruction", "tools", "generationConfig", "generation_config"];

/// `body` as Vertex AI takes it: the model stands in the path alone. One that wants no whole request counted stays as it
/// is.
#[must_use]
pub fn counted_on_vertex(body: &Bytes) -> Bytes {
    let whole = counted(body);
    match std::str::from_utf8(&whole) {
        Ok(text) if whole.as_ptr() != body.as_ptr() => only(text, AT_VERTEX).into(),
        _ => whole,
    }
}

/// The field's name in both spellings that Google takes.
fn is_whole(name: &str) -> bool {
    matches!(name, "generateContentRequest" | "generate_content_request")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_request_is_found_in_either_spelling() {
        for (body, expected) in [
            (r#"{"contents":[1]}"#, r#"{"contents":[1]}"#),
            (r#"{"a":1, "generateContentRequest" : {"contents":[2]} }"#, r#"{"contents":[2]}"#),
            (r#"{"generate_content_request":{}}"#, "{}"),
            (r#"{"generateContentRequest":null,"contents":[]}"#, r#"{"generateContentRequest":null,"contents":[]}"#),
            ("", ""),
            ("[{", "[{"),
        ] {
            assert_eq!(counted(&Bytes::from(body)), expected, "{body}");
        }
        assert_eq!(counted(&Bytes::from_static(b"\xff")), &b"\xff"[..]);
    }

    #[test]
    fn at_vertex_the_whole_request_stands_by_itself() {
        for (body, expected) in [
            (
                r#"{"generateContentRequest":{"model":"models/m","contents":[1],"toolConfig":{},"system_instruction":{}}}"#,
                r#"{"contents":[1],"system_instruction":{}}"#,
            ),
            (r#"{"contents":[1],"model":"kept"}"#, r#"{"contents":[1],"model":"kept"}"#),
        ] {
            assert_eq!(counted_on_vertex(&Bytes::from(body)), expected);
        }
    }
}
