//! What a client calls the fields that are nouns of ours.
//!
//! Writers name them in the words of OpenAI's chat dialect, whoever asks; whoever is told what became of a field looks for
//! it in its own request. Must never be here: fields that are no noun, which have the client's names already.

use llm::{Dialect, Prompt};

/// Our words, and a dialect's own.
type Words = &'static [(&'static str, &'static str)];

/// The wish to think stands there under several names, of which OpenAI's is the one that all know.
const CHAT: Words = &[
    ("content", "messages"),
    ("image", "image_url"),
    ("system", "messages"),
    ("thinking", "reasoning_effort"),
    ("title", "filename"),
];

const ANTHROPIC: Words = &[
    ("budget_tokens", "thinking.budget_tokens"),
    ("content", "messages"),
    ("file", "document"),
    ("filename", "title"),
    ("image_url", "image"),
    ("parallel_tool_calls", "tool_choice.disable_parallel_tool_use"),
    ("reasoning", "thinking"),
    ("reasoning_effort", "output_config.effort"),
    ("response_format", "output_config.format"),
    ("stop", "stop_sequences"),
    ("user", "metadata.user_id"),
];

/// A form of the answer is asked for with a media type, whichever of two fields holds its schema.
const GEMINI: Words = &[
    ("budget_tokens", "generationConfig.thinkingConfig.thinkingBudget"),
    ("content", "contents"),
    ("file", "contents"),
    ("filename", "displayName"),
    ("frequency_penalty", "generationConfig.frequencyPenalty"),
    ("image", "contents"),
    ("image_url", "contents"),
    ("input_audio", "contents"),
    ("is_error", "functionResponse.response.error"),
    ("logprobs", "generationConfig.responseLogprobs"),
    ("max_tokens", "generationConfig.maxOutputTokens"),
    ("messages", "contents"),
    ("n", "generationConfig.candidateCount"),
    ("presence_penalty", "generationConfig.presencePenalty"),
    ("reasoning", "thought"),
    ("reasoning_effort", "generationConfig.thinkingConfig.thinkingLevel"),
    ("response_format", "generationConfig.responseMimeType"),
    ("seed", "generationConfig.seed"),
    ("signature", "thoughtSignature"),
    ("stop", "generationConfig.stopSequences"),
    ("system", "systemInstruction"),
    ("temperature", "generationConfig.temperature"),
    ("thinking", "generationConfig.thinkingConfig"),
    ("title", "displayName"),
    ("tool_choice", "toolConfig.functionCallingConfig"),
    ("top_k", "generationConfig.topK"),
    ("top_p", "generationConfig.topP"),
];

/// All that is said is the text to be completed.
const COMPLETIONS: Words = &[("content", "prompt"), ("messages", "prompt")];

const RESPONSES: Words = &[
    ("cache_control", "prompt_cache_breakpoint"),
    ("content", "input"),
    ("file", "input_file"),
    ("image", "input_image"),
    ("image_url", "input_image"),
    ("logprobs", "top_logprobs"),
    ("max_tokens", "max_output_tokens"),
    ("messages", "input"),
    ("reasoning_effort", "reasoning.effort"),
    ("response_format", "text.format"),
    ("signature", "encrypted_content"),
    ("system", "input"),
    ("thinking", "reasoning.effort"),
    ("title", "filename"),
];

/// What a client of `dialect` that asks `prompt` calls `field`.
pub(crate) fn own_word<'a>(dialect: Dialect, prompt: &Prompt, field: &'a str) -> &'a str {
    let words = match dialect {
        Dialect::OpenAiChat => CHAT,
        Dialect::Anthropic => ANTHROPIC,
        Dialect::Gemini => GEMINI,
        Dialect::Responses => RESPONSES,
        Dialect::COMPLETIONS => COMPLETIONS,
        Dialect::Other(_) => &[],
    };
    // The client's own word already, which may be the same as one of ours.
    if prompt.others.iter().any(|other| other.name == field) {
        return field;
    }
    words.iter().find(|(ours, _)| *ours == field).map_or(field, |(_, own)| own)
}

#[cfg(test)]
mod tests {
    use super::*;
    use llm::Other;

    #[test]
    fn each_word_stands_there_once() {
        for words in [CHAT, ANTHROPIC, COMPLETIONS, GEMINI, RESPONSES] {
            assert!(words.is_sorted_by(|(one, _), (next, _)| one < next), "{words:?}");
        }
    }

    #[test]
    fn a_field_is_called_as_its_client_calls_it() {
        let nothing = Prompt::default();
        for (dialect, field, own) in [
            (Dialect::OpenAiChat, "seed", "seed"),
            (Dialect::OpenAiChat, "thinking", "reasoning_effort"),
            (Dialect::Anthropic, "stop", "stop_sequences"),
            (Dialect::Anthropic, "top_k", "top_k"),
            (Dialect::Gemini, "seed", "generationConfig.seed"),
            (Dialect::Gemini, "tools[1]", "tools[1]"),
            (Dialect::Responses, "messages", "input"),
            (Dialect::COMPLETIONS, "messages", "prompt"),
            (Dialect::COMPLETIONS, "seed", "seed"),
        ] {
            assert_eq!(own_word(dialect, &nothing, field), own, "{dialect:?}");
        }
        let asked = Prompt { others: vec![Other { name: "thinking".into(), json: "{}".into() }], ..Prompt::default() };
        assert_eq!(own_word(Dialect::OpenAiChat, &asked, "thinking"), "thinking");
    }
}
