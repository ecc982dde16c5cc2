//! What a check found: a stable code, where, and words that may be sent back to the model.
//!
//! Must never be here: how it was found, what becomes of the answer.

use llm::Lane;
use std::fmt;

/// Declares an enum whose variants have stable names.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident => $word:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl $name {
            /// All of them, for tables made at start.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in configuration, metrics and logs; it never changes.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The one of this name.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.as_str() == word)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use words;

words! {
    /// One thing that an answer has to satisfy.
    Check {
        /// It ends with a legal finish reason and is not cut.
        Complete => "complete",
        /// It holds text, a tool call or a refusal.
        NonEmpty => "non_empty",
        /// Its text is JSON that satisfies the schema demanded.
        Schema => "schema",
        /// Its tool calls are declared, allowed, and have arguments that satisfy their schema.
        Tools => "tools",
        /// The model that served is one that was meant.
        Model => "model",
        /// It does not repeat itself without end: neither its text nor its refusal, nor its reasoning, where models
        /// that reason do it most.
        Loop => "loop",
        /// It holds nothing that a pattern forbids, in its text or its refusal. Reasoning is not the answer: it may
        /// weigh what must not be said.
        Deny => "deny",
        /// It holds something for every pattern required.
        Require => "require",
        /// It holds no personal data: in its text, its refusal, its reasoning, or the arguments of a call.
        Pii => "pii",
        /// It holds no credentials, in any of these.
        Secrets => "secrets",
        /// It is written in a language asked for.
        Language => "language",
        /// It is not too long.
        MaxChars => "max_chars",
        /// What it cites was in the request.
        Citations => "citations",
        /// Somebody outside agrees. Named by a policy, run by the engine.
        Webhook => "webhook",
    }
}

words! {
    /// What is wrong, or worth a mark.
    Code {
        /// There is no choice.
        NoChoices => "no_choices",
        /// A choice does not say why it ended.
        FinishMissing => "finish_missing",
        /// A choice ended for a reason that the dialect does not know.
        FinishUnknown => "finish_unknown",
        /// The token limit ended the text. A mark, where nothing whole was demanded.
        Truncated => "truncated",
        /// JSON that was demanded is cut off.
        JsonCut => "json_cut",
        /// The arguments of a tool call are cut off.
        ArgumentsCut => "arguments_cut",
        /// The provider's content policy ended it. A mark.
        ContentFiltered => "content_filtered",
        /// The model declined to answer. A mark.
        Refused => "refused",
        /// A choice holds nothing.
        Empty => "empty",
        /// The text is no JSON.
        NotJson => "not_json",
        /// The text is JSON within a code fence.
        JsonFenced => "json_fenced",
        /// The text is JSON with other words around it.
        JsonInProse => "json_in_prose",
        /// The text, or arguments, are JSON of another kind than an object.
        NotAnObject => "not_an_object",
        /// An object names a field twice.
        DuplicateField => "duplicate_field",
        /// JSON is too large, too deep, or too costly to judge.
        JsonTooLarge => "json_too_large",
        /// A required field is not there.
        MissingField => "missing_field",
        /// A field is there that the schema does not allow.
        UnexpectedField => "unexpected_field",
        /// A value has the wrong type.
        WrongType => "wrong_type",
        /// A value is none of those allowed.
        WrongValue => "wrong_value",
        /// A value breaks another rule of the schema.
        SchemaMismatch => "schema_mismatch",
        /// A schema of the request cannot be used, and was not. A mark: no answer is to blame.
        SchemaUnusable => "schema_unusable",
        /// A tool is called that the request does not declare.
        ToolUndeclared => "tool_undeclared",
        /// A tool is called that the request does not allow.
        ToolForbidden => "tool_forbidden",
        /// A tool that has to be called is not.
        ToolCallMissing => "tool_call_missing",
        /// More tools are called than the request allows.
        TooManyToolCalls => "too_many_tool_calls",
        /// Two tool calls have the same id, or one has none beside others.
        ToolCallId => "tool_call_id",
        /// The arguments of a tool call are no JSON.
        ArgumentsNotJson => "arguments_not_json",
        /// Another model served than was meant.
        WrongModel => "wrong_model",
        /// The text, the refusal or the reasoning repeats itself without end.
        Repetition => "repetition",
        /// A forbidden pattern is in the text, or in the refusal.
        PatternDenied => "pattern_denied",
        /// A required pattern is not in the text.
        PatternMissing => "pattern_missing",
        /// Personal data is in the answer.
        PersonalData => "personal_data",
        /// A credential is in the answer.
        Secret => "secret",
        /// Something has to be taken out of the words, or of the arguments of a call. A mark.
        Redacted => "redacted",
        /// There is more text than is searched.
        TooLongToSearch => "too_long_to_search",
        /// The text is in another language.
        WrongLanguage => "wrong_language",
        /// The text is too long.
        TooLong => "too_long",
        /// Something is cited that was not in the request.
        CitationUnknown => "citation_unknown",
        /// Fewer sources are cited than demanded.
        CitationMissing => "citation_missing",
        /// Somebody outside says that it may not pass.
        WebhookRefused => "webhook_refused",
        /// Nobody outside said whether it may pass. A mark, where the policy lets it pass then.
        WebhookUnavailable => "webhook_unavailable",
    }
}

/// The part of an answer that a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// The answer as a whole.
    Answer,
    /// The choice at this place.
    Choice(u32),
    /// The text of the choice at this place.
    Text(u32),
    /// Its refusal.
    Refusal(u32),
    /// Its reasoning.
    Reasoning(u32),
    /// The arguments of a tool call: the choice's place, the call's.
    Call(u32, usize),
}

