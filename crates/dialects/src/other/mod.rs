//! Operations that are passed on as they came: embeddings, images, speech and the like. (Embeddings in other words are of
//! `vectors`.)
//!
//! Read just deeply enough to be routed, and to tell an answer from none. Wire facts: OpenAI's published OpenAPI document
//! 2.3.0 (`/completions`, `/embeddings`, `/moderations`, `/images/*`, `/audio/*`), Cohere's reference of `/v2/rerank`,
//! Anthropic's of `/v1/messages/count_tokens`, and Vertex AI's discovery document (`aiplatform` v1).

mod form;
mod path;
mod request;
mod stream;
mod usage;
mod whole;

pub use path::path;
pub use request::{decode, decode_form, with_model};
pub use stream::StreamDecoder;
pub use whole::read_whole;
