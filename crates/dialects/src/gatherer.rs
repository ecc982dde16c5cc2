//! A streamed answer put together while it passes, from frames in its client's dialect.
//!
//! Must never be here: how any dialect writes, whether the answer is any good.

use crate::openai_chat::Assembler;
use crate::{Fold, Reader, Unread, each_data};
use llm::{Answer, Api, Delta, Dialect, Lane};

/// Puts a streamed answer together.
#[derive(Debug)]
pub struct Gatherer(Inner);

#[derive(Debug)]
enum Inner {
    /// Chat completions, for which there is a quicker way.
    Chat(Box<Assembler>),
    Any(Box<Any>),
}

#[derive(Debug)]
struct Any {
    api: Api,
    reader: Reader,
    fold: Fold,
    deltas: Vec<Delta>,
    /// A tool call has begun.
    calls: bool,
}

impl Gatherer {
    /// A gatherer of one answer for a client of `dialect`.
    #[must_use]
    pub fn of(dialect: Dialect) -> Self {
        let api = Api::Shared(dialect);
        Self(match dialect {
            Dialect::OpenAiChat => Inner::Chat(Box::default()),
            Dialect::Anthropic | Dialect::Gemini | Dialect::Responses | Dialect::Other(_) => {
                Inner::Any(Box::new(Any {
                    api,
                    reader: Reader::of(api),
                    fold: Fold::of(dialect),
                    deltas: Vec::new(),
                    calls: false,
                }))
            }
        })
    }

    /// Takes in the bytes of whole frames, and hands on the words that they add: of which choice, in which lane. Whether
    /// there was any event among them.
    ///
    /// # Errors
    /// What is too large, or no event of the dialect; what came before stays.
    pub fn push(&mut self, raw: &[u8], mut hand: impl FnMut(u32, Lane, &str)) -> Result<bool, Unread> {
        match &mut self.0 {
            Inner::Chat(assembler) => {
                let any = each_data(Api::Shared(Dialect::OpenAiChat), raw, |data| assembler.push(data))?;
                assembler.fresh(hand);
                Ok(any)
            }
            Inner::Any(gathered) => {
                let Any { api, reader, fold, deltas, calls } = &mut **gathered;
                each_data(*api, raw, |data| {
                    reader.push(data, deltas)?;
                    for delta in deltas.drain(..) {
                        fold.push(&delta)?;
                        *calls |= matches!(delta, Delta::Call { .. });
                        if let Some((choice, lane, words)) = words(&delta) {
                            hand(choice, lane, words);
                        }
                    }
                    Ok(())
                })
            }
        }
    }

    /// Whether a tool call has begun.
    #[must_use]
    pub fn calls(&self) -> bool {
        match &self.0 {
            Inner::Chat(assembler) => assembler.calls(),
            Inner::Any(gathered) => gathered.calls,
        }
    }

    /// The answer, as far as it has come.
    #[must_use]
    pub fn finish(self) -> Answer {
        match self.0 {
            Inner::Chat(assembler) => assembler.finish(),
            Inner::Any(gathered) => gathered.fold.finish(),
        }
    }
}

/// The words that a step adds: of which choice, in which lane.
fn words(delta: &Delta) -> Option<(u32, Lane, &str)> {
    match delta {
        Delta::Text { choice, text } => Some((*choice, Lane::Text, text)),
        Delta::Refusal { choice, text } => Some((*choice, Lane::Refusal, text)),
        Delta::Thought { choice, text } => Some((*choice, Lane::Reasoning, text)),
        _ => None,
    }
}
