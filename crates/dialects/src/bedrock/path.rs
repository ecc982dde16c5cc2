//! The path of a request: the model, and whether its answer is streamed, stand there and not in the body.
//!
//! Must never be here: which region or account is asked.

use crate::escaped;

/// The path of a request to `model`, its answer streamed or whole.
///
/// `model` is a model's id, the id of an inference profile, or an ARN of either; what is no letter, digit, `-`, `.`, `_`
/// or `~` in it is percent-encoded, colons and slashes too. A signer encodes the path once more.
#[must_use]
pub fn path(model: &str, stream: bool) -> String {
    let operation = if stream { "converse-stream" } else { "converse" };
    format!("/model/{}/{operation}", escaped(model))
}

/// Where inference profiles that cross regions have the models of their name (Amazon's guide to Bedrock, "Geographic
/// cross-Region inference").
const GEOGRAPHIES: [&str; 8] = ["us.", "us-gov.", "eu.", "apac.", "jp.", "au.", "ca.", "global."];

/// The path of a request to count tokens as `model` reads them: only models themselves count, whichever regions a profile
/// of theirs crosses.
#[must_use]
pub fn count_path(model: &str) -> String {
    let crossed = GEOGRAPHIES.iter().find_map(|geography| model.strip_prefix(geography));
    format!("/model/{}/count-tokens", escaped(crossed.unwrap_or(model)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_count_and_profiles_do_not() {
        for model in ["anthropic.claude-haiku-4-5-v1:0", "us.anthropic.claude-haiku-4-5-v1:0"] {
            assert_eq!(count_path(model), "/model/anthropic.claude-haiku-4-5-v1%3A0/count-tokens");
        }
    }

    #[test]
    fn models_are_encoded_whole() {
        for (model, stream, expected) in [
            ("amazon.nova-pro-v1:0", false, "/model/amazon.nova-pro-v1%3A0/converse"),
            (
                "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
                true,
                "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse-stream",
            ),
            (
                "arn:aws:bedrock:us-east-1:123456789012:inference-profile/eu.meta.llama4-v1:0",
                false,
                "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Feu.meta.llama4-v1%3A0/converse",
            ),
            ("../x?y#z é", false, "/model/..%2Fx%3Fy%23z%20%C3%A9/converse"),
        ] {
            assert_eq!(path(model, stream), expected);
        }
    }
}
