//! What a model thought, under all the names that servers give it.
//!
//! `reasoning_content` is DeepSeek's and others' field, `reasoning` vLLM's, OpenRouter's and Groq's; Mistral sends parts
//! of the content. OpenRouter's `reasoning_details` and LiteLLM's `thinking_blocks` come beside one of them and mostly
//! repeat it. Must never be here: what stands in other fields.

use super::super::shape::Shape;
use super::wire::{Part, Said, value};
use super::{Building, Field, Slot, Told};
use crate::text::decoded;
use llm::Lane;
use memchr::memmem;
use serde_json::value::RawValue;

impl Building {
    /// Takes in the reasoning of one event: what a field says, unless fields before it say so in the same event.
    pub(super) fn reasoning<'a>(&mut self, said: &Said<'a>, parts: &[Part<'a>], told: Told<'_, 'a>) {
        let thoughts = Thoughts::of(said, parts);
        self.sealed |= thoughts.sealed;
        let several = thoughts.texts.len() > 1;
        // What fields before the present one say, and what that one has said so far.
        let (mut earlier, mut here, mut present) = (Vec::new(), Vec::new(), Field::Own);
        for (field, literal) in thoughts.texts {
            told(Slot::Words(Lane::Reasoning), field, literal);
            if field != present {
                earlier.append(&mut here);
                present = field;
            }
            let words = if several { decoded(literal.get()).unwrap_or_default() } else { Vec::new() };
            if earlier.is_empty() || memmem::find(&earlier, &words).is_none() {
                self.words(Lane::Reasoning).push(literal.get());
                here.extend(words);
            }
        }
    }
}

/// The reasoning in one event.
#[derive(Default)]
struct Thoughts<'a> {
    /// Its texts that say something, field by field.
    texts: Vec<(Field, &'a RawValue)>,
    /// Some of it is no text.
    sealed: bool,
}

impl<'a> Thoughts<'a> {
    fn of(said: &Said<'a>, parts: &[Part<'a>]) -> Self {
        let mut thoughts = Self::default();
        thoughts.text(Field::Own, said.reasoning_content);
        parts.iter().for_each(|part| thoughts.part(Field::Own, part));
        thoughts.text(Field::Plain, said.reasoning);
        thoughts.list(Field::Details, said.reasoning_details);
        thoughts.list(Field::Blocks, said.thinking_blocks);
        thoughts
    }

    fn text(&mut self, field: Field, raw: Option<&'a RawValue>) {
        match raw.map(|raw| (raw, Shape::of(raw))) {
            Some((raw, Shape::Text { empty: false })) => self.texts.push((field, raw)),
            Some((_, other)) => self.sealed |= other.is_something(),
            None => {}
        }
    }

    fn list(&mut self, field: Field, list: Option<&'a RawValue>) {
        let Some(entries) = value::<Vec<&RawValue>>(list) else { return self.text(field, list) };
        for entry in entries {
            match value::<Part<'_>>(Some(entry)) {
                Some(part) => self.part(field, &part),
                None => self.sealed = true,
            }
        }
    }

    /// All texts of a part, or of the parts within it; one without any cannot be read.
    fn part(&mut self, field: Field, part: &Part<'a>) {
        let before = self.texts.len();
        for raw in [part.text, part.thinking, part.summary].into_iter().flatten() {
            match value::<Vec<Part<'_>>>(Some(raw)) {
                Some(inner) => inner.iter().for_each(|inner| self.text(field, inner.text)),
                None => self.text(field, Some(raw)),
            }
        }
        self.sealed |= self.texts.len() == before;
    }
}