impl Place {
    /// Where the words of one lane stand.
    pub(crate) const fn words(choice: u32, lane: Lane) -> Self {
        match lane {
            Lane::Text => Self::Text(choice),
            Lane::Refusal => Self::Refusal(choice),
            Lane::Reasoning => Self::Reasoning(choice),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer => Ok(()),
            Self::Choice(choice) => write!(f, "/choices/{choice}"),
            Self::Text(choice) => write!(f, "/choices/{choice}/message/content"),
            Self::Refusal(choice) => write!(f, "/choices/{choice}/message/refusal"),
            Self::Reasoning(choice) => write!(f, "/choices/{choice}/message/reasoning_content"),
            Self::Call(choice, call) => write!(f, "/choices/{choice}/message/tool_calls/{call}/function/arguments"),
        }
    }
}

/// One thing found.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Which check found it.
    pub check: Check,
    /// What it is.
    pub code: Code,
    /// The part of the answer it is about.
    pub place: Place,
    /// Where within the JSON of that part, as an RFC 6901 pointer; empty where it is about the part as a whole.
    pub pointer: String,
    /// What is wrong, worded for the model that has to do better. At most [`MESSAGE`] bytes. May quote the answer.
    pub message: String,
}

/// The longest message, in bytes.
pub const MESSAGE: usize = 512;

impl Finding {
    pub(crate) fn new(check: Check, code: Code, place: Place, message: impl Into<String>) -> Self {
        Self { check, code, place, pointer: String::new(), message: shortened(message.into(), MESSAGE) }
    }

    pub(crate) fn at(mut self, pointer: impl Into<String>) -> Self {
        self.pointer = shortened(pointer.into(), MESSAGE);
        self
    }
}

/// For people: `schema: wrong_type at /choices/0/message/content#/age: ...`.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.check, self.code)?;
        if self.place != Place::Answer {
            write!(f, " at {}", self.place)?;
        }
        if !self.pointer.is_empty() {
            write!(f, "#{}", self.pointer)?;
        }
        write!(f, ": {}", self.message)
    }
}

/// `text`, cut to `most` bytes at a character.
pub(crate) fn shortened(mut text: String, most: usize) -> String {
    const DOTS: &str = "...";
    if text.len() > most {
        text.truncate(text.floor_char_boundary(most.saturating_sub(DOTS.len())));
        text.push_str(DOTS);
    }
    text
}

/// What all checks found, bounded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Judgement {
    /// Why the answer breaks its contract; empty where it holds.
    pub violations: Vec<Finding>,
    /// What is worth noting, though the contract holds.
    pub marks: Vec<Finding>,
    /// The checks that were made, each once.
    pub made: Vec<Check>,
}

/// The most violations, and the most marks, that one judgement keeps. What somebody outside says is one more.
pub const FINDINGS: usize = 32;

impl Judgement {
    /// Whether the answer satisfies its contract.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.violations.is_empty()
    }

    /// Each check made, and whether the answer satisfies it.
    pub fn results(&self) -> impl Iterator<Item = (Check, bool)> {
        self.made.iter().map(|check| (*check, self.violations.iter().all(|found| found.check != *check)))
    }

    /// Whether something was found that a check takes out.
    #[must_use]
    pub fn redacts(&self, check: Check) -> bool {
        self.marks.iter().any(|found| found.check == check && found.code == Code::Redacted)
    }

    /// This judgement of an answer without what `before`, of the whole answer, wanted taken out: it is still told.
    #[must_use]
    pub fn redacted(mut self, before: Self) -> Self {
        before.marks.into_iter().filter(|found| found.code == Code::Redacted).for_each(|found| self.mark(found));
        self
    }

    /// This judgement where what it wanted taken out cannot be: the answer breaks its contract.
    #[must_use]
    pub fn unredacted(mut self) -> Self {
        let (leaks, marks) =
            std::mem::take(&mut self.marks).into_iter().partition(|found| found.code == Code::Redacted);
        self.marks = marks;
        for leak in leaks {
            let code = if leak.check == Check::Secrets { Code::Secret } else { Code::PersonalData };
            self.violation(Finding { code, ..leak });
        }
        self
    }

    pub(crate) fn violation(&mut self, finding: Finding) {
        if self.violations.len() < FINDINGS {
            self.violations.push(finding);
        }
    }

    pub(crate) fn mark(&mut self, finding: Finding) {
        if self.marks.len() < FINDINGS {
            self.marks.push(finding);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_stable_words_and_differ() {
        let mut seen = BTreeSet::new();
        for word in Code::ALL.iter().map(|code| code.as_str()).chain(Check::ALL.iter().map(|check| check.as_str())) {
            assert!(word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{word}");
            assert!(seen.insert(word), "{word} twice");
        }
        assert!(Code::ALL.iter().all(|code| Code::parse(code.as_str()) == Some(*code)));
        assert_eq!(Check::parse("nothing"), None);
    }

    #[test]
    fn everything_is_bounded() {
        let long = Finding::new(Check::Schema, Code::NotJson, Place::Text(0), "é".repeat(9999)).at("/".repeat(9999));
        assert!(long.message.len() <= MESSAGE && long.pointer.len() <= MESSAGE && long.message.ends_with("..."));
        let mut judgement = Judgement::default();
        (0..100).for_each(|_| judgement.violation(long.clone()));
        (0..100).for_each(|_| judgement.mark(long.clone()));
        assert_eq!((judgement.violations.len(), judgement.marks.len()), (FINDINGS, FINDINGS));
    }

    #[test]
    fn people_read_where() {
        let found = Finding::new(Check::Tools, Code::WrongType, Place::Call(0, 1), "a number, please").at("/age");
        let expected = "tools: wrong_type at /choices/0/message/tool_calls/1/function/arguments#/age: a number, please";
        assert_eq!(found.to_string(), expected);
    }
}
