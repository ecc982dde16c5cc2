//! OpenAI's completions of a text, as clients ask for them of providers that have none.
//!
//! The text is a user's one turn, and what is answered goes on from it. Between a client and a provider that has
//! completions itself the bytes pass (`other`), and no answer of one is read here. Wire facts: OpenAI's published OpenAPI
//! document 2.3.0 (`CreateCompletionRequest`, `CreateCompletionResponse`).

mod answer;
mod prompt;

pub(crate) use answer::tells;
pub use answer::{Writer, write_answer};
pub use prompt::read_prompt;
